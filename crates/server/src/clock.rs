//! The system's clock: the one place that asks it.

use doudi_engine::Clock;
use jiff::Timestamp;

/// The clock of the operating system.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the time comes in")]
pub fn system() -> Clock {
    Clock::new(Timestamp::now)
}
