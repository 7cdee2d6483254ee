//! Requests and answers about special campaigns.

use doudi_domain::{
    AreaCode, CampaignId, ItemId, Reference, UnitId,
    campaign::{
        AREAS_MAX, Approval, CO_UNITS_MAX, Campaign, Capacity, Command, Filing, ITEMS_MAX, Plan,
    },
    catalogue::Level,
};
use doudi_engine::{Folded, Position};

use super::{
    Fields,
    alike::alike,
    city::{self, Order},
    common, derived, given,
    inspection::words,
    policy::enterprises,
    policy_reply::of_enterprises,
    token,
};
use crate::{
    error::{Failure, Reason},
    proto as pb, text,
};

alike! {
    ApprovalCapacity = Capacity, capacity, of_capacity: Government SuperiorOrgan;
}

/// The fields that every command on a known campaign has.
macro_rules! campaign_order {
    ($request:ident, $fields:ident, $command:expr) => {{
        let command_id = $fields.command_id(&$request.command_id);
        let campaign = campaign(&mut $fields, &$request.campaign_id);
        let command = $command;
        city::order($fields, command_id, $request.expected_version, campaign, command)
    }};
}

fn campaign(fields: &mut Fields, text: &str) -> Option<CampaignId> {
    fields.parse("campaign_id", text, given(CampaignId::parse))
}

pub(crate) fn propose(
    request: &pb::ProposeCampaignRequest,
    unit: UnitId,
) -> Result<Order<CampaignId, Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let plan = match &request.plan {
        None => fields.refuse("plan", Reason::FieldRequired),
        Some(given) => plan(&mut fields, given, unit),
    };
    let id = command_id.map(derived::campaign);
    city::order(fields, command_id, None, id, plan.map(Command::Propose))
}

fn plan(fields: &mut Fields, given: &pb::CampaignPlan, unit: UnitId) -> Option<Plan> {
    let title = fields.parse("plan.title", &given.title, text::name);
    let co_units = (&given.co_units, (0, CO_UNITS_MAX));
    let co_units = fields.set("plan.co_units", co_units.0, co_units.1, UnitId::parse);
    let items = fields.set("plan.items", &given.items, (1, ITEMS_MAX), ItemId::parse);
    let areas = fields.set("plan.areas", &given.areas, (0, AREAS_MAX), AreaCode::parse);
    let enterprises = enterprises(fields, "plan.enterprises", given.enterprises.as_ref());
    let from = fields.date("plan.from", given.from.as_ref());
    let until = fields.date("plan.until", given.until.as_ref());
    fields.in_order("plan.until", from, until);
    let basis = fields.parse("plan.basis", &given.basis, text::reference);
    Some(Plan {
        title: title?,
        unit,
        co_units: co_units?,
        items: items?,
        areas: areas?,
        enterprises: enterprises?,
        from: from?,
        until: until?,
        basis: basis?,
    })
}

/// An approval as it was asked for; its approver where one is named.
#[derive(Debug)]
pub(crate) struct Approving {
    /// None for the caller's unit.
    approver: Option<UnitId>,
    capacity: Capacity,
    level: Level,
    document: Reference,
}

impl Approving {
    /// The unit that is named as approver, if one is.
    pub(crate) fn named(&self) -> Option<&UnitId> {
        self.approver.as_ref()
    }

    /// The command, by that approver.
    pub(crate) fn by(&self, approver: UnitId) -> Command {
        let Self { capacity, level, document, .. } = self;
        let (capacity, level, document) = (*capacity, *level, document.clone());
        Command::Approve(Approval { approver, capacity, level, document })
    }
}

pub(crate) fn approve(
    request: &pb::ApproveCampaignRequest,
) -> Result<Order<CampaignId, Approving>, Failure> {
    let mut fields = Fields::default();
    let approving = match &request.approval {
        None => fields.refuse("approval", Reason::FieldRequired),
        Some(given) => approving(&mut fields, given),
    };
    campaign_order!(request, fields, approving)
}

fn approving(fields: &mut Fields, given: &pb::CampaignApproval) -> Option<Approving> {
    let approver = fields.optional("approval.approver", &given.approver, UnitId::parse);
    let capacity = fields.choice("approval.capacity", given.capacity, capacity);
    let level = fields.choice("approval.level", given.level, words::level);
    let document = fields.parse("approval.document", &given.document, text::reference);
    Some(Approving { approver: approver?, capacity: capacity?, level: level?, document: document? })
}

pub(crate) fn file(
    request: &pb::FileCampaignRequest,
    unit: UnitId,
) -> Result<Order<CampaignId, Command>, Failure> {
    let mut fields = Fields::default();
    let filing = match &request.filing {
        None => fields.refuse("filing", Reason::FieldRequired),
        Some(given) => {
            let with = fields.unit("filing.unit", &given.unit);
            let document = fields.parse("filing.document", &given.document, text::reference);
            with.zip(document).map(|(with, document)| Filing { with, document })
        }
    };
    campaign_order!(request, fields, filing.map(|filing| Command::File { unit, filing }))
}

pub(crate) fn publish(
    request: &pb::PublishCampaignRequest,
    unit: UnitId,
) -> Result<Order<CampaignId, Command>, Failure> {
    let mut fields = Fields::default();
    let document = fields.parse("document", &request.document, text::reference);
    campaign_order!(request, fields, document.map(|document| Command::Publish { unit, document }))
}

pub(crate) fn withdraw(
    request: &pb::WithdrawCampaignRequest,
    unit: UnitId,
) -> Result<Order<CampaignId, Command>, Failure> {
    let mut fields = Fields::default();
    let reason = fields.parse("reason", &request.reason, text::reference);
    campaign_order!(request, fields, reason.map(|reason| Command::Withdraw { unit, reason }))
}

pub(crate) fn get(request: &pb::GetCampaignRequest) -> Result<(CampaignId, Position), Failure> {
    let mut fields = Fields::default();
    let campaign = campaign(&mut fields, &request.campaign_id);
    let at_least = fields.min_position(&request.min_position);
    fields.finish(campaign.zip(at_least))
}

/// The campaign as it is; none before it was proposed.
pub(crate) fn answer(id: CampaignId, folded: &Folded<Campaign>) -> Option<pb::GetCampaignResponse> {
    let campaign = &folded.state;
    let plan = campaign.plan()?;
    let (phase, withdrawn_for) = match campaign {
        Campaign::Absent => return None,
        Campaign::Proposed(_) => (pb::CampaignPhase::Proposed, None),
        Campaign::Approved(_) => (pb::CampaignPhase::Approved, None),
        Campaign::Filed(_) => (pb::CampaignPhase::Filed, None),
        Campaign::Published(_) => (pb::CampaignPhase::Published, None),
        Campaign::Withdrawn(known) => (pb::CampaignPhase::Withdrawn, Some(&known.reason)),
    };
    let text = |reference: Option<&Reference>| reference.map(Reference::to_string);
    let answer = pb::Campaign {
        campaign_id: id.to_string(),
        unit: plan.unit.to_string(),
        plan: Some(of_plan(plan)),
        phase: phase.into(),
        approval: campaign.approval().map(of_approval),
        filing: campaign.filing().map(|filing| pb::CampaignFiling {
            unit: filing.with.to_string(),
            document: filing.document.to_string(),
        }),
        document: text(campaign.document()).unwrap_or_default(),
        withdrawn_for: text(withdrawn_for).unwrap_or_default(),
    };
    Some(pb::GetCampaignResponse {
        campaign: Some(answer),
        version: folded.version.0,
        position: token::of_position(folded.position),
    })
}

fn of_plan(plan: &Plan) -> pb::CampaignPlan {
    pb::CampaignPlan {
        title: plan.title.to_string(),
        co_units: plan.co_units.iter().map(UnitId::to_string).collect(),
        items: plan.items.iter().map(ItemId::to_string).collect(),
        areas: plan.areas.iter().map(AreaCode::to_string).collect(),
        enterprises: of_enterprises(&plan.enterprises),
        from: Some(common::of_date(plan.from)),
        until: Some(common::of_date(plan.until)),
        basis: plan.basis.to_string(),
    }
}

fn of_approval(approval: &Approval) -> pb::CampaignApproval {
    pb::CampaignApproval {
        approver: approval.approver.to_string(),
        capacity: of_capacity(approval.capacity).into(),
        level: words::of_level(approval.level).into(),
        document: approval.document.to_string(),
    }
}
