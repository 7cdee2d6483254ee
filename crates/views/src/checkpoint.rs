//! Checkpoints: how far each view is. A checkpoint moves only by compare-and-set, in the transaction
//! that writes the rows, so two runners can never count a record twice.

use deadpool_postgres::{ClientWrapper, Pool, Transaction};
use doudi_journal::Position;
use tokio_postgres::{Row, types::Type};

use crate::{
    ViewError, ViewName,
    db::{self, column, stored},
};

/// Taken while tables are made, so that processes that start together do it one after the other.
const DDL_LOCK: i64 = 0x646f_7564_6976_6965;

/// How far a view is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The view.
    pub view: ViewName,
    /// The version of its tables.
    pub version: u32,
    /// The last record that its rows reflect; 0 for none.
    pub position: Position,
    /// How often it was rebuilt.
    pub epoch: u64,
    /// Why it is halted; none while it runs.
    pub halted: Option<String>,
}

impl Checkpoint {
    fn read(row: &Row) -> Result<Self, ViewError> {
        let view = db::parsed(row, "view", |name| ViewName::parse(name).ok_or("is no view"))?;
        Ok(Self {
            view,
            version: db::count(column(row, "version")?),
            position: db::position(column(row, "position")?),
            epoch: u64::try_from(column::<i64>(row, "epoch")?).unwrap_or(0),
            halted: column(row, "halted")?,
        })
    }
}

const COLUMNS: &str = "SELECT view, version, position, epoch, halted";

/// Makes the tables of the views that have no checkpoint yet, together with it. Tables that went
/// missing later are not made here: empty ones under an old checkpoint would be silently wrong.
pub(crate) async fn create_tables(pool: &Pool) -> Result<(), ViewError> {
    let failed = |error| ViewError::sql("making the tables of the views", error);
    let mut client = db::connect(pool).await?;
    let transaction = client.transaction().await.map_err(failed)?;
    let script = format!(
        "SELECT pg_advisory_xact_lock({DDL_LOCK}); SET LOCAL client_min_messages = warning; \
         CREATE SCHEMA IF NOT EXISTS doudi; SET LOCAL search_path = doudi; {}",
        include_str!("doudi.sql")
    );
    transaction.batch_execute(&script).await.map_err(failed)?;
    for view in ViewName::ALL {
        let statement = "INSERT INTO doudi.checkpoint (view, version, position, epoch) \
             VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING";
        let (name, version) = (view.as_str(), view.version());
        let values = key(&name, &version);
        if transaction.execute_typed(statement, &values).await.map_err(failed)? == 1 {
            let live = view.schema();
            let make =
                format!("{}; {}", view.make_tables(&live), view.make_indexes(&live).join("; "));
            transaction.batch_execute(&make).await.map_err(failed)?;
        }
    }
    transaction.commit().await.map_err(failed)
}

/// The checkpoints of this program's views.
pub(crate) async fn all(pool: &Pool) -> Result<Vec<Checkpoint>, ViewError> {
    let mut checkpoints = Vec::new();
    for view in ViewName::ALL {
        checkpoints.push(current(pool, view).await?);
    }
    Ok(checkpoints)
}

/// The highest position of all checkpoints, those of other versions included; 0 for none.
pub(crate) async fn highest(pool: &Pool) -> Result<Position, ViewError> {
    let client = db::connect(pool).await?;
    let statement = "SELECT coalesce(max(position), 0) AS position FROM doudi.checkpoint";
    let row = client.query_typed_one(statement, &[]).await.map_err(failed)?;
    Ok(db::position(column(&row, "position")?))
}

/// One view's checkpoint.
pub(crate) async fn current(pool: &Pool, view: ViewName) -> Result<Checkpoint, ViewError> {
    let client = db::connect(pool).await?;
    let row = client.query_typed_one(&one("doudi"), &key(&view.as_str(), &view.version())).await;
    Checkpoint::read(&row.map_err(failed)?)
}

/// One view's checkpoint as a snapshot on the connection sees it.
pub(crate) async fn load(client: &ClientWrapper, view: ViewName) -> Result<Checkpoint, ViewError> {
    let (name, version) = (view.as_str(), view.version());
    let rows = db::query(client, &one("doudi"), &key(&name, &version)).await.map_err(failed)?;
    let missing = || ViewError::fault("reading a checkpoint", "there is none");
    Checkpoint::read(rows.first().ok_or_else(missing)?)
}

/// One view's checkpoint, held fast until the transaction ends.
pub(crate) async fn lock(
    transaction: &Transaction<'_>,
    view: ViewName,
) -> Result<Checkpoint, ViewError> {
    lock_in(transaction, "doudi", view).await
}

/// The checkpoint that `schema` has of a view, held fast until the transaction ends.
pub(crate) async fn lock_in(
    transaction: &Transaction<'_>,
    schema: &str,
    view: ViewName,
) -> Result<Checkpoint, ViewError> {
    let statement = format!("{} FOR UPDATE", one(schema));
    let row = transaction.query_typed_one(&statement, &key(&view.as_str(), &view.version())).await;
    Checkpoint::read(&row.map_err(failed)?)
}

/// Moves the checkpoint from what is `known` to `to`; false when somebody else moved, halted or
/// reset it meanwhile. Until the transaction ends no other runner gets past this.
pub(crate) async fn advance(
    transaction: &Transaction<'_>,
    known: &Checkpoint,
    to: Position,
) -> Result<bool, ViewError> {
    let statement = "UPDATE checkpoint SET position = $1 WHERE view = $2 AND version = $3 \
         AND position = $4 AND epoch = $5 AND halted IS NULL";
    let failed = |error| ViewError::sql("moving a checkpoint", error);
    let statement = transaction.prepare_cached(statement).await.map_err(failed)?;
    let epoch = i64::try_from(known.epoch).unwrap_or(i64::MAX);
    let (view, version) = (known.view.as_str(), known.view.version());
    let moved = transaction
        .execute(&statement, &[&stored(to), &view, &version, &stored(known.position), &epoch])
        .await
        .map_err(failed)?;
    Ok(moved == 1)
}

/// Halts the view where it stands, unless somebody else moved it meanwhile.
pub(crate) async fn halt(pool: &Pool, known: &Checkpoint, reason: &str) -> Result<(), ViewError> {
    let statement = "UPDATE doudi.checkpoint SET halted = $1 WHERE view = $2 AND version = $3 \
         AND position = $4 AND epoch = $5 AND halted IS NULL";
    let client = db::connect(pool).await?;
    let epoch = i64::try_from(known.epoch).unwrap_or(i64::MAX);
    client
        .execute_typed(
            statement,
            &[
                (&reason, Type::TEXT),
                (&known.view.as_str(), Type::TEXT),
                (&known.view.version(), Type::INT4),
                (&stored(known.position), Type::INT8),
                (&epoch, Type::INT8),
            ],
        )
        .await
        .map_err(|error| ViewError::sql("halting a view", error))?;
    Ok(())
}

/// Tells every process that the view is at `position` once the transaction is committed.
pub(crate) async fn announce(
    transaction: &Transaction<'_>,
    view: ViewName,
    position: Position,
) -> Result<(), ViewError> {
    let failed = |error| ViewError::sql("announcing a view's progress", error);
    let statement = transaction.prepare_cached("SELECT pg_notify('doudi_views', $1)").await;
    let word = format!("{} {} {position}", view.as_str(), view.version());
    transaction.execute(&statement.map_err(failed)?, &[&word]).await.map_err(failed)?;
    Ok(())
}

fn one(schema: &str) -> String {
    format!("{COLUMNS} FROM {schema}.checkpoint WHERE view = $1 AND version = $2")
}

type Param<'a> = (&'a (dyn tokio_postgres::types::ToSql + Sync), Type);

fn key<'a>(view: &'a &'static str, version: &'a i32) -> [Param<'a>; 2] {
    [(view, Type::TEXT), (version, Type::INT4)]
}

fn failed(error: tokio_postgres::Error) -> ViewError {
    ViewError::sql("reading a checkpoint", error)
}
