//! Following: every record once, in order, from any position, without losing one when the caller
//! turns away.

use std::time::{Duration, Instant};

use doudi_journal::{FOLLOW_BATCH_MAX, Follow, FollowError, Journal, Position, Record};
use futures::future::join_all;

use super::{fill, soon, stream};

super::on_both_logs!(
    a_follower_gets_every_record_in_order,
    a_follower_starts_in_the_middle,
    a_follower_goes_on_live,
    followers_do_not_disturb_each_other,
    large_records_are_followed_whole,
    a_dropped_wait_loses_nothing,
    a_waiting_follower_wakes_at_once,
    a_follower_ahead_of_the_log_is_told,
);

/// Follows until `last` has been handed out, checking order, contiguity and batch size.
pub(super) async fn until(follow: &mut Follow, mut after: Position, last: Position) -> Vec<Record> {
    let mut records = Vec::new();
    while after < last {
        let batch = soon(follow.next()).await.unwrap();
        assert!((1..=FOLLOW_BATCH_MAX).contains(&batch.len()));
        for record in batch {
            assert_eq!(record.position, after.next());
            after = record.position;
            records.push(record);
        }
    }
    assert_eq!(after, last);
    records
}

/// Appends one record to each of `count` new streams.
async fn spread(log: &Journal, prefix: &str, count: usize) {
    let appends = (0..count).map(|number| async move {
        log.append(&stream(&format!("{prefix}-{number}")), "x".into(), Position(0)).await.unwrap()
    });
    soon(join_all(appends)).await;
}

async fn a_follower_gets_every_record_in_order(log: Journal) {
    let count = FOLLOW_BATCH_MAX * 3 + 1;
    spread(&log, "a", count).await;
    let last = log.last_position().await.unwrap();
    let mut follow = log.follow(Position(0));
    let followed = until(&mut follow, Position(0), last).await;
    let mut read = Vec::new();
    while let Some(page) = Some(log.read(Position(read.len() as u64), 1000).await.unwrap()) {
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(followed, read);
}

async fn a_follower_starts_in_the_middle(log: Journal) {
    let positions = fill(&log, &stream("a"), 20).await;
    for after in [positions[0], positions[9], positions[18]] {
        let followed = until(&mut log.follow(after), after, positions[19]).await;
        assert_eq!(followed.last().unwrap().payload, "record 20");
    }
}

async fn a_follower_goes_on_live(log: Journal) {
    let a = stream("a");
    let mut last = *fill(&log, &a, 10).await.last().unwrap();
    let mut follow = log.follow(Position(0));
    until(&mut follow, Position(0), last).await;
    for _ in 0..50 {
        let before = last;
        last = log.append(&a, "live".into(), last).await.unwrap();
        until(&mut follow, before, last).await;
    }
    // And from the very end, where there is nothing yet.
    let mut follow = log.follow(last);
    let appended = log.append(&a, "later".into(), last).await.unwrap();
    assert_eq!(until(&mut follow, last, appended).await[0].payload, "later");
}

async fn followers_do_not_disturb_each_other(log: Journal) {
    let followers = (0..8).map(|_| {
        let mut follow = log.follow(Position(0));
        tokio::spawn(async move { until(&mut follow, Position(0), Position(300)).await.len() })
    });
    let followers: Vec<_> = followers.collect();
    spread(&log, "a", 300).await;
    for follower in followers {
        assert_eq!(follower.await.unwrap(), 300);
    }
}

async fn large_records_are_followed_whole(log: Journal) {
    let a = stream("large");
    let mut last = Position(0);
    for number in 0..60_u8 {
        last = log.append(&a, vec![number; 500_000].into(), last).await.unwrap();
    }
    let followed = until(&mut log.follow(Position(0)), Position(0), last).await;
    assert!(followed.iter().map(|record| record.payload[0]).eq(0..60));
    assert!(followed.iter().all(|record| record.payload.len() == 500_000));
}

async fn a_dropped_wait_loses_nothing(log: Journal) {
    let writer = {
        let log = log.clone();
        tokio::spawn(async move { spread(&log, "a", 2000).await })
    };
    let mut follow = log.follow(Position(0));
    let mut after = Position(0);
    let mut dropped = 0_u32;
    let deadline = Instant::now() + super::BOUND;
    while after < Position(2000) {
        assert!(Instant::now() < deadline, "only {after} records came; {dropped} waits dropped");
        // The wait is dropped at ever other points: after a few polls of the runtime.
        let patience = async {
            for _ in 0..dropped % 40 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            batch = follow.next() => {
                for record in batch.unwrap() {
                    assert_eq!(record.position, after.next());
                    after = record.position;
                }
            }
            () = patience => dropped += 1,
        }
    }
    assert!(dropped > 0);
    writer.await.unwrap();
}

async fn a_waiting_follower_wakes_at_once(log: Journal) {
    let a = stream("a");
    let mut last = log.append(&a, "x".into(), Position(0)).await.unwrap();
    let mut follow = log.follow(Position(0));
    until(&mut follow, Position(0), last).await;
    let mut latencies = Vec::new();
    for _ in 0..21 {
        let before = last;
        let (appended, (followed, at)) = tokio::join!(
            async {
                let position = log.append(&a, "x".into(), before).await.unwrap();
                (position, Instant::now())
            },
            async { (soon(follow.next()).await.unwrap(), Instant::now()) },
        );
        assert_eq!(followed[0].position, appended.0);
        latencies.push(at.saturating_duration_since(appended.1));
        last = appended.0;
    }
    latencies.sort_unstable();
    assert!(latencies[10] < Duration::from_millis(50), "too slow: {latencies:?}");
}

async fn a_follower_ahead_of_the_log_is_told(log: Journal) {
    let last = *fill(&log, &stream("a"), 2).await.last().unwrap();
    let after = Position(last.0 + 5);
    match soon(log.follow(after).next()).await {
        Err(FollowError::Behind { after: told, last: end }) => {
            assert_eq!((told, end), (after, last));
        }
        other => panic!("expected to be told, got {other:?}"),
    }
}
