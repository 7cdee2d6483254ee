//! What an entry shows.

use doudi_domain::{
    DiagnosisId,
    appeal::{Command, Event, Outcome},
    visits,
};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{
    fact::Content,
    kit::{
        self, Life, appeal_id,
        inspections::{Inspections, limits, plan},
        sealed, submission, unit,
    },
};

fn shown(life: &Life, name: &str) -> Value {
    let events = life.log.iter().flat_map(|fact| {
        if let Content::Appeal(_, _, events) = &*fact.content { events.as_slice() } else { &[] }
    });
    let (_, json) = events.map(of).find(|(found, _)| *found == name).unwrap();
    serde_json::from_str(json.get()).unwrap()
}

#[test]
fn sealed_fields_are_left_out_at_any_depth() {
    let life = Life::new(appeal_id(1), submission());
    let json = shown(&life, "AppealSubmitted").to_string();
    assert!(!json.contains("c2VjcmV0") && !json.contains("description"), "{json}");
    assert!(json.contains("T06") && json.contains("210212"), "{json}");
    let mut list = serde_json::json!([{ "a": [sealed("b"), 1] }, sealed("c")]);
    drop_sealed(&mut list);
    assert_eq!(list, serde_json::json!([{ "a": [1] }]));
}

#[test]
fn of_clocks_and_terms_only_what_a_reader_asks_for_is_shown() {
    let mut life = Life::new(appeal_id(1), submission());
    for command in [
        Command::Accept,
        Command::Dispatch { to: None },
        Command::SignFor { unit: unit("power") },
        Command::Resolve { unit: unit("power"), outcome: Outcome::Solved, reply: sealed("reply") },
        Command::Confirm,
        Command::Close,
    ] {
        assert!(life.tell(&command), "{command:?}");
    }
    let submitted = shown(&life, "AppealSubmitted");
    assert_eq!(submitted["terms"], serde_json::json!({ "version": 1, "case_type": "general" }));
    let accept = serde_json::json!([{
        "kind": "accept", "owner": { "unit": "desk-a" }, "due": "2025-04-28T09:00:00Z",
    }]);
    assert_eq!(submitted["clocks"], accept);
    let dispatched = shown(&life, "AppealDispatched");
    assert_eq!(dispatched["clocks"].as_array().unwrap().len(), 2);
    assert_eq!(shown(&life, "AppealSignedFor"), serde_json::json!({ "unit": "power" }));
    assert_eq!(shown(&life, "AppealClosed"), serde_json::json!({ "how": "confirmed" }));
}

#[test]
fn of_a_visits_clock_only_what_is_owed_is_shown() {
    let mut life = Inspections::new(limits(0));
    life.carry_out(plan(1, "tax", "2025-03-03"), visits::Outcome::Pass);
    life.later(24 * 9);
    let events = life.log.iter().flat_map(|fact| match &*fact.content {
        Content::Visits(_, events) => events.as_slice(),
        Content::Profile(..)
        | Content::Appeal(..)
        | Content::Diagnosis(..)
        | Content::Ratings(..)
        | Content::Device(..)
        | Content::Policy(..)
        | Content::Webhook(..) => &[],
    });
    let shown: Vec<(&str, Value)> = events
        .map(of)
        .map(|(name, details)| (name, serde_json::from_str(details.get()).unwrap()))
        .collect();
    let of = |name: &str| shown.iter().find(|(found, _)| *found == name).map(|(_, json)| json);
    let owed = serde_json::json!({
        "kind": "tell", "owner": { "unit": "tax" }, "due": "2025-03-10T09:00:00Z",
    });
    assert_eq!(of("VisitCheckedIn").unwrap()["tell"], owed);
    assert_eq!(of("ClockStepsTaken").unwrap()["clock"], owed);
}

#[test]
fn an_event_of_a_joint_diagnosis_names_it() {
    let id = DiagnosisId(Uuid::from_u128(7));
    let json = of_diagnosis(id, written(&serde_json::json!({ "clock": 1 })));
    let found: Value = serde_json::from_str(json.get()).unwrap();
    assert_eq!(found, serde_json::json!({ "clock": 1, "diagnosis": Uuid::from_u128(7) }));
}

#[test]
fn an_event_without_fields_shows_an_empty_object() {
    let (name, json) = of(&Event::MergeDelivered {});
    assert_eq!((name, json.get()), ("MergeDelivered", "{}"));
}

#[test]
fn what_units_owe_each_other_is_left_out_for_the_enterprise() {
    let clock = |kind: &str| serde_json::json!({ "kind": kind, "owner": "city_desk", "due": "x" });
    let details = |kinds: &[&str]| {
        let clocks: Vec<Value> = kinds.iter().map(|kind| clock(kind)).collect();
        serde_json::json!({ "calendar_version": 2, "clocks": clocks }).to_string()
    };
    let shown = |kinds: &[&str]| {
        let shown = for_enterprise(&details(kinds))?;
        Some(serde_json::from_str::<Value>(&shown).unwrap())
    };
    let resolve = serde_json::json!({ "calendar_version": 2, "clocks": [clock("resolve")] });
    for other in ["co_handling", "opinion", "conclusion"] {
        assert_eq!(shown(&["resolve", other]), Some(resolve.clone()));
    }
    assert_eq!(shown(&["co_handling"]), Some(serde_json::json!({ "calendar_version": 2 })));
    assert_eq!(shown(&["resolve", "contact"]), None, "that is all");
    assert_eq!(for_enterprise("{}"), None);
}

/// Whether each event shows the same as when it is taken apart.
fn assert_shown<E: Storable>(events: &[E]) {
    for event in events {
        let (name, shown) = of(event);
        let tagged = serde_json::to_value(event).unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let parts = read(parted(&tagged["data"].to_string()).get());
        assert_eq!((json!(name), read(shown.get())), (tagged["type"].clone(), parts));
    }
}

proptest! {
    #[test]
    fn what_is_not_taken_apart_shows_the_same(
        moves in kit::moves(), inspected in kit::inspections::moves(),
    ) {
        let (life, inspections) = (Life::random(&moves), Inspections::random(&inspected));
        for fact in life.log.iter().chain(&inspections.log) {
            match &*fact.content {
                Content::Profile(_, events) => assert_shown(events),
                Content::Visits(_, events) => assert_shown(events),
                Content::Appeal(_, _, events) => assert_shown(events),
                Content::Diagnosis(_, _, events) => assert_shown(events),
                Content::Ratings(..) | Content::Device(..) | Content::Policy(..) | Content::Webhook(..) => {}
            }
        }
    }
}
