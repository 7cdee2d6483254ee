//! Counting visits against limits.

use uuid::Uuid;

use super::*;
use crate::kit::{day, name, unit};

fn rule(id: &str, subject: Subject, maximum: u32) -> Rule {
    Rule {
        id: RuleId::parse(id).unwrap(),
        subject,
        window: Window::CalendarYear,
        maximum,
        exempt_grounds: [Ground::Complaint].into(),
        source: name("关于规范涉企行政检查的规定"),
        is_default: false,
        valid_from: day("2024-07-01"),
        valid_until: Some(day("2026-06-30")),
    }
}

fn entry(n: u8, by: &str, ground: Ground, on: &str, held: Held) -> Entry {
    let visit = VisitId(Uuid::from_u128(u128::from(n)));
    Entry { visit, unit: unit(by), ground, on: day(on), held }
}

/// What happened around 2025.
fn entries() -> [Entry; 7] {
    use Ground::{Complaint, Random, Routine};
    [
        entry(1, "tax", Routine, "2024-12-31", Held::Used),
        entry(2, "tax", Routine, "2025-01-01", Held::Used),
        entry(3, "tax", Complaint, "2025-03-10", Held::Used),
        entry(4, "justice", Random, "2025-06-01", Held::Reserved),
        entry(5, "justice", Complaint, "2025-06-02", Held::Reserved),
        entry(6, "tax", Random, "2025-12-31", Held::Reserved),
        entry(7, "tax", Routine, "2026-01-01", Held::Reserved),
    ]
}

#[test]
fn a_standing_counts_window_unit_and_ground() {
    let counts = |subject, by: &str, on: &str| {
        let policy = FrequencyPolicy { rules: vec![rule("r", subject, 4)] };
        let found = standings(&policy, &entries(), &unit(by), day(on));
        let [standing] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(standing.unit.is_some(), subject == Subject::SameUnit);
        let visits: Vec<u128> = standing.visits.iter().map(|visit| visit.0.as_u128()).collect();
        (standing.used, standing.reserved, standing.exempt, standing.remaining(), visits)
    };
    let tax = (1, 1, 1, 2, vec![2, 6]);
    assert_eq!(counts(Subject::SameUnit, "tax", "2025-01-01"), tax);
    assert_eq!(counts(Subject::SameUnit, "tax", "2025-12-31"), tax);
    assert_eq!(counts(Subject::SameUnit, "justice", "2025-07-01"), (0, 1, 1, 3, vec![4]));
    assert_eq!(counts(Subject::SameUnit, "customs", "2025-07-01"), (0, 0, 0, 4, vec![]));
    assert_eq!(counts(Subject::AllUnits, "customs", "2025-07-01"), (1, 2, 2, 1, vec![2, 4, 6]));
    assert_eq!(counts(Subject::SameUnit, "tax", "2024-12-31"), (1, 0, 0, 3, vec![1]));
    assert_eq!(counts(Subject::SameUnit, "tax", "2026-06-30"), (0, 1, 0, 3, vec![7]));
}

#[test]
fn a_rule_applies_within_its_validity() {
    let policy = FrequencyPolicy { rules: vec![rule("r", Subject::SameUnit, 1)] };
    for (on, applies) in
        [("2024-06-30", false), ("2024-07-01", true), ("2026-06-30", true), ("2026-07-01", false)]
    {
        let found = standings(&policy, &[], &unit("tax"), day(on)).len();
        assert_eq!(found, usize::from(applies), "{on}");
        assert_eq!(policy.exempts(Ground::Complaint, day(on)), applies, "{on}");
        assert!(!policy.exempts(Ground::Routine, day(on)), "{on}");
    }
    let open_ended = Rule { valid_until: None, ..policy.rules[0].clone() };
    assert!(open_ended.applies(day("9999-12-31")));
}

#[test]
fn the_window_is_the_calendar_year_as_far_as_the_rule_applies() {
    assert_eq!(
        Window::CalendarYear.around(day("2024-02-29")),
        (day("2024-01-01"), day("2024-12-31"))
    );
    let policy = FrequencyPolicy { rules: vec![rule("r", Subject::SameUnit, 1)] };
    for (on, from, until, frees_on) in [
        ("2024-08-01", "2024-07-01", "2024-12-31", "2025-01-01"),
        ("2025-08-01", "2025-01-01", "2025-12-31", "2026-01-01"),
        ("2026-02-01", "2026-01-01", "2026-06-30", "2026-07-01"),
    ] {
        let found = standings(&policy, &[], &unit("tax"), day(on));
        assert_eq!((found[0].from, found[0].until), (day(from), day(until)));
        assert_eq!(found[0].frees_on(), day(frees_on));
    }
}

#[test]
fn places_left_and_overshoot() {
    let policy = FrequencyPolicy { rules: vec![rule("r", Subject::SameUnit, 2)] };
    let mut standing = standings(&policy, &[], &unit("tax"), day("2025-03-03")).remove(0);
    for (reserved, used, remaining, exceeded) in
        [(0, 0, 2, false), (1, 0, 1, false), (0, 1, 1, false), (1, 1, 0, false), (1, 2, 0, true)]
    {
        (standing.reserved, standing.used) = (reserved, used);
        assert_eq!((standing.remaining(), standing.is_exceeded()), (remaining, exceeded));
    }
}

#[test]
fn what_is_exhausted_counts_the_ground() {
    let rules = vec![
        rule("one", Subject::SameUnit, 1),
        Rule { exempt_grounds: [].into(), ..rule("strict", Subject::SameUnit, 2) },
        rule("many", Subject::AllUnits, 9),
    ];
    let policy = FrequencyPolicy { rules };
    let found = |by: &str, ground| -> Vec<String> {
        let broken = exhausted(&policy, &entries(), &unit(by), ground, day("2025-08-01"));
        broken.iter().map(|standing| standing.rule.to_string()).collect()
    };
    assert_eq!(found("tax", Ground::Routine), ["one", "strict"]);
    assert_eq!(found("tax", Ground::Complaint), ["strict"]);
    assert_eq!(found("customs", Ground::Routine), [""; 0]);
}
