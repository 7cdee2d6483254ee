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
    fold::{Changes, Concerned, Key, Known},
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
    let (mut appeals, mut clocks) = (Versions::default(), Versions::default());
    let mut submitted = Vec::new();
    for fact in facts {
        changes.fold(slice::from_ref(fact));
        for key in changes.touched.drain() {
            match Stored::of(&key, &changes.appeals, &changes.panels) {
                Some(stored) => clocks.push(key, stored, fact),
                None => clocks.end(key, fact),
            }
        }
        let known = |key: &Key| changes.appeals.get(key).map(Known::without_clocks);
        submitted.extend(changes.submitted.drain().filter_map(|key| known(&key)));
        for key in changes.changed.drain() {
            if let Some(known) = known(&key) {
                appeals.push(key, known, fact);
            }
        }
    }
    rows::put(transaction, &appeals).await?;
    clocks::put(transaction, &clocks).await?;
    stays::put(transaction, &changes.stays).await?;
    closures::put(transaction, &changes.closures, &submitted).await
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
