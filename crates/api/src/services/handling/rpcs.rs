//! The rpcs of `HandlingService`, one after the other.

use doudi_domain::appeal::Command;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    call::Call,
    convert::{common::receipt, handling as convert},
    proto::{self as pb, handling_service_server::HandlingService},
    services::{Api, appeal::As, sending::Sending},
};

#[tonic::async_trait]
impl HandlingService for Api {
    type DownloadFileStream = Sending<pb::DownloadFileResponse>;

    async fn ask_extension(
        &self,
        request: Request<pb::AskExtensionRequest>,
    ) -> Result<Response<pb::AskExtensionResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.asked_extension(&call, request.get_ref()).await?;
        Ok(Response::new(pb::AskExtensionResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn answer_extension(
        &self,
        request: Request<pb::AnswerExtensionRequest>,
    ) -> Result<Response<pb::AnswerExtensionResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::answer_extension(request.get_ref())?;
        let outcome = self
            .order(&call, &order, As::Desk, &Command::AnswerExtension { granted: order.command.1 })
            .await?;
        Ok(Response::new(pb::AnswerExtensionResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn pause_handling(
        &self,
        request: Request<pb::PauseHandlingRequest>,
    ) -> Result<Response<pb::PauseHandlingResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.pause(&call, request.get_ref()).await?;
        Ok(Response::new(pb::PauseHandlingResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn resume_handling(
        &self,
        request: Request<pb::ResumeHandlingRequest>,
    ) -> Result<Response<pb::ResumeHandlingResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::resume(request.get_ref())?;
        let outcome = self.order(&call, &order, As::Lead, &Command::Resume).await?;
        Ok(Response::new(pb::ResumeHandlingResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn request_co_handling(
        &self,
        request: Request<pb::RequestCoHandlingRequest>,
    ) -> Result<Response<pb::RequestCoHandlingResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.asked_of(&call, request.get_ref()).await?))
    }

    async fn answer_co_handling(
        &self,
        request: Request<pb::AnswerCoHandlingRequest>,
    ) -> Result<Response<pb::AnswerCoHandlingResponse>, Status> {
        let call = Call::of(&request)?;
        let outcome = self.answered(&call, request.get_ref()).await?;
        Ok(Response::new(pb::AnswerCoHandlingResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn open_mediation(
        &self,
        request: Request<pb::OpenMediationRequest>,
    ) -> Result<Response<pb::OpenMediationResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::open_mediation(request.get_ref())?;
        let outcome = self.order(&call, &order, As::Lead, &Command::OpenMediation).await?;
        Ok(Response::new(pb::OpenMediationResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn end_mediation(
        &self,
        request: Request<pb::EndMediationRequest>,
    ) -> Result<Response<pb::EndMediationResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::end_mediation(request.get_ref())?;
        let outcome = self
            .order(&call, &order, As::Lead, &Command::EndMediation { agreed: order.command.1 })
            .await?;
        Ok(Response::new(pb::EndMediationResponse { receipt: Some(receipt(&outcome)) }))
    }

    async fn add_note(
        &self,
        request: Request<pb::AddNoteRequest>,
    ) -> Result<Response<pb::AddNoteResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.noted(&call, request.get_ref()).await?))
    }

    async fn upload_file(
        &self,
        request: Request<Streaming<pb::UploadFileRequest>>,
    ) -> Result<Response<pb::UploadFileResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.upload(&call, request.into_inner()).await?))
    }

    async fn download_file(
        &self,
        request: Request<pb::DownloadFileRequest>,
    ) -> Result<Response<Self::DownloadFileStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.download(&call, request.get_ref()).await?))
    }
}
