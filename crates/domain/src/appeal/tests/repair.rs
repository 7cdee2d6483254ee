//! What the independent look mends: a case without a clock, and one whose unit is gone.

use super::*;
use crate::routing::RouteRule;

#[test]
fn an_abolished_unit_hands_on_with_the_deadline_as_promised() {
    let mut life = Life::in_handling().then(ask("power-supply", "gas", "YXNr"));
    life.abolish("power-supply", None);
    let due = life.clock(ClockKind::Resolve).due;
    let life = life.at("2025-04-28T09:00+08:00").then(Command::Repair);
    let Event::AppealRepaired { found, route: Some(route), .. } = life.last() else { panic!() };
    assert_eq!((*found, &route.rule), (Silence::OwnerGone, &RouteRule::Repair));
    assert_eq!((life.lead(), life.phase()), ("desk-210212", PhaseName::Dispatched));
    let clock = life.clock(ClockKind::Resolve);
    assert_eq!((&clock.owner, clock.due), (&by("desk-210212"), due));
    assert_eq!(life.refuses(&contest("desk-210212", None)), Rejection::DispatchFinal);
    assert_eq!(life.then(sign("desk-210212")).tries(&resolve("desk-210212")), "AppealResolved");
}

#[test]
fn nobody_on_any_desk_falls_to_the_city() {
    let mut life = Life::submitted();
    let table = life.world.routing.as_mut().unwrap();
    table.units.iter_mut().for_each(|unit| unit.staffed = false);
    let life = life.then(Command::Repair);
    assert_eq!(life.clock(ClockKind::Accept).owner, by("desk-city"));
    let life = life.then(Command::Accept).then(Command::Dispatch { to: None });
    assert_eq!((life.lead(), life.case().guarantee), ("desk-city", Some(Trigger::NoOwner)));
    assert_eq!(life.tries(&Command::Repair), "nothing", "nothing is below the floor");
}

#[test]
fn a_unit_that_is_gone_is_mended_in_every_phase() {
    for life in [
        Life::dispatched(),
        Life::in_handling(),
        Life::in_handling().then(pause("power-supply")),
        Life::in_handling().then(ask_extension("power-supply", 2)),
        Life::contested(),
        Life::resolved(),
        Life::confirmed(),
        Life::guaranteed(),
    ] {
        let before = life.phase();
        for id in ["power-supply", "desk-210212", "justice"] {
            let mut life = life.clone();
            life.abolish(id, None);
            let told = life.causes(&Command::Repair);
            assert!(told.is_ok(), "{} without {id}", before.as_str());
            let owners = life.case().clocks.values().map(|clock| clock.owner.clone());
            assert!(!owners.collect::<Vec<_>>().contains(&by(id)), "{} {id}", before.as_str());
            assert_ne!(life.lead(), id);
        }
    }
}

#[test]
fn the_heir_of_a_task_can_answer_it() {
    let mut life = Life::guaranteed().then(convene("justice", &["tax"], 1));
    life = life.then(conclusion(&["tax"]));
    life.abolish("tax", Some("public-finance"));
    let life = life.then(Command::Repair);
    let (id, task) = life.case().tasks.first_key_value().unwrap();
    assert_eq!(task.unit, unit("public-finance"));
    let life = life.clone().then(answer("public-finance", id.0));
    assert_eq!(life.tries(&resolve("justice")), "AppealResolved", "no order is open for ever");
}

#[test]
fn a_gone_unit_is_mended_before_the_second_handling_is_late() {
    let mut life = Life::closed();
    life.abolish("power-supply", None);
    let life = life.then(reopen("cmVhc29u")).then(Command::Repair);
    assert_eq!(life.clock(ClockKind::Resolve).owner, by("desk-210212"));
}

#[test]
fn what_is_sound_or_over_is_left_alone() {
    for life in [Life::submitted(), Life::contested(), Life::guaranteed(), Life::closed()] {
        assert_eq!(life.tries(&Command::Repair), "nothing");
    }
}
