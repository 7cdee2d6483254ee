//! Working time: how much people work between two instants, and when so much is worked.
//!
//! Instants are cut to whole seconds, so sums are exact: the working time from a to c is that from
//! a to b and that from b to c, wherever b lies. Nothing here fails; what would lie beyond the end
//! of the calendar (the year 9999) is the last instant there is.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, Sub, SubAssign},
};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time, time},
    tz,
};
use serde::{Deserialize, Serialize};

use super::{Calendar, civil_date};

/// An amount of working time, in whole seconds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WorkingTime(i64);

impl WorkingTime {
    /// None at all.
    pub const ZERO: Self = Self(0);
    /// The least amount there is.
    pub const SECOND: Self = Self(1);

    /// So many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The amount in seconds.
    #[must_use]
    pub const fn whole_seconds(self) -> i64 {
        self.0
    }

    /// So many percent of it, at most all of it and at least a second, cut to whole seconds.
    pub(crate) fn percent(self, percent: u8) -> Self {
        Self((self.0 * i64::from(percent.min(100)) / 100).max(1))
    }
}

impl Add for WorkingTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for WorkingTime {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for WorkingTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for WorkingTime {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for WorkingTime {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

/// Hours during which people work, within one day in Asia/Shanghai. Fractions of a second are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// When work begins.
    pub from: Time,
    /// When it ends; later than `from`.
    pub to: Time,
}

const USUAL_HOURS: [Interval; 2] = [
    Interval { from: time(9, 0, 0, 0), to: time(12, 0, 0, 0) },
    Interval { from: time(13, 0, 0, 0), to: time(17, 0, 0, 0) },
];

/// The hours of a calendar that names none. Stored documents rely on them: they never change.
pub(super) fn usual_hours() -> Vec<Interval> {
    USUAL_HOURS.to_vec()
}

pub(super) fn are_usual(hours: &[Interval]) -> bool {
    hours == USUAL_HOURS
}

/// Ascending, disjoint, each with a beginning before its end, at least one.
pub(super) fn are_sound(hours: &[Interval]) -> bool {
    !hours.is_empty()
        && hours.iter().all(|interval| second(interval.from) < second(interval.to))
        && hours.windows(2).all(|pair| second(pair[0].to) <= second(pair[1].from))
}

/// The instant without its fraction of a second.
pub(crate) fn cut(instant: Timestamp) -> Timestamp {
    let seconds = instant.as_second() - i64::from(instant.subsec_nanosecond() < 0);
    Timestamp::from_second(seconds).unwrap_or(instant)
}

fn civil(instant: Timestamp) -> DateTime {
    tz::offset(8).to_datetime(instant)
}

/// The second of the day.
fn second(time: Time) -> i64 {
    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

fn instant(date: Date, second: i64) -> Timestamp {
    let midnight = tz::offset(8).to_timestamp(date.to_datetime(Time::midnight()));
    midnight
        .and_then(|midnight| Timestamp::from_second(midnight.as_second() + second))
        .unwrap_or(Timestamp::MAX)
}

/// The seconds worked between two seconds of a day with such hours.
fn worked(hours: &[Interval], from: i64, to: i64) -> i64 {
    hours.iter().map(|i| (to.min(second(i.to)) - from.max(second(i.from))).max(0)).sum()
}

impl Calendar {
    /// The working time between two instants; nothing when they are reversed.
    #[must_use]
    pub fn working_time(&self, from: Timestamp, to: Timestamp) -> WorkingTime {
        let (from, to) = (civil(from), civil(to));
        let (mut day, last) = (from.date(), to.date());
        let mut start = second(from.time());
        let mut total = 0;
        while day < last {
            total += worked(self.hours_on(day), start, i64::MAX);
            start = 0;
            let Ok(next) = day.tomorrow() else {
                break;
            };
            day = next;
        }
        if day == last {
            total += worked(self.hours_on(day), start, second(to.time()));
        }
        WorkingTime(total)
    }

    /// The earliest instant by which so much was worked from `from` on; `from` itself for nothing.
    #[must_use]
    pub fn after(&self, from: Timestamp, amount: WorkingTime) -> Timestamp {
        let mut left = amount.0;
        if left <= 0 {
            return cut(from);
        }
        let from = civil(from);
        let mut day = from.date();
        let mut start = second(from.time());
        loop {
            for interval in self.hours_on(day) {
                let begin = start.max(second(interval.from));
                let available = (second(interval.to) - begin).max(0);
                if left <= available {
                    return instant(day, begin + left);
                }
                left -= available;
            }
            start = 0;
            let Ok(next) = day.tomorrow() else {
                return Timestamp::MAX;
            };
            day = next;
        }
    }

    /// The earliest instant from `from` on at which people are at work.
    #[must_use]
    pub fn opening(&self, from: Timestamp) -> Timestamp {
        let worked = self.after(from, WorkingTime::SECOND);
        worked.checked_sub(1.second()).unwrap_or(worked)
    }

    /// The first opening after the day of `from`: where the counting of working days begins.
    pub(crate) fn opening_after_day(&self, from: Timestamp) -> Timestamp {
        civil_date(from).tomorrow().map_or(Timestamp::MAX, |day| self.opening(instant(day, 0)))
    }

    /// The end of business on `date`; none on a day off.
    #[must_use]
    pub fn end_of_day(&self, date: Date) -> Option<Timestamp> {
        self.hours_on(date).last().map(|interval| instant(date, second(interval.to)))
    }

    /// The end of business of the last of the `working_days` after the day of `start`. For 0 it is
    /// the end of business of that day, or of the next working day when no work is left that day.
    #[must_use]
    pub fn end_of_count(&self, start: Timestamp, working_days: u16) -> Timestamp {
        let on = match working_days {
            0 => civil_date(self.after(start, WorkingTime::SECOND)),
            _ => self.count(civil_date(start), working_days),
        };
        self.end_of_day(on).unwrap_or(Timestamp::MAX)
    }

    /// The same time of day that many working days later. When people are not at work then, as on
    /// a half day, it is the end of business of that day. For 0 it is the instant itself.
    #[must_use]
    pub fn later(&self, at: Timestamp, working_days: u16) -> Timestamp {
        if working_days == 0 {
            return at;
        }
        let on = self.count(civil_date(at), working_days);
        let time = second(civil(at).time());
        let at_work =
            |interval: &Interval| second(interval.from) < time && time <= second(interval.to);
        if self.hours_on(on).iter().any(at_work) {
            instant(on, time)
        } else {
            self.end_of_day(on).unwrap_or(Timestamp::MAX)
        }
    }
}
