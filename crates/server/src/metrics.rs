//! Metrics for Prometheus: one list of all of them, a task that looks at the views, and an HTTP endpoint
//! that tells them.

mod endpoint;
mod list;
pub mod look;

use tokio::task::JoinSet;

pub use list::{Described, described};

use crate::{
    archive,
    config::Config,
    listener::Listener,
    parts::Parts,
    roles::{self, RunError},
    stop::Stop,
};

/// How many connections may ask for metrics at once.
const CONNECTIONS_MAX: usize = 16;

/// Binds the address of the configuration; none when metrics are off.
///
/// # Errors
/// [`RunError::Listen`].
pub fn bind(config: &Config) -> Result<Option<Listener>, RunError> {
    config.metrics.listen.map(|address| roles::listen(address, CONNECTIONS_MAX)).transpose()
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
