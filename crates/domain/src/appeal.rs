//! One appeal of an enterprise, from submission to a close that both sides know of.
//!
//! Invariants: an open appeal always has a running clock with an owner (no silent case); resolved by
//! the unit is not confirmed by the enterprise; a unit's time runs from dispatch, not from signing
//! for it; what was promised is kept, whatever is published later; only what the rules name moves a
//! clock; free text and contacts are sealed.

use crate::decider::{Context, Decider, Need};

#[expect(clippy::wildcard_enum_match_arm, reason = "most facts change no agenda")]
mod agenda;
mod case;
mod command;
#[expect(clippy::wildcard_enum_match_arm, reason = "a phase that no arm names refuses the command")]
mod decide;
mod event;
#[expect(clippy::wildcard_enum_match_arm, reason = "several functions share the facts among them")]
mod evolve;
mod ledger;
mod matter;
mod merging;
mod rejection;
pub(crate) mod upcast;

pub use case::{
    Appeal, Assignment, Case, Diagnosis, Ending, Erasure, Extension, Hold, Part, Phase, PhaseName,
    Resolution, Task,
};
pub use command::{Action, Command};
pub use decide::{Allowed, Party};
pub use event::Event;
pub use ledger::{Ledger, Segment};
pub use matter::{
    Applicant, Callback, Channel, ClockChange, Closing, Confidentiality, File, LawfulChannel, Note,
    Order, Outcome, Pinned, Rating, Silence, Submission, Trigger, Visibility,
};
pub use merging::{BeforeMerge, Standing};
pub use rejection::Rejection;

impl Decider for Appeal {
    const KIND: &'static str = "appeal";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(_: &Command) -> Vec<Need> {
        vec![Need::Routing, Need::Calendar, Need::Cases]
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        let events = match (self, command) {
            (Self::Absent, Command::Submit(submission)) => decide::submit(context, submission)?,
            (Self::Absent, _) => return Err(Rejection::AppealUnknown),
            (Self::Known(case), command) => {
                let mut events = case.decide(context, command)?;
                events.extend(case.end_hold(&events));
                events
            }
        };
        self.never_silent(context, events)
    }

    fn evolve(self, event: &Event) -> Self {
        match (event, self) {
            (Event::AppealSubmitted { submission, terms, clocks }, _) => {
                Self::Known(Box::new(Case::submitted(submission, terms, clocks)))
            }
            (_, Self::Absent) => Self::Absent,
            (event, Self::Known(case)) => Self::Known(Box::new(case.evolve(event))),
        }
    }
}

impl Appeal {
    /// The submitted appeal, if it is one.
    #[must_use]
    pub fn known(&self) -> Option<&Case> {
        match self {
            Self::Absent => None,
            Self::Known(case) => Some(case),
        }
    }

    /// No command may leave an open appeal without a running clock that somebody owns. One that was
    /// silent before (the first version kept no clocks in some phases) is mended by whatever happens
    /// to it next.
    fn never_silent(
        &self,
        context: &Context<'_>,
        mut events: Vec<Event>,
    ) -> Result<Vec<Event>, Rejection> {
        if events.is_empty() {
            return Ok(events);
        }
        let after = events.iter().fold(self.clone(), Self::evolve);
        let Some(case) = after.known().filter(|case| case.is_silent()) else {
            return Ok(events);
        };
        if !self.known().is_some_and(Case::is_silent) {
            return Err(Rejection::WouldBeSilent);
        }
        events.extend(case.repair(context)?);
        Ok(events)
    }
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test names the fact that it is about")]
pub(crate) mod tests;
