//! What becomes of records once their signature is known to be true.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doudi_domain::{
    CodeId,
    frequency::Ground,
    visits::{CheckIn, Irregularity, Kept, Proof, What},
};
use doudi_scan::{
    codes::{Anchor, Code, EnterpriseCode, Form, KeyRing, VisitCode},
    records::{self, Anchored, DeviceKey, Recorder, Tail, Unplanned},
};
use ed25519_dalek::SigningKey;

use super::{device::kept::Reader, *};

const ENTERPRISE: &str = "91210200MA0UKF3T9X";
/// 2025-06-15T15:06:40Z, in milliseconds.
const NOON: i64 = 1_750_000_000_000;
const MINUTE: i64 = 60_000;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn ring(seed: u8) -> KeyRing {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig",
        "x": text(key.verifying_key().as_bytes()), "d": text(&[seed; 32]),
    });
    KeyRing::parse(&serde_json::json!({ "keys": [jwk] }).to_string()).unwrap()
}

fn came() -> records::CheckIn {
    records::CheckIn {
        enterprise: ENTERPRISE.to_owned(),
        visit: id(5),
        officers: vec!["2102-0001".to_owned(), "2102-0002".to_owned()],
        occurred_at: NOON,
        code: None,
        place: None,
        unplanned: None,
    }
}

/// The record that says so, read by a server with the ring `[9; 32]` a day later.
fn read_with(
    check_in: records::CheckIn,
    recorded_at: i64,
    anchor: Option<Anchored>,
) -> Option<Kept> {
    let mut recorder = Recorder::new(id(1), &[42; 32], Tail::default());
    let what = records::What::CheckIn(check_in);
    let signed = recorder.record(what, recorded_at, anchor).unwrap();
    let key = DeviceKey::parse(&recorder.public_key()).unwrap();
    let record = records::open(&signed.0, &key).unwrap();
    let (ring, unit) = (ring(9), UnitId::parse("fire").unwrap());
    let now = Timestamp::from_millisecond(NOON + 24 * 60 * MINUTE).unwrap();
    let received = Reader { ring: Some(&ring), now, unit: &unit }.received(&signed.0, &record);
    let received = received.unwrap();
    assert_eq!((received.counter, received.previous.0), (1, [0; 32]));
    assert_eq!(received.hash.0, recorder.tail().hash);
    received.kept
}

fn read(check_in: records::CheckIn) -> (CheckIn, Vec<Irregularity>) {
    let kept = read_with(check_in, NOON, None).unwrap();
    let What::CheckedIn { check_in, .. } = kept.what else { panic!("a check-in") };
    (check_in, kept.doubts.into_iter().collect())
}

fn at_the_door(enterprise: &str, form: Form) -> Code {
    let (issued_at, expires_at) = (NOON / 1000 - 10, NOON / 1000 + 50);
    let enterprise = enterprise.to_owned();
    Code::Enterprise(EnterpriseCode {
        id: id(7),
        enterprise,
        form,
        place: None,
        issued_at,
        expires_at,
    })
}

fn task(visit: u128) -> Code {
    let (issued_at, expires_at) = (NOON / 1000 - 10, NOON / 1000 + 50);
    let (id, visit, enterprise) = (id(8), id(visit), ENTERPRISE.to_owned());
    Code::Visit(VisitCode { id, enterprise, visit, issued_at, expires_at })
}

#[test]
fn a_code_is_judged_by_the_time_at_which_it_was_scanned() {
    let code = CodeId(id(7));
    let later = |minutes| records::CheckIn { occurred_at: NOON + minutes * MINUTE, ..came() };
    for (text, check_in, proof, doubts) in [
        (
            ring(9).seal(&at_the_door(ENTERPRISE, Form::Printed)),
            later(0),
            Proof::PrintedCode { code },
            vec![],
        ),
        (
            ring(9).seal(&at_the_door(ENTERPRISE, Form::Rotating)),
            later(0),
            Proof::RotatingCode { code },
            vec![],
        ),
        (
            ring(9).seal(&at_the_door(ENTERPRISE, Form::Rotating)),
            later(5),
            Proof::Nothing,
            vec![Irregularity::CodeInvalid],
        ),
        (
            ring(8).seal(&at_the_door(ENTERPRISE, Form::Printed)),
            later(0),
            Proof::Nothing,
            vec![Irregularity::CodeInvalid],
        ),
        (
            ring(9).seal(&at_the_door("L-1", Form::Printed)),
            later(0),
            Proof::Nothing,
            vec![Irregularity::CodeOfOther],
        ),
        (ring(9).seal(&task(6)), later(0), Proof::Nothing, vec![Irregularity::CodeOfOther]),
        // Their own: it proves nothing that officers scanned it.
        (ring(9).seal(&task(5)), later(0), Proof::Nothing, vec![Irregularity::CodeInvalid]),
        (
            Ok("http://example.org/".to_owned()),
            later(0),
            Proof::Nothing,
            vec![Irregularity::CodeInvalid],
        ),
    ] {
        let text = text.unwrap();
        let (found, found_doubts) = read(records::CheckIn { code: Some(text.clone()), ..check_in });
        assert_eq!((found.proof, found_doubts), (proof, doubts), "{text}");
    }
    assert_eq!(read(came()).0.proof, Proof::Nothing);
}

#[test]
fn a_clock_is_suspect_where_it_does_not_fit_the_time_it_was_given() {
    let anchor = |ring: KeyRing, device: u128, elapsed: i64| Anchored {
        text: ring.seal_anchor(&Anchor { device: id(device), at: NOON - 60 * MINUTE }).unwrap(),
        elapsed_ms: u64::try_from(elapsed).unwrap(),
    };
    let suspect = |recorded_at: i64, anchor: Option<Anchored>| {
        let kept = read_with(came(), recorded_at, anchor).unwrap();
        kept.doubts.contains(&Irregularity::ClockSuspect)
    };
    assert!(!suspect(NOON, Some(anchor(ring(9), 1, 60 * MINUTE))));
    assert!(!suspect(NOON, Some(anchor(ring(9), 1, 55 * MINUTE))));
    assert!(suspect(NOON, Some(anchor(ring(9), 1, 54 * MINUTE))), "ahead");
    assert!(suspect(NOON, Some(anchor(ring(9), 1, 66 * MINUTE))), "behind");
    assert!(suspect(NOON, Some(anchor(ring(9), 2, 60 * MINUTE))), "given to another device");
    assert!(suspect(NOON, Some(anchor(ring(8), 1, 60 * MINUTE))), "not given by us");
    let code = ring(9).seal(&task(5)).unwrap();
    let code = Anchored { text: code, elapsed_ms: 0 };
    assert!(suspect(NOON, Some(code)), "another kind of text");
    assert!(!suspect(NOON, None), "given no time");
    for (days, expected) in [(2, false), (4, true)] {
        let at = NOON - days * 24 * 60 * MINUTE;
        let then = records::CheckIn { occurred_at: at, ..came() };
        let found = read_with(then, at, None).unwrap().doubts;
        assert_eq!(found.contains(&Irregularity::ClockSuspect), expected, "{days} days ago");
    }
    assert!(suspect(NOON + 24 * 60 * MINUTE + 2 * MINUTE, None), "later than it arrived");
}

#[test]
fn a_record_that_claims_another_time_than_that_of_its_writing_is_suspect() {
    for (apart, expected) in [(5, false), (6, true), (400 * 24 * 60, true)] {
        let claimed = records::CheckIn { occurred_at: NOON - apart * MINUTE, ..came() };
        let kept = read_with(claimed, NOON, None).unwrap();
        assert_eq!(kept.doubts.contains(&Irregularity::ClockSuspect), expected, "{apart} minutes");
    }
}

#[test]
fn what_happened_is_read_as_far_as_it_goes() {
    let long = "因".repeat(600);
    let unplanned = |ground: &str| Unplanned {
        items: vec!["SC-0101".to_owned(), "不是事项".to_owned()],
        ground: ground.to_owned(),
        evidence: Some("线索 12".to_owned()),
        reason: long.clone(),
    };
    for ground in ["urgent", "URGENT", "GROUND_URGENT"] {
        let check_in = records::CheckIn { unplanned: Some(unplanned(ground)), ..came() };
        let kept = read_with(check_in, NOON, None).unwrap();
        let What::CheckedIn { improvised: Some(plan), .. } = kept.what else { panic!("a plan") };
        assert_eq!(
            (plan.ground, plan.items.len(), plan.unit.as_str()),
            (Ground::Urgent, 1, "fire")
        );
        assert_eq!(plan.justification, None, "nobody allowed it to pass a limit");
        assert_eq!(plan.on_site_reason.unwrap().as_str().chars().count(), 200);
        assert_eq!(plan.on.to_string(), "2025-06-15");
    }
    let officers = vec!["2102-0001".to_owned(), "两个字".to_owned()];
    let (found, doubts) = read(records::CheckIn { officers, ..came() });
    assert_eq!((found.officers.len(), doubts), (1, vec![Irregularity::OfficerInvalid]));
}

#[test]
fn what_no_visit_could_be_told_is_kept_without_one() {
    let unplanned = Unplanned {
        items: vec!["SC-0101".to_owned()],
        ground: "whim".to_owned(),
        evidence: None,
        reason: "x".to_owned(),
    };
    for check_in in [
        records::CheckIn { enterprise: "nobody".to_owned(), ..came() },
        records::CheckIn { unplanned: Some(unplanned.clone()), ..came() },
        records::CheckIn {
            unplanned: Some(Unplanned { items: vec![], ground: "urgent".to_owned(), ..unplanned }),
            ..came()
        },
    ] {
        assert_eq!(read_with(check_in, NOON, None), None);
    }
}
