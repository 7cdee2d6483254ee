//! Visits on real tables: every filter, in order and counted; who sees what; the ledger of a unit.

use doudi_domain::{
    CertificateNumber, FewSet, ItemId, Reference, VisitId,
    frequency::{FrequencyPolicy, Ground, Party, VisitTerms},
    policy, visits,
};
use doudi_journal::Position;
use doudi_views::{
    Areas, Scope,
    timeline::Order,
    visits::{Filter, NearQuery, Query, Row, State, ledger},
};

use super::{Fixture, Running, fresh, log::*};

fn within(own: Option<u64>, units: &[&str], areas: &[&str]) -> Scope {
    Scope::Within {
        enterprise: own.map(enterprise),
        units: units.iter().map(|id| unit(id)).collect(),
        areas: Areas::Some(areas.iter().map(|code| area(code)).collect()),
        desk: false,
    }
}

/// All pages of a list, of which each is short, in both orders, with what is counted.
async fn all_of(fixture: &Fixture, filter: &Filter, last: Position) -> Vec<VisitId> {
    let mut lists = Vec::new();
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut query = Query { filter: filter.clone(), order, after: None, limit: 3 };
        let mut seen: Vec<Row> = Vec::new();
        loop {
            let page = fixture.views.visits(&query, fresh(last)).await.unwrap();
            assert!(page.visits.len() <= 3 && page.position == last);
            seen.extend(page.visits);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        lists.push(seen);
    }
    let (newest, seen) = (lists.remove(1), lists.remove(0));
    assert!(newest.iter().rev().eq(&seen), "{filter:?}");
    let key = |row: &Row| (row.day(), row.id(), row.enterprise.clone());
    assert!(seen.is_sorted_by(|a, b| key(a) < key(b)), "in order, without repeats: {filter:?}");
    let counts = fixture.views.count_visits(filter, fresh(last)).await.unwrap();
    assert_eq!(counts.total(), u64::try_from(seen.len()).unwrap(), "{filter:?}");
    for state in State::ALL {
        let listed = seen.iter().filter(|row| row.state() == state).count();
        assert_eq!(counts.of_state(state), u64::try_from(listed).unwrap(), "{state:?} {filter:?}");
    }
    for ground in Ground::ALL {
        let listed = seen.iter().filter(|row| row.ground() == Some(ground)).count();
        assert_eq!(counts.of_ground(ground), u64::try_from(listed).unwrap(), "{filter:?}");
    }
    seen.iter().map(Row::id).collect()
}

fn found(of: VisitId, by: &str, outcome: visits::Outcome) -> visits::Event {
    let item = ItemId::parse("I-1").unwrap();
    let results = vec![visits::ItemResult { item, outcome, unmet: [].into() }];
    visits::Event::ResultReported { visit: of, unit: Some(unit(by)), results, tell: None }
}

/// To enterprise 1: 1 carried out with a finding, 2 joint and announced, 3 planned, 4 given up for 2, 5
/// called off, 6 urgent and there, 7 checked from elsewhere. To enterprise 2: 8 of another unit, 9 of the
/// year before.
pub(super) async fn visited(log: &mut Log) -> Position {
    let stream = "ev.L-1.visits";
    let tax = |n, on| planned(visit(n), "tax", on);
    log.append(stream, &[tax(1, "2026-03-02"), approved(visit(1))]).await;
    log.append(stream, &[checked_in(visit(1), "2026-03-02T02:00:00Z")]).await;
    log.append(stream, &[found(visit(1), "tax", visits::Outcome::CaseFiled)]).await;
    log.append(stream, &[with(tax(2, "2026-04-08"), &["gas"])]).await;
    log.append(stream, &[tax(3, "2026-04-02")]).await;
    log.append(stream, &[planned(visit(4), "fire", "2026-04-06")]).await;
    let items: FewSet<ItemId> = [ItemId::parse("I-2").unwrap()].into();
    let officers = [CertificateNumber::parse("F-1").unwrap()].into();
    let merged = visits::Event::VisitsMerged {
        visit: visit(4),
        into: visit(2),
        party: Party { unit: unit("fire"), level: None },
        share: visits::Share { officers, items },
        fields: [].into(),
        lines: [].into(),
        approved: false,
        standings: vec![],
    };
    log.append(stream, &[merged, visits::Event::VisitNotified { visit: visit(2) }]).await;
    let reason = visits::CancelReason::TaskWithdrawn;
    let cancelled = visits::Event::VisitCancelled { visit: visit(5), reason };
    log.append(stream, &[tax(5, "2026-03-09"), cancelled]).await;
    let visits::Event::VisitPlanned { plan, .. } = planned(visit(6), "market", "2026-03-04") else {
        panic!("a plan");
    };
    let urgent = of_plan(visits::Plan { ground: Ground::Urgent, ..plan });
    log.append(stream, &[urgent, checked_in(visit(6), "2026-03-04T17:00:00Z")]).await;
    let check = visits::OffSiteCheck {
        check: visit(7),
        unit: unit("tax"),
        occurred_at: "2026-03-05T16:30:00Z".parse().unwrap(),
        basis: Reference::parse("材料 5 号").unwrap(),
        results: vec![],
    };
    let area = Some(area(AREA));
    log.append(stream, &[visits::Event::OffSiteCheckRecorded { check, area }]).await;
    log.append("ev.L-2.visits", &[planned(visit(8), "fire", "2026-04-02")]).await;
    log.append("ev.L-2.visits", &[tax(9, "2025-12-30")]).await;
    log.append("ev.L-2.visits", &[checked_in(visit(9), "2025-12-30T02:00:00Z")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn visits_are_listed_in_order_and_counted_by_every_filter() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = visited(&mut log).await;
    let all = Filter::all(Scope::All);
    let of = |by: &str| Filter { unit: Some(unit(by)), ..all.clone() };
    let officer = |id: &str| Some(CertificateNumber::parse(id).unwrap());
    let on = |day: &str| Some(date(day));
    let states = |states: &[State]| Filter { states: states.to_vec(), ..all.clone() };
    for (filter, expected) in [
        (all.clone(), &[9, 1, 6, 7, 5, 3, 8, 4, 2][..]),
        (of("tax"), &[9, 1, 7, 5, 3, 2]),
        (of("gas"), &[2]),
        (of("fire"), &[8, 4, 2]),
        (of("water"), &[]),
        (Filter { states: State::AHEAD.to_vec(), ..of("fire") }, &[8, 2]),
        (Filter { area: Some(area(AREA)), ..all.clone() }, &[9, 1, 6, 7, 5, 3, 8, 4, 2]),
        (Filter { area: Some(area("210211")), ..all.clone() }, &[]),
        (Filter { enterprise: Some(enterprise(2)), ..all.clone() }, &[9, 8]),
        (Filter { officer: officer("F-1"), ..all.clone() }, &[2]),
        (Filter { officer: officer("D-1"), from: on("2026-04-02"), ..of("tax") }, &[3, 2]),
        (Filter { grounds: vec![Ground::Urgent], ..all.clone() }, &[6]),
        (Filter { joint: true, ..all.clone() }, &[2]),
        (Filter { from: on("2026-03-05"), until: on("2026-03-06"), ..all.clone() }, &[6, 7]),
        (states(&[State::Merged, State::Cancelled]), &[5, 4]),
        (states(&[State::OffSite]), &[7]),
        (states(&[State::Reported, State::CheckedIn]), &[9, 1, 6]),
    ] {
        let expected: Vec<VisitId> = expected.iter().copied().map(visit).collect();
        assert_eq!(all_of(&fixture, &filter, last).await, expected, "{filter:?}");
    }
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_sees_its_part_an_area_its_own_and_an_enterprise_what_it_knows_of() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = visited(&mut log).await;
    for (scope, expected) in [
        (within(None, &[], &[]), &[][..]),
        (within(None, &["tax"], &[]), &[9, 1, 7, 5, 3, 2]),
        (within(None, &["gas", "fire"], &[]), &[8, 4, 2]),
        (within(None, &["water"], &[AREA]), &[9, 1, 6, 7, 5, 3, 8, 4, 2]),
        (within(None, &[], &["210211"]), &[]),
        // Neither what is planned in silence nor what was dropped in silence.
        (within(Some(1), &[], &[]), &[1, 6, 7, 2]),
        (within(Some(2), &[], &[]), &[9]),
    ] {
        let expected: Vec<VisitId> = expected.iter().copied().map(visit).collect();
        let filter = Filter::all(scope.clone());
        assert_eq!(all_of(&fixture, &filter, last).await, expected, "{scope:?}");
        // A unit that asks for its own list by name is shown the same.
        let filter = Filter { unit: Some(unit("tax")), ..filter };
        let expected: Vec<VisitId> =
            [9, 1, 7, 5, 3, 2].map(visit).into_iter().filter(|id| expected.contains(id)).collect();
        assert_eq!(all_of(&fixture, &filter, last).await, expected, "{scope:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_units_plan_near_a_day_is_found_until_it_begins() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let last = visited(&mut log).await;
    let near = async |by: &str, day: &str, days, last| {
        let (enterprise, day, unit) = (enterprise(1), date(day), unit(by));
        let query = NearQuery { enterprise, day, days, unit };
        let page = fixture.views.near_visits(&query, fresh(last)).await.unwrap();
        page.visits.iter().map(Row::id).collect::<Vec<_>>()
    };
    assert_eq!(near("water", "2026-04-05", Some(3), last).await, [3, 2].map(visit));
    assert_eq!(near("water", "2026-04-05", Some(2), last).await, []);
    let beside = near("fire", "2026-04-05", Some(3), last).await;
    assert_eq!(beside, [visit(3)], "it takes part in the other");
    assert_eq!(near("tax", "2026-04-05", Some(15), last).await, []);
    assert_eq!(near("water", "2026-04-05", None, last).await, [3, 2].map(visit), "as usual");
    let visits = VisitTerms { near_days: 2, ..<_>::default() };
    let limits = FrequencyPolicy { visits, ..<_>::default() };
    let document = policy::Document::Frequency(limits);
    let name = "ev._city.policy.frequency";
    let last = log.append(name, &in_force(1, document)).await;
    assert_eq!(near("water", "2026-04-05", None, last).await, [], "as the policy says");
    let came = checked_in(visit(3), "2026-04-02T02:00:00Z");
    let last = log.append("ev.L-1.visits", &[came]).await;
    assert_eq!(near("water", "2026-04-05", Some(15), last).await, [visit(2)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_units_ledger_says_what_its_visits_of_a_year_hold_at_each_enterprise() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let mut last = visited(&mut log).await;
    for n in 3..=9 {
        let stream = format!("ev.L-{n}.visits");
        last = log.append(&stream, &[planned(visit(100 + n), "tax", "2026-07-01")]).await;
    }
    let ask = async |by: &str, year, scope: Scope| {
        let unit = unit(by);
        let mut query = ledger::Query { unit, year, scope, after: None, limit: 3 };
        let mut seen = Vec::new();
        loop {
            let page = fixture.views.ledger(&query, fresh(last)).await.unwrap();
            let then = doudi_views::Fresh {
                as_of: Some(doudi_views::AsOf::Recorded(last)),
                ..fresh(last)
            };
            assert_eq!(fixture.views.ledger(&query, then).await.unwrap(), page);
            let brief = |entry: ledger::Entry| {
                let id = entry.enterprise.as_str().trim_start_matches("L-").parse().unwrap();
                (id, [entry.used, entry.found, entry.reserved])
            };
            seen.extend(page.entries.into_iter().map(brief));
            query.after = page.next;
            if query.after.is_none() {
                return seen;
            }
        }
    };
    let of_tax: Vec<(u64, [u64; 3])> =
        [(1, [1, 1, 2])].into_iter().chain((3..=9).map(|n| (n, [0, 0, 1]))).collect();
    assert_eq!(ask("tax", 2026, Scope::All).await, of_tax);
    assert_eq!(ask("tax", 2026, within(None, &["tax"], &[])).await, of_tax);
    assert_eq!(ask("tax", 2025, Scope::All).await, [(2, [1, 0, 0])]);
    assert_eq!(ask("fire", 2026, Scope::All).await, [(1, [0, 0, 1]), (2, [0, 0, 1])]);
    assert_eq!(ask("tax", 2026, within(None, &["gas"], &[])).await, [(1, [0, 0, 1])], "its part");
    assert_eq!(ask("tax", 2026, within(Some(1), &[], &[])).await, [(1, [1, 1, 1])]);
    assert_eq!(ask("tax", 2026, within(None, &[], &[])).await, []);
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}
