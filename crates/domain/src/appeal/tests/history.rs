//! A log of the first version goes on under the rules of today.

use serde_json::value::RawValue;

use super::*;
use crate::codec;

/// A golden file of the first version.
fn v1(file: &str) -> Event {
    let path = format!("{}/golden/appeal/{file}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let data: Box<RawValue> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    codec::decode(file.split('.').next().unwrap(), 1, &data).unwrap()
}

/// A life that the first version wrote down.
fn old(files: &[&str]) -> Life {
    let log: Vec<Event> = files.iter().map(|file| v1(file)).collect();
    let state = crate::kit::given(&log);
    Life { state, log, ..Life::absent() }
}

const LIFE: [&str; 7] = [
    "AppealSubmitted",
    "AppealAccepted",
    "AppealDispatched",
    "AppealSignedFor",
    "AppealResolved",
    "ResolutionConfirmed",
    "AppealClosed",
];

#[test]
fn an_old_case_is_open_with_the_clock_it_was_promised() {
    for (n, due, owner) in [
        (1, "2025-04-27T23:59:59+08:00", Owner::CityDesk),
        (2, "2025-04-27T23:59:59+08:00", Owner::CityDesk),
        (3, "2025-05-06T23:59:59+08:00", by("power-supply")),
        (4, "2025-05-06T23:59:59+08:00", by("power-supply")),
    ] {
        let life = old(&LIFE[..n]);
        let clock = life.case().due().unwrap();
        assert_eq!((clock.due, &clock.owner), (moment(due), &owner), "{n}");
        assert!(!life.case().is_silent());
        assert_eq!(life.tries(&Command::Repair), "nothing");
    }
}

#[test]
fn an_old_case_goes_on_to_its_end() {
    let life = old(&LIFE[..2]).then(dispatch("tax")).then(contest("tax", Some("power-supply")));
    let life = life.then(Command::Dispatch { to: None }).then(sign("power-supply"));
    let ids: Vec<u32> = life.case().clocks.keys().map(|id| id.0).collect();
    assert_eq!(ids, [6, 7], "no clock takes another's name");
    let life = life.then(resolve("power-supply")).then(Command::Confirm).then(Command::Close);
    assert_eq!(life.phase(), PhaseName::Closed);
    let life = old(&LIFE[..3]).then(sign("power-supply")).then(resolve("power-supply"));
    assert_eq!(life.kinds(), [ClockKind::Feedback]);
}

#[test]
fn old_cases_without_a_clock_are_found_and_mended() {
    for files in [
        &["AppealSubmitted.about_a_visit"][..],
        &["AppealSubmitted.about_a_visit", "AppealAccepted.no_routing_table"],
        &LIFE[..5],
        &LIFE[..6],
    ] {
        let life = old(files);
        assert!(life.case().is_silent(), "{files:?}");
        let mended = life.then(Command::Repair);
        let Event::AppealRepaired { found, route: None, .. } = mended.last() else { panic!() };
        assert_eq!(*found, Silence::NoClock);
        let clock = mended.case().due().unwrap();
        assert_eq!(clock.owner, by("desk-210212"), "{files:?}");
        assert!(mended.case().clock_last.0 >= 1);
    }
}

#[test]
fn whatever_happens_to_an_old_silent_case_mends_it() {
    let life = old(&LIFE[..5]);
    let mut noted = life.clone();
    assert_eq!(noted.causes(&note(1)), Ok("NoteAdded + AppealRepaired".to_owned()));
    let mut erased = life.clone();
    assert_eq!(erased.causes(&erase()), Ok("PersonalDataErased + AppealRepaired".to_owned()));
    let mut rated = life.clone();
    assert_eq!(rated.causes(&rate(true)), Ok("AppealRated + AppealRepaired".to_owned()));
    let mut agreed = life;
    assert_eq!(agreed.causes(&Command::Confirm), Ok("ResolutionConfirmed".to_owned()));
}

#[test]
fn old_clocks_fire_and_bring_the_guarantee_in() {
    for n in 1..=4 {
        let life = old(&LIFE[..n]).wake("2025-05-07T09:00+08:00");
        assert_eq!(life.case().guarantee, Some(Trigger::Overdue), "{n}");
        assert_eq!(life.lead(), "justice");
        let ended = life.wait("2025-06-30T09:00+08:00");
        assert!(ended.case().due().unwrap().next().is_some());
    }
}

#[test]
fn an_old_objection_is_handled_on_its_clock() {
    let files = [&LIFE[..5], &["ResolutionObjected"]].concat();
    let life = old(&files);
    let clock = life.case().handling_clock(ClockKind::Resolve).unwrap();
    assert_eq!(clock.due, moment("2025-05-14T23:59:59+08:00"));
    let paused = life.clone().at("2025-05-08T09:00+08:00").then(pause("power-supply"));
    assert!(paused.case().due().unwrap().is_paused());
    let resumed = paused.at("2025-05-09T09:00+08:00").then(Command::Resume);
    assert!(resumed.case().due().unwrap().due > moment("2025-05-14T23:59:59+08:00"));
    assert_eq!(life.at("2025-05-08T09:00+08:00").tries(&resolve("power-supply")), "AppealResolved");
}

#[test]
fn an_old_close_is_a_close() {
    let life = old(&LIFE);
    assert_eq!((life.phase(), life.kinds()), (PhaseName::Closed, vec![]));
    assert!(matches!(life.refuses(&reopen("cmVhc29u")), Rejection::ReopenTooLate(_)));
}
