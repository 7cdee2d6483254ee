//! One circuit for each receiver: when it is down, one event at a time finds out whether it is back.

use std::time::Duration;

use tokio::time::Instant;

/// Whether a receiver is up, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    /// How often it failed in a row; what was on its way already when it failed counts once with it.
    failures: u32,
    /// Nothing is sent before.
    until: Option<Instant>,
}

impl Circuit {
    /// How many events may be on their way, of `max`.
    pub(super) fn allows(&self, now: Instant, max: usize) -> usize {
        match self.until {
            None => max,
            Some(until) if now < until => 0,
            Some(_) => 1,
        }
    }

    /// When the next one may be sent, if none may now.
    pub(super) fn opens_at(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }

    /// How often it failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// The receiver answered as one that is up.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It failed; `pause` says for how long to leave it alone after so many failures.
    pub(super) fn failed(&mut self, now: Instant, pause: impl FnOnce(u32) -> Duration) {
        if self.opens_at(now).is_none() {
            self.failures = self.failures.saturating_add(1);
            self.until = Some(now + pause(self.failures));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_down_is_asked_by_one_at_a_time_until_it_is_up() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        assert_eq!((circuit.allows(now, 16), circuit.opens_at(now)), (16, None));
        circuit.failed(now, |failures| SECOND * failures);
        // The others that were on their way fail with it.
        circuit.failed(now, |_| panic!("counted once"));
        assert_eq!((circuit.allows(now, 16), circuit.opens_at(now)), (0, Some(now + SECOND)));
        let then = now + SECOND;
        assert_eq!((circuit.allows(then, 16), circuit.opens_at(then)), (1, None));
        circuit.failed(then, |failures| SECOND * failures);
        assert_eq!(circuit.failures(), 2);
        assert_eq!(circuit.opens_at(then), Some(then + 2 * SECOND));
        assert_eq!(circuit.allows(then + 2 * SECOND, 16), 1);
        circuit.succeeded();
        assert_eq!((circuit.allows(then, 16), circuit.failures()), (16, 0));
    }
}
