//! Submission, acceptance, redirection and class.

use super::*;
use crate::{appeal::matter::LawfulChannel, ids::ClassId};

/// An appeal is accepted from anybody about anything: an unknown topic or area goes to a desk.
pub(in crate::appeal) fn submit(context: &Context<'_>, submission: &Submission) -> Decided {
    let types = context.cases.document;
    let case_type = match &submission.case_type {
        Some(id) => types.get(id).ok_or_else(|| Rejection::CaseTypeUnknown(id.clone()))?,
        None => types.first().ok_or(Rejection::CaseTypesUnpublished)?,
    };
    if let Some(class) = &submission.class
        && case_type.class(class).is_none()
    {
        return Err(Rejection::ClassUnknown(class.clone()));
    }
    let terms = Pinned { version: context.cases.version, case_type: case_type.clone() };
    let clocks = {
        let mut winder = Winder::new(context, &terms, ClockId(0));
        let owner = desk(context, submission);
        winder.start(ClockKind::Accept, owner, case_type.allowances.accept);
        winder.done()
    };
    Ok(vec![Event::AppealSubmitted { submission: submission.clone(), terms, clocks }])
}

impl Case {
    pub(super) fn submit_again(&self, submission: &Submission) -> Decided {
        if self.submission == *submission {
            Ok(vec![])
        } else {
            Err(Rejection::SubmittedDifferently)
        }
    }

    pub(super) fn accept(&self, context: &Context<'_>) -> Decided {
        match self.phase {
            Phase::Submitted => {
                let mut winder = Winder::of(context, self);
                winder.stop_kinds(self, &[ClockKind::Accept]);
                let allowed = self.terms.case_type.allowances.dispatch;
                winder.start(ClockKind::Dispatch, self.desk(context), allowed);
                Ok(vec![Event::AppealAccepted { clocks: winder.done() }])
            }
            Phase::Redirected { .. } | Phase::Merged(_) => Err(self.wrong_phase("submitted")),
            _ => Ok(vec![]),
        }
    }

    /// Only before dispatch: whoever handles it says so in its reply.
    pub(super) fn redirect(
        &self,
        context: &Context<'_>,
        channel: LawfulChannel,
        guidance: &Sealed,
    ) -> Decided {
        match &self.phase {
            Phase::Submitted | Phase::Accepted => {
                self.readable()?;
                let mut winder = Winder::of(context, self);
                winder.stop_all(self);
                let (guidance, clocks) = (guidance.clone(), winder.done());
                Ok(vec![Event::AppealRedirected { channel, guidance, clocks }])
            }
            Phase::Redirected { channel: known, guidance: told }
                if *known == channel && told == guidance =>
            {
                Ok(vec![])
            }
            _ => Err(self.wrong_phase("submitted or accepted")),
        }
    }

    /// Another class gives the resolution another allowance from the same start; pauses and
    /// extensions stay. What is overdue already stays overdue. Back in a class that it was of, it is
    /// due no later than was promised then, whatever calendar came meanwhile.
    pub(super) fn reclassify(&self, context: &Context<'_>, class: &ClassId) -> Decided {
        if !self.phase.is_open() {
            return Err(self.wrong_phase("open"));
        }
        let unknown = || Rejection::ClassUnknown(class.clone());
        let wanted = self.terms.case_type.class(class).ok_or_else(unknown)?;
        if self.class().is_some_and(|class| class.id == wanted.id) {
            return Ok(vec![]);
        }
        let mut winder = Winder::of(context, self);
        let clock = self.handling_clock(ClockKind::Resolve);
        if let Some(clock) = clock.filter(|clock| !clock.is_overdue(winder.at())) {
            let promised = self.promised.get(&wanted.id);
            let (now, days, terms) = (winder.at(), wanted.resolve, winder.terms());
            winder.set(clock.reclassify(now, days, promised, terms));
        }
        Ok(vec![Event::AppealReclassified { class: class.clone(), clocks: winder.done() }])
    }
}
