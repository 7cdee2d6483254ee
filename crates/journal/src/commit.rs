//! A commit: what one accepted command adds to one stream, as the JSON that is stored.
//!
//! Invariants, checked both when writing and when reading: 1 to [`EVENTS_MAX`] events, at most
//! [`COMMIT_BYTES_MAX`] bytes, versions from 1, and the hash of the previous commit present
//! exactly from version 2 on. Field names are the storage format and never change.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Hash, StreamName, Version};

/// The largest encoded commit, in bytes.
pub const COMMIT_BYTES_MAX: usize = 512 * 1024;

/// The most events that one commit may hold.
pub const EVENTS_MAX: usize = 256;

/// Everything that one command recorded, stored as one record: all of it or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The stream that the commit belongs to, repeated inside so that the hash covers it.
    pub stream: StreamName,
    /// The number of this commit in its stream, from 1.
    pub version: Version,
    /// The hash of the bytes of the stream's previous commit; absent only at version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Hash>,
    /// The id that the client chose for the command; the same id never acts twice.
    pub command_id: Uuid,
    /// The hash of the command's content, to tell a repetition from another command under the
    /// same id.
    pub command_digest: Hash,
    /// Who acted.
    pub actor: Actor,
    /// When the fact happened, as far as is known.
    pub occurred_at: Timestamp,
    /// When the fact became known here.
    pub recorded_at: Timestamp,
    /// The command that caused this one, when a process and not a person issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    /// The id shared by everything that goes back to one first command.
    pub correlation: Uuid,
    /// The W3C Trace Context `traceparent` of the request, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The events, in the order in which they apply.
    pub events: Vec<StoredEvent>,
}

/// Who acted: taken from the identity of the connection, never from a request's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account: a person's or a system's stable id.
    pub principal: String,
    /// The administrative unit that the account acted for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The device that the command was given on, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whom the account stood in for, if anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

impl Actor {
    /// A principal that acts for no unit, on no device and on nobody's behalf.
    pub fn of(principal: impl Into<String>) -> Actor {
        Actor { principal: principal.into(), unit: None, device: None, on_behalf_of: None }
    }
}

/// One event as it is stored: an explicit name, the version of its shape, and its content as
/// unparsed JSON, so that the log needs to know no event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event's name, part of the storage format.
    #[serde(rename = "type")]
    pub name: String,
    /// The version of the event's shape, from 1.
    #[serde(rename = "v")]
    pub version: u16,
    /// The event's content.
    pub data: Box<RawValue>,
}

impl PartialEq for StoredEvent {
    fn eq(&self, other: &StoredEvent) -> bool {
        self.name == other.name
            && self.version == other.version
            && self.data.get() == other.data.get()
    }
}

impl Commit {
    /// Whether this commit is the next one of a stream whose last commit has `version` and the
    /// hash `last`; 0 and none for a stream without commits.
    #[must_use]
    pub fn continues(&self, version: Version, last: Option<&Hash>) -> bool {
        self.version == version.next() && self.previous.as_ref() == last
    }

    /// The bytes to store.
    ///
    /// # Errors
    /// Refuses a commit that breaks an invariant of this module.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        self.check().map_err(EncodeError::Malformed)?;
        let bytes = serde_json::to_vec(self).map_err(EncodeError::Json)?;
        if bytes.len() > COMMIT_BYTES_MAX {
            return Err(EncodeError::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes.into())
    }

    /// Reads stored bytes back. Fields that are not known are passed over, so that an older
    /// reader can follow a newer writer.
    ///
    /// # Errors
    /// Refuses bytes that are not a commit or break an invariant of this module.
    pub fn decode(bytes: &[u8]) -> Result<Commit, DecodeError> {
        if bytes.len() > COMMIT_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: bytes.len() });
        }
        // As they are stored: before it, white space would be no part of the JSON, but of what is hashed.
        if bytes.first() != Some(&b'{') {
            return Err(DecodeError::Json { column: 1 });
        }
        let commit: Commit = serde_json::from_slice(bytes)
            .map_err(|error| DecodeError::Json { column: error.column() })?;
        commit.check().map_err(DecodeError::Malformed)?;
        Ok(commit)
    }

    fn check(&self) -> Result<(), CommitFault> {
        let events = self.events.len();
        if !(1..=EVENTS_MAX).contains(&events) {
            return Err(CommitFault::EventCount { events });
        }
        match (self.version, &self.previous) {
            (Version(0), _) => Err(CommitFault::VersionZero),
            (Version(1), Some(_)) => Err(CommitFault::PreviousAtFirst),
            (Version(2..), None) => Err(CommitFault::PreviousMissing { version: self.version }),
            (Version(1), None) | (Version(2..), Some(_)) => Ok(()),
        }
    }
}

/// Which invariant a commit breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitFault {
    /// No event, or more than [`EVENTS_MAX`].
    #[error("a commit must hold 1 to {EVENTS_MAX} events, not {events}")]
    EventCount {
        /// How many events it has.
        events: usize,
    },
    /// Commits are counted from 1.
    #[error("the version of a commit must be at least 1")]
    VersionZero,
    /// There is no commit before the first.
    #[error("the first commit of a stream must not name a previous one")]
    PreviousAtFirst,
    /// The chain of hashes must not break.
    #[error("the commit at version {version} must carry the hash of the previous one")]
    PreviousMissing {
        /// The version of the commit.
        version: Version,
    },
}

/// Why a commit cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The commit breaks an invariant.
    #[error("encoding a commit: it is malformed")]
    Malformed(#[source] CommitFault),
    /// The commit is larger than [`COMMIT_BYTES_MAX`].
    #[error("encoding a commit: it has {bytes} bytes, more than the {COMMIT_BYTES_MAX} allowed")]
    TooLarge {
        /// Its encoded size in bytes.
        bytes: usize,
    },
    /// The commit cannot be written as JSON.
    #[error("encoding a commit as JSON")]
    Json(#[source] serde_json::Error),
}

/// Why stored bytes are not a commit that can be used.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are a commit that breaks an invariant.
    #[error("decoding a commit: it is malformed")]
    Malformed(#[source] CommitFault),
    /// There are more bytes than [`COMMIT_BYTES_MAX`].
    #[error("decoding a commit: it has {bytes} bytes, more than the {COMMIT_BYTES_MAX} allowed")]
    TooLarge {
        /// The size found, in bytes.
        bytes: usize,
    },
    /// The bytes are not the JSON of a commit. What stands there instead is not told: it may be the words
    /// of a person, and this ends up in log lines.
    #[error("decoding a commit from JSON: byte {column} is not as it should be")]
    Json {
        /// Where, counted from 1.
        column: usize,
    },
    /// The commit says that it belongs to another stream than the one it was found on.
    #[error("decoding a commit: it was found on {found} but names the stream {named}")]
    WrongStream {
        /// The stream that the commit names.
        named: StreamName,
        /// The stream that it was found on.
        found: StreamName,
    },
}

#[cfg(test)]
mod tests;
