//! The expiry process: a planned visit that is not begun in time gives its place back.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{decider::Process, ids::VisitId, visits};

/// What the process remembers of one enterprise's visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A visit waits for its day.
    Armed {
        /// The visit.
        visit: VisitId,
        /// The planned day.
        on: Date,
    },
    /// The visit has begun or ended.
    Disarmed {
        /// The visit.
        visit: VisitId,
    },
}

/// A visit that should expire once its planned day, and the grace that the operator gives, is past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The planned day.
    pub on: Date,
    /// The visit to expire.
    pub visit: VisitId,
}

/// The visits of one enterprise that wait for their day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expiry {
    waiting: BTreeMap<VisitId, Date>,
}

impl Process for Expiry {
    type Input = visits::Event;
    type Event = Event;
    type Action = Action;

    fn react(&self, input: &visits::Event) -> Vec<Event> {
        match input {
            visits::Event::VisitPlanned { plan, .. } => {
                vec![Event::Armed { visit: plan.visit, on: plan.on }]
            }
            visits::Event::VisitCheckedIn { visit, .. }
            | visits::Event::VisitCancelled { visit, .. }
            | visits::Event::VisitExpired { visit } => vec![Event::Disarmed { visit: *visit }],
            visits::Event::VisitApproved { .. }
            | visits::Event::CapExceeded { .. }
            | visits::Event::VisitCheckedOut { .. }
            | visits::Event::ResultReported { .. } => vec![],
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Armed { visit, on } => self.waiting.insert(*visit, *on),
            Event::Disarmed { visit } => self.waiting.remove(visit),
        };
        self
    }

    fn pending(&self) -> Vec<Action> {
        let mut actions: Vec<Action> =
            self.waiting.iter().map(|(visit, on)| Action { on: *on, visit: *visit }).collect();
        actions.sort_by_key(|action| action.on);
        actions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        kit::{day, moment},
        visits::{
            CancelReason, CheckIn, Plan,
            tests::{plan, visit},
        },
    };

    fn planned(plan: Plan) -> visits::Event {
        visits::Event::VisitPlanned { plan, area: None, policy_version: 1, standings: vec![] }
    }

    fn after(process: Expiry, input: &visits::Event) -> Expiry {
        process.react(input).iter().fold(process, Expiry::evolve)
    }

    #[test]
    fn a_visit_waits_until_it_begins_or_ends() {
        let visit = visit(1);
        let occurred_at = moment("2025-03-10T10:00+08:00");
        let came = CheckIn { officers: plan(1).officers, occurred_at, offline: false };
        let irregularities = BTreeSet::new();
        let reason = CancelReason::TaskWithdrawn;
        for (event, waits) in [
            (planned(plan(1)), true),
            (visits::Event::VisitApproved { visit }, true),
            (visits::Event::VisitCheckedIn { visit, check_in: came, irregularities }, false),
            (visits::Event::VisitCheckedOut { visit, occurred_at }, true),
            (visits::Event::ResultReported { visit, results: vec![] }, true),
            (visits::Event::VisitCancelled { visit, reason }, false),
            (visits::Event::VisitExpired { visit }, false),
        ] {
            let found = after(after(Expiry::default(), &planned(plan(1))), &event).pending();
            let action = Action { on: plan(1).on, visit };
            let expected = if waits { vec![action] } else { vec![] };
            assert_eq!(found, expected, "{event:?}");
        }
    }

    #[test]
    fn the_oldest_is_due_first() {
        let days = ["2025-06-01", "2025-03-10", "2025-04-27"];
        let process = (1..).zip(days).fold(Expiry::default(), |process, (n, on)| {
            after(process, &planned(Plan { on: day(on), ..plan(n) }))
        });
        let order: Vec<VisitId> = process.pending().iter().map(|action| action.visit).collect();
        assert_eq!(order, [2, 3, 1].map(visit));
    }
}
