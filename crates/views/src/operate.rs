//! What operators do with views: look, retry a parked stream, resume, rebuild, compare.

use deadpool_postgres::Transaction;
use doudi_journal::{Journal, Position, Record, StreamName};
use tokio_postgres::types::Type;

use crate::{
    Checkpoint, Parked, ViewError, ViewName, Views, checkpoint, db, parked, project::Runner,
    read::Reader,
};

/// How often a retry starts again because the stream grew meanwhile.
const RETRY_TRIES_MAX: usize = 10;

impl Views {
    /// How far each view is, and which are halted.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewError> {
        checkpoint::all(&self.pool).await
    }

    /// The highest position that any view of any version reflects. A log that ends before it has
    /// lost records or is another log.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn highest_position(&self) -> Result<Position, ViewError> {
        checkpoint::highest(&self.pool).await
    }

    /// The parked streams, oldest first; at most 1000.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn parked(&self) -> Result<Vec<Parked>, ViewError> {
        parked::list(&self.pool).await
    }

    /// Applies a parked stream's records up to the checkpoint, in one transaction, and un-parks it.
    /// Gives how many records were applied. Live watchers that are already past those positions do
    /// not see them; pages do.
    ///
    /// # Errors
    /// [`ViewError::NotParked`]; [`ViewError::StillPoison`] when a record still cannot be applied,
    /// and nothing changes; [`ViewError::Journal`] when the log does not answer.
    pub async fn retry(
        &self,
        journal: &Journal,
        view: ViewName,
        stream: &StreamName,
    ) -> Result<u64, ViewError> {
        for _ in 0..RETRY_TRIES_MAX {
            let parked = self.parked_stream(view, stream).await?;
            let before = Position(parked.first.0.saturating_sub(1));
            // Read before the transaction, so that a slow log holds no lock.
            let records = journal.load(stream, before, parked.last).await.map_err(|error| {
                ViewError::Journal { doing: "reading a parked stream", source: error.into() }
            })?;
            if let Some(applied) = self.apply_parked(view, stream, &records).await? {
                return Ok(applied);
            }
        }
        Err(ViewError::Unavailable {
            doing: "retrying a parked stream",
            source: "it grows faster than it is read".into(),
        })
    }

    async fn parked_stream(
        &self,
        view: ViewName,
        stream: &StreamName,
    ) -> Result<Parked, ViewError> {
        let mut client = db::connect(&self.pool).await?;
        let transaction = db::write(&mut client, &view.schema()).await?;
        found(&transaction, view, stream).await
    }

    /// None when the stream has grown since `records` were read.
    async fn apply_parked(
        &self,
        view: ViewName,
        stream: &StreamName,
        records: &[Record],
    ) -> Result<Option<u64>, ViewError> {
        let mut client = db::connect(&self.pool).await?;
        let transaction = durable(db::write(&mut client, &view.schema()).await?).await?;
        // No runner passes while we hold it, so the stream does not grow under us.
        let reached = checkpoint::lock(&transaction, view).await?.position;
        let entry = found(&transaction, view, stream).await?;
        let due = records.partition_point(|record| record.position <= reached);
        let records = &records[..due];
        if records.last().is_none_or(|last| last.position < entry.last) {
            return Ok(None);
        }
        let poison = |reason| ViewError::StillPoison { view, stream: stream.to_string(), reason };
        let readings = parked::read(view, records);
        let parted = parked::part(view, readings, &Default::default(), None);
        if let Some(still) = parted.parked.into_iter().next() {
            return Err(poison(still.reason));
        }
        if let Err(error) = view.apply(&transaction, parted.facts).await {
            return Err(error.content_refusal().map_or(error, poison));
        }
        parked::remove(&transaction, view, stream.as_str()).await?;
        commit(transaction, "committing a retried stream").await?;
        Ok(Some(records.len() as u64))
    }

    /// Lets a halted view go on from where it stands; for when what halted it has been mended.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn resume(&self, view: ViewName) -> Result<(), ViewError> {
        let mut client = db::connect(&self.pool).await?;
        let transaction = durable(db::write(&mut client, &view.schema()).await?).await?;
        let statement = "UPDATE checkpoint SET halted = NULL WHERE view = $1 AND version = $2";
        execute(&transaction, view, statement, "resuming a view").await?;
        commit(transaction, "resuming a view").await
    }

    /// Empties a view so that it is built again from the whole log: at once by the runners, where
    /// some run, else by [`Views::catch_up`]. Parked streams are tried again and a halted view goes
    /// on. Checkpoints of older versions of the view are forgotten. Until it has caught up its answers are incomplete and say so by their position; building
    /// the new tables beside the old ones is not done yet.
    ///
    /// # Errors
    /// As PostgreSQL fails; nothing changes then.
    pub async fn rebuild(&self, view: ViewName) -> Result<(), ViewError> {
        let doing = "rebuilding a view";
        let mut client = db::connect(&self.pool).await?;
        let transaction = durable(db::write(&mut client, &view.schema()).await?).await?;
        // The checkpoint first, as every runner does: whoever comes second waits here.
        let statement = "UPDATE checkpoint SET position = 0, epoch = epoch + 1, halted = NULL \
             WHERE view = $1 AND version = $2";
        execute(&transaction, view, statement, doing).await?;
        // Tables that somebody dropped are made again.
        let tables = view.tables().join(", ");
        let script = format!("{}; TRUNCATE {tables}", view.make_tables(&view.schema()));
        let emptied = transaction.batch_execute(&script).await;
        emptied.map_err(|error| ViewError::sql(doing, error))?;
        let statement = "DELETE FROM parked WHERE view = $1 AND version = $2";
        execute(&transaction, view, statement, doing).await?;
        let statement = "DELETE FROM checkpoint WHERE view = $1 AND version < $2";
        execute(&transaction, view, statement, doing).await?;
        checkpoint::announce(&transaction, view, Position::START).await?;
        commit(transaction, doing).await
    }

    /// Projects one view until it reflects what is now the end of the log, and gives the position
    /// reached. `report` is told the position reached and the end after every batch.
    ///
    /// # Errors
    /// [`ViewError::Halted`] when the view cannot go on; else as PostgreSQL or the log fails.
    pub async fn catch_up(
        &self,
        journal: &Journal,
        view: ViewName,
        report: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<Position, ViewError> {
        let end = journal.last_position().await.map_err(|error| ViewError::Journal {
            doing: "finding the end of the log",
            source: error.into(),
        })?;
        let mut runner = Runner::new(self.clone(), journal.clone(), view);
        runner.look().await?;
        while runner.reached() < end {
            runner.step().await?;
            report(runner.reached(), end);
        }
        Ok(runner.reached())
    }

    /// The content of a view's tables as one text, with the position that it reflects. Equal tables
    /// give equal texts, whatever the order of their rows.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn digest(&self, view: ViewName) -> Result<(Position, String), ViewError> {
        let mut reader = Reader::of(&self.pool, view).await?;
        let snapshot = reader.snapshot().await?;
        let digest = db::digest(snapshot.transaction(), view).await?;
        Ok((snapshot.position, digest))
    }
}

async fn found(
    transaction: &Transaction<'_>,
    view: ViewName,
    stream: &StreamName,
) -> Result<Parked, ViewError> {
    let found = parked::one(transaction, view, stream.as_str()).await?;
    found.ok_or_else(|| ViewError::NotParked { view, stream: stream.to_string() })
}

/// An operator's command is not replayed from the log, so it must survive what the rows need not.
async fn durable(transaction: Transaction<'_>) -> Result<Transaction<'_>, ViewError> {
    let set = transaction.batch_execute("SET LOCAL synchronous_commit = on").await;
    set.map_err(|error| ViewError::sql("beginning a transaction", error))?;
    Ok(transaction)
}

async fn commit(transaction: Transaction<'_>, doing: &'static str) -> Result<(), ViewError> {
    transaction.commit().await.map_err(|error| ViewError::sql(doing, error))
}

async fn execute(
    transaction: &Transaction<'_>,
    view: ViewName,
    statement: &str,
    doing: &'static str,
) -> Result<(), ViewError> {
    transaction
        .execute_typed(statement, &[(&view.as_str(), Type::TEXT), (&view.version(), Type::INT4)])
        .await
        .map_err(|error| ViewError::sql(doing, error))?;
    Ok(())
}
