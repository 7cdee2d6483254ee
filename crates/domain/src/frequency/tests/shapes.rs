//! The published shapes of frequency limits, one test each, with the text of its source.

use super::*;
use crate::kit::{name, tag};

/// The active grounds.
const ACTIVE: [Ground; 3] = [Ground::Routine, Ground::Random, Ground::Special];

/// An enterprise of that grade or risk class, or with that tag.
fn graded(grade: CreditGrade) -> Traits {
    Traits { grade: Some(grade), ..Traits::default() }
}

fn of(enterprises: Enterprises, source: &str, rule: Rule) -> Rule {
    Rule { enterprises, source: name(source), ..rule }
}

/// Plans one visit after the other, keeps those that are not refused, and gives the words.
fn words(
    policy: &FrequencyPolicy,
    traits: &Traits,
    plans: &[(&str, Ground, &str)],
) -> Vec<Verdict> {
    let plans = (1_u8..).zip(plans);
    let entries =
        plans.map(|(n, (by, ground, on))| entry(n, by, *ground, on, Held::Reserved)).collect();
    words_of(policy, traits, entries)
}

fn words_of(policy: &FrequencyPolicy, traits: &Traits, plans: Vec<Entry>) -> Vec<Verdict> {
    assert_eq!(policy.problems(), [], "a published shape is sound");
    let mut kept: Vec<Entry> = vec![];
    let word = |plan: Entry| {
        let found = assess(policy, traits, &kept, &plan);
        if found.verdict != Verdict::Refused {
            kept.push(plan);
        }
        found.verdict
    };
    plans.into_iter().map(word).collect()
}

use Ground::{Complaint, Random, Routine, Special};
use Verdict::{Allowed, Marked, NeedsExplanation, Refused};

#[test]
fn liaoning_2019_once_a_year_by_each_unit() {
    let source = "同一部门对同一企业每年检查不超过一次（辽宁 2019）";
    let once = rule("same-unit-yearly", Subject::SameUnit, 1);
    let policy = policy_of(vec![of(Enterprises::default(), source, once)]);
    let plans = [
        ("tax", Routine, "2025-03-10"),
        ("tax", Routine, "2025-12-31"),
        ("justice", Routine, "2025-03-10"),
        ("tax", Routine, "2026-01-01"),
    ];
    let found = words(&policy, &Traits::default(), &plans);
    assert_eq!(found, [Allowed, Refused, Allowed, Allowed]);
}

#[test]
fn two_a_year_by_each_level_and_four_over_both() {
    let source = "同级部门每年不超过两次、两级合计不超过四次";
    let by_level = rule("by-level", Subject::SameLevel, 2);
    let together = rule("together", Subject::AllUnits, 4);
    let rules = [by_level, together].map(|rule| of(Enterprises::default(), source, rule));
    let plans = [
        ("tax", Level::City, Allowed),
        ("fire", Level::City, Allowed),
        ("justice", Level::City, Refused),
        ("county-tax", Level::County, Allowed),
        ("county-fire", Level::County, Allowed),
        ("county-justice", Level::County, Refused),
        ("town", Level::Township, Refused),
    ];
    let visit = |(n, (by, level, _)): (u8, &(&str, Level, Verdict))| Entry {
        parties: vec![Party { unit: unit(by), level: Some(*level) }],
        ..entry(n, by, Routine, "2025-03-10", Held::Reserved)
    };
    let entries = (1_u8..).zip(&plans).map(visit).collect();
    let found = words_of(&policy_of(rules.into()), &Traits::default(), entries);
    assert_eq!(found, plans.map(|(.., word)| word));
}

#[test]
fn taiyuan_four_a_year_daily_and_special_together() {
    let source = "日常检查和专项检查每年合计不超过四次（太原）";
    let grounds = [Routine, Special].into();
    let four = Rule { grounds, ..rule("daily-and-special", Subject::AllUnits, 4) };
    let policy = policy_of(vec![of(Enterprises::default(), source, four)]);
    let plans = [
        ("tax", Routine, "2025-03-10"),
        ("tax", Special, "2025-04-10"),
        ("fire", Random, "2025-04-11"),
        ("fire", Special, "2025-05-10"),
        ("justice", Routine, "2025-06-10"),
        ("tax", Special, "2025-07-10"),
        ("tax", Routine, "2025-07-10"),
        ("tax", Random, "2025-07-10"),
    ];
    let found = words(&policy, &Traits::default(), &plans);
    assert_eq!(found, [Allowed, Allowed, Allowed, Allowed, Allowed, Refused, Refused, Allowed]);
}

#[test]
fn henan_coal_mines_two_four_six_four_by_item_and_class() {
    let source = "煤矿安全检查事项按 A、B、C、D 类每年不超过 2、4、6、4 次（河南）";
    let classes = [(RiskClass::A, 2), (RiskClass::B, 4), (RiskClass::C, 6), (RiskClass::D, 4)];
    let rules = classes.map(|(class, most)| {
        let tags = [tag("coal-mine")].into();
        let enterprises =
            Enterprises { risk_classes: [class].into(), tags, ..Enterprises::default() };
        let items = [item("MA-0001"), item("MA-0002")].into();
        let limit = Rule { items, ..rule(&format!("coal-{class:?}"), Subject::SameItem, most) };
        of(enterprises, source, limit)
    });
    let policy = policy_of(rules.into());
    let on_item = |n, id: &str| Entry {
        items: [(item(id), None)].into(),
        ..entry(n, "mine-safety", Routine, "2025-03-10", Held::Reserved)
    };
    for (class, most) in classes {
        let tags = [tag("coal-mine")].into();
        let mine = Traits { risk_class: Some(class), tags, ..Traits::default() };
        let other = Traits { tags: [].into(), ..mine.clone() };
        let plans = |id: &str| (0..7).map(|n| on_item(n, id)).collect::<Vec<_>>();
        let allowed = |traits: &Traits, id: &str| {
            let words = words_of(&policy, traits, plans(id)).into_iter();
            words.filter(|word| *word == Allowed).count()
        };
        assert_eq!(allowed(&mine, "MA-0001"), most as usize, "{class:?}");
        assert_eq!(allowed(&mine, "SC-0101"), 7, "another item");
        assert_eq!(allowed(&other, "MA-0001"), 7, "no coal mine");
        let two = [plans("MA-0001"), plans("MA-0002")].concat();
        let both = words_of(&policy, &mine, two);
        assert_eq!(both.iter().filter(|word| **word == Allowed).count(), 2 * most as usize);
    }
}

#[test]
fn hengyang_grade_a_no_active_inspection_for_a_year() {
    let source = "信用 A 级企业一年内不主动开展检查（衡阳）";
    let enterprises = Enterprises { grades: [CreditGrade::A].into(), ..Enterprises::default() };
    let none = Rule {
        grounds: ACTIVE.into(),
        valid_from: day("2025-01-01"),
        valid_until: Some(day("2025-12-31")),
        ..rule("none-for-a", Subject::AllUnits, 0)
    };
    let policy = policy_of(vec![of(enterprises, source, none)]);
    let plans = [
        ("tax", Routine, "2025-01-01"),
        ("tax", Random, "2025-12-31"),
        ("tax", Complaint, "2025-03-10"),
        ("tax", Routine, "2026-01-01"),
    ];
    let of_a = words(&policy, &graded(CreditGrade::A), &plans);
    assert_eq!(of_a, [Refused, Refused, Allowed, Allowed]);
    let of_b = words(&policy, &graded(CreditGrade::B), &plans);
    assert_eq!(of_b, [Allowed; 4]);
    let asked = asked("tax", Routine, "2025-03-10");
    let found = assess(&policy, &graded(CreditGrade::A), &[], &asked);
    assert_eq!(found.standings[0].frees_on, Some(day("2026-01-01")));
}

#[test]
fn lindian_less_than_once_once_twice_and_as_needed() {
    let source = "A 级每年少于一次、B 级一次、C 级两次、D 级按需（林甸）";
    let limit = |grade, subject, window, most| {
        let enterprises = Enterprises { grades: [grade].into(), ..Enterprises::default() };
        let limit = Rule { window, ..rule(&format!("grade-{grade:?}"), subject, most) };
        of(enterprises, source, limit)
    };
    let year = Window::CalendarYear;
    let policy = policy_of(vec![
        // Less than once a year: no two within two years, one of which may be a leap year.
        limit(CreditGrade::A, Subject::AllUnits, Window::Rolling(731), 1),
        limit(CreditGrade::B, Subject::AllUnits, year, 1),
        limit(CreditGrade::C, Subject::AllUnits, year, 2),
    ]);
    let days = ["2025-03-10", "2025-06-10", "2025-09-10", "2026-01-05", "2027-03-10", "2027-03-11"];
    let plans = days.map(|on| ("tax", Routine, on));
    for (grade, expected) in [
        (CreditGrade::A, [Allowed, Refused, Refused, Refused, Refused, Allowed]),
        (CreditGrade::B, [Allowed, Refused, Refused, Allowed, Allowed, Refused]),
        (CreditGrade::C, [Allowed, Allowed, Refused, Allowed, Allowed, Allowed]),
        (CreditGrade::D, [Allowed; 6]),
    ] {
        assert_eq!(words(&policy, &graded(grade), &plans), expected, "{grade:?}");
    }
}

#[test]
fn liuyang_quiet_days_from_the_1st_to_the_15th() {
    let source = "企业宁静日：每月 1 日至 15 日不开展检查（浏阳）";
    let quiet = Rule {
        window: Window::Day,
        days_of_month: Some(DaysOfMonth { from: 1, until: 15 }),
        exempt_grounds: [Complaint, Ground::Urgent].into(),
        ..rule("quiet-days", Subject::AllUnits, 0)
    };
    let policy = policy_of(vec![of(Enterprises::default(), source, quiet)]);
    let traits = Traits::default();
    for (ground, on, word, frees_on) in [
        (Routine, "2025-02-28", Allowed, None),
        (Routine, "2025-03-01", Refused, Some("2025-03-16")),
        (Routine, "2025-03-15", Refused, Some("2025-03-16")),
        (Routine, "2025-03-16", Allowed, None),
        (Routine, "2025-03-31", Allowed, None),
        (Special, "2025-04-01", Refused, Some("2025-04-16")),
        (Complaint, "2025-03-10", Allowed, None),
        (Ground::Urgent, "2025-03-01", Allowed, None),
    ] {
        let found = assess(&policy, &traits, &[], &asked("tax", ground, on));
        assert_eq!(found.verdict, word, "{ground:?} {on}");
        let freed = found.standings.first().and_then(|standing| standing.frees_on);
        assert_eq!(freed, frees_on.map(day), "{ground:?} {on}");
    }
    assert!(policy.exempts(&traits, Complaint, day("2025-03-15")), "it needs evidence then");
    assert!(!policy.exempts(&traits, Complaint, day("2025-03-16")));
}

#[test]
fn a_floor_of_once_in_three_years() {
    let enterprises = Enterprises { risk_classes: [RiskClass::D].into(), ..Enterprises::default() };
    let floor = Floor {
        id: RuleId::parse("floor").unwrap(),
        enterprises,
        grounds: ACTIVE.into(),
        minimum: 1,
        years: 3,
        source: name("三年至少检查一次"),
        is_default: true,
        valid_from: day("2019-01-01"),
        valid_until: None,
    };
    let floors = vec![floor];
    let policy = FrequencyPolicy { floors, ..policy_of(vec![rule("r", Subject::AllUnits, 9)]) };
    assert_eq!(policy.problems(), []);
    let risky = Traits { risk_class: Some(RiskClass::D), ..Traits::default() };
    let came = [
        entry(1, "tax", Routine, "2022-03-10", Held::Used),
        entry(2, "tax", Complaint, "2024-03-10", Held::Used),
        entry(3, "tax", Routine, "2024-06-10", Held::Reserved),
    ];
    for (on, due) in [("2025-03-09", false), ("2025-03-10", true), ("2022-03-09", true)] {
        let found = assess(&policy, &risky, &came, &asked("fire", Routine, on));
        let [floor] = found.floors.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((floor.is_due(), floor.until), (due, day(on)), "{on}");
        assert_eq!(found.verdict, Allowed, "a floor stands in nobody's way");
    }
    let asked = asked("fire", Routine, "2025-03-10");
    assert_eq!(assess(&policy, &Traits::default(), &came, &asked).floors, []);
}

#[test]
fn chengdu_more_than_one_a_day_two_a_week_three_a_month_are_marked() {
    let source = "一日超过一次、一周超过两次、一月超过三次的予以标记（成都）";
    let marked = |id: &str, window, most| {
        let limit = rule(id, Subject::AllUnits, most);
        let limit = Rule { window, on_exceeding: OnExceeding::Warn, ..limit };
        of(Enterprises::default(), source, limit)
    };
    let policy = policy_of(vec![
        marked("day", Window::Day, 1),
        marked("week", Window::IsoWeek, 2),
        marked("month", Window::CalendarMonth, 3),
    ]);
    assert_eq!(policy.problems(), []);
    let plans = [
        // 3 March 2025 is a Monday.
        ("2025-03-03", vec![]),
        ("2025-03-03", vec!["day"]),
        ("2025-03-09", vec!["week"]),
        ("2025-03-10", vec!["month"]),
        ("2025-04-01", vec![]),
        ("2025-03-31", vec!["month"]),
        ("2025-04-06", vec!["week"]),
        ("2025-04-07", vec![]),
        ("2025-04-07", vec!["day", "month"]),
    ];
    let mut kept = vec![];
    for (n, (on, expected)) in (1_u8..).zip(plans) {
        let plan = entry(n, "tax", Routine, on, Held::Reserved);
        let found = assess(&policy, &Traits::default(), &kept, &plan);
        let rules: Vec<&str> = found.exceeded().map(|standing| standing.rule.as_str()).collect();
        assert_eq!(rules, expected, "visit {n} on {on}");
        assert_eq!(found.verdict, if expected.is_empty() { Allowed } else { Marked });
        kept.push(plan);
    }
}

#[test]
fn chengdu_same_officer_three_visits_without_finding_then_explained() {
    let source = "同一执法人员一年内三次检查未发现问题的，须先作出说明（成都）";
    let limit = Rule {
        counting: Counting::WithoutFinding,
        on_exceeding: OnExceeding::NeedsExplanation,
        ..rule("same-officer", Subject::SameOfficer, 3)
    };
    let policy = policy_of(vec![of(Enterprises::default(), source, limit)]);
    let visit = |n, officers: [usize; 2], finding| Entry {
        officers: officers.map(certificate).into(),
        finding,
        ..entry(n, "tax", Routine, "2025-03-10", Held::Used)
    };
    let came = |findings: [Option<bool>; 3]| {
        let visits = (1_u8..).zip(findings);
        visits.map(|(n, finding)| visit(n, [1, usize::from(n) + 1], finding)).collect::<Vec<_>>()
    };
    for (findings, officers, expected) in [
        ([Some(false); 3], [1, 9], NeedsExplanation),
        ([Some(false), Some(false), None], [1, 9], NeedsExplanation),
        ([Some(false), Some(true), Some(false)], [1, 9], Allowed),
        ([Some(false); 3], [2, 3], Allowed),
        ([Some(false); 3], [8, 9], Allowed),
    ] {
        let asked = visit(9, officers, None);
        let found = assess(&policy, &Traits::default(), &came(findings), &asked);
        assert_eq!(found.verdict, expected, "{findings:?} {officers:?}");
        let keys: Vec<Key> = found.exceeded().map(|standing| standing.key.clone()).collect();
        let blocked = (expected == NeedsExplanation).then(|| Key::Officer(certificate(1)));
        assert_eq!(keys, blocked.into_iter().collect::<Vec<_>>(), "only the first officer");
    }
}

#[test]
fn the_white_list_lets_only_triggered_grounds_pass() {
    let enterprises = Enterprises { tags: [tag("white-list")].into(), ..Enterprises::default() };
    let limit = Rule { grounds: ACTIVE.into(), ..rule("white-list", Subject::AllUnits, 0) };
    let policy = policy_of(vec![of(enterprises, "“无事不扰”白名单", limit)]);
    let listed = Traits { tags: [tag("white-list"), tag("port")].into(), ..Traits::default() };
    let other = Traits { tags: [tag("port")].into(), ..Traits::default() };
    for ground in Ground::ALL {
        let asked = asked("tax", ground, "2025-03-10");
        let expected = if ACTIVE.contains(&ground) { Refused } else { Allowed };
        let found = assess(&policy, &listed, &[], &asked);
        assert_eq!(found.verdict, expected, "{ground:?}");
        assert_eq!(assess(&policy, &other, &[], &asked).verdict, Allowed);
        let frees = found.standings.first().and_then(|standing| standing.frees_on);
        assert_eq!(frees, None, "as long as the rule stands");
    }
}
