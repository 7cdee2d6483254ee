//! The city of every world: three units, two enterprises, limits, a routing table, each as small as can be.

use std::{collections::BTreeSet, sync::OnceLock};

use bytes::Bytes;
use doudi_domain::{
    AreaCode, CertificateNumber, CheckDigit, EnterpriseId, FewSet, FieldId, ItemId, Name, RuleId,
    UnitId,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    enterprise::{self, Profile},
    frequency::{
        Counting, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject, Window,
    },
    policy::{self, Document, Policy},
    routing::RoutingTable,
};
use doudi_engine::{Actor, Engine, Envelope, StreamName, streams};
use doudi_journal::{Journal, Memory, Position};
use jiff::civil::date;
use uuid::Uuid;

use super::{network::Chance, world};

/// The units that inspect and handle appeals.
pub(super) const UNITS: [&str; 3] = ["fire", "tax", "power"];
/// The enterprises.
pub(super) const ENTERPRISES: [&str; 2] = ["L-ONE", "L-TWO"];
/// The topics of appeals; the last is one that nobody knows.
pub(super) const TOPICS: [&str; 3] = ["T06", "T07", "X99"];
/// The area of it all.
pub(super) const AREA: &str = "210212";
/// The officers of every unit.
pub(super) const OFFICERS: [&str; 2] = ["A1", "A2"];
/// The most visits of one unit in a calendar year, and of all units in so many days.
pub(super) const UNIT_YEAR_MAX: usize = 3;
pub(super) const ALL_ROLLING: (u16, usize) = (10, 2);

pub(super) fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub(super) fn enterprise(id: &str) -> EnterpriseId {
    EnterpriseId::parse(id).unwrap()
}

pub(super) fn officers() -> FewSet<CertificateNumber> {
    OFFICERS.map(|number| CertificateNumber::parse(number).unwrap()).into()
}

/// Limits of so many visits of one unit in a year, and of all units in so many days.
fn limits(unit_year: usize, all_rolling: usize) -> Document {
    let rule = |id, subject, window, maximum| Rule {
        id: RuleId::parse(id).unwrap(),
        subject,
        enterprises: Enterprises::default(),
        window,
        days_of_month: None,
        maximum: u32::try_from(maximum).unwrap(),
        items: BTreeSet::new(),
        fields: BTreeSet::new(),
        grounds: BTreeSet::new(),
        exempt_grounds: [Ground::Complaint].into(),
        counting: Counting::All,
        joint: Joint::Once,
        on_exceeding: OnExceeding::Refuse,
        source: Name::parse("a simulation").unwrap(),
        is_default: true,
        valid_from: date(2025, 1, 1),
        valid_until: None,
    };
    let rules = vec![
        rule("unit-year", Subject::SameUnit, Window::CalendarYear, unit_year),
        rule("all-rolling", Subject::AllUnits, Window::Rolling(ALL_ROLLING.0), all_rolling),
    ];
    Document::Frequency(FrequencyPolicy { rules, ..FrequencyPolicy::default() })
}

/// The catalogue of a unit whose officers may inspect until that year ends.
fn catalogue(of: &str, year: i16) -> Document {
    let officer = |number| Officer {
        certificate: CertificateNumber::parse(number).unwrap(),
        valid_from: date(2020, 1, 1),
        valid_until: date(year, 12, 31),
    };
    let item = Item {
        id: ItemId::parse("item-01").unwrap(),
        title: Name::parse("检查").unwrap(),
        field: FieldId::parse("field").unwrap(),
        legal_basis: Name::parse("法").unwrap(),
        modes: [Mode::OnSite].into(),
        trigger_only: false,
        checklist: vec![],
    };
    Document::Catalogue(Catalogue {
        unit: unit(of),
        level: Level::City,
        qualification: Qualification::Organ,
        officers: OFFICERS.map(officer).into(),
        items: vec![item],
        triggers: [Ground::Complaint].into(),
    })
}

/// A routing table in which those units lead in the topics that are known.
fn routing(leads: [&str; 2]) -> Document {
    let unit = |id: &str| serde_json::json!({ "id": id, "name": id });
    let topic = |id: &str, lead: &str| serde_json::json!({ "id": id, "title": id, "lead": lead, "co_units": ["fire"] });
    let units = ["fire", "tax", "power", "city", "justice"].map(unit);
    let topics = [topic("T06", leads[0]), topic("T07", leads[1])];
    let table: RoutingTable = serde_json::from_value(serde_json::json!({
        "units": units,
        "areas": [],
        "topics": topics,
        "city_desk": "city",
        "guarantee": "justice",
    }))
    .unwrap();
    Document::Routing(table)
}

/// Another document than is in force: limits that allow no more than those of the beginning, other leads, officers
/// whose time was over.
pub(super) fn another(chance: &Chance) -> Document {
    match chance.number(0..3) {
        0 => limits(1 + chance.below(UNIT_YEAR_MAX), 1 + chance.below(ALL_ROLLING.1)),
        1 => routing([UNITS[chance.below(UNITS.len())], UNITS[chance.below(UNITS.len())]]),
        _ => catalogue(
            UNITS[chance.below(UNITS.len())],
            if chance.percent(30) { 2024 } else { 2029 },
        ),
    }
}

/// The log with the city in it, for a world of its own. It is made once in a process.
pub(super) async fn log() -> Memory {
    static MADE: OnceLock<Vec<(StreamName, Bytes, Position)>> = OnceLock::new();
    let memory = Memory::new();
    if MADE.get().is_none() {
        let _ = MADE.set(make().await);
    }
    let journal = Journal::Memory(memory.clone());
    for (stream, payload, expected) in MADE.get().into_iter().flatten() {
        journal.append(stream, payload.clone(), *expected).await.unwrap();
    }
    memory
}

async fn make() -> Vec<(StreamName, Bytes, Position)> {
    let journal = Journal::Memory(Memory::new());
    let engine = Engine::new(journal.clone(), world::settings(64), world::Time::default().clock(0));
    let mut number = 0;
    let mut envelope = || {
        number += 1;
        Envelope::new(Uuid::from_u128(number), Actor::of("city"))
    };
    // Before there are areas, any will do.
    for id in ENTERPRISES {
        let stream = streams::profile(&enterprise(id)).unwrap();
        let register = enterprise::Command::Register {
            name: Name::parse("某厂").unwrap(),
            area: AreaCode::parse(AREA).unwrap(),
            check_digit: CheckDigit::Correct,
        };
        engine.execute::<Profile>(&stream, &register, &envelope()).await.unwrap();
    }
    let (limits, routing) = (limits(UNIT_YEAR_MAX, ALL_ROLLING.1), routing(["power", "tax"]));
    for document in [limits, routing].into_iter().chain(UNITS.map(|of| catalogue(of, 2029))) {
        let stream = streams::policy(&document.name()).unwrap();
        for command in [policy::Command::Draft(document), policy::Command::Publish { version: 1 }] {
            engine.execute::<Policy>(&stream, &command, &envelope()).await.unwrap();
        }
    }
    let mut made: Vec<(StreamName, Bytes, Position)> = vec![];
    for record in journal.read(Position::START, 1000).await.unwrap() {
        let before = (0_u64..).zip(&made).filter(|(_, known)| known.0 == record.stream).last();
        let expected = before.map_or(Position::START, |(index, _)| Position(index + 1));
        made.push((record.stream, record.payload, expected));
    }
    made
}
