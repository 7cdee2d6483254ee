//! Policy documents as they come in.

use std::collections::BTreeSet;

use doudi_domain::{
    RuleId,
    frequency::{FrequencyPolicy, Ground, Rule, Subject, Window},
    policy::{Document, PolicyName},
};
use doudi_engine::{Position, Version};
use uuid::Uuid;

use super::{Fields, common, inspection};
use crate::{
    error::{Failure, Reason},
    proto::{self as pb, policy_document::Document as Given},
    text,
};

mod calendar;
pub(crate) mod cases;
mod routing;

const RULES_MAX: usize = 200;
const WORKING_DAYS_MAX: u32 = 250;
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

/// A document as a client sends it, for whoever publishes one without going through the API.
///
/// # Errors
/// `INVALID_ARGUMENT` with everything that is wrong with its fields.
pub fn policy_document(given: &pb::PolicyDocument) -> Result<Document, tonic::Status> {
    let mut fields = Fields::default();
    let document = document(&mut fields, Some(given));
    fields.finish(document).map_err(tonic::Status::from)
}

fn document(fields: &mut Fields, given: Option<&pb::PolicyDocument>) -> Option<Document> {
    match given.and_then(|document| document.document.as_ref()) {
        None => fields.refuse("document", Reason::FieldRequired),
        Some(Given::Frequency(policy)) => frequency(fields, policy).map(Document::Frequency),
        Some(Given::Routing(table)) => routing::table(fields, table).map(Document::Routing),
        Some(Given::Calendar(given)) => calendar::calendar(fields, given).map(Document::Calendar),
        Some(Given::CaseTypes(given)) => cases::case_types(fields, given).map(Document::CaseTypes),
    }
}

pub(crate) fn draft(request: &pb::DraftPolicyRequest) -> Result<Order<Document>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let document = document(&mut fields, request.document.as_ref());
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
        pb::PolicyName::CaseTypes => Some(PolicyName::CaseTypes),
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
