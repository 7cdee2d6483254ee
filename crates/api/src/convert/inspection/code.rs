//! Codes: asked for, opened, and what becomes of them.

use doudi_domain::{
    CodeId, EnterpriseId, VisitId, enterprise,
    visits::{Command, Place},
};

use super::{scan::place, words};
use crate::{
    convert::{Fields, Order, given},
    error::Failure,
    proto as pb,
};

/// How long a code hangs unless it is said otherwise, in days.
const DAYS: u32 = 365;

/// What is said of a code that is to hang at an enterprise.
#[derive(Debug)]
pub(crate) struct Hung {
    pub(crate) days: u32,
    pub(crate) place: Option<Place>,
}

pub(crate) fn issue(request: &pb::IssueEnterpriseCodeRequest) -> Result<Order<Hung>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let days = if request.valid_days == 0 { DAYS } else { request.valid_days };
    let longest = u32::try_from(enterprise::CODE_DAYS_MAX).unwrap_or(u32::MAX);
    let days = fields.number("valid_days", days, 1, longest);
    let place = place(&mut fields, request.place.as_ref());
    let hung = days.zip(place).map(|(days, place)| Hung { days, place });
    fields.order(command_id, enterprise, request.expected_version, hung)
}

pub(crate) fn revoke(
    request: &pb::RevokeEnterpriseCodeRequest,
) -> Result<Order<enterprise::Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let code = fields.parse("code_id", &request.code_id, given(CodeId::parse));
    let command = code.map(|code| enterprise::Command::RevokeCode { code });
    fields.order(command_id, enterprise, request.expected_version, command)
}

pub(crate) fn get(
    request: &pb::GetEnterpriseCodeRequest,
) -> Result<(EnterpriseId, CodeId), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let code = fields.parse("code_id", &request.code_id, given(CodeId::parse));
    fields.finish(enterprise.zip(code))
}

pub(crate) fn show(request: &pb::ShowEnterpriseCodeRequest) -> Result<EnterpriseId, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    fields.finish(enterprise)
}

pub(crate) fn task(request: &pb::ShowTaskCodeRequest) -> Result<(EnterpriseId, VisitId), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = fields.visit(&request.visit_id);
    fields.finish(enterprise.zip(visit))
}

pub(crate) fn read(request: &pb::ReadTaskCodeRequest) -> Result<EnterpriseId, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    fields.finish(enterprise)
}

/// Where the enterprise's device was; the code is opened by whoever asks.
pub(crate) fn admit(request: &pb::AdmitVisitRequest) -> Result<Order<Option<Place>>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let place = place(&mut fields, request.place.as_ref());
    fields.order(command_id, enterprise, None, place)
}

pub(crate) fn refuse(request: &pb::RefuseVisitRequest) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = fields.visit(&request.visit_id);
    let reason = fields.choice("reason", request.reason, words::refusal_reason);
    let command = visit.zip(reason).map(|(visit, reason)| {
        let shown = !request.code.is_empty();
        Command::Refuse { visit, reason, shown }
    });
    fields.order(command_id, enterprise, None, command)
}
