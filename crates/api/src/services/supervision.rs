//! `SupervisionService`.

use doudi_domain::calendar::civil_date;
use tonic::{Request, Response, Status};

use super::{Api, may_ask, no_enterprise};
use crate::{
    call::Call,
    convert::supervision,
    error::Failure,
    proto::{self as pb, supervision_service_server::SupervisionService},
};

impl Api {
    async fn enterprise_page(
        &self,
        call: &Call,
        request: &pb::GetEnterprisePageRequest,
    ) -> Result<pb::GetEnterprisePageResponse, Failure> {
        let today = civil_date(self.instant(request.as_of.as_ref()).await?);
        let (query, reflect) = supervision::page(request, &call.caller, today)?;
        may_ask(call, &query.enterprise)?;
        let fresh = self.reflecting(call, &doudi_views::page::VIEWS, reflect).await?;
        let page = self.0.views.enterprise_page(&query, fresh).await?.ok_or_else(no_enterprise)?;
        Ok(supervision::of_page(&query.enterprise, &page, self.page_bytes_max()))
    }
}

#[tonic::async_trait]
impl SupervisionService for Api {
    async fn get_enterprise_page(
        &self,
        request: Request<pb::GetEnterprisePageRequest>,
    ) -> Result<Response<pb::GetEnterprisePageResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.enterprise_page(&call, request.get_ref()).await?))
    }
}
