//! `WebhookService`.

use std::iter::empty;

use doudi_domain::{
    WebhookId,
    webhook::{Command, Phase, Webhook},
};
use doudi_engine::{Outcome, streams};
use doudi_views::timeline::{Pending, Selection};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{city::Order, common, webhook as convert},
    error::{Failure, Reason, Refusal},
    proto::{self as pb, webhook_service_server::WebhookService},
    webhooks,
};

/// The most webhooks that are not retired. Each costs a reader and a window of events.
const WEBHOOKS_MAX: usize = 100;

/// Up to how many events are counted that a webhook has before it, and that wait of one enterprise.
const PENDING_MAX: u32 = 10_000;
const WAITING_MAX: u32 = 1000;

impl Api {
    async fn on_webhook<C>(
        &self,
        call: &Call,
        order: &Order<WebhookId, C>,
        command: &Command,
    ) -> Result<Outcome<Webhook>, Failure> {
        let stream = streams::webhook(order.id)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Webhook>(&stream, command, &envelope).await
    }

    async fn receipt_on_webhook(
        &self,
        call: &Call,
        order: &Order<WebhookId, Command>,
    ) -> Result<Option<pb::Receipt>, Failure> {
        let outcome = self.on_webhook(call, order, &order.command).await?;
        Ok(Some(common::receipt(&outcome)))
    }

    /// The secret that a command made; empty where it made none.
    fn secret(&self, outcome: &Outcome<Webhook>, webhook: WebhookId, generation: u32) -> String {
        if outcome.events.is_empty() {
            return String::new();
        }
        let secret = self.0.settings.webhook_secrets.of(webhook, generation).next();
        secret.map(|secret| secret.shown()).unwrap_or_default()
    }

    async fn register_webhook(
        &self,
        call: &Call,
        request: &pb::RegisterWebhookRequest,
    ) -> Result<pb::RegisterWebhookResponse, Failure> {
        let order = convert::register(request, self.0.settings.webhooks_allow_http, &self.0.seals)?;
        let after = webhooks::point(order.command.after).position;
        self.reached(doudi_views::ViewName::Timeline, "after_position", after).await?;
        // Whoever registered it already gets the same answer, however many there are.
        let known = self.read::<Webhook>(&streams::webhook(order.id)?).await?;
        if known.state.known().is_none() && self.0.views.webhooks().await?.len() >= WEBHOOKS_MAX {
            return Err(Refusal::new(Reason::WebhooksTooMany).with("max", WEBHOOKS_MAX).into());
        }
        let command = Command::Register(order.command.clone());
        let outcome = self.on_webhook(call, &order, &command).await?;
        Ok(pb::RegisterWebhookResponse {
            receipt: Some(common::receipt(&outcome)),
            webhook_id: order.id.to_string(),
            secret: self.secret(&outcome, order.id, 1),
        })
    }

    async fn rotate_secret(
        &self,
        call: &Call,
        request: &pb::RotateSecretRequest,
    ) -> Result<pb::RotateSecretResponse, Failure> {
        let order = convert::rotate(request)?;
        let generation = order.command;
        let outcome = self.on_webhook(call, &order, &Command::RotateSecret { generation }).await?;
        Ok(pb::RotateSecretResponse {
            receipt: Some(common::receipt(&outcome)),
            secret: self.secret(&outcome, order.id, generation),
        })
    }

    async fn webhook(
        &self,
        request: &pb::GetWebhookRequest,
    ) -> Result<pb::GetWebhookResponse, Failure> {
        let (id, at_least) = convert::get(request)?;
        let folded = self.read_at::<Webhook>(&streams::webhook(id)?, at_least).await?;
        let known = folded.state.known().ok_or(Reason::WebhookUnknown)?;
        let pending = match known.phase {
            Phase::Retired => Pending::default(),
            Phase::Active | Phase::Paused(_) => {
                let selection = webhooks::selection(&known.subscription);
                let after = webhooks::point(known.delivered);
                self.0.views.pending(&selection, after, empty(), PENDING_MAX).await?
            }
        };
        Ok(pb::GetWebhookResponse {
            webhook: Some(convert::of_webhook(id, known, &self.0.seals)),
            pending_count: u32::try_from(pending.count).unwrap_or(u32::MAX),
            pending_since: pending.since.map(common::of_timestamp),
            version: folded.version.0,
            position: crate::convert::token::of_position(folded.position),
        })
    }

    async fn list_webhooks(&self) -> Result<pb::ListWebhooksResponse, Failure> {
        let mut listed = vec![];
        for id in self.0.views.webhooks().await? {
            let folded = self.read::<Webhook>(&streams::webhook(id)?).await?;
            // The list may be older than the log.
            let live = folded.state.known().filter(|known| known.phase != Phase::Retired);
            listed.extend(live.map(|known| convert::of_webhook(id, known, &self.0.seals)));
        }
        Ok(pb::ListWebhooksResponse { webhooks: listed })
    }

    async fn list_dead_letters(
        &self,
        call: &Call,
        request: &pb::ListDeadLettersRequest,
    ) -> Result<pb::ListDeadLettersResponse, Failure> {
        let list = convert::list(request, &call.caller, &self.0.pages)?;
        let folded = self.read::<Webhook>(&streams::webhook(list.webhook)?).await?;
        let known = folded.state.known().ok_or(Reason::WebhookUnknown)?;
        let (page, next_page_token) = list.page(known, &self.0.pages);
        let mut dead_letters = vec![];
        for (enterprise, aside) in page {
            let all = webhooks::selection(&known.subscription);
            let own = Selection { enterprise: Some(enterprise.clone()), ..all };
            let after = webhooks::point(aside.first).before();
            let waiting = self.0.views.pending(&own, after, empty(), WAITING_MAX).await?;
            dead_letters.push(convert::of_dead_letter(enterprise, aside, waiting));
        }
        Ok(pb::ListDeadLettersResponse { dead_letters, next_page_token })
    }
}

#[tonic::async_trait]
impl WebhookService for Api {
    async fn register_webhook(
        &self,
        request: Request<pb::RegisterWebhookRequest>,
    ) -> Result<Response<pb::RegisterWebhookResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::register_webhook(self, &call, request.get_ref()).await?))
    }

    async fn pause_webhook(
        &self,
        request: Request<pb::PauseWebhookRequest>,
    ) -> Result<Response<pb::PauseWebhookResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::pause(request.get_ref())?;
        let receipt = self.receipt_on_webhook(&call, &order).await?;
        Ok(Response::new(pb::PauseWebhookResponse { receipt }))
    }

    async fn resume_webhook(
        &self,
        request: Request<pb::ResumeWebhookRequest>,
    ) -> Result<Response<pb::ResumeWebhookResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::resume(request.get_ref())?;
        let receipt = self.receipt_on_webhook(&call, &order).await?;
        Ok(Response::new(pb::ResumeWebhookResponse { receipt }))
    }

    async fn rotate_secret(
        &self,
        request: Request<pb::RotateSecretRequest>,
    ) -> Result<Response<pb::RotateSecretResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::rotate_secret(self, &call, request.get_ref()).await?))
    }

    async fn retire_webhook(
        &self,
        request: Request<pb::RetireWebhookRequest>,
    ) -> Result<Response<pb::RetireWebhookResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::retire(request.get_ref())?;
        let receipt = self.receipt_on_webhook(&call, &order).await?;
        Ok(Response::new(pb::RetireWebhookResponse { receipt }))
    }

    async fn get_webhook(
        &self,
        request: Request<pb::GetWebhookRequest>,
    ) -> Result<Response<pb::GetWebhookResponse>, Status> {
        Ok(Response::new(self.webhook(request.get_ref()).await?))
    }

    async fn list_webhooks(
        &self,
        _request: Request<pb::ListWebhooksRequest>,
    ) -> Result<Response<pb::ListWebhooksResponse>, Status> {
        Ok(Response::new(Self::list_webhooks(self).await?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Result<Response<pb::ListDeadLettersResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::list_dead_letters(self, &call, request.get_ref()).await?))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<pb::RedriveDeadLettersRequest>,
    ) -> Result<Response<pb::RedriveDeadLettersResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::redrive(request.get_ref())?;
        let receipt = self.receipt_on_webhook(&call, &order).await?;
        Ok(Response::new(pb::RedriveDeadLettersResponse { receipt }))
    }
}
