//! What visits put on the agenda: one that is not begun in time gives its place back.

use jiff::{Timestamp, ToSpan, civil::Date, tz};

use super::Event;
use crate::{
    agenda::{Change, Duty, Entry, Process},
    ids::VisitId,
};

impl Process for Event {
    fn agenda(&self) -> Vec<Change> {
        match self {
            Self::VisitPlanned { plan, .. } => {
                let (key, at) = (key(plan.visit), end_of(plan.on));
                let duty = Duty::ExpireVisit { visit: plan.visit };
                vec![Change::Put(Entry { key, at, duty })]
            }
            Self::VisitCheckedIn { visit, .. }
            | Self::VisitCancelled { visit, .. }
            | Self::VisitExpired { visit } => vec![Change::Drop(key(*visit))],
            Self::VisitApproved { .. }
            | Self::CapExceeded { .. }
            | Self::VisitsExcessive { .. }
            | Self::RepeatVisits { .. }
            | Self::VisitCheckedOut { .. }
            | Self::ResultReported { .. } => vec![],
        }
    }
}

fn key(visit: VisitId) -> String {
    format!("visit/{visit}")
}

/// The midnight that ends a day in Asia/Shanghai.
fn end_of(day: Date) -> Timestamp {
    let midnight = day.saturating_add(1.day()).at(0, 0, 0, 0);
    tz::offset(8).to_timestamp(midnight).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        kit::{day, moment},
        visits::{
            CancelReason, CheckIn,
            tests::{plan, planned_as, visit},
        },
    };

    const KEY: &str = "visit/00000000-0000-0000-0000-000000000001";

    #[test]
    fn a_visit_is_on_the_agenda_until_it_begins_or_ends() {
        let visit = visit(1);
        let (at, occurred_at) =
            (moment("2025-03-11T00:00+08:00"), moment("2025-03-10T10:00+08:00"));
        let came = CheckIn { officers: plan(1).officers, occurred_at, offline: false };
        let (irregularities, reason) = (BTreeSet::new(), CancelReason::TaskWithdrawn);
        let planned = planned_as(plan(1));
        let entry = Entry { key: KEY.to_owned(), at, duty: Duty::ExpireVisit { visit } };
        assert_eq!(planned.agenda(), [Change::Put(entry)]);
        for event in [
            Event::VisitCheckedIn { visit, check_in: came, irregularities },
            Event::VisitCancelled { visit, reason },
            Event::VisitExpired { visit },
        ] {
            assert_eq!(event.agenda(), [Change::Drop(KEY.to_owned())], "{event:?}");
        }
        for event in [
            Event::VisitApproved { visit },
            Event::VisitCheckedOut { visit, occurred_at },
            Event::ResultReported { visit, results: vec![] },
        ] {
            assert_eq!(event.agenda(), [], "{event:?}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_shanghai_also_at_the_end_of_time() {
        assert_eq!(end_of(day("2024-02-28")), moment("2024-02-29T00:00+08:00"));
        assert_eq!(end_of(day("2025-12-31")), moment("2025-12-31T16:00Z"));
        assert!(end_of(Date::MAX) > moment("9999-01-01T00:00Z"));
    }
}
