//! Clocks by vectors, on the published calendar of 2024 to 2026.

use jiff::{SignedDuration, civil::time};
use serde_json::json;

use super::*;
use crate::{
    calendar::{Exception, Interval},
    cases::CaseType,
    kit::{day, moment, published_calendar, reference, shipped_cases, unit},
};

mod words;

/// The terms of the shipped general case type on a calendar of version 7.
struct Ground {
    case_type: CaseType,
    calendar: Calendar,
}

impl Ground {
    fn new(calendar: Calendar) -> Self {
        Self { case_type: shipped_cases().types.swap_remove(0), calendar }
    }

    fn published() -> Self {
        Self::new(published_calendar())
    }

    fn terms(&self) -> Terms<'_> {
        let calendar = Published { version: 7, document: &self.calendar };
        self.case_type.terms(2, calendar)
    }

    /// A clock to resolve, started at `2025-04-25 10:00` or the like.
    fn start(&self, at: &str, working_days: u16) -> Clock {
        let owner = Owner::Unit(unit("housing"));
        Clock::start(
            ClockId(4),
            ClockKind::Resolve,
            owner,
            working_days,
            shanghai(at),
            self.terms(),
        )
    }

    fn pause(&self, clock: &Clock, at: &str) -> Clock {
        let ground = PauseGround::MaterialAsked;
        clock.pause(shanghai(at), ground, reference("补-17"), self.terms())
    }

    fn resume(&self, clock: &Clock, at: &str) -> Clock {
        clock.resume(shanghai(at), self.terms())
    }

    fn extend(&self, clock: &Clock, at: &str, working_days: u16) -> Clock {
        clock.extend(shanghai(at), working_days, self.terms())
    }

    fn reclassify(&self, clock: &Clock, at: &str, working_days: u16) -> Clock {
        clock.reclassify(shanghai(at), working_days, None, self.terms())
    }
}

/// An instant such as `2025-04-25 10:00` in Asia/Shanghai.
fn shanghai(text: &str) -> Timestamp {
    moment(&format!("{text}+08:00"))
}

fn in_words(at: Timestamp) -> String {
    jiff::tz::offset(8).to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The steps not taken, such as `blue 2025-04-30 11:27`.
fn ahead(clock: &Clock) -> Vec<String> {
    let word = |step: Step| match step {
        Step::Escalate(rung) => json!(rung),
        Step::Blue | Step::Yellow | Step::Red => json!(step),
    };
    let ahead = clock.steps.iter().skip(usize::from(clock.taken));
    ahead.map(|s| format!("{} {}", word(s.step).as_str().unwrap(), in_words(s.at))).collect()
}

/// The clock after everything due by then was taken, and what that was.
fn fire(clock: &Clock, at: &str) -> (Clock, Vec<Step>) {
    let due = clock.due_steps(shanghai(at));
    (clock.taken(due.len()), due.iter().map(|planned| planned.step).collect())
}

fn hours(from: i8, to: i8) -> Interval {
    Interval { from: time(from, 0, 0, 0), to: time(to, 0, 0, 0) }
}

/// The published calendar with one half day, 09:00 to 12:00.
fn with_half_day(date: &str) -> Calendar {
    let mut calendar = published_calendar();
    let half = Exception {
        date: day(date),
        kind: DayKind::Workday,
        name: "半天".to_owned(),
        hours: Some(vec![hours(9, 12)]),
    };
    let at = calendar.exceptions.partition_point(|exception| exception.date < half.date);
    calendar.exceptions.insert(at, half);
    assert_eq!(calendar.problems(), []);
    calendar
}

#[test]
fn make_up_day() {
    let ground = Ground::published();
    let clock = ground.start("2025-04-25 10:00:00.9", 5);
    assert_eq!(in_words(clock.due), "2025-05-06 17:00");
    assert_eq!(clock.start, shanghai("2025-04-25 10:00"));
    // Sun 04-27 to Wed 04-30 and Tue 05-06 are 35 hours: blue after 23 h 27 min, yellow after 31 h 30 min.
    assert_eq!(
        ahead(&clock),
        [
            "blue 2025-04-30 11:27",
            "yellow 2025-05-06 13:30",
            "red 2025-05-06 17:00",
            "urge 2025-05-06 17:00",
            "supervise 2025-05-08 17:00",
            "circulate 2025-05-13 17:00",
            "summon 2025-05-20 17:00",
        ]
    );
    let derivation = &clock.derivation;
    assert_eq!((derivation.terms_version, derivation.calendar_version), (2, 7));
    assert!(!derivation.provisional);
    let stretches = derivation.exceptions.iter();
    let stretches: Vec<_> =
        stretches.map(|s| (s.from.to_string(), s.to.to_string(), s.kind)).collect();
    let date = str::to_owned;
    assert_eq!(
        stretches,
        [
            (date("2025-04-27"), date("2025-04-27"), DayKind::Workday),
            (date("2025-05-01"), date("2025-05-05"), DayKind::Holiday),
        ]
    );
}

#[test]
fn lunch() {
    let ground = Ground::published();
    let calendar = &ground.calendar;
    let over = calendar.working_time(shanghai("2025-03-04 11:30"), shanghai("2025-03-04 13:30"));
    assert_eq!(over, WorkingTime::from_seconds(3600));
    let noon = calendar.after(shanghai("2025-03-04 09:00"), WorkingTime::from_seconds(3 * 3600));
    assert_eq!(in_words(noon), "2025-03-04 12:00");
    let later = calendar.after(noon, WorkingTime::SECOND);
    assert_eq!(later, shanghai("2025-03-04 13:00:01"));

    let clock = ground.start("2025-03-03 10:00", 2);
    assert_eq!(in_words(clock.due), "2025-03-05 17:00");
    let at_lunch = ground.pause(&clock, "2025-03-04 12:05");
    assert_eq!(ground.resume(&at_lunch, "2025-03-04 12:55").due, clock.due);
    let around_lunch = ground.pause(&clock, "2025-03-04 11:30");
    let resumed = ground.resume(&around_lunch, "2025-03-04 13:30");
    assert_eq!(in_words(resumed.due), "2025-03-06 10:00");
    assert_eq!(resumed.derivation.pauses[0].length, WorkingTime::from_seconds(3600));
}

#[test]
fn half_day() {
    let ground = Ground::new(with_half_day("2025-12-31"));
    let clock = ground.start("2025-12-30 10:00", 1);
    assert_eq!(in_words(clock.due), "2025-12-31 12:00");
    // 90 % of three hours.
    assert_eq!(ahead(&clock)[1], "yellow 2025-12-31 11:42");
    // The afternoon off does not count as standing still.
    let two = ground.start("2025-12-29 10:00", 2);
    let paused = ground.pause(&two, "2025-12-31 11:00");
    let resumed = ground.resume(&paused, "2026-01-04 10:00");
    assert_eq!(resumed.derivation.pauses[0].length, WorkingTime::from_seconds(2 * 3600));
    assert_eq!(in_words(resumed.due), "2026-01-04 11:00");
    // People are not at work at 17:00 that day: the end of business instead.
    let extended = ground.extend(&ground.start("2025-12-29 10:00", 1), "2025-12-30 09:30", 1);
    assert_eq!(in_words(extended.due), "2025-12-31 12:00");
}

#[test]
fn an_allowance_of_none_is_due_at_the_end_of_business() {
    let ground = Ground::published();
    for (start, due) in [
        ("2025-03-04 10:00", "2025-03-04 17:00"),
        ("2025-03-04 07:00", "2025-03-04 17:00"),
        ("2025-03-04 16:59:59", "2025-03-04 17:00"),
        ("2025-03-04 17:00", "2025-03-05 17:00"),
        ("2025-03-08 10:00", "2025-03-10 17:00"),
        ("2025-04-30 18:00", "2025-05-06 17:00"),
    ] {
        assert_eq!(in_words(ground.start(start, 0).due), due, "{start}");
    }
    let blue = &ahead(&ground.start("2025-03-04 07:00", 0))[0];
    assert_eq!(blue, "blue 2025-03-04 14:41");
}

#[test]
fn days_count_from_the_day_after_whatever_the_hour() {
    let ground = Ground::published();
    for start in ["2025-03-07 00:00", "2025-03-07 23:59:59", "2025-03-08 12:00", "2025-03-09 20:00"]
    {
        let clock = ground.start(start, 1);
        assert_eq!(in_words(clock.due), "2025-03-10 17:00", "{start}");
        assert_eq!(ahead(&clock)[0], "blue 2025-03-10 14:41", "{start}");
    }
}

#[test]
fn the_bound_of_a_pause_has_only_red() {
    let ground = Ground::published();
    let (owner, now) = (Owner::CityDesk, shanghai("2025-03-03 10:00"));
    let clock = Clock::start(ClockId(1), ClockKind::Pause, owner, 10, now, ground.terms());
    assert_eq!(ahead(&clock), ["red 2025-03-17 17:00"]);
}

#[test]
fn steps_are_taken_once_and_say_how_far_it_came() {
    let ground = Ground::published();
    let clock = ground.start("2025-04-25 10:00", 5);
    assert_eq!((clock.level(), clock.rung()), (None, None));
    assert_eq!(clock.next().unwrap().step, Step::Blue);
    assert!(!clock.is_overdue(shanghai("2025-05-06 16:59:59")));
    assert!(clock.is_overdue(shanghai("2025-05-06 17:00")));
    let (clock, fired) = fire(&clock, "2025-05-06 13:30");
    assert_eq!(fired, [Step::Blue, Step::Yellow]);
    assert_eq!((clock.level(), clock.rung()), (Some(Step::Yellow), None));
    assert_eq!(fire(&clock, "2025-05-06 16:59").1, []);
    let (clock, fired) = fire(&clock, "2025-05-09 00:00");
    let rungs = [Step::Escalate(Escalation::Urge), Step::Escalate(Escalation::Supervise)];
    assert_eq!(fired, [&[Step::Red], &rungs[..]].concat());
    assert_eq!((clock.level(), clock.rung()), (Some(Step::Red), Some(Escalation::Supervise)));
    let all = clock.taken(99);
    assert_eq!((all.next(), all.due_steps(shanghai("2030-01-01 00:00")).len()), (None, 0));
    assert_eq!(all.taken, 7);
}

#[test]
fn what_is_no_movement_moves_nothing() {
    let ground = Ground::published();
    let clock = ground.start("2025-04-25 10:00", 5);
    let same = |moved: &Clock| {
        assert_eq!((moved.due, &moved.steps), (clock.due, &clock.steps));
    };
    assert_eq!(ground.resume(&clock, "2025-04-28 10:00"), clock);
    same(&ground.extend(&clock, "2025-04-28 10:00", 0));
    same(&ground.reclassify(&clock, "2025-04-28 10:00", 5));
    // Nights, days off, and the rest of the day it was started on count for nothing.
    for (since, until) in [
        ("2025-04-28 10:00", "2025-04-28 10:00"),
        ("2025-04-28 17:00", "2025-04-29 09:00"),
        ("2025-04-30 18:00", "2025-05-06 09:00"),
        ("2025-04-25 11:00", "2025-04-25 16:00"),
        ("2025-04-25 11:00", "2025-04-27 09:00"),
    ] {
        same(&ground.resume(&ground.pause(&clock, since), until));
    }
    let paused = ground.pause(&clock, "2025-04-28 10:00");
    assert_eq!(ground.pause(&paused, "2025-04-29 10:00"), paused);
}

#[test]
fn a_pause_moves_what_is_ahead_and_fires_nothing_twice() {
    let ground = Ground::published();
    let (clock, _) = fire(&ground.start("2025-04-25 10:00", 5), "2025-04-30 12:00");
    let paused = ground.pause(&clock, "2025-04-30 12:00");
    assert!(paused.is_paused());
    assert_eq!((paused.next(), paused.level()), (None, Some(Step::Blue)));
    assert_eq!(paused.due, clock.due);
    assert_eq!(
        paused.left(shanghai("2025-05-30 12:00"), &ground.calendar).whole_seconds(),
        11 * 3600
    );
    assert_eq!(fire(&paused, "2026-01-01 00:00").1, []);
    assert!(!paused.is_overdue(shanghai("2025-05-30 12:00")));
    // Resumed by night: the rest is counted from the next morning.
    let resumed = ground.resume(&paused, "2025-05-12 20:00");
    assert_eq!(in_words(resumed.due), "2025-05-14 14:00");
    assert_eq!(ahead(&resumed)[..2], ["yellow 2025-05-14 09:30", "red 2025-05-14 14:00"]);
    assert_eq!(resumed.steps[0], clock.steps[0]);
    let used = |at| resumed.used(shanghai(at), &ground.calendar).whole_seconds() / 3600;
    assert_eq!((used("2025-04-28 17:00"), used("2025-05-09 10:00")), (14, 24));
    // The afternoon of 04-30, five days from 05-06 on.
    assert_eq!(resumed.derivation.pauses[0].length.whole_seconds(), (4 + 5 * 7) * 3600);
}

#[test]
fn pause_then_change_priority() {
    let ground = Ground::published();
    let clock = ground.start("2025-03-03 10:00", 5);
    let paused = ground.pause(&clock, "2025-03-05 09:00");
    let resumed = ground.resume(&paused, "2025-03-07 09:00");
    assert_eq!(in_words(resumed.due), "2025-03-12 17:00");
    let extended = ground.extend(&resumed, "2025-03-10 10:00", 3);
    assert_eq!(in_words(extended.due), "2025-03-17 17:00");
    // 15 days, two of standing still, three granted: neither is lost nor doubled.
    let complex = ground.reclassify(&extended, "2025-03-10 11:00", 15);
    assert_eq!(in_words(complex.due), "2025-03-31 17:00");
    assert_eq!(
        complex.derivation.pauses,
        vec![Pause {
            left: WorkingTime::from_seconds(14 * 7 * 3600),
            ..resumed.derivation.pauses[0].clone()
        }]
    );
    let back = ground.reclassify(&complex, "2025-03-10 12:00", 5);
    assert_eq!(back, extended);
    // Changed and granted while it stands still, the end is the same.
    let during = ground.reclassify(&paused, "2025-03-05 10:00", 15);
    let during = ground.extend(&during, "2025-03-06 10:00", 3);
    assert_eq!(during.steps, []);
    let resumed = ground.resume(&during, "2025-03-07 09:00");
    assert_eq!((resumed.due, &resumed.steps), (complex.due, &complex.steps));
}

#[test]
fn an_extension_plans_the_warnings_anew() {
    let ground = Ground::published();
    let (clock, _) = fire(&ground.start("2025-03-03 10:00", 5), "2025-03-07 12:00");
    assert_eq!(clock.level(), Some(Step::Blue));
    let extended = ground.extend(&clock, "2025-03-07 14:00", 5);
    // 90 % of 70 hours, then the end of the tenth day.
    assert_eq!(ahead(&extended)[..2], ["yellow 2025-03-14 17:00", "red 2025-03-17 17:00"]);
    assert_eq!(extended.derivation.extensions.len(), 1);
    // Granted when it was red already, red can come again.
    let (red, _) = fire(&clock, "2025-03-10 17:00");
    let extended = ground.extend(&red, "2025-03-10 18:00", 1);
    assert_eq!(ahead(&extended)[..2], ["red 2025-03-11 17:00", "urge 2025-03-11 17:00"]);
}

#[test]
fn a_shorter_allowance_brings_no_surprises() {
    let ground = Ground::published();
    let clock = ground.start("2025-03-03 10:00", 15);
    // Under 5 days both warnings would be past: they count as given.
    let short = ground.reclassify(&clock, "2025-03-10 16:00", 5);
    assert_eq!(fire(&short, "2025-03-10 16:00").1, []);
    assert_eq!(ahead(&short)[0], "red 2025-03-10 17:00");
    // Under 2 days it is overdue: red alone comes, and the ladder counts from there.
    let over = ground.reclassify(&clock, "2025-03-10 16:00", 2);
    assert_eq!(in_words(over.due), "2025-03-05 17:00");
    assert!(over.is_overdue(shanghai("2025-03-10 16:00")));
    let red = over.next().unwrap();
    assert_eq!((red.step, red.at), (Step::Red, shanghai("2025-03-10 16:00:01")));
    assert_eq!(ahead(&over)[2], "supervise 2025-03-12 16:00");
    // By night, red waits for the morning.
    let night = ground.reclassify(&clock, "2025-03-10 20:00", 2);
    assert_eq!(night.next().unwrap().at, shanghai("2025-03-11 09:00:01"));
    // One that is red and stays overdue goes on climbing as planned.
    let (red, _) = fire(&ground.start("2025-03-03 10:00", 5), "2025-03-11 10:00");
    let still = ground.reclassify(&red, "2025-03-11 11:00", 3);
    assert_eq!((&still.steps, still.taken), (&red.steps, red.taken));
    // One that is not overdue any more starts over with what is ahead.
    let longer = ground.reclassify(&red, "2025-03-11 11:00", 15);
    assert_eq!((longer.level(), longer.next().unwrap().step), (None, Step::Blue));
}

#[test]
fn a_pause_after_due_moves_only_the_ladder() {
    let ground = Ground::published();
    let (clock, _) = fire(&ground.start("2025-03-03 10:00", 5), "2025-03-11 10:00");
    let paused = ground.pause(&clock, "2025-03-11 10:00");
    assert_eq!(paused.level(), Some(Step::Red));
    let resumed = ground.resume(&paused, "2025-03-13 10:00");
    assert_eq!(resumed.due, clock.due);
    assert_eq!(
        ahead(&resumed),
        ["supervise 2025-03-14 17:00", "circulate 2025-03-19 17:00", "summon 2025-03-26 17:00"]
    );
}

#[test]
fn a_new_calendar_moves_a_clock_only_in_the_enterprises_favour() {
    fn newer(ground: &Ground) -> Terms<'_> {
        let calendar = Published { version: 8, document: &ground.calendar };
        Terms { calendar, ..ground.terms() }
    }
    let ground = Ground::published();
    let clock = ground.start("2025-03-03 10:00", 5);
    let mut calendar = published_calendar();
    let at = calendar.exceptions.partition_point(|exception| exception.date < day("2025-03-06"));
    let mut with = |date: &str, kind| {
        let name = "临时".to_owned();
        calendar.exceptions.insert(at, Exception { date: day(date), kind, name, hours: None });
        Ground::new(calendar.clone())
    };
    let make_up = with("2025-03-08", DayKind::Workday);
    let holiday_too = with("2025-03-06", DayKind::Holiday);

    let now = shanghai("2025-03-04 10:00");
    let moved = clock.recomputed(now, newer(&make_up)).unwrap();
    assert_eq!(in_words(moved.due), "2025-03-08 17:00");
    assert_eq!((clock.derivation.calendar_version, moved.derivation.calendar_version), (7, 8));
    assert_eq!(moved.next().unwrap().step, Step::Blue);
    // Both exceptions together cancel out: the promise stays.
    assert_eq!(clock.recomputed(now, newer(&holiday_too)), None);
    // Never due in the past.
    let evening = shanghai("2025-03-08 17:00");
    assert_eq!(clock.recomputed(evening, newer(&make_up)), None);
    let before = evening - SignedDuration::from_secs(1);
    assert!(clock.recomputed(before, newer(&make_up)).is_some());
    let paused = ground.pause(&clock, "2025-03-04 09:00");
    assert_eq!(paused.recomputed(now, newer(&make_up)), None);
}

#[test]
fn steps_stay_in_order_under_another_calendar() {
    let ground = Ground::published();
    let (clock, _) = fire(&ground.start("2025-03-03 10:00", 5), "2025-03-07 12:00");
    assert_eq!(in_words(clock.steps[0].at), "2025-03-07 11:27");
    // With that day and the last one off, 90 % of the rest would have been used before.
    let mut calendar = published_calendar();
    let at = calendar.exceptions.partition_point(|exception| exception.date < day("2025-03-07"));
    for date in ["2025-03-10", "2025-03-07"] {
        let holiday = Exception {
            date: day(date),
            kind: DayKind::Holiday,
            name: "临时".to_owned(),
            hours: None,
        };
        calendar.exceptions.insert(at, holiday);
    }
    let moved = Ground::new(calendar).extend(&clock, "2025-03-07 12:30", 0);
    assert_eq!(ahead(&moved)[..2], ["yellow 2025-03-07 11:27", "red 2025-03-10 17:00"]);
    assert!(moved.steps.is_sorted_by_key(|planned| planned.at));
}

#[test]
fn a_clock_is_read_as_it_was_written() {
    let ground = Ground::published();
    let clock = ground.start("2025-04-25 10:00", 5);
    let clock = ground.extend(&ground.pause(&clock, "2025-04-28 10:00"), "2025-04-28 11:00", 2);
    let text = serde_json::to_string(&clock).unwrap();
    assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
}
