//! The start-up gate: whether the server, its stream and the log in it may be relied on. Every
//! reason against it is named at once, in words, with what to do about it.

use async_nats::jetstream::stream::Info;

use super::{
    Durability, JetStream,
    config::{self, Drift},
    monitor::{self, Server, SyncMode},
};
use crate::{Position, Source};

/// The oldest server that the log is kept on: older ones lack what the log relies on.
const VERSION_MIN: (u64, u64) = (2, 14);

/// What was found when nothing stands against serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// The version of the NATS server, such as `2.15.1`.
    pub server_version: String,
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// How the servers that keep the log sync; the laziest of them, if they differ.
    pub sync: SyncMode,
    /// The name of the JetStream stream.
    pub stream: String,
    /// How many servers keep a copy.
    pub replicas: usize,
    /// The last position of the log.
    pub last_position: Position,
    /// How many records the log holds.
    pub records: u64,
    /// The size of the log in bytes.
    pub bytes: u64,
}

/// A reason not to serve. The text says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum GateRefusal {
    /// The server is older than what the log needs, or its version cannot be read.
    #[error(
        "nats-server {found} is too old: {}.{} or newer is needed, because older ones cannot keep \
         this log safely. Install a newer nats-server and start again",
        VERSION_MIN.0, VERSION_MIN.1
    )]
    ServerTooOld {
        /// The version that the server gave.
        found: String,
    },
    /// The server did not say how the stream is.
    #[error(
        "the stream {stream} could not be looked at. Check that JetStream is enabled on the \
         server, that the cluster has a leader, and that this account may use it"
    )]
    StreamUnreachable {
        /// The name of the stream.
        stream: String,
        /// What went wrong.
        #[source]
        source: Source,
    },
    /// There is no stream.
    #[error(
        "there is no JetStream stream {stream}. If this is a new installation, let it be created; \
         if not, this is the wrong server or account, or the log is gone: restore it first"
    )]
    StreamMissing {
        /// The name of the stream.
        stream: String,
    },
    /// A setting of the stream would let the log lose or change records.
    #[error(
        "the stream {stream} has {field} = {found}, but the log needs {wanted}. Find out who \
         changed it and whether records were lost, then set it back with the nats tool"
    )]
    StreamDrifted {
        /// The name of the stream.
        stream: String,
        /// The setting, as NATS calls it.
        field: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        wanted: String,
    },
    /// Records are missing from the log.
    #[error(
        "the stream {stream} holds {records} records, but its last position is {last}: some were \
         removed. Restore the log from a backup"
    )]
    RecordsMissing {
        /// The name of the stream.
        stream: String,
        /// How many records there are.
        records: u64,
        /// The last position, which says how many there must be.
        last: Position,
    },
    /// The log is shorter than something has already seen.
    #[error(
        "the log ends at position {last}, but position {checkpoint} has already been read from it: \
         records were lost, or this is another log. Restore the log, or, if the loss is accepted, \
         rebuild every view from it"
    )]
    LogBehindCheckpoint {
        /// The last position of the log.
        last: Position,
        /// The highest checkpoint known to anybody.
        checkpoint: Position,
    },
    /// A server acknowledges before it syncs, although the durability promises otherwise.
    #[error(
        "the server {server} syncs {sync}, but durability \"always\" needs it before each \
         acknowledgement. Set `sync_interval: always` in the jetstream block of its \
         configuration, or choose durability \"fast\" and accept that a power cut loses records"
    )]
    SyncLazy {
        /// The name of the server.
        server: String,
        /// How it syncs.
        sync: SyncMode,
    },
    /// Nothing proves that a server syncs before it acknowledges.
    #[error(
        "nothing proves that the server {server} syncs before it acknowledges, which durability \
         \"always\" needs. Give its HTTP monitoring address as the monitor url (nats-server serves \
         it with `http: 127.0.0.1:8222`)"
    )]
    SyncUnproven {
        /// The name of the server.
        server: String,
    },
    /// A monitoring address did not answer as it should.
    #[error(
        "the monitoring address {url} does not tell how its server syncs. Check the address and \
         that it is a nats-server's HTTP monitoring"
    )]
    MonitorUnreachable {
        /// The address.
        url: String,
        /// What went wrong.
        #[source]
        source: Source,
    },
    /// The durability profile does not exist yet.
    #[error(
        "durability \"group\" is not available in this version. Choose \"always\", or \"fast\" if \
         a power cut may lose records"
    )]
    GroupUnavailable,
}

impl GateRefusal {
    /// A stable code for scripts and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            GateRefusal::ServerTooOld { .. } => "SERVER_TOO_OLD",
            GateRefusal::StreamUnreachable { .. } => "STREAM_UNREACHABLE",
            GateRefusal::StreamMissing { .. } => "STREAM_MISSING",
            GateRefusal::StreamDrifted { .. } => "STREAM_DRIFTED",
            GateRefusal::RecordsMissing { .. } => "RECORDS_MISSING",
            GateRefusal::LogBehindCheckpoint { .. } => "LOG_BEHIND_CHECKPOINT",
            GateRefusal::SyncLazy { .. } => "SYNC_LAZY",
            GateRefusal::SyncUnproven { .. } => "SYNC_UNPROVEN",
            GateRefusal::MonitorUnreachable { .. } => "MONITOR_UNREACHABLE",
            GateRefusal::GroupUnavailable => "GROUP_UNAVAILABLE",
        }
    }
}

impl JetStream {
    /// Whether the log may be relied on, given the highest position that anybody has a
    /// checkpoint at. To be asked before serving, and again whenever an operator wants to know.
    ///
    /// # Errors
    /// Every reason against it, not only the first.
    pub async fn gate(&self, checkpoint: Position) -> Result<GateReport, Vec<GateRefusal>> {
        let mut refusals = Vec::new();
        let server_version = self.shared.client.server_info().version;
        if version(&server_version).is_none_or(|version| version < VERSION_MIN) {
            refusals.push(GateRefusal::ServerTooOld { found: server_version.clone() });
        }
        let durability = self.shared.settings.durability;
        if durability == Durability::Group {
            refusals.push(GateRefusal::GroupUnavailable);
        }
        let info = self.checked_stream(checkpoint, &mut refusals).await;
        let sync = self.checked_sync(info.as_ref(), &mut refusals).await;
        match info {
            Some(info) if refusals.is_empty() => Ok(GateReport {
                server_version,
                durability,
                sync,
                stream: info.config.name,
                replicas: info.config.num_replicas,
                last_position: Position(info.state.last_sequence),
                records: info.state.messages,
                bytes: info.state.bytes,
            }),
            Some(_) | None => Err(refusals),
        }
    }

    async fn checked_stream(
        &self,
        checkpoint: Position,
        refusals: &mut Vec<GateRefusal>,
    ) -> Option<Info> {
        let stream = self.shared.settings.stream.clone();
        let info = match self.info().await {
            Ok(Some(info)) => info,
            Ok(None) => {
                refusals.push(GateRefusal::StreamMissing { stream });
                return None;
            }
            Err(source) => {
                refusals.push(GateRefusal::StreamUnreachable { stream, source });
                return None;
            }
        };
        for Drift { field, found, wanted } in config::drifts(&info.config, &self.shared.settings) {
            let stream = stream.clone();
            refusals.push(GateRefusal::StreamDrifted { stream, field, found, wanted });
        }
        let (records, last) = (info.state.messages, Position(info.state.last_sequence));
        if records != last.0 {
            refusals.push(GateRefusal::RecordsMissing { stream, records, last });
        }
        if last < checkpoint {
            refusals.push(GateRefusal::LogBehindCheckpoint { last, checkpoint });
        }
        Some(info)
    }

    /// Asks the monitoring addresses how their servers sync. Under [`Durability::Always`] every
    /// server that keeps the log must be among them and sync before it acknowledges.
    async fn checked_sync(&self, info: Option<&Info>, refusals: &mut Vec<GateRefusal>) -> SyncMode {
        let settings = &self.shared.settings;
        let binding = settings.durability == Durability::Always;
        let mut asked = Vec::new();
        for url in &settings.monitor_urls {
            match monitor::ask(url).await {
                Ok(server) => asked.push(server),
                Err(source) if binding => {
                    refusals.push(GateRefusal::MonitorUnreachable { url: url.clone(), source });
                }
                Err(error) => tracing::warn!(%url, %error, "cannot ask a server how it syncs"),
            }
        }
        let mut laziest = SyncMode::Always;
        for server in self.keepers(info) {
            let sync = asked
                .iter()
                .find(|candidate| server.is(candidate))
                .map_or(SyncMode::Unproven, |found| found.sync);
            let server = server.name;
            match sync {
                SyncMode::Always => {}
                SyncMode::Lazy { .. } => {
                    laziest = sync;
                    if binding {
                        refusals.push(GateRefusal::SyncLazy { server, sync });
                    }
                }
                SyncMode::Unproven => {
                    if laziest == SyncMode::Always {
                        laziest = sync;
                    }
                    if binding {
                        refusals.push(GateRefusal::SyncUnproven { server });
                    }
                }
            }
        }
        laziest
    }

    /// The servers that keep the log: the members of the stream's group, or the one server.
    fn keepers(&self, info: Option<&Info>) -> Vec<Keeper> {
        let cluster = info.and_then(|info| info.cluster.as_ref());
        let members: Vec<Keeper> = cluster
            .into_iter()
            .flat_map(|cluster| {
                let replicas = cluster.replicas.iter().map(|peer| peer.name.clone());
                cluster.leader.clone().into_iter().chain(replicas)
            })
            .map(|name| Keeper { name, id: None })
            .collect();
        if members.len() > 1 {
            return members;
        }
        let server = self.shared.client.server_info();
        match members.into_iter().next() {
            // In a cluster, a stream with one replica may be on another server than ours.
            Some(keeper) if keeper.name != server.server_name => vec![keeper],
            Some(_) | None => {
                vec![Keeper { name: server.server_name, id: Some(server.server_id) }]
            }
        }
    }
}

/// A server that keeps the log; its id is known only for the one that we are connected to.
struct Keeper {
    name: String,
    id: Option<String>,
}

impl Keeper {
    fn is(&self, server: &Server) -> bool {
        match &self.id {
            Some(id) => *id == server.id,
            None => self.name == server.name,
        }
    }
}

/// The major and minor number of a version such as `2.15.1` or `2.14.0-RC.1`.
fn version(text: &str) -> Option<(u64, u64)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let cases = [
            ("2.15.1", true),
            ("2.14.0", true),
            ("v2.14.0-RC.1", true),
            ("3.0.0", true),
            ("2.9.10", false),
            ("2.13.4", false),
            ("1.99.0", false),
        ];
        for (text, new_enough) in cases {
            assert_eq!(version(text).unwrap() >= VERSION_MIN, new_enough, "{text}");
        }
        for text in ["", "2", "two.nine", "2.x"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}
