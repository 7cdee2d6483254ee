//! Corruption of the log's files under a stopped nats-server, in every way that the table names: either
//! every record is still there as it was, or doudi refuses to start, or `doudi verify` names which are not.

pub(in crate::real) mod store;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use async_nats::jetstream;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use doudi_journal::{Archive, JetStream, Journal, Position, archive::after};
use doudi_server::{archive, config::Config, dev, parts, parts::Parts, verify};
use doudi_tests::{
    Scratch,
    nats::{NatsOptions, NatsServer},
    until,
    world::Ground,
};
use doudi_views::ViewName;

use self::store::{Place, Store, copy, edit};
use super::{WITHIN, log::*, open};

/// So large the log may be: nats-server then makes each block the smallest that it makes, 32 KB.
const LOG_BYTES: u64 = 120_000;
/// How many enterprises have a history, of eight records each; the older copy of the log has fewer.
const HISTORIES: u64 = 12;
const OLDER: u64 = 9;

/// What can be done to the files of a log.
type Damage = Box<dyn Fn(&Store)>;

/// A log with what is known of it.
struct Known {
    ground: Ground,
    /// The server's folder when it was stopped, one that is older, and one of another log.
    folder: PathBuf,
    older: PathBuf,
    other: PathBuf,
    archive: PathBuf,
    /// Every message, as it was.
    messages: Vec<Option<String>>,
    places: Vec<Place>,
}

/// Every message up to `last` as the server has it; none where it has it not.
async fn messages(server: &NatsServer, stream: &str, last: u64) -> Vec<Option<String>> {
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    let context = jetstream::new(options.connect(server.url()).await.unwrap());
    let mut messages = Vec::new();
    for sequence in 1..=last {
        let subject = format!("STREAM.MSG.GET.{stream}");
        let asked = serde_json::json!({ "seq": sequence });
        let answer: serde_json::Value = context.request(subject, &asked).await.unwrap();
        let part = |field: &str| {
            let text = answer["message"][field].as_str().unwrap_or_default();
            String::from_utf8_lossy(&BASE64_STANDARD.decode(text).unwrap()).into_owned()
        };
        let subject = answer["message"]["subject"].as_str();
        let text = |subject| format!("{subject}|{}|{}", part("hdrs"), part("data"));
        messages.push(subject.map(text));
    }
    messages
}

async fn journal(config: &Config) -> JetStream {
    JetStream::connect(parts::jetstream_settings(&config.nats)).await.unwrap()
}

/// Fills the log of the configuration with so many histories more.
async fn filled(config: &Config) -> Log {
    let jetstream = journal(config).await;
    assert!(jetstream.create_if_absent().await.unwrap());
    jetstream.gate(Position::START).await.unwrap();
    Log::on(Journal::JetStream(jetstream))
}

impl Known {
    async fn new(scratch: &Scratch) -> Self {
        let mut ground = Ground::start().await;
        ground.config.nats.max_bytes = LOG_BYTES;
        let config = ground.config.clone();
        let path = |name: &str| scratch.path().join(name);
        let (folder, older, other) = (path("log"), path("older"), path("other"));
        let store = ground.nats.store_dir();
        let mut log = filled(&config).await;
        for n in 0..HISTORIES {
            if n == OLDER {
                ground.nats.stop().await.unwrap();
                copy(&store, &older);
                ground.nats.restart().await.unwrap();
                let back = until(WITHIN, async || log.journal.connected().then_some(()));
                back.await.expect("the client connects again");
            }
            log.history(n, "tax").await;
        }
        let archive = path("archive");
        let written = Archive::open(&archive, 1 << 16).unwrap();
        written.append(&after(&log.journal, None).await.unwrap()).unwrap();
        let views = open(&ground.postgres).await;
        for view in ViewName::ALL {
            views.catch_up(&log.journal, view, &mut |_, _| {}).await.unwrap();
        }
        let end = HISTORIES * 8;
        assert_eq!(log.journal.last_position().await.unwrap(), Position(end));
        let messages = messages(&ground.nats, &config.nats.stream, end).await;
        ground.nats.stop().await.unwrap();
        copy(&store, &folder);
        // Another log of the same length.
        fs::remove_dir_all(&store).unwrap();
        ground.nats.restart().await.unwrap();
        let mut log = filled(&config).await;
        for n in 0..HISTORIES {
            log.history(n + 500, "tax").await;
        }
        ground.nats.stop().await.unwrap();
        copy(&store, &other);
        let places = Store::new(&folder, &config.nats.stream).places();
        assert_eq!(places.len(), messages.len());
        Self { ground, folder, older, other, archive, messages, places }
    }

    fn blocks(&self) -> usize {
        1 + self.places.iter().map(|place| place.block).max().unwrap()
    }

    /// A record in the middle of a block.
    fn within(&self, block: usize) -> &Place {
        let those: Vec<&Place> = self.places.iter().filter(|place| place.block == block).collect();
        those[those.len() / 2]
    }
}

/// What became of a log that was damaged.
#[derive(Debug)]
struct Outcome {
    /// The positions at which the server has not what it had.
    lost: BTreeSet<u64>,
    /// Why doudi does not start, without an archive and with one.
    start: Option<String>,
    start_with_archive: Option<String>,
    /// What `doudi verify` finds, without an archive and with one.
    verified: Vec<String>,
    compared: Vec<String>,
}

async fn outcome(known: &Known, folder: &Path) -> Outcome {
    let options = NatsOptions { folder: Some(folder.to_owned()), ..NatsOptions::default() };
    let nats = NatsServer::start(options).await.unwrap();
    let mut config = known.ground.config.clone();
    dev::point(&mut config, &nats, &known.ground.postgres, &known.ground.key);
    let last = u64::try_from(known.messages.len()).unwrap();
    let found = messages(&nats, &config.nats.stream, last).await;
    let pairs = (1..).zip(known.messages.iter().zip(&found));
    let lost = pairs.filter(|(_, (was, is))| was != is).map(|(position, _)| position).collect();
    let start = async |config: &Config| {
        let started = Box::pin(Parts::assemble(config)).await;
        started.err().map(|error| doudi_server::report::chain(&error))
    };
    let mut watched = config.clone();
    watched.archive.folder = known.archive.clone();
    let (start, start_with_archive) = (start(&config).await, start(&watched).await);
    let journal = Journal::JetStream(journal(&config).await);
    let unsound = |report: verify::Report| if report.sound { Vec::new() } else { report.lines };
    let words =
        |error: &(dyn std::error::Error + 'static)| vec![doudi_server::report::chain(error)];
    let mut verified = match verify::log(&journal).await {
        Ok(report) => unsound(report),
        Err(error) => words(&error),
    };
    if verified.is_empty() {
        let views = open(&known.ground.postgres).await;
        verified = unsound(verify::compare(&journal, &views).await.unwrap());
    }
    let compared = match archive::compare(&journal, known.archive.clone()).await {
        Ok(report) => unsound(report),
        Err(error) => words(&error),
    };
    Outcome { lost, start, start_with_archive, verified, compared }
}

/// Each kind of damage, with its name.
fn table(known: &Known) -> Vec<(String, Damage)> {
    let mut table = flips(known);
    let mut add = |name: &str, damage: Damage| table.push((name.to_owned(), damage));
    let last = known.blocks() - 1;
    let (first_middle, last_middle) = (known.within(0).clone(), known.within(last).clone());
    let end = known.places.last().unwrap().clone();
    let cut = |block: usize, length: usize| -> Damage {
        Box::new(move |store| store.change(block, |bytes| bytes.truncate(length)))
    };
    add("the last byte is cut off", cut(last, end.whole.end - 1));
    add("the last record is cut off", cut(last, end.whole.start));
    add("half of the last block is cut off between records", cut(last, last_middle.whole.start));
    add(
        "half of the last block is cut off within a record",
        cut(last, last_middle.whole.start + 9),
    );
    add("the last block is empty", cut(last, 0));
    add("half of the first block is cut off between records", cut(0, first_middle.whole.start));
    add("half of the first block is cut off within a record", cut(0, first_middle.whole.start + 9));
    add("the first block is empty", cut(0, 0));
    for (name, block) in [("first", 0), ("second", 1), ("last", last)] {
        let remove = move |store: &Store| fs::remove_file(&store.blocks()[block]).unwrap();
        add(&format!("the {name} block is gone"), Box::new(remove));
    }
    table.extend(misplaced(known));
    table.extend(indexes(known));
    table.extend(others(known));
    table
}

/// Blocks, pages and records stand where they do not belong.
fn misplaced(known: &Known) -> Vec<(String, Damage)> {
    let mut table: Vec<(String, Damage)> = Vec::new();
    let mut add = |name: &str, damage: Damage| table.push((name.to_owned(), damage));
    let last = known.blocks() - 1;
    let (first_middle, last_middle) = (known.within(0).clone(), known.within(last).clone());
    let end = known.places.last().unwrap().clone();
    add(
        "the first two blocks change places",
        Box::new(|store| {
            let blocks = store.blocks();
            let [one, two] = [0, 1].map(|block| fs::read(&blocks[block]).unwrap());
            fs::write(&blocks[0], two).unwrap();
            fs::write(&blocks[1], one).unwrap();
        }),
    );
    add(
        "the first block stands in the place of the second",
        Box::new(|store| {
            let blocks = store.blocks();
            fs::copy(&blocks[0], &blocks[1]).unwrap();
        }),
    );
    for (name, block, from) in
        [("first", 0, first_middle.whole.start), ("last", last, last_middle.whole.start)]
    {
        let page = move |bytes: &mut Vec<u8>| {
            let to = bytes.len().min(from + 4096);
            bytes[from..to].fill(0);
        };
        add(
            &format!("a page of the {name} block is zero"),
            Box::new(move |store| store.change(block, page)),
        );
    }
    add(
        "something follows the last record",
        Box::new(move |store| {
            store.change(last, |bytes| bytes.extend_from_slice(&[7; 100]));
        }),
    );
    add(
        "the last record stands there twice",
        Box::new(move |store| {
            store.change(last, |bytes| bytes.extend_from_within(end.whole.clone()));
        }),
    );
    add(
        "a record is taken out of the first block",
        Box::new({
            let whole = first_middle.whole.clone();
            move |store| store.change(0, |bytes| drop(bytes.drain(whole.clone())))
        }),
    );
    add(
        "a record of the first block stands in the last one",
        Box::new({
            let (from, to) = (first_middle.whole, last_middle.whole.end);
            move |store| {
                let moved = fs::read(&store.blocks()[0]).unwrap()[from.clone()].to_vec();
                store.change(last, |bytes| drop(bytes.splice(to..to, moved)));
            }
        }),
    );
    table
}

/// A bit is flipped in each part of a record: in the middle of the first block and of the last, and at the end.
fn flips(known: &Known) -> Vec<(String, Damage)> {
    let last = known.places.last().unwrap();
    let places = [
        ("a record of the first block", known.within(0)),
        ("a record of the last block", known.within(last.block)),
        ("the last record", last),
    ];
    let mut chance = fastrand::Rng::with_seed(15);
    let mut flips: Vec<(String, Damage)> = Vec::new();
    for (name, Place { block, parts, .. }) in places {
        for (part, range) in parts {
            // A sequence far away lets nats-server fill what it takes for a gap until it answers nothing: nobody serves then.
            let within =
                if *part == "sequence" { range.start..range.start + 1 } else { range.clone() };
            let (block, at, bit) = (*block, chance.usize(within), chance.u32(0..8));
            let flip = move |store: &Store| store.change(block, |bytes| bytes[at] ^= 1 << bit);
            flips.push((format!("bit {bit} at {at} in {name}: {part}"), Box::new(flip)));
        }
    }
    flips
}

/// What the server knows of its blocks is away or wrong, alone and together with other damage.
fn indexes(known: &Known) -> Vec<(String, Damage)> {
    let mut table: Vec<(String, Damage)> = Vec::new();
    let mut add = |name: &str, damage: Damage| table.push((name.to_owned(), damage));
    let last = known.blocks() - 1;
    let without_index = |store: &Store| fs::remove_file(store.index()).unwrap();
    add("the index is gone", Box::new(without_index));
    add("the index is cut off", Box::new(|store| edit(&store.index(), |bytes| bytes.truncate(40))));
    add("a bit in the index", Box::new(|store| edit(&store.index(), |bytes| bytes[30] ^= 1)));
    let (older, stream) = (known.older.clone(), known.ground.config.nats.stream.clone());
    add(
        "the index is an older one",
        Box::new(move |store| {
            fs::copy(Store::new(&older, &stream).index(), store.index()).unwrap();
        }),
    );
    for (name, place) in
        [("the first block", known.within(0)), ("the end", known.places.last().unwrap())]
    {
        for (part, range) in place.parts.clone() {
            if ["payload", "subject", "headers"].contains(&part) {
                let (block, at) = (place.block, range.start + range.len() / 2);
                add(
                    &format!("the index is gone, and bit 2 at {at} in the {part} at {name}"),
                    Box::new(move |store| {
                        without_index(store);
                        store.change(block, |bytes| bytes[at] ^= 4);
                    }),
                );
            }
        }
    }
    let end = known.places.last().unwrap().whole.start;
    add(
        "the index and the last record are gone",
        Box::new(move |store| {
            without_index(store);
            store.change(last, |bytes| bytes.truncate(end));
        }),
    );
    for (name, block) in [("first", 0), ("second", 1), ("last", last)] {
        add(
            &format!("the index and the {name} block are gone"),
            Box::new(move |store| {
                without_index(store);
                fs::remove_file(&store.blocks()[block]).unwrap();
            }),
        );
    }
    table
}

/// The stream's own files, and whole logs.
fn others(known: &Known) -> Vec<(String, Damage)> {
    let mut table: Vec<(String, Damage)> = Vec::new();
    let mut add = |name: &str, damage: Damage| table.push((name.to_owned(), damage));
    for file in ["meta.inf", "meta.sum"] {
        let gone = move |store: &Store| fs::remove_file(store.stream().join(file)).unwrap();
        add(&format!("{file} is gone"), Box::new(gone));
        let bit = move |store: &Store| edit(&store.stream().join(file), |bytes| bytes[5] ^= 1);
        add(&format!("a bit in {file}"), Box::new(bit));
    }
    let stream = known.ground.config.nats.stream.clone();
    for (name, from) in
        [("an older copy", known.older.clone()), ("another log", known.other.clone())]
    {
        let stream = stream.clone();
        add(
            &format!("{name} stands in the place of the log"),
            Box::new(move |store| {
                fs::remove_dir_all(store.stream()).unwrap();
                copy(&Store::new(&from, &stream).stream(), &store.stream());
            }),
        );
    }
    let older = known.older.clone();
    add(
        "the messages are those of an older copy",
        Box::new(move |store| {
            let index = fs::read(store.index()).unwrap();
            fs::remove_dir_all(store.stream().join("msgs")).unwrap();
            let from = Store::new(&older, &stream).stream().join("msgs");
            copy(&from, &store.stream().join("msgs"));
            fs::write(store.index(), index).unwrap();
        }),
    );
    add(
        "the messages are gone",
        Box::new(|store| fs::remove_dir_all(store.stream().join("msgs")).unwrap()),
    );
    add("the log is gone", Box::new(|store| fs::remove_dir_all(store.stream()).unwrap()));
    table
}

/// The positions in the ranges that some lines name after `before` and `between`.
fn named(lines: &[String], before: &str, between: &str) -> BTreeSet<u64> {
    let range = |line: &String| {
        let (_, rest) = line.split_once(before)?;
        let (first, rest) = rest.split_once(between)?;
        let last: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    lines.iter().filter_map(range).flat_map(|(first, last)| first..=last).collect()
}

/// What is wrong with what became of a log; none when it is harmless, or noticed and named.
fn complaint(outcome: &Outcome) -> Option<&'static str> {
    let Outcome { lost, start, start_with_archive, verified, compared } = outcome;
    if lost.is_empty() {
        let sound = start.is_none() && start_with_archive.is_none();
        let agrees = verified.is_empty() && compared.is_empty();
        return (!sound || !agrees).then_some("nothing is lost, and it is not served on");
    }
    if start.is_none() && verified.is_empty() {
        return Some("it is noticed neither at the start nor by verify");
    }
    let refused = |code| start.as_ref().is_some_and(|start| start.contains(code));
    if refused("[STREAM_MISSING]") {
        return None;
    }
    if *lost != named(compared, "log from ", " to ") {
        return Some("verify does not name beside the archive what is lost");
    }
    let mut told = named(verified, "log from ", " to ");
    told.extend(named(verified, "between ", " and "));
    told.extend(named(verified, "by the log of records ", " to "));
    if let Some(start) = start {
        told.extend(named(
            std::slice::from_ref(start),
            "the log ends at position ",
            ", but position ",
        ));
    }
    (!lost.is_subset(&told)).then_some("what is lost is not named without an archive")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_the_files_of_the_log_is_harmless_or_noticed_and_named() {
    let scratch = Scratch::new("corrupt").unwrap();
    let known = Known::new(&scratch).await;
    assert!(known.blocks() > 2, "{} blocks", known.blocks());
    let (folder, found) = (scratch.path().join("variant"), scratch.path().join("found"));
    let stream = known.ground.config.nats.stream.clone();
    let table = table(&known);
    assert_eq!(table.len(), 69);
    let (mut complaints, mut harmless, mut at_start) = (Vec::new(), 0, 0);
    for (name, damage) in &table {
        copy(&known.folder, &folder.join("jetstream"));
        damage(&Store::new(&folder.join("jetstream"), &stream));
        // Ids and times are others in each run: what is complained of is kept as it was found.
        copy(&folder, &found);
        let outcome = outcome(&known, &folder).await;
        fs::remove_dir_all(&folder).unwrap();
        harmless += usize::from(outcome.lost.is_empty());
        at_start += usize::from(outcome.start.is_some());
        if let Some(words) = complaint(&outcome) {
            let kept = std::env::temp_dir().join(format!("doudi-corrupt-{}", complaints.len()));
            let _ = fs::remove_dir_all(&kept);
            copy(&found, &kept);
            complaints.push(format!("{name}: {words}, see {}\n{outcome:#?}", kept.display()));
        }
        fs::remove_dir_all(&found).unwrap();
    }
    println!(
        "{} kinds of damage: {harmless} harmless, {at_start} noticed at the start",
        table.len()
    );
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(harmless > 0 && at_start > 0 && harmless + at_start < table.len());
}
