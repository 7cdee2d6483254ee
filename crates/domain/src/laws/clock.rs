//! Working time against shifts listed one by one, and what holds for a clock whatever moves it.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::time, tz};
use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;
use crate::{
    calendar::{Calendar, DayKind, Exception, Interval, WorkingTime, civil_date},
    cases::CaseType,
    clock::{Clock, ClockId, ClockKind, Owner, PauseGround, Step, Terms},
    decider::Published,
    kit::{day, published_calendar, reference, shipped_cases},
};

/// When people are at work, shift by shift, in seconds.
struct Shifts(Vec<(i64, i64)>);

impl Shifts {
    fn of(calendar: &Calendar) -> Self {
        let works = super::calendar::work(calendar);
        let mut shifts = Vec::new();
        for (date, works) in works {
            let own = calendar.exceptions.iter().find(|exception| exception.date == date);
            let own = own.and_then(|exception| exception.hours.clone());
            for interval in own.unwrap_or_else(|| calendar.hours.clone()) {
                let at = |time| {
                    let instant = tz::offset(8).to_timestamp(date.to_datetime(time));
                    instant.unwrap().as_second()
                };
                if works {
                    shifts.push((at(interval.from), at(interval.to)));
                }
            }
        }
        Self(shifts)
    }

    fn worked(&self, from: Timestamp, to: Timestamp) -> i64 {
        let (from, to) = (from.as_second(), to.as_second());
        self.0.iter().map(|(begin, end)| (to.min(*end) - from.max(*begin)).max(0)).sum()
    }

    /// The first second from that instant on in which people are at work.
    fn opening(&self, from: Timestamp) -> Timestamp {
        let from = from.as_second();
        let shift = self.0.iter().find(|(_, end)| from < *end).unwrap();
        Timestamp::from_second(from.max(shift.0)).unwrap()
    }

    /// Where the counting of a clock begins.
    fn begin(&self, start: Timestamp, days: u16) -> Timestamp {
        let next_day = civil_date(start).tomorrow().unwrap();
        let midnight = tz::offset(8).to_timestamp(next_day.to_datetime(time(0, 0, 0, 0))).unwrap();
        self.opening(if days == 0 { start } else { midnight })
    }

    /// Whether people are at work at that instant, or just finish.
    fn at_work(&self, at: Timestamp) -> bool {
        let at = at.as_second();
        self.0.iter().any(|(begin, end)| *begin < at && at <= *end)
    }
}

/// The published calendar, with other hours and some half days.
fn any_calendar() -> impl Strategy<Value = Calendar> {
    let hours = |list: &[(i8, i8)]| -> Vec<Interval> {
        let interval =
            |&(from, to)| Interval { from: time(from, 30, 0, 0), to: time(to, 30, 0, 0) };
        list.iter().map(interval).collect()
    };
    let usual = select(vec![
        Calendar::default().hours,
        hours(&[(8, 11), (13, 16)]),
        hours(&[(8, 9), (10, 13), (13, 14), (20, 23)]),
        hours(&[(0, 23)]),
    ]);
    let own = select(vec![hours(&[(9, 11)]), hours(&[(13, 16)]), hours(&[(6, 7), (12, 20)])]);
    (usual, vec((0..1000_i32, own), 0..6)).prop_map(|(hours, half_days)| {
        let mut calendar = Calendar { hours, ..published_calendar() };
        for (n, hours) in half_days {
            let date = day("2025-01-02").saturating_add(n.days());
            let half =
                Exception { date, kind: DayKind::Workday, name: "x".into(), hours: Some(hours) };
            match calendar.exceptions.binary_search_by_key(&date, |exception| exception.date) {
                Ok(at) => calendar.exceptions[at] = half,
                Err(at) => calendar.exceptions.insert(at, half),
            }
        }
        calendar
    })
}

/// An instant so many seconds after the beginning of 2025 in Asia/Shanghai.
fn instant(seconds: i64) -> Timestamp {
    "2025-01-01T00:00+08:00".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// An instant in 2025 or 2026.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    (0..700 * 86_400_i64).prop_map(instant)
}

/// Something that may happen to a clock, so many seconds after what happened before.
#[derive(Debug, Clone, Copy)]
enum Move {
    Pause,
    Resume,
    Extend(u16),
    Fire,
}

fn any_moves() -> impl Strategy<Value = Vec<(i64, Move)>> {
    let moved = prop_oneof![
        2 => Just(Move::Pause),
        3 => Just(Move::Resume),
        1 => (0..4_u16).prop_map(Move::Extend),
        2 => Just(Move::Fire),
    ];
    vec((1..4 * 86_400_i64, moved), 0..14)
}

fn terms<'a>(case_type: &'a CaseType, calendar: &'a Calendar) -> Terms<'a> {
    case_type.terms(2, Published { version: 7, document: calendar })
}

fn moved(clock: &Clock, moved: Move, now: Timestamp, terms: Terms<'_>) -> Clock {
    match moved {
        Move::Pause => clock.pause(now, PauseGround::LegalStep, reference("x"), terms),
        Move::Resume => clock.resume(now, terms),
        Move::Extend(days) => clock.extend(now, days, terms),
        Move::Fire => clock.taken(clock.due_steps(now).len()),
    }
}

fn started(now: Timestamp, days: u16, terms: Terms<'_>) -> Clock {
    Clock::start(ClockId(1), ClockKind::Resolve, Owner::CityDesk, days, now, terms)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn working_time_is_that_of_the_shifts_and_adds_up(
        calendar in any_calendar(), mut at in vec(any_instant(), 3),
    ) {
        at.sort_unstable();
        let time = |from: usize, to: usize| calendar.working_time(at[from], at[to]);
        prop_assert_eq!(time(0, 2).whole_seconds(), Shifts::of(&calendar).worked(at[0], at[2]));
        prop_assert_eq!(time(0, 1) + time(1, 2), time(0, 2));
        prop_assert_eq!(time(2, 0), WorkingTime::ZERO);
    }

    #[test]
    fn after_is_the_earliest_instant_by_which_so_much_was_worked(
        calendar in any_calendar(), from in any_instant(), amount in 1..1_000_000_i64,
    ) {
        let shifts = Shifts::of(&calendar);
        let at = calendar.after(from, WorkingTime::from_seconds(amount));
        prop_assert_eq!(shifts.worked(from, at), amount);
        prop_assert!(shifts.at_work(at));
        let second = calendar.opening(from);
        prop_assert!(second >= from && shifts.worked(from, second) == 0);
        prop_assert!(shifts.at_work(second + SignedDuration::from_secs(1)));
    }

    #[test]
    fn nothing_is_lost_or_doubled_and_nothing_fires_twice(
        calendar in any_calendar(), from in any_instant(), days in 0..20_u16, moves in any_moves(),
    ) {
        let (shifts, case_type) = (Shifts::of(&calendar), &shipped_cases().types[0]);
        let terms = terms(case_type, &calendar);
        let mut clock = started(from, days, terms);
        let mut now = clock.start;
        let begin = shifts.begin(from, days);
        // Counted here from the moves alone.
        let (mut granted, mut used) = (shifts.worked(begin, clock.due), 0);
        let mut fired: Vec<Step> = Vec::new();
        for (wait, step) in moves {
            let then = now + SignedDuration::from_secs(wait);
            if !clock.is_paused() {
                used += shifts.worked(now.max(begin), then);
            }
            now = then;
            // The rules refuse to pause or extend what is overdue.
            if clock.is_overdue(now) && !matches!(step, Move::Fire) {
                continue;
            }
            if matches!(step, Move::Fire) {
                fired.extend(clock.due_steps(now).iter().map(|planned| planned.step));
            }
            let before = clock.due;
            clock = moved(&clock, step, now, terms);
            if matches!(step, Move::Extend(_)) {
                granted += shifts.worked(before, clock.due);
            }
            prop_assert_eq!(clock.used(now, &calendar).whole_seconds(), used);
            let left = clock.left(now, &calendar).whole_seconds();
            prop_assert_eq!(left, (granted - used).max(0));
            if clock.is_paused() {
                prop_assert_eq!(clock.next(), None);
            } else {
                prop_assert_eq!(clock.steps.len(), 3 + case_type.ladder.len());
                prop_assert_eq!(clock.steps[2].at, clock.due);
            }
            prop_assert!(clock.steps.is_sorted_by_key(|planned| planned.at));
            prop_assert!(clock.steps.iter().all(|planned| shifts.at_work(planned.at)));
        }
        let mut once = fired.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), fired.len(), "{:?}", fired);
    }

    #[test]
    fn a_change_of_class_keeps_pauses_and_extensions(
        from in any_instant(), days in 1..20_u16, other in 1..20_u16, moves in any_moves(),
    ) {
        let (calendar, case_type) = (published_calendar(), &shipped_cases().types[0]);
        let terms = terms(case_type, &calendar);
        let mut here = started(from, days, terms);
        let mut there = started(from, other, terms);
        let mut now = here.start;
        for (wait, step) in moves {
            now += SignedDuration::from_secs(wait);
            if here.is_overdue(now) || there.is_overdue(now) {
                break;
            }
            here = moved(&here, step, now, terms);
            there = moved(&there, step, now, terms);
        }
        let changed = here.reclassify(now, other, None, terms);
        prop_assert_eq!(changed.due, there.due);
        prop_assert_eq!(&changed.derivation, &there.derivation);
        let red_and_ladder = |clock: &Clock| clock.steps.get(2..).map(<[_]>::to_vec);
        if !changed.is_paused() && !changed.is_overdue(now) {
            prop_assert_eq!(red_and_ladder(&changed), red_and_ladder(&there));
        }
        let surprises = changed.due_steps(now).iter().filter(|planned| planned.at < now);
        prop_assert_eq!(surprises.count(), 0);
        let back = changed.reclassify(now, days, None, terms);
        prop_assert_eq!((back.due, &back.derivation), (here.due, &here.derivation));
    }

    #[test]
    fn another_calendar_moves_a_promise_only_forward(
        from in any_instant(), days in 0..20_u16, wait in 0..20 * 86_400_i64,
        other in any_calendar(),
    ) {
        let (calendar, case_type) = (published_calendar(), &shipped_cases().types[0]);
        let clock = started(from, days, terms(case_type, &calendar));
        let now = from + SignedDuration::from_secs(wait);
        let fresh = started(from, days, terms(case_type, &other)).due;
        let moved = clock.recomputed(now, terms(case_type, &other));
        let favourable = now < fresh && fresh < clock.due;
        prop_assert_eq!(moved.map(|moved| moved.due), favourable.then_some(fresh));
    }
}
