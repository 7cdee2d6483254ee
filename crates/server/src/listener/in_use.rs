//! Which connections have calls under way: a layer that tells each call's connection when the call begins and ends.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use doudi_api::Holding;
use tonic::{
    body::Body,
    codegen::{
        Service,
        http::{Request, Response},
    },
};
use tower::Layer;

use super::usage::{OpenCall, Usage};

/// Tells connections of their calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InUse;

impl<S> Layer<S> for InUse {
    type Service = InUseService<S>;

    fn layer(&self, inner: S) -> InUseService<S> {
        InUseService(inner)
    }
}

/// A service behind the layer.
#[derive(Debug, Clone)]
pub(crate) struct InUseService<S>(S);

impl<S> Service<Request<Body>> for InUseService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Who only asks whether the server works is not at work, and makes room for those who are.
        let usage = request.extensions().get::<Arc<Usage>>();
        let usage = usage.filter(|_| !doudi_api::is_open(request.uri().path()));
        let open = usage.map(OpenCall::begin);
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            // The call is open until its answer was handed on.
            let call = open.map(OpenCall::answered);
            Ok(answer.map(|body| Holding::body(body, call)))
        })
    }
}
