//! From facts to rows of visits, profiles and documents in force: a pure fold, in which the function
//! that decides says what becomes of a visit.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use doudi_domain::{
    AreaCode, Decider, EnterpriseId, VisitId,
    policy::PolicyName,
    visits::{Event, Visits},
};

use super::{Row, What};
use crate::fact::{Content, Fact};

mod documents;

pub(crate) use documents::reads;
pub(super) use documents::{Documents, Said, Version, VersionKey};

/// A visit of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (VisitId, EnterpriseId);

/// What is known of the rows concerned, and which of them changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) rows: HashMap<Key, Arc<Row>>,
    pub(super) rows_changed: HashSet<Key>,
    pub(super) documents: Documents,
}

/// Whose rows the facts may change.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    pub(super) visits: Vec<VisitId>,
    pub(super) enterprises: Vec<EnterpriseId>,
    pub(super) policies: Vec<PolicyName>,
}

impl Concerned {
    pub(super) fn by(facts: &[Fact]) -> Self {
        let (mut visits, mut enterprises) = (HashSet::new(), HashSet::new());
        let mut policies = BTreeSet::new();
        for fact in facts {
            match &*fact.content {
                Content::Visits(_, events) => visits.extend(events.iter().flat_map(named)),
                Content::Profile(enterprise, _) => {
                    enterprises.insert(enterprise.clone());
                }
                Content::Policy(name, _) => {
                    policies.insert(name.clone());
                }
                Content::Ratings(..)
                | Content::Appeal(..)
                | Content::Diagnosis(..)
                | Content::Device(..)
                | Content::Webhook(..) => {}
            }
        }
        Self {
            visits: visits.into_iter().collect(),
            enterprises: enterprises.into_iter().collect(),
            policies: policies.into_iter().collect(),
        }
    }
}

/// The visits of which an event says something.
fn named(event: &Event) -> impl Iterator<Item = VisitId> {
    let other = if let Event::VisitsMerged { into, .. } = event { Some(*into) } else { None };
    [event.visit()].into_iter().chain(other)
}

impl Changes {
    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            match &*fact.content {
                Content::Visits(enterprise, events) => self.commit(enterprise, events),
                Content::Profile(enterprise, events) => {
                    events.iter().for_each(|event| self.documents.profile(enterprise, event));
                }
                Content::Policy(name, events) => {
                    events.iter().for_each(|event| self.documents.policy(name, event));
                }
                Content::Ratings(..)
                | Content::Appeal(..)
                | Content::Diagnosis(..)
                | Content::Device(..)
                | Content::Webhook(..) => {}
            }
        }
    }

    /// One commit: as the decision folds it, on the visits that it names alone.
    fn commit(&mut self, enterprise: &EnterpriseId, events: &[Event]) {
        let ids: BTreeSet<VisitId> = events.iter().flat_map(named).collect();
        let key = |id: VisitId| (id, enterprise.clone());
        let known = ids.iter().filter_map(|id| self.rows.get(&key(*id))?.visit().cloned());
        let now = events.iter().fold(known.collect::<Visits>(), Visits::evolve);
        for visit in now.into_all() {
            let area = area(events, visit.plan.visit);
            self.put(enterprise, What::Visit(Box::new(visit)), area);
        }
        for event in events {
            if let Event::OffSiteCheckRecorded { check, area } = event {
                self.put(enterprise, What::OffSite(check.clone()), area.clone());
            }
        }
    }

    /// The row as it is now, in the area in which it began. A check from elsewhere takes no visit's place.
    fn put(&mut self, enterprise: &EnterpriseId, what: What, area: Option<AreaCode>) {
        let mut now = Row { enterprise: enterprise.clone(), area, what };
        let key = (now.id(), enterprise.clone());
        let before = self.rows.get(&key);
        if let Some(before) = before {
            if before.visit().is_some() && now.visit().is_none() {
                return;
            }
            now.area.clone_from(&before.area);
        }
        if before.is_some_and(|before| **before == now) {
            return;
        }
        self.rows_changed.insert(key.clone());
        self.rows.insert(key, Arc::new(now));
    }
}

/// The area of the visit that is planned among these events; none where it is not.
fn area(events: &[Event], id: VisitId) -> Option<AreaCode> {
    let planned = events.iter().find_map(|event| {
        let Event::VisitPlanned { plan, area, .. } = event else {
            return None;
        };
        (plan.visit == id).then_some(area)
    });
    planned.cloned().flatten()
}

#[cfg(test)]
mod tests;
