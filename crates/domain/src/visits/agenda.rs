//! What visits put on the agenda: one that is not begun in time gives its place back; clocks take their
//! steps; the day to rectify something by goes by.

use jiff::{Timestamp, ToSpan, civil::Date, tz};

use uuid::Uuid;

use super::{Event, ItemResult, Outcome};
use crate::{
    agenda::{Change, Duty, Entry, Process},
    clock::{Clock, ClockKind, Owner},
    ids::{ItemId, UnitId, VisitId},
};

impl Process for Event {
    fn agenda(&self) -> Vec<Change> {
        match self {
            Self::VisitPlanned { plan, .. } => {
                let duty = Duty::ExpireVisit { visit: plan.visit };
                vec![Change::Put(Entry { key: key(plan.visit), at: end_of(plan.on), duty })]
            }
            Self::VisitCheckedIn { visit, tell, .. } => {
                let told = tell.iter().map(|clock| next_step(*visit, clock));
                [Change::Drop(key(*visit))].into_iter().chain(told).collect()
            }
            Self::VisitsMerged { visit, .. }
            | Self::VisitCancelled { visit, .. }
            | Self::VisitRefused { visit, .. }
            | Self::VisitExpired { visit } => vec![Change::Drop(key(*visit))],
            Self::VisitApproved { visit, unit: Some(unit) } => {
                vec![Change::Drop(of_approval(*visit, &Owner::Unit(unit.clone())))]
            }
            Self::EnterpriseTold { visit, .. } => vec![Change::Drop(of_tell(*visit))],
            Self::ApprovalOwed { visit, clock } | Self::ClockStepsTaken { visit, clock, .. } => {
                vec![next_step(*visit, clock)]
            }
            Self::ResultReported { visit, unit: Some(unit), results, tell } => {
                let told = tell.as_ref().map(|clock| next_step(*visit, clock));
                let due = results.iter().filter_map(|result| rectify(*visit, unit, result));
                told.into_iter().chain(due).collect()
            }
            Self::UnitWithdrew { visit, unit, tell, .. } => {
                let told = tell.iter().map(|clock| next_step(*visit, clock));
                let approval = of_approval(*visit, &Owner::Unit(unit.clone()));
                [Change::Drop(approval)].into_iter().chain(told).collect()
            }
            Self::RectificationAccepted { visit, unit, item, .. }
            | Self::RectificationOverdue { visit, unit, item, .. } => {
                vec![Change::Drop(of_rectification(*visit, unit, item))]
            }
            // Before there were several units nothing was owed afterwards.
            Self::VisitApproved { unit: None, .. }
            | Self::ResultReported { unit: None, .. }
            | Self::VisitNotified { .. }
            | Self::ScanSetAside { .. }
            | Self::CapExceeded { .. }
            | Self::VisitsExcessive { .. }
            | Self::RepeatVisits { .. }
            | Self::VisitCheckedOut { .. }
            | Self::RectificationReported { .. }
            | Self::VisitClosed { .. }
            | Self::VisitsHeld { .. }
            | Self::HoldLifted { .. }
            | Self::OffSiteCheckRecorded { .. } => vec![],
        }
    }
}

fn key(visit: VisitId) -> String {
    format!("visit/{visit}")
}

/// Each unit owes its own. A unit's or an item's id can be long, so its place in the key is taken by
/// what tells it apart for sure.
fn of_approval(visit: VisitId, owner: &Owner) -> String {
    let unit = match owner {
        Owner::Unit(unit) => unit.as_str(),
        Owner::CityDesk => "",
    };
    format!("approval/{}", Uuid::new_v5(&visit.0, unit.as_bytes()))
}

fn of_tell(visit: VisitId) -> String {
    format!("tell/{visit}")
}

fn of_rectification(visit: VisitId, unit: &UnitId, item: &ItemId) -> String {
    let named = Uuid::new_v5(&visit.0, format!("{unit}/{item}").as_bytes());
    format!("rectify/{named}")
}

fn next_step(visit: VisitId, clock: &Clock) -> Change {
    let approval = clock.kind == ClockKind::Approval;
    let key = if approval { of_approval(visit, &clock.owner) } else { of_tell(visit) };
    match clock.next() {
        Some(step) => {
            let duty = Duty::VisitClock { clock: clock.id };
            Change::Put(Entry { key, at: step.at, duty })
        }
        None => Change::Drop(key),
    }
}

fn rectify(visit: VisitId, unit: &UnitId, result: &ItemResult) -> Option<Change> {
    let Outcome::RectifyBy(by) = result.outcome else {
        return None;
    };
    let item = result.item.clone();
    let key = of_rectification(visit, unit, &item);
    let duty = Duty::RectificationDue { visit, unit: unit.clone(), item };
    Some(Change::Put(Entry { key, at: end_of(by), duty }))
}

/// The midnight that ends a day in Asia/Shanghai.
fn end_of(day: Date) -> Timestamp {
    let midnight = day.saturating_add(1.day()).at(0, 0, 0, 0);
    tz::offset(8).to_timestamp(midnight).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calendar::Calendar,
        clock::{ClockId, Terms},
        decider::Published,
        frequency::{Party, VisitTerms},
        ids::Reference,
        kit::{day, item, moment, reference, unit},
        visits::{
            CancelReason, RefusalReason, Share,
            tests::{approved_by, plan, planned_as, scan, visit},
        },
    };

    const KEY: &str = "visit/00000000-0000-0000-0000-000000000001";

    fn document() -> Reference {
        reference("告知书〔2025〕3号")
    }

    /// A clock of the market regulator that was started on 10 March.
    fn clock(kind: ClockKind, working_days: u16) -> Clock {
        let calendar = Calendar::default();
        let warnings = VisitTerms::default().warnings;
        let calendar = Published { version: 0, document: &calendar };
        let terms = Terms { warnings, ladder: &[], version: 3, calendar };
        let now = moment("2025-03-10T10:00+08:00");
        Clock::start(ClockId(1), kind, Owner::Unit(plan(1).unit), working_days, now, terms)
    }

    #[test]
    fn a_visit_is_on_the_agenda_until_it_begins_or_ends() {
        let visit = visit(1);
        let at = moment("2025-03-11T00:00+08:00");
        let duty = Duty::ExpireVisit { visit };
        let entry = Entry { key: KEY.to_owned(), at, duty };
        assert_eq!(planned_as(plan(1)).agenda(), [Change::Put(entry)]);
        let check_in = scan("2025-03-10T10:00+08:00", false);
        let reason = CancelReason::TaskWithdrawn;
        for event in [
            Event::VisitCheckedIn {
                visit,
                check_in,
                irregularities: [].into(),
                tell: None,
                counts_on: None,
            },
            Event::VisitCancelled { visit, reason },
            Event::VisitRefused { visit, reason: RefusalReason::NotApproved },
            Event::VisitsMerged {
                visit,
                into: crate::visits::tests::visit(2),
                party: Party { unit: unit("tax"), level: None },
                share: Share { officers: [].into(), items: [].into() },
                fields: [].into(),
                lines: [].into(),
                approved: false,
                standings: vec![],
            },
            Event::VisitExpired { visit },
        ] {
            assert_eq!(event.agenda(), [Change::Drop(KEY.to_owned())], "{event:?}");
        }
        let occurred_at = moment("2025-03-10T11:30+08:00");
        for event in [
            Event::VisitApproved { visit, unit: None },
            Event::VisitNotified { visit },
            Event::VisitCheckedOut { visit, occurred_at, irregularities: [].into() },
            Event::ResultReported { visit, unit: None, results: vec![], tell: None },
            Event::VisitClosed { visit },
        ] {
            assert_eq!(event.agenda(), [], "{event:?}");
        }
    }

    #[test]
    fn what_is_owed_is_on_the_agenda_with_its_next_step_until_it_is_done() {
        let visit = visit(1);
        let reported = |tell| Event::ResultReported {
            visit,
            unit: Some(plan(1).unit),
            results: vec![],
            tell: Some(tell),
        };
        let owed = |clock| Event::ApprovalOwed { visit, clock };
        let done = Event::EnterpriseTold { visit, document: document() };
        let (tell, approval) = (clock(ClockKind::Tell, 5), clock(ClockKind::Approval, 2));
        for (clock, begins, done) in [
            (tell.clone(), reported(tell), done),
            (approval.clone(), owed(approval), approved_by(visit)),
        ] {
            let duty = Duty::VisitClock { clock: clock.id };
            let [Change::Put(first)] = &begins.agenda()[..] else {
                panic!("{begins:?}");
            };
            assert_eq!((&first.at, &first.duty), (&clock.steps[0].at, &duty));
            let steps = vec![];
            let taken =
                Event::ClockStepsTaken { visit, steps: steps.clone(), clock: clock.taken(2) };
            let red = Entry { at: clock.due, ..first.clone() };
            assert_eq!(taken.agenda(), [Change::Put(red)]);
            let all = Event::ClockStepsTaken { visit, steps, clock: clock.taken(3) };
            for event in [all, done] {
                assert_eq!(event.agenda(), [Change::Drop(first.key.clone())], "{event:?}");
            }
        }
    }

    #[test]
    fn each_unit_owes_its_own_approval() {
        let visit = visit(1);
        let of_tax = Event::VisitApproved { visit, unit: Some(unit("tax")) };
        assert_ne!(approved_by(visit).agenda(), of_tax.agenda());
        let reason = CancelReason::TaskWithdrawn;
        let gone = Event::UnitWithdrew { visit, unit: unit("tax"), reason, tell: None };
        assert_eq!(gone.agenda(), of_tax.agenda(), "who does not take part owes nothing");
    }

    #[test]
    fn what_is_to_be_rectified_is_on_the_agenda_until_the_day_goes_by() {
        let (visit, by) = (visit(1), day("2025-04-10"));
        // Ids as long as they may be still make a key that is short enough.
        let (long, item) = (unit(&"u".repeat(64)), item(&"i".repeat(64)));
        let outcome = Outcome::RectifyBy(by);
        let results = vec![
            ItemResult { item: item.clone(), outcome, unmet: [].into() },
            ItemResult { item: item.clone(), outcome: Outcome::Pass, unmet: [].into() },
        ];
        let unit = || Some(long.clone());
        let event = Event::ResultReported { visit, unit: unit(), results, tell: None };
        let [Change::Put(entry)] = &event.agenda()[..] else {
            panic!("{event:?}");
        };
        assert_eq!(entry.at, moment("2025-04-11T00:00+08:00"));
        let duty = Duty::RectificationDue { visit, unit: long.clone(), item: item.clone() };
        assert_eq!((entry.duty.clone(), entry.key.len() <= 100), (duty, true));
        let (unit, recheck) = (long, None);
        for event in [
            Event::RectificationOverdue { visit, unit: unit.clone(), item: item.clone(), by },
            Event::RectificationAccepted { visit, unit, item, recheck },
        ] {
            assert_eq!(event.agenda(), [Change::Drop(entry.key.clone())], "{event:?}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_shanghai_also_at_the_end_of_time() {
        assert_eq!(end_of(day("2024-02-28")), moment("2024-02-29T00:00+08:00"));
        assert_eq!(end_of(day("2025-12-31")), moment("2025-12-31T16:00Z"));
        assert!(end_of(Date::MAX) > moment("9999-01-01T00:00Z"));
    }
}
