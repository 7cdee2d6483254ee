//! Building views again beside the live ones, and the switch to what was built.
//!
//! A rebuild has a schema of its own, and in it its checkpoint and its parked streams. So the live view
//! runs on and answers meanwhile, whoever is killed goes on where the build stands, and giving up is
//! dropping one schema. Indexes that only queries need are made when the rows are there. The switch is one
//! transaction at one position: no query sees it go back.

use std::{fmt, slice, time::Duration};

use deadpool_postgres::{ClientWrapper, Pool, Transaction};
use doudi_journal::{Journal, Position, READ_RECORDS_MAX};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::sleep;
use tokio_postgres::error::SqlState;

use crate::{
    Checkpoint, ViewError, ViewName, Views, checkpoint,
    db::{self, Alone},
};
use build::{Build, advance};

mod build;

/// How long the first and the later tries wait for whoever reads the live tables. Those who come to
/// read meanwhile wait behind us, so it is short; it grows beyond the second after which PostgreSQL
/// ends an autovacuum for us.
const LOCK_TIME_MIN: Duration = Duration::from_millis(100);
const LOCK_TIME_MAX: Duration = Duration::from_secs(3);
/// The pause between two tries, in which readers have their way.
const PAUSE: Duration = Duration::from_millis(500);
/// For how long the switch may wait for the log and for what is built until there, at most.
const SWITCHED_WITHIN: Duration = Duration::from_secs(120);
/// How much memory PostgreSQL may take to make an index.
const SORT_MEMORY: &str = "256MB";
/// How many views have their indexes made at once.
const INDEXED_AT_ONCE: usize = 2;
/// What a failure says was being done.
const DOING: &str = "rebuilding a view";

/// A view that is being built again. As long as this lives, nobody else rebuilds the view; dropping it
/// leaves the build where it stands.
pub struct Rebuild {
    /// Also makes the switch, so that nobody begins another rebuild before that has ended.
    alone: Alone,
    build: Build,
}

impl fmt::Debug for Rebuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rebuild").field("reached", &self.build.known).finish_non_exhaustive()
    }
}

/// How a try to switch ended.
enum Tried {
    Switched,
    /// The live view has run on.
    Behind,
    /// Somebody reads the live tables.
    Read,
}

impl Views {
    /// Begins to build a view again beside the live one, or goes on with a rebuild that was broken off.
    /// One that has read more than the log has begins anew.
    ///
    /// # Errors
    /// [`ViewError::RebuildRunning`] when somebody else is at it; else as PostgreSQL or the log fails.
    pub async fn begin_rebuild(
        &self,
        journal: &Journal,
        view: ViewName,
    ) -> Result<Rebuild, ViewError> {
        let mut alone = alone(&self.pool, view).await?;
        let mut known = make(&mut alone.client, view, "").await?;
        if known.position > end_of(journal).await? {
            known = make(&mut alone.client, view, &drop_schema(&view.next_schema())).await?;
        }
        Ok(Rebuild { alone, build: Build { pool: self.pool.clone(), view, known } })
    }

    /// Gives up a rebuild that was broken off: what it built is dropped, the live view stays. False when
    /// there is none.
    ///
    /// # Errors
    /// [`ViewError::RebuildRunning`] when somebody is at it; else as PostgreSQL fails.
    pub async fn cancel_rebuild(&self, view: ViewName) -> Result<bool, ViewError> {
        let alone = alone(&self.pool, view).await?;
        let there = standing(&alone.client, view).await?.is_some();
        give_up(alone, view).await?;
        Ok(there)
    }

    /// The rebuilds that have begun and not yet switched, and how far each has come.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn rebuilds(&self) -> Result<Vec<(ViewName, Position)>, ViewError> {
        let client = db::connect(&self.pool).await?;
        let mut rebuilds = Vec::new();
        for view in ViewName::ALL {
            if let Some(position) = standing(&client, view).await? {
                rebuilds.push((view, position));
            }
        }
        Ok(rebuilds)
    }
}

impl Rebuild {
    /// The view.
    #[must_use]
    pub fn view(&self) -> ViewName {
        self.build.view
    }

    /// The position that what is built reflects.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.build.known.position
    }

    /// Builds views until each reflects what is now the end of the log, then makes their indexes. `report` is told
    /// a view, the position that it reached and the end after every batch.
    ///
    /// # Errors
    /// As PostgreSQL or the log fails, a gap in the log included; what was built stays.
    pub async fn catch_up(
        rebuilds: &mut [Self],
        journal: &Journal,
        report: &mut (dyn FnMut(ViewName, Position, Position) + Send),
    ) -> Result<(), ViewError> {
        let end = end_of(journal).await?;
        let mut builds: Vec<&mut Build> =
            rebuilds.iter_mut().map(|rebuild| &mut rebuild.build).collect();
        advance(journal, &mut builds, end, report).await?;
        let indexed = stream::iter(rebuilds.iter_mut().map(Self::index));
        indexed.buffer_unordered(INDEXED_AT_ONCE).try_collect::<()>().await
    }

    async fn catch_up_alone(&mut self, journal: &Journal) -> Result<(), ViewError> {
        Self::catch_up(slice::from_mut(self), journal, &mut |_, _, _| {}).await
    }

    /// Gives it up: what it built is dropped, the live view stays.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn give_up(self) -> Result<(), ViewError> {
        give_up(self.alone, self.build.view).await
    }

    /// Makes the indexes that only queries need: at once, which costs less than with every row, and one after the
    /// other, so that one that is there stays when this is broken off. PostgreSQL looks meanwhile whether we are
    /// still there, and else lets the next one go on.
    async fn index(&mut self) -> Result<(), ViewError> {
        let view = self.build.view;
        tracing::info!(%view, "making the indexes that queries need");
        for index in view.make_indexes(&view.next_schema()) {
            let transaction = self.alone.client.transaction().await.map_err(failed)?;
            let script = format!(
                "SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '{SORT_MEMORY}'; \
                 SET LOCAL client_connection_check_interval = '1s'; {index}"
            );
            transaction.batch_execute(&script).await.map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
        }
        Ok(())
    }

    /// Builds to the end and puts what was built in the place of the live tables, at the position that
    /// these have or a later one; where they were ahead of the log, at its end. A halted view goes on. Waits for
    /// whoever reads the live tables, however long that takes, without holding up others for long.
    /// Gives the position of the switch.
    ///
    /// # Errors
    /// As [`Rebuild::catch_up`]; the live view then stays as it is, and what was built stays too.
    pub async fn switch(mut self, journal: &Journal) -> Result<Position, ViewError> {
        self.catch_up_alone(journal).await?;
        self.analyze().await?;
        let mut patience = LOCK_TIME_MIN;
        loop {
            match self.try_switch(journal, patience).await? {
                Tried::Switched => {
                    self.alone.give_back().await;
                    return Ok(self.build.known.position);
                }
                Tried::Behind => self.catch_up_alone(journal).await?,
                Tried::Read => {
                    let view = self.build.view;
                    tracing::warn!(%view, "waiting for a long read of the live tables before the switch");
                    sleep(PAUSE).await;
                    patience = LOCK_TIME_MAX.min(patience * 2);
                }
            }
        }
    }

    /// New tables have no statistics, and queries on them would be planned blindly.
    async fn analyze(&mut self) -> Result<(), ViewError> {
        let next = self.build.view.next_schema();
        let tables = self.build.view.tables().iter().map(|table| format!("{next}.{table}"));
        let tables = tables.collect::<Vec<_>>().join(", ");
        let transaction = self.alone.client.transaction().await.map_err(failed)?;
        let script = format!("SET LOCAL statement_timeout = 0; ANALYZE {tables}");
        transaction.batch_execute(&script).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn try_switch(
        &mut self,
        journal: &Journal,
        patience: Duration,
    ) -> Result<Tried, ViewError> {
        let view = self.build.view;
        let transaction = durable(&mut self.alone.client).await?;
        // A process that is frozen here loses the live checkpoint after a time.
        let at_most = format!(
            "SET LOCAL idle_in_transaction_session_timeout = {}",
            SWITCHED_WITHIN.as_millis()
        );
        transaction.batch_execute(&at_most).await.map_err(failed)?;
        // The checkpoint first, as every runner does: none passes from here on.
        let live = checkpoint::lock(&transaction, view).await?;
        // Read after it, so it lies before the live view only if the log has lost records.
        let end = end_of(journal).await?;
        let target = live.position.min(end);
        let reached = self.build.known.position.0;
        if target.0.saturating_sub(reached) > READ_RECORDS_MAX as u64 {
            return Ok(Tried::Behind);
        }
        advance(journal, &mut [&mut self.build], target, &mut |_, _, _| {}).await?;
        if !lock_live(&transaction, view, patience).await? {
            return Ok(Tried::Read);
        }
        let position = self.build.known.position;
        let mut script = replace(view, position);
        if live.position > end {
            // What older versions of the view have beyond the end is not in the log either.
            script += &format!(
                "; DELETE FROM doudi.checkpoint WHERE view = '{view}' AND version < {} AND position > {end}",
                view.version()
            );
        }
        transaction.batch_execute(&script).await.map_err(failed)?;
        checkpoint::announce(&transaction, view, position).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Tried::Switched)
    }
}

/// The one that may rebuild `view`.
async fn alone(pool: &Pool, view: ViewName) -> Result<Alone, ViewError> {
    let alone = Alone::try_take(pool, format!("doudi rebuild {view}")).await?;
    alone.ok_or(ViewError::RebuildRunning { view })
}

async fn give_up(mut alone: Alone, view: ViewName) -> Result<(), ViewError> {
    let transaction = durable(&mut alone.client).await?;
    let dropped = transaction.batch_execute(&drop_schema(&view.next_schema())).await;
    dropped.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    alone.give_back().await;
    Ok(())
}

/// Runs `first` and makes what is missing of the schema that `view` is built in.
async fn make(
    client: &mut ClientWrapper,
    view: ViewName,
    first: &str,
) -> Result<Checkpoint, ViewError> {
    let transaction = durable(client).await?;
    let (next, version) = (view.next_schema(), view.version());
    // The tables of checkpoints and parked streams come into the first schema of the search path too.
    let script = format!(
        "{first}; {}; {}; INSERT INTO {next}.checkpoint (view, version, position, epoch) \
         VALUES ('{view}', {version}, 0, 0) ON CONFLICT DO NOTHING",
        view.make_tables(&next),
        include_str!("doudi.sql")
    );
    transaction.batch_execute(&script).await.map_err(failed)?;
    // Locked, which waits for what a process that was killed had sent until then.
    let known = checkpoint::lock_in(&transaction, &next, view).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(known)
}

/// How far the rebuild of `view` has come; none when there is none.
async fn standing(client: &ClientWrapper, view: ViewName) -> Result<Option<Position>, ViewError> {
    let statement = format!("SELECT position FROM {}.checkpoint", view.next_schema());
    match client.query_typed_one(&statement, &[]).await {
        Ok(row) => Ok(Some(db::position(row.get(0)))),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Locks what there is of the live tables against everybody, in the order in which readers lock them;
/// false when somebody still reads them after `patience`.
async fn lock_live(
    transaction: &Transaction<'_>,
    view: ViewName,
    patience: Duration,
) -> Result<bool, ViewError> {
    let schema = view.schema();
    let statement = format!("SELECT tablename::text FROM pg_tables WHERE schemaname = '{schema}'");
    let rows = transaction.query_typed(&statement, &[]).await.map_err(failed)?;
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let tables = view.tables().iter().filter(|table| there.iter().any(|name| name == *table));
    let tables: Vec<String> = tables.map(|table| format!("{schema}.{table}")).collect();
    if tables.is_empty() {
        return Ok(true);
    }
    let script = format!(
        "SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = '10s'; \
         LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        patience.as_millis(),
        tables.join(", ")
    );
    match transaction.batch_execute(&script).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// What puts the tables that were built in the place of the live ones, with checkpoint and parked
/// streams.
fn replace(view: ViewName, position: Position) -> String {
    let (live, next, version) = (view.schema(), view.next_schema(), view.version());
    format!(
        "{}; DELETE FROM doudi.parked WHERE view = '{view}' AND version = {version}; \
         INSERT INTO doudi.parked SELECT * FROM {next}.parked; \
         DROP TABLE {next}.checkpoint, {next}.parked; ALTER SCHEMA {next} RENAME TO {live}; \
         UPDATE doudi.checkpoint SET position = {position}, epoch = epoch + 1, halted = NULL \
         WHERE view = '{view}' AND version = {version}",
        drop_schema(&live)
    )
}

fn drop_schema(schema: &str) -> String {
    format!("SET LOCAL client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE")
}

/// A transaction that survives what rows need not, and that names tables in full.
async fn durable(client: &mut ClientWrapper) -> Result<Transaction<'_>, ViewError> {
    let transaction = client.transaction().await.map_err(failed)?;
    let set = transaction.batch_execute("SET LOCAL synchronous_commit = on").await;
    set.map_err(failed)?;
    Ok(transaction)
}

async fn end_of(journal: &Journal) -> Result<Position, ViewError> {
    let end = journal.last_position().await;
    end.map_err(|error| ViewError::Journal { doing: DOING, source: error.into() })
}

fn failed(error: tokio_postgres::Error) -> ViewError {
    ViewError::sql(DOING, error)
}
