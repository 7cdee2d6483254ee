//! One function for each command on visits.

use jiff::ToSpan;

use super::*;
use crate::{
    calendar::civil_date,
    frequency::{Entry, FrequencyPolicy, Held, exhausted, standings},
};

impl Visits {
    pub(super) fn known(&self, visit: VisitId) -> Result<&Visit, Rejection> {
        self.get(visit).ok_or(Rejection::VisitUnknown(visit))
    }

    pub(super) fn owned(&self, visit: VisitId, unit: &UnitId) -> Result<&Visit, Rejection> {
        let known = self.known(visit)?;
        if known.plan.unit == *unit {
            Ok(known)
        } else {
            Err(Rejection::OtherUnit { owner: known.plan.unit.clone() })
        }
    }

    pub(super) fn plan(&self, context: &Context<'_>, plan: &Plan) -> Result<Vec<Event>, Rejection> {
        if let Some(known) = self.get(plan.visit) {
            let same = known.plan == *plan;
            return if same { Ok(vec![]) } else { Err(Rejection::PlannedDifferently(plan.visit)) };
        }
        let Some(profile) = context.profile.and_then(|profile| profile.registered()) else {
            return Err(Rejection::EnterpriseUnregistered);
        };
        let policy = context.frequency.ok_or(Rejection::PolicyUnpublished)?;
        enough_officers(&plan.officers)?;
        if plan.items.is_empty() {
            return Err(Rejection::NoItems);
        }
        let from = context.today();
        let until = from.saturating_add(PLANNED_AHEAD_MAX.days());
        if plan.on < from || plan.on > until {
            return Err(Rejection::DateOutOfRange { on: plan.on, from, until });
        }
        if plan.evidence.is_none() && policy.document.exempts(plan.ground, plan.on) {
            return Err(Rejection::EvidenceMissing);
        }
        let entries = self.entries(plan.visit);
        let exhausted = exhausted(policy.document, &entries, &plan.unit, plan.ground, plan.on);
        if !exhausted.is_empty() {
            return Err(Rejection::CapReached { exhausted });
        }
        Ok(vec![Event::VisitPlanned {
            plan: plan.clone(),
            area: Some(profile.area.clone()),
            policy_version: policy.version,
            standings: standings(policy.document, &entries, &plan.unit, plan.on),
        }])
    }

    /// A live scan must be in order. A scan handed in later already happened: it is recorded, with
    /// what was not in order, and what it overshoots is raised.
    pub(super) fn check_in(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        check_in: &CheckIn,
    ) -> Result<Vec<Event>, Rejection> {
        if let Some(at) = visit.checked_in_at() {
            // The same scan again changes nothing; another scan of the same visit neither.
            let live_or_same = !check_in.offline || at == check_in.occurred_at;
            return if live_or_same { Ok(vec![]) } else { Err(visit.wrong_phase("approved")) };
        }
        if in_future(context, check_in.occurred_at) {
            return Err(Rejection::InFuture { occurred_at: check_in.occurred_at });
        }
        let mut irregularities = visit.irregularities(check_in);
        if !check_in.offline && !irregularities.is_empty() {
            return Err(visit.refuse_live(&irregularities, check_in));
        }
        let overshot = match context.frequency {
            Some(policy) => self.overshot(policy.document, visit, check_in),
            None if check_in.offline => {
                irregularities.insert(Irregularity::LimitsUnchecked);
                vec![]
            }
            None => return Err(Rejection::PolicyUnpublished),
        };
        if !check_in.offline && !overshot.is_empty() {
            return Err(Rejection::CapReached { exhausted: overshot });
        }
        let id = visit.plan.visit;
        let raised =
            overshot.into_iter().map(|standing| Event::CapExceeded { visit: id, standing });
        let happened =
            Event::VisitCheckedIn { visit: id, check_in: check_in.clone(), irregularities };
        Ok(std::iter::once(happened).chain(raised).collect())
    }

    /// The rules that stand exceeded once this visit counts as carried out.
    fn overshot(
        &self,
        policy: &FrequencyPolicy,
        visit: &Visit,
        check_in: &CheckIn,
    ) -> Vec<Standing> {
        let Plan { visit: id, unit, ground, .. } = &visit.plan;
        let on = counts_on(visit.plan.on, check_in.occurred_at);
        let mut entries = self.entries(*id);
        entries.push(Entry {
            visit: *id,
            unit: unit.clone(),
            ground: *ground,
            on,
            held: Held::Used,
        });
        let mut found = standings(policy, &entries, unit, on);
        found.retain(|standing| standing.visits.contains(id) && standing.is_exceeded());
        found
    }
}

impl Visit {
    fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase_name(), wanted }
    }

    fn irregularities(&self, check_in: &CheckIn) -> BTreeSet<Irregularity> {
        let phase = match self.phase {
            Phase::Planned => Some(Irregularity::NotApproved),
            Phase::Cancelled => Some(Irregularity::AfterCancellation),
            Phase::Expired => Some(Irregularity::AfterExpiry),
            Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. } => None,
        };
        let early = (civil_date(check_in.occurred_at) < self.plan.on)
            .then_some(Irregularity::BeforePlannedDay);
        let few = (check_in.officers.len() < OFFICERS_MIN).then_some(Irregularity::TooFewOfficers);
        phase.into_iter().chain(early).chain(few).collect()
    }

    fn refuse_live(&self, found: &BTreeSet<Irregularity>, check_in: &CheckIn) -> Rejection {
        if found.contains(&Irregularity::TooFewOfficers) {
            Rejection::TooFewOfficers { found: check_in.officers.len() }
        } else if found.contains(&Irregularity::BeforePlannedDay) {
            Rejection::BeforePlannedDay { on: self.plan.on }
        } else {
            self.wrong_phase("approved")
        }
    }

    pub(super) fn approve(&self) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Planned => Ok(vec![Event::VisitApproved { visit: self.plan.visit }]),
            Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. } => Ok(vec![]),
            Phase::Cancelled | Phase::Expired => Err(self.wrong_phase("planned")),
        }
    }

    pub(super) fn check_out(
        &self,
        context: &Context<'_>,
        occurred_at: Timestamp,
    ) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::CheckedIn { at } if occurred_at < at => {
                Err(Rejection::OutBeforeIn { checked_in_at: at })
            }
            Phase::CheckedIn { .. } if in_future(context, occurred_at) => {
                Err(Rejection::InFuture { occurred_at })
            }
            Phase::CheckedIn { .. } => {
                Ok(vec![Event::VisitCheckedOut { visit: self.plan.visit, occurred_at }])
            }
            Phase::CheckedOut { .. } | Phase::Reported { .. } => Ok(vec![]),
            Phase::Planned | Phase::Approved | Phase::Cancelled | Phase::Expired => {
                Err(self.wrong_phase("checked in"))
            }
        }
    }

    pub(super) fn report(&self, results: &[ItemResult]) -> Result<Vec<Event>, Rejection> {
        match &self.phase {
            Phase::CheckedOut { .. } => {
                self.each_item_once(results)?;
                let visit = self.plan.visit;
                Ok(vec![Event::ResultReported { visit, results: results.to_vec() }])
            }
            Phase::Reported { results: known, .. } if known == results => Ok(vec![]),
            Phase::Planned
            | Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::Reported { .. }
            | Phase::Cancelled
            | Phase::Expired => Err(self.wrong_phase("checked out")),
        }
    }

    fn each_item_once(&self, results: &[ItemResult]) -> Result<(), Rejection> {
        let mut open = self.plan.items.clone();
        for result in results {
            if !open.remove(&result.item) {
                return Err(Rejection::ItemsDiffer { item: result.item.clone() });
            }
        }
        open.pop_first().map_or(Ok(()), |item| Err(Rejection::ItemsDiffer { item }))
    }

    pub(super) fn cancel(&self, reason: CancelReason) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Planned | Phase::Approved => {
                Ok(vec![Event::VisitCancelled { visit: self.plan.visit, reason }])
            }
            Phase::Cancelled => Ok(vec![]),
            Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Expired => Err(self.wrong_phase("planned or approved")),
        }
    }

    pub(super) fn expire(&self, context: &Context<'_>) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Planned | Phase::Approved if context.today() <= self.plan.on => {
                Err(Rejection::NotYetExpired { on: self.plan.on })
            }
            Phase::Planned | Phase::Approved => {
                Ok(vec![Event::VisitExpired { visit: self.plan.visit }])
            }
            Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Cancelled
            | Phase::Expired => Ok(vec![]),
        }
    }
}

fn in_future(context: &Context<'_>, at: Timestamp) -> bool {
    at.duration_since(context.now) > CLOCK_AHEAD_MAX
}

fn enough_officers(officers: &BTreeSet<CertificateNumber>) -> Result<(), Rejection> {
    if officers.len() < OFFICERS_MIN {
        return Err(Rejection::TooFewOfficers { found: officers.len() });
    }
    Ok(())
}
