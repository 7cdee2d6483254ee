//! Power cuts and broken disks under durability "group": what was acknowledged, and what was shown to
//! anybody, is there afterwards; what may not be there was never said to be.

mod disk;
mod full;
mod whole;

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use doudi_api::{Needs, SERVICES, permission::Role, proto::Ground};
use doudi_journal::{
    AppendError, Credentials, Durability, JetStream, JetStreamObjects, JetStreamSettings,
    JetStreamSpool, Journal, ObjectName, Objects, Position, READ_RECORDS_MAX, Record, Spool,
    StreamName,
};
use doudi_tests::{
    nats::{NatsOptions, NatsServer, ToDisk},
    skipped, until,
    world::{Ground as Servers, World},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use self::disk::Disk;
use super::requests::{plan, reason, register};

/// How many writers are at work when the power goes.
const WRITERS: usize = 64;
/// How many power cuts there are; `CUTS=300 make power` asks for more.
const CUTS: u32 = 30;
const BOUND: Duration = Duration::from_secs(60);

/// What somebody was told: a record that was acknowledged, or that a follower was handed.
type Told = Arc<Mutex<Vec<Record>>>;

/// A disk, or none where this process may not mount one: then the test did not take place.
fn disk(made: Result<Disk, String>) -> Option<Disk> {
    made.inspect_err(|reason| skipped("disk", reason)).ok()
}

async fn server(disk: &Disk, sync: ToDisk) -> NatsServer {
    let folder = Some(disk.path().join("nats"));
    NatsServer::start(NatsOptions { sync, folder, program: None }).await.unwrap()
}

/// A connection to the log of a server, on which no gate was passed yet.
pub(super) async fn log(server: &NatsServer) -> JetStream {
    let settings = JetStreamSettings {
        credentials: Credentials::Token(server.token().to_owned()),
        monitor_urls: vec![server.monitor_url()],
        durability: server.durability(),
        ..JetStreamSettings::new(server.url())
    };
    JetStream::connect(settings).await.unwrap()
}

/// The same on a log that is made where it is missing, the gate passed.
async fn gated(server: &NatsServer) -> JetStream {
    let jetstream = log(server).await;
    jetstream.create_if_absent().await.unwrap();
    jetstream.gate(Position::START).await.unwrap();
    jetstream
}

/// Appends to a stream of its own for as long as it is let, and remembers what was acknowledged.
async fn write(log: Journal, writer: usize, acknowledged: Told) {
    let name = writer.to_string();
    let stream = StreamName::new("91210200MA0000000X", "appeal", Some(&name)).unwrap();
    let mut position = Position::START;
    for number in 0.. {
        let payload = bytes::Bytes::from(format!("{writer} {number} ").repeat(1 + number % 200));
        let Ok(stored) = log.append(&stream, payload.clone(), position).await else { return };
        position = stored;
        acknowledged.lock().unwrap().push(Record { position, stream: stream.clone(), payload });
    }
}

/// Remembers what a follower is handed.
async fn watch(log: Journal, handed: Told) {
    let mut follow = log.follow(Position::START);
    while let Ok(records) = follow.next().await {
        handed.lock().unwrap().extend(records);
    }
}

/// Puts the messages of the server in folder `from` into the new folder `to`; false when there are none. Its own
/// files, such as the token, are not what is looked at.
fn taken_over(disk: &Disk, from: &str, to: &str) -> bool {
    let [from, to] = [from, to].map(|name| disk.path().join(name));
    std::fs::create_dir(&to).unwrap();
    std::fs::rename(from.join("jetstream"), to.join("jetstream")).is_ok()
}

/// The log that a server finds on `disk`; none when there is none.
async fn restarted(disk: &Disk) -> Option<(NatsServer, JetStream)> {
    if !taken_over(disk, "nats", "again") {
        return None;
    }
    let folder = Some(disk.path().join("again"));
    let options = NatsOptions { sync: ToDisk::Lazy, folder, ..NatsOptions::default() };
    let server = NatsServer::start(options).await.unwrap();
    let log = log(&server).await;
    (!log.create_if_absent().await.unwrap()).then_some((server, log))
}

/// Every record of the log that a server finds on `disk`.
async fn recovered(disk: &Disk) -> Vec<Record> {
    let Some((_server, log)) = restarted(disk).await else { return Vec::new() };
    let (log, mut records) = (Journal::JetStream(log), Vec::<Record>::new());
    loop {
        let after = records.last().map_or(Position::START, |record| record.position);
        let page = log.read(after, READ_RECORDS_MAX).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

/// How many of the records that somebody was told of are there as they were.
fn kept(told: &[Record], recovered: &[Record]) -> usize {
    let there = |record: &&Record| {
        let index = usize::try_from(record.position.0 - 1).unwrap();
        recovered.get(index) == Some(*record)
    };
    told.iter().filter(there).count()
}

/// Lets writers at work on a new disk and cuts the power after `load`; answers with how many records were
/// acknowledged, followed and lost.
async fn cut(disk: &Disk, sync: ToDisk, load: Duration) -> (usize, usize, usize) {
    let server = server(disk, sync).await;
    assert_eq!(server.durability(), Durability::from(sync));
    let jetstream = log(&server).await;
    assert!(jetstream.create_if_absent().await.unwrap());
    // Also without the barrier the log itself outlives the cut.
    disk.sync();
    jetstream.gate(Position::START).await.unwrap();
    let log = Journal::JetStream(jetstream);
    let (acknowledged, handed) = (Told::default(), Told::default());
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        tasks.spawn(write(log.clone(), writer, Arc::clone(&acknowledged)));
    }
    tasks.spawn(watch(log, Arc::clone(&handed)));
    let instant = Instant::now() + load;
    let due = || async { (Instant::now() >= instant).then_some(()) };
    until(BOUND, due).await.expect("the instant comes");
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    // What was said until now must be there. A sync that runs goes on, and with it further
    // acknowledgements, which the disk may have or not.
    let (acknowledged, handed) =
        (acknowledged.lock().unwrap().clone(), handed.lock().unwrap().clone());
    let after = disk.cut();
    tasks.shutdown().await;
    drop(server);
    let recovered = recovered(&after).await;
    let (acked, followed) = (acknowledged.len(), handed.len());
    let told: Vec<Record> = acknowledged.into_iter().chain(handed).collect();
    (acked, followed, told.len() - kept(&told, &recovered))
}

/// How many power cuts are asked for.
fn cuts() -> u32 {
    std::env::var("CUTS").map_or(CUTS, |cuts| cuts.parse().unwrap())
}

/// An instant that nobody chose, within the first second of work.
fn instant(cut: u32) -> Duration {
    Duration::from_millis(50 + RandomState::new().hash_one(cut) % 950)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_takes_back_nothing_that_was_acknowledged_or_shown() {
    let cuts = cuts();
    let (mut acked, mut followed) = (0, 0);
    for number in 0..cuts {
        let Some(disk) = disk(Disk::new()) else { return };
        let load = instant(number);
        let (acks, records, lost) = cut(&disk, ToDisk::Group, load).await;
        println!(
            "cut {number} after {load:?}: {acks} acknowledged, {records} followed, {lost} lost"
        );
        assert_eq!(lost, 0);
        (acked, followed) = (acked + acks, followed + records);
    }
    assert!(acked > 0 && followed > 0, "nothing was at stake");
    println!("{cuts} cuts: {acked} acknowledged and {followed} followed, none lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_barrier_a_power_cut_takes_records_back() {
    let Some(disk) = disk(Disk::new()) else { return };
    let (acked, followed, lost) = cut(&disk, ToDisk::Lazy, Duration::from_millis(500)).await;
    println!("no barrier: {acked} acknowledged, {followed} followed, {lost} lost");
    assert!(lost > 0, "the power cuts of this test take nothing back, so they prove nothing");
}

/// The ways in which somebody learns of a record that he did not write.
const WAYS: [&str; 4] = ["load", "read", "last position", "follow"];

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_another_wrote_is_on_disk_before_anybody_is_shown_it() {
    let Some(disk) = disk(Disk::new()) else { return };
    let server = server(&disk, ToDisk::Group).await;
    let jetstream = gated(&server).await;
    let log = Journal::JetStream(jetstream);
    let stream = StreamName::new("a", "profile", None).unwrap();
    // The other crosses no barrier.
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    let other = async_nats::jetstream::new(options.connect(server.url()).await.unwrap());
    for way in WAYS {
        let sent = other.publish(stream.as_str().to_owned(), way.into()).await.unwrap();
        let position = Position(sent.await.unwrap().sequence);
        let before = Position(position.0 - 1);
        let there = async || recovered(&disk.cut()).await.last().map(|record| record.position);
        assert!(there().await < Some(position), "{way}: it was on disk although nobody asked");
        let shown = match way {
            "load" => log.load(&stream, before, position).await.unwrap().pop(),
            "read" => log.read(before, 1).await.unwrap().pop(),
            "follow" => log.follow(before).next().await.unwrap().pop(),
            _ => {
                assert_eq!(log.last_position().await.unwrap(), position);
                None
            }
        };
        assert!(shown.is_none_or(|record| record.position == position && record.payload == way));
        assert_eq!(there().await, Some(position), "{way}: it was shown before it was on disk");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_takes_back_no_attachment_that_was_stored() {
    let Some(disk) = disk(Disk::new()) else { return };
    let server = server(&disk, ToDisk::Group).await;
    let jetstream = gated(&server).await;
    let open =
        async |log: &JetStream| Objects::JetStream(JetStreamObjects::open(log, 0).await.unwrap());
    let bytes = bytes::Bytes::from(vec![7; 300_000]);
    let name = ObjectName::of(&bytes);
    open(&jetstream).await.put(&name, bytes.clone()).await.unwrap();
    let after = disk.cut();
    let (_server, found) = restarted(&after).await.expect("a log");
    assert_eq!(open(&found).await.get(&name, bytes.len()).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_takes_back_nothing_that_waits_beside_the_log() {
    let Some(disk) = disk(Disk::new()) else { return };
    let server = server(&disk, ToDisk::Group).await;
    let jetstream = gated(&server).await;
    let open = async |log: &JetStream| Spool::JetStream(JetStreamSpool::open(log).await.unwrap());
    let spool = open(&jetstream).await;
    let [kept, gone] = ["kept", "gone"].map(|name| (name, bytes::Bytes::from(vec![7; 300])));
    let first = spool.put_first(kept.0, kept.1.clone()).await.unwrap();
    let removed = spool.put_first(gone.0, gone.1).await.unwrap();
    spool.remove(&removed).await.unwrap();
    let after = disk.cut();
    let (_server, found) = restarted(&after).await.expect("a log");
    let found = open(&found).await;
    assert_eq!(found.after(0, 10).await.unwrap(), [first]);
}

/// Waits until health says so of what needs the log, and of what needs the tables alone.
async fn served(world: &World, log: ServingStatus, tables: ServingStatus) {
    for (service, needs) in SERVICES {
        let wanted = match needs {
            Needs::Log => log,
            Needs::Tables => tables,
        };
        let told = until(BOUND, || async {
            let request = HealthCheckRequest { service: service.to_owned() };
            let mut health = HealthClient::new(world.running.channel.clone());
            let answer = health.check(request).await.unwrap().into_inner();
            (answer.status() == wanted).then_some(())
        });
        told.await.unwrap_or_else(|| panic!("{service} is not {wanted:?}"));
    }
}

/// How much room there is behind the disk that breaks.
const ROOM: u64 = 96 << 20;

const ENTERPRISE: &str = "91210212DD0000001D";

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_breaks_nothing_more_is_promised_and_health_says_so() {
    let Some(disk) = disk(Disk::with_room(ROOM)) else { return };
    let folder = Some(disk.path().join("nats"));
    let options = NatsOptions { folder, ..NatsOptions::default() };
    let world = World::start_on(Servers::start_with(options).await).await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit = world.unit("market-regulation");
    let parts = world.running.parts.clone();

    disk.fill_up();
    // A few writes may still find a block that was there before.
    let mut last = parts.journal.last_position().await.unwrap();
    for number in 0.. {
        assert!(number < 1000, "the disk does not break");
        let stream = StreamName::new("L-FULL", "bench", Some(&number.to_string())).unwrap();
        match parts.journal.append(&stream, vec![b' '; 100_000].into(), Position::START).await {
            Ok(position) => last = position,
            Err(AppendError::Unknown { .. } | AppendError::Unavailable { .. }) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    let mut follow = parts.journal.follow(last);
    // Nobody pretends later that another sync has mended it.
    let command = plan(ENTERPRISE, Ground::Urgent);
    for _ in 0..3 {
        let refused = unit.inspections.plan_visit(command.clone()).await.unwrap_err();
        let reason = reason(&refused);
        assert_eq!(refused.code(), Code::Unavailable, "{reason}");
        assert!(["OUTCOME_UNKNOWN", "LOG_UNAVAILABLE"].contains(&reason.as_str()), "{reason}");
    }
    served(&world, ServingStatus::NotServing, ServingStatus::Serving).await;
    assert!(!parts.journal.connected());
    assert!(parts.journal.last_position().await.is_err());
    assert!(parts.journal.read(Position::START, 1).await.is_err());
    // The server has the record and shows it; nobody is handed it.
    let handed = tokio::time::timeout(Duration::from_secs(1), follow.next()).await;
    assert!(handed.is_err(), "{handed:?}");
    world.stop().await;
}

/// How a test that needs a disk of its own ends where nothing can be mounted, and what it says; none where that cannot
/// be tried either.
fn without_mounts(variables: &[(&str, &str)]) -> Option<(bool, String)> {
    let test =
        "real::power::full::without_room_for_the_log_nothing_is_promised_and_nothing_is_lost";
    let mut run = Command::new("unshare");
    run.arg("--user").arg(std::env::current_exe().unwrap()).args(["--exact", test]);
    run.env_remove("CI").env_remove("DOUDI_MAY_SKIP").envs(variables.iter().copied());
    let ended = run.output().ok()?;
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.contains("running 1 test").then_some((ended.status.success(), said))
}

#[test]
fn what_cannot_be_tried_is_said_and_fails_a_run_that_has_to_pass() {
    let Some((passed, said)) = without_mounts(&[]) else {
        return skipped("namespaces", "unshare --user is not possible");
    };
    assert!(passed && said.contains("skipped disk"), "{said}");
    let (passed, said) = without_mounts(&[("CI", "true")]).unwrap();
    assert!(!passed && said.contains("DOUDI_MAY_SKIP=disk"), "{said}");
    let allowed = [("CI", "true"), ("DOUDI_MAY_SKIP", "python, disk")];
    assert!(without_mounts(&allowed).unwrap().0);
}
