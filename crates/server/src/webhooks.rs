//! Posts events to partner systems: one consumer for each webhook, at work in role `react`.
//!
//! What was delivered is on record in the webhook's own stream, now and then, so after a crash some events
//! come again, and none is missing. A second process that delivers the same notices it by the version of that
//! stream, and stands by.

use std::{collections::HashMap, sync::Arc, time::Duration};

use doudi_domain::WebhookId;
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use crate::{
    chance,
    parts::{self, Parts},
};

mod backoff;
mod circuit;
mod consumer;
mod lanes;
pub mod metrics;
mod post;
mod reader;
mod record;
mod session;

use consumer::Consumer;
use post::Client;

/// How often it is looked for webhooks that are new, and for what operators did to the known ones.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Bounds of the delivery.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Events of one webhook that are posted at once.
    pub in_flight_max: usize,
    /// How long one post may take, its answer included.
    pub timeout: Duration,
    /// The shortest pause after a failure.
    pub retry_min: Duration,
    /// The longest.
    pub retry_max: Duration,
    /// How often an event is refused before it is set aside.
    pub refusals_max: u32,
    /// How often it is put on record at most how far a webhook got.
    pub position_interval: Duration,
    /// How long the secret before the present one still signs.
    pub secret_grace: Duration,
    /// Whether near addresses are posted to without encryption.
    pub allow_http: bool,
}

/// Delivers to every webhook until `until` turns true or its sender is gone, and puts on record how far each
/// got.
pub async fn run(parts: Parts, settings: Settings, mut until: watch::Receiver<bool>) {
    let secrets = parts::webhook_secrets(&parts.master);
    let client = Client::new(&settings);
    let Ok(runner) = chance::system().bytes().inspect_err(|error| {
        tracing::error!(?error, "no webhook is delivered to, for the system gives no random bytes");
    }) else {
        return;
    };
    let shared = Arc::new(consumer::Shared { parts, settings, secrets, client, runner });
    let mut consumers = JoinSet::new();
    let mut running: HashMap<WebhookId, AbortHandle> = HashMap::new();
    loop {
        match shared.parts.views.webhooks().await {
            Ok(webhooks) => {
                running.retain(|_, consumer| !consumer.is_finished());
                for id in webhooks {
                    running.entry(id).or_insert_with(|| {
                        consumers.spawn(Consumer::new(shared.clone(), id).run(until.clone()))
                    });
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the webhooks cannot be listed, trying again");
            }
        }
        tokio::select! {
            _ = until.wait_for(|stop| *stop) => break,
            () = sleep(LOOK_INTERVAL) => {}
            Some(ended) = consumers.join_next() => of_panic(ended),
        }
    }
    while let Some(ended) = consumers.join_next().await {
        of_panic(ended);
    }
}

/// A panic of a task is a panic of who runs it.
fn of_panic<T>(ended: Result<T, tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
