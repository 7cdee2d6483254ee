//! Live timelines: nothing lost, nothing twice, also for a watcher that falls behind.

use std::{sync::Arc, time::Duration};

use doudi_journal::Position;
use doudi_views::{
    Areas, Scope, ViewName,
    timeline::{Entry, Kind, Point, Selection, Watch, WatchItem},
};

use super::{Fixture, Running, WITHIN, log::*};

/// More batches than the hub keeps for a watcher.
const MORE_THAN_KEPT: u64 = 80;

pub(super) async fn collect(watch: &mut Watch, count: usize) -> Vec<Arc<Entry>> {
    let mut entries = Vec::new();
    while entries.len() < count {
        match watch.next(WITHIN).await.unwrap() {
            WatchItem::Entries(new) | WatchItem::Late(new) => entries.extend(new),
            WatchItem::Heartbeat(at) => panic!("only {} entries until {at}", entries.len()),
        }
    }
    entries
}

pub(super) fn points(entries: &[Arc<Entry>]) -> Vec<Point> {
    entries.iter().map(|entry| entry.point()).collect()
}

pub(super) async fn quiet(watch: &mut Watch) -> Position {
    match watch.next(Duration::from_millis(50)).await.unwrap() {
        WatchItem::Heartbeat(position) => position,
        WatchItem::Entries(entries) | WatchItem::Late(entries) => {
            panic!("not expected: {entries:?}")
        }
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
    let watch = |after| {
        let selection = Selection::of(enterprise(1), Scope::All);
        fixture.views.watch_timeline(selection, after)
    };
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
    let watch = |scope| {
        let selection = Selection::of(enterprise(1), scope);
        fixture.views.watch_timeline(selection, Point::START)
    };
    let mut tax = watch(scope(&["tax"]));
    let mut other = watch(scope(&["fire"]));
    let mut none = watch(scope(&[]));
    let seen = collect(&mut tax, 6).await;
    assert!(seen.iter().all(|entry| entry.unit == Some(unit("tax"))), "{seen:?}");
    assert_eq!(quiet(&mut other).await, last);
    let next = log.append("ev.L-1.visits", &[planned(visit(9), "fire", "2026-05-04")]).await;
    let seen = collect(&mut other, 1).await;
    assert_eq!(seen[0].position, next);
    fixture.rebuild(&log.journal, ViewName::Timeline).await;
    let after = log.append("ev.L-1.visits", &[planned(visit(10), "fire", "2026-05-05")]).await;
    let seen = collect(&mut other, 1).await;
    assert_eq!(seen[0].position, after);
    assert_eq!(quiet(&mut tax).await, after);
    assert_eq!(quiet(&mut none).await, after);
    running.stop().await;
}

/// What a selection delivers of three enterprises, from the table and live, until nothing is left.
async fn delivered(watch: &mut Watch) -> Vec<(u8, Kind)> {
    let mut seen = vec![];
    while let WatchItem::Entries(entries) = watch.next(Duration::from_millis(50)).await.unwrap() {
        seen.extend(entries.iter().map(|entry| {
            let number = entry.enterprise.as_str().trim_start_matches("L-").parse().unwrap();
            (number, entry.kind)
        }));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_an_area_and_the_whole_city_are_watched_alike_from_the_table_and_live() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let mut last = Position::START;
    for n in 1..=3 {
        last = log.history(n, if n == 2 { "fire" } else { "tax" }).await;
    }
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let all = Selection::all(Scope::All);
    let selections = [
        all.clone(),
        Selection { unit: Some(unit("fire")), ..all.clone() },
        Selection { areas: vec![area(AREA)], ..all.clone() },
        Selection { kinds: vec![Kind::Visit], ..all.clone() },
        Selection { unit: Some(unit("fire")), kinds: vec![Kind::Visit], ..all.clone() },
        Selection::of(enterprise(3), Scope::All),
    ];
    let mut watches: Vec<Watch> = selections
        .iter()
        .map(|selection| fixture.views.watch_timeline(selection.clone(), Point::START))
        .collect();
    let mut from_table = vec![];
    for watch in &mut watches {
        from_table.push(delivered(watch).await);
    }
    assert_eq!(from_table[0].len(), 3 * EVENTS);
    assert!(!from_table[1].is_empty() && from_table[1].iter().all(|(n, _)| *n == 2));
    assert!(from_table[3].iter().all(|(_, kind)| *kind == Kind::Visit));
    assert!(from_table[4].len() < from_table[3].len());
    assert_eq!(from_table[5].len(), EVENTS);
    // The same events once more, of other enterprises, come from the hub.
    for n in 4..=6 {
        last = log.history(n, if n == 5 { "fire" } else { "tax" }).await;
    }
    fixture.reach(last).await;
    for (watch, before) in watches.iter_mut().zip(&from_table).take(5) {
        let live = delivered(watch).await;
        let shifted: Vec<_> = before.iter().map(|(n, kind)| (n + 3, *kind)).collect();
        assert_eq!(live, shifted);
        assert_eq!(watch.point().position, last);
    }
    running.stop().await;
}
