//! Compares each view with a fresh replay of the log, built beside it in a scratch schema.

use std::collections::HashMap;

use deadpool_postgres::Object;
use doudi_journal::{Journal, Position, READ_RECORDS_MAX, Record};

use crate::{
    ViewError, ViewName, Views,
    db::{self, Alone},
    digest::Digest,
    fact::Fact,
    parked,
    read::Reader,
};

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
    /// How many streams are parked, which the replay passed over too.
    pub parked: usize,
    /// The tables that differ, each with its rows and, where they tell, the records that made those that
    /// differ.
    pub differences: Vec<String>,
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
        let _here = self.shared.verifying.try_lock().map_err(|_| ViewError::VerifyRunning)?;
        // Held while scratch schemas exist, so that two verifications do not mix.
        let alone = Alone::try_take(&self.pool, "doudi verify".to_owned()).await?;
        let alone = alone.ok_or(ViewError::VerifyRunning)?;
        let checks = self.verify_all(journal).await;
        alone.give_back().await;
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
        let snapshot = reader.snapshot();
        let position = snapshot.position().await?;
        let client = snapshot.client().await?;
        let live = Digest::of(client, view, position).await?;
        let parked = parked::all(client, view).await?;
        drop(snapshot);
        drop(reader);
        let mut client = db::connect(&self.pool).await?;
        let parked: HashMap<String, Position> =
            parked.into_iter().map(|entry| (entry.stream, entry.first)).collect();
        let passed_over = parked.len();
        let scratch = format!("{}_check", view.schema());
        let make = view.make_tables(&scratch);
        self.scratch(&mut client, &scratch, &make).await?;
        let replayed = replay(journal, view, position, parked, &mut client, &scratch).await;
        db::give_back(client, &replayed);
        let mut client = db::connect(&self.pool).await?;
        self.scratch(&mut client, &scratch, "").await?;
        let replayed = replayed?;
        let differences = live.differences(&replayed, position);
        let (live, replayed) = (live.text(), replayed.text());
        Ok(ViewCheck { view, position, live, replayed, parked: passed_over, differences })
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
) -> Result<Digest, ViewError> {
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
        let facts = facts(view, &records, &mut parked);
        let transaction = db::write(client, scratch).await?;
        view.apply(&transaction, &facts).await?;
        transaction.commit().await.map_err(|error| ViewError::sql("committing a replay", error))?;
        reached = last;
    }
    let transaction = db::write(client, scratch).await?;
    Digest::of(transaction.client(), view, end).await
}

/// A stream that cannot be read is passed over from there on, as in the live view.
fn facts(view: ViewName, records: &[Record], parked: &mut HashMap<String, Position>) -> Vec<Fact> {
    let readings = parked::read(&[view], records);
    let parted = parked::part(view, readings, &Default::default(), None);
    parked.extend(parted.parked.into_iter().map(|entry| (entry.stream, entry.first)));
    parted.facts
}

fn passed_over(parked: &HashMap<String, Position>, record: &Record) -> bool {
    parked.get(record.stream.as_str()).is_some_and(|first| record.position >= *first)
}
