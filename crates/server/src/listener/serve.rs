//! gRPC on the connections of a listener: TLS where there is a certificate, HTTP/2, and each connection's own end.

use std::{convert::Infallible, pin::pin, sync::Arc};

use hyper::{body::Incoming, server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::{Duration, Instant, sleep_until},
};
use tokio_rustls::TlsAcceptor;
use tonic::{
    body::Body,
    codegen::http::{HeaderValue, Request, Response},
};
use tower::{Service, ServiceExt};

use super::{
    Connection, Listener, Patience, metrics,
    usage::{Ending, OpenCall, Usage},
};
use crate::stop::Stop;

/// How long a connection that ends gently may take.
const GENTLY_WITHIN: Duration = Duration::from_secs(2);

/// The status of whoever did not prove who it is.
const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");

/// How connections are spoken on.
#[derive(Clone)]
pub(crate) struct Protocol {
    pub(crate) http2: Builder<TokioExecutor>,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// What answers calls, a copy of it for each connection and each call.
pub(crate) trait Calls:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Calls for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Serves until `stop`, and then until all connections have ended.
pub(crate) async fn serve(listener: Listener, protocol: Protocol, service: impl Calls, stop: Stop) {
    let mut open = JoinSet::new();
    loop {
        let (connection, patience) = tokio::select! {
            accepted = listener.accept(&stop) => accepted,
            () = stop.wait() => break,
        };
        while open.try_join_next().is_some() {}
        let (protocol, service, stop) = (protocol.clone(), service.clone(), stop.clone());
        open.spawn(one(connection, patience, protocol, service, stop));
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn one(
    connection: Connection,
    mut patience: Patience,
    Protocol { http2, tls }: Protocol,
    service: impl Calls,
    stop: Stop,
) {
    let Some(tls) = tls else {
        return speak(connection, patience, http2, service, stop).await;
    };
    let until = patience.agreed_until();
    let accepted = tokio::select! {
        accepted = tls.accept(connection) => accepted,
        _ = patience.over() => return,
        () = sleep_until(until) => return metrics::ended("silent"),
        () = stop.wait() => return,
    };
    match accepted {
        Ok(stream) => Box::pin(speak(stream, patience, http2, service, stop)).await,
        Err(error) => tracing::debug!(%error, "no TLS was agreed on"),
    }
}

/// Speaks HTTP/2 until the client goes or the connection is to end.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    mut patience: Patience,
    http2: Builder<TokioExecutor>,
    service: impl Calls,
    stop: Stop,
) {
    let usage = Arc::clone(&patience.usage);
    let service = service_fn(move |request: Request<Incoming>| {
        answer(service.clone(), Arc::clone(&usage), request.map(Body::new))
    });
    let mut connection = pin!(http2.serve_connection(TokioIo::new(stream), service));
    let (mut stopping, mut until) = (false, None);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection failed");
                }
                return;
            }
            how = patience.over() => match how {
                Ending::AtOnce => return,
                Ending::Gently => until = Some(Instant::now() + GENTLY_WITHIN),
            },
            () = stop.wait(), if !stopping => stopping = true,
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => return,
        }
        connection.as_mut().graceful_shutdown();
    }
}

/// Answers one call, and tells its connection when it begins and ends.
async fn answer(
    service: impl Calls,
    usage: Arc<Usage>,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    // Who only asks whether the server works is not at work, and makes room for those who are.
    if doudi_api::is_open(request.uri().path()) {
        return service.oneshot(request).await;
    }
    if usage.spare {
        metrics::ended("full");
        usage.end(Ending::Gently);
        return Ok(doudi_api::overloaded());
    }
    let open = OpenCall::begin(&usage);
    let answer = service.oneshot(request).await?;
    // The call is open until its answer was handed on.
    let call = open.answered(answer.headers().get("grpc-status") != Some(&UNAUTHENTICATED));
    Ok(answer.map(|body| doudi_api::Holding::body(body, call)))
}
