//! The write path on the Memory log: idempotency, conflicts between engines, refusals that are fresh.

use std::collections::BTreeSet;

use doudi_domain::{
    AreaCode, CertificateNumber, CheckDigit, EnterpriseId, FieldId, ItemId, Name, UnitId, VisitId,
    catalogue::{Catalogue, Item, Level, Mode, Officer, Qualification},
    enterprise::{self, Profile},
    frequency::{
        Counting, Enterprises, FrequencyPolicy, Ground, Joint, OnExceeding, Rule, Subject, Window,
    },
    policy::{self, Document, Policy, PolicyName},
    visits::{self, CancelReason, Plan, Visits},
};
use doudi_journal::Memory;
use jiff::civil::date;

use super::*;
use crate::streams;

mod earlier;
mod racing;

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn actor() -> Actor {
    Actor { principal: "officer-1".into(), unit: None, device: None, on_behalf_of: None }
}

pub(crate) fn envelope(n: u128) -> Envelope {
    Envelope::new(id(n), actor())
}

fn engine(journal: &Journal) -> Engine {
    keeping(journal, 1 << 18)
}

/// An engine that keeps folded streams of so many bytes.
pub(crate) fn keeping(journal: &Journal, cache_bytes_max: u64) -> Engine {
    let settings = EngineSettings {
        cache_bytes_max,
        attempts_max: 8,
        input_age_max: Duration::from_secs(3600),
    };
    Engine::new(journal.clone(), settings, Clock::new(|| "2025-04-25T01:00:00Z".parse().unwrap()))
}

pub(crate) fn enterprise() -> EnterpriseId {
    EnterpriseId::parse("91512081MA62K0260E").unwrap()
}

pub(crate) fn unit(name: &str) -> UnitId {
    UnitId::parse(name).unwrap()
}

pub(crate) fn register(name: &str) -> enterprise::Command {
    enterprise::Command::Register {
        name: Name::parse(name).unwrap(),
        area: AreaCode::parse("210212").unwrap(),
        check_digit: CheckDigit::Correct,
    }
}

/// The officers of every unit.
const OFFICERS: [&str; 2] = ["A1", "A2"];

pub(crate) fn plan(n: u128, unit_name: &str) -> visits::Command {
    visits::Command::Plan(Plan {
        visit: VisitId(id(n)),
        unit: unit(unit_name),
        shares: [].into(),
        officers: OFFICERS.map(|n| CertificateNumber::parse(n).unwrap()).into(),
        items: [ItemId::parse("fire-01").unwrap()].into(),
        ground: Ground::Routine,
        evidence: None,
        justification: None,
        on_site_reason: None,
        campaign: None,
        recheck_of: None,
        on: date(2025, 5, 6),
    })
}

fn visits_by_all(maximum: u32) -> Document {
    Document::Frequency(FrequencyPolicy {
        rules: vec![Rule {
            id: doudi_domain::RuleId::parse("one").unwrap(),
            subject: Subject::AllUnits,
            enterprises: Enterprises::default(),
            window: Window::CalendarYear,
            days_of_month: None,
            maximum,
            items: BTreeSet::new(),
            fields: BTreeSet::new(),
            grounds: BTreeSet::new(),
            exempt_grounds: BTreeSet::new(),
            counting: Counting::All,
            joint: Joint::Once,
            on_exceeding: OnExceeding::Refuse,
            source: Name::parse("a test").unwrap(),
            is_default: true,
            valid_from: date(2025, 1, 1),
            valid_until: None,
        }],
        ..FrequencyPolicy::default()
    })
}

/// The catalogue of a unit with so many items, `fire-01` the first of them.
pub(crate) fn catalogue(of: &str, items: usize) -> Document {
    let officer = |number| Officer {
        certificate: CertificateNumber::parse(number).unwrap(),
        valid_from: date(2020, 1, 1),
        valid_until: date(2029, 12, 31),
    };
    let item = |n| Item {
        id: ItemId::parse(&format!("fire-{n:02}")).unwrap(),
        title: Name::parse("消防安全检查").unwrap(),
        field: FieldId::parse("fire").unwrap(),
        legal_basis: Name::parse("消防法").unwrap(),
        modes: [Mode::OnSite].into(),
        trigger_only: false,
        checklist: vec![],
    };
    Document::Catalogue(Catalogue {
        unit: unit(of),
        level: Level::City,
        qualification: Qualification::Organ,
        officers: OFFICERS.map(officer).into(),
        items: (1..=items).map(item).collect(),
        triggers: BTreeSet::new(),
    })
}

/// A log with one registered enterprise, two units that may inspect it, and a policy in force that
/// leaves it one place.
pub(crate) async fn prepared() -> (Journal, Engine, StreamName) {
    prepared_for(1).await
}

/// The same with so many places.
pub(crate) async fn prepared_for(places: u32) -> (Journal, Engine, StreamName) {
    let journal = Journal::Memory(Memory::default());
    let engine = engine(&journal);
    let profile = streams::profile(&enterprise()).unwrap();
    engine.execute::<Profile>(&profile, &register("旅顺造船"), &envelope(1)).await.unwrap();
    let documents = [visits_by_all(places), catalogue("fire", 1), catalogue("tax", 1)];
    for (n, document) in (0_u128..).zip(documents) {
        publish(&engine, document, 1_000_000 + 2 * n).await;
    }
    (journal, engine, streams::visits(&enterprise()).unwrap())
}

/// Puts a document in force with two commands, the first one of that id.
pub(crate) async fn publish(engine: &Engine, document: Document, first: u128) {
    let stream = streams::policy(&document.name()).unwrap();
    let publish = policy::Command::Publish { version: 1 };
    for (n, command) in (first..).zip([policy::Command::Draft(document), publish]) {
        engine.execute::<Policy>(&stream, &command, &envelope(n)).await.unwrap();
    }
}

#[tokio::test]
async fn the_same_command_again_answers_with_its_first_outcome() {
    let (journal, first, visits) = prepared().await;
    let outcome = first.execute::<Visits>(&visits, &plan(9, "fire"), &envelope(9)).await.unwrap();
    let cancel = visits::Command::Cancel {
        visit: VisitId(id(9)),
        unit: unit("fire"),
        reason: CancelReason::TaskWithdrawn,
    };
    first.execute::<Visits>(&visits, &cancel, &envelope(10)).await.unwrap();
    let before = journal.last_position().await.unwrap();
    // Another process, after a crash: nothing is remembered but the log.
    for engine in [first, engine(&journal)] {
        let again =
            engine.execute::<Visits>(&visits, &plan(9, "fire"), &envelope(9)).await.unwrap();
        assert_eq!((again.version, again.position), (outcome.version, outcome.position));
        assert_eq!(again.events, outcome.events);
    }
    assert_eq!(journal.last_position().await.unwrap(), before);
}

#[tokio::test]
async fn another_command_under_the_same_id_is_refused() {
    let (journal, first, visits) = prepared().await;
    first.execute::<Visits>(&visits, &plan(9, "fire"), &envelope(9)).await.unwrap();
    for engine in [first, engine(&journal)] {
        let other = engine.execute::<Visits>(&visits, &plan(9, "tax"), &envelope(9)).await;
        assert!(matches!(other, Err(ExecuteError::IdReused)), "{other:?}");
    }
}

#[tokio::test]
async fn two_engines_never_both_take_the_last_place() {
    let (journal, one, visits) = prepared().await;
    let two = engine(&journal);
    for round in 0..50_u128 {
        let (a, b) = (100 + round * 10, 101 + round * 10);
        let (plan_a, plan_b) = (plan(a, "fire"), plan(b, "tax"));
        let (envelope_a, envelope_b) = (envelope(a), envelope(b));
        let (first, second) = tokio::join!(
            one.execute::<Visits>(&visits, &plan_a, &envelope_a),
            two.execute::<Visits>(&visits, &plan_b, &envelope_b),
        );
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
        let (won, by) = if first.is_ok() { (a, "fire") } else { (b, "tax") };
        let cancel = visits::Command::Cancel {
            visit: VisitId(id(won)),
            unit: unit(by),
            reason: CancelReason::TaskWithdrawn,
        };
        one.execute::<Visits>(&visits, &cancel, &envelope(a + 5)).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_is_never_based_on_a_stale_memory() {
    let (journal, one, visits) = prepared().await;
    let two = engine(&journal);
    two.execute::<Visits>(&visits, &plan(20, "fire"), &envelope(20)).await.unwrap();
    // `one` learns that the place is taken, then `two` frees it.
    let refused = one.execute::<Visits>(&visits, &plan(21, "tax"), &envelope(21)).await;
    assert!(matches!(refused, Err(ExecuteError::Rejected(visits::Rejection::CapReached { .. }))));
    let cancel = visits::Command::Cancel {
        visit: VisitId(id(20)),
        unit: unit("fire"),
        reason: CancelReason::TaskWithdrawn,
    };
    two.execute::<Visits>(&visits, &cancel, &envelope(22)).await.unwrap();
    one.execute::<Visits>(&visits, &plan(21, "tax"), &envelope(21)).await.unwrap();
}

#[tokio::test]
async fn a_stale_input_does_not_refuse() {
    let (journal, one, _) = prepared().await;
    let two = engine(&journal);
    let late = EnterpriseId::parse("9131000063159284XQ").unwrap();
    let visits = streams::visits(&late).unwrap();
    let early = one.execute::<Visits>(&visits, &plan(30, "fire"), &envelope(30)).await;
    assert!(matches!(
        early,
        Err(ExecuteError::Rejected(visits::Rejection::EnterpriseUnregistered))
    ));
    let profile = streams::profile(&late).unwrap();
    two.execute::<Profile>(&profile, &register("上海某厂"), &envelope(31)).await.unwrap();
    one.execute::<Visits>(&visits, &plan(30, "fire"), &envelope(30)).await.unwrap();
}

#[tokio::test]
async fn an_expected_version_that_differs_is_told_with_the_actual_one() {
    let (journal, one, _) = prepared().await;
    let profile = streams::profile(&enterprise()).unwrap();
    let mut expecting = envelope(40);
    expecting.expected_version = Some(Version(7));
    let command = enterprise::Command::ChangeArea {
        to: AreaCode::parse("210211").unwrap(),
        basis: doudi_domain::Reference::parse("文件一号").unwrap(),
    };
    let differs = one.execute::<Profile>(&profile, &command, &expecting).await;
    assert!(matches!(differs, Err(ExecuteError::VersionDiffers { actual: Version(1) })));
    expecting.expected_version = Some(Version(1));
    let outcome = engine(&journal).execute::<Profile>(&profile, &command, &expecting).await;
    assert_eq!(outcome.unwrap().version, Version(2));
}

#[tokio::test]
async fn what_is_already_so_makes_no_commit() {
    let (journal, one, _) = prepared().await;
    let profile = streams::profile(&enterprise()).unwrap();
    let before = journal.last_position().await.unwrap();
    let outcome =
        one.execute::<Profile>(&profile, &register("旅顺造船"), &envelope(50)).await.unwrap();
    assert_eq!((outcome.version, outcome.events.len()), (Version(1), 0));
    assert_eq!(journal.last_position().await.unwrap(), before);
}

#[tokio::test]
async fn each_commit_carries_the_hash_of_the_one_before() {
    let (journal, one, visits) = prepared().await;
    one.execute::<Visits>(&visits, &plan(60, "fire"), &envelope(60)).await.unwrap();
    let approve = visits::Command::Approve { visit: VisitId(id(60)), unit: unit("fire") };
    one.execute::<Visits>(&visits, &approve, &envelope(61)).await.unwrap();
    let records = journal.load(&visits, Position::default(), Position::default()).await.unwrap();
    let (first, second) = (records[0].commit().unwrap(), records[1].commit().unwrap());
    assert_eq!(first.previous, None);
    assert_eq!(second.previous, Some(records[0].hash()));
    assert_eq!((first.version, second.version), (Version(1), Version(2)));
    assert_eq!(second.correlation, id(61));
}

/// Every lock that a command waits for, held when the command is dropped.
#[tokio::test]
async fn a_command_dropped_while_it_waits_its_turn_leaves_nothing_behind() {
    let (journal, one, visits) = prepared().await;
    let profile = streams::profile(&enterprise()).unwrap();
    let policy = streams::policy(&PolicyName::Frequency).unwrap();
    let catalogue = streams::policy(&PolicyName::Catalogue(unit("fire"))).unwrap();
    let before = journal.last_position().await.unwrap();
    for (n, held) in (69_u128..).zip([&visits, &profile, &policy, &catalogue]) {
        let lease = one.streams.lease::<Visits>(held).await;
        let (command, envelope) = (plan(70, "fire"), envelope(n));
        for _ in 0..3 {
            tokio::select! {
                biased;
                answer = one.execute::<Visits>(&visits, &command, &envelope) => {
                    panic!("{held} was held, yet: {answer:?}");
                }
                () = std::future::ready(()) => {}
            }
        }
        drop(lease);
        assert_eq!(journal.last_position().await.unwrap(), before);
    }
    let outcome = one.execute::<Visits>(&visits, &plan(70, "fire"), &envelope(73)).await.unwrap();
    assert_eq!((outcome.version, outcome.position), (Version(1), before.next()));
}

#[tokio::test]
async fn a_command_that_is_too_large_is_told_so() {
    let (journal, one, visits) = prepared().await;
    let large = catalogue("market", 20_000);
    let stream = streams::policy(&large.name()).unwrap();
    let before = journal.last_position().await.unwrap();
    let command = policy::Command::Draft(large);
    let answer = one.execute::<Policy>(&stream, &command, &envelope(80)).await;
    assert!(matches!(answer, Err(ExecuteError::TooLarge(_))), "{answer:?}");
    assert_eq!(journal.last_position().await.unwrap(), before);
    one.execute::<Visits>(&visits, &plan(80, "fire"), &envelope(81)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_stream_says_where_and_holds_up_no_other() {
    let (journal, one, visits) = prepared().await;
    one.execute::<Visits>(&visits, &plan(90, "fire"), &envelope(90)).await.unwrap();
    let last = journal.last_position().await.unwrap();
    let damaged = journal.append(&visits, "no commit".into(), last).await.unwrap();
    for engine in [one.clone(), engine(&journal), one] {
        let answer = engine.execute::<Visits>(&visits, &plan(91, "tax"), &envelope(91)).await;
        match answer {
            Err(ExecuteError::Load(LoadError::Commit { stream, position, .. })) => {
                assert_eq!((stream, position), (visits.clone(), damaged));
            }
            other => panic!("expected the damage, got {other:?}"),
        }
        let profile = streams::profile(&enterprise()).unwrap();
        engine.execute::<Profile>(&profile, &register("旅顺造船"), &envelope(92)).await.unwrap();
    }
}

#[tokio::test]
async fn those_who_wait_for_an_input_share_what_was_read_since_they_came() {
    let (journal, one, _) = prepared().await;
    let profile = streams::profile(&enterprise()).unwrap();
    let came = Instant::now();
    one.read::<Profile>(&profile, Position::default()).await.unwrap();
    let command = enterprise::Command::ChangeArea {
        to: AreaCode::parse("210211").unwrap(),
        basis: doudi_domain::Reference::parse("文件一号").unwrap(),
    };
    engine(&journal).execute::<Profile>(&profile, &command, &envelope(95)).await.unwrap();
    let mut lease = one.streams.lease::<Profile>(&profile).await;
    let shared = lease.within(came, Duration::ZERO).await.unwrap();
    let fresh = lease.within(Instant::now(), Duration::ZERO).await.unwrap();
    assert_eq!((shared.version, fresh.version), (Version(1), Version(2)));
}
