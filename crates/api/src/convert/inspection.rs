//! Requests and answers about visits and limits.

use std::collections::BTreeSet;

use doudi_domain::{
    CertificateNumber, EnterpriseId, ItemId, Reference, UnitId, VisitId,
    frequency::{FloorStanding, Key, Standing},
    visits::{CheckIn, Command, Explanation, ItemResult, Outcome, Phase, Plan, Visit},
};
use doudi_engine::{Folded, Position};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{Fields, Order, common, derived, token};
use crate::{
    error::{Explain, Failure, Reason, Words},
    proto as pb, text,
};

pub(crate) mod words;

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

/// The fields that a plan has, and what is asked about one.
macro_rules! plan_of {
    ($request:ident, $fields:ident) => {{
        let least = doudi_domain::visits::OFFICERS_MIN;
        let officers = (&$request.officers, (least, OFFICERS_MAX));
        let officers = $fields.set("officers", officers.0, officers.1, CertificateNumber::parse);
        let items = $fields.set("items", &$request.items, (1, ITEMS_MAX), ItemId::parse);
        let ground = $fields.choice("ground", $request.ground, words::ground);
        let mut reference = |path: &str, text: &str| $fields.optional(path, text, text::reference);
        let evidence = reference("evidence", &$request.evidence);
        let justification = reference("justification", &$request.justification);
        let on_site_reason = reference("on_site_reason", &$request.on_site_reason);
        let on = $fields.date("planned_on", $request.planned_on.as_ref());
        move |visit: VisitId, unit: UnitId| -> Option<Plan> {
            Some(Plan {
                visit,
                unit,
                co_units: BTreeSet::new(),
                officers: officers?,
                items: items?,
                ground: ground?,
                evidence: evidence?,
                justification: justification?,
                on_site_reason: on_site_reason?,
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
    let plan = unit.and_then(|unit| plan(VisitId(Uuid::nil()), unit));
    fields.finish(enterprise.zip(plan))
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
    let reason = fields.choice("reason", request.reason, words::cancel_reason);
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
    let unit = asked_unit(&mut fields, &request.unit, own);
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

/// Whose view is asked for; who has no unit must say.
fn asked_unit(fields: &mut Fields, unit: &str, own: Option<&UnitId>) -> Option<UnitId> {
    match own {
        Some(own) if unit.is_empty() => Some(own.clone()),
        Some(_) | None => fields.unit("unit", unit),
    }
}

pub(crate) fn of_standing(standing: &Standing) -> pb::Quota {
    let unit = if let Key::Unit(unit) = &standing.key { unit.to_string() } else { String::new() };
    let (subject, key) = of_key(&standing.key);
    pb::Quota {
        rule: standing.rule.to_string(),
        source: standing.source.to_string(),
        unit,
        from: Some(common::of_date(standing.from)),
        until: Some(common::of_date(standing.until)),
        maximum: standing.maximum,
        reserved: standing.reserved,
        used: standing.used,
        exempt: standing.exempt,
        remaining: standing.remaining(),
        visit_ids: standing.visits.iter().map(VisitId::to_string).collect(),
        frees_on: standing.frees_on.map(common::of_date),
        subject: subject.into(),
        key,
        weight: standing.weight,
        on_exceeding: words::of_on_exceeding(standing.on_exceeding).into(),
        would_exceed: standing.would_exceed(),
    }
}

fn of_key(key: &Key) -> (pb::FrequencySubject, String) {
    match key {
        Key::Unit(unit) => (pb::FrequencySubject::SameUnit, unit.to_string()),
        Key::Level(level) => {
            let level = words::of_level(*level);
            (pb::FrequencySubject::SameLevel, level.as_str_name().to_owned())
        }
        Key::All => (pb::FrequencySubject::AllUnits, String::new()),
        Key::Field(field) => (pb::FrequencySubject::SameField, field.to_string()),
        Key::Item(item) => (pb::FrequencySubject::SameItem, item.to_string()),
        Key::Officer(officer) => (pb::FrequencySubject::SameOfficer, officer.to_string()),
    }
}

fn of_floor(floor: &FloorStanding) -> pb::FloorStanding {
    pb::FloorStanding {
        rule: floor.rule.to_string(),
        source: floor.source.to_string(),
        from: Some(common::of_date(floor.from)),
        until: Some(common::of_date(floor.until)),
        minimum: floor.minimum,
        carried_out: floor.carried_out,
        is_due: floor.is_due(),
    }
}

/// What planning would come to, with the versions of the documents that were looked at.
pub(crate) fn of_explanation(
    found: &Explanation,
    (policy_version, catalogue_version): (Option<u32>, Option<u32>),
    position: Position,
) -> pb::ExplainPlanResponse {
    let told = found.rejection.as_ref().map(|rejection| rejection.explain().told());
    let (reason, words) = match told {
        Some((reason, words)) => (reason.as_str(), words),
        None => ("", Words::pair("", "")),
    };
    let assessment = found.assessment.as_ref();
    let standings = assessment.map_or(&[][..], |found| &found.standings);
    let floors = assessment.map_or(&[][..], |found| &found.floors);
    pb::ExplainPlanResponse {
        verdict: self::words::of_verdict(found.verdict).into(),
        reason: reason.to_owned(),
        text_en: words.en.into_owned(),
        text_zh: words.zh.into_owned(),
        quotas: standings.iter().map(of_standing).collect(),
        floors: floors.iter().map(of_floor).collect(),
        policy_version: policy_version.unwrap_or_default(),
        catalogue_version: catalogue_version.unwrap_or_default(),
        position: token::of_position(position),
    }
}

pub(crate) fn answer<D>(
    id: &EnterpriseId,
    visit: &Visit,
    folded: &Folded<D>,
) -> pb::GetVisitResponse {
    let Visit { plan, phase, .. } = visit;
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
        ground: words::of_ground(plan.ground).into(),
        evidence: plan.evidence.as_ref().map(Reference::to_string).unwrap_or_default(),
        planned_on: Some(common::of_date(plan.on)),
        state: of_phase(phase).into(),
        checked_in_at: visit.checked_in_at().map(common::of_timestamp),
        results,
        justification: plan.justification.as_ref().map(Reference::to_string).unwrap_or_default(),
        on_site_reason: plan.on_site_reason.as_ref().map(Reference::to_string).unwrap_or_default(),
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
