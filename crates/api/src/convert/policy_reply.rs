//! Policy documents as they go out.

use doudi_domain::{
    Name, UnitId,
    calendar::{Calendar, DayKind, Interval},
    policy::{Document, Status},
    routing::{RoutingTable, StandingRule, Topic, Unit, UnitStatus},
};
use doudi_engine::Folded;
use jiff::civil::Time;

use super::{common, token};
use crate::proto::{self as pb, policy_document::Document as Given};

pub(crate) mod cases;
mod catalogue;
mod frequency;

pub(crate) use frequency::of_enterprises;

pub(crate) fn answer<D>(
    version: u32,
    status: Status,
    document: Option<&Document>,
    folded: &Folded<D>,
) -> pb::GetPolicyResponse {
    let status = match status {
        Status::Draft => pb::PolicyStatus::Draft,
        Status::Published => pb::PolicyStatus::Published,
        Status::Retired => pb::PolicyStatus::Retired,
    };
    pb::GetPolicyResponse {
        document: document.map(of_document),
        document_version: version,
        status: status.into(),
        version: folded.version.0,
        position: token::of_position(folded.position),
    }
}

/// A policy document as the contract has it.
#[must_use]
pub fn of_document(document: &Document) -> pb::PolicyDocument {
    let document = match document {
        Document::Frequency(policy) => Given::Frequency(frequency::of_policy(policy)),
        Document::Routing(table) => Given::Routing(of_routing(table)),
        Document::Calendar(calendar) => Given::Calendar(of_calendar(calendar)),
        Document::CaseTypes(types) => Given::CaseTypes(cases::of_case_types(types)),
        Document::Catalogue(known) => Given::Catalogue(catalogue::of_catalogue(known)),
    };
    pb::PolicyDocument { document: Some(document) }
}

fn of_routing(table: &RoutingTable) -> pb::RoutingTable {
    let areas = table.areas.iter();
    pb::RoutingTable {
        units: table.units.iter().map(of_unit).collect(),
        areas: areas
            .map(|area| pb::RoutingArea {
                code: area.code.to_string(),
                name: area.name.to_string(),
                desk: area.desk.to_string(),
            })
            .collect(),
        topics: table.topics.iter().map(of_topic).collect(),
        city_desk: table.city_desk.to_string(),
        guarantee: text(table.guarantee.as_ref()),
        standing: table.standing.iter().map(of_standing_rule).collect(),
    }
}

fn of_unit(unit: &Unit) -> pb::RoutingUnit {
    let abolished = match unit.status {
        UnitStatus::Active => false,
        UnitStatus::Abolished => true,
    };
    pb::RoutingUnit {
        id: unit.id.to_string(),
        name: unit.name.to_string(),
        abolished,
        successor: text(unit.successor.as_ref()),
        unstaffed: !unit.staffed,
    }
}

fn of_standing_rule(rule: &StandingRule) -> pb::StandingRule {
    pb::StandingRule {
        topic: rule.topic.to_string(),
        area: text(rule.area.as_ref()),
        unit: rule.unit.to_string(),
        diagnosis_id: rule.diagnosis.to_string(),
    }
}

/// Its text; empty where there is none.
fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(T::to_string).unwrap_or_default()
}

fn of_topic(topic: &Topic) -> pb::RoutingTopic {
    pb::RoutingTopic {
        id: topic.id.to_string(),
        title: topic.title.to_string(),
        lead: text(topic.lead.as_ref()),
        co_units: topic.co_units.iter().map(UnitId::to_string).collect(),
        keywords: topic.keywords.iter().map(Name::to_string).collect(),
    }
}

fn of_calendar(calendar: &Calendar) -> pb::WorkCalendar {
    let exceptions = calendar.exceptions.iter().map(|day| {
        let kind = match day.kind {
            DayKind::Holiday => pb::DayKind::Holiday,
            DayKind::Workday => pb::DayKind::Workday,
        };
        let date = Some(common::of_date(day.date));
        let hours = day.hours.iter().flatten().map(of_interval).collect();
        pb::CalendarException { date, kind: kind.into(), name: day.name.clone(), hours }
    });
    pb::WorkCalendar {
        years: calendar.years.iter().copied().map(i32::from).collect(),
        exceptions: exceptions.collect(),
        hours: calendar.hours.iter().map(of_interval).collect(),
    }
}

fn of_interval(interval: &Interval) -> pb::WorkInterval {
    let time =
        |time: Time| pb::TimeOfDay { hour: time.hour().into(), minute: time.minute().into() };
    pb::WorkInterval { from: Some(time(interval.from)), to: Some(time(interval.to)) }
}
