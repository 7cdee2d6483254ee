//! Every error of opening a code, from a text made for it.

use ciborium::{Value, cbor};
use ed25519_dalek::Signer as _;

use super::*;

const VISIT: &[u8] = b"doudi.visit-code.1";

/// The parts of a COSE_Sign1, written by hand so that each can be wrong.
struct Made {
    protected: Value,
    unprotected: Value,
    payload: Value,
    external: &'static [u8],
    tag: u64,
}

impl Made {
    /// The parts of a good visit code.
    fn good() -> Self {
        let id = Value::Bytes(vec![0; 16]);
        let payload = cbor!([1, 2, id, "L-7", id, NOW, NOW + 3_600]).unwrap();
        let kid = Value::Bytes(b"2026-1".to_vec());
        let protected = cbor!({ 1 => -8, 4 => kid }).unwrap();
        Self { protected, unprotected: cbor!({}).unwrap(), payload, external: VISIT, tag: 18 }
    }

    fn bytes(&self) -> Vec<u8> {
        let protected = Value::Bytes(written(&self.protected));
        let payload = Value::Bytes(written(&self.payload));
        let external = Value::Bytes(self.external.to_vec());
        let signed = cbor!(["Signature1", protected, external, payload]).unwrap();
        let signature = Value::Bytes(secret(1).sign(&written(&signed)).to_vec());
        let sign1 = cbor!([protected, self.unprotected, payload, signature]).unwrap();
        written(&Value::Tag(self.tag, Box::new(sign1)))
    }

    fn open(&self) -> Result<Code, CodeError> {
        open(&self.bytes())
    }
}

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn open(bytes: &[u8]) -> Result<Code, CodeError> {
    one().open(&format!("DD1:{}", base45::encode(bytes)), NOW)
}

#[track_caller]
fn malformed(opened: &Result<Code, CodeError>, says: &str) {
    let Err(CodeError::Malformed(what)) = opened else { panic!("{opened:?}") };
    assert!(what.to_string().contains(says), "{what}");
}

#[test]
fn code_made_by_hand_opens() {
    assert!(matches!(Made::good().open(), Ok(Code::Visit(code)) if code.enterprise == "L-7"));
}

#[test]
fn long_text_is_not_looked_at() {
    let text = format!("DD1:{}", "0".repeat(TEXT_MAX - 3));
    assert_eq!(one().open(&text, NOW), Err(CodeError::TooLong));
    malformed(&one().open(&text[..TEXT_MAX], NOW), "CBOR");
}

#[test]
fn foreign_text_is_not_a_code() {
    let text = one().seal(&Code::Visit(visit_code())).unwrap();
    for foreign in ["", "DD1", "https://example.org", "DD2:00", &text[4..], &text.to_lowercase()] {
        assert_eq!(one().open(foreign, NOW), Err(CodeError::NotACode), "{foreign}");
    }
    assert_eq!(one().open(&format!(" {text}"), NOW), Err(CodeError::NotACode));
}

#[test]
fn one_signed_text_has_one_spelling() {
    let text = one().seal(&Code::Visit(visit_code())).unwrap();
    let bytes = base45::decode(&text[4..]).unwrap();
    malformed(&one().open(&format!("DD1:{}", text[4..].to_lowercase()), NOW), "Base45");
    for padding in [" ", "\n", "=", "0"] {
        assert!(one().open(&format!("{text}{padding}"), NOW).is_err(), "{padding:?}");
    }
    // Two characters that stand for 256: cut to eight bits, they would be a second form of 0.
    let over = base45::encode([1, 0])[..2].to_owned();
    malformed(&one().open(&format!("DD1:{over}"), NOW), "Base45");

    // The same code with a length that is longer than needed, without an end, or without its tag.
    assert_eq!(bytes[..2], [0xd2, 0x84]);
    let rest = &bytes[2..];
    malformed(&open(&[&[0xd2, 0x98, 4], rest].concat()), "deterministic");
    malformed(&open(&[&[0xd2, 0x9f], rest, &[0xff]].concat()), "deterministic");
    malformed(&open(&bytes[1..]), "tag");
    malformed(&open(&[&bytes[..], &[0]].concat()), "follows");
}

#[test]
fn damaged_text_is_malformed() {
    malformed(&one().open("DD1:", NOW), "CBOR");
    malformed(&one().open("DD1:?", NOW), "Base45");
    let bytes = Made::good().bytes();
    for end in 0..bytes.len() {
        malformed(&open(&bytes[..end]), "CBOR");
    }
    malformed(&Made { tag: 98, ..Made::good() }.open(), "tag");
    malformed(&open(&written(&Value::Tag(18, Box::new(cbor!([1, 2, 3]).unwrap())))), "form");
    let protected = Value::Bytes(written(&Made::good().protected));
    let no_payload = cbor!([protected, {}, null, Value::Bytes(vec![0; 64])]).unwrap();
    malformed(&open(&written(&Value::Tag(18, Box::new(no_payload)))), "no payload");
}

#[test]
fn deep_or_boundless_cbor_is_malformed() {
    malformed(&open(&[0x81; 600]), "deep");
    malformed(&open(&[0xc1; 600]), "deep");
    // An array, a byte string and a map that claim 2^62 elements.
    for head in [0x9b, 0x5b, 0xbb] {
        malformed(&open(&[&[head, 0x40][..], &[0; 7]].concat()), "ends early");
    }
    let deep = (0..50).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    malformed(&Made { payload: deep.clone(), ..Made::good() }.open(), "deep");
    malformed(&Made { protected: deep.clone(), ..Made::good() }.open(), "deep");
    malformed(&Made { unprotected: deep, ..Made::good() }.open(), "deep");
}

#[test]
fn only_algorithm_and_key_stand_in_the_headers() {
    let kid = || Value::Bytes(b"2026-1".to_vec());
    for protected in [
        cbor!({}).unwrap(),
        cbor!({ 1 => -8 }).unwrap(),
        cbor!({ 4 => kid() }).unwrap(),
        cbor!({ 4 => kid(), 1 => -8 }).unwrap(),
        cbor!({ 1 => -8, 1 => -8 }).unwrap(),
        cbor!({ 1 => -8, 2 => [4], 4 => kid() }).unwrap(),
        cbor!({ 1 => -8, 3 => "text/plain", 4 => kid() }).unwrap(),
        cbor!({ 1 => -8, 4 => kid(), "x" => 1 }).unwrap(),
    ] {
        malformed(&Made { protected, ..Made::good() }.open(), "alg and kid alone");
    }
    let unprotected = cbor!({ 4 => kid() }).unwrap();
    malformed(&Made { unprotected, ..Made::good() }.open(), "unprotected");
    let protected = cbor!({ 1 => -8, 4 => "2026-1" }).unwrap();
    malformed(&Made { protected, ..Made::good() }.open(), "form");
    let protected = cbor!({ 1 => null, 4 => kid() }).unwrap();
    malformed(&Made { protected, ..Made::good() }.open(), "algorithm");
}

#[test]
fn payload_of_other_types_is_malformed() {
    let id = || Value::Bytes(vec![0; 16]);
    let end = NOW + 3_600;
    for (payload, says) in [
        (cbor!({}).unwrap(), "array"),
        (cbor!([]).unwrap(), "short"),
        (cbor!([1]).unwrap(), "short"),
        (cbor!(["1", 2]).unwrap(), "integer"),
        (cbor!([1, 2, "id", "L-7", id(), NOW, end]).unwrap(), "bytes"),
        (cbor!([1, 2, Value::Bytes(vec![0; 15]), "L-7", id(), NOW, end]).unwrap(), "length"),
        (cbor!([1, 2, id(), 7, id(), NOW, end]).unwrap(), "text"),
        (cbor!([1, 2, id(), "", id(), NOW, end]).unwrap(), "empty"),
        (cbor!([1, 2, id(), "L-7", id(), NOW]).unwrap(), "short"),
        (cbor!([1, 2, id(), "L-7", id(), NOW, end, 0]).unwrap(), "long"),
        (cbor!([1, 2, id(), "L-7", id(), -1, end]).unwrap(), "bounds"),
        (cbor!([1, 2, id(), "L-7", id(), 1.5, end]).unwrap(), "integer"),
        (cbor!([1, 2, id(), "L-7", id(), end, NOW]).unwrap(), "expires"),
    ] {
        malformed(&Made { payload, ..Made::good() }.open(), says);
    }
}

#[test]
fn newer_version_is_named() {
    let payload = cbor!([2, 2, "whatever comes then"]).unwrap();
    assert_eq!(Made { payload, ..Made::good() }.open(), Err(CodeError::VersionUnknown));
}

#[test]
fn other_algorithms_are_named() {
    let kid = || Value::Bytes(b"2026-1".to_vec());
    // ES256, HMAC, one that nobody has registered, one of private use, a name.
    for algorithm in [-7, 5, -60_000, -70_000].map(Value::from).into_iter().chain(["SM2".into()]) {
        let protected = cbor!({ 1 => algorithm, 4 => kid() }).unwrap();
        assert_eq!(
            Made { protected, ..Made::good() }.open(),
            Err(CodeError::AlgorithmUnknown),
            "{algorithm:?}"
        );
    }
}

#[test]
fn other_keys_are_named() {
    for kid in [&b"2026-2"[..], b"\xff"] {
        let protected = cbor!({ 1 => -8, 4 => Value::Bytes(kid.to_vec()) }).unwrap();
        assert_eq!(Made { protected, ..Made::good() }.open(), Err(CodeError::KeyUnknown));
    }
}

#[test]
fn false_signature_is_forged() {
    let by_another = ring(&[jwk("2026-1", 9, true)]).seal(&Code::Visit(visit_code())).unwrap();
    assert_eq!(one().open(&by_another, NOW), Err(CodeError::Forged));
    let mut bytes = Made::good().bytes();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(open(&bytes), Err(CodeError::Forged));
    // A signature one byte short: the head of its byte string says 63.
    let mut bytes = Made::good().bytes();
    bytes.pop();
    let head = bytes.len() - 64;
    assert_eq!(bytes[head], 64);
    bytes[head] = 63;
    assert_eq!(open(&bytes), Err(CodeError::Forged));
}

#[test]
fn payload_signed_for_one_use_verifies_for_no_other() {
    for external in [&b""[..], b"doudi.enterprise-code.1", b"doudi.anchor.1"] {
        let made = Made { external, ..Made::good() };
        assert_eq!(made.open(), Err(CodeError::Forged));
    }
    let code = one().seal(&Code::Visit(visit_code())).unwrap();
    let anchor = one().seal_anchor(&anchor()).unwrap();
    assert_eq!(one().open(&anchor, NOW), Err(CodeError::OtherKind));
    assert_eq!(one().open_anchor(&code), Err(CodeError::OtherKind));
    let payload = cbor!([1, 9]).unwrap();
    assert_eq!(Made { payload, ..Made::good() }.open(), Err(CodeError::OtherKind));
}
