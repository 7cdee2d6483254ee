//! Each alert that the rules raise is one row, with who planned the visit and where.

use std::collections::BTreeSet;

use doudi_domain::{
    frequency::{FrequencyPolicy, OnExceeding, Rule, Subject},
    visits::{CancelReason, CheckIn, Command},
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    alerts::Kind,
    kit::{
        area, enterprise,
        inspections::{Inspections, moves, plan, planned, rule, visit},
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
    assert!(life.tell(&tax, &Command::Plan(gone.clone())));
    assert!(life.tell(&tax, &Command::Cancel { visit: visit(1), unit: tax.clone(), reason }));
    life.carry_out(plan(2, "tax", "2025-03-03"), false, false);
    assert_eq!(alerts(&life.log, 1), []);
    let occurred_at: Timestamp = "2025-03-03T08:30+08:00".parse().unwrap();
    let check_in = CheckIn { officers: gone.officers, occurred_at, offline: true };
    assert!(life.tell(&tax, &Command::CheckIn { visit: visit(1), unit: tax.clone(), check_in }));
    let found = alerts(&life.log, 1);
    let told = found.iter().map(|alert| {
        let rule = alert.reason.rule().map(|rule| rule.as_str());
        (alert.ordinal, alert.reason.kind(), rule)
    });
    let expected = [
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_alert_is_lost_or_made_up(moves in moves(), batch in 1..20_usize) {
        let life = Inspections::random(&moves);
        let found = alerts(&life.log, batch);
        let of_commit = |fact: &Fact| {
            let events = serde_json::to_string(of_visits(fact).1).unwrap();
            ["CapExceeded", "VisitsExcessive", "RepeatVisits"]
                .map(|name| events.matches(&format!("\"type\":\"{name}\"")).count())
                .iter()
                .sum::<usize>()
        };
        let raised: usize = life.log.iter().map(of_commit).sum();
        prop_assert_eq!(found.len(), raised);
        let places: BTreeSet<_> = found.iter().map(Alert::point).collect();
        prop_assert_eq!(places.len(), raised, "each has a place of its own");
        for alert in &found {
            let planned = life.visits.get(alert.visit).unwrap();
            prop_assert_eq!(alert.unit.as_ref(), Some(&planned.plan.unit));
            prop_assert_eq!(&alert.enterprise, &enterprise());
        }
    }
}
