//! From facts to places held and policies in force: a pure fold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use doudi_domain::{
    EnterpriseId, UnitId, VisitId,
    frequency::{FrequencyPolicy, Ground, Held},
    policy::{self, Document},
    visits::{self, counts_on},
};
use jiff::civil::Date;

use crate::fact::{Content, Fact};

/// A visit of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (VisitId, EnterpriseId);

/// One visit as the limits see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) unit: UnitId,
    pub(super) ground: Ground,
    pub(super) day: Date,
    pub(super) held: Option<Held>,
}

/// A draft or the version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyRow {
    pub(super) published: bool,
    pub(super) document: FrequencyPolicy,
}

/// What is known of the rows concerned, and which of them changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) places: HashMap<Key, Place>,
    pub(super) places_changed: HashSet<Key>,
    pub(super) policies: BTreeMap<u32, PolicyRow>,
    pub(super) policies_changed: BTreeSet<u32>,
}

/// The visits whose rows the facts may change without planning them.
pub(super) fn visits_of(facts: &[Fact]) -> Vec<VisitId> {
    let events = facts.iter().flat_map(|fact| match &fact.content {
        Content::Visits(_, events) => events.as_slice(),
        Content::Profile(..)
        | Content::Appeal(..)
        | Content::Diagnosis(..)
        | Content::Policy(_) => &[],
    });
    let changed = events.filter_map(|event| match event {
        visits::Event::VisitCheckedIn { visit, .. }
        | visits::Event::VisitCancelled { visit, .. }
        | visits::Event::VisitExpired { visit } => Some(*visit),
        visits::Event::VisitPlanned { .. }
        | visits::Event::VisitApproved { .. }
        | visits::Event::CapExceeded { .. }
        | visits::Event::VisitCheckedOut { .. }
        | visits::Event::ResultReported { .. } => None,
    });
    changed.collect::<HashSet<_>>().into_iter().collect()
}

/// Whether any fact is about the policy.
pub(super) fn touches_policy(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact.content, Content::Policy(_)))
}

impl Changes {
    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            match &fact.content {
                Content::Visits(enterprise, events) => {
                    events.iter().for_each(|event| self.visit(enterprise, event));
                }
                Content::Policy(events) => {
                    events.iter().for_each(|event| self.policy(event));
                }
                Content::Profile(..) | Content::Appeal(..) | Content::Diagnosis(..) => {}
            }
        }
    }

    fn visit(&mut self, enterprise: &EnterpriseId, event: &visits::Event) {
        match event {
            visits::Event::VisitPlanned { plan, .. } => {
                let key = (plan.visit, enterprise.clone());
                self.places_changed.insert(key.clone());
                let held = Some(Held::Reserved);
                let place =
                    Place { unit: plan.unit.clone(), ground: plan.ground, day: plan.on, held };
                self.places.insert(key, place);
            }
            visits::Event::VisitCheckedIn { visit, check_in, .. } => {
                self.change(*visit, enterprise, |place| {
                    place.day = counts_on(place.day, check_in.occurred_at);
                    place.held = Some(Held::Used);
                });
            }
            visits::Event::VisitCancelled { visit, .. } | visits::Event::VisitExpired { visit } => {
                self.change(*visit, enterprise, |place| place.held = None);
            }
            // The place stays as it is.
            visits::Event::VisitApproved { .. }
            | visits::Event::CapExceeded { .. }
            | visits::Event::VisitCheckedOut { .. }
            | visits::Event::ResultReported { .. } => {}
        }
    }

    fn change(&mut self, visit: VisitId, enterprise: &EnterpriseId, how: impl FnOnce(&mut Place)) {
        let key = (visit, enterprise.clone());
        if let Some(place) = self.places.get_mut(&key) {
            how(place);
            self.places_changed.insert(key);
        }
    }

    fn policy(&mut self, event: &policy::Event) {
        match event {
            policy::Event::PolicyDrafted { version, document: Document::Frequency(document) } => {
                let row = PolicyRow { published: false, document: document.clone() };
                self.policies.insert(*version, row);
                self.policies_changed.insert(*version);
            }
            // The stream of the frequency policy holds no other document.
            policy::Event::PolicyDrafted {
                document: Document::Routing(_) | Document::Calendar(_) | Document::CaseTypes(_),
                ..
            } => {}
            policy::Event::PolicyPublished { version } => {
                if let Some(row) = self.policies.get_mut(version) {
                    row.published = true;
                    self.policies_changed.insert(*version);
                }
            }
            policy::Event::PolicyRetired { version } => {
                self.policies.remove(version);
                self.policies_changed.insert(*version);
            }
        }
    }
}

#[cfg(test)]
mod tests;
