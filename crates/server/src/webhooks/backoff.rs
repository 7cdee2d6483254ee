//! How long to wait before something is tried again.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};

/// The longest pause that a receiver may ask for.
const ASKED_MAX: Duration = Duration::from_secs(60 * 60);

/// The pause after so many failures, from 1: twice as long after each, within `min` and `max`. `chance`, of 0
/// to 255, takes up to a half of it away, so that those who failed together do not come back together.
pub(super) fn pause(failures: u32, min: Duration, max: Duration, chance: u8) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let whole = min.saturating_mul(doubled).min(max);
    whole - whole * u32::from(chance) / (2 * 256)
}

/// The pause that the header `Retry-After` asks for: seconds, or an instant.
pub(super) fn asked(header: &str, now: Timestamp) -> Option<Duration> {
    let asked = match header.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = rfc2822::parse(header.trim()).ok()?.timestamp();
            // An instant that has passed asks for no pause.
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(asked.min(ASKED_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(300);

    #[test]
    fn a_pause_doubles_up_to_its_bound_and_is_shortened_by_a_half_at_most() {
        let seconds = |failures| pause(failures, MIN, MAX, 0).as_secs();
        let first = [1, 2, 3, 4, 9, 10, 40, u32::MAX].map(seconds);
        assert_eq!(first, [1, 2, 4, 8, 256, 300, 300, 300]);
        for failures in 1..50 {
            let whole = pause(failures, MIN, MAX, 0);
            let pauses = (0..=255).map(|chance| pause(failures, MIN, MAX, chance));
            let pauses: Vec<Duration> = pauses.collect();
            assert!(pauses.is_sorted_by(|longer, shorter| longer > shorter));
            assert!(pauses.iter().all(|pause| *pause > whole / 2 && *pause <= whole));
        }
    }

    #[test]
    fn a_receiver_asks_for_seconds_or_for_an_instant_and_for_an_hour_at_most() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        let asked = |header| asked(header, now).map(|pause| pause.as_secs());
        assert_eq!(asked("0"), Some(0));
        assert_eq!(asked(" 120 "), Some(120));
        assert_eq!(asked("99999999999"), Some(3600));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(60));
        assert_eq!(asked("Wed, 21 Oct 2015 07:00:00 GMT"), Some(0));
        assert_eq!(asked("Wed, 21 Oct 2065 07:00:00 GMT"), Some(3600));
        for no_pause in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(no_pause), None, "{no_pause}");
        }
    }
}
