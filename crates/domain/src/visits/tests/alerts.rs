//! What the supervision body is told once the officers have come.

use super::*;
use crate::{
    frequency::{Key, OnExceeding, Standing, Window},
    kit::{accepted, and},
};

/// A visit that was carried out on the planned day.
fn done(plan: Plan) -> [Event; 3] {
    let (visit, officers) = (plan.visit, plan.officers.clone());
    let proof = rotating(&visit.to_string());
    let scan = scan(&format!("{}T10:00+08:00", plan.on), false);
    let check_in = CheckIn { officers, proof, ..scan };
    let came = Event::VisitCheckedIn {
        visit,
        check_in,
        irregularities: FewSet::new(),
        tell: None,
        counts_on: None,
    };
    [planned_as(plan), approved_by(visit), came]
}

fn approved(plan: Plan) -> [Event; 2] {
    let visit = plan.visit;
    [planned_as(plan), approved_by(visit)]
}

fn on_a_complaint(n: u8, on: &str) -> Plan {
    let evidence = Some(reference("12345-20250301-0077"));
    Plan { ground: Ground::Complaint, evidence, on: day(on), ..plan(n) }
}

fn alerts(outcome: Result<Vec<Event>, Rejection>) -> Vec<Event> {
    let mut events = outcome.unwrap();
    assert!(matches!(events.remove(0), Event::VisitCheckedIn { .. }));
    events
}

#[test]
fn entries_on_whatever_grounds_are_plainly_too_many() {
    let world = world(vec![rule("all-units", Subject::AllUnits, 9)]);
    let two = [on_a_complaint(2, "2025-02-20"), on_a_complaint(3, "2025-03-03")].map(done);
    let state: Visits = given(&[two.concat(), approved(plan(1)).to_vec()].concat());
    let (from, until) = (day("2025-02-09"), day("2025-03-10"));
    let expected = [Event::VisitsExcessive { visit: visit(1), count: 3, from, until }];
    for late in [false, true] {
        let came = check_in(1, scan(ON_THE_DAY, late));
        let found = when(&state, &world.at(ON_THE_DAY), &came);
        assert_eq!(alerts(found), expected, "late: {late}");
    }
    // The same scan again is no second alert.
    let came = check_in(1, scan(ON_THE_DAY, false));
    let after = accepted(state, &world.at(ON_THE_DAY), &came);
    assert_eq!(when(&after, &world.at(DAY_AFTER), &came), Ok(vec![]));
}

#[test]
fn repeat_visits_are_told_at_the_door_once_for_each_rule() {
    let marks = |id, window| Rule {
        window,
        on_exceeding: OnExceeding::Warn,
        ..rule(id, Subject::AllUnits, 1)
    };
    let world = world(vec![marks("day", Window::Day), marks("week", Window::IsoWeek)]);
    let tuesday = Plan { on: day("2025-03-11"), unit: unit("tax"), ..plan(2) };
    let state: Visits = given(&[done(tuesday).to_vec(), approved(plan(1)).to_vec()].concat());
    let told = |at: &str| {
        let found = alerts(when(&state, &world.at(at), &check_in(1, scan(at, false))));
        let told = found.into_iter().map(|event| {
            let Event::RepeatVisits { visit: found, standing } = event else {
                panic!("{event:?}");
            };
            assert_eq!((found, standing.is_exceeded()), (visit(1), true));
            standing.rule.to_string()
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(ON_THE_DAY), ["week"]);
    assert_eq!(told("2025-03-11T10:00+08:00"), ["day", "week"]);
    assert_eq!(told("2025-03-17T10:00+08:00"), [""; 0]);
}

fn once(on_exceeding: OnExceeding) -> World {
    world(vec![Rule { on_exceeding, ..rule("same-unit", Subject::SameUnit, 1) }])
}

fn raised(found: Vec<Event>) -> Vec<Standing> {
    let standing = |event| {
        if let Event::CapExceeded { standing, .. } = event { Some(standing) } else { None }
    };
    found.into_iter().filter_map(standing).collect()
}

#[test]
fn what_was_let_pass_when_planned_is_no_overshoot() {
    let justified =
        Plan { justification: Some(reference("大政办批〔2025〕7号")), ..plan(2) };
    for on_exceeding in [OnExceeding::NeedsApproval, OnExceeding::NeedsExplanation] {
        let world = once(on_exceeding);
        let both = [approved(plan(1)), approved(justified.clone())].concat();
        for late in [false, true] {
            for n in [1, 2] {
                let came = check_in(n, scan(ON_THE_DAY, late));
                let found = when(&given::<Visits>(&both), &world.at(DAY_AFTER), &came);
                assert_eq!(alerts(found), [], "{on_exceeding:?} visit {n}");
            }
        }
    }
}

#[test]
fn a_scan_that_takes_another_place_without_a_justification_is_an_overshoot() {
    let world = once(OnExceeding::NeedsApproval);
    // Cancelled, its place taken, and carried out all the same.
    let state = and(in_phase("cancelled"), &[planned(2)]);
    let late = when(&state, &world.at(DAY_AFTER), &check_in(1, scan(ON_THE_DAY, true)));
    let found = raised(alerts(late));
    assert_eq!((found[0].key.clone(), found[0].used), (Key::Unit(plan(1).unit), 1));
    // Planned for one year and come in the next: live as well, for it only needed an approval.
    let next_year = Plan { on: day("2026-01-05"), ..plan(2) };
    let state = and(in_phase("approved"), &[planned_as(next_year)]);
    let january = "2026-01-05T10:00+08:00";
    let live = when(&state, &world.at(january), &check_in(1, scan(january, false)));
    assert_eq!(raised(alerts(live)).len(), 1);
}

#[test]
fn the_officers_who_came_are_those_that_count() {
    let same_officer = Rule {
        on_exceeding: OnExceeding::NeedsExplanation,
        ..rule("same-officer", Subject::SameOfficer, 1)
    };
    let world = world(vec![same_officer]);
    let first = Plan { officers: [certificate(3), certificate(4)].into(), ..plan(2) };
    let state: Visits = given(&[done(first).to_vec(), approved(plan(1)).to_vec()].concat());
    let came = |ns: [usize; 2]| {
        let officers = ns.map(certificate).into();
        check_in(1, CheckIn { officers, ..scan(ON_THE_DAY, false) })
    };
    assert_eq!(alerts(when(&state, &world.at(ON_THE_DAY), &came([1, 2]))), []);
    let swapped = when(&state, &world.at(ON_THE_DAY), &came([1, 3]));
    assert_eq!(raised(alerts(swapped))[0].key, Key::Officer(certificate(3)));
    let after = accepted(state, &world.at(ON_THE_DAY), &came([1, 5]));
    let entry = after.get(visit(1)).unwrap().entry().unwrap();
    assert_eq!(entry.officers, [certificate(1), certificate(5)].into());
}

#[test]
fn a_visit_has_a_finding_as_its_report_says() {
    let results = |outcome| vec![result("SC-0101", Outcome::Pass), result("SC-0205", outcome)];
    for (outcome, expected) in [
        (None, None),
        (Some(Outcome::Pass), Some(false)),
        (Some(Outcome::CorrectedOnTheSpot), Some(true)),
        (Some(Outcome::CaseFiled), Some(true)),
    ] {
        let results = outcome.map(results);
        let report = results.map(|results| Event::ResultReported {
            visit: visit(1),
            unit: None,
            results,
            tell: None,
        });
        let state = and(in_phase("checked out"), &report.into_iter().collect::<Vec<_>>());
        assert_eq!(state.get(visit(1)).unwrap().entry().unwrap().finding, expected);
    }
}
