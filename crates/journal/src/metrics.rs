//! What the log counts and measures of itself. Names and descriptions are the binary's to give.

use std::{sync::LazyLock, time::Duration};

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use crate::AppendError;

/// A metric with one label, whose values come from a list of ours.
type Labelled<M> = Family<[(&'static str, &'static str); 1], M>;

/// Seconds from asking for an append to its answer, the wait for a place among those in flight
/// included, whatever the answer is.
pub static APPEND_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
});

/// Appends by `outcome`: stored, conflict, unknown, unavailable, or refused, which is too large a record
/// or a full log.
pub static APPENDS: LazyLock<Labelled<Counter>> = LazyLock::new(Labelled::default);

/// Seconds that one sync of the log's file system takes (durability "group").
pub static SYNC_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
});

/// Records that were not on disk before a sync and are after it, of all who write to the log.
pub static SYNC_RECORDS: LazyLock<Histogram> = LazyLock::new(|| {
    Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0])
});

/// Notes one sync that succeeded, and how many records it covered that were not covered before.
pub(crate) fn synced(records: u64, took: Duration) {
    SYNC_SECONDS.observe(took.as_secs_f64());
    SYNC_RECORDS.observe(f64::from(u32::try_from(records).unwrap_or(u32::MAX)));
}

/// Counts one append, and says how it ended.
pub(crate) fn appended<T>(answer: &Result<T, AppendError>, took: Duration) -> &'static str {
    let outcome = match answer {
        Ok(_) => "stored",
        Err(AppendError::Conflict { .. }) => "conflict",
        Err(AppendError::Unknown { .. }) => "unknown",
        Err(AppendError::Unavailable { .. }) => "unavailable",
        Err(AppendError::TooLarge { .. } | AppendError::LogFull { .. }) => "refused",
    };
    APPENDS.get_or_create(&[("outcome", outcome)]).inc();
    APPEND_SECONDS.observe(took.as_secs_f64());
    outcome
}
