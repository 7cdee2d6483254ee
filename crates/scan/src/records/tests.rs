//! Records: what opens, why everything else does not, and that the chain goes on.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::{codes::Anchor, envelope};

const NOW: i64 = 1_790_000_000_000;

fn device_id() -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0007)
}

fn recorder(tail: Tail) -> Recorder {
    Recorder::new(device_id(), &[7; 32], tail)
}

fn key() -> DeviceKey {
    DeviceKey::parse(&recorder(Tail::default()).public_key()).unwrap()
}

fn check_in() -> CheckIn {
    CheckIn {
        enterprise: "91440300MA5EXAMPL3".to_owned(),
        visit: Uuid::from_u128(8),
        officers: vec!["440300-0001".to_owned(), "440300-0002".to_owned()],
        occurred_at: NOW - 1_000,
        code: Some("DD1:ANY".to_owned()),
        place: Some(Place { latitude_e6: 22_543_096, longitude_e6: 114_057_865, accuracy_m: 25 }),
        unplanned: Some(Unplanned {
            items: vec!["fire-01".to_owned()],
            ground: "report".to_owned(),
            evidence: None,
            reason: "冒烟".to_owned(),
        }),
    }
}

fn check_out() -> What {
    What::CheckOut(CheckOut {
        enterprise: "L-7".to_owned(),
        visit: Uuid::from_u128(8),
        occurred_at: NOW,
    })
}

fn anchored(elapsed_ms: u64) -> Option<Anchored> {
    Some(Anchored { text: "DD1:ANCHOR".to_owned(), elapsed_ms })
}

/// A record of `device` in an envelope that names `named`.
fn signed(record: &Record, named: &[u8], kind: Kind) -> Vec<u8> {
    let key = SigningKey::from_bytes(&[7; 32]);
    envelope::seal(kind, payload::write(record), named, &key).unwrap()
}

fn record() -> Record {
    let what = check_out();
    let (counter, previous) = (1, [0; 32]);
    Record { device: device_id(), counter, previous, recorded_at: NOW, anchor: None, what }
}

#[test]
fn records_open_to_what_was_recorded_in_a_chain() {
    let mut recorder = recorder(Tail::default());
    let bare = CheckIn { code: None, place: None, unplanned: None, ..check_in() };
    let whats = [What::CheckIn(check_in()), What::CheckIn(bare), check_out()];
    let mut previous = [0; 32];
    for (what, counter) in whats.into_iter().zip(1..) {
        let signed = recorder.record(what.clone(), NOW, anchored(5)).unwrap();
        assert_eq!(device_of(&signed.0), Ok(device_id()));
        let record = open(&signed.0, &key()).unwrap();
        let (device, anchor) = (device_id(), anchored(5));
        let expected = Record { device, counter, previous, recorded_at: NOW, anchor, what };
        assert_eq!(record, expected);
        previous = signed.hash();
        assert_eq!(recorder.tail(), Tail { counter, hash: previous });
    }
}

#[test]
fn recorder_goes_on_from_its_saved_tail() {
    let mut before = recorder(Tail::default());
    before.record(check_out(), NOW, None).unwrap();
    let mut after = recorder(before.tail());
    assert_eq!(
        after.record(check_out(), NOW, None).unwrap(),
        before.record(check_out(), NOW, None).unwrap()
    );
    assert_eq!(after.tail().counter, 2);
}

#[test]
fn refused_record_uses_no_counter() {
    let good = check_in();
    let long = |bytes: usize| "x".repeat(bytes);
    let unplanned = good.unplanned.clone().unwrap();
    let with = |unplanned| CheckIn { unplanned: Some(unplanned), ..check_in() };
    let mut recorder = recorder(Tail::default());
    for bad in [
        CheckIn { enterprise: long(65), ..good.clone() },
        CheckIn { officers: vec![long(1); 17], ..good.clone() },
        CheckIn { officers: vec![long(65)], ..good.clone() },
        CheckIn { officers: vec![String::new()], ..good.clone() },
        CheckIn { occurred_at: -1, ..good.clone() },
        CheckIn { code: Some(long(1_025)), ..good },
        with(Unplanned { items: vec![long(1); 33], ..unplanned.clone() }),
        with(Unplanned { ground: String::new(), ..unplanned.clone() }),
        with(Unplanned { evidence: Some(long(513)), ..unplanned.clone() }),
        with(Unplanned { reason: long(2_001), ..unplanned }),
    ] {
        let refused = recorder.record(What::CheckIn(bad.clone()), NOW, None);
        assert!(matches!(refused, Err(RecordError::Malformed(_))), "{bad:?}");
    }
    for (recorded_at, anchor) in [(-1, None), (NOW, anchored(u64::MAX))] {
        assert!(recorder.record(check_out(), recorded_at, anchor).is_err());
    }
    assert_eq!(recorder.tail(), Tail::default());
}

#[test]
fn largest_record_fits() {
    let long = |bytes: usize| "x".repeat(bytes);
    let what = What::CheckIn(CheckIn {
        enterprise: long(64),
        officers: vec![long(64); 16],
        code: Some(long(1_024)),
        unplanned: Some(Unplanned {
            items: vec![long(64); 32],
            ground: long(64),
            evidence: Some(long(512)),
            reason: long(2_000),
        }),
        ..check_in()
    });
    let anchor = Some(Anchored { text: long(1_024), elapsed_ms: 316_224_000_000 });
    let tail = Tail { counter: COUNTER_MAX - 1, hash: [1; 32] };
    let signed = recorder(tail).record(what, NOW, anchor).unwrap();
    assert!(open(&signed.0, &key()).is_ok());
}

#[test]
fn counters_are_spent_in_the_end() {
    let mut recorder = recorder(Tail { counter: COUNTER_MAX - 1, hash: [1; 32] });
    assert!(recorder.record(check_out(), NOW, None).is_ok());
    assert_eq!(recorder.record(check_out(), NOW, None), Err(RecordError::CounterSpent));
}

#[test]
fn long_record_is_not_looked_at() {
    assert_eq!(open(&[0x81; RECORD_MAX + 1], &key()), Err(RecordError::TooLong));
    assert_eq!(device_of(&[0x81; RECORD_MAX + 1]), Err(RecordError::TooLong));
    assert!(matches!(open(&[0x81; RECORD_MAX], &key()), Err(RecordError::Malformed(_))));
}

#[test]
fn damaged_record_is_malformed() {
    let signed = recorder(Tail::default()).record(check_out(), NOW, None).unwrap();
    for end in 0..signed.0.len() {
        let opened = open(&signed.0[..end], &key());
        assert!(matches!(opened, Err(RecordError::Malformed(_))), "{end}: {opened:?}");
    }
    let longer = [&signed.0[..], &[0]].concat();
    assert!(matches!(open(&longer, &key()), Err(RecordError::Malformed(_))));
    let unnumbered = Record { counter: 0, ..record() };
    let bytes = self::signed(&unnumbered, device_id().as_bytes(), Kind::Record);
    assert!(matches!(open(&bytes, &key()), Err(RecordError::Malformed(_))));
    let bytes = self::signed(&record(), b"not a device", Kind::Record);
    assert!(matches!(device_of(&bytes), Err(RecordError::Malformed(_))));
}

#[test]
fn newer_version_and_other_algorithm_are_named() {
    let good = signed(&record(), device_id().as_bytes(), Kind::Record);
    let changed = |part: &[u8], with: &[u8]| {
        let at = good.windows(part.len()).position(|window| window == part).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        open(&bytes, &key())
    };
    // The payload is an array of 8 that begins with version 1 and kind 4.
    assert_eq!(changed(&[0x88, 1, 4], &[0x88, 2, 4]), Err(RecordError::VersionUnknown));
    assert_eq!(changed(&[0x88, 1, 4], &[0x88, 1, 9]), Err(RecordError::OtherKind));
    // The protected header is a map of 2 that begins with 1: -8; -7 is ES256.
    assert_eq!(changed(&[0xa2, 1, 0x27], &[0xa2, 1, 0x26]), Err(RecordError::AlgorithmUnknown));
}

#[test]
fn record_of_another_kind_device_or_key_is_refused() {
    let own = device_id();
    let code = signed(&record(), own.as_bytes(), Kind::VisitCode);
    assert_eq!(open(&code, &key()), Err(RecordError::OtherKind));
    let other = Uuid::from_u128(9);
    let renamed = signed(&record(), other.as_bytes(), Kind::Record);
    assert_eq!(device_of(&renamed), Ok(other));
    assert_eq!(open(&renamed, &key()), Err(RecordError::OtherDevice));
    let good = signed(&record(), own.as_bytes(), Kind::Record);
    let stranger = Recorder::new(own, &[8; 32], Tail::default());
    let stranger = DeviceKey::parse(&stranger.public_key()).unwrap();
    assert_eq!(open(&good, &stranger), Err(RecordError::Forged));
    assert!(open(&good, &key()).is_ok());
}

#[test]
fn weak_and_false_keys_are_not_enrolled() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(DeviceKey::parse(&neutral), Err(RecordError::KeyUnusable));
    // No point of the curve has this y.
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(DeviceKey::parse(&off_curve), Err(RecordError::KeyUnusable));
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", recorder(Tail::default()));
    assert!(shown.starts_with("Recorder { device: ") && shown.ends_with(".. }"), "{shown}");
    assert!(!shown.contains("7, 7"), "{shown}");
}

#[test]
fn drift_is_the_claim_against_anchor_and_elapsed() {
    let anchor = Anchor { device: device_id(), at: NOW - 60_000 };
    let drift = |elapsed_ms, anchor: &Anchor| {
        claimed_against_anchor(&Record { anchor: anchored(elapsed_ms), ..record() }, anchor)
    };
    assert_eq!(drift(60_000, &anchor), Some(0));
    assert_eq!(drift(50_000, &anchor), Some(10_000));
    assert_eq!(drift(61_000, &anchor), Some(-1_000));
    assert_eq!(drift(u64::MAX, &Anchor { at: i64::MAX, ..anchor }), Some(NOW - i64::MAX));
    assert_eq!(drift(60_000, &Anchor { device: Uuid::nil(), ..anchor }), None);
    assert_eq!(claimed_against_anchor(&record(), &anchor), None);
}

/// Written by another implementation, from the description of the format.
#[test]
fn bytes_are_what_they_always_were() {
    let what = What::CheckIn(check_in());
    let signed = recorder(Tail::default()).record(what, NOW, anchored(5)).unwrap();
    let hex: String = signed.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let golden = [
        "d28455a20127045001980000000070008000000000000007a058c3880104500198000000007000800000",
        "000000000701582000000000000000000000000000000000000000000000000000000000000000001b00",
        "0001a0c4506c00826a4444313a414e43484f520588017239313434303330304d41354558414d504c3350",
        "000000000000000000000000000000081b000001a0c4506818826b3434303330302d303030316b343430",
        "3330302d30303032674444313a414e59831a0157faf81a06cc62891819848167666972652d3031667265",
        "706f7274f666e58692e7839f58404fb1f1d81e7b11ba8215a1ecc8dc3bfca2dab45f063a307d7e4b14fc",
        "ad0b342b09efc901a459ee2d760efd5ecf18cbeae181af96629b0dd4bbddf19ca9757e02",
    ];
    assert_eq!(hex, golden.concat());
}

proptest! {
    #[test]
    fn random_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&bytes, &key()).is_err());
        let _ = device_of(&bytes);
    }

    #[test]
    fn changed_record_never_opens(
        cut in any::<proptest::sample::Index>(),
        removed in 0..8_usize,
        put in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let bytes = signed(&record(), device_id().as_bytes(), Kind::Record);
        let cut = cut.index(bytes.len());
        let mut changed = bytes.clone();
        changed.splice(cut..(cut + removed).min(bytes.len()), put);
        prop_assume!(changed != bytes);
        prop_assert!(open(&changed, &key()).is_err());
    }

    #[test]
    fn records_round_trip(
        ids in (any::<u128>(), 0..COUNTER_MAX, any::<[u8; 32]>()),
        times in (0..NOW, 0..NOW, proptest::option::of(0..1_000_000_u64)),
        texts in (".{1,20}", proptest::collection::vec("\\PC{1,15}", 0..16)),
        code in proptest::option::of("\\PC{1,300}"),
    ) {
        let (visit, counter, hash) = ids;
        let (recorded_at, occurred_at, elapsed) = times;
        let (enterprise, officers) = texts;
        let visit = Uuid::from_u128(visit);
        let what = What::CheckIn(CheckIn {
            enterprise, visit, officers, occurred_at, code, ..check_in()
        });
        // Longer than 64 bytes of UTF-8 is refused, which is not this law's matter.
        let too_long = |what: &What| match what {
            What::CheckIn(check_in) => {
                check_in.enterprise.len() > 64
                    || check_in.code.as_ref().is_some_and(|code| code.len() > 1_024)
            }
            What::CheckOut(_) => false,
        };
        prop_assume!(!too_long(&what));
        let mut recorder = recorder(Tail { counter, hash });
        let anchor = elapsed.and_then(anchored);
        let signed = recorder.record(what.clone(), recorded_at, anchor.clone()).unwrap();
        let record = open(&signed.0, &key()).unwrap();
        let device = device_id();
        let counter = counter + 1;
        let expected = Record { device, counter, previous: hash, recorded_at, anchor, what };
        prop_assert_eq!(record, expected);
    }
}
