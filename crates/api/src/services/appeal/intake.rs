//! How an appeal comes in, and how its personal data go.

use doudi_domain::{
    AppealId, EnterpriseId, Sealed,
    appeal::{Appeal, Applicant, Command, Event, Submission},
};
use doudi_engine::{Envelope, Outcome, Sealer, streams};

use super::{As, On, Subject, Text};
use crate::{
    call::Call,
    convert::{Order, appeal as convert, common::receipt, derived},
    error::{Failure, Reason, Refusal},
    proto as pb,
    services::Api,
};

impl Api {
    pub(super) async fn submit(
        &self,
        call: &Call,
        request: &pb::SubmitAppealRequest,
    ) -> Result<pb::SubmitAppealResponse, Failure> {
        let order = convert::submit(request)?;
        let enterprise = &order.enterprise;
        let nameless = order.command.is_nameless && call.caller.is_enterprises();
        call.require(|caller| nameless || caller.may_submit_for(enterprise))?;
        // A complaint about a visit holds units: no unit makes one, about itself or another.
        if order.command.about_visit.is_some()
            && !nameless
            && !call.caller.complains_for(enterprise)
        {
            return Err(Refusal::new(Reason::FieldNotAllowed).about("about_visit_id").into());
        }
        let appeal = derived::appeal(enterprise, order.command_id);
        let envelope = match nameless {
            true => call.nameless_envelope(order.command_id),
            false => {
                let mut envelope = call.envelope(order.command_id, None);
                envelope.actor.on_behalf_of = call.on_behalf_of(enterprise);
                envelope
            }
        };
        let (outcome, case_token) = match self.submitted(call, &order, appeal, &envelope).await? {
            Some(outcome) => {
                let token = nameless || call.caller.learns_token_of(enterprise);
                let token = token.then(|| self.0.cases.make(enterprise, appeal));
                (outcome, token.unwrap_or_default())
            }
            None => {
                let stream = streams::appeal(enterprise, appeal)?;
                let first = self.first_outcome::<Appeal>(&stream, order.command_id, description);
                // What was said cannot be compared any more, so whoever repeats the id learns no token.
                (first.await?, String::new())
            }
        };
        Ok(pb::SubmitAppealResponse {
            receipt: Some(receipt(&outcome)),
            appeal_id: appeal.to_string(),
            number: self.number(enterprise, appeal, &outcome).await?,
            case_token,
            enterprise_id: enterprise.to_string(),
        })
    }

    /// What became of the submission; none when the appeal was erased.
    async fn submitted(
        &self,
        call: &Call,
        order: &Order<convert::Unsealed>,
        appeal: AppealId,
        envelope: &Envelope,
    ) -> Result<Option<Outcome<Appeal>>, Failure> {
        let stream = streams::appeal(&order.enterprise, appeal)?;
        let folded = self.read::<Appeal>(&stream).await?;
        let subject = Subject::of(appeal, folded.state.known());
        let on = On { stream: &stream, folded: &folded, command_id: order.command_id };
        let carry_out = |sealer| {
            let submission = sealed_submission(call, order, &sealer);
            async {
                let command = Command::Submit(submission?);
                self.execute::<Appeal>(&stream, &command, envelope).await
            }
        };
        self.sealed_unless_erased(on, subject, description, carry_out).await
    }

    /// The case number: of the day that the submission says, so that a repetition gives the same.
    async fn number(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        outcome: &Outcome<Appeal>,
    ) -> Result<String, Failure> {
        let submitted = outcome.events.iter().find_map(|event| {
            if let Event::AppealSubmitted { clocks, .. } = event { Some(clocks.at) } else { None }
        });
        if let Some(at) = submitted {
            return Ok(convert::number(appeal, at).to_string());
        }
        let folded = self.case(enterprise, appeal).await?;
        Ok(folded.state.known().map(|case| convert::number_of(appeal, case)).unwrap_or_default())
    }

    pub(super) async fn redirect(
        &self,
        call: &Call,
        request: &pb::RedirectAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::redirect(request)?;
        let (channel, guidance) = &order.command.1;
        let text = Text {
            label: "guidance",
            text: guidance,
            recorded: |event| {
                if let Event::AppealRedirected { guidance, .. } = event {
                    Some(guidance)
                } else {
                    None
                }
            },
        };
        let redirect = |guidance| Command::Redirect { channel: *channel, guidance };
        self.order_with(call, &order, As::Desk, text, redirect).await
    }

    pub(super) async fn reclassify(
        &self,
        call: &Call,
        request: &pb::ReclassifyAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::reclassify(request)?;
        let command = Command::Reclassify { class: order.command.1.clone() };
        self.order(call, &order, As::Desk, &command).await
    }

    /// Records the erasure, then destroys the key. When the second step fails the same command
    /// again makes up for it; reading stops with the first.
    pub(super) async fn erase(
        &self,
        call: &Call,
        request: &pb::ErasePersonalDataRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::erase(request)?;
        let subject = derived::subject(order.command.0);
        let command = Command::ErasePersonalData { subject: subject.clone() };
        // Whoever keeps the registers erases in every area, and need not see what.
        let outcome = self.on_appeal(call, &order, &command).await?;
        self.0.vault.destroy(&[&subject]).await?;
        Ok(outcome)
    }
}

/// The submission with its texts sealed.
fn sealed_submission(
    call: &Call,
    Order { command_id, enterprise, command: said, .. }: &Order<convert::Unsealed>,
    sealer: &Sealer,
) -> Result<Submission, Failure> {
    let seal = |label: &str, text: &str| sealer.seal(label, *command_id, text);
    let contact = said.contact.as_deref().map(|contact| seal("contact", contact)).transpose()?;
    let description = seal("description", &said.description)?;
    let by_itself = call.caller.is_enterprise(enterprise);
    let otherwise = if by_itself { Applicant::Enterprise } else { Applicant::OnBehalf };
    Ok(Submission {
        channel: said.channel,
        topic: said.topic.clone(),
        area: said.area.clone(),
        description,
        contact,
        about_visit: said.about_visit,
        case_type: said.case_type.clone(),
        class: said.class.clone(),
        about_level: said.about_level,
        applicant: said.applicant.unwrap_or(otherwise),
        confidentiality: said.confidentiality,
        split_from: None,
    })
}

/// What was submitted.
fn description(event: &Event) -> Option<&Sealed> {
    if let Event::AppealSubmitted { submission, .. } = event {
        Some(&submission.description)
    } else {
        None
    }
}
