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

/// One connection, from its acceptance to its end.
#[derive(Debug)]
pub struct Usage {
    pub(super) id: u64,
    /// Who is at the other end, as it is counted.
    pub(super) peer: IpAddr,
    resets_max: u32,
    ended: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    calls: usize,
    /// Since when no call is open.
    idle_since: Instant,
    /// When something was last read.
    heard: Option<Instant>,
    over: bool,
    /// Since when the calls are counted that were given up, and how many they are.
    resets: (Instant, u32),
}

impl Usage {
    pub(super) fn new(id: u64, peer: IpAddr, now: Instant, resets_per_second_max: u32) -> Self {
        let resets_max = resets_per_second_max.saturating_mul(RESETS_OVER);
        let (heard, over) = (None, false);
        let state = State { calls: 0, idle_since: now, heard, over, resets: (now, 0) };
        Self { id, peer, resets_max, ended: Notify::new(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long no call has been open; none while one is.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        let state = self.state();
        (state.calls == 0).then(|| now.saturating_duration_since(state.idle_since))
    }

    /// Something was read.
    pub(super) fn hear(&self) {
        self.state().heard = Some(Instant::now());
    }

    /// When something was last read.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.state().heard
    }

    /// The connection is to be closed.
    pub(super) fn end(&self) {
        self.state().over = true;
        self.ended.notify_one();
    }

    /// Whether the connection is to be closed.
    pub(super) fn is_over(&self) -> bool {
        self.state().over
    }

    /// Done when the connection is to be closed.
    pub(super) async fn over(&self) {
        self.ended.notified().await;
    }

    /// Counts a call that its client gave up; one that does so all the time only makes work.
    fn given_up(&self) {
        let mut state = self.state();
        let (since, count) = state.resets;
        let now = Instant::now();
        let again = now.saturating_duration_since(since) >= Duration::from_secs(RESETS_OVER.into());
        state.resets = if again { (now, 1) } else { (since, count + 1) };
        if state.resets.1 > self.resets_max && !state.over {
            drop(state);
            metrics::ended("resets");
            self.end();
        }
    }
}

/// A call that is open on a connection.
#[derive(Debug)]
pub(crate) struct OpenCall {
    usage: Arc<Usage>,
    answered: bool,
}

impl OpenCall {
    pub(crate) fn begin(usage: &Arc<Usage>) -> Self {
        usage.state().calls += 1;
        Self { usage: Arc::clone(usage), answered: false }
    }

    /// It has an answer, which may go on for long.
    pub(crate) fn answered(mut self) -> Self {
        self.answered = true;
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
        if !self.answered {
            self.usage.given_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn usage(resets_per_second_max: u32) -> Arc<Usage> {
        Arc::new(Usage::new(1, Ipv4Addr::LOCALHOST.into(), Instant::now(), resets_per_second_max))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_calls_are_given_up_all_the_time_is_closed() {
        let usage = usage(2);
        for _ in 0..100 {
            drop(OpenCall::begin(&usage).answered());
        }
        for _ in 0..5 {
            for _ in 0..20 {
                drop(OpenCall::begin(&usage));
            }
            assert!(!usage.is_over());
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        for _ in 0..=20 {
            drop(OpenCall::begin(&usage));
        }
        assert!(usage.is_over());
        usage.over().await;
    }
}
