//! Who is in charge of what, as far as a timeline shows it or depends on it.

use doudi_domain::{
    AreaCode, UnitId,
    appeal::{Confidentiality, Event},
    diagnosis,
    routing::Route,
};
use uuid::Uuid;

use crate::asked::Asked;

/// Who is in charge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::timeline) struct Charge {
    pub(in crate::timeline) unit: Option<UnitId>,
    pub(in crate::timeline) area: Option<AreaCode>,
}

/// What is remembered of a visit, an appeal or a joint diagnosis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::timeline) struct Subject {
    pub(in crate::timeline) charge: Charge,
    /// The units that share the work now.
    pub(in crate::timeline) co_units: Vec<UnitId>,
    /// Who was asked for a part of an appeal by name.
    pub(in crate::timeline) asked: Asked,
    pub(in crate::timeline) level: Confidentiality,
    /// The appeal that a joint diagnosis is about.
    pub(in crate::timeline) appeal: Option<Uuid>,
    /// Whether the enterprise knows of a visit: it was told of it, or saw the officers.
    pub(in crate::timeline) known: bool,
}

impl Subject {
    /// The units that take part beside the one in charge.
    pub(in crate::timeline) fn beside(&self) -> Vec<UnitId> {
        self.asked.beside(&self.co_units)
    }
}

/// What an event makes of an appeal. The unit that had it last stays in charge of what comes after a
/// merge or a redirection.
pub(super) fn of_appeal(until_now: &Subject, event: &Event) -> Subject {
    let mut now = handed_on(until_now, event).unwrap_or_else(|| until_now.clone());
    now.asked.take(event);
    now
}

/// The appeal with who handles it from that event on; none where that does not change.
fn handed_on(until_now: &Subject, event: &Event) -> Option<Subject> {
    let given = |route: &Route| Subject {
        charge: Charge { unit: Some(route.unit.clone()), area: until_now.charge.area.clone() },
        co_units: route.co_units.clone(),
        ..until_now.clone()
    };
    if let Event::AppealSubmitted { submission, .. } = event {
        let (unit, area) = (until_now.charge.unit.clone(), Some(submission.area.clone()));
        let charge = Charge { unit, area };
        return Some(Subject { charge, level: submission.confidentiality, ..until_now.clone() });
    }
    event.route_given().map(given)
}

/// A joint diagnosis as it begins. Who may know of it is what its appeal says.
pub(super) fn convened(event: &diagnosis::Event) -> Option<Subject> {
    let diagnosis::Event::DiagnosisConvened { convening, .. } = event else {
        return None;
    };
    let (unit, area) = (Some(convening.convener.clone()), Some(convening.area.clone()));
    let appeal = Some(convening.appeal.0);
    Some(Subject { charge: Charge { unit, area }, appeal, ..Subject::default() })
}
