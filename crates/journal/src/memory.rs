//! The log in memory: the same promises as the real one, for tests and simulations. It is
//! unbounded by nature and lost with the process; what it calls the disk is how much of it a power cut
//! leaves.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::watch, time::sleep};

mod faults;
mod log;

pub use faults::{Fate, Faults, Passage, SyncFate};

use crate::{
    AppendError, COMMIT_BYTES_MAX, Entry, FOLLOW_BATCH_MAX, FollowError, LoadError, Moved,
    Position, Record, Source, StreamName,
};
use log::Log;

/// A log in memory. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    shared: Arc<Shared>,
    /// Whose handle it is; none for somebody whom nothing befalls.
    process: Option<Arc<Process>>,
}

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Log>,
    last: watch::Sender<Position>,
}

/// A program on the machine of the log.
#[derive(Debug)]
struct Process {
    faults: Arc<dyn Faults>,
    /// Since which power cut it runs.
    boot: u64,
    /// The disk did not take something once.
    disk_failed: AtomicBool,
}

impl Memory {
    /// An empty log.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    /// The same log as it is for a program whom such faults befall. What it learns was forced to disk before.
    /// Following the log, reading it by pages and its last position are spared.
    #[must_use]
    pub fn with_faults(&self, faults: Arc<dyn Faults>) -> Memory {
        let (boot, disk_failed) = (self.lock().boot, AtomicBool::new(false));
        let process = Some(Arc::new(Process { faults, boot, disk_failed }));
        Memory { shared: Arc::clone(&self.shared), process }
    }

    /// The power goes, and with it every program that has faults: what these still do reaches nothing. Of what
    /// was not forced to disk only the oldest `kept` records are there afterwards. Gives how many are not.
    #[must_use]
    pub fn cut_power(&self, kept: usize) -> usize {
        let mut log = self.lock();
        let lost = log.cut(kept);
        self.shared.last.send_replace(log.last());
        lost
    }

    /// How many records are not forced to disk yet.
    #[must_use]
    pub fn at_stake(&self) -> usize {
        self.lock().at_stake()
    }

    pub(crate) fn connected(&self) -> bool {
        self.process.as_ref().is_none_or(|process| {
            self.lock().boot == process.boot && !process.disk_failed.load(SeqCst)
        })
    }

    // A panic elsewhere cannot leave the log half-changed: every change ends in one push.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as somebody who reads has to, for an answer or in vain.
    async fn answers(&self, what: &(impl fmt::Display + ?Sized)) -> Result<(), LoadError> {
        if let Some((takes, answered)) = self.process.as_ref().map(|process| process.faults.load())
        {
            sleep(takes).await;
            if !answered {
                return Err(unavailable(what, "no answer from the log".into()));
            }
        }
        Ok(())
    }

    /// Waits until all up to `position`, which the log has, is on disk: by one sync, which covers all that the
    /// log has when it begins. The first failure is final.
    async fn reach(&self, position: Position) -> Result<(), Source> {
        let Some(process) = &self.process else {
            self.lock().sync(position);
            return Ok(());
        };
        let failed = || Err("the log could not be forced to disk".into());
        if !self.connected() {
            return failed();
        }
        let covers = {
            let log = self.lock();
            if log.synced >= position {
                return Ok(());
            }
            log.last()
        };
        let (takes, fate) = process.faults.sync();
        if !takes.is_zero() {
            sleep(takes).await;
        }
        if fate == SyncFate::Fails {
            process.disk_failed.store(true, SeqCst);
        }
        if !self.connected() {
            return failed();
        }
        if fate == SyncFate::Succeeds {
            self.lock().sync(covers);
        }
        Ok(())
    }

    pub(crate) async fn moved(&self, kind: &str, after: Position) -> Result<Moved, LoadError> {
        self.answers(kind).await?;
        let moved = {
            let log = self.lock();
            let records = log.after(after, usize::MAX).into_iter();
            let of_kind = records.filter(|record| record.stream.kind() == kind);
            let streams = of_kind.map(|record| (record.stream, record.position)).collect();
            Moved { streams, until: log.last().max(after) }
        };
        self.reach(moved.until).await.map_err(|source| unavailable(kind, source))?;
        Ok(moved)
    }

    pub(crate) async fn load(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<Vec<Record>, LoadError> {
        self.answers(stream).await?;
        let records = self.lock().of(stream, after, at_least)?;
        let newest = records.last().map_or(Position::START, |record| record.position);
        self.reach(newest).await.map_err(|source| unavailable(stream, source))?;
        Ok(records)
    }

    pub(crate) async fn append(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
    ) -> Result<Position, AppendError> {
        let Some(process) = &self.process else {
            return self.arrive(stream, payload, Some(expected)).await;
        };
        let unknown = |source: &str| {
            Err(AppendError::Unknown { stream: stream.clone(), source: source.into() })
        };
        let Passage { there, fate, back } = process.faults.append();
        sleep(there).await;
        match fate {
            Fate::Arrives | Fate::Forced => {
                let expected = Some(expected).filter(|_| fate == Fate::Arrives);
                let stored = self.arrive(stream, payload, expected).await;
                sleep(back).await;
                stored
            }
            Fate::Refused => {
                let source = "the log turns records away".into();
                Err(AppendError::Unavailable { stream: stream.clone(), source })
            }
            Fate::Lost => unknown("the record was lost"),
            Fate::Unanswered => {
                let _ = self.store(stream, payload, Some(expected));
                unknown("the answer was lost")
            }
            Fate::Late { after, twice } => {
                self.deliver_late(stream.clone(), payload, expected, after, twice);
                unknown("the record is still under way")
            }
        }
    }

    /// Stores a record and forces it to disk.
    async fn arrive(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Option<Position>,
    ) -> Result<Position, AppendError> {
        let stored = self.store(stream, payload, expected)?;
        let reached = self.reach(stored).await;
        reached.map_err(|source| AppendError::Unknown { stream: stream.clone(), source })?;
        Ok(stored)
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
                let _ = log.store(&stream, payload.clone(), Some(expected));
            }
        });
    }

    fn store(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Option<Position>,
    ) -> Result<Position, AppendError> {
        if payload.len() > COMMIT_BYTES_MAX {
            return Err(AppendError::TooLarge {
                bytes: payload.len(),
                bytes_max: COMMIT_BYTES_MAX,
            });
        }
        let mut log = self.lock();
        if self.process.as_ref().is_some_and(|process| process.boot != log.boot) {
            let source = "the power went".into();
            return Err(AppendError::Unavailable { stream: stream.clone(), source });
        }
        let position = log.push(stream, payload, expected)?;
        self.shared.last.send_replace(position);
        Ok(position)
    }

    pub(crate) fn read(&self, after: Position, limit: usize) -> Vec<Record> {
        let mut log = self.lock();
        let records = log.after(after, limit);
        log.sync(records.last().map_or(Position::START, |record| record.position));
        records
    }

    pub(crate) fn entries(&self, after: Position, limit: usize) -> Vec<Entry> {
        let entry = |Record { position, stream, payload }| {
            let subject = stream.as_str().to_owned();
            Entry { position, subject, headers: Vec::new(), payload }
        };
        self.read(after, limit).into_iter().map(entry).collect()
    }

    pub(crate) fn last_position(&self) -> Position {
        let mut log = self.lock();
        let last = log.last();
        log.sync(last);
        last
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

fn unavailable(what: &(impl fmt::Display + ?Sized), source: Source) -> LoadError {
    LoadError::Unavailable { what: what.to_string(), source }
}

#[cfg(test)]
mod tests;
