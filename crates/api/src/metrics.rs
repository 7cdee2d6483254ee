//! What is counted and measured of each call: how many, how they ended, how long they took. Names and
//! descriptions are the binary's to give.

use std::sync::LazyLock;

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body, codegen::http::Response};
use tonic_types::StatusExt;

use crate::{
    error::Reason,
    permission::{Permission, TABLE},
};

/// A metric with labels, whose values come from lists of ours.
type Labelled<const N: usize, M, C = fn() -> M> = Family<[(&'static str, &'static str); N], M, C>;

/// Calls by `rpc`, `code` (the gRPC status code) and `outcome`: ok; rejected, where the call or a rule is
/// the reason; fault, where the operator has something to look at. A live stream counts when it is
/// opened. A call that its client gave up has the code CANCELLED and is rejected.
pub static REQUESTS: LazyLock<Labelled<3, Counter>> = LazyLock::new(Labelled::default);

/// Seconds from a call's admission to its answer by `rpc`; to its opening for a live stream.
pub static SECONDS: LazyLock<Labelled<1, Histogram>> =
    LazyLock::new(|| Labelled::new_with_constructor(seconds));

/// Calls at work by `rpc`, open live streams aside.
pub static IN_FLIGHT: LazyLock<Labelled<1, Gauge>> = LazyLock::new(Labelled::default);

/// Calls and live streams that were refused because of how much there was to do, by `cause`: full, where too many are at
/// work; caller, where one caller has too many; bytes, where messages take too much memory; watches, where too many live
/// streams are open; uploads, where too many of those are.
pub static SHED: LazyLock<Labelled<1, Counter>> = LazyLock::new(Labelled::default);

/// Counts a call that is refused because of how much there is to do.
pub(crate) fn shed(cause: &'static str) {
    SHED.get_or_create(&[("cause", cause)]).inc();
}

fn seconds() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

/// The label of an rpc: from the permission table, so that no caller makes up new ones.
pub(crate) fn label(row: Option<&'static Permission>) -> &'static str {
    row.map_or("unknown", |row| row.rpc.trim_start_matches('/'))
}

/// Every value that the label `rpc` can have.
pub fn labels() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(Some).chain([None]).map(label)
}

/// One call under way. Dropped without an answer, it was given up by its client.
#[derive(Debug)]
pub(crate) struct Measured {
    rpc: &'static str,
    began: Instant,
    code: Code,
    outcome: &'static str,
}

impl Measured {
    /// A call of the rpc with this label begins.
    pub(crate) fn begin(rpc: &'static str) -> Self {
        IN_FLIGHT.get_or_create(&[("rpc", rpc)]).inc();
        Self { rpc, began: Instant::now(), code: Code::Cancelled, outcome: "rejected" }
    }

    /// The call ends with this answer, which is so: ok, rejected or fault.
    pub(crate) fn answered(mut self, answer: &Response<Body>) -> &'static str {
        let code = answer.headers().get("grpc-status");
        self.code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
        self.outcome = match self.code {
            Code::Ok => "ok",
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => "fault",
            // A limit that was reached is the caller's to respect, a full server is not.
            Code::ResourceExhausted if is_exhausted(answer) => "fault",
            Code::ResourceExhausted
            | Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => "rejected",
        };
        self.outcome
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let Self { rpc, began, code, outcome } = *self;
        let labels = [("rpc", rpc), ("code", name(code)), ("outcome", outcome)];
        REQUESTS.get_or_create(&labels).inc();
        SECONDS.get_or_create(&[("rpc", rpc)]).observe(began.elapsed().as_secs_f64());
        IN_FLIGHT.get_or_create(&[("rpc", rpc)]).dec();
    }
}

/// Whether it is this server, or its log, that has no room.
fn is_exhausted(answer: &Response<Body>) -> bool {
    let status = Status::from_header_map(answer.headers());
    let details = status.map(|status| status.get_error_details()).unwrap_or_default();
    let reason = details.error_info().map(|info| info.reason.as_str());
    let ours = [Reason::Overloaded, Reason::LogFull];
    ours.iter().any(|known| Some(known.as_str()) == reason)
}

/// The code as the gRPC documents spell it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Failure, Refusal};

    fn counted(reason: Reason) -> &'static str {
        // An rpc that no other test of this process calls.
        let rpc = "doudi.v1.DrawService/ListDrawn";
        let outcomes = ["rejected", "fault"];
        let count = |outcome| {
            let labels = [("rpc", rpc), ("code", name(reason.code())), ("outcome", outcome)];
            REQUESTS.get_or_create(&labels).get()
        };
        let before = outcomes.map(count);
        let answer = Status::from(Failure::from(Refusal::new(reason))).into_http();
        Measured::begin(rpc).answered(&answer);
        let after = outcomes.map(count);
        if after[0] > before[0] { outcomes[0] } else { outcomes[1] }
    }

    #[test]
    fn a_limit_of_the_callers_is_no_fault_and_a_server_without_room_is_one() {
        assert_eq!(counted(Reason::CapReached), "rejected");
        assert_eq!(counted(Reason::MessageTooLarge), "rejected");
        assert_eq!(counted(Reason::Overloaded), "fault");
        assert_eq!(counted(Reason::LogFull), "fault");
        assert_eq!(counted(Reason::ViewUnavailable), "fault");
        assert_eq!(counted(Reason::VersionConflict), "rejected");
    }

    #[test]
    fn labels_are_those_of_the_table_and_one_more() {
        assert_eq!(labels().count(), TABLE.len() + 1);
        assert_eq!(label(None), "unknown");
        assert!(labels().all(|rpc| rpc == "unknown" || rpc.starts_with("doudi.v1.")));
    }
}
