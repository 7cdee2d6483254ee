//! The start-up gate: whether the server, its stream and the log in it may be relied on. Every
//! reason against it is named at once, in words, with what to do about it.

mod group;
mod refusal;

use std::{path::PathBuf, time::Duration};

use async_nats::jetstream::stream::{Info, PeerInfo};
use futures::future::join_all;

pub use self::refusal::GateRefusal;

use super::{
    Durability, JetStream,
    config::{self, Drift},
    monitor::{self, Server, SyncMode},
    restore,
};
use crate::{Position, Source};

/// The oldest server that the log is kept on: older ones lack what the log relies on.
const VERSION_MIN: (u64, u64) = (2, 14);

/// A server of which its leader has not heard for so long is away; it should hear of it every second.
const AWAY_AFTER: Duration = Duration::from_secs(3);

/// What was found when nothing stands against serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// The version of the NATS server, such as `2.15.1`.
    pub server_version: String,
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// How the servers that keep the log sync; the laziest of them, if they differ.
    pub sync: SyncMode,
    /// The folder that is forced to disk, under [`Durability::Group`].
    pub store: Option<PathBuf>,
    /// The name of the JetStream stream.
    pub stream: String,
    /// How many servers keep a copy.
    pub replicas: usize,
    /// Those of them that are away, a minority, so that nobody could ask how they sync. They acknowledge nothing
    /// while they are; who is back may, for some seconds, before the gate looks at it.
    pub away: Vec<String>,
    /// The last position of the log.
    pub last_position: Position,
    /// How many records the log holds.
    pub records: u64,
    /// The size of the log in bytes.
    pub bytes: u64,
}

impl JetStream {
    /// Whether the log may be relied on, given the highest position that anybody has a
    /// checkpoint at. To be asked before serving, and again whenever an operator wants to know; once it was
    /// passed, it is asked again by itself after each loss of the connection, and nothing is appended until then.
    ///
    /// # Errors
    /// Every reason against it, not only the first.
    pub async fn gate(&self, checkpoint: Position) -> Result<GateReport, Vec<GateRefusal>> {
        let turn = self.turn();
        let mut refusals = Vec::new();
        let durability = self.shared.settings.durability;
        let info = self.checked_stream(checkpoint, &mut refusals).await;
        // Known once the server has answered; before, it may be that of the server before.
        let server_version = self.shared.client.server_info().version;
        if version(&server_version).is_none_or(|version| version < VERSION_MIN) {
            // It is the reason for others.
            refusals.insert(0, GateRefusal::ServerTooOld { found: server_version.clone() });
        }
        // Whoever restores the log passes while it is not whole yet.
        let restoring = self.shared.proof.restoring();
        if let Some(info) = info.as_ref().filter(|info| !restoring && restore::begun(info)) {
            refusals.push(GateRefusal::RestoreUnfinished { stream: info.config.name.clone() });
        }
        let Sync { laziest: sync, told, away } =
            self.checked_sync(info.as_ref(), &mut refusals).await;
        let store = match &info {
            Some(info) if durability == Durability::Group => {
                Box::pin(self.checked_store(info, told, &mut refusals)).await
            }
            Some(_) | None => None,
        };
        let folder = store.as_ref().map(|store| store.folder.clone());
        if let (Some(store), Some(info), true) = (store, &info, refusals.is_empty()) {
            let raised = self.raise_barrier(store, Position(info.state.last_sequence));
            refusals.extend(raised.err());
        }
        match info {
            Some(info) if refusals.is_empty() => {
                let last_position = Position(info.state.last_sequence);
                self.proved(turn, last_position, !away.is_empty());
                Ok(GateReport {
                    server_version,
                    durability,
                    sync,
                    store: folder,
                    stream: info.config.name,
                    replicas: info.config.num_replicas,
                    away,
                    last_position,
                    records: info.state.messages,
                    bytes: info.state.bytes,
                })
            }
            Some(_) | None => Err(refusals),
        }
    }

    async fn checked_stream(
        &self,
        checkpoint: Position,
        refusals: &mut Vec<GateRefusal>,
    ) -> Option<Info> {
        let stream = self.shared.settings.stream.clone();
        let info = match self.settled_info().await {
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
        if records == last.0 && last > Position::START {
            self.checked_ends(last, refusals).await;
        }
        if last < checkpoint {
            refusals.push(GateRefusal::LogBehindCheckpoint { last, checkpoint });
        }
        Some(info)
    }

    /// The stream as its leader knows it, once it was given the time to hear of every member.
    async fn settled_info(&self) -> Result<Option<Info>, Source> {
        let info = self.info().await?;
        let peers =
            info.iter().flat_map(|info| &info.cluster).flat_map(|cluster| &cluster.replicas);
        if peers.clone().any(|peer| never_heard(peer) && !peer.offline) {
            tokio::time::sleep(AWAY_AFTER).await;
            return self.info().await;
        }
        Ok(info)
    }

    /// Whether the first and the last record can be read, and the highest one that was seen is still what it was. The
    /// server counts records that it knows of, also where their file was cut, emptied or changed since.
    async fn checked_ends(&self, last: Position, refusals: &mut Vec<GateRefusal>) {
        let known = self.shared.proof.witness();
        let witness = (known.payload.is_some() && known.position <= last).then_some(known.position);
        for position in [Some(Position(1)), witness, Some(last)].into_iter().flatten() {
            let stream = self.shared.settings.stream.clone();
            match self.record_from(position).await {
                Ok(Some(found)) if found.position == position => {
                    if Some(position) == witness && found.payload != known.payload {
                        refusals.push(GateRefusal::LogDiffers { position });
                    }
                }
                Ok(_) => refusals.push(GateRefusal::RecordUnreadable { stream, position }),
                Err(source) => refusals.push(GateRefusal::StreamUnreachable { stream, source }),
            }
        }
    }

    /// Asks the monitoring addresses how their servers sync. Under [`Durability::Always`] every
    /// server that keeps the log and is not away must be among them and sync before it acknowledges.
    async fn checked_sync(&self, info: Option<&Info>, refusals: &mut Vec<GateRefusal>) -> Sync {
        let settings = &self.shared.settings;
        let binding = settings.durability == Durability::Always;
        let (mut asked, mut silent) = (Vec::new(), Vec::new());
        let answers = join_all(settings.monitor_urls.iter().map(|url| monitor::ask(url))).await;
        for (url, answer) in settings.monitor_urls.iter().zip(answers) {
            match answer {
                Ok(server) => asked.push(server),
                Err(source) => {
                    tracing::warn!(%url, error = %source, "cannot ask a server how it syncs");
                    silent.push(GateRefusal::MonitorUnreachable { url: url.clone(), source });
                }
            }
        }
        let (mut laziest, mut folder, mut away) = (SyncMode::Always, None, Vec::new());
        let keepers = self.keepers(info);
        let members = keepers.len();
        let unheard: Vec<_> =
            keepers.iter().filter(|server| server.away).map(|server| server.name.clone()).collect();
        if 2 * unheard.len() >= members {
            refusals.push(GateRefusal::MajorityAway { away: unheard, members });
        }
        for server in keepers {
            let found = asked.iter().find(|candidate| server.is(candidate));
            if found.is_none() && server.away {
                away.push(server.name);
                continue;
            }
            let sync = found.map_or(SyncMode::Unproven, |found| found.sync);
            folder = found.and_then(|found| found.store_dir.clone()).or(folder);
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
                        // One of those that did not answer may be this one.
                        refusals.append(&mut silent);
                        refusals.push(GateRefusal::SyncUnproven { server });
                    }
                }
            }
        }
        if settings.durability == Durability::Group && laziest == SyncMode::Always {
            tracing::warn!("nats-server syncs each message, which durability group does not need");
        }
        Sync { laziest, told: folder, away }
    }

    /// The servers that keep the log: the members of the stream's group, or the one server.
    fn keepers(&self, info: Option<&Info>) -> Vec<Keeper> {
        let cluster = info.and_then(|info| info.cluster.as_ref());
        let members: Vec<Keeper> = cluster
            .into_iter()
            .flat_map(|cluster| {
                let replicas = cluster.replicas.iter().map(|peer| {
                    // One that is merely behind acknowledges what it gets.
                    let away = peer.offline || peer.active >= AWAY_AFTER || never_heard(peer);
                    Keeper { name: peer.name.clone(), id: None, away }
                });
                let leader = cluster.leader.clone();
                leader
                    .map(|name| Keeper { name, id: None, away: false })
                    .into_iter()
                    .chain(replicas)
            })
            .collect();
        if members.len() > 1 {
            return members;
        }
        let server = self.shared.client.server_info();
        match members.into_iter().next() {
            // In a cluster, a stream with one replica may be on another server than ours.
            Some(keeper) if keeper.name != server.server_name => vec![keeper],
            Some(_) | None => {
                vec![Keeper { name: server.server_name, id: Some(server.server_id), away: false }]
            }
        }
    }
}

/// Whether a leader has heard nothing of a member since its election.
fn never_heard(peer: &PeerInfo) -> bool {
    peer.active.is_zero() && !peer.current
}

/// A server that keeps the log; its id is known only for the one that we are connected to.
struct Keeper {
    name: String,
    id: Option<String>,
    /// Its leader has not heard of it lately.
    away: bool,
}

/// How the servers that keep the log sync.
struct Sync {
    /// The laziest of them.
    laziest: SyncMode,
    /// The folder that the last of them says it keeps messages in.
    told: Option<PathBuf>,
    /// Those that are away.
    away: Vec<String>,
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
pub(super) fn version(text: &str) -> Option<(u64, u64)> {
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
