//! `CampaignService`.

use doudi_domain::{
    CampaignId, UnitId,
    campaign::{Campaign, Command},
};
use doudi_engine::{Outcome, streams};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{campaign as convert, city::Order, common::receipt},
    error::{Failure, Reason},
    proto::{self as pb, campaign_service_server::CampaignService},
};

impl Api {
    async fn on_campaign<C>(
        &self,
        call: &Call,
        order: &Order<CampaignId, C>,
        command: &Command,
    ) -> Result<Outcome<Campaign>, Failure> {
        let stream = streams::campaign(order.id)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Campaign>(&stream, command, &envelope).await
    }

    async fn organiser_does(
        &self,
        call: &Call,
        order: &Order<CampaignId, Command>,
    ) -> Result<pb::Receipt, Failure> {
        let outcome = self.on_campaign(call, order, &order.command).await?;
        Ok(receipt(&outcome))
    }

    async fn approve_campaign(
        &self,
        call: &Call,
        request: &pb::ApproveCampaignRequest,
    ) -> Result<pb::ApproveCampaignResponse, Failure> {
        let order = convert::approve(request)?;
        let approver = approver(call, order.command.named())?;
        let command = order.command.by(approver);
        let outcome = self.on_campaign(call, &order, &command).await?;
        Ok(pb::ApproveCampaignResponse { receipt: Some(receipt(&outcome)) })
    }

    /// One that is unknown and one that is not for this caller are refused alike.
    async fn campaign(
        &self,
        call: &Call,
        request: &pb::GetCampaignRequest,
    ) -> Result<pb::GetCampaignResponse, Failure> {
        let (id, at_least) = convert::get(request)?;
        let folded = self.read_at::<Campaign>(&streams::campaign(id)?, at_least).await?;
        if !call.caller.sees_campaign(&folded.state) {
            return Err(Reason::CampaignUnknown.into());
        }
        convert::answer(id, &folded).ok_or_else(|| Reason::CampaignUnknown.into())
    }
}

/// The caller's unit, or another one where the caller keeps the registers of the whole city.
fn approver(call: &Call, named: Option<&UnitId>) -> Result<UnitId, Failure> {
    match named {
        None => call.unit(),
        Some(unit) => {
            let own = call.caller.unit.as_ref();
            call.require(|caller| caller.is_admin() || own == Some(unit))?;
            Ok(unit.clone())
        }
    }
}

#[tonic::async_trait]
impl CampaignService for Api {
    async fn propose_campaign(
        &self,
        request: Request<pb::ProposeCampaignRequest>,
    ) -> Result<Response<pb::ProposeCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::propose(request.get_ref(), call.unit()?)?;
        let receipt = Some(self.organiser_does(&call, &order).await?);
        let campaign_id = order.id.to_string();
        Ok(Response::new(pb::ProposeCampaignResponse { receipt, campaign_id }))
    }

    async fn approve_campaign(
        &self,
        request: Request<pb::ApproveCampaignRequest>,
    ) -> Result<Response<pb::ApproveCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::approve_campaign(self, &call, request.get_ref()).await?))
    }

    async fn file_campaign(
        &self,
        request: Request<pb::FileCampaignRequest>,
    ) -> Result<Response<pb::FileCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::file(request.get_ref(), call.unit()?)?;
        let receipt = Some(self.organiser_does(&call, &order).await?);
        Ok(Response::new(pb::FileCampaignResponse { receipt }))
    }

    async fn publish_campaign(
        &self,
        request: Request<pb::PublishCampaignRequest>,
    ) -> Result<Response<pb::PublishCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::publish(request.get_ref(), call.unit()?)?;
        let receipt = Some(self.organiser_does(&call, &order).await?);
        Ok(Response::new(pb::PublishCampaignResponse { receipt }))
    }

    async fn withdraw_campaign(
        &self,
        request: Request<pb::WithdrawCampaignRequest>,
    ) -> Result<Response<pb::WithdrawCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::withdraw(request.get_ref(), call.unit()?)?;
        let receipt = Some(self.organiser_does(&call, &order).await?);
        Ok(Response::new(pb::WithdrawCampaignResponse { receipt }))
    }

    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::GetCampaignResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.campaign(&call, request.get_ref()).await?))
    }
}
