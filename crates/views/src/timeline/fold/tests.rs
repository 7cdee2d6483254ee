//! Who is in charge of an entry, and who must not see it.

use doudi_domain::{appeal::Command, frequency::Ground, visits::Plan};
use proptest::prelude::*;

use super::*;
use crate::kit::{
    Life, appeal_id, area, enterprise,
    inspections::{self, Inspections, limits, plan, scan, visit},
    moves, note, sealed, submission, unit,
};

#[test]
fn an_entry_names_the_unit_that_had_the_appeal_then() {
    let mut life = Life::new(appeal_id(1), submission());
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::Contest {
            unit: unit("power"),
            reason: sealed("reason"),
            proposed: Some(unit("tax")),
        },
        Command::Rule { to: Some(unit("tax")) },
        Command::SignFor { unit: unit("tax") },
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    let mut known = Known::default();
    let entries = known.fold(&life.log);
    let units: Vec<Option<&str>> =
        entries.iter().map(|entry| entry.charge.unit.as_ref().map(|unit| unit.as_str())).collect();
    let power = Some("power");
    assert_eq!(units, [None, None, power, power, Some("tax"), Some("tax")]);
    assert!(entries.iter().all(|entry| entry.charge.area == Some(area())));
    let subject = &known.subjects[&(appeal_id(1).0, enterprise())];
    assert_eq!(subject.level, submission().confidentiality);
    assert!(subject.co_units.is_empty(), "a ruling names no co-units");
}

#[test]
fn internal_notes_are_not_for_the_enterprise() {
    let mut life = Life::new(appeal_id(1), submission());
    assert!(life.tell(&Command::AddNote(note(2))));
    assert!(life.tell(&Command::AddNote(note(1))));
    let mut known = Known::default();
    let internal: Vec<bool> =
        known.fold(&life.log).into_iter().map(|entry| entry.internal).collect();
    assert_eq!(internal, [false, true, false]);
}

/// In handling by `power`, with a task of `tax`.
fn with_a_task() -> Life {
    let mut life = Life::new(appeal_id(1), submission());
    let power = || unit("power");
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::SignFor { unit: power() },
        Command::RequestCoHandling { unit: power(), of: unit("tax"), ask: sealed("ask") },
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    life
}

#[test]
fn what_moves_only_clocks_that_units_owe_each_other_is_not_for_the_enterprise() {
    let mut life = with_a_task();
    life.later(24 * 6);
    let mut known = Known::default();
    let entries = known.fold(&life.log);
    let steps = entries.iter().filter(|entry| entry.event_type == "ClockStepsTaken");
    let of_task = |entry: &&NewEntry<'_>| entry.details.get().contains("co_handling");
    let (among_units, others): (Vec<_>, Vec<_>) = steps.partition(of_task);
    assert!(!among_units.is_empty() && !others.is_empty());
    assert!(among_units.iter().all(|entry| entry.internal));
    assert!(others.iter().all(|entry| !entry.internal));
}

#[test]
fn a_unit_that_is_asked_takes_part_in_the_appeal() {
    let mut known = Known::default();
    known.fold(&with_a_task().log);
    let subject = &known.subjects[&(appeal_id(1).0, enterprise())];
    assert_eq!(subject.beside(), [unit("water"), unit("tax")]);
}

/// Each entry with whether the enterprise does not see it.
fn told(life: &Inspections) -> Vec<(&'static str, bool)> {
    let mut known = Known::default();
    let entries = known.fold(&life.log).into_iter();
    let visits = entries.filter(|entry| entry.kind == Kind::Visit);
    visits.map(|entry| (entry.event_type, entry.internal)).collect()
}

#[test]
fn an_enterprise_learns_of_a_visit_when_it_is_told_or_sees_the_officers() {
    let mut life = Inspections::new(limits(0));
    let (tax, market) = (unit("tax"), unit("market"));
    let (first, second) = (visit(1), visit(2));
    assert!(life.tell(&visits::Command::Plan(plan(1, "tax", "2025-03-04"))));
    assert!(life.tell(&visits::Command::Plan(plan(2, "market", "2025-03-04"))));
    let merge = visits::Command::Merge { visit: second, into: first, unit: market.clone() };
    assert!(life.tell(&merge));
    for unit in [&tax, &market] {
        assert!(life.tell(&visits::Command::Approve { visit: first, unit: unit.clone() }));
    }
    assert!(told(&life).iter().all(|(_, internal)| *internal), "{:?}", told(&life));
    assert!(life.tell(&visits::Command::Notify { visit: first, unit: tax.clone() }));
    let reason = visits::CancelReason::OfficersUnavailable;
    let unit = market;
    assert!(life.tell(&visits::Command::Cancel { visit: first, unit, reason }));
    let seen = |told: Vec<(&'static str, bool)>| {
        let seen = told.into_iter().filter(|(_, internal)| !internal);
        seen.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(seen(told(&life)), ["VisitNotified", "UnitWithdrew"]);
    // What the supervision body is told stays internal, and so does what a unit owes its head.
    let mut life = Inspections::new(limits(0));
    let urgent = Plan { ground: Ground::Urgent, ..plan(3, "tax", "2025-03-03") };
    let check_in = scan(urgent.officers.clone(), "2025-03-03T01:00Z".parse().unwrap(), 1);
    let (visit, unit) = (urgent.visit, tax);
    let improvised = Some(urgent);
    assert!(life.tell(&visits::Command::CheckIn { visit, unit, check_in, improvised }));
    life.later(24 * 9);
    let all: Vec<_> = told(&life).into_iter().map(|(name, _)| name).collect();
    let steps = all.iter().filter(|name| **name == "ClockStepsTaken").count();
    assert!(steps > 0 && all.contains(&"ApprovalOwed"), "{all:?}");
    assert_eq!(seen(told(&life)), ["VisitCheckedIn"]);
}

#[test]
fn who_joins_a_visit_takes_part_in_it_and_who_withdraws_does_not() {
    let mut life = Inspections::new(limits(0));
    let (tax, market, first, second) = (unit("tax"), unit("market"), visit(1), visit(2));
    let both = |life: &Inspections| {
        let mut known = Known::default();
        known.fold(&life.log);
        [first, second].map(|id| known.subjects[&(id.0, enterprise())].beside())
    };
    assert!(life.tell(&visits::Command::Plan(plan(1, "tax", "2025-03-04"))));
    assert!(life.tell(&visits::Command::Plan(plan(2, "market", "2025-03-04"))));
    assert_eq!(both(&life), [vec![], vec![]]);
    let unit = market.clone();
    assert!(life.tell(&visits::Command::Merge { visit: second, into: first, unit }));
    assert_eq!(both(&life), [vec![market.clone()], vec![tax.clone()]]);
    let reason = visits::CancelReason::OfficersUnavailable;
    assert!(life.tell(&visits::Command::Cancel { visit: first, unit: market, reason }));
    assert_eq!(both(&life), [vec![], vec![tax]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_life_of_an_appeal_is_one_timeline_without_anything_sealed(moves in moves()) {
        let life = Life::random(&moves);
        let mut known = Known::default();
        let entries = known.fold(&life.log);
        for entry in &entries {
            prop_assert_eq!(entry.subject, Some(appeal_id(1).0));
            prop_assert_eq!(entry.charge.area.as_ref(), Some(&area()));
            prop_assert!(!entry.details.get().contains("ciphertext"), "{}", entry.details);
            prop_assert!(!entry.details.get().contains("derivation"), "{}", entry.details);
        }
        for entry in entries.iter().filter(|entry| !entry.internal) {
            let own = details::for_enterprise(entry.details.get());
            let own = own.as_deref().unwrap_or(entry.details.get());
            prop_assert!(!own.contains("co_handling"), "{}: {own}", entry.event_type);
        }
        let of_diagnosis = |entry: &&NewEntry<'_>| entry.details.get().contains("\"diagnosis\":");
        for entry in entries.iter().filter(|entry| entry.event_type == "OpinionGiven") {
            prop_assert!(of_diagnosis(&entry) && entry.internal && entry.charge.unit.is_some());
        }
    }

    /// In batches of any size an enterprise sees of a visit only what comes after it knows of it, and of
    /// every visit that took place the check-in.
    #[test]
    fn no_timeline_warns_of_a_visit(moves in inspections::moves(), batch in 1..20_usize) {
        let life = Inspections::random(&moves);
        let mut known = Known::default();
        let mut open = HashSet::new();
        for facts in life.log.chunks(batch) {
            for entry in known.fold(facts) {
                let opens = ["VisitNotified", "VisitCheckedIn", "VisitRefused", "OffSiteCheckRecorded"];
                if opens.contains(&entry.event_type) {
                    prop_assert!(!entry.internal);
                    open.insert(entry.subject);
                }
                if entry.kind == Kind::Visit && !entry.internal {
                    prop_assert!(open.contains(&entry.subject), "{}", entry.event_type);
                }
                prop_assert!(!entry.details.get().contains("derivation"), "{}", entry.details);
            }
        }
        for visit in life.visits.all().filter(|visit| visit.notified || visit.arrival.is_some()) {
            prop_assert!(open.contains(&Some(visit.plan.visit.0)));
        }
    }
}
