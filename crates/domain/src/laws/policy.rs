//! The life of policy documents under random commands.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;
use crate::{
    Context, Decider,
    calendar::Calendar,
    kit::{moment, when},
    policy::{Command, Document, Event, Policy, Status},
};

/// Four documents, the last of them unsound.
fn document(n: i16) -> Document {
    let years = if n == 3 { vec![] } else { vec![2024 + n] };
    Document::Calendar(Calendar { years, exceptions: vec![] })
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (0..4_i16).prop_map(|n| Command::Draft(document(n))),
        3 => (0..7_u32).prop_map(|version| Command::Publish { version }),
        1 => (0..7_u32).prop_map(|version| Command::Retire { version }),
    ]
}

fn allowed(from: Option<Status>, to: Status) -> bool {
    use Status::{Draft, Published, Retired};
    matches!(
        (from, to),
        (None | Some(Draft), Draft)
            | (Some(Draft | Published), Published)
            | (Some(Draft | Published | Retired), Retired)
    )
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn at_most_one_version_is_in_force_and_none_ever_changes(
        commands in vec(any_command(), 1..40),
    ) {
        let context = Context::at(moment("2025-03-03T09:00+08:00"));
        let mut state = Policy::default();
        let mut drafted = BTreeMap::new();
        for command in commands {
            let before = state.statuses.clone();
            for event in when(&state, &context, &command).unwrap_or_default() {
                if let Event::PolicyDrafted { version, document } = &event {
                    prop_assert_eq!(drafted.insert(*version, document.clone()), None);
                }
                state = state.evolve(&event);
            }
            let statuses = state.statuses.values();
            let in_force = statuses.filter(|status| **status == Status::Published).count();
            prop_assert!(in_force <= 1);
            prop_assert_eq!(in_force == 1, state.published().is_some());
            let count = u32::try_from(drafted.len()).unwrap();
            prop_assert!(state.statuses.keys().copied().eq(1..=count), "versions have no gap");
            for (version, status) in &state.statuses {
                prop_assert!(allowed(before.get(version).copied(), *status));
                let kept = state.document(*version);
                prop_assert_eq!(kept, drafted.get(version).filter(|_| *status != Status::Retired));
            }
        }
    }

    #[test]
    fn publishing_always_leaves_that_version_in_force(
        first in select(vec![0_i16, 1, 2]), commands in vec(any_command(), 0..20),
    ) {
        let context = Context::at(moment("2025-03-03T09:00+08:00"));
        let run = |state: Policy, command: &Command| {
            let events = when(&state, &context, command).unwrap_or_default();
            events.iter().fold(state, Policy::evolve)
        };
        let state = run(Policy::default(), &Command::Draft(document(first)));
        let state = commands.iter().fold(state, run);
        for version in state.statuses.keys() {
            let publish = Command::Publish { version: *version };
            if when(&state, &context, &publish).is_ok() {
                let after = run(state.clone(), &publish);
                prop_assert_eq!(after.published().map(|(version, _)| version), Some(*version));
            }
        }
    }
}
