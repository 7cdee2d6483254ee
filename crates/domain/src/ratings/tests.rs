//! Who came in is rated once, and nobody else is.

use super::*;
use crate::{
    kit::{World, accepted, given, moment, names, unit, when},
    visits::{
        CancelReason, Event as Happened,
        tests::{plan, planned_as, scan, visit},
    },
};

const LATER: &str = "2025-03-12T09:00+08:00";

fn rate(n: u8, satisfaction: Satisfaction) -> Command {
    Command::Rate { visit: visit(n), satisfaction }
}

fn came(n: u8) -> Happened {
    let check_in = scan("2025-03-10T10:00+08:00", false);
    Happened::VisitCheckedIn {
        visit: visit(n),
        check_in,
        irregularities: [].into(),
        tell: None,
        counts_on: None,
    }
}

fn world(events: &[Happened]) -> World {
    World { visits: given(events), ..World::default() }
}

#[test]
fn a_visit_that_took_place_is_rated_for_the_unit_in_charge() {
    let mut joint = plan(1);
    let share = crate::visits::Share { officers: [].into(), items: [].into() };
    joint.shares = [(unit("tax"), share.clone()), (unit("justice"), share)].into();
    let withdrew = Happened::UnitWithdrew {
        visit: visit(1),
        unit: unit("justice"),
        reason: CancelReason::OfficersUnavailable,
        tell: None,
    };
    let left = Happened::VisitCheckedOut {
        visit: visit(1),
        occurred_at: moment("2025-03-10T12:00+08:00"),
        irregularities: [].into(),
    };
    let before = [planned_as(joint), withdrew, came(1)];
    for events in [before.to_vec(), [&before[..], &[left]].concat()] {
        let world = world(&events);
        let rated = when(&Ratings::default(), &world.at(LATER), &rate(1, Satisfaction::Satisfied));
        let unit = unit("market-regulation");
        let satisfaction = Satisfaction::Satisfied;
        assert_eq!(rated, Ok(vec![Event::VisitRated { visit: visit(1), unit, satisfaction }]));
    }
}

#[test]
fn a_rating_stays_as_it_was_given() {
    let world = world(&[planned_as(plan(1)), planned_as(plan(2)), came(1), came(2)]);
    let context = world.at(LATER);
    let rated = accepted(Ratings::default(), &context, &rate(1, Satisfaction::VeryDissatisfied));
    assert_eq!(rated.of(visit(1)), Some(Satisfaction::VeryDissatisfied));
    let otherwise = rate(1, Satisfaction::VerySatisfied);
    assert_eq!(when(&rated, &context, &otherwise), Err(Rejection::AlreadyRated(visit(1))));
    let other = when(&rated, &context, &rate(2, Satisfaction::Acceptable)).unwrap();
    assert_eq!(names(&other), "VisitRated");
}

#[test]
fn what_the_enterprise_does_not_know_of_is_unknown_and_who_did_not_come_is_not_rated() {
    let refused = |n: u8| Happened::VisitRefused {
        visit: visit(n),
        reason: crate::visits::RefusalReason::NotApproved,
    };
    let told = Happened::VisitNotified { visit: visit(2) };
    let plans = [1, 2, 3].map(|n| planned_as(plan(n)));
    let world = world(&[&plans[..], &[told, refused(3)]].concat());
    for (n, rejection) in [
        (1, Rejection::VisitUnknown(visit(1))),
        (2, Rejection::NotVisited(visit(2))),
        (3, Rejection::NotVisited(visit(3))),
        (9, Rejection::VisitUnknown(visit(9))),
    ] {
        let rated = when(&Ratings::default(), &world.at(LATER), &rate(n, Satisfaction::Satisfied));
        assert_eq!(rated, Err(rejection), "visit {n}");
    }
    let nothing = crate::kit::at(LATER);
    let rated = when(&Ratings::default(), &nothing, &rate(1, Satisfaction::Satisfied));
    assert_eq!(rated, Err(Rejection::VisitUnknown(visit(1))));
}

#[test]
fn the_grades_are_stored_by_stable_words_from_the_worst() {
    let words: Vec<_> = Satisfaction::ALL.map(|grade| serde_json::to_value(grade).unwrap()).into();
    let known = ["very_dissatisfied", "dissatisfied", "acceptable", "satisfied", "very_satisfied"];
    assert_eq!(words, known);
    assert!(Satisfaction::ALL.is_sorted());
}
