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
        let mut actions: Vec<Action> = self
            .waiting
            .iter()
            .map(|(visit, on)| Action { on: *on, visit: *visit })
            .collect();
        actions.sort_by_key(|action| action.on);
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visits::tests::{plan, visit};

    #[test]
    fn a_visit_waits_until_it_begins_or_ends() {
        let planned = visits::Event::VisitPlanned {
            plan: plan(1),
            area: None,
            policy_version: 1,
            standings: vec![],
        };
        let after = |process: Expiry, input: &visits::Event| {
            process.react(input).iter().fold(process, Expiry::evolve)
        };
        let waiting = after(Expiry::default(), &planned);
        assert_eq!(waiting.pending(), [Action { on: plan(1).on, visit: visit(1) }]);
        let done = after(waiting, &visits::Event::VisitExpired { visit: visit(1) });
        assert_eq!(done, Expiry::default());
    }
}
