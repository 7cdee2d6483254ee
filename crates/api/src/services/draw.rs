//! `DrawService`. The seed is taken here, when the unit asks for the draw, and nobody chooses it.

use std::sync::Arc;

use doudi_domain::{
    CampaignId, DrawId, UnitId,
    campaign::Campaign,
    draw::{Command, Draw, Seed},
};
use doudi_engine::{Folded, Outcome, Position, streams};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{city::Order, common::receipt, draw as convert},
    error::{Failure, Reason, unfit},
    proto::{self as pb, draw_service_server::DrawService},
};

impl Api {
    async fn on_draw<C>(
        &self,
        call: &Call,
        order: &Order<DrawId, C>,
        command: &Command,
    ) -> Result<Outcome<Draw>, Failure> {
        let stream = streams::draw(order.id)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Draw>(&stream, command, &envelope).await
    }

    async fn open_draw(
        &self,
        call: &Call,
        request: &pb::OpenDrawRequest,
    ) -> Result<pb::OpenDrawResponse, Failure> {
        let order = convert::open(request, call.unit()?, self.0.settings.draw_ratios)?;
        let (opening, table) = order.command.clone();
        // Whoever opened it already gets the same answer, whatever became of the campaign.
        let known = self.read::<Draw>(&streams::draw(order.id)?).await?;
        if let (None, Some(campaign)) = (known.state.opening(), opening.campaign) {
            self.joins(&opening.unit, campaign).await?;
        }
        let command = Command::Open { opening, table };
        let receipt = Some(receipt(&self.on_draw(call, &order, &command).await?));
        Ok(pb::OpenDrawResponse { receipt, draw_id: order.id.to_string() })
    }

    /// A draw is for a published campaign that its unit takes part in.
    async fn joins(&self, unit: &UnitId, campaign: CampaignId) -> Result<(), Failure> {
        let folded = self.read::<Campaign>(&streams::campaign(campaign)?).await?;
        if folded.state.plan().is_none() {
            return Err(Reason::CampaignUnknown.into());
        }
        folded.state.joined_by(unit).map(|_| ()).map_err(|why| unfit(&why).into())
    }

    /// Refuses a draw of another unit as one that is not there.
    async fn own_draw(&self, call: &Call, id: DrawId) -> Result<(), Failure> {
        let folded = self.read::<Draw>(&streams::draw(id)?).await?;
        let unit = folded.state.opening().map(|opening| &opening.unit);
        if unit == call.caller.unit.as_ref() && unit.is_some() {
            Ok(())
        } else {
            Err(Reason::DrawUnknown.into())
        }
    }

    async fn make_draw(
        &self,
        call: &Call,
        request: &pb::MakeDrawRequest,
    ) -> Result<pb::MakeDrawResponse, Failure> {
        let seed = Seed(self.0.settings.chance.bytes().map_err(Failure::fault)?);
        let order = convert::make(request, call.unit()?, seed)?;
        self.own_draw(call, order.id).await?;
        let outcome = self.on_draw(call, &order, &order.command).await?;
        Ok(pb::MakeDrawResponse { receipt: Some(receipt(&outcome)) })
    }

    /// A draw that the caller may see. One that is unknown and one that is not for this caller are
    /// refused alike.
    async fn drawn(
        &self,
        call: &Call,
        id: DrawId,
        at_least: Position,
    ) -> Result<Arc<Folded<Draw>>, Failure> {
        let folded = self.read_at::<Draw>(&streams::draw(id)?, at_least).await?;
        let opening = folded.state.opening().ok_or(Reason::DrawUnknown)?;
        if call.caller.sees_workings_of(&opening.unit) {
            Ok(folded)
        } else {
            Err(Reason::DrawUnknown.into())
        }
    }

    async fn draw(
        &self,
        call: &Call,
        request: &pb::GetDrawRequest,
    ) -> Result<pb::GetDrawResponse, Failure> {
        let (id, at_least) = convert::get(request)?;
        let folded = self.drawn(call, id, at_least).await?;
        convert::answer(id, &folded).ok_or_else(|| Reason::DrawUnknown.into())
    }

    async fn list_drawn(
        &self,
        call: &Call,
        request: &pb::ListDrawnRequest,
    ) -> Result<pb::ListDrawnResponse, Failure> {
        let list = convert::list(request, &call.caller, &self.0.pages)?;
        let folded = self.drawn(call, list.draw, list.at_least).await?;
        Ok(convert::page(&list, &folded, &self.0.pages, self.page_bytes_max()))
    }
}

#[tonic::async_trait]
impl DrawService for Api {
    async fn open_draw(
        &self,
        request: Request<pb::OpenDrawRequest>,
    ) -> Result<Response<pb::OpenDrawResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::open_draw(self, &call, request.get_ref()).await?))
    }

    async fn add_candidates(
        &self,
        request: Request<pb::AddCandidatesRequest>,
    ) -> Result<Response<pb::AddCandidatesResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::add(request.get_ref(), call.unit()?)?;
        self.own_draw(&call, order.id).await?;
        let outcome = self.on_draw(&call, &order, &order.command).await?;
        Ok(Response::new(pb::AddCandidatesResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn make_draw(
        &self,
        request: Request<pb::MakeDrawRequest>,
    ) -> Result<Response<pb::MakeDrawResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::make_draw(self, &call, request.get_ref()).await?))
    }

    async fn get_draw(
        &self,
        request: Request<pb::GetDrawRequest>,
    ) -> Result<Response<pb::GetDrawResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.draw(&call, request.get_ref()).await?))
    }

    async fn list_drawn(
        &self,
        request: Request<pb::ListDrawnRequest>,
    ) -> Result<Response<pb::ListDrawnResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(Self::list_drawn(self, &call, request.get_ref()).await?))
    }
}
