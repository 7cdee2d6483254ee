//! From facts to alerts: a pure fold that remembers who planned which visit.

use std::collections::{HashMap, HashSet};

use doudi_domain::{AreaCode, EnterpriseId, UnitId, VisitId, visits::Event};

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
    let alarming = events.filter_map(|event| reason(event).map(|(visit, _)| visit));
    alarming.collect::<HashSet<_>>().into_iter().collect()
}

fn of_visits(fact: &Fact) -> (Option<&EnterpriseId>, &[Event]) {
    match &fact.content {
        Content::Visits(enterprise, events) => (Some(enterprise), events),
        Content::Profile(..)
        | Content::Appeal(..)
        | Content::Diagnosis(..)
        | Content::Policy(..) => (None, &[]),
    }
}

/// Of which visit an event is an alert, and why.
fn reason(event: &Event) -> Option<(VisitId, Reason)> {
    match event {
        Event::CapExceeded { visit, standing } => {
            Some((*visit, Reason::CapExceeded(standing.clone())))
        }
        Event::RepeatVisits { visit, standing } => {
            Some((*visit, Reason::RepeatVisits(standing.clone())))
        }
        Event::VisitsExcessive { visit, count, from, until } => {
            let reason = Reason::VisitsExcessive { count: *count, from: *from, until: *until };
            Some((*visit, reason))
        }
        Event::VisitPlanned { .. }
        | Event::VisitApproved { .. }
        | Event::VisitCheckedIn { .. }
        | Event::VisitCheckedOut { .. }
        | Event::ResultReported { .. }
        | Event::VisitCancelled { .. }
        | Event::VisitExpired { .. } => None,
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
        let (visit, reason) = reason(event)?;
        let planned = self.visits.get(&(visit, enterprise.clone()));
        Some(Alert {
            position: db::position(fact.position),
            ordinal,
            enterprise: enterprise.clone(),
            visit,
            unit: planned.map(|planned| planned.unit.clone()),
            area: planned.and_then(|planned| planned.area.clone()),
            occurred_at: fact.recorded_at,
            reason,
        })
    }
}

#[cfg(test)]
mod tests;
