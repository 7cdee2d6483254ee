//! Every metric of doudi with its name and description. What it means exactly stands where it is kept.

use std::sync::{LazyLock, atomic::AtomicU64};

use doudi_api::metrics as api;
use doudi_engine::metrics as engine;
use doudi_journal::{Durability, metrics as journal};
use doudi_views::metrics as views;
use jiff::Timestamp;
use prometheus_client::{
    metrics::{MetricType, gauge::Gauge, info::Info},
    registry::{Metric, Registry},
};

use super::look;
use crate::{listener::metrics as listener, spans, webhooks::metrics as webhooks};

/// When this process began, in seconds since 1970.
static START_SECONDS: LazyLock<Gauge<f64, AtomicU64>> = LazyLock::new(Gauge::default);

/// A metric as Prometheus knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The name, without what stands behind it in the names of its series.
    pub name: String,
    /// What it means.
    pub help: &'static str,
    /// Its kind.
    pub kind: MetricType,
}

impl Described {
    /// The names of its series, which queries use.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        let ends: &[&str] = match self.kind {
            MetricType::Counter => &["_total"],
            MetricType::Histogram => &["_bucket", "_count", "_sum"],
            MetricType::Info => &["_info"],
            MetricType::Gauge | MetricType::Unknown => &[""],
        };
        ends.iter().map(|end| format!("{}{end}", self.name)).collect()
    }
}

/// Every metric, in the order in which they are told.
#[must_use]
pub fn described() -> Vec<Described> {
    List::of(Durability::Always).described
}

/// What the endpoint tells.
pub(super) fn registry(start: Timestamp, durability: Durability) -> Registry {
    START_SECONDS.set(start.as_duration().as_secs_f64());
    List::of(durability).registry
}

struct List {
    registry: Registry,
    described: Vec<Described>,
}

impl List {
    fn of(durability: Durability) -> Self {
        let registry = Registry::with_prefix(PREFIX);
        let mut list = Self { registry, described: Vec::new() };
        list.process(durability);
        list.calls();
        list.write_path();
        list.views();
        list.agenda();
        list.webhooks();
        list.archive();
        list.traces();
        list
    }

    fn add(&mut self, name: &str, help: &'static str, metric: impl Metric) {
        let kind = metric.metric_type();
        self.described.push(Described { name: format!("{PREFIX}_{name}"), help, kind });
        self.registry.register(name, help, metric);
    }

    fn process(&mut self, durability: Durability) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        self.add("build", "The version of the program", version);
        let start = "When the process began, in seconds since 1970";
        self.add("start_time_seconds", start, START_SECONDS.clone());
        let profile = Info::new([("profile", durability.to_string())]);
        self.add("durability", "What an acknowledged command survives (nats.durability)", profile);
    }

    fn calls(&mut self) {
        let help = "Connections that are open";
        self.add("connections", help, listener::OPEN.clone());
        let help = "Connections that were closed or not taken, by cause: idle, full, address, silent, resets";
        self.add("connections_ended", help, listener::ENDED.clone());
        let help = "Calls refused for load, by cause: full, caller, bytes, watches, uploads";
        self.add("rpc_shed", help, api::SHED.clone());
        let help = "Calls by rpc, gRPC code and outcome: ok, rejected (by a rule), fault (of the operator)";
        self.add("rpc_requests", help, api::REQUESTS.clone());
        let help = "Seconds from a call to its answer, or to its opening for a live stream";
        self.add("rpc_duration_seconds", help, api::SECONDS.clone());
        self.add("rpc_in_flight", "Calls at work, open live streams aside", api::IN_FLIGHT.clone());
    }

    fn write_path(&mut self) {
        let help = "Seconds that an append to the log takes, whatever its outcome";
        self.add("append_duration_seconds", help, journal::APPEND_SECONDS.clone());
        let help = "Appends by outcome: stored, conflict, unknown, unavailable, refused";
        self.add("appends", help, journal::APPENDS.clone());
        let help =
            "Seconds that forcing the log to disk takes, once for all who wait (durability group)";
        self.add("sync_duration_seconds", help, journal::SYNC_SECONDS.clone());
        let help = "Records that were forced to disk with one sync (durability group)";
        self.add("sync_records", help, journal::SYNC_RECORDS.clone());
        let help = "Commands decided again, because of a conflict or an unknown outcome";
        self.add("command_retries", help, engine::RETRIES.clone());
        let help = "Looks for a folded stream in memory, by result: hit or miss";
        self.add("cache_lookups", help, engine::CACHE_LOOKUPS.clone());
        let help = "Folded streams that are kept in memory";
        self.add("cache_streams", help, look::CACHE_STREAMS.clone());
        let help = "About how many bytes of memory they take";
        self.add("cache_bytes", help, look::CACHE_BYTES.clone());
        let help = "Whether the log answered when it was last asked";
        self.add("log_reachable", help, look::LOG_REACHABLE.clone());
        let help = "The position of the newest record of the log";
        self.add("log_position", help, look::LOG_POSITION.clone());
    }

    fn views(&mut self) {
        let help = "Whether PostgreSQL answered when it was last asked";
        self.add("tables_reachable", help, look::TABLES_REACHABLE.clone());
        let help = "The position of the last record that a view reflects";
        self.add("view_position", help, look::VIEW_POSITION.clone());
        let help = "Records of the log that a view does not reflect yet";
        self.add("view_lag_records", help, look::VIEW_LAG_RECORDS.clone());
        let help = "Age of the oldest record that a view does not reflect yet, 0 for none";
        self.add("view_lag_seconds", help, look::VIEW_LAG_SECONDS.clone());
        let help = "Streams that a view passes over since a record that it cannot apply";
        self.add("view_parked_streams", help, look::VIEW_PARKED_STREAMS.clone());
        let help = "Whether a view is halted until it is resumed or rebuilt";
        self.add("view_halted", help, look::VIEW_HALTED.clone());
        let help = "Records that this process took into a view";
        self.add("view_records", help, views::RECORDS.clone());
        let help = "Seconds from the beginning of a batch of a view to its commit";
        self.add("view_batch_duration_seconds", help, views::BATCH_SECONDS.clone());
    }

    fn agenda(&mut self) {
        let help =
            "Entries of the agenda that were tried, by kind and outcome: done, failed, unreached";
        self.add("duties", help, engine::DUTIES.clone());
        let help = "Seconds from when an entry of the agenda was due to when it was carried out";
        self.add("duty_lateness_seconds", help, engine::DUTY_LATENESS_SECONDS.clone());
    }

    fn webhooks(&mut self) {
        let help = "Posts to webhooks by outcome: delivered, refused, failed, gone";
        self.add("webhook_posts", help, webhooks::POSTS.clone());
        let help =
            "Age of the oldest event that the webhook furthest behind has before it, 0 for none";
        self.add("webhook_lag_seconds", help, look::WEBHOOK_LAG_SECONDS.clone());
        let help = "Enterprises of which events are set aside, of all webhooks together";
        self.add("webhook_set_aside_enterprises", help, look::WEBHOOK_SET_ASIDE.clone());
    }

    fn archive(&mut self) {
        let help = "The position of the last record that is archived, 0 without an archive";
        self.add("archive_position", help, look::ARCHIVE_POSITION.clone());
        let help = "Records of the log that are not archived yet, 0 without an archive";
        self.add("archive_lag_records", help, look::ARCHIVE_LAG_RECORDS.clone());
    }

    fn traces(&mut self) {
        let help = "Spans for the collector by outcome: exported, failed";
        self.add("trace_spans", help, spans::SPANS.clone());
    }
}

/// What every name begins with.
const PREFIX: &str = "doudi";
