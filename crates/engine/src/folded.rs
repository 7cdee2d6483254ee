//! A stream folded into its state, with what the next commit builds on.

use std::collections::HashMap;

use doudi_domain::{
    Decider,
    codec::{self, CodecError},
};
use doudi_journal::{
    Commit, DecodeError, Hash, Journal, Position, Record, StoredEvent, StreamName, Version,
};
use jiff::Timestamp;
use uuid::Uuid;

/// About how many bytes a receipt takes with its place in the table.
const RECEIPT_BYTES: usize = 110;

/// A stream up to its last known commit.
#[derive(Debug, Clone)]
pub struct Folded<D> {
    /// The state that all events fold into.
    pub state: D,
    /// The number of commits; 0 for an empty stream.
    pub version: Version,
    /// The log position of the last commit; 0 for an empty stream.
    pub position: Position,
    pub(crate) last: Option<Hash>,
    pub(crate) receipts: HashMap<Uuid, Receipt>,
    /// About how many bytes the state takes.
    state_bytes: usize,
}

/// How far an earlier state of a stream reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To that position of the log: what was known then.
    Position(Position),
    /// To what happened until then, by all that is known now.
    Occurred(Timestamp),
}

/// Where a command ended up, by its id.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) digest: Hash,
    pub(crate) version: Version,
    pub(crate) position: Position,
}

/// A stream that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log does not answer.
    #[error("the log did not answer in time")]
    Unavailable(#[source] doudi_journal::LoadError),
    /// A commit cannot be understood.
    #[error("the commit at {position} of the stream {stream} cannot be understood")]
    Commit {
        /// The stream.
        stream: StreamName,
        /// The commit.
        position: Position,
        /// Why.
        source: DecodeError,
    },
    /// An event cannot be understood.
    #[error("an event at {position} of the stream {stream} cannot be understood")]
    Event {
        /// The stream.
        stream: StreamName,
        /// Its commit.
        position: Position,
        /// Why.
        source: CodecError,
    },
    /// A commit does not continue the one before it: the log was tampered with or damaged.
    #[error(
        "the commit at {position} of the stream {stream} does not continue the commit before it"
    )]
    Chain {
        /// The stream.
        stream: StreamName,
        /// The commit.
        position: Position,
    },
}

impl<D: Decider> Default for Folded<D> {
    fn default() -> Self {
        Self {
            state: D::default(),
            version: Version::default(),
            position: Position::default(),
            last: None,
            receipts: HashMap::new(),
            state_bytes: 0,
        }
    }
}

impl<D> Folded<D> {
    /// Whether the command of that id left something in the stream.
    #[must_use]
    pub fn knows(&self, command_id: Uuid) -> bool {
        self.receipts.contains_key(&command_id)
    }
}

impl<D: Decider> Folded<D> {
    /// Folds one more record; checks that it continues the stream.
    pub(crate) fn record(mut self, record: &Record) -> Result<Self, LoadError> {
        let Record { position, stream, .. } = record;
        let commit = commit(record)?;
        if !commit.continues(self.version, self.last.as_ref()) {
            return Err(LoadError::Chain { stream: stream.clone(), position: *position });
        }
        let events = events::<D>(record, &commit)?;
        self.state = events.iter().fold(self.state, D::evolve);
        self.advance(&commit, &events, *position, record.hash());
        Ok(self)
    }

    /// A stream as of an earlier time, from the log. Nothing can be decided on it.
    pub(crate) async fn until(
        journal: &Journal,
        stream: &StreamName,
        until: Until,
    ) -> Result<Self, LoadError> {
        let loaded = journal.load(stream, Position::START, Position::START).await;
        let mut folded = Self::default();
        for record in loaded.map_err(LoadError::Unavailable)? {
            let commit = commit(&record)?;
            let counts = match until {
                Until::Position(position) => record.position <= position,
                Until::Occurred(at) => commit.occurred_at <= at,
            };
            if counts {
                folded = folded.said(&record, &commit)?;
            }
        }
        Ok(folded)
    }

    /// Folds what a record says, wherever it stands in its stream.
    fn said(mut self, record: &Record, commit: &Commit) -> Result<Self, LoadError> {
        let events = events::<D>(record, commit)?;
        self.state = events.iter().fold(self.state, D::evolve);
        self.version = self.version.next();
        self.position = record.position;
        Ok(self)
    }

    /// Notes that a commit with those events now ends the stream.
    pub(crate) fn advance(
        &mut self,
        commit: &Commit,
        events: &[D::Event],
        position: Position,
        last: Hash,
    ) {
        let stored = commit.events.iter().map(|stored| stored.data.get().len());
        let added = events.iter().zip(stored).map(|(event, stored)| D::weight(event, stored));
        self.state_bytes += added.sum::<usize>();
        self.version = self.version.next();
        self.position = position;
        self.last = Some(last);
        let receipt = Receipt { digest: commit.command_digest, version: self.version, position };
        self.receipts.insert(commit.command_id, receipt);
    }
}

impl<D: Decider> Folded<D> {
    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.receipts.len() * RECEIPT_BYTES + self.state_bytes
    }
}

/// The commit that a record holds.
pub(crate) fn commit(record: &Record) -> Result<Commit, LoadError> {
    record.commit().map_err(|source| LoadError::Commit {
        stream: record.stream.clone(),
        position: record.position,
        source,
    })
}

/// The events of a record's commit.
pub(crate) fn events<D: Decider>(
    record: &Record,
    commit: &Commit,
) -> Result<Vec<D::Event>, LoadError> {
    let decode = |stored: &StoredEvent| {
        codec::decode(&stored.name, stored.version, &stored.data).map_err(|source| {
            LoadError::Event { stream: record.stream.clone(), position: record.position, source }
        })
    };
    commit.events.iter().map(decode).collect()
}
