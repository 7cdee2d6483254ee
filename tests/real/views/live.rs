//! Live timelines: nothing lost, nothing twice, also for a watcher that falls behind.

use std::{sync::Arc, time::Duration};

use doudi_journal::Position;
use doudi_views::{
    Areas, Scope, ViewName,
    timeline::{Entry, Point, Watch, WatchItem},
};

use super::{Fixture, Running, WITHIN, log::*};

/// More batches than the hub keeps for a watcher.
const MORE_THAN_KEPT: u64 = 80;

async fn collect(watch: &mut Watch, count: usize) -> Vec<Arc<Entry>> {
    let mut entries = Vec::new();
    while entries.len() < count {
        match watch.next(WITHIN).await.unwrap() {
            WatchItem::Entries(new) => entries.extend(new),
            WatchItem::Heartbeat(at) => panic!("only {} entries until {at}", entries.len()),
        }
    }
    entries
}

fn points(entries: &[Arc<Entry>]) -> Vec<Point> {
    entries.iter().map(|entry| entry.point()).collect()
}

async fn quiet(watch: &mut Watch) -> Position {
    match watch.next(Duration::from_millis(50)).await.unwrap() {
        WatchItem::Heartbeat(position) => position,
        WatchItem::Entries(entries) => panic!("not expected: {entries:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_delivers_once_and_in_order_across_a_lag_and_a_resume() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    log.history(1, "tax").await;
    let last = log.history(2, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let watch = |after| fixture.views.watch_timeline(enterprise(1), after, Scope::All);
    let mut lagging = watch(Point::START);
    let mut prompt = watch(Point::START);
    assert_eq!(points(&collect(&mut lagging, EVENTS).await).len(), EVENTS);
    let mut seen = points(&collect(&mut prompt, EVENTS).await);
    assert_eq!(quiet(&mut prompt).await, last);
    let mut last = last;
    for n in 0..MORE_THAN_KEPT {
        let id = visit(10 + n);
        let approved = approved(id);
        let events = [planned(id, "tax", "2026-05-04"), approved];
        last = log.append("ev.L-1.visits", &events).await;
        fixture.views.wait(ViewName::Timeline, last, WITHIN).await.unwrap();
        seen.extend(points(&collect(&mut prompt, 2).await));
    }
    let caught_up = collect(&mut lagging, usize::try_from(MORE_THAN_KEPT).unwrap() * 2).await;
    assert_eq!(points(&caught_up), seen[EVENTS..]);
    assert!(seen.is_sorted_by(|a, b| a < b));
    for watch in [&mut lagging, &mut prompt] {
        assert_eq!(quiet(watch).await, last);
    }
    // From the middle of a commit, as a page may have ended there.
    let mut resumed = watch(seen[EVENTS]);
    let rest = collect(&mut resumed, seen.len() - EVENTS - 1).await;
    assert_eq!(points(&rest), seen[EVENTS + 1..]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_only_what_its_scope_covers_and_outlives_a_rebuild() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let last = log.history(1, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let scope = |units: &[&str]| Scope::Within {
        enterprise: None,
        units: units.iter().map(|id| unit(id)).collect(),
        areas: Areas::Some(vec![]),
        desk: false,
    };
    let watch = |scope| fixture.views.watch_timeline(enterprise(1), Point::START, scope);
    let mut tax = watch(scope(&["tax"]));
    let mut other = watch(scope(&["fire"]));
    let mut none = watch(scope(&[]));
    let seen = collect(&mut tax, 6).await;
    assert!(seen.iter().all(|entry| entry.unit == Some(unit("tax"))), "{seen:?}");
    assert_eq!(quiet(&mut other).await, last);
    let next = log.append("ev.L-1.visits", &[planned(visit(9), "fire", "2026-05-04")]).await;
    let seen = collect(&mut other, 1).await;
    assert_eq!(seen[0].position, next);
    fixture.views.rebuild(ViewName::Timeline).await.unwrap();
    let after = log.append("ev.L-1.visits", &[planned(visit(10), "fire", "2026-05-05")]).await;
    let seen = collect(&mut other, 1).await;
    assert_eq!(seen[0].position, after);
    assert_eq!(quiet(&mut tax).await, after);
    assert_eq!(quiet(&mut none).await, after);
    running.stop().await;
}
