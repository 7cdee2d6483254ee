//! The guarantee (兜底): what brings it in, and that nobody gets out of it.

use super::*;
use crate::{cases::Escalation, routing::RouteRule};

#[test]
fn no_owner_brings_it_in() {
    let nowhere = Submission { topic: topic("X99"), area: area("999999"), ..submission() };
    let mut life = Life::of(nowhere).then(Command::Accept);
    assert_eq!(life.causes(&Command::Dispatch { to: None }), Ok("GuaranteeTaken".to_owned()));
    assert_eq!(life.case().guarantee, Some(Trigger::NoOwner));
    let route = life.case().phase.route().unwrap();
    assert_eq!((life.lead(), &route.rule), ("justice", &RouteRule::Guarantee));
    assert_eq!(life.kinds(), [ClockKind::Contact, ClockKind::Resolve]);
}

#[test]
fn red_brings_it_in_wherever_the_case_is() {
    for (life, red) in [
        (Life::submitted(), "2025-04-27T17:00+08:00"),
        (Life::accepted(), "2025-04-27T17:00+08:00"),
        (Life::dispatched(), "2025-05-06T17:00+08:00"),
        (Life::in_handling(), "2025-05-06T17:00+08:00"),
        (Life::contested(), "2025-04-27T17:00+08:00"),
    ] {
        let before = life.phase();
        let life = life.wait(red);
        assert_eq!(life.case().guarantee, Some(Trigger::Overdue), "{}", before.as_str());
        assert_eq!((life.lead(), life.phase()), ("justice", PhaseName::InHandling));
        assert_eq!(life.case().due().unwrap().start, life.now);
    }
}

#[test]
fn unsatisfied_twice() {
    let life = Life::resolved().then(object("b25l"));
    assert_eq!((life.case().guarantee, life.lead()), (None, "power-supply"));
    let mut life = life.then(resolve("power-supply"));
    let told = life.causes(&object("dHdv"));
    assert_eq!(told, Ok("ResolutionObjected + GuaranteeTaken".to_owned()));
    assert_eq!(life.case().guarantee, Some(Trigger::Dissatisfied));
    // A reopening counts like an objection.
    let life = Life::closed().then(reopen("b25l")).then(resolve("power-supply"));
    assert_eq!(life.then(object("dHdv")).case().guarantee, Some(Trigger::Dissatisfied));
    let life = Life::resolved().then(object("b25l")).then(resolve("power-supply"));
    let life = life.then(Command::Confirm).then(Command::Close).then(reopen("dHdv"));
    assert_eq!((life.lead(), life.case().guarantee), ("justice", Some(Trigger::Dissatisfied)));
}

#[test]
fn guarantee_cannot_return() {
    let life = Life::guaranteed();
    for command in [contest("justice", Some("tax")), contest("justice", None)] {
        assert_eq!(life.refuses(&command), Rejection::Guaranteed);
    }
    assert_eq!(life.refuses(&Command::Merge { into: appeal(2) }), Rejection::Guaranteed);
    assert_eq!(life.tries(&dispatch("tax")), "needs accepted or contested");
    assert_eq!(life.tries(&rule(Some("tax"))), "needs contested");
    let again = life.then(resolve("justice")).then(object("cmVhc29u"));
    assert_eq!(again.lead(), "justice", "it stays there after an objection too");
}

#[test]
fn what_was_overdue_keeps_climbing_until_the_matter_is_resolved() {
    let life = Life::guaranteed();
    let late =
        |clock: &&Clock| clock.kind == ClockKind::Resolve && clock.owner == by("power-supply");
    let late = life.case().clocks.values().find(late).unwrap();
    assert_eq!(late.due, moment("2025-05-06T17:00+08:00"));
    let life = life.wait("2025-05-08T17:00+08:00");
    assert!(life.steps().contains(&Step::Escalate(Escalation::Supervise)));
    let done = life.then(resolve("justice"));
    assert_eq!(done.kinds(), [ClockKind::Feedback], "nothing climbs for what is resolved");
    let over = done.then(Command::Confirm).then(Command::Close).wake("2026-05-08T17:00+08:00");
    assert!(matches!(over.last(), Event::AppealClosed { .. }), "nothing fires after the close");
}

#[test]
fn the_ladder_ends_in_no_silence_even_when_the_late_clock_is_spent() {
    let life = Life::guaranteed().wait("2025-06-30T17:00+08:00");
    let late = |clock: &&Clock| clock.owner == by("power-supply");
    assert_eq!(life.case().clocks.values().find(late).unwrap().next(), None);
    assert!(life.case().due().unwrap().next().is_some());
}

#[test]
fn red_while_no_routing_is_published_is_made_up_for() {
    let mut life = Life::in_handling();
    let routing = life.world.routing.take();
    let mut life = life.wait("2025-05-06T17:00+08:00");
    assert_eq!((life.case().guarantee, life.phase()), (None, PhaseName::InHandling));
    life.world.routing = routing;
    let life = life.wait("2025-05-08T17:00+08:00");
    assert_eq!(life.case().guarantee, Some(Trigger::Overdue), "at the next rung");
}

#[test]
fn however_long_no_routing_is_published_somebody_is_reminded() {
    let mut life = Life::submitted();
    let routing = life.world.routing.take();
    let mut life = life.wait("2025-12-01T09:00+08:00");
    assert!(life.case().due().unwrap().next().is_some());
    life.world.routing = routing;
    assert_eq!(life.wait("2025-12-31T09:00+08:00").case().guarantee, Some(Trigger::Overdue));
}

#[test]
fn an_objection_that_was_wrong_comes_back_to_a_running_clock_however_late_it_is_ruled_on() {
    let mut life = Life::contested();
    let routing = life.world.routing.take();
    let mut life = life.wait("2025-12-01T09:00+08:00");
    life.world.routing = routing;
    let life = life.then(rule(None));
    assert_eq!((life.phase(), life.lead()), (PhaseName::Dispatched, "power-supply"));
    assert_eq!(life.wait("2025-12-31T09:00+08:00").case().guarantee, Some(Trigger::Overdue));
}

#[test]
fn without_a_guarantee_unit_that_can_be_reached_it_is_the_city_desk() {
    let mut life = Life::in_handling();
    life.abolish("justice", None);
    let life = life.wait("2025-05-06T17:00+08:00");
    assert_eq!((life.lead(), life.case().guarantee), ("desk-city", Some(Trigger::Overdue)));
    // A guarantee unit that goes later hands on to the next in the chain, not to the district.
    let mut life = Life::guaranteed();
    life.abolish("justice", None);
    let life = life.then(Command::Repair);
    assert_eq!(life.lead(), "desk-city");
    assert_eq!(life.refuses(&contest("desk-city", None)), Rejection::Guaranteed);
}

#[test]
fn the_guarantee_unit_itself_may_be_late() {
    let life = Life::guaranteed().wait("2025-05-13T17:00+08:00");
    assert_eq!(life.case().due().unwrap().level(), Some(Step::Red));
    assert_eq!(life.lead(), "justice");
    let taken = life.log.iter().filter(|event| matches!(event, Event::GuaranteeTaken { .. }));
    assert_eq!(taken.count(), 1);
}
