//! One function for each command on visits.

use super::{
    catalogued::{catalogue_of, invalid_officer},
    *,
};
use crate::{
    calendar::civil_date,
    frequency::{FrequencyPolicy, Held, OnExceeding, excessive, overshot},
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
        let mut irregularities = visit.irregularities(context, check_in);
        if !check_in.offline && !irregularities.is_empty() {
            return Err(visit.refuse_live(context, &irregularities, check_in));
        }
        let raised = match context.frequency {
            Some(policy) => self.raised(context, policy.document, visit, check_in),
            None if check_in.offline => {
                irregularities.insert(Irregularity::LimitsUnchecked);
                vec![]
            }
            None => return Err(Rejection::PolicyUnpublished),
        };
        if !check_in.offline {
            let exhausted = raised.iter().filter_map(refused).cloned().collect::<Vec<_>>();
            if !exhausted.is_empty() {
                return Err(Rejection::CapReached { exhausted });
            }
        }
        let happened = Event::VisitCheckedIn {
            visit: visit.plan.visit,
            check_in: check_in.clone(),
            irregularities,
        };
        Ok(std::iter::once(happened).chain(raised).collect())
    }

    /// What the supervision body is told once this visit counts as carried out.
    fn raised(
        &self,
        context: &Context<'_>,
        policy: &FrequencyPolicy,
        visit: &Visit,
        check_in: &CheckIn,
    ) -> Vec<Event> {
        let id = visit.plan.visit;
        let on = counts_on(visit.plan.on, check_in.occurred_at);
        let happened = visit.as_entry(on, Held::Used, check_in.officers.clone());
        let registered = context.profile.and_then(|profile| profile.registered());
        let traits = registered.map(|registered| registered.traits(on)).unwrap_or_default();
        let entries = self.entries(id);
        // A scan that takes the very place that the plan held exceeds nothing new.
        let held = visit
            .entry()
            .is_some_and(|held| held.on == happened.on && held.officers == happened.officers);
        let unjustified = !held && visit.plan.justification.is_none();
        let told = |standing: Standing| match standing.on_exceeding {
            OnExceeding::Refuse => Some(Event::CapExceeded { visit: id, standing }),
            OnExceeding::NeedsExplanation | OnExceeding::NeedsApproval => {
                unjustified.then_some(Event::CapExceeded { visit: id, standing })
            }
            OnExceeding::Warn => Some(Event::RepeatVisits { visit: id, standing }),
        };
        let exceeded = overshot(policy, &traits, &entries, &happened).into_iter().filter_map(told);
        let excess = excessive(policy, &traits, &entries, &happened);
        let excess = excess.map(|(count, from, until)| Event::VisitsExcessive {
            visit: id,
            count,
            from,
            until,
        });
        exceeded.chain(excess).collect()
    }
}

/// The limit that forbids a live scan to raise the event.
fn refused(raised: &Event) -> Option<&Standing> {
    let Event::CapExceeded { standing, .. } = raised else {
        return None;
    };
    (standing.on_exceeding == OnExceeding::Refuse).then_some(standing)
}

impl Visit {
    fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase_name(), wanted }
    }

    fn irregularities(&self, context: &Context<'_>, check_in: &CheckIn) -> BTreeSet<Irregularity> {
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
        let invalid = self.invalid_officer(context, check_in);
        let invalid = invalid.map(|_| Irregularity::OfficerInvalid);
        phase.into_iter().chain(early).chain(few).chain(invalid).collect()
    }

    /// An officer without a valid certificate, where the unit's catalogue is at hand.
    fn invalid_officer<'a>(
        &self,
        context: &Context<'_>,
        check_in: &'a CheckIn,
    ) -> Option<&'a CertificateNumber> {
        let catalogue = catalogue_of(context, &self.plan.unit)?.document;
        invalid_officer(catalogue, &check_in.officers, civil_date(check_in.occurred_at))
    }

    fn refuse_live(
        &self,
        context: &Context<'_>,
        found: &BTreeSet<Irregularity>,
        check_in: &CheckIn,
    ) -> Rejection {
        if found.contains(&Irregularity::TooFewOfficers) {
            Rejection::TooFewOfficers { found: check_in.officers.len() }
        } else if found.contains(&Irregularity::BeforePlannedDay) {
            Rejection::BeforePlannedDay { on: self.plan.on }
        } else if let (Phase::Approved, Some(certificate)) =
            (&self.phase, self.invalid_officer(context, check_in))
        {
            Rejection::OfficerInvalid { certificate: certificate.clone() }
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

pub(super) fn enough_officers(officers: &BTreeSet<CertificateNumber>) -> Result<(), Rejection> {
    if officers.len() < OFFICERS_MIN {
        return Err(Rejection::TooFewOfficers { found: officers.len() });
    }
    Ok(())
}
