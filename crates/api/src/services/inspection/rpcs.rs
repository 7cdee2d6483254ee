//! The rpcs of `InspectionService`, each one line to what does the work.

use tonic::{Request, Response, Status};

use super::super::Api;
use crate::{
    call::Call,
    convert::inspection,
    proto::{self as pb, inspection_service_server::InspectionService},
};

/// Commands that are nothing but converted and carried out.
macro_rules! carried_out {
    ($self:ident, $request:ident, $convert:path, $response:ident) => {{
        let call = Call::of(&$request)?;
        let order = $convert($request.get_ref(), call.unit()?)?;
        let receipt = $self.on_visits(&call, &order, None).await?;
        Ok(Response::new(pb::$response { receipt }))
    }};
}

#[tonic::async_trait]
impl InspectionService for Api {
    async fn plan_visit(
        &self,
        request: Request<pb::PlanVisitRequest>,
    ) -> Result<Response<pb::PlanVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.plan(&call, request.get_ref()).await?))
    }

    async fn approve_visit(
        &self,
        request: Request<pb::ApproveVisitRequest>,
    ) -> Result<Response<pb::ApproveVisitResponse>, Status> {
        carried_out!(self, request, inspection::approve, ApproveVisitResponse)
    }

    async fn notify_visit(
        &self,
        request: Request<pb::NotifyVisitRequest>,
    ) -> Result<Response<pb::NotifyVisitResponse>, Status> {
        carried_out!(self, request, inspection::notify, NotifyVisitResponse)
    }

    async fn merge_visits(
        &self,
        request: Request<pb::MergeVisitsRequest>,
    ) -> Result<Response<pb::MergeVisitsResponse>, Status> {
        carried_out!(self, request, inspection::merge, MergeVisitsResponse)
    }

    async fn report_result(
        &self,
        request: Request<pb::ReportResultRequest>,
    ) -> Result<Response<pb::ReportResultResponse>, Status> {
        carried_out!(self, request, inspection::found::report, ReportResultResponse)
    }

    async fn tell_enterprise(
        &self,
        request: Request<pb::TellEnterpriseRequest>,
    ) -> Result<Response<pb::TellEnterpriseResponse>, Status> {
        carried_out!(self, request, inspection::found::tell, TellEnterpriseResponse)
    }

    async fn accept_rectification(
        &self,
        request: Request<pb::AcceptRectificationRequest>,
    ) -> Result<Response<pb::AcceptRectificationResponse>, Status> {
        carried_out!(self, request, inspection::found::accept, AcceptRectificationResponse)
    }

    async fn cancel_visit(
        &self,
        request: Request<pb::CancelVisitRequest>,
    ) -> Result<Response<pb::CancelVisitResponse>, Status> {
        carried_out!(self, request, inspection::cancel, CancelVisitResponse)
    }

    async fn check_in(
        &self,
        request: Request<pb::CheckInRequest>,
    ) -> Result<Response<pb::CheckInResponse>, Status> {
        let call = Call::of(&request)?;
        let order = inspection::scan::check_in(request.get_ref())?;
        let receipt = self.check_in_at(&call, order).await?;
        Ok(Response::new(pb::CheckInResponse { receipt }))
    }

    async fn check_in_urgently(
        &self,
        request: Request<pb::CheckInUrgentlyRequest>,
    ) -> Result<Response<pb::CheckInUrgentlyResponse>, Status> {
        let call = Call::of(&request)?;
        let order = inspection::scan::urgently(request.get_ref(), call.unit()?, self.today())?;
        let visit_id = order.command.visit.to_string();
        let receipt = self.check_in_at(&call, order).await?;
        Ok(Response::new(pb::CheckInUrgentlyResponse { receipt, visit_id }))
    }

    async fn backfill_check_in(
        &self,
        request: Request<pb::BackfillCheckInRequest>,
    ) -> Result<Response<pb::BackfillCheckInResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.backfill(&call, request.get_ref()).await?))
    }

    async fn check_out(
        &self,
        request: Request<pb::CheckOutRequest>,
    ) -> Result<Response<pb::CheckOutResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.check_out_at(&call, request.get_ref()).await?))
    }

    async fn report_rectification(
        &self,
        request: Request<pb::ReportRectificationRequest>,
    ) -> Result<Response<pb::ReportRectificationResponse>, Status> {
        let call = Call::of(&request)?;
        let receipt = self.rectified(&call, request.get_ref()).await?;
        Ok(Response::new(pb::ReportRectificationResponse { receipt }))
    }

    async fn record_off_site_check(
        &self,
        request: Request<pb::RecordOffSiteCheckRequest>,
    ) -> Result<Response<pb::RecordOffSiteCheckResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.check_off_site(&call, request.get_ref()).await?))
    }

    async fn get_visit(
        &self,
        request: Request<pb::GetVisitRequest>,
    ) -> Result<Response<pb::GetVisitResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.visit(&call, request.get_ref()).await?))
    }

    async fn explain_plan(
        &self,
        request: Request<pb::ExplainPlanRequest>,
    ) -> Result<Response<pb::ExplainPlanResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.plan_explained(&call, request.get_ref()).await?))
    }

    async fn get_quota(
        &self,
        request: Request<pb::GetQuotaRequest>,
    ) -> Result<Response<pb::GetQuotaResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.quota(&call, request.get_ref()).await?))
    }
}
