//! Parked streams: what a view passes over since a record that it cannot apply, so that one bad
//! record stops its own stream and nothing else. The order within a stream is kept.

use std::collections::{BTreeMap, HashSet};

use deadpool_postgres::{Pool, Transaction};
use doudi_journal::{Position, Record, StreamName};
use tokio_postgres::{Client, Row, types::Type};

use crate::{
    ViewError, ViewName,
    db::{self, Value, column, stored},
    fact::Fact,
    read::Snapshot,
};

/// The most parked streams that are listed at once.
const LIST_MAX: i64 = 1000;
/// The most characters of a reason that are kept.
const REASON_MAX: usize = 1000;

/// A parked stream of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The view.
    pub view: ViewName,
    /// The stream's name, also where it is not in the grammar.
    pub stream: String,
    /// The first record that was passed over.
    pub first: Position,
    /// The last record that was passed over until now.
    pub last: Position,
    /// How many records were passed over until now.
    pub records: u64,
    /// What is wrong with the first one.
    pub reason: String,
}

/// A record that a view wants, read or not. Clones share what was read.
#[derive(Clone, Debug)]
pub struct Reading {
    stream: StreamName,
    pub(crate) position: Position,
    fact: Result<Fact, String>,
}

impl Reading {
    /// The trace that the record belongs to, if it tells one.
    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.fact.as_ref().ok()?.traceparent.as_deref()
    }

    /// Whether `view` wants it.
    pub(crate) fn concerns(&self, view: ViewName) -> bool {
        view.wants(&self.stream)
    }
}

/// Reads the records that one of `views` wants.
pub(crate) fn read(views: &[ViewName], records: &[Record]) -> Vec<Reading> {
    let is_wanted = |record: &&Record| views.iter().any(|view| view.wants(&record.stream));
    let wanted = records.iter().filter(is_wanted);
    let reading = |record: &Record| Reading {
        stream: record.stream.clone(),
        position: record.position,
        fact: Fact::read(record),
    };
    wanted.map(reading).collect()
}

/// Readings, parted into what can be applied and what must be passed over.
#[derive(Default)]
pub(crate) struct Parted {
    /// To be applied, in log order.
    pub(crate) facts: Vec<Fact>,
    /// To be added to the parked streams.
    pub(crate) parked: Vec<Parked>,
}

/// Parts readings: a record that cannot be read parks its stream, and so does one that follows on a
/// parked stream. `refused` is why PostgreSQL does not take the one record given.
pub(crate) fn part(
    view: ViewName,
    readings: Vec<Reading>,
    already: &HashSet<String>,
    refused: Option<&str>,
) -> Parted {
    let mut facts = Vec::with_capacity(readings.len());
    let mut parked: BTreeMap<StreamName, Parked> = BTreeMap::new();
    for Reading { stream, position, fact } in readings {
        if let Some(known) = parked.get_mut(&stream) {
            known.last = position;
            known.records += 1;
            continue;
        }
        let reason = match fact {
            _ if already.contains(stream.as_str()) => "it follows a parked record".to_owned(),
            Ok(fact) => match refused {
                Some(reason) => reason.to_owned(),
                None => {
                    facts.push(fact);
                    continue;
                }
            },
            Err(reason) => reason,
        };
        // PostgreSQL keeps no NUL in a text.
        let reason = reason.chars().filter(|c| *c != '\0').take(REASON_MAX).collect();
        let entry = Parked {
            view,
            stream: stream.to_string(),
            first: position,
            last: position,
            records: 1,
            reason,
        };
        parked.insert(stream, entry);
    }
    Parted { facts, parked: parked.into_values().collect() }
}

/// Which of the streams read are parked already.
pub(crate) async fn already(
    transaction: &Transaction<'_>,
    view: ViewName,
    readings: &[Reading],
) -> Result<HashSet<String>, ViewError> {
    let failed = |error| ViewError::sql("looking for parked streams", error);
    let statement =
        "SELECT stream FROM parked WHERE view = $1 AND version = $2 AND stream = ANY($3)";
    let statement = transaction.prepare_cached(statement).await.map_err(failed)?;
    let streams: HashSet<&str> = readings.iter().map(|reading| reading.stream.as_str()).collect();
    let streams: Vec<&str> = streams.into_iter().collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&view.as_str(), &view.version(), &streams];
    let rows = transaction.query(&statement, &values).await.map_err(failed)?;
    rows.iter().map(|row| column(row, "stream")).collect()
}

/// Adds to the parked streams.
pub(crate) async fn add(
    transaction: &Transaction<'_>,
    view: ViewName,
    parked: &[Parked],
) -> Result<(), ViewError> {
    if parked.is_empty() {
        return Ok(());
    }
    let failed = |error| ViewError::sql("parking a stream", error);
    let statement = "INSERT INTO parked (view, version, stream, first_position, last_position, \
         records, reason) SELECT $1, $2, a, b, c, d, e FROM unnest($3::text[], $4::bigint[], \
         $5::bigint[], $6::bigint[], $7::text[]) AS t(a, b, c, d, e) \
         ON CONFLICT (view, version, stream) DO UPDATE SET \
         last_position = excluded.last_position, records = parked.records + excluded.records";
    let statement = transaction.prepare_cached(statement).await.map_err(failed)?;
    let streams: Vec<&str> = parked.iter().map(|entry| entry.stream.as_str()).collect();
    let first: Vec<i64> = parked.iter().map(|entry| stored(entry.first)).collect();
    let last: Vec<i64> = parked.iter().map(|entry| stored(entry.last)).collect();
    let records: Vec<i64> =
        parked.iter().map(|entry| i64::try_from(entry.records).unwrap_or(i64::MAX)).collect();
    let reasons: Vec<&str> = parked.iter().map(|entry| entry.reason.as_str()).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&view.as_str(), &view.version(), &streams, &first, &last, &records, &reasons];
    transaction.execute(&statement, &values).await.map_err(failed)?;
    Ok(())
}

const COLUMNS: &str =
    "SELECT view, stream, first_position, last_position, records, reason FROM doudi.parked";

/// The parked streams of this program's views, oldest first.
pub(crate) async fn list(pool: &Pool) -> Result<Vec<Parked>, ViewError> {
    let names: Vec<&str> = ViewName::ALL.iter().map(|view| view.as_str()).collect();
    let versions: Vec<i32> = ViewName::ALL.iter().map(|view| view.version()).collect();
    let statement = format!(
        "{COLUMNS} WHERE (view, version) IN (SELECT * FROM unnest($1, $2)) \
         ORDER BY first_position, view LIMIT {LIST_MAX}"
    );
    let client = db::connect(pool).await?;
    let rows = client
        .query_typed(&statement, &[(&names, Type::TEXT_ARRAY), (&versions, Type::INT4_ARRAY)])
        .await
        .map_err(|error| ViewError::sql("listing parked streams", error))?;
    rows.iter().map(parked).collect()
}

/// Every parked stream of one view as a transaction on the connection sees it.
pub(crate) async fn all(client: &Client, view: ViewName) -> Result<Vec<Parked>, ViewError> {
    let statement =
        format!("{COLUMNS} WHERE view = $1 AND version = $2 ORDER BY stream LIMIT 1000000");
    let rows = client
        .query_typed(&statement, &[(&view.as_str(), Type::TEXT), (&view.version(), Type::INT4)])
        .await
        .map_err(|error| ViewError::sql("listing parked streams", error))?;
    rows.iter().map(parked).collect()
}

/// The parked streams of one view as the snapshot sees them, each with the first record that was passed over. A
/// foreign subject is no stream.
pub(crate) async fn firsts(
    snapshot: &Snapshot<'_>,
    view: ViewName,
) -> Result<Vec<(StreamName, Position)>, ViewError> {
    let statement = "SELECT stream, first_position FROM doudi.parked \
         WHERE view = $1 AND version = $2 ORDER BY stream";
    let (name, version) = (view.as_str(), view.version());
    let values: [Value<'_>; 2] = [(&name, Type::TEXT), (&version, Type::INT4)];
    let rows = snapshot.rows("looking for parked streams", statement, &values).await?;
    let mut firsts = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Ok(stream) = StreamName::parse(column(row, "stream")?) {
            firsts.push((stream, db::position(column(row, "first_position")?)));
        }
    }
    Ok(firsts)
}

/// One parked stream as the transaction sees it.
pub(crate) async fn one(
    transaction: &Transaction<'_>,
    view: ViewName,
    stream: &str,
) -> Result<Option<Parked>, ViewError> {
    let statement = format!("{COLUMNS} WHERE view = $1 AND version = $2 AND stream = $3");
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&view.as_str(), Type::TEXT), (&view.version(), Type::INT4), (&stream, Type::TEXT)];
    let row = transaction
        .query_typed_opt(&statement, &values)
        .await
        .map_err(|error| ViewError::sql("looking for a parked stream", error))?;
    row.as_ref().map(parked).transpose()
}

/// Takes a stream off the list.
pub(crate) async fn remove(
    transaction: &Transaction<'_>,
    view: ViewName,
    stream: &str,
) -> Result<(), ViewError> {
    let statement = "DELETE FROM parked WHERE view = $1 AND version = $2 AND stream = $3";
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&view.as_str(), Type::TEXT), (&view.version(), Type::INT4), (&stream, Type::TEXT)];
    transaction
        .execute_typed(statement, &values)
        .await
        .map_err(|error| ViewError::sql("taking a stream off the parked ones", error))?;
    Ok(())
}

fn parked(row: &Row) -> Result<Parked, ViewError> {
    Ok(Parked {
        view: db::parsed(row, "view", |name| ViewName::parse(name).ok_or("is no view"))?,
        stream: column(row, "stream")?,
        first: db::position(column(row, "first_position")?),
        last: db::position(column(row, "last_position")?),
        records: u64::try_from(column::<i64>(row, "records")?).unwrap_or(0),
        reason: column(row, "reason")?,
    })
}
