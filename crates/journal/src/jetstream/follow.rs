//! Following: an ephemeral pull consumer from the last position handed out. The consumer is
//! disposable: whatever goes wrong with it, it is dropped and another one made, and every new
//! one begins with asking the leader whether the log still continues where it should.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    consumer::{
        AckPolicy, DeliverPolicy,
        pull::{Config, MessagesError, Stream},
    },
};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;

use super::JetStream;
use crate::{FOLLOW_BATCH_MAX, FollowError, Position, Record, Source};

/// How many records and bytes the server may send ahead of what was taken.
const AHEAD_RECORDS_MAX: usize = 4 * FOLLOW_BATCH_MAX;
const AHEAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many bytes one batch holds before it is handed out.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long one pull stays open at the server when nothing happens, and how often the server
/// then shows that it is there.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// After this long without a pull the server forgets the consumer of a follower that is gone.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// The shortest and the longest pause before another consumer is made.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// A follower of the log on JetStream.
pub(crate) struct JetStreamFollow {
    jetstream: JetStream,
    /// The last position taken from the consumer.
    after: Position,
    messages: Option<Box<Stream>>,
    /// Taken from the consumer but not yet handed out: keeps `next` cancel-safe.
    batch: Vec<Record>,
    losses: watch::Receiver<u64>,
    pause: Duration,
}

impl std::fmt::Debug for JetStreamFollow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JetStreamFollow").field("after", &self.after).finish_non_exhaustive()
    }
}

/// Why a consumer is of no more use.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the connection was lost")]
    Lost,
    #[error("the consumer ended")]
    Ended,
    #[error("the consumer reported an error")]
    Consumer(#[source] MessagesError),
    #[error("a message has no place in the stream")]
    Placeless(#[source] Source),
    #[error("the consumer sent position {found} after {after}")]
    OutOfOrder { after: Position, found: Position },
}

impl JetStream {
    pub(crate) fn follow(&self, after: Position) -> JetStreamFollow {
        JetStreamFollow {
            jetstream: self.clone(),
            after,
            messages: None,
            batch: Vec::new(),
            losses: self.shared.losses.clone(),
            pause: Duration::ZERO,
        }
    }
}

impl JetStreamFollow {
    pub(crate) async fn next(&mut self) -> Result<Vec<Record>, FollowError> {
        loop {
            if self.messages.is_none() {
                self.open().await?;
            }
            // Between the first message and the return nothing is awaited, so that a dropped
            // future cannot lose what was taken.
            if let Err(error) = self.fill().await {
                self.messages = None;
                tracing::warn!(
                    after = self.after.0,
                    error = &error as &dyn std::error::Error,
                    "following the log with a new consumer"
                );
            }
            if !self.batch.is_empty() {
                self.pause = Duration::ZERO;
                return Ok(std::mem::take(&mut self.batch));
            }
        }
    }

    /// Waits for one message, then takes what else is already there.
    async fn fill(&mut self) -> Result<(), Broken> {
        let messages = self.messages.as_mut().ok_or(Broken::Ended)?;
        let first = tokio::select! {
            biased;
            message = messages.next() => message,
            _ = self.losses.changed() => return Err(Broken::Lost),
        };
        let mut bytes = 0;
        let mut message = first;
        loop {
            let record = record(message.ok_or(Broken::Ended)?, self.after)?;
            bytes += record.payload.len();
            self.after = record.position;
            self.batch.push(record);
            if self.batch.len() >= FOLLOW_BATCH_MAX || bytes >= BATCH_BYTES_MAX {
                return Ok(());
            }
            match messages.next().now_or_never() {
                Some(next) => message = next,
                None => return Ok(()),
            }
        }
    }

    /// Makes a consumer, however long the server is away.
    async fn open(&mut self) -> Result<(), FollowError> {
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = PAUSE_MAX.min(PAUSE_MIN.max(self.pause * 2));
            self.losses.mark_unchanged();
            match self.try_open().await {
                Ok(messages) => {
                    self.messages = Some(Box::new(messages?));
                    return Ok(());
                }
                Err(error) => tracing::debug!(
                    after = self.after.0,
                    error = &*error as &dyn std::error::Error,
                    "cannot follow the log yet"
                ),
            }
        }
    }

    async fn try_open(&self) -> Result<Result<Stream, FollowError>, Source> {
        let (after, expected) = (self.after, self.after.next());
        match self.jetstream.first_from(expected).await? {
            Some(found) if found > expected => {
                return Ok(Err(FollowError::Gap { expected, found }));
            }
            Some(_) => {}
            None => {
                let last = self.jetstream.last_position().await?;
                if last < after {
                    return Ok(Err(FollowError::Behind { after, last }));
                }
            }
        }
        let shared = &self.jetstream.shared;
        let config = Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: expected.0 },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: FORGOTTEN_AFTER,
            ..Config::default()
        };
        let name = shared.settings.stream.as_str();
        let create = shared.context.create_consumer_on_stream(config, name);
        let consumer = self.jetstream.while_connected(create).await??;
        let messages = consumer
            .stream()
            .max_messages_per_batch(AHEAD_RECORDS_MAX)
            .max_bytes_per_batch(AHEAD_BYTES_MAX)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await?;
        Ok(Ok(messages))
    }
}

fn record(
    message: Result<jetstream::Message, MessagesError>,
    after: Position,
) -> Result<Record, Broken> {
    let message = message.map_err(Broken::Consumer)?;
    let found = Position(message.info().map_err(Broken::Placeless)?.stream_sequence);
    if found != after.next() {
        return Err(Broken::OutOfOrder { after, found });
    }
    Ok(Record::new(found, &message.message.subject, message.message.payload))
}
