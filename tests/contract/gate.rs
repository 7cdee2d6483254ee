//! The start-up gate on real servers: it opens for a sound log and names every reason against an
//! unsound one.

use std::path::Path;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType,
};
use doudi_journal::{
    AppendError, ConnectError, Credentials, Durability, GateRefusal, GateReport, JetStream,
    JetStreamSettings, Journal, Position, StreamName, SyncMode,
};
use doudi_tests::{
    Scratch,
    nats::{NatsOptions, NatsServer, ToDisk, old_nats_server},
    skipped,
};

use super::{connect, raw, settings_for, soon, start};

pub(super) async fn with_stream(settings: JetStreamSettings) -> JetStream {
    let jetstream = connect(settings).await;
    jetstream.create_if_absent().await.unwrap();
    jetstream
}

pub(super) fn codes(result: Result<GateReport, Vec<GateRefusal>>) -> Vec<&'static str> {
    let refusals = result.expect_err("the gate must not open");
    for refusal in &refusals {
        assert!(refusal.to_string().len() > 40, "says too little: {refusal}");
    }
    refusals.iter().map(GateRefusal::code).collect()
}

#[tokio::test]
async fn a_sound_log_on_a_server_that_syncs_always_passes() {
    let server = start(ToDisk::Always).await;
    let jetstream = connect(settings_for(&server)).await;
    assert!(jetstream.create_if_absent().await.unwrap());
    assert!(!jetstream.create_if_absent().await.unwrap());
    let name = StreamName::new("a", "profile", None).unwrap();
    let log = Journal::JetStream(jetstream.clone());
    let last = log.append(&name, "x".into(), Position(0)).await.unwrap();
    let report = jetstream.gate(last).await.unwrap();
    assert_eq!(report.sync, SyncMode::Always);
    assert_eq!(report.durability, Durability::Always);
    assert_eq!((report.last_position, report.records), (last, 1));
    assert_eq!((report.stream.as_str(), report.replicas), ("DOUDI", 1));
    assert!(report.server_version.starts_with("2."), "{}", report.server_version);
    assert!(report.bytes > 0);
}

#[tokio::test]
async fn lazy_sync_passes_as_fast_and_is_refused_as_always() {
    let server = start(ToDisk::Lazy).await;
    let fast = JetStreamSettings { durability: Durability::Fast, ..settings_for(&server) };
    let report = with_stream(fast).await.gate(Position(0)).await.unwrap();
    assert!(matches!(report.sync, SyncMode::Lazy { .. }), "{:?}", report.sync);
    let blind = JetStreamSettings {
        durability: Durability::Fast,
        monitor_urls: Vec::new(),
        ..settings_for(&server)
    };
    let report = connect(blind).await.gate(Position(0)).await.unwrap();
    assert_eq!(report.sync, SyncMode::Unproven);
    let always = connect(settings_for(&server)).await;
    assert_eq!(codes(always.gate(Position(0)).await), ["SYNC_LAZY"]);
}

#[tokio::test]
async fn what_is_not_proven_is_refused() {
    let (server, other) = tokio::join!(start(ToDisk::Always), start(ToDisk::Always));
    let nothing = JetStreamSettings { monitor_urls: Vec::new(), ..settings_for(&server) };
    assert_eq!(codes(with_stream(nothing).await.gate(Position(0)).await), ["SYNC_UNPROVEN"]);
    let cases = [
        // Another server's word proves nothing about this one.
        (other.monitor_url(), &["SYNC_UNPROVEN"][..]),
        // The port for NATS clients does not speak HTTP.
        (server.url().replace("nats://", "http://"), &["MONITOR_UNREACHABLE", "SYNC_UNPROVEN"]),
        ("http://127.0.0.1:1".to_owned(), &["MONITOR_UNREACHABLE", "SYNC_UNPROVEN"]),
        ("https://127.0.0.1:1".to_owned(), &["MONITOR_UNREACHABLE", "SYNC_UNPROVEN"]),
    ];
    for (url, expected) in cases {
        let settings = JetStreamSettings { monitor_urls: vec![url], ..settings_for(&server) };
        assert_eq!(codes(soon(connect(settings).await.gate(Position(0))).await), expected);
    }
}

pub(super) fn group(server: &NatsServer) -> JetStreamSettings {
    JetStreamSettings { durability: Durability::Group, ..settings_for(server) }
}

#[tokio::test]
async fn group_needs_the_very_folder_of_the_server() {
    let (server, other) = tokio::join!(start(ToDisk::Group), start(ToDisk::Group));
    if server.durability() != Durability::Group {
        skipped("group", "durability group is not possible in the temporary folder");
        return;
    }
    // Another log of the same name, which only looks like this one.
    with_stream(group(&other)).await;
    let jetstream = with_stream(group(&server)).await;
    let report = jetstream.gate(Position(0)).await.unwrap();
    let messages = report.store.unwrap();
    assert!(messages.starts_with(server.store_dir()) && messages.ends_with("DOUDI/msgs"));
    let stream = raw(&server).await.get_stream("DOUDI").await.unwrap();
    assert_eq!(stream.cached_info().state.consumer_count, 0, "the proof is left behind");

    let blind =
        |store_dir| JetStreamSettings { monitor_urls: Vec::new(), store_dir, ..group(&server) };
    let cases = [
        (None, Err("STORE_UNKNOWN")),
        (Some(server.store_dir()), Ok(())),
        (Some(server.store_dir().join("jetstream")), Ok(())),
        (Some(other.store_dir()), Err("STORE_FOREIGN")),
        (Some("/nowhere".into()), Err("STORE_FOREIGN")),
        (Some("/etc/hostname".into()), Err("STORE_CLOSED")),
    ];
    for (store_dir, expected) in cases {
        let told = store_dir.clone();
        let gate = connect(blind(store_dir)).await.gate(Position(0)).await;
        match expected {
            Ok(()) => assert!(gate.is_ok(), "{told:?}: {gate:?}"),
            Err(code) => assert_eq!(codes(gate), [code], "{told:?}"),
        }
    }
}

#[tokio::test]
async fn group_is_refused_where_nothing_is_ever_on_a_disk() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        skipped("memory", "there is no file system in memory");
        return;
    }
    let scratch = Scratch::within(memory, "gate").unwrap();
    let folder = Some(scratch.path().to_owned());
    let options = NatsOptions { sync: ToDisk::Group, folder, program: None };
    let server = NatsServer::start(options).await.unwrap();
    // What was asked for is not possible, so nats-server itself does what is nearest to it.
    assert_eq!(server.durability(), Durability::Always);
    let report = with_stream(settings_for(&server)).await.gate(Position(0)).await.unwrap();
    assert_eq!((report.sync, report.store), (SyncMode::Always, None));
    assert_eq!(codes(connect(group(&server)).await.gate(Position(0)).await), ["STORE_UNFIT"]);
}

#[tokio::test]
async fn group_takes_nothing_before_the_gate_and_is_not_for_replicas() {
    let server = start(ToDisk::Lazy).await;
    let missing = connect(group(&server)).await;
    assert_eq!(codes(missing.gate(Position(0)).await), ["STREAM_MISSING"]);
    let jetstream = with_stream(group(&server)).await;
    let name = StreamName::new("a", "profile", None).unwrap();
    let log = Journal::JetStream(jetstream.clone());
    let refused = log.append(&name, "x".into(), Position(0)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
    assert_eq!(log.last_position().await.unwrap(), Position(0));
    let three = JetStreamSettings { replicas: 3, ..group(&server) };
    assert_eq!(codes(connect(three).await.gate(Position(0)).await), ["STREAM_DRIFTED"]);
}

#[tokio::test]
async fn a_log_that_ends_before_a_checkpoint_is_refused() {
    let server = start(ToDisk::Always).await;
    let jetstream = with_stream(settings_for(&server)).await;
    assert!(jetstream.gate(Position(0)).await.is_ok());
    let refusals = jetstream.gate(Position(7)).await;
    let words = refusals.as_ref().unwrap_err()[0].to_string();
    assert!(words.contains("ends at position 0") && words.contains("position 7"), "{words}");
    assert_eq!(codes(refusals), ["LOG_BEHIND_CHECKPOINT"]);
}

#[tokio::test]
async fn every_drifted_setting_is_named_and_none_is_changed() {
    let server = start(ToDisk::Always).await;
    let context = raw(&server).await;
    let drifted = Config {
        name: "DOUDI".to_owned(),
        subjects: vec!["ev.>".to_owned()],
        storage: StorageType::Memory,
        retention: RetentionPolicy::Interest,
        discard: DiscardPolicy::Old,
        max_age: std::time::Duration::from_secs(3600),
        max_messages: 1000,
        max_messages_per_subject: 5,
        max_message_size: 1000,
        ..Config::default()
    };
    context.create_stream(drifted).await.unwrap();
    let jetstream = connect(settings_for(&server)).await;
    assert!(!jetstream.create_if_absent().await.unwrap());
    let refusals = jetstream.gate(Position(0)).await.expect_err("a drifted stream");
    let mut fields = Vec::new();
    for refusal in &refusals {
        let GateRefusal::StreamDrifted { field, .. } = refusal else {
            panic!("unexpected: {refusal}");
        };
        fields.push(*field);
    }
    let expected = [
        "subjects",
        "storage",
        "retention",
        "discard",
        "deny_delete",
        "deny_purge",
        "allow_direct",
        "max_age",
        "max_msgs",
        "max_msgs_per_subject",
        "max_msg_size",
    ];
    assert_eq!(fields, expected);
    let held = context.get_stream("DOUDI").await.unwrap();
    assert_eq!(held.cached_info().config.subjects, ["ev.>"]);
}

#[tokio::test]
async fn a_stream_that_acknowledges_before_it_stores_is_refused() {
    let server = start(ToDisk::Always).await;
    let context = raw(&server).await;
    let hasty = Config {
        name: "DOUDI".to_owned(),
        subjects: vec!["ev.*.*".to_owned(), "ev.*.*.*".to_owned()],
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        persist_mode: Some(PersistenceMode::Async),
        ..Config::default()
    };
    context.create_stream(hasty).await.unwrap();
    let jetstream = connect(settings_for(&server)).await;
    assert_eq!(codes(jetstream.gate(Position(0)).await), ["STREAM_DRIFTED"]);
}

#[tokio::test]
async fn a_log_with_removed_records_is_refused() {
    let server = start(ToDisk::Always).await;
    let context = raw(&server).await;
    let config = Config {
        name: "DOUDI".to_owned(),
        subjects: vec!["ev.*.*".to_owned(), "ev.*.*.*".to_owned()],
        discard: DiscardPolicy::New,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    };
    let held = context.create_stream(config).await.unwrap();
    for _ in 0..3 {
        context.publish("ev.a.profile", "x".into()).await.unwrap().await.unwrap();
    }
    held.delete_message(2).await.unwrap();
    let jetstream = connect(settings_for(&server)).await;
    assert_eq!(codes(jetstream.gate(Position(3)).await), ["STREAM_DRIFTED", "RECORDS_MISSING"]);
}

#[tokio::test]
async fn the_old_server_of_debian_is_refused() {
    let Some(program) =
        std::env::var_os("DOUDI_OLD_NATS_SERVER").map(Into::into).or_else(old_nats_server)
    else {
        skipped("old-nats", "run deploy/bootstrap.sh --old-nats");
        return;
    };
    let options = NatsOptions { sync: ToDisk::Lazy, program: Some(program), folder: None };
    let server = NatsServer::start(options).await.expect("an old nats-server");
    let jetstream = connect(settings_for(&server)).await;
    let refusals = soon(jetstream.gate(Position(0))).await;
    let words = refusals.as_ref().unwrap_err()[0].to_string();
    assert!(words.contains("2.9.10") && words.contains("2.14"), "{words}");
    let codes = codes(refusals);
    assert!(codes.starts_with(&["SERVER_TOO_OLD", "STREAM_MISSING"]), "{codes:?}");
}

#[tokio::test]
async fn a_wrong_login_is_refused_at_once_and_shows_no_secret() {
    let server = start(ToDisk::Lazy).await;
    let credentials = Credentials::Token("wr0ng-secret".to_owned());
    let settings = JetStreamSettings { credentials, ..settings_for(&server) };
    let error = soon(JetStream::connect(settings)).await.expect_err("a wrong login");
    assert!(matches!(error, ConnectError::Server { .. }));
    assert!(!format!("{error} {error:?}").contains("wr0ng-secret"));
}

#[tokio::test]
async fn a_failed_sync_is_remembered_until_somebody_has_looked_at_the_disk() {
    let mut server = start(ToDisk::Group).await;
    if server.durability() != Durability::Group {
        skipped("group", "durability group is not possible in the temporary folder");
        return;
    }
    let jetstream = with_stream(group(&server)).await;
    let messages = jetstream.gate(Position(0)).await.unwrap().store.unwrap();
    let mark = messages.with_file_name("doudi-sync-failed");
    std::fs::write(&mark, "Input/output error").unwrap();
    // A start of doudi alone would hear nothing from the kernel, and one of nats-server neither.
    assert_eq!(codes(connect(group(&server)).await.gate(Position(0)).await), ["STORE_DOUBTFUL"]);
    server.restart().await.unwrap();
    assert_eq!(codes(connect(group(&server)).await.gate(Position(0)).await), ["STORE_DOUBTFUL"]);
    std::fs::remove_file(&mark).unwrap();
    connect(group(&server)).await.gate(Position(0)).await.unwrap();
}
