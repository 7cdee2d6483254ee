//! The program's own log lines, on standard error, and the spans around them: those of a call give its
//! lines the rpc and the id of its trace.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic,
};

use opentelemetry_otlp::ExporterBuildError;
use tracing::{Metadata, dispatcher, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{ParseError, filter_fn},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use crate::{
    config::{Config, LogFormat},
    spans,
};

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The filter cannot be read.
    #[error("log.filter cannot be read")]
    Filter(#[from] ParseError),
    /// The collector's address cannot be read.
    #[error("tracing.otlp_endpoint cannot be used")]
    Collector(#[from] ExporterBuildError),
}

/// Starts log lines and spans. Later calls change nothing. Must be called inside a tokio runtime.
///
/// # Errors
/// See [`StartError`].
pub fn start(config: &Config) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(&config.log.filter)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        // The list has every span around a line, the one of the call first.
        LogFormat::Json => lines.json().with_current_span(false).boxed(),
    };
    let traced = spans::tracer(&config.tracing)?.map(|tracer| {
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(filter_fn(is_span_of_ours).with_max_level_hint(LevelFilter::DEBUG))
    });
    // A second start in one process, as tests do, keeps the first.
    let _ = registry().with(traced).with(lines.with_filter(filter)).try_init();
    Ok(())
}

/// From now on a panic is a log line that says where it was. Its message stays out: it may repeat the
/// words of a person, as that of a text cut at the wrong byte does. Before logging starts it is told whole.
pub(crate) fn tell_panics() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |found| {
        if !dispatcher::has_been_set() {
            return default(found);
        }
        let place = found.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(place, %backtrace, "a panic, which is a bug");
        } else {
            tracing::error!(place, "a panic, which is a bug");
        }
    }));
}

/// Spans go to the collector, log lines do not: what they say stays here.
fn is_span_of_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("doudi")
}
