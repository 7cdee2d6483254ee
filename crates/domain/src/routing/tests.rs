//! Routing by the city's plan, and what makes a table unsound.

use super::*;
use crate::kit::{area, name, plan_of_the_city, unit};

fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

#[test]
fn the_plan_of_the_city_is_complete_and_sound() {
    let plan = plan_of_the_city();
    let desks = plan.areas.len() + 1;
    assert_eq!((plan.topics.len(), plan.units.len() - desks, plan.areas.len()), (63, 39, 12));
    assert_eq!(plan.problems(), []);
}

#[test]
fn the_plan_of_the_city_routes() {
    let plan = plan_of_the_city();
    let by = |id| RouteRule::Topic(topic(id));
    let desk = |code| RouteRule::Area(area(code));
    for (about, place, unit_id, official, rule) in [
        ("T06", Some("210212"), "power-supply", "国网大连供电公司", by("T06")),
        ("T17", Some("210212"), "tax", "市税务局", by("T17")),
        ("T27", Some("210212"), "justice", "市司法局", by("T27")),
        ("T27", Some("999999"), "justice", "市司法局", by("T27")),
        ("T27", None, "justice", "市司法局", by("T27")),
        // An item without a lead unit, and a topic that no table knows.
        ("R05", Some("210212"), "desk-210212", "旅顺口区诉求专席", desk("210212")),
        ("S01", Some("2102JP"), "desk-2102jp", "金普新区诉求专席", desk("2102JP")),
        ("X99", Some("210202"), "desk-210202", "中山区诉求专席", desk("210202")),
        ("R05", Some("999999"), "desk-city", "市诉求专席", RouteRule::CityDesk),
        ("X99", Some("999999"), "desk-city", "市诉求专席", RouteRule::CityDesk),
        ("X99", None, "desk-city", "市诉求专席", RouteRule::CityDesk),
    ] {
        let route = plan.route(&topic(about), place.map(area).as_ref());
        assert_eq!(route, Route { unit: unit(unit_id), co_units: vec![], rule }, "{about}");
        assert_eq!(plan.unit(&route.unit).unwrap().name, name(official));
    }
}

#[test]
fn the_first_lead_unit_leads_and_the_others_share() {
    let route = plan_of_the_city().route(&topic("T05"), Some(&area("210202")));
    assert_eq!(route.unit, unit("natural-resources"));
    assert_eq!(route.co_units, ["tax", "housing-construction", "data"].map(unit));
}

#[test]
fn every_topic_in_every_area_finds_a_listed_unit() {
    let plan = plan_of_the_city();
    for topic in &plan.topics {
        for area in &plan.areas {
            let route = plan.route(&topic.id, Some(&area.code));
            assert!(plan.unit(&route.unit).is_some(), "{} in {}", topic.id, area.code);
        }
    }
}

#[test]
fn unsound_tables_are_told() {
    type Spoil = fn(&mut RoutingTable);
    let unlisted =
        |place: &str| RoutingProblem::UnitUnlisted { place: place.to_owned(), unit: unit("x") };
    let twice = |id: &str| RoutingProblem::Twice(id.to_owned());
    let spoils: [(Spoil, RoutingProblem); 7] = [
        (|t| t.units.push(t.units[0].clone()), twice("market-regulation")),
        (|t| t.areas.push(t.areas[4].clone()), twice("210212")),
        (|t| t.topics.push(t.topics[5].clone()), twice("T06")),
        (|t| t.areas[4].desk = unit("x"), unlisted("area 210212")),
        (|t| t.topics[5].lead = Some(unit("x")), unlisted("topic T06")),
        (|t| t.topics[5].co_units = vec![unit("x")], unlisted("topic T06")),
        (|t| t.city_desk = unit("x"), unlisted("the city desk")),
    ];
    for (spoil, expected) in spoils {
        let mut table = plan_of_the_city();
        spoil(&mut table);
        assert_eq!(table.problems(), [expected]);
    }
}
