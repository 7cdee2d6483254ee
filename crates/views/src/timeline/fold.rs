//! From facts to entries: a pure fold that remembers who is in charge of what.

use std::collections::{HashMap, HashSet};

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, VisitId,
    appeal::{self, Visibility},
    codec::Storable,
    diagnosis, enterprise, visits,
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Kind, details};
use crate::fact::{Content, Fact};

mod charge;
mod visit;

pub(super) use charge::{Charge, Subject};
use charge::{convened, of_appeal};

/// A visit, an appeal or a joint diagnosis of an enterprise. Ids are derived from what clients
/// choose, so only both together are unique.
pub(super) type SubjectKey = (Uuid, EnterpriseId);

/// Which subjects and enterprises some facts are about.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    pub(super) subjects: HashSet<Uuid>,
    pub(super) enterprises: HashSet<EnterpriseId>,
}

/// One row to be.
#[derive(Debug)]
pub(super) struct NewEntry<'a> {
    pub(super) position: i64,
    pub(super) ordinal: i32,
    pub(super) enterprise: &'a EnterpriseId,
    pub(super) kind: Kind,
    pub(super) event_type: &'static str,
    pub(super) subject: Option<Uuid>,
    pub(super) charge: Charge,
    pub(super) occurred_at: Timestamp,
    pub(super) recorded_at: Timestamp,
    pub(super) details: Box<RawValue>,
    /// Whether the enterprise itself does not see it.
    pub(super) internal: bool,
}

/// What is known of the subjects and enterprises concerned, and what the facts changed.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) subjects: HashMap<SubjectKey, Subject>,
    pub(super) enterprises: HashMap<EnterpriseId, AreaCode>,
    pub(super) subjects_changed: HashSet<SubjectKey>,
    pub(super) enterprises_changed: HashSet<EnterpriseId>,
}

impl Concerned {
    pub(super) fn by(facts: &[Fact]) -> Self {
        let mut concerned = Self::default();
        for fact in facts {
            match &*fact.content {
                Content::Profile(enterprise, _) => {
                    concerned.enterprises.insert(enterprise.clone());
                }
                Content::Visits(_, events) => {
                    concerned.subjects.extend(events.iter().flat_map(visit::named).map(|id| id.0));
                }
                Content::Appeal(_, AppealId(appeal), _) => {
                    concerned.subjects.insert(*appeal);
                }
                Content::Diagnosis(_, id, _) => {
                    concerned.subjects.insert(id.0);
                }
                Content::Ratings(..)
                | Content::Device(..)
                | Content::Policy(..)
                | Content::Webhook(..) => {}
            }
        }
        concerned
    }
}

impl Known {
    /// The entries that the facts make, in their order.
    pub(super) fn fold<'a>(&mut self, facts: &'a [Fact]) -> Vec<NewEntry<'a>> {
        let mut entries = Vec::with_capacity(facts.len());
        for fact in facts {
            match &*fact.content {
                Content::Profile(enterprise, events) => {
                    entries.extend(numbered(events).map(|(ordinal, event)| {
                        let charge = self.profile(enterprise, event);
                        entry(fact, ordinal, enterprise, Kind::Profile, event, None, charge)
                    }));
                }
                Content::Visits(enterprise, events) => {
                    entries.extend(numbered(events).map(|(ordinal, event)| {
                        let Subject { charge, known, .. } = self.visit(enterprise, event);
                        let visit = Some(event.visit().0);
                        let row =
                            entry(fact, ordinal, enterprise, Kind::Visit, event, visit, charge);
                        let occurred_at = visit::occurred_at(event, fact);
                        let internal = !known || visit::is_internal(event);
                        // More may see a visit than a complaint about it.
                        let details = match visit::is_about_complaint(event) {
                            true => details::without(row.details, "appeal"),
                            false => row.details,
                        };
                        NewEntry { occurred_at, internal, details, ..row }
                    }));
                }
                Content::Appeal(enterprise, AppealId(appeal), events) => {
                    entries.extend(numbered(events).map(|(ordinal, event)| {
                        let charge = self.appeal(enterprise, *appeal, event);
                        let appeal = Some(*appeal);
                        let row =
                            entry(fact, ordinal, enterprise, Kind::Appeal, event, appeal, charge);
                        NewEntry { internal: is_internal(event), ..row }
                    }));
                }
                Content::Diagnosis(enterprise, id, events) => {
                    entries.extend(numbered(events).map(|(ordinal, event)| {
                        let Subject { charge, appeal, .. } =
                            self.diagnosis(enterprise, id.0, event);
                        let appeal = appeal.or(Some(id.0));
                        let row =
                            entry(fact, ordinal, enterprise, Kind::Appeal, event, appeal, charge);
                        let details = details::of_diagnosis(*id, row.details);
                        // What units say among themselves. The appeal's own events tell the rest.
                        NewEntry { details, internal: true, ..row }
                    }));
                }
                Content::Ratings(..)
                | Content::Device(..)
                | Content::Policy(..)
                | Content::Webhook(..) => {}
            }
        }
        entries
    }

    fn profile(&mut self, enterprise: &EnterpriseId, event: &enterprise::Event) -> Charge {
        let unit = match event {
            enterprise::Event::EnterpriseRegistered { area, .. }
            | enterprise::Event::AreaChanged { to: area, .. } => {
                self.enterprises.insert(enterprise.clone(), area.clone());
                self.enterprises_changed.insert(enterprise.clone());
                None
            }
            enterprise::Event::CodeIssued { .. } | enterprise::Event::CodeRevoked { .. } => None,
            enterprise::Event::CreditGradeAssessed { issuer, .. }
            | enterprise::Event::EnterpriseClassified { issuer, .. } => Some(issuer.clone()),
        };
        Charge { unit, area: self.enterprises.get(enterprise).cloned() }
    }

    /// The visit from that event on.
    fn visit(&mut self, enterprise: &EnterpriseId, event: &visits::Event) -> Subject {
        let keyed = |id: VisitId| (id.0, enterprise.clone());
        let before = |id| self.subjects.get(&keyed(id)).cloned();
        let changed = visit::changed(event, before);
        let own = changed.iter().find(|(id, _)| *id == event.visit()).map(|(_, now)| now.clone());
        let now = own.or_else(|| before(event.visit()));
        for (id, subject) in changed {
            self.put(keyed(id), subject);
        }
        now.unwrap_or_else(|| visit::alone(event))
    }

    fn appeal(&mut self, enterprise: &EnterpriseId, id: Uuid, event: &appeal::Event) -> Charge {
        let key = (id, enterprise.clone());
        let until_now = self.subjects.get(&key).cloned().unwrap_or_default();
        let now = of_appeal(&until_now, event);
        if now == until_now { now.charge } else { self.put(key, now).charge }
    }

    fn diagnosis(
        &mut self,
        enterprise: &EnterpriseId,
        id: Uuid,
        event: &diagnosis::Event,
    ) -> Subject {
        let key = (id, enterprise.clone());
        match convened(event) {
            Some(subject) => self.put(key, subject),
            None => self.subjects.get(&key).cloned().unwrap_or_default(),
        }
    }

    fn put(&mut self, key: SubjectKey, subject: Subject) -> Subject {
        self.subjects_changed.insert(key.clone());
        self.subjects.insert(key, subject.clone());
        subject
    }
}

fn numbered<E>(events: &[E]) -> impl Iterator<Item = (i32, &E)> {
    (0..).zip(events)
}

fn entry<'a, E: Storable>(
    fact: &Fact,
    ordinal: i32,
    enterprise: &'a EnterpriseId,
    kind: Kind,
    event: &E,
    subject: Option<Uuid>,
    charge: Charge,
) -> NewEntry<'a> {
    let (event_type, details) = details::of(event);
    NewEntry {
        position: fact.position,
        ordinal,
        enterprise,
        kind,
        event_type,
        subject,
        charge,
        occurred_at: fact.occurred_at,
        recorded_at: fact.recorded_at,
        details,
        internal: false,
    }
}

/// What is only for those who handle the appeal: some notes and files, and what units owe each other.
fn is_internal(event: &appeal::Event) -> bool {
    let among_units = matches!(
        event,
        appeal::Event::CoHandlingRequested { .. }
            | appeal::Event::CoHandlingAnswered { .. }
            | appeal::Event::DiagnosisConvened { .. }
            | appeal::Event::DiagnosisOpened { .. }
            | appeal::Event::DiagnosisAbandoned { .. }
            | appeal::Event::DiagnosisDiscontinued { .. }
            | appeal::Event::ConclusionTaken { .. }
    );
    if among_units || is_of_clocks_among_units(event) {
        return true;
    }
    let visibility = if let appeal::Event::NoteAdded { note } = event {
        note.visibility
    } else if let appeal::Event::FileAttached { file } = event {
        file.visibility
    } else {
        Visibility::Public
    };
    visibility == Visibility::Internal
}

/// Whether nothing but clocks moved, and only such as units owe each other.
fn is_of_clocks_among_units(event: &appeal::Event) -> bool {
    let (appeal::Event::ClockStepsTaken { clocks, .. }
    | appeal::Event::DeadlinesRecomputed { clocks, .. }
    | appeal::Event::AppealRepaired { clocks, route: None, .. }) = event
    else {
        return false;
    };
    !clocks.set.is_empty() && clocks.set.iter().all(|clock| clock.kind.is_among_units())
}

#[cfg(test)]
mod tests;
