//! After the officers left: what was found, word to the enterprise, rectification, and the end.

use super::*;
use crate::{
    catalogue::Item,
    clock::{ClockId, ClockKind, Step},
    kit::{accepted, and, on_site},
};

/// The day after the one to rectify by.
const PAST: &str = "2025-04-11T00:00+08:00";

fn by_april() -> Outcome {
    Outcome::RectifyBy(day("2025-04-10"))
}

fn unmet(item_id: &str, outcome: Outcome, lines: &[u16]) -> ItemResult {
    ItemResult { unmet: lines.iter().copied().collect(), ..result(item_id, outcome) }
}

fn accept(item_id: &str) -> Command {
    Command::AcceptRectification { visit: visit(1), unit: plan(1).unit, item: item(item_id) }
}

fn rectify(document: &str) -> Command {
    let document = reference(document);
    Command::ReportRectification { visit: visit(1), item: item("SC-0205"), document }
}

fn overdue() -> Command {
    Command::MarkOverdue { visit: visit(1), unit: plan(1).unit, item: item("SC-0205") }
}

/// A visit of the same unit that looks at the findings of visit 1 again.
fn recheck() -> Plan {
    let (ground, on) = (Ground::RectificationRecheck, day("2025-03-20"));
    let evidence = Some(reference("责令改正〔2025〕5号"));
    let items = [item("SC-0205")].into();
    Plan { ground, on, evidence, items, recheck_of: Some(visit(1)), ..plan(2) }
}

/// Visit 1 as it is, and the recheck planned and carried out.
fn rechecked(first: &str) -> Visits {
    let scan = scan("2025-03-20T10:00+08:00", false);
    let then = [planned_as(recheck()), came(2, scan), left(2, "2025-03-20T11:00+08:00")];
    and(in_phase(first), &then)
}

fn report_recheck(outcome: Outcome) -> Command {
    let results = vec![result("SC-0205", outcome)];
    Command::ReportResult { visit: visit(2), unit: plan(2).unit, results }
}

#[test]
fn the_report_names_each_planned_item_once() {
    let pass = |text: &str| result(text, Outcome::Pass);
    let differ = |text: &str| Err(Rejection::ItemsDiffer { item: item(text) });
    for (results, expected) in [
        (vec![], differ("SC-0101")),
        (vec![pass("SC-0101")], differ("SC-0205")),
        (vec![pass("SC-0101"), pass("SC-0101")], differ("SC-0101")),
        (vec![pass("SC-0101"), pass("SC-0205"), pass("SC-0999")], differ("SC-0999")),
        (vec![pass("SC-0205"), pass("SC-0101")], Ok("ResultReported".to_owned())),
    ] {
        let command = report(results.clone());
        let found = when(&in_phase("checked out"), &once_a_year().at(DAY_AFTER), &command);
        assert_eq!(found.map(|events| names(&events)), expected, "{results:?}");
    }
}

#[test]
fn another_result_after_the_report_is_refused() {
    let pass = ["SC-0101", "SC-0205"].map(|id| result(id, Outcome::Pass));
    for phase in ["reported", "closed"] {
        let found = when(&in_phase(phase), &once_a_year().at(DAY_AFTER), &report(pass.to_vec()));
        assert_eq!(told(found), "needs checked out", "{phase}");
    }
}

#[test]
fn lines_that_were_not_met_are_those_of_the_items_checklist() {
    let checklist: Vec<_> = ["铭牌", "检定证书", "使用记录"].map(name).into();
    let mut world = once_a_year();
    world.catalogues[0].items[1] = Item { checklist, ..on_site("SC-0205", "market") };
    let state = accepted(Visits::default(), &world.at(MORNING), &Command::Plan(plan(1)));
    let gone = [came(1, scan(ON_THE_DAY, false)), left(1, "2025-03-10T11:30+08:00")];
    let state = and(state, &gone);
    let differs = |id: &str, lines| Some(Rejection::ChecklistDiffers { item: item(id), lines });
    let pass = || unmet("SC-0101", Outcome::Pass, &[]);
    for (first, second, expected) in [
        (pass(), unmet("SC-0205", by_april(), &[1, 3]), None),
        (pass(), unmet("SC-0205", Outcome::CorrectedOnTheSpot, &[2]), None),
        (pass(), unmet("SC-0205", Outcome::CaseFiled, &[]), None),
        (pass(), unmet("SC-0205", by_april(), &[0]), differs("SC-0205", 3)),
        (pass(), unmet("SC-0205", by_april(), &[4]), differs("SC-0205", 3)),
        (pass(), unmet("SC-0205", Outcome::Pass, &[1]), differs("SC-0205", 3)),
        (
            unmet("SC-0101", by_april(), &[1]),
            unmet("SC-0205", Outcome::Pass, &[]),
            differs("SC-0101", 0),
        ),
    ] {
        let command = report(vec![first, second.clone()]);
        let found = when(&state, &world.at(DAY_AFTER), &command);
        assert_eq!(found.err(), expected, "{second:?}");
    }
}

#[test]
fn a_day_to_rectify_by_lies_ahead() {
    let (from, until) = (day("2025-03-11"), day("2026-04-15"));
    for (text, fits) in
        [("2025-03-10", false), ("2025-03-11", true), ("2026-04-15", true), ("2026-04-16", false)]
    {
        let on = day(text);
        let results =
            vec![result("SC-0101", Outcome::RectifyBy(on)), result("SC-0205", Outcome::Pass)];
        let found = when(&in_phase("checked out"), &once_a_year().at(DAY_AFTER), &report(results));
        let expected = (!fits).then_some(Rejection::RectifyByOutOfRange { on, from, until });
        assert_eq!(found.err(), expected, "{text}");
    }
}

#[test]
fn the_enterprise_is_told_within_five_working_days() {
    let state = in_phase("reported");
    let clock = state.get(visit(1)).unwrap().clock(ClockKind::Tell).unwrap().clone();
    assert_eq!((clock.working_days, clock.due), (5, moment("2025-03-18T17:00+08:00")));
    let take = Command::TakeSteps { clock: ClockId(1) };
    let found = when(&state, &once_a_year().at("2025-03-18T17:00+08:00"), &take).unwrap();
    let [Event::ClockStepsTaken { steps, .. }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(*steps, [Step::Blue, Step::Yellow, Step::Red]);
    let state = accepted(and(state, &found), &once_a_year().at(PAST), &tell());
    let known = state.get(visit(1)).unwrap();
    assert!(known.told && known.clocks.is_empty());
    let again = when(&state, &once_a_year().at(PAST), &take);
    assert_eq!(again, Ok(vec![]), "a clock that stopped has nothing due");
}

#[test]
fn a_visit_is_closed_only_when_it_is_told_and_rectified() {
    let world = once_a_year();
    for (first, second) in [(tell(), accept("SC-0205")), (accept("SC-0205"), tell())] {
        let state = accepted(in_phase("reported"), &world.at(DAY_AFTER), &first);
        assert_eq!(state.get(visit(1)).unwrap().phase_name(), "reported");
        let found = when(&state, &world.at(DAY_AFTER), &second).unwrap();
        assert_eq!(found.last(), Some(&Event::VisitClosed { visit: visit(1) }), "{second:?}");
    }
    let pass = ["SC-0101", "SC-0205"].map(|id| result(id, Outcome::Pass));
    let fine = accepted(in_phase("checked out"), &world.at(DAY_AFTER), &report(pass.into()));
    assert_eq!(told(when(&fine, &world.at(DAY_AFTER), &tell())), "EnterpriseTold + VisitClosed");
}

#[test]
fn of_several_rectifications_the_last_closes_the_visit() {
    let world = once_a_year();
    let both = ["SC-0101", "SC-0205"].map(|id| result(id, by_april()));
    let mut state = accepted(in_phase("checked out"), &world.at(DAY_AFTER), &report(both.into()));
    for (command, expected) in [
        (tell(), "EnterpriseTold"),
        (accept("SC-0205"), "RectificationAccepted"),
        (accept("SC-0101"), "RectificationAccepted + VisitClosed"),
    ] {
        let found = when(&state, &world.at(DAY_AFTER), &command).unwrap();
        assert_eq!(names(&found), expected);
        state = and(state, &found);
    }
}

#[test]
fn a_recheck_that_finds_all_in_order_closes_the_first_visit() {
    let accepted_of_1 = Event::RectificationAccepted {
        visit: visit(1),
        unit: plan(1).unit,
        item: item("SC-0205"),
        recheck: Some(visit(2)),
    };
    let at = "2025-03-20T15:00+08:00";
    for outcome in [Outcome::Pass, Outcome::CorrectedOnTheSpot] {
        let state = accepted(rechecked("reported"), &once_a_year().at(at), &tell());
        let found = when(&state, &once_a_year().at(at), &report_recheck(outcome)).unwrap();
        let closed = Event::VisitClosed { visit: visit(1) };
        assert_eq!(found[1..], [accepted_of_1.clone(), closed]);
        assert_eq!(and(state, &found).get(visit(1)).unwrap().phase_name(), "closed");
    }
    let untold =
        when(&rechecked("reported"), &once_a_year().at(at), &report_recheck(Outcome::Pass));
    assert_eq!(told(untold), "ResultReported + RectificationAccepted", "not told yet");
    for outcome in [by_april(), Outcome::CaseFiled] {
        let found = when(&rechecked("reported"), &once_a_year().at(at), &report_recheck(outcome));
        assert_eq!(told(found), "ResultReported", "{outcome:?} is not in order");
    }
}

#[test]
fn a_recheck_looks_again_at_what_is_to_be_rectified() {
    let other_item = Plan { items: [item("SC-0101")].into(), ..recheck() };
    let other_unit = Plan { unit: unit("tax"), ..recheck() };
    let unknown = Plan { recheck_of: Some(visit(7)), ..recheck() };
    let world = World {
        // An exempt ground, so that no limit stands in the way.
        frequency: Some(policy_of(vec![])),
        ..once_a_year()
    };
    for (phase, plan, visit_named, founded) in [
        ("reported", recheck(), 1, true),
        ("reported", other_item, 1, false),
        ("reported", other_unit, 1, false),
        ("reported", unknown, 7, false),
        ("checked out", recheck(), 1, false),
        ("closed", recheck(), 1, false),
    ] {
        let found = when(&in_phase(phase), &world.at(DAY_AFTER), &Command::Plan(plan.clone()));
        let refused = Rejection::RecheckUnfounded { visit: visit(visit_named) };
        assert_eq!(found.err(), (!founded).then_some(refused), "{phase} {plan:?}");
    }
    // Nothing else goes along under its ground, and no other ground goes along with it.
    let more = Plan { items: ["SC-0101", "SC-0205"].map(item).into(), ..recheck() };
    let of_nothing = Plan { recheck_of: None, ..recheck() };
    let routine = Plan { ground: Ground::Routine, ..recheck() };
    for (plan, refused) in [
        (more, Rejection::RecheckUnfounded { visit: visit(1) }),
        (of_nothing, Rejection::RecheckMissing),
        (routine, Rejection::RecheckNotAllowed),
    ] {
        let found = when(&in_phase("reported"), &world.at(DAY_AFTER), &Command::Plan(plan));
        assert_eq!(found, Err(refused));
    }
}

#[test]
fn a_recheck_of_a_recheck_that_finds_all_in_order_settles_both() {
    let world = once_a_year();
    let at = "2025-03-21T15:00+08:00";
    let state = accepted(rechecked("reported"), &world.at(at), &report_recheck(by_april()));
    let third = Plan { recheck_of: Some(visit(2)), on: day("2025-04-14"), ..recheck() };
    let third = Plan { visit: visit(3), ..third };
    let scan = scan("2025-04-14T10:00+08:00", false);
    let then = [planned_as(third), came(3, scan), left(3, "2025-04-14T11:00+08:00")];
    let results = vec![result("SC-0205", Outcome::Pass)];
    let report = Command::ReportResult { visit: visit(3), unit: plan(1).unit, results };
    let found = when(&and(state, &then), &world.at("2025-04-14T15:00+08:00"), &report).unwrap();
    assert_eq!(names(&found), "ResultReported + RectificationAccepted + RectificationAccepted");
    let settled: Vec<VisitId> = found[1..].iter().map(Event::visit).collect();
    assert_eq!(settled, [visit(2), visit(1)]);
}

#[test]
fn that_the_day_went_by_is_raised_once() {
    let world = once_a_year();
    for (at, expected) in [("2025-04-10T23:59:59+08:00", "nothing"), (PAST, "RectificationOverdue")]
    {
        assert_eq!(told(when(&in_phase("reported"), &world.at(at), &overdue())), expected, "{at}");
    }
    let late = accepted(in_phase("reported"), &world.at(PAST), &overdue());
    let open = &late.get(visit(1)).unwrap().rectifications;
    assert!(open.values().all(|open| open.overdue));
    let later = when(&late, &world.at("2025-05-01T09:00+08:00"), &overdue());
    assert_eq!(later, Ok(vec![]));
    let done = accepted(in_phase("reported"), &world.at(DAY_AFTER), &accept("SC-0205"));
    assert_eq!(when(&done, &world.at(PAST), &overdue()), Ok(vec![]));
}

#[test]
fn the_enterprise_says_what_it_rectified_as_often_as_it_has_news() {
    let world = once_a_year();
    let state = accepted(in_phase("reported"), &world.at(DAY_AFTER), &rectify("整改报告一"));
    let news = when(&state, &world.at(DAY_AFTER), &rectify("整改报告二"));
    assert_eq!(told(news), "RectificationReported");
    let fine = Command::ReportRectification {
        visit: visit(1),
        item: item("SC-0101"),
        document: reference("整改报告一"),
    };
    let found = when(&state, &world.at(DAY_AFTER), &fine);
    assert_eq!(found, Err(Rejection::NothingToRectify { item: item("SC-0101") }));
}

#[test]
fn what_several_units_asked_for_is_rectified_for_each() {
    let world = once_a_year();
    let share = Share { officers: officers(2), items: [item("SC-0205")].into() };
    let joint = Plan { shares: [(unit("tax"), share)].into(), ..plan(1) };
    let gone = [came(1, scan(ON_THE_DAY, false)), left(1, "2025-03-10T11:30+08:00")];
    let state = and(given::<Visits>(&[planned_as(joint)]), &gone);
    let of_tax = Command::ReportResult {
        visit: visit(1),
        unit: unit("tax"),
        results: vec![result("SC-0205", by_april())],
    };
    let state = accepted(state, &world.at(DAY_AFTER), &report(found()));
    let state = accepted(state, &world.at(DAY_AFTER), &of_tax);
    let found = when(&state, &world.at(DAY_AFTER), &rectify("整改报告一")).unwrap();
    assert_eq!(names(&found), "RectificationReported + RectificationReported");
    let state = accepted(and(state, &found), &world.at(DAY_AFTER), &tell());
    let found = when(&state, &world.at(DAY_AFTER), &accept("SC-0205"));
    assert_eq!(told(found), "RectificationAccepted", "the other unit is not satisfied yet");
}
