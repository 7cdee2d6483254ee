//! Spans on their way to an OpenTelemetry collector, through a queue with a bound that never makes anybody
//! wait.

use std::{
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData,
        SpanExporter as Exporter,
    },
};
use prometheus_client::metrics::{counter::Counter, family::Family};

use crate::{chance, config::Tracing};

/// The most spans that wait for the collector. Further ones are dropped.
const QUEUE_MAX: usize = 8192;

/// The most spans that are sent at once.
const BATCH_MAX: usize = 512;

/// How long the first spans of a batch wait for others.
const GATHER: Duration = Duration::from_secs(1);

/// How long the collector may take for a batch, and for the last ones at the end.
const EXPORT_WITHIN: Duration = Duration::from_secs(5);

/// Spans for the collector by `outcome`: exported, or failed, where the collector did not take them.
/// Spans that were dropped because too many waited are in neither.
pub static SPANS: LazyLock<Family<[(&'static str, &'static str); 1], Counter>> =
    LazyLock::new(Family::default);

/// What makes and sends the spans of this process, once there is a collector.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What makes the spans of this process; none where there is no collector. Must be called inside a tokio
/// runtime.
///
/// # Errors
/// When the address of the collector cannot be read.
pub(crate) fn tracer(tracing: &Tracing) -> Result<Option<SdkTracer>, ExporterBuildError> {
    if tracing.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(tracing.otlp_endpoint.as_str())
        .with_timeout(EXPORT_WITHIN)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_MAX)
        .with_max_export_batch_size(BATCH_MAX)
        .with_scheduled_delay(GATHER)
        .build();
    let exporter = Told { exporter, failing: AtomicBool::new(false) };
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let resource = Resource::builder_empty()
        .with_service_name("doudi")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let begun_here = Sampler::TraceIdRatioBased(tracing.sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(begun_here)))
        .with_id_generator(chance::Ids)
        .with_resource(resource)
        .with_span_processor(processor)
        .build();
    Ok(Some(PROVIDER.get_or_init(|| provider).tracer("doudi")))
}

/// Sends what still waits, for as long as the collector may take for a batch.
pub(crate) async fn end() {
    if let Some(provider) = PROVIDER.get() {
        // It blocks its thread. What is not taken by then is lost with the process, and was told.
        let ended = || provider.shutdown_with_timeout(EXPORT_WITHIN);
        let _ = tokio::task::spawn_blocking(ended).await;
    }
}

/// An exporter that counts, and says once that the collector takes no spans, and once that it does again.
#[derive(Debug)]
struct Told {
    exporter: SpanExporter,
    failing: AtomicBool,
}

impl Exporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let answer = self.exporter.export(batch).await;
        let outcome = if answer.is_ok() { "exported" } else { "failed" };
        SPANS.get_or_create(&[("outcome", outcome)]).inc_by(spans);
        match (&answer, self.failing.swap(answer.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!(%error, "the collector takes no spans"),
            (Ok(()), true) => tracing::info!("the collector takes spans again"),
            (Err(_), true) | (Ok(()), false) => {}
        }
        answer
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
