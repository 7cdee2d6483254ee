//! One function for each command on an appeal.

use super::*;

impl Appeal {
    /// An appeal is accepted from anybody about anything: an unknown topic or area goes to a desk.
    pub(super) fn submit(
        &self,
        context: &Context<'_>,
        submission: &Submission,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Known(case) if case.submission == *submission => Ok(vec![]),
            Self::Known(_) => Err(Rejection::SubmittedDifferently),
            Self::Absent => Ok(vec![Event::AppealSubmitted {
                submission: submission.clone(),
                due: due(context, |allowances| allowances.accept),
            }]),
        }
    }
}

impl Case {
    fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase.name(), wanted }
    }

    pub(super) fn accept(&self, context: &Context<'_>) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Submitted => {
                let due = due(context, |allowances| allowances.dispatch);
                Ok(vec![Event::AppealAccepted { due }])
            }
            Phase::Accepted
            | Phase::Dispatched(_)
            | Phase::InHandling(_)
            | Phase::Resolved(_)
            | Phase::Confirmed(_)
            | Phase::Closed(_) => Ok(vec![]),
        }
    }

    pub(super) fn dispatch(
        &self,
        context: &Context<'_>,
        to: Option<&UnitId>,
    ) -> Result<Vec<Event>, Rejection> {
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        let route = match to {
            None => routing.document.route(&self.submission.topic, Some(&self.submission.area)),
            Some(unit) if routing.document.unit(unit).is_none() => {
                return Err(Rejection::UnitUnknown(unit.clone()));
            }
            Some(unit) => {
                Route { unit: unit.clone(), co_units: vec![], rule: RouteRule::Dispatcher }
            }
        };
        match &self.phase {
            Phase::Accepted => Ok(vec![Event::AppealDispatched {
                due: due_after(context, routing.document.allowances.resolve),
                route,
                routing_version: routing.version,
            }]),
            Phase::Dispatched(known) if known.unit == route.unit => Ok(vec![]),
            Phase::Submitted
            | Phase::Dispatched(_)
            | Phase::InHandling(_)
            | Phase::Resolved(_)
            | Phase::Confirmed(_)
            | Phase::Closed(_) => Err(self.wrong_phase("accepted")),
        }
    }

    pub(super) fn sign_for(&self, unit: &UnitId) -> Result<Vec<Event>, Rejection> {
        match &self.phase {
            Phase::Dispatched(route) => {
                led_by(route, unit)?;
                Ok(vec![Event::AppealSignedFor { unit: unit.clone() }])
            }
            Phase::InHandling(route) => led_by(route, unit).map(|()| vec![]),
            Phase::Submitted
            | Phase::Accepted
            | Phase::Resolved(_)
            | Phase::Confirmed(_)
            | Phase::Closed(_) => Err(self.wrong_phase("dispatched")),
        }
    }

    pub(super) fn resolve(
        &self,
        unit: &UnitId,
        outcome: Outcome,
        reply: &Sealed,
    ) -> Result<Vec<Event>, Rejection> {
        let said = Resolution { outcome, reply: reply.clone() };
        self.readable()?;
        match &self.phase {
            Phase::InHandling(route) => {
                led_by(route, unit)?;
                Ok(vec![Event::AppealResolved { outcome, reply: reply.clone() }])
            }
            Phase::Resolved(_) if self.resolution.as_ref() == Some(&said) => Ok(vec![]),
            Phase::Submitted
            | Phase::Accepted
            | Phase::Dispatched(_)
            | Phase::Resolved(_)
            | Phase::Confirmed(_)
            | Phase::Closed(_) => Err(self.wrong_phase("in handling")),
        }
    }

    pub(super) fn confirm(&self) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Resolved(_) => Ok(vec![Event::ResolutionConfirmed {}]),
            Phase::Confirmed(_) | Phase::Closed(_) => Ok(vec![]),
            Phase::Submitted | Phase::Accepted | Phase::Dispatched(_) | Phase::InHandling(_) => {
                Err(self.wrong_phase("resolved"))
            }
        }
    }

    pub(super) fn object(
        &self,
        context: &Context<'_>,
        reason: &Sealed,
    ) -> Result<Vec<Event>, Rejection> {
        self.readable()?;
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        match self.phase {
            Phase::Resolved(_) => Ok(vec![Event::ResolutionObjected {
                reason: reason.clone(),
                due: due_after(context, routing.document.allowances.resolve),
            }]),
            // This objection has already sent it back to the unit.
            Phase::InHandling(_) if self.objection.as_ref() == Some(reason) => Ok(vec![]),
            Phase::Submitted
            | Phase::Accepted
            | Phase::Dispatched(_)
            | Phase::InHandling(_)
            | Phase::Confirmed(_)
            | Phase::Closed(_) => Err(self.wrong_phase("resolved")),
        }
    }

    /// An erased appeal can neither be replied to nor objected to: it may be closed at any stage.
    pub(super) fn close(&self) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Closed(_) => Ok(vec![]),
            Phase::Confirmed(_) => Ok(vec![Event::AppealClosed {}]),
            _ if self.erased => Ok(vec![Event::AppealClosed {}]),
            Phase::Submitted
            | Phase::Accepted
            | Phase::Dispatched(_)
            | Phase::InHandling(_)
            | Phase::Resolved(_) => Err(self.wrong_phase("confirmed")),
        }
    }

    pub(super) fn erase(&self, subject: &str) -> Result<Vec<Event>, Rejection> {
        if self.erased {
            return Ok(vec![]);
        }
        Ok(vec![Event::PersonalDataErased { subject: subject.to_owned() }])
    }

    fn readable(&self) -> Result<(), Rejection> {
        if self.erased { Err(Rejection::Erased) } else { Ok(()) }
    }
}

fn led_by(route: &Route, unit: &UnitId) -> Result<(), Rejection> {
    if route.unit == *unit {
        Ok(())
    } else {
        Err(Rejection::OtherUnit { owner: route.unit.clone() })
    }
}

fn due(context: &Context<'_>, pick: fn(&Allowances) -> u16) -> Option<DueDate> {
    context.routing.map(|routing| due_after(context, pick(&routing.document.allowances)))
}

/// Without a published calendar the weekday rule decides, and the due date says so.
fn due_after(context: &Context<'_>, working_days: u16) -> DueDate {
    let today = context.today();
    match context.calendar {
        Some(calendar) => calendar.document.due(today, working_days, calendar.version),
        None => Calendar::default().due(today, working_days, 0),
    }
}
