//! From facts to alerts: a pure fold that remembers who planned which visit.

use std::collections::{HashMap, HashSet};

use doudi_domain::{
    AreaCode, EnterpriseId, UnitId, VisitId,
    clock::{Owner, Step},
    visits::{Event, Irregularity},
};

use super::{Alert, Reason};
use crate::{
    db,
    fact::{Content, Fact},
};

/// A visit of an enterprise. Ids are derived from what clients choose, so only both together are
/// unique.
pub(super) type Key = (VisitId, EnterpriseId);

/// Who planned a visit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) unit: UnitId,
    pub(super) area: Option<AreaCode>,
}

/// What is known of the visits concerned, and which of them the facts planned.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) visits: HashMap<Key, Planned>,
    pub(super) planned: HashSet<Key>,
}

/// The visits that alerts are about.
pub(super) fn visits_of(facts: &[Fact]) -> Vec<VisitId> {
    let events = facts.iter().flat_map(|fact| of_visits(fact).1);
    let alarming = events.filter_map(|event| told(event).map(|told| told.visit));
    alarming.collect::<HashSet<_>>().into_iter().collect()
}

fn of_visits(fact: &Fact) -> (Option<&EnterpriseId>, &[Event]) {
    match &*fact.content {
        Content::Visits(enterprise, events) => (Some(enterprise), events),
        Content::Profile(..)
        | Content::Appeal(..)
        | Content::Diagnosis(..)
        | Content::Ratings(..)
        | Content::Device(..)
        | Content::Policy(..)
        | Content::Webhook(..) => (None, &[]),
    }
}

/// What an event tells the supervision body.
struct Told {
    visit: VisitId,
    reason: Reason,
    /// The unit it is about, where that is not the one that planned the visit.
    unit: Option<UnitId>,
}

impl Told {
    fn of(visit: VisitId, reason: Reason) -> Option<Self> {
        Some(Self { visit, reason, unit: None })
    }
}

fn told(event: &Event) -> Option<Told> {
    match event {
        Event::CapExceeded { visit, standing } => {
            Told::of(*visit, Reason::CapExceeded(standing.clone()))
        }
        Event::RepeatVisits { visit, standing } => {
            Told::of(*visit, Reason::RepeatVisits(standing.clone()))
        }
        Event::VisitsExcessive { visit, count, from, until } => {
            let reason = Reason::VisitsExcessive { count: *count, from: *from, until: *until };
            Told::of(*visit, reason)
        }
        Event::VisitCheckedIn { visit, irregularities, .. }
        | Event::VisitCheckedOut { visit, irregularities, .. } => {
            let suspect = irregularities.iter().any(|found| is_suspect(*found));
            let reason = || Reason::ScanSuspect { irregularities: irregularities.clone() };
            suspect.then(reason).and_then(|reason| Told::of(*visit, reason))
        }
        Event::ScanSetAside { record, reason } => {
            let (visit, unit) = (record.visit, Some(record.unit.clone()));
            Some(Told { visit, reason: Reason::ScanSetAside { reason: *reason }, unit })
        }
        Event::RectificationOverdue { visit, unit, item, by } => {
            let reason = Reason::RectificationOverdue { item: item.clone(), by: *by };
            Some(Told { visit: *visit, reason, unit: Some(unit.clone()) })
        }
        Event::ClockStepsTaken { visit, steps, clock } => {
            let reason = Reason::PromiseOverdue { kind: clock.kind };
            let unit = if let Owner::Unit(unit) = &clock.owner { Some(unit.clone()) } else { None };
            steps.contains(&Step::Red).then_some(Told { visit: *visit, reason, unit })
        }
        Event::VisitPlanned { .. }
        | Event::VisitApproved { .. }
        | Event::ResultReported { .. }
        | Event::VisitCancelled { .. }
        | Event::VisitNotified { .. }
        | Event::VisitsMerged { .. }
        | Event::UnitWithdrew { .. }
        | Event::ApprovalOwed { .. }
        | Event::EnterpriseTold { .. }
        | Event::RectificationReported { .. }
        | Event::RectificationAccepted { .. }
        | Event::VisitClosed { .. }
        | Event::VisitRefused { .. }
        | Event::VisitsHeld { .. }
        | Event::HoldLifted { .. }
        | Event::OffSiteCheckRecorded { .. }
        | Event::VisitExpired { .. } => None,
    }
}

/// Whether it casts doubt on the scan itself, or on whether the officers should have been there.
fn is_suspect(found: Irregularity) -> bool {
    match found {
        Irregularity::CodeInvalid
        | Irregularity::CodeOfOther
        | Irregularity::CodeReplayed
        | Irregularity::CodeRevoked
        | Irregularity::ClockSuspect
        | Irregularity::DeviceCloned
        | Irregularity::ChainBroken
        | Irregularity::PlaceImplausible
        | Irregularity::OfficerInvalid
        | Irregularity::TooFewOfficers
        | Irregularity::Held
        | Irregularity::NotApproved
        | Irregularity::AfterRefusal
        | Irregularity::AfterCancellation
        | Irregularity::AfterExpiry
        | Irregularity::AfterMerge
        | Irregularity::BeforePlannedDay
        | Irregularity::BackfilledLate
        | Irregularity::Unplanned
        | Irregularity::EvidenceMissing
        | Irregularity::OutsideCatalogue => true,
        Irregularity::LimitsUnchecked
        | Irregularity::CodeMissing
        | Irregularity::EnterpriseUnregistered => false,
    }
}

impl Known {
    /// The alerts that the facts raise, in their order.
    pub(super) fn fold(&mut self, facts: &[Fact]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for fact in facts {
            let (Some(enterprise), events) = of_visits(fact) else {
                continue;
            };
            for (ordinal, event) in (0_u32..).zip(events) {
                self.plan(enterprise, event);
                alerts.extend(self.alert(fact, ordinal, enterprise, event));
            }
        }
        alerts
    }

    fn plan(&mut self, enterprise: &EnterpriseId, event: &Event) {
        if let Event::VisitPlanned { plan, area, .. } = event {
            let key = (plan.visit, enterprise.clone());
            let planned = Planned { unit: plan.unit.clone(), area: area.clone() };
            self.planned.insert(key.clone());
            self.visits.insert(key, planned);
        }
    }

    fn alert(
        &self,
        fact: &Fact,
        ordinal: u32,
        enterprise: &EnterpriseId,
        event: &Event,
    ) -> Option<Alert> {
        let Told { visit, reason, unit } = told(event)?;
        let planned = self.visits.get(&(visit, enterprise.clone()));
        Some(Alert {
            position: db::position(fact.position),
            ordinal,
            enterprise: enterprise.clone(),
            visit,
            unit: unit.or_else(|| planned.map(|planned| planned.unit.clone())),
            area: planned.and_then(|planned| planned.area.clone()),
            occurred_at: fact.recorded_at,
            reason,
        })
    }
}

#[cfg(test)]
mod tests;
