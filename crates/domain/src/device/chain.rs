//! The chain of a device's records: which there are, which are missing, and what does not fit.
//!
//! It keeps of each record its hash and nothing else, so that a hundred thousand are a few megabytes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RANGES_MAX, Received};
use crate::{FewSet, draw::Digest, visits::Irregularity};

/// How long records may be missing before somebody is told, in hours.
pub const GAP_HOURS: i64 = 24;

/// What the first record names as the one before it.
const NOTHING: Digest = Digest([0; 32]);

/// Counters of records, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first.
    pub from: u64,
    /// The last, which may be the first.
    pub until: u64,
}

/// Records that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last of them.
    pub until: u64,
    /// Since when, in whole seconds.
    pub since: Timestamp,
    /// Whether somebody was told.
    pub told: bool,
}

/// A device's chain of records (记录链).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The highest counter; 0 while there is no record.
    last: u64,
    /// The hash of the record that came first under each counter.
    hashes: BTreeMap<u64, Digest>,
    /// The hashes of those that came later under a counter that was taken.
    doubles: BTreeSet<(u64, Digest)>,
    /// What the records after a gap say the hash of its last one is.
    awaited: BTreeSet<(u64, Digest)>,
    /// The gaps by their first counter.
    gaps: BTreeMap<u64, Gap>,
}

impl Chain {
    /// The highest counter that there is a record of; 0 while there is none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len() + self.doubles.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// What is missing below the highest counter, from the lowest.
    pub fn gaps(&self) -> impl ExactSizeIterator<Item = (Range, &Gap)> {
        self.gaps.iter().map(|(from, gap)| (Range { from: *from, until: gap.until }, gap))
    }

    /// Whether there is a record under that counter.
    pub(super) fn has(&self, counter: u64) -> bool {
        self.hashes.contains_key(&counter)
    }

    /// Whether there is this very record.
    pub(super) fn knows(&self, record: &Received) -> bool {
        self.is(record.counter, record.hash)
    }

    fn is(&self, counter: u64, hash: Digest) -> bool {
        self.hashes.get(&counter) == Some(&hash) || self.doubles.contains(&(counter, hash))
    }

    /// What speaks against a record that is not there yet.
    pub(super) fn doubts(&self, record: &Received) -> FewSet<Irregularity> {
        let cloned = self.has(record.counter).then_some(Irregularity::DeviceCloned);
        let broken = !self.follows(record) || !self.is_followed(record);
        cloned.into_iter().chain(broken.then_some(Irregularity::ChainBroken)).collect()
    }

    /// Whether it names a record before it that is there, or may still come.
    fn follows(&self, record: &Received) -> bool {
        match record.counter.saturating_sub(1) {
            0 => record.previous == NOTHING,
            before => !self.has(before) || self.is(before, record.previous),
        }
    }

    /// Whether a record after it, if there is one already, names it.
    fn is_followed(&self, record: &Received) -> bool {
        let Received { counter, hash, .. } = record;
        self.named(*counter).next().is_none() || self.awaited.contains(&(*counter, *hash))
    }

    /// What records after that counter say of its hash.
    fn named(&self, counter: u64) -> impl Iterator<Item = &(u64, Digest)> {
        let last = Digest([u8::MAX; 32]);
        self.awaited.range((counter, NOTHING)..=(counter, last))
    }

    /// Puts a record in its place.
    pub(super) fn add(&mut self, record: &Received, at: Timestamp) {
        let Received { counter, hash, previous, .. } = record;
        if self.has(*counter) {
            if !self.knows(record) {
                self.doubles.insert((*counter, *hash));
            }
        } else {
            self.hashes.insert(*counter, *hash);
            self.close(*counter, at);
            // Whoever comes next under this counter is a double, whatever the others say of it.
            let named: Vec<_> = self.named(*counter).copied().collect();
            for known in &named {
                self.awaited.remove(known);
            }
        }
        let before = counter.saturating_sub(1);
        if before > 0 && !self.has(before) {
            self.awaited.insert((before, *previous));
        }
    }

    /// Takes a counter out of its gap, or opens one below it.
    fn close(&mut self, counter: u64, at: Timestamp) {
        if counter > self.last {
            if counter > self.last + 1 {
                let gap = Gap { until: counter - 1, since: at, told: false };
                self.gaps.insert(self.last + 1, gap);
            }
            self.last = counter;
            return;
        }
        let Some((from, gap)) = self.gaps.range(..=counter).next_back() else {
            return;
        };
        let (from, gap) = (*from, *gap);
        self.gaps.remove(&from);
        if from < counter {
            self.gaps.insert(from, Gap { until: counter - 1, ..gap });
        }
        if counter < gap.until {
            self.gaps.insert(counter + 1, gap);
        }
    }

    /// When the oldest gap that nobody was told of has been open for a day.
    pub(super) fn missing_due(&self) -> Option<Timestamp> {
        self.gaps.values().filter(|gap| !gap.told).map(Gap::due).min()
    }

    /// The gaps that nobody was told of and that have been open for a day, at most [`RANGES_MAX`].
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<Range> {
        let overdue = self.gaps().filter(|(_, gap)| !gap.told && gap.due() <= now);
        overdue.map(|(range, _)| range).take(RANGES_MAX).collect()
    }

    /// Notes that somebody was told.
    pub(super) fn told(&mut self, ranges: &[Range]) {
        for range in ranges {
            if let Some(gap) = self.gaps.get_mut(&range.from) {
                gap.told = true;
            }
        }
    }
}

impl Gap {
    fn due(&self) -> Timestamp {
        self.since.saturating_add(SignedDuration::from_hours(GAP_HOURS)).unwrap_or(Timestamp::MAX)
    }
}
