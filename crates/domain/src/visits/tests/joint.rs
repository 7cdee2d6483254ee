//! Joint visits (综合查一次): planned together, merged, left by one of the units.

use super::*;
use crate::{
    agenda::{Change, Process},
    catalogue::{Catalogue, Qualification},
    clock::{ClockKind, Owner},
    frequency::{Joint, Key, OnExceeding, Window},
    kit::{accepted, and},
};

fn share(officers: [usize; 2], items: &[&str]) -> Share {
    Share {
        officers: officers.map(certificate).into(),
        items: items.iter().map(|id| item(id)).collect(),
    }
}

/// The market regulator on one item, and with it the tax bureau on the other.
fn together(n: u8) -> Plan {
    let shares = [(unit("tax"), share([3, 4], &["SC-0205"]))].into();
    Plan { items: [item("SC-0101")].into(), shares, ..plan(n) }
}

fn approve(n: u8, by: &str) -> Command {
    Command::Approve { visit: visit(n), unit: unit(by) }
}

fn cancel(by: &str) -> Command {
    let reason = CancelReason::OfficersUnavailable;
    Command::Cancel { visit: visit(1), unit: unit(by), reason }
}

/// Visit 2, the tax bureau's, becomes part of visit 1.
fn merge() -> Command {
    Command::Merge { visit: visit(2), into: visit(1), unit: unit("tax") }
}

fn on(day_text: &str, plan: Plan) -> Plan {
    Plan { on: day(day_text), ..plan }
}

/// A world in which the catalogue of the tax bureau is otherwise.
fn with_tax(change: impl FnOnce(&mut Catalogue)) -> World {
    let mut world = once_a_year();
    change(&mut world.catalogues[1]);
    world
}

fn merged(world: &World, first: Plan, second: Plan) -> Result<Vec<Event>, Rejection> {
    let state: Visits = given(&[planned_as(first), planned_as(second)]);
    when(&state, &world.at(MORNING), &merge())
}

#[test]
fn the_head_of_every_unit_approves_before_a_visit_is_approved() {
    let world = once_a_year();
    for order in [["market-regulation", "tax"], ["tax", "market-regulation"]] {
        let mut state: Visits = given(&[planned_as(together(1))]);
        for (by, phase) in order.into_iter().zip(["planned", "approved"]) {
            state = accepted(state, &world.at(MORNING), &approve(1, by));
            assert_eq!(state.get(visit(1)).unwrap().phase_name(), phase);
        }
    }
    let one: Visits = given(&[planned_as(together(1)), approved_by(visit(1))]);
    let live = when(&one, &world.at(ON_THE_DAY), &check_in(1, scan(ON_THE_DAY, false)));
    assert_eq!(told(live), "needs approved");
}

#[test]
fn a_unit_that_withdraws_leaves_the_rest_standing() {
    let world = once_a_year();
    let state: Visits = given(&[planned_as(together(1)), approved_by(visit(1))]);
    let found = when(&state, &world.at(MORNING), &cancel("tax")).unwrap();
    assert_eq!(names(&found), "UnitWithdrew");
    let state = and(state, &found);
    let known = state.get(visit(1)).unwrap();
    assert_eq!(known.phase_name(), "approved", "whoever is left has approved");
    let entry = known.entry().unwrap();
    assert_eq!((entry.parties.len(), known.items()), (1, [item("SC-0101")].into()));
    assert_eq!(entry.officers, officers(2));
    let owner = unit("market-regulation");
    let late = when(&state, &world.at(MORNING), &approve(1, "tax"));
    assert_eq!(late, Err(Rejection::OtherUnit { owner }));
    let found = when(&state, &world.at(MORNING), &cancel("market-regulation"));
    assert_eq!(told(found), "VisitCancelled", "the lead calls the whole visit off");
}

#[test]
fn each_unit_reports_its_own_items_and_the_time_to_tell_begins_with_the_last() {
    let world = once_a_year();
    let came = CheckIn { officers: (1..5).map(certificate).collect(), ..scan(ON_THE_DAY, false) };
    let there = [planned_as(together(1)), super::came(1, came), left(1, "2025-03-10T11:30+08:00")];
    let state: Visits = given(&there);
    let of = |by: &str, id: &str| Command::ReportResult {
        visit: visit(1),
        unit: unit(by),
        results: vec![result(id, Outcome::Pass)],
    };
    let context = world.at(DAY_AFTER);
    let differs = when(&state, &context, &of("tax", "SC-0101"));
    assert_eq!(differs, Err(Rejection::ItemsDiffer { item: item("SC-0101") }));
    let state = accepted(state, &context, &of("tax", "SC-0205"));
    let known = state.get(visit(1)).unwrap();
    assert_eq!((known.phase_name(), known.clock(ClockKind::Tell)), ("checked out", None));
    assert_eq!(known.entry().unwrap().finding, None, "not everything is known");
    let state = accepted(state, &context, &of("market-regulation", "SC-0101"));
    let known = state.get(visit(1)).unwrap();
    assert_eq!(known.phase_name(), "reported");
    let owner = &known.clock(ClockKind::Tell).unwrap().owner;
    assert_eq!(*owner, crate::clock::Owner::Unit(unit("market-regulation")));
}

#[test]
fn a_joint_visit_counts_once_or_once_per_unit() {
    let others = [(unit("urban-management"), share([7, 8], &["SC-0205"]))].into();
    let next =
        Plan { shares: others, officers: [5, 6].map(certificate).into(), ..by("justice", 2) };
    for (joint, used, fits) in [(Joint::Once, 1, true), (Joint::OncePerUnit, 2, false)] {
        let world = world(vec![Rule { joint, ..rule("all", Subject::AllUnits, 3) }]);
        let state: Visits = given(&[planned_as(together(1))]);
        let explained = state.explain(&world.at(MORNING), &next);
        assert_eq!(explained.assessment.unwrap().standings[0].reserved, used, "{joint:?}");
        let found = when(&state, &world.at(MORNING), &Command::Plan(next.clone()));
        assert_eq!(found.is_ok(), fits, "{joint:?}");
    }
}

#[test]
fn a_merge_frees_the_place_of_the_visit_that_is_given_up() {
    let world =
        world(vec![rule("all", Subject::AllUnits, 2), rule("same-unit", Subject::SameUnit, 1)]);
    let state: Visits = given(&[planned(1), planned_as(by("tax", 2))]);
    let third = || Command::Plan(by("justice", 3));
    assert!(when(&state, &world.at(MORNING), &third()).is_err());
    let state = accepted(state, &world.at(MORNING), &merge());
    assert_eq!(state.get(visit(2)).unwrap().phase, Phase::Merged { into: visit(1) });
    assert!(when(&state, &world.at(MORNING), &third()).is_ok());
    // Whoever gave its own visit up has its visit all the same.
    let again = when(&state, &world.at(MORNING), &Command::Plan(by("tax", 4)));
    let Err(Rejection::CapReached { exhausted }) = again else {
        panic!("{again:?}");
    };
    assert_eq!(exhausted[0].key, Key::Unit(unit("tax")));
    assert_eq!(exhausted[0].visits, [visit(1)]);
}

#[test]
fn what_a_unit_brings_goes_with_it_into_a_merge() {
    let world = with_tax(|tax| tax.items[1].checklist = vec![name("发票与账目相符")]);
    let found = merged(&world, together_without_tax(), by("tax", 2)).unwrap();
    let [Event::VisitsMerged { party, share, fields, lines, approved, .. }] = found.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!(*party, Party { unit: unit("tax"), level: Some(Level::City) });
    assert_eq!(*share, Share { officers: officers(2), items: plan(2).items });
    assert_eq!((fields.len(), approved), (2, &false));
    assert_eq!(*lines, [(item("SC-0205"), 1)].into());
}

fn together_without_tax() -> Plan {
    Plan { shares: [].into(), ..together(1) }
}

#[test]
fn a_merge_keeps_an_approval() {
    let world = once_a_year();
    let both = || vec![planned(1), approved_by(visit(1)), planned_as(by("tax", 2))];
    let state = accepted(given::<Visits>(&both()), &world.at(MORNING), &merge());
    assert_eq!(state.get(visit(1)).unwrap().phase_name(), "planned", "one head has not approved");
    let state = accepted(state, &world.at(MORNING), &approve(1, "tax"));
    assert_eq!(state.get(visit(1)).unwrap().phase_name(), "approved");
    let state = accepted(given::<Visits>(&both()), &world.at(MORNING), &approve(2, "tax"));
    let state = accepted(state, &world.at(MORNING), &merge());
    assert_eq!(state.get(visit(1)).unwrap().phase_name(), "approved");
}

#[test]
fn a_merge_is_refused_where_a_limit_would_be_passed() {
    let a_day = |on_exceeding| Rule {
        window: Window::Day,
        joint: Joint::OncePerUnit,
        on_exceeding,
        ..rule("a-day", Subject::AllUnits, 1)
    };
    let second = || on("2025-03-12", by("tax", 2));
    let refused = merged(&world(vec![a_day(OnExceeding::Refuse)]), plan(1), second());
    let Err(Rejection::CapReached { exhausted }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((exhausted[0].weight, exhausted[0].reserved), (2, 0), "without both of them");
    let world = world(vec![a_day(OnExceeding::NeedsApproval)]);
    let missing = merged(&world, plan(1), second());
    assert!(matches!(missing, Err(Rejection::JustificationMissing { .. })), "{missing:?}");
    let why = || Some(reference("大政办批〔2025〕7号"));
    let one = Plan { justification: why(), ..plan(1) };
    let other = Plan { justification: why(), ..second() };
    for (first, second) in [(one, second()), (plan(1), other)] {
        assert_eq!(told(merged(&world, first, second)), "VisitsMerged");
    }
}

#[test]
fn a_merge_is_refused_where_the_visits_lie_too_far_apart() {
    let not_mergeable = || Err(Rejection::NotMergeable { into: visit(1) });
    for (day_text, expected) in [
        ("2025-02-23", Ok(())),
        ("2025-03-25", Ok(())),
        ("2025-02-22", not_mergeable()),
        ("2025-03-26", not_mergeable()),
    ] {
        let found = merged(&once_a_year(), plan(1), on(day_text, by("tax", 2)));
        assert_eq!(found.map(|_| ()), expected, "{day_text}");
    }
    let mut wide = once_a_year();
    wide.frequency.as_mut().unwrap().visits.near_days = 16;
    assert!(merged(&wide, plan(1), on("2025-03-26", by("tax", 2))).is_ok(), "as the terms have it");
}

#[test]
fn a_merge_is_refused_where_the_unit_takes_part_already_or_brings_others() {
    let not_mergeable = Err(Rejection::NotMergeable { into: visit(1) });
    assert_eq!(merged(&once_a_year(), together(1), by("tax", 2)), not_mergeable);
    let others = [(unit("justice"), share([5, 6], &["SC-0205"]))].into();
    let with_others = Plan { shares: others, ..by("tax", 2) };
    assert_eq!(merged(&once_a_year(), plan(1), with_others), not_mergeable);
    let itself = Command::Merge { visit: visit(1), into: visit(1), unit: plan(1).unit };
    let found = when(&in_phase("planned"), &once_a_year().at(MORNING), &itself);
    assert_eq!(found, not_mergeable);
}

#[test]
fn a_merge_is_refused_unless_both_visits_are_ahead() {
    let world = once_a_year();
    for phase in ["checked in", "reported", "closed", "cancelled", "expired", "refused"] {
        let second = [planned_as(by("tax", 2))];
        let found = when(&and(in_phase(phase), &second), &world.at(DAY_AFTER), &merge());
        assert_eq!(told(found), "needs planned or approved", "into one that is {phase}");
    }
    let unknown = when(&given::<Visits>(&[planned_as(by("tax", 2))]), &world.at(MORNING), &merge());
    assert_eq!(unknown, Err(Rejection::VisitUnknown(visit(1))));
}

#[test]
fn a_merge_is_refused_where_the_catalogue_forbids_the_day() {
    let second = || on("2025-03-12", by("tax", 2));
    let late = with_tax(|tax| tax.officers[0].valid_from = day("2025-03-11"));
    let expected = Rejection::OfficerInvalid { certificate: certificate(1) };
    assert_eq!(merged(&late, plan(1), second()), Err(expected));
    let withdrawn = with_tax(|tax| tax.items.truncate(1));
    let expected = Rejection::ItemUnpublished { item: item("SC-0205") };
    assert_eq!(merged(&withdrawn, plan(1), second()), Err(expected));
}

#[test]
fn what_counts_on_its_own_does_not_go_free_under_the_ground_of_another() {
    let evidence = || Some(reference("12345-20250301-0077"));
    let complaint = Plan { ground: Ground::Complaint, evidence: evidence(), ..plan(1) };
    let found = merged(&once_a_year(), complaint, by("tax", 2));
    assert_eq!(found, Err(Rejection::NotMergeable { into: visit(1) }));
    let complaint = Plan { ground: Ground::Complaint, evidence: evidence(), ..by("tax", 2) };
    let found = merged(&once_a_year(), plan(1), complaint);
    assert_eq!(told(found), "VisitsMerged", "what is free counts from now on");
}

#[test]
fn what_only_a_trigger_opens_is_not_brought_into_a_visit_without_one() {
    let triggered = with_tax(|tax| tax.items.iter_mut().for_each(|item| item.trigger_only = true));
    let evidence = Some(reference("12345-20250301-0077"));
    let complaint = Plan { ground: Ground::Complaint, evidence, ..by("tax", 2) };
    let found = merged(&triggered, plan(1), complaint);
    assert!(matches!(found, Err(Rejection::TriggerOnly { .. })), "{found:?}");
}

#[test]
fn items_and_officers_are_those_of_each_units_own_catalogue() {
    let of_tax = |share| Plan { shares: [(unit("tax"), share)].into(), ..plan(1) };
    let fine = || share([3, 4], &["SC-0205"]);
    let unqualified = with_tax(|tax| {
        let (by, until) = (unit("justice"), day("2025-03-09"));
        tax.qualification = Qualification::Entrusted { by, until };
    });
    let fire = Plan { shares: [(unit("fire"), fine())].into(), ..plan(1) };
    let lone = Share { officers: officers(1), ..fine() };
    let foreign = share([3, 77], &["SC-0205"]);
    // The first item is in the catalogue of the lead alone.
    let narrow = with_tax(|tax| drop(tax.items.remove(0)));
    for (world, plan, expected) in [
        (once_a_year(), fire, Rejection::CatalogueUnpublished { unit: unit("fire") }),
        (once_a_year(), of_tax(lone), Rejection::TooFewOfficers { found: 1 }),
        (once_a_year(), of_tax(share([3, 4], &[])), Rejection::NoItems),
        (
            once_a_year(),
            of_tax(foreign),
            Rejection::OfficerInvalid { certificate: certificate(77) },
        ),
        (
            narrow,
            of_tax(share([3, 4], &["SC-0101"])),
            Rejection::ItemUnpublished { item: item("SC-0101") },
        ),
        (
            unqualified,
            of_tax(fine()),
            Rejection::UnitUnqualified { unit: unit("tax"), on: plan(1).on },
        ),
    ] {
        let found = when(&Visits::default(), &world.at(MORNING), &Command::Plan(plan));
        assert_eq!(found, Err(expected));
    }
}

#[test]
fn officers_of_a_unit_whose_catalogue_is_not_at_hand_are_those_planned() {
    let mut world = once_a_year();
    world.catalogues.retain(|catalogue| catalogue.unit == unit("tax"));
    world.catalogues[0].officers.retain(|officer| officer.certificate >= certificate(3));
    let approvals = [approved_by(visit(1))];
    let of_tax = Event::VisitApproved { visit: visit(1), unit: Some(unit("tax")) };
    let state: Visits = given(&[planned_as(together(1))]);
    let state = and(and(state, &approvals), &[of_tax]);
    let came = |ns: &[usize]| Command::CheckIn {
        visit: visit(1),
        unit: unit("tax"),
        check_in: CheckIn {
            officers: ns.iter().map(|n| certificate(*n)).collect(),
            ..scan(ON_THE_DAY, false)
        },
        improvised: None,
    };
    let context = world.at(ON_THE_DAY);
    assert_eq!(told(when(&state, &context, &came(&[1, 2, 3, 4]))), "VisitCheckedIn");
    let stranger = when(&state, &context, &came(&[1, 2, 3, 77]));
    assert_eq!(stranger, Err(Rejection::OfficerInvalid { certificate: certificate(77) }));
}

#[test]
fn near_visits_of_other_units_are_told_beforehand() {
    let far = on("2025-03-26", by("justice", 3));
    let own = on("2025-03-11", plan(4));
    let events = [by("tax", 2), far, own].map(planned_as);
    let state: Visits = given(&events);
    let explained = state.explain(&once_a_year().at(MORNING), &plan(1));
    assert_eq!(explained.near, [Near { on: plan(2).on, visit: visit(2), unit: unit("tax") }]);
    let gone = and(state, &[Event::VisitExpired { visit: visit(2) }]);
    assert_eq!(gone.explain(&once_a_year().at(MORNING), &plan(1)).near, []);
}

#[test]
fn a_unit_that_did_not_come_withdraws_and_the_enterprise_is_told_all_the_same() {
    let world = once_a_year();
    let planned = planned_as(together(1));
    let came_in = came(1, scan(ON_THE_DAY, false));
    let there: Visits = given(&[planned, approved_by(visit(1)), came_in]);
    let clock = there.clock(&world.at(ON_THE_DAY), ClockKind::Approval, &unit("tax"), 0);
    let there = and(there, &[Event::ApprovalOwed { visit: visit(1), clock }]);
    let lead = when(&there, &world.at(DAY_AFTER), &cancel("market-regulation"));
    assert_eq!(told(lead), "needs planned or approved");
    let found = when(&there, &world.at(DAY_AFTER), &cancel("tax")).unwrap();
    let [Event::UnitWithdrew { tell: None, .. }] = &found[..] else { panic!("{found:?}") };

    let gone = and(there, &[left(1, "2025-03-10T11:30+08:00")]);
    let results = vec![result("SC-0101", Outcome::Pass)];
    let own = plan(1).unit;
    let report = Command::ReportResult { visit: visit(1), unit: own.clone(), results };
    let reported = accepted(gone, &world.at(DAY_AFTER), &report);
    assert_eq!(reported.get(visit(1)).unwrap().phase_name(), "checked out", "one is missing");
    let found = when(&reported, &world.at(DAY_AFTER), &cancel("tax")).unwrap();
    let [Event::UnitWithdrew { tell: Some(clock), .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((clock.kind, clock.owner.clone()), (ClockKind::Tell, Owner::Unit(own)));
    let agenda = Process::agenda(&found[0]);
    let [Change::Drop(_), Change::Put(_)] = &agenda[..] else { panic!("{agenda:?}") };
    let known = and(reported.clone(), &found);
    let seen = known.get(visit(1)).unwrap();
    assert_eq!((seen.phase_name(), seen.clocks.len()), ("reported", 1), "no approval is owed");

    let results = vec![result("SC-0205", Outcome::Pass)];
    let report = Command::ReportResult { visit: visit(1), unit: unit("tax"), results };
    let both = accepted(reported, &world.at(DAY_AFTER), &report);
    let after = when(&both, &world.at(DAY_AFTER), &cancel("tax"));
    assert_eq!(told(after), "needs planned or approved", "who reported was there");
}
