//! Appeals under another routing table.

use uuid::Uuid;

use super::{all, enterprise, published};
use crate::{
    Decider,
    appeal::{Appeal, Channel, Command, Confidentiality, Submission},
    ids::{AppealId, TopicId},
    kit::{World, area, moment, plan_of_the_city, sealed, unit},
    policy::Document,
    routing::RoutingTable,
    what_if::{Change, Days, Instance, Key, Report, Told, WhatIf},
};

const FRIDAY: &str = "2025-04-25T09:00+08:00";

fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

fn submission(about: &str, place: &str) -> Submission {
    Submission::new(Channel::Web, topic(about), area(place), sealed("ZGVzY3JpcHRpb24="))
}

/// The city's table with another lead for the power connection.
fn with_lead(lead: Option<&str>) -> RoutingTable {
    let mut table = plan_of_the_city();
    let known = table.topics.iter_mut().find(|known| known.id == topic("T06")).unwrap();
    known.lead = lead.map(unit);
    table
}

fn decided(
    in_force: Option<RoutingTable>,
    candidate: RoutingTable,
    submission: Submission,
) -> Report {
    let document = Document::Routing(candidate);
    let mut what_if = WhatIf::new(document, Days::default(), all()).unwrap();
    let at = moment(FRIDAY);
    if let Some(table) = in_force {
        what_if.take(at, published(5, Document::Routing(table)));
    }
    let world = World::default();
    let events = Appeal::Absent.decide(&world.at(FRIDAY), &Command::Submit(submission)).unwrap();
    what_if.take(at, Told::Appeal(enterprise(), AppealId(Uuid::from_u128(1)), events));
    what_if.report(at)
}

#[test]
fn an_appeal_that_would_go_elsewhere_is_counted_by_move_area_and_topic() {
    let (before, after) = (plan_of_the_city(), with_lead(Some("tax")));
    let report = decided(Some(before), after, submission("T06", "210212"));
    assert_eq!(report.changes, [(Change::Rerouted, 1)].into());
    let keys: Vec<_> = report.counts.into_keys().map(|(_, key)| key).collect();
    let moved = Key::Move { from: unit("power-supply"), to: unit("tax") };
    assert_eq!(keys, [Key::Area(Some(area("210212"))), Key::Topic(topic("T06")), moved]);
    let named = vec![(enterprise(), Instance::Appeal(AppealId(Uuid::from_u128(1))))];
    assert_eq!(report.examples, [(Change::Rerouted, named)].into());
}

#[test]
fn the_table_in_force_moves_none() {
    let table = plan_of_the_city;
    let report = decided(Some(table()), table(), submission("T06", "210212"));
    assert_eq!((report.compared, report.changes.len()), (1, 0));
}

#[test]
fn with_no_lead_the_area_takes_it_and_where_that_is_unknown_nobody_does() {
    let change = |before: Option<&str>, after: Option<&str>, place: &str| {
        let report = decided(Some(with_lead(before)), with_lead(after), submission("T06", place));
        report.changes.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(change(Some("tax"), None, "210212"), [Change::Rerouted]);
    assert_eq!(change(Some("tax"), None, "999999"), [Change::Ownerless]);
    assert_eq!(change(None, Some("tax"), "999999"), [Change::Owned]);
}

#[test]
fn a_strict_matter_passes_the_area_over_under_the_candidate_too() {
    let strict =
        Submission { confidentiality: Confidentiality::Strict, ..submission("T06", "210212") };
    let report = decided(Some(with_lead(Some("tax"))), with_lead(None), strict);
    assert_eq!(report.changes, [(Change::Ownerless, 1)].into());
}

#[test]
fn without_a_table_in_force_there_is_nothing_to_compare_with() {
    let report = decided(None, plan_of_the_city(), submission("T06", "210212"));
    assert_eq!((report.compared, report.skipped), (0, 1));
}
