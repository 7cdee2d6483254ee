//! What is measured, and that it is never measured again.

use std::sync::Arc;

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

/// Resolved by a unit that spoke with the enterprise, and objected to.
fn objected_to() -> Life {
    let mut life = dispatched();
    assert!(spoke(&mut life));
    resolve(&mut life, "power");
    assert!(life.tell(&Command::Object { reason: sealed("reason") }));
    life
}

fn spoke(life: &mut Life) -> bool {
    life.tell(&Command::RecordContact { unit: unit("power") })
}

#[test]
fn each_handling_has_a_response_of_its_own() {
    let responded = |life: &Life| {
        let handlings = measured(&life.log).handlings;
        [1, 2].map(|number| handlings[&(key(), number)].responded)
    };
    let mut prompt = objected_to();
    assert!(spoke(&mut prompt));
    resolve(&mut prompt, "power");
    assert_eq!(responded(&prompt), [true, true]);
    let mut late = objected_to();
    late.later(24 * 4);
    assert!(spoke(&mut late));
    resolve(&mut late, "power");
    assert_eq!(responded(&late), [true, false]);
    let mut never = objected_to();
    resolve(&mut never, "power");
    assert_eq!(responded(&never), [true, false]);
    // Records of before owe no contact of their own: there the one of the first handling counts.
    let mut old = never;
    for fact in &mut old.log {
        let content = Arc::get_mut(&mut fact.content).unwrap();
        let Content::Appeal(_, _, events) = content else { continue };
        for event in events {
            if let Event::ResolutionObjected { clocks, .. } = event {
                clocks.set.retain(|clock| clock.kind != ClockKind::Contact);
            }
        }
    }
    assert_eq!(responded(&old), [true, true]);
}

#[test]
fn at_the_close_what_was_said_on_the_phone_is_the_word_where_the_enterprise_said_nothing() {
    let said = |resolved, satisfied| Word { resolved, satisfied };
    let rating = Command::Rate(Rating { responded: true, resolved: false, satisfied: false });
    let reopen = Command::Reopen { reason: sealed("reason") };
    let own_after = |commands: &[&Command]| {
        let mut life = dispatched();
        resolve(&mut life, "power");
        let callback =
            Callback { reached: true, resolved: None, satisfied: Some(true), note: None };
        assert!(life.tell(&Command::RecordCallback(callback)));
        assert!(commands.iter().all(|command| life.tell(command)));
        measured(&life.log).handlings[&(key(), 1)].own
    };
    let closed = said(None, Some(true));
    assert_eq!(own_after(&[]), Word::default());
    assert_eq!(own_after(&[&Command::Close]), closed);
    // Nothing rewrites it; what nobody had said yet is still heard.
    let later = said(Some(false), Some(true));
    assert_eq!(own_after(&[&Command::Close, &rating]), later);
    assert_eq!(own_after(&[&Command::Close, &reopen]), later);
    // Its own word before the close comes before that on the phone.
    assert_eq!(own_after(&[&rating, &Command::Close]), said(Some(false), Some(false)));
}

/// What counts of a handling.
fn word(handling: &Handling) -> Word {
    let mut word = handling.own;
    word.add(handling.phone.resolved, handling.phone.satisfied);
    word
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_measured_is_never_rewritten(moves in moves()) {
        let life = Life::random(&moves);
        let mut changes = Changes::default();
        let mut before: HashMap<(Key, u32), Handling> = HashMap::new();
        let mut told: HashMap<(Key, u32), Word> = HashMap::new();
        for fact in &life.log {
            changes.fold(std::slice::from_ref(fact));
            for (name, then) in &told {
                let now = word(&changes.handlings[name]);
                prop_assert!(then.resolved.is_none() || now.resolved == then.resolved);
                prop_assert!(then.satisfied.is_none() || now.satisfied == then.satisfied);
            }
            let closes = |event: &Event| matches!(event, Event::AppealClosed { .. });
            if matches!(&*fact.content, Content::Appeal(_, _, events) if events.iter().any(closes)) {
                told = changes.handlings.iter().map(|(name, now)| (name.clone(), word(now))).collect();
            }
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
