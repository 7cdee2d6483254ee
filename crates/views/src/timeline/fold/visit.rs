//! What the events of visits make of who is in charge, who takes part, and what the enterprise knows.

use doudi_domain::{UnitId, VisitId, appeal::Confidentiality, visits::Event};
use jiff::Timestamp;

use super::{Charge, Subject};
use crate::fact::Fact;

/// The visits of which an event says something.
pub(super) fn named(event: &Event) -> impl Iterator<Item = VisitId> {
    let other = if let Event::VisitsMerged { into, .. } = event { Some(*into) } else { None };
    [event.visit()].into_iter().chain(other)
}

/// The visits that an event changes, as they are from then on. No visit is confidential.
pub(super) fn changed(
    event: &Event,
    before: impl Fn(VisitId) -> Option<Subject>,
) -> Vec<(VisitId, Subject)> {
    if let Event::VisitPlanned { plan, area, .. } = event {
        let charge = Charge { unit: Some(plan.unit.clone()), area: area.clone() };
        let co_units = plan.shares.keys().cloned().collect();
        let level = Confidentiality::Public;
        let planned = Subject { charge, co_units, level, ..Subject::default() };
        return vec![(plan.visit, planned)];
    }
    if let Event::VisitsMerged { visit, into, party, .. } = event {
        return merged(*visit, *into, &party.unit, before);
    }
    let seen = matches!(
        event,
        Event::VisitNotified { .. } | Event::VisitCheckedIn { .. } | Event::VisitRefused { .. }
    );
    let until_now = before(event.visit());
    let now = until_now.clone().map(|mut now| {
        now.known |= seen;
        if let Event::UnitWithdrew { unit, .. } = event {
            now.co_units.retain(|other| other != unit);
        }
        now
    });
    if now == until_now {
        return vec![];
    }
    now.map(|now| (event.visit(), now)).into_iter().collect()
}

/// The unit takes part in the visit that goes on; whose visit that is sees what it took in.
fn merged(
    visit: VisitId,
    into: VisitId,
    unit: &UnitId,
    before: impl Fn(VisitId) -> Option<Subject>,
) -> Vec<(VisitId, Subject)> {
    let joined = before(into);
    let lead = joined.as_ref().and_then(|joined| joined.charge.unit.clone());
    let with = |subject: Option<Subject>, unit: Option<&UnitId>| {
        let mut subject = subject?;
        let unit = unit.filter(|unit| !subject.co_units.contains(unit)).cloned();
        subject.co_units.extend(unit);
        Some(subject)
    };
    let given_up = with(before(visit), lead.as_ref()).map(|now| (visit, now));
    let goes_on = with(joined, Some(unit)).map(|now| (into, now));
    given_up.into_iter().chain(goes_on).collect()
}

/// Whether an event of a visit names the complaint that it comes from.
pub(super) fn is_about_complaint(event: &Event) -> bool {
    matches!(event, Event::VisitsHeld { .. } | Event::HoldLifted { .. })
}

/// An event of a visit that nobody planned.
pub(super) fn alone(event: &Event) -> Subject {
    if let Event::OffSiteCheckRecorded { check, area } = event {
        let charge = Charge { unit: Some(check.unit.clone()), area: area.clone() };
        Subject { charge, known: true, ..Subject::default() }
    } else if let Event::ScanSetAside { record, .. } = event {
        let charge = Charge { unit: Some(record.unit.clone()), area: None };
        Subject { charge, ..Subject::default() }
    } else {
        Subject::default()
    }
}

/// What is not for the enterprise, even once it knows of the visit: what the supervision body is told, what
/// a unit owes its own head, and what names other visits.
pub(super) fn is_internal(event: &Event) -> bool {
    matches!(
        event,
        Event::CapExceeded { .. }
            | Event::VisitsExcessive { .. }
            | Event::RepeatVisits { .. }
            | Event::ScanSetAside { .. }
            | Event::VisitsMerged { .. }
            | Event::ApprovalOwed { .. }
            | Event::ClockStepsTaken { .. }
    )
}

/// Officers come and go when they do, whenever that is handed in; so does a check from elsewhere.
pub(super) fn occurred_at(event: &Event, fact: &Fact) -> Timestamp {
    if let Event::VisitCheckedIn { check_in, .. } = event {
        check_in.occurred_at
    } else if let Event::VisitCheckedOut { occurred_at, .. } = event {
        *occurred_at
    } else if let Event::OffSiteCheckRecorded { check, .. } = event {
        check.occurred_at
    } else {
        fact.occurred_at
    }
}
