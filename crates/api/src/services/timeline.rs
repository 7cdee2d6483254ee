//! `TimelineService`.

use doudi_views::{
    ViewName,
    timeline::{Reached, Selection},
};
use tonic::{Request, Response, Status};

use super::{
    Api, may_ask,
    watch_stream::{self, Watching},
};
use crate::{
    call::Call,
    convert::{
        seal::Seals,
        timeline::{self, Sent},
    },
    error::Failure,
    proto::{self as pb, timeline_service_server::TimelineService},
};

impl Api {
    async fn timeline(
        &self,
        call: &Call,
        request: &pb::ListTimelineRequest,
    ) -> Result<pb::ListTimelineResponse, Failure> {
        let list = timeline::list(request, &call.caller, &self.0.pages)?;
        may_ask(call, &list.query.enterprise)?;
        let fresh = self.reflecting(call, &[ViewName::Timeline], list.reflect).await?;
        let page = self.0.views.timeline(&list.query, fresh).await?;
        Ok(timeline::page(&page, list.binding, &self.0.pages, self.page_bytes_max()))
    }

    async fn watch(
        &self,
        call: &Call,
        request: &pb::WatchTimelineRequest,
    ) -> Result<Watching<pb::WatchTimelineResponse>, Failure> {
        let (selection, after) = timeline::watch(request, call.caller.scope(), &self.0.seals)?;
        self.watching(call, selection, after, timeline::live).await
    }

    /// A live stream of what the selection means, each entry as a `message`.
    pub(super) async fn watching<M: 'static>(
        &self,
        call: &Call,
        selection: Selection,
        after: Reached,
        message: fn(&Sent, &Seals) -> M,
    ) -> Result<Watching<M>, Failure> {
        if let Some(enterprise) = &selection.enterprise {
            may_ask(call, enterprise)?;
        }
        self.reached(ViewName::Timeline, "after_position", after.point.position).await?;
        let place = self.0.watches.take(&call.caller)?;
        let watch = self.0.views.watch_timeline(selection, after);
        let until = watch_stream::Until {
            shutdown: self.0.shutdown.clone(),
            clock: self.0.clock.clone(),
            expires_at: call.caller.expires_at,
        };
        Ok(watch_stream::start(watch, until, place, message, self.0.seals.clone()))
    }
}

#[tonic::async_trait]
impl TimelineService for Api {
    type WatchTimelineStream = Watching<pb::WatchTimelineResponse>;

    async fn list_timeline(
        &self,
        request: Request<pb::ListTimelineRequest>,
    ) -> Result<Response<pb::ListTimelineResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.timeline(&call, request.get_ref()).await?))
    }

    async fn watch_timeline(
        &self,
        request: Request<pb::WatchTimelineRequest>,
    ) -> Result<Response<Self::WatchTimelineStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.watch(&call, request.get_ref()).await?))
    }
}
