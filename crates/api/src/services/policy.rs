//! `PolicyService`.

use doudi_domain::policy::{Command, Event, Policy, PolicyName, Status as Phase};
use doudi_engine::{Outcome, streams};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{
        common::receipt,
        policy::{self, Order},
        policy_reply,
    },
    error::{Failure, Reason, Refusal},
    proto::{self as pb, policy_service_server::PolicyService},
};

impl Api {
    async fn on_policy<C>(
        &self,
        call: &Call,
        order: &Order<C>,
        command: &Command,
    ) -> Result<Outcome<Policy>, Failure> {
        let stream = streams::policy(&order.name)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Policy>(&stream, command, &envelope).await
    }

    async fn draft(
        &self,
        call: &Call,
        request: &pb::DraftPolicyRequest,
    ) -> Result<pb::DraftPolicyResponse, Failure> {
        let order = policy::draft(request)?;
        let command = Command::Draft(order.command.clone());
        let outcome = self.on_policy(call, &order, &command).await?;
        let document_version = match outcome.events.iter().find_map(drafted) {
            Some(version) => version,
            None => self.last_version(&order.name).await?,
        };
        Ok(pb::DraftPolicyResponse { receipt: Some(receipt(&outcome)), document_version })
    }

    /// The version that a draft of the same content already has: the newest.
    async fn last_version(&self, name: &PolicyName) -> Result<u32, Failure> {
        let folded = self.read::<Policy>(&streams::policy(name)?).await?;
        let last = folded.state.statuses.keys().next_back().copied();
        last.ok_or_else(|| Failure::fault("a document was drafted and has no version"))
    }

    async fn policy(
        &self,
        call: &Call,
        request: &pb::GetPolicyRequest,
    ) -> Result<pb::GetPolicyResponse, Failure> {
        let policy::Asked { name, version, at_least } = policy::get(request)?;
        let folded = self.read_at::<Policy>(&streams::policy(&name)?, at_least).await?;
        let state = &folded.state;
        let (version, status) = match version {
            None => {
                let (version, _) = state.published().ok_or(Reason::PolicyNotInForce)?;
                (version, Phase::Published)
            }
            Some(version) => {
                let status = state.statuses.get(&version).copied();
                let status = status.filter(|status| call.caller.reads_policy(*status));
                let unknown =
                    || Refusal::new(Reason::PolicyVersionUnknown).with("document_version", version);
                (version, status.ok_or_else(unknown)?)
            }
        };
        Ok(policy_reply::answer(version, status, state.document(version), &folded))
    }
}

fn drafted(event: &Event) -> Option<u32> {
    match event {
        Event::PolicyDrafted { version, .. } => Some(*version),
        Event::PolicyPublished { .. } | Event::PolicyRetired { .. } => None,
    }
}

#[tonic::async_trait]
impl PolicyService for Api {
    async fn draft_policy(
        &self,
        request: Request<pb::DraftPolicyRequest>,
    ) -> Result<Response<pb::DraftPolicyResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.draft(&call, request.get_ref()).await?))
    }

    async fn publish_policy(
        &self,
        request: Request<pb::PublishPolicyRequest>,
    ) -> Result<Response<pb::PublishPolicyResponse>, Status> {
        let call = Call::of(&request)?;
        let order = policy::publish(request.get_ref())?;
        let command = Command::Publish { version: order.command };
        let outcome = self.on_policy(&call, &order, &command).await?;
        Ok(Response::new(pb::PublishPolicyResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn retire_policy(
        &self,
        request: Request<pb::RetirePolicyRequest>,
    ) -> Result<Response<pb::RetirePolicyResponse>, Status> {
        let call = Call::of(&request)?;
        let order = policy::retire(request.get_ref())?;
        let command = Command::Retire { version: order.command };
        let outcome = self.on_policy(&call, &order, &command).await?;
        Ok(Response::new(pb::RetirePolicyResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.policy(&call, request.get_ref()).await?))
    }
}
