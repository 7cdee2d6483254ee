//! Each command on an appeal in each phase, who may give it, and when each step is due.

use uuid::Uuid;

use super::*;
use crate::kit::{
    World, accepted, area, day, given, names, plan_of_the_city, published_calendar, sealed, unit,
    when,
};

/// A Friday before a make-up Sunday and the holiday of 1 to 5 May.
const FRIDAY: &str = "2025-04-25T09:00+08:00";

fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

/// A power connection that takes too long, in 旅顺口区.
fn submission() -> Submission {
    Submission {
        channel: Channel::Hotline12345,
        topic: topic("T06"),
        area: area("210212"),
        description: sealed("ZGVzY3JpcHRpb24="),
        contact: Some(sealed("Y29udGFjdA==")),
        about_visit: Some(VisitId(Uuid::from_u128(1))),
    }
}

fn world() -> World {
    World {
        routing: Some(plan_of_the_city()),
        calendar: Some(published_calendar()),
        ..World::default()
    }
}

fn due(on: &str, working_days: u16) -> DueDate {
    DueDate {
        on: day(on),
        start: day("2025-04-25"),
        working_days,
        calendar_version: 7,
        provisional: false,
    }
}

fn route() -> Route {
    Route { unit: unit("power-supply"), co_units: vec![], rule: RouteRule::Topic(topic("T06")) }
}

fn resolved() -> Event {
    Event::AppealResolved { outcome: Outcome::Solved, reply: sealed("cmVwbHk=") }
}

fn objected() -> Event {
    Event::ResolutionObjected { reason: sealed("cmVhc29u"), due: due("2025-05-06", 5) }
}

fn in_phase(phase: &str) -> Appeal {
    let life = [
        Event::AppealSubmitted { submission: submission(), due: Some(due("2025-04-27", 1)) },
        Event::AppealAccepted { due: Some(due("2025-04-27", 1)) },
        Event::AppealDispatched { route: route(), routing_version: 5, due: due("2025-05-06", 5) },
        Event::AppealSignedFor { unit: unit("power-supply") },
        resolved(),
        Event::ResolutionConfirmed {},
        Event::AppealClosed {},
    ];
    let events = match phase {
        "submitted" => &life[..1],
        "accepted" => &life[..2],
        "dispatched" => &life[..3],
        "in handling" => &life[..4],
        "resolved" => &life[..5],
        "confirmed" => &life[..6],
        "closed" => &life[..],
        "objected" => &[&life[..5], &[objected()]].concat(),
        other => panic!("no phase {other}"),
    };
    let state: Appeal = given(events);
    let name = state.known().unwrap().phase.name();
    assert_eq!(name, if phase == "objected" { "in handling" } else { phase });
    state
}

fn resolve(by: &str) -> Command {
    let (unit, reply) = (unit(by), sealed("cmVwbHk="));
    Command::Resolve { unit, outcome: Outcome::Solved, reply }
}

fn object() -> Command {
    Command::Object { reason: sealed("cmVhc29u") }
}

fn erase() -> Command {
    Command::ErasePersonalData { subject: "appeal:1".to_owned() }
}

fn commands() -> [(&'static str, Command); 9] {
    [
        ("submit", Command::Submit(submission())),
        ("accept", Command::Accept),
        ("dispatch", Command::Dispatch { to: None }),
        ("sign", Command::SignFor { unit: unit("power-supply") }),
        ("resolve", resolve("power-supply")),
        ("confirm", Command::Confirm),
        ("object", object()),
        ("close", Command::Close),
        ("erase", erase()),
    ]
}

fn told(outcome: Result<Vec<Event>, Rejection>) -> String {
    match outcome {
        Ok(events) => names(&events),
        Err(Rejection::WrongPhase { wanted, .. }) => format!("needs {wanted}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn each_command_in_each_phase() {
    let (nothing, erased) = ("nothing", "PersonalDataErased");
    let (taken, sent) = ("needs accepted", "needs dispatched");
    let (handled, done) = ("needs in handling", "needs resolved");
    let agreed = "needs confirmed";
    let (yes, no) = ("ResolutionConfirmed", "ResolutionObjected");
    #[rustfmt::skip]
    let table = [
        //                submit   accept            dispatch            sign               resolve           confirm  object   close           erase
        ("submitted",   [nothing, "AppealAccepted", taken,              sent,              handled,          done,    done,    agreed,         erased]),
        ("accepted",    [nothing, nothing,          "AppealDispatched", sent,              handled,          done,    done,    agreed,         erased]),
        ("dispatched",  [nothing, nothing,          nothing,            "AppealSignedFor", handled,          done,    done,    agreed,         erased]),
        ("in handling", [nothing, nothing,          taken,              nothing,           "AppealResolved", done,    done,    agreed,         erased]),
        ("resolved",    [nothing, nothing,          taken,              sent,              nothing,          yes,     no,      agreed,         erased]),
        ("objected",    [nothing, nothing,          taken,              nothing,           "AppealResolved", done,    nothing, agreed,         erased]),
        ("confirmed",   [nothing, nothing,          taken,              sent,              handled,          nothing, done,    "AppealClosed", erased]),
        ("closed",      [nothing, nothing,          taken,              sent,              handled,          nothing, done,    nothing,        erased]),
    ];
    let world = world();
    for (phase, expected) in table {
        let state = in_phase(phase);
        for ((command, asked), expected) in commands().into_iter().zip(expected) {
            let found = told(when(&state, &world.at(FRIDAY), &asked));
            assert_eq!(found, expected, "{command} when {phase}");
        }
    }
}

#[test]
fn each_event_leads_to_its_phase() {
    let world = world();
    let context = world.at(FRIDAY);
    let mut state = Appeal::default();
    for (command, phase, due_on) in [
        (Command::Submit(submission()), "submitted", Some("2025-04-27")),
        (Command::Accept, "accepted", Some("2025-04-27")),
        (Command::Dispatch { to: None }, "dispatched", Some("2025-05-06")),
        (Command::SignFor { unit: unit("power-supply") }, "in handling", Some("2025-05-06")),
        (resolve("power-supply"), "resolved", None),
        (object(), "in handling", Some("2025-05-06")),
        (resolve("power-supply"), "resolved", None),
        (Command::Confirm, "confirmed", None),
        (Command::Close, "closed", None),
    ] {
        state = accepted(state, &context, &command);
        let case = state.known().unwrap();
        let due = case.due.as_ref().map(|due| due.on);
        assert_eq!((case.phase.name(), due), (phase, due_on.map(day)));
    }
    let case = state.known().unwrap();
    assert_eq!((case.objections, case.phase.route()), (1, Some(&route())));
}

#[test]
fn an_unknown_appeal_is_told() {
    for (label, command) in commands() {
        if !matches!(command, Command::Submit(_)) {
            let found = when(&Appeal::default(), &world().at(FRIDAY), &command);
            assert_eq!(found, Err(Rejection::AppealUnknown), "{label}");
        }
    }
}

#[test]
fn the_same_id_with_another_content_is_refused() {
    let other = Submission { channel: Channel::Web, ..submission() };
    for phase in ["submitted", "closed"] {
        let found = when(&in_phase(phase), &world().at(FRIDAY), &Command::Submit(other.clone()));
        assert_eq!(found, Err(Rejection::SubmittedDifferently), "{phase}");
    }
}

#[test]
fn only_the_leading_unit_signs_and_resolves() {
    let refused = Err(Rejection::OtherUnit { owner: unit("power-supply") });
    for (phase, command) in [
        ("dispatched", Command::SignFor { unit: unit("tax") }),
        ("in handling", Command::SignFor { unit: unit("tax") }),
        ("in handling", resolve("tax")),
        ("objected", resolve("tax")),
    ] {
        assert_eq!(when(&in_phase(phase), &world().at(FRIDAY), &command), refused, "{phase}");
    }
}

#[test]
fn another_result_after_the_first_is_refused() {
    let (unit, reply) = (unit("power-supply"), sealed("cmVwbHk="));
    let command = Command::Resolve { unit, outcome: Outcome::Unfounded, reply };
    let found = when(&in_phase("resolved"), &world().at(FRIDAY), &command);
    assert_eq!(told(found), "needs in handling");
}

#[test]
fn a_dispatch_says_which_rule_chose() {
    let by_hand = Route { unit: unit("tax"), co_units: vec![], rule: RouteRule::Dispatcher };
    for (to, route) in [(None, route()), (Some(unit("tax")), by_hand)] {
        let found = when(&in_phase("accepted"), &world().at(FRIDAY), &Command::Dispatch { to });
        let due = due("2025-05-06", 5);
        let expected = Event::AppealDispatched { route, routing_version: 5, due };
        assert_eq!(found, Ok(vec![expected]));
    }
}

#[test]
fn a_dispatch_needs_a_table_and_a_listed_unit() {
    let unpublished = World { routing: None, ..world() };
    for (world, to, expected) in [
        (&unpublished, None, Rejection::RoutingUnpublished),
        (&unpublished, Some(unit("tax")), Rejection::RoutingUnpublished),
        (&world(), Some(unit("fire-rescue")), Rejection::UnitUnknown(unit("fire-rescue"))),
    ] {
        let found = when(&in_phase("accepted"), &world.at(FRIDAY), &Command::Dispatch { to });
        assert_eq!(found, Err(expected));
    }
    let found = when(&in_phase("resolved"), &unpublished.at(FRIDAY), &object());
    assert_eq!(found, Err(Rejection::RoutingUnpublished));
}

#[test]
fn an_appeal_that_is_with_one_unit_is_not_sent_to_another() {
    let to = Some(unit("tax"));
    let found = when(&in_phase("dispatched"), &world().at(FRIDAY), &Command::Dispatch { to });
    assert_eq!(told(found), "needs accepted");
}

#[test]
fn a_due_date_names_the_calendar_that_it_was_derived_from() {
    let submit = Command::Submit(submission());
    let provisional = DueDate { calendar_version: 0, provisional: true, ..due("2025-04-28", 1) };
    let without_calendar = World { calendar: None, ..world() };
    let without_routing = World { routing: None, ..world() };
    for (world, expected) in [
        (world(), Some(due("2025-04-27", 1))),
        (without_calendar, Some(provisional)),
        (without_routing, None),
    ] {
        let found = when(&Appeal::default(), &world.at(FRIDAY), &submit);
        let expected = Event::AppealSubmitted { submission: submission(), due: expected };
        assert_eq!(found, Ok(vec![expected]));
    }
}

#[test]
fn after_erasure_nothing_personal_is_added_and_the_case_still_ends() {
    let world = world();
    let context = world.at(FRIDAY);
    for (phase, command) in [
        ("in handling", resolve("power-supply")),
        ("resolved", resolve("power-supply")),
        ("resolved", object()),
    ] {
        let state = accepted(in_phase(phase), &context, &erase());
        assert_eq!(when(&state, &context, &command), Err(Rejection::Erased), "{phase}");
    }
    let state = accepted(in_phase("resolved"), &context, &erase());
    let state = accepted(state, &context, &Command::Confirm);
    let state = accepted(state, &context, &Command::Close);
    assert_eq!(state.known().unwrap().phase.name(), "closed");
    assert!(state.known().unwrap().erased);
}

#[test]
fn events_before_the_submission_change_nothing() {
    let stray = [Event::AppealAccepted { due: None }, resolved(), Event::AppealClosed {}];
    assert_eq!(given::<Appeal>(&stray), Appeal::Absent);
}

#[test]
fn an_erased_appeal_can_be_closed_at_any_stage() {
    let world = world();
    for phase in ["submitted", "accepted", "dispatched", "in handling", "resolved", "objected"] {
        let state = accepted(in_phase(phase), &world.at(FRIDAY), &erase());
        let closed = accepted(state, &world.at(FRIDAY), &Command::Close);
        let case = closed.known().unwrap();
        assert_eq!((case.phase.name(), &case.due), ("closed", &None), "{phase}");
    }
}

#[test]
fn another_objection_before_the_next_reply_is_not_dropped_in_silence() {
    let other = Command::Object { reason: sealed("YW5vdGhlcg==") };
    let found = when(&in_phase("objected"), &world().at(FRIDAY), &other);
    assert_eq!(told(found), "needs resolved");
}
