//! Merging and splitting: nothing is lost on the way, and no promise is shed.

use super::*;
use crate::{
    CaseTypeId,
    agenda::{Change, Process},
};

fn merge(n: u128) -> Command {
    Command::Merge { into: appeal(n) }
}

#[test]
fn a_merged_appeal_goes_on_in_the_other() {
    let merged = Life::in_handling().then(merge(2));
    assert_eq!((merged.phase(), merged.kinds()), (PhaseName::Merged, vec![]));
    let told: Vec<Change> = merged.log.iter().flat_map(Process::agenda).collect();
    assert!(matches!(told.last(), Some(Change::Put(entry)) if entry.key == "merge"));
    let other = Life::in_handling().then(absorb_as(1, &merged));
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
        assert_eq!(other.tries(&absorb(1)), "MergeDeclined", "{:?}", other.phase());
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
    assert_eq!(first.tries(&absorb(2)), "MergeDeclined");
    assert_eq!(second.tries(&absorb(1)), "MergeDeclined");
    let first = first.then(Command::UndoMerge);
    let second = second.then(Command::UndoMerge);
    assert_eq!((first.phase(), second.phase()), (PhaseName::InHandling, PhaseName::Accepted));
    // Now one of them is merged for good, and its agenda tells of that one merge only.
    let second = second.then(merge(1));
    let taken = first.then(absorb_as(2, &second));
    assert_eq!(taken.case().absorbed, [appeal(2)]);
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
fn what_was_declined_stays_so_and_another_merge_is_another_question() {
    let merged = Life::in_handling().then(merge(2));
    let other = Life::accepted();
    let declined = other.then(absorb_as(1, &merged)).then(Command::Dispatch { to: None });
    assert!(declined.case().takes_in(&merged.case().standing()), "it could by now");
    assert_eq!(declined.tries(&absorb_as(1, &merged)), "nothing");
    assert_eq!(declined.case().absorbed, []);
    let again = merged.then(Command::UndoMerge).then(merge(2));
    assert_eq!(declined.tries(&absorb_as(1, &again)), "AppealAbsorbed");
    assert_eq!(declined.tries(&absorb_as(3, &again)), "AppealAbsorbed", "it is another's");
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
    for n in 0..500 {
        life = life.then(note(n));
    }
    assert_eq!(life.refuses(&note(999)), Rejection::TooMany { max: 500 });
    for n in 0..100 {
        life = life.then(absorb(100 + n));
    }
    assert_eq!(life.tries(&absorb(999)), "MergeDeclined");
    assert_eq!(life.tries(&attach(49)), "nothing", "the ones it has are known");
}

#[test]
fn a_merge_puts_no_promise_off() {
    let friday = Life::in_handling();
    // Dispatched on the Monday after, so that its resolution is due later.
    let monday = Life::accepted().at("2025-04-28T09:00+08:00").then(Command::Dispatch { to: None });
    assert!(monday.clock(ClockKind::Resolve).due > friday.clock(ClockKind::Resolve).due);
    let paused = Life::in_handling().then(pause("power-supply"));
    for (taker, merged, takes) in [
        (&friday, &monday, true),
        (&friday, &Life::contested(), true),
        (&friday, &Life::accepted(), true),
        (&friday, &paused, true),
        (&monday, &friday, false),
        (&monday, &paused, false),
        (&Life::accepted(), &friday, false),
        (&paused, &friday, false),
        (&paused, &Life::accepted(), true),
    ] {
        let names = (taker.phase(), merged.phase());
        let merged = merged.clone().then(merge(9));
        assert_eq!(taker.case().takes_in(&merged.case().standing()), takes, "{names:?}");
        let expected = if takes { "AppealAbsorbed" } else { "MergeDeclined" };
        assert_eq!(taker.tries(&absorb_as(1, &merged)), expected, "{names:?}");
    }
}

#[test]
fn nothing_that_may_still_put_the_promise_off_takes_another_in() {
    let of = |id: &str| Life::of(Submission { class: Some(class(id)), ..submission() });
    let accepted = |id: &str| of(id).then(Command::Accept);
    let friday = Life::in_handling();
    let asked = friday.clone().then(ask_extension("power-supply", 5));
    let complex = accepted("complex").then(Command::Dispatch { to: None });
    let mut late = Life::absent().at("2025-05-19T09:00+08:00");
    late = late.then(Command::Submit(submission())).then(Command::Accept);
    late = late.then(Command::Dispatch { to: None });
    assert!(complex.clock(ClockKind::Resolve).due < late.clock(ClockKind::Resolve).due);
    for (taker, merged, takes) in [
        // The ruling would start the time anew with another unit.
        (&Life::contested(), &friday, false),
        (&Life::contested(), &Life::accepted(), false),
        (&Life::contested().then(rule(None)), &friday, true),
        // The answer would add to the time.
        (&asked, &friday, false),
        (&asked.clone().then(answer_extension(false)), &friday, true),
        (&asked.clone().then(answer_extension(true)), &friday, false),
        // Its class would give it longer.
        (&accepted("complex"), &Life::accepted(), false),
        (&of("several-units"), &accepted("complex"), false),
        (&Life::accepted(), &accepted("complex"), true),
        (&accepted("complex"), &accepted("complex"), true),
        // Due earlier this time, but a second handling would take longer.
        (&complex, &late, false),
    ] {
        let names = (taker.phase(), &taker.case().class, merged.phase(), &merged.case().class);
        let expected = if takes { "AppealAbsorbed" } else { "MergeDeclined" };
        assert_eq!(taker.tries(&absorb_as(1, merged)), expected, "{names:?}");
        let merged = merged.clone().then(merge(9));
        assert_eq!(taker.case().takes_in(&merged.case().standing()), takes, "{names:?}");
    }
}

#[test]
fn a_merge_that_is_delivered_again_is_known_whatever_it_stood_at() {
    let command = |life: &Life| serde_json::to_value(absorb_as(1, life)).unwrap();
    let stored = serde_json::json!({ "Absorb": { "from": appeal(1) } });
    assert_eq!(
        [command(&Life::accepted()), command(&Life::in_handling())],
        [stored.clone(), stored]
    );
}

#[test]
fn what_takes_an_appeal_in_is_as_closed_as_old_and_as_far() {
    let level = |confidentiality| {
        Life::of(Submission { confidentiality, ..submission() }).then(Command::Accept)
    };
    let (open, closed) = (level(Confidentiality::Internal), level(Confidentiality::Confidential));
    let mut younger = Life::absent().at("2025-04-25T09:00:01+08:00");
    younger = younger.then(Command::Submit(submission())).then(Command::Accept);
    let objected = Life::resolved().then(object("cmVhc29u"));
    let bounced = Life::contested().then(rule(Some("tax")));
    let dispatched = Life::dispatched();
    for (taker, merged, takes) in [
        (&closed, &open, true),
        (&open, &closed, false),
        (&open, &younger, true),
        (&younger, &open, false),
        (&objected, &dispatched, true),
        (&dispatched, &objected, false),
        (&bounced, &dispatched, true),
        (&dispatched, &bounced, false),
    ] {
        let expected = if takes { "AppealAbsorbed" } else { "MergeDeclined" };
        assert_eq!(taker.tries(&absorb_as(1, merged)), expected);
    }
}

#[test]
fn neither_side_uses_up_the_room_of_the_other() {
    let added = |n: u128, by: Option<&str>, visibility| {
        let unit = by.map(unit);
        let Command::AddNote(note) = note(n) else { panic!() };
        let Command::Attach(file) = attach(n) else { panic!() };
        let note = Note { unit: unit.clone(), visibility, ..note };
        (Command::AddNote(note), Command::Attach(File { unit, visibility, ..file }))
    };
    let by_enterprise = |n| added(n, None, Visibility::Public);
    let by_unit = |n| added(n, Some("tax"), Visibility::Public);
    let by_desk = |n| added(n, None, Visibility::Internal);
    type Added<'a> = &'a dyn Fn(u128) -> (Command, Command);
    let full = |fill: Added<'_>| {
        let mut life = Life::in_handling();
        for n in 1..=500 {
            let (note, file) = fill(n);
            life = life.then(note);
            life = if n <= 50 { life.then(file) } else { life };
        }
        life
    };
    let sides: [(Added<'_>, [Added<'_>; 2]); 2] =
        [(&by_enterprise, [&by_unit, &by_desk]), (&by_unit, [&by_enterprise, &by_enterprise])];
    for (one, others) in sides {
        let life = full(one);
        let (note, file) = one(999);
        assert_eq!(life.refuses(&note), Rejection::TooMany { max: 500 });
        assert_eq!(life.refuses(&file), Rejection::TooMany { max: 50 });
        for other in others {
            let (note, file) = other(999);
            assert_eq!((&*life.tries(&note), &*life.tries(&file)), ("NoteAdded", "FileAttached"));
        }
    }
    let desk = full(&by_desk);
    assert_eq!(desk.refuses(&by_unit(999).0), Rejection::TooMany { max: 500 });
    // The buttons say the same of each side.
    let possible = |party| {
        let allowed = desk.case().allowed(&desk.world.then(desk.now), &party);
        let adds = [Action::AddNote, Action::Attach];
        allowed
            .into_iter()
            .filter(|found| adds.contains(&found.action) && found.missing.is_none())
            .count()
    };
    assert_eq!([possible(Party::Enterprise), possible(Party::Unit(unit("tax")))], [2, 0]);
}
