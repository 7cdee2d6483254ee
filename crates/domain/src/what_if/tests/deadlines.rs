//! Deadlines under other case types and another calendar.

use jiff::Timestamp;
use uuid::Uuid;

use super::{all, enterprise, published};
use crate::{
    Decider,
    appeal::{Appeal, Channel, Command, Event, Outcome, Submission},
    calendar::{DayKind, Exception},
    cases::CaseTypes,
    clock::ClockKind,
    ids::{AppealId, TopicId},
    kit::{
        World, area, day, moment, plan_of_the_city, published_calendar, sealed, shipped_cases, unit,
    },
    policy::Document,
    what_if::{Change, Days, Key, Report, Told, WhatIf},
};

/// An appeal that the power supply has on 25 April 2025, to be resolved within 5 working days: until 6 May.
/// Resolved at that instant, if at all.
fn life(resolved: Option<&str>) -> Vec<Event> {
    let routing = Some(plan_of_the_city());
    let world = World { routing, calendar: Some(published_calendar()), ..World::default() };
    let friday = "2025-04-25T09:00+08:00";
    let topic = TopicId::parse("T06").unwrap();
    let submission = Submission::new(Channel::Web, topic, area("210212"), sealed("eA=="));
    let by = || unit("power-supply");
    let resolve = Command::Resolve { unit: by(), outcome: Outcome::Solved, reply: sealed("eQ==") };
    let commands = [
        (friday, Command::Submit(submission)),
        (friday, Command::Accept),
        (friday, Command::Dispatch { to: None }),
        (friday, Command::SignFor { unit: by() }),
        (friday, Command::RecordContact { unit: by() }),
    ];
    let mut state = Appeal::Absent;
    let mut log = vec![];
    for (at, command) in commands.into_iter().chain(resolved.map(|at| (at, resolve))) {
        for event in state.decide(&world.at(at), &command).unwrap() {
            state = state.evolve(&event);
            log.push(event);
        }
    }
    log
}

fn tried(candidate: Document, events: Vec<Event>, now: &str, days: Days) -> Report {
    let mut what_if = WhatIf::new(candidate, days, all()).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    what_if.take(at, published(7, Document::Calendar(published_calendar())));
    what_if.take(at, Told::Appeal(enterprise(), AppealId(Uuid::from_u128(1)), events));
    what_if.report(moment(now))
}

/// The case types shipped with another time to resolve in the first class of the first.
fn resolving(working_days: u16) -> Document {
    let mut types = shipped_cases();
    types.types[0].classes[0].resolve = working_days;
    Document::CaseTypes(types)
}

/// What becomes of the resolution.
fn resolution(candidate: Document, resolved: Option<&str>, now: &str) -> Vec<Change> {
    let report = tried(candidate, life(resolved), now, Days::default());
    let owed = Key::Owed(ClockKind::Resolve);
    report.counts.into_keys().filter(|(_, key)| *key == owed).map(|(change, _)| change).collect()
}

#[test]
fn a_shorter_allowance_is_missed_by_who_answered_after_it() {
    let (early, late) = (Some("2025-04-27T10:00+08:00"), Some("2025-05-06T10:00+08:00"));
    let now = "2025-05-30T10:00+08:00";
    assert_eq!(resolution(resolving(3), late, now), [Change::Missed]);
    assert_eq!(resolution(resolving(3), early, now), [Change::Earlier]);
    assert_eq!(resolution(resolving(5), late, now), []);
    assert_eq!(resolution(resolving(8), late, now), [Change::Later]);
}

#[test]
fn what_still_runs_is_compared_as_of_the_end() {
    assert_eq!(resolution(resolving(8), None, "2025-05-07T10:00+08:00"), [Change::Kept]);
    assert_eq!(resolution(resolving(8), None, "2025-05-30T10:00+08:00"), [Change::Later]);
    assert_eq!(resolution(resolving(3), None, "2025-05-05T10:00+08:00"), [Change::Missed]);
}

#[test]
fn changes_are_counted_by_unit_area_kind_and_class() {
    let now = "2025-05-30T10:00+08:00";
    let report = tried(resolving(3), life(Some("2025-05-06T10:00+08:00")), now, Days::default());
    let missed = report.counts.keys().filter(|(change, _)| *change == Change::Missed);
    let first = &shipped_cases().types[0];
    let keys = [
        Key::Unit(Some(unit("power-supply"))),
        Key::Area(Some(area("210212"))),
        Key::Owed(ClockKind::Resolve),
        Key::Class(first.id.clone(), first.classes[0].id.clone()),
    ];
    assert!(missed.map(|(_, key)| key).eq(keys.iter()), "{:?}", report.counts);
    // Acceptance, dispatch, contact and feedback are looked at too.
    assert_eq!((report.compared, report.skipped), (5, 0));
}

#[test]
fn another_calendar_moves_what_lies_in_its_days() {
    let mut calendar = published_calendar();
    let holiday = Exception {
        date: day("2025-05-06"),
        kind: DayKind::Holiday,
        name: "劳动节".to_owned(),
        hours: None,
    };
    let after = calendar.exceptions.partition_point(|known| known.date < holiday.date);
    calendar.exceptions.insert(after, holiday);
    let candidate = || Document::Calendar(calendar.clone());
    let late = Some("2025-05-06T10:00+08:00");
    assert_eq!(resolution(candidate(), late, "2025-05-30T10:00+08:00"), [Change::Later]);
    assert_eq!(resolution(candidate(), None, "2025-05-06T20:00+08:00"), [Change::Kept]);
}

#[test]
fn a_case_type_that_is_gone_says_nothing_and_other_days_are_not_looked_at() {
    let mut types = shipped_cases().types;
    types.remove(0);
    let gone = || Document::CaseTypes(CaseTypes { types: types.clone() });
    let now = "2025-05-30T10:00+08:00";
    let report = tried(gone(), life(None), now, Days::default());
    assert_eq!((report.compared, report.skipped), (0, 4));
    let later = Days { from: Some(day("2025-04-26")), ..Days::default() };
    let report = tried(gone(), life(None), now, later);
    assert_eq!((report.compared, report.skipped), (0, 0));
}
