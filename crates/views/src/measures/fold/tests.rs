//! What is measured, and that it is never measured again.

use doudi_domain::appeal::{Callback, Command, Outcome, Rating};
use proptest::prelude::*;

use super::*;
use crate::kit::{Life, appeal_id, enterprise, moves, sealed, submission, unit};

fn key() -> Key {
    (appeal_id(1), enterprise())
}

fn measured(facts: &[Fact]) -> Changes {
    let mut changes = Changes::default();
    changes.fold(facts);
    changes
}

fn dispatched() -> Life {
    let mut life = Life::new(appeal_id(1), submission());
    assert!(life.tell(&Command::Accept) && life.tell(&Command::Dispatch { to: None }));
    life
}

fn contest(by: &str) -> Command {
    Command::Contest { unit: unit(by), reason: sealed("reason"), proposed: None }
}

fn resolve(life: &mut Life, by: &str) {
    life.tell(&Command::SignFor { unit: unit(by) });
    let reply = sealed("reply");
    assert!(life.tell(&Command::Resolve { unit: unit(by), outcome: Outcome::Solved, reply }));
}

#[test]
fn a_return_says_to_whom_the_appeal_went_on_and_whether_that_was_right() {
    let mut life = dispatched();
    assert!(life.tell(&contest("power")));
    let open = &measured(&life.log).returns[&(key(), 1)];
    assert_eq!((open.from.as_str(), &open.to, open.upheld), ("power", &None, None));
    let mut stayed = dispatched();
    assert!(stayed.tell(&contest("power")) && stayed.tell(&Command::Rule { to: None }));
    let found = &measured(&stayed.log).returns[&(key(), 1)];
    assert_eq!((&found.to, found.upheld), (&None, Some(false)));
    assert!(life.tell(&Command::Dispatch { to: Some(unit("fire")) }));
    assert!(life.tell(&contest("fire")) && life.tell(&Command::Rule { to: Some(unit("tax")) }));
    let changes = measured(&life.log);
    let cells: Vec<_> = (1..=2)
        .map(|number| &changes.returns[&(key(), number)])
        .map(|found| (found.from.clone(), found.to.clone(), found.upheld))
        .collect();
    let cell = |from, to| (unit(from), Some(unit(to)), Some(true));
    assert_eq!(cells, [cell("power", "fire"), cell("fire", "tax")]);
}

#[test]
fn contact_counts_when_it_was_in_time_and_by_the_unit_that_resolved() {
    let responded = |life: &Life| measured(&life.log).handlings[&(key(), 1)].responded;
    let mut prompt = dispatched();
    assert!(prompt.tell(&Command::RecordContact { unit: unit("power") }));
    resolve(&mut prompt, "power");
    assert!(responded(&prompt));
    let mut never = dispatched();
    resolve(&mut never, "power");
    assert!(!responded(&never));
    let mut late = dispatched();
    late.later(24 * 4);
    assert!(late.tell(&Command::RecordContact { unit: unit("power") }));
    resolve(&mut late, "power");
    assert!(!responded(&late));
    let mut other = dispatched();
    assert!(other.tell(&Command::RecordContact { unit: unit("power") }));
    assert!(other.tell(&contest("power")) && other.tell(&Command::Rule { to: Some(unit("tax")) }));
    resolve(&mut other, "tax");
    assert!(!responded(&other));
}

#[test]
fn the_first_word_of_each_kind_stands_and_a_second_handling_is_another() {
    let mut life = dispatched();
    resolve(&mut life, "power");
    let callback = Callback { reached: true, resolved: None, satisfied: Some(true), note: None };
    assert!(life.tell(&Command::RecordCallback(callback)));
    assert!(life.tell(&Command::Object { reason: sealed("reason") }));
    let first = |life: &Life| {
        let changes = measured(&life.log);
        let handling = &changes.handlings[&(key(), 1)];
        (handling.own, handling.phone)
    };
    let said = |resolved, satisfied| Word { resolved, satisfied };
    let stands = (said(Some(false), Some(false)), said(None, Some(true)));
    assert_eq!(first(&life), stands);
    resolve(&mut life, "power");
    assert!(life.tell(&Command::Confirm));
    let rating = Rating { responded: true, resolved: false, satisfied: false };
    assert!(life.tell(&Command::Rate(rating)));
    assert_eq!(first(&life), stands);
    let second = measured(&life.log).handlings[&(key(), 2)].own;
    assert_eq!(second, said(Some(true), Some(false)), "who agrees need not be satisfied");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_measured_is_never_rewritten(moves in moves()) {
        let life = Life::random(&moves);
        let mut changes = Changes::default();
        let mut before: HashMap<(Key, u32), Handling> = HashMap::new();
        for fact in &life.log {
            changes.fold(std::slice::from_ref(fact));
            for (name, then) in &before {
                let now = &changes.handlings[name];
                prop_assert_eq!(now.resolved_at, then.resolved_at);
                prop_assert_eq!((&now.unit, now.responded), (&then.unit, then.responded));
                for (then, now) in [(then.own, now.own), (then.phone, now.phone)] {
                    prop_assert!(then.resolved.is_none() || now.resolved == then.resolved);
                    prop_assert!(then.satisfied.is_none() || now.satisfied == then.satisfied);
                }
            }
            before = changes.handlings.clone();
        }
        let all = measured(&life.log);
        prop_assert_eq!(&all.handlings, &changes.handlings);
        prop_assert_eq!(&all.returns, &changes.returns);
        for (number, returned) in all.returns.iter().map(|((_, number), found)| (number, found)) {
            let last = *number == all.subjects[&key()].returns;
            prop_assert!(last || returned.to.is_some() || returned.upheld == Some(false));
        }
    }
}
