//! Pages, filters, scope and freshness.

use std::{collections::BTreeSet, time::Duration};

use doudi_domain::appeal::PhaseName;
use doudi_journal::Position;
use doudi_views::{
    Areas, Fresh, Scope, ViewError, ViewName, appeals,
    timeline::{self, Kind, Order, Point},
};

use super::{Fixture, Running, fresh, log::*};

fn timeline_of(n: u64, order: Order, limit: usize) -> timeline::Query {
    timeline::Query {
        enterprise: enterprise(n),
        order,
        kinds: vec![],
        from: None,
        until: None,
        scope: Scope::All,
        after: None,
        limit,
    }
}

fn every_appeal(limit: usize) -> appeals::Query {
    appeals::Query::all(Scope::All, limit)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_complete_and_without_repeats_while_entries_are_added() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let mut last = log.history(1, "tax").await;
    for n in 0..30 {
        let id = visit(100 + n);
        let approved = approved(id);
        last = log.append("ev.L-1.visits", &[planned(id, "tax", "2026-05-04"), approved]).await;
    }
    fixture.reach(last).await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let all = fixture.views.timeline(&timeline_of(1, order, 500), Fresh::ANY).await.unwrap();
        assert_eq!(all.next, None);
        let before: BTreeSet<Point> = all.entries.iter().map(timeline::Entry::point).collect();
        let mut query = timeline_of(1, order, 7);
        let mut seen = Vec::new();
        let mut added = 0;
        loop {
            let page = fixture.views.timeline(&query, fresh(last)).await.unwrap();
            assert!(page.entries.len() <= 7);
            seen.extend(page.entries);
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
            // Handed in late: it occurred before everything else.
            let early = checked_in(visit(1), "2026-01-01T00:00:00Z");
            added += 2;
            assert!(added < 200, "the pages end");
            if added < 20 {
                log.append("ev.L-1.visits", &[early]).await;
                last = log.append("ev.L-1.visits", &[planned(visit(5), "tax", "2026-06-01")]).await;
            }
        }
        let points: Vec<Point> = seen.iter().map(timeline::Entry::point).collect();
        let once: BTreeSet<Point> = points.iter().copied().collect();
        assert_eq!(once.len(), points.len(), "no repeats");
        assert!(before.is_subset(&once), "complete");
        let key = |entry: &timeline::Entry| (entry.occurred_at, entry.point());
        assert!(match order {
            Order::NewestFirst => seen.is_sorted_by(|a, b| key(a) > key(b)),
            Order::OldestFirst => seen.is_sorted_by(|a, b| key(a) < key(b)),
        });
        fixture.reach(last).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_scope_hold_in_a_timeline() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = log.history(1, "tax").await;
    let list = async |query: timeline::Query| {
        let page = fixture.views.timeline(&query, fresh(last)).await.unwrap();
        assert_eq!(page.position, last);
        page.entries
    };
    let all = list(timeline_of(1, Order::OldestFirst, 100)).await;
    assert_eq!(all.len(), EVENTS);
    assert!(all.iter().all(|entry| entry.area == Some(area(AREA))), "{all:?}");
    assert!(!format!("{all:?}").contains("c2VjcmV0"), "sealed fields are left out");
    let scan = all.iter().find(|entry| entry.event_type == "VisitCheckedIn").unwrap();
    assert_eq!(scan.occurred_at, "2026-03-03T02:00:00Z".parse().unwrap());
    assert_ne!(scan.recorded_at, scan.occurred_at);
    assert_eq!(scan.subject, Some(visit(1).0));
    let base = timeline_of(1, Order::NewestFirst, 100);
    let kinds = vec![Kind::Appeal, Kind::Profile];
    assert_eq!(list(timeline::Query { kinds, ..base.clone() }).await.len(), 4);
    let from = Some(scan.occurred_at);
    assert_eq!(list(timeline::Query { from, ..base.clone() }).await.len(), 1);
    assert_eq!(list(timeline::Query { until: from, ..base.clone() }).await.len(), EVENTS - 1);
    let within = |enterprise, units: &[&str], areas: &[&str]| Scope::Within {
        enterprise,
        units: units.iter().map(|id| unit(id)).collect(),
        areas: Areas::Some(areas.iter().map(|code| area(code)).collect()),
        desk: false,
    };
    for (scope, seen) in [
        (within(None, &[], &[]), 0),
        // Nothing of a visit from before it saw the officers.
        (within(Some(enterprise(1)), &[], &[]), EVENTS - 4),
        (within(Some(enterprise(2)), &[], &[]), 0),
        (within(None, &["tax", "fire"], &[]), 6),
        (within(None, &["fire"], &[]), 0),
        (within(None, &["fire"], &[AREA]), EVENTS),
    ] {
        let query = timeline::Query { scope: scope.clone(), ..base.clone() };
        assert_eq!(list(query).await.len(), seen, "{scope:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appeals_are_listed_by_every_filter_within_the_scope() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    for n in 1..=20 {
        log.history(n, if n % 2 == 0 { "tax" } else { "fire" }).await;
    }
    let stream = format!("ev.L-99.appeal.{}", appeal(99));
    let last = log.append(&stream, &[submitted()]).await;
    let list = async |query: appeals::Query| {
        fixture.views.appeals(&query, fresh(last)).await.unwrap().appeals
    };
    let all = list(every_appeal(500)).await;
    assert_eq!(all.len(), 21);
    assert!(all.is_sorted_by(|a, b| a.submitted > b.submitted));
    assert_eq!((all[0].state, all[0].enterprise.clone()), (PhaseName::Submitted, enterprise(99)));
    let dispatched = &all[1];
    assert_eq!(dispatched.co_units, vec![unit("co-1"), unit("co-2")]);
    assert_eq!(dispatched.due.as_ref().map(|due| due.due), Some(DUE.parse().unwrap()));
    assert!(dispatched.rule.is_some() && dispatched.updated > dispatched.submitted);
    let base = every_appeal(500);
    let tax = Some(unit("tax"));
    let by_unit = appeals::Query { unit: tax.clone(), ..base.clone() };
    assert_eq!(list(by_unit.clone()).await.len(), 10);
    let state = Some(PhaseName::Dispatched);
    assert_eq!(list(appeals::Query { state, ..by_unit.clone() }).await.len(), 10);
    let state = Some(PhaseName::Accepted);
    assert_eq!(list(appeals::Query { state, ..base.clone() }).await.len(), 0);
    let narrow = appeals::Query {
        state: Some(PhaseName::Dispatched),
        area: Some(area(AREA)),
        topic: Some(doudi_domain::TopicId::parse("T06").unwrap()),
        enterprise: Some(enterprise(4)),
        ..by_unit.clone()
    };
    assert_eq!(list(narrow).await.len(), 1);
    let scope = Scope::Within {
        enterprise: Some(enterprise(3)),
        units: vec![unit("tax")],
        areas: Areas::Some(vec![]),
        desk: false,
    };
    assert_eq!(list(appeals::Query { scope: scope.clone(), ..base.clone() }).await.len(), 11);
    let fire = Some(unit("fire"));
    let both = appeals::Query { scope, unit: fire, ..base.clone() };
    assert_eq!(list(both).await.len(), 1, "the scope and the filter both hold");
    let mut query = every_appeal(4);
    let mut seen = Vec::new();
    loop {
        let page = fixture.views.appeals(&query, fresh(last)).await.unwrap();
        seen.extend(page.appeals);
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_waits_until_it_is_as_fresh_as_asked() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let wanted = Position(8);
    let query = timeline_of(1, Order::NewestFirst, 100);
    let soon = Fresh::at(wanted, Duration::from_millis(20));
    let early = fixture.views.timeline(&query, soon).await;
    assert!(
        matches!(&early, Err(ViewError::Behind(behind)) if behind.wanted == wanted),
        "{early:?}"
    );
    let asking = fixture.views.timeline(&query, fresh(wanted));
    let (answer, last) = tokio::join!(asking, log.history(1, "tax"));
    let answer = answer.unwrap();
    assert_eq!((answer.position, answer.entries.len()), (last, EVENTS));
    let reached = fixture.views.wait(ViewName::Timeline, wanted, Duration::ZERO).await;
    assert_eq!(reached, Ok(last));
    running.stop().await;
}
