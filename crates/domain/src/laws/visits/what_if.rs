//! Trying a policy out says what the decider itself would have said, and nothing where nothing differs.

use super::*;
use crate::{
    EnterpriseId, codec,
    enterprise::{self as profile},
    policy::{self, Document},
    what_if::{Change, Days, Report, Told, WhatIf},
};

/// What was decided in a random year, and how often `other` would have refused a plan that was accepted.
struct Year {
    commits: Vec<(Timestamp, Vec<Event>)>,
    refused: u64,
}

fn year(policy: &FrequencyPolicy, other: &FrequencyPolicy, steps: Vec<random::Step>) -> Year {
    let (world, elsewhere) = (world(policy.clone()), world(other.clone()));
    let mut at = moment("2025-03-03T09:00+08:00");
    let mut state = Visits::default();
    let mut found = Year { commits: vec![], refused: 0 };
    for (nth, step) in (0..).zip(steps) {
        at += SignedDuration::from_hours(step.hours);
        let known = state.get(visit(step.visit));
        let command = command(&step, &random::Place { at, today: day_in_shanghai(at), nth, known });
        let Ok(events) = state.decide(&world.then(at), &command) else { continue };
        if let (Command::Plan(plan), false) = (&command, events.is_empty()) {
            let explained = state.explain(&elsewhere.then(at), plan);
            found.refused += u64::from(explained.rejection.is_some());
        }
        state = events.iter().fold(state, Visits::evolve);
        if !events.is_empty() {
            found.commits.push((at, events));
        }
    }
    found
}

/// Only with the events that it asks for, if so.
fn tried(
    in_force: &FrequencyPolicy,
    candidate: &FrequencyPolicy,
    year: &Year,
    picky: bool,
) -> Report {
    let document = Document::Frequency(candidate.clone());
    let mut what_if = WhatIf::new(document, Days::default(), Box::new(|_| true)).unwrap();
    let of = EnterpriseId::parse("L-1").unwrap();
    let start = moment("2025-01-01T00:00+08:00");
    let registered = profile::Event::EnterpriseRegistered {
        name: name("大连旅顺船舶配件有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
    };
    let graded = profile::Event::CreditGradeAssessed {
        grade: CreditGrade::A,
        issuer: unit("market-regulation"),
        assessed_on: day("2024-01-01"),
        valid_until: None,
    };
    let classified = profile::Event::EnterpriseClassified {
        risk_class: Some(RiskClass::B),
        tags: [tag("port")].into(),
        basis: reference("大市监企档〔2025〕12号"),
        issuer: unit("market-regulation"),
    };
    what_if.take(start, Told::Profile(of.clone(), vec![registered, graded, classified]));
    let document = Document::Frequency(in_force.clone());
    let drafted = policy::Event::PolicyDrafted { version: 3, document };
    let published = policy::Event::PolicyPublished { version: 3 };
    what_if.take(start, Told::Policy(vec![drafted, published]));
    for (at, events) in &year.commits {
        let wanted = |event: &&Event| {
            let name = codec::encode(*event).expect("it has a stored name").name;
            !picky || what_if.wants(Visits::KIND, name)
        };
        let events: Vec<Event> = events.iter().filter(wanted).cloned().collect();
        what_if.take(*at, Told::Visits(of.clone(), events));
    }
    what_if.report(start)
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_policy_tried_out_says_what_would_have_been_decided(
        policy in any_policy(), other in any_policy(), steps in any_steps(),
    ) {
        let sound = Document::Frequency(other.clone()).problems().is_empty()
            && Document::Frequency(policy.clone()).problems().is_empty();
        prop_assume!(sound);
        let year = year(&policy, &other, steps);
        let same = tried(&policy, &policy, &year, true);
        prop_assert_eq!(&same.changes, &[].into(), "the policy in force changes nothing");
        prop_assert_eq!(same.skipped, 0);
        let report = tried(&policy, &other, &year, true);
        let refusals = [Change::Refused, Change::Unjustified, Change::Unevidenced];
        let refused: u64 = refusals.iter().filter_map(|change| report.changes.get(change)).sum();
        prop_assert_eq!(refused, year.refused);
        prop_assert_eq!(&report, &tried(&policy, &other, &year, false), "what is left out matters");
    }
}
