//! Work-calendar vectors from the published arrangements of 2024 to 2026.

use jiff::civil::{date, time};
use serde_json::json;

use super::*;
use crate::kit::{moment, published_calendar as published};

fn hours(from: i8, to: i8) -> Interval {
    Interval { from: time(from, 0, 0, 0), to: time(to, 0, 0, 0) }
}

fn exception(date: Date, kind: DayKind, hours: Option<Vec<Interval>>) -> Exception {
    Exception { date, kind, name: "x".to_owned(), hours }
}

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
        assert_eq!(calendar.count(start, days), due, "{days} working days from {start}");
    }
}

#[test]
fn days_of_a_year_that_is_not_loaded_are_provisional() {
    let provisional = |calendar: &Calendar, first, last| calendar.is_provisional(first, last);
    let (first, last) = (date(2026, 12, 31), date(2027, 1, 7));
    assert!(!provisional(&published(), first, first));
    assert!(provisional(&published(), first, last));
    assert!(provisional(&Calendar::default(), first, first));
}

#[test]
fn unsound_calendars_are_told() {
    let (new_year, next_year) = (date(2025, 1, 1), date(2026, 1, 1));
    let calendar = |exceptions| Calendar { years: vec![2025], exceptions, ..Calendar::default() };
    let twice = calendar(vec![
        exception(new_year, DayKind::Holiday, None),
        exception(new_year, DayKind::Workday, None),
    ]);
    assert_eq!(twice.problems(), [CalendarProblem::Order(new_year)]);
    let foreign = calendar(vec![exception(next_year, DayKind::Holiday, None)]);
    assert_eq!(foreign.problems(), [CalendarProblem::Year(next_year)]);
    assert_eq!(Calendar::default().problems(), [CalendarProblem::Years]);
}

#[test]
fn the_civil_date_is_that_of_shanghai() {
    let late: Timestamp = "2025-04-25T16:30:00Z".parse().unwrap();
    assert_eq!(civil_date(late), date(2025, 4, 26));
}

#[test]
fn unsound_hours_are_told() {
    let on = date(2025, 1, 1);
    for unsound in [
        vec![],
        vec![hours(9, 9)],
        vec![hours(12, 9)],
        vec![hours(13, 17), hours(9, 12)],
        vec![hours(9, 13), hours(12, 17)],
    ] {
        let calendar = Calendar { hours: unsound.clone(), ..published() };
        assert_eq!(calendar.problems(), [CalendarProblem::Hours], "{unsound:?}");
        let exceptions = vec![exception(on, DayKind::Workday, Some(unsound))];
        let calendar = Calendar { years: vec![2025], exceptions, ..Calendar::default() };
        assert_eq!(calendar.problems(), [CalendarProblem::HoursOn(on)]);
    }
    let exceptions = vec![exception(on, DayKind::Holiday, Some(vec![hours(9, 12)]))];
    let calendar = Calendar { years: vec![2025], exceptions, ..Calendar::default() };
    assert_eq!(calendar.problems(), [CalendarProblem::HoursOn(on)]);
    let around_the_clock = Calendar { hours: vec![hours(0, 12), hours(12, 23)], ..published() };
    assert_eq!(around_the_clock.problems(), []);
}

#[test]
fn a_document_without_hours_has_the_usual_ones() {
    let old = json!({
        "years": [2025],
        "exceptions": [{ "date": "2025-05-01", "kind": "holiday", "name": "劳动节" }],
    });
    let calendar: Calendar = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(calendar.hours, [hours(9, 12), hours(13, 17)]);
    assert_eq!(serde_json::to_value(&calendar).unwrap(), old);
    let summer = json!({
        "years": [2025],
        "exceptions": [{
            "date": "2025-05-01", "kind": "workday", "name": "x",
            "hours": [{ "from": "09:00:00", "to": "12:00:00" }],
        }],
        "hours": [{ "from": "08:30:00", "to": "11:30:00" }],
    });
    let calendar: Calendar = serde_json::from_value(summer.clone()).unwrap();
    assert_eq!(calendar.hours_on(date(2025, 5, 1)), [hours(9, 12)]);
    assert_eq!(serde_json::to_value(&calendar).unwrap(), summer);
}

#[test]
fn hours_of_a_day() {
    let mut calendar = published();
    assert_eq!(calendar.hours_on(date(2025, 3, 8)), []);
    assert_eq!(calendar.hours_on(date(2025, 5, 1)), []);
    assert_eq!(calendar.hours_on(date(2025, 4, 27)), calendar.hours);
    assert!(calendar.end_of_day(date(2025, 5, 1)).is_none());
    let evening = calendar.end_of_day(date(2025, 4, 27)).unwrap();
    assert_eq!(evening, moment("2025-04-27T17:00+08:00"));
    calendar.hours = vec![hours(22, 23)];
    assert_eq!(calendar.end_of_day(date(2025, 4, 27)), Some(moment("2025-04-27T23:00+08:00")));
}

#[test]
fn fractions_of_a_second_are_cut_and_reversed_is_nothing() {
    let calendar = published();
    let (from, to) = (moment("2025-03-04T09:59:59.9+08:00"), moment("2025-03-04T10:00:00.1+08:00"));
    assert_eq!(calendar.working_time(from, to), WorkingTime::SECOND);
    assert_eq!(calendar.working_time(to, from), WorkingTime::ZERO);
    assert_eq!(calendar.after(from, WorkingTime::ZERO), moment("2025-03-04T09:59:59+08:00"));
    assert_eq!(cut(moment("1969-12-31T23:59:58.5Z")), moment("1969-12-31T23:59:58Z"));
    assert_eq!(cut(Timestamp::MIN), Timestamp::MIN);
}

#[test]
fn the_ends_of_time_are_no_endless_loop() {
    let calendar = published();
    let late = moment("9990-03-04T10:00Z");
    let all = calendar.working_time(late, Timestamp::MAX);
    assert_eq!(calendar.after(late, all + WorkingTime::SECOND), Timestamp::MAX);
    assert_eq!(calendar.end_of_count(Timestamp::MAX, 400), Timestamp::MAX);
    assert_eq!(calendar.working_time(Timestamp::MAX, Timestamp::MIN), WorkingTime::ZERO);
    let never = Calendar { hours: vec![], ..Calendar::default() };
    assert_eq!(never.after(late, WorkingTime::SECOND), Timestamp::MAX);
}

#[test]
fn the_same_time_of_day_or_the_end_of_business() {
    let mut calendar = published();
    let own = vec![hours(12, 14), hours(15, 16)];
    let at = calendar.exceptions.partition_point(|other| other.date < date(2025, 3, 5));
    calendar.exceptions.insert(at, exception(date(2025, 3, 5), DayKind::Workday, Some(own)));
    assert_eq!(calendar.problems(), []);
    for (time, days, expected) in [
        ("2025-03-04T13:30", 1, "2025-03-05T13:30"),
        ("2025-03-04T16:00", 1, "2025-03-05T16:00"),
        // Before, when work just begins, in between, and after.
        ("2025-03-04T10:00", 1, "2025-03-05T16:00"),
        ("2025-03-04T12:00", 1, "2025-03-05T16:00"),
        ("2025-03-04T14:30", 1, "2025-03-05T16:00"),
        ("2025-03-04T17:00", 1, "2025-03-05T16:00"),
        ("2025-03-04T17:00", 2, "2025-03-06T17:00"),
        ("2025-03-04T18:00", 0, "2025-03-04T18:00"),
        ("2025-04-25T16:15", 5, "2025-05-06T16:15"),
    ] {
        let at = |text: &str| moment(&format!("{text}+08:00"));
        assert_eq!(calendar.later(at(time), days), at(expected), "{days} after {time}");
    }
}
