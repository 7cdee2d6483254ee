//! The HTTP endpoint: `GET /metrics` in the OpenMetrics text format, and nothing else.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header::CONTENT_TYPE,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::{task::JoinSet, time::Duration};

use crate::{listener::Listener, stop::Stop};

/// The format, as Prometheus knows it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a client may take to say what it wants.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// Answers for ever. Each connection is good for one request, so none stays open in vain.
pub(super) async fn serve(listener: Listener, registry: Registry, stop: Stop) {
    let registry = Arc::new(registry);
    let mut answering = JoinSet::new();
    loop {
        let (connection, mut patience) = listener.accept(&stop).await;
        while answering.try_join_next().is_some() {}
        let registry = Arc::clone(&registry);
        answering.spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &registry);
                async { Ok::<_, Infallible>(answer) }
            });
            let mut server = http1::Builder::new();
            server.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN);
            let serving = server.serve_connection(TokioIo::new(connection), service);
            tokio::select! {
                served = serving => if let Err(error) = served {
                    tracing::debug!(%error, "a client that asked for metrics went away");
                },
                _ = patience.over() => {}
            }
        });
    }
}

fn answer(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let mut text = String::new();
            match text::encode(&mut text, registry) {
                Ok(()) => (StatusCode::OK, text),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            }
        }
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        (_, _) => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    if status == StatusCode::OK {
        let format = hyper::header::HeaderValue::from_static(OPEN_METRICS);
        answer.headers_mut().insert(CONTENT_TYPE, format);
    }
    answer
}
