//! Routing tables as they come in.

use doudi_domain::{
    AreaCode, DiagnosisId, TopicId, UnitId,
    routing::{Area, RoutingTable, StandingRule, Topic, Unit, UnitStatus},
};

use crate::{
    convert::{Fields, given},
    proto as pb, text,
};

const UNITS_MAX: usize = 2000;
const AREAS_MAX: usize = 200;
const TOPICS_MAX: usize = 1000;
const CO_UNITS_MAX: usize = 100;
const KEYWORDS_MAX: usize = 50;
const STANDING_MAX: usize = 1000;

pub(super) fn table(fields: &mut Fields, table: &pb::RoutingTable) -> Option<RoutingTable> {
    let at = |name: &str| format!("document.routing.{name}");
    let units = fields.each(&at("units"), &table.units, (1, UNITS_MAX), unit);
    let areas = fields.each(&at("areas"), &table.areas, (0, AREAS_MAX), area);
    let topics = fields.each(&at("topics"), &table.topics, (0, TOPICS_MAX), topic);
    let city_desk = fields.unit(&at("city_desk"), &table.city_desk);
    let guarantee = fields.optional(&at("guarantee"), &table.guarantee, UnitId::parse);
    let standing = fields.each(&at("standing"), &table.standing, (0, STANDING_MAX), standing_rule);
    Some(RoutingTable {
        units: units?,
        areas: areas?,
        topics: topics?,
        city_desk: city_desk?,
        guarantee: guarantee?,
        standing: standing?,
    })
}

fn unit(fields: &mut Fields, path: &str, unit: &pb::RoutingUnit) -> Option<Unit> {
    let id = fields.unit(&format!("{path}.id"), &unit.id);
    let name = fields.parse(&format!("{path}.name"), &unit.name, text::name);
    let successor = fields.optional(&format!("{path}.successor"), &unit.successor, UnitId::parse);
    let status = if unit.abolished { UnitStatus::Abolished } else { UnitStatus::Active };
    let staffed = !unit.unstaffed;
    Some(Unit { id: id?, name: name?, status, successor: successor?, staffed })
}

fn area(fields: &mut Fields, path: &str, area: &pb::RoutingArea) -> Option<Area> {
    let code = fields.area(&format!("{path}.code"), &area.code);
    let name = fields.parse(&format!("{path}.name"), &area.name, text::name);
    let desk = fields.unit(&format!("{path}.desk"), &area.desk);
    Some(Area { code: code?, name: name?, desk: desk? })
}

fn topic(fields: &mut Fields, path: &str, topic: &pb::RoutingTopic) -> Option<Topic> {
    let id = fields.parse(&format!("{path}.id"), &topic.id, TopicId::parse);
    let title = fields.parse(&format!("{path}.title"), &topic.title, text::name);
    let lead = fields.optional(&format!("{path}.lead"), &topic.lead, UnitId::parse);
    let (at, bounds) = (format!("{path}.co_units"), (0, CO_UNITS_MAX));
    let co_units =
        fields.each(&at, &topic.co_units, bounds, |fields, path, unit| fields.unit(path, unit));
    let (at, bounds) = (format!("{path}.keywords"), (0, KEYWORDS_MAX));
    let keywords = fields.each(&at, &topic.keywords, bounds, |fields, path, keyword| {
        fields.parse(path, keyword, text::name)
    });
    Some(Topic { id: id?, title: title?, lead: lead?, co_units: co_units?, keywords: keywords? })
}

fn standing_rule(fields: &mut Fields, path: &str, rule: &pb::StandingRule) -> Option<StandingRule> {
    let at = |name: &str| format!("{path}.{name}");
    let topic = fields.parse(&at("topic"), &rule.topic, TopicId::parse);
    let area = fields.optional(&at("area"), &rule.area, AreaCode::parse);
    let unit = fields.unit(&at("unit"), &rule.unit);
    let diagnosis =
        fields.parse(&at("diagnosis_id"), &rule.diagnosis_id, given(DiagnosisId::parse));
    Some(StandingRule { topic: topic?, area: area?, unit: unit?, diagnosis: diagnosis? })
}
