//! Units that take part beside the lead, in lists and timelines; and what they owe each other, which
//! the enterprise is not shown.

use std::sync::Arc;

use doudi_views::timeline::{Entry, Kind, Order, Point, Query, Selection, WatchItem};

use super::*;

/// The timeline of enterprise 1, as a list and as it is watched.
async fn timeline_of(fixture: &Fixture, scope: Scope, at: Position) -> Vec<Entry> {
    let query = Query {
        enterprise: enterprise(1),
        order: Order::OldestFirst,
        kinds: vec![Kind::Appeal],
        from: None,
        until: None,
        scope: scope.clone(),
        after: None,
        limit: 500,
    };
    let listed = fixture.views.timeline(&query, fresh(at)).await.unwrap().entries;
    let mut watch = fixture.views.watch_timeline(Selection::of(enterprise(1), scope), Point::START);
    let mut watched: Vec<Entry> = Vec::new();
    while let WatchItem::Entries(entries) = watch.next(super::super::WITHIN / 100).await.unwrap() {
        watched.extend(entries.into_iter().map(Arc::unwrap_or_clone));
    }
    watched.sort_by_key(|entry| (entry.occurred_at, entry.position, entry.ordinal));
    assert_eq!(watched, listed, "what is watched is what is listed");
    listed
}

async fn listed(fixture: &Fixture, scope: Scope, at: Position) -> Vec<doudi_domain::AppealId> {
    let query = appeals::Query::all(scope, 500);
    let page = fixture.views.appeals(&query, fresh(at)).await.unwrap();
    page.appeals.into_iter().map(|row| row.appeal).collect()
}

fn ask(of: &str) -> Command {
    Command::RequestCoHandling { unit: unit("power"), of: unit(of), ask: sealed() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_is_asked_for_a_part_finds_the_appeal_in_lists_and_timelines_up_to_its_level() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    for (n, level) in [(0, Confidentiality::Internal), (1, Confidentiality::Confidential)] {
        city.dispatched(n, 1, of("T06", AREA, level)).await;
    }
    let tax = || within(None, &["tax"], &[], false);
    assert_eq!(listed(&fixture, tax(), city.last).await, []);
    for n in 0..2 {
        city.tell(n, ask("tax")).await;
    }
    assert_eq!(listed(&fixture, tax(), city.last).await, [appeal(0)]);
    let seen = timeline_of(&fixture, tax(), city.last).await;
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|entry| entry.subject == Some(appeal(0).0)), "{seen:?}");
    // What is asked for no more is its business no more.
    city.tell(0, Command::Merge { into: appeal(1) }).await;
    assert_eq!(listed(&fixture, tax(), city.last).await, []);
    assert_eq!(timeline_of(&fixture, tax(), city.last).await, []);
    city.tell(0, Command::UndoMerge).await;
    assert_eq!(listed(&fixture, tax(), city.last).await, [appeal(0)]);
    fixture.assert_as_replayed(&city.log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_finds_nothing_on_its_timeline_of_what_units_owe_each_other() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    city.dispatched(0, 1, internal()).await;
    city.tell(0, ask("tax")).await;
    city.later(24 * 6);
    city.strike().await;
    // A merge that comes to nothing sets every clock anew, in one event.
    city.tell(0, Command::Merge { into: appeal(9) }).await;
    city.tell(0, Command::UndoMerge).await;
    let owed = |entries: &[Entry], of: &str| -> Vec<String> {
        let found = entries.iter().filter(|entry| entry.details_json.contains(of));
        found.map(|entry| entry.event_type.clone()).collect()
    };
    let all = timeline_of(&fixture, Scope::All, city.last).await;
    let own = timeline_of(&fixture, within(Some(1), &[], &[], false), city.last).await;
    let among_units = owed(&all, "co_handling");
    for event in ["CoHandlingRequested", "ClockStepsTaken", "AppealRepaired"] {
        assert!(among_units.iter().any(|found| found == event), "{event} in {among_units:?}");
    }
    assert_eq!(owed(&own, "co_handling"), [""; 0]);
    let repaired = own.last().unwrap();
    assert_eq!(repaired.event_type, "AppealRepaired");
    assert!(repaired.details_json.contains("resolve"), "{}", repaired.details_json);
    let steps = |entries: &[Entry]| {
        entries.iter().filter(|entry| entry.event_type == "ClockStepsTaken").count()
    };
    assert!(0 < steps(&own) && steps(&own) < steps(&all));
    running.stop().await;
}
