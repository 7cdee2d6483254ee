//! What moves a clock and what does not.

use super::*;
use crate::{calendar::WorkingTime, cases::Escalation, kit::shipped_cases};

fn hours(hours: i64) -> WorkingTime {
    WorkingTime::from_seconds(hours * 3600)
}

fn due(life: &Life, kind: ClockKind) -> Timestamp {
    life.clock(kind).due
}

#[test]
fn comment_does_not_reset_the_clock() {
    let mut life = Life::in_handling().then(ask("power-supply", "tax", "YXNr"));
    let before = life.case().clone();
    let mut n = 0;
    for instant in ["2025-04-28T10:00+08:00", "2025-04-30T16:59+08:00", "2025-05-06T16:59+08:00"] {
        n += 1;
        life = life.at(instant).then(note(n)).then(attach(n));
        for again in [Command::Accept, sign("power-supply"), Command::Resume, Command::Repair] {
            assert_eq!(life.tries(&again), "nothing", "{again:?}");
        }
        assert_eq!(life.case().clocks, before.clocks, "{instant}");
        assert_eq!(life.case().ledger, before.ledger, "{instant}");
    }
    let rated = Life::resolved().then(rate(false)).then(erase()).then(Command::MarkKeyDestroyed);
    assert_eq!(rated.case().clocks, Life::resolved().case().clocks);
}

#[test]
fn signing_moves_no_clock() {
    let life = Life::dispatched();
    let clocks = life.case().clocks.clone();
    let signed = life.at("2025-04-30T16:00+08:00").then(sign("power-supply"));
    assert_eq!(signed.case().clocks, clocks);
    assert_eq!(due(&signed, ClockKind::Resolve), moment("2025-05-06T17:00+08:00"));
}

#[test]
fn no_assignee_still_escalates() {
    let life = Life::submitted();
    let accept = life.clock(ClockKind::Accept).clone();
    assert_eq!(accept.owner, by("desk-210212"), "nobody took it, but somebody owes it");
    let near = life.wait("2025-04-27T16:59+08:00");
    assert_eq!(near.steps(), [Step::Blue, Step::Yellow]);
    assert_eq!(near.phase(), PhaseName::Submitted);
    let red = near.wait("2025-04-27T17:00+08:00");
    let urged = Step::Escalate(Escalation::Urge);
    assert_eq!(red.steps(), [Step::Blue, Step::Yellow, Step::Red, urged]);
    assert_eq!(red.case().guarantee, Some(Trigger::Overdue));
    assert_eq!((red.phase(), red.lead()), (PhaseName::InHandling, "justice"));
    // The desk is not let off: its ladder goes on beside the guarantee unit's own clocks.
    let climbed = red.wait("2025-05-14T17:00+08:00");
    let desk = climbed.log.iter().filter_map(|event| match event {
        Event::ClockStepsTaken { clock, steps, .. } if *clock == accept.id => Some(steps.clone()),
        _ => None,
    });
    let rungs = [Escalation::Supervise, Escalation::Circulate, Escalation::Summon];
    let rungs = rungs.map(Step::Escalate);
    assert_eq!(desk.flatten().skip(4).collect::<Vec<_>>(), rungs);
    assert_eq!(climbed.case().due().unwrap().level(), Some(Step::Red), "nor the guarantee unit");
}

#[test]
fn whoever_owes_the_case_is_reminded_for_ever() {
    let life = Life::guaranteed().wait("2026-04-30T17:00+08:00");
    let summons = life.steps().iter().filter(|s| **s == Step::Escalate(Escalation::Summon)).count();
    assert!(summons > 40, "{summons} in a year, every fifth working day");
    let next = life.case().due().unwrap().next().unwrap().at;
    assert!(next > life.now && next < moment("2026-05-15T00:00+08:00"));
}

#[test]
fn make_up_day() {
    let life = Life::submitted();
    let accept = life.clock(ClockKind::Accept);
    assert_eq!(accept.due, moment("2025-04-27T17:00+08:00"), "a Sunday that is worked");
    let exceptions = &accept.derivation.exceptions;
    assert_eq!(exceptions[0].kind, crate::calendar::DayKind::Workday);
    assert_eq!(due(&Life::dispatched(), ClockKind::Resolve), moment("2025-05-06T17:00+08:00"));
}

#[test]
fn lunch() {
    // 67 % of seven hours are 4 h 41 m 24 s: three before lunch, the rest after it.
    let life = Life::submitted();
    let blue = life.clock(ClockKind::Accept).next().unwrap();
    assert_eq!((blue.step, blue.at), (Step::Blue, moment("2025-04-27T14:41:24+08:00")));
}

#[test]
fn pause_then_change_priority() {
    let monday = "2025-04-28T09:00+08:00";
    let tuesday = "2025-04-29T09:00+08:00";
    let paused = || Life::in_handling().at(monday).then(pause("power-supply"));
    let resume = Command::Resume;
    let lives = [
        paused().then(reclassify("complex")).at(tuesday).then(resume.clone()),
        paused().at(tuesday).then(resume.clone()).then(reclassify("complex")),
        Life::in_handling()
            .then(reclassify("complex"))
            .at(monday)
            .then(pause("power-supply"))
            .at(tuesday)
            .then(resume),
    ];
    for life in lives {
        let clock = life.clock(ClockKind::Resolve);
        assert_eq!(clock.due, moment("2025-05-21T17:00+08:00"), "15 working days and the pause");
        let left = clock.left(life.now, life.world.calendar.as_ref().unwrap());
        assert_eq!(left, hours(14 * 7), "one of 15 days was used before the pause");
    }
}

#[test]
fn sla_edit_keeps_promise() {
    let mut life = Life::submitted();
    let mut cases = shipped_cases();
    let general = &mut cases.types[0];
    general.classes[0].resolve = 50;
    general.allowances.dispatch = 9;
    general.ladder.clear();
    life.world.cases = Some(cases);
    let life = life.then(Command::Accept).then(Command::Dispatch { to: None });
    let clock = life.clock(ClockKind::Resolve);
    assert_eq!((clock.working_days, clock.due), (5, moment("2025-05-06T17:00+08:00")));
    assert_eq!(clock.steps.len(), 7, "with the ladder it was promised");
    assert_eq!(clock.derivation.terms_version, 0);
    assert_eq!(life.case().terms.version, 0);
    // What is submitted after it has the new terms.
    let after = Life { state: Appeal::Absent, ..life }.then(Command::Submit(submission()));
    assert_eq!(after.case().terms.version, 9);
    assert_eq!(after.case().class().unwrap().resolve, 50);
}

#[test]
fn a_new_calendar_moves_a_promise_only_in_the_enterprises_favour() {
    let later = |life: &mut Life| {
        let calendar = life.world.calendar.as_mut().unwrap();
        calendar.exceptions.retain(|day| day.date.to_string() != "2025-04-27");
    };
    let earlier = |life: &mut Life| {
        let calendar = life.world.calendar.as_mut().unwrap();
        calendar.exceptions.retain(|day| day.date.to_string() != "2025-05-05");
    };
    let mut life = Life::in_handling();
    later(&mut life);
    assert_eq!(life.tries(&Command::Recompute), "nothing", "a holiday on 04-27 would be later");
    earlier(&mut life);
    assert_eq!(
        life.tries(&Command::Recompute),
        "nothing",
        "both together are no later, no earlier"
    );
    let mut life = Life::in_handling();
    earlier(&mut life);
    let life = life.then(Command::Recompute);
    assert_eq!(due(&life, ClockKind::Resolve), moment("2025-05-05T17:00+08:00"));
    let Event::DeadlinesRecomputed { calendar_version, clocks } = life.last() else { panic!() };
    assert_eq!((*calendar_version, clocks.set.len()), (7, 1), "the contact is due before it");
    // The promise that was moved is kept in turn.
    let mut back = life;
    back.world.calendar = Some(published_calendar());
    assert_eq!(back.tries(&Command::Recompute), "nothing");
}

#[test]
fn a_new_calendar_leaves_the_enterprise_its_time_to_speak() {
    let mut life = Life::resolved();
    let calendar = life.world.calendar.as_mut().unwrap();
    calendar.exceptions.retain(|day| day.date.to_string() != "2025-05-05");
    assert_eq!(life.tries(&Command::Recompute), "nothing");
    let life = life.wait("2025-05-05T17:00+08:00");
    assert!(!life.case().silent);
    assert!(life.wait("2025-05-06T17:00+08:00").case().silent);
}

#[test]
fn to_another_class_and_back_is_never_later_than_was_promised_for_it() {
    let monday = "2025-04-28T09:00+08:00";
    let promised = moment("2025-05-06T17:00+08:00");
    let later = |life: &mut Life| {
        let calendar = life.world.calendar.as_mut().unwrap();
        calendar.exceptions.retain(|day| day.date.to_string() != "2025-04-27");
    };
    let mut life = Life::in_handling().at(monday);
    later(&mut life);
    let there = life.then(reclassify("complex"));
    assert_eq!(there.clock(ClockKind::Resolve).due, moment("2025-05-21T17:00+08:00"));
    let back = there.clone().then(reclassify("general"));
    let clock = back.clock(ClockKind::Resolve);
    let red = clock.steps.iter().find(|planned| planned.step == Step::Red).unwrap();
    assert_eq!((clock.due, red.at), (promised, promised));
    // However often, and by way of a third.
    let again = back.then(reclassify("complex")).then(reclassify("several-units"));
    let again = again.then(reclassify("general"));
    assert_eq!(due(&again, ClockKind::Resolve), promised);
    // Another handling is promised its own time.
    let second = there.then(resolve("power-supply")).then(object("cmVhc29u"));
    let second = second.then(reclassify("general"));
    assert_eq!(due(&second, ClockKind::Resolve), moment("2025-05-08T17:00+08:00"));
    // What stood still meanwhile, or was given more time, was promised anew by that.
    let mut paused = Life::in_handling().at(monday).then(reclassify("complex"));
    later(&mut paused);
    let paused = paused.then(pause("power-supply")).at("2025-04-29T09:00+08:00");
    let paused = paused.then(Command::Resume).then(reclassify("general"));
    assert!(due(&paused, ClockKind::Resolve) > promised);
}

#[test]
fn steps_that_are_long_due_fire_in_order_and_once() {
    let life = Life::in_handling().wake("2025-06-30T09:00+08:00");
    let resolve = life.log.iter().filter_map(|event| match event {
        Event::ClockStepsTaken { clock, steps, .. } if *clock == ClockId(4) => Some(steps.clone()),
        _ => None,
    });
    let all: Vec<Vec<Step>> = resolve.collect();
    let ladder =
        [Escalation::Urge, Escalation::Supervise, Escalation::Circulate, Escalation::Summon];
    let once = [Step::Blue, Step::Yellow, Step::Red].into_iter();
    assert_eq!(all.concat(), once.chain(ladder.map(Step::Escalate)).collect::<Vec<_>>());
    assert_eq!(life.case().guarantee, Some(Trigger::Overdue));
    assert!(life.next_step().unwrap().0 > life.now, "nothing is left over");
}

#[test]
fn a_clock_that_stopped_fires_no_more() {
    let life = Life::resolved().at("2025-12-01T09:00+08:00");
    for id in 1..=4 {
        assert_eq!(life.tries(&Command::TakeSteps { clock: ClockId(id) }), "nothing");
    }
    assert_eq!(life.tries(&Command::TakeSteps { clock: ClockId(99) }), "nothing");
}

#[test]
fn the_time_ledger_sums_to_the_age_and_books_lost_time_to_its_cause() {
    let calendar = published_calendar();
    let sum = |life: &Life| {
        let spent = life.case().ledger.spent(&calendar, life.now);
        let total: WorkingTime = spent.iter().map(|(_, time)| *time).sum();
        assert_eq!(total, life.case().ledger.age(&calendar, life.now));
        total
    };
    let contested = Life::dispatched()
        .at("2025-04-27T16:00+08:00")
        .then(contest("power-supply", Some("tax")))
        .at("2025-04-28T11:00+08:00");
    let right = contested.clone().then(rule(Some("tax"))).at("2025-04-28T17:00+08:00");
    assert_eq!(sum(&right), hours(7 + 7 + 7));
    let booked = |life: &Life, to: &str| {
        let spent = life.case().ledger.spent(&calendar, life.now);
        let theirs = spent.iter().filter(|(segment, _)| segment.booked_to == Some(by(to)));
        theirs.map(|(_, time)| *time).sum::<WorkingTime>()
    };
    assert_eq!(
        booked(&right, "desk-210212"),
        hours(7 + 7 + 2),
        "the desk sent it to the wrong unit"
    );
    let wrong = contested.then(rule(None)).at("2025-04-28T17:00+08:00");
    assert_eq!(booked(&wrong, "power-supply"), hours(1 + 2), "the objection cost that");
    assert_eq!(sum(&wrong), sum(&right));
    let closed = Life::closed().at("2026-01-01T09:00+08:00");
    assert_eq!(sum(&closed), WorkingTime::ZERO, "a closed case does not age");
}
