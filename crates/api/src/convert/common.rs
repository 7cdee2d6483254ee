//! What several messages share: dates, instants, receipts.

use doudi_domain::Decider;
use doudi_engine::{Outcome, Version};
use jiff::{Timestamp, civil::Date};
use prost::Message;

use crate::{convert::token, proto as pb};

/// The first year that a civil date may lie in.
const YEAR_MIN: i32 = 1900;

/// The first second of [`YEAR_MIN`] in UTC, counted from 1970: -25,567 days. The last instant is
/// jiff's own, in the last days of 9999.
const SECOND_MIN: i64 = -25_567 * 86_400;

/// What a page needs besides its entries, in bytes: its token, its position, their tags.
const PAGE_BYTES: usize = 512;

/// What an entry of a list needs besides its own bytes: a tag and a length.
const ENTRY_BYTES: usize = 6;

pub(crate) fn date(date: pb::Date) -> Option<Date> {
    let pb::Date { year, month, day } = date;
    if year < YEAR_MIN {
        return None;
    }
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

pub(crate) fn of_date(date: Date) -> pb::Date {
    pb::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

pub(crate) fn timestamp(timestamp: &prost_types::Timestamp) -> Option<Timestamp> {
    // The contract of the well-known type: nanoseconds count forward, 0 to 999,999,999.
    let sound = (0..1_000_000_000).contains(&timestamp.nanos) && timestamp.seconds >= SECOND_MIN;
    sound.then(|| Timestamp::new(timestamp.seconds, timestamp.nanos).ok()).flatten()
}

pub(crate) fn of_timestamp(timestamp: Timestamp) -> prost_types::Timestamp {
    // Before 1970 jiff counts nanoseconds backwards, the well-known type always forward.
    let (seconds, nanos) = (timestamp.as_second(), timestamp.subsec_nanosecond());
    if nanos < 0 {
        prost_types::Timestamp { seconds: seconds - 1, nanos: nanos + 1_000_000_000 }
    } else {
        prost_types::Timestamp { seconds, nanos }
    }
}

pub(crate) fn version(expected: Option<u64>) -> Option<Version> {
    expected.map(Version)
}

pub(crate) fn receipt<D: Decider>(outcome: &Outcome<D>) -> pb::Receipt {
    pb::Receipt {
        version: outcome.version.0,
        position: token::of_position(outcome.position),
        unchanged: outcome.events.is_empty(),
    }
}

/// The first of `messages` that fit together into a page of `bytes_max`; one, however large, if there
/// is any, because a page without entries leads nowhere.
pub(crate) fn fitting<M: Message>(messages: impl Iterator<Item = M>, bytes_max: usize) -> Vec<M> {
    let mut left = bytes_max.saturating_sub(PAGE_BYTES);
    let mut kept = Vec::new();
    for message in messages {
        let bytes = message.encoded_len() + ENTRY_BYTES;
        if bytes > left && !kept.is_empty() {
            break;
        }
        left = left.saturating_sub(bytes);
        kept.push(message);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_it_is_too_large_but_never_without_an_entry() {
        let entry = |bytes| pb::RoutingUnit { name: "x".repeat(bytes), ..Default::default() };
        let kept = |bytes_max| fitting([100, 100, 5000].map(entry).into_iter(), bytes_max).len();
        assert_eq!(kept(0), 1);
        assert_eq!(kept(PAGE_BYTES + 200), 1);
        assert_eq!(kept(PAGE_BYTES + 300), 2);
        assert_eq!(kept(1 << 20), 3);
        assert_eq!(fitting(std::iter::empty::<pb::RoutingUnit>(), 0), []);
    }

    #[test]
    fn dates_and_instants_keep_their_value_both_ways() {
        for text in [
            "1900-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "1970-01-01T00:00:00Z",
            "2025-04-25T08:00:00.000000001Z",
        ] {
            let instant: Timestamp = text.parse().unwrap();
            assert_eq!(timestamp(&of_timestamp(instant)), Some(instant), "{text}");
        }
        let day = jiff::civil::date(2024, 2, 29);
        assert_eq!(date(of_date(day)), Some(day));
    }

    #[test]
    fn what_is_no_date_or_instant_is_none() {
        for (year, month, day) in [
            (2025, 2, 29),
            (1899, 12, 31),
            (10_000, 1, 1),
            (2025, 13, 1),
            (2025, 1, 0),
            (2025, 257, 1),
        ] {
            assert_eq!(date(pb::Date { year, month, day }), None, "{year}-{month}-{day}");
        }
        let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let (early, late) = (second("1899-12-31T23:59:59Z"), second("9999-12-30T00:00:00Z"));
        assert!(timestamp(&prost_types::Timestamp { seconds: late, nanos: 0 }).is_some());
        for (seconds, nanos) in [
            (0, -1),
            (0, 1_000_000_000),
            (i64::MAX, 0),
            (i64::MIN, 0),
            (early, 999_999_999),
            (Timestamp::MIN.as_second(), 0),
            (late + 2 * 86_400, 0),
        ] {
            assert_eq!(timestamp(&prost_types::Timestamp { seconds, nanos }), None, "{seconds}");
        }
    }
}
