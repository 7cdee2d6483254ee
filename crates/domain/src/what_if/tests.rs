//! Given records, and what another document makes of them.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::{
    catalogue::Catalogue,
    enterprise::CreditGrade,
    frequency::{Enterprises, FrequencyPolicy, OnExceeding, Rule, Subject},
    kit::{area, catalogue, day, moment, name, policy_of, reference, rule, unit},
    policy::Event as Publishing,
    uscc::CheckDigit,
    visits::{CheckIn, Event, Manner, Plan, Proof, tests as of_visits},
};

mod deadlines;
mod routes;

pub(super) fn enterprise() -> EnterpriseId {
    EnterpriseId::parse("91210212DD0000001D").unwrap()
}

pub(super) fn all() -> Sees {
    Box::new(|_| true)
}

pub(super) fn published(version: u32, document: Document) -> Told {
    let drafted = Publishing::PolicyDrafted { version, document };
    Told::Policy(vec![drafted, Publishing::PolicyPublished { version }])
}

fn refusing(id: &str, maximum: u32) -> Rule {
    rule(id, Subject::AllUnits, maximum)
}

/// The candidate after the enterprise was registered in 旅顺口区 and `in_force` published as version 3.
fn begun(in_force: FrequencyPolicy, candidate: FrequencyPolicy, days: Days, sees: Sees) -> WhatIf {
    let mut what_if = WhatIf::new(Document::Frequency(candidate), days, sees).unwrap();
    let registered = enterprise::Event::EnterpriseRegistered {
        name: name("大连旅顺船舶配件有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
    };
    what_if.take(at(1), Told::Profile(enterprise(), vec![registered]));
    what_if.take(at(1), published(3, Document::Frequency(in_force)));
    what_if
}

/// That day of March 2025, in the morning.
fn at(day: u8) -> Timestamp {
    moment(&format!("2025-03-{day:02}T09:00+08:00"))
}

fn planned(n: u8, by: &str) -> Event {
    planned_as(Plan { unit: unit(by), ..of_visits::plan(n) })
}

fn planned_as(plan: Plan) -> Event {
    of_visits::planned_as(plan)
}

/// The officers of the plan came on that day of March.
fn came(n: u8, on: u8) -> Event {
    Event::VisitCheckedIn {
        visit: of_visits::visit(n),
        check_in: CheckIn {
            officers: of_visits::plan(n).officers,
            occurred_at: at(on),
            manner: Manner::Stated,
            proof: Proof::Nothing,
            place: None,
        },
        irregularities: [].into(),
        tell: None,
        counts_on: None,
    }
}

fn take(what_if: &mut WhatIf, on: u8, events: impl IntoIterator<Item = Event>) {
    what_if.take(at(on), Told::Visits(enterprise(), events.into_iter().collect()));
}

fn counted(report: &Report, change: Change) -> Vec<(Key, u64)> {
    let counts = report.counts.iter().filter(|((of, _), _)| *of == change);
    counts.map(|((_, key), count)| (key.clone(), *count)).collect()
}

fn rule_key(id: &str) -> Key {
    Key::Rule(RuleId::parse(id).unwrap())
}

/// Two visits on different days by two units, under four a year and then under `candidate`.
fn two_visits(candidate: FrequencyPolicy, days: Days, sees: Sees) -> Report {
    let in_force = policy_of(vec![refusing("four", 4)]);
    let mut what_if = begun(in_force, candidate, days, sees);
    take(&mut what_if, 3, [planned(1, "market-regulation")]);
    take(&mut what_if, 4, [planned(2, "tax")]);
    what_if.report(at(30))
}

#[test]
fn what_a_stricter_limit_would_have_refused_is_counted_by_rule_unit_area_and_ground() {
    let later = Rule { valid_from: day("2030-01-01"), ..refusing("later", 1) };
    let candidate = policy_of(vec![refusing("one", 1), later]);
    let report = two_visits(candidate, Days::default(), all());
    assert_eq!((report.compared, report.skipped), (2, 0));
    assert_eq!(report.changes, [(Change::Refused, 1)].into());
    let keys = [
        rule_key("one"),
        Key::Unit(Some(unit("tax"))),
        Key::Area(Some(area("210212"))),
        Key::Ground(Ground::Routine),
    ];
    assert_eq!(counted(&report, Change::Refused), keys.map(|key| (key, 1)));
    let example = (enterprise(), Instance::Visit(of_visits::visit(2)));
    assert_eq!(report.examples, [(Change::Refused, vec![example])].into());
    assert_eq!(report.idle, [RuleId::parse("later").unwrap()].into());
}

#[test]
fn the_document_in_force_changes_nothing() {
    let report = two_visits(policy_of(vec![refusing("four", 4)]), Days::default(), all());
    assert_eq!((report.compared, report.changes.len(), report.idle.len()), (2, 0, 0));
}

#[test]
fn days_and_scope_say_which_decisions_are_looked_at_and_none_is_forgotten_by_the_ledger() {
    let strict = || policy_of(vec![refusing("one", 1)]);
    let fourth = Days { from: Some(day("2025-03-04")), until: Some(day("2025-03-04")) };
    let report = two_visits(strict(), fourth, all());
    assert_eq!((report.compared, report.changes), (1, [(Change::Refused, 1)].into()));
    let third = Days { until: Some(day("2025-03-03")), ..Days::default() };
    let report = two_visits(strict(), third, all());
    assert_eq!((report.compared, report.changes.len()), (1, 0));
    let tax_alone = |matter: &Matter<'_>| {
        assert_eq!(matter.area, Some(&area("210212")));
        matter.unit == Some(&unit("tax"))
    };
    let report = two_visits(strict(), Days::default(), Box::new(tax_alone));
    assert_eq!((report.compared, report.changes), (1, [(Change::Refused, 1)].into()));
}

#[test]
fn a_mark_or_a_justification_that_falls_away_is_milder_and_one_that_comes_is_stricter() {
    let with =
        |on_exceeding, maximum| policy_of(vec![Rule { on_exceeding, ..refusing("all", maximum) }]);
    let decided = |before, after, justified: bool| {
        let mut what_if = begun(before, after, Days::default(), all());
        take(&mut what_if, 3, [planned(1, "tax")]);
        let justification = justified.then(|| reference("大政办批〔2025〕7号"));
        let plan = Plan { unit: unit("justice"), justification, ..of_visits::plan(2) };
        take(&mut what_if, 3, [planned_as(plan)]);
        what_if.report(at(30)).changes.into_keys().collect::<Vec<_>>()
    };
    let (warn, ask) = (OnExceeding::Warn, OnExceeding::NeedsApproval);
    assert_eq!(decided(with(warn, 1), with(warn, 2), false), [Change::Milder]);
    assert_eq!(decided(with(warn, 2), with(warn, 1), false), [Change::Stricter]);
    assert_eq!(decided(with(ask, 1), with(warn, 1), true), [Change::Milder]);
    assert_eq!(decided(with(warn, 1), with(ask, 1), true), [Change::Stricter]);
    assert_eq!(decided(with(warn, 1), with(ask, 1), false), [Change::Unjustified]);
}

#[test]
fn a_ground_that_would_be_exempt_would_need_evidence() {
    let exempting = Rule { exempt_grounds: [Ground::Routine].into(), ..refusing("all", 4) };
    let report = two_visits(policy_of(vec![exempting]), Days::default(), all());
    assert_eq!(report.changes, [(Change::Unevidenced, 2)].into());
}

#[test]
fn a_closed_visit_keeps_its_place_and_a_cancelled_one_does_not() {
    let mut what_if = begun(
        policy_of(vec![refusing("four", 4)]),
        policy_of(vec![refusing("one", 1)]),
        Days::default(),
        all(),
    );
    let visit = of_visits::visit(1);
    take(&mut what_if, 3, [planned(1, "tax")]);
    let reason = crate::visits::CancelReason::TaskWithdrawn;
    take(&mut what_if, 4, [Event::VisitCancelled { visit, reason }]);
    take(&mut what_if, 5, [planned(2, "tax")]);
    take(&mut what_if, 10, [came(2, 10)]);
    take(&mut what_if, 11, [Event::VisitClosed { visit: of_visits::visit(2) }]);
    take(&mut what_if, 12, [planned(3, "justice")]);
    let report = what_if.report(at(30));
    let third = vec![(enterprise(), Instance::Visit(of_visits::visit(3)))];
    assert_eq!(report.examples, [(Change::Refused, third)].into());
    assert_eq!(report.compared, 3, "who comes as planned was decided on with the plan");
}

#[test]
fn who_came_unplanned_or_on_another_day_is_looked_at_at_the_door() {
    let decided = |before: u32, after: u32| {
        let [before, after] = [before, after].map(|max| policy_of(vec![refusing("all", max)]));
        let mut what_if = begun(before, after, Days::default(), all());
        take(&mut what_if, 3, [planned(1, "tax")]);
        // Made at the door: nobody could have refused it.
        take(&mut what_if, 10, [planned(2, "justice"), came(2, 10)]);
        what_if.report(at(30)).changes.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(decided(4, 1), [Change::Overshot]);
    assert_eq!(decided(1, 4), [Change::Within]);
    assert_eq!(decided(1, 1), []);
}

#[test]
fn a_visit_planned_under_no_known_policy_is_skipped() {
    let strict = policy_of(vec![refusing("one", 1)]);
    let mut what_if = WhatIf::new(Document::Frequency(strict), Days::default(), all()).unwrap();
    take(&mut what_if, 3, [planned(1, "tax")]);
    let report = what_if.report(at(30));
    assert_eq!((report.compared, report.skipped), (0, 1));
}

#[test]
fn traits_are_those_that_were_known_then() {
    let only_d = Enterprises { grades: [CreditGrade::D].into(), ..Enterprises::default() };
    let candidate = policy_of(vec![Rule { enterprises: only_d, ..refusing("of-d", 0) }]);
    let in_force = policy_of(vec![refusing("four", 4)]);
    let mut what_if = begun(in_force, candidate, Days::default(), all());
    take(&mut what_if, 3, [planned(1, "tax")]);
    let graded = enterprise::Event::CreditGradeAssessed {
        grade: CreditGrade::D,
        issuer: unit("market-regulation"),
        assessed_on: day("2025-03-04"),
        valid_until: None,
    };
    what_if.take(at(4), Told::Profile(enterprise(), vec![graded]));
    take(&mut what_if, 5, [planned(2, "tax")]);
    let report = what_if.report(at(30));
    let second = vec![(enterprise(), Instance::Visit(of_visits::visit(2)))];
    assert_eq!(report.examples, [(Change::Refused, second)].into());
}

#[test]
fn what_could_not_be_published_cannot_be_tried_out() {
    let untried = |document| WhatIf::new(document, Days::default(), all()).err();
    let unsound = untried(Document::Frequency(policy_of(vec![])));
    assert!(matches!(unsound, Some(Untried::Unsound(problems)) if problems.len() == 1));
    let listed: Catalogue = catalogue("tax");
    assert_eq!(untried(Document::Catalogue(listed)), Some(Untried::Catalogue));
}

#[test]
fn examples_are_the_first_ones_and_bounded() {
    let in_force = policy_of(vec![refusing("many", 100)]);
    let mut what_if = begun(in_force, policy_of(vec![refusing("none", 0)]), Days::default(), all());
    for n in 1..=20 {
        take(&mut what_if, 3, [planned(n, "tax")]);
    }
    let report = what_if.report(at(30));
    assert_eq!(report.changes, [(Change::Refused, 20)].into());
    let named = &report.examples[&Change::Refused];
    assert_eq!(named.len(), EXAMPLES_MAX);
    assert_eq!(named[0].1, Instance::Visit(VisitId(Uuid::from_u128(1))));
}
