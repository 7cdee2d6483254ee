//! The trace of a call: a span that continues the caller's trace, and gives every log line of the call
//! the rpc and the id of the trace.

use doudi_engine::trace::{self, Place};
use tonic::codegen::http::HeaderMap;
use tracing::{Span, field};

/// The span of a call of the rpc with this label, and the `traceparent` of what the call causes.
pub(crate) fn begin(rpc: &'static str, headers: &HeaderMap) -> (Span, Option<String>) {
    let caller = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let caller = caller.and_then(Place::parse);
    // Its level is not about an error: lines of any level must have it, whatever the filter lets by.
    let span = tracing::error_span!(
        "rpc",
        otel.kind = "server",
        rpc,
        trace_id = field::Empty,
        outcome = field::Empty
    );
    if let Some(caller) = &caller {
        caller.put(&span);
    }
    trace::name(&span, rpc);
    // A span of ours that nobody collects is no use to who reads the commit later, the caller's may be.
    let place = Place::below(&span).or(caller);
    if let Some(place) = &place {
        span.record("trace_id", place.trace_id());
    }
    (span, place.as_ref().map(Place::text))
}

/// The call of this span ended so: ok, rejected or fault.
pub(crate) fn end(outcome: &'static str) {
    let span = Span::current();
    span.record("outcome", outcome);
    if outcome == "fault" {
        trace::fail(&span);
    }
}
