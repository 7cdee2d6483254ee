//! The runner of the agenda: carries out what is due, oldest first, as commands like any other.
//!
//! It keeps nothing that must survive. A command's id is derived from the commit that put its entry
//! on the agenda, so a crash, a second runner or an agenda that lags behind can never act twice. An
//! entry that fails is left alone for a while and holds up no other.

use std::collections::HashSet;

use doudi_domain::agenda::{Duty, Entry};
use doudi_journal::{Commit, Position, StreamName};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep},
};
use uuid::Uuid;

use crate::{execute::Engine, vault::Vault};

mod duties;
mod failures;
mod round;

use failures::Failures;

/// The most entries that are fetched at once; few in the tests beside this file, which turn pages.
const PAGE: usize = if cfg!(test) { 7 } else { 1000 };
/// How long a walk along the agenda may take before it begins again with the oldest, so that what
/// was put before its end meanwhile does not wait for it.
const WALK_MAX: Duration = Duration::from_secs(1);
/// How long an agenda that lags behind may stand still before it is gone by all the same.
const STANDSTILL_MAX: Duration = Duration::from_secs(5);
/// The shortest and the longest pause after the log or the agenda could not be reached.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Bounds of the runner.
#[derive(Debug, Clone)]
pub struct ReactSettings {
    /// A planned visit not begun so many calendar days after its planned day expires.
    pub visit_grace_days: u16,
    /// How often the agenda is looked at while nothing is due.
    pub poll_interval: Duration,
    /// How many entries are carried out at once.
    pub in_flight_max: usize,
}

/// What is still to be done, kept by somebody else who follows the log.
pub trait Agenda: Send + Sync {
    /// A page of what is due, oldest first, from one snapshot.
    fn due(&self, query: &Query) -> impl Future<Output = Result<Page, AgendaError>> + Send;

    /// Waits until the agenda reflects `position`, at most `within`, and says what it reflects then.
    fn wait_until(
        &self,
        position: Position,
        within: Duration,
    ) -> impl Future<Output = Position> + Send;
}

/// The agenda cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the agenda cannot be read")]
pub struct AgendaError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Which page of what is due.
#[derive(Debug, Clone)]
pub struct Query {
    /// Each kind of duty with the instant until which it is due.
    pub until: Vec<(&'static str, Timestamp)>,
    /// Only what comes after this entry.
    pub after: Option<Due>,
    /// The most entries to return, at least 1.
    pub limit: usize,
}

/// A page of what is due.
#[derive(Debug, Clone)]
pub struct Page {
    /// The entries, by instant, stream and key.
    pub due: Vec<Due>,
    /// Whether there may be more.
    pub more: bool,
    /// The log position that it reflects.
    pub position: Position,
}

/// An entry of the agenda whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose agenda it is on.
    pub stream: StreamName,
    /// Its key there.
    pub key: String,
    /// Since when it is due.
    pub at: Timestamp,
    /// What is to be done.
    pub duty: Duty,
    /// The command whose commit put it there.
    pub cause: Uuid,
    /// The matter that command belongs to.
    pub correlation: Uuid,
    /// Where that commit stands in the log.
    pub position: Position,
}

impl Due {
    /// What the commit at that position put on the agenda of its stream.
    #[must_use]
    pub fn of(commit: &Commit, position: Position, entry: Entry) -> Self {
        let Entry { key, at, duty } = entry;
        let (stream, cause, correlation) =
            (commit.stream.clone(), commit.command_id, commit.correlation);
        Self { stream, key, at, duty, cause, correlation, position }
    }

    /// The id of the command that carries it out, the same whoever does and however often.
    fn command_id(&self) -> Uuid {
        Uuid::new_v5(&self.cause, format!("{} {}", self.stream, self.key).as_bytes())
    }
}

/// A duty was not carried out: the log cannot be reached, or something is wrong with this one.
#[derive(Debug, thiserror::Error)]
#[error("an entry of the agenda could not be carried out")]
pub struct CarryOutError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Engine {
    /// Carries one entry out, whatever its time, for who keeps an agenda of its own.
    ///
    /// # Errors
    /// [`CarryOutError`]; it may be tried again, for its commands have derived ids.
    pub async fn carry_out(&self, vault: &Vault, due: &Due) -> Result<Position, CarryOutError> {
        duties::carry_out(self, vault, due).await.map_err(|failure| match failure {
            duties::Failure::Log(error) | duties::Failure::Entry(error) => CarryOutError(error),
        })
    }

    /// Carries out what is due until `shutdown` turns true or its sender is gone.
    pub async fn react(
        &self,
        agenda: &impl Agenda,
        vault: &Vault,
        settings: &ReactSettings,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let mut runner = Runner {
            engine: self,
            agenda,
            vault,
            settings,
            floor: Position::START,
            follows: true,
            failures: Failures::default(),
            done: HashSet::new(),
        };
        // Nothing that hangs may hold up the end.
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|stop| *stop) => {}
            () = runner.run() => {}
        }
    }
}

struct Runner<'a, A> {
    engine: &'a Engine,
    agenda: &'a A,
    vault: &'a Vault,
    settings: &'a ReactSettings,
    /// An agenda that reflects less is catching up: much of what it holds may long be done.
    floor: Position,
    /// Whether the agenda follows the log.
    follows: bool,
    failures: Failures,
    /// What was carried out in this walk, by command id.
    done: HashSet<Uuid>,
}

/// How a walk along the agenda ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// At its end, with nothing to do.
    Idle,
    /// There may be more.
    More,
}

/// Why a walk was broken off.
#[derive(Debug, thiserror::Error)]
enum Outage {
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    #[error("the log cannot be reached")]
    Log(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl<A: Agenda> Runner<'_, A> {
    /// Runs for ever.
    async fn run(&mut self) {
        self.start().await;
        let mut pause = PAUSE_MIN;
        loop {
            self.catch_up().await;
            let wait = match self.walk().await {
                Ok(walk) => {
                    pause = PAUSE_MIN;
                    if walk == Walk::More {
                        continue;
                    }
                    self.settings.poll_interval
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "nothing of the agenda can be done, trying again");
                    let longer = (pause * 2).min(PAUSE_MAX);
                    std::mem::replace(&mut pause, longer)
                }
            };
            sleep(wait).await;
        }
    }

    /// What the agenda holds is only worth looking at once it reflects the log as it is now.
    async fn start(&mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            match self.engine.journal.last_position().await {
                Ok(end) => {
                    self.floor = end;
                    return;
                }
                Err(error) => tracing::warn!(?error, "the log cannot be reached, trying again"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Waits for the agenda as long as it comes nearer. One that stands still is gone by all the
    /// same: what it holds may be done already, and then it is only done in vain.
    async fn catch_up(&mut self) {
        let mut before = self.agenda.wait_until(self.floor, Duration::ZERO).await;
        while before < self.floor {
            let reached = self.agenda.wait_until(self.floor, STANDSTILL_MAX).await;
            if reached == before {
                if std::mem::replace(&mut self.follows, false) {
                    let floor = self.floor;
                    tracing::warn!(%reached, %floor, "the agenda does not follow the log");
                }
                self.floor = reached;
                return;
            }
            before = reached;
        }
        self.follows = true;
    }

    /// Goes along the agenda from its beginning, page after page. What is carried out meanwhile is
    /// behind us, so there is no need to wait for the agenda after each page.
    async fn walk(&mut self) -> Result<Walk, Outage> {
        let before = std::mem::take(&mut self.done);
        let (began, floor) = (Instant::now(), self.floor);
        let mut tried = false;
        let mut after = None;
        loop {
            let query = Query { until: self.until(), after: after.take(), limit: PAGE };
            let page = self.agenda.due(&query).await?;
            // It is being built again.
            if page.position < floor {
                return Ok(Walk::More);
            }
            after = page.due.last().cloned();
            let due = self.free(page.due, &before);
            tried |= !due.is_empty();
            self.carry_out(due).await?;
            if !page.more || after.is_none() {
                self.failures.forget_unseen();
                return Ok(if tried { Walk::More } else { Walk::Idle });
            }
            if tried && began.elapsed() >= WALK_MAX {
                return Ok(Walk::More);
            }
        }
    }

    /// Until when each kind of duty is due.
    fn until(&self) -> Vec<(&'static str, Timestamp)> {
        let now = self.engine.clock.now();
        Duty::KINDS.map(|kind| (kind, self.due_until(kind, now))).to_vec()
    }

    /// The latest instant of an entry of this kind that is due now.
    fn due_until(&self, kind: &str, now: Timestamp) -> Timestamp {
        let days = i64::from(self.settings.visit_grace_days);
        let grace = SignedDuration::from_hours(24 * days);
        match kind {
            "expire_visit" => now.checked_sub(grace).unwrap_or(Timestamp::MIN),
            _ => now,
        }
    }

    /// The entries that nothing speaks against trying now. One that is still there although it was
    /// carried out `before`, and the agenda knows that, would only be carried out in vain.
    fn free(&mut self, due: Vec<Due>, before: &HashSet<Uuid>) -> Vec<Due> {
        let now = Instant::now();
        let mut free = Vec::with_capacity(due.len());
        for due in due {
            let id = due.command_id();
            if self.failures.hold(id, now) {
                continue;
            }
            if before.contains(&id) {
                self.failures.add(id, now);
                if self.follows {
                    tracing::warn!(stream = %due.stream, due.key, kind = due.duty.kind(),
                        "an entry of the agenda is still there after it was carried out");
                }
                continue;
            }
            free.push(due);
        }
        free
    }
}

#[cfg(test)]
mod tests;
