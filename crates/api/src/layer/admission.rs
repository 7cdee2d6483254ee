//! Who is let in: so many calls at once in all and of one caller, messages of so many bytes, and nobody who has no
//! time left.
//!
//! Whoever is refused is refused at once, before anything was done for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, Instant},
};

use super::unread::Unread;
use crate::{
    error::{RETRY_SOON, Reason, Refusal},
    identity::Caller,
    metrics,
    permission::{Role, RoleSet},
    shares::{Share, Shares},
};

/// How many calls of administrators are let in at once beyond all others, so that a full server can be looked after.
const OPERATORS_MAX: usize = 16;

/// Which part of the bytes of messages one caller may hold.
const BYTES_SHARE: usize = 4;

/// Bounds of the calls that are at work.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// The most at once.
    pub(crate) requests_in_flight_max: usize,
    /// The most of one caller at once.
    pub(crate) requests_per_caller_max: usize,
    /// The most bytes of their messages at once: of requests that came, and of answers not yet read.
    pub(crate) message_bytes_in_flight_max: usize,
    /// The longest that one may take.
    pub(crate) request_timeout_max: Duration,
    /// The largest message taken in, in bytes, as refusals name it.
    pub(crate) message_bytes_max: usize,
}

/// Lets calls in, and knows which are.
#[derive(Debug)]
pub(super) struct Admission {
    bounds: Bounds,
    all: Arc<Semaphore>,
    operators: Arc<Semaphore>,
    callers: Arc<Shares>,
    bytes: AtomicUsize,
    pub(super) unread: Unread,
}

/// A call that was let in, until its answer was read or given up.
#[derive(Debug)]
pub(super) struct Ticket {
    admission: Arc<Admission>,
    /// How many bytes of messages it holds.
    bytes: AtomicUsize,
    share: Option<Share>,
    _place: OwnedSemaphorePermit,
}

pub(super) fn overloaded() -> Refusal {
    Refusal::new(Reason::Overloaded).retry_after(RETRY_SOON)
}

fn no_room() -> Refusal {
    metrics::shed("bytes");
    overloaded()
}

impl Admission {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(bounds.requests_in_flight_max)),
            operators: Arc::new(Semaphore::new(OPERATORS_MAX)),
            callers: Shares::new(
                bounds.requests_per_caller_max,
                bounds.message_bytes_in_flight_max / BYTES_SHARE,
            ),
            bytes: AtomicUsize::new(0),
            unread: Unread::default(),
            bounds,
        })
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Lets a call in that has so much time, or refuses it.
    pub(super) fn enter(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        left: Duration,
    ) -> Result<Ticket, Refusal> {
        if left.is_zero() {
            return Err(Refusal::new(Reason::DeadlineExceeded));
        }
        if caller.roles.intersects(RoleSet::of(&[Role::Admin]))
            && let Ok(place) = Arc::clone(&self.operators).try_acquire_owned()
        {
            return Ok(self.ticket(None, place));
        }
        // What nobody reads makes room for those who do, and what somebody does not read for what else it asks.
        let share = self.callers.take(caller).or_else(|| {
            self.unread.let_go_of(&caller.subject, Instant::now());
            self.callers.take(caller)
        });
        let Some(share) = share else {
            metrics::shed("caller");
            let busy = Refusal::new(Reason::CallerTooBusy).with("most", self.callers.most());
            return Err(busy.retry_after(RETRY_SOON));
        };
        let place = Arc::clone(&self.all).try_acquire_owned().or_else(|_| {
            self.unread.let_go(Instant::now());
            Arc::clone(&self.all).try_acquire_owned()
        });
        let Ok(place) = place else {
            metrics::shed("full");
            return Err(overloaded());
        };
        Ok(self.ticket(Some(share), place))
    }

    fn ticket(self: &Arc<Self>, share: Option<Share>, place: OwnedSemaphorePermit) -> Ticket {
        let admission = Arc::clone(self);
        Ticket { admission, bytes: AtomicUsize::new(0), share, _place: place }
    }
}

impl Ticket {
    /// Whose call it is; none for an administrator's beside all others.
    pub(super) fn subject(&self) -> Option<&str> {
        self.share.as_ref().map(Share::subject)
    }

    /// Holds an answer of so many bytes: like [`Self::hold`] one that was only read, and always that of a command, which
    /// was carried out.
    pub(super) fn hold_answer(&self, bytes: usize, read: bool) -> Result<(), Refusal> {
        if self.count(bytes) || !read { Ok(()) } else { Err(no_room()) }
    }

    /// Holds so many more bytes of messages, unless all calls together, or those of one caller, would hold too many.
    pub(super) fn hold(&self, bytes: usize) -> Result<(), Refusal> {
        if self.count(bytes) { Ok(()) } else { Err(no_room()) }
    }

    /// Counts so many more bytes, and says whether there is room for them.
    fn count(&self, bytes: usize) -> bool {
        let Admission { bounds, bytes: all, unread, .. } = &*self.admission;
        all.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let full = || all.load(Ordering::Relaxed) > bounds.message_bytes_in_flight_max;
        if full() {
            unread.let_go(Instant::now());
        }
        let own = self.share.as_ref().is_none_or(|share| share.hold(bytes));
        own && !full()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.admission.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Arc<Admission> {
        Admission::new(Bounds {
            requests_in_flight_max: 3,
            requests_per_caller_max: 2,
            message_bytes_in_flight_max: 400,
            request_timeout_max: Duration::from_secs(30),
            message_bytes_max: 100,
        })
    }

    fn caller(subject: &str, role: Role) -> Arc<Caller> {
        let roles = RoleSet::of(&[role]);
        Arc::new(Caller { subject: subject.to_owned(), roles, ..Caller::for_tests() })
    }

    fn reason(refused: Result<Ticket, Refusal>) -> &'static str {
        refused.unwrap_err().reason.as_str()
    }

    const TIME: Duration = Duration::from_secs(30);

    #[test]
    fn all_and_each_are_bounded_and_administrators_come_in_beside_them() {
        let admission = admission();
        let (one, other) = (caller("a", Role::Auditor), caller("b", Role::Auditor));
        let mut held = vec![admission.enter(&one, TIME).unwrap()];
        held.push(admission.enter(&one, TIME).unwrap());
        assert_eq!(reason(admission.enter(&one, TIME)), "CALLER_TOO_BUSY");
        held.push(admission.enter(&other, TIME).unwrap());
        assert_eq!(reason(admission.enter(&other, TIME)), "OVERLOADED");
        let admin = caller("c", Role::Admin);
        let operators: Vec<_> = (0..OPERATORS_MAX).map(|_| admission.enter(&admin, TIME)).collect();
        assert!(operators.iter().all(Result::is_ok));
        assert_eq!(reason(admission.enter(&admin, TIME)), "OVERLOADED");
        held.pop();
        held.push(admission.enter(&other, TIME).unwrap());
    }

    #[test]
    fn messages_are_bounded_by_the_bytes_of_all_calls() {
        let admission = admission();
        let callers = ["a", "b", "c"].map(|of| caller(of, Role::Auditor));
        let [one, other, third] = callers.map(|of| admission.enter(&of, TIME).unwrap());
        one.hold(60).unwrap();
        assert_eq!(
            one.hold(60).unwrap_err().reason.as_str(),
            "OVERLOADED",
            "a quarter is its share"
        );
        other.hold(100).unwrap();
        let admin = admission.enter(&caller("d", Role::Admin), TIME).unwrap();
        admin.hold(150).unwrap();
        assert_eq!(third.hold(60).unwrap_err().reason.as_str(), "OVERLOADED");
        drop((one, admin));
        other.hold(0).unwrap();
        third.hold(40).unwrap();
        assert_eq!(third.hold_answer(60, true).unwrap_err().reason.as_str(), "OVERLOADED");
        third.hold_answer(60, false).unwrap();
        drop((other, third));
        assert_eq!(admission.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_has_no_time_left_is_refused_before_anything_is_done() {
        let refused = admission().enter(&caller("a", Role::Admin), Duration::ZERO);
        assert_eq!(reason(refused), "DEADLINE_EXCEEDED");
    }
}
