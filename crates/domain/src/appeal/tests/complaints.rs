//! A complaint about a visit: the unit's other visits are held until it is answered, however it ends.

use super::*;
use crate::{
    agenda::{Change, Duty, Process},
    ids::VisitId,
};

fn about_visit() -> Life {
    let visit = Some(VisitId(Uuid::from_u128(7)));
    Life::of(Submission { about_visit: visit, ..submission() })
}

/// What its agenda holds, clocks aside.
fn duties(life: &Life) -> Vec<Duty> {
    let mut agenda = std::collections::BTreeMap::new();
    for change in life.log.iter().flat_map(Process::agenda) {
        match change {
            Change::Put(entry) => agenda.insert(entry.key, entry.duty),
            Change::Drop(key) => agenda.remove(&key),
        };
    }
    let clock = |duty: &Duty| matches!(duty, Duty::AppealClock { .. });
    agenda.into_values().filter(|duty| !clock(duty)).collect()
}

#[test]
fn the_visits_hear_of_a_complaint_and_of_its_answer() {
    let life = about_visit();
    let visit = VisitId(Uuid::from_u128(7));
    assert_eq!(duties(&life), [Duty::HoldVisits { visit }]);
    let life = life.then(Command::MarkVisitsHeld);
    assert_eq!(duties(&life), []);
    let life =
        life.then(Command::Accept).then(Command::Dispatch { to: None }).then(sign("power-supply"));
    assert_eq!(duties(&life), [], "nobody has answered yet");
    let life = life.then(resolve("power-supply"));
    assert_eq!(duties(&life), [], "the unit's own word frees it from nothing");
    let life = life.then(object("没有整改")).then(resolve("power-supply")).then(Command::Confirm);
    assert_eq!(duties(&life), [Duty::LiftHold {}]);
    let life = life.then(Command::MarkHoldLifted);
    assert_eq!(duties(&life), []);
    assert_eq!(
        life.tries(&Command::MarkVisitsHeld),
        "nothing",
        "word that came late holds nothing"
    );
}

#[test]
fn however_a_complaint_ends_the_hold_ends_with_it_once() {
    let merge = Command::Merge { into: appeal(2) };
    let accepted = about_visit().then(Command::Accept);
    assert_eq!(accepted.refuses(&merge), Rejection::MergeImpossible, "it is answered by itself");
    let redirected = about_visit().then(redirect());
    let told = redirected.log.iter().filter(|event| **event == Event::HoldEnded {}).count();
    assert_eq!(told, 1);
    let confirmed = about_visit()
        .then(Command::Accept)
        .then(Command::Dispatch { to: None })
        .then(sign("power-supply"))
        .then(resolve("power-supply"))
        .then(Command::Confirm)
        .then(Command::Close);
    let told = confirmed.log.iter().filter(|event| **event == Event::HoldEnded {}).count();
    assert_eq!(told, 1, "an answer ends it, and the close does not end it again");
}

#[test]
fn an_appeal_about_no_visit_holds_nothing() {
    let life = Life::resolved();
    assert_eq!(duties(&life), []);
    assert_eq!(life.tries(&Command::MarkVisitsHeld), "nothing");
    assert_eq!(life.tries(&Command::MarkHoldLifted), "nothing");
}
