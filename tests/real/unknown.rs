//! Commands whose outcome gets lost on the way: stored once or not at all, and the truth in the end.
//!
//! A proxy between engine and nats-server loses what a network can lose. An answer may be open, but
//! a definite one must be true, and the same command again always finds it out.

mod ground;
mod proxy;
mod storm;

use doudi_engine::ExecuteError;
use doudi_journal::Version;
use doudi_tests::nats::ToDisk;

use ground::{Ground, HASTY, PATIENT, connect, insist, is_open, run, stored};

#[tokio::test]
async fn a_swallowed_acknowledgement_is_found_by_the_same_command() {
    let ground = Ground::prepare(ToDisk::Lazy, HASTY).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    ground.proxy.cut();
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

#[tokio::test]
async fn a_lost_acknowledgement_is_found_by_the_command_itself() {
    let ground = Ground::prepare(ToDisk::Lazy, PATIENT).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.proxy.cut();
    let outcome = begun.await.unwrap().unwrap();
    assert_eq!((outcome.version, outcome.position), place);
    ground.settled(1, place).await;
    assert_eq!(ground.proxy.tunnels(), 2);
}

#[tokio::test]
async fn an_append_that_comes_late_does_not_land_behind_another() {
    let ground = Ground::prepare(ToDisk::Lazy, HASTY).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    ground.proxy.holds(1).await;
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    let other = insist(&ground.direct, 2).await;
    assert_eq!(other.version, Version(3));
    ground.proxy.release_all();
    let outcome = insist(&ground.engine, 1).await;
    assert_eq!(outcome.version, Version(4));
    ground.settled(1, (outcome.version, outcome.position)).await;
    ground.settled(2, (other.version, other.position)).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

/// The same command is twice on its way, on a lost connection and on the new one; `first` is the
/// number of the connection whose append arrives first.
async fn two_appends_of_one_command(first: u64) {
    let ground = Ground::prepare(ToDisk::Lazy, PATIENT).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    assert_eq!(ground.proxy.holds(1).await, 1);
    ground.proxy.cut();
    assert_eq!(ground.proxy.holds(2).await, 2);
    ground.proxy.release(first);
    let place = ground.landed(1).await;
    ground.proxy.release_all();
    let outcome = begun.await.unwrap().unwrap();
    assert_eq!((outcome.version, outcome.position), place);
    ground.settled(1, place).await;
    // The late one is refused by the time that something later is stored.
    insist(&ground.engine, 2).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

#[tokio::test]
async fn the_append_of_a_lost_connection_may_land_first() {
    two_appends_of_one_command(1).await;
}

#[tokio::test]
async fn the_append_of_a_lost_connection_may_land_last() {
    two_appends_of_one_command(2).await;
}

#[tokio::test]
async fn a_conflict_with_ourselves_that_cannot_be_read_up_is_unknown() {
    let ground = Ground::prepare(ToDisk::Lazy, HASTY * 3).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    ground.proxy.holds(1).await;
    ground.proxy.cut();
    ground.proxy.holds(2).await;
    ground.proxy.release(1);
    let place = ground.landed(1).await;
    // The second append hears that the stream has moved on: by the first one, but who knows?
    ground.proxy.let_a_conflict_be_last();
    ground.proxy.release(2);
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    ground.proxy.release_all();
    ground.proxy.shut(false);
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

#[tokio::test]
async fn an_outcome_survives_a_restart_of_the_server() {
    let mut ground = Ground::prepare(ToDisk::Always, HASTY).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.server.kill9().await.unwrap();
    ground.server.restart().await.unwrap();
    match begun.await.unwrap() {
        Ok(outcome) => assert_eq!((outcome.version, outcome.position), place),
        Err(error) => assert!(matches!(error, ExecuteError::Unknown(_)), "{error:?}"),
    }
    insist(&ground.direct, 2).await;
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

#[tokio::test]
async fn while_the_log_cannot_be_read_no_answer_is_definite() {
    let ground = Ground::prepare(ToDisk::Lazy, HASTY).await;
    ground.proxy.swallow();
    ground.proxy.shut(true);
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.proxy.cut();
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    for _ in 0..3 {
        let error = run(&ground.engine, 1).await.unwrap_err();
        assert!(is_open(&error), "{error:?}");
    }
    ground.proxy.shut(false);
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

/// Without a power cut this takes a hand in the server's folder. What is decided on a log that has lost records would
/// stand in the way of those when they are brought back.
#[tokio::test]
async fn nothing_is_decided_on_a_log_that_has_lost_records() {
    let mut ground = Ground::prepare(ToDisk::Lazy, HASTY).await;
    let right = ground.server.store_dir().with_file_name("right");
    ground.server.kill9().await.unwrap();
    std::fs::rename(ground.server.store_dir(), &right).unwrap();
    ground.server.restart().await.unwrap();
    connect(&ground.server, ground.server.url(), PATIENT).await;
    for _ in 0..3 {
        let error = run(&ground.engine, 1).await.unwrap_err();
        assert!(is_open(&error), "{error:?}");
    }
    ground.server.kill9().await.unwrap();
    std::fs::remove_dir_all(ground.server.store_dir()).unwrap();
    std::fs::rename(&right, ground.server.store_dir()).unwrap();
    ground.server.restart().await.unwrap();
    let outcome = insist(&ground.engine, 1).await;
    ground.settled(1, (outcome.version, outcome.position)).await;
}
