//! What is known of an enterprise's visits as far as some rule reads it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{ItemResult, Plan, counts_on, found_something};
use crate::{
    frequency::{Entry, Held, Party},
    ids::{CertificateNumber, FieldId, ItemId, VisitId},
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
    /// The units that take part, the lead first.
    pub parties: Vec<Party>,
    /// The field of each item, as far as it is known.
    pub fields: BTreeMap<ItemId, FieldId>,
    /// The officers planned; those who came, once they have.
    pub officers: BTreeSet<CertificateNumber>,
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
    pub(super) fn planned(
        plan: Plan,
        parties: Vec<Party>,
        fields: BTreeMap<ItemId, FieldId>,
    ) -> Self {
        Self { officers: plan.officers.clone(), plan, parties, fields, phase: Phase::Planned }
    }

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
        Some(self.as_entry(on, held, self.officers.clone()))
    }

    /// The visit as the limits would see it on a day, with those officers.
    pub(super) fn as_entry(
        &self,
        on: Date,
        held: Held,
        officers: BTreeSet<CertificateNumber>,
    ) -> Entry {
        let items = self.plan.items.iter();
        Entry {
            visit: self.plan.visit,
            parties: self.parties.clone(),
            items: items.map(|item| (item.clone(), self.fields.get(item).cloned())).collect(),
            officers,
            ground: self.plan.ground,
            on,
            held,
            finding: self.finding(),
        }
    }

    /// Whether something was found; none while nothing is reported.
    fn finding(&self) -> Option<bool> {
        match &self.phase {
            Phase::Reported { results, .. } => Some(found_something(results)),
            Phase::Planned
            | Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Cancelled
            | Phase::Expired => None,
        }
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

    pub(super) fn insert(
        mut self,
        plan: Plan,
        parties: Vec<Party>,
        fields: BTreeMap<ItemId, FieldId>,
    ) -> Self {
        let planned = Visit::planned(plan, parties, fields);
        self.visits.insert(planned.plan.visit, planned);
        self
    }

    pub(super) fn came(mut self, visit: VisitId, officers: BTreeSet<CertificateNumber>) -> Self {
        if let Some(known) = self.visits.get_mut(&visit) {
            known.officers = officers;
        }
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
