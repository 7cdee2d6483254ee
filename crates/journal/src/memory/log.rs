//! The records of a log in memory, and how many of them its disk has.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{AppendError, LoadError, Position, Record, StreamName};

#[derive(Debug, Default)]
pub(super) struct Log {
    /// The record at position `n` stands at index `n - 1`.
    records: Vec<Record>,
    /// The indexes of each stream's records, oldest first.
    streams: HashMap<StreamName, Vec<usize>>,
    /// All up to here is on disk.
    pub(super) synced: Position,
    /// How often the power went.
    pub(super) boot: u64,
}

impl Log {
    pub(super) fn last(&self) -> Position {
        position(self.records.len())
    }

    fn last_of(&self, stream: &StreamName) -> Position {
        let newest = self.streams.get(stream).and_then(|indexes| indexes.last());
        newest.map_or(Position::START, |index| position(index + 1))
    }

    pub(super) fn after(&self, after: Position, limit: usize) -> Vec<Record> {
        let from = index(after).min(self.records.len());
        self.records[from..].iter().take(limit).cloned().collect()
    }

    /// The records of a stream after the position `after`; the stream goes to `at_least`.
    pub(super) fn of(
        &self,
        stream: &StreamName,
        after: Position,
        at_least: Position,
    ) -> Result<Vec<Record>, LoadError> {
        let last = self.last_of(stream);
        if last.max(after) < at_least {
            let source = format!("the stream ends at position {last}, not {at_least}").into();
            return Err(LoadError::Unavailable { what: stream.to_string(), source });
        }
        let indexes = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let newer = indexes.partition_point(|index| position(index + 1) <= after);
        Ok(indexes[newer..].iter().map(|&index| self.records[index].clone()).collect())
    }

    pub(super) fn push(
        &mut self,
        stream: &StreamName,
        payload: Bytes,
        expected: Option<Position>,
    ) -> Result<Position, AppendError> {
        let actual = self.last_of(stream);
        if expected.is_some_and(|expected| expected != actual) {
            return Err(AppendError::Conflict { actual });
        }
        let index = self.records.len();
        let position = position(index + 1);
        self.streams.entry(stream.clone()).or_default().push(index);
        self.records.push(Record { position, stream: stream.clone(), payload });
        Ok(position)
    }

    /// All up to `position` is on disk from now on.
    pub(super) fn sync(&mut self, position: Position) {
        self.synced = self.synced.max(position);
    }

    pub(super) fn at_stake(&self) -> usize {
        self.records.len() - index(self.synced)
    }

    /// Leaves what is on disk and the `kept` oldest records beside it; gives how many are gone.
    pub(super) fn cut(&mut self, kept: usize) -> usize {
        self.boot += 1;
        let there = self.records.len().min(index(self.synced) + kept);
        for indexes in self.streams.values_mut() {
            indexes.retain(|index| *index < there);
        }
        let lost = self.records.drain(there..).count();
        self.synced = self.last();
        lost
    }
}

fn position(count: usize) -> Position {
    Position(u64::try_from(count).unwrap_or(u64::MAX))
}

/// How many records there are up to a position.
fn index(position: Position) -> usize {
    usize::try_from(position.0).unwrap_or(usize::MAX)
}
