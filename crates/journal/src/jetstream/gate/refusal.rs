//! The reasons for which the start-up gate refuses, each with what to do about it.

use std::{io, path::PathBuf};

use super::VERSION_MIN;
use crate::{Position, Source, SyncMode};

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
    /// The server counts a record that it cannot read.
    #[error(
        "the stream {stream} cannot read its record at position {position}: the server's files were damaged. \
         `doudi verify` names all that is missing; restore the log"
    )]
    RecordUnreadable {
        /// The name of the stream.
        stream: String,
        /// Where.
        position: Position,
    },
    /// A restore has begun and not ended.
    #[error(
        "the stream {stream} is being restored from an archive, or that was broken off: it does not hold \
         the whole log yet. Run `doudi restore` to its end; given again, it goes on"
    )]
    RestoreUnfinished {
        /// The name of the stream.
        stream: String,
    },
    /// The log is shorter than something has already seen.
    #[error(
        "the log ends at position {last}, but position {checkpoint} has already been read from it: \
         records were lost, or this is another log. Restore the log, or, if the loss is accepted, \
         rebuild every view from it and begin another archive"
    )]
    LogBehindCheckpoint {
        /// The last position of the log.
        last: Position,
        /// The highest checkpoint known to anybody.
        checkpoint: Position,
    },
    /// The log has something else where it ended when it was let pass before.
    #[error(
        "the record at position {position} is not the one that doudi has read there: this is another log. Bring the \
         right one back; if this is the right one, start doudi again"
    )]
    LogDiffers {
        /// Where.
        position: Position,
    },
    /// Too few of the servers that keep the log hear each other.
    #[error(
        "of the {members} servers that keep the log, the leader that answers does not hear {}: that is no majority, \
         so it can store nothing and may not know the newest records. Bring them back, or the network between them",
        away.join(", ")
    )]
    MajorityAway {
        /// The names of those that it does not hear.
        away: Vec<String>,
        /// How many servers keep the log.
        members: usize,
    },
    /// A server acknowledges before it syncs, although the durability promises otherwise.
    #[error(
        "the server {server} syncs {sync}, but durability \"always\" needs it before each \
         acknowledgement. Set `sync_interval: always` in the jetstream block of its \
         configuration, or choose durability \"group\" if it runs on this machine, or \"fast\" and \
         accept that a power cut loses records"
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
    /// The log is on more servers than one.
    #[error(
        "durability \"group\" forces the files of one server on this machine to disk, but {found}. \
         Choose durability \"always\""
    )]
    GroupClustered {
        /// What was found.
        found: String,
    },
    /// Nobody says where the server keeps its messages.
    #[error(
        "nothing says where the server keeps its messages, which durability \"group\" forces to \
         disk. Set nats.store_dir, or give the server's HTTP monitoring address as the monitor url"
    )]
    StoreUnknown,
    /// The server did not do what proves where it keeps its messages.
    #[error(
        "the server did not make a consumer of the stream {stream}, by which it is proven where it \
         keeps its messages. Check that this account may make and delete consumers"
    )]
    StoreUnproven {
        /// The name of the stream.
        stream: String,
        /// What went wrong.
        #[source]
        source: Source,
    },
    /// The folder is not the server's.
    #[error(
        "the folder {} is not where the server keeps the stream {stream}, as seen from this \
         process: what the server has just written is not there. Set nats.store_dir to \
         the server's store_dir as it is reached from here; the server must be on this machine, or \
         choose durability \"always\"",
        folder.display()
    )]
    StoreForeign {
        /// The folder that was looked into.
        folder: PathBuf,
        /// The name of the stream.
        stream: String,
    },
    /// The folder cannot be looked into.
    #[error(
        "this process cannot look into the folder {} of the server. nats-server keeps its folders \
         to its own user: run doudi as the same user",
        folder.display()
    )]
    StoreClosed {
        /// The folder that was to be looked into.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system or the file system does not say what reached the disk.
    #[error(
        "durability \"group\" cannot be kept in the folder {}: {reason}. Move the server's \
         store_dir, or choose durability \"always\"",
        folder.display()
    )]
    StoreUnfit {
        /// The folder that was looked into.
        folder: PathBuf,
        /// What stands against it.
        reason: String,
    },
    /// It is another folder than before.
    #[error(
        "the server keeps the log in another folder than when doudi started, {}. Look that it is the right one, \
         and start doudi again",
        folder.display()
    )]
    StoreMoved {
        /// The folder in which it is now.
        folder: PathBuf,
    },
    /// The file system could not be forced to disk once, and nobody has looked at it since.
    #[error(
        "the log's file system could not be forced to disk once, so files may hold what the disk does not. Stop \
         nats-server, look at the disk, mount the file system anew, and remove the file {}",
        mark.display()
    )]
    StoreDoubtful {
        /// The file that remembers it.
        mark: PathBuf,
    },
    /// The file system could not be forced to disk.
    #[error(
        "the file system of the folder {} could not be forced to disk. Look at the disk before \
         anything else",
        folder.display()
    )]
    StoreSyncFailed {
        /// The folder that was looked into.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
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
            GateRefusal::RecordUnreadable { .. } => "RECORD_UNREADABLE",
            GateRefusal::RestoreUnfinished { .. } => "RESTORE_UNFINISHED",
            GateRefusal::LogBehindCheckpoint { .. } => "LOG_BEHIND_CHECKPOINT",
            GateRefusal::LogDiffers { .. } => "LOG_DIFFERS",
            GateRefusal::MajorityAway { .. } => "MAJORITY_AWAY",
            GateRefusal::SyncLazy { .. } => "SYNC_LAZY",
            GateRefusal::SyncUnproven { .. } => "SYNC_UNPROVEN",
            GateRefusal::MonitorUnreachable { .. } => "MONITOR_UNREACHABLE",
            GateRefusal::GroupClustered { .. } => "GROUP_CLUSTERED",
            GateRefusal::StoreUnknown => "STORE_UNKNOWN",
            GateRefusal::StoreUnproven { .. } => "STORE_UNPROVEN",
            GateRefusal::StoreForeign { .. } => "STORE_FOREIGN",
            GateRefusal::StoreClosed { .. } => "STORE_CLOSED",
            GateRefusal::StoreUnfit { .. } => "STORE_UNFIT",
            GateRefusal::StoreMoved { .. } => "STORE_MOVED",
            GateRefusal::StoreDoubtful { .. } => "STORE_DOUBTFUL",
            GateRefusal::StoreSyncFailed { .. } => "STORE_SYNC_FAILED",
        }
    }
}
