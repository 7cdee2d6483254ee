//! Following: an ephemeral pull consumer from the last position handed out. The consumer is
//! disposable: whatever goes wrong with it, it is dropped and another one made, and every new
//! one begins with asking the leader, on a connection on which the gate was passed, whether the log still
//! continues where it should.

use std::{fmt, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{
        AckPolicy, DeliverPolicy,
        pull::{Config, MessagesError, Stream},
    },
};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};
use tokio::sync::watch;

use super::{JetStream, load::ALL, proof, within};
use crate::{FOLLOW_BATCH_MAX, FollowError, Position, Record, Source};

/// How many records and bytes the server may send ahead of what was taken.
const AHEAD_RECORDS_MAX: usize = 4 * FOLLOW_BATCH_MAX;
const AHEAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many bytes one batch holds before it is handed out.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long one pull stays open at the server when nothing happens, and how often the server
/// then shows that it is there.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(1);

/// After this long without a pull the server forgets the consumer of a follower that is gone.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// How long the first and the later tries to make a consumer may take.
const OPEN_TIME_MIN: Duration = Duration::from_millis(500);
const OPEN_TIME_MAX: Duration = Duration::from_secs(10);

/// The shortest and the longest pause before another consumer is made.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// A follower of the log on JetStream.
pub(crate) struct JetStreamFollow {
    jetstream: JetStream,
    /// The last position taken from the consumer.
    after: Position,
    /// What was taken and waits to be on disk before it is handed out.
    taken: Vec<Record>,
    link: Link,
    /// How long to wait before the next consumer is made: grows while none delivers.
    pause: Duration,
}

/// The way to the log. It is kept between calls, so that a caller with little patience does not
/// begin anew each time.
enum Link {
    None,
    Opening(BoxFuture<'static, Result<Consumer, FollowError>>),
    Open(Consumer),
}

struct Consumer {
    messages: Box<Stream>,
    /// The connection on which it was made, after the gate was passed there.
    made_on: proof::Link,
    losses: watch::Receiver<u64>,
}

impl fmt::Debug for JetStreamFollow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            taken: Vec::new(),
            link: Link::None,
            pause: Duration::ZERO,
        }
    }
}

impl JetStreamFollow {
    pub(crate) async fn next(&mut self) -> Result<Vec<Record>, FollowError> {
        loop {
            if let Some(newest) = self.taken.last() {
                let seen = proof::Seen::record(newest.position, &newest.payload);
                self.jetstream.on_disk(seen).await;
                return Ok(std::mem::take(&mut self.taken));
            }
            match &mut self.link {
                Link::None => {
                    let opening = open(self.jetstream.clone(), self.after, self.pause);
                    self.link = Link::Opening(opening.boxed());
                }
                Link::Opening(opening) => {
                    let opened = opening.await;
                    self.link = Link::None;
                    self.link = Link::Open(opened?);
                }
                Link::Open(consumer) => {
                    let mut filled = consumer.fill(&mut self.taken, self.after).await;
                    if self.jetstream.still(consumer.made_on).is_err() {
                        // Some of it may be from another log than the one that was let pass.
                        self.taken.clear();
                        filled = Err(Broken::Lost);
                    }
                    if let Err(error) = filled {
                        self.link = Link::None;
                        self.pause = longer(self.pause);
                        tracing::warn!(
                            after = self.after.0,
                            error = &error as &dyn std::error::Error,
                            "following the log with a new consumer"
                        );
                    }
                    if let Some(newest) = self.taken.last() {
                        self.after = newest.position;
                        self.pause = Duration::ZERO;
                    }
                }
            }
        }
    }
}

impl Consumer {
    /// Waits for one message, then takes what else is already there.
    async fn fill(&mut self, batch: &mut Vec<Record>, after: Position) -> Result<(), Broken> {
        let mut message = tokio::select! {
            biased;
            message = self.messages.next() => message,
            _ = self.losses.changed() => return Err(Broken::Lost),
        };
        let (mut after, mut bytes) = (after, 0);
        loop {
            let record = record(message.ok_or(Broken::Ended)?, after)?;
            after = record.position;
            bytes += record.payload.len();
            batch.push(record);
            if batch.len() >= FOLLOW_BATCH_MAX || bytes >= BATCH_BYTES_MAX {
                return Ok(());
            }
            match self.messages.next().now_or_never() {
                Some(next) => message = next,
                None => return Ok(()),
            }
        }
    }
}

/// Makes a consumer, however long the server is away. A cluster without a leader does not answer
/// at all, so the first tries are short; later ones give a slow server more time.
async fn open(
    jetstream: JetStream,
    after: Position,
    mut pause: Duration,
) -> Result<Consumer, FollowError> {
    let mut patience = OPEN_TIME_MIN;
    loop {
        tokio::time::sleep(pause).await;
        pause = longer(pause);
        let made_on = jetstream.until_proven().await;
        let mut losses = jetstream.shared.losses.clone();
        losses.mark_unchanged();
        let opened = within(patience, jetstream.try_open(after)).await;
        let error = match (opened, jetstream.still(made_on)) {
            (Ok(Ok(messages)), Ok(())) => {
                return Ok(Consumer { messages: Box::new(messages?), made_on, losses });
            }
            (Ok(Ok(_)), Err(lost)) => lost.into(),
            (Ok(Err(error)), _) => error,
            (Err(late), _) => {
                patience = OPEN_TIME_MAX.min(patience * 2);
                late.into()
            }
        };
        tracing::debug!(
            after = after.0,
            error = &*error as &dyn std::error::Error,
            "cannot follow the log yet"
        );
    }
}

impl JetStream {
    /// Waits until a follower may hand out all that it has seen; after the disk has failed, for ever:
    /// nobody knows then which records there will be.
    async fn on_disk(&self, seen: proof::Seen) {
        let position = seen.position;
        self.shared.proof.saw(seen);
        self.until_proven().await;
        if let Some(barrier) = self.shared.barrier.get()
            && barrier.reach(position).await.is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

fn longer(pause: Duration) -> Duration {
    PAUSE_MAX.min(PAUSE_MIN.max(pause * 2))
}

impl JetStream {
    async fn try_open(&self, after: Position) -> Result<Result<Stream, FollowError>, Source> {
        let expected = after.next();
        match self.first_from(ALL, expected).await? {
            Some(found) if found > expected => {
                return Ok(Err(FollowError::Gap { expected, found }));
            }
            Some(_) => {}
            None => {
                let last = self.written_position().await?;
                if last < after {
                    return Ok(Err(FollowError::Behind { after, last }));
                }
            }
        }
        let shared = &self.shared;
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
        let consumer = self.while_connected(create).await??;
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
