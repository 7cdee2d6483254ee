//! For which state of the server the gate was passed. Behind a new connection there may be another
//! configuration, another folder, an older log, and a server that could not store something may be at its end; so
//! the gate is passed again before anything more is promised.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{CONNECT_PAUSE_MAX, GateRefusal, GateReport, JetStream, Shared};
use crate::Position;

/// The first pause between two tries to pass the gate.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// How long after it was passed somebody who was away is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long a server may stand in the way, as between two leaders, before another one is asked.
const LEAVE_AFTER: Duration = Duration::from_secs(10);

/// How much has happened to the connection and the server; each of these only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    connects: u64,
    losses: u64,
    doubts: u64,
}

/// The connection on which something is asked. What it answers holds only as long as it is still the same one:
/// behind the next there may be another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    connects: u64,
}

/// What was seen of the log: that it reaches to a position, and the record there, where that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) position: Position,
    pub(super) payload: Option<Bytes>,
}

impl Seen {
    pub(super) fn record(position: Position, payload: &Bytes) -> Self {
        Self { position, payload: Some(payload.clone()) }
    }
}

/// What the gate has proven.
#[derive(Debug)]
pub(super) struct Proof {
    /// The turn for which the gate was passed last; none before the first time.
    passed: watch::Sender<Option<Turn>>,
    /// Whether somebody was away then, whom the gate has to look at later.
    away: AtomicBool,
    /// Whether this process restores the log, which the gate lets nobody else use meanwhile.
    restoring: AtomicBool,
    /// How often the server was doubted.
    doubts: watch::Sender<u64>,
    /// The highest position that the log is known to have.
    highest: AtomicU64,
    /// The highest record that was seen. A log that has another one there is another log.
    witness: Mutex<Seen>,
    /// Since when somebody waits for the gate.
    waiting: Mutex<Option<Instant>>,
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The gate was not passed since.
#[derive(Debug, thiserror::Error)]
#[error("the log was lost or in trouble, and has not passed the start-up gate since")]
pub(super) struct Unproven;

impl Proof {
    pub(super) fn new() -> Self {
        Self {
            passed: watch::Sender::new(None),
            away: AtomicBool::new(false),
            restoring: AtomicBool::new(false),
            doubts: watch::Sender::new(0),
            highest: AtomicU64::new(0),
            witness: Mutex::default(),
            waiting: Mutex::new(None),
        }
    }

    /// The highest record that was seen; none without a payload.
    pub(super) fn witness(&self) -> Seen {
        lock(&self.witness).clone()
    }

    /// The log has shown that.
    pub(super) fn saw(&self, seen: Seen) {
        self.highest.fetch_max(seen.position.0, Ordering::Relaxed);
        let mut witness = lock(&self.witness);
        if seen.payload.is_some() && seen.position > witness.position {
            *witness = seen;
        }
    }

    /// This process begins or ends to restore the log.
    pub(super) fn restores(&self, restoring: bool) {
        self.restoring.store(restoring, Ordering::Relaxed);
    }

    pub(super) fn restoring(&self) -> bool {
        self.restoring.load(Ordering::Relaxed)
    }
}

impl JetStream {
    pub(super) fn turn(&self) -> Turn {
        Turn {
            // Counted before anything of a new connection is heard; the notice of a loss may come late or never.
            connects: self.shared.client.statistics().connects.load(Ordering::Relaxed),
            losses: *self.shared.losses.borrow(),
            doubts: *self.shared.proof.doubts.borrow(),
        }
    }

    /// The server answered in that turn that it cannot store anything, or so that nobody knows. What was asked
    /// before the gate was passed last says nothing against it.
    pub(super) fn doubt(&self, turn: Turn) {
        if turn == self.turn() {
            self.shared.proof.doubts.send_modify(|doubts| *doubts += 1);
        }
    }

    /// The connection, if the gate was passed in this turn. Where it was never asked, nobody goes by it.
    ///
    /// # Errors
    /// After the connection was lost or the server doubted, until it has been passed again.
    pub(super) fn proven(&self) -> Result<Link, Unproven> {
        let passed = *self.shared.proof.passed.borrow();
        let turn = self.turn();
        match passed.is_none_or(|passed| passed == turn) {
            true => Ok(Link { connects: turn.connects }),
            false => Err(Unproven),
        }
    }

    /// Waits until the gate was passed in this turn.
    pub(super) async fn until_proven(&self) -> Link {
        if let Ok(link) = self.proven() {
            return link;
        }
        let mut passed = self.shared.proof.passed.subscribe();
        loop {
            if let Ok(link) = self.proven() {
                return link;
            }
            // Its sender lives as long as this.
            let _ = passed.changed().await;
        }
    }

    /// As [`JetStream::until_proven`], but no longer than the time for an answer, counted from when the first one waited:
    /// a short loss is waited out, and a long outage holds up nobody.
    ///
    /// # Errors
    /// When the gate was not passed until then.
    pub(super) async fn proven_soon(&self) -> Result<Link, Unproven> {
        if let Ok(link) = self.proven() {
            return Ok(link);
        }
        let began = *lock(&self.shared.proof.waiting).get_or_insert_with(Instant::now);
        let left = self.timeout().saturating_sub(began.elapsed());
        let link = tokio::time::timeout(left, self.until_proven()).await.map_err(|_| Unproven)?;
        // It may have been passed before we noted that we wait.
        *lock(&self.shared.proof.waiting) = None;
        Ok(link)
    }

    /// Whether all that was answered since came over this connection.
    ///
    /// # Errors
    /// When there has been another one.
    pub(super) fn still(&self, link: Link) -> Result<(), Unproven> {
        match self.turn().connects == link.connects {
            true => Ok(()),
            false => Err(Unproven),
        }
    }

    /// The gate let pass a log that reaches to `last`, in that turn, though perhaps somebody was away. A gate that was
    /// asked earlier and ends later says nothing.
    pub(super) fn proved(&self, turn: Turn, last: Position, away: bool) {
        let Shared { proof, losses: lost, .. } = &*self.shared;
        proof.saw(Seen { position: last, payload: None });
        let mut first = false;
        proof.passed.send_if_modified(|passed| {
            let newer = passed.is_none_or(|passed| passed <= turn);
            if newer {
                first = passed.replace(turn).is_none();
                proof.away.store(away, Ordering::Relaxed);
                *lock(&proof.waiting) = None;
            }
            newer
        });
        if first {
            tokio::spawn(keep(
                Arc::downgrade(&self.shared),
                lost.clone(),
                proof.doubts.subscribe(),
            ));
        }
    }

    /// The highest position that the log is known to have.
    pub(super) fn known_to_reach(&self) -> Position {
        Position(self.shared.proof.highest.load(Ordering::Relaxed))
    }

    /// Asks the gate again, by all that is known of the log.
    async fn gate_again(&self) -> Result<GateReport, Vec<GateRefusal>> {
        Box::pin(self.gate(self.known_to_reach())).await
    }

    /// Asks it once more where somebody was away that may be back, perhaps with another configuration, and of a cluster
    /// always: its leader may be cut off from the others, and nothing that it answers tells so.
    async fn look_again(&self) {
        let shared = &self.shared;
        let unsure = shared.settings.replicas > 1 || shared.proof.away.load(Ordering::Relaxed);
        if self.proven().is_ok() && unsure {
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
        pass_again(&shared).await;
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
    }
}

/// Asks the gate until it lets pass what there is now.
async fn pass_again(shared: &Weak<Shared>) {
    let (mut pause, mut told, mut left) = (PAUSE_MIN, String::new(), Instant::now());
    while let Some(shared) = shared.upgrade() {
        let log = JetStream { shared };
        if log.proven().is_ok() {
            return;
        }
        if log.linked() {
            match log.gate_again().await {
                Ok(_) => tracing::info!("the log has passed the gate again"),
                Err(refusals) => {
                    told = tell(&refusals, &told);
                    if left.elapsed() >= LEAVE_AFTER && log.is_stuck(&refusals) {
                        left = Instant::now();
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

/// Says why the gate refuses, once for each set of reasons.
fn tell(refusals: &[GateRefusal], told: &str) -> String {
    let codes: Vec<_> = refusals.iter().map(GateRefusal::code).collect();
    let codes = codes.join(", ");
    for why in refusals.iter().filter(|_| codes != told) {
        let error = why as &dyn std::error::Error;
        tracing::error!(code = why.code(), error, "the log may not be relied on");
    }
    codes
}

impl JetStream {
    /// Whether it is the server that stands in the way, and another one may be asked: one that is cut off from the
    /// others of its cluster still answers us, and nothing more.
    fn is_stuck(&self, refusals: &[GateRefusal]) -> bool {
        let elsewhere = self.shared.settings.urls.len() > 1
            || self.shared.client.server_info().connect_urls.len() > 1;
        let stuck = |why: &GateRefusal| {
            matches!(why, GateRefusal::StreamUnreachable { .. } | GateRefusal::MajorityAway { .. })
        };
        elsewhere && refusals.iter().any(stuck)
    }
}
