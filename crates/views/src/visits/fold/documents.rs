//! What the frequency ledger reads besides visits: profiles, limits and the levels of units, as the
//! decision folds them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use doudi_domain::{
    Decider, EnterpriseId,
    catalogue::Level,
    enterprise::{self, Profile, Registered},
    frequency::FrequencyPolicy,
    policy::{self, Document, PolicyName},
};
use doudi_journal::StreamName;
use serde::{Deserialize, Serialize};

/// What a version of a document says, as far as the ledger reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::visits) enum Said {
    /// The limits.
    Limits(FrequencyPolicy),
    /// The level of the unit whose catalogue it is.
    Level(Level),
}

/// A draft or the version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::visits) struct Version {
    pub(in crate::visits) published: bool,
    pub(in crate::visits) said: Said,
}

/// A version of a document.
pub(in crate::visits) type VersionKey = (PolicyName, u32);

/// What is known of the profiles and documents concerned, and which of them changed.
#[derive(Debug, Default)]
pub(in crate::visits) struct Documents {
    pub(in crate::visits) profiles: HashMap<EnterpriseId, Registered>,
    pub(in crate::visits) profiles_changed: HashSet<EnterpriseId>,
    pub(in crate::visits) versions: BTreeMap<VersionKey, Version>,
    pub(in crate::visits) versions_changed: BTreeSet<VersionKey>,
}

/// Whether the ledger reads the document of that stream.
pub(crate) fn reads(policy: &StreamName) -> bool {
    match policy.id().map(|id| PolicyName::try_from(id.to_owned())) {
        Some(Ok(PolicyName::Frequency | PolicyName::Catalogue(_))) => true,
        Some(Ok(PolicyName::Routing | PolicyName::Calendar | PolicyName::CaseTypes) | Err(_))
        | None => false,
    }
}

impl Documents {
    pub(super) fn profile(&mut self, enterprise: &EnterpriseId, event: &enterprise::Event) {
        let until_now = self.profiles.remove(enterprise);
        let until_now = until_now.map_or(Profile::Unregistered, Profile::Registered);
        if let Profile::Registered(registered) = until_now.evolve(event) {
            self.profiles.insert(enterprise.clone(), registered);
            self.profiles_changed.insert(enterprise.clone());
        }
    }

    pub(super) fn policy(&mut self, name: &PolicyName, event: &policy::Event) {
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
