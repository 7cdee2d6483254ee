//! The log in memory: the same promises as the real one, for tests and simulations. It is
//! unbounded by nature and lost with the process.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::watch, time::sleep};

mod faults;

pub use faults::{Fate, Faults, Passage};

use crate::{
    AppendError, COMMIT_BYTES_MAX, Entry, FOLLOW_BATCH_MAX, FollowError, LoadError, Moved,
    Position, Record, StreamName,
};

/// A log in memory. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    shared: Arc<Shared>,
    faults: Option<Arc<dyn Faults>>,
}

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Log>,
    last: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct Log {
    /// The record at position `n` stands at index `n - 1`.
    records: Vec<Record>,
    /// The indexes of each stream's records, oldest first.
    streams: HashMap<StreamName, Vec<usize>>,
}

impl Log {
    fn last(&self) -> Position {
        position(self.records.len())
    }

    fn last_of(&self, stream: &StreamName) -> Position {
        let newest = self.streams.get(stream).and_then(|indexes| indexes.last());
        newest.map_or(Position::START, |index| position(index + 1))
    }

    fn after(&self, after: Position, limit: usize) -> Vec<Record> {
        let from = usize::try_from(after.0).unwrap_or(usize::MAX).min(self.records.len());
        self.records[from..].iter().take(limit).cloned().collect()
    }
}

fn position(count: usize) -> Position {
    Position(u64::try_from(count).unwrap_or(u64::MAX))
}

impl Memory {
    /// An empty log.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    /// The same log as it is for somebody whom such faults befall. Following it, reading it by pages and
    /// its last position are spared.
    #[must_use]
    pub fn with_faults(&self, faults: Arc<dyn Faults>) -> Memory {
        Memory { shared: Arc::clone(&self.shared), faults: Some(faults) }
    }

    // A panic elsewhere cannot leave the log half-changed: every change ends in one push.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as somebody who reads has to, for an answer or in vain.
    async fn answers(&self, what: &(impl fmt::Display + ?Sized)) -> Result<(), LoadError> {
        if let Some((takes, answered)) = self.faults.as_ref().map(|faults| faults.load()) {
            sleep(takes).await;
            if !answered {
                let source = "no answer from the log".into();
                return Err(LoadError::Unavailable { what: what.to_string(), source });
            }
        }
        Ok(())
    }

    pub(crate) async fn moved(&self, kind: &str, after: Position) -> Result<Moved, LoadError> {
        self.answers(kind).await?;
        let log = self.lock();
        let records = log.after(after, usize::MAX).into_iter();
        let of_kind = records.filter(|record| record.stream.kind() == kind);
        let streams = of_kind.map(|record| (record.stream, record.position)).collect();
        Ok(Moved { streams, until: log.last().max(after) })
    }

    pub(crate) async fn load(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<Vec<Record>, LoadError> {
        self.answers(stream).await?;
        let log = self.lock();
        let last = log.last_of(stream);
        if last.max(after) < at_least {
            return Err(LoadError::Unavailable {
                what: stream.to_string(),
                source: format!("the stream ends at position {last}, not {at_least}").into(),
            });
        }
        let indexes = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let newer = indexes.partition_point(|index| position(index + 1) <= after);
        Ok(indexes[newer..].iter().map(|&index| log.records[index].clone()).collect())
    }

    pub(crate) async fn append(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
    ) -> Result<Position, AppendError> {
        let Some(Passage { there, fate, back }) =
            self.faults.as_ref().map(|faults| faults.append())
        else {
            return self.store(stream, payload, expected);
        };
        sleep(there).await;
        let unknown = |source: &str| {
            Err(AppendError::Unknown { stream: stream.clone(), source: source.into() })
        };
        match fate {
            Fate::Arrives => {
                let stored = self.store(stream, payload, expected);
                sleep(back).await;
                stored
            }
            Fate::Refused => {
                let source = "the log turns records away".into();
                Err(AppendError::Unavailable { stream: stream.clone(), source })
            }
            Fate::Lost => unknown("the record was lost"),
            Fate::Unanswered => {
                let _ = self.store(stream, payload, expected);
                unknown("the answer was lost")
            }
            Fate::Late { after, twice } => {
                self.deliver_late(stream.clone(), payload, expected, after, twice);
                unknown("the record is still under way")
            }
        }
    }

    fn deliver_late(
        &self,
        stream: StreamName,
        payload: Bytes,
        expected: Position,
        after: Duration,
        twice: bool,
    ) {
        let log = self.clone();
        tokio::spawn(async move {
            for _ in 0..=usize::from(twice) {
                sleep(after).await;
                // Nobody waits for the answer any more.
                let _ = log.store(&stream, payload.clone(), expected);
            }
        });
    }

    fn store(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
    ) -> Result<Position, AppendError> {
        if payload.len() > COMMIT_BYTES_MAX {
            return Err(AppendError::TooLarge {
                bytes: payload.len(),
                bytes_max: COMMIT_BYTES_MAX,
            });
        }
        let mut log = self.lock();
        let actual = log.last_of(stream);
        if actual != expected {
            return Err(AppendError::Conflict { actual });
        }
        let index = log.records.len();
        let position = position(index + 1);
        log.streams.entry(stream.clone()).or_default().push(index);
        log.records.push(Record { position, stream: stream.clone(), payload });
        self.shared.last.send_replace(position);
        Ok(position)
    }

    pub(crate) fn read(&self, after: Position, limit: usize) -> Vec<Record> {
        self.lock().after(after, limit)
    }

    pub(crate) fn entries(&self, after: Position, limit: usize) -> Vec<Entry> {
        let entry = |Record { position, stream, payload }| {
            let subject = stream.as_str().to_owned();
            Entry { position, subject, headers: Vec::new(), payload }
        };
        self.read(after, limit).into_iter().map(entry).collect()
    }

    pub(crate) fn last_position(&self) -> Position {
        self.lock().last()
    }

    pub(crate) fn follow(&self, after: Position) -> MemoryFollow {
        MemoryFollow { memory: self.clone(), after, last: self.shared.last.subscribe() }
    }
}

/// A follower of the log in memory.
#[derive(Debug)]
pub(crate) struct MemoryFollow {
    memory: Memory,
    after: Position,
    last: watch::Receiver<Position>,
}

impl MemoryFollow {
    pub(crate) async fn next(&mut self) -> Result<Vec<Record>, FollowError> {
        let last = self.memory.last_position();
        if last < self.after {
            return Err(FollowError::Behind { after: self.after, last });
        }
        loop {
            // Marked as seen before reading, so that an append in between wakes the wait below.
            self.last.mark_unchanged();
            let records = self.memory.read(self.after, FOLLOW_BATCH_MAX);
            if let Some(newest) = records.last() {
                self.after = newest.position;
                return Ok(records);
            }
            // The sender lives in `self.memory`, so the channel cannot be closed.
            let _ = self.last.changed().await;
        }
    }
}
