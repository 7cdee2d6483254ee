//! The log on NATS JetStream: one stream, one message for each record.
//!
//! A position is the stream's message sequence. The client reconnects on its own; what was in
//! flight when the connection broke is answered at once as broken, never silently sent again.

mod append;
mod barrier;
mod config;
mod follow;
mod gate;
mod load;
mod monitor;
mod moved;
mod objects;
mod proof;
mod restore;
mod settings;
mod spool;
mod store;

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use async_nats::{
    Client, ConnectOptions, Event,
    connection::State,
    jetstream::{
        Context, ErrorCode,
        context::{CreateStreamErrorKind, GetStreamErrorKind},
        stream::Info,
    },
};
use tokio::sync::{Semaphore, watch};

pub(crate) use self::follow::JetStreamFollow;
use self::{
    barrier::Barrier,
    proof::{Link, Proof, Seen},
    store::Place,
};
pub use self::{
    gate::{GateRefusal, GateReport},
    monitor::SyncMode,
    objects::{JetStreamObjects, OpenObjectsError},
    restore::RestoreError,
    settings::{Credentials, Durability, JetStreamSettings},
    spool::{JetStreamSpool, OpenSpoolError},
};
use crate::{LoadError, Position, Source};

/// How often an idle connection is checked; two missed answers count as lost.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// The longest pause between two tries to connect.
const CONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// The pause before something is asked once more on another connection.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// A log on NATS JetStream. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct JetStream {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    context: Context,
    settings: JetStreamSettings,
    in_flight: Semaphore,
    /// How many times the connection has been lost; a change breaks off what waits for answers.
    losses: watch::Receiver<u64>,
    /// What everything crosses before it is handed out, once the gate has let durability "group" pass.
    barrier: OnceLock<Barrier>,
    /// Which folder the barrier forces to disk.
    place: OnceLock<Place>,
    proof: Proof,
}

impl JetStream {
    /// Connects to the server, trying for as long as the settings say. It neither creates nor
    /// checks the stream: see [`JetStream::create_if_absent`] and [`JetStream::gate`].
    ///
    /// # Errors
    /// Says what the last try failed with; a refused login is not tried again.
    pub async fn connect(settings: JetStreamSettings) -> Result<JetStream, ConnectError> {
        let (lost, losses) = watch::channel(0);
        let deadline = Instant::now() + settings.connect_timeout;
        let mut pause = Duration::from_millis(20);
        let client = loop {
            let options = options(&settings, lost.clone()).await?;
            let source = match options.connect(settings.urls.as_slice()).await {
                Ok(client) => break client,
                Err(source) => source,
            };
            if is_final(source.kind()) || Instant::now() + pause >= deadline {
                return Err(ConnectError::Server { urls: settings.urls.join(", "), source });
            }
            tokio::time::sleep(pause).await;
            pause = CONNECT_PAUSE_MAX.min(pause * 2);
        };
        let mut context = async_nats::jetstream::new(client.clone());
        context.set_timeout(settings.ack_timeout);
        let in_flight = Semaphore::new(settings.in_flight_max.clamp(1, Semaphore::MAX_PERMITS));
        let (barrier, place, proof) = (OnceLock::new(), OnceLock::new(), Proof::new());
        let shared = Shared { client, context, settings, in_flight, losses, barrier, place, proof };
        Ok(JetStream { shared: Arc::new(shared) })
    }

    pub(crate) async fn again(&self) -> Result<JetStream, ConnectError> {
        JetStream::connect(self.shared.settings.clone()).await
    }

    /// Makes the log's stream unless there is one; an existing stream is never changed, however
    /// it is configured. Returns whether it was made.
    ///
    /// # Errors
    /// Says why the server did not make it.
    pub async fn create_if_absent(&self) -> Result<bool, CreateError> {
        let stream = &self.shared.settings.stream;
        let failed = |source: Source| CreateError { stream: stream.clone(), source };
        let found = self.info().await.map_err(failed)?;
        if found.is_some() {
            return Ok(false);
        }
        let wanted = config::wanted(&self.shared.settings);
        let created = within(self.timeout(), self.shared.context.create_stream(wanted)).await;
        let Err(error) = created.map_err(|late| failed(late.into()))? else {
            tracing::info!(%stream, "made the log's stream");
            return Ok(true);
        };
        if let CreateStreamErrorKind::JetStream(cause) = error.kind()
            && cause.error_code() == ErrorCode::STREAM_NAME_EXIST
        {
            // Another process was quicker, perhaps with other settings: the gate will say.
            return Ok(false);
        }
        Err(failed(error.into()))
    }

    /// Whether the connection to the server stands, as far as the client knows, the gate was passed on it, and
    /// the disk has taken all that was forced to it.
    #[must_use]
    pub fn connected(&self) -> bool {
        let disk = self.shared.barrier.get().map_or(Ok(()), Barrier::check);
        self.linked() && self.proven().is_ok() && disk.is_ok()
    }

    fn linked(&self) -> bool {
        self.shared.client.connection_state() == State::Connected
    }

    pub(crate) async fn last_position(&self) -> Result<Position, LoadError> {
        let unavailable = |source| LoadError::Unavailable {
            what: format!("the last position of {}", self.shared.settings.stream),
            source,
        };
        let ask = || async {
            let last = self.written_position().await.map_err(unavailable)?;
            Ok((last, Seen { position: last, payload: None }))
        };
        self.relied_on(unavailable, ask).await
    }

    /// What `ask` answers, with the newest that it tells of: all of it from one connection on which the gate
    /// was passed, and safe from a power cut. Where the connection was lost meanwhile it is asked once more.
    async fn relied_on<T, E, F: Future<Output = Result<(T, Seen), E>>>(
        &self,
        unavailable: impl Fn(Source) -> E,
        ask: impl Fn() -> F,
    ) -> Result<T, E> {
        let mut again = true;
        loop {
            let link = self.proven_soon().await;
            let link = link.map_err(|unproven| unavailable(unproven.into()))?;
            let answer = ask().await;
            let lost = !self.linked() || self.proven().is_err();
            match (answer, self.still(link)) {
                (Ok((answer, newest)), Ok(())) => {
                    self.reach(newest).await.map_err(unavailable)?;
                    return Ok(answer);
                }
                (_, Err(unproven)) if !again => return Err(unavailable(unproven.into())),
                (Err(error), Ok(())) if !again || !lost => return Err(error),
                (Ok(_) | Err(_), _) => tokio::time::sleep(AGAIN_AFTER).await,
            }
            again = false;
        }
    }

    /// The position of the newest record that the server has, on disk or not.
    async fn written_position(&self) -> Result<Position, Source> {
        let info = self.info().await?.ok_or("there is no such stream")?;
        Ok(Position(info.state.last_sequence))
    }

    /// Waits until no power cut can take back what the server has shown of the log. A log that the gate has not let
    /// pass is read as it is.
    async fn reach(&self, seen: Seen) -> Result<(), Source> {
        let position = seen.position;
        self.shared.proof.saw(seen);
        // What was answered before the server was doubted may be told once it has passed again.
        self.proven_soon().await?;
        let Some(barrier) = self.shared.barrier.get() else { return Ok(()) };
        Ok(within(self.timeout(), barrier.reach(position)).await??)
    }

    /// The connection on which something may be written, and the barrier that it must cross then; none where the
    /// server itself keeps the promise, or nobody does.
    ///
    /// # Errors
    /// Under [`Durability::Group`] before the gate has let it pass, and after the disk has failed; after the
    /// connection was lost, until the gate was passed again.
    fn writable(&self) -> Result<(Link, Option<&Barrier>), Source> {
        let link = self.proven()?;
        match (self.shared.barrier.get(), self.shared.settings.durability) {
            (Some(barrier), _) => {
                barrier.check()?;
                Ok((link, Some(barrier)))
            }
            (None, Durability::Group) => Err("the start-up gate has not been passed".into()),
            (None, Durability::Always | Durability::Fast) => Ok((link, None)),
        }
    }

    /// As [`JetStream::writable`], once the gate was passed, or not within the time for an answer.
    async fn until_writable(&self) -> Result<(Link, Option<&Barrier>), Source> {
        self.proven_soon().await?;
        self.writable()
    }

    /// Waits until no power cut can take back what was stored or deleted beside the log over that connection.
    async fn secured(&self, link: Link) -> Result<(), Source> {
        self.still(link)?;
        match self.until_writable().await? {
            (_, Some(barrier)) => Ok(within(self.timeout(), barrier.cross()).await??),
            (_, None) => Ok(()),
        }
    }

    /// The stream's configuration and state from its leader; none when there is no stream.
    async fn info(&self) -> Result<Option<Info>, Source> {
        let name = &self.shared.settings.stream;
        let answer = self.while_connected(self.shared.context.get_stream(name)).await?;
        let error = match answer {
            Ok(stream) => return Ok(Some(stream.cached_info().clone())),
            Err(error) => error,
        };
        if let GetStreamErrorKind::JetStream(cause) = error.kind()
            && cause.error_code() == ErrorCode::STREAM_NOT_FOUND
        {
            return Ok(None);
        }
        Err(error.into())
    }

    fn timeout(&self) -> Duration {
        self.shared.settings.ack_timeout
    }

    /// Waits for an answer from the server, but no longer than the connection stands and the
    /// settings allow: an answer to what was asked on a lost connection never comes.
    fn while_connected<F: Future>(
        &self,
        answer: F,
    ) -> impl Future<Output = Result<F::Output, NoAnswer>> {
        self.while_connected_for(self.timeout(), answer)
    }

    /// As [`JetStream::while_connected`], for what takes the server longer than one answer.
    async fn while_connected_for<F: Future>(
        &self,
        limit: Duration,
        answer: F,
    ) -> Result<F::Output, NoAnswer> {
        let mut losses = self.shared.losses.clone();
        losses.mark_unchanged();
        if !self.linked() {
            return Err(NoAnswer::NotConnected);
        }
        tokio::select! {
            biased;
            answer = within(limit, answer) => answer,
            _ = losses.changed() => Err(NoAnswer::Lost),
        }
    }
}

async fn within<F: Future>(limit: Duration, answer: F) -> Result<F::Output, NoAnswer> {
    tokio::time::timeout(limit, answer).await.map_err(|_| NoAnswer::TimedOut { limit })
}

/// Why the server did not answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("not connected to the NATS server")]
    NotConnected,
    #[error("the connection to the NATS server was lost while waiting for its answer")]
    Lost,
    #[error("the NATS server did not answer within {limit:?}")]
    TimedOut { limit: Duration },
}

async fn options(
    settings: &JetStreamSettings,
    lost: watch::Sender<u64>,
) -> Result<ConnectOptions, ConnectError> {
    let options = ConnectOptions::new()
        .name(&settings.connection_name)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(|tries| {
            let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(10);
            CONNECT_PAUSE_MAX.min(Duration::from_millis(5) * 2_u32.pow(doublings))
        })
        .event_callback(move |event| {
            note(&event, &lost);
            std::future::ready(())
        });
    Ok(match settings.credentials.clone() {
        Credentials::None => options,
        Credentials::Token(token) => options.token(token),
        Credentials::User { user, password } => options.user_and_password(user, password),
        Credentials::File(path) => options
            .credentials_file(&path)
            .await
            .map_err(|source| ConnectError::Credentials { path, source })?,
    })
}

fn note(event: &Event, lost: &watch::Sender<u64>) {
    match event {
        Event::Connected => tracing::info!("connected to the NATS server"),
        Event::Disconnected | Event::Closed => {
            lost.send_modify(|losses| *losses = losses.wrapping_add(1));
            tracing::warn!(%event, "the connection to the NATS server is gone");
        }
        Event::LameDuckMode
        | Event::Draining
        | Event::SlowConsumer(_)
        | Event::ServerError(_)
        | Event::ClientError(_) => tracing::warn!(%event, "notice from the NATS connection"),
    }
}

fn is_final(kind: async_nats::ConnectErrorKind) -> bool {
    use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation, ServerParse, Tls};
    matches!(kind, Authentication | AuthorizationViolation | ServerParse | Tls)
}

/// Why there is no connection to the log.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server could be reached or none let us in.
    #[error("connecting to NATS at {urls}")]
    Server {
        /// The addresses that were tried.
        urls: String,
        /// What the last try failed with.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The credentials file cannot be read.
    #[error("reading the NATS credentials file {}", path.display())]
    Credentials {
        /// Where it should be.
        path: std::path::PathBuf,
        /// What reading it failed with.
        #[source]
        source: std::io::Error,
    },
}

/// Why the log's stream could not be made.
#[derive(Debug, thiserror::Error)]
#[error("making the JetStream stream {stream} for the log")]
pub struct CreateError {
    stream: String,
    #[source]
    source: Source,
}
