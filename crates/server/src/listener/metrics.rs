//! What is counted of connections. Names and descriptions are the list's to give.

use std::sync::LazyLock;

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};

/// Connections that are open, those that ask for metrics among them.
pub static OPEN: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// Connections that were closed or not taken for the sake of others, by `cause`: idle, for a new one; full, where a call came
/// on a spare one; address, where all of its address were at work; silent, where nothing was heard any more; resets, where too
/// many calls were given up.
pub static ENDED: LazyLock<Family<[(&'static str, &'static str); 1], Counter>> =
    LazyLock::new(Family::default);

/// Counts a connection that ends by our will.
pub(super) fn ended(cause: &'static str) {
    ENDED.get_or_create(&[("cause", cause)]).inc();
}
