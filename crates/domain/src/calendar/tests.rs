//! Work-calendar vectors from the published arrangements of 2024 to 2026.

use jiff::civil::date;

use super::*;
use crate::kit::published_calendar as published;

#[test]
fn the_published_calendar_is_sound() {
    assert_eq!(published().problems(), []);
}

#[test]
fn due_dates() {
    let calendar = published();
    for (start, days, due) in [
        // Make-up Sunday 04-27 counts, 05-01 to 05-05 do not.
        (date(2025, 4, 25), 5, date(2025, 5, 6)),
        (date(2025, 4, 26), 1, date(2025, 4, 27)),
        (date(2025, 4, 30), 1, date(2025, 5, 6)),
        (date(2025, 3, 3), 0, date(2025, 3, 3)),
        (date(2025, 3, 3), 5, date(2025, 3, 10)),
    ] {
        let found = calendar.due(start, days, 1);
        assert_eq!(found.on, due, "{days} working days from {start}");
        assert!(!found.provisional);
    }
}

#[test]
fn a_due_date_in_a_year_not_loaded_is_provisional() {
    let due = published().due(date(2026, 12, 30), 5, 1);
    assert!(due.provisional);
    assert!(Calendar::default().due(date(2025, 4, 25), 5, 0).provisional);
}

#[test]
fn unsound_calendars_are_told() {
    let day = |d, kind| Exception { date: d, kind, name: "x".into() };
    let twice = Calendar {
        years: vec![2025],
        exceptions: vec![
            day(date(2025, 1, 1), DayKind::Holiday),
            day(date(2025, 1, 1), DayKind::Workday),
        ],
    };
    assert_eq!(twice.problems(), [CalendarProblem::Order(date(2025, 1, 1))]);
    let foreign =
        Calendar { years: vec![2025], exceptions: vec![day(date(2026, 1, 1), DayKind::Holiday)] };
    assert_eq!(foreign.problems(), [CalendarProblem::Year(date(2026, 1, 1))]);
    assert_eq!(Calendar::default().problems(), [CalendarProblem::Years]);
}

#[test]
fn the_civil_date_is_that_of_shanghai() {
    let late: Timestamp = "2025-04-25T16:30:00Z".parse().unwrap();
    assert_eq!(civil_date(late), date(2025, 4, 26));
}
