//! One function for each command that moves a visit from one phase to the next.

use jiff::Timestamp;

use super::{CLOCK_AHEAD_MAX, CancelReason, Event, Phase, RefusalReason, Rejection, Visit, Visits};
use crate::{
    clock::ClockId,
    decider::Context,
    ids::{AppealId, UnitId, VisitId},
};

mod after;
mod arrive;
mod joint;
mod late;

pub(crate) use arrive::raised;

impl Visits {
    pub(super) fn known(&self, visit: VisitId) -> Result<&Visit, Rejection> {
        self.get(visit).ok_or(Rejection::VisitUnknown(visit))
    }

    /// A visit that the unit leads or takes part in.
    pub(super) fn shared(&self, visit: VisitId, unit: &UnitId) -> Result<&Visit, Rejection> {
        let known = self.known(visit)?;
        if known.takes_part(unit) {
            Ok(known)
        } else {
            Err(Rejection::OtherUnit { owner: known.plan.unit.clone() })
        }
    }

    /// A visit that the unit takes part in, or took part in until it withdrew.
    pub(super) fn called_off(&self, visit: VisitId, unit: &UnitId) -> Result<&Visit, Rejection> {
        match self.known(visit)? {
            known if known.withdrawn.contains(unit) => Ok(known),
            _ => self.shared(visit, unit),
        }
    }

    /// A visit that the unit leads.
    pub(super) fn led(&self, visit: VisitId, unit: &UnitId) -> Result<&Visit, Rejection> {
        let known = self.known(visit)?;
        if known.plan.unit == *unit {
            Ok(known)
        } else {
            Err(Rejection::OtherUnit { owner: known.plan.unit.clone() })
        }
    }

    /// The lead calls the visit off; another unit only withdraws, also once the others came without it, as
    /// long as it has not reported.
    pub(super) fn call_off(
        &self,
        context: &Context<'_>,
        known: &Visit,
        unit: &UnitId,
        reason: CancelReason,
    ) -> Result<Vec<Event>, Rejection> {
        let visit = known.plan.visit;
        let leads = known.plan.unit == *unit;
        let withdrew = |tell| vec![Event::UnitWithdrew { visit, unit: unit.clone(), reason, tell }];
        match known.phase {
            _ if known.withdrawn.contains(unit) => Ok(vec![]),
            Phase::Planned | Phase::Approved if leads => {
                Ok(vec![Event::VisitCancelled { visit, reason }])
            }
            Phase::Planned | Phase::Approved => Ok(withdrew(None)),
            Phase::CheckedIn { .. } | Phase::CheckedOut { .. }
                if !leads && !known.results.contains_key(unit) =>
            {
                Ok(withdrew(self.told_after(context, known, unit)))
            }
            Phase::Cancelled => Ok(vec![]),
            Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Closed { .. }
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => Err(known.wrong_phase("planned or approved")),
        }
    }

    /// The steps of a clock that are due. One that stopped, or none of these visits, has nothing due.
    pub(super) fn take_steps(&self, context: &Context<'_>, id: ClockId) -> Vec<Event> {
        let Some((visit, clock)) = self.with_clock(id) else {
            return vec![];
        };
        let taken = clock.climbed(context.now, None, context.calendar.document);
        let visit = visit.plan.visit;
        taken
            .map(|(steps, clock)| Event::ClockStepsTaken { visit, steps, clock })
            .into_iter()
            .collect()
    }

    /// Every unit that took part is held: the enterprise complained about them all. A visit that the enterprise
    /// knows nothing of holds nobody, and none once a complaint about it was answered.
    pub(super) fn hold(&self, visit: VisitId, appeal: AppealId) -> Result<Vec<Event>, Rejection> {
        let known = self.known(visit)?;
        let before = self.holds.values().any(|hold| hold.visit == visit && hold.lifted);
        if self.holds.contains_key(&appeal) || before || !known.is_announced() {
            return Ok(vec![]);
        }
        let units = known.shares.keys().cloned();
        Ok(units.map(|unit| Event::VisitsHeld { visit, unit, appeal }).collect())
    }

    pub(super) fn lift_hold(&self, appeal: AppealId) -> Vec<Event> {
        match self.holds.get(&appeal) {
            Some(hold) if !hold.lifted => vec![Event::HoldLifted { visit: hold.visit, appeal }],
            Some(_) | None => vec![],
        }
    }
}

impl Visit {
    pub(super) fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase_name(), wanted }
    }

    /// Approval is also made up once the officers came (补办审批).
    pub(super) fn approve(&self, unit: &UnitId) -> Result<Vec<Event>, Rejection> {
        let visit = self.plan.visit;
        let approved = Event::VisitApproved { visit, unit: Some(unit.clone()) };
        match self.phase {
            _ if self.approvals.contains(unit) => Ok(vec![]),
            Phase::Reported { .. } if self.told && self.is_settled_but(&[], Some(unit)) => {
                Ok(vec![approved, Event::VisitClosed { visit }])
            }
            Phase::Planned
            | Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Closed { .. } => Ok(vec![approved]),
            Phase::Cancelled | Phase::Expired | Phase::Refused | Phase::Merged { .. } => {
                Err(self.wrong_phase("planned"))
            }
        }
    }

    pub(super) fn notify(&self) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            _ if self.notified => Ok(vec![]),
            Phase::Approved => Ok(vec![Event::VisitNotified { visit: self.plan.visit }]),
            Phase::Planned
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Closed { .. }
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => Err(self.wrong_phase("approved")),
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
            Phase::CheckedIn { .. } => Ok(vec![Event::VisitCheckedOut {
                visit: self.plan.visit,
                occurred_at,
                irregularities: [].into(),
            }]),
            Phase::CheckedOut { .. } | Phase::Reported { .. } | Phase::Closed { .. } => Ok(vec![]),
            Phase::Planned
            | Phase::Approved
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => Err(self.wrong_phase("checked in")),
        }
    }

    /// At the door, not on paper beforehand. Who already let the officers in may complain.
    pub(super) fn refuse(
        &self,
        context: &Context<'_>,
        reason: RefusalReason,
        shown: bool,
    ) -> Result<Vec<Event>, Rejection> {
        // Of a visit that it was not told of it knows nothing before it saw its code.
        if !shown && !self.is_announced() {
            return Err(Rejection::VisitUnknown(self.plan.visit));
        }
        let early = self.is_ahead() && context.today() < self.plan.on;
        match self.phase {
            _ if early && self.is_announced() => {
                Err(Rejection::BeforePlannedDay { on: self.plan.on })
            }
            _ if early => Err(Rejection::VisitUnknown(self.plan.visit)),
            Phase::Planned | Phase::Approved => {
                Ok(vec![Event::VisitRefused { visit: self.plan.visit, reason }])
            }
            Phase::Refused => Ok(vec![]),
            Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Reported { .. }
            | Phase::Closed { .. }
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Merged { .. } => Err(self.wrong_phase("planned or approved")),
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
            | Phase::Closed { .. }
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => Ok(vec![]),
        }
    }
}

pub(super) fn in_future(context: &Context<'_>, at: Timestamp) -> bool {
    at.duration_since(context.now) > CLOCK_AHEAD_MAX
}
