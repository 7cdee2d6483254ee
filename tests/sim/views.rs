//! The views in memory: they take the log in by pieces of any size, and hold in the end what is so.

use std::{collections::BTreeMap, slice};

use doudi_domain::{AppealId, appeal::Appeal, diagnosis::Diagnosis, visits::Visits};
use doudi_engine::{Actor, Engine, Envelope, Position, streams};
use doudi_journal::{Journal, Record};
use doudi_views::in_memory::{self, Reading, Tables};
use uuid::Uuid;

use super::{
    city::{self, ENTERPRISES},
    network::Chance,
    oracle, people,
    truth::Truth,
    world::{Time, settings},
};

/// In every how-manieth world the log is also taken in record by record.
const ALONE_EVERY: u64 = 10;
/// The most records of a small piece, and of a large one, which is about all of a world.
const SMALL: usize = 4;
const LARGE: usize = 60;

/// Views that follow the log. No power cut takes back what they were given: it is on disk before it is read.
pub(super) struct Follower {
    chance: Chance,
    tables: Tables,
    /// What they were given of the log,
    readings: Vec<Reading>,
    /// how much of it they have taken in,
    taken: usize,
    /// and how much they take in at once next.
    piece: usize,
    alone: bool,
}

impl Follower {
    /// Those of the world of that seed. They draw from a chance of their own: the world is the same without them.
    pub(super) fn new(seed: u64) -> Self {
        let chance = Chance::from_seed(!seed);
        let (tables, readings, piece) = (Tables::default(), vec![], size(&chance));
        Self { chance, tables, readings, taken: 0, piece, alone: seed.is_multiple_of(ALONE_EVERY) }
    }

    /// Gives them what follows in the log.
    pub(super) fn follow(&mut self, records: &[Record]) {
        self.readings.extend(in_memory::read(records));
        while self.readings.len() - self.taken >= self.piece {
            self.take(self.piece);
        }
    }

    fn take(&mut self, count: usize) {
        let until = self.taken + count;
        self.tables.take(&self.readings[self.taken..until]);
        self.taken = until;
        self.piece = size(&self.chance);
    }

    /// Takes in what is left, and says what is not as it should be.
    pub(super) fn judge(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        self.take(self.readings.len() - self.taken);
        for (look, found) in truth.compare(&self.tables, &self.readings) {
            found.map_err(|why| format!("in the views, {look}: {why}"))?;
        }
        if self.alone { same(&self.tables, self.readings.chunks(1)) } else { Ok(()) }
    }
}

/// How many records the next piece has.
fn size(chance: &Chance) -> usize {
    1 + chance.below(if chance.percent(50) { SMALL } else { LARGE })
}

/// What tables hold does not depend on how the log was cut.
pub(super) fn same<'a>(
    tables: &Tables,
    pieces: impl Iterator<Item = &'a [Reading]>,
) -> Result<(), String> {
    let mut others = Tables::default();
    pieces.for_each(|piece| others.take(piece));
    match tables.differs(&others) {
        Some(view) => Err(format!("the view {view} depends on how the log was cut")),
        None => Ok(()),
    }
}

/// How often somebody wants something of the visits to each enterprise, and of each of its appeals.
const WISHES: usize = 8;

/// A log to lie about, and an engine on it.
async fn some_log() -> (Engine, Vec<Record>) {
    let (time, chance) = (Time::default(), Chance::from_seed(0));
    let journal = Journal::Memory(city::log().await);
    let engine = Engine::new(journal.clone(), settings(1 << 28), time.clock(0));
    let envelope = || Envelope::new(chance.id(), Actor::of("somebody"));
    let appeals = [1, 2, 3].map(|number| AppealId(Uuid::from_u128(number)));
    for enterprise in (0..WISHES).flat_map(|_| ENTERPRISES) {
        let enterprise = city::enterprise(enterprise);
        let stream = streams::visits(&enterprise).unwrap();
        let seen = engine.read::<Visits>(&stream, Position::START).await.unwrap();
        let wish = people::visits(&chance, &seen.state, time.now());
        // What is refused is not in the log.
        let _ = engine.execute::<Visits>(&stream, &wish, &envelope()).await;
        for appeal in appeals {
            let stream = streams::appeal(&enterprise, appeal).unwrap();
            let seen = engine.read::<Appeal>(&stream, Position::START).await.unwrap();
            let wish = people::appeal(&chance, &seen.state, appeals[0]);
            let _ = engine.execute::<Appeal>(&stream, &wish, &envelope()).await;
        }
    }
    let records = journal.read(Position::START, 1000).await.unwrap();
    (engine, records)
}

#[tokio::test]
async fn a_view_that_passes_over_a_record_or_takes_one_in_twice_is_found_out() {
    let (engine, records) = some_log().await;
    let (engines, commits) = ([engine], oracle::linear(&records).unwrap());
    let visits = oracle::known::<Visits>(&engines, &records, |_| Ok(())).await.unwrap();
    let appeals = oracle::known::<Appeal>(&engines, &records, |_| Ok(())).await.unwrap();
    let diagnoses = oracle::known::<Diagnosis>(&engines, &records, |_| Ok(())).await.unwrap();
    let truth =
        Truth { commits: &commits, visits: &visits, appeals: &appeals, diagnoses: &diagnoses };
    let wanted = |record: &&Record| !in_memory::read(slice::from_ref(*record)).is_empty();
    let wanted: Vec<&Record> = records.iter().filter(wanted).collect();
    let readings = in_memory::read(&records);
    assert_eq!(wanted.len(), readings.len());
    let looks = |pieces: &[&[Reading]]| {
        let mut tables = Tables::default();
        pieces.iter().for_each(|piece| tables.take(piece));
        truth.compare(&tables, &readings)
    };
    for (look, found) in looks(&[&readings[..]]) {
        assert_eq!(found, Ok(()), "{look}");
    }
    let faults = |pieces: &[&[Reading]]| {
        let wrong = looks(pieces).into_iter().filter(|(_, found)| found.is_err());
        wrong.map(|(look, _)| look).collect::<Vec<&str>>()
    };
    let mut noticed: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, Record { position, stream, .. }) in wanted.into_iter().enumerate() {
        let (before, one, after) = (&readings[..at], &readings[at..=at], &readings[at + 1..]);
        let passed_over = faults(&[before, after]);
        assert!(!passed_over.is_empty(), "nobody misses {position} of {stream}");
        let twice = faults(&[before, one, one, after]);
        // A document once more is the same document.
        let harmless = stream.kind() == "policy";
        assert!(harmless || !twice.is_empty(), "nobody minds {position} of {stream} twice");
        for look in passed_over.into_iter().chain(twice) {
            *noticed.entry(look).or_default() += 1;
        }
    }
    println!("lies about {} records that were noticed: {noticed:?}", readings.len());
    let all = ["appeals", "clocks", "pieces", "timeline", "visits"];
    assert!(noticed.keys().eq(&all), "a look is blind: {noticed:?}");
}
