//! Policy documents as they come in.

use doudi_domain::{
    Invalid, UnitId,
    policy::{Document, PolicyName},
};
use doudi_engine::{Position, Version};
use uuid::Uuid;

use super::{Fields, common};
use crate::{
    error::{Failure, Reason},
    proto::{self as pb, policy_document::Document as Given},
};

mod calendar;
pub(crate) mod cases;
mod catalogue;
mod frequency;
mod routing;

pub(crate) use frequency::enterprises;

/// The longest id of a unit that can have a catalogue, in bytes.
const CATALOGUE_UNIT_MAX: usize = 54;
const WORKING_DAYS_MAX: u32 = 250;

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

pub(super) fn document(
    fields: &mut Fields,
    given: Option<&pb::PolicyDocument>,
) -> Option<Document> {
    match given.and_then(|document| document.document.as_ref()) {
        None => fields.refuse("document", Reason::FieldRequired),
        Some(Given::Frequency(policy)) => {
            frequency::policy(fields, policy).map(Document::Frequency)
        }
        Some(Given::Routing(table)) => routing::table(fields, table).map(Document::Routing),
        Some(Given::Calendar(given)) => calendar::calendar(fields, given).map(Document::Calendar),
        Some(Given::CaseTypes(given)) => cases::case_types(fields, given).map(Document::CaseTypes),
        Some(Given::Catalogue(given)) => {
            catalogue::catalogue(fields, given).map(Document::Catalogue)
        }
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
    let pb::PublishPolicyRequest { command_id, name, document_version, expected_version, unit } =
        request;
    version(command_id, (*name, unit), *document_version, *expected_version)
}

pub(crate) fn retire(request: &pb::RetirePolicyRequest) -> Result<Order<u32>, Failure> {
    let pb::RetirePolicyRequest { command_id, name, document_version, expected_version, unit } =
        request;
    version(command_id, (*name, unit), *document_version, *expected_version)
}

fn version(
    command_id: &str,
    (name, unit): (i32, &str),
    document_version: u32,
    expected_version: Option<u64>,
) -> Result<Order<u32>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(command_id);
    let name = policy_name(&mut fields, name, unit);
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
    let name = policy_name(&mut fields, request.name, &request.unit);
    let at_least = fields.min_position(&request.min_position);
    let version = (request.document_version > 0).then_some(request.document_version);
    let asked = name.zip(at_least).map(|(name, at_least)| Asked { name, version, at_least });
    fields.finish(asked)
}

/// A unit that can have a catalogue: the name of its stream has room for so long an id.
fn catalogue_unit(fields: &mut Fields, path: &str, text: &str) -> Option<UnitId> {
    fields.parse(path, text, |text| match text.len() {
        0..=CATALOGUE_UNIT_MAX => UnitId::parse(text),
        _ => Err(Invalid::TooLong { max: CATALOGUE_UNIT_MAX }),
    })
}

/// The document that is meant; only catalogues have a unit.
fn policy_name(fields: &mut Fields, name: i32, unit: &str) -> Option<PolicyName> {
    let given = |name| (name != pb::PolicyName::Unspecified).then_some(name);
    let name = fields.choice("name", name, given)?;
    if name != pb::PolicyName::Catalogue && !unit.is_empty() {
        return fields.refuse("unit", Reason::FieldNotAllowed);
    }
    match name {
        pb::PolicyName::Unspecified => None,
        pb::PolicyName::Frequency => Some(PolicyName::Frequency),
        pb::PolicyName::Routing => Some(PolicyName::Routing),
        pb::PolicyName::Calendar => Some(PolicyName::Calendar),
        pb::PolicyName::CaseTypes => Some(PolicyName::CaseTypes),
        pb::PolicyName::Catalogue => {
            catalogue_unit(fields, "unit", unit).map(PolicyName::Catalogue)
        }
    }
}
