//! A webhook's life, how far it got, what is set aside and sent again, and its secrets.

use super::*;
use crate::kit::{accepted, area, at, given, moment, name, names, when};

const MONDAY: &str = "2025-03-03T09:00+08:00";

fn place(position: u64) -> Place {
    Place { position, ordinal: 0 }
}

fn enterprise(n: usize) -> EnterpriseId {
    EnterpriseId::parse(&format!("L-{n}")).unwrap()
}

fn enterprises(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<EnterpriseId> {
    numbers.into_iter().map(enterprise).collect()
}

fn subscription() -> Subscription {
    Subscription {
        label: name("市大数据平台"),
        endpoint: Endpoint::parse("https://partner.example/events").unwrap(),
        kinds: [Kind::Visit, Kind::Appeal].into(),
        areas: [area("210212")].into(),
        after: place(10),
    }
}

fn registered() -> Webhook {
    given(&[Event::WebhookRegistered { subscription: subscription() }])
}

fn set_aside(n: usize, position: u64) -> Command {
    Command::SetAside { enterprise: enterprise(n), first: place(position), status: 400 }
}

fn withhold(n: usize, position: u64) -> Command {
    Command::Withhold { enterprise: enterprise(n), first: place(position) }
}

fn redrive(numbers: impl IntoIterator<Item = usize>) -> Command {
    Command::Redrive { enterprises: enterprises(numbers) }
}

fn finish(n: usize) -> Command {
    Command::FinishRedrive { enterprise: enterprise(n) }
}

fn after(state: Webhook, commands: impl IntoIterator<Item = Command>) -> Webhook {
    commands.into_iter().fold(state, |state, command| accepted(state, &at(MONDAY), &command))
}

#[track_caller]
fn tells(state: &Webhook, command: &Command) -> String {
    match when(state, &at(MONDAY), command) {
        Ok(events) => names(&events),
        Err(rejection) => rejection.to_string(),
    }
}

#[test]
fn its_life_is_to_be_registered_paused_resumed_and_retired() {
    let paused = after(registered(), [Command::Pause(PauseCause::Operator)]);
    let retired = after(registered(), [Command::Retire]);
    let states = [Webhook::Absent, registered(), paused, retired];
    let told = |command: Command| [0, 1, 2, 3].map(|at: usize| tells(&states[at], &command));
    let (unknown, gone) = ("there is no such webhook", "the webhook is retired");
    assert_eq!(
        told(Command::Register(subscription())),
        ["WebhookRegistered", "nothing", "nothing", "nothing"]
    );
    let pause = Command::Pause(PauseCause::Gone);
    assert_eq!(told(pause), [unknown, "WebhookPaused", "nothing", gone]);
    assert_eq!(told(Command::Resume), [unknown, "nothing", "WebhookResumed", gone]);
    assert_eq!(told(Command::Retire), [unknown, "WebhookRetired", "WebhookRetired", "nothing"]);
    let advance = Command::Advance { delivered: place(11) };
    assert_eq!(told(advance), [unknown, "DeliveryAdvanced", "DeliveryAdvanced", gone]);
    let stall = Command::Stall(Trouble::TimedOut);
    assert_eq!(told(stall), [unknown, "DeliveryStalled", "DeliveryStalled", gone]);
    assert_eq!(told(set_aside(1, 11)), [unknown, "EventSetAside", "EventSetAside", gone]);
    let rotate = Command::RotateSecret { generation: 2 };
    assert_eq!(told(rotate), [unknown, "SecretRotated", "SecretRotated", gone]);
}

#[test]
fn whoever_paused_it_first_is_remembered() {
    let pauses = [PauseCause::Gone, PauseCause::Operator].map(Command::Pause);
    let state = after(registered(), pauses);
    assert_eq!(state.known().unwrap().phase, Phase::Paused(PauseCause::Gone));
}

#[test]
fn another_content_under_its_id_is_refused_and_so_are_too_many_areas() {
    let areas = |count: usize| (0..count).map(|n| area(&n.to_string())).collect();
    let register =
        |count| Command::Register(Subscription { areas: areas(count), ..subscription() });
    let told = tells(&registered(), &register(0));
    assert_eq!(told, "the webhook is already registered with another content");
    assert_eq!(tells(&Webhook::Absent, &register(20)), "WebhookRegistered");
    let told = tells(&Webhook::Absent, &register(21));
    assert_eq!(told, "the webhook names 21 areas, at most 20 may be");
}

#[test]
fn how_far_it_got_begins_where_it_was_registered_and_never_goes_back() {
    let state = registered();
    assert_eq!(state.known().unwrap().delivered, place(10));
    for position in [0, 9, 10] {
        let advance = Command::Advance { delivered: place(position) };
        assert_eq!(tells(&state, &advance), "nothing");
    }
    let inside = Place { position: 10, ordinal: 1 };
    let state = after(state, [Command::Advance { delivered: inside }]);
    assert_eq!(state.known().unwrap().delivered, inside);
}

#[test]
fn what_went_wrong_first_is_told_until_something_gets_through() {
    let first = Command::Stall(Trouble::Answered(503));
    let state = after(registered(), [first, Command::Stall(Trouble::Unreachable)]);
    let since = moment(MONDAY);
    let stalled = Stalled { trouble: Trouble::Answered(503), since };
    assert_eq!(state.known().unwrap().stalled, Some(stalled));
    let state = after(state, [Command::Advance { delivered: place(11) }]);
    assert_eq!(state.known().unwrap().stalled, None);
}

#[test]
fn the_first_event_of_an_enterprise_that_is_set_aside_stays_the_first() {
    let state = after(registered(), [set_aside(1, 20), set_aside(1, 30), set_aside(2, 40)]);
    let known = state.known().unwrap();
    let aside = known.set_aside.get(&enterprise(1)).unwrap();
    assert_eq!((aside.first, aside.status, aside.redriving), (place(20), 400, false));
    assert_eq!(known.set_aside.len(), 2);
}

#[test]
fn what_is_sent_again_is_delivered_or_set_aside_anew() {
    let state = after(registered(), [set_aside(1, 20), set_aside(2, 21), redrive([1, 2])]);
    let none = "nothing of the enterprise L-3 is set aside";
    assert_eq!(tells(&state, &redrive([1, 3])), none);
    assert_eq!(tells(&state, &redrive([1, 2])), "nothing");
    assert_eq!(tells(&state, &finish(1)), "EventsRedriven");
    assert_eq!(tells(&state, &finish(3)), "nothing");
    // The receiver refuses the next one.
    let state = after(state, [finish(1), set_aside(2, 25)]);
    let known = state.known().unwrap();
    let left: Vec<_> = known.set_aside.iter().map(|(of, aside)| (of, aside.first)).collect();
    assert_eq!(left, [(&enterprise(2), place(25))]);
    let refused = "what is set aside of the enterprise L-2 was not ordered to be sent again";
    assert_eq!(tells(&state, &finish(2)), refused);
    assert_eq!(tells(&state, &redrive([2])), "RedriveOrdered");
}

#[test]
fn what_is_withheld_is_sent_without_an_order_and_may_be_withheld_again_further_on() {
    let state = after(registered(), [withhold(1, 20), set_aside(2, 21)]);
    let aside = &state.known().unwrap().set_aside[&enterprise(1)];
    assert_eq!((aside.first, aside.redriving, aside.withheld), (place(20), true, true));
    // Nothing changes for what waits: not by a later stream that is parked, and not by an order.
    for command in [withhold(1, 20), withhold(1, 15), withhold(2, 30), redrive([1])] {
        assert_eq!(tells(&state, &command), "nothing", "{command:?}");
    }
    let further = after(state.clone(), [withhold(1, 30)]);
    assert_eq!(further.known().unwrap().set_aside[&enterprise(1)].first, place(30));
    // What the receiver refuses meanwhile waits for an order like any other.
    let refused = after(state.clone(), [set_aside(1, 18)]);
    let aside = &refused.known().unwrap().set_aside[&enterprise(1)];
    assert_eq!((aside.first, aside.redriving, aside.withheld), (place(18), false, false));
    assert_eq!(tells(&refused, &withhold(1, 40)), "nothing");
    assert_eq!(tells(&state, &finish(1)), "EventsRedriven");
    assert_eq!(tells(&Webhook::Absent, &withhold(1, 20)), "there is no such webhook");
    let retired = after(registered(), [Command::Retire]);
    assert_eq!(tells(&retired, &withhold(1, 20)), "the webhook is retired");
}

#[test]
fn one_to_a_hundred_enterprises_are_sent_again_at_once() {
    let aside = (0..101).map(|n| set_aside(n, 20));
    let state = after(registered(), aside);
    let count = |found| format!("{found} enterprises are named, it must be 1 to 100 at once");
    assert_eq!(tells(&state, &redrive(0..100)), "RedriveOrdered");
    assert_eq!(tells(&state, &redrive(0..101)), count(101));
    assert_eq!(tells(&state, &redrive([])), count(0));
}

#[test]
fn no_more_than_ten_thousand_enterprises_are_set_aside() {
    let aside = |n| Event::EventSetAside {
        enterprise: enterprise(n),
        first: place(20),
        status: 400,
        at: moment(MONDAY),
    };
    let register = Event::WebhookRegistered { subscription: subscription() };
    let events: Vec<Event> =
        std::iter::once(register).chain((0..SET_ASIDE_MAX).map(aside)).collect();
    let state: Webhook = given(&events);
    let told = tells(&state, &set_aside(SET_ASIDE_MAX, 30));
    assert_eq!(told, "10000 enterprises are set aside already");
    assert_eq!(tells(&state, &withhold(SET_ASIDE_MAX, 30)), told);
    assert_eq!(tells(&state, &set_aside(0, 30)), "nothing");
    let state = after(state, [redrive([0]), finish(0)]);
    assert_eq!(tells(&state, &set_aside(SET_ASIDE_MAX, 30)), "EventSetAside");
}

#[test]
fn a_secret_is_followed_by_the_next_one_alone() {
    let rotate = |generation| Command::RotateSecret { generation };
    let other = |present| {
        format!("the secret is of generation {present}, only the next one can be asked for")
    };
    for generation in [0, 1, 3] {
        assert_eq!(tells(&registered(), &rotate(generation)), other(1));
    }
    let state = after(registered(), [rotate(2)]);
    let known = state.known().unwrap();
    assert_eq!((known.generation, known.rotated_at), (2, Some(moment(MONDAY))));
    assert_eq!(tells(&state, &rotate(2)), "nothing");
    assert_eq!(tells(&state, &rotate(3)), "SecretRotated");
}

#[test]
fn a_retired_one_waits_for_nothing() {
    let stall = Command::Stall(Trouble::Forbidden);
    let state = after(registered(), [set_aside(1, 20), stall, Command::Retire]);
    let known = state.known().unwrap();
    assert_eq!((known.phase, known.stalled), (Phase::Retired, None));
    assert!(known.set_aside.is_empty());
}
