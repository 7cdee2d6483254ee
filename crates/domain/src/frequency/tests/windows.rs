//! Windows: which visits share one, and when a place in it frees.

use super::*;

fn used(days: &[&str]) -> Vec<Entry> {
    let visits = (1_u8..).zip(days);
    visits.map(|(n, on)| entry(n, "tax", Ground::Routine, on, Held::Used)).collect()
}

fn windowed(window: Window, maximum: u32) -> Rule {
    Rule { window, ..rule("r", Subject::AllUnits, maximum) }
}

/// The one standing of a visit on that day.
fn standing(rule: Rule, entries: &[Entry], on: &str) -> Standing {
    let found = weigh(vec![rule], entries, &asked("tax", Ground::Routine, on)).standings;
    let [standing] = found.as_slice() else {
        panic!("{found:?}");
    };
    standing.clone()
}

#[test]
fn the_reach_of_each_window() {
    for (window, on, from, until) in [
        (Window::CalendarYear, "2024-02-29", "2024-01-01", "2024-12-31"),
        (Window::CalendarMonth, "2024-02-29", "2024-02-01", "2024-02-29"),
        (Window::CalendarMonth, "2025-12-01", "2025-12-01", "2025-12-31"),
        (Window::IsoWeek, "2025-01-01", "2024-12-30", "2025-01-05"),
        (Window::IsoWeek, "2025-01-05", "2024-12-30", "2025-01-05"),
        (Window::IsoWeek, "2025-01-06", "2025-01-06", "2025-01-12"),
        (Window::Day, "2025-01-06", "2025-01-06", "2025-01-06"),
        (Window::Rolling(1), "2025-01-06", "2025-01-06", "2025-01-06"),
        (Window::Rolling(30), "2025-01-30", "2025-01-01", "2025-02-28"),
    ] {
        assert_eq!(window.reach(day(on)), (day(from), day(until)), "{window:?} {on}");
    }
    assert_eq!(Window::Rolling(9).reach(Date::MAX).1, Date::MAX);
    assert_eq!(Window::IsoWeek.reach(Date::MIN).0, Date::MIN);
}

#[test]
fn a_visit_put_between_others_finds_the_fullest_rolling_window() {
    let ten = |maximum| windowed(Window::Rolling(10), maximum);
    for (days, on, full, visits, from) in [
        // Within ten days of one on each side, but the three never share ten days.
        (["2025-03-01", "2025-03-19"], "2025-03-10", 1, vec![1], "2025-03-01"),
        (["2025-03-01", "2025-03-20"], "2025-03-10", 1, vec![1], "2025-03-01"),
        (["2025-03-01", "2025-03-20"], "2025-03-11", 1, vec![2], "2025-03-11"),
        // All three share ten days.
        (["2025-03-05", "2025-03-14"], "2025-03-10", 2, vec![1, 2], "2025-03-05"),
        (["2025-03-05", "2025-03-15"], "2025-03-10", 1, vec![1], "2025-03-01"),
        (["2025-03-01", "2025-03-21"], "2025-03-11", 0, vec![], "2025-03-02"),
    ] {
        let found = standing(ten(2), &used(&days), on);
        assert_eq!(found.used, full, "{days:?} {on}");
        assert_eq!(found.would_exceed(), full == 2, "{days:?} {on}");
        let ids: Vec<u128> = found.visits.iter().map(|visit| visit.0.as_u128()).collect();
        assert_eq!((ids, found.from), (visits, day(from)), "{days:?} {on}");
        assert_eq!(found.until, found.from.saturating_add(9.days()));
    }
}

#[test]
fn when_a_place_frees_in_each_window() {
    let quiet = DaysOfMonth { from: 10, until: 20 };
    for (window, maximum, days, on, expected) in [
        (Window::CalendarYear, 1, vec!["2025-03-03"], "2025-06-01", Some("2026-01-01")),
        (
            Window::CalendarYear,
            1,
            vec!["2025-03-03", "2026-05-05"],
            "2025-06-01",
            Some("2027-01-01"),
        ),
        (Window::CalendarMonth, 1, vec!["2025-03-03"], "2025-03-01", Some("2025-04-01")),
        (
            Window::CalendarMonth,
            1,
            vec!["2025-03-03", "2025-04-30"],
            "2025-03-01",
            Some("2025-05-01"),
        ),
        (Window::IsoWeek, 1, vec!["2025-03-03"], "2025-03-09", Some("2025-03-10")),
        (Window::IsoWeek, 1, vec!["2025-03-03", "2025-03-16"], "2025-03-09", Some("2025-03-17")),
        (Window::Day, 1, vec!["2025-03-03"], "2025-03-03", Some("2025-03-04")),
        (Window::Day, 1, vec!["2025-03-03", "2025-03-04"], "2025-03-03", Some("2025-03-05")),
        (Window::Rolling(10), 1, vec!["2025-03-03"], "2025-03-05", Some("2025-03-13")),
        // A later visit stands in the way until it has left as well.
        (
            Window::Rolling(10),
            1,
            vec!["2025-03-03", "2025-03-20"],
            "2025-03-05",
            Some("2025-03-30"),
        ),
        (
            Window::Rolling(10),
            1,
            vec!["2025-03-03", "2025-03-23"],
            "2025-03-05",
            Some("2025-03-13"),
        ),
        (
            Window::Rolling(10),
            2,
            vec!["2025-03-03", "2025-03-06"],
            "2025-03-05",
            Some("2025-03-13"),
        ),
        (Window::CalendarYear, 2, vec!["2025-03-03"], "2025-06-01", None),
        (Window::CalendarYear, 0, vec![], "2025-06-01", None),
        (Window::Rolling(10), 0, vec![], "2025-06-01", None),
    ] {
        let found = standing(windowed(window, maximum), &used(&days), on);
        assert_eq!(found.frees_on, expected.map(day), "{window:?} {maximum} {days:?} {on}");
    }
    for (until, days_of_month, on, expected) in [
        (Some("2025-06-30"), None, "2025-06-01", Some("2025-07-01")),
        (None, Some(quiet), "2025-06-10", Some("2025-06-21")),
        (None, Some(quiet), "2025-06-20", Some("2025-06-21")),
        (None, Some(DaysOfMonth { from: 15, until: 31 }), "2025-06-30", Some("2025-07-01")),
        (None, Some(DaysOfMonth { from: 1, until: 30 }), "2025-06-01", Some("2025-07-31")),
        (None, Some(DaysOfMonth { from: 1, until: 31 }), "2025-06-01", None),
        (Some("2025-06-15"), Some(quiet), "2025-06-12", Some("2025-06-16")),
    ] {
        let rule = windowed(Window::CalendarYear, 0);
        let rule = Rule { days_of_month, valid_until: until.map(day), ..rule };
        assert_eq!(standing(rule, &[], on).frees_on, expected.map(day), "{until:?} {on}");
    }
}

#[test]
fn a_hundred_and_more_full_days_end_nevertheless() {
    let first = day("2025-01-01");
    let on = |n: u8| entry(n, "tax", Ground::Routine, "2025-01-01", Held::Reserved);
    let full: Vec<Entry> = (0..200)
        .map(|n| Entry { on: first.saturating_add(i64::from(n).days()), ..on(n) })
        .collect();
    let found = standing(windowed(Window::Day, 1), &full, "2025-01-01");
    assert_eq!(found.frees_on, Some(first.saturating_add(200.days())));
}

#[test]
fn visits_are_plainly_too_many_by_year_or_by_thirty_days() {
    let mut policy = policy_of(vec![rule("year", Subject::AllUnits, 2)]);
    let found = |policy: &FrequencyPolicy, days: &[&str], on: &str| {
        let happened = entry(9, "fire", Ground::Complaint, on, Held::Used);
        let found = excessive(policy, &Traits::default(), &used(days), &happened);
        found.map(|(count, from, until)| (count, from.to_string(), until.to_string()))
    };
    let told = |count, from: &str, until: &str| Some((count, from.to_owned(), until.to_owned()));
    let spread = ["2025-01-01", "2025-04-01", "2025-08-01"];
    let year = told(4, "2025-01-01", "2025-12-31");
    assert_eq!(found(&policy, &spread, "2025-12-31"), year, "twice the maximum");
    assert_eq!(found(&policy, &spread, "2026-01-01"), None, "of another year");
    // A rule about one item, or one that only marks, says nothing of all visits together.
    let year_rule = &policy.rules[0];
    let of_one_item = Rule { items: [item("SC-0101")].into(), ..year_rule.clone() };
    let marking = Rule { on_exceeding: OnExceeding::Warn, ..year_rule.clone() };
    for narrow in [of_one_item, marking] {
        assert_eq!(found(&policy_of(vec![narrow]), &spread, "2025-12-31"), None);
    }
    assert_eq!(found(&policy, &spread[..2], "2025-12-31"), None);
    let near = ["2025-02-10", "2025-02-20"];
    assert_eq!(found(&policy, &near, "2025-03-11"), told(3, "2025-02-10", "2025-03-11"));
    assert_eq!(found(&policy, &near, "2025-03-12"), None, "31 days");
    // In the midst of two others, and near a heap that it is no part of.
    assert_eq!(found(&policy, &["2025-02-10", "2025-03-11"], "2025-02-25").map(|f| f.0), Some(3));
    let heap = ["2025-02-10", "2025-02-11", "2025-02-12"];
    let one_rule = rule("year", Subject::AllUnits, 9);
    policy.rules = vec![one_rule];
    assert_eq!(found(&policy, &heap, "2025-06-01"), None);
    policy.excess = Excess { multiple: 1, visits: 9, days: 30 };
    policy.rules[0].maximum = 4;
    assert_eq!(found(&policy, &heap, "2025-06-01"), year);
    let reserved = [entry(1, "tax", Ground::Routine, "2025-06-02", Held::Reserved)];
    let happened = entry(9, "fire", Ground::Complaint, "2025-06-01", Held::Used);
    policy.excess = Excess { multiple: 9, visits: 2, days: 30 };
    let found = excessive(&policy, &Traits::default(), &reserved, &happened);
    assert_eq!(found, None, "only what was carried out");
}
