//! The archive of the log: the drill of deploy/README.md word for word, a restore that is killed, and an archive
//! that notices a log which is not the one that it knows.

mod drill;

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use async_nats::jetstream;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use doudi_api::{permission::Role, proto::Ground};
use doudi_journal::{
    Archive, ArchiveError, ArchiveReader, Journal, Position, RestoreError, StreamName,
    archive::{after, reached},
};
use doudi_server::{children::find_postgres, config::Config};
use doudi_tests::{
    Scratch, doudi_program,
    nats::{NatsOptions, NatsServer},
    program, until,
    world::{Ground as Servers, World},
};

use super::operator::{refused, well};
use super::power::log;
use super::requests::{plan, register, submit};

const ENTERPRISE: &str = "91210212DD0000001D";
const SEGMENT_BYTES: u64 = 64 << 10;
const BOUND: Duration = Duration::from_secs(60);

/// A message as the server itself has it.
type Raw = (String, Vec<u8>, Vec<u8>);

/// Every message of the log by its position, with the lines of its headers in order, asked for one by one, past everything of ours.
async fn raw(server: &NatsServer, stream: &str) -> Vec<Raw> {
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    let context = jetstream::new(options.connect(server.url()).await.unwrap());
    let last = context.get_stream(stream).await.unwrap().cached_info().state.last_sequence;
    let mut messages = Vec::new();
    for sequence in 1..=last {
        let subject = format!("STREAM.MSG.GET.{stream}");
        let asked = serde_json::json!({ "seq": sequence });
        let answer: serde_json::Value = context.request(subject, &asked).await.unwrap();
        let bytes = |field: &str| {
            let text = answer["message"][field].as_str().unwrap_or_default();
            BASE64_STANDARD.decode(text).unwrap()
        };
        let subject = answer["message"]["subject"].as_str().unwrap().to_owned();
        // A client writes headers of several names in any order; records of ours have one.
        let headers = bytes("hdrs");
        let mut lines: Vec<&[u8]> = headers.split_inclusive(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        messages.push((subject, lines.concat(), bytes("data")));
    }
    messages
}

/// The blocks of commands below a heading of deploy/README.md, up to the next one.
fn commands(heading: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, below) = text.split_once(heading).expect("the heading");
    let section = below.split("\n##").next().unwrap();
    section
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// What the README calls STORE and BACKUP.
struct Places {
    store: PathBuf,
    backup: PathBuf,
}

impl Places {
    /// The store of the log, and an empty folder for a backup.
    fn of(servers: &Servers) -> Self {
        let backup = servers.folder.path().join("backup");
        std::fs::create_dir(&backup).unwrap();
        Self { store: servers.nats.store_dir(), backup }
    }
}

/// Lets a shell do what stands in the README, as an operator types it.
async fn shell(block: &str, config: &Config, places: &Places) -> Output {
    let mut command = program::command();
    program::configure(&mut command, config, program::free_address());
    let mut shell = tokio::process::Command::new("bash");
    shell.args(["-e", "-c", block]).env("STORE", &places.store).env("BACKUP", &places.backup);
    for (name, value) in command.as_std().get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let (program, postgres) = (doudi_program(), find_postgres().unwrap().bin);
    let paths = std::env::var("PATH").unwrap();
    let program = program.parent().unwrap();
    shell.env("PATH", format!("{}:{}:{paths}", program.display(), postgres.display()));
    shell.output().await.unwrap()
}

/// The same, which must end well; answers with what it printed.
async fn typed(block: &str, config: &Config, places: &Places) -> String {
    let output = shell(block, config, places).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{block}\n{said}\n{errors}");
    said
}

/// Waits until the archive has all that the log has.
async fn archived(journal: &Journal, folder: &Path) -> Position {
    let end = journal.last_position().await.unwrap();
    let done = until(BOUND, async || (reached(folder).unwrap() >= end).then_some(end));
    done.await.expect("the archive catches up")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_the_readme_brings_a_lost_log_back_and_work_goes_on() {
    let mut ground = Servers::start().await;
    ground.config.archive.folder = ground.folder.path().join("archive");
    ground.config.archive.segment_bytes_max = SEGMENT_BYTES;
    let folder = ground.config.archive.folder.clone();
    let mut unmounted = ground.config.clone();
    unmounted.archive.folder = ground.folder.path().join("unmounted/archive");
    for role in ["all", "serve"] {
        let refused = refused(&unmounted, &[role]).await;
        assert!(refused.contains("cannot find"), "{role}: {refused}");
    }
    // Another process still has it: whoever follows serves meanwhile.
    let theirs = Archive::open(&folder, SEGMENT_BYTES).unwrap();
    let world = World::start_on(ground).await;
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let visit = plan(ENTERPRISE, Ground::Complaint);
    let planned = unit.inspections.plan_visit(visit.clone()).await.unwrap().into_inner();
    assert_eq!(reached(&folder).unwrap(), Position::START);
    drop(theirs);
    let end = archived(&world.running.parts.journal, &folder).await;
    let second = refused(&world.ground.config, &["restore"]).await;
    assert!(second.contains("in use by another process"), "{second}");

    let [_, copy] = &commands("### The backup")[..] else { panic!("two blocks") };
    let [before, lost, files, back] = &commands("### The drill")[..] else { panic!("four blocks") };
    let config = world.ground.config.clone();
    let places = Places::of(&world.ground);
    let verified = typed(before, &config, &places).await;
    let agrees = format!("archive: {end} records read, the log agrees");
    assert!(verified.contains(&agrees), "{verified}");
    let stream = config.nats.stream.clone();
    let known = raw(&world.ground.nats, &stream).await;
    drop(unit);
    let World { ground: mut servers, running } = world;
    running.stop().await;
    servers.nats.stop().await.unwrap();
    for block in [copy, lost, files] {
        typed(block, &config, &places).await;
    }
    servers.nats.restart().await.unwrap();
    for role in ["all", "serve", "archive"] {
        assert!(refused(&config, &[role]).await.contains("STREAM_MISSING"), "{role}");
    }

    let said = typed(back, &config, &places).await;
    let restored = format!("restored up to position {end}");
    for words in [&restored, &agrees, "0 broken", "view visits"] {
        assert!(said.contains(words), "{words} is missing in\n{said}");
    }
    assert!(!said.contains("DIFFERS"), "{said}");
    assert_eq!(raw(&servers.nats, &stream).await, known);
    let again = refused(&config, &["restore"]).await;
    assert!(again.contains("that no restore has put there"), "{again}");

    // Work goes on: what was done is known, what is new follows, and is archived.
    let running = servers.run().await;
    let world = World { ground: servers, running };
    let mut unit = world.unit("market-regulation");
    let once_more = unit.inspections.plan_visit(visit).await.unwrap().into_inner();
    assert_eq!(once_more.visit_id, planned.visit_id);
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), end);
    world.role(Role::Admin).enterprises.register_enterprise(register("L-NEXT")).await.unwrap();
    assert_eq!(archived(&world.running.parts.journal, &folder).await, end.next());
    let World { ground, running } = world;
    drop(unit);
    running.stop().await;
    well(&ground.config, &["verify"]).await;
}

async fn made(server: &NatsServer) -> Journal {
    let jetstream = log(server).await;
    assert!(jetstream.create_if_absent().await.unwrap());
    jetstream.gate(Position::START).await.unwrap();
    Journal::JetStream(jetstream)
}

/// Puts `count` records on ten streams in turn into an empty log, after two that nobody of ours would write.
async fn fill(server: &NatsServer, count: u64) {
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    let context = jetstream::new(options.connect(server.url()).await.unwrap());
    let mut headers = async_nats::HeaderMap::new();
    headers.append("Zeta", "1");
    headers.append("Alpha", "2");
    headers.append("Alpha", "3");
    let foreign = context.publish_with_headers("ev.x.foreign", headers, "x".into()).await.unwrap();
    foreign.await.unwrap();
    context.publish("ev.y.foreign", Bytes::new()).await.unwrap().await.unwrap();
    let mut acks = Vec::new();
    for number in 0..count {
        let position = number + 3;
        let expected = if number < 10 { 0 } else { position - 10 };
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", expected.to_string());
        let payload = Bytes::from(format!("{number} ").repeat(1 + position.count_ones() as usize));
        let subject = format!("ev.L-1.bench.{}", number % 10);
        let sent = context.publish_with_headers(subject, headers, payload).await.unwrap();
        acks.push((position, sent));
    }
    for (position, ack) in acks {
        assert_eq!(ack.await.unwrap().sequence, position);
    }
}

/// Archives all that the log has.
async fn archive(journal: &Journal, folder: &Path) -> Result<Position, ArchiveError> {
    let mut archive = Archive::open(folder, SEGMENT_BYTES)?;
    loop {
        let entries = after(journal, archive.last()).await?;
        if entries.is_empty() {
            return Ok(archive.position());
        }
        archive = archive.append(&entries)?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_again_and_again_ends_with_the_same_log() {
    let server = NatsServer::start(NatsOptions::default()).await.unwrap();
    let journal = made(&server).await;
    fill(&server, 5000).await;
    let scratch = Scratch::new("restore").unwrap();
    assert_eq!(archive(&journal, scratch.path()).await.unwrap(), Position(5002));
    let known = raw(&server, "DOUDI").await;
    let reader = || ArchiveReader::open(scratch.path()).unwrap().unwrap();
    assert!(reader().segment_count() > 1);

    let mut fresh = NatsServer::start(NatsOptions::default()).await.unwrap();
    let mut killed = 0;
    let restored = loop {
        let jetstream = log(&fresh).await;
        let (tell, mut told) = tokio::sync::watch::channel(Position::START);
        let task = tokio::spawn({
            let (jetstream, reader) = (jetstream.clone(), reader());
            async move {
                let mut told = |reached| {
                    tell.send_replace(reached);
                };
                jetstream.restore(reader, &mut told).await
            }
        });
        // It ends in the middle of a window, and once the server does as well.
        if killed < 3 {
            told.changed().await.unwrap();
            task.abort();
            assert!(task.await.is_err_and(|ended| ended.is_cancelled()), "it was too quick");
            killed += 1;
            if killed == 2 {
                fresh.kill9().await.unwrap();
                fresh.restart().await.unwrap();
            }
            let refusals = log(&fresh).await.gate(Position::START).await.unwrap_err();
            let codes: Vec<_> = refusals.iter().map(doudi_journal::GateRefusal::code).collect();
            assert_eq!(codes, ["RESTORE_UNFINISHED"]);
            continue;
        }
        break task.await.unwrap().unwrap();
    };
    assert_eq!((restored.last_position, restored.records), (Position(5002), 5002));
    assert!(raw(&fresh, "DOUDI").await == known, "the messages differ");
    log(&fresh).await.gate(Position(5002)).await.unwrap();
    let refused = log(&fresh).await.restore(reader(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty { records: 5002, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_takes_in_nothing_of_a_log_that_is_not_the_one_it_knows() {
    let server = NatsServer::start(NatsOptions::default()).await.unwrap();
    let journal = made(&server).await;
    fill(&server, 10).await;
    let scratch = Scratch::new("witness").unwrap();
    assert_eq!(archive(&journal, scratch.path()).await.unwrap(), Position(12));
    let other = NatsServer::start(NatsOptions::default()).await.unwrap();
    let another = made(&other).await;
    fill(&other, 5).await;
    let shorter = archive(&another, scratch.path()).await.unwrap_err();
    assert!(matches!(shorter, ArchiveError::LogBehind { .. }), "{shorter}");
    let stream = StreamName::new("L-2", "bench", None).unwrap();
    let mut last = Position::START;
    for _ in 0..10 {
        last = another.append(&stream, Bytes::from_static(b"other"), last).await.unwrap();
    }
    let differs = archive(&another, scratch.path()).await.unwrap_err();
    assert!(matches!(differs, ArchiveError::LogDiffers { position: Position(12) }), "{differs}");
    assert_eq!(archive(&journal, scratch.path()).await.unwrap(), Position(12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_only_archives_is_killed_and_goes_on_where_it_was() {
    let world = World::start().await;
    let mut config = world.ground.config.clone();
    config.archive.folder = world.ground.folder.path().join("archive");
    config.archive.segment_bytes_max = SEGMENT_BYTES;
    let folder = config.archive.folder.clone();
    drop(Archive::open(&folder, SEGMENT_BYTES).unwrap());
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let client = world.enterprise(ENTERPRISE);
    let (mut ends, mut said) = (vec![], String::new());
    for _ in 0..3 {
        let mut alone = program::role(&config, program::free_address(), "archive");
        let appeal = submit(ENTERPRISE, "T06", "");
        client.appeals.clone().submit_appeal(appeal).await.unwrap();
        ends.push(archived(&world.running.parts.journal, &folder).await);
        alone.kill().await.unwrap();
        said = well(&config, &["verify"]).await;
    }
    assert!(ends.is_sorted() && ends[0] < ends[2], "{ends:?}");
    let agrees = format!("archive: {} records read, the log agrees", ends[2]);
    assert!(said.contains(&agrees), "{said}");
    world.stop().await;
}
