//! `FeedService`.

use tonic::{Request, Response, Status};

use super::{Api, watch_stream::Watching};
use crate::{
    call::Call,
    convert::timeline,
    error::Failure,
    proto::{self as pb, feed_service_server::FeedService},
};

impl Api {
    async fn feed(
        &self,
        call: &Call,
        request: &pb::StreamEventsRequest,
    ) -> Result<Watching<pb::StreamEventsResponse>, Failure> {
        let (selection, after) = timeline::feed(request, call.caller.scope(), &self.0.seals)?;
        self.watching(call, selection, after, timeline::fed).await
    }
}

#[tonic::async_trait]
impl FeedService for Api {
    type StreamEventsStream = Watching<pb::StreamEventsResponse>;

    async fn stream_events(
        &self,
        request: Request<pb::StreamEventsRequest>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.feed(&call, request.get_ref()).await?))
    }
}
