//! `VisitListService`.

use doudi_domain::calendar::civil_date;
use doudi_views::ViewName;
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::visit_list,
    error::Failure,
    proto::{self as pb, visit_list_service_server::VisitListService},
};

impl Api {
    async fn visits(
        &self,
        call: &Call,
        request: &pb::ListVisitsRequest,
    ) -> Result<pb::ListVisitsResponse, Failure> {
        let asked = visit_list::list(request, &call.caller, &self.0.pages)?;
        let fresh = self.reflecting(call, &[ViewName::Visits], asked.reflect).await?;
        let page = self.0.views.visits(&asked.query, fresh).await?;
        Ok(visit_list::page(&page, asked.binding, &self.0.pages, self.page_bytes_max()))
    }

    async fn visit_counts(
        &self,
        call: &Call,
        request: &pb::CountVisitsRequest,
    ) -> Result<pb::CountVisitsResponse, Failure> {
        let (filter, reflect) = visit_list::count(request, &call.caller)?;
        let fresh = self.reflecting(call, &[ViewName::Visits], reflect).await?;
        let counts = self.0.views.count_visits(&filter, fresh).await?;
        Ok(visit_list::of_counts(&counts))
    }

    /// Only who plans for a unit may look for visits to join, and at any enterprise: that they lie near is
    /// told at planning too.
    async fn near(
        &self,
        call: &Call,
        request: &pb::ListNearVisitsRequest,
    ) -> Result<pb::ListNearVisitsResponse, Failure> {
        let (query, reflect) = visit_list::near(request, call.unit()?)?;
        call.require(|caller| !caller.is_enterprise(&query.enterprise))?;
        let fresh = self.reflecting(call, &[ViewName::Visits], reflect).await?;
        let page = self.0.views.near_visits(&query, fresh).await?;
        Ok(visit_list::of_near(&page))
    }

    async fn unit_ledger(
        &self,
        call: &Call,
        request: &pb::ListUnitLedgerRequest,
    ) -> Result<pb::ListUnitLedgerResponse, Failure> {
        let today = civil_date(self.instant(request.as_of.as_ref()).await?);
        let asked = visit_list::unit_ledger(request, &call.caller, today, &self.0.pages)?;
        let fresh = self.reflecting(call, &[ViewName::Visits], asked.reflect).await?;
        let page = self.0.views.ledger(&asked.query, fresh).await?;
        Ok(visit_list::of_ledger(&page, asked.binding, &self.0.pages))
    }
}

#[tonic::async_trait]
impl VisitListService for Api {
    async fn list_visits(
        &self,
        request: Request<pb::ListVisitsRequest>,
    ) -> Result<Response<pb::ListVisitsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.visits(&call, request.get_ref()).await?))
    }

    async fn count_visits(
        &self,
        request: Request<pb::CountVisitsRequest>,
    ) -> Result<Response<pb::CountVisitsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.visit_counts(&call, request.get_ref()).await?))
    }

    async fn list_near_visits(
        &self,
        request: Request<pb::ListNearVisitsRequest>,
    ) -> Result<Response<pb::ListNearVisitsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.near(&call, request.get_ref()).await?))
    }

    async fn list_unit_ledger(
        &self,
        request: Request<pb::ListUnitLedgerRequest>,
    ) -> Result<Response<pb::ListUnitLedgerResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.unit_ledger(&call, request.get_ref()).await?))
    }
}
