//! The city of every world: three units, two enterprises, limits, a routing table, each as small as can be.

use std::{collections::BTreeSet, sync::OnceLock};

use bytes::Bytes;
use doudi_domain::{
    AreaCode, CertificateNumber, CheckDigit, EnterpriseId, FieldId, ItemId, Name, RuleId, UnitId,
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

use super::world;

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

pub(super) fn officers() -> BTreeSet<CertificateNumber> {
    OFFICERS.map(|number| CertificateNumber::parse(number).unwrap()).into()
}

fn limits() -> Document {
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
    let (days, maximum) = ALL_ROLLING;
    let rules = vec![
        rule("unit-year", Subject::SameUnit, Window::CalendarYear, UNIT_YEAR_MAX),
        rule("all-rolling", Subject::AllUnits, Window::Rolling(days), maximum),
    ];
    Document::Frequency(FrequencyPolicy { rules, ..FrequencyPolicy::default() })
}

fn catalogue(of: &str) -> Document {
    let officer = |number| Officer {
        certificate: CertificateNumber::parse(number).unwrap(),
        valid_from: date(2020, 1, 1),
        valid_until: date(2029, 12, 31),
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

fn routing() -> Document {
    let unit = |id: &str| serde_json::json!({ "id": id, "name": id });
    let topic = |id: &str, lead: &str| serde_json::json!({ "id": id, "title": id, "lead": lead, "co_units": ["fire"] });
    let units = ["fire", "tax", "power", "city", "justice"].map(unit);
    let topics = [topic("T06", "power"), topic("T07", "tax")];
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
    let engine = Engine::new(journal.clone(), world::settings(), world::Time::default().clock(0));
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
    for document in [limits(), routing()].into_iter().chain(UNITS.map(catalogue)) {
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
