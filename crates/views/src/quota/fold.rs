//! From facts to places held, profiles and documents in force: a pure fold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use doudi_domain::{
    Decider, EnterpriseId, VisitId,
    catalogue::Level,
    enterprise::{self, Profile, Registered},
    frequency::{Entry, FrequencyPolicy, Held},
    policy::{self, Document, PolicyName},
    visits::{self, Visits, counts_on, found_something},
};
use doudi_journal::StreamName;
use serde::{Deserialize, Serialize};

use crate::fact::{Content, Fact};

/// A visit of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (VisitId, EnterpriseId);

/// One visit as the limits see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The visit as it counts, or would count once more.
    pub(super) entry: Entry,
    /// Whether it holds a place.
    pub(super) holds: bool,
}

/// What a version of a document says, as far as the ledger reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// The limits.
    Limits(FrequencyPolicy),
    /// The level of the unit whose catalogue it is.
    Level(Level),
}

/// A draft or the version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) published: bool,
    pub(super) said: Said,
}

/// A version of a document.
pub(super) type VersionKey = (PolicyName, u32);

/// What is known of the rows concerned, and which of them changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) places: HashMap<Key, Place>,
    pub(super) places_changed: HashSet<Key>,
    pub(super) profiles: HashMap<EnterpriseId, Registered>,
    pub(super) profiles_changed: HashSet<EnterpriseId>,
    pub(super) versions: BTreeMap<VersionKey, Version>,
    pub(super) versions_changed: BTreeSet<VersionKey>,
}

/// Whether the ledger reads the document of that stream.
pub(crate) fn reads(policy: &StreamName) -> bool {
    match policy.id().map(|id| PolicyName::try_from(id.to_owned())) {
        Some(Ok(PolicyName::Frequency | PolicyName::Catalogue(_))) => true,
        Some(Ok(PolicyName::Routing | PolicyName::Calendar | PolicyName::CaseTypes) | Err(_))
        | None => false,
    }
}

/// Whose rows the facts may change: those of visits without planning them.
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
            match &fact.content {
                Content::Visits(_, events) => visits.extend(events.iter().filter_map(changed)),
                Content::Profile(enterprise, _) => {
                    enterprises.insert(enterprise.clone());
                }
                Content::Policy(name, _) => {
                    policies.insert(name.clone());
                }
                Content::Appeal(..) | Content::Diagnosis(..) => {}
            }
        }
        Self {
            visits: visits.into_iter().collect(),
            enterprises: enterprises.into_iter().collect(),
            policies: policies.into_iter().collect(),
        }
    }
}

/// The visit whose row an event changes without planning it.
fn changed(event: &visits::Event) -> Option<VisitId> {
    match event {
        visits::Event::VisitCheckedIn { visit, .. }
        | visits::Event::ResultReported { visit, .. }
        | visits::Event::VisitCancelled { visit, .. }
        | visits::Event::VisitExpired { visit } => Some(*visit),
        visits::Event::VisitPlanned { .. }
        | visits::Event::VisitApproved { .. }
        | visits::Event::CapExceeded { .. }
        | visits::Event::VisitsExcessive { .. }
        | visits::Event::RepeatVisits { .. }
        | visits::Event::VisitCheckedOut { .. } => None,
    }
}

impl Changes {
    /// Takes the facts in, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            match &fact.content {
                Content::Visits(enterprise, events) => {
                    events.iter().for_each(|event| self.visit(enterprise, event));
                }
                Content::Profile(enterprise, events) => {
                    events.iter().for_each(|event| self.profile(enterprise, event));
                }
                Content::Policy(name, events) => {
                    events.iter().for_each(|event| self.policy(name, event));
                }
                Content::Appeal(..) | Content::Diagnosis(..) => {}
            }
        }
    }

    fn visit(&mut self, enterprise: &EnterpriseId, event: &visits::Event) {
        match event {
            visits::Event::VisitPlanned { plan, .. } => {
                let key = (plan.visit, enterprise.clone());
                let planned = Visits::default().evolve(event);
                if let Some(entry) = planned.get(plan.visit).and_then(visits::Visit::entry) {
                    self.places_changed.insert(key.clone());
                    self.places.insert(key, Place { entry, holds: true });
                }
            }
            visits::Event::VisitCheckedIn { visit, check_in, .. } => {
                self.change(*visit, enterprise, |Place { entry, holds }| {
                    entry.on = counts_on(entry.on, check_in.occurred_at);
                    entry.officers.clone_from(&check_in.officers);
                    entry.held = Held::Used;
                    *holds = true;
                });
            }
            visits::Event::ResultReported { visit, results } => {
                self.change(*visit, enterprise, |place| {
                    place.entry.finding = Some(found_something(results));
                });
            }
            visits::Event::VisitCancelled { visit, .. } | visits::Event::VisitExpired { visit } => {
                self.change(*visit, enterprise, |place| place.holds = false);
            }
            // The place stays as it is.
            visits::Event::VisitApproved { .. }
            | visits::Event::CapExceeded { .. }
            | visits::Event::VisitsExcessive { .. }
            | visits::Event::RepeatVisits { .. }
            | visits::Event::VisitCheckedOut { .. } => {}
        }
    }

    fn change(&mut self, visit: VisitId, enterprise: &EnterpriseId, how: impl FnOnce(&mut Place)) {
        let key = (visit, enterprise.clone());
        if let Some(place) = self.places.get_mut(&key) {
            how(place);
            self.places_changed.insert(key);
        }
    }

    /// As the decision folds it.
    fn profile(&mut self, enterprise: &EnterpriseId, event: &enterprise::Event) {
        let until_now = self.profiles.remove(enterprise);
        let until_now = until_now.map_or(Profile::Unregistered, Profile::Registered);
        if let Profile::Registered(registered) = until_now.evolve(event) {
            self.profiles.insert(enterprise.clone(), registered);
            self.profiles_changed.insert(enterprise.clone());
        }
    }

    fn policy(&mut self, name: &PolicyName, event: &policy::Event) {
        let of = |version: &u32| (name.clone(), *version);
        match event {
            policy::Event::PolicyDrafted { version, document } => {
                if let Some(said) = said(document) {
                    self.versions.insert(of(version), Version { published: false, said });
                    self.versions_changed.insert(of(version));
                }
            }
            policy::Event::PolicyPublished { version } => {
                if let Some(row) = self.versions.get_mut(&of(version)) {
                    row.published = true;
                    self.versions_changed.insert(of(version));
                }
            }
            policy::Event::PolicyRetired { version } => {
                if self.versions.remove(&of(version)).is_some() {
                    self.versions_changed.insert(of(version));
                }
            }
        }
    }
}

fn said(document: &Document) -> Option<Said> {
    match document {
        Document::Frequency(policy) => Some(Said::Limits(policy.clone())),
        Document::Catalogue(catalogue) => Some(Said::Level(catalogue.level)),
        Document::Routing(_) | Document::Calendar(_) | Document::CaseTypes(_) => None,
    }
}

#[cfg(test)]
mod tests;
