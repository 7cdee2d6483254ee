//! A file on its way to one client: a few chunks at a time, until the call's deadline. What a client
//! has not read by then is let go, so that its place in memory is free for others.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tonic::Status;

use crate::error::{Failure, Reason};

/// The largest chunk, in bytes.
pub(super) const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// The most chunks that wait for one client.
const WAITING_MAX: usize = 4;

/// The stream that one client reads.
pub(super) type Sending<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// What a client reads, and whether all of it was written.
struct Reading<M> {
    queue: mpsc::Receiver<M>,
    whole: Arc<AtomicBool>,
}

impl<M> Reading<M> {
    /// The next part; after the last one the reason why there are no more, unless it was the last.
    async fn next(mut self) -> Option<(Result<M, Status>, Option<Self>)> {
        match self.queue.recv().await {
            Some(part) => Some((Ok(part), Some(self))),
            None if self.whole.load(Ordering::Acquire) => None,
            None => Some((Err(Failure::from(Reason::DeadlineExceeded).into()), None)),
        }
    }
}

/// `content` in chunks.
pub(super) fn chunks(content: Bytes) -> impl Iterator<Item = Vec<u8>> + Send {
    let starts = (0..content.len()).step_by(CHUNK_BYTES_MAX);
    starts.map(move |at| content[at..content.len().min(at + CHUNK_BYTES_MAX)].to_vec())
}

/// Starts to send `parts`; `place` is held until they are sent or the deadline is over.
pub(super) fn start<M: Send + 'static, P: Send + 'static>(
    parts: impl Iterator<Item = M> + Send + 'static,
    place: P,
    until: Instant,
) -> Sending<M> {
    let (sender, queue) = mpsc::channel(WAITING_MAX);
    let whole = Arc::new(AtomicBool::new(false));
    let written = Arc::clone(&whole);
    tokio::spawn(async move {
        let _place = place;
        let write = async {
            for part in parts {
                // The client may be gone, and then nobody wants the rest.
                if sender.send(part).await.is_err() {
                    return;
                }
            }
            written.store(true, Ordering::Release);
        };
        // Whoever reads on learns by `whole` that this was not all.
        let _ = timeout_at(until, write).await;
    });
    let reading = Some(Reading { queue, whole });
    Box::pin(stream::unfold(reading, async |reading: Option<Reading<M>>| reading?.next().await))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::StreamExt;

    use super::*;

    fn send(bytes: usize, for_at_most: Duration) -> Sending<Vec<u8>> {
        let content = Bytes::from(vec![7; bytes]);
        start(std::iter::once(vec![]).chain(chunks(content)), (), Instant::now() + for_at_most)
    }

    #[tokio::test]
    async fn parts_are_sent_whole_and_in_order() {
        let bytes = 10 * CHUNK_BYTES_MAX + 1;
        let parts: Vec<_> = send(bytes, Duration::from_secs(60)).collect().await;
        let mut sent = 0;
        for (n, part) in parts.into_iter().enumerate() {
            let part = part.unwrap();
            assert_eq!(part.is_empty(), n == 0);
            sent += part.len();
        }
        assert_eq!(sent, bytes);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_in_time_is_told_that_it_is_not_all() {
        let sending = send(100 * CHUNK_BYTES_MAX, Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(2)).await;
        let parts: Vec<_> = sending.collect().await;
        assert!(parts.len() <= 2 * WAITING_MAX + 1, "{}", parts.len());
        let end = parts.last().unwrap().as_ref().unwrap_err();
        assert_eq!(end.code(), tonic::Code::DeadlineExceeded);
    }
}
