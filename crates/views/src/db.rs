//! Connections, transactions and the few conversions that every view needs.
//!
//! Statements name tables without a schema: the transaction's search path says whether they are
//! live ones or those of a scratch replay.

use std::{fmt::Display, time::Duration};

use deadpool_postgres::{ClientWrapper, Object, Pool, Timeouts, Transaction};
use doudi_domain::UnitId;
use doudi_journal::Position;
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::{
    Error, Row,
    types::{FromSql, ToSql, Type},
};

use crate::{Source, ViewError};

/// How many statements stay prepared on a connection. Filters make many, most of them the same few.
const STATEMENTS_MAX: usize = 200;

/// A connection of the pool.
pub(crate) async fn connect(pool: &Pool) -> Result<Object, ViewError> {
    pool.get().await.map_err(|error| unavailable(error.into()))
}

/// A connection of the pool, however long that takes.
pub(crate) async fn connect_patiently(pool: &Pool) -> Result<Object, ViewError> {
    let patient = Timeouts { wait: None, ..pool.timeouts() };
    pool.timeout_get(&patient).await.map_err(|error| unavailable(error.into()))
}

fn unavailable(source: Source) -> ViewError {
    ViewError::Unavailable { doing: "connecting to PostgreSQL", source }
}

/// Gives a connection back to the pool, or closes it where what was done on it failed: a copy that PostgreSQL
/// refuses before it begins is answered once too often, and whoever had the connection next would take that for
/// an answer of his.
pub(crate) fn give_back<T>(client: Object, done: &Result<T, ViewError>) {
    if done.is_err() {
        drop(Object::take(client));
    }
}

/// A value of a statement with its type.
pub(crate) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// The rows that a statement gives. It stays prepared on its connection, since planning one takes
/// longer than most take to run.
pub(crate) async fn query(
    client: &ClientWrapper,
    statement: &str,
    values: &[Value<'_>],
) -> Result<Vec<Row>, Error> {
    if client.statement_cache.size() >= STATEMENTS_MAX {
        client.statement_cache.clear();
    }
    let (values, types): (Vec<_>, Vec<_>) =
        values.iter().map(|(value, of_type)| (*value, of_type.clone())).unzip();
    let statement = client.prepare_typed_cached(statement, &types).await?;
    client.query(&statement, &values).await
}

/// A list of words as PostgreSQL writes an array. There an array of arrays must be rectangular, so lists that differ in
/// length travel as texts.
pub(crate) fn array(words: impl IntoIterator<Item: Display>) -> String {
    let mut text = String::from("{");
    for word in words {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for c in word.to_string().chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}

/// A lock that one connection of all programs can have.
pub(crate) struct Alone {
    /// Taken out of the pool, so that the lock goes with the connection whatever happens.
    pub(crate) client: ClientWrapper,
    name: String,
}

impl Alone {
    /// None while somebody else has the lock of that name.
    pub(crate) async fn try_take(pool: &Pool, name: String) -> Result<Option<Self>, ViewError> {
        let client = Object::take(connect(pool).await?);
        let statement = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let row = client
            .query_typed_one(statement, &[(&name, Type::TEXT)])
            .await
            .map_err(|error| ViewError::sql("taking a lock", error))?;
        Ok(row.get::<_, bool>(0).then_some(Self { client, name }))
    }

    /// Gives the lock back at once; the server would notice only some time later that the connection
    /// is gone, which is what it goes by when this is never reached.
    pub(crate) async fn give_back(self) {
        let statement = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
        let unlocked = self.client.query_typed_one(statement, &[(&self.name, Type::TEXT)]).await;
        if let Err(error) = unlocked {
            tracing::warn!(%error, "a lock goes with its connection");
        }
    }
}

/// For how long a transaction that changes tables may wait for its process. One that is frozen meanwhile loses it, so
/// that another one which projects goes on.
const IDLE_MAX: Duration = Duration::from_secs(10);

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
         SET LOCAL enable_seqscan = off; SET LOCAL idle_in_transaction_session_timeout = {}",
        IDLE_MAX.as_millis()
    );
    transaction.batch_execute(&settings).await.map_err(failed)?;
    Ok(transaction)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_as_postgresql_reads_them() {
        assert_eq!(array(Vec::<&str>::new()), "{}");
        assert_eq!(array(["a-1", "", "NULL"]), r#"{"a-1","","NULL"}"#);
        assert_eq!(array([r#"say "{a,b}" \ 好"#]), r#"{"say \"{a,b}\" \\ 好"}"#);
    }
}
