//! Within a unit: more time, standstill, other units' parts, mediation, resolution.

use super::*;
use crate::{
    appeal::{
        case::{Diagnosis, Resolution, Task},
        matter::Outcome,
    },
    clock::{Clock, PauseGround},
    ids::Reference,
};

impl Case {
    /// Asked for at least one working day before due, once in each handling, granted by the desk.
    pub(super) fn ask_extension(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        working_days: u16,
        reason: &Sealed,
    ) -> Decided {
        led_by(self.handler()?, unit)?;
        self.readable()?;
        self.not_paused()?;
        match self.extension {
            Extension::Asked(known) if known == working_days => return Ok(vec![]),
            Extension::Asked(_) | Extension::Decided => return Err(Rejection::ExtensionSpent),
            Extension::None => {}
        }
        let max = self.terms.case_type.bounds.extension_max;
        if max == 0 {
            return Err(Rejection::ExtensionSpent);
        }
        if working_days == 0 || working_days > max {
            return Err(Rejection::TooManyDays { max });
        }
        let mut winder = Winder::of(context, self);
        let due = self.handling_clock(ClockKind::Resolve).map(|clock| clock.due);
        let due = due.ok_or_else(|| self.wrong_phase("in handling"))?;
        if winder.working_days_after(winder.at(), 1) > due {
            return Err(Rejection::ExtensionTooLate(due));
        }
        let allowed = self.terms.case_type.allowances.ruling;
        winder.start(ClockKind::Extension, self.desk(context), allowed);
        let (unit, reason, clocks) = (unit.clone(), reason.clone(), winder.done());
        Ok(vec![Event::ExtensionAsked { unit, working_days, reason, clocks }])
    }

    /// A refusal moves nothing; the unit's clock ran on all the while. What became overdue meanwhile
    /// is not undone.
    pub(super) fn answer_extension(&self, context: &Context<'_>, granted: bool) -> Decided {
        let Extension::Asked(working_days) = self.extension else {
            return match self.extension {
                Extension::Decided => Ok(vec![]),
                _ => Err(Rejection::ExtensionNotAsked),
            };
        };
        match self.phase {
            Phase::Dispatched(_) | Phase::InHandling(_) | Phase::Contested { .. } => {}
            _ => return Err(self.wrong_phase("dispatched, in handling or contested")),
        }
        let mut winder = Winder::of(context, self);
        winder.stop_kinds(self, &[ClockKind::Extension]);
        if !granted {
            return Ok(vec![Event::ExtensionRefused { lapsed: false, clocks: winder.done() }]);
        }
        self.not_paused()?;
        if let Some(clock) = self.handling_clock(ClockKind::Resolve) {
            if clock.is_overdue(winder.at()) {
                return Err(Rejection::ExtensionTooLate(clock.due));
            }
            winder.set(clock.extend(winder.at(), working_days, winder.terms()));
        }
        Ok(vec![Event::ExtensionGranted { clocks: winder.done() }])
    }

    /// Only for material asked from the enterprise or a legal step, and bounded, all pauses of one
    /// handling together: the end of the pause is owed like anything else. What is overdue cannot be
    /// paused.
    pub(super) fn pause(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        ground: PauseGround,
        reference: &Reference,
    ) -> Decided {
        let assignment = self.handler()?;
        led_by(assignment, unit)?;
        if self.clock(ClockKind::Pause).is_some() {
            return Ok(vec![]);
        }
        let mut winder = Winder::of(context, self);
        let clock = self.handling_clock(ClockKind::Resolve);
        let clock = clock.filter(|clock| !clock.is_overdue(winder.at()));
        let clock = clock.ok_or(Rejection::PauseTooLate)?;
        let max = self.terms.case_type.bounds.pause_max;
        let bound = max.saturating_sub(paused_days(clock, &winder, max));
        if bound == 0 {
            return Err(Rejection::TooManyDays { max });
        }
        winder.set(clock.pause(winder.at(), ground, reference.clone(), winder.terms()));
        winder.start(ClockKind::Pause, Owner::Unit(unit.clone()), bound);
        let (reference, clocks) = (reference.clone(), winder.done());
        Ok(vec![Event::HandlingPaused { ground, reference, clocks }])
    }

    pub(super) fn resume(&self, context: &Context<'_>) -> Decided {
        self.handler()?;
        match self.clock(ClockKind::Pause) {
            None => Ok(vec![]),
            Some(_) => Ok(vec![self.resumed(context, false)]),
        }
    }

    /// What stood still goes on with the working time that it had left; at the bound of the pause,
    /// however much later somebody looks.
    pub(super) fn resumed(&self, context: &Context<'_>, lapsed: bool) -> Event {
        let mut winder = Winder::of(context, self);
        let bound = self.clock(ClockKind::Pause).map_or(winder.at(), |clock| clock.due);
        winder.stop_kinds(self, &[ClockKind::Pause]);
        for clock in self.clocks.values().filter(|clock| clock.is_paused()) {
            winder.set(clock.resume(winder.at().min(bound), winder.terms()));
        }
        Event::HandlingResumed { lapsed, clocks: winder.done() }
    }

    /// One open task for each other unit, owed to the lead.
    pub(super) fn request_co_handling(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        of: &UnitId,
        ask: &Sealed,
    ) -> Decided {
        led_by(self.handler()?, unit)?;
        self.readable()?;
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        let reached = routing.document.reachable(of);
        let of = reached.ok_or_else(|| Rejection::UnitUnknown(of.clone()))?.clone();
        let open = |task: &&Task| task.unit == of && task.answer.is_none();
        if let Some(task) = self.tasks.values().find(open) {
            let same = task.ask == *ask;
            return if same { Ok(vec![]) } else { Err(Rejection::TaskRedundant(of)) };
        }
        if of == *unit {
            return Err(Rejection::TaskRedundant(of));
        }
        let mut winder = Winder::of(context, self);
        let allowed = self.terms.case_type.allowances.co_handling;
        let task = winder.start(ClockKind::CoHandling, Owner::Unit(of.clone()), allowed);
        let (ask, clocks) = (ask.clone(), winder.done());
        Ok(vec![Event::CoHandlingRequested { task, unit: of, ask, clocks }])
    }

    pub(super) fn answer_co_handling(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        task: ClockId,
        answer: &Sealed,
    ) -> Decided {
        let known = self.tasks.get(&task).filter(|known| known.unit == *unit);
        let known = known.ok_or(Rejection::TaskUnknown)?;
        match &known.answer {
            Some(given) if given == answer => return Ok(vec![]),
            Some(_) => return Err(Rejection::TaskUnknown),
            None => {}
        }
        self.readable()?;
        if !self.phase.is_open() {
            return Err(self.wrong_phase("open"));
        }
        let mut winder = Winder::of(context, self);
        winder.stop(task);
        let (unit, answer, clocks) = (unit.clone(), answer.clone(), winder.done());
        Ok(vec![Event::CoHandlingAnswered { task, unit, answer, clocks }])
    }

    /// Only where the case type has a mediation, one at a time.
    pub(super) fn open_mediation(&self, context: &Context<'_>) -> Decided {
        let assignment = self.handler()?;
        if self.clock(ClockKind::Mediation).is_some() {
            return Ok(vec![]);
        }
        let days = self.terms.case_type.mediation.ok_or(Rejection::MediationImpossible)?;
        let mut winder = Winder::of(context, self);
        let owner = Owner::Unit(assignment.route.unit.clone());
        winder.start(ClockKind::Mediation, owner, days);
        Ok(vec![Event::MediationOpened { clocks: winder.done() }])
    }

    pub(super) fn end_mediation(&self, context: &Context<'_>, agreed: bool) -> Decided {
        if self.clock(ClockKind::Mediation).is_none() {
            let ended = self.mediated == Some(agreed);
            return if ended { Ok(vec![]) } else { Err(Rejection::MediationNotOpen) };
        }
        let mut winder = Winder::of(context, self);
        winder.stop_kinds(self, &[ClockKind::Mediation]);
        Ok(vec![Event::MediationEnded { agreed, clocks: winder.done() }])
    }

    /// A unit resolves what it signed for, once a joint diagnosis has come to its end and what it
    /// ordered is done. Everything that was owed for the handling ends, and the desk owes a callback.
    pub(super) fn resolve(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        outcome: Outcome,
        reply: &Sealed,
    ) -> Decided {
        self.readable()?;
        let said = Resolution { outcome, reply: reply.clone() };
        let assignment = match &self.phase {
            Phase::InHandling(assignment) => assignment,
            Phase::Resolved(_) if self.resolution.as_ref() == Some(&said) => return Ok(vec![]),
            _ => return Err(self.wrong_phase("in handling")),
        };
        led_by(assignment, unit)?;
        if self.diagnosis.as_ref().is_some_and(Diagnosis::is_under_way) {
            return Err(Rejection::DiagnosisOpen);
        }
        let binding =
            |task: &&Task| task.ordered_by.is_some() && task.answer.is_none() && task.unit != *unit;
        let open = self.tasks.values().filter(binding).count();
        if open > 0 {
            return Err(Rejection::OrdersOpen { open });
        }
        let mut winder = Winder::of(context, self);
        winder.stop_all(self);
        let allowed = self.terms.case_type.allowances.feedback;
        winder.start(ClockKind::Feedback, self.desk(context), allowed);
        let clocks = winder.done();
        Ok(vec![Event::AppealResolved { outcome, reply: reply.clone(), clocks }])
    }
}

/// The working days that the pauses of a clock took so far, each at least one, at most `max`.
fn paused_days(clock: &Clock, winder: &Winder<'_>, max: u16) -> u16 {
    let days = clock.derivation.pauses.iter().map(|pause| {
        let until = pause.until.unwrap_or(pause.since);
        (1..max).find(|days| winder.working_days_after(pause.since, *days) >= until).unwrap_or(max)
    });
    days.fold(0, u16::saturating_add)
}
