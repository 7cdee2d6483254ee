//! Stored events that no version of ours wrote: golden files with something else in them, folded in any order. Whatever a
//! foreign hand put into the log, reading it is an error or a state, never a panic; and what can be read is stored again as
//! what is read the same.
//!
//! `ROUNDS=1000000 make fuzz` tries so many of each kind, `SEED=7` from that one on. `crate::real::fuzz` does the same
//! with requests, tokens, page tokens and positions.

use std::{env, fs, ops::Range, path::Path};

use doudi_domain::{
    Decider, agenda::Process, appeal::Appeal, campaign::Campaign, codec, device::Device,
    diagnosis::Diagnosis, draw::Draw, enterprise::Profile, policy::Policy, ratings::Ratings,
    reads::Reads, visits::Visits, webhook::Webhook,
};
use doudi_journal::{Actor, Commit, Hash, StoredEvent, StreamName, Version};
use fastrand::Rng;
use serde_json::{Value, json, value::to_raw_value};
use uuid::Uuid;

mod codes;
mod files;
mod pages;

/// How many streams of each kind are made up.
const STREAMS: u64 = 400;
/// Texts at the ends of what may be.
pub(crate) const FOREIGN: [&str; 10] = [
    "",
    "0",
    "1970-01-01",
    "9999-12-31",
    "-009999-01-01",
    "1970-01-01T00:00:00Z",
    "9999-12-30T22:00:00Z",
    "-009999-01-02T02:00:00Z",
    "\u{0}",
    "00000000-0000-0000-0000-000000000000",
];
/// How many events a stream has at the most.
const EVENTS: usize = 12;

/// What is tried: so many, unless whoever runs this says otherwise.
pub(crate) fn seeds(rounds: u64) -> Range<u64> {
    let given = |name| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let first = given("SEED").unwrap_or(0);
    first..first + given("ROUNDS").unwrap_or(rounds)
}

/// Changes some bytes, leaves some out or puts others between them.
pub(crate) fn bend(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..3) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, rng.u8(..)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.u8(..)),
        }
    }
}

/// The golden events of a kind: name, version, content.
fn golden(kind: &str) -> Vec<(String, u16, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/domain/golden").join(kind);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let file = path.file_name().unwrap().to_str().unwrap();
        let (stem, version) = file.strip_suffix(".json").unwrap().rsplit_once(".v").unwrap();
        let name = stem.split('.').next().unwrap().to_owned();
        let content = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        (name, version.parse().unwrap(), content)
    };
    files.iter().map(read).collect()
}

/// All texts in it: what else might stand in the place of one of them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}

/// Puts something else in one place of it.
pub(crate) fn spoil(rng: &mut Rng, words: &[String], value: &mut Value) {
    let deeper = rng.u8(..100) < 90;
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let key = rng.choice(fields.keys().cloned().collect::<Vec<_>>()).unwrap();
            match rng.u8(..30) {
                0 => drop(fields.remove(&key)),
                _ => spoil(rng, words, fields.get_mut(&key).unwrap()),
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = rng.usize(..items.len());
            match rng.u8(..10) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => spoil(rng, words, &mut items[at]),
            }
        }
        Value::Number(_) => {
            let extremes = [0, 1, u64::from(u16::MAX), u64::from(u32::MAX), u64::MAX];
            *value = if rng.u8(..20) == 0 { json!(-1) } else { json!(rng.choice(extremes)) };
        }
        Value::Bool(known) => *known = !*known,
        Value::String(text) if rng.u8(..100) < 70 => {
            *text = rng.choice(words).cloned().unwrap_or_default();
        }
        Value::String(text) => *text = rng.choice(FOREIGN).unwrap_or_default().to_owned(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            *value = rng.choice([json!([]), json!({}), json!("x"), json!(7)]).unwrap_or_default();
        }
    }
}

/// Folds spoiled events, few enough spoiled that most can be read; `seen` is what else becomes of them.
fn fold<D: Decider>(seen: impl Fn(&D::Event)) {
    let golden = golden(D::KIND);
    let words: Vec<String> = golden.iter().flat_map(|(_, _, content)| texts(content)).collect();
    let (mut read, mut refused) = (0_u64, 0_u64);
    for seed in seeds(STREAMS) {
        let mut rng = Rng::with_seed(seed);
        let mut state = D::default();
        for _ in 0..rng.usize(1..=EVENTS) {
            let (name, version, mut content) = rng.choice(&golden).unwrap().clone();
            for _ in 0..rng.u8(..3) {
                spoil(&mut rng, &words, &mut content);
            }
            let folded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let event =
                    codec::decode::<D::Event>(&name, version, &to_raw_value(&content).unwrap());
                event.ok().map(|event| {
                    seen(&event);
                    again::<D::Event>(&event);
                    state.clone().evolve(&event)
                })
            }));
            match folded {
                Ok(Some(next)) => (state, read) = (next, read + 1),
                Ok(None) => refused += 1,
                Err(_) => panic!("seed {seed}: {name}.v{version} {content}"),
            }
        }
    }
    // Otherwise nothing much is folded.
    assert!(read > refused / 2, "{}: {read} could be read, {refused} not", D::KIND);
}

/// What is read is stored as what is read the same.
fn again<E: codec::Storable>(event: &E) {
    let stored = codec::encode(event).unwrap();
    let read = codec::decode::<E>(stored.name, stored.version, &stored.data).unwrap();
    assert_eq!(codec::encode(&read).unwrap().data.get(), stored.data.get());
}

/// What it puts on the agenda.
fn to_do<E: Process>(event: &E) {
    event.agenda();
}

fn nothing<E>(_: &E) {}

/// One test for each kind of stream.
macro_rules! kinds {
    ($($name:ident: $kind:ty, $seen:expr);+ $(;)?) => {
        $(
            #[test]
            fn $name() {
                fold::<$kind>($seen);
            }
        )+
    };
}

kinds! {
    appeals: Appeal, to_do;
    campaigns: Campaign, nothing;
    devices: Device, to_do;
    diagnoses: Diagnosis, to_do;
    draws: Draw, nothing;
    policies: Policy, nothing;
    profiles: Profile, nothing;
    ratings: Ratings, nothing;
    reads: Reads, nothing;
    visits: Visits, to_do;
    webhooks: Webhook, nothing;
}

#[test]
fn commits_with_other_bytes_in_them() {
    let (name, version, content) = golden("appeal").swap_remove(0);
    let commit = Commit {
        stream: StreamName::parse("ev.L-1.appeal.00000000-0000-0000-0000-000000000001").unwrap(),
        version: Version(2),
        previous: Some(Hash::sha256(b"before")),
        command_id: Uuid::from_u128(7),
        command_digest: Hash::sha256(b"command"),
        actor: Actor::of("somebody"),
        occurred_at: jiff::Timestamp::UNIX_EPOCH,
        recorded_at: jiff::Timestamp::UNIX_EPOCH,
        causation: None,
        correlation: Uuid::from_u128(7),
        traceparent: None,
        events: vec![StoredEvent { name, version, data: to_raw_value(&content).unwrap() }],
    };
    let sound = commit.encode().unwrap().to_vec();
    for seed in seeds(STREAMS * 10) {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = sound.clone();
        bend(&mut rng, &mut bytes);
        // It is read or refused; what matters is that it returns, and the same.
        if let Ok(read) = Commit::decode(&bytes) {
            let again = read.encode().unwrap();
            assert_eq!(Commit::decode(&again).unwrap(), read, "seed {seed}");
        }
    }
}
