//! What must be true of the log in the end, whatever happened: counted by itself, by no rule of the domain.

use std::collections::{BTreeMap, HashSet};

use doudi_domain::{
    Decider, EnterpriseId,
    appeal::Appeal,
    frequency::Ground,
    visits::{self, Visits},
};
use doudi_engine::{Engine, StreamName};
use doudi_journal::{Commit, Hash, Position, Record, Version};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    agenda::{self, Kept},
    city::{ALL_ROLLING, UNIT_YEAR_MAX},
    world::{Answer, Told},
};

/// The digest of the log, when all is as it should be.
pub(super) async fn judge(
    observer: &Engine,
    agenda: &Kept,
    told: &[Told],
) -> Result<String, String> {
    let records = observer.journal().read(Position::START, 1000).await.map_err(words)?;
    let commits = linear(&records)?;
    acknowledged(&commits, told)?;
    places(&records)?;
    cases(observer, &records).await?;
    if agenda.entries() != agenda::folded(&records) {
        return Err("the agenda is not what a replay of the log gives".to_owned());
    }
    let all: Vec<u8> = records.iter().flat_map(|record| record.payload.to_vec()).collect();
    Ok(Hash::sha256(&all).to_string())
}

fn words(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// Every stream counts from 1, each commit names the one before by its hash, and no command is in it twice.
fn linear(records: &[Record]) -> Result<Vec<(Position, Commit)>, String> {
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

/// No case is open and owed by nobody, and what is kept in memory is what the log says.
async fn cases(observer: &Engine, records: &[Record]) -> Result<(), String> {
    let mut states: BTreeMap<StreamName, Appeal> = BTreeMap::new();
    for record in records.iter().filter(|record| record.stream.kind() == Appeal::KIND) {
        let mut state = states.remove(&record.stream).unwrap_or_default();
        for event in agenda::events::<Appeal>(record) {
            state = state.evolve(&event);
        }
        if state.known().is_some_and(doudi_domain::appeal::Case::is_silent) {
            return Err(format!("{} is silent after {}", record.stream, record.position));
        }
        states.insert(record.stream.clone(), state);
    }
    for (stream, state) in states {
        EnterpriseId::parse(stream.owner()).map_err(words)?;
        let read = observer.read::<Appeal>(&stream, Position::START).await.map_err(words)?;
        if read.state != state {
            return Err(format!("{stream} is read as something else than its events make"));
        }
    }
    Ok(())
}
