//! Values that wait in memory: the same promises as the real store, for tests.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::Spooled;

/// Values in memory. Clones share one store.
#[derive(Clone, Debug, Default)]
pub struct MemorySpool {
    kept: Arc<Mutex<Kept>>,
}

/// What waits, with the names, by sequence.
#[derive(Debug, Default)]
struct Kept {
    last: u64,
    values: BTreeMap<u64, (String, Bytes)>,
}

impl Kept {
    fn get(&self, name: &str) -> Option<Spooled> {
        let found = self.values.iter().find(|(_, (known, _))| known == name);
        found.map(|(sequence, (_, value))| spooled(*sequence, value))
    }
}

fn spooled(sequence: u64, value: &Bytes) -> Spooled {
    Spooled { sequence, value: value.clone() }
}

impl MemorySpool {
    /// An empty store.
    #[must_use]
    pub fn new() -> MemorySpool {
        MemorySpool::default()
    }

    // A panic elsewhere cannot leave a value half there: every change ends in one call.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put_first(&self, name: &str, value: Bytes) -> Spooled {
        let mut kept = self.lock();
        if let Some(first) = kept.get(name) {
            return first;
        }
        kept.last += 1;
        let first = Spooled { sequence: kept.last, value: value.clone() };
        kept.values.insert(first.sequence, (name.to_owned(), value));
        first
    }

    pub(super) fn get(&self, name: &str) -> Option<Spooled> {
        self.lock().get(name)
    }

    pub(super) fn remove(&self, spooled: &Spooled) {
        self.lock().values.remove(&spooled.sequence);
    }

    pub(super) fn after(&self, sequence: u64, limit: usize) -> Vec<Spooled> {
        let kept = self.lock();
        let later = kept.values.range((Bound::Excluded(sequence), Bound::Unbounded));
        later.take(limit).map(|(sequence, (_, value))| spooled(*sequence, value)).collect()
    }
}
