//! What operators do with views: look, retry a parked stream, resume, catch up, compare.

use deadpool_postgres::Transaction;
use doudi_journal::{Journal, Position, Record, StreamName};
use tokio_postgres::types::Type;

use crate::{
    Checkpoint, Parked, ViewError, ViewName, Views, checkpoint, db, digest::Digest, parked,
    project::Runner, read::Reader,
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
    /// Gives how many records were applied. Whoever follows live is sent what was withheld for it.
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
        let readings = parked::read(&[view], records);
        let parted = parked::part(view, readings, &Default::default(), None);
        if let Some(still) = parted.parked.into_iter().next() {
            return Err(poison(still.reason));
        }
        if let Err(error) = view.apply(&transaction, &parted.facts).await {
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

    /// Drops the tables that older versions of the views have left, with their checkpoints and parked
    /// streams, and gives the names of their schemas. No program of an older version may run any more.
    ///
    /// # Errors
    /// As PostgreSQL fails; nothing changes then.
    pub async fn drop_old(&self) -> Result<Vec<String>, ViewError> {
        let doing = "dropping the tables of older versions";
        let failed = |error| ViewError::sql(doing, error);
        let mut client = db::connect(&self.pool).await?;
        let transaction = durable(client.transaction().await.map_err(failed)?).await?;
        let mut dropped = Vec::new();
        for view in ViewName::ALL {
            let (name, version) = (view.as_str(), view.version());
            let statement = format!(
                "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^{name}_v[0-9]+(_next|_check)?$' \
                 AND substring(nspname FROM '_v([0-9]+)')::integer < {version} ORDER BY nspname"
            );
            for row in transaction.query_typed(&statement, &[]).await.map_err(failed)? {
                let schema: String = row.get(0);
                let script = format!(
                    "SET LOCAL client_min_messages = warning; DROP SCHEMA {schema} CASCADE"
                );
                transaction.batch_execute(&script).await.map_err(failed)?;
                dropped.push(schema);
            }
            for table in ["parked", "checkpoint"] {
                let statement =
                    format!("DELETE FROM doudi.{table} WHERE view = $1 AND version < $2");
                execute(&transaction, view, &statement, doing).await?;
            }
        }
        commit(transaction, doing).await?;
        Ok(dropped)
    }

    /// The content of a view's tables as one text, with the position that it reflects. Equal tables
    /// give equal texts, whatever the order of their rows.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn digest(&self, view: ViewName) -> Result<(Position, String), ViewError> {
        let mut reader = Reader::of(&self.pool, view).await?;
        let snapshot = reader.snapshot();
        let position = snapshot.position().await?;
        let digest = Digest::of(snapshot.client().await?, view, position).await?;
        Ok((position, digest.text()))
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
