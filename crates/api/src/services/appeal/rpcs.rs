//! The rpcs of `AppealService`, one after the other.

use doudi_domain::appeal::Command;
use tonic::{Request, Response, Status};

use super::As;
use crate::{
    call::Call,
    convert::{appeal as convert, common::receipt},
    proto::{self as pb, appeal_service_server::AppealService},
    services::Api,
};

#[tonic::async_trait]
impl AppealService for Api {
    async fn submit_appeal(
        &self,
        request: Request<pb::SubmitAppealRequest>,
    ) -> Result<Response<pb::SubmitAppealResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.submit(&call, request.get_ref()).await?))
    }

    async fn accept_appeal(
        &self,
        request: Request<pb::AcceptAppealRequest>,
    ) -> Result<Response<pb::AcceptAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::accept(request.get_ref())?;
        let outcome = self.order(&call, &order, As::Desk, &Command::Accept).await?;
        Ok(Response::new(pb::AcceptAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn redirect_appeal(
        &self,
        request: Request<pb::RedirectAppealRequest>,
    ) -> Result<Response<pb::RedirectAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.redirect(&call, request.get_ref()).await?;
        Ok(Response::new(pb::RedirectAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn reclassify_appeal(
        &self,
        request: Request<pb::ReclassifyAppealRequest>,
    ) -> Result<Response<pb::ReclassifyAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.reclassify(&call, request.get_ref()).await?;
        Ok(Response::new(pb::ReclassifyAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn dispatch_appeal(
        &self,
        request: Request<pb::DispatchAppealRequest>,
    ) -> Result<Response<pb::DispatchAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, route) = self.dispatch(&call, request.get_ref()).await?;
        Ok(Response::new(pb::DispatchAppealResponse {
            receipt: Some(receipt(&outcome)),
            unit: route.unit.to_string(),
            rule: convert::of_rule(&route.rule),
        }))
    }

    async fn sign_for_appeal(
        &self,
        request: Request<pb::SignForAppealRequest>,
    ) -> Result<Response<pb::SignForAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.sign_for(&call, request.get_ref()).await?;
        Ok(Response::new(pb::SignForAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn contest_dispatch(
        &self,
        request: Request<pb::ContestDispatchRequest>,
    ) -> Result<Response<pb::ContestDispatchResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.contest(&call, request.get_ref()).await?;
        Ok(Response::new(pb::ContestDispatchResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn rule_on_contest(
        &self,
        request: Request<pb::RuleOnContestRequest>,
    ) -> Result<Response<pb::RuleOnContestResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, route) = self.rule(&call, request.get_ref()).await?;
        Ok(Response::new(pb::RuleOnContestResponse {
            receipt: Some(receipt(&outcome)),
            unit: route.unit.to_string(),
            rule: convert::of_rule(&route.rule),
        }))
    }

    async fn record_contact(
        &self,
        request: Request<pb::RecordContactRequest>,
    ) -> Result<Response<pb::RecordContactResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.contacted(&call, request.get_ref()).await?;
        Ok(Response::new(pb::RecordContactResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn resolve_appeal(
        &self,
        request: Request<pb::ResolveAppealRequest>,
    ) -> Result<Response<pb::ResolveAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.resolve(&call, request.get_ref()).await?;
        Ok(Response::new(pb::ResolveAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn confirm_resolution(
        &self,
        request: Request<pb::ConfirmResolutionRequest>,
    ) -> Result<Response<pb::ConfirmResolutionResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, appeal) = self.confirm(&call, request.get_ref()).await?;
        let (receipt, appeal_id) = (Some(receipt(&outcome)), appeal.to_string());
        Ok(Response::new(pb::ConfirmResolutionResponse { receipt, appeal_id }))
    }

    async fn object_to_resolution(
        &self,
        request: Request<pb::ObjectToResolutionRequest>,
    ) -> Result<Response<pb::ObjectToResolutionResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, appeal) = self.object(&call, request.get_ref()).await?;
        let (receipt, appeal_id) = (Some(receipt(&outcome)), appeal.to_string());
        Ok(Response::new(pb::ObjectToResolutionResponse { receipt, appeal_id }))
    }

    async fn record_callback(
        &self,
        request: Request<pb::RecordCallbackRequest>,
    ) -> Result<Response<pb::RecordCallbackResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.called_back(&call, request.get_ref()).await?;
        Ok(Response::new(pb::RecordCallbackResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn rate_appeal(
        &self,
        request: Request<pb::RateAppealRequest>,
    ) -> Result<Response<pb::RateAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, appeal) = self.rate(&call, request.get_ref()).await?;
        let (receipt, appeal_id) = (Some(receipt(&outcome)), appeal.to_string());
        Ok(Response::new(pb::RateAppealResponse { receipt, appeal_id }))
    }

    async fn close_appeal(
        &self,
        request: Request<pb::CloseAppealRequest>,
    ) -> Result<Response<pb::CloseAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::close(request.get_ref())?;
        let outcome = self.order(&call, &order, As::Desk, &Command::Close).await?;
        Ok(Response::new(pb::CloseAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn reopen_appeal(
        &self,
        request: Request<pb::ReopenAppealRequest>,
    ) -> Result<Response<pb::ReopenAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, appeal) = self.reopen(&call, request.get_ref()).await?;
        let (receipt, appeal_id) = (Some(receipt(&outcome)), appeal.to_string());
        Ok(Response::new(pb::ReopenAppealResponse { receipt, appeal_id }))
    }

    async fn merge_appeal(
        &self,
        request: Request<pb::MergeAppealRequest>,
    ) -> Result<Response<pb::MergeAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.merge(&call, request.get_ref()).await?;
        Ok(Response::new(pb::MergeAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn split_appeal(
        &self,
        request: Request<pb::SplitAppealRequest>,
    ) -> Result<Response<pb::SplitAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let (outcome, part) = self.split(&call, request.get_ref()).await?;
        let receipt = Some(receipt(&outcome));
        Ok(Response::new(pb::SplitAppealResponse { receipt, part_appeal_id: part.to_string() }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.erase(&call, request.get_ref()).await?;
        Ok(Response::new(pb::ErasePersonalDataResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn get_appeal(
        &self,
        request: Request<pb::GetAppealRequest>,
    ) -> Result<Response<pb::GetAppealResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.appeal(&call, request.get_ref()).await?))
    }

    async fn list_appeals(
        &self,
        request: Request<pb::ListAppealsRequest>,
    ) -> Result<Response<pb::ListAppealsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.appeals(&call, request.get_ref()).await?))
    }
}
