//! `RatingService`. What an enterprise thinks of a visit goes to a stream of its own, and only sums come back.

use doudi_domain::{calendar::civil_date, ratings::Ratings};
use doudi_engine::streams;
use doudi_views::ViewName;
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{common::receipt, rating as convert, token},
    error::Failure,
    proto::{self as pb, rating_service_server::RatingService},
};

impl Api {
    async fn rate_own_visit(
        &self,
        call: &Call,
        request: &pb::RateVisitRequest,
    ) -> Result<pb::RateVisitResponse, Failure> {
        let order = convert::rate(request)?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        let stream = streams::ratings(&order.enterprise)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        let outcome = self.execute::<Ratings>(&stream, &order.command, &envelope).await?;
        Ok(pb::RateVisitResponse { receipt: Some(receipt(&outcome)) })
    }

    async fn own_rating(
        &self,
        call: &Call,
        request: &pb::GetRatingRequest,
    ) -> Result<pb::GetRatingResponse, Failure> {
        let (enterprise, visit, reflect) = convert::own(request)?;
        call.require(|caller| caller.is_enterprise(&enterprise))?;
        let folded =
            self.read_at::<Ratings>(&streams::ratings(&enterprise)?, reflect.at_least).await?;
        let said = folded.state.of(visit).map(convert::of_satisfaction);
        Ok(pb::GetRatingResponse {
            satisfaction: said.unwrap_or_default().into(),
            position: token::of_position(folded.position),
        })
    }

    async fn unit_ratings(
        &self,
        call: &Call,
        request: &pb::GetUnitRatingsRequest,
    ) -> Result<pb::GetUnitRatingsResponse, Failure> {
        let own = call.caller.unit.as_ref();
        let today = civil_date(self.instant(request.as_of.as_ref()).await?);
        let (query, reflect) = convert::sums(request, own, today)?;
        call.require(|caller| caller.sees_workings_of(&query.unit))?;
        let fresh = self.reflecting(call, &[ViewName::Ratings], reflect).await?;
        let sums = self.0.views.ratings(&query, fresh).await?;
        Ok(convert::of_sums(&sums))
    }
}

#[tonic::async_trait]
impl RatingService for Api {
    async fn rate_visit(
        &self,
        request: Request<pb::RateVisitRequest>,
    ) -> Result<Response<pb::RateVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.rate_own_visit(&call, request.get_ref()).await?))
    }

    async fn get_rating(
        &self,
        request: Request<pb::GetRatingRequest>,
    ) -> Result<Response<pb::GetRatingResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.own_rating(&call, request.get_ref()).await?))
    }

    async fn get_unit_ratings(
        &self,
        request: Request<pb::GetUnitRatingsRequest>,
    ) -> Result<Response<pb::GetUnitRatingsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.unit_ratings(&call, request.get_ref()).await?))
    }
}
