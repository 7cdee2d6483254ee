//! Tokens that nobody issued: sound ones with other letters in them, headers that name another way to sign, and
//! claims of any kind under a sound signature. None is believed but the last, and none breaks anything.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_api::permission::Role;
use doudi_server::token;
use doudi_tests::world::World;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json, value::RawValue};
use sha2::Sha256;
use tonic::{
    Code,
    metadata::{Ascii, MetadataValue},
};

use super::{BROKEN, panics::Panics};
use crate::{
    fuzz::{seeds, spoil, texts},
    real::{raw, requests::submit},
};

/// How many tokens of each kind are made up.
const ROUNDS: u64 = 500;
/// What any account may ask.
const QUESTION: &str = "/doudi.v1.AlertService/CountAlerts";
/// What stands in the place of a number or a text that JSON has other spellings for.
const SPELLINGS: [&str; 12] = [
    "1e999",
    "-0",
    "1.5",
    "1e3",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "1000000000000000000000000000000000000000",
    "\"\\ud800\"",
    "{\"exp\":1,\"exp\":2}",
    "null",
];
/// How deep what is nested is.
const NESTED: usize = 1500;

/// What the server answers to who bears it; none where no header can carry it.
async fn asked(world: &World, token: &str) -> Option<Result<(), Code>> {
    let _: MetadataValue<Ascii> = format!("Bearer {token}").parse().ok()?;
    let request = raw::request(token, vec![vec![]]);
    let answer = match raw::ask(&world.running.channel, QUESTION, request).await {
        Ok(mut answers) => answers.message().await,
        Err(status) => Err(status),
    };
    if let Err(status) = &answer {
        assert!(!BROKEN.contains(&status.code()), "{status:?}: {token}");
    }
    Some(answer.map(|_| ()).map_err(|status| status.code()))
}

/// Other letters in some places of a token, or fewer, or more.
pub(super) fn bent(rng: &mut Rng, token: &str) -> String {
    const LETTERS: &[u8] = b"ABCDWXYZabcdwxyz0189-_.=+/ ,;\"\\";
    let mut bytes = token.as_bytes().to_vec();
    for _ in 0..rng.usize(1..3) {
        let (at, letter) = (rng.usize(..bytes.len()), rng.choice(LETTERS).copied().unwrap());
        match rng.u8(..6) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, letter),
            2 => bytes.push(letter),
            _ => bytes[at] = letter,
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A token whose header says anything of how it is signed, with what might pass for a signature.
fn confused(rng: &mut Rng, public: &Value, sound: &str) -> String {
    let parts: Vec<&str> = sound.split('.').collect();
    let kid = &public["keys"][0]["kid"];
    let names =
        ["none", "None", "HS256", "HS512", "ES256", "RS256", "PS256", "eddsa", "Ed25519", ""];
    let mut header = json!({ "alg": rng.choice(names).unwrap(), "kid": kid, "typ": "JWT" });
    match rng.u8(..6) {
        0 => header["jwk"] = public["keys"][0].clone(),
        1 => header["jku"] = json!("http://127.0.0.1:9/keys"),
        2 => header["crit"] = json!(["exp"]),
        3 => header["kid"] = json!(["", "../../etc/passwd", "test\u{0}"][rng.usize(..3)]),
        4 => header["alg"] = json!(["EdDSA", "HS256"]),
        _ => {}
    }
    let claims = if rng.bool() { parts[1].to_owned() } else { encoded(&claims(Role::Admin)) };
    let said = format!("{}.{claims}", encoded(&header));
    let key = public["keys"][0]["x"].as_str().unwrap();
    let signature = match rng.u8(..5) {
        0 => String::new(),
        1 => parts[2].to_owned(),
        2 => BASE64_URL_SAFE_NO_PAD.encode([0; 64]),
        3 => mac(key.as_bytes(), &said),
        _ => mac(&BASE64_URL_SAFE_NO_PAD.decode(key).unwrap(), &said),
    };
    format!("{said}.{signature}")
}

fn encoded(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

fn mac(key: &[u8], said: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(said.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

fn claims(role: Role) -> Value {
    serde_json::to_value(token::claims(role)).unwrap()
}

/// Claims as nobody would write them, under a sound signature.
fn signed(rng: &mut Rng, world: &World) -> String {
    let mut claims = claims(rng.choice(Role::ALL).unwrap());
    let words = texts(&claims);
    for _ in 0..rng.usize(1..3) {
        spoil(rng, &words, &mut claims);
    }
    let mut text = claims.to_string();
    if let Some(fields) = claims.as_object().filter(|fields| !fields.is_empty() && rng.bool()) {
        let (name, value) = rng.choice(fields).unwrap();
        let spelling = match rng.usize(..=SPELLINGS.len()) {
            0 => format!("{}{}", "[".repeat(NESTED), "]".repeat(NESTED)),
            at => SPELLINGS[at - 1].to_owned(),
        };
        text = text.replacen(&format!("\"{name}\":{value}"), &format!("\"{name}\":{spelling}"), 1);
    }
    world.ground.key.sign(&RawValue::from_string(text).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_believed_but_one_that_was_signed_and_none_breaks_anything() {
    let panics = Panics::watched();
    let world = World::start().await;
    let mut enterprise = world.role(Role::Enterprise);
    let request = submit("91210212DD0000001D", "T06", "");
    let submitted = enterprise.appeals.submit_appeal(request).await.unwrap().into_inner();
    let sound = world.ground.token(&token::claims(Role::Auditor));
    let public = std::fs::read_to_string(&world.ground.key.public_file).unwrap();
    let public = serde_json::from_str(&public).unwrap();
    assert_eq!(asked(&world, &sound).await, Some(Ok(())));
    let (mut refused, mut believed) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let of_a_case = bent(&mut rng, &submitted.case_token);
        let forged = [bent(&mut rng, &sound), of_a_case, confused(&mut rng, &public, &sound)];
        for token in forged {
            let is_sound = [&sound, &submitted.case_token].contains(&&token.trim().to_owned());
            if is_sound {
                continue;
            }
            let answer = asked(&world, &token).await;
            assert!(
                matches!(answer, None | Some(Err(Code::Unauthenticated))),
                "{token}: {answer:?}"
            );
            refused += u64::from(answer.is_some());
        }
        let answer = asked(&world, &signed(&mut rng, &world)).await;
        believed += u64::from(answer == Some(Ok(())));
    }
    assert!(refused > 0 && believed > 0, "{refused} refused, {believed} believed");
    assert_eq!(asked(&world, &sound).await, Some(Ok(())));
    world.stop().await;
    panics.none();
}
