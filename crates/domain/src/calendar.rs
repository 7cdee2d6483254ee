//! The work calendar: which days people work, at which hours, and the due date of N working days.
//!
//! A day's kind is its published exception, else the weekday rule. Days of a year that is not
//! loaded follow the weekday rule alone, and a due date that depends on one says so.

use jiff::{Timestamp, ToSpan, civil::Date, civil::Weekday, tz};
use serde::{Deserialize, Serialize};

mod time;

pub(crate) use time::cut;
pub use time::{Interval, WorkingTime};

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
    /// Work, to make up for a holiday (调休上班) or at hours of the day's own (半天).
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
    /// The hours of a working day that has its own, such as a half day; none for the usual hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<Interval>>,
}

/// Work calendar (工作日历): the years loaded and their exceptions, as the State Council publishes
/// them, and the hours of business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The years whose exceptions are complete, ascending.
    pub years: Vec<i16>,
    /// The exceptions, ascending by date, each date once.
    pub exceptions: Vec<Exception>,
    /// The hours of business of a working day, ascending. A document that names none has
    /// 09:00 to 12:00 and 13:00 to 17:00: a default of ours, for no rule sets them for the city.
    #[serde(default = "time::usual_hours", skip_serializing_if = "time::are_usual")]
    pub hours: Vec<Interval>,
}

/// No year is loaded: the weekday rule and the default hours.
impl Default for Calendar {
    fn default() -> Self {
        Self { years: vec![], exceptions: vec![], hours: time::usual_hours() }
    }
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
    /// The hours of business are none, overlap, are out of order, or one ends before it begins.
    #[error("the hours of business must be ascending intervals that do not overlap, at least one")]
    Hours,
    /// The same of a day's own hours, or a holiday has hours.
    #[error(
        "the hours of {0} must be ascending intervals that do not overlap, at least one, and only a working day has hours"
    )]
    HoursOn(Date),
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
        if !time::are_sound(&self.hours) {
            problems.push(CalendarProblem::Hours);
        }
        for exception in &self.exceptions {
            if !self.is_loaded(exception.date) {
                problems.push(CalendarProblem::Year(exception.date));
            }
            let sound = exception
                .hours
                .as_deref()
                .is_none_or(|hours| exception.kind == DayKind::Workday && time::are_sound(hours));
            if !sound {
                problems.push(CalendarProblem::HoursOn(exception.date));
            }
        }
        problems
    }

    /// The hours people work on `date`; empty on a day off.
    #[must_use]
    pub fn hours_on(&self, date: Date) -> &[Interval] {
        match self.exceptions.binary_search_by_key(&date, |e| e.date) {
            Ok(at) => match &self.exceptions[at] {
                Exception { kind: DayKind::Holiday, .. } => &[],
                Exception { hours: Some(hours), .. } => hours,
                Exception { hours: None, .. } => &self.hours,
            },
            Err(_) if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) => &[],
            Err(_) => &self.hours,
        }
    }

    /// Whether people work on `date`.
    #[must_use]
    pub fn is_workday(&self, date: Date) -> bool {
        !self.hours_on(date).is_empty()
    }

    fn is_loaded(&self, date: Date) -> bool {
        self.years.binary_search(&date.year()).is_ok()
    }

    /// True when a day from `first` to `last` belongs to a year that is not loaded.
    pub(crate) fn is_provisional(&self, first: Date, last: Date) -> bool {
        (first.year()..=last.year()).any(|year| self.years.binary_search(&year).is_err())
    }

    /// The last of the `working_days` after `start`; `start` itself when there are none to count.
    pub(crate) fn count(&self, start: Date, working_days: u16) -> Date {
        let mut on = start;
        let mut left = working_days;
        while left > 0 {
            let Ok(next) = on.checked_add(1.day()) else {
                break;
            };
            on = next;
            left -= u16::from(self.is_workday(on));
        }
        on
    }
}

#[cfg(test)]
mod tests;
