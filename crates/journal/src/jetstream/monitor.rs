//! The one question for a NATS server's HTTP monitoring: which server it is, how it
//! syncs and where it keeps its messages.
//!
//! An ordinary connection cannot ask for this. The request is a plain HTTP/1.0 GET with a limit
//! on time and size, so no HTTP client is needed.

use std::{fmt, path::PathBuf, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::Source;

const TIME_MAX: Duration = Duration::from_secs(3);
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// When a server writes what it stored through to its disk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Before it acknowledges.
    Always,
    /// Every so often, after it has acknowledged.
    Lazy {
        /// The time between two syncs.
        interval: Duration,
    },
    /// Nobody could be asked.
    Unproven,
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyncMode::Always => f.write_str("before each acknowledgement"),
            SyncMode::Lazy { interval } => write!(f, "every {interval:?}"),
            SyncMode::Unproven => f.write_str("not known"),
        }
    }
}

/// What a server says about itself.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) sync: SyncMode,
    /// Where it keeps its messages, by its own path.
    pub(super) store_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Varz {
    server_id: String,
    server_name: String,
    #[serde(default)]
    jetstream: JetStreamPart,
}

#[derive(Default, Deserialize)]
struct JetStreamPart {
    config: Option<JetStreamConfig>,
}

#[derive(Deserialize)]
struct JetStreamConfig {
    #[serde(default)]
    sync_always: bool,
    /// In nanoseconds; older servers do not say.
    #[serde(default)]
    sync_interval: u64,
    store_dir: Option<PathBuf>,
}

/// Asks the server whose monitoring address is `url`, such as `http://127.0.0.1:8222`.
pub(super) async fn ask(url: &str) -> Result<Server, Source> {
    let address = url.strip_prefix("http://").ok_or("the address must begin with http://")?;
    let address = address.trim_end_matches('/');
    let answer = tokio::time::timeout(TIME_MAX, get(address))
        .await
        .map_err(|_| format!("no answer within {TIME_MAX:?}"))??;
    read(&answer)
}

async fn get(address: &str) -> Result<Vec<u8>, Source> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("GET /varz HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let taken = connection.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut answer).await?;
    if u64::try_from(taken).is_ok_and(|taken| taken > ANSWER_BYTES_MAX) {
        return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes").into());
    }
    Ok(answer)
}

fn read(answer: &[u8]) -> Result<Server, Source> {
    const BLANK: &[u8] = b"\r\n\r\n";
    let head = answer.windows(BLANK.len()).position(|window| window == BLANK);
    let (head, body) = answer.split_at(head.ok_or("the answer is not HTTP")?);
    let status = String::from_utf8_lossy(head.split(|&byte| byte == b'\r').next().unwrap_or(head));
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("the answer is {status:?}, not the server's state").into());
    }
    let varz: Varz = serde_json::from_slice(&body[BLANK.len()..])?;
    let config = varz.jetstream.config.ok_or("JetStream is not enabled on this server")?;
    let sync = if config.sync_always {
        SyncMode::Always
    } else {
        SyncMode::Lazy { interval: Duration::from_nanos(config.sync_interval) }
    };
    let store_dir = config.store_dir;
    Ok(Server { id: varz.server_id, name: varz.server_name, sync, store_dir })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Vec<u8> {
        format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}").into_bytes()
    }

    #[test]
    fn the_sync_mode_is_read_from_the_servers_state() {
        let cases = [
            (r#"{"sync_interval":120000000000,"sync_always":true}"#, SyncMode::Always),
            (
                r#"{"sync_interval":120000000000}"#,
                SyncMode::Lazy { interval: Duration::from_secs(120) },
            ),
            ("{}", SyncMode::Lazy { interval: Duration::ZERO }),
        ];
        for (config, expected) in cases {
            let body = format!(
                r#"{{"server_id":"N1","server_name":"a","jetstream":{{"config":{config}}}}}"#
            );
            let server = read(&answer(&body)).unwrap();
            assert_eq!((server.id.as_str(), server.name.as_str()), ("N1", "a"));
            assert_eq!(server.sync, expected, "{config}");
        }
    }

    #[test]
    fn other_answers_prove_nothing() {
        let without = r#"{"server_id":"N1","server_name":"a","jetstream":{}}"#;
        let refused = [
            answer(without),
            answer("{}"),
            answer("<html>"),
            b"HTTP/1.0 404 Not Found\r\n\r\n{}".to_vec(),
            b"+OK\r\n".to_vec(),
            Vec::new(),
        ];
        for answer in refused {
            assert!(read(&answer).is_err(), "{:?}", String::from_utf8_lossy(&answer));
        }
    }
}
