//! Tokens of every kind that must be refused, each for its own reason, and those that must not.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

pub(crate) const NOW: i64 = 1_750_000_000;

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn jwk(kid: &str, key: &SigningKey) -> Value {
    let x = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x})
}

fn keys(keys: &[Value]) -> Result<Keys, KeysError> {
    Keys::parse(&json!({ "keys": keys }).to_string())
}

pub(crate) fn authenticator() -> Authenticator {
    believing(&[jwk("one", &signing_key(1)), jwk("two", &signing_key(2))])
}

fn believing(set: &[Value]) -> Authenticator {
    let settings = AuthenticatorSettings {
        issuer: "doudi".to_owned(),
        audience: "doudi".to_owned(),
        leeway: Duration::from_secs(30),
        token_age_max: Duration::from_secs(12 * 3600),
    };
    Authenticator::new(keys(set).unwrap(), CaseTokens::new(vec![[7; 32]]), settings)
}

fn sound() -> Value {
    json!({
        "iss": "doudi", "aud": "doudi", "exp": NOW + 3600, "iat": NOW - 60, "sub": "zhang",
        "roles": ["inspector"], "unit": "tax", "areas": ["210212"],
    })
}

fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn token(claims: &Value) -> String {
    signed(&json!({"alg": "EdDSA", "kid": "one"}), claims, &signing_key(1))
}

/// A sound token of one role.
pub(crate) fn token_of(role: Role) -> String {
    if role == Role::CaseHolder {
        let case = (EnterpriseId::parse("L-1").unwrap(), AppealId(uuid::Uuid::from_u128(1)));
        return CaseTokens::new(vec![[7; 32]]).make(&case.0, case.1);
    }
    token_of_account(role, "zhang")
}

/// A sound token of one role for an account.
pub(crate) fn token_of_account(role: Role, subject: &str) -> String {
    let mut claims = sound();
    claims["sub"] = json!(subject);
    claims["roles"] = json!([role]);
    claims["enterprise"] = json!("L-1");
    token(&claims)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = sound();
    claims[name] = value;
    claims
}

fn ask(token: &str) -> Result<Caller, TokenError> {
    let now = Timestamp::from_second(NOW).unwrap();
    authenticator().authenticate(token, now).map(|caller| (*caller).clone())
}

#[test]
fn a_sound_token_proves_its_caller() {
    let caller = ask(&token(&sound())).unwrap();
    assert_eq!(caller.subject, "zhang");
    assert!(caller.roles.contains(Role::Inspector));
    assert_eq!(caller.unit, Some(UnitId::parse("tax").unwrap()));
    assert_eq!(caller.areas, Areas::Some(vec![AreaCode::parse("210212").unwrap()]));
    let second = signed(&json!({"alg": "EdDSA", "kid": "two"}), &sound(), &signing_key(2));
    assert!(ask(&second).is_ok());
    assert!(ask(&token(&with("aud", json!(["other", "doudi"])))).is_ok());
    assert_eq!(ask(&token(&with("areas", json!(["*"])))).unwrap().areas, Areas::All);
    assert!(ask(&token(&with("exp", json!(NOW - 29)))).is_ok(), "within the leeway");
}

/// The P-256 key whose scalar is all ones, as PKCS #8 without its public half.
fn p256_key() -> jsonwebtoken::EncodingKey {
    let mut der = vec![0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07];
    der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08]);
    der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27]);
    der.extend([0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20]);
    der.extend([0x01; 32]);
    jsonwebtoken::EncodingKey::from_ec_der(&der)
}

#[test]
fn es256_is_believed_from_its_own_key_only() {
    let public = json!({
        "kty": "EC", "crv": "P-256", "kid": "ec",
        "x": "b_A7lJJBzh2t1DUZ5pYOCoW0GmmgXDKBA6orzhWUyhY",
        "y": "PE91OlW_AdxT9sCwx-7ni0DG_30lqW4igrmJzvccFEo",
    });
    let authenticator = believing(&[public, jwk("one", &signing_key(1))]);
    let ask = |kid: &str| {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        let token = jsonwebtoken::encode(&header, &sound(), &p256_key()).unwrap();
        authenticator.authenticate(&token, Timestamp::from_second(NOW).unwrap())
    };
    assert_eq!(ask("ec").unwrap().subject, "zhang");
    assert_eq!(ask("one"), Err(TokenError::Algorithm));
}

#[test]
fn each_unsound_token_is_refused_for_its_own_reason() {
    let by = |header: Value| signed(&header, &sound(), &signing_key(1));
    let tampered = {
        let good = token(&sound());
        let parts: Vec<&str> = good.split('.').collect();
        let claims = BASE64_URL_SAFE_NO_PAD.encode(with("roles", json!(["admin"])).to_string());
        format!("{}.{claims}.{}", parts[0], parts[2])
    };
    let ends = |second: i64| Timestamp::from_second(second).unwrap();
    let table = [
        ("no token", String::new(), TokenError::Malformed),
        ("no case", "case.AAAA".to_owned(), TokenError::Case),
        ("two parts", "a.b".to_owned(), TokenError::Malformed),
        ("not base64", "!.!.!".to_owned(), TokenError::Malformed),
        ("too long", "a".repeat(9000), TokenError::Malformed),
        ("alg none", by(json!({"alg": "none", "kid": "one"})), TokenError::Algorithm),
        ("alg HS256", by(json!({"alg": "HS256", "kid": "one"})), TokenError::Algorithm),
        ("alg ES256", by(json!({"alg": "ES256", "kid": "one"})), TokenError::Algorithm),
        ("no alg", by(json!({"kid": "one"})), TokenError::Malformed),
        ("crit", by(json!({"alg": "EdDSA", "kid": "one", "crit": ["x"]})), TokenError::Malformed),
        ("no kid", by(json!({"alg": "EdDSA"})), TokenError::KeyUnknown),
        ("unknown kid", by(json!({"alg": "EdDSA", "kid": "three"})), TokenError::KeyUnknown),
        ("other key", by(json!({"alg": "EdDSA", "kid": "two"})), TokenError::Signature),
        ("tampered", tampered, TokenError::Signature),
        ("expired", token(&with("exp", json!(NOW - 31))), TokenError::Expired(ends(NOW - 1))),
        ("early", token(&with("nbf", json!(NOW + 31))), TokenError::NotYetValid(ends(NOW + 31))),
        ("issuer", token(&with("iss", json!("other"))), TokenError::Issuer),
        ("audience", token(&with("aud", json!("other"))), TokenError::Audience),
        (
            "too long a life",
            token(&with("exp", json!(NOW + 13 * 3600))),
            TokenError::LifeTooLong { seconds_max: 12 * 3600 },
        ),
    ];
    for (case, token, refused) in table {
        assert_eq!(ask(&token), Err(refused), "{case}");
    }
}

#[test]
fn malformed_or_missing_claims_are_refused_by_name() {
    let cases = [
        ("iss", Value::Null),
        ("aud", json!(7)),
        ("exp", Value::Null),
        ("exp", json!("soon")),
        ("exp", json!(NOW - 2)),
        ("iat", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(201))),
        ("sub", json!("\u{200B}\u{3000}")),
        ("sub", json!("zhang\u{202E}gnaw")),
        ("roles", json!([])),
        ("roles", json!(["king"])),
        ("roles", json!(["case_holder"])),
        ("roles", json!("admin")),
        ("unit", Value::Null),
        ("unit", json!("Not A Unit")),
        ("areas", json!(["*", "210212"])),
        ("areas", json!("210212")),
        ("areas", json!([7])),
        ("enterprise", json!("nonsense")),
        ("device", json!("")),
        ("device", json!("a\u{2028}b")),
    ];
    for (claim, value) in cases {
        let mut claims = with(claim, value.clone());
        // A life that ends before its issue must be told from an expired one.
        if claim == "exp" && value.is_i64() {
            claims["iat"] = json!(NOW - 1);
            claims["exp"] = json!(NOW - 2);
        }
        assert_eq!(ask(&token(&claims)), Err(ClaimError(claim).into()), "{claim} = {value}");
    }
    for (role, claim) in [("dispatcher", "areas"), ("enterprise", "enterprise")] {
        let claims = json!({
            "iss": "doudi", "aud": "doudi", "exp": NOW + 60, "iat": NOW, "sub": "x", "roles": [role],
        });
        assert_eq!(ask(&token(&claims)), Err(ClaimError(claim).into()), "{role}");
    }
}

#[test]
fn a_remembered_token_still_expires() {
    let authenticator = authenticator();
    let token = token(&sound());
    let at = |second| Timestamp::from_second(second).unwrap();
    assert!(authenticator.authenticate(&token, at(NOW)).is_ok());
    assert!(authenticator.authenticate(&token, at(NOW + 3600 + 29)).is_ok());
    let late = authenticator.authenticate(&token, at(NOW + 3600 + 30));
    assert_eq!(late, Err(TokenError::Expired(at(NOW + 3630))));
}

#[test]
fn a_key_set_is_taken_whole_or_not_at_all() {
    let good = jwk("one", &signing_key(1));
    let changed = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    assert_eq!(keys(std::slice::from_ref(&good)).unwrap().kids().collect::<Vec<_>>(), ["one"]);
    assert!(matches!(Keys::parse("[]"), Err(KeysError::Malformed(_))));
    assert!(matches!(keys(&[]), Err(KeysError::Empty)));
    assert!(matches!(keys(&[changed("kid", Value::Null)]), Err(KeysError::Unnamed { index: 0 })));
    assert!(matches!(keys(&[good.clone(), good.clone()]), Err(KeysError::Twice { .. })));
    assert!(matches!(keys(&[changed("d", json!("x"))]), Err(KeysError::Private { .. })));
    assert!(matches!(keys(&[changed("use", json!("enc"))]), Err(KeysError::Kind { .. })));
    assert!(matches!(keys(&[changed("alg", json!("ES256"))]), Err(KeysError::Kind { .. })));
    for kind in [
        json!({"kty": "oct", "kid": "k", "k": "AAAA"}),
        json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-384", "kid": "k", "x": "AA", "y": "AA"}),
    ] {
        assert!(matches!(keys(&[kind]), Err(KeysError::Kind { .. })));
    }
}
