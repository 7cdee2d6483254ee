//! Counting visits against limits.

use uuid::Uuid;

use super::*;
use crate::{
    catalogue::Level,
    ids::VisitId,
    kit::{certificate, day, field, item, policy_of, rule, unit},
};

mod problems;
mod shapes;
mod windows;

/// A visit of one unit of the city, on one item, by two officers.
fn entry(n: u8, by: &str, ground: Ground, on: &str, held: Held) -> Entry {
    Entry {
        visit: VisitId(Uuid::from_u128(u128::from(n))),
        parties: vec![Party { unit: unit(by), level: Some(Level::City) }],
        items: [(item("SC-0101"), Some(field("market")))].into(),
        officers: [certificate(1), certificate(2)].into(),
        ground,
        on: day(on),
        held,
        finding: None,
    }
}

/// A visit that is asked about.
fn asked(by: &str, ground: Ground, on: &str) -> Entry {
    entry(99, by, ground, on, Held::Reserved)
}

/// A limit with one exempt ground and an end.
fn limit(id: &str, subject: Subject, maximum: u32) -> Rule {
    Rule {
        exempt_grounds: [Ground::Complaint].into(),
        valid_from: day("2024-07-01"),
        valid_until: Some(day("2026-06-30")),
        ..rule(id, subject, maximum)
    }
}

/// Of an enterprise that no rule knows by anything.
fn weigh(rules: Vec<Rule>, entries: &[Entry], asked: &Entry) -> Assessment {
    assess(&policy_of(rules), &Traits::default(), entries, asked)
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
        let asked = asked(by, Ground::Routine, on);
        let found = weigh(vec![limit("r", subject, 4)], &entries(), &asked).standings;
        let [standing] = found.as_slice() else {
            panic!("{found:?}");
        };
        let by_unit = standing.key == Key::Unit(unit(by));
        assert_eq!(by_unit, subject == Subject::SameUnit);
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
    let policy = policy_of(vec![limit("r", Subject::SameUnit, 1)]);
    let traits = Traits::default();
    for (on, applies) in
        [("2024-06-30", false), ("2024-07-01", true), ("2026-06-30", true), ("2026-07-01", false)]
    {
        let asked = asked("tax", Ground::Routine, on);
        let found = assess(&policy, &traits, &[], &asked).standings.len();
        assert_eq!(found, usize::from(applies), "{on}");
        assert_eq!(policy.exempts(&traits, Ground::Complaint, day(on)), applies, "{on}");
        assert!(!policy.exempts(&traits, Ground::Routine, day(on)), "{on}");
    }
    let open_ended = Rule { valid_until: None, ..policy.rules[0].clone() };
    assert!(open_ended.applies(day("9999-12-31")));
}

#[test]
fn a_window_ends_where_the_rule_does() {
    for (on, from, until, frees_on) in [
        ("2024-08-01", "2024-07-01", "2024-12-31", "2025-01-01"),
        ("2025-08-01", "2025-01-01", "2025-12-31", "2026-01-01"),
        ("2026-02-01", "2026-01-01", "2026-06-30", "2026-07-01"),
    ] {
        let held = entry(1, "tax", Ground::Routine, on, Held::Used);
        let asked = asked("tax", Ground::Routine, on);
        let found = weigh(vec![limit("r", Subject::SameUnit, 1)], &[held], &asked).standings;
        assert_eq!((found[0].from, found[0].until), (day(from), day(until)));
        assert_eq!(found[0].frees_on, Some(day(frees_on)));
    }
}

#[test]
fn places_left_and_overshoot() {
    let asked = asked("tax", Ground::Routine, "2025-03-03");
    let mut standing =
        weigh(vec![limit("r", Subject::SameUnit, 2)], &[], &asked).standings.remove(0);
    for (reserved, used, remaining, exceeded) in
        [(0, 0, 2, false), (1, 0, 1, false), (0, 1, 1, false), (1, 1, 0, false), (1, 2, 0, true)]
    {
        (standing.reserved, standing.used) = (reserved, used);
        assert_eq!((standing.remaining(), standing.is_exceeded()), (remaining, exceeded));
        assert_eq!(standing.would_exceed(), remaining == 0);
    }
}

#[test]
fn what_is_exhausted_counts_the_ground() {
    let rules = vec![
        limit("one", Subject::SameUnit, 1),
        Rule { exempt_grounds: [].into(), ..limit("strict", Subject::SameUnit, 2) },
        limit("many", Subject::AllUnits, 9),
    ];
    let found = |by: &str, ground| -> Vec<String> {
        let found = weigh(rules.clone(), &entries(), &asked(by, ground, "2025-08-01"));
        assert_eq!(found.standings.len(), 3, "all that was looked at is told");
        found.exceeded().map(|standing| standing.rule.to_string()).collect()
    };
    assert_eq!(found("tax", Ground::Routine), ["one", "strict"]);
    assert_eq!(found("tax", Ground::Complaint), ["strict"]);
    assert_eq!(found("customs", Ground::Routine), [""; 0]);
}

#[test]
fn the_strictest_of_several_words_decides() {
    let one = entry(1, "tax", Ground::Routine, "2025-03-03", Held::Used);
    let rule = |id: &str, on_exceeding| Rule { on_exceeding, ..limit(id, Subject::SameUnit, 1) };
    let asked = asked("tax", Ground::Routine, "2025-03-04");
    let mut rules = vec![];
    for (id, on_exceeding, verdict) in [
        ("r1", OnExceeding::Warn, Verdict::Marked),
        ("r2", OnExceeding::NeedsExplanation, Verdict::NeedsExplanation),
        ("r3", OnExceeding::NeedsApproval, Verdict::NeedsApproval),
        ("r4", OnExceeding::Refuse, Verdict::Refused),
        ("r5", OnExceeding::Warn, Verdict::Refused),
    ] {
        rules.push(rule(id, on_exceeding));
        let found = weigh(rules.clone(), std::slice::from_ref(&one), &asked);
        assert_eq!((found.verdict, found.exceeded().count()), (verdict, rules.len()));
    }
    assert_eq!(weigh(rules, &[], &asked).verdict, Verdict::Allowed);
}

#[test]
fn a_joint_visit_counts_once_or_once_per_unit() {
    let party = |by: &str, level| Party { unit: unit(by), level: Some(level) };
    let parties =
        vec![party("tax", Level::City), party("fire", Level::City), party("gas", Level::County)];
    let together = Entry { parties, ..asked("tax", Ground::Routine, "2025-03-03") };
    for (subject, once, per_unit) in [
        (Subject::SameUnit, vec![1, 1, 1], vec![1, 1, 1]),
        (Subject::SameLevel, vec![1, 1], vec![2, 1]),
        (Subject::AllUnits, vec![1], vec![3]),
        (Subject::SameField, vec![1], vec![3]),
        (Subject::SameItem, vec![1], vec![3]),
        (Subject::SameOfficer, vec![1, 1], vec![1, 1]),
    ] {
        for (joint, expected) in [(Joint::Once, once), (Joint::OncePerUnit, per_unit)] {
            let rules = vec![Rule { joint, ..limit("r", subject, 2) }];
            let found = weigh(rules.clone(), &[], &together);
            let weights: Vec<u32> = found.standings.iter().map(|one| one.weight).collect();
            assert_eq!(weights, expected, "{subject:?} {joint:?}");
            let most = expected.iter().max().unwrap();
            assert_eq!(found.verdict == Verdict::Refused, *most > 2, "{subject:?} {joint:?}");
            let after = weigh(rules, std::slice::from_ref(&together), &together);
            let counts: Vec<u32> = after.standings.iter().map(|one| one.reserved).collect();
            assert_eq!(counts, expected, "it counts as it was weighed");
        }
    }
}

#[test]
fn a_rule_about_items_or_fields_is_about_nothing_else() {
    let rules = vec![
        Rule { items: [item("XF-0001")].into(), ..limit("item", Subject::AllUnits, 1) },
        Rule { fields: [field("market")].into(), ..limit("field", Subject::SameItem, 1) },
    ];
    let looked_at = |items: &[(&str, Option<&str>)]| -> Vec<(String, Key)> {
        let items = items.iter().map(|(id, of)| (item(id), of.map(field))).collect();
        let asked = Entry { items, ..asked("tax", Ground::Routine, "2025-03-03") };
        let found = weigh(rules.clone(), &[], &asked).standings.into_iter();
        found.map(|standing| (standing.rule.to_string(), standing.key)).collect()
    };
    let by_item = |id: &str| ("field".to_owned(), Key::Item(item(id)));
    assert_eq!(looked_at(&[("SC-0101", Some("market"))]), [by_item("SC-0101")]);
    assert_eq!(looked_at(&[("XF-0001", Some("fire"))]), [("item".to_owned(), Key::All)]);
    assert_eq!(looked_at(&[("XF-0002", Some("fire"))]), []);
    assert_eq!(looked_at(&[("SC-0101", None)]), [], "of an unknown field");
    let both = [("SC-0101", Some("market")), ("XF-0001", Some("fire"))];
    assert_eq!(looked_at(&both), [("item".to_owned(), Key::All), by_item("SC-0101")]);
}

#[test]
fn what_names_no_item_stands_against_the_limits_that_name_none() {
    let of_item = Rule { items: [item("SC-0101")].into(), ..limit("item", Subject::AllUnits, 4) };
    let of_field =
        Rule { fields: [field("market")].into(), ..limit("field", Subject::AllUnits, 4) };
    let each = limit("each", Subject::SameItem, 4);
    let rules = vec![limit("any", Subject::AllUnits, 4), of_item, of_field, each];
    let nothing_named = Entry { items: [].into(), ..asked("tax", Ground::Routine, "2025-07-01") };
    let found = weigh(rules, &entries(), &nothing_named).standings;
    let [standing] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((standing.rule.as_str(), standing.key.clone()), ("any", Key::All));
    assert_eq!((standing.reserved, standing.used, standing.weight), (2, 1, 1));
}
