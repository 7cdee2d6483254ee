//! Values that wait beside the log until another store takes them over, at most one under each name.
//!
//! Invariants: a name is put once, so all who put under it at the same time get the same value; a value
//! that was put is as durable as a record. Two stores keep these promises: [`MemorySpool`], and
//! [`JetStreamSpool`] in a JetStream stream of its own, which is the real one.

mod memory;

use bytes::Bytes;

pub use self::memory::MemorySpool;
pub use crate::jetstream::{JetStreamSpool, OpenSpoolError};
use crate::{READ_RECORDS_MAX, Source};

/// A value that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spooled {
    /// Where it stands among all that ever waited; this only grows.
    pub sequence: u64,
    /// The value.
    pub value: Bytes,
}

/// The store did not answer, or refused, for example because it is full. After putting or removing it is
/// open whether that was done; doing it again is harmless.
#[derive(Debug, thiserror::Error)]
#[error("{doing} what waits beside the log: its store is not available")]
pub struct SpoolError {
    doing: &'static str,
    #[source]
    source: Source,
}

impl SpoolError {
    pub(crate) fn new(doing: &'static str, source: Source) -> SpoolError {
        SpoolError { doing, source }
    }
}

/// A store of values that wait. Cheap to clone; clones share the store and the connection.
#[derive(Clone, Debug)]
pub enum Spool {
    /// Values in this process, gone when it ends.
    Memory(MemorySpool),
    /// The durable values on a NATS server or cluster.
    JetStream(JetStreamSpool),
}

impl Spool {
    /// Lets `value` wait under `name`, which is not empty, unless one waits there already. Gives the one
    /// that waits then, durable as far as the log is.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn put_first(&self, name: &str, value: Bytes) -> Result<Spooled, SpoolError> {
        match self {
            Spool::Memory(memory) => Ok(memory.put_first(name, value)),
            Spool::JetStream(jetstream) => Box::pin(jetstream.put_first(name, value)).await,
        }
    }

    /// The value that waits under `name`.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn get(&self, name: &str) -> Result<Option<Spooled>, SpoolError> {
        match self {
            Spool::Memory(memory) => Ok(memory.get(name)),
            Spool::JetStream(jetstream) => Box::pin(jetstream.get(name)).await,
        }
    }

    /// Removes that very value, its bytes overwritten where they lay; the Raft logs of a cluster hold them
    /// until they are compacted. That it is gone is no error, and one that was put under its name since
    /// stays.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn remove(&self, spooled: &Spooled) -> Result<(), SpoolError> {
        match self {
            Spool::Memory(memory) => {
                memory.remove(spooled);
                Ok(())
            }
            Spool::JetStream(jetstream) => Box::pin(jetstream.remove(spooled)).await,
        }
    }

    /// What waits after that sequence, oldest first: up to `limit` values (at least one, at most
    /// [`READ_RECORDS_MAX`]). None is the end; what was put just now may be missing.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn after(&self, sequence: u64, limit: usize) -> Result<Vec<Spooled>, SpoolError> {
        let limit = limit.clamp(1, READ_RECORDS_MAX);
        match self {
            Spool::Memory(memory) => Ok(memory.after(sequence, limit)),
            Spool::JetStream(jetstream) => Box::pin(jetstream.after(sequence, limit)).await,
        }
    }
}
