//! Codes and anchors: what opens, and why everything else does not.

mod forms;
mod ring;
mod wild;

use ed25519_dalek::SigningKey;
use serde_json::json;

use super::*;

pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A JWK of the key made from this seed.
pub(crate) fn jwk(kid: &str, seed: u8, private: bool) -> serde_json::Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let x = URL_SAFE_NO_PAD.encode(secret(seed).verifying_key().as_bytes());
    let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
    if private {
        jwk["d"] = json!(URL_SAFE_NO_PAD.encode([seed; 32]));
    }
    jwk
}

pub(crate) fn ring(keys: &[serde_json::Value]) -> KeyRing {
    KeyRing::parse(&json!({ "keys": keys }).to_string()).unwrap()
}

pub(crate) fn one() -> KeyRing {
    ring(&[jwk("2026-1", 1, true)])
}

pub(crate) fn enterprise_code() -> EnterpriseCode {
    EnterpriseCode {
        id: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001),
        enterprise: "91440300MA5EXAMPL3".to_owned(),
        form: Form::Printed,
        place: Some(Place { latitude_e6: 22_543_096, longitude_e6: 114_057_865, accuracy_m: 25 }),
        issued_at: NOW,
        expires_at: NOW + 31_536_000,
    }
}

pub(crate) fn visit_code() -> VisitCode {
    VisitCode {
        id: Uuid::from_u128(2),
        enterprise: "L-7".to_owned(),
        visit: Uuid::from_u128(3),
        issued_at: NOW,
        expires_at: NOW + 3_600,
    }
}

pub(crate) fn anchor() -> Anchor {
    Anchor { device: Uuid::from_u128(4), at: NOW * 1_000 + 1 }
}

#[test]
fn every_kind_opens_to_what_was_sealed() {
    let ring = one();
    let rotating = EnterpriseCode { form: Form::Rotating, place: None, ..enterprise_code() };
    for code in
        [Code::Enterprise(enterprise_code()), Code::Enterprise(rotating), Code::Visit(visit_code())]
    {
        let text = ring.seal(&code).unwrap();
        assert_eq!(ring.open(&text, NOW + 1), Ok(code));
    }
    let text = ring.seal_anchor(&anchor()).unwrap();
    assert_eq!(ring.open_anchor(&text), Ok(anchor()));
}

#[test]
fn text_is_drawn_in_the_compact_alphabet_of_qr_codes() {
    let text = one().seal(&Code::Enterprise(enterprise_code())).unwrap();
    let compact = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
    assert!(text.chars().all(compact), "{text}");
    assert!(text.len() < 300, "{} characters make a dense picture", text.len());
}

#[test]
fn code_is_valid_from_issue_to_expiry_with_leeway() {
    let ring = one();
    let text = ring.seal(&Code::Visit(visit_code())).unwrap();
    let (from, until) = (NOW, NOW + 3_600);
    assert_eq!(ring.open(&text, from - LEEWAY_S - 1), Err(CodeError::NotYet { at: from }));
    assert!(ring.open(&text, from - LEEWAY_S).is_ok());
    assert!(ring.open(&text, until + LEEWAY_S - 1).is_ok());
    assert_eq!(ring.open(&text, until + LEEWAY_S), Err(CodeError::Expired { at: until }));
    assert_eq!(ring.open(&text, i64::MAX), Err(CodeError::Expired { at: until }));
    assert_eq!(ring.open(&text, i64::MIN), Err(CodeError::NotYet { at: from }));
}

#[test]
fn fields_outside_their_bounds_are_not_sealed() {
    let good = enterprise_code();
    let place = |latitude_e6, longitude_e6, accuracy_m| {
        Some(Place { latitude_e6, longitude_e6, accuracy_m })
    };
    let bad = [
        EnterpriseCode { enterprise: String::new(), ..good.clone() },
        EnterpriseCode { enterprise: "L".repeat(65), ..good.clone() },
        EnterpriseCode { expires_at: NOW, ..good.clone() },
        EnterpriseCode { issued_at: -1, ..good.clone() },
        EnterpriseCode { expires_at: 32_503_680_000, ..good.clone() },
        EnterpriseCode { place: place(90_000_001, 0, 0), ..good.clone() },
        EnterpriseCode { place: place(0, -180_000_001, 0), ..good.clone() },
        EnterpriseCode { place: place(0, 0, 100_001), ..good.clone() },
    ];
    for code in bad {
        let sealed = one().seal(&Code::Enterprise(code.clone()));
        assert!(matches!(sealed, Err(SealError::OutOfBounds(_))), "{code:?}");
    }
    let early = Anchor { at: -1, ..anchor() };
    assert!(matches!(one().seal_anchor(&early), Err(SealError::OutOfBounds(_))));
    let edge = EnterpriseCode { place: place(-90_000_000, 180_000_000, 100_000), ..good };
    assert!(one().seal(&Code::Enterprise(edge)).is_ok());
}

/// Written by another implementation, from the description of the format.
#[test]
fn texts_are_what_they_always_were() {
    let printed = [
        "DD1:RRQCP9P60EO0NF6TF64W58CKJ18W5065AW9J000M20%20000000000A80GA7:Q6946646MY92X637B$Y",
        "9MS9R80.C3M5BJGVU%0PKC423CF3BIMY8GTWDL1E27B.$B4QR%-KQGEQT9LVM%27R:SFHJLRHDO3U$FCIHG:",
        "QL3CG6U1DME8C0%T-$QH94TSO/MN8CFMABNP4EWQ7LO+MID+KOWBFRK",
    ];
    let visit = [
        "DD1:RRQCP9P60EO0NF6TF64W58CK6N6X5055A000000000000000000000QD0GS9U:600000000000000000",
        "0000300CF3BIMY8G/LDMD927B D9B0IGH8+C9ICFJ6BEA9G%Q7:E79JQ$PUZA8.6+7C2DC:AF56TPH74PQ0J",
        "GSSKAK7ESJR.J98MO7G$LUNON$.H$ISCOD5:J",
    ];
    let anchored = [
        "DD1:RRQCP9P60EO0NF6TF64W58CK-W3Y5055A000000000000000000000GN0000B90  OJTD27B11IVKONO",
        "31A9O+3L93H1W*6M13FT+17V3Z-7W3GI$1 RSYVR9SHHE3L51G2P-KTFGNHUE/PRSX5M6KB5D: 5G0PKYG8S",
        "8K7E",
    ];
    let ring = one();
    assert_eq!(ring.seal(&Code::Enterprise(enterprise_code())).unwrap(), printed.concat());
    assert_eq!(ring.seal(&Code::Visit(visit_code())).unwrap(), visit.concat());
    assert_eq!(ring.seal_anchor(&anchor()).unwrap(), anchored.concat());
}
