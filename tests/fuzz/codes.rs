//! What is scanned and what devices keep: sealed codes, anchors and records with something else in them, texts that
//! nobody sealed, and fields of any kind. Nothing is believed but what was sealed, and that opens as it was.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_scan::{
    Place,
    codes::{Anchor, Code, CodeError, EnterpriseCode, Form, KeyRing, PREFIX, TEXT_MAX, VisitCode},
    picture::{self, PIXELS_PER_MODULE_MAX},
    records::{
        self, Anchored, COUNTER_MAX, CheckIn, CheckOut, DeviceKey, Record, Recorder, Tail,
        Unplanned, What,
    },
};
use fastrand::Rng;
use serde_json::json;
use uuid::Uuid;

use super::{FOREIGN, bend, seeds};

/// How many of each kind are made up.
const ROUNDS: u64 = 1500;
/// How many pictures are drawn, which takes longer.
const PICTURES: u64 = 100;
/// The letters of Base45 (RFC 9285), each at its number.
const LETTERS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/// Others.
const STRANGE: [char; 6] = ['d', '=', '\n', '\u{0}', '码', '\u{10FFFF}'];
/// When the sound ones are valid, in seconds; as milliseconds it is long ago.
const NOW: i64 = 1_790_000_000;
/// Seconds and milliseconds at the ends of what may be.
const INSTANTS: [i64; 9] = [
    i64::MIN,
    -1,
    0,
    1,
    32_503_679_999,
    32_503_680_000,
    32_503_679_999_999,
    32_503_680_000_000,
    i64::MAX,
];
/// The lengths of texts of three bytes a letter that just fit somewhere, and of those that just do not.
const LENGTHS: [usize; 9] = [1, 21, 22, 170, 171, 341, 342, 666, 667];
const SECRET: [u8; 32] = [7; 32];
const DEVICE: Uuid = Uuid::from_u128(7);
/// The bytes of a signature, with which everything sealed ends.
const SIGNATURE: usize = 64;

/// The keys of codes, the same in every run.
fn ring() -> KeyRing {
    let public = Recorder::new(DEVICE, &SECRET, Tail::default()).public_key();
    let [x, d] = [public, SECRET].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x, "d": d });
    KeyRing::parse(&json!({ "keys": [key] }).to_string()).unwrap()
}

/// One of each kind.
fn sealed(ring: &KeyRing) -> Vec<String> {
    let (id, enterprise) = (Uuid::from_u128(1), "91210212DD0000001D".to_owned());
    let (issued_at, expires_at) = (NOW - 60, NOW + 60);
    let visit = Uuid::from_u128(2);
    let task = VisitCode { id, enterprise: enterprise.clone(), visit, issued_at, expires_at };
    let place = Some(Place { latitude_e6: 38_811_000, longitude_e6: 121_262_000, accuracy_m: 10 });
    let form = Form::Printed;
    let hung = EnterpriseCode { id, enterprise, form, place, issued_at, expires_at };
    let shown = EnterpriseCode { form: Form::Rotating, place: None, ..hung.clone() };
    let codes = [Code::Enterprise(hung), Code::Enterprise(shown), Code::Visit(task)];
    let anchor = ring.seal_anchor(&Anchor { device: DEVICE, at: NOW * 1000 }).unwrap();
    codes.iter().map(|code| ring.seal(code).unwrap()).chain([anchor]).collect()
}

/// Whether the signature of a text is believed, also where its time is over or has not come.
fn believed(ring: &KeyRing, text: &str) -> bool {
    let opened = ring.open(text, NOW);
    let out_of_time = matches!(opened, Err(CodeError::Expired { .. } | CodeError::NotYet { .. }));
    opened.is_ok() || out_of_time || ring.open_anchor(text).is_ok()
}

/// The bytes of a sealed text.
fn bytes_of(text: &str) -> Vec<u8> {
    let number = |letter: u8| LETTERS.iter().position(|known| *known == letter).unwrap();
    let numbers: Vec<usize> = text[PREFIX.len()..].bytes().map(number).collect();
    let bytes = numbers.chunks(3).flat_map(|numbers| {
        let whole = numbers.iter().rev().fold(0_usize, |whole, number| whole * 45 + number);
        let bytes = u16::try_from(whole).unwrap().to_be_bytes();
        bytes[3 - numbers.len()..].to_vec()
    });
    bytes.collect()
}

/// The text of bytes, as it would be sealed.
fn text_of(bytes: &[u8]) -> String {
    let letters = bytes.chunks(2).flat_map(|pair| {
        let whole = pair.iter().fold(0_usize, |whole, byte| whole * 256 + usize::from(*byte));
        let numbers = [whole % 45, whole / 45 % 45, whole / (45 * 45)];
        numbers.into_iter().take(pair.len() + 1).map(|number| char::from(LETTERS[number]))
    });
    format!("{PREFIX}{}", letters.collect::<String>())
}

/// Any of them.
fn any<T, const N: usize>(rng: &mut Rng, of: [T; N]) -> T {
    rng.choice(of).unwrap()
}

fn letter(rng: &mut Rng) -> char {
    char::from(any(rng, *LETTERS))
}

/// Other letters in some places of a text, or fewer, or more.
fn bent(rng: &mut Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..letters.len());
        let other = if rng.u8(..10) == 0 { any(rng, STRANGE) } else { letter(rng) };
        match rng.u8(..8) {
            0 => letters.truncate(at.max(1)),
            1 => letters.insert(at, other),
            2 => letters.push(other),
            3 => letters.swap(at, 0),
            _ => letters[at] = other,
        }
    }
    letters.into_iter().collect()
}

/// The beginning of one with the end of another, often its signature.
fn joined(rng: &mut Rng, sound: &[String]) -> String {
    let [one, other] = [(); 2].map(|()| bytes_of(rng.choice(sound).unwrap()));
    let end = if rng.bool() { SIGNATURE } else { rng.usize(..one.len().min(other.len())) };
    text_of(&[&one[..one.len() - end], &other[other.len() - end..]].concat())
}

/// A text that nobody sealed.
fn nobodys(rng: &mut Rng) -> String {
    let begin = if rng.bool() { PREFIX } else { any(rng, FOREIGN) };
    let is_strange = rng.u8(..4) == 0;
    let length = rng.usize(..TEXT_MAX + 10);
    let letters = (0..length).map(|_| match is_strange && rng.u8(..9) == 0 {
        true => rng.char(..),
        false => letter(rng),
    });
    format!("{begin}{}", letters.collect::<String>())
}

#[test]
fn no_code_and_no_anchor_is_believed_but_one_that_was_sealed() {
    let ring = ring();
    let sound = sealed(&ring);
    for text in &sound {
        assert!(believed(&ring, text), "{text}");
        assert_eq!(text_of(&bytes_of(text)), *text);
    }
    for seed in seeds(ROUNDS * 2) {
        let mut rng = Rng::with_seed(seed);
        let known = rng.choice(&sound).unwrap();
        let text = match rng.u8(..4) {
            0 => bent(&mut rng, known),
            1 => joined(&mut rng, &sound),
            2 => nobodys(&mut rng),
            _ => {
                let mut bytes = bytes_of(known);
                bend(&mut rng, &mut bytes);
                text_of(&bytes)
            }
        };
        assert!(sound.contains(&text) || !believed(&ring, &text), "seed {seed}: {text:?}");
    }
    assert!(sound.iter().all(|text| believed(&ring, text)));
}

/// A text that mostly fits.
fn any_text(rng: &mut Rng) -> String {
    match rng.u8(..16) {
        0 => any(rng, FOREIGN).to_owned(),
        1 => "长".repeat(any(rng, LENGTHS)),
        _ => "L-7".to_owned(),
    }
}

fn any_texts(rng: &mut Rng) -> Vec<String> {
    let count = if rng.u8(..8) == 0 { rng.usize(..35) } else { 2 };
    (0..count).map(|_| any_text(rng)).collect()
}

fn any_instant(rng: &mut Rng) -> i64 {
    if rng.u8(..4) > 0 { NOW } else { any(rng, INSTANTS) }
}

fn any_place(rng: &mut Rng) -> Option<Place> {
    let place = Place {
        latitude_e6: any(rng, [i32::MIN, -90_000_001, -90_000_000, 0, 90_000_000]),
        longitude_e6: any(rng, [-180_000_000, 0, 180_000_000, 180_000_001, i32::MAX]),
        accuracy_m: any(rng, [0, 10, 100_000, 100_001]),
    };
    rng.bool().then_some(place)
}

fn any_code(rng: &mut Rng) -> Code {
    let (id, enterprise) = (Uuid::from_u128(rng.u128(..)), any_text(rng));
    let issued_at = any_instant(rng);
    let soon = issued_at.saturating_add(60);
    let expires_at = if rng.u8(..4) > 0 { soon } else { any(rng, INSTANTS) };
    if rng.bool() {
        let visit = Uuid::from_u128(rng.u128(..));
        return Code::Visit(VisitCode { id, enterprise, visit, issued_at, expires_at });
    }
    let form = any(rng, [Form::Printed, Form::Rotating]);
    let place = any_place(rng);
    Code::Enterprise(EnterpriseCode { id, enterprise, form, place, issued_at, expires_at })
}

#[test]
fn codes_and_anchors_of_any_fields_are_refused_or_open_as_they_were() {
    let ring = ring();
    let (mut opened, mut refused) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let code = any_code(&mut rng);
        let from = match &code {
            Code::Enterprise(code) => code.issued_at,
            Code::Visit(code) => code.issued_at,
        };
        let later = any(&mut rng, INSTANTS);
        if let Ok(text) = ring.seal(&code) {
            assert!(text.len() <= TEXT_MAX, "seed {seed}: {text}");
            if let Ok(again) = ring.open(&text, later) {
                assert_eq!(again, code, "seed {seed}: at {later}");
            }
            assert_eq!(ring.open(&text, from), Ok(code), "seed {seed}");
            opened += 1;
        } else {
            refused += 1;
        }
        let anchor = Anchor { device: Uuid::from_u128(rng.u128(..)), at: any_instant(&mut rng) };
        if let Ok(text) = ring.seal_anchor(&anchor) {
            assert_eq!(ring.open_anchor(&text), Ok(anchor), "seed {seed}");
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

fn any_anchored(rng: &mut Rng) -> Option<Anchored> {
    let elapsed_ms = any(rng, [0, 1, 316_224_000_000, 316_224_000_001, u64::MAX]);
    let anchored = Anchored { text: any_text(rng), elapsed_ms };
    rng.bool().then_some(anchored)
}

fn any_unplanned(rng: &mut Rng) -> Option<Unplanned> {
    let (items, ground, reason) = (any_texts(rng), any_text(rng), any_text(rng));
    let evidence = rng.bool().then(|| any_text(rng));
    rng.bool().then_some(Unplanned { items, ground, evidence, reason })
}

fn any_what(rng: &mut Rng) -> What {
    let (enterprise, visit) = (any_text(rng), Uuid::from_u128(rng.u128(..)));
    let occurred_at = any_instant(rng);
    if rng.u8(..4) == 0 {
        return What::CheckOut(CheckOut { enterprise, visit, occurred_at });
    }
    let officers = any_texts(rng);
    let code = rng.bool().then(|| any_text(rng));
    let (place, unplanned) = (any_place(rng), any_unplanned(rng));
    What::CheckIn(CheckIn { enterprise, visit, officers, occurred_at, code, place, unplanned })
}

#[test]
fn records_of_any_fields_are_refused_or_open_as_they_were_and_with_other_bytes_not_at_all() {
    let key = Recorder::new(DEVICE, &SECRET, Tail::default()).public_key();
    let key = DeviceKey::parse(&key).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for seed in seeds(ROUNDS * 2) {
        let mut rng = Rng::with_seed(seed);
        let counter = any(&mut rng, [0, 1, 7, COUNTER_MAX - 1, COUNTER_MAX, u64::MAX]);
        let tail = Tail { counter, hash: [rng.u8(..); 32] };
        let mut recorder = Recorder::new(DEVICE, &SECRET, tail);
        let (what, anchor) = (any_what(&mut rng), any_anchored(&mut rng));
        let recorded_at = any_instant(&mut rng);
        let Ok(signed) = recorder.record(what.clone(), recorded_at, anchor.clone()) else {
            assert_eq!(recorder.tail(), tail, "seed {seed}: no counter is used");
            refused += 1;
            continue;
        };
        let (counter, previous) = (counter + 1, tail.hash);
        let written = Record { device: DEVICE, counter, previous, recorded_at, anchor, what };
        assert_eq!(records::open(&signed.0, &key), Ok(written.clone()), "seed {seed}");
        opened += 1;
        // Whatever the server's time was said to be.
        let given = Anchor { device: DEVICE, at: any(&mut rng, INSTANTS) };
        let drift = records::claimed_against_anchor(&written, &given);
        assert_eq!(drift.is_some(), written.anchor.is_some(), "seed {seed}");
        let mut bytes = signed.0.clone();
        bend(&mut rng, &mut bytes);
        // Whose it says that it is need not be true.
        let _ = records::device_of(&bytes);
        assert!(bytes == signed.0 || records::open(&bytes, &key).is_err(), "seed {seed}");
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

#[test]
fn any_text_is_drawn_or_refused() {
    for seed in seeds(PICTURES) {
        let mut rng = Rng::with_seed(seed);
        let text = nobodys(&mut rng);
        let scale = any(&mut rng, [0, 1, 2, PIXELS_PER_MODULE_MAX + 1]);
        let drawn = [picture::svg(&text).is_ok(), picture::lines(&text).is_ok()];
        let png = picture::png(&text, scale).is_ok();
        // Nobody draws others.
        if text.is_ascii() {
            let fits = text.len() <= TEXT_MAX;
            assert_eq!(drawn, [fits; 2], "seed {seed}: {text:?}");
            let in_bounds = (1..=PIXELS_PER_MODULE_MAX).contains(&scale);
            assert_eq!(png, fits && in_bounds, "seed {seed}: {scale} {text:?}");
        }
    }
}
