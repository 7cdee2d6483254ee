//! Who is in charge of an entry, and who must not see it.

use doudi_domain::appeal::Command;
use proptest::prelude::*;

use super::*;
use crate::kit::{Life, appeal_id, area, enterprise, moves, note, sealed, submission, unit};

#[test]
fn an_entry_names_the_unit_that_had_the_appeal_then() {
    let mut life = Life::new(appeal_id(1), submission());
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::Contest {
            unit: unit("power"),
            reason: sealed("reason"),
            proposed: Some(unit("tax")),
        },
        Command::Rule { to: Some(unit("tax")) },
        Command::SignFor { unit: unit("tax") },
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    let mut known = Known::default();
    let entries = known.fold(&life.log);
    let units: Vec<Option<&str>> =
        entries.iter().map(|entry| entry.charge.unit.as_ref().map(|unit| unit.as_str())).collect();
    let power = Some("power");
    assert_eq!(units, [None, None, power, power, Some("tax"), Some("tax")]);
    assert!(entries.iter().all(|entry| entry.charge.area == Some(area())));
    let subject = &known.subjects[&(appeal_id(1).0, enterprise())];
    assert_eq!(subject.level, submission().confidentiality);
    assert!(subject.co_units.is_empty(), "a ruling names no co-units");
}

#[test]
fn internal_notes_are_not_for_the_enterprise() {
    let mut life = Life::new(appeal_id(1), submission());
    assert!(life.tell(&Command::AddNote(note(2))));
    assert!(life.tell(&Command::AddNote(note(1))));
    let mut known = Known::default();
    let internal: Vec<bool> =
        known.fold(&life.log).into_iter().map(|entry| entry.internal).collect();
    assert_eq!(internal, [false, true, false]);
}

/// In handling by `power`, with a task of `tax`.
fn with_a_task() -> Life {
    let mut life = Life::new(appeal_id(1), submission());
    let power = || unit("power");
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::SignFor { unit: power() },
        Command::RequestCoHandling { unit: power(), of: unit("tax"), ask: sealed("ask") },
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    life
}

#[test]
fn what_moves_only_clocks_that_units_owe_each_other_is_not_for_the_enterprise() {
    let mut life = with_a_task();
    life.later(24 * 6);
    let mut known = Known::default();
    let entries = known.fold(&life.log);
    let steps = entries.iter().filter(|entry| entry.event_type == "ClockStepsTaken");
    let of_task = |entry: &&NewEntry<'_>| entry.details.contains("co_handling");
    let (among_units, others): (Vec<_>, Vec<_>) = steps.partition(of_task);
    assert!(!among_units.is_empty() && !others.is_empty());
    assert!(among_units.iter().all(|entry| entry.internal));
    assert!(others.iter().all(|entry| !entry.internal));
}

#[test]
fn a_unit_that_is_asked_takes_part_in_the_appeal() {
    let mut known = Known::default();
    known.fold(&with_a_task().log);
    let subject = &known.subjects[&(appeal_id(1).0, enterprise())];
    assert_eq!(subject.beside(), [unit("water"), unit("tax")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_life_of_an_appeal_is_one_timeline_without_anything_sealed(moves in moves()) {
        let life = Life::random(&moves);
        let mut known = Known::default();
        let entries = known.fold(&life.log);
        for entry in &entries {
            prop_assert_eq!(entry.subject, Some(appeal_id(1).0));
            prop_assert_eq!(entry.charge.area.as_ref(), Some(&area()));
            prop_assert!(!entry.details.contains("ciphertext"), "{}", entry.details);
            prop_assert!(!entry.details.contains("derivation"), "{}", entry.details);
        }
        for entry in entries.iter().filter(|entry| !entry.internal) {
            let own = details::for_enterprise(&entry.details);
            let own = own.as_ref().unwrap_or(&entry.details);
            prop_assert!(!own.contains("co_handling"), "{}: {own}", entry.event_type);
        }
        let of_diagnosis = |entry: &&NewEntry<'_>| entry.details.contains("\"diagnosis\":");
        for entry in entries.iter().filter(|entry| entry.event_type == "OpinionGiven") {
            prop_assert!(of_diagnosis(&entry) && entry.internal && entry.charge.unit.is_some());
        }
    }
}
