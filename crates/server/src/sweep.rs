//! Looks over all appeals. The sweep searches for those that are with nobody: it relies on no clock
//! and no agenda, reports what it finds, and gives it to the floor of the fallback chain.

use std::collections::HashSet;

use doudi_domain::{
    Context, Decider, UnitId,
    appeal::{self, Appeal},
    policy::{Policy, PolicyName},
};
use doudi_engine::{
    Actor, Envelope, ExecuteError, Folded, LoadError, Position, StreamNameError, streams,
};
use doudi_views::{Fresh, PAGE_MAX, Scope, ViewError, appeals, sweep::Named};
use uuid::Uuid;

use crate::parts::Parts;

/// Appeals looked at in one query.
const SPAN: usize = 5000;
/// The most cases of one unit that are repaired in one sweep; the next takes the rest.
const OF_OWNER_MAX: usize = 10_000;

/// Why the sweep could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The tables cannot be read.
    #[error("the tables cannot be read")]
    Views(#[from] ViewError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// The id of a row makes no stream's name.
    #[error("a stream cannot be named")]
    Name(#[from] StreamNameError),
    /// A repair could not be stored.
    #[error("an appeal could not be repaired")]
    Repair(#[source] Box<ExecuteError<appeal::Rejection>>),
}

/// What a sweep found and did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Appeals looked at.
    pub looked: usize,
    /// Open ones without a running clock.
    pub silent: usize,
    /// Open ones in which somebody owes something who cannot be reached.
    pub orphaned: usize,
    /// Those that were given to somebody.
    pub repaired: usize,
    /// Those that no rule could mend; each is in the log lines.
    pub refused: usize,
}

/// Looks over all appeals, and repairs what it finds if `repair` says so. The tables may lag behind, so
/// whatever they show counts only if the log says so too.
///
/// # Errors
/// See [`SweepError`]; what was repaired until then stays.
pub async fn sweep(parts: &Parts, repair: bool) -> Result<Swept, SweepError> {
    let mut swept = Swept::default();
    let mut after: Option<Named> = None;
    loop {
        let found = parts.views.silent_appeals(after.as_ref(), SPAN).await?;
        swept.looked += found.looked;
        for named in &found.silent {
            if is_wrong(parts, named).await? {
                tracing::error!(enterprise = %named.0, appeal = %named.1, "an open appeal is silent");
                swept.silent += 1;
                swept.take(if repair { mend(parts, named).await? } else { Mended::No });
            }
        }
        if found.looked < SPAN {
            break;
        }
        after = found.last;
    }
    // Several who are gone may owe something in the same appeal.
    let mut known = HashSet::new();
    for owner in gone(parts).await? {
        for named in parts.views.appeals_owed_by(&owner, OF_OWNER_MAX).await? {
            if known.insert(named.clone()) && is_wrong(parts, &named).await? {
                tracing::warn!(enterprise = %named.0, appeal = %named.1, %owner,
                    "an appeal is owed by a unit that cannot be reached");
                swept.orphaned += 1;
                swept.take(if repair { mend(parts, &named).await? } else { Mended::No });
            }
        }
    }
    Ok(swept)
}

/// Who owes something and cannot be reached by the routing table in force.
async fn gone(parts: &Parts) -> Result<Vec<UnitId>, SweepError> {
    let stream = streams::policy(&PolicyName::Routing)?;
    let routing = parts.engine.read::<Policy>(&stream, Position::START).await?;
    let Some(routing) = routing.state.routing() else {
        return Ok(vec![]);
    };
    let table = routing.document;
    let mut owners = parts.views.clock_owners().await?;
    owners.retain(|owner| table.reachable(owner) != Some(owner) && *owner != table.city_desk);
    Ok(owners)
}

/// Whether there is something to repair as the log has it now.
async fn is_wrong(parts: &Parts, (enterprise, appeal): &Named) -> Result<bool, SweepError> {
    let stream = streams::appeal(enterprise, *appeal)?;
    let decided = |found: &Folded<Appeal>, context: &Context<'_>| {
        found.state.decide(context, &appeal::Command::Repair)
    };
    let repair = parts.engine.consider(&stream, &appeal::Command::Repair, decided).await?;
    Ok(repair.map_or(true, |events| !events.is_empty()))
}

impl Swept {
    fn take(&mut self, mended: Mended) {
        match mended {
            Mended::No => {}
            Mended::Yes => self.repaired += 1,
            Mended::Refused => self.refused += 1,
        }
    }
}

/// What became of an appeal that looked wrong.
#[derive(Debug, Clone, Copy)]
enum Mended {
    /// Nothing: it was in order after all.
    No,
    /// Somebody has it now.
    Yes,
    /// No rule could mend it.
    Refused,
}

/// What became of the deadlines under a newer work calendar.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Recomputed {
    /// Open appeals looked at.
    pub looked: usize,
    /// Those with a deadline that moved in the enterprise's favour.
    pub moved: usize,
}

/// Derives the deadlines of all open appeals from the work calendar in force. Only those move that
/// are due earlier by it; every other promise stays as it was made.
///
/// # Errors
/// See [`SweepError`]; what was moved until then stays.
pub async fn recompute(parts: &Parts) -> Result<Recomputed, SweepError> {
    let mut done = Recomputed::default();
    let mut query = appeals::Query::all(Scope::All, PAGE_MAX);
    loop {
        let page = parts.views.appeals(&query, Fresh::ANY).await?;
        for row in page.appeals.iter().filter(|row| row.state.is_open()) {
            done.looked += 1;
            let named = (row.enterprise.clone(), row.appeal);
            let moved = issue(parts, &named, "recompute", &appeal::Command::Recompute).await?;
            done.moved += usize::from(matches!(moved, Mended::Yes));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(done),
        }
    }
}

async fn mend(parts: &Parts, named: &Named) -> Result<Mended, SweepError> {
    issue(parts, named, "repair", &appeal::Command::Repair).await
}

/// Issues a command on an appeal. Two sweeps at once derive the same id from the version that they
/// found.
async fn issue(
    parts: &Parts,
    (enterprise, appeal): &Named,
    what: &str,
    command: &appeal::Command,
) -> Result<Mended, SweepError> {
    let stream = streams::appeal(enterprise, *appeal)?;
    let found = parts.engine.read::<Appeal>(&stream, Position::START).await?;
    let id = Uuid::new_v5(&appeal.0, format!("{what} {stream} {}", found.version).as_bytes());
    let envelope = Envelope::new(id, Actor::of("process:sweep"));
    match parts.engine.execute::<Appeal>(&stream, command, &envelope).await {
        Ok(done) if done.events.is_empty() => Ok(Mended::No),
        Ok(_) => Ok(Mended::Yes),
        Err(ExecuteError::Rejected(rejection)) => {
            tracing::error!(%stream, what, %rejection, "the sweep was refused");
            Ok(Mended::Refused)
        }
        // Many are at it; the next sweep looks again.
        Err(ExecuteError::Crowded) => Ok(Mended::No),
        Err(error) => Err(SweepError::Repair(Box::new(error))),
    }
}
