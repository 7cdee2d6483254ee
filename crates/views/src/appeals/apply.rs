//! Takes facts in: three reads and seven writes at most for a whole batch.

use std::{
    collections::{HashMap, HashSet},
    slice,
};

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{
    clocks::{self, Stored},
    closures,
    fold::{Changes, ClockKey, Closure, Concerned, Key, Known, Stay},
    rows, stays,
};
use crate::{ViewError, db::applying, fact::Fact, history::Versions};

/// Takes facts into the list and the inboxes.
pub(crate) async fn apply(transaction: &Transaction<'_>, facts: &[Fact]) -> Result<(), ViewError> {
    let concerned = Concerned::by(facts);
    if concerned.appeals.is_empty() && concerned.panels.is_empty() {
        return Ok(());
    }
    let mut wanted: HashSet<Uuid> = concerned.appeals.iter().map(|appeal| appeal.0).collect();
    if !concerned.panels.is_empty() {
        let panels: Vec<Uuid> = concerned.panels.iter().map(|id| id.0).collect();
        wanted.extend(clocks::appeals_of(transaction, &panels).await?);
    }
    let wanted: Vec<Uuid> = wanted.into_iter().collect();
    let mut changes = Changes { appeals: known(transaction, &wanted).await?, ..Changes::default() };
    clocks::load(transaction, &wanted, &mut changes).await?;
    let batch = Batch::of(changes, facts);
    rows::put(transaction, &batch.appeals).await?;
    clocks::put(transaction, &batch.clocks).await?;
    stays::put(transaction, &batch.stays).await?;
    closures::put(transaction, &batch.closures, &batch.submitted).await
}

/// What becomes of rows by a batch of facts.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) appeals: Versions<Key, Known>,
    pub(super) clocks: Versions<ClockKey, Stored>,
    pub(super) stays: Vec<Stay>,
    pub(super) closures: Vec<Closure>,
    submitted: Vec<Known>,
}

impl Batch {
    /// Takes the facts in one by one, on what is known of the appeals and diagnoses that they concern.
    pub(super) fn of(mut changes: Changes, facts: &[Fact]) -> Self {
        let mut batch = Self::default();
        for fact in facts {
            changes.fold(slice::from_ref(fact));
            for key in changes.touched.drain() {
                match Stored::of(&key, &changes.appeals, &changes.panels) {
                    Some(stored) => batch.clocks.push(key, stored, fact),
                    None => batch.clocks.end(key, fact),
                }
            }
            let known = |key: &Key| changes.appeals.get(key).map(Known::without_clocks);
            batch.submitted.extend(changes.submitted.drain().filter_map(|key| known(&key)));
            for key in changes.changed.drain() {
                if let Some(known) = known(&key) {
                    batch.appeals.push(key, known, fact);
                }
            }
        }
        Self { stays: changes.stays, closures: changes.closures, ..batch }
    }
}

async fn known(
    transaction: &Transaction<'_>,
    wanted: &[Uuid],
) -> Result<HashMap<Key, Known>, ViewError> {
    let statement = rows::known_statement();
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let found = transaction.query(&statement, &[&wanted]).await.map_err(applying)?;
    let keyed = |known: Known| ((known.row.appeal, known.row.enterprise.clone()), known);
    found.iter().map(|row| rows::read_known(row).map(keyed)).collect()
}
