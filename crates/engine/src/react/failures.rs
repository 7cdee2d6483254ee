//! Entries that failed: each is left alone for a while, longer each time, and forgotten when it is
//! gone from the agenda.

use std::collections::HashMap;

use tokio::time::{Duration, Instant};
use uuid::Uuid;

/// The first and the longest time for which a failed entry is left alone.
const HOLD_MIN: Duration = Duration::from_secs(1);
const HOLD_MAX: Duration = Duration::from_secs(300);
/// The longest time where it is the log that could not be reached.
const OUTAGE_MAX: Duration = Duration::from_secs(4);
/// The most failed entries that are remembered; further ones are tried again on each walk.
const REMEMBERED_MAX: usize = 100_000;

/// The failed entries by the ids of their commands, so that an entry that takes the place of a
/// failed one is not held.
#[derive(Debug, Default)]
pub(super) struct Failures {
    held: HashMap<Uuid, Held>,
}

#[derive(Debug)]
struct Held {
    until: Instant,
    next: Duration,
    seen: bool,
}

impl Failures {
    /// Whether the entry is to be left alone; takes note that it is still there.
    pub(super) fn hold(&mut self, id: Uuid, now: Instant) -> bool {
        self.held.get_mut(&id).is_some_and(|held| {
            held.seen = true;
            now < held.until
        })
    }

    /// Takes note that the entry failed, once more or for the first time.
    pub(super) fn add(&mut self, id: Uuid, now: Instant) {
        if self.held.len() >= REMEMBERED_MAX && !self.held.contains_key(&id) {
            return;
        }
        let fresh = Held { until: now, next: HOLD_MIN, seen: true };
        let held = self.held.entry(id).or_insert(fresh);
        held.until = now + held.next;
        held.next = (held.next * 2).min(HOLD_MAX);
        held.seen = true;
    }

    /// As [`Self::add`], where the log could not be reached, which soon ends for all.
    pub(super) fn put_off(&mut self, id: Uuid, now: Instant) {
        self.add(id, now);
        if let Some(held) = self.held.get_mut(&id) {
            held.next = held.next.min(OUTAGE_MAX);
        }
    }

    /// Takes note that it was carried out.
    pub(super) fn remove(&mut self, id: Uuid) {
        self.held.remove(&id);
    }

    /// Forgets the entries that were not met on a walk along the whole agenda.
    pub(super) fn forget_unseen(&mut self) {
        self.held.retain(|_, held| std::mem::take(&mut held.seen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failed_entry_is_left_alone_longer_each_time_until_it_is_gone() {
        let (mut failures, id) = (Failures::default(), Uuid::from_u128(1));
        let mut now = Instant::now();
        assert!(!failures.hold(id, now));
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            failures.add(id, now);
            now += Duration::from_secs(seconds) - Duration::from_millis(1);
            assert!(failures.hold(id, now), "{seconds}");
            now += Duration::from_millis(1);
            assert!(!failures.hold(id, now), "{seconds}");
        }
        failures.forget_unseen();
        failures.add(id, now);
        failures.forget_unseen();
        assert!(failures.hold(id, now), "it was met");
        failures.forget_unseen();
        failures.forget_unseen();
        assert!(!failures.hold(id, now), "it is gone");
    }

    #[test]
    fn an_outage_puts_nothing_off_for_long() {
        let (mut failures, id) = (Failures::default(), Uuid::from_u128(1));
        let now = Instant::now();
        for _ in 0..10 {
            failures.put_off(id, now);
            assert!(failures.hold(id, now));
            assert!(!failures.hold(id, now + OUTAGE_MAX));
        }
    }

    #[test]
    fn no_more_are_remembered_than_the_bound() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        for n in 0..u128::try_from(REMEMBERED_MAX).unwrap() + 10 {
            failures.add(Uuid::from_u128(n), now);
        }
        assert_eq!(failures.held.len(), REMEMBERED_MAX);
        failures.add(Uuid::from_u128(1), now);
        assert!(!failures.hold(Uuid::from_u128(1), now + HOLD_MIN + HOLD_MIN));
    }
}
