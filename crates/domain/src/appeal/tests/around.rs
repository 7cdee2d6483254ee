//! Merging and splitting: nothing is lost on the way, and no promise is shed.

use super::*;
use crate::{
    CaseTypeId,
    agenda::{Change, Process},
};

fn merge(n: u128) -> Command {
    Command::Merge { into: appeal(n) }
}

fn absorb(n: u128) -> Command {
    Command::Absorb { from: appeal(n) }
}

#[test]
fn a_merged_appeal_goes_on_in_the_other() {
    let merged = Life::in_handling().then(merge(2));
    assert_eq!((merged.phase(), merged.kinds()), (PhaseName::Merged, vec![]));
    let told: Vec<Change> = merged.log.iter().flat_map(Process::agenda).collect();
    assert!(matches!(told.last(), Some(Change::Put(entry)) if entry.key == "merge"));
    let other = Life::accepted().then(absorb(1));
    assert_eq!(other.case().absorbed, [appeal(1)]);
    assert_eq!(other.refuses(&merge(1)), Rejection::MergeImpossible);
    let merged = merged.then(Command::MarkMergeDelivered);
    assert_eq!(merged.tries(&Command::UndoMerge), "nothing", "it is in the other's hands");
    assert_eq!(merged.tries(&merge(3)), "needs not resolved yet");
}

#[test]
fn what_cannot_take_it_up_does_not_and_it_comes_back_as_it_was() {
    for other in [
        Life::resolved(),
        Life::confirmed(),
        Life::closed(),
        Life::submitted().then(redirect()),
        Life::accepted().then(merge(9)),
        Life::in_handling().then(erase()),
    ] {
        assert_eq!(other.refuses(&absorb(1)), Rejection::MergeImpossible, "{:?}", other.phase());
    }
    for life in [
        Life::submitted(),
        Life::accepted(),
        Life::dispatched(),
        Life::contested(),
        Life::in_handling().then(ask("power-supply", "tax", "YXNr")),
        Life::in_handling().then(pause("power-supply")),
    ] {
        let before = life.case().clone();
        let back = life.then(merge(2)).at("2025-04-26T09:00+08:00").then(Command::UndoMerge);
        let after = back.case();
        assert_eq!(after.phase, before.phase);
        assert_eq!(after.clocks, before.clocks, "no promise is shed by it");
        assert_eq!(after.tasks, before.tasks);
        assert!(back.next_step().is_some());
    }
}

#[test]
fn two_merging_into_each_other_both_go_on() {
    let (first, second) = (Life::in_handling().then(merge(2)), Life::accepted().then(merge(1)));
    assert_eq!(first.refuses(&absorb(2)), Rejection::MergeImpossible);
    assert_eq!(second.refuses(&absorb(1)), Rejection::MergeImpossible);
    let first = first.then(Command::UndoMerge);
    let second = second.then(Command::UndoMerge);
    assert_eq!((first.phase(), second.phase()), (PhaseName::InHandling, PhaseName::Accepted));
    // Now one of them is merged for good, and its agenda tells of that one merge only.
    let second = second.then(merge(1));
    assert_eq!(first.then(absorb(2)).case().absorbed, [appeal(2)]);
    let second = second.then(Command::MarkMergeDelivered);
    let mut agenda = std::collections::BTreeSet::new();
    for change in second.log.iter().flat_map(Process::agenda) {
        match change {
            Change::Put(entry) => agenda.insert(entry.key),
            Change::Drop(key) => agenda.remove(&key),
        };
    }
    assert!(agenda.is_empty(), "{agenda:?}");
}

#[test]
fn a_merge_after_one_that_was_undone_is_delivered_again() {
    let life = Life::accepted().then(merge(2)).then(Command::UndoMerge).then(merge(3));
    assert_eq!(life.tries(&Command::MarkMergeDelivered), "MergeDelivered");
}

#[test]
fn what_became_due_while_it_was_merged_fires_at_once() {
    let life = Life::in_handling().then(merge(2)).at("2025-05-20T09:00+08:00");
    let life = life.then(Command::UndoMerge).wake("2025-05-20T09:00+08:00");
    assert_eq!(life.case().guarantee, Some(Trigger::Overdue));
}

#[test]
fn a_part_that_would_not_be_taken_in_is_not_split_off() {
    let life = Life::in_handling();
    let unheard = CaseTypeId::parse("unheard-of").unwrap();
    let part = Command::Split { part: appeal(4), submission: of_type("unheard-of") };
    assert_eq!(life.refuses(&part), Rejection::CaseTypeUnknown(unheard));
    let before = life.case().clocks.clone();
    let life = life.then(split(4));
    assert_eq!(life.case().clocks, before, "a split moves no clock");
    let other = Submission { topic: topic("T05"), ..submission() };
    let other = Command::Split { part: appeal(4), submission: other };
    assert_eq!(life.refuses(&other), Rejection::SubmittedDifferently);
    let life = life.then(Command::MarkPartSubmitted { part: appeal(4) });
    assert!(life.case().parts[&appeal(4)].submitted);
}

#[test]
fn notes_files_and_parts_are_bounded() {
    let mut life = Life::submitted();
    for n in 0..20 {
        life = life.then(split(100 + n));
    }
    assert_eq!(life.refuses(&split(999)), Rejection::TooMany { max: 20 });
    for n in 0..50 {
        life = life.then(attach(n));
    }
    assert_eq!(life.refuses(&attach(999)), Rejection::TooMany { max: 50 });
    for n in 0..100 {
        life = life.then(absorb(100 + n));
    }
    assert_eq!(life.refuses(&absorb(999)), Rejection::MergeImpossible);
    assert_eq!(life.tries(&attach(49)), "nothing", "the ones it has are known");
}
