//! The frequency limits: who takes a place, who is refused one, and what frees it.

use super::*;
use crate::{
    frequency::{Key, OnExceeding, Standing},
    kit::accepted,
};

fn try_plan(state: &Visits, world: &World, plan: Plan) -> Result<Vec<Event>, Rejection> {
    let context = world.at(MORNING);
    when(state, &context, &Command::Plan(plan))
}

/// The state after the plans, each of which must get its place.
fn after_plans(world: &World, plans: impl IntoIterator<Item = Plan>) -> Visits {
    plans.into_iter().fold(Visits::default(), |state, plan| {
        let context = world.at(MORNING);
        accepted(state, &context, &Command::Plan(plan))
    })
}

#[track_caller]
fn exhausted(outcome: Result<Vec<Event>, Rejection>) -> Vec<Standing> {
    match outcome {
        Err(Rejection::CapReached { exhausted }) => exhausted,
        other => panic!("expected the limit to be reached, found {other:?}"),
    }
}

fn on_ground(ground: Ground, evidence: Option<&str>, n: u8) -> Plan {
    Plan { ground, evidence: evidence.map(reference), ..plan(n) }
}

#[test]
fn one_visit_a_year_by_the_same_unit() {
    let world = once_a_year();
    let state = after_plans(&world, [plan(1)]);
    for on in ["2025-03-10", "2025-03-03", "2025-12-31"] {
        let second = Plan { on: day(on), ..plan(2) };
        assert_eq!(exhausted(try_plan(&state, &world, second)).len(), 1, "{on}");
    }
}

#[test]
fn a_second_unit_has_its_own_limit() {
    let world = once_a_year();
    let state = after_plans(&world, [plan(1), by("tax", 2)]);
    let found = exhausted(try_plan(&state, &world, by("tax", 3)));
    assert_eq!(found[0].key, Key::Unit(unit("tax")));
    assert_eq!(found[0].visits, [visit(2)]);
}

#[test]
fn all_units_together() {
    let world = world(vec![rule("all-units", Subject::AllUnits, 2)]);
    let state = after_plans(&world, [plan(1), by("tax", 2)]);
    let found = exhausted(try_plan(&state, &world, by("urban-management", 3)));
    assert_eq!((&found[0].key, found[0].maximum), (&Key::All, 2));
    assert_eq!(found[0].visits, [visit(1), visit(2)]);
}

#[test]
fn the_strictest_rule_decides_and_only_what_is_exhausted_is_named() {
    let same_unit = rule("same-unit", Subject::SameUnit, 1);
    let all_units = rule("all-units", Subject::AllUnits, 2);
    let world = world(vec![same_unit, all_units]);
    let rules = |outcome| -> Vec<String> {
        exhausted(outcome).iter().map(|standing| standing.rule.to_string()).collect()
    };
    let one = after_plans(&world, [plan(1)]);
    assert_eq!(rules(try_plan(&one, &world, plan(2))), ["same-unit"]);
    let two = after_plans(&world, [plan(1), by("tax", 2)]);
    assert_eq!(rules(try_plan(&two, &world, by("justice", 3))), ["all-units"]);
    assert_eq!(rules(try_plan(&two, &world, by("tax", 3))), ["same-unit", "all-units"]);
}

#[test]
fn an_exempt_ground_passes_and_does_not_count() {
    let world = once_a_year();
    let complaint = |n| on_ground(Ground::Complaint, Some("12345-20250301-0077"), n);
    let state = after_plans(&world, [complaint(1), complaint(2), plan(3), complaint(4)]);
    let found = exhausted(try_plan(&state, &world, plan(5)));
    let [standing] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((standing.reserved, standing.used, standing.exempt), (1, 0, 3));
    assert_eq!(standing.visits, [visit(3)]);
}

#[test]
fn an_exempt_ground_needs_evidence() {
    let world = once_a_year();
    for (ground, expected) in [
        (Ground::Complaint, Err(Rejection::EvidenceMissing)),
        (Ground::Urgent, Err(Rejection::EvidenceMissing)),
        (Ground::Routine, Ok(())),
        // Exempt elsewhere, but not under this policy: it counts and needs no proof.
        (Ground::Media, Ok(())),
    ] {
        // What cannot wait is planned for today or tomorrow.
        let plan = Plan { on: day("2025-03-04"), ..on_ground(ground, None, 1) };
        let found = try_plan(&Visits::default(), &world, plan);
        assert_eq!(found.map(|_| ()), expected, "{ground:?}");
    }
}

#[test]
fn a_ground_exempt_under_one_rule_counts_under_the_other() {
    let same_unit = rule("same-unit", Subject::SameUnit, 1);
    let strict = Rule { exempt_grounds: [].into(), ..rule("all-units", Subject::AllUnits, 1) };
    let world = world(vec![same_unit, strict]);
    let complaint = |n| on_ground(Ground::Complaint, Some("12345-20250301-0077"), n);
    let state = after_plans(&world, [complaint(1)]);
    let found = exhausted(try_plan(&state, &world, complaint(2)));
    assert_eq!(found.iter().map(|s| s.rule.as_str()).collect::<Vec<_>>(), ["all-units"]);
}

#[test]
fn a_rule_counts_only_on_the_days_on_which_it_applies() {
    let from_june =
        Rule { valid_from: day("2025-06-01"), ..rule("from-june", Subject::SameUnit, 1) };
    let until_june =
        Rule { valid_until: Some(day("2025-05-31")), ..rule("until-june", Subject::SameUnit, 1) };
    let on = |n, text| Plan { on: day(text), ..plan(n) };
    for (rule, free, limited) in [
        (from_june, "2025-05-31", ["2025-06-01", "2025-12-31"]),
        (until_june, "2025-06-01", ["2025-03-03", "2025-05-31"]),
    ] {
        let id = rule.id.clone();
        let world = world(vec![rule]);
        let state = after_plans(&world, [on(1, free), on(2, free), on(3, limited[0])]);
        let found = exhausted(try_plan(&state, &world, on(4, limited[1])));
        assert_eq!(found[0].visits, [visit(3)], "{id}");
        assert!(try_plan(&state, &world, on(4, free)).is_ok(), "{id}");
    }
}

#[test]
fn cancel_frees_the_place() {
    let world = once_a_year();
    let unit = plan(1).unit;
    let cancel =
        Command::Cancel { visit: visit(1), unit, reason: CancelReason::OfficersUnavailable };
    for phase in ["planned", "approved"] {
        let state = in_phase(phase);
        assert!(try_plan(&state, &world, plan(2)).is_err(), "{phase}");
        let state = accepted(state, &world.at(MORNING), &cancel);
        assert!(try_plan(&state, &world, plan(2)).is_ok(), "{phase}");
    }
}

#[test]
fn refusal_frees_the_place() {
    let world = once_a_year();
    let refuse = Command::Refuse { visit: visit(1), reason: RefusalReason::TooOften, shown: true };
    for phase in ["planned", "approved"] {
        let state = accepted(in_phase(phase), &world.at(DAY_AFTER), &refuse);
        let next = Plan { on: day("2025-03-20"), ..plan(2) };
        assert!(try_plan(&state, &world, next).is_ok(), "{phase}");
    }
}

#[test]
fn expiry_frees_the_place() {
    let world = once_a_year();
    let next = Plan { on: day("2025-03-20"), ..plan(2) };
    for phase in ["planned", "approved"] {
        let expire = Command::Expire { visit: visit(1) };
        let state = in_phase(phase);
        assert!(try_plan(&state, &world, next.clone()).is_err(), "{phase}");
        let state = accepted(state, &world.at(DAY_AFTER), &expire);
        assert!(try_plan(&state, &world, next.clone()).is_ok(), "{phase}");
    }
}

#[test]
fn what_began_keeps_its_place() {
    let world = once_a_year();
    for phase in ["checked in", "checked out", "reported", "closed"] {
        let found = exhausted(try_plan(&in_phase(phase), &world, plan(2)));
        assert_eq!((found[0].reserved, found[0].used), (0, 1), "{phase}");
    }
}

#[test]
fn the_refusal_names_rule_source_visits_and_when_it_frees() {
    let world = once_a_year();
    let state = after_plans(&world, [plan(1)]);
    let expected = Standing {
        rule: RuleId::parse("same-unit").unwrap(),
        source: name("关于规范涉企行政检查的规定 same-unit"),
        key: Key::Unit(unit("market-regulation")),
        from: day("2025-01-01"),
        until: day("2025-12-31"),
        maximum: 1,
        on_exceeding: OnExceeding::Refuse,
        reserved: 1,
        used: 0,
        exempt: 0,
        weight: 1,
        visits: vec![visit(1)],
        frees_on: Some(day("2026-01-01")),
    };
    let refused = try_plan(&state, &world, plan(2));
    assert_eq!(refused, Err(Rejection::CapReached { exhausted: vec![expected] }));
}

#[test]
fn a_visit_next_year_does_not_count_this_year() {
    let world = once_a_year();
    let on = |n, text| Plan { on: day(text), ..plan(n) };
    let state = after_plans(&world, [on(1, "2026-01-01"), on(2, "2025-12-31")]);
    assert_eq!(exhausted(try_plan(&state, &world, on(3, "2025-06-01")))[0].visits, [visit(2)]);
    assert_eq!(exhausted(try_plan(&state, &world, on(3, "2026-02-01")))[0].visits, [visit(1)]);
}
