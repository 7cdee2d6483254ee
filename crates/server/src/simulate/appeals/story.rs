//! The loop of the simulated year: the earliest happening is next, whether a person or the agenda
//! brings it about, and the log says what came of it.

use std::collections::{BTreeMap, HashMap};

use doudi_domain::{
    AppealId,
    appeal::{self, Appeal, Command, Submission},
    diagnosis::{self, Diagnosis},
    policy::{self, Policy},
};
use doudi_engine::{Actor, Engine, Envelope, ExecuteError, Position, StreamName, Vault, streams};
use doudi_journal::Record;
use jiff::{Timestamp, ToSpan, tz};

use super::{Hands, Plan, SimulateError, people};
use crate::simulate::{
    agenda::{Agenda, decoded},
    city::{self, City},
    memories::Memories,
    name, step, text,
};

/// Records read at a time.
const PAGE: usize = 1000;
/// When the year begins; the calendar of 2025 and 2026 is published.
const BEGIN: &str = "2025-01-02T09:00:00+08:00";
/// How long after the last submission time still runs, in days.
const AFTER_DAYS: i64 = 120;

/// Something that is going to happen.
#[derive(Debug)]
enum Happening {
    /// An enterprise appeals.
    Appear,
    /// Somebody acts on a case, unless something else has happened to it meanwhile.
    Act(StreamName, u64, Box<Command>),
    /// Somebody acts in a joint diagnosis, unless something else has happened to it meanwhile.
    Diagnose(StreamName, u64, Box<diagnosis::Command>),
}

/// What is known of a stream.
#[derive(Debug)]
pub(super) struct Known<S> {
    pub(super) state: S,
    /// How many turns it took: a warning is none, so it keeps nobody from what they had in mind.
    turns: u64,
}

/// How the year went.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) commands: u64,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) duties: u64,
}

/// The simulated year.
pub(super) struct Story {
    engine: Engine,
    vault: Vault,
    hands: Hands,
    plan: Plan,
    city: City,
    happenings: BTreeMap<(Timestamp, u64), Happening>,
    numbered: u64,
    agenda: Agenda,
    read: Position,
    pub(super) cases: HashMap<StreamName, Known<Appeal>>,
    pub(super) diagnoses: HashMap<StreamName, Known<Diagnosis>>,
    pub(super) tally: Tally,
    pub(super) memories: Memories,
}

impl Story {
    pub(super) fn new(
        engine: Engine,
        vault: Vault,
        hands: Hands,
        plan: Plan,
        memories: Memories,
    ) -> Result<Self, SimulateError> {
        Ok(Self {
            engine,
            vault,
            hands,
            plan,
            city: City::published(plan.seed)?,
            happenings: BTreeMap::new(),
            numbered: 0,
            agenda: Agenda::default(),
            read: Position::START,
            cases: HashMap::new(),
            diagnoses: HashMap::new(),
            tally: Tally::default(),
            memories,
        })
    }

    /// Publishes the catalogue, as an administrator would on the first day.
    pub(super) async fn publish(&mut self) -> Result<(), SimulateError> {
        let begin: Timestamp = BEGIN.parse().map_err(step)?;
        self.hands.set(begin);
        for document in city::documents()? {
            let stream = streams::policy(&document.name()).map_err(step)?;
            self.issue::<Policy>(&stream, &policy::Command::Draft(document)).await?;
            self.issue::<Policy>(&stream, &policy::Command::Publish { version: 1 }).await?;
        }
        let year = tz::offset(8).to_datetime(begin).date();
        for _ in 0..self.plan.cases {
            let day = year.saturating_add(i64::from(self.city.chance.number(0..365)).days());
            let at = day.at(8, 30, 0, 0).to_zoned(tz::TimeZone::fixed(tz::offset(8)));
            let minutes = i64::from(self.city.chance.number(0..11 * 60));
            let at = at.map_err(step)?.timestamp() + jiff::SignedDuration::from_mins(minutes);
            self.at(at.max(begin), Happening::Appear);
        }
        Ok(())
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.numbered += 1;
        self.happenings.insert((at, self.numbered), happening);
    }

    /// Lets the year pass, and the time in which its last cases come to an end.
    pub(super) async fn run(&mut self) -> Result<(), SimulateError> {
        let last = self.happenings.keys().next_back().map_or(Timestamp::MIN, |(at, _)| *at);
        let end = last + jiff::SignedDuration::from_hours(24 * AFTER_DAYS);
        loop {
            self.listen().await?;
            let person = self.happenings.keys().next().map(|(at, _)| *at);
            let due = self.agenda.next();
            let Some(now) = person.into_iter().chain(due).min().filter(|now| *now <= end) else {
                return Ok(());
            };
            // The agenda may hold what was due long ago.
            let now = now.max(self.engine.now());
            self.hands.set(now);
            if let Some(due) = self.agenda.take_due(now) {
                self.tally.duties += 1;
                self.engine.carry_out(&self.vault, &due).await.map_err(step)?;
            } else if let Some((_, happening)) = self.happenings.pop_first() {
                self.happen(happening).await?;
            }
            self.memories.look(now).await?;
        }
    }

    async fn happen(&mut self, happening: Happening) -> Result<(), SimulateError> {
        match happening {
            Happening::Appear => self.appear().await,
            Happening::Act(stream, turns, command) => match self.cases.get(&stream) {
                Some(known) if known.turns == turns => {
                    self.issue::<Appeal>(&stream, &command).await
                }
                _ => Ok(()),
            },
            Happening::Diagnose(stream, turns, command) => match self.diagnoses.get(&stream) {
                Some(known) if known.turns == turns => {
                    self.issue::<Diagnosis>(&stream, &command).await
                }
                _ => Ok(()),
            },
        }
    }

    async fn appear(&mut self) -> Result<(), SimulateError> {
        let drawn = (self.city.enterprise(), self.city.topic(), self.city.area());
        let (Some(enterprise), Some(topic), Some(area)) = drawn else {
            return Err(step("the catalogue has no topics or areas"));
        };
        let appeal = AppealId(self.city.chance.id());
        let submission =
            Submission::new(self.city.channel(), topic, area, text("something is wrong"));
        let stream = streams::appeal(&enterprise, appeal).map_err(step)?;
        self.issue::<Appeal>(&stream, &Command::Submit(submission)).await
    }

    /// Issues a command; a refusal is counted, for people try what is not possible.
    async fn issue<D>(
        &mut self,
        stream: &StreamName,
        command: &D::Command,
    ) -> Result<(), SimulateError>
    where
        D: doudi_domain::Decider,
        D::Command: serde::Serialize,
        D::Rejection: Send + Sync,
    {
        let id = self.city.chance.id();
        self.tally.commands += 1;
        match self
            .engine
            .execute::<D>(stream, command, &Envelope::new(id, Actor::of("simulation")))
            .await
        {
            Ok(_) => Ok(()),
            Err(ExecuteError::Rejected(rejection)) => {
                *self.tally.refused.entry(name(&rejection)).or_default() += 1;
                // Whoever was refused thinks again.
                self.think_again(stream);
                Ok(())
            }
            Err(error) => Err(step(error)),
        }
    }

    fn think_again(&mut self, stream: &StreamName) {
        let now = self.engine.now();
        let Some(known) = self.cases.get(stream) else { return };
        let turns = known.turns;
        let Some(case) = known.state.known() else { return };
        if let Some((at, command)) = people::next(&mut self.city, case, now) {
            self.at(at, Happening::Act(stream.clone(), turns, Box::new(command)));
        }
    }

    /// Takes in what is new in the log.
    async fn listen(&mut self) -> Result<(), SimulateError> {
        loop {
            let records = self.engine.journal().read(self.read, PAGE).await.map_err(step)?;
            for record in &records {
                self.read = record.position;
                self.hear(record)?;
            }
            if records.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn hear(&mut self, record: &Record) -> Result<(), SimulateError> {
        let commit = record.commit().map_err(step)?;
        let stream = record.stream.clone();
        let now = self.engine.now();
        match stream.kind() {
            "appeal" => {
                let events: Vec<appeal::Event> = decoded(&commit)?;
                self.agenda.note(record, &commit, &events);
                let known = self.cases.entry(stream.clone()).or_default();
                let state = std::mem::take(&mut known.state);
                known.state = events.iter().fold(state, doudi_domain::Decider::evolve);
                let warned = |event| matches!(event, &appeal::Event::ClockStepsTaken { .. });
                if events.iter().all(warned) {
                    return Ok(());
                }
                known.turns += 1;
                let turns = known.turns;
                let Some(case) = known.state.known() else { return Ok(()) };
                let next = people::next(&mut self.city, case, now);
                if let Some((at, command)) = next {
                    self.at(at, Happening::Act(stream, turns, Box::new(command)));
                }
            }
            "diagnosis" => {
                let events: Vec<diagnosis::Event> = decoded(&commit)?;
                self.agenda.note(record, &commit, &events);
                let known = self.diagnoses.entry(stream.clone()).or_default();
                let state = std::mem::take(&mut known.state);
                known.state = events.iter().fold(state, doudi_domain::Decider::evolve);
                let warned = |event| matches!(event, &diagnosis::Event::ClockStepsTaken { .. });
                if events.iter().all(warned) {
                    return Ok(());
                }
                known.turns += 1;
                let turns = known.turns;
                let next = people::diagnose(&mut self.city, &known.state, now);
                if let Some((at, command)) = next {
                    self.at(at, Happening::Diagnose(stream, turns, Box::new(command)));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl<S: Default> Default for Known<S> {
    fn default() -> Self {
        Self { state: S::default(), turns: 0 }
    }
}
