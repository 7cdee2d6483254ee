//! What the runners of the views count and measure. Names and descriptions are the binary's to give.

use std::{sync::LazyLock, time::Duration};

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use crate::ViewName;

/// A metric with one label, whose values come from a list of ours.
type Labelled<M, C = fn() -> M> = Family<[(&'static str, &'static str); 1], M, C>;

/// Records that this process took into a `view`.
pub static RECORDS: LazyLock<Labelled<Counter>> = LazyLock::new(Labelled::default);

/// Seconds from the beginning of a batch of a `view` to the commit of its rows and checkpoint.
pub static BATCH_SECONDS: LazyLock<Labelled<Histogram>> =
    LazyLock::new(|| Labelled::new_with_constructor(batch_seconds));

fn batch_seconds() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

/// Counts a batch that was committed.
pub(crate) fn applied(view: ViewName, records: usize, took: Duration) {
    let label = [("view", view.as_str())];
    RECORDS.get_or_create(&label).inc_by(u64::try_from(records).unwrap_or(u64::MAX));
    BATCH_SECONDS.get_or_create(&label).observe(took.as_secs_f64());
}
