//! Each alert that the rules raise is one row, with who planned the visit and where.

use std::collections::BTreeSet;

use doudi_domain::{
    DeviceId, ItemId, Reference,
    clock::ClockKind,
    frequency::{FrequencyPolicy, OnExceeding, Rule, Subject},
    visits::{CancelReason, CheckIn, Command, Kept, Manner, Outcome, SetAside, What},
};
use jiff::{Timestamp, civil::Date};
use proptest::prelude::*;

use super::*;
use crate::{
    alerts::Kind,
    kit::{
        area, enterprise,
        inspections::{Inspections, moves, plan, planned, rule, scan, visit},
        unit,
    },
};

/// The alerts of facts that come in batches, of which each reads what it is concerned with.
fn alerts(facts: &[Fact], batch: usize) -> Vec<Alert> {
    let mut stored: HashMap<Key, Planned> = HashMap::new();
    let mut alerts = Vec::new();
    for batch in facts.chunks(batch) {
        let wanted = visits_of(batch);
        let concerned = stored.iter().filter(|((visit, _), _)| wanted.contains(visit));
        let visits = concerned.map(|(key, planned)| (key.clone(), planned.clone())).collect();
        let mut known = Known { visits, ..Known::default() };
        alerts.extend(known.fold(batch));
        for key in known.planned {
            stored.insert(key.clone(), known.visits[&key].clone());
        }
    }
    alerts
}

/// A visit that was called off and took place all the same, beside the one that took its place.
#[test]
fn each_kind_of_alert_is_told_with_who_planned_the_visit_and_where() {
    let marks = Rule { on_exceeding: OnExceeding::Warn, ..rule("marks", Subject::SameUnit, 1) };
    let rules = vec![rule("refuses", Subject::AllUnits, 1), marks];
    let mut life = Inspections::new(FrequencyPolicy { rules, ..FrequencyPolicy::default() });
    let (tax, reason) = (unit("tax"), CancelReason::TaskWithdrawn);
    let gone = plan(1, "tax", "2025-03-03");
    assert!(life.tell(&Command::Plan(gone.clone())));
    assert!(life.tell(&Command::Cancel { visit: visit(1), unit: tax.clone(), reason }));
    life.carry_out(plan(2, "tax", "2025-03-03"), Outcome::Pass);
    assert_eq!(alerts(&life.log, 1), []);
    let occurred_at: Timestamp = "2025-03-03T08:30+08:00".parse().unwrap();
    let manner = Manner::Backfilled { reason: Reference::parse("报障 3 号").unwrap() };
    let check_in = CheckIn { manner, ..scan(gone.officers, occurred_at, 99) };
    let unit = tax.clone();
    let late = Command::CheckIn { visit: visit(1), unit, check_in, improvised: None };
    assert!(life.tell(&late));
    let found = alerts(&life.log, 1);
    let told = found.iter().map(|alert| {
        let rule = alert.reason.rule().map(|rule| rule.as_str());
        (alert.ordinal, alert.reason.kind(), rule)
    });
    let expected = [
        (0, Kind::ScanSuspect, None),
        (1, Kind::CapExceeded, Some("refuses")),
        (2, Kind::RepeatVisits, Some("marks")),
        (3, Kind::VisitsExcessive, None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    for alert in &found {
        assert_eq!((alert.visit, alert.unit.as_ref()), (visit(1), Some(&tax)));
        assert_eq!(alert.area, Some(area()));
        assert_ne!(alert.occurred_at, occurred_at, "when it was recorded");
        let kept = serde_json::to_string(&alert.reason).unwrap();
        assert_eq!(serde_json::from_str::<Reason>(&kept).unwrap(), alert.reason);
    }
}

#[test]
fn an_alert_of_another_enterprise_with_the_same_visit_id_is_another_one() {
    let excessive = |n| Event::VisitsExcessive {
        visit: visit(n),
        count: 3,
        from: "2025-03-01".parse().unwrap(),
        until: "2025-03-03".parse().unwrap(),
    };
    let of = |owner: &str, events, position| {
        let owner = EnterpriseId::parse(owner).unwrap();
        Fact::of(Content::Visits(owner, events), Timestamp::UNIX_EPOCH, position)
    };
    let facts = [
        of("L-1", vec![planned(plan(1, "tax", "2025-03-03"))], 1),
        of("L-2", vec![planned(plan(1, "market", "2025-03-03"))], 2),
        of("L-2", vec![excessive(1)], 3),
        of("L-1", vec![excessive(1), excessive(7)], 4),
    ];
    for batch in 1..=4 {
        let units: Vec<Option<UnitId>> =
            alerts(&facts, batch).into_iter().map(|alert| alert.unit).collect();
        assert_eq!(units, [Some(unit("market")), Some(unit("tax")), None]);
    }
}

/// Limits that nothing comes near.
fn calm() -> Inspections {
    let rules = vec![rule("refuses", Subject::AllUnits, 9)];
    Inspections::new(FrequencyPolicy { rules, ..FrequencyPolicy::default() })
}

fn kept(counter: u64, what: What) -> Kept {
    Kept {
        device: DeviceId(uuid::Uuid::nil()),
        counter,
        unit: unit("tax"),
        enterprise: enterprise(),
        visit: visit(1),
        what,
        doubts: [].into(),
    }
}

#[test]
fn a_scan_in_doubt_and_one_that_should_not_have_been_are_told() {
    let mut life = calm();
    let at: Timestamp = "2025-03-03T08:00+08:00".parse().unwrap();
    let plan = plan(1, "tax", "2025-03-03");
    assert!(life.tell(&Command::Plan(plan.clone())));
    let manner = || Manner::Kept { device: DeviceId(uuid::Uuid::nil()), counter: 1 };
    let check_in = CheckIn { manner: manner(), ..scan(plan.officers, at, 1) };
    let came = kept(1, What::CheckedIn { check_in, improvised: None });
    assert!(life.tell(&Command::TakeIn { records: vec![came] }));
    let told = |life: &Inspections| {
        alerts(&life.log, 1).into_iter().map(|alert| alert.reason).collect::<Vec<Reason>>()
    };
    let of = |irregularity| Reason::ScanSuspect { irregularities: [irregularity].into() };
    assert_eq!(told(&life), [of(Irregularity::NotApproved)], "they should not have been there");
    let doubts = [Irregularity::ChainBroken].into();
    let left = Kept { doubts, ..kept(3, What::CheckedOut { occurred_at: at }) };
    assert!(life.tell(&Command::TakeIn { records: vec![left] }));
    let both = [of(Irregularity::NotApproved), of(Irregularity::ChainBroken)];
    assert_eq!(told(&life), both);
}

#[test]
fn a_record_set_aside_is_told_of_the_unit_whose_device_kept_it() {
    let mut life = calm();
    let occurred_at = "2025-03-03T08:00+08:00".parse().unwrap();
    let left = kept(1, What::CheckedOut { occurred_at });
    assert!(life.tell(&Command::TakeIn { records: vec![left.clone()] }));
    assert!(life.tell(&Command::Plan(plan(1, "market", "2025-03-03"))));
    let other = kept(2, left.what);
    assert!(life.tell(&Command::TakeIn { records: vec![other] }));
    let told: Vec<_> = alerts(&life.log, 2)
        .into_iter()
        .map(|alert| (alert.reason, alert.unit, alert.area))
        .collect();
    let aside = |reason| Reason::ScanSetAside { reason };
    let expected = [
        (aside(SetAside::VisitUnknown), Some(unit("tax")), None),
        (aside(SetAside::OtherUnit), Some(unit("tax")), Some(area())),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_was_not_done_in_time_is_told_once() {
    let mut life = calm();
    let by: Date = "2025-03-05".parse().unwrap();
    life.carry_out(plan(1, "tax", "2025-03-03"), Outcome::RectifyBy(by));
    let (item, asked) = (ItemId::parse("SC-1").unwrap(), unit("tax"));
    let overdue = Command::MarkOverdue { visit: visit(1), unit: asked, item: item.clone() };
    for _ in 0..40 {
        life.later(12);
        life.tell(&overdue);
    }
    let found = alerts(&life.log, 3);
    let told: Vec<&Reason> = found.iter().map(|alert| &alert.reason).collect();
    let kind = ClockKind::Tell;
    let expected = [Reason::RectificationOverdue { item, by }, Reason::PromiseOverdue { kind }];
    assert_eq!(told, expected.iter().collect::<Vec<_>>());
    assert!(found.iter().all(|alert| alert.unit == Some(unit("tax"))));
    assert!(found.iter().all(|alert| alert.area == Some(area())));
}

/// The events that are alerts whatever they say.
const ALWAYS: [&str; 5] =
    ["CapExceeded", "VisitsExcessive", "RepeatVisits", "ScanSetAside", "RectificationOverdue"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_alert_is_lost_or_made_up(moves in moves(), batch in 1..20_usize) {
        let life = Inspections::random(&moves);
        let found = alerts(&life.log, batch);
        let stored = |event: &Event| serde_json::to_string(event).unwrap();
        let of_commit = |fact: &Fact| {
            let named = |event: &Event, name: &str| stored(event).starts_with(&format!("{{\"type\":\"{name}\""));
            let events = of_visits(fact).1.iter();
            events.filter(|event| ALWAYS.iter().any(|name| named(event, name))).count()
        };
        let raised: usize = life.log.iter().map(of_commit).sum();
        let always = |alert: &&Alert| {
            !matches!(alert.reason.kind(), Kind::ScanSuspect | Kind::PromiseOverdue)
        };
        prop_assert_eq!(found.iter().filter(always).count(), raised);
        let places: BTreeSet<_> = found.iter().map(Alert::point).collect();
        prop_assert_eq!(places.len(), found.len(), "each has a place of its own");
        for alert in &found {
            prop_assert_eq!(&alert.enterprise, &enterprise());
            if alert.reason.kind() != Kind::ScanSetAside {
                let visit = life.visits.get(alert.visit).unwrap();
                let of = alert.unit.as_ref();
                prop_assert!(of.is_some_and(|of| *of == visit.plan.unit || visit.plan.shares.contains_key(of) || visit.shares.contains_key(of)));
            }
        }
    }
}
