//! What keeps a frequency policy from being published.

use super::*;
use crate::kit::{name, tag};

fn id(text: &str) -> RuleId {
    RuleId::parse(text).unwrap()
}

fn floor(name_of: &str, minimum: u32, years: u8) -> Floor {
    Floor {
        id: id(name_of),
        enterprises: Enterprises::default(),
        grounds: [].into(),
        minimum,
        years,
        source: name("三年至少检查一次"),
        is_default: true,
        valid_from: day("2019-01-01"),
        valid_until: None,
    }
}

fn all(id: &str, maximum: u32) -> Rule {
    rule(id, Subject::AllUnits, maximum)
}

#[test]
fn an_unsound_rule_is_named() {
    use FrequencyProblem::{CountsNothing, DaysOfMonth as Days, RuleTwice, Span, ValidityReversed};
    let until = |text| Rule { valid_until: Some(day(text)), ..all("r", 1) };
    let rolling = |days| Rule { window: Window::Rolling(days), ..all("r", 1) };
    let days =
        |from, until| Rule { days_of_month: Some(DaysOfMonth { from, until }), ..all("r", 1) };
    let exempt = |grounds: &[Ground]| Rule {
        grounds: [Ground::Media, Ground::Urgent].into(),
        exempt_grounds: grounds.iter().copied().collect(),
        ..all("r", 1)
    };
    for (rule, expected) in [
        (all("r", 0), None),
        (until("2018-12-31"), Some(ValidityReversed(id("r")))),
        (until("2019-01-01"), None),
        (rolling(0), Some(Span(id("r")))),
        (rolling(1), None),
        (rolling(3660), None),
        (rolling(3661), Some(Span(id("r")))),
        (days(0, 15), Some(Days(id("r")))),
        (days(1, 31), None),
        (days(1, 32), Some(Days(id("r")))),
        (days(16, 15), Some(Days(id("r")))),
        (exempt(&[Ground::Urgent]), None),
        (exempt(&[Ground::Urgent, Ground::Media]), Some(CountsNothing(id("r")))),
        (exempt(&Ground::ALL), Some(CountsNothing(id("r")))),
    ] {
        let found = policy_of(vec![rule.clone()]).problems();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{rule:?}");
    }
    assert_eq!(policy_of(vec![]).problems(), [FrequencyProblem::NoRules]);
    let floors = vec![floor("r", 1, 3)];
    let twice = FrequencyPolicy { floors, ..policy_of(vec![all("r", 1), all("r", 1)]) };
    assert_eq!(twice.problems(), [RuleTwice(id("r")), RuleTwice(id("r"))]);
}

#[test]
fn rules_that_contradict_each_other_are_both_named() {
    let coal = || Enterprises { tags: [tag("coal-mine")].into(), ..Enterprises::default() };
    let warn = |maximum| Rule { on_exceeding: OnExceeding::Warn, ..all("b", maximum) };
    for (other, contradicts) in [
        (all("b", 3), true),
        (all("b", 2), false),
        (warn(2), true),
        (warn(1), false),
        // A warning that comes after the refusal never comes.
        (warn(3), true),
        (rule("b", Subject::SameUnit, 3), false),
        (Rule { window: Window::CalendarMonth, ..all("b", 3) }, false),
        (Rule { enterprises: coal(), ..all("b", 3) }, false),
        (Rule { items: [item("SC-0101")].into(), ..all("b", 3) }, false),
        (Rule { exempt_grounds: [Ground::Media].into(), ..all("b", 3) }, false),
        (Rule { joint: Joint::OncePerUnit, ..all("b", 3) }, false),
        (Rule { counting: Counting::WithoutFinding, ..all("b", 3) }, false),
        (Rule { valid_from: day("2026-01-01"), ..all("b", 3) }, false),
        (Rule { valid_from: day("2025-12-31"), ..all("b", 3) }, true),
    ] {
        let first = Rule { valid_until: Some(day("2025-12-31")), ..all("a", 2) };
        let named = FrequencyProblem::Contradiction(id("a"), id("b"));
        let expected: Vec<_> = contradicts.then_some(named).into_iter().collect();
        assert_eq!(policy_of(vec![first, other.clone()]).problems(), expected, "{other:?}");
    }
}

#[test]
fn a_floor_above_a_limit_is_refused_with_both_named() {
    let rolling = |days, most| Rule { window: Window::Rolling(days), ..all("cap", most) };
    let exempting = Rule { exempt_grounds: [Ground::Media].into(), ..all("cap", 0) };
    let of_grade = |grade| Enterprises { grades: [grade].into(), ..Enterprises::default() };
    let of_a = Rule { enterprises: of_grade(CreditGrade::A), ..all("cap", 0) };
    let of_b = Floor { enterprises: of_grade(CreditGrade::B), ..floor("floor", 1, 3) };
    for (cap, floor, unreachable) in [
        (all("cap", 1), floor("floor", 3, 3), false),
        (all("cap", 1), floor("floor", 4, 3), true),
        (all("cap", 0), floor("floor", 1, 3), true),
        (rolling(3660, 1), floor("floor", 2, 10), true),
        (rolling(731, 1), floor("floor", 2, 3), false),
        (exempting, floor("floor", 1, 3), false),
        (
            Rule { on_exceeding: OnExceeding::NeedsApproval, ..all("cap", 0) },
            floor("floor", 1, 3),
            false,
        ),
        (rule("cap", Subject::SameUnit, 0), floor("floor", 1, 3), false),
        (
            Rule {
                valid_until: Some(day("2018-12-31")),
                valid_from: day("2018-01-01"),
                ..all("cap", 0)
            },
            floor("floor", 1, 3),
            false,
        ),
        (of_a.clone(), floor("floor", 1, 3), true),
        (of_a, of_b, false),
    ] {
        let floors = vec![floor];
        let policy = FrequencyPolicy { floors, ..policy_of(vec![cap]) };
        let named = FrequencyProblem::FloorAboveCap { floor: id("floor"), cap: id("cap") };
        let expected: Vec<_> = unreachable.then_some(named).into_iter().collect();
        assert_eq!(policy.problems(), expected, "{policy:?}");
    }
}

#[test]
fn floors_and_the_excess_stay_within_bounds() {
    use FrequencyProblem::{Excess as Odd, MinimumZero, Span, ValidityReversed};
    let ended = Floor { valid_until: Some(day("2018-01-01")), ..floor("f", 1, 3) };
    for (floor, expected) in [
        (floor("f", 1, 0), Some(Span(id("f")))),
        (floor("f", 1, 11), Some(Span(id("f")))),
        (floor("f", 1, 10), None),
        (floor("f", 0, 3), Some(MinimumZero(id("f")))),
        (ended, Some(ValidityReversed(id("f")))),
    ] {
        let floors = vec![floor];
        let policy = FrequencyPolicy { floors, ..policy_of(vec![all("r", 9)]) };
        assert_eq!(policy.problems(), expected.into_iter().collect::<Vec<_>>());
    }
    for (multiple, visits, days, sound) in [
        (1, 2, 1, true),
        (2, 3, 366, true),
        (0, 3, 30, false),
        (2, 1, 30, false),
        (2, 3, 0, false),
        (2, 3, 367, false),
    ] {
        let excess = Excess { multiple, visits, days };
        let policy = FrequencyPolicy { excess, ..policy_of(vec![all("r", 9)]) };
        let expected = if sound { vec![] } else { vec![Odd] };
        assert_eq!(policy.problems(), expected, "{excess:?}");
    }
}
