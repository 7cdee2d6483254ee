//! `AlertService`.

use doudi_views::ViewName;
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::alerts,
    error::Failure,
    proto::{self as pb, alert_service_server::AlertService},
};

impl Api {
    async fn alerts(
        &self,
        call: &Call,
        request: &pb::ListAlertsRequest,
    ) -> Result<pb::ListAlertsResponse, Failure> {
        let list = alerts::list(request, &call.caller, &self.0.pages)?;
        let fresh = self.reflecting(call, &[ViewName::Alerts], list.reflect).await?;
        let page = self.0.views.alerts(&list.query, fresh).await?;
        Ok(alerts::page(&page, list.binding, &self.0.pages, self.page_bytes_max()))
    }

    async fn alert_counts(
        &self,
        call: &Call,
        request: &pb::CountAlertsRequest,
    ) -> Result<pb::CountAlertsResponse, Failure> {
        let (filter, reflect) = alerts::count(request, &call.caller)?;
        let fresh = self.reflecting(call, &[ViewName::Alerts], reflect).await?;
        let counts = self.0.views.count_alerts(&filter, fresh).await?;
        Ok(alerts::of_counts(&counts))
    }
}

#[tonic::async_trait]
impl AlertService for Api {
    async fn list_alerts(
        &self,
        request: Request<pb::ListAlertsRequest>,
    ) -> Result<Response<pb::ListAlertsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.alerts(&call, request.get_ref()).await?))
    }

    async fn count_alerts(
        &self,
        request: Request<pb::CountAlertsRequest>,
    ) -> Result<Response<pb::CountAlertsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.alert_counts(&call, request.get_ref()).await?))
    }
}
