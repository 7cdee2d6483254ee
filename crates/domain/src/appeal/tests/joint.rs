//! The joint diagnosis (联合问诊) as the appeal knows it.

use super::*;
use crate::agenda::{Change, Duty, Process};

fn convened() -> Life {
    Life::guaranteed().then(convene("justice", &["tax", "power-supply"], 2))
}

#[test]
fn only_the_guarantee_unit_convenes_one_at_a_time() {
    let early = convene("power-supply", &["tax"], 1);
    assert_eq!(Life::in_handling().refuses(&early), Rejection::NotGuaranteed);
    let life = Life::guaranteed();
    let refused = life.refuses(&convene("tax", &["tax"], 1));
    assert_eq!(refused, Rejection::OtherUnit { owner: unit("justice") });
    for (units, quorum) in [(&[][..], 1), (&["tax"], 0), (&["tax"], 2), (&["tax", "tax"], 1)] {
        let refused = life.refuses(&convene("justice", units, quorum));
        assert_eq!(refused, Rejection::DiagnosisUnsound, "{units:?} {quorum}");
    }
    let refused = life.refuses(&convene("justice", &["nobody"], 1));
    assert_eq!(refused, Rejection::UnitUnknown(unit("nobody")));
    let before = life.case().clocks.clone();
    let life = life.then(convene("justice", &["tax"], 1));
    assert_eq!(life.case().clocks, before, "its own clocks are the diagnosis's");
    let other = Command::Convene {
        unit: unit("justice"),
        diagnosis: diagnosis(2),
        units: vec![unit("tax")],
        quorum: 1,
        question: text(),
    };
    assert_eq!(life.refuses(&other), Rejection::DiagnosisOpen);
    let life = life.then(Command::MarkDiagnosisOpened { diagnosis: diagnosis(1) });
    assert_eq!(life.then(conclusion(&["tax"])).tries(&other), "DiagnosisConvened");
}

#[test]
fn orders_bind_the_resolution() {
    let life = convened().then(conclusion(&["tax", "gas", "justice"]));
    let orders: Vec<_> = life.case().tasks.iter().map(|(id, task)| (id.0, &task.unit)).collect();
    let owed = orders.iter().map(|(id, unit)| (*id, unit.as_str())).collect::<Vec<_>>();
    assert_eq!(life.refuses(&resolve("justice")), Rejection::OrdersOpen { open: 2 });
    let clocks = life.case().clocks.values().filter(|clock| clock.kind == ClockKind::CoHandling);
    assert_eq!(clocks.filter(|clock| clock.working_days == 3).count(), 3);
    let (tax, gas) = (owed[0].0, owed[1].0);
    assert_eq!([owed[0].1, owed[1].1], ["tax", "gas"]);
    let life = life.then(answer("tax", tax));
    assert_eq!(life.refuses(&resolve("justice")), Rejection::OrdersOpen { open: 1 });
    let life = life.then(answer("gas", gas));
    assert_eq!(life.then(resolve("justice")).phase(), PhaseName::Resolved);
}

#[test]
fn an_order_to_a_unit_that_is_gone_goes_to_who_stands_in() {
    let mut life = convened();
    life.abolish("gas", Some("water-supply"));
    life.abolish("telecom", None);
    let life = life.then(conclusion(&["gas", "telecom"]));
    let units: Vec<_> = life.case().tasks.values().map(|task| task.unit.as_str()).collect();
    assert_eq!(units, ["water-supply", "justice"], "the guarantee unit answers for the rest");
    let id = *life.case().tasks.keys().next().unwrap();
    let life = life.then(answer("water-supply", id.0));
    assert_eq!(life.then(resolve("justice")).phase(), PhaseName::Resolved);
}

#[test]
fn nothing_is_resolved_while_a_joint_diagnosis_is_under_way() {
    let life = convened();
    assert_eq!(life.refuses(&resolve("justice")), Rejection::DiagnosisOpen);
    let life = life.then(Command::MarkDiagnosisOpened { diagnosis: diagnosis(1) });
    assert_eq!(life.refuses(&resolve("justice")), Rejection::DiagnosisOpen);
    let justice = Party::Unit(unit("justice"));
    let missing = |life: &Life| {
        let allowed = life.case().allowed(&life.world.then(life.now), &justice);
        let resolve = allowed.into_iter().find(|found| found.action == Action::Resolve);
        resolve.unwrap().missing
    };
    assert_eq!(missing(&life), Some(Rejection::DiagnosisOpen));
    let life = life.then(conclusion(&[]));
    assert_eq!((missing(&life), &*life.tries(&resolve("justice"))), (None, "AppealResolved"));
}

/// Resolved while a diagnosis was under way, as older records have it.
fn resolved_too_early() -> Life {
    let concluded = convened().then(conclusion(&[])).then(resolve("justice"));
    let mut life = convened();
    let resolved = concluded.last().clone();
    life.state = life.state.evolve(&resolved);
    life.log.push(resolved);
    life
}

#[test]
fn orders_that_come_after_the_resolution_survive_an_objection() {
    let life = resolved_too_early().then(conclusion(&["tax"]));
    assert_eq!(life.kinds(), [ClockKind::Feedback, ClockKind::CoHandling]);
    let again = life.then(object("cmVhc29u"));
    assert_eq!(again.kinds(), [ClockKind::CoHandling, ClockKind::Contact, ClockKind::Resolve]);
    assert_eq!(again.refuses(&resolve("justice")), Rejection::OrdersOpen { open: 1 });
}

#[test]
fn a_conclusion_opens_no_case_that_ended() {
    let life = resolved_too_early().then(Command::Confirm).then(Command::Close);
    let life = life.then(conclusion(&["tax"]));
    assert_eq!((life.phase(), life.kinds()), (PhaseName::Closed, vec![]));
    assert!(life.case().diagnosis.as_ref().unwrap().conclusion.is_some());
    assert!(life.case().tasks.is_empty());
}

/// What the agenda holds besides the steps of clocks.
fn duties(life: &Life) -> Vec<Duty> {
    let mut agenda = std::collections::BTreeMap::new();
    for change in life.log.iter().flat_map(Process::agenda) {
        match change {
            Change::Put(entry) => agenda.insert(entry.key, entry.duty),
            Change::Drop(key) => agenda.remove(&key),
        };
    }
    let beside = |duty: &Duty| !matches!(duty, Duty::AppealClock { .. } | Duty::DestroyKey { .. });
    agenda.into_values().filter(beside).collect()
}

#[test]
fn a_diagnosis_whose_appeal_is_erased_or_closed_is_to_end() {
    let (id, end) = (diagnosis(1), "DiagnosisAbandoned + PersonalDataErased");
    let begun = || convened().then(Command::MarkDiagnosisOpened { diagnosis: id });
    let erase = erase();
    for (life, command, expected) in [
        (convened(), &erase, end),
        (begun(), &erase, end),
        (
            resolved_too_early().then(Command::Confirm),
            &Command::Close,
            "DiagnosisAbandoned + AppealClosed",
        ),
    ] {
        let mut life = life;
        assert_eq!(life.causes(command), Ok(expected.to_owned()));
        let owed = Duty::DiscontinueDiagnosis { diagnosis: id };
        assert_eq!(duties(&life), [owed], "one that has not begun need not begin");
        let known = life.case().diagnosis.as_ref().unwrap();
        assert_eq!((known.ending, known.is_under_way()), (Ending::Ordered, false));
        let life = life.then(Command::MarkDiagnosisDiscontinued { diagnosis: id });
        assert_eq!(life.case().diagnosis.as_ref().unwrap().ending, Ending::Done);
        assert_eq!(duties(&life), []);
    }
    // An erased appeal that is closed gives the diagnosis up once.
    let closed = begun().then(erase.clone());
    assert_eq!(closed.tries(&Command::Close), "AppealClosed");
    let other = Command::MarkDiagnosisDiscontinued { diagnosis: diagnosis(2) };
    assert_eq!(closed.refuses(&other), Rejection::DiagnosisUnknown);
    // One that is concluded, or that nobody gave up, has nothing to end.
    let concluded = begun().then(conclusion(&["tax"]));
    assert_eq!(concluded.tries(&erase), "PersonalDataErased");
    for life in [begun(), concluded] {
        assert_eq!(life.tries(&Command::MarkDiagnosisDiscontinued { diagnosis: id }), "nothing");
    }
}

#[test]
fn after_one_that_ended_another_can_be_called_for() {
    let given_up = resolved_too_early().then(Command::Confirm).then(Command::Close);
    let again = given_up.then(reopen("cmVhc29u"));
    let other = Command::Convene {
        unit: unit("justice"),
        diagnosis: diagnosis(2),
        units: vec![unit("tax")],
        quorum: 1,
        question: text(),
    };
    assert_eq!(again.refuses(&other), Rejection::DiagnosisOpen, "its end is still owed");
    assert_eq!(again.tries(&resolve("justice")), "AppealResolved", "but nothing waits for it");
    let ended = again.then(Command::MarkDiagnosisDiscontinued { diagnosis: diagnosis(1) });
    assert_eq!(ended.tries(&other), "DiagnosisConvened");
}
