//! Hands keys that were made while PostgreSQL was away over to it, beside whoever runs the processes. Several who do
//! so are in nobody's way.

use doudi_engine::{HandedOver, Vault};
use tokio::time::{Duration, MissedTickBehavior, interval};

/// How often it is looked whether keys wait, and tried again while PostgreSQL is away.
const INTERVAL: Duration = Duration::from_secs(2);

/// Looks for keys that wait, for ever. That they have to go on waiting is said once for each outage.
pub(crate) async fn run(vault: &Vault) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut left_before, mut is_away) = (0, false);
    loop {
        ticks.tick().await;
        match vault.hand_over().await {
            Ok(HandedOver { taken, left }) => {
                if taken > 0 {
                    tracing::info!(taken, "keys that waited beside the log are in PostgreSQL");
                }
                if left > left_before {
                    tracing::error!(left, "what waits beside the log is no key, and is left there");
                }
                (left_before, is_away) = (left, false);
            }
            Err(error) if is_away => tracing::debug!(?error, "keys still cannot be handed over"),
            Err(error) => {
                tracing::warn!(?error, "keys that wait beside the log cannot be handed over");
                is_away = true;
            }
        }
    }
}
