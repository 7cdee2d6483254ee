//! What each key may hold. One table, so that everything can be checked before anything is used.

use std::net::SocketAddr;
use std::time::Duration;

use doudi_engine::MediaType;
use toml::Value;
use tonic::transport::Uri;
use tracing_subscriber::EnvFilter;

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// A text with at least one character.
    Text,
    /// A text that may be empty for "not set".
    MaybeText,
    /// As `MaybeText`, and shown nowhere.
    Secret,
    /// A text of letters, digits, `_` and `-`.
    Name,
    /// An address and port.
    Listen,
    /// An address and port, or empty for "not set".
    MaybeListen,
    /// The address of a server without TLS, or empty for "not set".
    MaybeHttp,
    /// What the log filter understands.
    Filter,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A whole number within these bounds, both included.
    Whole(i64, i64),
    /// A number from 0 to 1, both included.
    Share,
    /// One of these whole numbers.
    Among(&'static [i64]),
    /// A text with a duration within these bounds, both included.
    Span(Duration, Duration),
    /// A list of texts, at least so many.
    Texts(usize),
    /// A list of some of these texts, or of none.
    SomeOf(&'static [&'static str]),
    /// A table of names and texts.
    Names,
}

const MS_100: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const ZERO: Duration = Duration::ZERO;
const MINUTE: Duration = Duration::from_secs(60);
const MINUTES_5: Duration = Duration::from_secs(5 * 60);
const MINUTES_10: Duration = Duration::from_secs(10 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const HOURS_24: Duration = Duration::from_secs(24 * 60 * 60);
const HOURS_720: Duration = Duration::from_secs(720 * 60 * 60);

/// Every key with its rule, in the order of `deploy/default.toml`.
pub(super) const RULES: &[(&str, Rule)] = &[
    ("grpc.listen", Rule::Listen),
    ("grpc.message_bytes_max", Rule::Whole(1024, 8 << 20)),
    ("grpc.connections_max", Rule::Whole(1, 100_000)),
    ("grpc.connections_per_address_max", Rule::Whole(1, 100_000)),
    ("grpc.handshake_timeout", Rule::Span(MS_100, MINUTE)),
    ("grpc.keepalive_interval", Rule::Span(SECOND, MINUTES_10)),
    ("grpc.header_bytes_max", Rule::Whole(10 << 10, 1 << 20)),
    ("grpc.window_bytes", Rule::Whole(16 << 10, 16 << 20)),
    ("grpc.resets_per_second_max", Rule::Whole(1, 100_000)),
    ("grpc.streams_per_connection_max", Rule::Whole(1, 10_000)),
    ("grpc.requests_in_flight_max", Rule::Whole(1, 100_000)),
    ("grpc.requests_per_caller_max", Rule::Whole(1, 100_000)),
    ("grpc.message_bytes_in_flight_max", Rule::Whole(8 << 20, 1 << 40)),
    ("grpc.watches_max", Rule::Whole(1, 100_000)),
    ("grpc.watches_per_caller_max", Rule::Whole(1, 100_000)),
    ("grpc.request_timeout_max", Rule::Span(MS_100, MINUTES_10)),
    ("grpc.drain_timeout", Rule::Span(ZERO, MINUTES_10)),
    ("grpc.reflection", Rule::Flag),
    ("grpc.tls_cert", Rule::MaybeText),
    ("grpc.tls_key", Rule::MaybeText),
    ("nats.urls", Rule::Texts(1)),
    ("nats.token", Rule::Secret),
    ("nats.user", Rule::MaybeText),
    ("nats.password", Rule::Secret),
    ("nats.creds_file", Rule::MaybeText),
    ("nats.stream", Rule::Name),
    ("nats.replicas", Rule::Among(&[1, 3, 5])),
    ("nats.durability", Rule::OneOf(&["always", "group", "fast"])),
    ("nats.monitor_urls", Rule::Texts(0)),
    ("nats.store_dir", Rule::MaybeText),
    ("nats.connect_timeout", Rule::Span(MS_100, MINUTES_10)),
    ("nats.ack_timeout", Rule::Span(MS_100, MINUTE)),
    ("nats.in_flight_max", Rule::Whole(1, 65_536)),
    ("nats.max_bytes", Rule::Whole(0, i64::MAX)),
    ("postgres.url", Rule::Secret),
    ("postgres.pool_size_max", Rule::Whole(1, 1000)),
    ("postgres.connect_timeout", Rule::Span(MS_100, MINUTE)),
    ("postgres.statement_timeout", Rule::Span(MS_100, MINUTES_10)),
    ("engine.cache_bytes_max", Rule::Whole(0, 1 << 40)),
    ("engine.attempts_max", Rule::Whole(1, 100)),
    ("engine.input_age_max", Rule::Span(ZERO, MINUTE)),
    ("react.visit_grace_days", Rule::Whole(0, 365)),
    ("react.poll_interval", Rule::Span(MS_100, HOUR)),
    ("react.in_flight_max", Rule::Whole(1, 4096)),
    ("react.sweep_interval", Rule::Span(SECOND, HOURS_24)),
    ("webhooks.in_flight_max", Rule::Whole(1, 256)),
    ("webhooks.timeout", Rule::Span(MS_100, MINUTE)),
    ("webhooks.retry_min", Rule::Span(MS_100, MINUTE)),
    ("webhooks.retry_max", Rule::Span(MS_100, HOUR)),
    ("webhooks.refusals_max", Rule::Whole(1, 20)),
    ("webhooks.position_interval", Rule::Span(MS_100, HOUR)),
    ("webhooks.secret_grace", Rule::Span(ZERO, HOURS_720)),
    ("webhooks.allow_http", Rule::Flag),
    ("auth.issuer", Rule::Text),
    ("auth.audience", Rule::Text),
    ("auth.keys_file", Rule::MaybeText),
    ("auth.leeway", Rule::Span(ZERO, MINUTES_5)),
    ("auth.token_age_max", Rule::Span(MINUTE, HOURS_720)),
    ("auth.allow_dev_key", Rule::Flag),
    ("vault.master_keys", Rule::Names),
    ("vault.active_key", Rule::MaybeText),
    ("attachments.bytes_max", Rule::Whole(1024, 16 << 20)),
    ("attachments.media_types", Rule::SomeOf(&MediaType::NAMES)),
    ("attachments.store_bytes_max", Rule::Whole(0, i64::MAX)),
    ("codes.keys_file", Rule::MaybeText),
    ("log.format", Rule::OneOf(&["text", "json"])),
    ("log.filter", Rule::Filter),
    ("tracing.otlp_endpoint", Rule::MaybeHttp),
    ("tracing.sample_ratio", Rule::Share),
    ("metrics.listen", Rule::MaybeListen),
    ("identity.refuse_bad_check_digit", Rule::Flag),
    ("draws.a_percent_min", Rule::Whole(0, 100)),
    ("draws.a_percent_max", Rule::Whole(0, 100)),
    ("draws.b_percent_min", Rule::Whole(0, 100)),
    ("draws.b_percent_max", Rule::Whole(0, 100)),
    ("draws.c_percent_min", Rule::Whole(0, 100)),
    ("draws.c_percent_max", Rule::Whole(0, 100)),
    ("draws.d_percent_min", Rule::Whole(0, 100)),
    ("draws.d_percent_max", Rule::Whole(0, 100)),
    ("archive.folder", Rule::MaybeText),
    ("archive.segment_bytes_max", Rule::Whole(64 << 10, 1 << 30)),
];

impl Rule {
    /// Whether `value` is allowed.
    pub(super) fn allows(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::String(text)) => !text.is_empty(),
            (Self::MaybeText | Self::Secret, Value::String(_))
            | (Self::Flag, Value::Boolean(_)) => true,
            (Self::Name, Value::String(text)) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                !text.is_empty() && text.chars().all(plain)
            }
            (Self::Listen, Value::String(text)) => text.parse::<SocketAddr>().is_ok(),
            (Self::MaybeListen, Value::String(text)) => {
                text.is_empty() || text.parse::<SocketAddr>().is_ok()
            }
            (Self::MaybeHttp, Value::String(text)) => {
                let sound = || text.starts_with("http://") && text.parse::<Uri>().is_ok();
                text.is_empty() || sound()
            }
            (Self::Filter, Value::String(text)) => EnvFilter::try_new(text).is_ok(),
            (Self::OneOf(texts), Value::String(text)) => texts.contains(&text.as_str()),
            (Self::Whole(min, max), Value::Integer(number)) => (min..=max).contains(number),
            (Self::Share, Value::Float(number)) => (0.0..=1.0).contains(number),
            (Self::Share, Value::Integer(number)) => (0..=1).contains(number),
            (Self::Among(numbers), Value::Integer(number)) => numbers.contains(number),
            (Self::Span(min, max), Value::String(text)) => {
                duration(text).is_some_and(|found| (min..=max).contains(&found))
            }
            (Self::Texts(least), Value::Array(values)) => {
                let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
                values.len() >= least && values.iter().all(filled)
            }
            (Self::SomeOf(texts), Value::Array(values)) => {
                values.iter().all(|value| value.as_str().is_some_and(|text| texts.contains(&text)))
            }
            (Self::Names, Value::Table(table)) => table.values().all(Value::is_str),
            _ => false,
        }
    }

    /// What is wanted, to follow the word "want".
    pub(super) fn wanted(self) -> String {
        match self {
            Self::Text => "a text that is not empty".to_owned(),
            Self::MaybeText | Self::Secret => "a text".to_owned(),
            Self::Name => "a text of letters, digits, `_` and `-`".to_owned(),
            Self::Listen => "an address and port such as \"127.0.0.1:7400\"".to_owned(),
            Self::MaybeListen => "an address and port, or an empty text".to_owned(),
            Self::MaybeHttp => "an address such as \"http://127.0.0.1:4317\"".to_owned(),
            Self::Filter => "a log filter such as \"info,doudi_engine=debug\"".to_owned(),
            Self::OneOf(texts) => format!("one of {}", texts.join(", ")),
            Self::Flag => "true or false".to_owned(),
            Self::Whole(min, i64::MAX) => format!("a whole number of at least {min}"),
            Self::Whole(min, max) => format!("a whole number from {min} to {max}"),
            Self::Share => "a number from 0 to 1".to_owned(),
            Self::Among(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                format!("one of {}", numbers.join(", "))
            }
            Self::Span(min, max) => {
                format!("a duration from {} to {}, such as \"5s\"", short(min), short(max))
            }
            Self::Texts(0) => "a list of texts".to_owned(),
            Self::Texts(least) => format!("a list of at least {least} text, none of them empty"),
            Self::SomeOf(texts) => format!("a list of some of {}", texts.join(", ")),
            Self::Names => "a table such as { k1 = \"/etc/doudi/k1\" }".to_owned(),
        }
    }

    /// Reads the text of an environment variable; what does not parse stays a text and is refused later.
    pub(super) fn read(self, text: &str) -> Value {
        let as_text = || Value::String(text.to_owned());
        match self {
            Self::Text | Self::MaybeText | Self::Secret | Self::Name | Self::Listen => as_text(),
            Self::MaybeListen | Self::MaybeHttp | Self::Filter => as_text(),
            Self::OneOf(_) | Self::Span(..) => as_text(),
            Self::Texts(_) | Self::SomeOf(_) if !text.trim_start().starts_with('[') => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            Self::Flag
            | Self::Whole(..)
            | Self::Share
            | Self::Among(_)
            | Self::Texts(_)
            | Self::SomeOf(_)
            | Self::Names => {
                let table = toml::from_str::<toml::Table>(&format!("value = {text}"));
                table.ok().and_then(|mut table| table.remove("value")).unwrap_or_else(as_text)
            }
        }
    }

    /// How a value may be shown: secrets and the user part of addresses are masked.
    pub(super) fn show(self, value: &Value) -> String {
        match (self, value) {
            (Self::Secret, Value::String(text)) if text.is_empty() => "\"\"".to_owned(),
            (Self::Secret, _) => "***".to_owned(),
            (_, Value::String(text)) => Value::String(without_login(text)).to_string(),
            (_, Value::Array(values)) => {
                let values: Vec<String> = values.iter().map(|value| self.show(value)).collect();
                format!("[{}]", values.join(", "))
            }
            (_, value) => value.to_string(),
        }
    }
}

/// Reads a duration such as "1h 30m"; `None` when it is none, or negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let signed: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(signed).ok()
}

fn short(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (0, 0) => "0s".to_owned(),
        (0, ms) => format!("{ms}ms"),
        (s, _) if s % 3600 == 0 => format!("{}h", s / 3600),
        (s, _) if s % 60 == 0 => format!("{}m", s / 60),
        (s, _) => format!("{s}s"),
    }
}

/// An address without what stands between `://` and `@`.
fn without_login(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}***{}", &text[..scheme + 3], &text[at..])
        }
        _ => text.to_owned(),
    }
}
