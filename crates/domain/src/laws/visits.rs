//! No sequence of commands overshoots a limit by decision, and no place is lost or made up.
//!
//! The oracle reads events and counts for itself; it shares nothing with `frequency::standings`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use super::cases;
use crate::{
    CertificateNumber, CheckDigit, Decider, ItemId, RuleId, UnitId, VisitId,
    enterprise::{self, Profile},
    frequency::{FrequencyPolicy, Ground, Held, Rule, Subject, Window},
    kit::{World, area, day, given, moment, name, reference, unit, when},
    visits::{CancelReason, CheckIn, Command, Event, Plan, Rejection, Visits},
};

/// One command, and by how many hours the clock moves before it.
#[derive(Debug, Clone)]
struct Step {
    hours: i64,
    visit: u8,
    act: Act,
}

#[derive(Debug, Clone)]
enum Act {
    Plan { ground: Ground, days_ahead: i32 },
    Approve,
    CheckIn { officers: usize, hours_ago: i64, offline: bool },
    CheckOut,
    Cancel,
    Expire,
}

fn any_act() -> impl Strategy<Value = Act> {
    let ground = select(vec![Ground::Routine, Ground::Random, Ground::Complaint, Ground::Urgent]);
    let days_ahead = prop_oneof![3 => 0..5_i32, 1 => 0..400_i32];
    let hours_ago = prop_oneof![3 => Just(0_i64), 1 => 0..2000_i64];
    let officers = prop_oneof![9 => Just(2_usize), 1 => Just(1_usize)];
    prop_oneof![
        6 => (ground, days_ahead).prop_map(|(ground, days_ahead)| Act::Plan { ground, days_ahead }),
        3 => Just(Act::Approve),
        4 => (officers, hours_ago, any::<bool>()).prop_map(|(officers, hours_ago, offline)| {
            Act::CheckIn { officers, hours_ago, offline }
        }),
        1 => Just(Act::CheckOut),
        1 => Just(Act::Cancel),
        1 => Just(Act::Expire),
    ]
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let hours = prop_oneof![3 => Just(0_i64), 3 => 0..200_i64, 1 => 0..4000_i64];
    let step =
        (hours, 1..9_u8, any_act()).prop_map(|(hours, visit, act)| Step { hours, visit, act });
    vec(step, 1..60)
}

fn any_policy() -> impl Strategy<Value = FrequencyPolicy> {
    let subject = select(vec![Subject::SameUnit, Subject::AllUnits]);
    let exempt =
        select(vec![vec![], vec![Ground::Complaint], vec![Ground::Complaint, Ground::Urgent]]);
    let from = select(vec!["2019-01-01", "2025-03-10", "2025-04-01"]);
    let until = select(vec![None, Some("2025-05-15"), Some("2026-01-31")]);
    vec((subject, 1..4_u32, exempt, from, until), 1..4).prop_map(|rules| {
        let rule = |(n, (subject, maximum, exempt, from, until)): (
            usize,
            (_, _, Vec<_>, _, Option<_>),
        )| Rule {
            id: RuleId::parse(&format!("rule-{n}")).unwrap(),
            subject,
            window: Window::CalendarYear,
            maximum,
            exempt_grounds: exempt.into_iter().collect(),
            source: name("关于规范涉企行政检查的规定"),
            is_default: false,
            valid_from: day(from),
            valid_until: until.map(day),
        };
        FrequencyPolicy { rules: rules.into_iter().enumerate().map(rule).collect() }
    })
}

fn visit(n: u8) -> VisitId {
    VisitId(Uuid::from_u128(u128::from(n)))
}

/// Two units share eight visits.
fn unit_of(n: u8) -> UnitId {
    unit(if n.is_multiple_of(2) { "tax" } else { "market-regulation" })
}

fn officers(count: usize) -> BTreeSet<CertificateNumber> {
    (1..=count).map(|n| CertificateNumber::parse(&format!("2102-{n:04}")).unwrap()).collect()
}

fn command(step: &Step, at: Timestamp, today: Date) -> Command {
    let (visit, unit) = (visit(step.visit), unit_of(step.visit));
    match step.act {
        Act::Plan { ground, days_ahead } => Command::Plan(Plan {
            visit,
            unit,
            officers: officers(2),
            items: [ItemId::parse("SC-0101").unwrap()].into(),
            ground,
            evidence: Some(reference("12345-20250301-0077")),
            on: today.saturating_add(days_ahead.days()),
        }),
        Act::Approve => Command::Approve { visit, unit },
        Act::CheckIn { officers: count, hours_ago, offline } => {
            let occurred_at = at - SignedDuration::from_hours(hours_ago);
            let check_in = CheckIn { officers: officers(count), occurred_at, offline };
            Command::CheckIn { visit, unit, check_in }
        }
        Act::CheckOut => Command::CheckOut { visit, unit, occurred_at: at },
        Act::Cancel => Command::Cancel { visit, unit, reason: CancelReason::TaskWithdrawn },
        Act::Expire => Command::Expire { visit },
    }
}

/// The day in Shanghai, counted in seconds.
fn day_in_shanghai(at: Timestamp) -> Date {
    let days = (at.as_second() + 8 * 3600).div_euclid(24 * 3600);
    day("1970-01-01").saturating_add(days.days())
}

/// One count that may not pass a limit: a rule, a unit where it counts by unit, a year.
type Count = (RuleId, Option<UnitId>, i16);

/// What the events say, counted by hand.
#[derive(Debug, Default)]
struct Oracle {
    plans: BTreeMap<VisitId, Plan>,
    /// Every place held, the day that it counts on, and whether the officers have come.
    places: BTreeMap<VisitId, (Date, bool)>,
    raised: BTreeSet<Count>,
}

impl Oracle {
    fn see(&mut self, event: &Event) {
        match event {
            Event::VisitPlanned { plan, .. } => {
                self.plans.insert(plan.visit, plan.clone());
                self.places.insert(plan.visit, (plan.on, false));
            }
            Event::VisitCheckedIn { visit, check_in, .. } => {
                let came = day_in_shanghai(check_in.occurred_at);
                // A claim can move a visit to a later day, never to an earlier one.
                let planned = self.plans.get(visit).map_or(came, |plan| plan.on);
                let counts = if came < planned { planned } else { came };
                self.places.insert(*visit, (counts, true));
            }
            Event::VisitCancelled { visit, .. } | Event::VisitExpired { visit } => {
                assert!(self.places.remove(visit).is_some(), "a place is freed once");
            }
            Event::CapExceeded { visit, standing } => {
                assert!(standing.visits.contains(visit), "only what counts overshoots");
                let count = (standing.rule.clone(), standing.unit.clone(), standing.from.year());
                self.raised.insert(count);
            }
            Event::VisitApproved { .. }
            | Event::VisitCheckedOut { .. }
            | Event::ResultReported { .. } => {}
        }
    }

    fn counts_in(rule: &Rule, plan: &Plan, on: Date) -> Option<Count> {
        let applies = on >= rule.valid_from && rule.valid_until.is_none_or(|last| on <= last);
        let counts = applies && !rule.exempt_grounds.contains(&plan.ground);
        let unit = (rule.subject == Subject::SameUnit).then(|| plan.unit.clone());
        counts.then(|| (rule.id.clone(), unit, on.year()))
    }

    fn counts(&self, policy: &FrequencyPolicy) -> BTreeMap<Count, u32> {
        let mut counts = BTreeMap::new();
        for (visit, (on, _)) in &self.places {
            for rule in &policy.rules {
                if let Some(count) = Self::counts_in(rule, &self.plans[visit], *on) {
                    *counts.entry(count).or_default() += 1;
                }
            }
        }
        counts
    }

    /// The counts in which `plan` would take or has taken a place, with their limits.
    fn limits(&self, policy: &FrequencyPolicy, plan: &Plan) -> Vec<(u32, u32)> {
        let counts = self.counts(policy);
        let of = |rule: &Rule| {
            let count = Self::counts_in(rule, plan, plan.on)?;
            Some((counts.get(&count).copied().unwrap_or(0), rule.maximum))
        };
        policy.rules.iter().filter_map(of).collect()
    }
}

fn world(policy: FrequencyPolicy) -> World {
    let registered = enterprise::Event::EnterpriseRegistered {
        name: name("大连旅顺船舶配件有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
    };
    World { profile: given::<Profile>(&[registered]), frequency: Some(policy), ..World::default() }
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
        for step in steps {
            at += SignedDuration::from_hours(step.hours);
            let command = command(&step, at, day_in_shanghai(at));
            let outcome = when(&state, &world.then(at), &command);
            for event in outcome.iter().flatten() {
                oracle.see(event);
                state = state.evolve(event);
            }
            match (&command, &outcome) {
                (Command::Plan(plan), Ok(events)) if !events.is_empty() => {
                    let kept = oracle.limits(&policy, plan).iter().all(|(n, most)| n <= most);
                    prop_assert!(kept, "an accepted plan never overshoots");
                }
                (Command::Plan(plan), Err(Rejection::CapReached { exhausted })) => {
                    let limits = oracle.limits(&policy, plan);
                    let full = limits.iter().filter(|(n, most)| n >= most).count();
                    prop_assert_eq!(exhausted.len(), full, "refused only where no place is left");
                    prop_assert!(full > 0);
                }
                (Command::CheckIn { check_in, .. }, Ok(events)) => {
                    let in_order = events.len() <= 1 || check_in.offline;
                    prop_assert!(in_order, "a live scan never overshoots");
                }
                _ => {}
            }
            for (count, found) in oracle.counts(&policy) {
                let rule = policy.rules.iter().find(|rule| rule.id == count.0).unwrap();
                let told = found <= rule.maximum || oracle.raised.contains(&count);
                prop_assert!(told, "{:?} stands at {} and nothing was raised", count, found);
            }
            for n in 1..9 {
                let entry = state.get(visit(n)).and_then(crate::visits::Visit::entry);
                let held = entry.map(|entry| (entry.on, entry.held == Held::Used));
                let expected = oracle.places.get(&visit(n));
                prop_assert_eq!(held.as_ref(), expected, "places are conserved");
            }
        }
    }
}
