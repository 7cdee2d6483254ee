//! Requests and answers about visits and limits.

use doudi_domain::{
    CampaignId, CertificateNumber, EnterpriseId, FewMap, ItemId, UnitId, VisitId,
    visits::{Command, Plan, Share},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{Fields, Order, Reflect, derived, given};
use crate::{
    error::{Failure, Reason},
    proto as pb, text,
};

pub(crate) mod code;
pub(crate) mod found;
pub(crate) mod limits;
pub(crate) mod scan;
pub(crate) mod visit;
pub(crate) mod words;

/// The most officers of a visit.
const OFFICERS_MAX: usize = 20;
/// The most items of a visit.
const ITEMS_MAX: usize = 100;

/// The most units that take part beside the one that leads.
const SHARES_MAX: usize = 10;

/// The fields that every command on a known visit has.
macro_rules! visit_order {
    ($request:ident, $fields:ident, $visit:ident => $command:expr) => {{
        let command_id = $fields.command_id(&$request.command_id);
        let enterprise = $fields.enterprise(&$request.enterprise_id);
        let $visit = $fields.visit(&$request.visit_id);
        let command = $command;
        $fields.order(command_id, enterprise, $request.expected_version, command)
    }};
}

use visit_order;

/// The fields that a plan has, and what is asked about one.
macro_rules! plan_of {
    ($request:ident, $fields:ident) => {{
        // Too few of them are the rules' to refuse, by their own reason.
        let officers = (&$request.officers, (1, OFFICERS_MAX));
        let officers = $fields.set("officers", officers.0, officers.1, CertificateNumber::parse);
        let items = $fields.set("items", &$request.items, (1, ITEMS_MAX), ItemId::parse);
        let ground = $fields.choice("ground", $request.ground, words::ground);
        let mut reference = |path: &str, text: &str| $fields.optional(path, text, text::reference);
        let evidence = reference("evidence", &$request.evidence);
        let justification = reference("justification", &$request.justification);
        let on_site_reason = reference("on_site_reason", &$request.on_site_reason);
        let on = $fields.date("planned_on", $request.planned_on.as_ref());
        let shares = shares(&mut $fields, &$request.shares);
        let campaign = $fields.optional("campaign_id", &$request.campaign_id, CampaignId::parse);
        let recheck_of = $fields.optional("recheck_of", &$request.recheck_of, VisitId::parse);
        move |visit: VisitId, unit: UnitId| -> Option<Plan> {
            Some(Plan {
                visit,
                unit,
                officers: officers?,
                items: items?,
                shares: shares?,
                ground: ground?,
                evidence: evidence?,
                justification: justification?,
                on_site_reason: on_site_reason?,
                campaign: campaign?,
                recheck_of: recheck_of?,
                on: on?,
            })
        }
    }};
}

pub(crate) fn plan(request: &pb::PlanVisitRequest, unit: UnitId) -> Result<Order<Plan>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let plan = plan_of!(request, fields);
    of_others(&mut fields, &request.shares, &unit);
    let visit = enterprise.as_ref().zip(command_id).map(|(of, id)| derived::visit(of, id));
    let command = visit.and_then(|visit| plan(visit, unit));
    fields.order(command_id, enterprise, request.expected_version, command)
}

/// The enterprise, and the plan that is asked about: one that nobody has made.
pub(crate) fn explain(
    request: &pb::ExplainPlanRequest,
    own: Option<&UnitId>,
) -> Result<(EnterpriseId, Plan), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let unit = asked_unit(&mut fields, &request.unit, own);
    let plan = plan_of!(request, fields);
    if let Some(unit) = &unit {
        of_others(&mut fields, &request.shares, unit);
    }
    let plan = unit.and_then(|unit| plan(VisitId(Uuid::nil()), unit));
    fields.finish(enterprise.zip(plan))
}

/// The unit that leads brings no share beside its own officers and items.
fn of_others(fields: &mut Fields, shares: &[pb::Share], lead: &UnitId) {
    if let Some(at) = shares.iter().position(|share| share.unit == lead.as_str()) {
        fields.refuse::<()>(&format!("shares[{at}].unit"), Reason::ListDuplicate);
    }
}

/// What other units bring, each unit once.
fn shares(fields: &mut Fields, shares: &[pb::Share]) -> Option<FewMap<UnitId, Share>> {
    let mut found = FewMap::new();
    let all = fields.each("shares", shares, (0, SHARES_MAX), |fields, path, share| {
        let unit = fields.unit(&format!("{path}.unit"), &share.unit);
        let bounds = (1, OFFICERS_MAX);
        let at = format!("{path}.officers");
        let officers = fields.set(&at, &share.officers, bounds, CertificateNumber::parse);
        let items =
            fields.set(&format!("{path}.items"), &share.items, (1, ITEMS_MAX), ItemId::parse);
        let (unit, share) = unit
            .zip(officers.zip(items))
            .map(|(unit, (officers, items))| (unit, Share { officers, items }))?;
        match found.insert(unit, share) {
            None => Some(()),
            Some(_) => fields.refuse(&format!("{path}.unit"), Reason::ListDuplicate),
        }
    });
    all.map(|_| found)
}

pub(crate) fn notify(
    request: &pb::NotifyVisitRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    visit_order!(request, fields, visit => visit.map(|visit| Command::Notify { visit, unit }))
}

pub(crate) fn merge(
    request: &pb::MergeVisitsRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let into = fields.parse("into_visit_id", &request.into_visit_id, given(VisitId::parse));
    visit_order!(request, fields, visit => {
        visit.zip(into).map(|(visit, into)| Command::Merge { visit, into, unit })
    })
}

pub(crate) fn approve(
    request: &pb::ApproveVisitRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    visit_order!(request, fields, visit => visit.map(|visit| Command::Approve { visit, unit }))
}

pub(crate) fn check_out(
    request: &pb::CheckOutRequest,
    unit: UnitId,
) -> Result<Order<(VisitId, UnitId, Timestamp)>, Failure> {
    let mut fields = Fields::default();
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    visit_order!(request, fields, visit => {
        visit.zip(occurred_at).map(|(visit, at)| (visit, unit, at))
    })
}

pub(crate) fn cancel(
    request: &pb::CancelVisitRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let reason = fields.choice("reason", request.reason, words::cancel_reason);
    visit_order!(request, fields, visit => {
        visit.zip(reason).map(|(visit, reason)| Command::Cancel { visit, unit, reason })
    })
}

/// What is asked of one visit: the enterprise, the visit, and what the answer must reflect.
pub(crate) type AskedOf = (EnterpriseId, VisitId, Reflect);

pub(crate) fn get(request: &pb::GetVisitRequest) -> Result<AskedOf, Failure> {
    asked_of(
        &request.enterprise_id,
        &request.visit_id,
        &request.min_position,
        request.as_of.as_ref(),
    )
}

pub(super) fn asked_of(
    enterprise_id: &str,
    visit_id: &str,
    min_position: &str,
    as_of: Option<&pb::AsOf>,
) -> Result<AskedOf, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(enterprise_id);
    let visit = fields.visit(visit_id);
    let reflect = fields.reflecting(min_position, as_of);
    let asked = || Some((enterprise?, visit?, reflect?));
    fields.finish(asked())
}

/// What is asked of the quota view.
#[derive(Debug)]
pub(crate) struct QuotaAsked {
    pub(crate) enterprise: EnterpriseId,
    pub(crate) unit: UnitId,
    pub(crate) on: Date,
    pub(crate) reflect: Reflect,
}

pub(crate) fn quota(
    request: &pb::GetQuotaRequest,
    own: Option<&UnitId>,
    today: Date,
) -> Result<QuotaAsked, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let unit = asked_unit(&mut fields, &request.unit, own);
    let on = fields.optional_date("on", request.on.as_ref());
    let reflect = fields.reflecting(&request.min_position, request.as_of.as_ref());
    let asked = || {
        Some(QuotaAsked {
            enterprise: enterprise?,
            unit: unit?,
            on: on?.unwrap_or(today),
            reflect: reflect?,
        })
    };
    fields.finish(asked())
}

/// Whose view is asked for; who has no unit must say.
pub(super) fn asked_unit(fields: &mut Fields, unit: &str, own: Option<&UnitId>) -> Option<UnitId> {
    match own {
        Some(own) if unit.is_empty() => Some(own.clone()),
        Some(_) | None => fields.unit("unit", unit),
    }
}
