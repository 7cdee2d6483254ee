//! Within a unit: more time, standstill, other units' parts, mediation.

use super::*;

fn paused() -> Life {
    Life::in_handling().at("2025-04-28T09:00+08:00").then(pause("power-supply"))
}

#[test]
fn an_extension_is_asked_a_working_day_before_due_at_the_latest() {
    let due = moment("2025-05-06T17:00+08:00");
    let last = Life::in_handling().at("2025-04-30T16:59+08:00");
    assert_eq!(last.tries(&ask_extension("power-supply", 3)), "ExtensionAsked");
    for instant in ["2025-05-06T09:00+08:00", "2025-05-06T17:00+08:00", "2025-05-09T09:00+08:00"] {
        let late = Life::in_handling().at(instant);
        let refused = late.refuses(&ask_extension("power-supply", 3));
        assert_eq!(refused, Rejection::ExtensionTooLate(due), "{instant}");
    }
}

#[test]
fn an_extension_is_bounded_and_granted_once() {
    let life = Life::in_handling();
    for days in [0, 6, u16::MAX] {
        let refused = life.refuses(&ask_extension("power-supply", days));
        assert_eq!(refused, Rejection::TooManyDays { max: 5 }, "{days}");
    }
    let asked = life.then(ask_extension("power-supply", 5));
    assert_eq!(asked.clock(ClockKind::Extension).owner, by("desk-210212"));
    let other = ask_extension("power-supply", 4);
    assert_eq!(asked.refuses(&other), Rejection::ExtensionSpent);
    let granted = asked.clone().then(answer_extension(true));
    let due = granted.clock(ClockKind::Resolve).due;
    assert_eq!(due, moment("2025-05-13T17:00+08:00"), "five working days later");
    assert_eq!(granted.refuses(&other), Rejection::ExtensionSpent);
    let refused = asked.then(answer_extension(false));
    assert_eq!(refused.clock(ClockKind::Resolve).due, moment("2025-05-06T17:00+08:00"));
    assert_eq!(refused.refuses(&other), Rejection::ExtensionSpent);
}

#[test]
fn an_extension_that_nobody_decides_lapses() {
    let life = Life::in_handling().then(ask_extension("power-supply", 5));
    let life = life.wait("2025-04-27T17:00+08:00");
    assert!(matches!(life.last(), Event::ExtensionRefused { lapsed: true, .. }));
    assert_eq!(life.clock(ClockKind::Resolve).due, moment("2025-05-06T17:00+08:00"));
    assert_eq!(life.tries(&answer_extension(true)), "nothing", "it was decided");
}

#[test]
fn an_extension_granted_after_due_undoes_nothing() {
    // The scheduler is down, and the desk looks at it days later.
    let life = Life::in_handling().then(ask_extension("power-supply", 5));
    let late = life.at("2025-05-07T09:00+08:00");
    let due = moment("2025-05-06T17:00+08:00");
    assert_eq!(late.refuses(&answer_extension(true)), Rejection::ExtensionTooLate(due));
    assert_eq!(late.tries(&answer_extension(false)), "ExtensionRefused");
}

#[test]
fn an_extension_ends_with_the_handling_it_was_asked_for() {
    let asked = Life::in_handling().then(ask_extension("power-supply", 5));
    let over = asked.clone().then(contest("power-supply", Some("tax")));
    let over = over.then(Command::Dispatch { to: None });
    assert_eq!(over.kinds(), [ClockKind::Contact, ClockKind::Resolve]);
    assert_eq!(over.refuses(&answer_extension(true)), Rejection::ExtensionNotAsked);
    let done = asked.then(resolve("power-supply"));
    let wanted = "needs dispatched, in handling or contested";
    assert_eq!(done.tries(&answer_extension(true)), wanted);
    let again = done.then(object("cmVhc29u"));
    assert_eq!(again.refuses(&answer_extension(true)), Rejection::ExtensionNotAsked);
    assert_eq!(again.tries(&ask_extension("power-supply", 1)), "ExtensionAsked");
}

#[test]
fn a_pause_is_bounded_and_lapses() {
    let life = paused();
    assert_eq!(life.case().ledger.segments().last().unwrap().holder, None);
    let bound = life.clock(ClockKind::Pause).due;
    assert_eq!(bound, moment("2025-05-15T17:00+08:00"), "ten working days, the holiday between");
    let resolve = life.case().handling_clock(ClockKind::Resolve).unwrap();
    assert!(resolve.is_paused());
    assert_eq!(life.clone().wait("2025-05-15T16:59+08:00").case().guarantee, None);
    let life = life.wait("2025-05-15T17:00+08:00");
    assert!(matches!(life.last(), Event::HandlingResumed { lapsed: true, .. }));
    let clock = life.clock(ClockKind::Resolve);
    assert_eq!(clock.due, moment("2025-05-21T17:00+08:00"), "four of its five days were left");
    assert_eq!(life.case().ledger.segments().last().unwrap().holder, Some(by("power-supply")));
}

#[test]
fn a_pause_ends_at_its_bound_however_late_somebody_looks() {
    let promised = moment("2025-05-21T17:00+08:00");
    let slept = paused().wake("2025-06-30T09:00+08:00");
    let late = slept.case().clocks.values().find(|clock| clock.owner == by("power-supply"));
    assert_eq!(late.unwrap().due, promised);
    assert_eq!(slept.case().guarantee, Some(Trigger::Overdue));
    let by_hand = paused().at("2025-05-16T09:00+08:00").then(Command::Resume);
    assert_eq!(by_hand.clock(ClockKind::Resolve).due, promised);
}

#[test]
fn the_ledger_and_the_clock_tell_the_same_of_a_pause_however_late_somebody_looks() {
    let calendar = published_calendar();
    let bound = moment("2025-05-15T17:00+08:00");
    let late = "2025-06-30T09:00+08:00";
    let by_hand = paused().at("2025-05-16T09:00+08:00").then(Command::Resume);
    let resolved = paused().at(late).then(resolve("power-supply"));
    let meanwhile = Life::dispatched().at("2025-04-28T09:00+08:00").then(pause("power-supply"));
    let meanwhile = meanwhile.at("2025-05-20T09:00+08:00").then(sign("power-supply")).wake(late);
    let merged = paused().at(late).then(Command::Merge { into: appeal(2) });
    for life in [paused().wake(late), by_hand, resolved, meanwhile, merged] {
        let ledger = &life.case().ledger;
        let spent = ledger.spent(&calendar, life.now);
        let stood = spent.iter().filter(|(segment, _)| segment.holder.is_none());
        let paused = stood.clone().filter(|(segment, _)| segment.phase.is_open());
        let paused: crate::calendar::WorkingTime = paused.map(|(_, time)| *time).sum();
        let since = moment("2025-04-28T09:00+08:00");
        assert_eq!(paused, calendar.working_time(since, bound), "{:?}", life.phase());
        let after = spent.iter().find(|(segment, _)| segment.since == bound);
        let after = after.map(|(segment, _)| segment.holder.clone());
        assert_eq!(after, Some(Some(by("power-supply"))), "{:?}", life.phase());
        let all: crate::calendar::WorkingTime = spent.iter().map(|(_, time)| *time).sum();
        assert_eq!(all, ledger.age(&calendar, life.now));
        let lengths = spent.iter().map(|(segment, _)| segment.since);
        assert!(lengths.is_sorted());
    }
}

#[test]
fn pauses_of_one_handling_share_one_bound() {
    let mut life = paused();
    let mut pauses = 1;
    for month in 4..=12 {
        for day in 1..=28 {
            let instant = format!("2025-{month:02}-{day:02}T16:00+08:00");
            if moment(&instant) <= life.now || life.case().guarantee.is_some() {
                continue;
            }
            life = life.wait(&instant);
            let _ = life.causes(&Command::Resume);
            pauses += u32::from(life.causes(&pause("power-supply")).is_ok_and(|t| t != "nothing"));
        }
    }
    assert!((2..=10).contains(&pauses), "each takes a day at least: {pauses}");
    assert_eq!(life.case().guarantee, Some(Trigger::Overdue), "no chain of pauses saves it");
}

#[test]
fn a_spent_bound_refuses_a_pause_and_so_does_being_overdue() {
    let life = paused().wait("2025-05-15T17:00+08:00");
    let refused = life.refuses(&pause("power-supply"));
    assert_eq!(refused, Rejection::TooManyDays { max: 10 });
    let late = Life::in_handling().at("2025-05-06T17:00+08:00");
    assert_eq!(late.refuses(&pause("power-supply")), Rejection::PauseTooLate);
}

#[test]
fn while_it_stands_still_only_what_goes_on_is_possible() {
    let life = paused();
    assert_eq!(life.refuses(&contest("power-supply", None)), Rejection::Paused);
    assert_eq!(life.refuses(&ask_extension("power-supply", 1)), Rejection::Paused);
    assert_eq!(life.tries(&pause("power-supply")), "nothing");
    let done = life.then(resolve("power-supply"));
    assert_eq!(done.kinds(), [ClockKind::Feedback], "the pause ends with the handling");
}

#[test]
fn a_first_contact_is_owed_during_a_pause_too() {
    let life = Life::in_handling().then(pause("power-supply"));
    let life = life.wait("2025-04-27T17:00+08:00");
    assert!(life.steps().contains(&Step::Red), "pausing is no first response");
    assert_eq!(life.case().guarantee, None);
}

#[test]
fn co_units_owe_the_lead_with_clocks_of_their_own() {
    let life = Life::in_handling().then(ask("power-supply", "tax", "YXNr"));
    let task = life.clock(ClockKind::CoHandling);
    assert_eq!((&task.owner, task.due), (&by("tax"), moment("2025-04-29T17:00+08:00")));
    let id = task.id.0;
    let redundant = |to: &str| Rejection::TaskRedundant(unit(to));
    assert_eq!(life.refuses(&ask("power-supply", "tax", "b3RoZXI=")), redundant("tax"));
    let own = ask("power-supply", "power-supply", "YXNr");
    assert_eq!(life.refuses(&own), redundant("power-supply"));
    assert_eq!(life.refuses(&answer("gas", id)), Rejection::TaskUnknown);
    let nobody = ask("power-supply", "nobody", "YXNr");
    assert_eq!(life.refuses(&nobody), Rejection::UnitUnknown(unit("nobody")));
    let life = life.wait("2025-04-29T17:00+08:00");
    assert!(life.steps().contains(&Step::Red), "late as anybody");
    assert_eq!(life.case().guarantee, None, "but the lead has the case");
    let life = life.then(answer("tax", id));
    assert_eq!(life.kinds().iter().filter(|kind| **kind == ClockKind::CoHandling).count(), 0);
    assert_eq!(life.tries(&ask("power-supply", "tax", "b3RoZXI=")), "CoHandlingRequested");
}

#[test]
fn a_task_that_was_not_answered_does_not_block_the_next_handling() {
    let life = Life::in_handling().then(ask("power-supply", "tax", "YXNr"));
    let life = life.then(resolve("power-supply")).then(object("cmVhc29u"));
    assert!(life.case().tasks.is_empty());
    assert_eq!(life.tries(&ask("power-supply", "tax", "b3RoZXI=")), "CoHandlingRequested");
}

#[test]
fn a_mediation_has_its_clock_and_moves_no_other() {
    let life = Life::of(of_type("tax-dispute")).then(Command::Accept);
    let life = life.then(Command::Dispatch { to: None });
    let before = life.clock(ClockKind::Resolve).clone();
    let life = life.then(Command::OpenMediation);
    let mediation = life.clock(ClockKind::Mediation);
    assert_eq!((&mediation.owner, mediation.working_days), (&by("tax"), 10));
    assert_eq!(life.tries(&Command::OpenMediation), "nothing");
    let life = life.then(Command::EndMediation { agreed: false });
    assert_eq!(*life.clock(ClockKind::Resolve), before);
    let other = life.refuses(&Command::EndMediation { agreed: true });
    assert_eq!((other, life.case().mediated), (Rejection::MediationNotOpen, Some(false)));
    assert_eq!(
        Life::in_handling().refuses(&Command::OpenMediation),
        Rejection::MediationImpossible
    );
}
