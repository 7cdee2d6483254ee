//! What can go wrong at the log, told apart by what the caller may do next.

use crate::{Position, StreamName};

/// The error underneath, whatever its type: kept for the log, not for decisions.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why an append did not return a position. Only [`AppendError::Unknown`] leaves open whether
/// the record is stored; after it the caller reads the stream and looks for its command.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream has moved on, or is not as far as the caller thought. Nothing was stored.
    #[error("appending to a stream: its last record is at position {actual}, not where expected")]
    Conflict {
        /// Position of the stream's last record, to be passed to `load` as `at_least`. It equals
        /// the expected position only when the conflict is with another append to the same stream
        /// that a cluster has not settled yet; the caller then tries again.
        actual: Position,
    },
    /// The log could not be reached, or refused for a reason of its own. Nothing was stored.
    #[error("appending to {stream}: the log is not available; nothing was stored")]
    Unavailable {
        /// The stream that was to be appended to.
        stream: StreamName,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
    /// The record left, and no answer came back: it may be stored or not, or still become so.
    #[error("appending to {stream}: no answer from the log; whether it was stored is unknown")]
    Unknown {
        /// The stream that was to be appended to.
        stream: StreamName,
        /// What broke off the wait.
        #[source]
        source: Source,
    },
    /// The record is larger than the log takes. Nothing was stored.
    #[error("appending to a stream: {bytes} bytes are more than the {bytes_max} allowed")]
    TooLarge {
        /// The size of the record in bytes.
        bytes: usize,
        /// The largest size allowed, in bytes.
        bytes_max: usize,
    },
    /// The log has reached its size limit or its disk is full. Nothing was stored.
    #[error("appending to {stream}: the log is full; nothing was stored")]
    LogFull {
        /// The stream that was to be appended to.
        stream: StreamName,
        /// What the server said.
        #[source]
        source: Source,
    },
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log did not answer in time, or only with something older than was asked for.
    #[error("reading {what}: the log is not available")]
    Unavailable {
        /// What was being read.
        what: String,
        /// What the connection or the server said.
        #[source]
        source: Source,
    },
    /// A record is missing from the middle of the log, which must never happen.
    #[error("reading the log: position {expected} is missing, the next record is at {found}")]
    Gap {
        /// The position that should have come next.
        expected: Position,
        /// The position that came.
        found: Position,
    },
}

/// Why following the log cannot go on. Lost connections are not among the reasons: those are
/// mended inside.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// A record is missing from the middle of the log, which must never happen.
    #[error("following the log: position {expected} is missing, the next record is at {found}")]
    Gap {
        /// The position that should have come next.
        expected: Position,
        /// The position that came.
        found: Position,
    },
    /// The log ends before the position that the follower has already seen: records were lost,
    /// or this is another log.
    #[error("following the log from position {after}: the log ends at {last}")]
    Behind {
        /// The last position that the follower has seen.
        after: Position,
        /// The last position of the log.
        last: Position,
    },
}
