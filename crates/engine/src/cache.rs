//! Folded streams kept in memory, one slot for each stream, each behind a fair lock.
//!
//! The lock keeps commands of one process on one stream from running into each other; between
//! processes the log's version check decides. A slot that was evicted while in use only means
//! that its next user loads again.

use std::{any::Any, sync::Arc};

use doudi_domain::{Decider, enterprise::Profile};
use doudi_journal::{Journal, Position, StreamName};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, EntryAction, EntryResult},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Duration, Instant},
};

use crate::{
    folded::{Folded, LoadError},
    metrics,
};

/// About how many bytes a slot takes with its name and its place in the cache, whatever is in it.
const SLOT_BYTES: u64 = 1000;

/// The streams of which so many are read by decisions, each by few, that they are not confirmed one by one.
const KIND_OF_PROFILES: &str = Profile::KIND;

/// How long ago it may have been looked at most: after a longer pause the log may have moved too far to be looked through,
/// and each is confirmed by itself once more.
const LOOK_BACK_MAX: Duration = Duration::from_secs(10);

/// How many bytes a shard of the cache holds at least, and how many there are at most.
const SHARD_BYTES: u64 = 32 << 20;
const SHARDS_MAX: usize = 16;

/// About how many bytes most streams take: how large the tables of the cache are made.
const USUAL_BYTES: u64 = 4096;

#[derive(Debug)]
pub(crate) struct Streams {
    journal: Journal,
    slots: Cache<StreamName, Slot, Bytes>,
    profiles: Mutex<Looks>,
}

/// The questions which streams have moved: the last that was answered, and when one was not.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Looked>,
    failed: Option<Instant>,
}

/// How far the log was looked through for streams that have moved, this time and the time before: those that are kept
/// and were confirmed since `from` are as the log had them at `at`.
#[derive(Debug, Clone, Copy)]
struct Looked {
    from: Instant,
    before: Position,
    until: Position,
    at: Instant,
}

/// A slot, and about how many bytes it took when it was last looked.
#[derive(Debug, Clone)]
struct Slot {
    kept: Arc<Mutex<Kept>>,
    bytes: u64,
}

/// Weighs a slot by its bytes.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Weighter<StreamName, Slot> for Bytes {
    fn weight(&self, _: &StreamName, slot: &Slot) -> u64 {
        slot.bytes
    }
}

/// What a slot keeps: a `Folded<D>` of the stream's decider and when the log last confirmed it.
#[derive(Debug, Default)]
struct Kept {
    folded: Option<Arc<dyn Any + Send + Sync>>,
    position: Position,
    confirmed: Option<Instant>,
}

impl Kept {
    fn folded<D: Decider>(&self) -> Option<Arc<Folded<D>>> {
        self.folded.clone()?.downcast().ok()
    }
}

impl Streams {
    pub(crate) fn new(journal: Journal, bytes_max: u64) -> Self {
        let usual = usize::try_from(bytes_max / USUAL_BYTES).unwrap_or(usize::MAX);
        // A stream is kept only if it fits into one shard, so these are few and large.
        let shards = usize::try_from(bytes_max / SHARD_BYTES).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usual)
            .weight_capacity(bytes_max)
            .shards(shards.clamp(1, SHARDS_MAX))
            .build();
        let slots = match options {
            Ok(options) => {
                let (hashes, lifecycle) = (DefaultHashBuilder::default(), <_>::default());
                Cache::with_options(options, Bytes, hashes, lifecycle)
            }
            Err(_) => Cache::with_weighter(usual, bytes_max, Bytes),
        };
        Self { journal, slots, profiles: Mutex::default() }
    }

    /// How many streams are kept, and about how many bytes they take.
    pub(crate) fn kept(&self) -> (usize, u64) {
        (self.slots.len(), self.slots.weight())
    }

    /// Whether `most` have or wait for the stream's turn already.
    pub(crate) fn is_crowded(&self, name: &StreamName, most: usize) -> bool {
        // The cache has one and this look; whoever has the turn or waits for it has another.
        self.slots.peek(name).is_some_and(|slot| Arc::strong_count(&slot.kept) >= most + 2)
    }

    /// Takes the stream's turn: whoever holds the lease is the only one of this process that
    /// works on the stream.
    pub(crate) async fn lease<D: Decider>(&self, name: &StreamName) -> Lease<'_, D> {
        let slot = match self.slots.get_value_or_guard_async(name).await {
            Ok(slot) => slot,
            Err(guard) => {
                let slot = Slot { kept: Arc::default(), bytes: SLOT_BYTES };
                // Refused only when the entry was removed meanwhile; then nobody shares this slot.
                let _ = guard.insert(slot.clone());
                slot
            }
        };
        let kept = slot.kept.lock_owned().await;
        let folded = kept.folded::<D>();
        Lease { streams: self, name: name.clone(), kept, folded }
    }

    /// Lets go of the profiles that have moved since it was last looked, if that is longer ago than `age_max` before
    /// `since`. One question to the log for all who ask; none where it was not answered, and each has to ask for itself.
    async fn look(&self, since: Instant, age_max: Duration) -> Option<Looked> {
        let mut looks = self.profiles.lock().await;
        if let Some(looked) = looks.last.filter(|looked| looked.at + age_max > since) {
            return Some(looked);
        }
        if looks.failed.is_some_and(|at| at >= since) {
            return None;
        }
        let found = self.look_now(looks.last, age_max).await;
        match &found {
            Ok(looked) => looks.last = Some(*looked),
            Err(error) => {
                let error = error as &dyn std::error::Error;
                tracing::debug!(error, "which profiles have moved was not answered");
                looks.failed = Some(Instant::now());
            }
        }
        found.ok()
    }

    async fn look_now(
        &self,
        last: Option<Looked>,
        age_max: Duration,
    ) -> Result<Looked, doudi_journal::LoadError> {
        let at = Instant::now();
        let back_max = LOOK_BACK_MAX.max(age_max * 2);
        let Some(last) = last.filter(|last| last.at + back_max > at) else {
            // Whatever is confirmed from now on reflects what the log has until there.
            let until = self.journal.last_position().await?;
            return Ok(Looked { from: Instant::now(), before: until, until, at });
        };
        // From where it was looked the time before, in case a leader had not heard of all then.
        let moved = self.journal.moved(KIND_OF_PROFILES, last.before).await?;
        for (stream, position) in &moved.streams {
            self.let_go_before(stream, *position);
        }
        Ok(Looked { from: last.from, before: last.until, until: moved.until, at })
    }

    /// Lets go of a stream unless what is kept of it reflects `position`. Whoever uses it still finds it gone.
    fn let_go_before(&self, stream: &StreamName, position: Position) {
        let reflects = |slot: &Slot| slot.kept.try_lock().is_ok_and(|it| it.position >= position);
        let found = self.slots.entry(stream, Some(Duration::ZERO), |_, slot| {
            if reflects(slot) { EntryAction::Retain(()) } else { EntryAction::Remove }
        });
        // It is being weighed or made just now: that comes to nothing.
        if matches!(found, EntryResult::Timeout) {
            self.slots.remove(stream);
        }
    }

    /// Whether that is what is kept of the stream still.
    fn keeps(&self, name: &StreamName, kept: &Arc<Mutex<Kept>>) -> bool {
        self.slots.peek(name).is_some_and(|slot| Arc::ptr_eq(&slot.kept, kept))
    }

    /// Notes how many bytes a slot takes now, which may let go of others, or of itself.
    fn weigh(&self, name: &StreamName, kept: &Arc<Mutex<Kept>>, folded: usize) {
        let bytes = SLOT_BYTES.saturating_add(folded.try_into().unwrap_or(u64::MAX));
        let ours = |slot: &Slot| Arc::ptr_eq(&slot.kept, kept);
        if !self.slots.peek(name).is_some_and(|slot| ours(&slot) && slot.bytes != bytes) {
            return;
        }
        let found = self.slots.entry(name, Some(Duration::ZERO), |_, slot| {
            if ours(slot) { EntryAction::ReplaceWithGuard } else { EntryAction::Retain(()) }
        });
        // Else it was evicted since; then nothing is to be noted, and nothing comes back that was let go.
        if let EntryResult::Replaced(guard, slot) = found {
            let _ = guard.insert(Slot { bytes, ..slot });
        }
    }
}

/// The exclusive use of one stream within this process.
#[derive(Debug)]
pub(crate) struct Lease<'a, D> {
    streams: &'a Streams,
    name: StreamName,
    kept: OwnedMutexGuard<Kept>,
    folded: Option<Arc<Folded<D>>>,
}

impl<D: Decider> Lease<'_, D> {
    /// What is kept, if the log confirmed it less than `age_max` before `since`; else what the log
    /// has now. With `since` taken before the lease, those who waited for it together share one
    /// read even where nothing older will do.
    pub(crate) async fn within(
        &mut self,
        since: Instant,
        age_max: Duration,
    ) -> Result<Arc<Folded<D>>, LoadError> {
        let is_young = |at: Instant| at + age_max > since;
        let mut young = self.kept.confirmed.is_some_and(is_young);
        if !young && !age_max.is_zero() && self.name.kind() == KIND_OF_PROFILES {
            young = Box::pin(self.has_not_moved(since, age_max)).await;
        }
        let young = self.folded.as_ref().filter(|_| young);
        metrics::looked_up(young.is_some());
        match young {
            Some(folded) => Ok(folded.clone()),
            None => self.refresh(Position::default()).await,
        }
    }

    /// Whether what is kept is still the newest, which a question for all streams of its kind tells.
    async fn has_not_moved(&mut self, since: Instant, age_max: Duration) -> bool {
        // Also for one that is not kept yet, so that the next question covers it.
        let looked = self.streams.look(since, age_max).await;
        let (Some(Looked { from, at, .. }), Some(confirmed)) = (looked, self.kept.confirmed) else {
            return false;
        };
        let kept = OwnedMutexGuard::mutex(&self.kept);
        let so = confirmed >= from && self.streams.keeps(&self.name, kept);
        if so {
            self.kept.confirmed = Some(confirmed.max(at));
        }
        so
    }

    /// What is kept, however old; loaded if nothing is.
    pub(crate) async fn kept(&mut self) -> Result<Arc<Folded<D>>, LoadError> {
        metrics::looked_up(self.folded.is_some());
        match &self.folded {
            Some(folded) => Ok(folded.clone()),
            None => self.refresh(Position::default()).await,
        }
    }

    /// Reads what the log has beyond what is kept, at least up to `at_least`.
    pub(crate) async fn refresh(
        &mut self,
        at_least: Position,
    ) -> Result<Arc<Folded<D>>, LoadError> {
        let after = self.folded.as_ref().map(|folded| folded.position).unwrap_or_default();
        let asked = Instant::now();
        let loaded = self.streams.journal.load(&self.name, after, at_least).await;
        let records = loaded.map_err(LoadError::Unavailable)?;
        let mut folded = self.folded.take().unwrap_or_default();
        self.forget();
        if !records.is_empty() {
            let mut owned = Arc::try_unwrap(folded).unwrap_or_else(|shared| (*shared).clone());
            for record in &records {
                owned = owned.record(record)?;
            }
            folded = Arc::new(owned);
        }
        self.keep(folded.clone(), asked);
        Ok(folded)
    }

    /// Lets go of what is kept, so that its only holder can change it in place.
    pub(crate) fn forget(&mut self) {
        self.folded = None;
        self.kept.folded = None;
    }

    /// Keeps what the log just confirmed.
    pub(crate) fn keep(&mut self, folded: Arc<Folded<D>>, confirmed: Instant) {
        self.streams.weigh(&self.name, OwnedMutexGuard::mutex(&self.kept), folded.bytes());
        self.kept.position = folded.position;
        self.kept.folded = Some(folded.clone());
        self.kept.confirmed = Some(confirmed);
        self.folded = Some(folded);
    }
}

#[cfg(test)]
mod tests;
