//! The event log: append with an expected version, load a stream, follow from a position. It
//! knows no rule.
//!
//! One commit is one record on one stream. A [`Position`] orders all records of the log without
//! gaps; a stream's records are found by the literal subject of its [`StreamName`]. Two logs
//! keep the same promises: [`Memory`], and [`JetStream`] on NATS, which is the real one. Beside
//! the log, [`Objects`] keeps whole files that are too large for a record, and [`Spool`] what waits
//! until another store takes it over.

pub mod archive;
mod commit;
mod error;
mod hash;
pub mod jetstream;
mod memory;
pub mod metrics;
mod objects;
mod position;
mod record;
mod spool;
mod stream_name;
pub mod trace;

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use tracing::{Instrument, field};

pub use crate::{
    archive::{Archive, ArchiveError, ArchiveReader, Entry},
    commit::{
        Actor, COMMIT_BYTES_MAX, Commit, CommitFault, DecodeError, EVENTS_MAX, EncodeError,
        StoredEvent,
    },
    error::{AppendError, FollowError, LoadError, Source},
    hash::{Hash, HashError},
    jetstream::{
        ConnectError, CreateError, Credentials, Durability, GateRefusal, GateReport, JetStream,
        JetStreamSettings, RestoreError, SyncMode,
    },
    memory::{Fate, Faults, Memory, Passage, SyncFate},
    objects::{
        JetStreamObjects, MemoryObjects, OBJECT_BYTES_MAX, ObjectError, ObjectName, Objects,
        OpenObjectsError,
    },
    position::{Position, Version},
    record::Record,
    spool::{JetStreamSpool, MemorySpool, OpenSpoolError, Spool, SpoolError, Spooled},
    stream_name::{CITY, StreamName, StreamNameError, TOKEN_BYTES_MAX},
};

/// The most records that [`Follow::next`] hands out at once.
pub const FOLLOW_BATCH_MAX: usize = 1000;

/// The most records that [`Journal::read`] returns at once, whatever was asked for.
pub const READ_RECORDS_MAX: usize = 1000;

/// Which streams have moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The streams of new records and their positions, in the order of the log.
    pub streams: Vec<(StreamName, Position)>,
    /// How far the log was looked through; the next question goes on from there.
    pub until: Position,
}

/// A log. Cheap to clone; clones share the log and the connection.
#[derive(Clone, Debug)]
pub enum Journal {
    /// A log in this process, gone when it ends.
    Memory(Memory),
    /// The durable log on a NATS server or cluster.
    JetStream(JetStream),
}

impl Journal {
    /// Every record of `stream` after the position `after`, oldest first, reflecting the log at
    /// least as of `at_least`: a position on this stream that the caller knows of, or 0 for
    /// whatever is there. Pages internally, so no single answer of the server is large.
    ///
    /// # Errors
    /// [`LoadError::Unavailable`] when the log does not answer in time or stays older than
    /// `at_least`.
    pub async fn load(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<Vec<Record>, LoadError> {
        match self {
            Journal::Memory(memory) => memory.load(stream, after, at_least).await,
            Journal::JetStream(jetstream) => jetstream.load(stream, after, at_least).await,
        }
    }

    /// Appends one record to `stream`, provided that the stream's last record is at `expected`
    /// (0 for a stream without records), and returns the new record's position. The record is
    /// sent once and never again: after [`AppendError::Unknown`] the caller must look. Dropping
    /// the future before it is done is such an unknown outcome as well.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(
        &self,
        stream: &StreamName,
        payload: Bytes,
        expected: Position,
    ) -> Result<Position, AppendError> {
        let asked = Instant::now();
        // Of the stream only its kind: a trace must not tell whose affairs a caller is busy with.
        let span = tracing::debug_span!("append", kind = stream.kind(), outcome = field::Empty);
        let answer = async {
            match self {
                Journal::Memory(memory) => memory.append(stream, payload, expected).await,
                Journal::JetStream(jetstream) => jetstream.append(stream, payload, expected).await,
            }
        };
        let answer = answer.instrument(span.clone()).await;
        span.record("outcome", metrics::appended(&answer, asked.elapsed()));
        answer
    }

    /// Follows the whole log from right after the position `after`. Nothing happens until
    /// [`Follow::next`] is called.
    #[must_use]
    pub fn follow(&self, after: Position) -> Follow {
        Follow(match self {
            Journal::Memory(memory) => Follower::Memory(memory.follow(after)),
            Journal::JetStream(jetstream) => Follower::JetStream(Box::new(jetstream.follow(after))),
        })
    }

    /// The position of the newest record of the log; 0 when there is none.
    ///
    /// # Errors
    /// [`LoadError::Unavailable`] when the log does not answer in time.
    pub async fn last_position(&self) -> Result<Position, LoadError> {
        match self {
            Journal::Memory(memory) => Ok(memory.last_position()),
            Journal::JetStream(jetstream) => jetstream.last_position().await,
        }
    }

    /// One page of the whole log, in order: up to `limit` records (at most
    /// [`READ_RECORDS_MAX`]) after the position `after`. An empty page is the end of the log.
    ///
    /// # Errors
    /// [`LoadError::Unavailable`] when the log does not answer in time, [`LoadError::Gap`] when
    /// a record is missing.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, LoadError> {
        let limit = limit.min(READ_RECORDS_MAX);
        match self {
            Journal::Memory(memory) => Ok(memory.read(after, limit)),
            Journal::JetStream(jetstream) => jetstream.read(after, limit).await,
        }
    }

    /// As [`Journal::read`], with everything that the log keeps of a record: what an archive is made of.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub async fn entries(&self, after: Position, limit: usize) -> Result<Vec<Entry>, LoadError> {
        let limit = limit.min(READ_RECORDS_MAX);
        match self {
            Journal::Memory(memory) => Ok(memory.entries(after, limit)),
            Journal::JetStream(jetstream) => jetstream.entries(after, limit).await,
        }
    }

    /// The position of the last commit that was recorded at `instant` or before; the start when there is
    /// none. Where the clocks of two writers differ, commits that they recorded meanwhile may lie on either
    /// side. Found by halving: one read for each doubling of the log.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub async fn position_at(&self, instant: Timestamp) -> Result<Position, LoadError> {
        let (mut before, mut last) = (0, self.last_position().await?.0);
        while before < last {
            let middle = before + (last - before).div_ceil(2);
            let read = self.read(Position(middle - 1), 1).await?;
            let commit = read.first().and_then(|record| record.commit().ok());
            // What cannot be read says nothing of when it was recorded, and those around it do.
            match commit.is_none_or(|commit| commit.recorded_at <= instant) {
                true => before = middle,
                false => last = middle - 1,
            }
        }
        Ok(Position(before))
    }

    /// Which streams of a kind have moved since the position `after`, for a kind of which every owner has one
    /// stream. One question where none has, however many streams and records there are; what it answers stands in
    /// for loading each of them.
    ///
    /// # Errors
    /// [`LoadError::Unavailable`] when the log does not answer in time.
    pub async fn moved(&self, kind: &str, after: Position) -> Result<Moved, LoadError> {
        match self {
            Journal::Memory(memory) => memory.moved(kind, after).await,
            Journal::JetStream(jetstream) => jetstream.moved(kind, after).await,
        }
    }

    /// The same log over another connection, without what the start-up gate put before this one. A record
    /// whose headers were damaged on the disk takes the connection down that reads it.
    ///
    /// # Errors
    /// As [`JetStream::connect`].
    pub async fn again(&self) -> Result<Journal, ConnectError> {
        Ok(match self {
            Journal::Memory(memory) => Journal::Memory(memory.clone()),
            Journal::JetStream(jetstream) => Journal::JetStream(jetstream.again().await?),
        })
    }

    /// Whether the log can be reached at this moment, as far as is known without asking it.
    #[must_use]
    pub fn connected(&self) -> bool {
        match self {
            Journal::Memory(memory) => memory.connected(),
            Journal::JetStream(jetstream) => jetstream.connected(),
        }
    }
}

/// A follower of the whole log. Lost connections and restarts of the server are mended inside.
#[derive(Debug)]
pub struct Follow(Follower);

#[derive(Debug)]
enum Follower {
    Memory(memory::MemoryFollow),
    JetStream(Box<jetstream::JetStreamFollow>),
}

impl Follow {
    /// The next records in order, without a gap: at least one, at most [`FOLLOW_BATCH_MAX`].
    /// Waits while there is none. Dropping the future before it is done loses nothing.
    ///
    /// # Errors
    /// [`FollowError`] when the log itself is broken; the follower is then of no more use.
    pub async fn next(&mut self) -> Result<Vec<Record>, FollowError> {
        match &mut self.0 {
            Follower::Memory(follow) => follow.next().await,
            Follower::JetStream(follow) => follow.next().await,
        }
    }
}
