//! Bringing the log back from an archive: every record at its position, with its headers and bytes.
//!
//! The stream carries a mark from before the first record until all are there and on disk. The gate lets nobody
//! else pass meanwhile, so a restore that was broken off is never taken for a whole, shorter log. What an
//! earlier try has put there is compared with the archive, and the rest follows.

use std::time::Duration;

use async_nats::{
    HeaderMap, HeaderName, HeaderValue,
    jetstream::{context::PublishErrorKind, stream::Info},
};

use super::{JetStream, config};
use crate::{
    ArchiveError, ArchiveReader, Entry, GateRefusal, GateReport, Journal, LoadError, Position,
    Source,
};

/// The mark, in the metadata of the stream.
const MARK: &str = "doudi.restoring";

/// How many records are read from the archive, and compared with the log, at once.
const WINDOW: usize = 500;

/// How often a record, the mark and the last gate are tried, and the pause between.
const TRIES_MAX: usize = 100;
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Why a log could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The archive cannot be read or relied on.
    #[error("the archive cannot be restored from")]
    Archive(#[from] ArchiveError),
    /// There is a log already.
    #[error(
        "the stream {stream} has {records} records that no restore has put there. A log is restored into \
         an empty one; whoever wants to give this one up keeps a copy and deletes the stream with the nats tool"
    )]
    NotEmpty {
        /// The name of the stream.
        stream: String,
        /// How many records it has.
        records: u64,
    },
    /// What an earlier try has put into the log is not what the archive has.
    #[error(
        "position {position} of the log, which a restore has begun, is not as in the archive. Stop \
         whatever writes to the log, delete the stream with the nats tool and restore again"
    )]
    Differs {
        /// Where.
        position: Position,
    },
    /// The log that a restore has begun has more than the archive.
    #[error(
        "the log reaches to position {last}, but the archive only to {archived}: an older copy of the archive, or \
         somebody has written to the log since. Restore from the archive that has it all"
    )]
    Ahead {
        /// The last position of the log.
        last: Position,
        /// The last position of the archive.
        archived: Position,
    },
    /// A record came to another place than it had: somebody else writes to the log.
    #[error(
        "the record of position {expected} was stored at {found}: somebody else writes to the log. Stop \
         that, delete the stream with the nats tool and restore again"
    )]
    Misplaced {
        /// Where it belongs.
        expected: Position,
        /// Where it is.
        found: Position,
    },
    /// The gate refuses, for another reason than the restore itself.
    #[error("the gate refuses: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Gate(Vec<GateRefusal>),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// The server did not do what was asked, or did not answer. Given again, the restore goes on.
    #[error("the server failed to {doing}; given again, the restore goes on")]
    Server {
        /// What it was asked for.
        doing: &'static str,
        /// What it said.
        #[source]
        source: Source,
    },
}

/// Whether a restore into the stream has begun and not ended.
pub(super) fn begun(info: &Info) -> bool {
    info.config.metadata.contains_key(MARK)
}

impl JetStream {
    /// Restores the log from an archive that was read nothing of yet. `told` hears how far it is. Nobody else
    /// may write to the log meanwhile.
    ///
    /// # Errors
    /// See [`RestoreError`]. From [`RestoreError::NotEmpty`] the log is as it was. After any other it may hold a part, and
    /// then nobody else passes the gate until a restore has come to its end.
    pub async fn restore(
        &self,
        archive: ArchiveReader,
        told: &mut (dyn FnMut(Position) + Send),
    ) -> Result<GateReport, RestoreError> {
        self.shared.proof.restores(true);
        let restored = self.restore_all(archive, told).await;
        self.shared.proof.restores(false);
        self.gate_at_last(restored?).await
    }

    /// Passes the gate at the end of all the work, with patience: a server may have gone meanwhile, and its leader has
    /// not noticed yet.
    async fn gate_at_last(&self, reached: Position) -> Result<GateReport, RestoreError> {
        patiently(|| self.gate(reached)).await.map_err(RestoreError::Gate)
    }

    /// Brings back every record and takes the mark away; answers with the position of the last record.
    async fn restore_all(
        &self,
        mut archive: ArchiveReader,
        told: &mut (dyn FnMut(Position) + Send),
    ) -> Result<Position, RestoreError> {
        let there = self.begin_restore().await?;
        self.gate(Position::START).await.map_err(RestoreError::Gate)?;
        let mut reached = Position::START;
        loop {
            let (back, entries) = next(archive).await?;
            archive = back;
            let Some(last) = entries.last() else { break };
            reached = last.position;
            let known = entries.partition_point(|entry| entry.position <= there);
            let (known, missing) = entries.split_at(known);
            self.same(known).await?;
            self.put(missing).await?;
            told(reached);
        }
        if there > reached {
            return Err(RestoreError::Ahead { last: there, archived: reached });
        }
        // The gate forces to disk what was written, before the mark goes and after.
        self.gate_at_last(reached).await?;
        self.set_mark(false).await?;
        Ok(reached)
    }

    /// Makes the stream with the mark, or goes on with one that has it; answers with its last position.
    async fn begin_restore(&self) -> Result<Position, RestoreError> {
        let failed = |source| RestoreError::Server { doing: "look at the stream", source };
        let Some(info) = self.info().await.map_err(failed)? else {
            let mut wanted = config::wanted(&self.shared.settings);
            wanted.metadata.insert(MARK.to_owned(), "true".to_owned());
            let made = self.while_connected(self.shared.context.create_stream(wanted)).await;
            let failed = |source| RestoreError::Server { doing: "make the stream", source };
            made.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))?;
            return Ok(Position::START);
        };
        let (records, last) = (info.state.messages, Position(info.state.last_sequence));
        match begun(&info) {
            true => Ok(last),
            false if last == Position::START => self.set_mark(true).await.map(|()| last),
            false => Err(RestoreError::NotEmpty { stream: info.config.name, records }),
        }
    }

    async fn set_mark(&self, restoring: bool) -> Result<(), RestoreError> {
        let failed = |source| RestoreError::Server { doing: "mark the stream", source };
        patiently(|| self.mark_once(restoring)).await.map_err(failed)
    }

    async fn mark_once(&self, restoring: bool) -> Result<(), Source> {
        let mut config = self.info().await?.ok_or("the stream is gone")?.config;
        match restoring {
            true => config.metadata.insert(MARK.to_owned(), "true".to_owned()),
            false => config.metadata.remove(MARK),
        };
        self.while_connected(self.shared.context.update_stream(config)).await??;
        Ok(())
    }

    /// Whether the log has these entries.
    async fn same(&self, entries: &[Entry]) -> Result<(), RestoreError> {
        let journal = Journal::JetStream(self.clone());
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let after = Position(first.position.0.saturating_sub(1));
            let found = journal.entries(after, rest.len()).await?;
            let pairs = rest.iter().zip(&found);
            if let Some((entry, _)) = pairs.clone().find(|(entry, found)| entry != found) {
                return Err(RestoreError::Differs { position: entry.position });
            }
            if found.is_empty() {
                return Err(RestoreError::Differs { position: first.position });
            }
            rest = &rest[pairs.count()..];
        }
        Ok(())
    }

    /// Stores entries at the end of the log, and sees to it that each comes where it was: none goes out before the one
    /// before it is there, so whatever becomes of one, none is stored in its place.
    async fn put(&self, entries: &[Entry]) -> Result<(), RestoreError> {
        for entry in entries {
            let failed = |source| RestoreError::Server { doing: "store a record", source };
            patiently(|| self.put_one(entry)).await.map_err(failed)??;
        }
        Ok(())
    }

    /// Stores one entry unless it is there; the outer error says why that is not known, and leaves all as it was or
    /// the entry where it belongs.
    async fn put_one(&self, entry: &Entry) -> Result<Result<(), RestoreError>, Source> {
        let (link, _) = self.until_writable().await?;
        let headers = headers(entry)?;
        let (context, subject) = (&self.shared.context, entry.subject.clone());
        let stored = async {
            let sent = context.publish_with_headers(subject, headers, entry.payload.clone());
            sent.await?.await
        };
        let stored = self.while_connected(stored).await;
        self.still(link)?;
        match stored? {
            Ok(ack) if Position(ack.sequence) == entry.position => Ok(Ok(())),
            Ok(ack) => {
                let (expected, found) = (entry.position, Position(ack.sequence));
                Ok(Err(RestoreError::Misplaced { expected, found }))
            }
            // The record itself says what must stand before it in its stream; it may have come in by an earlier try.
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                Ok(self.same(std::slice::from_ref(entry)).await)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Tries something again, with a pause between, until it succeeds or was tried as often as may be.
async fn patiently<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
) -> Result<T, E> {
    for _ in 1..TRIES_MAX {
        if let Ok(done) = attempt().await {
            return Ok(done);
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    attempt().await
}

/// The next entries of an archive, read where it may block.
async fn next(mut archive: ArchiveReader) -> Result<(ArchiveReader, Vec<Entry>), RestoreError> {
    let read = tokio::task::spawn_blocking(move || {
        let entries = archive.read(WINDOW)?;
        Ok((archive, entries))
    });
    let failed = |source| RestoreError::Server { doing: "wait for the archive", source };
    read.await.map_err(|error| failed(error.into()))?
}

fn headers(entry: &Entry) -> Result<HeaderMap, Source> {
    let mut headers = HeaderMap::new();
    for (name, value) in &entry.headers {
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    Ok(headers)
}
