//! How long a call will wait for its answer, told by how many are at work and how fast they are done.
//!
//! By Little's law a call that comes now is answered when as many have been done as are at work: their
//! number, divided by how many are done in a second. The pace only counts while many are at work; a server with little to do is
//! never held to be slow.

use tokio::time::{Duration, Instant};

/// From how many calls at work on the pace is taken, and heeded.
const BUSY: usize = 64;

/// Over how long a time the pace is taken.
const MEMORY: Duration = Duration::from_secs(3);

/// How long the server must have been busy of late for its pace to be known. At the start caches and connections are still made.
const KNOWN_AFTER: Duration = Duration::from_secs(2);

/// How many calls are at work, and how fast they were done of late.
#[derive(Debug)]
pub(super) struct Pace {
    at_work: usize,
    /// Until when the rest is told.
    until: Instant,
    /// For how many seconds the server was busy of late; what is past counts ever less.
    busy_seconds: f64,
    /// How many calls were done in them.
    done: f64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { at_work: 0, until: now, busy_seconds: 0.0, done: 0.0 }
    }

    /// A call begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.pass(now);
        self.at_work += 1;
    }

    /// A call ends, answered or given up by its client.
    pub(super) fn end(&mut self, now: Instant, answered: bool) {
        self.pass(now);
        if answered && self.at_work >= BUSY {
            self.done += 1.0;
        }
        self.at_work = self.at_work.saturating_sub(1);
    }

    /// How long a call that comes now will wait; none where nothing is known that would speak against it.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.pass(now);
        if self.at_work < BUSY || self.busy_seconds < KNOWN_AFTER.as_secs_f64() {
            return None;
        }
        let each = self.busy_seconds / self.done.max(f64::EPSILON);
        let at_work = u32::try_from(self.at_work).unwrap_or(u32::MAX);
        let wait = Duration::try_from_secs_f64(f64::from(at_work) * each);
        Some(wait.unwrap_or(Duration::MAX))
    }

    fn pass(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.until);
        self.until = now;
        if self.at_work >= BUSY {
            let passed = passed.as_secs_f64();
            let left = (-passed / MEMORY.as_secs_f64()).exp();
            self.busy_seconds = self.busy_seconds * left + passed;
            self.done *= left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Calls that come and go one each millisecond while so many are at work, for a time.
    fn steady(at_work: usize, for_ms: u32) -> (Pace, Instant) {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..at_work {
            pace.begin(now);
        }
        for _ in 0..for_ms {
            now += MS;
            pace.end(now, true);
            pace.begin(now);
        }
        (pace, now)
    }

    fn near(wait: Option<Duration>, wanted: f64) -> bool {
        wait.is_some_and(|wait| (wait.as_secs_f64() / wanted - 1.0).abs() < 0.1)
    }

    #[test]
    fn a_call_waits_for_as_many_as_are_at_work() {
        let (mut pace, now) = steady(500, 10_000);
        let wait = pace.wait(now);
        assert!(near(wait, 0.5), "{wait:?}");
        for _ in 0..500 {
            pace.begin(now);
        }
        let wait = pace.wait(now);
        assert!(near(wait, 1.0), "twice as many wait twice as long: {wait:?}");
    }

    #[test]
    fn few_calls_and_a_sudden_many_are_not_held_to_be_slow() {
        let (mut pace, now) = steady(BUSY - 1, 10_000);
        assert_eq!(pace.wait(now), None);
        for _ in 0..1000 {
            pace.begin(now);
        }
        assert_eq!(pace.wait(now + 1000 * MS), None, "nothing is known yet");
    }

    #[test]
    fn where_nothing_is_done_any_more_the_wait_grows_and_calls_given_up_do_not_shorten_it() {
        let (mut pace, now) = steady(200, 10_000);
        let before = pace.wait(now).unwrap();
        let now = now + Duration::from_secs(10);
        for _ in 0..100 {
            pace.end(now, false);
        }
        let after = pace.wait(now).unwrap();
        assert!(after > before * 4, "{after:?} after {before:?}");
        for _ in 0..100 {
            pace.end(now, false);
        }
        assert_eq!(pace.wait(now), None, "an empty server takes calls again");
    }
}
