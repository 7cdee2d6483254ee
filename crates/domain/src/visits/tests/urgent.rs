//! Visits that could not wait (紧急): begun before anybody planned or approved them.

use super::*;
use crate::{
    catalogue::{Item, Mode},
    clock::{ClockId, ClockKind, Step},
    frequency::OnExceeding,
    kit::{accepted, and, on_site},
};

/// When the time to make the approval up goes by: two working days after the planned day.
const DUE: &str = "2025-03-12T17:00+08:00";

fn urgent(n: u8) -> Plan {
    Plan {
        ground: Ground::Urgent, evidence: Some(reference("应急值班〔2025〕12号")), ..plan(n)
    }
}

fn on_the_spot(plan: Plan, check_in: CheckIn) -> Command {
    let (visit, unit) = (plan.visit, plan.unit.clone());
    Command::CheckIn { visit, unit, check_in, improvised: Some(plan) }
}

fn live(plan: Plan) -> Command {
    on_the_spot(plan, scan(ON_THE_DAY, false))
}

fn begun(world: &World, plan: Plan) -> Result<Vec<Event>, Rejection> {
    when(&Visits::default(), &world.at(ON_THE_DAY), &live(plan))
}

/// Visit 1, begun on the spot.
fn there(plan: Plan) -> Visits {
    accepted(Visits::default(), &once_a_year().at(ON_THE_DAY), &live(plan))
}

fn approve(by: &str) -> Command {
    Command::Approve { visit: visit(1), unit: unit(by) }
}

#[test]
fn an_urgent_visit_is_planned_and_begun_and_owes_its_approval_in_one_commit() {
    let found = begun(&once_a_year(), urgent(1)).unwrap();
    assert_eq!(names(&found), "VisitPlanned + VisitCheckedIn + ApprovalOwed");
    assert_eq!(irregular(&found), [].into());
    let Event::VisitPlanned { policy_version: 3, catalogue_version: Some(11), standings, .. } =
        &found[0]
    else {
        panic!("{found:?}");
    };
    assert_eq!(standings.len(), 1, "what was looked at is recorded as for any plan");
    let state: Visits = given(&found);
    let known = state.get(visit(1)).unwrap();
    assert_eq!(known.checked_in_at(), Some(moment(ON_THE_DAY)));
    let clock = known.clock(ClockKind::Approval).unwrap();
    assert_eq!((clock.id, clock.working_days, clock.due), (ClockId(2), 2, moment(DUE)));
    let told = known.clock(ClockKind::Tell).unwrap();
    assert_eq!((told.id, told.working_days), (ClockId(1), 5));
    assert_eq!(clock.derivation.terms_version, 3);
}

#[test]
fn the_policy_says_how_long_the_approval_may_take() {
    let mut world = once_a_year();
    world.frequency.as_mut().unwrap().visits.approval_days = 0;
    let state: Visits = given(&begun(&world, urgent(1)).unwrap());
    let clock = state.get(visit(1)).unwrap().clock(ClockKind::Approval).unwrap();
    assert_eq!(clock.due, moment("2025-03-10T17:00+08:00"));
}

#[test]
fn an_urgent_visit_beyond_a_limit_is_recorded_and_raised() {
    let strict = Rule { exempt_grounds: [].into(), ..rule("all", Subject::AllUnits, 1) };
    for on_exceeding in [OnExceeding::Refuse, OnExceeding::NeedsApproval] {
        let world = world(vec![Rule { on_exceeding, ..strict.clone() }]);
        let full: Visits = given(&[planned_as(by("tax", 2))]);
        let found = when(&full, &world.at(ON_THE_DAY), &live(urgent(1)));
        assert_eq!(told(found), "VisitPlanned + VisitCheckedIn + CapExceeded + ApprovalOwed");
    }
}

#[test]
fn only_an_urgent_visit_begins_without_a_plan() {
    for ground in Ground::ALL {
        let plan = Plan { ground, ..urgent(1) };
        let expected = (ground != Ground::Urgent).then_some(Rejection::NotUrgent);
        assert_eq!(begun(&once_a_year(), plan).err(), expected, "{ground:?}");
    }
    let unplanned = when(
        &Visits::default(),
        &once_a_year().at(ON_THE_DAY),
        &check_in(1, scan(ON_THE_DAY, false)),
    );
    assert_eq!(unplanned, Err(Rejection::VisitUnknown(visit(1))));
}

#[test]
fn a_visit_that_nobody_planned_is_recorded_as_such_when_entered_late() {
    let late = on_the_spot(plan(1), scan(ON_THE_DAY, true));
    let found = when(&Visits::default(), &once_a_year().at(DAY_AFTER), &late).unwrap();
    assert_eq!(names(&found), "VisitPlanned + VisitCheckedIn + ApprovalOwed");
    assert_eq!(irregular(&found), [Irregularity::Unplanned].into());
}

#[test]
fn an_urgent_scan_needs_two_officers_a_code_and_a_time_that_has_come() {
    let world = once_a_year();
    let scan = || scan(ON_THE_DAY, false);
    for (check_in, expected) in [
        (CheckIn { officers: officers(1), ..scan() }, Rejection::TooFewOfficers { found: 1 }),
        (CheckIn { proof: Proof::Nothing, ..scan() }, Rejection::CodeMissing),
        (
            CheckIn { officers: [1, 77].map(certificate).into(), ..scan() },
            Rejection::OfficerInvalid { certificate: certificate(77) },
        ),
        (super::scan(DAY_AFTER, false), Rejection::InFuture { occurred_at: moment(DAY_AFTER) }),
    ] {
        let command = on_the_spot(urgent(1), check_in);
        let found = when(&Visits::default(), &world.at(ON_THE_DAY), &command);
        assert_eq!(found, Err(expected));
    }
}

#[test]
fn what_nobody_could_look_at_beforehand_is_recorded() {
    let unlisted = Plan { items: [item("SC-9999")].into(), ..urgent(1) };
    let unproved = Plan { evidence: None, ..urgent(1) };
    let foreign = Plan { officers: [1, 77].map(certificate).into(), ..urgent(1) };
    let unpublished = World { frequency: None, ..once_a_year() };
    let unregistered = World { profile: Profile::Unregistered, ..once_a_year() };
    for (world, plan, expected) in [
        (once_a_year(), unlisted, Irregularity::OutsideCatalogue),
        (once_a_year(), unproved, Irregularity::EvidenceMissing),
        (once_a_year(), foreign, Irregularity::OfficerInvalid),
        (unpublished, urgent(1), Irregularity::LimitsUnchecked),
        (unregistered, urgent(1), Irregularity::EnterpriseUnregistered),
    ] {
        let found = begun(&world, plan).unwrap();
        assert_eq!(irregular(&found), [expected].into());
    }
}

#[test]
fn a_plan_made_on_the_spot_is_that_of_the_visit_and_of_the_unit() {
    let by_tax = Command::CheckIn {
        visit: visit(1),
        unit: unit("tax"),
        check_in: scan(ON_THE_DAY, false),
        improvised: Some(urgent(1)),
    };
    let known: Visits = given(&[planned(2)]);
    let owner = plan(1).unit;
    let found = when(&known, &once_a_year().at(ON_THE_DAY), &by_tax);
    assert_eq!(found, Err(Rejection::OtherUnit { owner }));
    let of_other = Command::CheckIn {
        visit: visit(1),
        unit: plan(1).unit,
        check_in: scan(ON_THE_DAY, false),
        improvised: Some(urgent(2)),
    };
    let found = when(&known, &once_a_year().at(ON_THE_DAY), &of_other);
    assert_eq!(found, Err(Rejection::PlannedDifferently(visit(1))), "and 2 is left alone");
}

#[test]
fn an_approval_made_up_stops_its_clock() {
    let world = once_a_year();
    let state = accepted(there(urgent(1)), &world.at(DAY_AFTER), &approve("market-regulation"));
    assert_eq!(state.get(visit(1)).unwrap().clock(ClockKind::Approval), None);
    let steps = when(&state, &world.at(DUE), &Command::TakeSteps { clock: ClockId(2) });
    assert_eq!(steps, Ok(vec![]));
}

#[test]
fn the_clocks_steps_are_taken_once() {
    let world = once_a_year();
    let take = Command::TakeSteps { clock: ClockId(2) };
    let early = when(&there(urgent(1)), &world.at(ON_THE_DAY), &take);
    assert_eq!(early, Ok(vec![]));
    let (mut state, mut taken) = (there(urgent(1)), vec![]);
    for at in ["2025-03-12T14:00+08:00", DUE, "2025-03-13T09:00+08:00"] {
        let found = when(&state, &world.at(at), &take).unwrap();
        for event in &found {
            let Event::ClockStepsTaken { steps, .. } = event else {
                panic!("{event:?}");
            };
            taken.extend(steps.clone());
        }
        state = and(state, &found);
    }
    assert_eq!(taken, [Step::Blue, Step::Yellow, Step::Red]);
    let known = state.get(visit(1)).unwrap();
    assert_eq!(known.clock(ClockKind::Approval).unwrap().level(), Some(Step::Red));
    let late = when(&state, &world.at("2025-03-14T09:00+08:00"), &approve("market-regulation"));
    assert_eq!(told(late), "VisitApproved", "later than owed, but made up");
}

#[test]
fn each_unit_makes_up_its_own_approval() {
    let share = Share { officers: officers(2), items: [item("SC-0205")].into() };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..urgent(1) };
    let found = begun(&once_a_year(), joint.clone()).unwrap();
    assert_eq!(names(&found), "VisitPlanned + VisitCheckedIn + ApprovalOwed + ApprovalOwed");
    let owed = |state: &Visits| {
        let clocks = state.get(visit(1)).unwrap().clocks.iter();
        clocks
            .filter(|clock| clock.kind == ClockKind::Approval)
            .map(|clock| (clock.id.0, clock.owner.clone()))
            .collect::<Vec<_>>()
    };
    let of = |by: &str| crate::clock::Owner::Unit(unit(by));
    let state = there(joint);
    assert_eq!(owed(&state), [(2, of("market-regulation")), (3, of("tax"))]);
    let state = accepted(state, &once_a_year().at(DAY_AFTER), &approve("market-regulation"));
    assert_eq!(owed(&state), [(3, of("tax"))]);
}

#[test]
fn a_visit_is_not_closed_while_its_approval_is_owed() {
    let world = once_a_year();
    let out = moment("2025-03-10T11:30+08:00");
    let check_out = Command::CheckOut { visit: visit(1), unit: plan(1).unit, occurred_at: out };
    let fine = ["SC-0101", "SC-0205"].map(|id| result(id, Outcome::Pass));
    let mut state = there(urgent(1));
    for (command, expected) in [
        (check_out, "VisitCheckedOut"),
        (report(fine.into()), "ResultReported"),
        (tell(), "EnterpriseTold"),
        (approve("market-regulation"), "VisitApproved + VisitClosed"),
    ] {
        let found = when(&state, &world.at(DAY_AFTER), &command).unwrap();
        assert_eq!(names(&found), expected);
        state = and(state, &found);
    }
}

#[test]
fn what_cannot_wait_needs_no_other_reason_to_go_on_site() {
    let mut world = once_a_year();
    let either = [Mode::OnSite, Mode::OffSite].into();
    let item = Item { modes: either, ..on_site("SC-0400", "market") };
    world.catalogues[0].items.push(item);
    let items = [crate::kit::item("SC-0400")].into();
    let plan =
        Plan { ground: Ground::Urgent, items, evidence: Some(reference("险情")), ..plan(1) };
    let (visit, unit) = (plan.visit, plan.unit.clone());
    let check_in = scan(ON_THE_DAY, false);
    let improvised = Some(plan);
    let command = Command::CheckIn { visit, unit, check_in, improvised };
    let found = when(&Visits::default(), &world.at(ON_THE_DAY), &command).unwrap();
    let [_, Event::VisitCheckedIn { irregularities, .. }, ..] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(irregularities, &[].into());
}

#[test]
fn a_campaign_or_a_recheck_that_nobody_planned_is_flagged_where_it_refers_to_nothing() {
    for ground in [Ground::Special, Ground::RectificationRecheck] {
        let plan = Plan { ground, evidence: Some(reference("任务单")), ..plan(1) };
        let (visit, unit, improvised) = (plan.visit, plan.unit.clone(), Some(plan));
        let command =
            Command::CheckIn { visit, unit, check_in: scan(ON_THE_DAY, true), improvised };
        let found = when(&Visits::default(), &once_a_year().at(DAY_AFTER), &command).unwrap();
        let Event::VisitCheckedIn { irregularities, .. } = &found[1] else { panic!("{found:?}") };
        assert!(irregularities.contains(&Irregularity::EvidenceMissing), "{irregularities:?}");
    }
}
