//! The process runner: follows the log, keeps every process's memory, and issues what is due.
//!
//! The memory is folded from the log at each start and is never stored, so a crash loses nothing.
//! Command ids are derived from the cause, so a second runner or a replay can never act twice.

use std::collections::{BTreeSet, HashMap};

use doudi_domain::{
    Decider, Process, VisitId,
    appeal::{self, Appeal},
    calendar::civil_date,
    expiry::Expiry,
    visits::{self, Visits},
};
use doudi_journal::{Actor, Follow, FollowError, Position, Record, StreamName};
use jiff::{ToSpan, civil::Date};
use tokio::{
    sync::watch,
    time::{Duration, MissedTickBehavior},
};
use uuid::Uuid;

use crate::{
    execute::{Engine, Envelope, ExecuteError},
    folded::{LoadError, commit, events},
    vault::Vault,
};

/// The principal recorded for what no person asked for.
const PRINCIPAL: &str = "process:expiry";

/// Bounds of the process runner.
#[derive(Debug, Clone)]
pub struct ReactSettings {
    /// A planned visit not begun so many calendar days after its planned day expires.
    pub visit_grace_days: u16,
    /// How often what waits is compared with the clock.
    pub poll_interval: Duration,
    /// The most commands issued in one round; the rest follow in the next.
    pub round_max: usize,
}

/// Why the process runner cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReactError {
    /// The log is broken.
    #[error("processes cannot follow the log")]
    Follow(#[from] FollowError),
}

/// A visit that waits to expire, oldest planned day first.
type Waiting = (Date, StreamName, VisitId);

#[derive(Debug, Default)]
struct Memory {
    expiries: HashMap<StreamName, Expiry>,
    waiting: BTreeSet<Waiting>,
    /// Subjects whose keys are to be destroyed.
    erasures: BTreeSet<String>,
}

impl Engine {
    /// Runs the processes until `shutdown` turns true.
    ///
    /// # Errors
    /// [`ReactError`] when the log is broken; lost connections are mended inside.
    pub async fn react(
        &self,
        vault: &Vault,
        settings: &ReactSettings,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), ReactError> {
        let mut memory = Memory::default();
        let mut position = Position::default();
        let mut follow: Follow = self.journal.follow(position);
        let mut tick = tokio::time::interval(settings.poll_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Before the log as it was at the start is read, what waits may long be done. The end as
        // it is now would not do: under a steady load it is never reached.
        let mut start_end = None;
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => return Ok(()),
                batch = follow.next() => {
                    for record in batch? {
                        position = record.position;
                        memory.remember(&record);
                    }
                }
                _ = tick.tick() => {
                    if start_end.is_none() {
                        start_end = self.journal.last_position().await.ok();
                    }
                    let caught_up = start_end.is_some_and(|end| end <= position);
                    let round = async {
                        memory.destroy(vault).await;
                        if caught_up {
                            self.issue(&memory, settings).await;
                        }
                    };
                    // Neither a log nor a vault that hangs may hold up the end.
                    tokio::select! {
                        () = stopped(&mut shutdown) => return Ok(()),
                        () = round => {}
                    }
                }
            }
        }
    }

    async fn issue(&self, memory: &Memory, settings: &ReactSettings) {
        let today = civil_date(self.clock.now());
        let last = today.saturating_sub(i32::from(settings.visit_grace_days).days());
        let due = memory.waiting.iter().take_while(|(on, ..)| *on < last);
        for (_, stream, visit) in due.take(settings.round_max) {
            let command = visits::Command::Expire { visit: *visit };
            let actor = Actor {
                principal: PRINCIPAL.to_owned(),
                unit: None,
                device: None,
                on_behalf_of: None,
            };
            let envelope = Envelope::new(Uuid::new_v5(&visit.0, b"expire"), actor);
            let Err(error) = self.execute::<Visits>(stream, &command, &envelope).await else {
                continue;
            };
            tracing::warn!(%stream, %visit, ?error, "a visit did not expire, the next round tries again");
            // The rest would only wait in vain for the same log.
            if is_outage(&error) {
                return;
            }
        }
    }
}

fn is_outage(error: &ExecuteError<visits::Rejection>) -> bool {
    matches!(
        error,
        ExecuteError::Unavailable(_)
            | ExecuteError::Unknown(_)
            | ExecuteError::Load(LoadError::Unavailable(_))
    )
}

/// Waits until it is time to stop, or until nobody is left who could say so.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

impl Memory {
    fn remember(&mut self, record: &Record) {
        let noted = match record.stream.kind() {
            Visits::KIND => self.visits(record),
            Appeal::KIND => self.appeal(record),
            _ => Ok(()),
        };
        if let Err(error) = noted {
            tracing::error!(stream = %record.stream, position = %record.position, ?error,
                "a record was passed over by the processes");
        }
    }

    /// An erasure was ordered: whoever ordered it may have died before the key was destroyed.
    fn appeal(&mut self, record: &Record) -> Result<(), LoadError> {
        for event in decode::<Appeal>(record)? {
            if let appeal::Event::PersonalDataErased { subject } = event {
                self.erasures.insert(subject);
            }
        }
        Ok(())
    }

    /// Destroys the keys whose erasure was ordered; those that remain are tried again.
    async fn destroy(&mut self, vault: &Vault) {
        let subjects: Vec<&str> = self.erasures.iter().map(String::as_str).collect();
        match vault.destroy(&subjects).await {
            Ok(()) => self.erasures.clear(),
            Err(error) => {
                tracing::error!(?error, "keys could not be destroyed, the next round tries again");
            }
        }
    }

    fn visits(&mut self, record: &Record) -> Result<(), LoadError> {
        let stream = &record.stream;
        // First, so that a record that cannot be read leaves the memory as it was.
        let events = decode::<Visits>(record)?;
        let before = self.expiries.remove(stream).unwrap_or_default();
        for waiting in waiting(stream, &before) {
            self.waiting.remove(&waiting);
        }
        let mut after = before;
        for event in events {
            after = after.react(&event).iter().fold(after, Expiry::evolve);
        }
        self.waiting.extend(waiting(stream, &after));
        if after != Expiry::default() {
            self.expiries.insert(stream.clone(), after);
        }
        Ok(())
    }
}

fn waiting(stream: &StreamName, expiry: &Expiry) -> Vec<Waiting> {
    let actions = expiry.pending().into_iter();
    actions.map(|action| (action.on, stream.clone(), action.visit)).collect()
}

fn decode<D: Decider>(record: &Record) -> Result<Vec<D::Event>, LoadError> {
    events::<D>(record, &commit(record)?)
}

#[cfg(test)]
mod tests;
