//! What time does by itself: steps of clocks, newer calendars, and the repair of what fell silent.

use super::*;
use crate::clock::Clock;

impl Case {
    /// Takes every step of the clock that is due, and what follows from it. A clock that no longer
    /// runs, or whose steps are not due yet, is nothing to do.
    pub(super) fn take_steps(&self, context: &Context<'_>, id: ClockId) -> Decided {
        let mut winder = Winder::of(context, self);
        let Some(clock) = self.clocks.get(&id) else {
            return Ok(vec![]);
        };
        // Whoever owes the case's next step is reminded for as long as it is owed; so is the handler
        // while its objection is ruled on, since the case may come back to it.
        let owed = [self.due(), self.handling_clock(ClockKind::Resolve)];
        let is_owed = owed.into_iter().flatten().any(|owed| owed.id == id);
        let repeat_days = is_owed.then(|| self.terms.case_type.repeat_days());
        let calendar = context.calendar.document;
        let Some((steps, taken)) = clock.climbed(winder.at(), repeat_days, calendar) else {
            return Ok(vec![]);
        };
        winder.set(taken);
        // At red, and again at each rung after it for what could not follow then, such as a guarantee
        // that nobody had named.
        let overdue = steps.iter().any(|step| matches!(step, Step::Red | Step::Escalate(_)));
        let event = Event::ClockStepsTaken { clock: id, steps, clocks: winder.done() };
        if !overdue {
            return Ok(vec![event]);
        }
        let after = self.clone().evolve(&event);
        let follows = match clock.kind {
            ClockKind::Accept | ClockKind::Dispatch | ClockKind::Ruling | ClockKind::Resolve => {
                after.guarantee(context, Trigger::Overdue)
            }
            ClockKind::Pause => Some(after.resumed(context, true)),
            ClockKind::Feedback => after.silence(context),
            ClockKind::Extension => after.extension_lapsed(context),
            ClockKind::Contact
            | ClockKind::CoHandling
            | ClockKind::Close
            | ClockKind::Mediation
            | ClockKind::Opinion
            | ClockKind::Conclusion
            | ClockKind::Approval
            | ClockKind::Tell => None,
        };
        Ok([event].into_iter().chain(follows).collect())
    }

    /// Nobody decided in time: the promise to the enterprise stands.
    fn extension_lapsed(&self, context: &Context<'_>) -> Option<Event> {
        let Extension::Asked(_) = self.extension else {
            return None;
        };
        let mut winder = Winder::of(context, self);
        winder.stop_kinds(self, &[ClockKind::Extension]);
        Some(Event::ExtensionRefused { lapsed: true, clocks: winder.done() })
    }

    /// A newer calendar moves an open deadline only in the enterprise's favour. The time for its own
    /// word is never cut.
    pub(super) fn recompute(&self, context: &Context<'_>) -> Decided {
        let mut winder = Winder::of(context, self);
        let (now, terms) = (winder.at(), winder.terms());
        let ours = self.clocks.values().filter(|clock| clock.kind != ClockKind::Feedback);
        let moved: Vec<_> = ours.filter_map(|clock| clock.recomputed(now, terms)).collect();
        if moved.is_empty() {
            return Ok(vec![]);
        }
        moved.into_iter().for_each(|clock| winder.set(clock));
        let calendar_version = context.calendar.version;
        Ok(vec![Event::DeadlinesRecomputed { calendar_version, clocks: winder.done() }])
    }

    /// The floor of the fallback chain: who stands in for a unit that is gone, and a clock for what
    /// nobody owes. A deadline stays as it was promised; only who owes it changes.
    pub(in crate::appeal) fn repair(&self, context: &Context<'_>) -> Decided {
        if !self.phase.is_open() {
            return Ok(vec![]);
        }
        let table = context.routing.map(|routing| routing.document);
        let heir = |unit: &UnitId| {
            let heir = table.map(|table| self.heir(table, unit))?;
            (heir != unit).then(|| heir.clone())
        };
        let mut winder = Winder::of(context, self);
        let route = self.phase.route().and_then(|route| {
            let unit = heir(&route.unit)?;
            let (rule, instead_of) = (RouteRule::Repair, Some(route.unit.clone()));
            Some(Route { unit, co_units: route.co_units.clone(), rule, instead_of })
        });
        let orphans = self.clocks.values().filter_map(|clock| {
            let Owner::Unit(unit) = &clock.owner else { return None };
            Some(Clock { owner: Owner::Unit(heir(unit)?), ..clock.clone() })
        });
        orphans.for_each(|clock| winder.set(clock));
        if route.is_some() {
            winder.stop_kinds(self, &[ClockKind::Ruling]);
        }
        let repaired = |clocks| {
            let found = if self.is_silent() { Silence::NoClock } else { Silence::OwnerGone };
            Event::AppealRepaired { found, route: route.clone(), clocks }
        };
        let mut clocks = winder.done();
        let after = self.clone().evolve(&repaired(clocks.clone()));
        if after.is_silent() {
            let mut winder = Winder::of(context, &after);
            let (kind, owner, allowed) = after.owed_now(context);
            winder.start(kind, owner, allowed);
            clocks.set.extend(winder.done().set);
        }
        if route.is_none() && clocks.set.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![repaired(clocks)])
    }

    /// What is owed in the present phase, by whom, with its allowance.
    fn owed_now(&self, context: &Context<'_>) -> (ClockKind, Owner, u16) {
        let allowances = &self.terms.case_type.allowances;
        let desk = self.desk(context);
        match &self.phase {
            Phase::Submitted => (ClockKind::Accept, desk, allowances.accept),
            Phase::Dispatched(assignment) | Phase::InHandling(assignment) => {
                let unit = assignment.route.unit.clone();
                (ClockKind::Resolve, Owner::Unit(unit), self.resolve_days())
            }
            Phase::Contested { .. } => (ClockKind::Ruling, desk, allowances.ruling),
            Phase::Resolved(_) => (ClockKind::Feedback, desk, allowances.feedback),
            Phase::Confirmed(_) => (ClockKind::Close, desk, allowances.close),
            Phase::Accepted | Phase::Closed(_) | Phase::Redirected { .. } | Phase::Merged(_) => {
                (ClockKind::Dispatch, desk, allowances.dispatch)
            }
        }
    }
}
