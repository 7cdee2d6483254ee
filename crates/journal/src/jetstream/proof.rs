//! For which state of the server the gate was passed. Behind a new connection there may be another
//! configuration, another folder, an older log, and a server that could not store something may be at its end; so
//! the gate is passed again before anything more is promised.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{CONNECT_PAUSE_MAX, GateRefusal, GateReport, JetStream, Shared};
use crate::Position;

/// The first pause between two tries to pass the gate.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// How long after it was passed somebody who was away is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What the gate has proven.
#[derive(Debug)]
pub(super) struct Proof {
    /// The turn for which the gate was passed last; none before the first time.
    passed: watch::Sender<Option<u64>>,
    /// Whether somebody was away then, whom the gate has to look at later.
    away: AtomicBool,
    /// How often the server was doubted.
    doubts: watch::Sender<u64>,
    /// The highest position that the log is known to have.
    highest: AtomicU64,
}

/// The gate was not passed since.
#[derive(Debug, thiserror::Error)]
#[error("the log was lost or in trouble, and has not passed the start-up gate since")]
pub(super) struct Unproven;

impl Proof {
    pub(super) fn new() -> Self {
        let (passed, doubts) = (watch::Sender::new(None), watch::Sender::new(0));
        Self { passed, away: AtomicBool::new(false), doubts, highest: AtomicU64::new(0) }
    }

    /// The log has a record at `position`.
    pub(super) fn saw(&self, position: Position) {
        self.highest.fetch_max(position.0, Ordering::Relaxed);
    }
}

impl JetStream {
    /// How often the connection has been lost or the server doubted.
    pub(super) fn turn(&self) -> u64 {
        self.shared.losses.borrow().wrapping_add(*self.shared.proof.doubts.borrow())
    }

    /// The server answered in that turn that it cannot store anything, or so that nobody knows. What was asked
    /// before the gate was passed last says nothing against it.
    pub(super) fn doubt(&self, turn: u64) {
        if turn == self.turn() {
            self.shared.proof.doubts.send_modify(|doubts| *doubts += 1);
        }
    }

    /// Whether the gate was passed in this turn. Where it was never asked, nobody goes by it.
    ///
    /// # Errors
    /// After the connection was lost or the server doubted, until it has been passed again.
    pub(super) fn proven(&self) -> Result<(), Unproven> {
        let passed = *self.shared.proof.passed.borrow();
        match passed.is_none_or(|passed| passed == self.turn()) {
            true => Ok(()),
            false => Err(Unproven),
        }
    }

    /// Waits until the gate was passed in this turn.
    pub(super) async fn until_proven(&self) {
        let mut passed = self.shared.proof.passed.subscribe();
        // Its sender lives as long as this. The value is locked while it is looked at, so it is not asked for again.
        let _ = passed.wait_for(|passed| passed.is_none_or(|passed| passed == self.turn())).await;
    }

    /// The gate let pass a log that reaches to `last`, in that turn, though perhaps somebody was away.
    pub(super) fn proved(&self, turn: u64, last: Position, away: bool) {
        let Shared { proof, losses: lost, .. } = &*self.shared;
        proof.saw(last);
        proof.away.store(away, Ordering::Relaxed);
        let first = proof.passed.send_replace(Some(turn)).is_none();
        if first {
            tokio::spawn(keep(
                Arc::downgrade(&self.shared),
                lost.clone(),
                proof.doubts.subscribe(),
            ));
        }
    }

    /// Asks the gate again, by all that is known of the log.
    async fn gate_again(&self) -> Result<GateReport, Vec<GateRefusal>> {
        let highest = Position(self.shared.proof.highest.load(Ordering::Relaxed));
        Box::pin(self.gate(highest)).await
    }

    /// Asks it once more where somebody was away that may be back, perhaps with another configuration.
    async fn look_again(&self) {
        if self.proven().is_ok() && self.shared.proof.away.load(Ordering::Relaxed) {
            let turn = self.turn();
            if self.gate_again().await.is_err() {
                self.doubt(turn);
            }
        }
    }
}

/// Passes the gate again whenever it must be, for as long as anybody has the log.
async fn keep(
    shared: Weak<Shared>,
    mut losses: watch::Receiver<u64>,
    mut doubts: watch::Receiver<u64>,
) {
    loop {
        let changed = tokio::select! {
            changed = losses.changed() => changed,
            changed = doubts.changed() => changed,
            () = tokio::time::sleep(LOOK_AGAIN) => Ok(()),
        };
        // The senders go with the log.
        if changed.is_err() {
            return;
        }
        if let Some(shared) = shared.upgrade() {
            JetStream { shared }.look_again().await;
        }
        let (mut pause, mut told) = (PAUSE_MIN, String::new());
        loop {
            let Some(shared) = shared.upgrade() else { return };
            let log = JetStream { shared };
            if log.proven().is_ok() {
                break;
            }
            if log.linked() {
                match log.gate_again().await {
                    Ok(_) => tracing::info!("the log has passed the gate again"),
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
                        // One that is cut off from the others of its cluster still answers us, and nothing more.
                        let elsewhere = log.shared.settings.urls.len() > 1;
                        let stuck = |why: &GateRefusal| {
                            matches!(why, GateRefusal::StreamUnreachable { .. })
                        };
                        if elsewhere && refusals.iter().any(stuck) {
                            // What stands against it shows at the next try.
                            let _ = log.shared.client.force_reconnect().await;
                        }
                    }
                }
            }
            drop(log);
            tokio::time::sleep(pause).await;
            pause = CONNECT_PAUSE_MAX.min(pause * 2);
        }
    }
}
