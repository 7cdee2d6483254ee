//! The rpcs of `AppealService`, one after the other.

use doudi_domain::appeal::Command;
use tonic::{Request, Response, Status};

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
        let outcome = self.as_dispatcher(&call, &order, &Command::Accept).await?;
        Ok(Response::new(pb::AcceptAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn dispatch_appeal(
        &self,
        request: Request<pb::DispatchAppealRequest>,
    ) -> Result<Response<pb::DispatchAppealResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.dispatch(&call, request.get_ref()).await?))
    }

    async fn sign_for_appeal(
        &self,
        request: Request<pb::SignForAppealRequest>,
    ) -> Result<Response<pb::SignForAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::sign_for(request.get_ref())?;
        let command = Command::SignFor { unit: call.unit()? };
        let outcome = self.as_unit(&call, &order, &command).await?;
        Ok(Response::new(pb::SignForAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn resolve_appeal(
        &self,
        request: Request<pb::ResolveAppealRequest>,
    ) -> Result<Response<pb::ResolveAppealResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.resolve(&call, request.get_ref()).await?))
    }

    async fn confirm_resolution(
        &self,
        request: Request<pb::ConfirmResolutionRequest>,
    ) -> Result<Response<pb::ConfirmResolutionResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::confirm(request.get_ref())?;
        call.require(|caller| caller.is_enterprise(&order.enterprise))?;
        let outcome = self.on_appeal(&call, &order, &Command::Confirm).await?;
        Ok(Response::new(pb::ConfirmResolutionResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn object_to_resolution(
        &self,
        request: Request<pb::ObjectToResolutionRequest>,
    ) -> Result<Response<pb::ObjectToResolutionResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.object(&call, request.get_ref()).await?))
    }

    async fn close_appeal(
        &self,
        request: Request<pb::CloseAppealRequest>,
    ) -> Result<Response<pb::CloseAppealResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::close(request.get_ref())?;
        let outcome = self.as_dispatcher(&call, &order, &Command::Close).await?;
        Ok(Response::new(pb::CloseAppealResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.erase(&call, request.get_ref()).await?))
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
