//! The tables of the view kept in memory: what a batch reads of them, and what it leaves in them.

use std::{collections::HashMap, sync::Arc};

use doudi_domain::{EnterpriseId, enterprise::Registered};

use super::{
    Row,
    fold::{Changes, Concerned, Documents, Key, Version, VersionKey},
    rows::Batch,
};
use crate::fact::Fact;

/// The rows as they are now.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tables {
    rows: HashMap<Key, Arc<Row>>,
    profiles: HashMap<EnterpriseId, (EnterpriseId, Registered)>,
    versions: HashMap<VersionKey, (VersionKey, Version)>,
}

impl Tables {
    /// Takes facts in.
    pub(crate) fn apply(&mut self, facts: &[Fact]) {
        let batch = Batch::of(self.known(&Concerned::by(facts)), facts);
        batch.visits.leave(&mut self.rows);
        batch.profiles.leave(&mut self.profiles);
        batch.documents.leave(&mut self.versions);
    }

    /// The visits, and the checks from elsewhere.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(Arc::as_ref)
    }

    /// What the statements would read.
    fn known(&self, concerned: &Concerned) -> Changes {
        let rows = self.rows.iter().filter(|((visit, _), _)| concerned.visits.contains(visit));
        let profiles = self.profiles.values().filter(|(id, _)| concerned.enterprises.contains(id));
        let versions = self.versions.values();
        let versions = versions.filter(|((name, _), _)| concerned.policies.contains(name));
        let documents = Documents {
            profiles: profiles.cloned().collect(),
            versions: versions.cloned().collect(),
            ..Documents::default()
        };
        let rows = rows.map(|(key, row)| (key.clone(), Arc::clone(row))).collect();
        Changes { rows, documents, ..Changes::default() }
    }
}
