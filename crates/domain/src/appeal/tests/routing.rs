//! From unit to unit: dispatch, objection, ruling, and the bound of that.

use super::*;
use crate::routing::RouteRule;

#[test]
fn a_dispatch_says_which_rule_chose() {
    let chosen = |life: Life| match life.last() {
        Event::AppealDispatched { route, routing_version: 5, .. } => route.clone(),
        other => panic!("{other:?}"),
    };
    let route = chosen(Life::dispatched());
    assert_eq!((route.rule, route.co_units), (RouteRule::Topic(topic("T06")), vec![]));
    let route = chosen(Life::accepted().then(dispatch("tax")));
    assert_eq!((route.unit, route.rule), (unit("tax"), RouteRule::Dispatcher));
    let shared = Submission { topic: topic("T05"), ..submission() };
    let route = chosen(Life::of(shared).then(Command::Accept).then(Command::Dispatch { to: None }));
    assert_eq!(route.co_units, ["tax", "housing-construction", "data"].map(unit));
}

#[test]
fn a_unit_that_does_not_exist_is_told() {
    let nobody = || Rejection::UnitUnknown(unit("nobody"));
    assert_eq!(Life::accepted().refuses(&dispatch("nobody")), nobody());
    assert_eq!(Life::contested().refuses(&dispatch("nobody")), nobody());
    assert_eq!(Life::contested().refuses(&rule(Some("nobody"))), nobody());
    let proposed = contest("power-supply", Some("nobody"));
    assert_eq!(Life::dispatched().refuses(&proposed), nobody());
}

#[test]
fn an_abolished_unit_is_passed_over_for_its_successor() {
    let mut life = Life::accepted();
    life.abolish("power-supply", Some("gas"));
    let sent = life.clone().then(Command::Dispatch { to: None });
    assert_eq!(sent.lead(), "gas");
    let by_hand = life.then(dispatch("power-supply"));
    let route = by_hand.case().phase.route().unwrap();
    assert_eq!((by_hand.lead(), &route.instead_of), ("gas", &Some(unit("power-supply"))));
    let ruled = by_hand.then(contest("gas", None));
    assert_eq!(ruled.tries(&rule(Some("power-supply"))), "DispatchRuled", "that is gas itself");
    let life = Life::contested();
    let mut life = life;
    life.abolish("water-supply", Some("water-affairs"));
    assert_eq!(life.then(rule(Some("water-supply"))).lead(), "water-affairs");
}

#[test]
fn the_case_goes_to_the_proposed_unit_with_a_clock_of_its_own() {
    let life = Life::contested().at("2025-04-28T09:00+08:00").then(Command::Dispatch { to: None });
    assert_eq!((life.lead(), life.case().bounces), ("tax", 1));
    assert_eq!(life.clock(ClockKind::Resolve).start, life.now);
    assert_eq!(life.kinds(), [ClockKind::Contact, ClockKind::Resolve]);
    assert!(!life.case().phase.assignment().unwrap().is_final, "it may object in turn");
}

#[test]
fn an_objection_names_somebody_or_the_desk_must() {
    let life = Life::dispatched().then(contest("power-supply", None));
    assert_eq!(life.refuses(&Command::Dispatch { to: None }), Rejection::ProposalMissing);
    let back = Rejection::ObjectorAgain(unit("power-supply"));
    assert_eq!(life.refuses(&dispatch("power-supply")), back);
    assert_eq!(life.then(dispatch("gas")).lead(), "gas");
}

#[test]
fn an_objection_has_its_time_and_the_clock_runs_on() {
    let life = Life::dispatched();
    let in_time = life.clone().at("2025-04-27T17:00+08:00");
    let contested = in_time.then(contest("power-supply", Some("tax")));
    assert_eq!(contested.clock(ClockKind::Resolve).due, moment("2025-05-06T17:00+08:00"));
    let until = moment("2025-04-27T17:00+08:00");
    for life in [life.clone(), life.then(sign("power-supply"))] {
        let late = life.at("2025-04-27T17:00:01+08:00");
        let refused = late.refuses(&contest("power-supply", Some("tax")));
        assert_eq!(refused, Rejection::ContestTooLate(until), "signing gives no new time");
    }
}

#[test]
fn after_signing_it_may_still_object_in_time_and_has_signed_when_it_was_wrong() {
    let life = Life::in_handling().then(contest("power-supply", Some("tax")));
    assert_eq!(life.clone().then(rule(None)).phase(), PhaseName::InHandling);
    assert_eq!(Life::contested().then(rule(None)).phase(), PhaseName::Dispatched);
    assert_eq!(life.then(rule(Some("tax"))).phase(), PhaseName::Dispatched);
}

#[test]
fn no_return_after_ruling() {
    for (ruling, lead) in [(rule(None), "power-supply"), (rule(Some("tax")), "tax")] {
        let life = Life::contested().then(ruling);
        assert_eq!(life.lead(), lead);
        assert_eq!(life.refuses(&contest(lead, Some("gas"))), Rejection::DispatchFinal);
        let signed = life.then(sign(lead));
        assert_eq!(signed.refuses(&contest(lead, None)), Rejection::DispatchFinal);
        assert_eq!(signed.tries(&dispatch("gas")), "needs accepted or contested");
        assert_eq!(signed.tries(&rule(Some("gas"))), "needs contested");
    }
}

#[test]
fn neither_merging_nor_resolving_opens_a_way_back_after_the_ruling() {
    let ruled = Life::contested().then(rule(Some("tax"))).then(sign("tax"));
    let undone = ruled.clone().then(Command::Merge { into: appeal(2) }).then(Command::UndoMerge);
    assert_eq!(undone.refuses(&contest("tax", None)), Rejection::DispatchFinal);
    let again = ruled.then(resolve("tax")).then(object("cmVhc29u"));
    assert_eq!(again.refuses(&contest("tax", None)), Rejection::DispatchFinal);
}

#[test]
fn bounce_budget() {
    let mut life = Life::dispatched();
    for (from, to) in [("power-supply", "tax"), ("tax", "gas")] {
        life = life.then(contest(from, Some(to))).then(Command::Dispatch { to: None });
    }
    assert_eq!(life.case().bounces, 2);
    let told = life.causes(&contest("gas", Some("justice")));
    assert_eq!(told, Ok("DispatchContested + GuaranteeTaken".to_owned()));
    assert_eq!(life.case().guarantee, Some(Trigger::BouncesSpent));
    assert_eq!((life.lead(), life.case().bounces), ("justice", 2));
    // Only whoever brought it about hears that it is so already.
    assert!(matches!(life.refuses(&contest("tax", None)), Rejection::OtherUnit { .. }));
    assert_eq!(life.refuses(&contest("justice", None)), Rejection::Guaranteed);
}

#[test]
fn the_last_bounce_waits_until_somebody_guarantees() {
    let mut life = Life::dispatched();
    for (from, to) in [("power-supply", "tax"), ("tax", "gas")] {
        life = life.then(contest(from, Some(to))).then(Command::Dispatch { to: None });
    }
    let routing = life.world.routing.take();
    assert_eq!(life.refuses(&contest("gas", None)), Rejection::RoutingUnpublished);
    life.world.routing = routing;
    assert_eq!(life.then(contest("gas", None)).case().guarantee, Some(Trigger::BouncesSpent));
}

#[test]
fn a_mediation_goes_with_the_case() {
    let life = Life::of(of_type("tax-dispute")).then(Command::Accept);
    let life = life.then(Command::Dispatch { to: None }).then(Command::OpenMediation);
    let due = life.clock(ClockKind::Mediation).due;
    let life = life.then(contest("tax", Some("gas"))).then(Command::Dispatch { to: None });
    let mediation = life.clock(ClockKind::Mediation);
    assert_eq!((&mediation.owner, mediation.due), (&by("gas"), due));
}

#[test]
fn contact_is_owed_anew_by_each_unit() {
    let life = Life::dispatched().then(contact("power-supply"));
    assert_eq!(life.kinds(), [ClockKind::Resolve]);
    let life = life.then(contest("power-supply", Some("tax"))).then(Command::Dispatch { to: None });
    assert_eq!(life.clock(ClockKind::Contact).owner, by("tax"));
    assert_eq!(life.tries(&contact("tax")), "EnterpriseContacted");
}
