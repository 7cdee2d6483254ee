//! The agenda in memory: what is due by itself in a simulated time, as the log says.

use std::collections::{BTreeMap, HashMap};

use doudi_domain::{
    agenda::{Change, Duty, Entry, Process},
    codec,
};
use doudi_engine::{StreamName, react::Due};
use doudi_journal::{Commit, Record};
use jiff::{SignedDuration, Timestamp};

use super::{SimulateError, step};

/// What is due, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BTreeMap<(Timestamp, String, String), Due>,
    entries: HashMap<(StreamName, String), Timestamp>,
    grace: SignedDuration,
}

impl Agenda {
    /// An agenda on which a visit that nobody began expires so long after its day.
    pub(super) fn with_grace(grace: SignedDuration) -> Self {
        Self { grace, ..Self::default() }
    }

    /// When the earliest duty is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, ..)| *at)
    }

    /// Takes the earliest duty off, if it is due by then.
    pub(super) fn take_due(&mut self, by: Timestamp) -> Option<Due> {
        self.next().filter(|at| *at <= by)?;
        let (_, due) = self.due.pop_first()?;
        self.entries.remove(&(due.stream.clone(), due.key.clone()));
        Some(due)
    }

    /// Takes in what the events put on the agenda and take off it.
    pub(super) fn note<E: Process>(&mut self, record: &Record, commit: &Commit, events: &[E]) {
        for change in events.iter().flat_map(Process::agenda) {
            let key = match &change {
                Change::Put(entry) => entry.key.clone(),
                Change::Drop(key) => key.clone(),
            };
            let name = (record.stream.clone(), key.clone());
            if let Some(at) = self.entries.remove(&name) {
                self.due.remove(&(at, record.stream.to_string(), key));
            }
            if let Change::Put(entry) = change {
                let expiry = matches!(entry.duty, Duty::ExpireVisit { .. });
                let at = if expiry { entry.at + self.grace } else { entry.at };
                self.entries.insert(name, at);
                let place = (at, record.stream.to_string(), entry.key.clone());
                let due = Due::of(commit, record.position, Entry { at, ..entry });
                self.due.insert(place, due);
            }
        }
    }
}

/// The events of a commit.
pub(super) fn decoded<E: codec::Storable>(commit: &Commit) -> Result<Vec<E>, SimulateError> {
    let decode = |stored: &doudi_journal::StoredEvent| {
        codec::decode(&stored.name, stored.version, &stored.data).map_err(step)
    };
    commit.events.iter().map(decode).collect()
}
