//! A complaint about a visit: the unit's other visits wait until it is answered.

use super::*;
use crate::{
    ids::AppealId,
    kit::{accepted, and},
};

fn appeal(n: u8) -> AppealId {
    AppealId(Uuid::from_u128(u128::from(n)))
}

fn hold(visit_n: u8, appeal_n: u8) -> Command {
    Command::Hold { visit: visit(visit_n), appeal: appeal(appeal_n) }
}

fn lift(appeal_n: u8) -> Command {
    Command::LiftHold { appeal: appeal(appeal_n) }
}

fn approved_plan(plan: Plan) -> Vec<Event> {
    let approved =
        |unit: &UnitId| Event::VisitApproved { visit: plan.visit, unit: Some(unit.clone()) };
    let approvals = plan.all_shares().keys().map(approved).collect::<Vec<_>>();
    [vec![planned_as(plan)], approvals].concat()
}

/// Visit 1 was carried out and complained about.
fn complained(others: impl IntoIterator<Item = Plan>) -> Visits {
    let others: Vec<Event> = others.into_iter().flat_map(approved_plan).collect();
    let state = and(in_phase("reported"), &others);
    accepted(state, &roomy().at(DAY_AFTER), &hold(1, 1))
}

fn roomy() -> World {
    world(vec![rule("same-unit", Subject::SameUnit, 9)])
}

fn scan_in(state: &Visits, plan: &Plan, late: bool) -> Result<Vec<Event>, Rejection> {
    let command = Command::CheckIn {
        visit: plan.visit,
        unit: plan.unit.clone(),
        check_in: scan(DAY_AFTER, late),
        improvised: None,
    };
    when(state, &roomy().at(DAY_AFTER), &command)
}

#[test]
fn a_complaint_holds_the_units_other_visits_but_urgent_ones_and_none_of_others() {
    let urgent =
        Plan {
            ground: Ground::Urgent, evidence: Some(reference("应急〔2025〕1号")), ..plan(3)
        };
    let of_tax = by("tax", 4);
    let state = complained([plan(2), urgent.clone(), of_tax.clone()]);
    let held = Err(Rejection::VisitsHeld { appeal: appeal(1) });
    assert_eq!(scan_in(&state, &plan(2), false), held);
    assert_eq!(state.held_by(state.get(visit(2)).unwrap()), Some(appeal(1)));
    for free in [urgent, of_tax] {
        assert_eq!(told(scan_in(&state, &free, false)), "VisitCheckedIn", "{free:?}");
    }
    let admitted = Command::Admit {
        visit: visit(2),
        code: CodeId(Uuid::from_u128(4)),
        place: None,
        units: [].into(),
    };
    assert_eq!(when(&state, &roomy().at(DAY_AFTER), &admitted), held);
}

#[test]
fn a_visit_that_was_held_is_recorded_as_such_when_handed_in_late() {
    let found = scan_in(&complained([plan(2)]), &plan(2), true).unwrap();
    assert_eq!(irregular(&found), [Irregularity::Held].into());
}

#[test]
fn the_visit_complained_about_is_not_held_itself() {
    let notified = Event::VisitNotified { visit: visit(2) };
    let state = and(Visits::default(), &[approved_plan(plan(2)), vec![notified]].concat());
    let state = accepted(state, &roomy().at(ON_THE_DAY), &hold(2, 1));
    assert_eq!(told(scan_in(&state, &plan(2), false)), "VisitCheckedIn");
}

#[test]
fn a_joint_visit_is_held_where_one_of_its_units_is() {
    let share = Share { officers: officers(2), items: plan(1).items };
    let joint = Plan { shares: [(plan(1).unit, share)].into(), ..by("tax", 2) };
    let found = scan_in(&complained([joint.clone()]), &joint, false);
    assert_eq!(found, Err(Rejection::VisitsHeld { appeal: appeal(1) }));
}

#[test]
fn an_answer_ends_the_hold_and_each_complaint_has_its_own() {
    let state = complained([plan(2)]);
    let context = roomy();
    let context = context.at(DAY_AFTER);
    let state = accepted(state, &context, &hold(1, 2));
    let state = accepted(state, &context, &lift(1));
    let held = Err(Rejection::VisitsHeld { appeal: appeal(2) });
    assert_eq!(scan_in(&state, &plan(2), false), held);
    let state = accepted(state, &context, &lift(2));
    assert_eq!(told(scan_in(&state, &plan(2), false)), "VisitCheckedIn");
    // Whatever comes twice, or late, changes nothing.
    for command in [hold(1, 1), lift(1), lift(2), lift(3)] {
        assert_eq!(when(&state, &context, &command), Ok(vec![]), "{command:?}");
    }
}

#[test]
fn the_hold_is_on_every_unit_that_took_part() {
    let share = Share { officers: officers(2), items: plan(1).items };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..plan(1) };
    let notified = Event::VisitNotified { visit: visit(1) };
    let state: Visits = given(&[approved_plan(joint), vec![notified]].concat());
    let found = when(&state, &roomy().at(DAY_AFTER), &hold(1, 1)).unwrap();
    let held = |unit| Event::VisitsHeld { visit: visit(1), unit, appeal: appeal(1) };
    assert_eq!(found, [held(plan(1).unit), held(unit("tax"))]);
    let others = Plan { unit: unit("tax"), items: plan(1).items, ..plan(2) };
    let state = and(and(state, &found), &approved_plan(others.clone()));
    assert_eq!(scan_in(&state, &others, false), Err(Rejection::VisitsHeld { appeal: appeal(1) }));
}

#[test]
fn a_visit_that_the_enterprise_knows_nothing_of_holds_nobody() {
    let state: Visits = given(&approved_plan(plan(1)));
    assert_eq!(when(&state, &roomy().at(DAY_AFTER), &hold(1, 1)), Ok(vec![]));
}

#[test]
fn a_visit_about_which_a_complaint_was_answered_holds_nobody_again() {
    let (context, state) = (roomy(), complained([plan(2)]));
    let context = context.at(DAY_AFTER);
    let state = accepted(state, &context, &lift(1));
    assert_eq!(when(&state, &context, &hold(1, 2)), Ok(vec![]));
    assert_eq!(told(scan_in(&state, &plan(2), false)), "VisitCheckedIn");
}

#[test]
fn an_enterprise_refuses_at_the_door_and_not_on_paper_beforehand() {
    let refuse = Command::Refuse { visit: visit(1), reason: RefusalReason::TooOften, shown: true };
    let state: Visits = given(&approved_plan(plan(1)));
    let early = when(&state, &roomy().at(MORNING), &refuse);
    assert_eq!(early, Err(Rejection::VisitUnknown(visit(1))), "nobody told it of one");
    let told_of = and(state, &[Event::VisitNotified { visit: visit(1) }]);
    let early = when(&told_of, &roomy().at(MORNING), &refuse);
    assert_eq!(early, Err(Rejection::BeforePlannedDay { on: plan(1).on }));
    assert_eq!(told(when(&told_of, &roomy().at(ON_THE_DAY), &refuse)), "VisitRefused");
}
