//! The start-up gate asked again: what is behind a new connection may be another log, and until it has been let
//! pass nothing that it says is told to anybody.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use doudi_journal::{
    AppendError, Durability, JetStreamObjects, JetStreamSettings, Journal, LoadError, ObjectError,
    ObjectName, Objects, Position, StreamName,
};
use doudi_tests::{
    nats::{NatsServer, ToDisk},
    skipped,
};

use super::{
    ACK_TIMEOUT, connect,
    gate::{codes, group, with_stream},
    settings_for, soon, start,
};

/// How long a server that is there again is tried for.
const AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// How long a follower of a wrong log is looked at.
const A_WHILE: Duration = Duration::from_secs(1);

/// The server's folder as it was left, put away as `name` beside it.
fn put_away(server: &NatsServer, name: &str) -> PathBuf {
    let away = server.store_dir().with_file_name(name);
    std::fs::rename(server.store_dir(), &away).unwrap();
    away
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(done.success());
}

/// What an append after the end of a stream comes to, once the server is there again.
async fn appended(log: &Journal, name: &StreamName, last: Position) -> Result<Position, String> {
    let until = Instant::now() + AGAIN_WITHIN;
    loop {
        let tried = log.append(name, "more".into(), last).await;
        match tried {
            Ok(position) => return Ok(position),
            Err(error @ AppendError::Unavailable { .. }) if Instant::now() < until => {
                drop(error);
                tokio::task::yield_now().await;
            }
            Err(error) => return Err(format!("{error:?}")),
        }
    }
}

#[tokio::test]
async fn behind_a_new_connection_nothing_is_promised_before_the_gate_is_passed_again() {
    let mut server = start(ToDisk::Group).await;
    if server.durability() != Durability::Group {
        skipped("group", "durability group is not possible in the temporary folder");
        return;
    }
    let jetstream = with_stream(group(&server)).await;
    jetstream.gate(Position(0)).await.unwrap();
    let log = Journal::JetStream(jetstream);
    let name = StreamName::new("a", "profile", None).unwrap();
    let first = log.append(&name, "first".into(), Position(0)).await.unwrap();
    server.kill9().await.unwrap();
    let older = server.store_dir().with_file_name("older");
    copy(&server.store_dir(), &older);
    server.restart().await.unwrap();
    let second = appended(&log, &name, first).await.unwrap();

    // The log of an hour ago, as an operator might put it back by mistake.
    server.kill9().await.unwrap();
    let right = put_away(&server, "right");
    std::fs::rename(&older, server.store_dir()).unwrap();
    server.restart().await.unwrap();
    let refused = appended(&log, &name, first).await.unwrap_err();
    assert!(refused.contains("Unproven"), "{refused}");
    assert!(!log.connected());
    assert_eq!(codes(connect(group(&server)).await.gate(second).await), ["LOG_BEHIND_CHECKPOINT"]);

    // A copy of the right one, which is not what is forced to disk.
    server.kill9().await.unwrap();
    put_away(&server, "wrong");
    copy(&right, &server.store_dir());
    server.restart().await.unwrap();
    let refused = appended(&log, &name, second).await.unwrap_err();
    assert!(refused.contains("Unproven"), "{refused}");

    // The very folder again.
    server.kill9().await.unwrap();
    put_away(&server, "copy");
    std::fs::rename(&right, server.store_dir()).unwrap();
    server.restart().await.unwrap();
    assert_eq!(appended(&log, &name, second).await.unwrap(), second.next());
    assert!(log.connected());
}

/// The wrong log: as it was an hour ago, and since then used by somebody who did not notice.
async fn used_meanwhile(server: &NatsServer, name: &StreamName, last: Position) {
    let fast = JetStreamSettings { durability: Durability::Fast, ..settings_for(server) };
    let theirs = Journal::JetStream(connect(fast).await);
    let mut last = last;
    // It is longer than the right one in the end.
    for _ in 0..4 {
        last = theirs.append(name, "of another log".into(), last).await.unwrap();
    }
}

#[tokio::test]
async fn what_another_log_answers_is_told_to_nobody() {
    let mut server = start(ToDisk::Lazy).await;
    let fast = JetStreamSettings { durability: Durability::Fast, ..settings_for(&server) };
    let jetstream = with_stream(fast).await;
    jetstream.gate(Position::START).await.unwrap();
    let objects = Objects::JetStream(JetStreamObjects::open(&jetstream, 0).await.unwrap());
    let log = Journal::JetStream(jetstream);
    let name = StreamName::new("a", "profile", None).unwrap();
    let other = StreamName::new("b", "profile", None).unwrap();
    let first = log.append(&name, "first".into(), Position::START).await.unwrap();
    server.kill9().await.unwrap();
    let older = server.store_dir().with_file_name("older");
    copy(&server.store_dir(), &older);
    server.restart().await.unwrap();
    let mut follower = log.follow(Position::START);
    let heard = soon(follower.next()).await.unwrap();
    assert_eq!(heard.last().map(|record| record.position), Some(first));
    // These come to the follower, which is asked nothing for now.
    let second = appended(&log, &other, Position::START).await.unwrap();
    let third = appended(&log, &other, second).await.unwrap();
    let file = ObjectName::of(b"a file");
    objects.put(&file, "a file".into()).await.unwrap();

    server.kill9().await.unwrap();
    let right = put_away(&server, "right");
    std::fs::rename(&older, server.store_dir()).unwrap();
    server.restart().await.unwrap();
    used_meanwhile(&server, &name, first).await;
    let refused = appended(&log, &name, first).await.unwrap_err();
    assert!(refused.contains("Unproven"), "{refused}");
    // None of this is there, and that is not so.
    let (empty, page, last, behind, got, gone, heard) = tokio::join!(
        log.load(&other, Position::START, Position::START),
        log.read(second, 10),
        log.last_position(),
        log.load(&other, third, Position::START),
        objects.get(&file, 1000),
        objects.delete(&file),
        tokio::time::timeout(A_WHILE, follower.next()),
    );
    for loaded in [empty, page, behind] {
        assert!(matches!(loaded, Err(LoadError::Unavailable { .. })), "{loaded:?}");
    }
    assert!(matches!(last, Err(LoadError::Unavailable { .. })), "{last:?}");
    assert!(matches!(got, Err(ObjectError::Unavailable { .. })), "{got:?}");
    assert!(matches!(gone, Err(ObjectError::Unavailable { .. })), "{gone:?}");
    assert!(heard.is_err(), "{heard:?}");

    server.kill9().await.unwrap();
    put_away(&server, "wrong");
    std::fs::rename(&right, server.store_dir()).unwrap();
    server.restart().await.unwrap();
    let heard = soon(follower.next()).await.unwrap();
    assert_eq!(heard.first().map(|record| record.position), Some(second));
    let loaded = soon(log.load(&other, Position::START, third)).await.unwrap();
    let positions: Vec<_> = loaded.iter().map(|record| record.position).collect();
    assert_eq!(positions, [second, third]);
    assert_eq!(objects.get(&file, 1000).await.unwrap(), "a file");
}

#[tokio::test]
async fn a_long_outage_holds_up_nobody() {
    let mut server = start(ToDisk::Lazy).await;
    let fast = JetStreamSettings { durability: Durability::Fast, ..settings_for(&server) };
    let jetstream = with_stream(fast).await;
    jetstream.gate(Position::START).await.unwrap();
    let log = Journal::JetStream(jetstream);
    let name = StreamName::new("a", "profile", None).unwrap();
    server.kill9().await.unwrap();
    // One that went out before the loss was noticed has no outcome; the next one waits for the server.
    let append = || log.append(&name, "more".into(), Position::START);
    while let AppendError::Unknown { .. } = append().await.unwrap_err() {}
    let begun = Instant::now();
    for _ in 0..10 {
        let refused = log.append(&name, "more".into(), Position::START).await.unwrap_err();
        assert!(matches!(refused, AppendError::Unavailable { .. }), "{refused:?}");
        assert!(log.load(&name, Position::START, Position::START).await.is_err());
    }
    assert!(begun.elapsed() < ACK_TIMEOUT, "{:?}", begun.elapsed());
    server.restart().await.unwrap();
    // Of the first stream nobody knows: what had no outcome may arrive now.
    let other = StreamName::new("b", "profile", None).unwrap();
    appended(&log, &other, Position::START).await.unwrap();
}
