//! The due date against a day-by-day count that knows no calendar code.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use proptest::prelude::*;

use super::cases;
use crate::{
    calendar::{Calendar, DayKind},
    kit::{day, published_calendar},
};

/// Every day from 2023 to 2028 with whether people work on it.
pub(super) fn work(calendar: &Calendar) -> BTreeMap<Date, bool> {
    let first = day("2023-01-01");
    let mut works = BTreeMap::new();
    for n in 0..6 * 366_i32 {
        // 1 January 2023 was a Sunday.
        works.insert(first.saturating_add(n.days()), !matches!(n % 7, 0 | 6));
    }
    for exception in &calendar.exceptions {
        works.insert(exception.date, exception.kind == DayKind::Workday);
    }
    works
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn the_due_date_is_the_last_of_the_days_counted(
        start in 0..1461_i32, days in 0..80_u16, without_2025: bool,
    ) {
        let mut calendar = published_calendar();
        if without_2025 {
            calendar.years.retain(|year| *year != 2025);
        }
        let start = day("2023-06-01").saturating_add(start.days());
        let due = calendar.count(start, days);
        let works = work(&calendar);
        let after = || works.range(start..).skip(1);
        let counted = after().filter(|(_, works)| **works).take(usize::from(days));
        let expected = counted.last().map_or(start, |(on, _)| *on);
        prop_assert_eq!(due, expected);
        let first = start.saturating_add(1.day());
        let mut passed = after().map(|(on, _)| *on).take_while(|on| *on <= expected);
        let loaded = passed.all(|on| calendar.years.contains(&on.year()));
        prop_assert_eq!(due > start && calendar.is_provisional(first, due), !loaded);
    }

    #[test]
    fn more_days_and_later_starts_are_never_due_earlier(
        start in 0..1461_i32, later in 0..40_i32, days in 0..80_u16, more in 1..9_u16,
    ) {
        let calendar = published_calendar();
        let on = |n: i32| day("2023-06-01").saturating_add(n.days());
        let due = calendar.count(on(start), days);
        prop_assert!(calendar.count(on(start), days + more) > due);
        prop_assert!(calendar.count(on(start + later), days) >= due);
    }
}

#[test]
fn the_end_of_time_is_no_endless_loop() {
    assert_eq!(published_calendar().count(Date::MAX, u16::MAX), Date::MAX);
}
