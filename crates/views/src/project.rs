//! One runner of one view: follows the log and writes rows and checkpoint in one transaction.
//!
//! Whatever another runner, an operator or a broken connection does, the checkpoint in the database
//! is the truth: after any doubt it is read again and the runner goes on from there.

use std::time::Duration;

use deadpool_postgres::{Object, Pool, Transaction};
use doudi_journal::{Follow, FollowError, Journal, Position, Record, trace};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::Instrument;

use crate::{
    Checkpoint, ViewError, ViewName, Views, checkpoint, db,
    error::chain,
    metrics,
    parked::{self, Reading},
};

/// The shortest and the longest pause after an error that may pass.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often a halted view looks whether an operator has let it go on.
const HALTED_LOOK_EVERY: Duration = Duration::from_secs(1);

/// A runner of one view.
pub(crate) struct Runner {
    views: Views,
    journal: Journal,
    view: ViewName,
    progress: watch::Receiver<Position>,
    /// The checkpoint as last seen; none after any doubt.
    known: Option<Checkpoint>,
    follow: Option<Follow>,
    /// Handed out by `follow` and not yet applied.
    pending: Vec<Record>,
    /// The last position handed out by `follow`, or where it began.
    handed: Position,
    /// How many of the next records are applied one by one, to find the one PostgreSQL refuses.
    single: usize,
}

impl Runner {
    pub(crate) fn new(views: Views, journal: Journal, view: ViewName) -> Self {
        let progress = views.shared.progress.subscribe(view);
        Self {
            views,
            journal,
            view,
            progress,
            known: None,
            follow: None,
            pending: Vec::new(),
            handed: Position::START,
            single: 0,
        }
    }

    /// How far the view is, as last seen.
    pub(crate) fn reached(&self) -> Position {
        self.known.as_ref().map_or(Position::START, |known| known.position)
    }

    /// Runs until `shutdown` says so or its sender is gone.
    pub(crate) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut pause = PAUSE_MIN;
        let mut halted = false;
        loop {
            let step = tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return,
                step = self.step() => step,
            };
            let wait = match step {
                Ok(()) => {
                    pause = PAUSE_MIN;
                    halted = false;
                    continue;
                }
                Err(ViewError::Halted { view, reason }) => {
                    if !std::mem::replace(&mut halted, true) {
                        tracing::error!(%view, reason, "the view is halted until it is resumed or rebuilt");
                    }
                    HALTED_LOOK_EVERY
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(view = %self.view, error, "projecting; trying again");
                    let longer = (pause * 2).min(PAUSE_MAX);
                    std::mem::replace(&mut pause, longer)
                }
            };
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// Takes the next records in, or waits for some. Dropping the future loses nothing.
    pub(crate) async fn step(&mut self) -> Result<(), ViewError> {
        let Some(known) = self.known.take() else {
            return self.look().await;
        };
        if let Some(reason) = known.halted {
            return Err(ViewError::Halted { view: self.view, reason });
        }
        if self.pending.is_empty() {
            return self.wait(known).await;
        }
        let count = if self.single > 0 { 1 } else { self.pending.len() };
        if let Err(gap) = contiguous(known.position, &self.pending[..count]) {
            return self.halt(&known, &gap).await;
        }
        let done = match commit(&self.views.pool, &known, &self.pending[..count], None).await {
            Err(error) => match error.content_refusal() {
                Some(_) if count > 1 => {
                    self.single = count;
                    self.known = Some(known);
                    return Ok(());
                }
                Some(reason) => {
                    commit(&self.views.pool, &known, &self.pending[..count], Some(&reason)).await
                }
                None => Err(error),
            },
            done => done,
        };
        match done {
            Ok(Some(position)) => {
                self.pending.drain(..count);
                self.single = self.single.saturating_sub(1);
                self.known = Some(Checkpoint { position, ..known });
                Ok(())
            }
            // Somebody else moved it: look where it is now.
            Ok(None) => Ok(()),
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => self.halt(&known, &chain(&error)).await,
        }
    }

    /// Reads the checkpoint and fits what is in hand to it.
    pub(crate) async fn look(&mut self) -> Result<(), ViewError> {
        let known = checkpoint::current(&self.views.pool, self.view).await?;
        let next = self.pending.first().map_or(self.handed.next(), |record| record.position);
        if self.follow.is_none() || known.position.next() < next {
            // Not begun yet, or the view went back, because its log has lost records.
            self.follow = Some(self.journal.follow(known.position));
            self.handed = known.position;
            self.pending.clear();
            self.single = 0;
        }
        self.pending.retain(|record| record.position > known.position);
        self.known = Some(known);
        Ok(())
    }

    /// Waits for records, or for news that the checkpoint is not where we think it is.
    async fn wait(&mut self, known: Checkpoint) -> Result<(), ViewError> {
        let position = known.position;
        let follow = self.follow.get_or_insert_with(|| self.journal.follow(position));
        // Kept while waiting, so that dropping this future forgets nothing.
        let known = self.known.insert(known).clone();
        let followed = tokio::select! {
            biased;
            followed = follow.next() => followed,
            changed = self.progress.changed() => {
                // The sender lives as long as `views`.
                if changed.is_ok() && *self.progress.borrow_and_update() != position {
                    self.known = None;
                }
                return Ok(());
            }
        };
        match followed {
            Ok(records) => {
                self.handed = records.last().map_or(self.handed, |record| record.position);
                self.pending = records;
                self.pending.retain(|record| record.position > position);
                Ok(())
            }
            Err(error @ (FollowError::Gap { .. } | FollowError::Behind { .. })) => {
                self.follow = None;
                self.halt(&known, &error.to_string()).await
            }
        }
    }

    /// Halts the view for everybody; the next step says so.
    async fn halt(&mut self, known: &Checkpoint, reason: &str) -> Result<(), ViewError> {
        self.known = None;
        checkpoint::halt(&self.views.pool, known, reason).await
    }
}

/// Applies `records`; none when the checkpoint is not where it is thought to be.
async fn commit(
    pool: &Pool,
    known: &Checkpoint,
    records: &[Record],
    refused: Option<&str>,
) -> Result<Option<Position>, ViewError> {
    let view = known.view;
    let began = Instant::now();
    let to = records.last().map_or(known.position, |record| record.position);
    let readings = parked::read(&[view], records);
    let span = trace::gathered(
        readings.iter().filter_map(Reading::traceparent),
        || tracing::debug_span!("project", %view, records = records.len()),
    );
    let written = write(pool, known, to, readings, refused);
    if !written.instrument(span).await? {
        return Ok(None);
    }
    metrics::applied(view, records.len(), began.elapsed());
    Ok(Some(to))
}

/// Writes rows and checkpoint; false when the checkpoint is not where it is thought to be.
async fn write(
    pool: &Pool,
    known: &Checkpoint,
    to: Position,
    readings: Vec<Reading>,
    refused: Option<&str>,
) -> Result<bool, ViewError> {
    let mut client = db::connect(pool).await?;
    let written = write_on(&mut client, known, to, readings, refused).await;
    db::give_back(client, &written);
    written
}

async fn write_on(
    client: &mut Object,
    known: &Checkpoint,
    to: Position,
    readings: Vec<Reading>,
    refused: Option<&str>,
) -> Result<bool, ViewError> {
    let view = known.view;
    let transaction = db::write(client, &view.schema()).await?;
    if !take_in(&transaction, known, to, readings, refused).await? {
        return Ok(false);
    }
    checkpoint::announce(&transaction, view, to).await?;
    transaction
        .commit()
        .await
        .map_err(|error| ViewError::sql("committing rows and checkpoint", error))?;
    Ok(true)
}

/// Moves the checkpoint to `to` and applies what was read until there, in the tables of the search
/// path; false when the checkpoint is not where it is thought to be.
pub(crate) async fn take_in(
    transaction: &Transaction<'_>,
    known: &Checkpoint,
    to: Position,
    readings: Vec<Reading>,
    refused: Option<&str>,
) -> Result<bool, ViewError> {
    // First, so that a second runner waits here and has done no work when it loses.
    if !checkpoint::advance(transaction, known, to).await? {
        return Ok(false);
    }
    if readings.is_empty() {
        return Ok(true);
    }
    let view = known.view;
    let already = parked::already(transaction, view, &readings).await?;
    let parted = parked::part(view, readings, &already, refused);
    for entry in &parted.parked {
        if !already.contains(&entry.stream) {
            let (view, stream, position) = (entry.view, &entry.stream, entry.first.0);
            tracing::error!(%view, stream, position, reason = entry.reason, "parking a stream");
        }
    }
    view.apply(transaction, &parted.facts).await?;
    parked::add(transaction, view, &parted.parked).await?;
    Ok(true)
}

/// That `records` continue right after `after`, each right after the one before.
fn contiguous(after: Position, records: &[Record]) -> Result<(), String> {
    let mut expected = after.next();
    for record in records {
        if record.position != expected {
            let found = record.position;
            return Err(format!("position {expected} of the log is missing, {found} follows"));
        }
        expected = expected.next();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use doudi_journal::StreamName;

    use super::*;

    #[test]
    fn a_gap_is_found_before_between_and_nowhere_else() {
        let stream = StreamName::parse("ev.L-1.profile").unwrap();
        let record = |position| Record {
            position: Position(position),
            stream: stream.clone(),
            payload: Vec::new().into(),
        };
        let records = [record(4), record(5)];
        assert_eq!(contiguous(Position(3), &records), Ok(()));
        assert!(contiguous(Position(2), &records).unwrap_err().contains("position 3"));
        let holed = [record(4), record(6)];
        assert!(contiguous(Position(3), &holed).unwrap_err().contains("position 5"));
    }
}
