//! Requests and answers about visits and limits.

use doudi_domain::{
    CertificateNumber, EnterpriseId, ItemId, Reference, UnitId, VisitId,
    frequency::{Ground, Standing},
    visits::{CancelReason, CheckIn, Command, ItemResult, Outcome, Phase, Plan, Visit},
};
use doudi_engine::{Folded, Position};
use jiff::{Timestamp, civil::Date};

use super::{Fields, Order, common, derived, token};
use crate::{
    error::{Failure, Reason},
    proto as pb, text,
};

/// The most officers of a visit.
const OFFICERS_MAX: usize = 20;
/// The most items of a visit.
const ITEMS_MAX: usize = 100;

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

pub(crate) fn plan(request: &pb::PlanVisitRequest, unit: UnitId) -> Result<Order<Plan>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let least = doudi_domain::visits::OFFICERS_MIN;
    let officers =
        fields.set("officers", &request.officers, (least, OFFICERS_MAX), CertificateNumber::parse);
    let items = fields.set("items", &request.items, (1, ITEMS_MAX), ItemId::parse);
    let ground = fields.choice("ground", request.ground, ground);
    let evidence = fields.optional("evidence", &request.evidence, text::reference);
    let on = fields.date("planned_on", request.planned_on.as_ref());
    let order = || {
        let (command_id, enterprise) = command_id.zip(enterprise)?;
        let visit = derived::visit(&enterprise, command_id);
        Some(Order {
            command_id,
            expected_version: common::version(request.expected_version),
            enterprise,
            command: Plan {
                visit,
                unit,
                officers: officers?,
                items: items?,
                ground: ground?,
                evidence: evidence?,
                on: on?,
            },
        })
    };
    fields.finish(order())
}

pub(crate) fn approve(
    request: &pb::ApproveVisitRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    visit_order!(request, fields, visit => visit.map(|visit| Command::Approve { visit, unit }))
}

pub(crate) fn check_in(
    request: &pb::CheckInRequest,
    unit: UnitId,
) -> Result<Order<(VisitId, UnitId, CheckIn)>, Failure> {
    let mut fields = Fields::default();
    let officers =
        fields.set("officers", &request.officers, (1, OFFICERS_MAX), CertificateNumber::parse);
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    let scan = officers.zip(occurred_at).map(|(officers, occurred_at)| CheckIn {
        officers,
        occurred_at,
        offline: request.offline,
    });
    visit_order!(request, fields, visit => {
        visit.zip(scan).map(|(visit, scan)| (visit, unit, scan))
    })
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

pub(crate) fn report(
    request: &pb::ReportResultRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let results = fields.each("results", &request.results, (1, ITEMS_MAX), item_result);
    visit_order!(request, fields, visit => {
        visit.zip(results).map(|(visit, results)| Command::ReportResult { visit, unit, results })
    })
}

pub(crate) fn cancel(
    request: &pb::CancelVisitRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let reason = fields.choice("reason", request.reason, cancel_reason);
    visit_order!(request, fields, visit => {
        visit.zip(reason).map(|(visit, reason)| Command::Cancel { visit, unit, reason })
    })
}

/// The enterprise, the visit, and the position that the answer must reflect.
pub(crate) fn get(
    request: &pb::GetVisitRequest,
) -> Result<(EnterpriseId, VisitId, Position), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = fields.visit(&request.visit_id);
    let at_least = fields.min_position(&request.min_position);
    let asked = || Some((enterprise?, visit?, at_least?));
    fields.finish(asked())
}

/// What is asked of the quota view.
#[derive(Debug)]
pub(crate) struct QuotaAsked {
    pub(crate) enterprise: EnterpriseId,
    pub(crate) unit: UnitId,
    pub(crate) on: Date,
    pub(crate) at_least: Position,
}

pub(crate) fn quota(
    request: &pb::GetQuotaRequest,
    own: Option<&UnitId>,
    today: Date,
) -> Result<QuotaAsked, Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    // Who has no unit must say whose view is asked for.
    let unit = match own {
        Some(own) if request.unit.is_empty() => Some(own.clone()),
        Some(_) | None => fields.unit("unit", &request.unit),
    };
    let on = fields.optional_date("on", request.on.as_ref());
    let at_least = fields.min_position(&request.min_position);
    let asked = || {
        Some(QuotaAsked {
            enterprise: enterprise?,
            unit: unit?,
            on: on?.unwrap_or(today),
            at_least: at_least?,
        })
    };
    fields.finish(asked())
}

pub(crate) fn of_standing(standing: &Standing) -> pb::Quota {
    pb::Quota {
        rule: standing.rule.to_string(),
        source: standing.source.to_string(),
        unit: standing.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        from: Some(common::of_date(standing.from)),
        until: Some(common::of_date(standing.until)),
        maximum: standing.maximum,
        reserved: standing.reserved,
        used: standing.used,
        exempt: standing.exempt,
        remaining: standing.remaining(),
        visit_ids: standing.visits.iter().map(VisitId::to_string).collect(),
        frees_on: Some(common::of_date(standing.frees_on())),
    }
}

pub(crate) fn answer<D>(
    id: &EnterpriseId,
    visit: &Visit,
    folded: &Folded<D>,
) -> pb::GetVisitResponse {
    let Visit { plan, phase } = visit;
    let results = match phase {
        Phase::Reported { results, .. } => results.iter().map(of_result).collect(),
        Phase::Planned
        | Phase::Approved
        | Phase::CheckedIn { .. }
        | Phase::CheckedOut { .. }
        | Phase::Cancelled
        | Phase::Expired => vec![],
    };
    let visit = pb::Visit {
        visit_id: plan.visit.to_string(),
        enterprise_id: id.to_string(),
        unit: plan.unit.to_string(),
        officers: plan.officers.iter().map(CertificateNumber::to_string).collect(),
        items: plan.items.iter().map(ItemId::to_string).collect(),
        ground: of_ground(plan.ground).into(),
        evidence: plan.evidence.as_ref().map(Reference::to_string).unwrap_or_default(),
        planned_on: Some(common::of_date(plan.on)),
        state: of_phase(phase).into(),
        checked_in_at: visit.checked_in_at().map(common::of_timestamp),
        results,
    };
    pb::GetVisitResponse {
        visit: Some(visit),
        version: folded.version.0,
        position: token::of_position(folded.position),
    }
}

fn item_result(fields: &mut Fields, path: &str, result: &pb::ItemResult) -> Option<ItemResult> {
    let item = fields.parse(&format!("{path}.item"), &result.item, ItemId::parse);
    let outcome = fields.choice(&format!("{path}.outcome"), result.outcome, finding)?;
    let day_path = format!("{path}.rectify_by");
    let outcome = match (outcome, &result.rectify_by) {
        (Finding::RectifyBy, day) => fields.date(&day_path, day.as_ref()).map(Outcome::RectifyBy),
        (Finding::Plain(outcome), None) => Some(outcome),
        (Finding::Plain(_), Some(_)) => fields.refuse(&day_path, Reason::FieldNotAllowed),
    };
    item.zip(outcome).map(|(item, outcome)| ItemResult { item, outcome })
}

/// A finding before its day is read, if it has one.
enum Finding {
    RectifyBy,
    Plain(Outcome),
}

fn finding(outcome: pb::ItemOutcome) -> Option<Finding> {
    match outcome {
        pb::ItemOutcome::Unspecified => None,
        pb::ItemOutcome::RectifyBy => Some(Finding::RectifyBy),
        pb::ItemOutcome::Pass => Some(Finding::Plain(Outcome::Pass)),
        pb::ItemOutcome::CorrectedOnTheSpot => Some(Finding::Plain(Outcome::CorrectedOnTheSpot)),
        pb::ItemOutcome::CaseFiled => Some(Finding::Plain(Outcome::CaseFiled)),
        pb::ItemOutcome::TransferredToPolice => Some(Finding::Plain(Outcome::TransferredToPolice)),
    }
}

fn of_result(result: &ItemResult) -> pb::ItemResult {
    let (outcome, rectify_by) = match result.outcome {
        Outcome::Pass => (pb::ItemOutcome::Pass, None),
        Outcome::CorrectedOnTheSpot => (pb::ItemOutcome::CorrectedOnTheSpot, None),
        Outcome::RectifyBy(day) => (pb::ItemOutcome::RectifyBy, Some(common::of_date(day))),
        Outcome::CaseFiled => (pb::ItemOutcome::CaseFiled, None),
        Outcome::TransferredToPolice => (pb::ItemOutcome::TransferredToPolice, None),
    };
    pb::ItemResult { item: result.item.to_string(), outcome: outcome.into(), rectify_by }
}

pub(super) fn ground(ground: pb::Ground) -> Option<Ground> {
    match ground {
        pb::Ground::Unspecified => None,
        pb::Ground::Routine => Some(Ground::Routine),
        pb::Ground::Random => Some(Ground::Random),
        pb::Ground::Special => Some(Ground::Special),
        pb::Ground::Complaint => Some(Ground::Complaint),
        pb::Ground::Assigned => Some(Ground::Assigned),
        pb::Ground::MonitoringLead => Some(Ground::MonitoringLead),
        pb::Ground::EnterpriseRequest => Some(Ground::EnterpriseRequest),
        pb::Ground::RectificationRecheck => Some(Ground::RectificationRecheck),
        pb::Ground::LicenceVerification => Some(Ground::LicenceVerification),
        pb::Ground::Media => Some(Ground::Media),
        pb::Ground::Urgent => Some(Ground::Urgent),
        pb::Ground::DeployedCampaign => Some(Ground::DeployedCampaign),
    }
}

pub(super) fn of_ground(ground: Ground) -> pb::Ground {
    match ground {
        Ground::Routine => pb::Ground::Routine,
        Ground::Random => pb::Ground::Random,
        Ground::Special => pb::Ground::Special,
        Ground::Complaint => pb::Ground::Complaint,
        Ground::Assigned => pb::Ground::Assigned,
        Ground::MonitoringLead => pb::Ground::MonitoringLead,
        Ground::EnterpriseRequest => pb::Ground::EnterpriseRequest,
        Ground::RectificationRecheck => pb::Ground::RectificationRecheck,
        Ground::LicenceVerification => pb::Ground::LicenceVerification,
        Ground::Media => pb::Ground::Media,
        Ground::Urgent => pb::Ground::Urgent,
        Ground::DeployedCampaign => pb::Ground::DeployedCampaign,
    }
}

fn cancel_reason(reason: pb::CancelReason) -> Option<CancelReason> {
    match reason {
        pb::CancelReason::Unspecified => None,
        pb::CancelReason::TaskWithdrawn => Some(CancelReason::TaskWithdrawn),
        pb::CancelReason::CoveredByOther => Some(CancelReason::CoveredByOther),
        pb::CancelReason::EnterpriseGone => Some(CancelReason::EnterpriseGone),
        pb::CancelReason::OfficersUnavailable => Some(CancelReason::OfficersUnavailable),
    }
}

fn of_phase(phase: &Phase) -> pb::VisitState {
    match phase {
        Phase::Planned => pb::VisitState::Planned,
        Phase::Approved => pb::VisitState::Approved,
        Phase::CheckedIn { .. } => pb::VisitState::CheckedIn,
        Phase::CheckedOut { .. } => pb::VisitState::CheckedOut,
        Phase::Reported { .. } => pb::VisitState::Reported,
        Phase::Cancelled => pb::VisitState::Cancelled,
        Phase::Expired => pb::VisitState::Expired,
    }
}
