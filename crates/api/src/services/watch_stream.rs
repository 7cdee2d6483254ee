//! A live timeline on its way to one client: bounded, with heartbeats, and always ended by a status
//! that says why. Whatever ends it, the client resumes after the last position it received.

use std::{pin::Pin, time::Duration};

use doudi_engine::Clock;
use doudi_views::{
    ViewError,
    timeline::{Watch, WatchItem},
};
use futures::{FutureExt, Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    convert::timeline,
    error::{Failure, RETRY_SOON, Reason, Refusal},
    identity::TokenError,
    proto::WatchTimelineResponse,
};

/// The most live timelines at once; further ones are shed.
pub(super) const WATCHES_MAX: usize = 4096;

/// How long a stream is silent at most.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The most messages that wait for one client.
const WAITING_MAX: usize = 256;

/// How long a client may leave a full buffer unread.
const UNREAD_MAX: Duration = Duration::from_secs(30);

/// The stream that one client reads.
pub(super) type Watching =
    Pin<Box<dyn Stream<Item = Result<WatchTimelineResponse, Status>> + Send>>;

/// What ends a live timeline besides its client.
pub(super) struct Until {
    /// Says `true`, or loses its sender, when the server goes down.
    pub(super) shutdown: watch::Receiver<bool>,
    /// Tells whether the token has ended.
    pub(super) clock: Clock,
    /// When the token ends; a stream must not outlive it.
    pub(super) expires_at: Timestamp,
}

/// Starts to send what `watch` finds. The permit is held as long as the stream lives.
pub(super) fn start(watch: Watch, until: Until, permit: OwnedSemaphorePermit) -> Watching {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let (said, end) = oneshot::channel();
    tokio::spawn(async move {
        let status = Sending { watch, sender, until }.run().await;
        // The client may be gone, and then nobody wants to know.
        let _ = said.send(status);
        drop(permit);
    });
    // After the messages still waiting comes the reason why there are no more.
    let end = stream::once(end).filter_map(|status| async { status.ok().map(Err) });
    Box::pin(ReceiverStream::new(receiver).map(Ok).chain(end))
}

struct Sending {
    watch: Watch,
    sender: mpsc::Sender<WatchTimelineResponse>,
    until: Until,
}

impl Sending {
    /// Sends until something ends it, and says what.
    async fn run(mut self) -> Status {
        loop {
            let found = tokio::select! {
                found = self.watch.next(HEARTBEAT) => found,
                () = stopped(&mut self.until.shutdown) => return down(),
                () = self.sender.closed() => return Status::cancelled("the client is gone"),
            };
            if self.until.clock.now() >= self.until.expires_at {
                return Failure::from(TokenError::Expired(self.until.expires_at)).into();
            }
            if let Err(status) = self.send(found).await {
                return status;
            }
        }
    }

    async fn send(&mut self, found: Result<WatchItem, ViewError>) -> Result<(), Status> {
        match found.map_err(Failure::from)? {
            WatchItem::Heartbeat(position) => self.push(timeline::heartbeat(position)).await,
            WatchItem::Entries(entries) => {
                for entry in entries {
                    self.push(timeline::live(&entry)).await?;
                }
                Ok(())
            }
        }
    }

    async fn push(&mut self, message: WatchTimelineResponse) -> Result<(), Status> {
        let pushed = tokio::select! {
            pushed = timeout(UNREAD_MAX, self.sender.send(message)) => pushed,
            () = stopped(&mut self.until.shutdown) => return Err(down()),
        };
        match pushed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client is gone")),
            Err(_) => {
                let slow = Refusal::new(Reason::WatchTooSlow).with("seconds", UNREAD_MAX.as_secs());
                Err(Failure::from(slow).into())
            }
        }
    }
}

fn down() -> Status {
    Failure::from(Refusal::new(Reason::ShuttingDown).retry_after(RETRY_SOON)).into()
}

/// Done as soon as the server goes down.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it whoever ran us.
    shutdown.wait_for(|stop| *stop).map(|_| ()).await;
}
