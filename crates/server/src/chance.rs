//! Chance, in the one place that takes it from the operating system for what the log says.

use doudi_api::Chance;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

/// Random bytes of the operating system.
#[must_use]
pub fn system() -> Chance {
    Chance::new(|| {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(bytes)
    })
}

/// Ids of traces and spans, which end up in commits too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from_bytes(random())
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from_bytes(random())
    }
}

/// Random bytes; zeros where the operating system gives none, which make an id that is none.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_or([0; N], |()| bytes)
}
