//! Many commands in trouble at once, and one dropped at every point: what was acknowledged is stored,
//! once, in one whole chain.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use doudi_domain::enterprise::Profile;
use doudi_engine::Engine;
use doudi_journal::{Position, Version};
use doudi_tests::{nats::ToDisk, until};
use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use uuid::Uuid;

use super::{
    ground::{
        Answer, BOUND, Ground, HASTY, PATIENT, WARM_UP, connect, envelope, insist, is_open, run,
        stored, stream,
    },
    proxy::Proxy,
};

/// Drops the command when it has been polled so many times, if it is not done before: at once, or
/// when what it waits for has come.
async fn dropped_after(polls: usize, woken: bool, engine: &Engine, n: u64) -> Option<Answer> {
    let running = run(engine, n);
    let mut running = pin!(running);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match running.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 && !woken => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_command_can_be_dropped_at_any_point_and_is_never_stored_twice() {
    let ground = Ground::prepare(ToDisk::Lazy, PATIENT).await;
    let (mut n, mut dropped, mut landed) = (0, 0, 0);
    for (cold, woken) in [(false, false), (false, true), (true, false), (true, true)] {
        for polls in 1.. {
            n += 1;
            let url = ground.server.url();
            let engine = match cold {
                true => connect(&ground.server, url, PATIENT).await,
                false => ground.engine.clone(),
            };
            let answer = dropped_after(polls, woken, &engine, n).await;
            // Others on the same stream get on, be the dropped one's record on its way or not.
            insist(&engine, n + 1000).await;
            let known = stored(&ground.direct).await;
            landed += usize::from(answer.is_none() && known.contains_key(&envelope(n).command_id));
            let outcome = insist(&engine, n).await;
            ground.settled(n, (outcome.version, outcome.position)).await;
            match answer {
                Some(answer) => {
                    assert_eq!(answer.unwrap().position, outcome.position);
                    break;
                }
                None => dropped += 1,
            }
        }
    }
    assert_eq!(stored(&ground.direct).await.len(), 2 + 2 * usize::try_from(n).unwrap());
    println!("{dropped} commands dropped, {landed} of them had been stored all the same");
    assert!(dropped >= 4);
}

/// What the writers of the storm have been told.
#[derive(Default)]
struct Told {
    acknowledged: Mutex<HashMap<Uuid, (Version, Position)>>,
    open: AtomicU64,
}

async fn write(engine: Engine, numbers: Arc<AtomicU64>, told: Arc<Told>, end: Instant) {
    while Instant::now() < end {
        let n = numbers.fetch_add(1, SeqCst);
        let definite = || async {
            match run(&engine, n).await {
                Ok(outcome) => Some(outcome),
                Err(error) => {
                    assert!(is_open(&error), "{error:?}");
                    told.open.fetch_add(1, SeqCst);
                    None
                }
            }
        };
        let outcome = until(BOUND, definite).await.expect("a definite answer");
        assert_eq!(outcome.events.len(), 1);
        let place = (outcome.version, outcome.position);
        told.acknowledged.lock().unwrap().insert(envelope(n).command_id, place);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_of_cuts_each_acknowledged_command_is_stored_once() {
    const WRITERS: usize = 16;
    let ground = Ground::prepare(ToDisk::Lazy, HASTY).await;
    let second = Proxy::start(&ground.server.url()).await;
    let engines = [ground.engine.clone(), connect(&ground.server, second.url(), HASTY).await];
    let (numbers, told) = (Arc::new(AtomicU64::new(WARM_UP + 1)), Arc::<Told>::default());
    let end = Instant::now() + Duration::from_secs(4);
    let writers = (0..WRITERS).map(|writer| {
        let engine = engines[writer % engines.len()].clone();
        tokio::spawn(write(engine, numbers.clone(), told.clone(), end))
    });
    let writers: Vec<_> = writers.collect();
    let mut rhythm = tokio::time::interval(Duration::from_millis(25));
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut cuts = 0_usize;
    while Instant::now() < end {
        rhythm.tick().await;
        let proxy = [&ground.proxy, &second][cuts % 2];
        // Every other time the answers are lost some time before the connection.
        if cuts % 4 < 2 {
            proxy.cut();
        } else {
            proxy.swallow();
        }
        cuts += 1;
    }
    ground.proxy.cut();
    second.cut();
    for ended in timeout(BOUND * 2, join_all(writers)).await.unwrap() {
        ended.unwrap();
    }

    let (stored, told) = (stored(&ground.direct).await, Arc::into_inner(told).unwrap());
    let acknowledged = told.acknowledged.into_inner().unwrap();
    for (id, place) in &acknowledged {
        assert_eq!(stored.get(id), Some(place), "{id}");
    }
    // Nothing else is there but what was stored before the storm.
    assert_eq!(stored.len(), acknowledged.len() + 2);
    let last = stored.values().map(|(_, position)| *position).max().unwrap();
    let fresh = connect(&ground.server, ground.server.url(), PATIENT).await;
    let truth = fresh.read::<Profile>(&stream(), last).await.unwrap();
    for engine in engines {
        let remembered = engine.read::<Profile>(&stream(), last).await.unwrap();
        assert_eq!(remembered.state, truth.state);
    }
    println!(
        "{} acknowledged, {} stored, {} open answers, {cuts} cuts, {} connections",
        acknowledged.len(),
        stored.len(),
        told.open.into_inner(),
        ground.proxy.tunnels() + second.tunnels(),
    );
    assert!(acknowledged.len() > WRITERS, "the storm lets hardly anything through");
}
