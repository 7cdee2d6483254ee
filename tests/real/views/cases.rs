//! Inboxes, stuck appeals and measures, on appeals that the rules decided.

use std::collections::BTreeSet;

use doudi_domain::{
    Decider, DiagnosisId, UnitId,
    appeal::{Callback, Command, Confidentiality, Outcome, Rating, Submission},
    cases::Escalation,
    clock::{Clock, ClockKind, Owner, Step},
    diagnosis::{self, Convening, Diagnosis, Panel},
};
use doudi_journal::Position;
use doudi_views::{
    Areas, Fresh, Scope, appeals,
    inbox::{self, Filter, StuckQuery, StuckReason},
    measures::{FlowQuery, RateGroup, RatesQuery},
    timeline,
};
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use self::city::City;
use super::{Fixture, Running, fresh, log::*};

mod beside;
mod city;
mod closures;
mod scopes;

fn of(topic: &str, code: &str, level: Confidentiality) -> Submission {
    Submission {
        topic: doudi_domain::TopicId::parse(topic).unwrap(),
        area: area(code),
        confidentiality: level,
        ..submission()
    }
}

fn internal() -> Submission {
    of("T06", AREA, Confidentiality::Internal)
}

fn within(own: Option<u64>, units: &[&str], areas: &[&str], desk: bool) -> Scope {
    Scope::Within {
        enterprise: own.map(enterprise),
        units: units.iter().map(|id| unit(id)).collect(),
        areas: Areas::Some(areas.iter().map(|code| area(code)).collect()),
        desk,
    }
}

/// Every page of an inbox, a few entries each, its cursor through bytes.
async fn inbox(fixture: &Fixture, filter: &Filter, at: Position) -> Vec<inbox::Entry> {
    let mut query = inbox::Query { filter: filter.clone(), after: None, limit: 7 };
    let mut seen = Vec::new();
    loop {
        let page = fixture.views.inbox(&query, fresh(at)).await.unwrap();
        seen.extend(page.entries);
        let Some(next) = page.next else {
            break;
        };
        query.after = inbox::Cursor::from_bytes(&next.to_bytes());
        assert!(query.after.is_some());
    }
    let counts = fixture.views.count_inbox(filter, fresh(at)).await.unwrap();
    assert_eq!(counts.total(), seen.len() as u64, "{filter:?}");
    for count in &counts.counts {
        let alike = |entry: &&inbox::Entry| {
            let clock = &entry.clock;
            (clock.kind, clock.level(), clock.rung()) == (count.kind, count.level, count.rung)
        };
        assert_eq!(count.count, seen.iter().filter(alike).count() as u64, "{count:?}");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_lists_what_is_owed_by_time_left_and_its_counts_agree() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    for n in 0..24 {
        let topic = if n % 3 == 0 { "T07" } else { "T06" };
        let code = if n % 4 == 0 { "210213" } else { AREA };
        city.submit(n, n % 5, of(topic, code, Confidentiality::Internal)).await;
        if n % 6 != 5 {
            city.tell(n, Command::Accept).await;
            city.tell(n, Command::Dispatch { to: None }).await;
        }
        city.later(3);
    }
    let lead = unit("power");
    let asks = Command::RequestCoHandling { unit: lead, of: unit("tax"), ask: sealed() };
    city.tell(1, asks).await;
    city.later(24 * 5);
    city.strike().await;
    let owed = city.owed();
    let now = city.now;
    type Wanted = Box<dyn Fn(&Clock) -> bool>;
    let owned = |id: &str| -> Wanted {
        let owner = Owner::Unit(unit(id));
        Box::new(move |clock| clock.owner == owner)
    };
    let all = Filter::all(Scope::All);
    let red = |clock: &Clock| clock.level() == Some(Step::Red);
    let near = |clock: &Clock| clock.level().is_some_and(|level| level != Step::Blue);
    let cases: [(Filter, Wanted); 6] = [
        (all.clone(), Box::new(|_| true)),
        (Filter { unit: Some(unit("power")), ..all.clone() }, owned("power")),
        (
            Filter { kind: Some(ClockKind::CoHandling), ..all.clone() },
            Box::new(|clock| clock.kind == ClockKind::CoHandling),
        ),
        (Filter { level_at_least: Some(Step::Yellow), ..all.clone() }, Box::new(near)),
        (
            Filter { rung: Some(Escalation::Supervise), ..all.clone() },
            Box::new(|clock| clock.rung() == Some(Escalation::Supervise)),
        ),
        (
            Filter { overdue_at: Some(now), ..all.clone() },
            Box::new(move |clock| clock.is_overdue(now)),
        ),
    ];
    for (filter, wanted) in &cases {
        let seen = inbox(&fixture, filter, city.last).await;
        assert!(seen.is_sorted_by(|a, b| {
            (a.clock.due, a.appeal, a.clock.id) < (b.clock.due, b.appeal, b.clock.id)
        }));
        let seen: BTreeSet<_> = seen.iter().map(|e| (e.appeal, e.clock.id)).collect();
        let expected = owed.iter().filter(|(_, clock)| wanted(clock));
        let expected: BTreeSet<_> = expected.map(|(id, clock)| (*id, clock.id)).collect();
        assert!(!expected.is_empty(), "{filter:?}");
        assert_eq!(seen, expected, "{filter:?}");
    }
    assert!(owed.iter().any(|(_, clock)| red(clock)));
    // What it says of the appeal is what the list says.
    let rows = appeals::Query::all(Scope::All, 500);
    let rows = fixture.views.appeals(&rows, fresh(city.last)).await.unwrap().appeals;
    for entry in inbox(&fixture, &all, city.last).await {
        assert!(rows.contains(&entry.row), "{entry:?}");
        let state = &city.appeals.iter().find(|(_, state)| {
            state.known().is_some_and(|case| case.clocks.get(&entry.clock.id) == Some(&entry.clock))
        });
        assert!(state.is_some());
    }
    fixture.assert_as_replayed(&city.log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_and_the_level_hold_in_list_inbox_count_stuck_and_timeline() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    for (n, level) in (0..).zip([
        Confidentiality::Internal,
        Confidentiality::Confidential,
        Confidentiality::Strict,
    ]) {
        city.dispatched(n, 1, of("T06", AREA, level)).await;
        let asks =
            Command::RequestCoHandling { unit: unit("power"), of: unit("tax"), ask: sealed() };
        city.tell(n, asks).await;
    }
    let at = city.last;
    // The appeals seen in the list, and the clocks seen in the inbox, of 0 internal, 1 confidential
    // and 2 strict. Each has a clock for contact, one to resolve and one of a co-unit, which is not for
    // the enterprise.
    let every = vec![0, 1, 2];
    let (none, areas) = (vec![], Areas::All);
    let everywhere = Scope::Within { enterprise: None, units: none, areas, desk: false };
    for (scope, listed, owed) in [
        (Scope::All, every.clone(), 9),
        (within(Some(1), &[], &[], false), every.clone(), 6),
        (within(Some(2), &[], &[], false), vec![], 0),
        (within(None, &["power"], &[], false), every, 9),
        // A co-unit by the routing table, which owes nothing.
        (within(None, &["water"], &[], false), vec![0], 0),
        // A unit that was asked for a part takes part as a co-unit does, and owes it at every level.
        (within(None, &["tax"], &[], false), vec![0], 3),
        (within(None, &[], &[AREA], false), vec![0], 3),
        (within(None, &[], &[AREA], true), vec![0, 1], 6),
        (within(None, &[], &["210213"], true), vec![], 0),
        (within(None, &["tax"], &[AREA], false), vec![0], 5),
        (within(None, &[], &[], true), vec![], 0),
        // Who watches every area and is not the city desk.
        (everywhere, vec![0], 3),
    ] {
        let rows = appeals::Query::all(scope.clone(), 500);
        let rows = fixture.views.appeals(&rows, fresh(at)).await.unwrap().appeals;
        let mut seen: Vec<_> = rows.iter().map(|row| row.appeal).collect();
        seen.sort();
        let listed: Vec<_> = listed.into_iter().map(appeal).collect();
        assert_eq!(seen, listed, "{scope:?}");
        let found = inbox(&fixture, &Filter::all(scope.clone()), at).await;
        assert_eq!(found.len(), owed, "{scope:?}");
        let idle_since = city.now + 24.hours();
        let stuck = stuck(Some(StuckReason::NoMovement), idle_since, scope.clone());
        let stuck = StuckQuery { limit: 500, ..stuck };
        let stuck = fixture.views.stuck(&stuck, fresh(at)).await.unwrap();
        let mut seen: Vec<_> = stuck.cases.iter().map(|(row, _)| row.appeal).collect();
        seen.sort();
        assert_eq!(seen, listed, "{scope:?}");
        let entries = timeline::Query {
            enterprise: enterprise(1),
            order: timeline::Order::OldestFirst,
            kinds: vec![],
            from: None,
            until: None,
            scope: scope.clone(),
            after: None,
            limit: 500,
        };
        let entries = fixture.views.timeline(&entries, fresh(at)).await.unwrap().entries;
        let seen: BTreeSet<_> = entries.iter().filter_map(|entry| entry.subject).collect();
        let listed: BTreeSet<_> = listed.into_iter().map(|id| id.0).collect();
        assert_eq!(seen, listed, "{scope:?}");
    }
    running.stop().await;
}

fn stuck(reason: Option<StuckReason>, idle_since: Timestamp, scope: Scope) -> StuckQuery {
    StuckQuery { reason, idle_since, area: None, unit: None, scope, after: None, limit: 2 }
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_appeals_come_with_every_reason_the_longest_idle_first() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    for n in 0..5 {
        city.dispatched(n, n, internal()).await;
        city.later(1);
    }
    let contest = |by: &str| Command::Contest { unit: unit(by), reason: sealed(), proposed: None };
    city.tell(1, contest("power")).await;
    city.tell(3, contest("power")).await;
    city.tell(3, Command::Rule { to: Some(unit("tax")) }).await;
    city.resolved(4, "power").await;
    city.tell(4, Command::Confirm).await;
    city.tell(4, Command::Close).await;
    let idle_since = "2026-04-24T12:00+08:00".parse().unwrap();
    let all = async |reason| {
        let mut query = stuck(reason, idle_since, Scope::All);
        let mut seen = Vec::new();
        loop {
            let page = fixture.views.stuck(&query, fresh(city.last)).await.unwrap();
            seen.extend(page.cases.into_iter().map(|(row, reasons)| (row.appeal, reasons)));
            let Some(next) = page.next else {
                return seen;
            };
            query.after = inbox::StuckCursor::from_bytes(&next.to_bytes());
        }
    };
    let idle = (appeal(0), vec![StuckReason::NoMovement]);
    let idle_too = (appeal(2), vec![StuckReason::NoMovement]);
    let waits = (appeal(1), vec![StuckReason::AwaitingRuling]);
    let bounced = (appeal(3), vec![StuckReason::Bounced]);
    let found = all(None).await;
    assert_eq!(found, [idle.clone(), idle_too.clone(), waits.clone(), bounced.clone()]);
    assert_eq!(all(Some(StuckReason::NoMovement)).await, [idle, idle_too]);
    assert_eq!(all(Some(StuckReason::AwaitingRuling)).await, [waits]);
    assert_eq!(all(Some(StuckReason::Bounced)).await, [bounced]);
    let of_tax = StuckQuery { unit: Some(unit("tax")), ..stuck(None, idle_since, Scope::All) };
    let found = fixture.views.stuck(&of_tax, fresh(city.last)).await.unwrap();
    assert_eq!(found.cases.len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_diagnosis_owes_opinions_in_the_inboxes_of_its_units() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    city.dispatched(0, 1, of("T06", AREA, Confidentiality::Confidential)).await;
    let id = DiagnosisId(Uuid::from_u128(7));
    let stream = format!("ev.L-1.diagnosis.{id}");
    let units: BTreeSet<UnitId> = ["tax", "water"].map(unit).into();
    let convening = Convening {
        appeal: appeal(0),
        convener: unit("power"),
        area: area(AREA),
        topic: internal().topic,
        panel: Panel { units, quorum: 1 },
        question: sealed(),
    };
    let case_type = Box::new(city.types.types[0].clone());
    let mut state = Diagnosis::default();
    let opinion = diagnosis::Opinion { stance: diagnosis::Stance::Dissent, text: sealed() };
    let opinion = diagnosis::Command::GiveOpinion { unit: unit("tax"), opinion };
    let order = diagnosis::Order { unit: unit("tax"), task: sealed(), working_days: 1 };
    let conclusion =
        diagnosis::Conclusion { text: sealed(), orders: vec![order], standing_lead: None };
    let convene = diagnosis::Command::Convene { convening, case_type, terms_version: 1 };
    let conclude = diagnosis::Command::Conclude { unit: unit("power"), conclusion };
    for (command, owed) in [(convene, [1, 1, 3]), (opinion, [0, 1, 3]), (conclude, [0, 0, 2])] {
        city.later(24 * 9);
        let events = state.decide(&city.context(), &command).unwrap();
        assert!(!events.is_empty(), "{command:?}");
        state = events.iter().fold(state, Diagnosis::evolve);
        city.last = city.log.append(&stream, &events).await;
        for (owner, count) in ["tax", "water", "power"].into_iter().zip(owed) {
            let scope = within(None, &[owner], &[], false);
            let filter = Filter { unit: Some(unit(owner)), ..Filter::all(scope) };
            let seen = inbox(&fixture, &filter, city.last).await;
            assert_eq!(seen.len(), count, "{owner}: {seen:?}");
            let named = seen.iter().filter(|entry| entry.diagnosis == Some(id));
            assert!(named.clone().all(|entry| entry.row.appeal == appeal(0)));
            assert_eq!(named.count(), if owner == "power" { count - 2 } else { count });
        }
    }
    // One timeline: also what units say among themselves, but not to the enterprise.
    let entries = async |scope| {
        let query = timeline::Query {
            enterprise: enterprise(1),
            order: timeline::Order::OldestFirst,
            kinds: vec![timeline::Kind::Appeal],
            from: None,
            until: None,
            scope,
            after: None,
            limit: 500,
        };
        fixture.views.timeline(&query, fresh(city.last)).await.unwrap().entries
    };
    let all = entries(Scope::All).await;
    assert!(all.iter().all(|entry| entry.subject == Some(appeal(0).0)), "{all:?}");
    assert_eq!(all.len(), 6);
    assert_eq!(entries(within(Some(1), &[], &[], false)).await.len(), 3);
    assert_eq!(entries(within(None, &["power"], &[], false)).await.len(), 4, "since it has it");
    fixture.assert_as_replayed(&city.log.journal).await;
    running.stop().await;
}

/// Three cases of which two are contested, ruled on, resolved again; one elsewhere that is rated.
async fn a_week(city: &mut City) {
    let contest = |by: &str| Command::Contest { unit: unit(by), reason: sealed(), proposed: None };
    for n in 0..4 {
        let code = if n == 3 { "210213" } else { AREA };
        city.dispatched(n, n, of("T06", code, Confidentiality::Internal)).await;
        city.tell(n, Command::RecordContact { unit: unit("power") }).await;
    }
    for n in 0..3 {
        city.tell(n, contest("power")).await;
    }
    city.tell(0, Command::Rule { to: Some(unit("tax")) }).await;
    city.tell(1, Command::Rule { to: None }).await;
    city.resolved(0, "tax").await;
    city.tell(0, Command::Object { reason: sealed() }).await;
    city.later(24 * 10);
    city.tell(
        0,
        Command::Resolve { unit: unit("tax"), outcome: Outcome::Explained, reply: sealed() },
    )
    .await;
    // On the phone it speaks where it did not itself.
    let pleased =
        || Callback { reached: true, resolved: Some(false), satisfied: Some(true), note: None };
    city.tell(0, Command::Confirm).await;
    city.tell(0, Command::RecordCallback(pleased())).await;
    city.resolved(3, "power").await;
    city.tell(3, Command::RecordCallback(pleased())).await;
    city.tell(3, Command::Rate(Rating { responded: true, resolved: true, satisfied: false })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_and_rates_are_summed_by_what_happened_and_within_the_scope() {
    let fixture = Fixture::start().await;
    let mut city = City::new();
    let running = Running::start(&fixture.views, &city.log.journal);
    a_week(&mut city).await;
    let days = |text: &str| date(text);
    let flow = async |area, scope| {
        let (from, until) = (days("2026-04-24"), days("2026-04-24"));
        let query = FlowQuery { from, until, area, scope };
        let flow = fixture.views.flow(&query, fresh(city.last)).await.unwrap();
        let cell = |cell: doudi_views::measures::FlowCell| {
            (cell.from.to_string(), cell.to.map(|to| to.to_string()), cell.returns, cell.upheld)
        };
        flow.cells.into_iter().map(cell).collect::<Vec<_>>()
    };
    let power = || "power".to_owned();
    let stayed = (power(), None, 2, 0);
    let went = (power(), Some("tax".to_owned()), 1, 1);
    assert_eq!(flow(None, Scope::All).await, [stayed.clone(), went.clone()]);
    assert_eq!(flow(Some(area("210213")), Scope::All).await, []);
    let tax = within(None, &["tax"], &[], false);
    assert_eq!(flow(None, tax.clone()).await, [went], "it knows of what came to it");
    let rates = async |group, scope: Scope| {
        let query = RatesQuery {
            group,
            from: days("2026-04-01"),
            until: days("2026-05-31"),
            unit: None,
            area: None,
            topic: None,
            scope,
        };
        let rates = fixture.views.rates(&query, fresh(city.last)).await.unwrap().rates;
        let numbers = |rate: doudi_views::measures::Rate| {
            let asked = [rate.asked_resolved, rate.resolved, rate.asked_satisfied, rate.satisfied];
            (rate.key, [rate.handled, rate.responded], asked)
        };
        rates.into_iter().map(numbers).collect::<Vec<_>>()
    };
    let all = |key: &str| (key.to_owned(), [3, 1], [3, 2, 3, 1]);
    assert_eq!(rates(RateGroup::All, Scope::All).await, [all("")]);
    assert_eq!(rates(RateGroup::Topic, Scope::All).await, [all("T06")]);
    let of_power = (power(), [1, 1], [1, 1, 1, 0]);
    let of_tax = ("tax".to_owned(), [2, 0], [2, 1, 2, 1]);
    assert_eq!(rates(RateGroup::Unit, Scope::All).await, [of_power.clone(), of_tax.clone()]);
    assert_eq!(rates(RateGroup::Unit, tax).await, [of_tax]);
    let months = rates(RateGroup::Month, Scope::All).await;
    let months: Vec<_> =
        months.iter().map(|(key, handled, _)| (key.as_str(), handled[0])).collect();
    assert_eq!(months, [("2026-04", 1), ("2026-05", 2)]);
    let there = within(None, &[], &["210213"], false);
    assert_eq!(rates(RateGroup::Area, there).await, [("210213".to_owned(), [1, 1], [1, 1, 1, 0])]);
    fixture.assert_as_replayed(&city.log.journal).await;
    running.stop().await;
}
