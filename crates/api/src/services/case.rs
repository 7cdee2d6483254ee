//! `CaseService`: questions about appeals. Nothing here changes one.

use doudi_views::ViewName;
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::case::{self as convert, measures},
    error::Failure,
    proto::{self as pb, case_service_server::CaseService},
};

mod allowed;
mod one;
mod suggest;

impl Api {
    async fn inbox(
        &self,
        call: &Call,
        request: &pb::ListInboxRequest,
    ) -> Result<pb::ListInboxResponse, Failure> {
        let now = self.instant(request.as_of.as_ref()).await?;
        let list = convert::inbox(request, &call.caller, &self.0.pages, now)?;
        let fresh = self.reflecting(call, &[ViewName::Appeals], list.reflect).await?;
        let page = self.0.views.inbox(&list.query, fresh).await?;
        let next = (list.binding, &self.0.pages);
        Ok(convert::inbox_page(&page, &call.caller, next, self.page_bytes_max()))
    }

    async fn inbox_counts(
        &self,
        call: &Call,
        request: &pb::CountInboxRequest,
    ) -> Result<pb::CountInboxResponse, Failure> {
        let now = self.instant(request.as_of.as_ref()).await?;
        let (filter, reflect) = convert::count(request, &call.caller, now)?;
        let fresh = self.reflecting(call, &[ViewName::Appeals], reflect).await?;
        let counts = self.0.views.count_inbox(&filter, fresh).await?;
        Ok(convert::counts(&counts))
    }

    async fn stuck(
        &self,
        call: &Call,
        request: &pb::ListStuckRequest,
    ) -> Result<pb::ListStuckResponse, Failure> {
        let now = self.instant(request.as_of.as_ref()).await?;
        let list = convert::stuck(request, &call.caller, &self.0.pages, now)?;
        let fresh = self.reflecting(call, &[ViewName::Appeals], list.reflect).await?;
        let page = self.0.views.stuck(&list.query, fresh).await?;
        Ok(convert::stuck_page(&page, list.binding, &self.0.pages, self.page_bytes_max()))
    }

    async fn flow(
        &self,
        call: &Call,
        request: &pb::GetFlowRequest,
    ) -> Result<pb::GetFlowResponse, Failure> {
        let (query, reflect) = measures::flow(request, &call.caller)?;
        let fresh = self.reflecting(call, &[ViewName::Measures], reflect).await?;
        let flow = self.0.views.flow(&query, fresh).await?;
        Ok(measures::of_flow(&flow))
    }

    async fn rates(
        &self,
        call: &Call,
        request: &pb::GetRatesRequest,
    ) -> Result<pb::GetRatesResponse, Failure> {
        let (query, reflect) = measures::rates(request, &call.caller)?;
        let fresh = self.reflecting(call, &[ViewName::Measures], reflect).await?;
        let rates = self.0.views.rates(&query, fresh).await?;
        Ok(measures::of_rates(&rates))
    }
}

#[tonic::async_trait]
impl CaseService for Api {
    async fn list_inbox(
        &self,
        request: Request<pb::ListInboxRequest>,
    ) -> Result<Response<pb::ListInboxResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.inbox(&call, request.get_ref()).await?))
    }

    async fn count_inbox(
        &self,
        request: Request<pb::CountInboxRequest>,
    ) -> Result<Response<pb::CountInboxResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.inbox_counts(&call, request.get_ref()).await?))
    }

    async fn list_stuck(
        &self,
        request: Request<pb::ListStuckRequest>,
    ) -> Result<Response<pb::ListStuckResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.stuck(&call, request.get_ref()).await?))
    }

    async fn explain_deadline(
        &self,
        request: Request<pb::ExplainDeadlineRequest>,
    ) -> Result<Response<pb::ExplainDeadlineResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.explained(&call, request.get_ref()).await?))
    }

    async fn get_time_ledger(
        &self,
        request: Request<pb::GetTimeLedgerRequest>,
    ) -> Result<Response<pb::GetTimeLedgerResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.ledger(&call, request.get_ref()).await?))
    }

    async fn get_allowed_actions(
        &self,
        request: Request<pb::GetAllowedActionsRequest>,
    ) -> Result<Response<pb::GetAllowedActionsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.allowed_actions(&call, request.get_ref()).await?))
    }

    async fn follow_case(
        &self,
        request: Request<pb::FollowCaseRequest>,
    ) -> Result<Response<pb::FollowCaseResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.followed(&call, request.get_ref()).await?))
    }

    async fn issue_case_token(
        &self,
        request: Request<pb::IssueCaseTokenRequest>,
    ) -> Result<Response<pb::IssueCaseTokenResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.issued(&call, request.get_ref()).await?))
    }

    async fn suggest_topics(
        &self,
        request: Request<pb::SuggestTopicsRequest>,
    ) -> Result<Response<pb::SuggestTopicsResponse>, Status> {
        Call::of(&request)?;
        Ok(Response::new(self.topics(request.get_ref()).await?))
    }

    async fn suggest_duplicates(
        &self,
        request: Request<pb::SuggestDuplicatesRequest>,
    ) -> Result<Response<pb::SuggestDuplicatesResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.duplicates(&call, request.get_ref()).await?))
    }

    async fn get_flow(
        &self,
        request: Request<pb::GetFlowRequest>,
    ) -> Result<Response<pb::GetFlowResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.flow(&call, request.get_ref()).await?))
    }

    async fn get_rates(
        &self,
        request: Request<pb::GetRatesRequest>,
    ) -> Result<Response<pb::GetRatesResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.rates(&call, request.get_ref()).await?))
    }
}
