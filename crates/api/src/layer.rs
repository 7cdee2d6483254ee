//! The access layer in front of every service: proves who calls, looks the rpc up in the permission
//! table, sheds load, bounds the time, and keeps a panic to the one call that caused it.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use doudi_engine::Clock;
use futures::FutureExt;
use http_body::{Frame, SizeHint};
use http_body_util::Limited;
use tokio::{
    sync::{Semaphore, watch},
    time::{Duration, Instant, timeout_at},
};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, Request, Response},
};
use tower::{Layer, Service};
use tracing::Instrument;

pub(crate) use self::admission::Bounds;
use self::{
    admission::{Admission, Ticket},
    unread::Arriving,
};
use crate::{
    call::Call,
    error::{Failure, Reason, Refusal},
    identity::Authenticator,
    metrics::{self, Measured},
    permission::{Permission, permission},
    trace,
};

mod admission;
mod unread;

/// Paths that are served without a token, where they are mounted: they tell whether the server
/// works and what its contract is, and nothing of what it keeps.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// The one of them that is answered at once; the others are streams.
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// The largest request for one of them, in bytes, and how long it may take to come and be answered.
const OPEN_BYTES_MAX: usize = 4096;
const OPEN_TIME_MAX: Duration = Duration::from_secs(10);

/// How many of their streams may be open at once.
const OPEN_STREAMS_MAX: usize = 256;

/// The header with the whole seconds since when the log has not been reachable: what an answer shows may be as
/// old as that.
const LOG_AWAY: &str = "doudi-log-away-seconds";

/// The most characters of an unknown path that a refusal repeats.
const PATH_CHARS_MAX: usize = 200;

/// Calls that send or answer a stream. Each kind has bounds of its own where it is served, and holds a place here until
/// its answer begins.
const STREAMS: [&str; 6] = [
    "/doudi.v1.TimelineService/WatchTimeline",
    "/doudi.v1.FeedService/StreamEvents",
    "/doudi.v1.HandlingService/UploadFile",
    "/doudi.v1.HandlingService/DownloadFile",
    "/doudi.v1.BoardService/ExportBoard",
    "/doudi.v1.WhatIfService/TryPolicy",
];

/// How the names of rpcs begin that only read.
const READS: [&str; 5] = ["Get", "List", "Count", "Explain", "Suggest"];

/// Puts the access layer in front of a service.
#[derive(Debug, Clone)]
pub struct AccessLayer(Arc<Access>);

#[derive(Debug)]
struct Access {
    authenticator: Authenticator,
    clock: Clock,
    admission: Arc<Admission>,
    open_streams: Arc<Semaphore>,
    /// Since when the log cannot be reached.
    away: watch::Sender<Option<Instant>>,
}

impl AccessLayer {
    pub(crate) fn new(authenticator: Authenticator, clock: Clock, bounds: Bounds) -> Self {
        let (admission, away) = (Admission::new(bounds), watch::Sender::default());
        let open_streams = Arc::new(Semaphore::new(OPEN_STREAMS_MAX));
        Self(Arc::new(Access { authenticator, clock, admission, open_streams, away }))
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
        if is_open(path) {
            let place = match path == HEALTH {
                true => None,
                false => match Arc::clone(&self.access.open_streams).try_acquire_owned() {
                    Ok(place) => Some(place),
                    Err(_) => return Box::pin(std::future::ready(Ok(overloaded()))),
                },
            };
            let request = request.map(|body| Body::new(Limited::new(body, OPEN_BYTES_MAX)));
            let answer = tokio::time::timeout(OPEN_TIME_MAX, self.inner.call(request));
            return Box::pin(async move {
                let late = || Ok(refused(Reason::DeadlineExceeded.into()));
                let answer = answer.await.unwrap_or_else(|_| late())?;
                Ok(answer.map(|body| Holding::body(body, place)))
            });
        }
        let row = permission(path);
        let measured = Measured::begin(metrics::label(row));
        let (mut call, ticket) = match self.access.admit(row, path, request.headers()) {
            Ok(admitted) => admitted,
            Err(failure) => {
                let answer = refused(failure);
                measured.answered(&answer);
                return Box::pin(std::future::ready(Ok(answer)));
            }
        };
        let (deadline, ticket) = (call.deadline, Arc::new(ticket));
        let (streams, reads) = (STREAMS.contains(&path), reads(path));
        let (span, traceparent) = trace::begin(metrics::label(row), request.headers());
        call.traceparent = traceparent;
        request.extensions_mut().insert(call);
        if !streams {
            let ticket = Arc::clone(&ticket);
            request = request.map(|body| Body::new(Arriving { body, ticket }));
        }
        let access = Arc::clone(&self.access);
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let call = async move {
            // It may have waited for its turn until nobody waits for it any more.
            let answered = match Instant::now() < deadline {
                true => timeout_at(deadline, answer).await.ok(),
                false => None,
            };
            let answer = match answered {
                Some(Ok(response)) => {
                    explained(response?, access.admission.bounds().message_bytes_max)
                }
                // What it says may hold the words of a person; where it was is in the log already.
                Some(Err(_)) => refused(Failure::fault("a call panicked")),
                None => refused(Reason::DeadlineExceeded.into()),
            };
            trace::end(measured.answered(&answer));
            let answer = access.aged(answer);
            if streams {
                return Ok(answer);
            }
            Ok(answer.map(|body| unread::answer(&access.admission, ticket, reads, body)))
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
    ) -> Result<(Call, Ticket), Failure> {
        let token = bearer(headers)?;
        let caller = self.authenticator.authenticate(token, self.clock.now())?;
        let Some(row) = row else {
            let path: String = path.chars().take(PATH_CHARS_MAX).collect();
            return Err(Refusal::new(Reason::RpcUnknown).with("rpc", path).into());
        };
        if !row.roles.intersects(caller.roles) {
            return Err(Refusal::role_missing(row.roles).into());
        }
        let asked = headers.get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
        let bound = self.admission.bounds().request_timeout_max;
        let left = asked.map_or(bound, |asked| asked.min(bound));
        let ticket = self.admission.enter(&caller, left)?;
        let now = Instant::now();
        let granted = asked.and_then(|asked| now.checked_add(asked));
        Ok((Call { caller, deadline: now + left, granted, traceparent: None }, ticket))
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

/// Whether a path is served without a token. What is called there says nothing of who is at work.
#[must_use]
pub fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path.starts_with(open))
}

/// What a call is answered for which there is no room.
#[must_use]
pub fn overloaded() -> Response<Body> {
    metrics::shed("full");
    refused(admission::overloaded().into())
}

/// Whether an rpc only reads, by its name. A test holds it against the contract.
fn reads(path: &str) -> bool {
    let rpc = path.rsplit('/').next().unwrap_or_default();
    READS.iter().any(|verb| rpc.starts_with(verb))
}

/// A body that holds something until it was handed on.
#[derive(Debug)]
pub struct Holding<T> {
    body: Body,
    _held: T,
}

impl<T: Send + Unpin + 'static> Holding<T> {
    /// `body`, which holds that.
    #[must_use]
    pub fn body(body: Body, held: T) -> Body {
        Body::new(Holding { body, _held: held })
    }
}

impl<T: Unpin> http_body::Body for Holding<T> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
