//! The process runner on the Memory log: each thing is done once, whoever runs and whatever is in
//! the way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use doudi_journal::{Journal, Version};
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    EngineSettings,
    clock::Clock,
    execute::tests::{envelope, id, plan, prepared, unit},
};

const BOUND: Duration = Duration::from_secs(20);

/// An engine whose day comes when `later` turns true.
fn engine(journal: &Journal, later: &Arc<AtomicBool>) -> Engine {
    let settings = EngineSettings {
        cache_entries_max: 100,
        attempts_max: 8,
        input_age_max: Duration::from_secs(1),
    };
    let (early, late): (Timestamp, Timestamp) =
        ("2025-04-25T01:00:00Z".parse().unwrap(), "2025-06-01T01:00:00Z".parse().unwrap());
    let later = later.clone();
    let clock = Clock::new(move || if later.load(SeqCst) { late } else { early });
    Engine::new(journal.clone(), settings, clock)
}

fn runner(engine: &Engine, shutdown: &watch::Sender<bool>) -> JoinHandle<Result<(), ReactError>> {
    let (engine, shutdown) = (engine.clone(), shutdown.subscribe());
    let settings = ReactSettings {
        visit_grace_days: 3,
        poll_interval: Duration::from_millis(5),
        round_max: 1,
    };
    tokio::spawn(async move { engine.react(&Vault::memory(), &settings, shutdown).await })
}

/// Follows the log until it holds `count` expiries, and gives the visits in their order.
async fn expired(journal: &Journal, count: usize) -> Vec<VisitId> {
    let mut follow = journal.follow(Position::default());
    let mut found = Vec::new();
    let reading = async {
        while found.len() < count {
            for record in follow.next().await.unwrap() {
                if record.stream.kind() != Visits::KIND {
                    continue;
                }
                for event in decode::<Visits>(&record).unwrap_or_default() {
                    if let visits::Event::VisitExpired { visit } = event {
                        found.push(visit);
                    }
                }
            }
        }
    };
    tokio::time::timeout(BOUND, reading).await.unwrap();
    found
}

/// Plans visit `n`.
async fn plan_on(engine: &Engine, stream: &StreamName, n: u128) {
    engine.execute::<Visits>(stream, &plan(n, "fire"), &envelope(n)).await.unwrap();
}

#[tokio::test]
async fn two_runners_and_a_restart_expire_a_visit_once() {
    let (journal, _, stream) = prepared().await;
    let later = Arc::new(AtomicBool::new(false));
    let (one, two) = (engine(&journal, &later), engine(&journal, &later));
    plan_on(&one, &stream, 9).await;
    let shutdown = watch::Sender::new(false);
    let runners = [runner(&one, &shutdown), runner(&two, &shutdown)];
    later.store(true, SeqCst);
    assert_eq!(expired(&journal, 1).await, [VisitId(id(9))]);
    let third = runner(&engine(&journal, &later), &shutdown);
    // The runner of the other engine has its turn too; its place is the first outcome.
    let again = Envelope::new(Uuid::new_v5(&id(9), b"expire"), crate::execute::tests::actor());
    let command = visits::Command::Expire { visit: VisitId(id(9)) };
    let outcome = two.execute::<Visits>(&stream, &command, &again).await.unwrap();
    assert_eq!((outcome.version, outcome.events.len()), (Version(2), 1));
    let end = journal.last_position().await.unwrap();
    shutdown.send_replace(true);
    for runner in runners.into_iter().chain([third]) {
        tokio::time::timeout(BOUND, runner).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(journal.last_position().await.unwrap(), end);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leaves_the_memory_as_it_was() {
    let (journal, _, stream) = prepared().await;
    let one = engine(&journal, &Arc::default());
    plan_on(&one, &stream, 9).await;
    let mut memory = Memory::default();
    let last = journal.last_position().await.unwrap();
    journal.append(&stream, "no commit".into(), last).await.unwrap();
    let records = journal.load(&stream, Position::default(), Position::default()).await.unwrap();
    memory.visits(&records[0]).unwrap();
    assert!(memory.visits(&records[1]).is_err());
    assert_eq!((memory.waiting.len(), memory.expiries.len()), (1, 1));
}

#[tokio::test]
async fn a_visit_that_ended_in_time_waits_no_more() {
    let (journal, _, stream) = prepared().await;
    let later = Arc::new(AtomicBool::new(false));
    let one = engine(&journal, &later);
    plan_on(&one, &stream, 9).await;
    let cancel = visits::Command::Cancel {
        visit: VisitId(id(9)),
        unit: unit("fire"),
        reason: visits::CancelReason::TaskWithdrawn,
    };
    one.execute::<Visits>(&stream, &cancel, &envelope(10)).await.unwrap();
    plan_on(&one, &stream, 11).await;
    later.store(true, SeqCst);
    let shutdown = watch::Sender::new(false);
    let running = runner(&one, &shutdown);
    assert_eq!(expired(&journal, 1).await, [VisitId(id(11))]);
    drop(shutdown);
    tokio::time::timeout(BOUND, running).await.unwrap().unwrap().unwrap();
}
