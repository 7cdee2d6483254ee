//! The life of policy documents under random commands.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use super::cases;
use crate::{
    AreaCode, Decider, DiagnosisId, TopicId,
    kit::{at, name, unit, when},
    policy::{Command, Document, Event, Policy, Status},
    routing::{RoutingTable, StandingRule, Unit, UnitStatus},
};

/// Four documents, the last of them unsound.
fn document(n: usize) -> Document {
    let unit = |id: &str| Unit {
        id: unit(id),
        name: name(id),
        status: UnitStatus::Active,
        successor: None,
        staffed: true,
    };
    let listed = if n == 3 { 0..0 } else { 0..n + 1 };
    let units: Vec<Unit> = listed.map(|n| unit(&format!("unit-{n}"))).collect();
    Document::Routing(RoutingTable {
        units,
        areas: vec![],
        topics: vec![],
        city_desk: crate::kit::unit("unit-0"),
        guarantee: None,
        standing: vec![],
    })
}

/// A rule that some of the documents can adopt.
fn any_standing_rule() -> impl Strategy<Value = StandingRule> {
    let place = select(vec![None, Some("210202"), Some("210212")]);
    (1..3_u8, place, 0..4_u8, 1..9_u128).prop_map(|(topic, place, leads, diagnosis)| StandingRule {
        topic: TopicId::parse(&format!("T{topic}")).unwrap(),
        area: place.map(|code| AreaCode::parse(code).unwrap()),
        unit: unit(&format!("unit-{leads}")),
        diagnosis: DiagnosisId(Uuid::from_u128(diagnosis)),
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (0..4_usize).prop_map(|n| Command::Draft(document(n))),
        3 => (0..7_u32).prop_map(|version| Command::Publish { version }),
        1 => (0..7_u32).prop_map(|version| Command::Retire { version }),
        2 => any_standing_rule().prop_map(|rule| Command::AdoptStandingRule { rule }),
    ]
}

fn allowed(from: Option<Status>, to: Status, command: &Command) -> bool {
    use Status::{Draft, Published, Retired};
    match (from, to) {
        (None, Published) => matches!(command, Command::AdoptStandingRule { .. }),
        (None | Some(Draft), Draft)
        | (Some(Draft | Published), Published)
        | (Some(Draft | Published | Retired), Retired) => true,
        (None | Some(Published | Retired), _) => false,
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn at_most_one_version_is_in_force_and_none_ever_changes(
        commands in vec(any_command(), 1..40),
    ) {
        let context = at("2025-03-03T09:00+08:00");
        let mut state = Policy::default();
        let mut drafted = BTreeMap::new();
        for command in commands {
            let before = state.statuses.clone();
            for event in when(&state, &context, &command).unwrap_or_default() {
                if let Event::PolicyDrafted { version, document } = &event {
                    prop_assert_eq!(document.problems(), vec![]);
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
                prop_assert!(allowed(before.get(version).copied(), *status, &command));
                let kept = state.document(*version);
                prop_assert_eq!(kept, drafted.get(version).filter(|_| *status != Status::Retired));
            }
        }
    }

    #[test]
    fn publishing_always_leaves_that_version_in_force(
        first in select(vec![0_usize, 1, 2]), commands in vec(any_command(), 0..20),
    ) {
        let context = at("2025-03-03T09:00+08:00");
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

    #[test]
    fn an_adopted_rule_is_in_force_and_the_only_one_of_its_kind(
        rules in vec(any_standing_rule(), 1..20),
    ) {
        let context = at("2025-03-03T09:00+08:00");
        let run = |state: Policy, command: &Command| {
            let events = when(&state, &context, command).unwrap_or_default();
            events.iter().fold(state, Policy::evolve)
        };
        let start = [Command::Draft(document(2)), Command::Publish { version: 1 }];
        let mut state = start.iter().fold(Policy::default(), run);
        let mut newest = BTreeMap::new();
        for rule in rules {
            let command = Command::AdoptStandingRule { rule: rule.clone() };
            if when(&state, &context, &command).is_ok() {
                newest.insert((rule.topic.clone(), rule.area.clone()), rule);
            }
            state = run(state, &command);
        }
        let mut found = state.routing().unwrap().document.standing.clone();
        found.sort_by(|a, b| (&a.topic, &a.area).cmp(&(&b.topic, &b.area)));
        prop_assert_eq!(found, newest.into_values().collect::<Vec<_>>());
    }
}
