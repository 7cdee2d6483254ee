//! The versions of one document that the log holds, and which of them is in force.

use std::collections::BTreeMap;

use crate::policy::{Document, Event};

/// The versions of a document. Unlike the policy itself it keeps those that retired: decisions name them.
#[derive(Debug)]
pub(super) struct Versions<T> {
    documents: BTreeMap<u32, T>,
    in_force: Option<u32>,
}

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self { documents: BTreeMap::new(), in_force: None }
    }
}

impl<T: Clone> Versions<T> {
    /// Takes in what happened to the document.
    pub(super) fn see(&mut self, events: &[Event], of: impl Fn(&Document) -> Option<&T>) {
        for event in events {
            match event {
                Event::PolicyDrafted { version, document } => {
                    self.documents.extend(of(document).map(|found| (*version, found.clone())));
                }
                Event::PolicyPublished { version } => self.in_force = Some(*version),
                Event::PolicyRetired { version } if self.in_force == Some(*version) => {
                    self.in_force = None;
                }
                Event::PolicyRetired { .. } => {}
            }
        }
    }

    pub(super) fn get(&self, version: u32) -> Option<&T> {
        self.documents.get(&version)
    }

    pub(super) fn in_force(&self) -> Option<&T> {
        self.get(self.in_force?)
    }
}
