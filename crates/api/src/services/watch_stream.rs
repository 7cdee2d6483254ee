//! A live timeline on its way to one client: bounded, with heartbeats, and always ended by a status
//! that says why. Whatever ends it, the client resumes after the last position it received.
//!
//! What a client has not read yet is held by the stream, together with its place among all streams:
//! a client that never reads keeps its place and a short queue, and nothing else, until its
//! connection ends.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use doudi_engine::Clock;
use doudi_views::{
    ViewError,
    timeline::{Watch, WatchItem},
};
use futures::{FutureExt, Stream};
use jiff::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use tonic::Status;

use crate::{
    convert::{reached::WITHHELD_MAX, seal::Seals, timeline::Sent},
    error::{Failure, RETRY_LATER, RETRY_SOON, Reason, Refusal},
    identity::{Caller, TokenError},
    metrics,
    shares::{Share, Shares},
};

/// How long a stream is silent at most.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The most messages that wait for one client.
const WAITING_MAX: usize = 16;

/// How long a client may leave a full buffer unread.
const UNREAD_MAX: Duration = Duration::from_secs(30);

/// The places of live timelines, or of uploads: so many in all, and so many for one caller.
#[derive(Debug)]
pub(super) struct StreamPlaces {
    all: Arc<Semaphore>,
    callers: Arc<Shares>,
    /// As what the metrics count who is refused.
    cause: &'static str,
}

/// A place, as long as its stream lives.
#[derive(Debug)]
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    _own: Share,
}

impl StreamPlaces {
    pub(super) fn new(most: usize, per_caller: usize, cause: &'static str) -> Self {
        let (all, callers) = (Arc::new(Semaphore::new(most)), Shares::new(per_caller, 0));
        Self { all, callers, cause }
    }

    /// A place for one more; further ones are shed.
    pub(super) fn take(&self, caller: &Arc<Caller>) -> Result<Place, Refusal> {
        let Some(own) = self.callers.take(caller) else {
            metrics::shed(self.cause);
            let busy = Refusal::new(Reason::CallerTooBusy).with("most", self.callers.most());
            return Err(busy.retry_after(RETRY_LATER));
        };
        let Ok(all) = Arc::clone(&self.all).try_acquire_owned() else {
            metrics::shed(self.cause);
            return Err(Refusal::new(Reason::Overloaded).retry_after(RETRY_LATER));
        };
        Ok(Place { _all: all, _own: own })
    }
}

/// The messages that wait for one client. The sender only reaches them while the stream lives.
type Queue = Mutex<mpsc::Receiver<Sent>>;

fn lock(queue: &Queue) -> MutexGuard<'_, mpsc::Receiver<Sent>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stream that one client reads.
pub(super) type Watching<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

struct Live<M> {
    /// Makes a message, only when it is read.
    message: fn(&Sent, &Seals) -> M,
    seals: Seals,
    queue: Arc<Queue>,
    /// Why there are no more; none once it was said.
    end: Option<oneshot::Receiver<Status>>,
    _place: Place,
}

impl<M> Stream for Live<M> {
    type Item = Result<M, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(waiting) = ready!(lock(&this.queue).poll_recv(context)) {
            return Poll::Ready(Some(Ok((this.message)(&waiting, &this.seals))));
        }
        // After the messages still waiting comes the reason why there are no more.
        let Some(end) = &mut this.end else {
            return Poll::Ready(None);
        };
        let said = ready!(end.poll_unpin(context));
        this.end = None;
        Poll::Ready(said.ok().map(Err))
    }
}

/// What ends a live timeline besides its client.
pub(super) struct Until {
    /// Says `true`, or loses its sender, when the server goes down.
    pub(super) shutdown: watch::Receiver<bool>,
    /// Tells whether the token has ended.
    pub(super) clock: Clock,
    /// When the token ends; a stream must not outlive it.
    pub(super) expires_at: Timestamp,
}

/// Starts to send what `watch` finds, each as a `message`. The place is held as long as the stream lives.
pub(super) fn start<M: 'static>(
    watch: Watch,
    until: Until,
    place: Place,
    message: fn(&Sent, &Seals) -> M,
    seals: Seals,
) -> Watching<M> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let (said, end) = oneshot::channel();
    let queue = Arc::new(Mutex::new(receiver));
    let outbox = Outbox {
        sender,
        unread: Arc::downgrade(&queue),
        unread_max: UNREAD_MAX,
        shutdown: until.shutdown.clone(),
    };
    tokio::spawn(async move {
        let status = Sending { watch, outbox, until }.run().await;
        // The client may be gone, and then nobody wants to know.
        let _ = said.send(status);
    });
    Box::pin(Live { message, seals, queue, end: Some(end), _place: place })
}

struct Sending {
    watch: Watch,
    outbox: Outbox,
    until: Until,
}

impl Sending {
    /// Sends until something ends it, and says what.
    async fn run(mut self) -> Status {
        loop {
            let found = tokio::select! {
                found = self.watch.next(HEARTBEAT) => found,
                () = stopped(&mut self.until.shutdown) => return down(),
                () = self.outbox.sender.closed() => return Status::cancelled("the client is gone"),
            };
            if let Err(status) = self.send(found).await {
                return status;
            }
        }
    }

    async fn send(&mut self, found: Result<WatchItem, ViewError>) -> Result<(), Status> {
        let found = found.map_err(Failure::from)?;
        let reached = self.watch.reached().clone();
        if reached.withheld.len() > WITHHELD_MAX {
            tracing::warn!(enterprises = reached.withheld.len(), "too much is withheld to follow");
            let refused = Refusal::new(Reason::ViewUnavailable).retry_after(RETRY_LATER);
            return Err(Failure::from(refused).into());
        }
        let (entries, late) = match found {
            WatchItem::Heartbeat(_) => return self.push(Sent::Heartbeat(reached)).await,
            WatchItem::Entries(entries) => (entries, false),
            WatchItem::Late(entries) => (entries, true),
        };
        for entry in entries {
            let reached = reached.after(&entry, late);
            self.push(Sent::Entry(entry, reached)).await?;
        }
        Ok(())
    }

    /// A client that is slow to read may outlive its token over one batch.
    async fn push(&mut self, waiting: Sent) -> Result<(), Status> {
        if self.until.clock.now() >= self.until.expires_at {
            return Err(Failure::from(TokenError::Expired(self.until.expires_at)).into());
        }
        self.outbox.push(waiting).await
    }
}

/// The end of the queue that is written to.
struct Outbox {
    sender: mpsc::Sender<Sent>,
    unread: Weak<Queue>,
    /// How long a full queue is waited for.
    unread_max: Duration,
    shutdown: watch::Receiver<bool>,
}

impl Outbox {
    async fn push(&mut self, waiting: Sent) -> Result<(), Status> {
        let pushed = tokio::select! {
            pushed = timeout(self.unread_max, self.sender.send(waiting)) => pushed,
            () = stopped(&mut self.shutdown) => return Err(down()),
        };
        match pushed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client is gone")),
            Err(_) => {
                if let Some(unread) = self.unread.upgrade() {
                    drop_all(&unread);
                }
                let slow =
                    Refusal::new(Reason::WatchTooSlow).with("seconds", self.unread_max.as_secs());
                Err(Failure::from(slow).into())
            }
        }
    }
}

/// Ends the queue of a client that does not read; it resumes before what was dropped.
fn drop_all(unread: &Queue) {
    let mut unread = lock(unread);
    unread.close();
    while unread.try_recv().is_ok() {}
}

fn down() -> Status {
    going_down().into()
}

/// The server goes down; the client resumes elsewhere.
pub(super) fn going_down() -> Failure {
    Refusal::new(Reason::ShuttingDown).retry_after(RETRY_SOON).into()
}

/// Done as soon as the server goes down.
pub(super) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it whoever ran us.
    shutdown.wait_for(|stop| *stop).map(|_| ()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{convert::timeline, proto::WatchTimelineResponse};
    use doudi_engine::Position;
    use doudi_views::timeline::Point;
    use futures::StreamExt;

    fn seals() -> Seals {
        Seals::new(&[[7; 32]])
    }

    /// A stream with the only permit of its semaphore, and what writes to it.
    fn live() -> (
        Live<WatchTimelineResponse>,
        Outbox,
        oneshot::Sender<Status>,
        watch::Sender<bool>,
        StreamPlaces,
    ) {
        let watches = StreamPlaces::new(1, 2, "watches");
        let place = watches.take(&Arc::new(Caller::for_tests())).unwrap();
        let (stop, shutdown) = watch::channel(false);
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let (said, end) = oneshot::channel();
        let queue = Arc::new(Mutex::new(receiver));
        let (unread, unread_max) = (Arc::downgrade(&queue), Duration::from_millis(1));
        let outbox = Outbox { sender, unread, unread_max, shutdown };
        (
            Live { message: timeline::live, seals: seals(), queue, end: Some(end), _place: place },
            outbox,
            said,
            stop,
            watches,
        )
    }

    fn at(position: u64) -> Sent {
        Sent::Heartbeat(Point::end_of(Position(position)).into())
    }

    #[tokio::test]
    async fn who_never_reads_keeps_a_place_loses_the_queue_and_learns_why() {
        let (mut live, mut outbox, said, _stop, watches) = live();
        for position in 0..WAITING_MAX {
            outbox.push(at(position as u64)).await.unwrap();
        }
        let status = outbox.push(at(99)).await.unwrap_err();
        assert!(lock(&live.queue).is_empty(), "nothing is kept for a client that does not read");
        said.send(status).unwrap();
        drop(outbox);
        let other = Arc::new(Caller { subject: "other".to_owned(), ..Caller::for_tests() });
        let full = watches.take(&other).unwrap_err();
        assert_eq!(full.reason, Reason::Overloaded, "the stream still takes a place");
        let end = live.next().await.unwrap().unwrap_err();
        assert_eq!(end.code(), tonic::Code::ResourceExhausted);
        assert!(live.next().await.is_none());
        drop(live);
        watches.take(&other).unwrap();
    }

    #[test]
    fn one_caller_does_not_take_all_places() {
        let watches = StreamPlaces::new(3, 2, "watches");
        let caller = |of: &str| Arc::new(Caller { subject: of.to_owned(), ..Caller::for_tests() });
        let held = [watches.take(&caller("a")).unwrap(), watches.take(&caller("a")).unwrap()];
        assert_eq!(watches.take(&caller("a")).unwrap_err().reason, Reason::CallerTooBusy);
        watches.take(&caller("b")).unwrap();
        drop(held);
        watches.take(&caller("a")).unwrap();
    }

    #[tokio::test]
    async fn what_waits_is_read_before_the_reason_of_the_end() {
        let (mut live, mut outbox, said, stop, _watches) = live();
        outbox.push(at(7)).await.unwrap();
        stop.send(true).unwrap();
        said.send(down()).unwrap();
        drop(outbox);
        let first = live.next().await.unwrap().unwrap();
        assert_eq!(first, timeline::live(&at(7), &seals()));
        assert_eq!(live.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
        assert!(live.next().await.is_none());
    }

    #[tokio::test]
    async fn the_sender_learns_that_the_client_is_gone() {
        let (live, mut outbox, _said, _stop, _watches) = live();
        drop(live);
        outbox.sender.closed().await;
        assert_eq!(outbox.push(at(1)).await.unwrap_err().code(), tonic::Code::Cancelled);
    }
}
