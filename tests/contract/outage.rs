//! What the real log does when its server stops, hangs, is killed, fills up or holds what it
//! must not hold.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use async_nats::jetstream::stream::Config;
use doudi_journal::{
    AppendError, Durability, FollowError, JetStreamSettings, Journal, LoadError, Position,
};
use doudi_tests::nats::ToDisk;
use futures::{StreamExt as _, future::join_all};

use super::{
    ACK_TIMEOUT, connect, fill, follow::until, raw, real_log, settings_for, soon, start, stream,
};

/// What the machine may take on top of the time that an append waits.
const SLACK: Duration = Duration::from_secs(3);

/// Waits until the client has found its server again.
async fn reconnected(log: &Journal) {
    soon(async {
        while !log.connected() || log.last_position().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub(super) fn signal(signal: &str, pid: u32) {
    let done = Command::new("kill").arg(signal).arg(pid.to_string()).status().unwrap();
    assert!(done.success());
}

/// Freezes a process and returns when it has really stopped running.
pub(super) fn freeze(pid: u32) {
    signal("-STOP", pid);
    let deadline = Instant::now() + SLACK;
    loop {
        let pid = pid.to_string();
        let state = Command::new("ps").args(["-o", "state=", "-p", &pid]).output().unwrap();
        if state.stdout.starts_with(b"T") {
            return;
        }
        assert!(Instant::now() < deadline, "the process does not stop");
    }
}

#[tokio::test]
async fn a_follower_survives_restarts_of_the_server() {
    let (mut server, log) = real_log().await;
    let a = stream("a");
    let mut last = *fill(&log, &a, 10).await.last().unwrap();
    let mut follow = log.follow(Position(0));
    until(&mut follow, Position(0), last).await;
    for crash in [false, true] {
        if crash {
            server.kill9().await.unwrap();
        }
        server.restart().await.unwrap();
        reconnected(&log).await;
        let before = last;
        last = log.append(&a, "after a restart".into(), last).await.unwrap();
        let asked = Instant::now();
        until(&mut follow, before, last).await;
        assert!(asked.elapsed() < SLACK, "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_follower_survives_the_loss_of_its_consumer() {
    let (server, log) = real_log().await;
    let a = stream("a");
    let mut last = log.append(&a, "x".into(), Position(0)).await.unwrap();
    let mut follow = log.follow(Position(0));
    until(&mut follow, Position(0), last).await;
    let context = raw(&server).await;
    let held = context.get_stream("DOUDI").await.unwrap();
    for _ in 0..3 {
        let names: Vec<_> = held.consumer_names().map(Result::unwrap).collect().await;
        assert!(!names.is_empty());
        for name in names {
            held.delete_consumer(&name).await.unwrap();
        }
        let before = last;
        last = log.append(&a, "x".into(), last).await.unwrap();
        until(&mut follow, before, last).await;
    }
}

#[tokio::test]
async fn appends_to_a_stopped_server_end_and_later_ones_work() {
    let (mut server, log) = real_log().await;
    let a = stream("a");
    let last = log.append(&a, "x".into(), Position(0)).await.unwrap();
    server.stop().await.unwrap();
    for _ in 0..3 {
        let asked = Instant::now();
        match log.append(&a, "lost".into(), last).await {
            Err(AppendError::Unavailable { .. } | AppendError::Unknown { .. }) => {}
            other => panic!("expected no success, got {other:?}"),
        }
        assert!(asked.elapsed() < ACK_TIMEOUT + SLACK);
    }
    assert!(!log.connected());
    let asked = Instant::now();
    let load = log.load(&a, Position(0), Position(0)).await;
    assert!(matches!(load, Err(LoadError::Unavailable { .. })), "{load:?}");
    assert!(asked.elapsed() < ACK_TIMEOUT + SLACK);
    server.restart().await.unwrap();
    reconnected(&log).await;
    // One whose outcome is unknown may have left late, but never two on one expectation.
    let stored = log.load(&a, Position(0), last).await.unwrap();
    assert!(stored.len() <= 2, "{stored:?}");
    let last = stored.last().unwrap().position;
    log.append(&a, "found".into(), last).await.unwrap();
}

#[tokio::test]
async fn a_record_that_lands_late_is_found_and_never_doubled() {
    let (server, log) = real_log().await;
    let a = stream("a");
    freeze(server.pid());
    let asked = Instant::now();
    let result = log.append(&a, "late".into(), Position(0)).await;
    let waited = asked.elapsed();
    signal("-CONT", server.pid());
    assert!(matches!(result, Err(AppendError::Unknown { .. })), "{result:?}");
    assert!(waited < ACK_TIMEOUT + SLACK, "{waited:?}");
    // The frozen server had the bytes already and stores them as soon as it runs again.
    let landed = soon(log.follow(Position(0)).next()).await.unwrap();
    assert_eq!(landed[0].payload, "late");
    let again = log.append(&a, "late".into(), Position(0)).await;
    assert!(matches!(again, Err(AppendError::Conflict { actual: Position(1) })), "{again:?}");
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged_and_doubles_nothing() {
    let mut server = start(ToDisk::Always).await;
    let jetstream = connect(settings_for(&server)).await;
    jetstream.create_if_absent().await.unwrap();
    let log = Journal::JetStream(jetstream);
    for round in 0..4 {
        let streams: Vec<_> = (0..400).map(|number| stream(&format!("{round}-{number}"))).collect();
        let appends = streams.iter().map(|name| {
            let (log, name) = (log.clone(), name.clone());
            tokio::spawn(async move { log.append(&name, "once".into(), Position(0)).await })
        });
        let appends: Vec<_> = appends.collect();
        // Killed as soon as some are acknowledged and the rest is under way.
        soon(log.follow(log.last_position().await.unwrap()).next()).await.unwrap();
        server.kill9().await.unwrap();
        let results = soon(join_all(appends)).await;
        server.restart().await.unwrap();
        reconnected(&log).await;
        for (name, result) in streams.iter().zip(results) {
            let stored = log.load(name, Position(0), Position(0)).await.unwrap();
            match result.unwrap() {
                Ok(position) => assert_eq!(stored[0].position, position),
                Err(AppendError::Unavailable { .. }) => assert_eq!(stored, []),
                Err(AppendError::Unknown { .. }) => assert!(stored.len() <= 1),
                Err(other) => panic!("unexpected: {other:?}"),
            }
            match log.append(name, "once".into(), Position(0)).await {
                Ok(_) => assert_eq!(stored, []),
                Err(AppendError::Conflict { actual }) => assert_eq!(actual, stored[0].position),
                Err(other) => panic!("unexpected: {other:?}"),
            }
            assert_eq!(log.load(name, Position(0), Position(0)).await.unwrap().len(), 1);
        }
    }
    assert_eq!(log.last_position().await.unwrap(), Position(1600));
}

#[tokio::test]
async fn without_a_stream_nothing_is_stored() {
    let server = start(ToDisk::Lazy).await;
    let log = Journal::JetStream(connect(settings_for(&server)).await);
    let result = soon(log.append(&stream("a"), "x".into(), Position(0))).await;
    assert!(matches!(result, Err(AppendError::Unavailable { .. })), "{result:?}");
    let last = soon(log.last_position()).await;
    assert!(matches!(last, Err(LoadError::Unavailable { .. })), "{last:?}");
}

#[tokio::test]
async fn a_full_log_says_so_and_keeps_what_it_has() {
    let server = start(ToDisk::Lazy).await;
    let settings = JetStreamSettings {
        max_bytes: 100_000,
        durability: Durability::Fast,
        ..settings_for(&server)
    };
    let jetstream = connect(settings).await;
    jetstream.create_if_absent().await.unwrap();
    jetstream.gate(Position(0)).await.unwrap();
    let log = Journal::JetStream(jetstream);
    let a = stream("a");
    let mut last = Position(0);
    let full = loop {
        match log.append(&a, vec![b'x'; 10_000].into(), last).await {
            Ok(position) => last = position,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::LogFull { .. }), "{full:?}");
    assert!(last > Position(5));
    assert_eq!(log.load(&a, Position(0), last).await.unwrap().len() as u64, last.0);
}

#[tokio::test]
async fn a_foreign_subject_reaches_the_follower_and_holds_up_nothing() {
    let (server, log) = real_log().await;
    let context = raw(&server).await;
    context.publish("ev.企业.profile", "foreign".into()).await.unwrap().await.unwrap();
    let last = log.append(&stream("a"), "ours".into(), Position(0)).await.unwrap();
    let followed = until(&mut log.follow(Position(0)), Position(0), last).await;
    assert!(!followed[0].stream.is_readable());
    assert_eq!(followed[0].stream.as_str(), "ev.企业.profile");
    assert!(followed[0].commit().is_err());
    assert_eq!(followed[1].stream, stream("a"));
    assert_eq!(log.read(Position(0), 10).await.unwrap(), followed);
}

#[tokio::test]
async fn a_hole_in_the_log_is_told_loudly() {
    let server = start(ToDisk::Lazy).await;
    let context = raw(&server).await;
    let config = Config {
        name: "DOUDI".to_owned(),
        subjects: vec!["ev.*.*".to_owned(), "ev.*.*.*".to_owned()],
        allow_direct: true,
        ..Config::default()
    };
    let held = context.create_stream(config).await.unwrap();
    let jetstream = connect(settings_for(&server)).await;
    let log = Journal::JetStream(jetstream);
    fill(&log, &stream("a"), 6).await;
    for position in [3, 4] {
        held.delete_message(position).await.unwrap();
    }
    let mut follow = log.follow(Position(0));
    let error = loop {
        match soon(follow.next()).await {
            Ok(batch) => assert_eq!(batch.last().unwrap().position, Position(2)),
            Err(error) => break error,
        }
    };
    match error {
        FollowError::Gap { expected, found } => {
            assert_eq!((expected, found), (Position(3), Position(5)));
        }
        FollowError::Behind { .. } => panic!("expected a gap, got {error:?}"),
    }
    for after in [0, 2] {
        match log.read(Position(after), 10).await {
            Err(LoadError::Gap { expected, found }) => {
                assert_eq!((expected, found), (Position(3), Position(5)));
            }
            other => panic!("expected a gap, got {other:?}"),
        }
    }
}
