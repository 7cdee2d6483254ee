//! One page of the agenda: so many entries at once, oldest first, one at a time on each stream.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
};

use doudi_journal::StreamName;
use futures::FutureExt;
use tokio::{task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{
    Agenda, Due, Outage, Runner,
    duties::{self, Failure, Outcome, Source},
};
use crate::metrics;

/// So many entries one after the other that cannot reach the log are no longer about themselves.
const UNREACHED_MAX: usize = 8;

/// A bug; its place is told where it was hit.
#[derive(Debug, thiserror::Error)]
#[error("carrying it out panicked")]
struct Panicked;

/// The entries at work, and those that wait because their stream is.
#[derive(Default)]
struct Round {
    at_work: JoinSet<(Due, Outcome)>,
    streams: HashMap<StreamName, VecDeque<Due>>,
    /// The last entries that could not reach the log.
    unreached: Vec<(Due, Source)>,
}

impl Round {
    /// Whether to begin nothing more, since it would only wait in vain for the same log.
    fn is_outage(&self) -> bool {
        self.unreached.len() >= UNREACHED_MAX
    }

    /// The next of those that wait for that stream, which is now free for it.
    fn next_of(&mut self, stream: &StreamName) -> Option<Due> {
        let outage = self.is_outage();
        let waiting = self.streams.get_mut(stream).filter(|_| !outage);
        let next = waiting.and_then(VecDeque::pop_front);
        if next.is_none() {
            self.streams.remove(stream);
        }
        next
    }
}

impl<A: Agenda> Runner<'_, A> {
    /// Carries out what is due.
    pub(super) async fn carry_out(&mut self, due: Vec<Due>) -> Result<(), Outage> {
        let mut due = due.into_iter();
        let mut round = Round::default();
        loop {
            while !round.is_outage() && round.at_work.len() < self.settings.in_flight_max {
                let Some(next) = due.next() else { break };
                match round.streams.get_mut(&next.stream) {
                    // It is older than all that are not looked at, so it has its stream's next turn.
                    Some(waiting) => waiting.push_back(next),
                    None => {
                        round.streams.insert(next.stream.clone(), VecDeque::new());
                        self.begin(&mut round, next);
                    }
                }
            }
            let (ended, outcome) = match round.at_work.join_next().await {
                Some(Ok(ended)) => ended,
                // Nobody ends one before its end.
                Some(Err(_)) => continue,
                None => return self.end(round),
            };
            let next = round.next_of(&ended.stream);
            self.note(&mut round, ended, outcome);
            if let Some(next) = next {
                self.begin(&mut round, next);
            }
        }
    }

    fn begin(&self, round: &mut Round, due: Due) {
        let (engine, vault) = (self.engine.clone(), self.vault.clone());
        let span = tracing::debug_span!("duty", kind = due.duty.kind());
        let carried_out = async move {
            let outcome = guarded(duties::carry_out(&engine, &vault, &due)).await;
            (due, outcome)
        };
        round.at_work.spawn(carried_out.instrument(span));
    }

    /// Remembers how it went.
    fn note(&mut self, round: &mut Round, due: Due, outcome: Outcome) {
        let (id, now, kind) = (due.command_id(), Instant::now(), due.duty.kind());
        match outcome {
            Ok(position) => {
                metrics::tried(kind, "done");
                metrics::carried_out(due.at, self.due_until(kind, self.engine.clock.now()));
                self.floor = self.floor.max(position);
                self.failures.remove(id);
                self.done.insert(id);
            }
            Err(Failure::Log(error)) => {
                metrics::tried(kind, "unreached");
                self.failures.put_off(id, now);
                round.unreached.push((due, error));
                return;
            }
            Err(Failure::Entry(error)) => {
                metrics::tried(kind, "failed");
                self.failures.add(id, now);
                told(&due, &error);
            }
        }
        // The log can be reached, so those before were about themselves.
        for (due, error) in round.unreached.drain(..) {
            told(&due, &error);
        }
    }

    fn end(&self, mut round: Round) -> Result<(), Outage> {
        if round.is_outage()
            && let Some((_, error)) = round.unreached.pop()
        {
            return Err(Outage::Log(error));
        }
        for (due, error) in &round.unreached {
            told(due, error);
        }
        Ok(())
    }
}

/// A duty that hits a bug is tried again later, and holds up no other meanwhile.
async fn guarded(carried_out: impl Future<Output = Outcome>) -> Outcome {
    let outcome = AssertUnwindSafe(carried_out).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(Failure::Entry(Box::new(Panicked))))
}

fn told(due: &Due, error: &Source) {
    let Due { stream, key, at, duty, .. } = due;
    let (kind, error) = (duty.kind(), error.as_ref() as &dyn std::error::Error);
    tracing::warn!(%stream, key, kind, %at, error,
        "an entry of the agenda could not be carried out, it is tried again later");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bug_is_about_the_duty_that_hits_it() {
        let outcome = guarded(async { panic!("a bug") }).await;
        let Err(Failure::Entry(error)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.to_string(), Panicked.to_string());
    }
}
