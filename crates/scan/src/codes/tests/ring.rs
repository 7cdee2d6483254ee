//! The ring of keys: which key seals, which open, and what is no ring.

use super::*;

#[test]
fn first_private_key_seals_and_every_key_opens() {
    let old = ring(&[jwk("old", 1, true)]);
    let added = ring(&[jwk("old", 1, true), jwk("new", 2, true)]);
    let moved = ring(&[jwk("reader", 3, false), jwk("new", 2, true), jwk("old", 1, false)]);
    assert_eq!(added.sealing_kid(), Some("old"));
    assert_eq!(moved.sealing_kid(), Some("new"));
    assert_eq!(moved.kids().collect::<Vec<_>>(), ["new", "old", "reader"]);

    let code = Code::Visit(visit_code());
    let by_old = old.seal(&code).unwrap();
    let by_new = moved.seal(&code).unwrap();
    for ring in [&added, &moved] {
        assert!(ring.open(&by_old, NOW).is_ok());
        assert!(ring.open(&by_new, NOW).is_ok());
    }
    assert_eq!(old.open(&by_new, NOW), Err(CodeError::KeyUnknown));
}

#[test]
fn public_keys_open_and_do_not_seal() {
    let reader = ring(&[jwk("2026-1", 1, false)]);
    let code = Code::Visit(visit_code());
    assert_eq!(reader.open(&one().seal(&code).unwrap(), NOW), Ok(code.clone()));
    assert_eq!(reader.seal(&code), Err(SealError::NoPrivateKey));
    assert_eq!(reader.seal_anchor(&anchor()), Err(SealError::NoPrivateKey));
}

#[test]
fn neither_debug_nor_errors_show_secrets() {
    let jwk = jwk("2026-1", 1, true);
    let secret = jwk["d"].as_str().unwrap().to_owned();
    assert_eq!(
        format!("{:?}", ring(std::slice::from_ref(&jwk))),
        "KeyRing { open: [\"2026-1\"], seal: Some(\"2026-1\"), .. }"
    );
    let wrong = [
        json!({ "keys": secret }),
        json!({ "keys": [secret] }),
        json!({ "keys": { "d": secret } }),
        json!({ "keys": [{ "kid": "a", "kty": "OKP", "crv": "Ed25519", "x": 1, "d": secret }] }),
        json!([secret]),
    ];
    for json in wrong.map(|json| json.to_string()).into_iter().chain([format!("{jwk}}}")]) {
        let error = KeyRing::parse(&json).unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            shown += &format!(" {cause} {cause:?}");
            source = cause.source();
        }
        assert!(!shown.contains(&secret), "{shown}");
    }
}

#[test]
fn ring_is_taken_whole_or_not_at_all() {
    let good = jwk("a", 1, true);
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        json!({ "keys": [jwk] }).to_string()
    };
    let parse = |json: &str| KeyRing::parse(json).unwrap_err();
    assert!(matches!(parse("{"), KeysError::Syntax(_)));
    assert!(matches!(parse("[]"), KeysError::NotASet));
    assert!(matches!(parse(r#"{"keys":[]}"#), KeysError::Empty));
    for kid in [json!(""), json!(1), json!("k".repeat(33))] {
        assert!(matches!(parse(&with("kid", kid)), KeysError::Unnamed { index: 0 }));
    }
    let twice = json!({ "keys": [good, jwk("a", 2, false)] }).to_string();
    assert!(matches!(parse(&twice), KeysError::Twice { kid } if kid == "a"));
    for (name, value) in
        [("kty", "EC"), ("crv", "X25519"), ("crv", "P-256"), ("alg", "ES256"), ("use", "enc")]
    {
        let error = parse(&with(name, json!(value)));
        assert!(matches!(error, KeysError::Kind { .. }), "{name} {value}: {error}");
    }
    // The last is the neutral point, with which anything would verify.
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for x in [json!("AAAA"), json!(null), json!("*"), json!(weak)] {
        assert!(matches!(parse(&with("x", x)), KeysError::Public { .. }));
    }
    let other = jwk("b", 2, true)["d"].clone();
    for d in [json!("AAAA"), json!(null), other] {
        assert!(matches!(parse(&with("d", d)), KeysError::Private { .. }));
    }
    for (name, value) in [("alg", "EdDSA"), ("alg", "Ed25519"), ("use", "sig"), ("x5u", "any")] {
        assert!(KeyRing::parse(&with(name, json!(value))).is_ok(), "{name} {value}");
    }
}
