//! One command: its turn on the stream, a decision, an append, and the truth about what became of it.

use std::sync::Arc;

use bytes::Bytes;
use doudi_domain::{Context, Decider};
use doudi_journal::{
    Actor, AppendError, Commit, CommitFault, EncodeError, Hash, Journal, Position, StreamName,
    Version,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use crate::{
    cache::{Lease, Streams},
    clock::Clock,
    commit,
    folded::{self, Folded, LoadError, Receipt, Until, events},
    inputs::{Inputs, Source},
    metrics,
};

/// How many commands may be in line for one stream, so that a crowd at one leaves a server's calls to others.
const IN_LINE_MAX: usize = 256;

/// Bounds of the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// About how many bytes the streams may take that are kept folded in memory.
    pub cache_bytes_max: u64,
    /// How often a command is decided again after a conflict before it is given up.
    pub attempts_max: u32,
    /// How old a policy or profile may be when a decision reads it.
    pub input_age_max: Duration,
}

/// Who asks, under which id, why.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Chosen by the client, the same on every retry.
    pub command_id: Uuid,
    /// Who asks, as the transport proves it.
    pub actor: Actor,
    /// When the thing happened, if not just now.
    pub occurred_at: Option<Timestamp>,
    /// The commit that caused the command, for processes.
    pub causation: Option<Uuid>,
    /// Ties together what belongs to one matter; the command itself if not given.
    pub correlation: Option<Uuid>,
    /// The caller's trace (W3C trace context).
    pub traceparent: Option<String>,
    /// If given, the command is refused unless the stream is at this version.
    pub expected_version: Option<Version>,
}

impl Envelope {
    /// An envelope with nothing optional.
    #[must_use]
    pub fn new(command_id: Uuid, actor: Actor) -> Self {
        Self {
            command_id,
            actor,
            occurred_at: None,
            causation: None,
            correlation: None,
            traceparent: None,
            expected_version: None,
        }
    }
}

/// What a command left in the log.
#[derive(Debug, Clone)]
pub struct Outcome<D: Decider> {
    /// The version of the stream that the command made, or found if it changed nothing.
    pub version: Version,
    /// The log position of that version's commit.
    pub position: Position,
    /// The events of the command; none when it was already so.
    pub events: Vec<D::Event>,
}

/// Why a command was not carried out, or is not known to have been.
///
/// "Nothing changed" speaks of this try. Where the log could not be reached or read, an earlier try
/// under the same id may have been stored all the same; the same command again finds out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<R: std::error::Error + 'static> {
    /// A rule stands in the way; nothing changed.
    #[error("the command is refused")]
    Rejected(#[source] R),
    /// The id was used before, for another command on the same stream; nothing changed.
    #[error("the command id was used before for another command")]
    IdReused,
    /// The stream is not at the version that the caller expects; nothing changed.
    #[error("the stream is at version {actual}")]
    VersionDiffers {
        /// Where it is.
        actual: Version,
    },
    /// Others were faster on the same stream again and again; nothing changed.
    #[error("the stream changed too often meanwhile, it is at version {actual}")]
    Contended {
        /// Where it is.
        actual: Version,
    },
    /// Too many commands wait for the same stream; nothing changed.
    #[error("too many commands wait for the stream")]
    Crowded,
    /// The command makes a commit larger than the log takes; nothing changed.
    #[error("the command makes too large a commit")]
    TooLarge(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The log is full; nothing changed.
    #[error("the log is full")]
    LogFull(#[source] AppendError),
    /// The log cannot be reached; nothing changed.
    #[error("the log cannot be reached")]
    Unavailable(#[source] AppendError),
    /// Nobody knows whether the command was stored, or it is stored and what it left cannot be read
    /// just now; the same command again finds out.
    #[error("it is not known whether the command was stored")]
    Unknown(#[source] AppendError),
    /// The stream or an input of the decision cannot be loaded; nothing changed.
    #[error("a stream cannot be loaded")]
    Load(#[from] LoadError),
    /// An event or command cannot be encoded: a fault of the program.
    #[error("a commit cannot be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The write path and consistent reads. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) journal: Journal,
    streams: Arc<Streams>,
    settings: Arc<EngineSettings>,
    pub(crate) clock: Clock,
}

/// An append whose outcome is open, and the position it expected the stream to end at.
///
/// As long as the stream ends there, the record may still be stored, so nothing definite can be
/// said; a further append with the same expectation is safe, since at most one of the two can be
/// stored. Once the stream has moved on the record can never be stored any more.
#[derive(Debug, Default)]
struct Doubt(Option<(Position, AppendError)>);

impl Doubt {
    fn settle<T, R: std::error::Error>(
        self,
        end: Position,
        answer: Result<T, ExecuteError<R>>,
    ) -> Result<T, ExecuteError<R>> {
        match self.0 {
            Some((expected, unknown)) if expected == end => Err(ExecuteError::Unknown(unknown)),
            Some(_) | None => answer,
        }
    }

    /// The answer when the stream cannot be read: the open record was not looked for.
    fn unread<R: std::error::Error>(self, error: LoadError) -> ExecuteError<R> {
        match self.0 {
            Some((_, unknown)) => ExecuteError::Unknown(unknown),
            None => ExecuteError::Load(error),
        }
    }
}

fn changes_nothing<E, R: std::error::Error>(decided: &Result<Vec<E>, ExecuteError<R>>) -> bool {
    match decided {
        Ok(events) => events.is_empty(),
        Err(error) => {
            matches!(error, ExecuteError::Rejected(_) | ExecuteError::VersionDiffers { .. })
        }
    }
}

fn refused<R: std::error::Error>(error: AppendError) -> ExecuteError<R> {
    match error {
        AppendError::TooLarge { .. } => ExecuteError::TooLarge(error.into()),
        AppendError::LogFull { .. } => ExecuteError::LogFull(error),
        AppendError::Unavailable { .. } => ExecuteError::Unavailable(error),
        AppendError::Conflict { .. } | AppendError::Unknown { .. } => ExecuteError::Unknown(error),
    }
}

impl Engine {
    /// An engine on `journal`.
    #[must_use]
    pub fn new(journal: Journal, settings: EngineSettings, clock: Clock) -> Self {
        let streams = Arc::new(Streams::new(journal.clone(), settings.cache_bytes_max));
        Self { journal, streams, settings: Arc::new(settings), clock }
    }

    /// The log.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How many streams are kept folded in memory, and about how many bytes they take.
    #[must_use]
    pub fn kept(&self) -> (usize, u64) {
        self.streams.kept()
    }

    /// The present instant, as decisions see it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads a stream as the log has it now, at least up to `at_least`.
    ///
    /// # Errors
    /// [`LoadError`] when the log does not answer in time or the stream is damaged.
    pub async fn read<D: Decider>(
        &self,
        stream: &StreamName,
        at_least: Position,
    ) -> Result<Arc<Folded<D>>, LoadError> {
        self.streams.lease(stream).await.refresh(at_least).await
    }

    /// Reads a stream as of an earlier time. Nothing can be decided on it.
    ///
    /// # Errors
    /// [`LoadError`] when the log does not answer in time or the stream is damaged.
    pub async fn read_until<D: Decider>(
        &self,
        stream: &StreamName,
        until: Until,
    ) -> Result<Folded<D>, LoadError> {
        Folded::until(&self.journal, stream, until).await
    }

    /// Carries out one command on one stream.
    ///
    /// The same command under the same id answers with its first outcome, also after a crash. A
    /// refusal, or "already so", is only ever said of a state that the log has just confirmed.
    ///
    /// # Errors
    /// See [`ExecuteError`]; all but [`ExecuteError::Unknown`] mean that this try changed nothing.
    #[tracing::instrument(level = "debug", skip_all, fields(kind = D::KIND))]
    pub async fn execute<D>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        envelope: &Envelope,
    ) -> Result<Outcome<D>, ExecuteError<D::Rejection>>
    where
        D: Decider,
        D::Command: Serialize,
    {
        let digest = commit::digest(stream, command).map_err(fault)?;
        // What is due by itself waits its turn in any crowd: it has a bound of its own.
        let is_asked = envelope.causation.is_none();
        if is_asked && self.streams.is_crowded(stream, IN_LINE_MAX) {
            return Err(ExecuteError::Crowded);
        }
        let mut lease = self.streams.lease::<D>(stream).await;
        let mut folded = lease.kept().await?;
        // Whether stream and inputs are what the log has just confirmed.
        let mut fresh = false;
        let mut doubt = Doubt::default();
        for _ in 0..self.settings.attempts_max {
            if let Some(receipt) = folded.receipts.get(&envelope.command_id).cloned() {
                return self.repeated(stream, &receipt, &digest).await;
            }
            let mut decided = self.decide(stream, &folded, command, envelope, fresh).await;
            // Whatever changes nothing must be true of the log, not only of our memory.
            if !fresh && changes_nothing(&decided) {
                folded = lease.refresh(Position::default()).await?;
                fresh = true;
                if folded.receipts.contains_key(&envelope.command_id) {
                    continue;
                }
                decided = self.decide(stream, &folded, command, envelope, fresh).await;
            }
            let events = match decided {
                Ok(events) if !events.is_empty() => events,
                Ok(events) => {
                    let Folded { version, position, .. } = *folded;
                    return doubt.settle(position, Ok(Outcome { version, position, events }));
                }
                Err(error) => return doubt.settle(folded.position, Err(error)),
            };
            let expected = folded.position;
            let (commit, payload) = match self.encoded(stream, &folded, envelope, &digest, &events)
            {
                Ok(encoded) => encoded,
                Err(error) => return doubt.settle(expected, Err(error)),
            };
            let at_least = match self.append(&mut lease, folded, &commit, payload, events).await {
                Ok(outcome) => return Ok(outcome),
                Err(AppendError::Conflict { actual }) => {
                    metrics::retried("conflict");
                    if actual < expected {
                        tracing::error!(%stream, %expected, %actual, "the log has lost records");
                        lease.forget();
                    }
                    actual
                }
                Err(unknown @ AppendError::Unknown { .. }) => {
                    metrics::retried("unknown");
                    tracing::warn!(%stream, error = ?unknown, "outcome unknown, reading the stream");
                    doubt = Doubt(Some((expected, unknown)));
                    Position::default()
                }
                Err(error) => return doubt.settle(expected, Err(refused(error))),
            };
            folded = match lease.refresh(at_least).await {
                Ok(found) => found,
                Err(error) => return Err(doubt.unread(error)),
            };
            fresh = true;
        }
        if let Some(receipt) = folded.receipts.get(&envelope.command_id).cloned() {
            return self.repeated(stream, &receipt, &digest).await;
        }
        let actual = folded.version;
        doubt.settle(folded.position, Err(ExecuteError::Contended { actual }))
    }

    /// What the command with that id left in the stream; none when it left nothing there.
    ///
    /// For a command that cannot be made again, because what it said can no longer be sealed. What
    /// was said is therefore not compared: the caller must judge by the events whether they are of
    /// the command that it means.
    ///
    /// # Errors
    /// [`LoadError`] when the log does not answer in time or the stream is damaged.
    pub async fn outcome<D: Decider>(
        &self,
        stream: &StreamName,
        command_id: Uuid,
    ) -> Result<Option<Outcome<D>>, LoadError> {
        let folded = self.read::<D>(stream, Position::START).await?;
        match folded.receipts.get(&command_id) {
            Some(receipt) => self.stored(stream, receipt).await.map(Some),
            None => Ok(None),
        }
    }

    /// What `judge` says of a stream and of all that a decision on `command` would read, both as the
    /// log has them now. Nothing is written.
    ///
    /// # Errors
    /// [`LoadError`] when the log does not answer in time or a stream is damaged.
    pub async fn consider<D: Decider, T>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        judge: impl FnOnce(&Folded<D>, &Context<'_>) -> T,
    ) -> Result<T, LoadError> {
        let folded = self.read::<D>(stream, Position::START).await?;
        let source = Source::Kept(&self.streams, Duration::ZERO);
        let inputs = Inputs::load::<D>(source, stream, command).await?;
        Ok(judge(&folded, &inputs.context(self.clock.now())))
    }

    /// The same of both as of an earlier time, when it was `now`.
    ///
    /// # Errors
    /// As [`Engine::consider`].
    pub async fn consider_until<D: Decider, T>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        (until, now): (Until, Timestamp),
        judge: impl FnOnce(&Folded<D>, &Context<'_>) -> T,
    ) -> Result<T, LoadError> {
        let folded = self.read_until::<D>(stream, until).await?;
        let source = Source::Past(&self.journal, until);
        let inputs = Inputs::load::<D>(source, stream, command).await?;
        Ok(judge(&folded, &inputs.context(now)))
    }

    async fn decide<D: Decider>(
        &self,
        stream: &StreamName,
        folded: &Folded<D>,
        command: &D::Command,
        envelope: &Envelope,
        fresh: bool,
    ) -> Result<Vec<D::Event>, ExecuteError<D::Rejection>> {
        if envelope.expected_version.is_some_and(|expected| expected != folded.version) {
            return Err(ExecuteError::VersionDiffers { actual: folded.version });
        }
        let age_max = if fresh { Duration::ZERO } else { self.settings.input_age_max };
        let source = Source::Kept(&self.streams, age_max);
        let inputs = Inputs::load::<D>(source, stream, command).await?;
        let context = inputs.context(self.clock.now());
        folded.state.decide(&context, command).map_err(ExecuteError::Rejected)
    }

    /// The commit of a decision and its bytes.
    fn encoded<D: Decider>(
        &self,
        stream: &StreamName,
        folded: &Folded<D>,
        envelope: &Envelope,
        digest: &Hash,
        events: &[D::Event],
    ) -> Result<(Commit, Bytes), ExecuteError<D::Rejection>> {
        let now = self.clock.now();
        let commit = commit::next(stream, folded, envelope, *digest, now, events).map_err(fault)?;
        match commit.encode() {
            Ok(payload) => Ok((commit, payload)),
            Err(
                error @ (EncodeError::TooLarge { .. }
                | EncodeError::Malformed(CommitFault::EventCount { events: 1.. })),
            ) => Err(ExecuteError::TooLarge(error.into())),
            Err(error @ (EncodeError::Malformed(_) | EncodeError::Json(_))) => Err(fault(error)),
        }
    }

    /// Appends once and, when it is stored, folds it into what is kept.
    async fn append<D: Decider>(
        &self,
        lease: &mut Lease<'_, D>,
        folded: Arc<Folded<D>>,
        commit: &Commit,
        payload: Bytes,
        events: Vec<D::Event>,
    ) -> Result<Outcome<D>, AppendError> {
        let hash = Hash::sha256(&payload);
        let asked = Instant::now();
        let position = self.journal.append(&commit.stream, payload, folded.position).await?;
        lease.forget();
        let mut next = Arc::try_unwrap(folded).unwrap_or_else(|shared| (*shared).clone());
        next.state = events.iter().fold(next.state, D::evolve);
        next.advance(commit, &events, position, hash);
        let version = next.version;
        lease.keep(Arc::new(next), asked);
        Ok(Outcome { version, position, events })
    }

    /// The first outcome of a command that is already in the log.
    async fn repeated<D: Decider>(
        &self,
        stream: &StreamName,
        receipt: &Receipt,
        digest: &Hash,
    ) -> Result<Outcome<D>, ExecuteError<D::Rejection>> {
        if receipt.digest != *digest {
            return Err(ExecuteError::IdReused);
        }
        // It is stored, so a failure to read it must not pass for "nothing changed".
        self.stored(stream, receipt).await.map_err(|error| match error {
            LoadError::Unavailable(source) => {
                let (stream, source) = (stream.clone(), source.into());
                ExecuteError::Unknown(AppendError::Unknown { stream, source })
            }
            damaged @ (LoadError::Commit { .. }
            | LoadError::Event { .. }
            | LoadError::Chain { .. }) => ExecuteError::Load(damaged),
        })
    }

    /// The outcome that a receipt stands for: its one record, however long the stream has grown since.
    async fn stored<D: Decider>(
        &self,
        stream: &StreamName,
        receipt: &Receipt,
    ) -> Result<Outcome<D>, LoadError> {
        let Receipt { version, position, .. } = receipt;
        let before = Position(position.0.saturating_sub(1));
        let records = self.journal.read(before, 1).await.map_err(LoadError::Unavailable)?;
        // A replica that is behind may have answered.
        let missing = || doudi_journal::LoadError::Unavailable {
            what: stream.to_string(),
            source: format!("the answer ends before position {position}").into(),
        };
        let record = records.first().ok_or_else(missing).map_err(LoadError::Unavailable)?;
        if record.stream != *stream {
            return Err(LoadError::Chain { stream: stream.clone(), position: *position });
        }
        let events = events::<D>(record, &folded::commit(record)?)?;
        Ok(Outcome { version: *version, position: *position, events })
    }
}

fn fault<R: std::error::Error>(
    error: impl std::error::Error + Send + Sync + 'static,
) -> ExecuteError<R> {
    ExecuteError::Encode(Box::new(error))
}

#[cfg(test)]
pub(crate) mod tests;
