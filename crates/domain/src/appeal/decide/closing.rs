//! The enterprise's word, the callback, the close, and the way back.

use jiff::ToSpan;

use super::*;
use crate::{
    appeal::matter::{Callback, Rating},
    calendar::civil_date,
};

impl Case {
    pub(super) fn confirm(&self, context: &Context<'_>) -> Decided {
        match self.phase {
            Phase::Resolved(_) => {
                let mut winder = Winder::of(context, self);
                winder.stop_all(self);
                self.close_owed(context, &mut winder);
                Ok(vec![Event::ResolutionConfirmed { clocks: winder.done() }])
            }
            Phase::Confirmed(_) | Phase::Closed(_) => Ok(vec![]),
            _ => Err(self.wrong_phase("resolved")),
        }
    }

    fn close_owed(&self, context: &Context<'_>, winder: &mut Winder<'_>) {
        let allowed = self.terms.case_type.allowances.close;
        winder.start(ClockKind::Close, self.desk(context), allowed);
    }

    /// It is handled again, by the same unit, with a new allowance; too many objections bring the
    /// guarantee in.
    pub(super) fn object(&self, context: &Context<'_>, reason: &Sealed) -> Decided {
        self.readable()?;
        match &self.phase {
            Phase::Resolved(assignment) => {
                let clocks = self.handled_again(context, assignment);
                let event = Event::ResolutionObjected { reason: reason.clone(), clocks };
                Ok(self.dissatisfied(context, event))
            }
            // This objection has already sent it back.
            Phase::InHandling(_) if self.objection.as_ref() == Some(reason) => Ok(vec![]),
            _ => Err(self.wrong_phase("resolved")),
        }
    }

    /// Within the case type's window, in calendar days.
    pub(super) fn reopen(&self, context: &Context<'_>, reason: &Sealed) -> Decided {
        self.readable()?;
        let (assignment, closed_at) = match (&self.phase, self.closed_at) {
            (Phase::Closed(Some(assignment)), Some(closed_at)) => (assignment, closed_at),
            (Phase::InHandling(_), _) if self.objection.as_ref() == Some(reason) => {
                return Ok(vec![]);
            }
            _ => return Err(self.wrong_phase("closed after it was handled")),
        };
        let days = i32::from(self.terms.case_type.bounds.reopen_days);
        let last = civil_date(closed_at).saturating_add(days.days());
        if context.today() > last {
            return Err(Rejection::ReopenTooLate(last));
        }
        let clocks = self.handled_again(context, assignment);
        let event = Event::AppealReopened { reason: reason.clone(), clocks };
        Ok(self.dissatisfied(context, event))
    }

    /// As when it was dispatched, the unit owes a contact and the resolution.
    fn handled_again(&self, context: &Context<'_>, assignment: &Assignment) -> ClockChange {
        let mut winder = Winder::of(context, self);
        // What a joint diagnosis ordered meanwhile stays owed.
        winder.stop_if(self, |clock| clock.kind != ClockKind::CoHandling);
        let owner = Owner::Unit(assignment.route.unit.clone());
        let contact = self.terms.case_type.allowances.contact;
        winder.start(ClockKind::Contact, owner.clone(), contact);
        winder.start(ClockKind::Resolve, owner, self.resolve_days());
        winder.done()
    }

    fn dissatisfied(&self, context: &Context<'_>, event: Event) -> Vec<Event> {
        let after = self.clone().evolve(&event);
        let too_often = after.objections >= u32::from(self.terms.case_type.bounds.objections_max);
        let guarantee =
            too_often.then(|| after.guarantee(context, Trigger::Dissatisfied)).flatten();
        [event].into_iter().chain(guarantee).collect()
    }

    /// A callback is a fact beside the enterprise's own word. Once the enterprise said on the phone that
    /// it is satisfied the desk owes the close; until then it owes the callback.
    pub(super) fn record_callback(&self, context: &Context<'_>, callback: &Callback) -> Decided {
        if self.callback_last.as_ref() == Some(callback) {
            return Ok(vec![]);
        }
        if !matches!(self.phase, Phase::Resolved(_) | Phase::Confirmed(_)) {
            return Err(self.wrong_phase("resolved or confirmed"));
        }
        if callback.note.is_some() {
            self.readable()?;
        }
        let mut winder = Winder::of(context, self);
        if agrees(callback) && matches!(self.phase, Phase::Resolved(_)) {
            winder.stop_kinds(self, &[ClockKind::Feedback]);
            // One that silence started may have climbed to the end of its ladder meanwhile.
            if self.clock(ClockKind::Close).is_none_or(|clock| clock.next().is_none()) {
                self.close_owed(context, &mut winder);
            }
        }
        let (callback, clocks) = (callback.clone(), winder.done());
        Ok(vec![Event::CallbackRecorded { callback, clocks }])
    }

    /// The time for the enterprise's word is over. Whoever owed the callback still owes it, and the
    /// close besides.
    pub(super) fn silence(&self, context: &Context<'_>) -> Option<Event> {
        let spoke = self.callback.as_ref().is_some_and(disagrees);
        if self.silent || spoke || !matches!(self.phase, Phase::Resolved(_)) {
            return None;
        }
        let mut winder = Winder::of(context, self);
        if self.clock(ClockKind::Close).is_none() {
            self.close_owed(context, &mut winder);
        }
        Some(Event::EnterpriseSilent { clocks: winder.done() })
    }

    /// Once for each handling, after the unit resolved it; also after the close.
    pub(super) fn rate(&self, rating: Rating) -> Decided {
        match (&self.rating, &self.phase) {
            (Some(known), _) if *known == rating => Ok(vec![]),
            (Some(_), _) => Err(Rejection::AlreadyRated),
            (None, Phase::Resolved(_) | Phase::Confirmed(_) | Phase::Closed(Some(_))) => {
                Ok(vec![Event::AppealRated { rating }])
            }
            (None, _) => Err(self.wrong_phase("resolved, confirmed or closed")),
        }
    }

    /// With the enterprise's agreement, its word on the phone, or its silence; what it said on the phone
    /// against it is no silence. An erased appeal can neither be replied to nor objected to: it may
    /// be closed at any stage.
    pub(super) fn close(&self, context: &Context<'_>) -> Decided {
        let how = match self.phase {
            Phase::Closed(_) => return Ok(vec![]),
            Phase::Confirmed(_) => Closing::Confirmed,
            Phase::Redirected { .. } | Phase::Merged(_) => return Err(self.wrong_phase("open")),
            _ if self.is_erased() => Closing::Erased,
            Phase::Resolved(_) if self.callback.as_ref().is_some_and(agrees) => Closing::CalledBack,
            Phase::Resolved(_) if self.callback.as_ref().is_some_and(disagrees) => {
                return Err(Rejection::EnterpriseDissatisfied);
            }
            Phase::Resolved(_) if self.silent => Closing::Silent,
            Phase::Resolved(_) => return Err(Rejection::EnterpriseToSpeak),
            _ => return Err(self.wrong_phase("confirmed or resolved")),
        };
        let mut winder = Winder::of(context, self);
        winder.stop_all(self);
        let closed = Event::AppealClosed { how, clocks: winder.done() };
        Ok(self.abandoned().into_iter().chain([closed]).collect())
    }
}

/// Whether the enterprise said on the phone that it is satisfied.
fn agrees(callback: &Callback) -> bool {
    callback.reached && callback.satisfied == Some(true)
}

/// Whether it said that it is not, or that the matter is not resolved.
fn disagrees(callback: &Callback) -> bool {
    let no = callback.satisfied == Some(false) || callback.resolved == Some(false);
    callback.reached && no && !agrees(callback)
}
