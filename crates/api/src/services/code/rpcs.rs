//! The rpcs of `CodeService`, each one line to what does the work.

use tonic::{Request, Response, Status};

use super::super::Api;
use crate::{
    call::Call,
    convert::{common, inspection::code},
    proto::{self as pb, code_service_server::CodeService},
};

#[tonic::async_trait]
impl CodeService for Api {
    async fn issue_enterprise_code(
        &self,
        request: Request<pb::IssueEnterpriseCodeRequest>,
    ) -> Result<Response<pb::IssueEnterpriseCodeResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.issue(&call, request.get_ref()).await?))
    }

    async fn revoke_enterprise_code(
        &self,
        request: Request<pb::RevokeEnterpriseCodeRequest>,
    ) -> Result<Response<pb::RevokeEnterpriseCodeResponse>, Status> {
        let call = Call::of(&request)?;
        let order = code::revoke(request.get_ref())?;
        self.keeps_codes(&call, &order.enterprise).await?;
        let receipt = Some(self.on_profile(&call, &order).await?);
        Ok(Response::new(pb::RevokeEnterpriseCodeResponse { receipt }))
    }

    async fn get_enterprise_code(
        &self,
        request: Request<pb::GetEnterpriseCodeRequest>,
    ) -> Result<Response<pb::GetEnterpriseCodeResponse>, Status> {
        let call = Call::of(&request)?;
        let (enterprise, id) = code::get(request.get_ref())?;
        self.keeps_codes(&call, &enterprise).await?;
        let (code, revoked_at) = self.printed(&enterprise, id).await?;
        let revoked_at = revoked_at.map(common::of_timestamp);
        Ok(Response::new(pb::GetEnterpriseCodeResponse { code: Some(code), revoked_at }))
    }

    async fn show_enterprise_code(
        &self,
        request: Request<pb::ShowEnterpriseCodeRequest>,
    ) -> Result<Response<pb::ShowEnterpriseCodeResponse>, Status> {
        let call = Call::of(&request)?;
        let enterprise = code::show(request.get_ref())?;
        call.require(|caller| caller.is_enterprise(&enterprise))?;
        let code = Some(self.rotating(&enterprise)?);
        Ok(Response::new(pb::ShowEnterpriseCodeResponse { code }))
    }

    async fn show_task_code(
        &self,
        request: Request<pb::ShowTaskCodeRequest>,
    ) -> Result<Response<pb::ShowTaskCodeResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.task_code(&call, code::task(request.get_ref())?).await?))
    }

    async fn read_task_code(
        &self,
        request: Request<pb::ReadTaskCodeRequest>,
    ) -> Result<Response<pb::ReadTaskCodeResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.read_task(&call, request.get_ref()).await?))
    }

    async fn admit_visit(
        &self,
        request: Request<pb::AdmitVisitRequest>,
    ) -> Result<Response<pb::AdmitVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.admit(&call, request.get_ref()).await?))
    }

    async fn refuse_visit(
        &self,
        request: Request<pb::RefuseVisitRequest>,
    ) -> Result<Response<pb::RefuseVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.turn_away(&call, request.get_ref()).await?))
    }
}
