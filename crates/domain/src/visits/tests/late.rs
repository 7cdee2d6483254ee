//! What reaches us later: scans entered by hand, and records that devices kept.

use super::*;
use crate::kit::{accepted, and};

const LEFT: &str = "2025-03-10T11:30+08:00";

fn take(records: &[Kept]) -> Command {
    Command::TakeIn { records: records.to_vec() }
}

fn taken(state: &Visits, records: &[Kept]) -> Vec<Event> {
    when(state, &once_a_year().at(DAY_AFTER), &take(records)).expect("nothing is refused")
}

fn set_aside(record: &Kept, reason: SetAside) -> Event {
    Event::ScanSetAside { record: record.clone(), reason }
}

/// What comes of a record that is handed in before the check-in.
fn set_aside_first(record: &Kept) -> Vec<Event> {
    taken(&in_phase("approved"), std::slice::from_ref(record))
}

fn arrived(record: &Kept) -> CheckIn {
    match &record.what {
        What::CheckedIn { check_in, .. } => check_in.clone(),
        What::CheckedOut { .. } => panic!("they left: {record:?}"),
    }
}

#[test]
fn a_scan_entered_within_ten_calendar_days_is_fine_and_flagged_after() {
    for (came, last, first_late) in [
        ("2025-03-10T10:00+08:00", "2025-03-20T23:59+08:00", "2025-03-21T00:00+08:00"),
        // Over the end of a month, of a leap year's February, and of a year.
        ("2025-04-25T10:00+08:00", "2025-05-05T23:59+08:00", "2025-05-06T00:00+08:00"),
        ("2025-02-20T10:00+08:00", "2025-03-02T23:59+08:00", "2025-03-03T00:00+08:00"),
        ("2024-02-20T10:00+08:00", "2024-03-01T23:59+08:00", "2024-03-02T00:00+08:00"),
        ("2024-12-25T23:59+08:00", "2025-01-04T23:59+08:00", "2025-01-05T00:00+08:00"),
    ] {
        let on = day(&came[..10]);
        let state: Visits = given(&[planned_as(Plan { on, ..plan(1) }), approved_by(visit(1))]);
        for (at, flagged) in [(last, false), (first_late, true)] {
            let entered = check_in(1, scan(came, true));
            let found = when(&state, &once_a_year().at(at), &entered).unwrap();
            let expected = flagged.then_some(Irregularity::BackfilledLate);
            assert_eq!(irregular(&found), expected.into_iter().collect(), "{came} at {at}");
        }
    }
}

#[test]
fn the_policy_says_how_late_a_scan_may_be_entered() {
    let mut world = once_a_year();
    world.frequency.as_mut().unwrap().visits.backfill_days = 0;
    let entered = check_in(1, scan(ON_THE_DAY, true));
    for (at, expected) in [
        ("2025-03-10T23:59+08:00", [].into()),
        ("2025-03-11T00:00+08:00", [Irregularity::BackfilledLate].into()),
    ] {
        let found = when(&in_phase("approved"), &world.at(at), &entered).unwrap();
        assert_eq!(irregular(&found), expected, "{at}");
    }
}

#[test]
fn a_record_of_a_device_may_come_as_late_as_it_will() {
    let record = kept_in(1, ON_THE_DAY);
    let context = "2025-12-31T09:00+08:00";
    let found = when(&in_phase("approved"), &once_a_year().at(context), &take(&[record]));
    // Later than what is entered by hand may come, it is taken in, and marked as that is.
    assert_eq!(irregular(&found.unwrap()), [Irregularity::BackfilledLate].into());
}

#[test]
fn check_in_and_check_out_in_any_order_and_twice_are_doubled_nowhere() {
    let (came_in, went_out) = (kept_in(1, ON_THE_DAY), kept_out(2, LEFT));
    let both = [&came_in, &went_out];
    for order in [[0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0]] {
        for cut in 1..5 {
            let records: Vec<Kept> = order.map(|n: usize| both[n].clone()).into();
            let mut state = in_phase("approved");
            let mut events = vec![];
            for chunk in records.chunks(cut) {
                let found = taken(&state, chunk);
                state = and(state, &found);
                events.extend(found);
            }
            let expected = [came(1, arrived(&came_in)), left(1, LEFT)];
            let waited = [set_aside(&went_out, SetAside::NotCheckedIn)];
            let waited = if order[0] == 1 { waited.as_slice() } else { &[] };
            let expected = [waited, &expected].concat();
            let events = clockless(Ok(events));
            assert_eq!(events, Ok(expected), "{order:?} cut after each {cut}");
        }
    }
}

#[test]
fn a_check_out_that_came_first_takes_effect_with_its_check_in() {
    let world = once_a_year();
    let doubted = Kept { doubts: [Irregularity::ClockSuspect].into(), ..kept_out(2, LEFT) };
    let entered = check_in(1, scan(ON_THE_DAY, true));
    let handed_in = take(&[kept_in(1, ON_THE_DAY)]);
    for command in [entered, handed_in] {
        let state = and(in_phase("approved"), &set_aside_first(&doubted));
        let found = when(&state, &world.at(DAY_AFTER), &command).unwrap();
        assert_eq!(names(&found), "VisitCheckedIn + VisitCheckedOut");
        let Event::VisitCheckedOut { occurred_at, irregularities, .. } = &found[1] else {
            panic!("{found:?}");
        };
        assert_eq!((*occurred_at, irregularities), (moment(LEFT), &doubted.doubts));
        assert_eq!(and(state, &found).get(visit(1)).unwrap().phase_name(), "checked out");
    }
}

#[test]
fn a_check_out_of_a_visit_that_only_its_check_in_makes_known_waits_for_it() {
    let went_out = kept_out(2, LEFT);
    let waiting = taken(&Visits::default(), std::slice::from_ref(&went_out));
    assert_eq!(waiting, [set_aside(&went_out, SetAside::VisitUnknown)]);
    let came_in = kept(1, |manner| What::CheckedIn {
        check_in: CheckIn { manner, ..scan(ON_THE_DAY, false) },
        improvised: Some(plan(1)),
    });
    let found = taken(&given(&waiting), &[came_in]);
    assert_eq!(names(&found), "VisitPlanned + VisitCheckedIn + ApprovalOwed + VisitCheckedOut");
}

#[test]
fn a_check_out_that_does_not_fit_its_check_in_stays_aside() {
    let before = kept_out(2, "2025-03-10T09:59+08:00");
    let state = and(in_phase("approved"), &set_aside_first(&before));
    let found = taken(&state, &[kept_in(1, ON_THE_DAY)]);
    assert_eq!(names(&found), "VisitCheckedIn");
    let state = and(state, &found);
    assert_eq!(taken(&state, &[before]), [], "and is not set aside a second time");
    assert_eq!(names(&taken(&state, &[kept_out(3, LEFT)])), "VisitCheckedOut");
}

#[test]
fn of_two_check_outs_that_wait_the_first_to_arrive_takes_effect() {
    let both = [kept_out(2, "2025-03-10T12:00+08:00"), kept_out(3, LEFT)];
    let state = and(in_phase("approved"), &taken(&in_phase("approved"), &both));
    let found = taken(&state, &[kept_in(1, ON_THE_DAY)]);
    assert_eq!(found[1], left(1, "2025-03-10T12:00+08:00"));
    assert_eq!(taken(&and(state, &found), &both), [], "the other stays aside");
}

#[test]
fn what_changes_nothing_is_set_aside_with_its_reason() {
    let of_tax = |record: Kept| Kept { unit: unit("tax"), ..record };
    let (approved, there) = (in_phase("approved"), in_phase("checked in"));
    let by_other_unit = kept(1, |manner| What::CheckedIn {
        check_in: CheckIn { manner, ..scan(ON_THE_DAY, false) },
        improvised: Some(by("tax", 1)),
    });
    let of_other_visit = kept(1, |manner| What::CheckedIn {
        check_in: CheckIn { manner, ..scan(ON_THE_DAY, false) },
        improvised: Some(plan(2)),
    });
    let future = "2025-03-11T14:01:01+08:00";
    for (state, record, reason) in [
        (&Visits::default(), kept_in(1, ON_THE_DAY), SetAside::VisitUnknown),
        (&Visits::default(), by_other_unit, SetAside::OtherUnit),
        (&Visits::default(), of_other_visit, SetAside::VisitUnknown),
        (&approved, of_tax(kept_in(1, ON_THE_DAY)), SetAside::OtherUnit),
        (&approved, kept_in(1, future), SetAside::InFuture),
        (&there, kept_in(1, "2025-03-10T10:05+08:00"), SetAside::AlreadyCheckedIn),
        (&there, of_tax(kept_out(2, LEFT)), SetAside::OtherUnit),
        (&there, kept_out(2, "2025-03-10T09:59:59+08:00"), SetAside::OutBeforeIn),
        (&there, kept_out(2, future), SetAside::InFuture),
        (&in_phase("checked out"), kept_out(2, "2025-03-10T12:00+08:00"), SetAside::NotCheckedIn),
        (&in_phase("refused"), kept_out(2, LEFT), SetAside::NotCheckedIn),
    ] {
        let found = taken(state, std::slice::from_ref(&record));
        assert_eq!(found, [set_aside(&record, reason)], "{record:?}");
    }
}

#[test]
fn a_record_is_the_same_whatever_was_found_out_about_it_since() {
    let record = kept_in(1, "2025-03-10T10:05+08:00");
    let there = in_phase("checked in");
    let state = and(there.clone(), &taken(&there, std::slice::from_ref(&record)));
    let doubted = Kept { doubts: [Irregularity::ChainBroken].into(), ..record.clone() };
    assert_eq!(taken(&state, &[doubted]), []);
    // Another one with the same number says something else: it is not dropped.
    let double = kept_in(1, "2025-03-10T10:06+08:00");
    let expected = [set_aside(&double, SetAside::AlreadyCheckedIn)];
    assert_eq!(taken(&state, std::slice::from_ref(&double)), expected);
    assert_ne!(record, double);
}

#[test]
fn a_record_from_the_future_takes_effect_when_it_is_handed_in_again_in_time() {
    let world = once_a_year();
    let record = kept_in(1, DAY_AFTER);
    let state =
        accepted(in_phase("approved"), &world.at(ON_THE_DAY), &take(std::slice::from_ref(&record)));
    let found = clockless(Ok(taken(&state, std::slice::from_ref(&record))));
    assert_eq!(found, Ok(vec![came(1, arrived(&record))]));
    // The same once more is nothing.
    let state = and(state, &[came(1, arrived(&record))]);
    assert_eq!(taken(&state, &[record]), []);
}

#[test]
fn what_was_found_out_about_a_record_stands_with_what_was_not_in_order() {
    let doubts = [Irregularity::ClockSuspect, Irregularity::DeviceCloned].into();
    let record = Kept { doubts, ..kept_in(1, ON_THE_DAY) };
    let found = taken(&in_phase("cancelled"), &[record]);
    let expected =
        [Irregularity::AfterCancellation, Irregularity::ClockSuspect, Irregularity::DeviceCloned];
    assert_eq!(irregular(&found), expected.into());
}

#[test]
fn each_record_is_taken_in_on_what_those_before_it_left() {
    let world = world(vec![rule("same-unit", Subject::SameUnit, 1)]);
    let of = |n: u8, counter: u64, at: &str| Kept {
        visit: visit(n),
        ..kept(counter, |manner| What::CheckedIn {
            check_in: CheckIn { manner, ..scan(at, false) },
            improvised: Some(plan(n)),
        })
    };
    let records = [of(1, 1, ON_THE_DAY), of(2, 2, "2025-03-10T15:00+08:00")];
    let found = when(&Visits::default(), &world.at(DAY_AFTER), &take(&records)).unwrap();
    let one = "VisitPlanned + VisitCheckedIn + ApprovalOwed";
    let two = "VisitPlanned + VisitCheckedIn + CapExceeded + ApprovalOwed";
    assert_eq!(names(&found), format!("{one} + {two}"), "the second overshoots");
}
