//! What must be true of the log in the end, whatever happened. Limits are counted here, by no rule of the domain; which
//! visit holds a place on which day is what its state says.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use doudi_domain::{
    Decider, EnterpriseId,
    appeal::{self, Appeal, Ending, Phase},
    device::Device,
    diagnosis::Diagnosis,
    frequency::Ground,
    visits::{self, Visits},
};
use doudi_engine::{Engine, StreamName, streams};
use doudi_journal::{Commit, Hash, Position, Record, Version};
use jiff::{SignedDuration, ToSpan, civil::Date, tz};
use uuid::Uuid;

use super::{
    agenda::{self, Kept},
    city::{ALL_ROLLING, UNIT_YEAR_MAX},
    truth::Truth,
    world::{Answer, GRACE_DAYS, Told},
};

/// The most records that are judged.
const RECORDS_MAX: usize = 1000;
/// How far a clock may have been put back, and be ahead of others.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A log in which all is as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// Of all records.
    pub(super) digest: String,
    /// The names of the events in it.
    pub(super) events: BTreeSet<String>,
    /// How many records power cuts took back before anybody was told of them.
    pub(super) taken_back: usize,
}

/// What the log is, when all is as it should be.
pub(super) async fn judge(
    engines: &[Engine],
    agenda: &Kept,
    told: &[Told],
    taken_back: usize,
) -> Result<Judged, String> {
    let observer = engines.last().ok_or("nobody knows the log")?;
    let records = observer.journal().read(Position::START, RECORDS_MAX).await.map_err(words)?;
    if records.len() == RECORDS_MAX {
        return Err("the log is too long to be judged at once".to_owned());
    }
    let commits = linear(&records)?;
    acknowledged(&commits, told)?;
    places(&records)?;
    in_time(&records)?;
    parts(&records)?;
    let cases = known::<Appeal>(engines, &records, no_silence).await?;
    let diagnoses = known::<Diagnosis>(engines, &records, |_| Ok(())).await?;
    let visits = known::<Visits>(engines, &records, |_| Ok(())).await?;
    let devices = known::<Device>(engines, &records, |_| Ok(())).await?;
    let pending = |device: &Device| device.known().is_some_and(|known| !known.pending.is_empty());
    if devices.values().any(pending) {
        return Err(format!("records are not delivered: {devices:?}"));
    }
    delivered(&cases, &diagnoses)?;
    if agenda.entries() != agenda::folded(&records) {
        return Err("the agenda is not what a replay of the log gives".to_owned());
    }
    let truth =
        Truth { commits: &commits, visits: &visits, appeals: &cases, diagnoses: &diagnoses };
    agenda.judge_views(&truth).await?;
    let all: Vec<u8> = records.iter().flat_map(|record| record.payload.to_vec()).collect();
    let names = commits.into_iter().flat_map(|(_, commit)| commit.events);
    Ok(Judged {
        digest: Hash::sha256(&all).to_string(),
        events: names.map(|event| event.name).collect(),
        taken_back,
    })
}

fn words(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// Every stream counts from 1, each commit names the one before by its hash, and no command is in it twice.
pub(super) fn linear(records: &[Record]) -> Result<Vec<(Position, Commit)>, String> {
    let mut ends: BTreeMap<StreamName, (Version, Option<Hash>)> = BTreeMap::new();
    let mut ids: HashSet<(StreamName, Uuid)> = HashSet::new();
    let mut commits = vec![];
    for record in records {
        let commit = record.commit().map_err(words)?;
        let (version, last) = ends.entry(record.stream.clone()).or_default();
        if commit.version != version.next() || commit.previous != *last {
            return Err(format!("{} is broken at {}", record.stream, record.position));
        }
        (*version, *last) = (commit.version, Some(Hash::sha256(&record.payload)));
        if !ids.insert((record.stream.clone(), commit.command_id)) {
            return Err(format!("command {} is in {} twice", commit.command_id, record.stream));
        }
        commits.push((record.position, commit));
    }
    Ok(commits)
}

/// What somebody was told is so.
fn acknowledged(commits: &[(Position, Commit)], told: &[Told]) -> Result<(), String> {
    for Told { stream, id, answer } in told {
        let of_it = |commit: &Commit| commit.command_id == *id && commit.stream == *stream;
        let found = commits.iter().find(|(_, commit)| of_it(commit));
        let found = found.map(|(position, commit)| (*position, commit.version));
        let right = match answer {
            Answer::Stored(position, version) => found == Some((*position, *version)),
            Answer::Nothing => found.is_none(),
            Answer::Unknown => true,
        };
        if !right {
            return Err(format!("{id} was told {answer:?} and the log has {found:?}"));
        }
    }
    Ok(())
}

/// A place that a visit takes: of which unit, on which day.
type Place = (String, Date);

/// No plan was accepted that overshot a limit.
fn places(records: &[Record]) -> Result<(), String> {
    let mut held: BTreeMap<String, BTreeMap<Uuid, Place>> = BTreeMap::new();
    let mut state: BTreeMap<String, Visits> = BTreeMap::new();
    for record in records.iter().filter(|record| record.stream.kind() == Visits::KIND) {
        let owner = record.stream.owner().to_owned();
        for event in agenda::events::<Visits>(record) {
            let mut planned = None;
            if let visits::Event::VisitPlanned { plan, .. } = &event {
                planned = Some(plan.clone());
            }
            let visits = state.remove(&owner).unwrap_or_default().evolve(&event);
            let taken = held.entry(owner.clone()).or_default();
            *taken = counted(&visits);
            state.insert(owner.clone(), visits);
            if let Some(plan) = planned.filter(|plan| plan.ground != Ground::Complaint) {
                fits(taken, plan.unit.as_str(), plan.on)
                    .map_err(|why| format!("{why} at {} for {owner}", record.position))?;
            }
        }
    }
    Ok(())
}

/// The places that are held or used, on the days on which they count.
fn counted(visits: &Visits) -> BTreeMap<Uuid, Place> {
    let entries = visits.all().filter(|visit| visit.plan.ground != Ground::Complaint);
    let place = |visit: &visits::Visit| {
        let entry = visit.entry()?;
        Some((visit.plan.visit.0, (visit.plan.unit.to_string(), entry.on)))
    };
    entries.filter_map(place).collect()
}

fn fits(held: &BTreeMap<Uuid, Place>, unit: &str, on: Date) -> Result<(), String> {
    let of_year = held.values().filter(|(of, day)| of == unit && day.year() == on.year()).count();
    if of_year > UNIT_YEAR_MAX {
        return Err(format!("{of_year} visits of {unit} in a year"));
    }
    let (days, maximum) = ALL_ROLLING;
    let windows = held.values().map(|(_, first)| {
        let within = |day: &Date| (0..i32::from(days)).contains(&(*day - *first).get_days());
        if within(&on) { held.values().filter(|(_, day)| within(day)).count() } else { 0 }
    });
    match windows.max() {
        Some(most) if most > maximum => Err(format!("{most} visits within {days} days")),
        Some(_) | None => Ok(()),
    }
}

/// No visit expired before its grace was over.
fn in_time(records: &[Record]) -> Result<(), String> {
    let mut last_days: BTreeMap<Uuid, Date> = BTreeMap::new();
    for record in records.iter().filter(|record| record.stream.kind() == Visits::KIND) {
        let recorded_at = record.commit().map_err(words)?.recorded_at;
        for event in agenda::events::<Visits>(record) {
            if let visits::Event::VisitPlanned { plan, .. } = &event {
                last_days.insert(plan.visit.0, plan.on);
            } else if let visits::Event::VisitExpired { visit } = &event {
                let on = last_days.get(&visit.0).ok_or("what was not planned expired")?;
                let over = on.saturating_add((1 + i64::from(GRACE_DAYS)).days());
                let over = tz::offset(8).to_timestamp(over.at(0, 0, 0, 0)).map_err(words)?;
                if recorded_at < over - AHEAD_MAX {
                    return Err(format!("{visit:?} expired at {recorded_at}, not after {over}"));
                }
            }
        }
    }
    Ok(())
}

/// A part of an appeal that is said to be submitted was submitted before.
fn parts(records: &[Record]) -> Result<(), String> {
    let mut known: HashSet<String> = HashSet::new();
    for record in records.iter().filter(|record| record.stream.kind() == Appeal::KIND) {
        known.insert(record.stream.to_string());
        for event in agenda::events::<Appeal>(record) {
            if let appeal::Event::PartSubmitted { part, .. } = &event {
                let owner = EnterpriseId::parse(record.stream.owner()).map_err(words)?;
                let stream = streams::appeal(&owner, *part).map_err(words)?;
                if !known.contains(stream.as_str()) {
                    return Err(format!("{stream} is said to be submitted and is not"));
                }
            }
        }
    }
    Ok(())
}

/// No case is open and owed by nobody.
fn no_silence(state: &Appeal) -> Result<(), String> {
    let is_silent = state.known().is_some_and(doudi_domain::appeal::Case::is_silent);
    if is_silent { Err("it is silent".to_owned()) } else { Ok(()) }
}

/// What the events of each stream of a kind make, which `holds` after each commit, and which is what every engine says
/// that has lived through it all or forgot it on the way.
pub(super) async fn known<D: Decider + PartialEq>(
    engines: &[Engine],
    records: &[Record],
    holds: fn(&D) -> Result<(), String>,
) -> Result<BTreeMap<StreamName, D>, String> {
    let mut states: BTreeMap<StreamName, D> = BTreeMap::new();
    for record in records.iter().filter(|record| record.stream.kind() == D::KIND) {
        let mut state = states.remove(&record.stream).unwrap_or_default();
        for event in agenda::events::<D>(record) {
            state = state.evolve(&event);
        }
        holds(&state).map_err(|why| format!("{} at {}: {why}", record.stream, record.position))?;
        states.insert(record.stream.clone(), state);
    }
    for (stream, state) in &states {
        for engine in engines {
            let read = engine.read::<D>(stream, Position::START).await.map_err(words)?;
            if read.state != *state {
                return Err(format!("{stream} is read as something else than its events make"));
            }
        }
    }
    Ok(states)
}

/// Word between streams has arrived: who was called together was, or ended again, and what was merged is where it went.
fn delivered(
    cases: &BTreeMap<StreamName, Appeal>,
    diagnoses: &BTreeMap<StreamName, Diagnosis>,
) -> Result<(), String> {
    for (stream, case) in cases {
        let Some(case) = case.known() else { continue };
        let owner = EnterpriseId::parse(stream.owner()).map_err(words)?;
        if let Some(called) = &case.diagnosis {
            let name = streams::diagnosis(&owner, called.id).map_err(words)?;
            let right = match diagnoses.get(&name) {
                Some(Diagnosis::Open(_)) => called.is_under_way() && called.opened,
                Some(Diagnosis::Concluded(_)) => called.conclusion.is_some(),
                Some(Diagnosis::Discontinued(_)) => called.ending == Ending::Done,
                Some(Diagnosis::Absent) | None => false,
            };
            if !right {
                return Err(format!("{stream} knows {called:?}, and {name} is otherwise"));
            }
        }
        for from in &case.absorbed {
            let name = streams::appeal(&owner, *from).map_err(words)?;
            let merged = cases.get(&name).and_then(Appeal::known).map(|from| &from.phase);
            if !matches!(merged, Some(Phase::Merged(_))) {
                return Err(format!("{stream} has taken in {name}, which is {merged:?}"));
            }
        }
    }
    Ok(())
}
