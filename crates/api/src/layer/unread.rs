//! Messages on their way: requests that come in, and answers until their clients have read them.
//!
//! An answer is handed on in small parts, as the client makes room for them, and keeps its place and its bytes
//! until the last of them. So a client that does not read is held to its share like one that asks too much, and what it has
//! left unread for long is let go when others need the room, or it itself; the rest of it is a status that says so.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Duration, Instant};
use tonic::{Status, body::Body, codegen::http::HeaderMap};

use super::admission::{Admission, Ticket};
use crate::error::{Failure, Reason};

/// The largest part of an answer that is handed on at once, in bytes. About three of them lie in the transport.
const PART_BYTES_MAX: usize = 16 * 1024;

/// How long an answer may lie unread before it makes room for others.
const UNREAD_MAX: Duration = Duration::from_secs(10);

/// How often it is looked for such answers at most, since a full server is asked often.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A request as it comes in; its bytes count.
pub(super) struct Arriving {
    pub(super) body: Body,
    pub(super) ticket: Arc<Ticket>,
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(refusal) = self.ticket.hold(data.len())
        {
            return Poll::Ready(Some(Err(Failure::from(refusal).into())));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answers that are not read yet, and when something of each was handed on last.
#[derive(Debug, Default)]
pub(super) struct Unread(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// When it was last looked for what is to be let go.
    looked: Option<Instant>,
    next: u64,
    waiting: HashMap<u64, (Instant, Left)>,
}

/// What is left of an answer; nothing once it was let go.
type Left = Arc<Mutex<Option<Waiting>>>;

/// What is not read yet of an answer.
#[derive(Debug)]
struct Waiting {
    /// What was made of it and not handed on yet.
    made: Bytes,
    body: Body,
    /// Whether it is the answer of an rpc that only reads.
    read: bool,
    ticket: Arc<Ticket>,
}

impl Unread {
    /// Lets go of what has been left unread for long. What is being read just now stays.
    pub(super) fn let_go(&self, now: Instant) {
        let mut answers = self.answers();
        if answers.looked.is_some_and(|at| at + LOOK_AGAIN_AFTER > now) {
            return;
        }
        answers.looked = Some(now);
        let gone = answers.take(now, |_| true);
        // Nothing is given back while others wait for the answers.
        drop(answers);
        drop(gone);
    }

    /// The same of one account alone: its own share is nobody else's matter.
    pub(super) fn let_go_of(&self, subject: &str, now: Instant) {
        let own = |waiting: &Waiting| waiting.ticket.subject() == Some(subject);
        let gone = self.answers().take(now, own);
        drop(gone);
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    /// Those of these that have been left unread for long. What is being read just now stays.
    fn take(&mut self, now: Instant, which: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut gone = vec![];
        self.waiting.retain(|_, (since, waiting)| {
            if *since + UNREAD_MAX > now {
                return true;
            }
            let Ok(mut waiting) = waiting.try_lock() else { return true };
            if !waiting.as_ref().is_some_and(&which) {
                return true;
            }
            gone.extend(waiting.take());
            false
        });
        gone
    }
}

fn lock(waiting: &Left) -> MutexGuard<'_, Option<Waiting>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer while its client reads it.
struct Answer {
    admission: Arc<Admission>,
    number: u64,
    waiting: Left,
}

/// `body` as an answer that keeps its call's place until it was read.
pub(super) fn answer(
    admission: &Arc<Admission>,
    ticket: Arc<Ticket>,
    read: bool,
    body: Body,
) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let waiting = Waiting { made: Bytes::new(), body, read, ticket };
    let waiting = Arc::new(Mutex::new(Some(waiting)));
    let number = {
        let mut answers = admission.unread.answers();
        let number = answers.next;
        answers.next += 1;
        answers.waiting.insert(number, (Instant::now(), Arc::clone(&waiting)));
        number
    };
    Body::new(Answer { admission: Arc::clone(admission), number, waiting })
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.admission.unread.answers().waiting.remove(&self.number);
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        // It is asked for the next part when there is room for it.
        if let Some((since, _)) = self.admission.unread.answers().waiting.get_mut(&self.number) {
            *since = Instant::now();
        }
        match &mut *lock(&self.waiting) {
            Some(waiting) => waiting.poll_frame(context),
            None => Poll::Ready(Some(ended(Reason::DeadlineExceeded.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let waiting = lock(&self.waiting);
        waiting.as_ref().is_some_and(|it| it.made.is_empty() && it.body.is_end_stream())
    }
}

impl Waiting {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.made.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            self.made = match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            if let Err(refusal) = self.ticket.hold_answer(self.made.len(), self.read) {
                self.made = Bytes::new();
                self.body = Body::empty();
                return Poll::Ready(Some(ended(refusal.into())));
            }
        }
        let part = self.made.split_to(self.made.len().min(PART_BYTES_MAX));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

/// The end of an answer that is not given, or not all of it: in trailers, so that its client learns why.
fn ended(failure: Failure) -> Result<Frame<Bytes>, Status> {
    let (status, mut trailers) = (Status::from(failure), HeaderMap::new());
    match status.add_header(&mut trailers) {
        Ok(()) => Ok(Frame::trailers(trailers)),
        Err(_) => Err(status),
    }
}
