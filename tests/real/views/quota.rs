//! The frequency ledger on real tables: the same answer as the rules give to the same visits.

use std::time::Duration;

use doudi_domain::{
    CertificateNumber, FieldId, ItemId, Reference,
    catalogue::Level,
    enterprise::{self, CreditGrade},
    frequency::{self, Entry, Held, Party, Traits, assess},
    visits,
};
use doudi_journal::Position;
use doudi_views::{Areas, AsOf, Fresh, Scope, ViewError, ViewName, page, visits::quota};

use super::{Fixture, Running, fresh, log::*};

/// A carried out visit of a unit of the city, as [`of_plan`] plans it.
fn used(n: u64, by: &str, on: &str) -> Entry {
    Entry {
        visit: visit(n),
        parties: vec![Party { unit: unit(by), level: Some(Level::City) }],
        items: [(ItemId::parse("I-1").unwrap(), Some(FieldId::parse("market").unwrap()))].into(),
        officers: ["D-1", "D-2"].map(|n| CertificateNumber::parse(n).unwrap()).into(),
        ground: frequency::Ground::Routine,
        on: date(on),
        held: Held::Used,
        finding: None,
    }
}

/// What a unit asks that has no plan yet.
fn asked(by: &str, level: Option<Level>, on: &str) -> Entry {
    Entry {
        parties: vec![Party { unit: unit(by), level }],
        items: [].into(),
        officers: [].into(),
        held: Held::Reserved,
        ..used(0, by, on)
    }
}

/// What a unit that may see every enterprise asks of the first one.
fn asking(by: &str, on: &str) -> quota::Query {
    quota::Query {
        enterprise: enterprise(1),
        unit: unit(by),
        on: date(on),
        known_only: false,
        enterprises: Scope::All,
    }
}

async fn told(fixture: &Fixture, query: &quota::Query, fresh: Fresh) -> quota::Quota {
    fixture.views.quota(query, fresh).await.unwrap().unwrap()
}

/// Tokio gives a task only so much to do until others have their turn; a task can begin with nearly nothing left
/// of it, and whatever it does next is put off.
#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_task_has_to_give_way_no_statement_overtakes_its_transaction() {
    let fixture = Fixture::start().await;
    let query = asking("tax", "2026-06-01");
    for done in 0..=128 {
        let (views, query) = (fixture.views.clone(), query.clone());
        let asked = tokio::spawn(async move {
            for _ in 0..done {
                tokio::task::consume_budget().await;
            }
            views.quota(&query, Fresh::ANY.as_of(Some(AsOf::Recorded(Position::START)))).await
        });
        let found = asked.await.unwrap().unwrap().unwrap();
        assert_eq!(found.policy_version, None, "after {done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_is_what_the_decision_counts() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let query = asking("tax", "2026-06-01");
    let last = log.history(1, "tax").await;
    let unpublished = told(&fixture, &query, fresh(last)).await;
    assert_eq!((unpublished.policy_version, unpublished.standings.len()), (None, 0));
    log.append("ev._city.policy.frequency", &published(1)).await;
    log.append("ev._city.policy.catalogue-tax", &catalogued(1, "tax", Level::City)).await;
    // Planned in the old year, carried out in the new one; one of another unit; one next year.
    log.append("ev.L-1.visits", &[planned(visit(7), "tax", "2025-12-30")]).await;
    log.append("ev.L-1.visits", &[planned(visit(8), "fire", "2026-02-02")]).await;
    log.append("ev.L-1.visits", &[planned(visit(9), "tax", "2027-01-04")]).await;
    let last = log.append("ev.L-1.visits", &[checked_in(visit(7), "2025-12-31T16:30:00Z")]).await;
    let found = told(&fixture, &query, fresh(last)).await;
    assert_eq!((found.policy_version, found.position), (Some(1), last));
    let entries = [
        used(1, "tax", "2026-03-03"),
        used(7, "tax", "2026-01-01"),
        Entry { held: Held::Reserved, ..used(8, "fire", "2026-02-02") },
        Entry { held: Held::Reserved, ..used(9, "tax", "2027-01-04") },
    ];
    let counted = |asked: &Entry| assess(&limits(), &Traits::default(), &entries, asked);
    let expected = counted(&asked("tax", Some(Level::City), "2026-06-01"));
    assert_eq!((found.standings.len(), &found.standings), (2, &expected.standings));
    assert!(found.standings[0].is_exceeded());
    assert_eq!(found.standings[0].frees_on, Some(date("2028-01-01")), "next year is taken too");
    // Without a catalogue no level is known, so no rule for a level can be asked.
    let other = quota::Query { unit: unit("fire"), ..query.clone() };
    let other = told(&fixture, &other, fresh(last)).await;
    assert_eq!(other.standings, counted(&asked("fire", None, "2026-06-01")).standings);
    assert_eq!((other.standings.len(), other.standings[0].reserved), (1, 1));
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_knows_the_enterprise_as_the_decision_does() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    log.append("ev._city.policy.frequency", &published(1)).await;
    log.history(1, "tax").await;
    let graded = |grade, on: &str, until: Option<&str>| enterprise::Event::CreditGradeAssessed {
        grade,
        issuer: unit("market"),
        assessed_on: date(on),
        valid_until: until.map(date),
    };
    let profile = "ev.L-1.profile";
    log.append(profile, &[graded(CreditGrade::A, "2026-05-01", Some("2026-06-30"))]).await;
    // Of an earlier day, handed in later.
    log.append(profile, &[graded(CreditGrade::B, "2026-01-01", None)]).await;
    let classified = enterprise::Event::EnterpriseClassified {
        risk_class: None,
        tags: [port()].into(),
        basis: Reference::parse("档 12 号").unwrap(),
        issuer: unit("market"),
    };
    let last = log.append(profile, &[classified]).await;
    let ask = async |on: &str| told(&fixture, &asking("fire", on), fresh(last)).await;
    let rules = |found: &quota::Quota| -> Vec<String> {
        found.standings.iter().map(|standing| standing.rule.to_string()).collect()
    };
    assert_eq!(rules(&ask("2026-04-30").await), ["once-a-year"]);
    let trusted = ask("2026-06-30").await;
    assert_eq!(rules(&trusted), ["once-a-year", "trusted"]);
    let weighed = assess(
        &limits(),
        &Traits { grade: Some(CreditGrade::A), risk_class: None, tags: [port()].into() },
        &[used(1, "tax", "2026-03-03")],
        &asked("fire", None, "2026-06-30"),
    );
    assert_eq!((&trusted.standings, &trusted.floors), (&weighed.standings, &weighed.floors));
    assert_eq!(rules(&ask("2026-07-01").await), ["once-a-year"], "the grade has run out");
    // The floor looks back three years.
    let due = async |on: &str| ask(on).await.floors.iter().map(|floor| floor.is_due()).next();
    assert_eq!(due("2029-03-02").await, Some(false));
    assert_eq!(due("2029-03-03").await, Some(true));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_a_joint_visit_and_other_officers_are_kept_for_the_count() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let without_finding = frequency::Rule {
        counting: frequency::Counting::WithoutFinding,
        joint: frequency::Joint::OncePerUnit,
        ..rule("all", frequency::Subject::AllUnits, 9)
    };
    let rules = vec![without_finding];
    let policy = frequency::FrequencyPolicy { rules, ..<_>::default() };
    let document = doudi_domain::policy::Document::Frequency(policy);
    let policy = "ev._city.policy.frequency";
    let drafted = doudi_domain::policy::Event::PolicyDrafted { version: 1, document };
    let in_force = doudi_domain::policy::Event::PolicyPublished { version: 1 };
    log.append(policy, &[drafted, in_force]).await;
    let joint = with(planned(visit(1), "tax", "2026-03-02"), &["fire", "gas"]);
    let stream = "ev.L-1.visits";
    log.append(stream, &[joint]).await;
    log.append(stream, &[checked_in(visit(1), "2026-03-02T02:00:00Z")]).await;
    log.append(stream, &[planned(visit(2), "tax", "2026-03-09")]).await;
    let query = asking("tax", "2026-06-01");
    let last = log.append(stream, &[checked_in(visit(2), "2026-03-09T02:00:00Z")]).await;
    let found = told(&fixture, &query, fresh(last)).await;
    assert_eq!(found.standings[0].used, 4, "three units once each, then one");
    let outcome = visits::Outcome::CaseFiled;
    let result =
        visits::ItemResult { item: ItemId::parse("I-1").unwrap(), outcome, unmet: [].into() };
    let reported = |by: &str| visits::Event::ResultReported {
        visit: visit(1),
        unit: Some(unit(by)),
        results: vec![result.clone()],
        tell: None,
    };
    let last = log.append(stream, &["tax", "fire"].map(reported)).await;
    let found = told(&fixture, &query, fresh(last)).await;
    assert_eq!(found.standings[0].used, 4, "one unit's results are still to come");
    let last = log.append(stream, &[reported("gas")]).await;
    let found = told(&fixture, &query, fresh(last)).await;
    assert_eq!(found.standings[0].used, 1, "that one found something");
    let again = told(&fixture, &query, Fresh::ANY).await;
    assert_eq!(again, found);
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_enterprise_is_told_of_is_decided_on_the_same_tables_as_of_now() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let within = |own: Option<u64>, code: &str| Scope::Within {
        enterprise: own.map(enterprise),
        units: vec![unit("tax")],
        areas: Areas::Some(vec![area(code)]),
        desk: false,
    };
    let seen = async |scope: Scope, fresh: Fresh| {
        let query = quota::Query { enterprises: scope, ..asking("tax", "2026-06-01") };
        fixture.views.quota(&query, fresh).await.map(|found| found.is_some())
    };
    let last = log.history(2, "tax").await;
    // Of one that is not registered it itself is told, and who may see all.
    assert!(seen(Scope::All, fresh(last)).await.unwrap());
    assert!(seen(within(Some(1), "210211"), fresh(last)).await.unwrap());
    assert!(!seen(within(Some(2), AREA), fresh(last)).await.unwrap());
    let there = log.history(1, "tax").await;
    assert!(seen(within(None, AREA), fresh(there)).await.unwrap());
    // That its unit came does not let anybody see it.
    assert!(!seen(within(None, "210211"), fresh(there)).await.unwrap());
    let moved = enterprise::Event::AreaChanged {
        from: area(AREA),
        to: area("210211"),
        basis: Reference::parse("划转 1 号").unwrap(),
    };
    let elsewhere = log.append("ev.L-1.profile", &[moved]).await;
    let ahead = Position(elsewhere.0 + 1);
    for as_of in [None, Some(AsOf::Recorded(there)), Some(AsOf::Recorded(elsewhere))] {
        let fresh = fresh(elsewhere).as_of(as_of);
        assert!(!seen(within(None, AREA), fresh).await.unwrap(), "{as_of:?}");
        assert!(seen(within(None, "210211"), fresh).await.unwrap(), "{as_of:?}");
    }
    // What the tables have not come to is not decided on what they have.
    let soon = Fresh::at(ahead, Duration::from_millis(20));
    let early = seen(within(None, AREA), soon).await;
    assert!(matches!(early, Err(ViewError::Behind(_))), "{early:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_visits_that_a_limit_looks_at_are_too_many_to_count() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let rules = vec![rule("all", frequency::Subject::AllUnits, 9)];
    let policy = frequency::FrequencyPolicy { rules, ..<_>::default() };
    let document = doudi_domain::policy::Document::Frequency(policy);
    log.append("ev._city.policy.frequency", &in_force(1, document)).await;
    log.append("ev.L-1.profile", &[registered(AREA)]).await;
    let last = log.append("ev.L-1.visits", &[planned(visit(1), "tax", "2026-03-02")]).await;
    fixture.reach(last).await;
    let page = page::Query {
        enterprise: enterprise(1),
        unit: None,
        on: date("2026-06-01"),
        known_only: false,
        enterprises: Scope::All,
        scope: Scope::All,
        entries_max: 1,
    };
    let of_page = async || fixture.views.enterprise_page(&page, fresh(last)).await;
    let of = async |on: &str| fixture.views.quota(&asking("tax", on), fresh(last)).await;
    let visits = format!("{}.visit", ViewName::Visits.schema());
    let before = format!(
        "INSERT INTO {visits} SELECT made.* FROM {visits} AS known, generate_series(1, 20001) AS n, \
         LATERAL jsonb_populate_record(known, jsonb_build_object('day', '2025-12-01', \
         'visit', '00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))) AS made"
    );
    fixture.run(&before).await;
    let found = of("2026-06-01").await.unwrap().unwrap();
    assert_eq!(found.standings[0].reserved, 1, "they are of last year");
    let found = of_page().await.unwrap().unwrap().places;
    assert_eq!(found.standings[0].reserved, 1, "they are of last year");
    let found = of("2019-06-01").await.unwrap().unwrap();
    assert_eq!(found.standings, [], "there was no limit");

    fixture.run(&format!("UPDATE {visits} SET day = '2026-03-02'")).await;
    let found = of("2026-06-01").await;
    assert!(matches!(found, Err(ViewError::TooManyVisits { .. })), "{found:?}");
    let found = of_page().await;
    assert!(matches!(found, Err(ViewError::TooManyVisits { .. })), "{found:?}");
    running.stop().await;
}
