//! For which connection the gate was passed. Behind a new one there may be another configuration, another
//! folder, an older log, so the gate is passed again before anything more is promised there.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{CONNECT_PAUSE_MAX, JetStream, Shared};
use crate::Position;

/// The first pause between two tries to pass the gate.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// What the gate has proven.
#[derive(Debug)]
pub(super) struct Proof {
    /// How often the connection had been lost when the gate was passed last; none before the first time.
    passed: watch::Sender<Option<u64>>,
    /// The highest position that the log is known to have.
    highest: AtomicU64,
}

/// The gate was not passed on this connection yet.
#[derive(Debug, thiserror::Error)]
#[error("the connection to the log is new, and the start-up gate has not been passed on it yet")]
pub(super) struct Unproven;

impl Proof {
    pub(super) fn new() -> Self {
        Self { passed: watch::Sender::new(None), highest: AtomicU64::new(0) }
    }

    /// The log has a record at `position`.
    pub(super) fn saw(&self, position: Position) {
        self.highest.fetch_max(position.0, Ordering::Relaxed);
    }
}

impl JetStream {
    /// How often the connection has been lost.
    pub(super) fn losses(&self) -> u64 {
        *self.shared.losses.borrow()
    }

    /// Whether the gate was passed on this connection. Where it was never asked, nobody goes by it.
    ///
    /// # Errors
    /// After the connection was lost, until it has been passed again.
    pub(super) fn proven(&self) -> Result<(), Unproven> {
        let passed = *self.shared.proof.passed.borrow();
        match passed.is_none_or(|passed| passed == self.losses()) {
            true => Ok(()),
            false => Err(Unproven),
        }
    }

    /// Waits until the gate was passed on the connection that there is.
    pub(super) async fn until_proven(&self) {
        let mut passed = self.shared.proof.passed.subscribe();
        // Its sender lives as long as this.
        let _ = passed.wait_for(|_| self.proven().is_ok()).await;
    }

    /// The gate let pass a log that reaches to `last`, while the connection had been lost so often.
    pub(super) fn pass(&self, losses: u64, last: Position) {
        let Shared { proof, losses: lost, .. } = &*self.shared;
        proof.saw(last);
        let first = proof.passed.send_replace(Some(losses)).is_none();
        if first {
            tokio::spawn(keep(Arc::downgrade(&self.shared), lost.clone()));
        }
    }
}

/// Passes the gate again whenever the connection was lost, for as long as anybody has the log.
async fn keep(shared: Weak<Shared>, mut losses: watch::Receiver<u64>) {
    // The sender goes with the connection.
    while losses.changed().await.is_ok() {
        let (mut pause, mut told) = (PAUSE_MIN, String::new());
        loop {
            let Some(shared) = shared.upgrade() else { return };
            let log = JetStream { shared };
            if log.proven().is_ok() {
                break;
            }
            if log.linked() {
                let highest = Position(log.shared.proof.highest.load(Ordering::Relaxed));
                match Box::pin(log.gate(highest)).await {
                    Ok(_) => tracing::info!("the log has passed the gate on its new connection"),
                    Err(refusals) => {
                        let codes: Vec<_> = refusals.iter().map(|why| why.code()).collect();
                        let codes = codes.join(", ");
                        for why in refusals.iter().filter(|_| codes != told) {
                            let error = why as &dyn std::error::Error;
                            tracing::error!(
                                code = why.code(),
                                error,
                                "the log may not be relied on"
                            );
                        }
                        told = codes;
                    }
                }
            }
            drop(log);
            tokio::time::sleep(pause).await;
            pause = CONNECT_PAUSE_MAX.min(pause * 2);
        }
    }
}
