//! The trace that something belongs to: read from and written as the text of W3C Trace Context, and as
//! the spans of this process know it.
//!
//! Where no spans are collected all of it does nothing. Spans other than those of calls are at the level
//! `debug`, so that they cost nothing then, unless log lines of that level are asked for.

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, Status, TraceContextExt, TraceState},
};
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The most traces that a span is linked with.
pub const LINKS_MAX: usize = 64;

/// A place in a trace: below which span something goes, and whether its spans are collected.
#[derive(Clone, Debug, PartialEq)]
pub struct Place(SpanContext);

impl Place {
    /// Reads a `traceparent` of version 00. Any other text is none, as the standard asks: a trace is
    /// no reason to refuse anything.
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let mut part = |length: usize| {
            let hex = |text: &&str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            parts.next().filter(|text| text.len() == length).filter(hex)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
        let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
        let sound = version == "00" && parts.next().is_none() && context.is_valid();
        sound.then_some(Self(context))
    }

    /// The place right below a span; none where its spans are not collected.
    #[must_use]
    pub fn below(span: &Span) -> Option<Self> {
        let context = span.context().span().span_context().clone();
        (context.is_valid() && context.is_sampled()).then_some(Self(context))
    }

    /// The `traceparent`.
    #[must_use]
    pub fn text(&self) -> String {
        let (trace, span) = (self.0.trace_id(), self.0.span_id());
        format!("00-{trace}-{span}-{:02x}", self.0.trace_flags().to_u8())
    }

    /// The id of the trace, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    /// Puts a span here that nobody has entered yet.
    pub fn put(&self, span: &Span) {
        // Refused where no spans are collected, and for a span that has begun.
        let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
    }
}

/// Puts a span that nobody has entered yet into the first of these traces whose spans are collected, and
/// links it with up to [`LINKS_MAX`] others; none where there is no such trace, so that `span` is not
/// made in vain.
pub fn gathered<'a>(
    traceparents: impl Iterator<Item = &'a str>,
    span: impl FnOnce() -> Span,
) -> Span {
    // Nothing is read where nobody collects.
    if !tracing::span_enabled!(Level::DEBUG) {
        return Span::none();
    }
    let mut places = traceparents.filter_map(Place::parse).filter(|place| place.0.is_sampled());
    let Some(first) = places.next() else {
        return Span::none();
    };
    let span = span();
    first.put(&span);
    for Place(context) in places.take(LINKS_MAX) {
        span.add_link(context);
    }
    span
}

/// Gives a span the name by which traces are searched.
pub fn name(span: &Span, name: &'static str) {
    span.context().span().update_name(name);
}

/// Marks a span as failed through a fault. What the fault is, the log lines say.
pub fn fail(span: &Span) {
    span.set_status(Status::error(""));
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
    use tracing_subscriber::{layer::SubscriberExt, registry};

    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_is_read_only_when_it_is_one_and_written_as_it_was() {
        let place = Place::parse(SOUND).unwrap();
        assert_eq!(place.text(), SOUND);
        assert_eq!(place.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(Place::parse(text).is_none(), "{text}");
        }
    }

    /// The spans that a collector is sent of what `work` does, where none begins here.
    fn collected(work: impl FnOnce()) -> Vec<SpanData> {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_simple_exporter(exporter.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(registry().with(layer), work);
        exporter.get_finished_spans().unwrap()
    }

    #[test]
    fn a_batch_is_in_the_first_trace_that_is_collected_and_linked_with_a_bounded_number_of_others()
    {
        // First, since a collector of this process would be asked from then on.
        let span = tracing::info_span!("append");
        Place::parse(SOUND).unwrap().put(&span);
        name(&span, "another");
        fail(&span);
        assert_eq!(Place::below(&span), None);
        assert!(gathered([SOUND].into_iter(), || panic!("made in vain")).is_none());

        let text = |trace: u128, flags: &str| format!("00-{trace:032x}-00000000000000aa-{flags}");
        let mut texts = vec![text(1, "00"), "no trace".to_owned()];
        texts.extend((2..200).map(|trace| text(trace, "01")));
        let texts = || texts.iter().map(String::as_str);
        let spans = collected(|| drop(gathered(texts(), || tracing::debug_span!("project"))));
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(span.span_context.trace_id(), TraceId::from(2));
        assert_eq!(span.parent_span_id, SpanId::from(0xAA));
        let linked: Vec<_> = span.links.iter().map(|link| link.span_context.trace_id()).collect();
        let others: Vec<_> = (3..).map(TraceId::from).take(LINKS_MAX).collect();
        assert_eq!(linked, others);
        assert_eq!(collected(|| drop(gathered(texts().take(2), || panic!("made in vain")))), []);
    }
}
