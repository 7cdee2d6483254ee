//! Connections, transactions and the few conversions that every view needs.
//!
//! Statements name tables without a schema: the transaction's search path says whether they are
//! live ones or those of a scratch replay.

use std::fmt::Display;

use deadpool_postgres::{Object, Pool, Transaction};
use doudi_domain::UnitId;
use doudi_journal::Position;
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::{Row, types::FromSql};

use crate::{ViewError, ViewName};

/// A connection of the pool.
pub(crate) async fn connect(pool: &Pool) -> Result<Object, ViewError> {
    pool.get().await.map_err(|error| ViewError::Unavailable {
        doing: "connecting to PostgreSQL",
        source: error.into(),
    })
}

/// A transaction that changes tables of `schema`.
pub(crate) async fn write<'a>(
    client: &'a mut Object,
    schema: &str,
) -> Result<Transaction<'a>, ViewError> {
    let failed = |error| ViewError::sql("beginning a transaction", error);
    let transaction = client.transaction().await.map_err(failed)?;
    // Asynchronous commit: after a crash of PostgreSQL rows and checkpoint are both a little older,
    // and the log fills them in again. No sequential scans: a plan that was made while a table was
    // small is kept while it grows.
    let settings = format!(
        "SET LOCAL search_path = {schema}, doudi; SET LOCAL synchronous_commit = off; \
         SET LOCAL enable_seqscan = off"
    );
    transaction.batch_execute(&settings).await.map_err(failed)?;
    Ok(transaction)
}

/// A content digest of `tables` in the first schema of the search path: it does not depend on the
/// order of rows and needs no memory for them.
pub(crate) async fn digest(
    transaction: &Transaction<'_>,
    view: ViewName,
) -> Result<String, ViewError> {
    let failed = |error| ViewError::sql("computing a digest", error);
    // The whole table is read anyway, however long that takes.
    let unbounded = "SET LOCAL enable_seqscan = on; SET LOCAL statement_timeout = 0";
    transaction.batch_execute(unbounded).await.map_err(failed)?;
    let mut parts = Vec::new();
    for table in view.tables() {
        let statement = format!(
            "SELECT count(*)::text, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text, \
             coalesce(sum(hashtextextended(t::text, 1)::numeric), 0)::text FROM {table} AS t"
        );
        let row = transaction.query_typed_one(&statement, &[]).await.map_err(failed)?;
        let (rows, low, high): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        parts.push(format!("{table}:{rows}:{low}:{high}"));
    }
    Ok(parts.join(" "))
}

/// An error of a statement that applies records.
pub(crate) fn applying(error: tokio_postgres::Error) -> ViewError {
    ViewError::sql("applying records to a view", error)
}

/// A position as PostgreSQL stores it.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// A position as it was stored.
pub(crate) fn position(stored: i64) -> Position {
    Position(u64::try_from(stored).unwrap_or(0))
}

/// A column of a row.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, ViewError> {
    row.try_get(name).map_err(|error| ViewError::fault("reading a column of a view", error))
}

/// A text column of a row, parsed by `parse`.
pub(crate) fn parsed<T, E: Display>(
    row: &Row,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ViewError> {
    value(column(row, name)?, parse)
}

/// A text column of a row that may be null, parsed by `parse`.
pub(crate) fn parsed_opt<T, E: Display>(
    row: &Row,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, ViewError> {
    column::<Option<&str>>(row, name)?.map(|text| value(text, parse)).transpose()
}

/// A column with a list of units.
pub(crate) fn units(row: &Row, name: &str) -> Result<Vec<UnitId>, ViewError> {
    let units: Vec<&str> = column(row, name)?;
    units.into_iter().map(|unit| value(unit, UnitId::parse)).collect()
}

pub(crate) fn value<T, E: Display>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ViewError> {
    parse(text).map_err(|error| {
        ViewError::fault("reading a column of a view", format!("{text:?} {error}"))
    })
}

/// A small non-negative number as it was stored.
pub(crate) fn count(stored: i32) -> u32 {
    u32::try_from(stored).unwrap_or(0)
}

/// The name of a value without content in the storage format, such as a ground or a channel.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // Only called for enums that serialise as their name.
        Ok(_) | Err(_) => String::new(),
    }
}

/// The value with that name in the storage format.
pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
}
