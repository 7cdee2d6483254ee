//! The steps of appeals' clocks that the log holds, and how far their order departs from that in which
//! they were due; for the bench, and for tests that look at the same.

use std::{collections::BTreeSet, time::Duration};

use doudi_domain::{
    appeal::{self, Event},
    clock::{ClockId, Step},
    codec,
};
use doudi_engine::{Engine, Position, StreamName};
use doudi_journal::{Commit, Journal, Record};
use doudi_views::{ViewName, agenda};
use jiff::Timestamp;

use super::{BenchError, measured};
use crate::parts::Parts;

/// Records read at a time.
const PAGE: usize = 1000;
/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_millis(5);
/// How long the agenda may take to reflect the log.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(60);

/// Steps of a clock that one commit took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The appeal.
    pub stream: StreamName,
    /// Its clock.
    pub clock: ClockId,
    /// The first of them: the how-manieth in the clock's plan, from 0.
    pub first: usize,
    /// The steps.
    pub steps: Vec<Step>,
    /// Since when the first of them was due.
    pub at: Timestamp,
    /// When they were taken.
    pub recorded_at: Timestamp,
    /// Where they stand in the log.
    pub position: Position,
    /// Whether the guarantee took the appeal at once.
    pub guaranteed: bool,
    /// The size of the commit in bytes.
    pub bytes: usize,
}

impl Taken {
    /// Its place in the order in which things are due.
    fn place(&self) -> (Timestamp, StreamName, String) {
        (self.at, self.stream.clone(), format!("clock/{}", self.clock.0))
    }
}

/// Every step that was taken after a position, in the order of the log.
///
/// # Errors
/// [`BenchError`] when the log cannot be read.
pub async fn taken(journal: &Journal, after: Position) -> Result<Vec<Taken>, BenchError> {
    let (mut taken, mut position) = (Vec::new(), after);
    loop {
        let page = journal.read(position, PAGE).await.map_err(measured)?;
        let Some(last) = page.last() else { return Ok(taken) };
        position = last.position;
        for record in page.iter().filter(|record| record.stream.kind() == "appeal") {
            taken.extend(of(record)?);
        }
    }
}

/// Waits until no clock of an appeal is due by the engine's time, however long that takes, and says
/// where the log ends and when the next one is due.
///
/// # Errors
/// [`BenchError`] when the log or the tables cannot be read, or the tables do not follow.
pub async fn settled(parts: &Parts, engine: &Engine) -> Result<(Position, Timestamp), BenchError> {
    let mut looks = tokio::time::interval(LOOK);
    let until = vec![("appeal_clock", Timestamp::MAX)];
    let query = agenda::Query { until, after: None, limit: 1 };
    loop {
        looks.tick().await;
        let end = parts.journal.last_position().await.map_err(measured)?;
        parts.views.wait(ViewName::Agenda, end, FOLLOWS_WITHIN).await.map_err(measured)?;
        let page = parts.views.due(&query).await.map_err(measured)?;
        let next = page.due.first().map_or(Timestamp::MAX, |due| due.point.at);
        if next > engine.now() {
            return Ok((page.position, next));
        }
    }
}

fn of(record: &Record) -> Result<Vec<Taken>, BenchError> {
    let commit: Commit = record.commit().map_err(measured)?;
    let mut events = Vec::with_capacity(commit.events.len());
    for stored in &commit.events {
        let event = codec::decode::<appeal::Event>(&stored.name, stored.version, &stored.data);
        events.push(event.map_err(measured)?);
    }
    let guaranteed = events.iter().any(|event| matches!(event, Event::GuaranteeTaken { .. }));
    let taken = events.into_iter().filter_map(|event| {
        let Event::ClockStepsTaken { clock: id, steps, clocks } = event else { return None };
        let clock = clocks.set.into_iter().find(|clock| clock.id == id)?;
        let first = usize::from(clock.taken).checked_sub(steps.len())?;
        Some(Taken {
            stream: record.stream.clone(),
            clock: id,
            first,
            at: clock.steps.get(first)?.at,
            steps,
            recorded_at: commit.recorded_at,
            position: record.position,
            guaranteed,
            bytes: record.payload.len(),
        })
    });
    Ok(taken.collect())
}

/// The most that were due before one and were taken after it. All of `taken` were due when the first
/// of them was taken.
#[must_use]
pub fn overtaken(taken: &[Taken]) -> usize {
    let mut open: BTreeSet<_> = taken.iter().map(Taken::place).collect();
    let mut most = 0;
    for one in taken {
        let place = one.place();
        most = most.max(open.range(..&place).count());
        open.remove(&place);
    }
    most
}

/// A step that was taken more than once; none when each was taken once.
#[must_use]
pub fn doubled(taken: &[Taken]) -> Option<&Taken> {
    let mut seen = BTreeSet::new();
    taken.iter().find(|one| {
        let places = one.first..one.first + one.steps.len();
        !places.into_iter().all(|place| seen.insert((one.stream.as_str(), one.clock, place)))
    })
}
