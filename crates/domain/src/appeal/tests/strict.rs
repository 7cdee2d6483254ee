//! What is strictly confidential is the city desk's, never the desk's of its area.

use super::*;
use crate::routing::RouteRule;

fn strict() -> Submission {
    Submission { confidentiality: Confidentiality::Strict, ..submission() }
}

/// The owner of each clock that was started since.
fn owners(life: &Life) -> Vec<(ClockKind, Owner)> {
    let started = life.log.iter().filter_map(Event::clocks).flat_map(|clocks| &clocks.set);
    started.map(|clock| (clock.kind, clock.owner.clone())).collect()
}

/// Accepted, dispatched, objected to, ruled on, extended, resolved, confirmed and closed.
fn whole_life(submission: Submission) -> Life {
    Life::of(submission)
        .then(Command::Accept)
        .then(Command::Dispatch { to: None })
        .then(contest("power-supply", None))
        .then(rule(None))
        .then(sign("power-supply"))
        .then(ask_extension("power-supply", 2))
        .then(resolve("power-supply"))
        .then(callback(true, Some(true)))
        .then(Command::Confirm)
        .then(Command::Close)
}

#[test]
fn the_desk_that_owes_a_strict_case_is_the_citys() {
    let owed_by_a_desk = [
        ClockKind::Accept,
        ClockKind::Dispatch,
        ClockKind::Ruling,
        ClockKind::Extension,
        ClockKind::Feedback,
        ClockKind::Close,
    ];
    let confidential =
        Submission { confidentiality: Confidentiality::Confidential, ..submission() };
    for (submission, desk) in
        [(strict(), "desk-city"), (confidential, "desk-210212"), (submission(), "desk-210212")]
    {
        let owners = owners(&whole_life(submission));
        for kind in owed_by_a_desk {
            let mut found = owners.iter().filter(|(owed, _)| *owed == kind).peekable();
            assert!(found.peek().is_some(), "{kind:?}");
            assert!(found.all(|(_, owner)| *owner == by(desk)), "{kind:?}: {owners:?}");
        }
    }
}

#[test]
fn without_a_routing_table_it_is_the_city_desk_that_nobody_names() {
    let absent = Life { world: World::default(), ..Life::absent() };
    let life = absent.then(Command::Submit(strict()));
    assert_eq!(life.clock(ClockKind::Accept).owner, Owner::CityDesk);
}

#[test]
fn a_unit_that_is_gone_leaves_a_strict_case_to_the_city() {
    let mut life = Life::of(strict()).then(Command::Accept).then(Command::Dispatch { to: None });
    life.abolish("power-supply", None);
    let life = life.then(Command::Repair);
    assert_eq!(
        (life.lead(), owners(&life).last().unwrap()),
        ("desk-city", &(ClockKind::Resolve, by("desk-city")))
    );
}

#[test]
fn rules_pass_the_areas_desk_over_and_a_person_may_choose_it() {
    let unled = Submission { topic: topic("X99"), ..strict() };
    let life = Life::of(unled).then(Command::Accept);
    let by_rule = life.clone().then(Command::Dispatch { to: None });
    assert_eq!((by_rule.lead(), by_rule.case().guarantee), ("justice", Some(Trigger::NoOwner)));
    let by_hand = life.then(dispatch("desk-210212"));
    assert_eq!(by_hand.lead(), "desk-210212");
    let led = Life::of(strict()).then(Command::Accept).then(Command::Dispatch { to: None });
    let rule = &led.case().phase.route().unwrap().rule;
    assert_eq!(rule, &RouteRule::Topic(topic("T06")), "a lead unit is a lead unit");
}
