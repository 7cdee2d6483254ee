//! The work calendar and the due date of N working days.
//!
//! A day's kind is its published exception, else the weekday rule. Days of a year that is not
//! loaded follow the weekday rule alone, and a due date that depends on one says so.

use jiff::{Timestamp, ToSpan, civil::Date, civil::Weekday, tz};
use serde::{Deserialize, Serialize};

/// The civil date in Asia/Shanghai (UTC+8 all year since 1992).
#[must_use]
pub fn civil_date(instant: Timestamp) -> Date {
    tz::offset(8).to_datetime(instant).date()
}

/// What an exception makes of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// No work although the weekday rule says so (放假).
    Holiday,
    /// Work on a weekend, to make up for a holiday (调休上班).
    Workday,
}

/// One day that departs from the weekday rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The day, in Asia/Shanghai.
    pub date: Date,
    /// What it is.
    pub kind: DayKind,
    /// The festival it belongs to, as published.
    pub name: String,
}

/// Work calendar (工作日历): the years loaded and their exceptions, as the State Council publishes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The years whose exceptions are complete, ascending.
    pub years: Vec<i16>,
    /// The exceptions, ascending by date, each date once.
    pub exceptions: Vec<Exception>,
}

/// The date by which something is owed, with what it was derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueDate {
    /// The last working day; due at its end in Asia/Shanghai.
    pub on: Date,
    /// The day the allowance counts from; the first working day counted is after it.
    pub start: Date,
    /// The allowance in working days.
    pub working_days: u16,
    /// The calendar's version; 0 when none was published and the weekday rule alone decided.
    pub calendar_version: u32,
    /// True when a day of a year that is not loaded was counted or skipped.
    pub provisional: bool,
}

/// What is wrong with a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarProblem {
    /// A date stands twice, or the dates are not ascending.
    #[error("the calendar lists {0} twice or out of order")]
    Order(Date),
    /// A date lies in a year that the calendar does not declare as loaded.
    #[error("the calendar lists {0} but does not declare its year as loaded")]
    Year(Date),
    /// The years are not ascending, or none is given.
    #[error("the calendar must declare its loaded years in ascending order, at least one")]
    Years,
}

impl Calendar {
    /// Everything that is wrong with the calendar; empty when it may be published.
    #[must_use]
    pub fn problems(&self) -> Vec<CalendarProblem> {
        let mut problems = Vec::new();
        if self.years.is_empty() || !self.years.is_sorted_by(|a, b| a < b) {
            problems.push(CalendarProblem::Years);
        }
        for pair in self.exceptions.windows(2) {
            if pair[0].date >= pair[1].date {
                problems.push(CalendarProblem::Order(pair[1].date));
            }
        }
        for exception in &self.exceptions {
            if !self.is_loaded(exception.date) {
                problems.push(CalendarProblem::Year(exception.date));
            }
        }
        problems
    }

    /// Whether people work on `date`.
    #[must_use]
    pub fn is_workday(&self, date: Date) -> bool {
        match self.exceptions.binary_search_by_key(&date, |e| e.date) {
            Ok(at) => self.exceptions[at].kind == DayKind::Workday,
            Err(_) => !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
        }
    }

    fn is_loaded(&self, date: Date) -> bool {
        self.years.binary_search(&date.year()).is_ok()
    }

    /// The due date of `working_days` after `start`: counting begins the day after, and it is due at
    /// the end of the last working day. An allowance of 0 is due on `start` itself.
    #[must_use]
    pub fn due(&self, start: Date, working_days: u16, calendar_version: u32) -> DueDate {
        let mut on = start;
        let mut left = working_days;
        let mut provisional = false;
        while left > 0 {
            let Ok(next) = on.checked_add(1.day()) else {
                break;
            };
            on = next;
            provisional |= !self.is_loaded(on);
            if self.is_workday(on) {
                left -= 1;
            }
        }
        DueDate { on, start, working_days, calendar_version, provisional }
    }
}

#[cfg(test)]
mod tests;
