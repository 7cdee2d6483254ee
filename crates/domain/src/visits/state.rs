//! What is known of an enterprise's visits as far as some rule reads it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ItemResult, Plan, counts_on};
use crate::{
    frequency::{Entry, Held},
    ids::VisitId,
};

/// The visits of one enterprise (入企检查台账).
#[derive(Debug, Clone, Default)]
pub struct Visits {
    visits: BTreeMap<VisitId, Visit>,
}

/// One visit as far as some rule reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// What was planned.
    pub plan: Plan,
    /// How far it is.
    pub phase: Phase,
}

/// How far a visit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Planned; holds a place.
    Planned,
    /// Approved; holds a place.
    Approved,
    /// The officers are there.
    CheckedIn {
        /// Since when.
        at: Timestamp,
    },
    /// The officers have left.
    CheckedOut {
        /// When they came.
        at: Timestamp,
    },
    /// The results are reported.
    Reported {
        /// When they came.
        at: Timestamp,
        /// What was reported.
        results: Vec<ItemResult>,
    },
    /// Cancelled; holds no place.
    Cancelled,
    /// Expired; holds no place.
    Expired,
}

impl Visit {
    /// The phase's name, as in `WrongPhase`.
    #[must_use]
    pub fn phase_name(&self) -> &'static str {
        match self.phase {
            Phase::Planned => "planned",
            Phase::Approved => "approved",
            Phase::CheckedIn { .. } => "checked in",
            Phase::CheckedOut { .. } => "checked out",
            Phase::Reported { .. } => "reported",
            Phase::Cancelled => "cancelled",
            Phase::Expired => "expired",
        }
    }

    /// When the officers came, once they have.
    #[must_use]
    pub fn checked_in_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::CheckedIn { at } | Phase::CheckedOut { at } | Phase::Reported { at, .. } => {
                Some(at)
            }
            Phase::Planned | Phase::Approved | Phase::Cancelled | Phase::Expired => None,
        }
    }

    /// The place it holds, if it holds one.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let (held, on) = match self.phase {
            Phase::Planned | Phase::Approved => (Held::Reserved, self.plan.on),
            Phase::CheckedIn { at } | Phase::CheckedOut { at } | Phase::Reported { at, .. } => {
                (Held::Used, counts_on(self.plan.on, at))
            }
            Phase::Cancelled | Phase::Expired => return None,
        };
        let Plan { visit, unit, ground, .. } = &self.plan;
        Some(Entry { visit: *visit, unit: unit.clone(), ground: *ground, on, held })
    }
}

impl Visits {
    /// The visit with that id.
    #[must_use]
    pub fn get(&self, visit: VisitId) -> Option<&Visit> {
        self.visits.get(&visit)
    }

    /// Every place held, `except` one visit's.
    pub(super) fn entries(&self, except: VisitId) -> Vec<Entry> {
        let others = self.visits.iter().filter(|(id, _)| **id != except);
        others.filter_map(|(_, visit)| visit.entry()).collect()
    }

    pub(super) fn insert(mut self, plan: Plan) -> Self {
        self.visits.insert(plan.visit, Visit { plan, phase: Phase::Planned });
        self
    }

    pub(super) fn enter(mut self, visit: VisitId, phase: Phase) -> Self {
        if let Some(known) = self.visits.get_mut(&visit) {
            known.phase = phase;
        }
        self
    }

    pub(super) fn since_check_in(
        self,
        visit: VisitId,
        phase: impl FnOnce(Timestamp) -> Phase,
    ) -> Self {
        match self.get(visit).and_then(Visit::checked_in_at) {
            Some(at) => self.enter(visit, phase(at)),
            None => self,
        }
    }
}
