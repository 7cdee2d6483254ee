//! Alerts: newest first, by every filter, within the scope, never for the enterprise itself.

use std::collections::BTreeSet;

use doudi_domain::{
    frequency::{Subject, Traits, overshot},
    visits,
};
use doudi_journal::Position;
use doudi_views::{
    Areas, Fresh, Scope,
    alerts::{Alert, Filter, Kind, Query, Reason},
    timeline::{self, Order, Point},
};

use super::{Fixture, Running, fresh, log::*};

const UNITS: [&str; 3] = ["tax", "fire", "market"];

fn excessive(n: u64) -> visits::Event {
    let (from, until) = (date("2026-03-01"), date("2026-03-30"));
    visits::Event::VisitsExcessive { visit: visit(n), count: 3, from, until }
}

/// A standing as the rules make it: the second visit under a limit of one.
fn exceeded(n: u64) -> doudi_domain::frequency::Standing {
    let entry = |event: visits::Event, n| {
        let state: visits::Visits = doudi_domain::Decider::evolve(<_>::default(), &event);
        state.get(visit(n)).unwrap().entry().unwrap()
    };
    let entries = [entry(planned(visit(n + 1), "tax", "2026-03-02"), n + 1)];
    let happened = entry(planned(visit(n), "tax", "2026-03-03"), n);
    let rules = vec![rule("all", Subject::AllUnits, 1)];
    let policy = doudi_domain::frequency::FrequencyPolicy { rules, ..<_>::default() };
    overshot(&policy, &Traits::default(), &entries, &happened).remove(0)
}

/// Nine visits of three units to nine enterprises: a cap exceeded each, every third one excessive and
/// a repeat besides. The instants of the log are those of one day.
async fn raised(log: &mut Log) -> Position {
    let mut last = Position::START;
    for n in 1..=9 {
        let by = UNITS[usize::try_from(n).unwrap() % 3];
        let stream = format!("ev.{}.visits", enterprise(n));
        log.append(&stream, &[planned(visit(n), by, "2026-03-03")]).await;
        let mut events = vec![
            checked_in(visit(n), "2026-03-03T02:00:00Z"),
            visits::Event::CapExceeded { visit: visit(n), standing: exceeded(n) },
        ];
        if n % 3 == 0 {
            let standing = exceeded(n);
            events.push(visits::Event::RepeatVisits { visit: visit(n), standing });
            events.push(excessive(n));
        }
        last = log.append(&stream, &events).await;
    }
    last
}

async fn all_of(fixture: &Fixture, filter: &Filter, last: Position) -> Vec<Alert> {
    let mut query = Query { filter: filter.clone(), after: None, limit: 4 };
    let mut seen: Vec<Alert> = Vec::new();
    loop {
        let page = fixture.views.alerts(&query, fresh(last)).await.unwrap();
        assert!(page.alerts.len() <= 4);
        seen.extend(page.alerts);
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let once: BTreeSet<Point> = seen.iter().map(Alert::point).collect();
    assert_eq!(once.len(), seen.len(), "no repeats");
    assert!(seen.is_sorted_by(|a, b| a.point() > b.point()), "newest first");
    let counts = fixture.views.count_alerts(filter, fresh(last)).await.unwrap();
    assert_eq!(counts.total(), u64::try_from(seen.len()).unwrap(), "{filter:?}");
    for count in counts.counts {
        let listed = seen.iter().filter(|alert| alert.reason.kind() == count.kind).count();
        assert_eq!(count.count, u64::try_from(listed).unwrap(), "{count:?} of {filter:?}");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_listed_and_counted_by_every_filter() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = raised(&mut log).await;
    let all = Filter::all(Scope::All);
    let found = all_of(&fixture, &all, last).await;
    assert_eq!(found.len(), 15);
    let newest = &found[0];
    assert_eq!((newest.position, newest.ordinal, newest.visit), (last, 3, visit(9)));
    assert_eq!((newest.reason.kind(), newest.reason.rule()), (Kind::VisitsExcessive, None));
    let Reason::CapExceeded(standing) = &found[2].reason else {
        panic!("{:?}", found[2]);
    };
    assert_eq!(*standing, exceeded(9), "whole, as it was raised");
    assert_eq!(found[2].area, Some(area(AREA)));
    let today = doudi_domain::calendar::civil_date(newest.occurred_at);
    let (from, until) = (Some(today), Some(today));
    for (filter, seen) in [
        (Filter { unit: Some(unit("tax")), ..all.clone() }, 9),
        (Filter { unit: Some(unit("gas")), ..all.clone() }, 0),
        (Filter { kind: Some(Kind::RepeatVisits), ..all.clone() }, 3),
        (Filter { area: Some(area(AREA)), ..all.clone() }, 15),
        (Filter { area: Some(area("210211")), ..all.clone() }, 0),
        (Filter { from, until, ..all.clone() }, 15),
        (Filter { from: today.tomorrow().ok(), ..all.clone() }, 0),
        (Filter { until: today.yesterday().ok(), ..all.clone() }, 0),
    ] {
        assert_eq!(all_of(&fixture, &filter, last).await.len(), seen, "{filter:?}");
    }
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_for_the_unit_and_the_area_and_never_for_the_enterprise() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = raised(&mut log).await;
    let within = |enterprise, units: &[&str], areas: &[&str]| Scope::Within {
        enterprise,
        units: units.iter().map(|id| unit(id)).collect(),
        areas: Areas::Some(areas.iter().map(|code| area(code)).collect()),
        desk: false,
    };
    for (scope, seen) in [
        (within(None, &[], &[]), 0),
        (within(Some(enterprise(9)), &[], &[]), 0),
        (within(Some(enterprise(9)), &["fire"], &[]), 3),
        (within(None, &["tax"], &[]), 9),
        // Nor for who belongs to it, in whatever other capacity.
        (within(Some(enterprise(9)), &["tax"], &[]), 6),
        (within(Some(enterprise(9)), &[], &[AREA]), 12),
        (within(None, &["tax", "fire"], &[]), 12),
        (within(None, &["gas"], &[AREA]), 15),
        (within(None, &["tax"], &[AREA]), 15),
    ] {
        let filter = Filter::all(scope);
        assert_eq!(all_of(&fixture, &filter, last).await.len(), seen, "{filter:?}");
    }
    // Nor does it find them in its timeline, where its unit does.
    for (scope, seen) in [(within(Some(enterprise(9)), &[], &[]), 1), (Scope::All, 5)] {
        let query = timeline::Query {
            enterprise: enterprise(9),
            order: Order::OldestFirst,
            kinds: vec![],
            from: None,
            until: None,
            scope,
            after: None,
            limit: 100,
        };
        let page = fixture.views.timeline(&query, fresh(last)).await.unwrap();
        assert_eq!(page.entries.len(), seen, "{:?}", query.scope);
    }
    let query = Query { filter: Filter::all(Scope::All), after: Some(Point::START), limit: 10 };
    assert_eq!(fixture.views.alerts(&query, Fresh::ANY).await.unwrap().alerts, []);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_takes_part_in_a_visit_sees_it() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let joint = with(planned(visit(1), "tax", "2026-03-02"), &["gas"]);
    let last = log.append("ev.L-1.visits", &[joint, approved(visit(1))]).await;
    for (by, seen) in [("tax", 2), ("gas", 2), ("fire", 0)] {
        let units = vec![unit(by)];
        let query = timeline::Query {
            enterprise: enterprise(1),
            order: Order::NewestFirst,
            kinds: vec![],
            from: None,
            until: None,
            scope: Scope::Within {
                enterprise: None,
                units,
                areas: Areas::Some(vec![]),
                desk: false,
            },
            after: None,
            limit: 10,
        };
        let page = fixture.views.timeline(&query, fresh(last)).await.unwrap();
        assert_eq!(page.entries.len(), seen, "{by}");
    }
    running.stop().await;
}
