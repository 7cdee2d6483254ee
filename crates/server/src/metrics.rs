//! Metrics for Prometheus: one list of all of them, a task that looks at the views, and an HTTP endpoint
//! that tells them.

mod endpoint;
mod list;
pub mod look;

use tokio::{task::JoinSet, time::Duration};

pub use list::{Described, described};

use crate::{
    archive,
    config::Config,
    listener::{Bounds, Listener},
    parts::Parts,
    roles::{self, RunError},
    stop::Stop,
};

/// Bounds of the connections that ask for metrics.
const BOUNDS: Bounds = Bounds {
    connections_max: 16,
    connections_per_address_max: 16,
    resets_per_second_max: u32::MAX,
    first_word_within: Duration::from_secs(10),
    silence_max: Duration::from_secs(60),
};

/// Binds the address of the configuration; none when metrics are off.
///
/// # Errors
/// [`RunError::Listen`].
pub fn bind(config: &Config) -> Result<Option<Listener>, RunError> {
    config.metrics.listen.map(|address| roles::listen(address, BOUNDS)).transpose()
}

/// Looks at the views and answers who asks, until the tasks are dropped. Without a listener nothing
/// happens.
#[must_use]
pub fn start(listener: Option<Listener>, parts: &Parts, config: &Config) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if let Some(listener) = listener {
        tracing::info!(address = %listener.address(), "telling metrics");
        let registry = list::registry(parts.engine.now(), config.nats.durability);
        tasks.spawn(look::watch(parts.clone(), archive::folder(&config.archive)));
        tasks.spawn(endpoint::serve(listener, registry, Stop::new()));
    }
    tasks
}
