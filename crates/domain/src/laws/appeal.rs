//! The life of an appeal under random commands.

use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;
use crate::{
    Decider, TopicId, UnitId,
    appeal::{Appeal, Channel, Command, Outcome, Submission},
    kit::{World, area, plan_of_the_city, published_calendar, sealed, unit, when},
};

/// The only moves there are; none leads back to acceptance.
const EDGES: [(&str, &str); 9] = [
    ("absent", "submitted"),
    ("submitted", "accepted"),
    ("accepted", "dispatched"),
    ("dispatched", "in handling"),
    ("in handling", "resolved"),
    ("resolved", "in handling"),
    ("resolved", "confirmed"),
    ("confirmed", "closed"),
    ("closed", "closed"),
];

fn any_unit() -> impl Strategy<Value = UnitId> {
    prop_oneof![6 => Just("power-supply"), 1 => Just("tax"), 1 => Just("nobody")].prop_map(unit)
}

fn any_command() -> impl Strategy<Value = Command> {
    let channel = prop_oneof![9 => Just(Channel::Web), 1 => Just(Channel::App)];
    let text = || select(vec!["YQ==", "Yg=="]).prop_map(sealed);
    let outcome = || select(vec![Outcome::Solved, Outcome::Explained]);
    let submission = |channel| Submission {
        channel,
        topic: TopicId::parse("T06").unwrap(),
        area: area("210212"),
        description: sealed("ZGVzY3JpcHRpb24="),
        contact: None,
        about_visit: None,
    };
    prop_oneof![
        4 => channel.prop_map(move |channel| Command::Submit(submission(channel))),
        4 => Just(Command::Accept),
        4 => proptest::option::weighted(0.2, any_unit()).prop_map(|to| Command::Dispatch { to }),
        4 => any_unit().prop_map(|unit| Command::SignFor { unit }),
        6 => (any_unit(), outcome(), text())
            .prop_map(|(unit, outcome, reply)| Command::Resolve { unit, outcome, reply }),
        2 => Just(Command::Confirm),
        2 => text().prop_map(|reason| Command::Object { reason }),
        2 => Just(Command::Close),
        1 => Just(Command::ErasePersonalData { subject: "appeal:1".to_owned() }),
    ]
}

fn phase(state: &Appeal) -> &'static str {
    state.known().map_or("absent", |case| case.phase.name())
}

/// Whether an agency has the word, so that a due date must stand.
fn waits_for_an_agency(phase: &str) -> bool {
    matches!(phase, "submitted" | "accepted" | "dispatched" | "in handling")
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn phases_move_along_their_edges_and_no_open_appeal_is_without_a_due_date(
        commands in vec(any_command(), 1..60),
    ) {
        let world = World {
            routing: Some(plan_of_the_city()),
            calendar: Some(published_calendar()),
            ..World::default()
        };
        let context = world.at("2025-04-25T09:00+08:00");
        let mut state = Appeal::default();
        let mut owner = None;
        let mut erased = false;
        for command in commands {
            let before = phase(&state);
            let events = when(&state, &context, &command).unwrap_or_default();
            prop_assert!(events.len() <= 1);
            for event in &events {
                state = state.evolve(event);
            }
            let after = phase(&state);
            let cut_short = erased && after == "closed";
            let edge = before == after || EDGES.contains(&(before, after));
            prop_assert!(edge || cut_short, "{before} {after}");
            let Some(case) = state.known() else {
                continue;
            };
            prop_assert_eq!(case.due.is_some(), waits_for_an_agency(after), "{}", after);
            let leads = case.phase.route().map(|route| route.unit.clone());
            prop_assert!(owner.is_none() || owner == leads, "the lead never changes unseen");
            let undispatched = matches!(after, "submitted" | "accepted");
            prop_assert!(leads.is_some() != undispatched || case.erased && after == "closed");
            owner = leads;
            let moved = before != after;
            let adds = moved && (after == "resolved" || before == "resolved" && after == "in handling");
            prop_assert!(!(erased && adds), "nothing new is sealed after erasure");
            erased = case.erased;
        }
    }
}
