//! Requests and answers about webhooks.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use doudi_domain::{
    AreaCode, EnterpriseId, WebhookId,
    webhook::{
        AREAS_MAX, Command, Endpoint, Kind, Known, PauseCause, Phase, Place, REDRIVEN_MAX,
        SetAside, Subscription, Trouble,
    },
};
use doudi_engine::Position;
use doudi_views::timeline::{Pending, Reached};

use super::{
    Fields,
    alike::alike,
    city::{self, Order},
    common, derived,
    draw::{CURSOR_BYTES, cursor, of_cursor},
    given,
    reached::{WITHHELD_MAX, of_reached},
    seal::Seals,
    timeline,
    token::{Binding, PageTokens},
};
use crate::{
    error::{Failure, Reason},
    identity::Caller,
    proto as pb, text,
    webhooks::{is_permitted, place, point},
};

/// The size of a page that asks for none, and the largest: each entry is counted for itself.
const PAGE: (u32, u32) = (20, 100);

/// The kinds that there are.
const KINDS_MAX: usize = 3;

alike! {
    TimelineKind = Kind, kind, of_kind: Profile Visit Appeal;
}

/// The order that a request about a known webhook makes of a command.
macro_rules! webhook_order {
    ($request:ident, $fields:ident, $command:expr) => {{
        let command_id = $fields.command_id(&$request.command_id);
        let webhook = webhook(&mut $fields, &$request.webhook_id);
        let command = $command;
        city::order($fields, command_id, None, webhook, command)
    }};
}

fn webhook(fields: &mut Fields, text: &str) -> Option<WebhookId> {
    fields.parse("webhook_id", text, given(WebhookId::parse))
}

pub(crate) fn register(
    request: &pb::RegisterWebhookRequest,
    allow_http: bool,
    seals: &Seals,
) -> Result<Order<WebhookId, Subscription>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let label = fields.parse("label", &request.label, text::name);
    let endpoint = endpoint(&mut fields, &request.url, allow_http);
    let kinds = fields.each("kinds", &request.kinds, (0, KINDS_MAX), |fields, path, value| {
        fields.choice(path, *value, kind)
    });
    let areas = fields.set("areas", &request.areas, (0, AREAS_MAX), AreaCode::parse);
    // What was withheld before comes once more together with what follows it.
    let after = fields.reached("after_position", &request.after_position, seals);
    let after = after.map(|reached| reached.lowest());
    let subscription = || {
        Some(Subscription {
            label: label?,
            endpoint: endpoint?,
            kinds: kinds?.into_iter().collect(),
            areas: areas?,
            after: place(after?),
        })
    };
    let subscription = subscription();
    city::order(fields, command_id, None, command_id.map(derived::webhook), subscription)
}

fn endpoint(fields: &mut Fields, text: &str, allow_http: bool) -> Option<Endpoint> {
    if text.is_empty() {
        return fields.refuse("url", Reason::FieldRequired);
    }
    match Endpoint::parse(text) {
        Err(_) => fields.refuse("url", Reason::WebhookUrlMalformed),
        Ok(endpoint) if is_permitted(&endpoint, allow_http) => Some(endpoint),
        Ok(_) => fields.refuse("url", Reason::WebhookUrlPlain),
    }
}

pub(crate) fn pause(
    request: &pb::PauseWebhookRequest,
) -> Result<Order<WebhookId, Command>, Failure> {
    let mut fields = Fields::default();
    webhook_order!(request, fields, Some(Command::Pause(PauseCause::Operator)))
}

pub(crate) fn resume(
    request: &pb::ResumeWebhookRequest,
) -> Result<Order<WebhookId, Command>, Failure> {
    let mut fields = Fields::default();
    webhook_order!(request, fields, Some(Command::Resume))
}

pub(crate) fn rotate(request: &pb::RotateSecretRequest) -> Result<Order<WebhookId, u32>, Failure> {
    let mut fields = Fields::default();
    let generation = fields.number("generation", request.generation, 2, u32::MAX);
    webhook_order!(request, fields, generation)
}

pub(crate) fn retire(
    request: &pb::RetireWebhookRequest,
) -> Result<Order<WebhookId, Command>, Failure> {
    let mut fields = Fields::default();
    webhook_order!(request, fields, Some(Command::Retire))
}

pub(crate) fn redrive(
    request: &pb::RedriveDeadLettersRequest,
) -> Result<Order<WebhookId, Command>, Failure> {
    let mut fields = Fields::default();
    let bounds = (1, REDRIVEN_MAX);
    let enterprises =
        fields.set("enterprise_ids", &request.enterprise_ids, bounds, EnterpriseId::parse);
    let command = enterprises.map(|enterprises| Command::Redrive { enterprises });
    webhook_order!(request, fields, command)
}

pub(crate) fn get(request: &pb::GetWebhookRequest) -> Result<(WebhookId, Position), Failure> {
    let mut fields = Fields::default();
    let webhook = webhook(&mut fields, &request.webhook_id);
    let at_least = fields.min_position(&request.min_position);
    fields.finish(webhook.zip(at_least))
}

pub(crate) fn of_webhook(id: WebhookId, known: &Known, seals: &Seals) -> pb::Webhook {
    let Known { subscription, stalled, .. } = known;
    let (trouble, trouble_status) =
        stalled.map_or((pb::WebhookTrouble::Unspecified, 0), |stalled| of_trouble(stalled.trouble));
    pb::Webhook {
        webhook_id: id.to_string(),
        label: subscription.label.to_string(),
        url: subscription.endpoint.to_string(),
        kinds: subscription.kinds.iter().map(|kind| of_kind(*kind).into()).collect(),
        areas: subscription.areas.iter().map(AreaCode::to_string).collect(),
        phase: of_phase(known.phase).into(),
        secret_generation: known.generation,
        secret_rotated_at: known.rotated_at.map(common::of_timestamp),
        delivered_position: of_reached(&resumed(known), seals),
        trouble: trouble.into(),
        trouble_status,
        trouble_since: stalled.map(|stalled| common::of_timestamp(stalled.since)),
        set_aside_count: u32::try_from(known.set_aside.len()).unwrap_or(u32::MAX),
    }
}

/// From where another one in its place loses nothing: what waits for a parked stream is still to come.
fn resumed(known: &Known) -> Reached {
    let withheld = known.set_aside.iter().filter(|(_, aside)| aside.withheld);
    let withheld: BTreeMap<_, _> =
        withheld.map(|(of, aside)| (of.clone(), point(aside.first).before())).collect();
    let reached = Reached { point: point(known.delivered), withheld: Arc::new(withheld) };
    let is_short = reached.withheld.len() <= WITHHELD_MAX;
    if is_short { reached } else { reached.lowest().into() }
}

fn of_phase(phase: Phase) -> pb::WebhookPhase {
    match phase {
        Phase::Active => pb::WebhookPhase::Active,
        Phase::Paused(PauseCause::Operator) => pb::WebhookPhase::Paused,
        Phase::Paused(PauseCause::Gone) => pb::WebhookPhase::Gone,
        Phase::Retired => pb::WebhookPhase::Retired,
    }
}

fn of_trouble(trouble: Trouble) -> (pb::WebhookTrouble, u32) {
    match trouble {
        Trouble::Unreachable => (pb::WebhookTrouble::Unreachable, 0),
        Trouble::TimedOut => (pb::WebhookTrouble::TimedOut, 0),
        Trouble::Answered(status) => (pb::WebhookTrouble::Answered, status.into()),
        Trouble::TooManySetAside => (pb::WebhookTrouble::TooManySetAside, 0),
        Trouble::Forbidden => (pb::WebhookTrouble::Forbidden, 0),
    }
}

/// A place as events and positions are told: the end of a commit as the commit.
fn of_place(place: Place) -> String {
    timeline::of_point(point(place))
}

/// A page of what a receiver refused, and what the next page's token is bound to.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) webhook: WebhookId,
    after: Option<EnterpriseId>,
    limit: usize,
    binding: Binding,
}

pub(crate) fn list(
    request: &pb::ListDeadLettersRequest,
    caller: &Caller,
    tokens: &PageTokens,
) -> Result<List, Failure> {
    let mut fields = Fields::default();
    let webhook = webhook(&mut fields, &request.webhook_id);
    let limit = fields.page_size(request.page_size, PAGE.0, PAGE.1);
    let filters =
        pb::ListDeadLettersRequest { webhook_id: request.webhook_id.clone(), ..<_>::default() };
    let binding = Binding::new("ListDeadLetters", &filters, caller);
    let after = match request.page_token.as_str() {
        "" => Some(None),
        text => match tokens.decode::<CURSOR_BYTES>(binding, text).and_then(cursor) {
            Some(enterprise) => Some(Some(enterprise)),
            None => fields.refuse("page_token", Reason::PageTokenInvalid),
        },
    };
    let list = || Some(List { webhook: webhook?, after: after?, limit: limit?, binding });
    let list = list();
    fields.finish(list)
}

impl List {
    /// The enterprises of the page, and the token of the next one, empty where there is none.
    pub(crate) fn page<'a>(
        &self,
        known: &'a Known,
        tokens: &PageTokens,
    ) -> (Vec<(&'a EnterpriseId, &'a SetAside)>, String) {
        let from = self.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut wanted = known.set_aside.range((from, Bound::Unbounded));
        let page: Vec<_> = wanted.by_ref().take(self.limit).collect();
        let last = page.last().filter(|_| wanted.next().is_some());
        let next = last.map(|(last, _)| tokens.encode(self.binding, &of_cursor(last)));
        (page, next.unwrap_or_default())
    }
}

pub(crate) fn of_dead_letter(
    enterprise: &EnterpriseId,
    aside: &SetAside,
    waiting: Pending,
) -> pb::DeadLetter {
    pb::DeadLetter {
        enterprise_id: enterprise.to_string(),
        event_id: of_place(aside.first),
        http_status: aside.status.into(),
        set_aside_at: Some(common::of_timestamp(aside.at)),
        redriving: aside.redriving,
        parked: aside.withheld,
        waiting_count: u32::try_from(waiting.count).unwrap_or(u32::MAX),
        after_position: timeline::of_point(point(aside.first).before()),
    }
}
