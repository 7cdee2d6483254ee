//! Policy documents as they go out.

use doudi_domain::{
    UnitId,
    calendar::{Calendar, DayKind},
    frequency::{FrequencyPolicy, Rule, Subject, Window},
    policy::{Document, Status},
    routing::{RoutingTable, Topic},
};
use doudi_engine::Folded;

use super::{common, inspection, token};
use crate::proto::{self as pb, policy_document::Document as Given};

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
        document: document.map(|document| pb::PolicyDocument { document: Some(of(document)) }),
        document_version: version,
        status: status.into(),
        version: folded.version.0,
        position: token::of_position(folded.position),
    }
}

fn of(document: &Document) -> Given {
    match document {
        Document::Frequency(policy) => Given::Frequency(of_frequency(policy)),
        Document::Routing(table) => Given::Routing(of_routing(table)),
        Document::Calendar(calendar) => Given::Calendar(of_calendar(calendar)),
    }
}

fn of_frequency(policy: &FrequencyPolicy) -> pb::FrequencyPolicy {
    pb::FrequencyPolicy { rules: policy.rules.iter().map(of_rule).collect() }
}

fn of_rule(rule: &Rule) -> pb::FrequencyRule {
    let subject = match rule.subject {
        Subject::SameUnit => pb::FrequencySubject::SameUnit,
        Subject::AllUnits => pb::FrequencySubject::AllUnits,
    };
    let window = match rule.window {
        Window::CalendarYear => pb::FrequencyWindow::CalendarYear,
    };
    let grounds = rule.exempt_grounds.iter();
    pb::FrequencyRule {
        id: rule.id.to_string(),
        subject: subject.into(),
        window: window.into(),
        maximum: rule.maximum,
        exempt_grounds: grounds.map(|ground| inspection::of_ground(*ground).into()).collect(),
        source: rule.source.to_string(),
        is_default: rule.is_default,
        valid_from: Some(common::of_date(rule.valid_from)),
        valid_until: rule.valid_until.map(common::of_date),
    }
}

fn of_routing(table: &RoutingTable) -> pb::RoutingTable {
    let units = table.units.iter();
    let areas = table.areas.iter();
    pb::RoutingTable {
        units: units
            .map(|unit| pb::RoutingUnit { id: unit.id.to_string(), name: unit.name.to_string() })
            .collect(),
        areas: areas
            .map(|area| pb::RoutingArea {
                code: area.code.to_string(),
                name: area.name.to_string(),
                desk: area.desk.to_string(),
            })
            .collect(),
        topics: table.topics.iter().map(of_topic).collect(),
        city_desk: table.city_desk.to_string(),
        accept_working_days: table.allowances.accept.into(),
        dispatch_working_days: table.allowances.dispatch.into(),
        resolve_working_days: table.allowances.resolve.into(),
    }
}

fn of_topic(topic: &Topic) -> pb::RoutingTopic {
    pb::RoutingTopic {
        id: topic.id.to_string(),
        title: topic.title.to_string(),
        lead: topic.lead.as_ref().map(UnitId::to_string).unwrap_or_default(),
        co_units: topic.co_units.iter().map(UnitId::to_string).collect(),
    }
}

fn of_calendar(calendar: &Calendar) -> pb::WorkCalendar {
    let exceptions = calendar.exceptions.iter().map(|day| {
        let kind = match day.kind {
            DayKind::Holiday => pb::DayKind::Holiday,
            DayKind::Workday => pb::DayKind::Workday,
        };
        let date = Some(common::of_date(day.date));
        pb::CalendarException { date, kind: kind.into(), name: day.name.clone() }
    });
    pb::WorkCalendar {
        years: calendar.years.iter().copied().map(i32::from).collect(),
        exceptions: exceptions.collect(),
    }
}
