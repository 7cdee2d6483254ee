//! The tables of the view kept in memory: what a batch reads of them, and what it leaves in them.
//!
//! What a statement does by itself is left out: that a false closure is suspected.

use std::collections::{HashMap, HashSet};

use doudi_domain::AppealId;

use super::{
    Row,
    apply::Batch,
    clocks::Stored,
    fold::{Changes, ClockKey, Closure, Concerned, Key, Known, Stay},
};
use crate::{fact::Fact, in_memory::ClockRow};

/// The rows as they are now.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tables {
    appeals: HashMap<Key, Known>,
    clocks: HashMap<ClockKey, Stored>,
    stays: Vec<Stay>,
    closures: Vec<Closure>,
}

impl Tables {
    /// Takes facts in.
    pub(crate) fn apply(&mut self, facts: &[Fact]) {
        let batch = Batch::of(self.known(&Concerned::by(facts)), facts);
        batch.appeals.leave(&mut self.appeals);
        batch.clocks.leave(&mut self.clocks);
        self.stays.extend(batch.stays);
        self.closures.extend(batch.closures);
    }

    /// The appeals. Of the clock of its next step a row has the name alone; it is looked up among the clocks.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.appeals.iter().map(move |(key, known)| {
            let named = known.row.due.as_ref();
            let named: Option<ClockKey> = named.map(|due| (key.clone(), None, due.id));
            let due = named.and_then(|name| self.clocks.get(&name));
            Row { due: due.map(|stored| stored.clock.clone()), ..known.row.clone() }
        })
    }

    /// The clocks.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = ClockRow> {
        self.clocks.iter().map(|(((appeal, enterprise), diagnosis, _), stored)| ClockRow {
            enterprise: enterprise.clone(),
            appeal: *appeal,
            diagnosis: *diagnosis,
            clock: stored.clock.clone(),
            unit: stored.unit.clone(),
            area: stored.area.clone(),
        })
    }

    /// What the statements would read.
    fn known(&self, concerned: &Concerned) -> Changes {
        let mut wanted: HashSet<AppealId> = concerned.appeals.clone();
        for ((appeal, _), panel, _) in self.clocks.keys() {
            if panel.is_some_and(|panel| concerned.panels.contains(&panel)) {
                wanted.insert(*appeal);
            }
        }
        let mut changes = Changes::default();
        for (key, known) in &self.appeals {
            if wanted.contains(&key.0) {
                let mut known = known.clone();
                known.row.due = None;
                changes.appeals.insert(key.clone(), known);
            }
        }
        for ((owner, panel, _), stored) in &self.clocks {
            if wanted.contains(&owner.0) {
                changes.remember(owner.clone(), *panel, stored.clock.clone());
            }
        }
        changes
    }
}
