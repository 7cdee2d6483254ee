//! The shipped work calendar against an independent oracle, the Python package `chinese-calendar`:
//! every day of 2024 to 2026, and random allowances and instants.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio};

use doudi_domain::{
    Published,
    calendar::{Calendar, WorkingTime},
    cases::CaseTypes,
    clock::{Clock, ClockId, ClockKind, Owner},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use tokio::process::Command;

/// How many of each question the oracle answers.
const COUNT: usize = 2000;

fn shipped_calendar() -> Calendar {
    let csv = include_str!("../../deploy/catalogue/work_calendar.csv");
    let exception = |line: &str| {
        let columns: Vec<&str> = line.split(',').collect();
        json!({ "date": columns[0], "kind": columns[1], "name": columns[2] })
    };
    let exceptions: Vec<Value> = csv.lines().skip(1).map(exception).collect();
    serde_json::from_value(json!({ "years": [2024, 2025, 2026], "exceptions": exceptions }))
        .unwrap()
}

/// An instant that the oracle wrote in the local time of Asia/Shanghai.
fn instant(local: &str) -> Timestamp {
    format!("{local}+08:00").parse().unwrap()
}

/// Insists that the rules say the same as one line of the oracle.
fn compare(line: &str, calendar: &Calendar, cases: &CaseTypes) {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["day", date, works] => {
            let date: Date = date.parse().unwrap();
            assert_eq!(calendar.is_workday(date), works == "1", "{line}");
        }
        ["due", start, days, due] => {
            let (start, due): (Date, Date) = (start.parse().unwrap(), due.parse().unwrap());
            let days = days.parse().unwrap();
            if days > 0 {
                let calendar = Published { version: 1, document: calendar };
                let terms = cases.types[0].terms(1, calendar);
                let (kind, owner) = (ClockKind::Resolve, Owner::CityDesk);
                let now = instant(&format!("{start}T15:30:00"));
                let clock = Clock::start(ClockId(1), kind, owner, days, now, terms);
                assert_eq!(clock.due, instant(&format!("{due}T17:00:00")), "{line}");
            }
        }
        ["worked", from, to, seconds] => {
            let worked = WorkingTime::from_seconds(seconds.parse().unwrap());
            assert_eq!(calendar.working_time(instant(from), instant(to)), worked, "{line}");
        }
        ["after", from, seconds, at] => {
            let amount = WorkingTime::from_seconds(seconds.parse().unwrap());
            assert_eq!(calendar.after(instant(from), amount), instant(at), "{line}");
        }
        _ => panic!("the oracle wrote what nobody asked for: {line}"),
    }
}

#[tokio::test]
async fn every_day_and_any_allowance_as_an_independent_calendar_counts_them() {
    let Some(python) = doudi_tests::python() else {
        doudi_tests::skipped("python", "run deploy/bootstrap.sh --python");
        return;
    };
    let seed = std::env::var("SEED").unwrap_or_else(|_| "20250425".to_owned());
    println!("SEED={seed}");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("python/calendar_oracle.py"))
        .arg(&seed)
        .arg(COUNT.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let calendar = shipped_calendar();
    let cases = include_str!("../../deploy/catalogue/case_types.json");
    let cases: CaseTypes = serde_json::from_str(cases).unwrap();
    let mut answers: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        compare(line, &calendar, &cases);
        *answers.entry(line.split(' ').next().unwrap()).or_default() += 1;
    }
    println!("{answers:?}");
    assert_eq!((answers["day"], answers["worked"]), (3 * 365 + 1, COUNT));
    // The others leave out what ends after the published years.
    assert!(answers["due"].min(answers["after"]) > COUNT * 4 / 5, "{answers:?}");
}
