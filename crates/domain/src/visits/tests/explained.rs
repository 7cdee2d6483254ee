//! What is said beforehand, and what lets a visit pass a limit.

use super::*;
use crate::{
    frequency::{OnExceeding, Verdict, Window},
    kit::accepted,
};

/// One visit a year by the same unit, with that effect.
fn once(on_exceeding: OnExceeding) -> World {
    world(vec![Rule { on_exceeding, ..rule("same-unit", Subject::SameUnit, 1) }])
}

fn justified(n: u8) -> Plan {
    Plan { justification: Some(reference("大政办批〔2025〕7号")), ..plan(n) }
}

fn explained(world: &World, plan: &Plan) -> (Verdict, Option<Rejection>, Option<usize>) {
    let found = in_phase("approved").explain(&world.at(MORNING), plan);
    (found.verdict, found.rejection, found.assessment.map(|all| all.exceeded().count()))
}

#[test]
fn a_limit_that_asks_for_a_justification_is_passed_with_one() {
    for (on_exceeding, wanted) in [
        (OnExceeding::NeedsExplanation, Justification::Explanation),
        (OnExceeding::NeedsApproval, Justification::Approval),
    ] {
        let world = once(on_exceeding);
        let state = in_phase("approved");
        let found = when(&state, &world.at(MORNING), &Command::Plan(plan(2)));
        let Err(Rejection::JustificationMissing { wanted: found, exceeded }) = found else {
            panic!("{found:?}");
        };
        assert_eq!((found, exceeded[0].visits.as_slice()), (wanted, [visit(1)].as_slice()));
        let found = when(&state, &world.at(MORNING), &Command::Plan(justified(2))).unwrap();
        let [Event::VisitPlanned { standings, .. }] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert!(standings[0].would_exceed(), "what it passed is recorded");
    }
}

#[test]
fn a_justification_passes_no_limit_that_refuses() {
    let explain = Rule {
        on_exceeding: OnExceeding::NeedsExplanation,
        window: Window::CalendarMonth,
        ..rule("explain", Subject::SameUnit, 1)
    };
    let world = world(vec![explain, rule("refuse", Subject::SameUnit, 1)]);
    let found = when(&in_phase("approved"), &world.at(MORNING), &Command::Plan(justified(2)));
    let Err(Rejection::CapReached { exhausted }) = found else {
        panic!("{found:?}");
    };
    let rules: Vec<&str> = exhausted.iter().map(|standing| standing.rule.as_str()).collect();
    assert_eq!(rules, ["refuse"], "only what refuses");
}

#[test]
fn a_limit_that_marks_lets_pass() {
    let world = once(OnExceeding::Warn);
    let state = accepted(in_phase("approved"), &world.at(MORNING), &Command::Plan(plan(2)));
    assert!(state.get(visit(2)).is_some());
    assert_eq!(explained(&world, &plan(2)), (Verdict::Marked, None, Some(1)));
}

#[test]
fn each_word_is_explained_with_all_that_was_looked_at() {
    let missing =
        |found: &Option<Rejection>| matches!(found, Some(Rejection::JustificationMissing { .. }));
    let (word, rejection, exceeded) = explained(&once(OnExceeding::NeedsApproval), &plan(2));
    assert_eq!((word, missing(&rejection), exceeded), (Verdict::NeedsApproval, true, Some(1)));
    let found = explained(&once(OnExceeding::NeedsApproval), &justified(2));
    assert_eq!(found, (Verdict::NeedsApproval, None, Some(1)), "the word stays as it is");
    let (word, rejection, exceeded) = explained(&once(OnExceeding::Refuse), &plan(2));
    let full = matches!(rejection, Some(Rejection::CapReached { .. }));
    assert_eq!((word, full, exceeded), (Verdict::Refused, true, Some(1)));
    let next_year = Plan { on: day("2026-01-05"), ..plan(2) };
    let found = explained(&once(OnExceeding::Refuse), &next_year);
    assert_eq!(found, (Verdict::Allowed, None, Some(0)));
    let lone = Plan { officers: officers(1), ..plan(2) };
    let few = Some(Rejection::TooFewOfficers { found: 1 });
    let found = explained(&once(OnExceeding::Refuse), &lone);
    assert_eq!(found, (Verdict::Refused, few, Some(1)), "limits are told all the same");
}

#[test]
fn what_is_planned_is_explained_as_planned() {
    let world = once_a_year();
    assert_eq!(explained(&world, &plan(1)), (Verdict::Allowed, None, None));
    let other = Plan { on: day("2025-03-12"), ..plan(1) };
    let differs = Some(Rejection::PlannedDifferently(visit(1)));
    assert_eq!(explained(&world, &other), (Verdict::Refused, differs, None));
    let unknown = World { profile: Profile::Unregistered, ..once_a_year() };
    let unregistered = Some(Rejection::EnterpriseUnregistered);
    assert_eq!(explained(&unknown, &plan(2)), (Verdict::Refused, unregistered, None));
}

#[test]
fn a_rule_for_a_grade_holds_as_long_as_the_grade() {
    let enterprises = crate::frequency::Enterprises {
        grades: [enterprise::CreditGrade::A].into(),
        ..crate::frequency::Enterprises::default()
    };
    let none_for_a = Rule { enterprises, ..rule("none-for-a", Subject::AllUnits, 0) };
    let mut world = world(vec![none_for_a]);
    let graded = enterprise::Event::CreditGradeAssessed {
        grade: enterprise::CreditGrade::A,
        issuer: unit("market-regulation"),
        assessed_on: day("2025-01-15"),
        valid_until: Some(day("2025-06-30")),
    };
    world.profile = world.profile.evolve(&graded);
    for (on, refused) in [("2025-06-30", true), ("2025-07-01", false)] {
        let plan = Plan { on: day(on), ..plan(1) };
        let found = when(&Visits::default(), &world.at(MORNING), &Command::Plan(plan));
        assert_eq!(found.is_err(), refused, "{on}");
    }
}
