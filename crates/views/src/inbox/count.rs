//! How much an inbox holds.

use doudi_domain::{
    cases::Escalation,
    clock::{ClockKind, Step},
};
use doudi_journal::Position;
use tokio_postgres::Row;

use super::{Filter, SCOPED};
use crate::{
    ViewError, appeals,
    db::{self, column},
    read::Snapshot,
};

/// How many entries of an inbox are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is owed.
    pub kind: ClockKind,
    /// The level they have reached: blue, yellow or red.
    pub level: Option<Step>,
    /// The rung of the ladder they stand on.
    pub rung: Option<Escalation>,
    /// How many.
    pub count: u64,
}

/// How much an inbox holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Each kind, level and rung there is, in that order, once.
    pub counts: Vec<Count>,
    /// The log position that the counts reflect.
    pub position: Position,
}

impl Counts {
    /// How much in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.count).sum()
    }
}

/// Counts what a page would list.
pub(super) async fn count(snapshot: &Snapshot<'_>, filter: &Filter) -> Result<Counts, ViewError> {
    let mut predicate = filter.predicate();
    predicate.within(&filter.scope, &SCOPED, snapshot.tense());
    // There are no more groups than kinds, levels and rungs.
    let statement = format!(
        "SELECT kind, level, rung, count(*) AS count FROM clock WHERE {} GROUP BY kind, level, rung",
        predicate.sql()
    );
    let rows = snapshot.meant("counting an inbox", &statement, &predicate).await?;
    let mut counts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    counts.sort_by_key(|count| (count.kind, count.level, count.rung));
    Ok(Counts { counts, position: snapshot.position().await? })
}

fn read(row: &Row) -> Result<Count, ViewError> {
    let (level, rung): (i16, i16) = (column(row, "level")?, column(row, "rung")?);
    Ok(Count {
        kind: db::parsed(row, "kind", db::from_word)?,
        level: appeals::level(level),
        rung: appeals::rung(rung),
        count: u64::try_from(column::<i64>(row, "count")?).unwrap_or(0),
    })
}
