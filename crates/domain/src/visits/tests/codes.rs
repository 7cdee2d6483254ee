//! What was scanned: sound or not, where, and what it proves.

use super::*;
use crate::{
    enterprise::Event as OfEnterprise,
    kit::{accepted, and},
};

/// Where the code hangs.
const PLACE: Place = Place { latitude_e6: 38_914_003, longitude_e6: 121_614_682, accuracy_m: 10 };

fn code(n: u8) -> CodeId {
    CodeId(Uuid::from_u128(u128::from(n)))
}

/// An enterprise where code 1 hangs in order, 2 was revoked, 3 ended before the planned day, and 4 is
/// revoked on the day after it.
fn coded() -> World {
    let issued = |n, expires_at: &str| OfEnterprise::CodeIssued {
        code: code(n),
        expires_at: moment(expires_at),
        place: Some(PLACE),
    };
    let revoked = |n, at: &str| OfEnterprise::CodeRevoked { code: code(n), at: moment(at) };
    let mut world = once_a_year();
    world.profile = and(
        world.profile,
        &[
            issued(1, "2026-03-10T00:00+08:00"),
            issued(2, "2026-03-10T00:00+08:00"),
            issued(3, ON_THE_DAY),
            issued(4, "2026-03-10T00:00+08:00"),
            revoked(2, "2025-03-05T00:00+08:00"),
            revoked(4, "2025-03-11T00:00+08:00"),
        ],
    );
    world
}

fn with(proof: Proof, late: bool) -> CheckIn {
    let manner = Manner::Kept { device: DeviceId(Uuid::from_u128(77)), counter: 1 };
    let manner = if late { manner } else { Manner::Live };
    CheckIn { manner, proof, ..scan(ON_THE_DAY, false) }
}

fn printed(n: u8) -> Proof {
    Proof::PrintedCode { code: code(n) }
}

/// The approved visit 1, where a rotating code and a task code were used for another visit.
fn used() -> Visits {
    let others = [2, 3].map(|n| planned_as(by("tax", n)));
    let rotating = with(Proof::RotatingCode { code: code(5) }, false);
    let of_task = with(Proof::TaskCode { code: code(6) }, false);
    let events = [others.to_vec(), vec![came(2, rotating), came(3, of_task)]].concat();
    and(in_phase("approved"), &events)
}

#[test]
fn a_scan_at_the_door_needs_a_sound_code() {
    let world = coded();
    for (proof, expected) in [
        (Proof::Nothing, Err(Rejection::CodeMissing)),
        (printed(1), Ok(())),
        (printed(2), Err(Rejection::CodeRevoked)),
        (printed(3), Err(Rejection::CodeRevoked)),
        (printed(9), Err(Rejection::CodeRevoked)),
        (Proof::RotatingCode { code: code(5) }, Err(Rejection::CodeReplayed)),
        (Proof::RotatingCode { code: code(6) }, Err(Rejection::CodeReplayed)),
        (Proof::TaskCode { code: code(5) }, Err(Rejection::CodeReplayed)),
        (Proof::RotatingCode { code: code(7) }, Ok(())),
        (Proof::TaskCode { code: code(7) }, Ok(())),
    ] {
        let found = when(&used(), &world.at(ON_THE_DAY), &check_in(1, with(proof, false)));
        assert_eq!(found.map(|_| ()), expected, "{proof:?}");
    }
}

#[test]
fn a_code_that_is_not_sound_is_recorded_with_a_late_scan() {
    let world = coded();
    for (proof, expected) in [
        (Proof::Nothing, Some(Irregularity::CodeMissing)),
        (printed(1), None),
        (printed(2), Some(Irregularity::CodeRevoked)),
        (printed(3), Some(Irregularity::CodeRevoked)),
        (printed(9), Some(Irregularity::CodeRevoked)),
        (Proof::RotatingCode { code: code(5) }, Some(Irregularity::CodeReplayed)),
        (Proof::TaskCode { code: code(6) }, Some(Irregularity::CodeReplayed)),
        (Proof::RotatingCode { code: code(7) }, None),
    ] {
        let found = when(&used(), &world.at(DAY_AFTER), &check_in(1, with(proof, true))).unwrap();
        assert_eq!(irregular(&found), expected.into_iter().collect(), "{proof:?}");
    }
    // Whoever enters a scan by hand has nothing to show: that is why.
    let by_hand = when(&used(), &world.at(DAY_AFTER), &check_in(1, scan(ON_THE_DAY, true)));
    assert_eq!(irregular(&by_hand.unwrap()), [].into());
}

#[test]
fn at_the_door_our_clock_says_whether_a_code_is_good_and_afterwards_the_time_of_the_scan() {
    let world = coded();
    let claimed_before = when(&used(), &world.at(DAY_AFTER), &check_in(1, with(printed(4), false)));
    assert_eq!(claimed_before, Err(Rejection::CodeRevoked));
    let late = when(&used(), &world.at(DAY_AFTER), &check_in(1, with(printed(4), true)));
    assert_eq!(irregular(&late.unwrap()), [].into());
}

#[test]
fn a_printed_code_is_good_for_any_number_of_scans() {
    let world = coded();
    let state = and(in_phase("approved"), &[planned_as(by("tax", 2))]);
    let of_tax = Event::VisitApproved { visit: visit(2), unit: Some(unit("tax")) };
    let state = and(state, &[of_tax, came(1, with(printed(1), false))]);
    let command = Command::CheckIn {
        visit: visit(2),
        unit: unit("tax"),
        check_in: with(printed(1), false),
        improvised: None,
    };
    assert_eq!(told(when(&state, &world.at(ON_THE_DAY), &command)), "VisitCheckedIn");
}

#[test]
fn a_place_far_from_the_printed_code_is_marked_and_never_refused() {
    let world = coded();
    // A thousandth of a degree north is 111 metres.
    let north = |thousandths: i32, accuracy_m| Place {
        latitude_e6: PLACE.latitude_e6 + thousandths * 1000,
        accuracy_m,
        ..PLACE
    };
    for (proof, place, marked) in [
        (printed(1), Some(north(0, 10)), false),
        (printed(1), Some(north(9, 10)), false),
        (printed(1), Some(north(10, 10)), true),
        (printed(1), Some(north(10, 500)), false),
        (printed(1), Some(north(50_000, 10)), true),
        (printed(1), None, false),
        // Nobody says where a code is that the enterprise shows.
        (rotating("door"), Some(north(50_000, 10)), false),
    ] {
        for late in [false, true] {
            let scan = CheckIn { place, ..with(proof, late) };
            let at = if late { DAY_AFTER } else { ON_THE_DAY };
            let found = when(&used(), &world.at(at), &check_in(1, scan)).unwrap();
            let expected = marked.then_some(Irregularity::PlaceImplausible);
            assert_eq!(irregular(&found), expected.into_iter().collect(), "{proof:?} {place:?}");
        }
    }
    let mut strict = coded();
    strict.frequency.as_mut().unwrap().visits.place_metres = 900;
    let scan = CheckIn { place: Some(north(9, 10)), ..with(printed(1), false) };
    let found = when(&used(), &strict.at(ON_THE_DAY), &check_in(1, scan)).unwrap();
    let expected = [Irregularity::PlaceImplausible].into();
    assert_eq!(irregular(&found), expected, "as the terms have it");
}

#[test]
fn places_are_as_far_apart_as_they_are_at_least() {
    let at = |latitude_e6, longitude_e6| Place { latitude_e6, longitude_e6, accuracy_m: 0 };
    for (one, other, metres) in [
        (at(0, 0), at(0, 0), 0),
        (at(0, 0), at(1_000_000, 0), 111_195),
        (at(0, 0), at(0, 1_000_000), 111_195),
        // A degree east is half as long at sixty degrees north.
        (at(60_000_000, 0), at(60_000_000, 1_000_000), 55_597),
        // The shorter way round.
        (at(0, 179_500_000), at(0, -179_500_000), 111_195),
        (at(-90_000_000, 0), at(90_000_000, 0), 20_015_100),
    ] {
        assert_eq!((one.apart_m(&other), other.apart_m(&one)), (metres, metres));
    }
    let vague = Place { accuracy_m: u32::MAX, ..at(1_000_000, 0) };
    assert_eq!(vague.apart_m(&at(0, 0)), 0);
}

#[test]
fn what_a_scan_proves() {
    let code = code(1);
    let proofs = [
        (Proof::Nothing, Assurance::Stated),
        (Proof::PrintedCode { code }, Assurance::Place),
        (Proof::RotatingCode { code }, Assurance::Presence),
        (Proof::TaskCode { code }, Assurance::Admitted),
    ];
    assert_eq!(proofs.map(|(proof, _)| proof.assurance()), proofs.map(|(_, assured)| assured));
    assert!(proofs.is_sorted_by(|(_, less), (_, more)| less < more), "from the least");
}

#[test]
fn the_enterprise_lets_in_those_who_are_to_come_by_the_visits_own_code() {
    let admit =
        |n| Command::Admit { visit: visit(1), code: code(n), place: Some(PLACE), units: [].into() };
    let found = when(&in_phase("approved"), &coded().at(ON_THE_DAY), &admit(8)).unwrap();
    let [Event::VisitCheckedIn { check_in, irregularities, .. }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(*irregularities, [].into());
    assert_eq!(check_in.officers, officers(2));
    assert_eq!(check_in.occurred_at, moment(ON_THE_DAY), "our clock, not the device's");
    assert_eq!(check_in.proof, Proof::TaskCode { code: code(8) });
    assert_eq!((&check_in.manner, check_in.place), (&Manner::Live, Some(PLACE)));
    assert_eq!(when(&used(), &coded().at(ON_THE_DAY), &admit(6)), Err(Rejection::CodeReplayed));
    let early = when(&used(), &coded().at("2025-03-09T23:59+08:00"), &admit(8));
    assert_eq!(early, Err(Rejection::BeforePlannedDay { on: plan(1).on }));
}

#[test]
fn the_enterprise_may_send_officers_away_until_it_let_them_in() {
    let refuse =
        || Command::Refuse { visit: visit(1), reason: RefusalReason::ItemsDiffer, shown: true };
    let state = accepted(used(), &coded().at(ON_THE_DAY), &refuse());
    assert_eq!(state.get(visit(1)).unwrap().entry(), None, "its place is free");
    let live = check_in(1, with(Proof::RotatingCode { code: code(7) }, false));
    assert_eq!(told(when(&state, &coded().at(ON_THE_DAY), &live)), "needs approved");
    let let_in = accepted(used(), &coded().at(ON_THE_DAY), &live);
    let found = when(&let_in, &coded().at(ON_THE_DAY), &refuse());
    assert_eq!(told(found), "needs planned or approved");
}
