//! Objects beside the log: whole files, each named by the hash of its bytes. What is too large for
//! a record lies here, and the record holds the name.
//!
//! Invariants: an object never changes, so a name stands for the same bytes for ever; what is
//! handed out has been checked against its name. Two stores keep these promises:
//! [`MemoryObjects`], and [`JetStreamObjects`] in the NATS object store, which is the real one.

mod memory;

use std::{fmt, str::FromStr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::memory::MemoryObjects;
pub use crate::jetstream::{JetStreamObjects, OpenObjectsError};
use crate::{Hash, HashError, Source};

/// The most bytes that one object may have: 20 MiB.
pub const OBJECT_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The name of an object: the hash of its stored bytes. Where these are sealed before they are
/// stored, the name says nothing about their content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectName(Hash);

impl ObjectName {
    /// The name of an object with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> ObjectName {
        ObjectName(Hash::sha256(bytes))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ObjectName {
    type Err = HashError;

    fn from_str(text: &str) -> Result<ObjectName, HashError> {
        text.parse().map(ObjectName)
    }
}

/// Why an object could not be stored, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object is larger than allowed. When storing, nothing was stored.
    #[error("the object {name} has {bytes} bytes, more than the {bytes_max} allowed")]
    TooLarge {
        /// The object.
        name: ObjectName,
        /// Its size in bytes.
        bytes: usize,
        /// The largest size allowed, in bytes.
        bytes_max: usize,
    },
    /// The bytes to be stored do not have the hash that the name says. Nothing was stored.
    #[error("storing the object {name}: its bytes have another hash, {found}")]
    WrongName {
        /// The name under which the bytes were to be stored.
        name: ObjectName,
        /// The name that the bytes have.
        found: ObjectName,
    },
    /// There is no such object: it was never stored whole, or was deleted.
    #[error("reading the object {name}: there is none")]
    Missing {
        /// The object.
        name: ObjectName,
    },
    /// The object is there, but its bytes are not those that were stored. Storing it again mends it.
    #[error("reading the object {name}: {fault}")]
    Damaged {
        /// The object.
        name: ObjectName,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The store did not answer, or refused, for example because it is full. After storing or
    /// deleting it is open whether that was done; doing it again is harmless.
    #[error("{doing} the object {name}: the object store is not available")]
    Unavailable {
        /// What was being done: storing, reading or deleting.
        doing: &'static str,
        /// The object.
        name: ObjectName,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
}

/// A store of objects. Cheap to clone; clones share the store and the connection.
#[derive(Clone, Debug)]
pub enum Objects {
    /// Objects in this process, gone when it ends.
    Memory(MemoryObjects),
    /// The durable objects on a NATS server or cluster.
    JetStream(JetStreamObjects),
}

impl Objects {
    /// Stores `bytes` under their name; durable, as far as the log is, once this returns. An
    /// object that is there already stays as it is. Dropping the future before it is done leaves
    /// open whether the object is stored, never a part of one to be read.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] above [`OBJECT_BYTES_MAX`], [`ObjectError::WrongName`],
    /// [`ObjectError::Unavailable`].
    pub async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), ObjectError> {
        if bytes.len() > OBJECT_BYTES_MAX {
            return Err(too_large(name, bytes.len(), OBJECT_BYTES_MAX));
        }
        let found = ObjectName::of(&bytes);
        if found != *name {
            return Err(ObjectError::WrongName { name: name.clone(), found });
        }
        match self {
            Objects::Memory(memory) => {
                memory.put(name, bytes);
                Ok(())
            }
            Objects::JetStream(jetstream) => jetstream.put(name, bytes).await,
        }
    }

    /// The bytes of an object of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`ObjectError::Missing`], [`ObjectError::TooLarge`], [`ObjectError::Damaged`],
    /// [`ObjectError::Unavailable`].
    pub async fn get(&self, name: &ObjectName, bytes_max: usize) -> Result<Bytes, ObjectError> {
        match self {
            Objects::Memory(memory) => memory.get(name, bytes_max),
            Objects::JetStream(jetstream) => jetstream.get(name, bytes_max).await,
        }
    }

    /// Deletes an object. That there is none is no error.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        match self {
            Objects::Memory(memory) => {
                memory.delete(name);
                Ok(())
            }
            Objects::JetStream(jetstream) => jetstream.delete(name).await,
        }
    }
}

/// The bytes of an object, provided that they are those that its name stands for.
pub(crate) fn checked(name: &ObjectName, bytes: Bytes) -> Result<Bytes, ObjectError> {
    if ObjectName::of(&bytes) == *name {
        return Ok(bytes);
    }
    Err(ObjectError::Damaged { name: name.clone(), fault: "its bytes have another hash" })
}

pub(crate) fn too_large(name: &ObjectName, bytes: usize, bytes_max: usize) -> ObjectError {
    ObjectError::TooLarge { name: name.clone(), bytes, bytes_max }
}
