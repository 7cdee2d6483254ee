//! What the views should hold in the end, said by no code of theirs: by the deciders, and by the log alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use doudi_domain::{
    AppealId, AreaCode, Decider, DiagnosisId, EnterpriseId, UnitId, VisitId,
    appeal::{self, Appeal, Case},
    clock::{Clock, ClockId},
    codec,
    diagnosis::Diagnosis,
    enterprise::Profile,
    visits::{Event, Phase, Visit, Visits},
};
use doudi_engine::{Position, StreamName, streams};
use doudi_journal::{Commit, StoredEvent};
use doudi_views::{
    appeals,
    in_memory::{Reading, Tables},
    timeline::{Entry, Kind},
    visits::{Row, State},
};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::views::same;

/// What is so in the end.
pub(super) struct Truth<'a> {
    pub(super) commits: &'a [(Position, Commit)],
    pub(super) visits: &'a BTreeMap<StreamName, Visits>,
    pub(super) appeals: &'a BTreeMap<StreamName, Appeal>,
    pub(super) diagnoses: &'a BTreeMap<StreamName, Diagnosis>,
}

/// What an entry of a timeline says.
#[derive(Debug, PartialEq)]
struct Said {
    at: (Position, u32),
    enterprise: String,
    kind: Kind,
    event: String,
    subject: Option<Uuid>,
    unit: Option<String>,
    recorded_at: Timestamp,
}

impl Said {
    fn by(entry: &Entry) -> Self {
        Self {
            at: (entry.position, entry.ordinal),
            enterprise: entry.enterprise.to_string(),
            kind: entry.kind,
            event: entry.event_type.clone(),
            subject: entry.subject,
            unit: entry.unit.as_ref().map(ToString::to_string),
            recorded_at: entry.recorded_at,
        }
    }
}

/// What an event is about, and which unit is in charge then.
type About = (Kind, Option<Uuid>, Option<String>);

/// What the log alone tells.
#[derive(Default)]
struct Told {
    entries: Vec<Said>,
    /// Where visits were planned first, and those that their enterprise was told of or saw.
    areas: BTreeMap<(StreamName, VisitId), Option<AreaCode>>,
    announced: BTreeSet<(StreamName, VisitId)>,
    /// Which unit an appeal was given to last.
    handlers: BTreeMap<StreamName, String>,
    /// The first and the last commit of each stream.
    spans: BTreeMap<StreamName, (Position, Position)>,
}

/// Each clock by its appeal, joint diagnosis and name, with its appeal's unit and area.
type Owed = BTreeMap<(StreamName, Option<DiagnosisId>, ClockId), Clocked>;
type Clocked = (Clock, Option<UnitId>, Option<AreaCode>);

impl Truth<'_> {
    /// Whether the tables hold it, and the same as one batch of all that they were given makes: what each look at
    /// them finds.
    pub(super) fn compare(
        &self,
        tables: &Tables,
        readings: &[Reading],
    ) -> [(&'static str, Result<(), String>); 5] {
        let told = self.told();
        [
            ("timeline", timeline(&told, tables)),
            ("visits", self.visits(&told, tables)),
            ("appeals", self.appeals(&told, tables)),
            ("clocks", self.clocks(tables)),
            ("pieces", same(tables, iter::once(readings))),
        ]
    }

    /// One row for each visit, as the decision knows it.
    fn visits(&self, told: &Told, tables: &Tables) -> Result<(), String> {
        let named = |row: &Row| (streams::visits(&row.enterprise).unwrap(), row.id());
        let mut rows: BTreeMap<_, _> = tables.visits().map(|row| (named(row), row)).collect();
        for (stream, state) in self.visits {
            for visit in state.all() {
                let name = (stream.clone(), visit.plan.visit);
                let row = rows.remove(&name);
                let right = row.is_some_and(|row| {
                    is_visit(row, visit)
                        && told.areas.get(&name) == Some(&row.area)
                        && told.announced.contains(&name) != row.is_internal()
                });
                if !right {
                    return Err(format!("{stream} has {visit:?}, and the view {row:?}"));
                }
            }
        }
        match rows.into_values().next() {
            Some(row) => Err(format!("nobody planned {row:?}")),
            None => Ok(()),
        }
    }

    /// One row for each appeal, as the decider knows it.
    fn appeals(&self, told: &Told, tables: &Tables) -> Result<(), String> {
        let named = |row: &appeals::Row| streams::appeal(&row.enterprise, row.appeal).unwrap();
        let mut rows: BTreeMap<_, _> = tables.appeals().map(|row| (named(&row), row)).collect();
        for (stream, state) in self.appeals {
            let row = rows.remove(stream);
            let right = match (state.known(), &row) {
                (Some(case), Some(row)) => {
                    let span = (row.submitted, row.updated);
                    is_case(row, case) && told.spans.get(stream) == Some(&span)
                }
                (case, row) => case.is_none() && row.is_none(),
            };
            if !right {
                return Err(format!("{stream} is {state:?}, and the view has {row:?}"));
            }
        }
        match rows.into_values().next() {
            Some(row) => Err(format!("nobody submitted {row:?}")),
            None => Ok(()),
        }
    }

    /// One row for each clock of an appeal and of a joint diagnosis that is open.
    fn clocks(&self, tables: &Tables) -> Result<(), String> {
        let mut owed = Owed::new();
        for (stream, state) in self.appeals {
            for clock in state.known().into_iter().flat_map(|case| case.clocks.values()) {
                owed.insert((stream.clone(), None, clock.id), self.clocked(stream, clock));
            }
        }
        for (stream, state) in self.diagnoses {
            let Diagnosis::Open(open) = state else { continue };
            let owner = EnterpriseId::parse(stream.owner()).unwrap();
            let appeal = streams::appeal(&owner, open.convening.appeal).unwrap();
            let id = DiagnosisId::parse(stream.id().unwrap()).unwrap();
            for clock in &open.clocks {
                let name = (appeal.clone(), Some(id), clock.id);
                owed.insert(name, self.clocked(&appeal, clock));
            }
        }
        let rows = tables.clocks().map(|row| {
            let appeal = streams::appeal(&row.enterprise, row.appeal).unwrap();
            ((appeal, row.diagnosis, row.clock.id), (row.clock, row.unit, row.area))
        });
        let held: Owed = rows.collect();
        let mut clocks = owed.iter();
        let apart = clocks.find(|(name, clocked)| held.get(*name) != Some(*clocked));
        if let Some((name, clocked)) = apart {
            return Err(format!("{name:?} is {clocked:?}, and the view has {:?}", held.get(name)));
        }
        match held.keys().find(|name| !owed.contains_key(*name)) {
            Some(name) => Err(format!("{name:?} does not run any more, or never did")),
            None => Ok(()),
        }
    }

    /// The clock with the unit and the area of its appeal.
    fn clocked(&self, appeal: &StreamName, clock: &Clock) -> Clocked {
        let case = self.appeals.get(appeal).and_then(Appeal::known);
        let unit = case.and_then(|case| case.phase.route()).map(|route| route.unit.clone());
        (clock.clone(), unit, case.map(|case| case.submission.area.clone()))
    }

    /// Goes through the log once.
    fn told(&self) -> Told {
        let mut told = Told::default();
        for (position, commit) in self.commits {
            let stream = &commit.stream;
            let span = told.spans.entry(stream.clone()).or_insert((*position, *position));
            span.1 = *position;
            for (ordinal, event) in (0..).zip(&commit.events) {
                let Some((kind, subject, unit)) = self.about(&mut told, stream, event) else {
                    continue;
                };
                told.entries.push(Said {
                    at: (*position, ordinal),
                    enterprise: stream.owner().to_owned(),
                    kind,
                    event: event.name.clone(),
                    subject,
                    unit,
                    recorded_at: commit.recorded_at,
                });
            }
        }
        told
    }

    /// What a timeline says of an event; none where it is in no timeline.
    fn about(&self, told: &mut Told, stream: &StreamName, event: &StoredEvent) -> Option<About> {
        match stream.kind() {
            // They are registered by themselves.
            Profile::KIND => Some((Kind::Profile, None, None)),
            Visits::KIND => Some(self.about_visit(told, stream, event)),
            Appeal::KIND => {
                if let Some(unit) = given(event) {
                    told.handlers.insert(stream.clone(), unit);
                }
                let appeal = AppealId::parse(stream.id()?).unwrap();
                Some((Kind::Appeal, Some(appeal.0), told.handlers.get(stream).cloned()))
            }
            Diagnosis::KIND => {
                let id = DiagnosisId::parse(stream.id()?).unwrap();
                let convening = self.diagnoses.get(stream)?.convening();
                let appeal = convening.map_or(id.0, |convening| convening.appeal.0);
                let convener = convening.map(|convening| convening.convener.to_string());
                Some((Kind::Appeal, Some(appeal), convener))
            }
            _ => None,
        }
    }

    /// Who leads a visit never changes. A record of a device may be of one that nobody knows.
    fn about_visit(&self, told: &mut Told, stream: &StreamName, event: &StoredEvent) -> About {
        let event: Event = codec::decode(&event.name, event.version, &event.data).unwrap();
        let name = (stream.clone(), event.visit());
        if let Event::VisitPlanned { area, .. } = &event {
            told.areas.entry(name.clone()).or_insert_with(|| area.clone());
        }
        let announces = matches!(
            event,
            Event::VisitNotified { .. } | Event::VisitCheckedIn { .. } | Event::VisitRefused { .. }
        );
        let known = self.visits.get(stream).and_then(|state| state.get(event.visit()));
        let unit = match (known, &event) {
            (Some(visit), _) => Some(visit.plan.unit.to_string()),
            (None, Event::ScanSetAside { record, .. }) => Some(record.unit.to_string()),
            (None, _) => None,
        };
        let subject = Some(event.visit().0);
        if announces {
            told.announced.insert(name);
        }
        (Kind::Visit, subject, unit)
    }
}

/// Each event of an enterprise once, in the order of the log, with who was in charge then.
fn timeline(told: &Told, tables: &Tables) -> Result<(), String> {
    if let Some(stream) = tables.parked().next() {
        return Err(format!("{stream} is passed over"));
    }
    let shown: Vec<Said> = tables.timeline().map(Said::by).collect();
    let apart = told.entries.iter().zip(&shown).find(|(told, shown)| told != shown);
    if let Some((told, shown)) = apart {
        return Err(format!("the log tells {told:?}, and the timeline {shown:?}"));
    }
    match (told.entries.len(), shown.len()) {
        (events, entries) if events == entries => Ok(()),
        (events, entries) => Err(format!("{events} events are {entries} entries of timelines")),
    }
}

/// The unit that an event gives an appeal to, if it does.
fn given(event: &StoredEvent) -> Option<String> {
    const GIVE: [&str; 4] =
        ["AppealDispatched", "DispatchRuled", "GuaranteeTaken", "AppealRepaired"];
    if !GIVE.contains(&event.name.as_str()) {
        return None;
    }
    let data: Value = serde_json::from_str(event.data.get()).unwrap();
    let stays = data["upheld"] == Value::Bool(false);
    data["route"]["unit"].as_str().filter(|_| !stays).map(str::to_owned)
}

fn is_visit(row: &Row, visit: &Visit) -> bool {
    let beside = visit.shares.keys().filter(|unit| **unit != visit.plan.unit);
    row.visit() == Some(visit)
        && row.state() == state(&visit.phase)
        && *row.unit() == visit.plan.unit
        && row.beside().into_iter().eq(beside)
        && row.ground() == Some(visit.plan.ground)
        && row.day() == visit.entry().map_or(visit.plan.on, |entry| entry.on)
}

fn state(phase: &Phase) -> State {
    match phase {
        Phase::Planned => State::Planned,
        Phase::Approved => State::Approved,
        Phase::CheckedIn { .. } => State::CheckedIn,
        Phase::CheckedOut { .. } => State::CheckedOut,
        Phase::Reported { .. } => State::Reported,
        Phase::Closed { .. } => State::Closed,
        Phase::Cancelled => State::Cancelled,
        Phase::Expired => State::Expired,
        Phase::Refused => State::Refused,
        Phase::Merged { .. } => State::Merged,
    }
}

fn is_case(row: &appeals::Row, case: &Case) -> bool {
    let (route, submission) = (case.phase.route(), &case.submission);
    let co_units = route.map(|route| route.co_units.as_slice()).unwrap_or_default();
    let called = case.diagnosis.iter().flat_map(|called| &called.units);
    let asked = case.tasks.values().map(|task| &task.unit).chain(called);
    let beside: BTreeSet<&UnitId> = co_units.iter().chain(asked).collect();
    let into = if let appeal::Phase::Merged(into) = case.phase { Some(into) } else { None };
    row.state == case.phase.name()
        && row.due.as_ref() == case.due()
        && row.unit.as_ref() == route.map(|route| &route.unit)
        && row.rule.as_ref() == route.map(|route| &route.rule)
        && row.co_units == co_units
        && row.beside.len() == beside.len()
        && row.beside.iter().all(|unit| beside.contains(unit))
        && (row.objections, row.bounces) == (case.objections, u32::from(case.bounces))
        && (row.guarantee, row.merged_into, row.closed_at) == (case.guarantee, into, case.closed_at)
        && row.class.as_ref() == case.class().map(|class| &class.id)
        && row.case_type == case.terms.case_type.id
        && row.channel == submission.channel
        && (&row.topic, &row.area) == (&submission.topic, &submission.area)
        && row.confidentiality == submission.confidentiality
        && row.about_visit == submission.about_visit
}
