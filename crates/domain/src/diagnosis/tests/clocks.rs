//! The clocks of a joint diagnosis, their steps, and what it puts on the agenda.

use super::*;
use crate::{
    agenda::{Change, Duty, Entry, Process},
    cases::Escalation,
    kit::day,
};

fn due_on(clock: &Clock) -> jiff::civil::Date {
    crate::calendar::civil_date(clock.due)
}

fn put(key: &str, at: Timestamp, duty: Duty) -> Change {
    Change::Put(Entry { key: key.to_owned(), at, duty })
}

fn dropped(key: &str) -> Change {
    Change::Drop(key.to_owned())
}

fn take(clock: u32) -> Command {
    Command::TakeSteps { clock: ClockId(clock) }
}

#[test]
fn each_unit_owes_its_opinion_and_the_convener_the_conclusion() {
    let state = opened();
    let found: Vec<_> = open(&state)
        .clocks
        .iter()
        .map(|clock| (clock.id.0, clock.kind, clock.owner.clone(), due_on(clock)))
        .collect();
    let owner = |id| Owner::Unit(unit(id));
    let (opinions, conclusion) = (day("2025-04-29"), day("2025-05-06"));
    let expected = [
        (1, ClockKind::Opinion, owner("desk-city"), opinions),
        (2, ClockKind::Opinion, owner("power-supply"), opinions),
        (3, ClockKind::Opinion, owner("tax"), opinions),
        (4, ClockKind::Conclusion, owner("desk-city"), conclusion),
    ];
    assert_eq!(found, expected);
    assert!(open(&state).clocks.iter().all(|clock| {
        let derivation = &clock.derivation;
        (derivation.terms_version, derivation.calendar_version) == (4, 7)
    }));
}

#[test]
fn an_opinion_stops_its_clock_and_is_late_once_it_was_due() {
    let (world, state) = (world(), opened());
    let due = open(&state).clocks[2].due;
    let (in_time, overdue) = (due - SignedDuration::from_secs(1), moment(OPINIONS_OVERDUE));
    let instants = [(moment(FRIDAY), false), (in_time, false), (due, true), (overdue, true)];
    for (instant, expected) in instants {
        let command = give("tax", Stance::Dissent);
        let events = when(&state, &world.then(instant), &command).unwrap();
        let expected = Event::OpinionGiven {
            unit: unit("tax"),
            opinion: opinion(Stance::Dissent),
            at: instant,
            late: expected,
            stopped: vec![ClockId(3)],
        };
        assert_eq!(events, [expected]);
    }
    let state = accepted(state, &world.then(overdue), &give("tax", Stance::Dissent));
    let running: Vec<u32> = open(&state).clocks.iter().map(|clock| clock.id.0).collect();
    assert_eq!(running, [1, 2, 4]);
}

#[test]
fn the_convener_heard_as_a_unit_still_owes_the_conclusion() {
    let state = heard(&[("desk-city", Stance::Support)]);
    assert_eq!(open(&state).clocks.last().unwrap().kind, ClockKind::Conclusion);
    assert_eq!(open(&state).clocks.len(), 3);
}

#[test]
fn an_instant_is_kept_in_whole_seconds() {
    let command = give("tax", Stance::Support);
    let found = when(&opened(), &world().at("2025-04-25T09:30:01.987+08:00"), &command).unwrap();
    let [Event::OpinionGiven { at, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*at, moment("2025-04-25T09:30:01+08:00"));
}

#[test]
fn steps_are_taken_once_all_that_are_due_and_none_of_a_stopped_clock() {
    let (world, state) = (world(), opened());
    let clock = open(&state).clocks[2].clone();
    assert_eq!(when(&state, &world.at(FRIDAY), &take(3)), Ok(vec![]), "nothing is due yet");
    let events = when(&state, &world.then(clock.due), &take(3)).unwrap();
    let urged = [Step::Blue, Step::Yellow, Step::Red, Step::Escalate(Escalation::Urge)];
    let next = clock.steps.iter().map(|planned| planned.at).find(|at| *at > clock.due);
    let taken = |steps: &[Step], next| Event::ClockStepsTaken {
        clock: ClockId(3),
        steps: steps.to_vec(),
        next,
    };
    assert_eq!(events, [taken(&urged, next)]);
    let state = accepted(state, &world.then(clock.due), &take(3));
    let last = clock.steps.last().unwrap().at;
    let rest = [Escalation::Supervise, Escalation::Circulate, Escalation::Summon];
    let events = when(&state, &world.then(last), &take(3)).unwrap();
    // The last two rungs are five working days apart, and so is the last from itself again.
    let again = published_calendar().later(last, 5);
    assert_eq!(events, [taken(&rest.map(Step::Escalate), Some(again))]);
    let answered = accepted(state, &world.then(clock.due), &give("tax", Stance::Support));
    for clock in [3, 9] {
        assert_eq!(when(&answered, &world.then(last), &take(clock)), Ok(vec![]));
    }
}

#[test]
fn the_agenda_holds_each_clock_until_it_stops() {
    let world = world();
    let events = when(&Diagnosis::Absent, &world.at(FRIDAY), &convene(convening())).unwrap();
    let state = opened();
    let armed = |n: u32| {
        let first = open(&state).clocks.iter().find(|clock| clock.id.0 == n).unwrap().steps[0].at;
        put(&format!("clock/{n}"), first, Duty::DiagnosisClock { clock: ClockId(n) })
    };
    assert_eq!(events[0].agenda(), [1, 2, 3, 4].map(armed));
    let given = when(&state, &world.at(FRIDAY), &give("tax", Stance::Support)).unwrap();
    assert_eq!(given[0].agenda(), [dropped("clock/3")]);
    let state = accepted(state.clone(), &world.at(FRIDAY), &give("tax", Stance::Support));
    let revised = when(&state, &world.at(FRIDAY), &give("tax", Stance::Dissent)).unwrap();
    assert_eq!(revised[0].agenda(), []);
    let next = moment(OPINIONS_OVERDUE);
    for (next, expected) in [
        (Some(next), put("clock/4", next, Duty::DiagnosisClock { clock: ClockId(4) })),
        (None, dropped("clock/4")),
    ] {
        let event = Event::ClockStepsTaken { clock: ClockId(4), steps: vec![Step::Red], next };
        assert_eq!(event.agenda(), [expected]);
    }
}

#[test]
fn a_conclusion_is_delivered_and_its_rule_published_until_both_are_acknowledged() {
    let (world, now) = (world(), moment(FRIDAY));
    let deliver = || put("deliver", now, Duty::DeliverConclusion {});
    let publish = || put("rule", now, Duty::PublishStandingRule {});
    let stopped = || vec![dropped("clock/1"), dropped("clock/4")];
    for (lead, expected) in [
        (conclusion().standing_lead, [stopped(), vec![deliver(), publish()]].concat()),
        (None, [stopped(), vec![deliver()]].concat()),
    ] {
        let command = conclude(Conclusion { standing_lead: lead, ..conclusion() });
        let events = when(&in_phase("heard"), &world.at(FRIDAY), &command).unwrap();
        assert_eq!(events[0].agenda(), expected);
    }
    assert_eq!(Event::ConclusionDelivered {}.agenda(), [dropped("deliver")]);
    assert_eq!(Event::StandingRulePublished { version: 6 }.agenda(), [dropped("rule")]);
}

#[test]
fn whoever_owes_something_is_reminded_until_the_diagnosis_ends() {
    let world = world();
    let (mut state, mut now, mut summons) = (opened(), moment(FRIDAY), 0);
    let until = moment("2026-04-24T17:00+08:00");
    loop {
        let steps = open(&state).clocks.iter().map(|clock| (clock.next().unwrap().at, clock.id));
        let (at, clock) = steps.min().unwrap();
        if at > until {
            break;
        }
        now = now.max(at);
        let events = when(&state, &world.then(now), &Command::TakeSteps { clock }).unwrap();
        let [Event::ClockStepsTaken { steps, next: Some(next), .. }] = &events[..] else {
            panic!("{events:?}");
        };
        let armed = put(&format!("clock/{}", clock.0), *next, Duty::DiagnosisClock { clock });
        assert_eq!(events[0].agenda(), [armed]);
        summons += steps.iter().filter(|s| **s == Step::Escalate(Escalation::Summon)).count();
        state = events.iter().fold(state, Diagnosis::evolve);
    }
    assert!(summons > 4 * 40, "{summons} of four clocks in a year, every fifth working day");
    let done = accepted(state.clone(), &world.then(until), &conclude(conclusion()));
    let left = accepted(state, &world.then(until), &Command::Discontinue);
    let later = world.at("2027-04-24T17:00+08:00");
    for (clock, state) in (1..=4).flat_map(|clock| [(clock, &done), (clock, &left)]) {
        assert_eq!(when(state, &later, &take(clock)), Ok(vec![]), "nothing repeats after the end");
    }
}

#[test]
fn the_end_of_a_diagnosis_takes_its_clocks_off_the_agenda() {
    let events = when(&opened(), &world().at(FRIDAY), &Command::Discontinue).unwrap();
    assert_eq!(events[0].agenda(), [1, 2, 3, 4].map(|n| dropped(&format!("clock/{n}"))));
}

#[test]
fn a_clock_of_an_older_record_that_climbed_its_ladder_stays_at_its_end() {
    let state = opened();
    let steps: Vec<Step> =
        open(&state).clocks[2].steps.iter().map(|planned| planned.step).collect();
    let event = Event::ClockStepsTaken { clock: ClockId(3), steps, next: None };
    let state = state.evolve(&event);
    assert_eq!(open(&state).clocks[2].next(), None);
    assert_eq!(when(&state, &world().at("2026-04-24T17:00+08:00"), &take(3)), Ok(vec![]));
}
