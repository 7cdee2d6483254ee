//! Work calendars as they come in.

use doudi_domain::calendar::{Calendar, DayKind, Exception, Interval};
use jiff::civil::Time;

use crate::{convert::Fields, error::Reason, proto as pb, text};

const YEARS_MAX: usize = 100;
const EXCEPTIONS_MAX: usize = 2000;
/// No working day is cut into more pieces than this.
const INTERVALS_MAX: usize = 20;

pub(super) fn calendar(fields: &mut Fields, calendar: &pb::WorkCalendar) -> Option<Calendar> {
    let at = "document.calendar.years";
    let years = fields.each(at, &calendar.years, (0, YEARS_MAX), |fields, path, year| {
        let year = fields.number(path, u32::try_from(*year).unwrap_or(0), 1900, 9999)?;
        i16::try_from(year).ok()
    });
    let (at, bounds) = ("document.calendar.exceptions", (0, EXCEPTIONS_MAX));
    let exceptions = fields.each(at, &calendar.exceptions, bounds, exception);
    let hours = hours(fields, "document.calendar.hours", &calendar.hours);
    Some(Calendar {
        years: years?,
        exceptions: exceptions?,
        hours: hours?.unwrap_or_else(|| Calendar::default().hours),
    })
}

fn exception(fields: &mut Fields, path: &str, day: &pb::CalendarException) -> Option<Exception> {
    let date = fields.date(&format!("{path}.date"), day.date.as_ref());
    let kind = fields.choice(&format!("{path}.kind"), day.kind, |kind| match kind {
        pb::DayKind::Unspecified => None,
        pb::DayKind::Holiday => Some(DayKind::Holiday),
        pb::DayKind::Workday => Some(DayKind::Workday),
    });
    let name = fields.parse(&format!("{path}.name"), &day.name, text::name);
    let hours = hours(fields, &format!("{path}.hours"), &day.hours);
    Some(Exception { date: date?, kind: kind?, name: name?.to_string(), hours: hours? })
}

/// An empty list is `Some(None)`: the usual hours.
fn hours(
    fields: &mut Fields,
    path: &str,
    hours: &[pb::WorkInterval],
) -> Option<Option<Vec<Interval>>> {
    let hours = fields.each(path, hours, (0, INTERVALS_MAX), |fields, path, interval| {
        let from = time(fields, &format!("{path}.from"), interval.from);
        let to = time(fields, &format!("{path}.to"), interval.to);
        Some(Interval { from: from?, to: to? })
    })?;
    Some(Some(hours).filter(|hours| !hours.is_empty()))
}

fn time(fields: &mut Fields, path: &str, time: Option<pb::TimeOfDay>) -> Option<Time> {
    let Some(pb::TimeOfDay { hour, minute }) = time else {
        return fields.refuse(path, Reason::FieldRequired);
    };
    let mut part = |name: &str, value: i32, max| {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        i8::try_from(fields.number(&format!("{path}.{name}"), value, 0, max)?).ok()
    };
    let (hour, minute) = (part("hour", hour, 23), part("minute", minute, 59));
    Time::new(hour?, minute?, 0, 0).ok()
}
