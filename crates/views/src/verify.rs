//! Compares each view with a fresh replay of the log, built beside it in a scratch schema.

use std::collections::HashMap;

use deadpool_postgres::{Object, Transaction};
use doudi_journal::{Journal, Position, READ_RECORDS_MAX, Record};

use crate::{ViewError, ViewName, Views, db, parked, read::Reader};

/// Held while scratch schemas exist, so that two verifications do not mix.
const VERIFY_LOCK: i64 = 0x646f_7564_6976_6572;

/// What the comparison of one view found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewCheck {
    /// The view.
    pub view: ViewName,
    /// The position at which both were compared.
    pub position: Position,
    /// The digest of the live tables.
    pub live: String,
    /// The digest of the replay.
    pub replayed: String,
}

impl ViewCheck {
    /// Whether the live tables are what the log says.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.live == self.replayed
    }
}

impl Views {
    /// Replays the log for each view up to exactly its checkpoint, in a scratch schema that is
    /// dropped afterwards, and compares the content. The views run on meanwhile. Streams that are
    /// parked are passed over in the replay as well.
    ///
    /// # Errors
    /// [`ViewError::VerifyRunning`] when another verification runs; else as PostgreSQL or the log
    /// fails.
    pub async fn verify(&self, journal: &Journal) -> Result<Vec<ViewCheck>, ViewError> {
        let _alone = self.shared.verifying.try_lock().map_err(|_| ViewError::VerifyRunning)?;
        // Taken out of the pool, so that the lock goes with the connection whatever happens.
        let holder = Object::take(db::connect(&self.pool).await?);
        let statement = format!("SELECT pg_try_advisory_lock({VERIFY_LOCK})");
        let row = holder
            .query_typed_one(&statement, &[])
            .await
            .map_err(|error| ViewError::sql("taking the lock of a verification", error))?;
        if !row.get::<_, bool>(0) {
            return Err(ViewError::VerifyRunning);
        }
        let checks = self.verify_all(journal).await;
        // Given back at once; the server would notice only some time later that the connection is
        // gone, which is what it goes by when this is never reached.
        let statement = format!("SELECT pg_advisory_unlock({VERIFY_LOCK})");
        if let Err(error) = holder.query_typed_one(&statement, &[]).await {
            tracing::warn!(%error, "the lock of a verification goes with its connection");
        }
        checks
    }

    async fn verify_all(&self, journal: &Journal) -> Result<Vec<ViewCheck>, ViewError> {
        let mut checks = Vec::new();
        for view in ViewName::ALL {
            checks.push(self.verify_one(journal, view).await?);
        }
        Ok(checks)
    }

    async fn verify_one(&self, journal: &Journal, view: ViewName) -> Result<ViewCheck, ViewError> {
        let mut reader = Reader::of(&self.pool, view).await?;
        let snapshot = reader.snapshot().await?;
        let position = snapshot.position;
        let live = db::digest(snapshot.transaction(), view).await?;
        let parked = parked::all(snapshot.transaction(), view).await?;
        drop(snapshot);
        drop(reader);
        let mut client = db::connect(&self.pool).await?;
        let parked: HashMap<String, Position> =
            parked.into_iter().map(|entry| (entry.stream, entry.first)).collect();
        let scratch = format!("{}_check", view.schema());
        let make = view.make_tables(&scratch);
        self.scratch(&mut client, &scratch, &make).await?;
        let replayed = replay(journal, view, position, parked, &mut client, &scratch).await;
        self.scratch(&mut client, &scratch, "").await?;
        Ok(ViewCheck { view, position, live, replayed: replayed? })
    }

    /// Drops the scratch schema and runs `then`.
    async fn scratch(
        &self,
        client: &mut Object,
        scratch: &str,
        then: &str,
    ) -> Result<(), ViewError> {
        let failed = |error| ViewError::sql("making a scratch schema", error);
        let transaction = client.transaction().await.map_err(failed)?;
        let script = format!(
            "SET LOCAL client_min_messages = warning; DROP SCHEMA IF EXISTS {scratch} CASCADE; {then}"
        );
        transaction.batch_execute(&script).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

async fn replay(
    journal: &Journal,
    view: ViewName,
    end: Position,
    mut parked: HashMap<String, Position>,
    client: &mut Object,
    scratch: &str,
) -> Result<String, ViewError> {
    let mut reached = Position::START;
    while reached < end {
        let failed = |source| ViewError::Journal { doing: "replaying the log", source };
        let read = journal.read(reached, READ_RECORDS_MAX).await;
        let mut records = read.map_err(|error| failed(error.into()))?;
        records.retain(|record| record.position <= end);
        let Some(last) = records.last().map(|record| record.position) else {
            return Err(failed(format!("the log ends at {reached}, before {end}").into()));
        };
        records.retain(|record| !passed_over(&parked, record));
        let transaction = db::write(client, scratch).await?;
        apply(view, &transaction, &records, &mut parked).await?;
        transaction.commit().await.map_err(|error| ViewError::sql("committing a replay", error))?;
        reached = last;
    }
    let transaction = db::write(client, scratch).await?;
    db::digest(&transaction, view).await
}

/// A stream that cannot be read is passed over from there on, as in the live view.
async fn apply(
    view: ViewName,
    transaction: &Transaction<'_>,
    records: &[Record],
    parked: &mut HashMap<String, Position>,
) -> Result<(), ViewError> {
    let readings = parked::read(view, records);
    let parted = parked::part(view, readings, &Default::default(), None);
    parked.extend(parted.parked.into_iter().map(|entry| (entry.stream, entry.first)));
    view.apply(transaction, parted.facts).await
}

fn passed_over(parked: &HashMap<String, Position>, record: &Record) -> bool {
    parked.get(record.stream.as_str()).is_some_and(|first| record.position >= *first)
}
