//! Policy documents as they come in.

use std::collections::BTreeSet;

use doudi_domain::{
    RuleId, TopicId, UnitId,
    calendar::{Calendar, DayKind, Exception},
    frequency::{FrequencyPolicy, Ground, Rule, Subject, Window},
    policy::{Document, PolicyName},
    routing::{Allowances, Area, RoutingTable, Topic, Unit},
};
use doudi_engine::{Position, Version};
use uuid::Uuid;

use super::{Fields, common, inspection};
use crate::{
    error::{Failure, Reason},
    proto::{self as pb, policy_document::Document as Given},
    text,
};

const RULES_MAX: usize = 200;
const UNITS_MAX: usize = 2000;
const AREAS_MAX: usize = 200;
const TOPICS_MAX: usize = 1000;
const CO_UNITS_MAX: usize = 100;
const WORKING_DAYS_MAX: u32 = 250;
const YEARS_MAX: usize = 100;
const EXCEPTIONS_MAX: usize = 2000;
/// The most entries of a list of enum values; repeating one says nothing.
const GROUNDS_MAX: usize = 50;

/// A command on a document with what every command brings along.
#[derive(Debug)]
pub(crate) struct Order<C> {
    pub(crate) command_id: Uuid,
    pub(crate) expected_version: Option<Version>,
    pub(crate) name: PolicyName,
    pub(crate) command: C,
}

pub(crate) fn draft(request: &pb::DraftPolicyRequest) -> Result<Order<Document>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let given = request.document.as_ref().and_then(|document| document.document.as_ref());
    let document = match given {
        None => fields.refuse("document", Reason::FieldRequired),
        Some(Given::Frequency(policy)) => frequency(&mut fields, policy).map(Document::Frequency),
        Some(Given::Routing(table)) => routing(&mut fields, table).map(Document::Routing),
        Some(Given::Calendar(given)) => calendar(&mut fields, given).map(Document::Calendar),
    };
    let order = || {
        let document = document?;
        Some(Order {
            command_id: command_id?,
            expected_version: common::version(request.expected_version),
            name: document.name(),
            command: document,
        })
    };
    fields.finish(order())
}

pub(crate) fn publish(request: &pb::PublishPolicyRequest) -> Result<Order<u32>, Failure> {
    let pb::PublishPolicyRequest { command_id, name, document_version, expected_version } = request;
    version(command_id, *name, *document_version, *expected_version)
}

pub(crate) fn retire(request: &pb::RetirePolicyRequest) -> Result<Order<u32>, Failure> {
    let pb::RetirePolicyRequest { command_id, name, document_version, expected_version } = request;
    version(command_id, *name, *document_version, *expected_version)
}

fn version(
    command_id: &str,
    name: i32,
    document_version: u32,
    expected_version: Option<u64>,
) -> Result<Order<u32>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(command_id);
    let name = fields.choice("name", name, policy_name);
    let version = fields.number("document_version", document_version, 1, u32::MAX);
    let order = || {
        Some(Order {
            command_id: command_id?,
            expected_version: common::version(expected_version),
            name: name?,
            command: version?,
        })
    };
    fields.finish(order())
}

/// Which document is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) name: PolicyName,
    /// Its version, unless the one in force is asked for.
    pub(crate) version: Option<u32>,
    pub(crate) at_least: Position,
}

pub(crate) fn get(request: &pb::GetPolicyRequest) -> Result<Asked, Failure> {
    let mut fields = Fields::default();
    let name = fields.choice("name", request.name, policy_name);
    let at_least = fields.min_position(&request.min_position);
    let version = (request.document_version > 0).then_some(request.document_version);
    let asked = name.zip(at_least).map(|(name, at_least)| Asked { name, version, at_least });
    fields.finish(asked)
}

fn policy_name(name: pb::PolicyName) -> Option<PolicyName> {
    match name {
        pb::PolicyName::Unspecified => None,
        pb::PolicyName::Frequency => Some(PolicyName::Frequency),
        pb::PolicyName::Routing => Some(PolicyName::Routing),
        pb::PolicyName::Calendar => Some(PolicyName::Calendar),
    }
}

fn frequency(fields: &mut Fields, policy: &pb::FrequencyPolicy) -> Option<FrequencyPolicy> {
    // How many rules there must be at least, the document says itself when it is judged.
    let bounds = (0, RULES_MAX);
    let rules = fields.each("document.frequency.rules", &policy.rules, bounds, rule)?;
    Some(FrequencyPolicy { rules })
}

fn rule(fields: &mut Fields, path: &str, rule: &pb::FrequencyRule) -> Option<Rule> {
    let at = |name: &str| format!("{path}.{name}");
    let id = fields.parse(&at("id"), &rule.id, RuleId::parse);
    let subject = fields.choice(&at("subject"), rule.subject, |subject| match subject {
        pb::FrequencySubject::Unspecified => None,
        pb::FrequencySubject::SameUnit => Some(Subject::SameUnit),
        pb::FrequencySubject::AllUnits => Some(Subject::AllUnits),
    });
    let window = fields.choice(&at("window"), rule.window, |window| match window {
        pb::FrequencyWindow::Unspecified => None,
        pb::FrequencyWindow::CalendarYear => Some(Window::CalendarYear),
    });
    let maximum = fields.number(&at("maximum"), rule.maximum, 1, u32::MAX);
    let grounds = &rule.exempt_grounds;
    let exempt = fields.each(&at("exempt_grounds"), grounds, (0, GROUNDS_MAX), ground);
    let source = fields.parse(&at("source"), &rule.source, text::name);
    let valid_from = fields.date(&at("valid_from"), rule.valid_from.as_ref());
    let valid_until = fields.optional_date(&at("valid_until"), rule.valid_until.as_ref());
    Some(Rule {
        id: id?,
        subject: subject?,
        window: window?,
        maximum: maximum?,
        exempt_grounds: exempt?.into_iter().collect::<BTreeSet<_>>(),
        source: source?,
        is_default: rule.is_default,
        valid_from: valid_from?,
        valid_until: valid_until?,
    })
}

fn ground(fields: &mut Fields, path: &str, ground: &i32) -> Option<Ground> {
    fields.choice(path, *ground, inspection::ground)
}

fn routing(fields: &mut Fields, table: &pb::RoutingTable) -> Option<RoutingTable> {
    let at = |name: &str| format!("document.routing.{name}");
    let units = fields.each(&at("units"), &table.units, (1, UNITS_MAX), |fields, path, unit| {
        let id = fields.unit(&format!("{path}.id"), &unit.id);
        let name = fields.parse(&format!("{path}.name"), &unit.name, text::name);
        id.zip(name).map(|(id, name)| Unit { id, name })
    });
    let areas = fields.each(&at("areas"), &table.areas, (0, AREAS_MAX), |fields, path, area| {
        let code = fields.area(&format!("{path}.code"), &area.code);
        let name = fields.parse(&format!("{path}.name"), &area.name, text::name);
        let desk = fields.unit(&format!("{path}.desk"), &area.desk);
        Some(Area { code: code?, name: name?, desk: desk? })
    });
    let topics = fields.each(&at("topics"), &table.topics, (0, TOPICS_MAX), topic);
    let city_desk = fields.unit(&at("city_desk"), &table.city_desk);
    let mut days = |name: &str, days: u32| {
        let days = fields.number(&at(name), days, 0, WORKING_DAYS_MAX)?;
        u16::try_from(days).ok()
    };
    let accept = days("accept_working_days", table.accept_working_days);
    let dispatch = days("dispatch_working_days", table.dispatch_working_days);
    let resolve = days("resolve_working_days", table.resolve_working_days);
    Some(RoutingTable {
        units: units?,
        areas: areas?,
        topics: topics?,
        city_desk: city_desk?,
        allowances: Allowances { accept: accept?, dispatch: dispatch?, resolve: resolve? },
    })
}

fn topic(fields: &mut Fields, path: &str, topic: &pb::RoutingTopic) -> Option<Topic> {
    let id = fields.parse(&format!("{path}.id"), &topic.id, TopicId::parse);
    let title = fields.parse(&format!("{path}.title"), &topic.title, text::name);
    let lead = fields.optional(&format!("{path}.lead"), &topic.lead, UnitId::parse);
    let (at, bounds) = (format!("{path}.co_units"), (0, CO_UNITS_MAX));
    let co_units =
        fields.each(&at, &topic.co_units, bounds, |fields, path, unit| fields.unit(path, unit));
    Some(Topic { id: id?, title: title?, lead: lead?, co_units: co_units? })
}

fn calendar(fields: &mut Fields, calendar: &pb::WorkCalendar) -> Option<Calendar> {
    let at = "document.calendar.years";
    let years = fields.each(at, &calendar.years, (0, YEARS_MAX), |fields, path, year| {
        let year = fields.number(path, u32::try_from(*year).unwrap_or(0), 1900, 9999)?;
        i16::try_from(year).ok()
    });
    let (at, bounds) = ("document.calendar.exceptions", (0, EXCEPTIONS_MAX));
    let exceptions = fields.each(at, &calendar.exceptions, bounds, exception);
    Some(Calendar { years: years?, exceptions: exceptions? })
}

fn exception(fields: &mut Fields, path: &str, day: &pb::CalendarException) -> Option<Exception> {
    let date = fields.date(&format!("{path}.date"), day.date.as_ref());
    let kind = fields.choice(&format!("{path}.kind"), day.kind, |kind| match kind {
        pb::DayKind::Unspecified => None,
        pb::DayKind::Holiday => Some(DayKind::Holiday),
        pb::DayKind::Workday => Some(DayKind::Workday),
    });
    let name = fields.parse(&format!("{path}.name"), &day.name, text::name);
    Some(Exception { date: date?, kind: kind?, name: name?.to_string() })
}
