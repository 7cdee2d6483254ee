//! No sequence of commands overshoots a limit by decision, no place is lost or made up, and what is
//! explained beforehand is what is decided.
//!
//! The oracle reads events and counts for itself; it shares nothing with `frequency::assess`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use self::{
    oracle::{Count, Oracle, Place, spelled},
    policies::any_policy,
    random::{any_plan, any_steps, command},
};
use super::cases;
use crate::{
    CertificateNumber, CheckDigit, Decider, FewSet, UnitId, VisitId,
    catalogue::{Catalogue, Level},
    enterprise::{self, CreditGrade, Profile, RiskClass},
    frequency::{FrequencyPolicy, Held, OnExceeding, Standing, Verdict},
    kit::{
        World, area, catalogue, certificate, day, given, moment, name, on_site, reference, tag,
        unit, when,
    },
    visits::{Command, Event, Justification, Phase, Plan, Rejection, Visit, Visits},
};

mod frees;
mod kept;
mod oracle;
mod policies;
mod random;
mod what_if;

/// The items there are and their fields.
const FIELDS: [(&str, &str); 3] =
    [("SC-0101", "market"), ("SC-0205", "market"), ("XF-0001", "fire")];
/// The units that plan and their levels.
const LEVELS: [(&str, Level); 3] =
    [("tax", Level::City), ("market-regulation", Level::City), ("county-fire", Level::County)];

fn visit(n: u8) -> VisitId {
    VisitId(Uuid::from_u128(u128::from(n)))
}

/// Three units share the visits.
fn unit_of(n: u8) -> UnitId {
    unit(LEVELS[usize::from(n) % 3].0)
}

/// Two officers in a row, or one.
fn officers(first: usize, count: usize) -> FewSet<CertificateNumber> {
    (first + 1..=first + count).map(certificate).collect()
}

/// The day in Shanghai, counted in seconds.
fn day_in_shanghai(at: Timestamp) -> Date {
    let days = (at.as_second() + 8 * 3600).div_euclid(24 * 3600);
    day("1970-01-01").saturating_add(days.days())
}

fn world(policy: FrequencyPolicy) -> World {
    let registered = enterprise::Event::EnterpriseRegistered {
        name: name("大连旅顺船舶配件有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
    };
    let graded = enterprise::Event::CreditGradeAssessed {
        grade: CreditGrade::A,
        issuer: unit("market-regulation"),
        assessed_on: day("2024-01-01"),
        valid_until: None,
    };
    let classified = enterprise::Event::EnterpriseClassified {
        risk_class: Some(RiskClass::B),
        tags: [tag("port")].into(),
        basis: reference("大市监企档〔2025〕12号"),
        issuer: unit("market-regulation"),
    };
    let of_unit = |(by, level): (&str, Level)| {
        let items = FIELDS.map(|(id, field)| on_site(id, field)).into();
        let mut found = Catalogue { level, items, ..catalogue(by) };
        // A random sequence of commands may take decades.
        found.officers.iter_mut().for_each(|officer| officer.valid_until = day("2199-12-31"));
        found
    };
    World {
        profile: given::<Profile>(&[registered, graded, classified]),
        frequency: Some(policy),
        catalogues: LEVELS.map(of_unit).into(),
        ..World::default()
    }
}

fn counts<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> BTreeSet<Count> {
    let count = |standing: &Standing| (standing.rule.clone(), spelled(&standing.key));
    standings.into_iter().map(count).collect()
}

/// Those of the limits that say `least` or something stricter.
fn of_word(over: &[(Count, OnExceeding)], least: OnExceeding) -> BTreeSet<Count> {
    let over = over.iter().filter(|(_, effect)| *effect >= least);
    over.map(|(count, _)| count.clone()).collect()
}

/// Checks the answer to a plan against what the limits would be pushed over.
fn check_plan(
    over: &[(Count, OnExceeding)],
    plan: &Plan,
    outcome: &Result<Vec<Event>, Rejection>,
) -> Result<(), TestCaseError> {
    let strictest = over.iter().map(|(_, effect)| *effect).max();
    let missing = plan.justification.is_none();
    match (strictest, outcome) {
        (Some(OnExceeding::Refuse), Err(Rejection::CapReached { exhausted })) => {
            prop_assert_eq!(counts(exhausted), of_word(over, OnExceeding::Refuse));
        }
        (
            Some(word @ (OnExceeding::NeedsApproval | OnExceeding::NeedsExplanation)),
            Err(Rejection::JustificationMissing { wanted, exceeded }),
        ) if missing => {
            let approval = word == OnExceeding::NeedsApproval;
            prop_assert_eq!(*wanted == Justification::Approval, approval);
            prop_assert_eq!(counts(exceeded), of_word(over, OnExceeding::NeedsExplanation));
        }
        (None | Some(OnExceeding::Warn), Ok(_)) => {}
        (Some(OnExceeding::NeedsApproval | OnExceeding::NeedsExplanation), Ok(_)) if !missing => {}
        (_, outcome) => prop_assert!(false, "{over:?} but {outcome:?}"),
    }
    Ok(())
}

/// Checks what was raised at the door against what the visit pushed over.
fn check_arrival(
    over: &[(Count, OnExceeding)],
    let_pass: bool,
    events: &[Event],
) -> Result<(), TestCaseError> {
    let (mut exceeded, mut repeated) = (vec![], vec![]);
    for event in events {
        if let Event::CapExceeded { standing, .. } = event {
            exceeded.push(standing);
        }
        if let Event::RepeatVisits { standing, .. } = event {
            repeated.push(standing);
        }
    }
    let refusing = of_word(over, OnExceeding::Refuse);
    let warned: BTreeSet<Count> = of_word(over, OnExceeding::Warn)
        .difference(&of_word(over, OnExceeding::NeedsExplanation))
        .cloned()
        .collect();
    prop_assert!(let_pass || refusing.is_empty(), "a live scan never overshoots");
    prop_assert!(counts(exceeded.iter().copied()).is_superset(&refusing));
    let justifiable = of_word(over, OnExceeding::NeedsExplanation);
    prop_assert!(counts(exceeded.iter().copied()).is_subset(&justifiable));
    prop_assert_eq!(counts(repeated.iter().copied()), warned);
    prop_assert_eq!(exceeded.len(), counts(exceeded.iter().copied()).len(), "once for each rule");
    Ok(())
}

/// Checks a merge against what the limits would be pushed over.
fn check_merge(
    over: &[(Count, OnExceeding)],
    justified: bool,
    outcome: &Result<Vec<Event>, Rejection>,
) -> Result<(), TestCaseError> {
    let strictest = over.iter().map(|(_, effect)| *effect).max();
    match outcome {
        Ok(_) => {
            prop_assert!(strictest < Some(OnExceeding::NeedsExplanation) || justified);
            prop_assert!(strictest < Some(OnExceeding::Refuse), "{:?}", over);
        }
        Err(Rejection::CapReached { exhausted }) => {
            prop_assert_eq!(counts(exhausted), of_word(over, OnExceeding::Refuse));
        }
        Err(Rejection::JustificationMissing { exceeded, .. }) => {
            prop_assert!(!justified);
            prop_assert_eq!(counts(exceeded), of_word(over, OnExceeding::NeedsExplanation));
        }
        Err(_) => {}
    }
    Ok(())
}

/// A visit is closed when nothing is open, and only then.
fn check_end(visit: &Visit) -> Result<(), TestCaseError> {
    let over = matches!(visit.phase, Phase::Reported { .. } | Phase::Closed { .. });
    let settled = visit.told && visit.rectifications.is_empty() && visit.clocks.is_empty();
    let reported = visit.shares.keys().all(|unit| visit.results.contains_key(unit));
    prop_assert_eq!(matches!(visit.phase, Phase::Closed { .. }), over && settled);
    prop_assert!(!over || reported, "every unit reported");
    Ok(())
}

/// Checks the answer to a command by what the oracle saw until then.
fn check_answer(
    (oracle, policy): (&Oracle, &FrequencyPolicy),
    (before, after): (&Visits, &Visits),
    command: &Command,
    outcome: &Result<Vec<Event>, Rejection>,
) -> Result<(), TestCaseError> {
    match (command, outcome) {
        (Command::Plan(plan), Ok(_) | Err(Rejection::CapReached { .. }))
        | (Command::Plan(plan), Err(Rejection::JustificationMissing { .. }))
            if before.get(plan.visit).is_none() =>
        {
            let over = oracle.pushed_over(policy, &Place::of(plan), None);
            check_plan(&over, plan, outcome)?;
        }
        (Command::Merge { visit, into, .. }, found) => {
            let places = (oracle.places.get(visit), oracle.places.get(into));
            let ((Some(one), Some(other)), true) = (places, found != &Ok(vec![])) else {
                return Ok(());
            };
            let over = oracle.pushed_over(policy, &other.joined(one), Some(*visit));
            let plans = [*visit, *into].map(|id| before.get(id).unwrap().plan.clone());
            let justified = plans.iter().any(|plan| plan.justification.is_some());
            check_merge(&over, justified, outcome)?;
        }
        (_, Ok(events)) => {
            let came = events.iter().find_map(|event| {
                let Event::VisitCheckedIn { visit, check_in, .. } = event else {
                    return None;
                };
                Some((*visit, check_in))
            });
            if let Some((visit, check_in)) = came {
                let place = oracle.came(visit, check_in, &after.get(visit).unwrap().plan);
                let over = oracle.pushed_over(policy, &place, None);
                let let_pass = check_in.manner.is_late() || before.get(visit).is_none();
                check_arrival(&over, let_pass, events)?;
            }
        }
        (_, Err(_)) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_sequence_of_commands_overshoots_by_decision(
        policy in any_policy(), steps in any_steps(),
    ) {
        let world = world(policy.clone());
        let mut at = moment("2025-03-03T09:00+08:00");
        let mut state = Visits::default();
        let mut oracle = Oracle::default();
        for (nth, step) in (0..).zip(steps) {
            at += SignedDuration::from_hours(step.hours);
            oracle.today = day_in_shanghai(at);
            let known = state.get(visit(step.visit));
            let there = random::Place { at, today: day_in_shanghai(at), nth, known };
            let command = command(&step, &there);
            let context = world.then(at);
            let outcome = when(&state, &context, &command);
            if let Command::Plan(plan) = &command {
                let explained = state.explain(&context, plan).rejection;
                prop_assert_eq!(explained.as_ref(), outcome.as_ref().err());
            }
            let before = state.clone();
            for event in outcome.iter().flatten() {
                state = state.evolve(event);
            }
            check_answer((&oracle, &policy), (&before, &state), &command, &outcome)?;
            outcome.iter().flatten().for_each(|event| oracle.see(event));
            prop_assert_eq!(oracle.untold(&policy), vec![], "overshot, and nothing was raised");
            for known in state.all() {
                check_end(known)?;
                let held = known.entry().map(|entry| (entry.on, entry.held == Held::Used));
                let place = oracle.places.get(&known.plan.visit);
                let expected = place.map(|place| (place.on, place.came));
                prop_assert_eq!(held, expected, "places are conserved");
            }
        }
    }

    #[test]
    fn what_is_explained_is_what_is_decided(
        policy in any_policy(), plans in vec(any_plan(), 1..24), missing in 0..12_u8,
    ) {
        let mut world = world(policy);
        match missing {
            0 => world.profile = Profile::Unregistered,
            1 => world.frequency = None,
            2 => world.catalogues.clear(),
            _ => {}
        }
        let at = moment("2025-03-03T09:00+08:00");
        let mut state = Visits::default();
        for plan in plans {
            let context = world.then(at);
            let explained = state.explain(&context, &plan);
            let outcome = when(&state, &context, &Command::Plan(plan));
            prop_assert_eq!(explained.rejection.as_ref(), outcome.as_ref().err());
            if let Ok([Event::VisitPlanned { standings, .. }]) = outcome.as_deref() {
                let looked_at = explained.assessment.map(|assessment| assessment.standings);
                prop_assert_eq!(looked_at.as_ref(), Some(standings));
                prop_assert!(explained.verdict < Verdict::Refused);
            }
            for event in outcome.iter().flatten() {
                state = state.evolve(event);
            }
        }
    }
}
