//! Where pages end, as the bytes inside page tokens: whatever stands there is a place or none, and a place is written
//! as what is read the same. That only our own bytes are looked at is tried in `crate::real::fuzz`.

use std::{fmt::Debug, iter};

use doudi_views::{boards, inbox};
use fastrand::Rng;

use super::{bend, seeds};

/// How many of each kind are made up.
const ROUNDS: u64 = 2000;
/// Where the enterprise begins in each of them, behind an instant and a UUID, and where it ends.
const ENTERPRISE: (usize, usize) = (24, 42);

/// Tries one kind.
fn tried<C: PartialEq + Debug, const N: usize>(
    read: fn(&[u8]) -> Option<C>,
    write: fn(&C) -> [u8; N],
) {
    let (mut places, mut others) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let mut bytes: Vec<u8> = iter::repeat_with(|| rng.u8(..)).take(N).collect();
        // Mostly an instant of this age, and an enterprise that there may be.
        if rng.u8(..4) > 0 {
            bytes[..2].fill(0);
            bytes[ENTERPRISE.0..ENTERPRISE.1].fill(0);
            bytes[ENTERPRISE.0..ENTERPRISE.0 + 3].copy_from_slice(b"L-7");
        }
        if rng.bool() {
            bend(&mut rng, &mut bytes);
        }
        match read(&bytes) {
            Some(place) => {
                assert_eq!(read(&write(&place)), Some(place), "seed {seed}");
                places += 1;
            }
            None => others += 1,
        }
    }
    assert!(places > 0 && others > 0, "{places} are a place, {others} are not");
}

#[test]
fn ends_of_pages_of_an_inbox() {
    tried(inbox::Cursor::from_bytes, inbox::Cursor::to_bytes);
}

#[test]
fn ends_of_pages_of_what_is_stuck() {
    tried(inbox::StuckCursor::from_bytes, inbox::StuckCursor::to_bytes);
}

#[test]
fn ends_of_pages_of_rows_behind_a_number() {
    tried(boards::Cursor::from_bytes, boards::Cursor::to_bytes);
}
