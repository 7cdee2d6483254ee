//! What the write path and the agenda's runner count and measure. Names and descriptions are the binary's
//! to give.

use std::sync::LazyLock;

use jiff::Timestamp;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

/// A metric with one label, whose values come from a list of ours.
type Labelled<M> = Family<[(&'static str, &'static str); 1], M>;

/// Streams that a command or a decision needed, by `result`: hit where they were in memory, miss where
/// they were folded from the log.
pub static CACHE_LOOKUPS: LazyLock<Labelled<Counter>> = LazyLock::new(Labelled::default);

/// Commands decided again, by `cause`: conflict where somebody else was quicker on the stream, unknown
/// where the outcome of the append was not known.
pub static RETRIES: LazyLock<Labelled<Counter>> = LazyLock::new(Labelled::default);

/// Entries of the agenda that were tried, by `kind` and `outcome`: done, failed, or unreached where the
/// log could not be reached.
pub static DUTIES: LazyLock<Family<[(&'static str, &'static str); 2], Counter>> =
    LazyLock::new(Family::default);

/// Seconds from the instant at which an entry of the agenda was due to when it was carried out. What was
/// entered with an instant in the past counts from that instant too.
pub static DUTY_LATENESS_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    Histogram::new([
        0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0,
    ])
});

/// Counts a look for a stream in memory.
pub(crate) fn looked_up(hit: bool) {
    let result = if hit { "hit" } else { "miss" };
    CACHE_LOOKUPS.get_or_create(&[("result", result)]).inc();
}

/// Counts a command that is decided again.
pub(crate) fn retried(cause: &'static str) {
    RETRIES.get_or_create(&[("cause", cause)]).inc();
}

/// Counts an entry of the agenda that was tried.
pub(crate) fn tried(kind: &'static str, outcome: &'static str) {
    DUTIES.get_or_create(&[("kind", kind), ("outcome", outcome)]).inc();
}

/// Measures how late an entry of the agenda was carried out that was due at `due`.
pub(crate) fn carried_out(due: Timestamp, now: Timestamp) {
    DUTY_LATENESS_SECONDS.observe(now.duration_since(due).as_secs_f64().max(0.0));
}
