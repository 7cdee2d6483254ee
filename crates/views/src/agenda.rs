//! The agenda: what the system itself still has to do, with the instant of each duty.
//!
//! Whoever reads it may be late: a duty that was carried out stays on it until its event is applied.

use std::collections::HashSet;

use doudi_domain::agenda::{Duty, Entry};
use doudi_journal::{Position, Record, StreamName};
use jiff::Timestamp;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

mod fold;
mod rows;

pub(crate) use rows::apply;

use crate::{
    ViewError, ViewName,
    db::{self, column},
    fact::Fact,
    parked,
    read::Snapshot,
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 1;

/// The most entries of one page; a larger limit is cut to this.
pub const DUE_MAX: usize = 10_000;

/// Which page of what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Each kind of duty that is asked for, with the instant until which it is; each kind once.
    pub until: Vec<(&'static str, Timestamp)>,
    /// Only what comes after it: the last entry of the page before.
    pub after: Option<Point>,
    /// The most entries to return, 1 to [`DUE_MAX`].
    pub limit: usize,
}

/// The place of an entry in the order of the agenda.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its instant, in microseconds.
    pub at: Timestamp,
    /// Its stream.
    pub stream: StreamName,
    /// Its key within the stream.
    pub key: String,
}

/// An entry whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which, and since when.
    pub point: Point,
    /// What is to be done.
    pub duty: Duty,
    /// The command whose commit put it there.
    pub cause: Uuid,
    /// The matter that command belongs to.
    pub correlation: Uuid,
    /// Where that commit stands in the log.
    pub position: Position,
}

impl Due {
    fn of(entry: Entry, fact: &Fact) -> Self {
        let Entry { key, at, duty } = entry;
        let point = Point { at, stream: fact.stream.clone(), key };
        let (cause, correlation) = (fact.command, fact.correlation);
        Self { point, duty, cause, correlation, position: db::position(fact.position) }
    }
}

/// What becomes of the agenda by records that follow each other: of each stream and key that they touch the entry, or
/// none. Records that cannot be read are left out. For an agenda that is kept elsewhere than in tables.
#[must_use]
pub fn changes(records: &[Record]) -> Vec<((String, String), Option<Due>)> {
    let view = ViewName::Agenda;
    let readings = parked::read(&[view], records);
    let facts = parked::part(view, readings, &HashSet::new(), None).facts;
    let changed = fold::fold(&facts).into_iter().map(|((stream, key), outcome)| {
        let now = outcome.map(|(entry, fact)| Due::of(entry, fact));
        ((stream.to_owned(), key), now)
    });
    changed.collect()
}

/// A page of what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries, oldest first.
    pub due: Vec<Due>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Point>,
    /// The log position that the page reflects.
    pub position: Position,
}

/// Loads one page.
pub(crate) async fn due(snapshot: &Snapshot<'_>, query: &Query) -> Result<Page, ViewError> {
    let failed = |error| ViewError::sql("reading the agenda", error);
    let limit = query.limit.clamp(1, DUE_MAX);
    let (kinds, until): (Vec<&str>, Vec<Timestamp>) = query.until.iter().copied().unzip();
    let after = query.after.as_ref();
    let statement = statement(after.is_some(), limit);
    let mut values: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> =
        vec![(&kinds, Type::TEXT_ARRAY), (&until, Type::TIMESTAMPTZ_ARRAY)];
    let stream = after.map(|point| point.stream.as_str());
    if let Some(point) = after {
        values.push((&point.at, Type::TIMESTAMPTZ));
        values.push((&stream, Type::TEXT));
        values.push((&point.key, Type::TEXT));
    }
    // Along the index whatever the statistics say, which lag behind when much changes at once. Both
    // are sent at once and answered in order.
    let plan = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off";
    let client = snapshot.client().await?;
    let plan = async { client.batch_execute(plan).await.map_err(failed) };
    let rows = snapshot.rows("reading the agenda", &statement, &values);
    let ((), rows) = futures::future::try_join(plan, rows).await?;
    let mut due = Vec::with_capacity(rows.len());
    let mut next = None;
    for row in &rows {
        let point = point(row)?;
        match entry(row, point.clone()) {
            Ok(entry) => due.push(entry),
            // Only a foreign hand writes such a row; it must not hold up the others.
            Err(error) => tracing::error!(?point, ?error, "passing over an entry of the agenda"),
        }
        next = Some(point);
    }
    let next = next.filter(|_| rows.len() == limit);
    Ok(Page { due, next, position: snapshot.position().await? })
}

/// One bounded walk along the index for each kind, so that entries whose time has not come are never
/// read, however many there are.
fn statement(after: bool, limit: usize) -> String {
    let after = if after { "AND (at, stream, key) > ($3, $4, $5)" } else { "" };
    format!(
        "SELECT found.* FROM unnest($1, $2) AS wanted (kind, until) CROSS JOIN LATERAL ( \
         SELECT stream, key, at, cause, correlation, position, duty FROM duty \
         WHERE kind = wanted.kind AND at <= wanted.until {after} \
         ORDER BY at, stream, key LIMIT {limit}) AS found \
         ORDER BY at, stream, key LIMIT {limit}"
    )
}

fn point(row: &Row) -> Result<Point, ViewError> {
    Ok(Point {
        at: column(row, "at")?,
        stream: db::parsed(row, "stream", StreamName::parse)?,
        key: column(row, "key")?,
    })
}

fn entry(row: &Row, point: Point) -> Result<Due, ViewError> {
    let duty = serde_json::from_value(column(row, "duty")?)
        .map_err(|error| ViewError::fault("reading a duty", error))?;
    Ok(Due {
        point,
        duty,
        cause: column(row, "cause")?,
        correlation: column(row, "correlation")?,
        position: db::position(column(row, "position")?),
    })
}
