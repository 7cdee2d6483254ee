//! The typed sections of the configuration; meanings and bounds are in `deploy/default.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use doudi_engine::MediaType;
use doudi_journal::Durability;
use jiff::fmt::serde::unsigned_duration::required as duration;
use serde::{Deserialize, Deserializer, de::Error};

/// A text that is shown nowhere.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret, which may be empty for "not set".
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// All sections, as serde reads them from the layers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    pub(super) grpc: Grpc,
    pub(super) nats: Nats,
    pub(super) postgres: Postgres,
    pub(super) engine: Engine,
    pub(super) react: React,
    pub(super) webhooks: Webhooks,
    pub(super) auth: Auth,
    pub(super) vault: Vault,
    pub(super) attachments: Attachments,
    pub(super) codes: Codes,
    pub(super) log: Log,
    pub(super) tracing: Tracing,
    pub(super) metrics: Metrics,
    pub(super) identity: Identity,
    pub(super) draws: Draws,
    pub(super) archive: Archive,
}

/// The API's address and limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The largest message, in bytes.
    pub message_bytes_max: usize,
    /// Open connections at once.
    pub connections_max: usize,
    /// Open connections at once from one address.
    pub connections_per_address_max: usize,
    /// How long a connection may take until it says something, and until TLS is agreed on.
    #[serde(with = "duration")]
    pub handshake_timeout: Duration,
    /// How often a silent connection is asked whether it is there.
    #[serde(with = "duration")]
    pub keepalive_interval: Duration,
    /// The largest headers of one call, in bytes.
    pub header_bytes_max: u32,
    /// How much one call may send before it is read, in bytes; all calls of a connection twice as much.
    pub window_bytes: u32,
    /// Calls that one connection may give up in a second.
    pub resets_per_second_max: u32,
    /// Open calls at once on one connection.
    pub streams_per_connection_max: u32,
    /// Calls at work at once in this process, live streams aside.
    pub requests_in_flight_max: usize,
    /// Those of one account.
    pub requests_per_caller_max: usize,
    /// Bytes of messages at once: requests that came, answers not yet read.
    pub message_bytes_in_flight_max: usize,
    /// Live timelines and event streams at once.
    pub watches_max: usize,
    /// Those of one account.
    pub watches_per_caller_max: usize,
    /// The longest time a call may take.
    #[serde(with = "duration")]
    pub request_timeout_max: Duration,
    /// How long calls may go on after the signal to stop.
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
    /// Whether the server describes its services.
    pub reflection: bool,
    /// The certificate chain; empty for no TLS.
    pub tls_cert: PathBuf,
    /// The certificate's private key.
    pub tls_key: PathBuf,
}

/// Where the log is and how it is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// Addresses of the servers, at least one.
    pub urls: Vec<String>,
    /// The token to log in with, or empty.
    pub token: Secret,
    /// The user to log in as, or empty.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// The credentials file to log in with, or empty.
    pub creds_file: PathBuf,
    /// Name of the JetStream stream.
    pub stream: String,
    /// Copies of each message: 1, 3 or 5.
    pub replicas: usize,
    /// What an acknowledged command survives.
    pub durability: Durability,
    /// Monitoring addresses of the servers.
    pub monitor_urls: Vec<String>,
    /// The folder that the server keeps its messages in; empty for what its monitoring tells.
    pub store_dir: PathBuf,
    /// How long the first connection is tried for.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long an append waits for its acknowledgement.
    #[serde(with = "duration")]
    pub ack_timeout: Duration,
    /// Appends that may await their acknowledgement at once.
    pub in_flight_max: usize,
    /// The largest size of the log in bytes; 0 for no limit of its own.
    pub max_bytes: u64,
}

/// Where the tables are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Address with role and password; empty when not set.
    pub url: Secret,
    /// Connections that one process may open.
    pub pool_size_max: usize,
    /// How long to wait for a connection.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How long one statement may take.
    #[serde(with = "duration")]
    pub statement_timeout: Duration,
}

/// How decisions are made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Folded streams in memory.
    pub cache_bytes_max: u64,
    /// Tries of one command.
    pub attempts_max: u32,
    /// How old a cached input may be when a decision reads it.
    #[serde(with = "duration")]
    pub input_age_max: Duration,
}

/// How processes and deadlines run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct React {
    /// Calendar days after which a planned visit that nobody began expires.
    pub visit_grace_days: u16,
    /// How often the agenda is looked at.
    #[serde(with = "duration")]
    pub poll_interval: Duration,
    /// Entries of the agenda that are carried out at once.
    pub in_flight_max: usize,
    /// How often it is looked for appeals that are with nobody.
    #[serde(with = "duration")]
    pub sweep_interval: Duration,
}

/// How events are posted to partner systems.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Events of one webhook that are posted at once.
    pub in_flight_max: usize,
    /// How long one post may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// The shortest pause after a failure.
    #[serde(with = "duration")]
    pub retry_min: Duration,
    /// The longest.
    #[serde(with = "duration")]
    pub retry_max: Duration,
    /// How often an event is refused before it is set aside.
    pub refusals_max: u32,
    /// How often it is put on record at most how far a webhook got.
    #[serde(with = "duration")]
    pub position_interval: Duration,
    /// How long the secret before the present one still signs.
    #[serde(with = "duration")]
    pub secret_grace: Duration,
    /// Whether near addresses are posted to without encryption.
    pub allow_http: bool,
}

/// Which tokens are accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The issuer that a token must name.
    pub issuer: String,
    /// The audience that a token must name.
    pub audience: String,
    /// The issuer's public keys as a JWK set; empty when not set.
    pub keys_file: PathBuf,
    /// How far the issuer's clock may be from ours.
    #[serde(with = "duration")]
    pub leeway: Duration,
    /// The longest life of a token.
    #[serde(with = "duration")]
    pub token_age_max: Duration,
    /// Whether tokens of the development key are accepted.
    pub allow_dev_key: bool,
}

/// The keys that wrap the keys of personal data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// Id of a key -> file with 32 bytes in base64.
    pub master_keys: BTreeMap<String, PathBuf>,
    /// The id of the key that new keys are wrapped with; empty when not set.
    pub active_key: String,
}

/// What may be attached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachments {
    /// The largest file, in bytes.
    pub bytes_max: usize,
    /// The kinds of file; none allows no attachments.
    pub media_types: Vec<MediaType>,
    /// The largest size of all together in bytes; 0 for no limit of its own.
    pub store_bytes_max: u64,
}

/// The keys of codes that are scanned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The keys as a JWK set; empty when not set.
    pub keys_file: PathBuf,
}

/// Log lines of the program itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Which lines are written.
    pub filter: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Where traces are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracing {
    /// Address of the collector; empty when traces are off.
    pub otlp_endpoint: String,
    /// The share of the traces that begin here which are sent, from 0 to 1.
    pub sample_ratio: f64,
}

/// Where metrics are told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port to listen on; none when metrics are off.
    #[serde(deserialize_with = "maybe_address")]
    pub listen: Option<SocketAddr>,
}

/// An address and port, or an empty text for none.
fn maybe_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(Error::custom) }
}

/// How strictly enterprise codes are taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Whether a wrong check digit is refused.
    pub refuse_bad_check_digit: bool,
}

/// How much of each credit grade a random draw takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// The least share of grade A, in percent.
    pub a_percent_min: u8,
    /// The greatest share of grade A, in percent.
    pub a_percent_max: u8,
    /// The least share of grade B and of those without a grade, in percent.
    pub b_percent_min: u8,
    /// The greatest share of grade B and of those without a grade, in percent.
    pub b_percent_max: u8,
    /// The least share of grade C, in percent.
    pub c_percent_min: u8,
    /// The greatest share of grade C, in percent.
    pub c_percent_max: u8,
    /// The least share of grade D, in percent.
    pub d_percent_min: u8,
    /// The greatest share of grade D, in percent.
    pub d_percent_max: u8,
}

/// A copy of the log in files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its folder; empty for none.
    pub folder: PathBuf,
    /// The size at which a file of it is followed by another, in bytes.
    pub segment_bytes_max: u64,
}
