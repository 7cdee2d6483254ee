//! What one connection is used for: which calls are open on it, when it was last heard, how many calls its client gave up.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

use super::metrics;

/// Over how many seconds the calls are counted that a client gives up.
const RESETS_OVER: u32 = 10;

/// How long a call must have been open for its end by the client not to count: it was waited for, and such calls are
/// bounded by how many may be open.
const WAITED_FOR: Duration = Duration::from_millis(50);

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client is told, makes its next call on another one, and has the answers that it waits for.
    Gently,
    /// It is closed.
    AtOnce,
}

/// One connection, from its acceptance to its end.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(super) id: u64,
    /// Who is at the other end, as it is counted.
    pub(super) peer: IpAddr,
    /// Whether it has no place of its own: it is good for a look at the health only.
    pub(super) spare: bool,
    resets_max: u32,
    changed: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    calls: usize,
    /// Whether a call on it was ever answered to somebody whom we know.
    known: bool,
    /// Since when no call is open.
    idle_since: Instant,
    /// When something was last read.
    heard: Option<Instant>,
    ending: Option<Ending>,
    /// Since when the calls are counted that were given up, and how many they are.
    resets: (Instant, u32),
}

/// A connection on which no call is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    pub(super) since: Duration,
    pub(super) known: bool,
}

impl Usage {
    pub(super) fn new(id: u64, peer: IpAddr, spare: bool, resets_per_second_max: u32) -> Self {
        let (now, resets_max) = (Instant::now(), resets_per_second_max.saturating_mul(RESETS_OVER));
        let state = State {
            calls: 0,
            known: false,
            idle_since: now,
            heard: None,
            ending: None,
            resets: (now, 0),
        };
        Self { id, peer, spare, resets_max, changed: Notify::new(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long no call has been open; none while one is.
    pub(super) fn idle(&self, now: Instant) -> Option<Idle> {
        let state = self.state();
        let since = now.saturating_duration_since(state.idle_since);
        (state.calls == 0).then_some(Idle { since, known: state.known })
    }

    /// Something was read.
    pub(super) fn hear(&self) {
        self.state().heard = Some(Instant::now());
    }

    /// When something was last read.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.state().heard
    }

    /// The connection is to end; at once where that was said once.
    pub(super) fn end(&self, how: Ending) {
        let mut state = self.state();
        if state.ending != Some(Ending::AtOnce) {
            state.ending = Some(how);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// How the connection is to end, if it is.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.state().ending
    }

    /// Done when [`Self::ending`] may have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Counts a call that its client gave up; one that does so all the time only makes work.
    fn given_up(&self) {
        let mut state = self.state();
        let (since, count) = state.resets;
        let now = Instant::now();
        let again = now.saturating_duration_since(since) >= Duration::from_secs(RESETS_OVER.into());
        state.resets = if again { (now, 1) } else { (since, count + 1) };
        if state.resets.1 > self.resets_max && state.ending != Some(Ending::AtOnce) {
            drop(state);
            metrics::ended("resets");
            self.end(Ending::AtOnce);
        }
    }
}

/// A call that is open on a connection.
#[derive(Debug)]
pub(super) struct OpenCall {
    usage: Arc<Usage>,
    begun: Instant,
    answered: bool,
}

impl OpenCall {
    pub(super) fn begin(usage: &Arc<Usage>) -> Self {
        usage.state().calls += 1;
        Self { usage: Arc::clone(usage), begun: Instant::now(), answered: false }
    }

    /// It has an answer, which may go on for long, to somebody whom we know or not.
    pub(super) fn answered(mut self, known: bool) -> Self {
        self.answered = true;
        self.usage.state().known |= known;
        self
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        {
            let mut state = self.usage.state();
            state.calls = state.calls.saturating_sub(1);
            state.idle_since = Instant::now();
        }
        if !self.answered && self.begun.elapsed() < WAITED_FOR {
            self.usage.given_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_calls_are_given_up_all_the_time_is_closed() {
        let usage = Arc::new(Usage::new(1, Ipv4Addr::LOCALHOST.into(), false, 2));
        for _ in 0..100 {
            drop(OpenCall::begin(&usage).answered(true));
        }
        for _ in 0..5 {
            for _ in 0..20 {
                drop(OpenCall::begin(&usage));
            }
            assert_eq!(usage.ending(), None);
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        for _ in 0..=20 {
            drop(OpenCall::begin(&usage));
        }
        usage.changed().await;
        assert_eq!(usage.ending(), Some(Ending::AtOnce));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_waited_for_may_be_given_up() {
        let usage = Arc::new(Usage::new(1, Ipv4Addr::LOCALHOST.into(), false, 1));
        let calls: Vec<_> = (0..100).map(|_| OpenCall::begin(&usage)).collect();
        tokio::time::advance(WAITED_FOR).await;
        drop(calls);
        assert_eq!(usage.ending(), None);
        let calls: Vec<_> = (0..100).map(|_| OpenCall::begin(&usage)).collect();
        drop(calls);
        assert_eq!(usage.ending(), Some(Ending::AtOnce));
    }
}
