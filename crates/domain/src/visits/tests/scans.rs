//! Scans at the door, live and handed in late, and the report that follows.

use jiff::SignedDuration;

use super::*;
use crate::{
    frequency::{Key, OnExceeding, Standing},
    kit::{accepted, and},
};

#[test]
fn a_live_scan_is_refused_unless_in_order() {
    let world = once_a_year();
    let few = CheckIn { officers: officers(1), ..scan(ON_THE_DAY, false) };
    let early = "2025-03-09T23:59+08:00";
    let wrong = |found| Rejection::WrongPhase { found, wanted: "approved" };
    for (phase, at, scan, expected) in [
        ("approved", ON_THE_DAY, few, Rejection::TooFewOfficers { found: 1 }),
        ("approved", early, scan(early, false), Rejection::BeforePlannedDay { on: plan(1).on }),
        (
            "approved",
            early,
            scan(ON_THE_DAY, false),
            Rejection::InFuture { occurred_at: moment(ON_THE_DAY) },
        ),
        ("planned", ON_THE_DAY, scan(ON_THE_DAY, false), wrong("planned")),
        ("cancelled", ON_THE_DAY, scan(ON_THE_DAY, false), wrong("cancelled")),
        ("expired", DAY_AFTER, scan(DAY_AFTER, false), wrong("expired")),
        ("refused", DAY_AFTER, scan(DAY_AFTER, false), wrong("refused")),
        ("merged", DAY_AFTER, scan(DAY_AFTER, false), wrong("merged")),
    ] {
        let found = when(&in_phase(phase), &world.at(at), &check_in(1, scan));
        assert_eq!(found, Err(expected), "{phase} at {at}");
    }
    let found =
        when(&in_phase("approved"), &world.at(ON_THE_DAY), &check_in(1, scan(ON_THE_DAY, false)));
    assert_eq!(clockless(found), Ok(vec![came(1, scan(ON_THE_DAY, false))]));
}

#[test]
fn a_scan_handed_in_late_is_recorded_with_what_was_not_in_order() {
    let world = once_a_year();
    let early = "2025-03-09T23:59+08:00";
    for (phase, officer_count, at, irregularities) in [
        ("approved", 2, ON_THE_DAY, vec![]),
        ("planned", 2, ON_THE_DAY, vec![Irregularity::NotApproved]),
        ("cancelled", 2, ON_THE_DAY, vec![Irregularity::AfterCancellation]),
        ("expired", 2, ON_THE_DAY, vec![Irregularity::AfterExpiry]),
        ("refused", 2, ON_THE_DAY, vec![Irregularity::AfterRefusal]),
        ("approved", 2, early, vec![Irregularity::BeforePlannedDay]),
        ("approved", 1, ON_THE_DAY, vec![Irregularity::TooFewOfficers]),
        (
            "planned",
            0,
            early,
            vec![
                Irregularity::NotApproved,
                Irregularity::BeforePlannedDay,
                Irregularity::TooFewOfficers,
            ],
        ),
    ] {
        let scan = CheckIn { officers: officers(officer_count), ..scan(at, true) };
        let found = when(&in_phase(phase), &world.at(DAY_AFTER), &check_in(1, scan.clone()));
        let expected = Event::VisitCheckedIn {
            visit: visit(1),
            check_in: scan,
            irregularities: irregularities.into_iter().collect(),
            tell: None,
            counts_on: None,
        };
        assert_eq!(clockless(found), Ok(vec![expected]), "{phase} at {at}");
    }
}

#[test]
fn a_scan_from_the_future_is_refused_also_when_handed_in() {
    let found = when(
        &in_phase("approved"),
        &once_a_year().at(ON_THE_DAY),
        &check_in(1, scan(DAY_AFTER, true)),
    );
    assert_eq!(found, Err(Rejection::InFuture { occurred_at: moment(DAY_AFTER) }));
}

/// Visit 1 was cancelled, and visit 2 took its place.
fn replaced(world: &World) -> Visits {
    let replacement = Command::Plan(plan(2));
    accepted(in_phase("cancelled"), &world.at(MORNING), &replacement)
}

#[test]
fn a_late_scan_that_overshoots_is_recorded_and_raised() {
    let world = once_a_year();
    let state = replaced(&world);
    let handed_in = scan(ON_THE_DAY, true);
    let found = when(&state, &world.at(DAY_AFTER), &check_in(1, handed_in.clone()));
    let standing = Standing {
        rule: RuleId::parse("same-unit").unwrap(),
        source: name("关于规范涉企行政检查的规定 same-unit"),
        key: Key::Unit(unit("market-regulation")),
        from: day("2025-01-01"),
        until: day("2025-12-31"),
        maximum: 1,
        on_exceeding: OnExceeding::Refuse,
        reserved: 1,
        used: 1,
        exempt: 0,
        weight: 1,
        visits: vec![visit(1), visit(2)],
        frees_on: Some(day("2026-01-01")),
    };
    assert_eq!((standing.remaining(), standing.is_exceeded()), (0, true));
    let happened = Event::VisitCheckedIn {
        visit: visit(1),
        check_in: handed_in,
        irregularities: [Irregularity::AfterCancellation].into(),
        tell: None,
        counts_on: None,
    };
    let raised = Event::CapExceeded { visit: visit(1), standing };
    assert_eq!(clockless(found), Ok(vec![happened, raised]));
}

#[test]
fn an_overshoot_is_raised_once_for_each_rule() {
    let both = [("same-unit", Subject::SameUnit), ("all-units", Subject::AllUnits)];
    let world = world(both.map(|(id, subject)| rule(id, subject, 1)).into());
    let found = when(&replaced(&world), &world.at(DAY_AFTER), &check_in(1, scan(ON_THE_DAY, true)));
    assert_eq!(names(&found.unwrap()), "VisitCheckedIn + CapExceeded + CapExceeded + ApprovalOwed");
}

#[test]
fn a_late_scan_on_an_exempt_ground_overshoots_nothing() {
    let world = once_a_year();
    let ground = Ground::Complaint;
    let exempt = Plan { ground, ..plan(1) };
    let state: Visits = given(&[planned_as(exempt), planned(2)]);
    let found = when(&state, &world.at(DAY_AFTER), &check_in(1, scan(ON_THE_DAY, true)));
    assert_eq!(names(&found.unwrap()), "VisitCheckedIn + ApprovalOwed");
}

#[test]
fn a_visit_that_does_not_count_may_begin_in_a_year_that_is_overshot() {
    let world = once_a_year();
    let came = check_in(1, scan(ON_THE_DAY, true));
    let overshot = accepted(replaced(&world), &world.at(DAY_AFTER), &came);
    let exempt = Plan { ground: Ground::Complaint, on: day("2025-03-11"), ..plan(3) };
    let state = and(overshot, &[planned_as(exempt), approved_by(visit(3))]);
    for late in [false, true] {
        let found = when(&state, &world.at(DAY_AFTER), &check_in(3, scan(DAY_AFTER, late)));
        assert_eq!(names(&found.unwrap()), "VisitCheckedIn", "late: {late}");
    }
}

#[test]
fn a_live_scan_in_a_full_year_is_refused() {
    // Visit 1 was planned for 2025 and comes in 2026, where visit 2 has taken the place.
    let world = once_a_year();
    let january = "2026-01-05T10:00+08:00";
    let next_year = Plan { on: day("2026-01-05"), ..plan(2) };
    let state = accepted(in_phase("approved"), &world.at(MORNING), &Command::Plan(next_year));
    let found = when(&state, &world.at(january), &check_in(1, scan(january, false)));
    let Err(Rejection::CapReached { exhausted }) = found else {
        panic!("{found:?}");
    };
    assert_eq!((exhausted[0].from, exhausted[0].maximum), (day("2026-01-01"), 1));
    assert_eq!(exhausted[0].visits, [visit(1), visit(2)]);
}

#[test]
fn a_visit_counts_in_the_year_in_which_the_officers_came() {
    let world = once_a_year();
    let (late, next_day) = ("2025-12-31T17:30Z", "2026-01-02T09:00+08:00");
    let state = accepted(in_phase("approved"), &world.at(next_day), &check_in(1, scan(late, true)));
    let entry = state.get(visit(1)).unwrap().entry().unwrap();
    assert_eq!(entry.on, day("2026-01-01"), "half past one in the morning in Shanghai");
}

#[test]
fn without_a_policy_a_scan_is_recorded_and_nothing_is_raised() {
    let world = World { frequency: None, ..once_a_year() };
    let full = replaced(&once_a_year());
    let found = when(&full, &world.at(DAY_AFTER), &check_in(1, scan(ON_THE_DAY, true)));
    assert_eq!(names(&found.unwrap()), "VisitCheckedIn + ApprovalOwed");
}

#[test]
fn officers_leave_after_they_came_and_not_in_the_future() {
    let came = moment(ON_THE_DAY);
    let (too_late, at) = (moment("2025-03-10T12:01:01+08:00"), "2025-03-10T12:00+08:00");
    for (occurred_at, expected) in [
        (moment("2025-03-10T09:59:59+08:00"), Err(Rejection::OutBeforeIn { checked_in_at: came })),
        (too_late, Err(Rejection::InFuture { occurred_at: too_late })),
        (came, Ok(vec![left(1, ON_THE_DAY)])),
        (moment(at), Ok(vec![left(1, at)])),
    ] {
        let command = Command::CheckOut { visit: visit(1), unit: plan(1).unit, occurred_at };
        assert_eq!(when(&in_phase("checked in"), &once_a_year().at(at), &command), expected);
    }
}

#[test]
fn events_of_an_unknown_visit_change_nothing() {
    let visit = visit(9);
    let stray = [approved_by(visit), left(9, ON_THE_DAY), Event::VisitExpired { visit }];
    let state = and(in_phase("planned"), &stray);
    assert!(state.get(visit).is_none());
}

#[test]
fn a_back_dated_scan_never_moves_a_visit_out_of_its_window() {
    let world = once_a_year();
    let long_ago = scan("2024-03-01T09:00+08:00", true);
    let state =
        accepted(in_phase("approved"), &world.at(DAY_AFTER), &check_in(1, long_ago.clone()));
    let again = when(&state, &world.at(MORNING), &Command::Plan(plan(2)));
    assert!(matches!(again, Err(Rejection::CapReached { .. })), "the place is used: {again:?}");
    let found = when(&replaced(&world), &world.at(DAY_AFTER), &check_in(1, long_ago));
    assert_eq!(names(&found.unwrap()), "VisitCheckedIn + CapExceeded + ApprovalOwed");
}

#[test]
fn a_scan_before_a_day_far_ahead_counts_when_it_was_recorded() {
    let world = once_a_year();
    let this_year = and(in_phase("checked in"), &[]);
    let next_year = Plan { on: day("2026-01-05"), ..plan(2) };
    let state = and(this_year, &[planned_as(next_year), approved_by(visit(2))]);
    let found = when(&state, &world.at(DAY_AFTER), &check_in(2, scan(DAY_AFTER, true))).unwrap();
    assert_eq!(irregular(&found), [Irregularity::BeforePlannedDay].into());
    assert_eq!(names(&found), "VisitCheckedIn + CapExceeded", "it is the second of this year");
    let entry = and(state, &found).get(visit(2)).unwrap().entry().unwrap();
    assert_eq!(entry.on, day("2025-03-11"));
}

#[test]
fn without_a_policy_in_force_a_live_scan_is_refused_and_a_late_one_flagged() {
    let world = World::default();
    let live =
        when(&in_phase("approved"), &world.at(ON_THE_DAY), &check_in(1, scan(ON_THE_DAY, false)));
    assert_eq!(live, Err(Rejection::PolicyUnpublished));
    let scan = scan(ON_THE_DAY, true);
    let late = when(&in_phase("approved"), &world.at(DAY_AFTER), &check_in(1, scan.clone()));
    let irregularities = [Irregularity::LimitsUnchecked].into();
    let happened = Event::VisitCheckedIn {
        visit: visit(1),
        check_in: scan,
        irregularities,
        tell: None,
        counts_on: None,
    };
    assert_eq!(clockless(late), Ok(vec![happened]));
}

#[test]
fn a_device_whose_clock_is_a_little_ahead_still_scans_in() {
    let world = once_a_year();
    let ahead = |seconds| {
        let occurred_at = moment(ON_THE_DAY) + SignedDuration::from_secs(seconds);
        let scan = CheckIn { occurred_at, ..scan(ON_THE_DAY, false) };
        when(&in_phase("approved"), &world.at(ON_THE_DAY), &check_in(1, scan)).is_ok()
    };
    assert_eq!((ahead(60), ahead(61)), (true, false));
}
