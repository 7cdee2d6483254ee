//! Clocks: the system's, in the one place that asks it, and such as are set by hand, for what is
//! simulated, measured or tested.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use doudi_engine::Clock;
use jiff::{SignedDuration, Timestamp};

/// The clock of the operating system.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the time comes in")]
pub fn system() -> Clock {
    Clock::new(Timestamp::now)
}

/// Time that stands still until somebody sets it. Clones are the same time.
#[derive(Debug, Clone, Default)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    /// Sets the time, to the microsecond.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::SeqCst);
    }

    /// The clock with these hands.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let hands = Arc::clone(&self.0);
        Clock::new(move || {
            let microseconds = hands.load(Ordering::SeqCst);
            Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
        })
    }
}

/// The system's time and so much on top: it passes as in life, but can be put forward. Clones are the
/// same time.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Arc<AtomicI64>);

impl Ahead {
    /// Puts the time forward, or back, so that it is `now` now.
    pub fn set(&self, now: Timestamp) {
        let ahead = now.duration_since(system().now()).as_micros();
        self.0.store(i64::try_from(ahead).unwrap_or_default(), Ordering::SeqCst);
    }

    /// The clock that is so far ahead.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let (ahead, system) = (Arc::clone(&self.0), system());
        Clock::new(move || {
            let ahead = SignedDuration::from_micros(ahead.load(Ordering::SeqCst));
            system.now().checked_add(ahead).unwrap_or(Timestamp::MAX)
        })
    }
}
