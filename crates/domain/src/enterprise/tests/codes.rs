//! The codes that hang at an enterprise: how long they live, how many there are, since when one is good no more.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::{ids::CodeId, visits::Place};

fn code(n: u128) -> CodeId {
    CodeId(Uuid::from_u128(n))
}

fn place() -> Option<Place> {
    Some(Place { latitude_e6: 38_914_003, longitude_e6: 121_614_682, accuracy_m: 10 })
}

/// A code that lives so many seconds from [`TODAY`].
fn issue(n: u128, seconds: i64) -> Command {
    let expires_at = moment(TODAY) + SignedDuration::from_secs(seconds);
    Command::IssueCode { code: code(n), expires_at, place: place() }
}

fn revoke(n: u128) -> Command {
    Command::RevokeCode { code: code(n) }
}

const DAY: i64 = 24 * 3600;

#[test]
fn a_code_lives_longer_than_now_and_not_too_long() {
    let longest = CODE_DAYS_MAX * DAY;
    for (seconds, expected) in [
        (-1, Err(Rejection::CodeLife)),
        (0, Err(Rejection::CodeLife)),
        (1, Ok("CodeIssued".to_owned())),
        (longest, Ok("CodeIssued".to_owned())),
        (longest + 1, Err(Rejection::CodeLife)),
    ] {
        let found = when(&registered(), &world().at(TODAY), &issue(1, seconds));
        assert_eq!(found.map(|events| names(&events)), expected, "{seconds}");
    }
}

#[test]
fn codes_are_made_and_revoked_for_a_registered_enterprise() {
    for command in [issue(1, DAY), revoke(1)] {
        let found = when(&Profile::default(), &world().at(TODAY), &command);
        assert_eq!(found, Err(Rejection::NotRegistered));
    }
    let unknown = when(&registered(), &world().at(TODAY), &revoke(1));
    assert_eq!(unknown, Err(Rejection::CodeUnknown(code(1))));
    let stray = [
        Event::CodeIssued { code: code(1), expires_at: Timestamp::MAX, place: None },
        Event::CodeRevoked { code: code(1), at: moment(TODAY) },
    ];
    assert_eq!(given::<Profile>(&stray), Profile::Unregistered);
}

#[test]
fn so_many_codes_are_in_force_at_once() {
    let world = world();
    let most = u128::try_from(CODES_MAX).unwrap();
    let full = (1..=most)
        .fold(registered(), |profile, n| accepted(profile, &world.at(TODAY), &issue(n, DAY)));
    let one_more = issue(most + 1, 2 * DAY);
    assert_eq!(when(&full, &world.at(TODAY), &one_more), Err(Rejection::TooManyCodes));
    // The same again is none more; neither counts one that was revoked or has ended.
    assert_eq!(when(&full, &world.at(TODAY), &issue(1, DAY)), Ok(vec![]));
    let freed = accepted(full.clone(), &world.at(TODAY), &revoke(3));
    assert!(when(&freed, &world.at(TODAY), &one_more).is_ok());
    assert!(when(&full, &world.at("2025-03-04T09:00+08:00"), &one_more).is_ok());
}

#[test]
fn a_code_is_good_until_it_ends_or_is_revoked() {
    let profile = accepted(registered(), &world().at(TODAY), &issue(1, 2 * DAY));
    let good = |profile: &Profile, at: &str| {
        profile.registered().unwrap().code(code(1)).unwrap().is_good(moment(at))
    };
    let ends = "2025-03-05T09:00+08:00";
    assert!(good(&profile, "2025-03-05T08:59:59+08:00") && !good(&profile, ends));
    let since = "2025-03-04T12:00+08:00";
    let revoked = accepted(profile, &world().at(since), &revoke(1));
    assert!(good(&revoked, "2025-03-04T11:59:59+08:00") && !good(&revoked, since));
    let again = when(&revoked, &world().at(ends), &revoke(1));
    assert_eq!(again, Ok(vec![]), "since when stays as it is");
    let known = revoked.registered().unwrap();
    assert_eq!(
        known.codes().map(|(id, code)| (id, code.place)).collect::<Vec<_>>(),
        [(code(1), place())]
    );
}
