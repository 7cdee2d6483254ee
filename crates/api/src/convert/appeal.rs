//! Requests and answers about appeals.

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId, UnitId, VisitId,
    appeal::{Case, Channel, Outcome, Phase},
    routing::{Route, RouteRule},
};
use doudi_engine::Position;
use doudi_views::appeals;

use super::{
    Fields, Order, common,
    token::{Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    proto as pb,
};

/// The longest description, reply or reason, in characters.
const PROSE_MAX: usize = 4000;
/// The longest contact, in characters.
const CONTACT_MAX: usize = 200;
/// The size of a page that asks for none, and the largest.
const PAGE: (u32, u32) = (50, 200);

/// What an enterprise submits, before it is sealed.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) channel: Channel,
    pub(crate) topic: TopicId,
    pub(crate) area: AreaCode,
    pub(crate) description: String,
    pub(crate) contact: Option<String>,
    pub(crate) about_visit: Option<VisitId>,
}

pub(crate) fn submit(request: &pb::SubmitAppealRequest) -> Result<Order<Unsealed>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let channel = fields.choice("channel", request.channel, channel);
    let topic = fields.parse("topic", &request.topic, TopicId::parse);
    let area = fields.area("area", &request.area);
    let description = fields.prose("description", &request.description, PROSE_MAX);
    let contact = match request.contact.as_str() {
        "" => Some(None),
        text => fields.contact(text, CONTACT_MAX).map(Some),
    };
    let about_visit = fields.optional("about_visit_id", &request.about_visit_id, VisitId::parse);
    let order = || {
        Some(Order {
            command_id: command_id?,
            expected_version: None,
            enterprise: enterprise?,
            command: Unsealed {
                channel: channel?,
                topic: topic?,
                area: area?,
                description: description?,
                contact: contact?,
                about_visit: about_visit?,
            },
        })
    };
    fields.finish(order())
}

/// The fields that every command on a known appeal has; `command` gives what else it says.
macro_rules! appeal_order {
    ($(#[$doc:meta])* $name:ident($request:ident: $message:ident, $fields:ident) -> $out:ty
        = $command:expr) => {
        $(#[$doc])*
        pub(crate) fn $name(
            $request: &pb::$message,
        ) -> Result<Order<(AppealId, $out)>, Failure> {
            let mut $fields = Fields::default();
            let command_id = $fields.command_id(&$request.command_id);
            let enterprise = $fields.enterprise(&$request.enterprise_id);
            let appeal = $fields.appeal(&$request.appeal_id);
            let command = $command;
            let version = $request.expected_version;
            $fields.order(command_id, enterprise, version, appeal.zip(command))
        }
    };
}

appeal_order!(accept(request: AcceptAppealRequest, fields) -> () = Some(()));
appeal_order!(sign_for(request: SignForAppealRequest, fields) -> () = Some(()));
appeal_order!(confirm(request: ConfirmResolutionRequest, fields) -> () = Some(()));
appeal_order!(close(request: CloseAppealRequest, fields) -> () = Some(()));
appeal_order!(erase(request: ErasePersonalDataRequest, fields) -> () = Some(()));
appeal_order!(
    /// With the unit chosen by hand, if one is.
    dispatch(request: DispatchAppealRequest, fields) -> Option<UnitId>
        = fields.optional("to_unit", &request.to_unit, UnitId::parse)
);
appeal_order!(
    /// With the outcome and the reply, before it is sealed.
    resolve(request: ResolveAppealRequest, fields) -> (Outcome, String) = {
        let outcome = fields.choice("outcome", request.outcome, outcome);
        outcome.zip(fields.prose("reply", &request.reply, PROSE_MAX))
    }
);
appeal_order!(
    /// With the reason, before it is sealed.
    object(request: ObjectToResolutionRequest, fields) -> String
        = fields.prose("reason", &request.reason, PROSE_MAX)
);

/// The enterprise, the appeal, and the position that the answer must reflect.
pub(crate) fn get(
    request: &pb::GetAppealRequest,
) -> Result<(EnterpriseId, AppealId, Position), Failure> {
    let mut fields = Fields::default();
    let enterprise = fields.enterprise(&request.enterprise_id);
    let appeal = fields.appeal(&request.appeal_id);
    let at_least = fields.min_position(&request.min_position);
    let asked = || Some((enterprise?, appeal?, at_least?));
    fields.finish(asked())
}

/// A list query, the position it must reflect, and what its next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: appeals::Query,
    pub(crate) at_least: Position,
    pub(crate) binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListAppealsRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let state = fields.filter("state", request.state, state);
    let area = fields.optional("area", &request.area, AreaCode::parse);
    let unit = fields.optional("unit", &request.unit, UnitId::parse);
    let topic = fields.optional("topic", &request.topic, TopicId::parse);
    let enterprise = fields.optional("enterprise_id", &request.enterprise_id, EnterpriseId::parse);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let at_least = fields.min_position(&request.min_position);
    let filters = pb::ListAppealsRequest {
        page_size: 0,
        page_token: String::new(),
        min_position: String::new(),
        ..request.clone()
    };
    let binding = Binding::new("ListAppeals", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode::<8>(binding, text) {
            Some(bytes) => Some(Some(Position(u64::from_be_bytes(bytes)))),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let scope = caller.scope();
    let list = || {
        let query = appeals::Query {
            state: state?,
            area: area?,
            unit: unit?,
            topic: topic?,
            enterprise: enterprise?,
            scope,
            after: after?,
            limit: limit?,
        };
        Some(List { query, at_least: at_least?, binding })
    };
    fields.finish(list())
}

/// The page as far as it fits into `bytes_max`; its token then leads to the rest.
pub(crate) fn page(
    page: &appeals::Page,
    binding: Binding,
    tokens: &PageTokens,
    bytes_max: usize,
) -> pb::ListAppealsResponse {
    let appeals = common::fitting(page.appeals.iter().map(of_row), bytes_max);
    let cut = appeals.len() < page.appeals.len();
    let last = page.appeals.get(appeals.len().saturating_sub(1)).map(|last| last.submitted);
    let next = if cut { last } else { page.next };
    let next = next.map(|after| tokens.encode(binding, &after.0.to_be_bytes()));
    pb::ListAppealsResponse {
        appeals,
        next_page_token: next.unwrap_or_default(),
        position: super::token::of_position(page.position),
    }
}

fn of_row(row: &appeals::Row) -> pb::AppealSummary {
    pb::AppealSummary {
        appeal_id: row.appeal.to_string(),
        enterprise_id: row.enterprise.to_string(),
        state: of_state(row.state).into(),
        channel: of_channel(row.channel).into(),
        topic: row.topic.to_string(),
        area: row.area.to_string(),
        unit: row.unit.as_ref().map(UnitId::to_string).unwrap_or_default(),
        co_units: row.co_units.iter().map(UnitId::to_string).collect(),
        rule: row.rule.as_ref().map(of_rule).unwrap_or_default(),
        due: row.due.as_ref().map(common::of_due),
        objections: row.objections,
        about_visit_id: row.about_visit.as_ref().map(VisitId::to_string).unwrap_or_default(),
    }
}

/// An appeal's texts, opened; all empty when they were erased.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) description: String,
    pub(crate) contact: String,
    pub(crate) reply: String,
    pub(crate) erased: bool,
}

pub(crate) fn of_case(
    enterprise: &EnterpriseId,
    appeal: AppealId,
    case: &Case,
    opened: Opened,
) -> pb::Appeal {
    let submission = &case.submission;
    let route = case.phase.route();
    let summary = pb::AppealSummary {
        appeal_id: appeal.to_string(),
        enterprise_id: enterprise.to_string(),
        state: of_phase(&case.phase).into(),
        channel: of_channel(submission.channel).into(),
        topic: submission.topic.to_string(),
        area: submission.area.to_string(),
        unit: route.map(|route| route.unit.to_string()).unwrap_or_default(),
        co_units: route
            .map(|route| route.co_units.iter().map(UnitId::to_string).collect())
            .unwrap_or_default(),
        rule: route.map(|route| of_rule(&route.rule)).unwrap_or_default(),
        due: case.due.as_ref().map(common::of_due),
        objections: case.objections,
        about_visit_id: submission.about_visit.map(|visit| visit.to_string()).unwrap_or_default(),
    };
    let Opened { description, contact, reply, erased } = opened;
    let said = case.resolution.as_ref().map(|resolution| of_outcome(resolution.outcome));
    let outcome = said.unwrap_or(pb::ResolutionOutcome::Unspecified);
    pb::Appeal {
        summary: Some(summary),
        description,
        contact,
        reply,
        outcome: outcome.into(),
        erased,
    }
}

pub(crate) fn dispatched(receipt: pb::Receipt, route: &Route) -> pb::DispatchAppealResponse {
    pb::DispatchAppealResponse {
        receipt: Some(receipt),
        unit: route.unit.to_string(),
        rule: of_rule(&route.rule),
    }
}

fn of_rule(rule: &RouteRule) -> String {
    match rule {
        RouteRule::Topic(topic) => format!("topic/{topic}"),
        RouteRule::Area(area) => format!("area/{area}"),
        RouteRule::CityDesk => "city-desk".to_owned(),
        RouteRule::Dispatcher => "dispatcher".to_owned(),
    }
}

fn channel(channel: pb::Channel) -> Option<Channel> {
    match channel {
        pb::Channel::Unspecified => None,
        pb::Channel::Hotline12345 => Some(Channel::Hotline12345),
        pb::Channel::Web => Some(Channel::Web),
        pb::Channel::App => Some(Channel::App),
        pb::Channel::ServiceDesk => Some(Channel::ServiceDesk),
        pb::Channel::VisitFeedback => Some(Channel::VisitFeedback),
        pb::Channel::RoundTable => Some(Channel::RoundTable),
        pb::Channel::LeadersContact => Some(Channel::LeadersContact),
    }
}

fn of_channel(channel: Channel) -> pb::Channel {
    match channel {
        Channel::Hotline12345 => pb::Channel::Hotline12345,
        Channel::Web => pb::Channel::Web,
        Channel::App => pb::Channel::App,
        Channel::ServiceDesk => pb::Channel::ServiceDesk,
        Channel::VisitFeedback => pb::Channel::VisitFeedback,
        Channel::RoundTable => pb::Channel::RoundTable,
        Channel::LeadersContact => pb::Channel::LeadersContact,
    }
}

fn outcome(outcome: pb::ResolutionOutcome) -> Option<Outcome> {
    match outcome {
        pb::ResolutionOutcome::Unspecified => None,
        pb::ResolutionOutcome::Solved => Some(Outcome::Solved),
        pb::ResolutionOutcome::Explained => Some(Outcome::Explained),
        pb::ResolutionOutcome::Unfounded => Some(Outcome::Unfounded),
        pb::ResolutionOutcome::LawfulChannel => Some(Outcome::LawfulChannel),
    }
}

fn of_outcome(outcome: Outcome) -> pb::ResolutionOutcome {
    match outcome {
        Outcome::Solved => pb::ResolutionOutcome::Solved,
        Outcome::Explained => pb::ResolutionOutcome::Explained,
        Outcome::Unfounded => pb::ResolutionOutcome::Unfounded,
        Outcome::LawfulChannel => pb::ResolutionOutcome::LawfulChannel,
    }
}

fn state(state: pb::AppealState) -> Option<appeals::State> {
    match state {
        pb::AppealState::Unspecified => None,
        pb::AppealState::Submitted => Some(appeals::State::Submitted),
        pb::AppealState::Accepted => Some(appeals::State::Accepted),
        pb::AppealState::Dispatched => Some(appeals::State::Dispatched),
        pb::AppealState::InHandling => Some(appeals::State::InHandling),
        pb::AppealState::Resolved => Some(appeals::State::Resolved),
        pb::AppealState::Confirmed => Some(appeals::State::Confirmed),
        pb::AppealState::Closed => Some(appeals::State::Closed),
    }
}

fn of_state(state: appeals::State) -> pb::AppealState {
    match state {
        appeals::State::Submitted => pb::AppealState::Submitted,
        appeals::State::Accepted => pb::AppealState::Accepted,
        appeals::State::Dispatched => pb::AppealState::Dispatched,
        appeals::State::InHandling => pb::AppealState::InHandling,
        appeals::State::Resolved => pb::AppealState::Resolved,
        appeals::State::Confirmed => pb::AppealState::Confirmed,
        appeals::State::Closed => pb::AppealState::Closed,
    }
}

fn of_phase(phase: &Phase) -> pb::AppealState {
    match phase {
        Phase::Submitted => pb::AppealState::Submitted,
        Phase::Accepted => pb::AppealState::Accepted,
        Phase::Dispatched(_) => pb::AppealState::Dispatched,
        Phase::InHandling(_) => pb::AppealState::InHandling,
        Phase::Resolved(..) => pb::AppealState::Resolved,
        Phase::Confirmed(_) => pb::AppealState::Confirmed,
        Phase::Closed(_) => pb::AppealState::Closed,
    }
}
