//! Takes facts in: three reads and seven writes at most for a whole batch.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{
    clocks, closures,
    fold::{Changes, Concerned, Key, Known},
    rows, stays,
};
use crate::{ViewError, db::applying, fact::Fact, history::Moments};

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
    changes.fold(facts);
    let moments = Moments::of(facts);
    rows::put(transaction, &changes, &moments).await?;
    clocks::put(transaction, &changes, &moments).await?;
    stays::put(transaction, &changes.stays).await?;
    closures::put(transaction, &changes).await
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
