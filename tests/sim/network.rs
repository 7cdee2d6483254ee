//! Chance that begins at a seed, and the network and the disk that it makes trouble on.

use std::{
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use doudi_journal::{Fate, Faults, Passage, SyncFate};
use fastrand::Rng;
use uuid::Uuid;

/// Lets simulated time pass.
pub(super) async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// A course of chance that everybody in a world draws from.
#[derive(Clone, Debug)]
pub(super) struct Chance(Arc<Mutex<Rng>>);

impl Chance {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Rng::with_seed(seed))))
    }

    /// A number of the range.
    pub(super) fn number(&self, range: Range<u32>) -> u32 {
        self.0.lock().unwrap().u32(range)
    }

    /// One of so many, counted from 0.
    pub(super) fn below(&self, count: usize) -> usize {
        self.0.lock().unwrap().usize(..count)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&self, of_hundred: u32) -> bool {
        self.number(0..100) < of_hundred
    }

    pub(super) fn id(&self) -> Uuid {
        Uuid::from_u128(self.0.lock().unwrap().u128(..))
    }

    pub(super) fn one_of<T: Clone>(&self, several: &[T]) -> Option<T> {
        self.0.lock().unwrap().choice(several).cloned()
    }

    /// So many milliseconds.
    pub(super) fn pause(&self, range: Range<u32>) -> Duration {
        Duration::from_millis(self.number(range).into())
    }
}

/// What befalls a world beside lost messages and killed programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing.
    Nothing,
    /// The power goes, and the disk is slow or fails.
    PowerCuts,
    /// The power goes, and the disk says that it has what it has not.
    LyingDisk,
    /// The log stores whatever comes, wherever its stream ends.
    LyingLog,
}

/// The network between an engine and the log, and the log's disk. Clones are the same ones.
#[derive(Clone)]
pub(super) struct Network {
    chance: Chance,
    beside: Beside,
    /// How many of a hundred messages something befalls.
    trouble: Arc<AtomicU32>,
}

/// How many of a hundred syncs fail in times of trouble.
const SYNCS_FAIL: u32 = 3;

/// The latest that a record arrives after its sender gave it up, a second delivery included.
pub(super) const LATE_MAX: Duration = Duration::from_secs(40);

impl Network {
    pub(super) fn new(chance: Chance, beside: Beside, trouble: u32) -> Self {
        Self { chance, beside, trouble: Arc::new(AtomicU32::new(trouble)) }
    }

    /// Whether the power goes now and then.
    pub(super) fn has_power_cuts(&self) -> bool {
        matches!(self.beside, Beside::PowerCuts | Beside::LyingDisk)
    }

    /// From now on nothing befalls anybody.
    pub(super) fn calm(&self) {
        self.trouble.store(0, SeqCst);
    }

    pub(super) fn is_troubled(&self) -> bool {
        let trouble = self.trouble.load(SeqCst);
        trouble > 0 && self.chance.percent(trouble)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Faults for Network {
    fn append(&self) -> Passage {
        let mut fate = Fate::Arrives;
        if self.beside == Beside::LyingLog {
            fate = Fate::Forced;
        }
        if self.is_troubled() {
            let late =
                Fate::Late { after: self.chance.pause(1..20_000), twice: self.chance.percent(30) };
            let fates = [Fate::Refused, Fate::Lost, Fate::Unanswered, late];
            fate = self.chance.one_of(&fates).unwrap_or(late);
        }
        Passage { there: self.chance.pause(0..40), fate, back: self.chance.pause(0..40) }
    }

    fn load(&self) -> (Duration, bool) {
        (self.chance.pause(0..30), !self.is_troubled())
    }

    fn sync(&self) -> (Duration, SyncFate) {
        match self.beside {
            Beside::Nothing | Beside::LyingLog => return (Duration::ZERO, SyncFate::Succeeds),
            Beside::PowerCuts | Beside::LyingDisk => {}
        }
        let is_troubled = self.is_troubled();
        let takes = self.chance.pause(if is_troubled { 0..3_000 } else { 0..40 });
        let fate = if self.beside == Beside::LyingDisk {
            SyncFate::Pretends
        } else if is_troubled && self.chance.percent(SYNCS_FAIL) {
            SyncFate::Fails
        } else {
            SyncFate::Succeeds
        };
        (takes, fate)
    }
}
