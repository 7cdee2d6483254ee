//! `AppealService`. Free text and contacts are sealed before they become part of a command, and
//! opened only for who may see the appeal.

use std::sync::Arc;

use doudi_domain::{
    AppealId, EnterpriseId, Sealed,
    appeal::{Appeal, Case, Command, Event, Submission},
    routing::Route,
};
use doudi_engine::{Folded, Outcome, VaultError, streams};
use doudi_views::ViewName;
use uuid::Uuid;

use super::{Api, may_ask};
use crate::{
    call::Call,
    convert::{
        Order,
        appeal::{self as convert, Opened},
        common::receipt,
        derived,
    },
    error::{Failure, Reason},
    proto as pb,
};

mod rpcs;

/// A command on a known appeal.
type Known<C> = Order<(AppealId, C)>;

impl Api {
    async fn on_appeal<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let stream = streams::appeal(&order.enterprise, order.command.0)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Appeal>(&stream, command, &envelope).await
    }

    async fn submit(
        &self,
        call: &Call,
        request: &pb::SubmitAppealRequest,
    ) -> Result<pb::SubmitAppealResponse, Failure> {
        let Order { command_id, enterprise, command: said, .. } = convert::submit(request)?;
        call.require(|caller| caller.may_submit_for(&enterprise))?;
        let id = derived::appeal(&enterprise, command_id);
        let contact = match &said.contact {
            Some(contact) => self.seal(id, "contact", command_id, contact).await?,
            None => None,
        };
        let description = self.seal(id, "description", command_id, &said.description).await?;
        let Some(description) = description else {
            let first = self.before_erasure(&enterprise, id, command_id, submitted).await?;
            return Ok(pb::SubmitAppealResponse {
                receipt: Some(first),
                appeal_id: id.to_string(),
            });
        };
        let command = Command::Submit(Submission {
            channel: said.channel,
            topic: said.topic,
            area: said.area,
            description,
            contact,
            about_visit: said.about_visit,
        });
        let mut envelope = call.envelope(command_id, None);
        envelope.actor.on_behalf_of = call.on_behalf_of(&enterprise);
        let stream = streams::appeal(&enterprise, id)?;
        let outcome = self.execute::<Appeal>(&stream, &command, &envelope).await?;
        let receipt = Some(receipt(&outcome));
        Ok(pb::SubmitAppealResponse { receipt, appeal_id: id.to_string() })
    }

    /// A command that a dispatcher gives, for appeals of its own areas. Whoever may not even see the
    /// appeal is told what is said of an unknown one.
    async fn as_dispatcher<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        if !call.caller.dispatches_everywhere() {
            let folded = self.case(&order.enterprise, order.command.0).await?;
            let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
            seen(call, &order.enterprise, case)?;
            call.require(|caller| caller.dispatches(&case.submission.area))?;
        }
        self.on_appeal(call, order, command).await
    }

    /// A command that a unit gives. A refusal must not tell a unit that may not see the appeal that
    /// there is one.
    async fn as_unit<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let answer = self.on_appeal(call, order, command).await;
        if answer.is_ok() {
            return answer;
        }
        // Where the appeal cannot be read, the answer stands: it may be that the outcome is unknown.
        if let Ok(folded) = self.case(&order.enterprise, order.command.0).await
            && let Some(case) = folded.state.known()
        {
            seen(call, &order.enterprise, case)?;
        }
        answer
    }

    async fn dispatch(
        &self,
        call: &Call,
        request: &pb::DispatchAppealRequest,
    ) -> Result<pb::DispatchAppealResponse, Failure> {
        let order = convert::dispatch(request)?;
        let command = Command::Dispatch { to: order.command.1.clone() };
        let outcome = self.as_dispatcher(call, &order, &command).await?;
        let receipt = receipt(&outcome);
        // From the command's own event, so that a repetition answers as the first time did; where
        // it was already so, from what is.
        if let Some(route) = outcome.events.iter().find_map(route) {
            return Ok(convert::dispatched(receipt, route));
        }
        let folded = self.case(&order.enterprise, order.command.0).await?;
        let route = folded.state.known().and_then(|case| case.phase.route());
        let route = route.ok_or_else(|| Failure::fault("an appeal was dispatched to nobody"))?;
        Ok(convert::dispatched(receipt, route))
    }

    async fn resolve(
        &self,
        call: &Call,
        request: &pb::ResolveAppealRequest,
    ) -> Result<pb::ResolveAppealResponse, Failure> {
        let order = convert::resolve(request)?;
        let (id, (outcome, reply)) = &order.command;
        self.exists(call, &order.enterprise, *id).await?;
        let Some(reply) = self.seal(*id, "reply", order.command_id, reply).await? else {
            let first = self.before_erasure(&order.enterprise, *id, order.command_id, resolved);
            return Ok(pb::ResolveAppealResponse { receipt: Some(first.await?) });
        };
        let command = Command::Resolve { unit: call.unit()?, outcome: *outcome, reply };
        let outcome = self.as_unit(call, &order, &command).await?;
        Ok(pb::ResolveAppealResponse { receipt: Some(receipt(&outcome)) })
    }

    async fn object(
        &self,
        call: &Call,
        request: &pb::ObjectToResolutionRequest,
    ) -> Result<pb::ObjectToResolutionResponse, Failure> {
        let order = convert::object(request)?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        let (id, reason) = &order.command;
        self.exists(call, &order.enterprise, *id).await?;
        let Some(reason) = self.seal(*id, "reason", order.command_id, reason).await? else {
            let first = self.before_erasure(&order.enterprise, *id, order.command_id, objected);
            return Ok(pb::ObjectToResolutionResponse { receipt: Some(first.await?) });
        };
        let outcome = self.on_appeal(call, &order, &Command::Object { reason }).await?;
        Ok(pb::ObjectToResolutionResponse { receipt: Some(receipt(&outcome)) })
    }

    /// Records the erasure, then destroys the key. When the second step fails the same command
    /// again makes up for it; reading stops with the first.
    async fn erase(
        &self,
        call: &Call,
        request: &pb::ErasePersonalDataRequest,
    ) -> Result<pb::ErasePersonalDataResponse, Failure> {
        let order = convert::erase(request)?;
        let subject = derived::subject(order.command.0);
        let command = Command::ErasePersonalData { subject: subject.clone() };
        let outcome = self.on_appeal(call, &order, &command).await?;
        self.0.vault.destroy(&[&subject]).await?;
        Ok(pb::ErasePersonalDataResponse { receipt: Some(receipt(&outcome)) })
    }

    async fn appeal(
        &self,
        call: &Call,
        request: &pb::GetAppealRequest,
    ) -> Result<pb::GetAppealResponse, Failure> {
        let (enterprise, id, at_least) = convert::get(request)?;
        may_ask(call, &enterprise)?;
        let stream = streams::appeal(&enterprise, id)?;
        let folded = self.read_at::<Appeal>(&stream, at_least).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        seen(call, &enterprise, case)?;
        let opened = self.opened(case).await?;
        Ok(pb::GetAppealResponse {
            appeal: Some(convert::of_case(&enterprise, id, case, opened)),
            version: folded.version.0,
            position: crate::convert::token::of_position(folded.position),
        })
    }

    async fn appeals(
        &self,
        call: &Call,
        request: &pb::ListAppealsRequest,
    ) -> Result<pb::ListAppealsResponse, Failure> {
        let list = convert::list(request, &call.caller, &self.0.pages)?;
        if let Some(enterprise) = &list.query.enterprise {
            may_ask(call, enterprise)?;
        }
        self.reached(ViewName::Appeals, "min_position", list.at_least).await?;
        let page = self.0.views.appeals(&list.query, call.fresh(list.at_least)).await?;
        Ok(convert::page(&page, list.binding, &self.0.pages, self.page_bytes_max()))
    }

    async fn case(
        &self,
        enterprise: &EnterpriseId,
        id: AppealId,
    ) -> Result<Arc<Folded<Appeal>>, Failure> {
        self.read::<Appeal>(&streams::appeal(enterprise, id)?).await
    }

    /// Refuses an appeal that is unknown, or not for this caller to see. Before a text is sealed, so
    /// that no key is made for nothing.
    async fn exists(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        id: AppealId,
    ) -> Result<(), Failure> {
        let folded = self.case(enterprise, id).await?;
        seen(call, enterprise, folded.state.known().ok_or(Reason::AppealUnknown)?)
    }

    /// The sealed text; none when the key of the appeal was destroyed.
    async fn seal(
        &self,
        id: AppealId,
        label: &str,
        command_id: Uuid,
        text: &str,
    ) -> Result<Option<Sealed>, Failure> {
        match self.0.vault.seal(&derived::subject(id), label, command_id, text).await {
            Ok(sealed) => Ok(Some(sealed)),
            Err(VaultError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first receipt of a command whose text can no longer be sealed, so that a client that
    /// repeats it still learns its outcome. What the text was is gone, hence not compared.
    async fn before_erasure(
        &self,
        enterprise: &EnterpriseId,
        id: AppealId,
        command_id: Uuid,
        same: fn(&Event) -> bool,
    ) -> Result<pb::Receipt, Failure> {
        let stream = streams::appeal(enterprise, id)?;
        let first = self.0.engine.outcome::<Appeal>(&stream, command_id).await?;
        match first {
            Some(first) if first.events.iter().any(same) => Ok(receipt(&first)),
            Some(_) => Err(Reason::CommandIdReused.into()),
            None => Err(Reason::PersonalDataErased.into()),
        }
    }

    /// The texts of an appeal. A destroyed key counts as erased even where the record of it is
    /// still on its way.
    async fn opened(&self, case: &Case) -> Result<Opened, Failure> {
        let erased = Opened { erased: true, ..Opened::default() };
        if case.erased {
            return Ok(erased);
        }
        let mut texts = [String::new(), String::new(), String::new()];
        let reply = case.resolution.as_ref().map(|resolution| &resolution.reply);
        let submission = &case.submission;
        let sealed = [Some(&submission.description), submission.contact.as_ref(), reply];
        for (text, sealed) in texts.iter_mut().zip(sealed) {
            let Some(sealed) = sealed else {
                continue;
            };
            match self.0.vault.open(sealed).await? {
                Some(opened) => *text = opened,
                None => return Ok(erased),
            }
        }
        let [description, contact, reply] = texts;
        Ok(Opened { description, contact, reply, erased: false })
    }
}

/// Refuses an appeal that the caller may not see, in the words for an unknown one.
fn seen(call: &Call, enterprise: &EnterpriseId, case: &Case) -> Result<(), Failure> {
    if call.caller.sees_appeal(enterprise, case) {
        Ok(())
    } else {
        Err(Reason::AppealUnknown.into())
    }
}

fn submitted(event: &Event) -> bool {
    matches!(event, Event::AppealSubmitted { .. })
}

fn resolved(event: &Event) -> bool {
    matches!(event, Event::AppealResolved { .. })
}

fn objected(event: &Event) -> bool {
    matches!(event, Event::ResolutionObjected { .. })
}

fn route(event: &Event) -> Option<&Route> {
    match event {
        Event::AppealDispatched { route, .. } => Some(route),
        Event::AppealSubmitted { .. }
        | Event::AppealAccepted { .. }
        | Event::AppealSignedFor { .. }
        | Event::AppealResolved { .. }
        | Event::ResolutionConfirmed {}
        | Event::ResolutionObjected { .. }
        | Event::AppealClosed {}
        | Event::PersonalDataErased { .. } => None,
    }
}
