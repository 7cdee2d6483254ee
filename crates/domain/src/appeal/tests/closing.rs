//! Two sides close a case: the unit resolves, the enterprise has its word, and the way back.

use super::*;

#[test]
fn silence_callback_and_confirmation_are_separate_facts() {
    let life = Life::resolved();
    assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseToSpeak);
    let silent = life.clone().wait("2025-05-06T17:00+08:00");
    assert!(matches!(silent.last(), Event::EnterpriseSilent { .. }));
    assert_eq!((silent.phase(), silent.case().silent), (PhaseName::Resolved, true));
    let how = |life: Life| match life.then(Command::Close).last() {
        Event::AppealClosed { how, .. } => *how,
        other => panic!("{other:?}"),
    };
    assert_eq!(how(silent.clone()), Closing::Silent);
    assert_eq!(how(silent.clone().then(callback(true, Some(true)))), Closing::CalledBack);
    assert_eq!(how(silent.then(Command::Confirm)), Closing::Confirmed);
    assert_eq!(how(life.clone().then(callback(true, Some(true)))), Closing::CalledBack);
    assert_eq!(how(life.then(Command::Confirm)), Closing::Confirmed);
}

#[test]
fn a_callback_that_reached_nobody_or_settled_nothing_leaves_the_callback_owed() {
    for unsettled in [callback(false, None), callback(true, None), callback(false, Some(true))] {
        let life = Life::resolved().then(unsettled);
        assert_eq!(life.kinds(), [ClockKind::Feedback]);
        assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseToSpeak);
        let silent = life.wait("2025-05-06T17:00+08:00");
        assert_eq!(silent.then(Command::Close).phase(), PhaseName::Closed);
    }
}

#[test]
fn a_dissatisfied_enterprise_is_not_closed_as_silent() {
    let life = Life::resolved().then(callback(true, Some(false))).wait("2025-07-01T09:00+08:00");
    assert!(!life.case().silent, "it has spoken");
    assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseDissatisfied);
    assert!(life.case().due().unwrap().next().is_some(), "the desk is reminded for ever");
    assert_eq!(life.tries(&object("cmVhc29u")), "ResolutionObjected");
    // Silent first, then reached: the later fact counts.
    let life = Life::resolved().wait("2025-05-06T17:00+08:00").then(callback(true, Some(false)));
    assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseDissatisfied);
}

#[test]
fn what_was_said_on_the_phone_stays_until_something_else_is_said() {
    let no = || Life::resolved().then(callback(true, Some(false)));
    for silent in [callback(false, None), callback(true, None), callback(false, Some(true))] {
        let life = no().then(silent.clone()).wait("2025-07-01T09:00+08:00");
        assert!(!life.case().silent, "it has spoken: {silent:?}");
        assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseDissatisfied);
        assert_eq!(life.case().callback.as_ref().unwrap().satisfied, Some(false));
        let yes = life.then(callback(true, Some(true)));
        assert_eq!(yes.then(Command::Close).phase(), PhaseName::Closed, "it changed its mind");
    }
    let late = Life::resolved().wait("2025-05-06T17:00+08:00");
    let late = late.then(callback(true, Some(false))).then(callback(false, None));
    assert_eq!(late.refuses(&Command::Close), Rejection::EnterpriseDissatisfied);
    let only_not_resolved = Callback { resolved: Some(false), ..said_nothing() };
    let life = Life::resolved().then(Command::RecordCallback(only_not_resolved));
    let life = life.then(callback(false, None));
    assert_eq!(life.refuses(&Command::Close), Rejection::EnterpriseDissatisfied);
    // What was said of the handling before says nothing of this one.
    let again = no().then(object("cmVhc29u")).then(resolve("power-supply"));
    assert_eq!((&again.case().callback, &again.case().callback_last), (&None, &None));
    assert_eq!(again.refuses(&Command::Close), Rejection::EnterpriseToSpeak);
}

fn said_nothing() -> Callback {
    Callback { reached: true, resolved: None, satisfied: None, note: None }
}

#[test]
fn a_close_that_nobody_does_is_reminded_of_for_ever() {
    for life in [
        Life::confirmed(),
        Life::resolved(),
        Life::resolved().then(callback(true, Some(true))),
        Life::resolved().then(callback(true, None)),
        // Long silent, so that the close is at the end of its ladder, and then reached after all.
        Life::resolved().wait("2025-07-31T17:00+08:00").then(callback(true, Some(true))),
    ] {
        let life = life.wait("2026-03-31T17:00+08:00");
        assert!(life.case().due().unwrap().next().is_some());
        assert_eq!(life.case().guarantee, None, "what is resolved needs no guarantee");
    }
}

#[test]
fn each_handling_is_rated_once() {
    let life = Life::resolved().then(rate(true));
    assert_eq!(life.tries(&rate(true)), "nothing");
    assert_eq!(life.refuses(&rate(false)), Rejection::AlreadyRated);
    assert!(life.case().rating.unwrap().satisfied);
    let later = life.then(object("cmVhc29u")).then(resolve("power-supply")).then(Command::Confirm);
    let later = later.then(Command::Close);
    assert_eq!(later.case().rating, None, "the second handling is another one");
    let later = later.then(rate(false));
    assert_eq!(later.refuses(&rate(true)), Rejection::AlreadyRated);
    let again = later.then(reopen("YWdhaW4="));
    assert_eq!(again.refuses(&rate(true)), Rejection::AlreadyRated, "before it is resolved");
    assert_eq!(again.case().rating.map(|rating| rating.satisfied), Some(false));
}

#[test]
fn another_result_after_the_first_is_refused() {
    let other = Command::Resolve {
        unit: unit("power-supply"),
        outcome: Outcome::Unfounded,
        reply: sealed("cmVwbHk="),
    };
    assert_eq!(Life::resolved().tries(&other), "needs in handling");
}

#[test]
fn a_second_handling_has_a_clock_of_its_own() {
    let life = Life::resolved().at("2025-04-28T09:00+08:00").then(object("cmVhc29u"));
    let clock = life.clock(ClockKind::Resolve);
    assert_eq!((clock.start, clock.due), (life.now, moment("2025-05-08T17:00+08:00")));
    let owed = vec![ClockKind::Contact, ClockKind::Resolve];
    assert_eq!((&clock.owner, life.kinds()), (&by("power-supply"), owed));
    let other = life.tries(&object("YW5vdGhlcg=="));
    assert_eq!(other, "needs resolved", "another objection is not dropped in silence");
}

#[test]
fn a_second_handling_owes_a_contact_of_its_own() {
    let first = Life::dispatched().then(contact("power-supply")).then(sign("power-supply"));
    let first = first.then(resolve("power-supply"));
    let closed = first.clone().then(Command::Confirm).then(Command::Close);
    for (life, command) in [(&first, object("cmVhc29u")), (&closed, reopen("cmVhc29u"))] {
        assert!(life.case().contacted);
        let again = life.clone().at("2025-04-28T09:00+08:00").then(command);
        assert!(!again.case().contacted);
        let owed = again.clock(ClockKind::Contact);
        assert_eq!(
            (&owed.owner, owed.due),
            (&by("power-supply"), moment("2025-04-29T17:00+08:00"))
        );
        let spoke = again.clone().then(contact("power-supply"));
        assert_eq!((spoke.case().contacted, spoke.kinds()), (true, vec![ClockKind::Resolve]));
        // Records of before owe none, so nothing is asked of the unit again.
        let mut old = again.last().clone();
        let (Event::ResolutionObjected { clocks, .. } | Event::AppealReopened { clocks, .. }) =
            &mut old
        else {
            panic!("{old:?}")
        };
        clocks.set.retain(|clock| clock.kind != ClockKind::Contact);
        assert!(life.state.clone().evolve(&old).known().unwrap().contacted);
    }
}

#[test]
fn reopen_window() {
    let last = Life::closed().at("2025-05-10T23:59+08:00").then(reopen("cmVhc29u"));
    assert_eq!((last.phase(), last.case().closed_at), (PhaseName::InHandling, None));
    assert_eq!(last.clock(ClockKind::Resolve).owner, by("power-supply"));
    assert_eq!(last.case().objections, 1);
    let late = Life::closed().at("2025-05-11T00:00+08:00");
    let until = crate::kit::day("2025-05-10");
    assert_eq!(late.refuses(&reopen("cmVhc29u")), Rejection::ReopenTooLate(until));
    let undispatched = Life::submitted().then(erase()).then(Command::Close);
    assert_eq!(undispatched.refuses(&reopen("cmVhc29u")), Rejection::Erased);
}
