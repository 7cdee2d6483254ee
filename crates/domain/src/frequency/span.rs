//! Spans of time in which visits add up.

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use serde::{Deserialize, Serialize};

/// The span of time within which visits add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// 1 January to 31 December.
    CalendarYear,
    /// The first to the last day of a month.
    CalendarMonth,
    /// Monday to Sunday (ISO 8601).
    IsoWeek,
    /// One day.
    Day,
    /// Any so many days on end, 1 to 3660.
    Rolling(u16),
}

impl Window {
    /// The first and the last day of every visit that may lie in one window with a visit on `on`.
    #[must_use]
    pub fn reach(self, on: Date) -> (Date, Date) {
        match self {
            Self::CalendarYear => (date(on.year(), 1, 1), date(on.year(), 12, 31)),
            Self::CalendarMonth => (on.first_of_month(), on.last_of_month()),
            Self::IsoWeek => {
                let monday =
                    on.saturating_sub(i32::from(on.weekday().to_monday_zero_offset()).days());
                (monday, monday.saturating_add(6.days()))
            }
            Self::Day => (on, on),
            Self::Rolling(days) => {
                let others = i32::from(days.saturating_sub(1)).days();
                (on.saturating_sub(others), on.saturating_add(others))
            }
        }
    }

    /// How many days a window of fixed length has; none where the calendar says.
    pub(super) fn days(self) -> Option<i32> {
        match self {
            Self::Rolling(days) => Some(i32::from(days.max(1))),
            Self::CalendarYear | Self::CalendarMonth | Self::IsoWeek | Self::Day => None,
        }
    }
}

/// Days of each month, such as the quiet days of enterprises (企业宁静日).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DaysOfMonth {
    /// The first, 1 to 31.
    pub from: i8,
    /// The last, not before the first, at most 31.
    pub until: i8,
}

impl DaysOfMonth {
    /// Whether a day is one of them.
    #[must_use]
    pub fn contain(self, day: Date) -> bool {
        (self.from..=self.until).contains(&day.day())
    }
}
