//! What an operator gives, and what lies in files: documents, settings, keys, addresses, archives.
//! Whatever stands there, it is read or refused in words; what is read is written as what is read the same.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use doudi_api::{
    identity::Keys,
    of_document, policy_document,
    proto::{FILE_DESCRIPTOR_SET, PolicyDocument},
};
use doudi_domain::webhook::Endpoint;
use doudi_journal::{Archive, ArchiveReader, Entry, Position};
use doudi_scan::codes::KeyRing;
use doudi_server::{
    catalogue,
    config::{Config, DEFAULTS, Purpose},
    dev::keys::code_keys,
};
use doudi_tests::Scratch;
use fastrand::Rng;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::{Value, json};

use super::{bend, seeds, spoil, texts};

/// How many of each kind are made up.
const ROUNDS: u64 = 400;

/// Every file in a folder but the lock.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let kept = paths.filter(|path| !path.ends_with("lock"));
    kept.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn document_type() -> MessageDescriptor {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    pool.get_message_by_name("doudi.v1.PolicyDocument").unwrap()
}

/// A document as `doudi what-if` and `grpcurl` read it.
fn of_json(kind: &MessageDescriptor, json: &Value) -> Option<PolicyDocument> {
    DynamicMessage::deserialize(kind.clone(), json).ok()?.transcode_to().ok()
}

#[test]
fn documents_of_an_operator() {
    let kind = document_type();
    let mut samples = catalogue::inspection_catalogues().unwrap();
    samples.extend([
        catalogue::work_calendar().unwrap(),
        catalogue::case_types().unwrap(),
        catalogue::frequency_policy(),
        catalogue::Plan::published().unwrap().routing(),
    ]);
    let json = |document: &PolicyDocument| {
        let mut message = DynamicMessage::new(kind.clone());
        message.transcode_from(document).unwrap();
        serde_json::to_value(&message).unwrap()
    };
    let samples: Vec<Value> = samples.iter().map(json).collect();
    let (mut read, mut refused) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let mut document = rng.choice(&samples).unwrap().clone();
        let words = texts(&document);
        for _ in 0..rng.u8(..4) {
            spoil(&mut rng, &words, &mut document);
        }
        let Some(given) = of_json(&kind, &document) else {
            refused += 1;
            continue;
        };
        match policy_document(&given) {
            Ok(found) => {
                let again = policy_document(&of_document(&found)).unwrap();
                assert!(again == found, "seed {seed}: {document}");
                // Whether it contradicts itself can be told of whatever was read.
                let _ = found.problems();
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} could be read, {refused} not");
}

#[test]
fn settings_of_an_operator() {
    let folder = Scratch::new("settings").unwrap();
    let file = folder.path().join("doudi.toml");
    let sound: toml::Table = DEFAULTS.parse().unwrap();
    let sound = serde_json::to_value(&sound).unwrap();
    let words = texts(&sound);
    let mut read = 0;
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let mut settings = sound.clone();
        for _ in 0..rng.u8(..4) {
            spoil(&mut rng, &words, &mut settings);
        }
        let Ok(text) = toml::to_string(&settings) else { continue };
        let mut text = text.into_bytes();
        if rng.u8(..4) == 0 {
            bend(&mut rng, &mut text);
        }
        fs::write(&file, text).unwrap();
        match Config::load(Purpose::Dev, Some(&file), &[]) {
            Ok(config) => read += usize::from(!config.describe().is_empty()),
            Err(error) => assert!(!error.mistakes.is_empty(), "seed {seed}"),
        }
    }
    assert!(read > 0, "none could be read");
}

#[test]
fn keys_of_an_operator() {
    let sound: Value = serde_json::from_str(&code_keys("one").unwrap()).unwrap();
    let mut public = sound.clone();
    public["keys"][0].as_object_mut().unwrap().remove("d");
    let (mut read, mut refused) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let mut set = if rng.bool() { sound.clone() } else { public.clone() };
        let mut words = texts(&set);
        words.extend(["P-256", "EC", "oct", "RSA", "ES256", "enc"].map(str::to_owned));
        if rng.u8(..4) == 0 {
            set["keys"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "kty": "EC", "crv": "P-256", "kid": "x" }));
        }
        for _ in 0..rng.u8(..3) {
            spoil(&mut rng, &words, &mut set);
        }
        let mut text = set.to_string().into_bytes();
        if rng.u8(..4) == 0 {
            bend(&mut rng, &mut text);
        }
        let text = String::from_utf8_lossy(&text);
        for sound in [Keys::parse(&text).is_ok(), KeyRing::parse(&text).is_ok()] {
            *(if sound { &mut read } else { &mut refused }) += 1;
        }
    }
    assert!(read > 0 && refused > 0, "{read} could be read, {refused} not");
}

#[test]
fn addresses_of_partners() {
    let sound = [
        "https://partner.example:8443/events?of=doudi",
        "http://127.0.0.1:9/hook",
        "https://[2001:db8::1]:443/",
        "https://xn--fiqs8s.example",
    ];
    for seed in seeds(ROUNDS * 10) {
        let mut rng = Rng::with_seed(seed);
        let mut text = rng.choice(sound).unwrap().as_bytes().to_vec();
        bend(&mut rng, &mut text);
        let text = String::from_utf8_lossy(&text);
        if let Ok(endpoint) = Endpoint::parse(&text) {
            assert_eq!(endpoint.as_str(), text);
            assert!(!endpoint.host().is_empty(), "{text}");
            assert_eq!(Endpoint::parse(endpoint.as_str()), Ok(endpoint));
        }
    }
}

#[test]
fn archives_with_other_bytes_in_them() {
    /// Some records a segment.
    const SEGMENT_BYTES: u64 = 400;
    let folder = Scratch::new("archive").unwrap();
    let entry = |position: u64| Entry {
        position: Position(position),
        subject: format!("ev.L-{position}.profile"),
        headers: vec![("Nats-Expected-Stream".to_owned(), "doudi".to_owned()); 2],
        payload: vec![b'x'; 50].into(),
    };
    let entries: Vec<Entry> = (1..=12).map(entry).collect();
    drop(Archive::open(folder.path(), SEGMENT_BYTES).unwrap().append(&entries).unwrap());
    let sound = files(folder.path());
    assert!(sound.len() > 3, "{:?}", sound.keys());
    let mut noticed = 0;
    for seed in seeds(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let file = rng.choice(sound.keys()).unwrap();
        let mut bytes = sound[file].clone();
        bend(&mut rng, &mut bytes);
        fs::write(file, &bytes).unwrap();
        let read =
            || ArchiveReader::open(folder.path())?.map_or(Ok(vec![]), |mut all| all.read(100));
        match read() {
            // Who reads it is told nothing that was not archived.
            Ok(read) => assert!(entries.starts_with(&read), "seed {seed}: {read:?}"),
            Err(_) => noticed += 1,
        }
        // Nor is it gone on with after what was not archived.
        if let Ok(archive) = Archive::open(folder.path(), SEGMENT_BYTES) {
            assert!(archive.last().is_none_or(|last| entries.contains(last)), "seed {seed}");
        }
        // Which may have mended it.
        files(folder.path()).keys().for_each(|path| fs::remove_file(path).unwrap());
        sound.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }
    assert!(noticed > 0);
    let whole = ArchiveReader::open(folder.path()).unwrap().unwrap().read(100).unwrap();
    assert_eq!(whole, entries);
}
