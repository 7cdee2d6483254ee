//! The access layer in front of every service: proves who calls, looks the rpc up in the permission
//! table, sheds load, bounds the time, and keeps a panic to the one call that caused it.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use doudi_engine::Clock;
use futures::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Duration, Instant, timeout_at},
};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, Request, Response},
};
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    call::Call,
    error::{Failure, RETRY_SOON, Reason, Refusal},
    identity::Authenticator,
    metrics::{self, Measured},
    permission::{Permission, permission},
    trace,
};

/// Paths that are served without a token, where they are mounted: they tell whether the server
/// works and what its contract is, and nothing of what it keeps.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// The header with the whole seconds since when the log has not been reachable: what an answer shows may be as
/// old as that.
const LOG_AWAY: &str = "doudi-log-away-seconds";

/// The most characters of an unknown path that a refusal repeats.
const PATH_CHARS_MAX: usize = 200;

/// Bounds of the layer.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// The most requests at work at once.
    pub(crate) requests_in_flight_max: usize,
    /// The longest that one request may take.
    pub(crate) request_timeout_max: Duration,
    /// The largest message taken in, in bytes, as refusals name it.
    pub(crate) message_bytes_max: usize,
}

/// Puts the access layer in front of a service.
#[derive(Debug, Clone)]
pub struct AccessLayer(Arc<Access>);

#[derive(Debug)]
struct Access {
    authenticator: Authenticator,
    clock: Clock,
    bounds: Bounds,
    requests: Arc<Semaphore>,
    /// Since when the log cannot be reached.
    away: watch::Sender<Option<Instant>>,
}

impl AccessLayer {
    pub(crate) fn new(authenticator: Authenticator, clock: Clock, bounds: Bounds) -> Self {
        let requests = Arc::new(Semaphore::new(bounds.requests_in_flight_max));
        let away = watch::Sender::default();
        Self(Arc::new(Access { authenticator, clock, bounds, requests, away }))
    }

    pub(crate) fn log_away(&self, since: Option<Instant>) {
        self.0.away.send_replace(since);
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = AccessService<S>;

    fn layer(&self, inner: S) -> AccessService<S> {
        AccessService { inner, access: Arc::clone(&self.0) }
    }
}

/// A service behind the access layer.
#[derive(Debug, Clone)]
pub struct AccessService<S> {
    inner: S,
    access: Arc<Access>,
}

impl<S> Service<Request<Body>> for AccessService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if OPEN.iter().any(|open| path.starts_with(open)) {
            return Box::pin(self.inner.call(request));
        }
        let row = permission(path);
        let measured = Measured::begin(metrics::label(row));
        let (mut call, permit) = match self.access.admit(row, path, request.headers()) {
            Ok(admitted) => admitted,
            Err(failure) => {
                let answer = refused(failure);
                measured.answered(&answer);
                return Box::pin(std::future::ready(Ok(answer)));
            }
        };
        let deadline = call.deadline;
        let (span, traceparent) = trace::begin(metrics::label(row), request.headers());
        call.traceparent = traceparent;
        request.extensions_mut().insert(call);
        let message_bytes_max = self.access.bounds.message_bytes_max;
        let access = Arc::clone(&self.access);
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let call = async move {
            let answered = timeout_at(deadline, answer).await;
            drop(permit);
            let answer = match answered {
                Ok(Ok(response)) => explained(response?, message_bytes_max),
                // What it says may hold the words of a person; where it was is in the log already.
                Ok(Err(_)) => refused(Failure::fault("a call panicked")),
                Err(_) => refused(Reason::DeadlineExceeded.into()),
            };
            trace::end(measured.answered(&answer));
            Ok(access.aged(answer))
        };
        Box::pin(call.instrument(span))
    }
}

impl Access {
    fn admit(
        &self,
        row: Option<&Permission>,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(Call, OwnedSemaphorePermit), Failure> {
        let token = bearer(headers)?;
        let caller = self.authenticator.authenticate(token, self.clock.now())?;
        let Some(row) = row else {
            let path: String = path.chars().take(PATH_CHARS_MAX).collect();
            return Err(Refusal::new(Reason::RpcUnknown).with("rpc", path).into());
        };
        if !row.roles.intersects(caller.roles) {
            return Err(Refusal::role_missing(row.roles).into());
        }
        let permit = Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| Refusal::new(Reason::Overloaded).retry_after(RETRY_SOON))?;
        let asked = headers.get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
        let bound = self.bounds.request_timeout_max;
        let now = Instant::now();
        let deadline = now + asked.map_or(bound, |asked| asked.min(bound));
        let granted = asked.and_then(|asked| now.checked_add(asked));
        Ok((Call { caller, deadline, granted, traceparent: None }, permit))
    }
}

impl Access {
    /// Says how old an answer may be while the log, and with it whatever is new, cannot be reached.
    fn aged(&self, mut answer: Response<Body>) -> Response<Body> {
        if let Some(since) = *self.away.borrow() {
            answer.headers_mut().insert(LOG_AWAY, since.elapsed().as_secs().into());
        }
        answer
    }
}

fn refused(failure: Failure) -> Response<Body> {
    Status::from(failure).into_http()
}

/// Says in our words what tonic refuses by itself before a service is reached: a message that is
/// too large, or that does not decode. Our own statuses always carry details; these two never do.
fn explained(response: Response<Body>, bytes_max: usize) -> Response<Body> {
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let code = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    if code == Some(Code::OutOfRange) {
        refused(Refusal::new(Reason::MessageTooLarge).with("bytes_max", bytes_max).into())
    } else if code == Some(Code::Internal) {
        refused(Reason::MessageMalformed.into())
    } else {
        response
    }
}

/// The one bearer token. With two of them, a proxy before us and we might believe different ones.
fn bearer(headers: &HeaderMap) -> Result<&str, Reason> {
    let mut values = headers.get_all("authorization").iter();
    let value = values.next().ok_or(Reason::TokenMissing)?;
    if values.next().is_some() {
        return Err(Reason::TokenMalformed);
    }
    let parts = value.to_str().ok().and_then(|value| value.split_once(' '));
    // RFC 9110 section 11.1: the scheme's case does not matter.
    let bearer = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = bearer.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
    token.ok_or(Reason::TokenMissing)
}

/// The time that a client grants: 1 to 8 digits and a unit. What is malformed grants all there is.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let sound = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let value: u64 = sound.then(|| digits.parse().ok())??;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
