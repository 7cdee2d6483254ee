//! The table of contents: which function decides which command. Each takes the case as it is and
//! answers events or the rule that stands in the way.

use super::{
    case::{Assignment, Case, Extension, Phase},
    command::Command,
    event::Event,
    matter::{ClockChange, Closing, Pinned, Silence, Submission, Trigger},
    rejection::Rejection,
};
use crate::{
    clock::{ClockId, ClockKind, Owner, Step},
    decider::{Context, Published},
    ids::UnitId,
    routing::{Route, RouteRule, RoutingTable},
    sealed::Sealed,
};

mod allowed;
mod around;
mod closing;
mod handling;
mod intake;
mod joint;
mod routing;
mod time;
mod winder;

pub use allowed::{Allowed, Party};
pub(super) use intake::submit;
use winder::Winder;

type Decided = Result<Vec<Event>, Rejection>;

impl Case {
    pub(super) fn decide(&self, context: &Context<'_>, command: &Command) -> Decided {
        match command {
            Command::Submit(submission) => self.submit_again(submission),
            Command::Accept => self.accept(context),
            Command::Redirect { channel, guidance } => self.redirect(context, *channel, guidance),
            Command::Reclassify { class } => self.reclassify(context, class),
            Command::Dispatch { to } => self.dispatch(context, to.as_ref()),
            Command::SignFor { unit } => self.sign_for(context, unit),
            Command::RecordContact { unit } => self.record_contact(context, unit),
            Command::Contest { unit, reason, proposed } => {
                self.contest(context, unit, reason, proposed.as_ref())
            }
            Command::Rule { to } => self.rule(context, to.as_ref()),
            Command::AskExtension { unit, working_days, reason } => {
                self.ask_extension(context, unit, *working_days, reason)
            }
            Command::AnswerExtension { granted } => self.answer_extension(context, *granted),
            Command::Pause { unit, ground, reference } => {
                self.pause(context, unit, *ground, reference)
            }
            Command::Resume => self.resume(context),
            Command::RequestCoHandling { unit, of, ask } => {
                self.request_co_handling(context, unit, of, ask)
            }
            Command::AnswerCoHandling { unit, task, answer } => {
                self.answer_co_handling(context, unit, *task, answer)
            }
            Command::OpenMediation => self.open_mediation(context),
            Command::EndMediation { agreed } => self.end_mediation(context, *agreed),
            Command::Resolve { unit, outcome, reply } => {
                self.resolve(context, unit, *outcome, reply)
            }
            Command::Confirm => self.confirm(context),
            Command::Object { reason } => self.object(context, reason),
            Command::RecordCallback(callback) => self.record_callback(context, callback),
            Command::Rate(rating) => self.rate(*rating),
            Command::Close => self.close(context),
            Command::Reopen { reason } => self.reopen(context, reason),
            Command::AddNote(note) => self.add_note(note),
            Command::Attach(file) => self.attach(file),
            Command::Merge { into } => self.merge(context, *into),
            Command::Absorb { from, merge, standing } => Ok(self.absorb(*from, *merge, standing)),
            Command::UndoMerge => self.undo_merge(context),
            Command::MarkVisitsHeld => Ok(self.mark_visits_held()),
            Command::MarkHoldLifted => Ok(self.mark_hold_lifted()),
            Command::MarkMergeDelivered => self.mark_merge_delivered(),
            Command::Split { part, submission } => self.split(context, *part, submission),
            Command::MarkPartSubmitted { part } => self.mark_part_submitted(*part),
            Command::Convene { unit, diagnosis, units, quorum, question } => {
                self.convene(context, unit, (*diagnosis, units, *quorum), question)
            }
            Command::MarkDiagnosisOpened { diagnosis } => self.mark_opened(*diagnosis),
            Command::TakeConclusion { diagnosis, conclusion, orders } => {
                self.take_conclusion(context, *diagnosis, conclusion, orders)
            }
            Command::MarkDiagnosisDiscontinued { diagnosis } => self.mark_discontinued(*diagnosis),
            Command::TakeSteps { clock } => self.take_steps(context, *clock),
            Command::Recompute => self.recompute(context),
            Command::Repair => self.repair(context),
            Command::ErasePersonalData { subject } => self.erase(subject),
            Command::MarkKeyDestroyed => self.mark_key_destroyed(),
        }
    }

    fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase.name(), wanted }
    }

    /// The present handler, while it works on the case or ought to.
    fn handler(&self) -> Result<&Assignment, Rejection> {
        match &self.phase {
            Phase::Dispatched(assignment) | Phase::InHandling(assignment) => Ok(assignment),
            _ => Err(self.wrong_phase("dispatched or in handling")),
        }
    }

    fn readable(&self) -> Result<(), Rejection> {
        if self.is_erased() { Err(Rejection::Erased) } else { Ok(()) }
    }

    fn not_paused(&self) -> Result<(), Rejection> {
        match self.clock(ClockKind::Pause) {
            Some(_) => Err(Rejection::Paused),
            None => Ok(()),
        }
    }

    /// Who answers for what `unit` owes: the unit itself, its successor, or what the chain falls back
    /// to; for a case of the guarantee that is the guarantee unit.
    fn heir<'a>(&self, table: &'a RoutingTable, unit: &'a UnitId) -> &'a UnitId {
        let fallback = || match self.guarantee {
            Some(_) => table.guarantee_unit(),
            None => table.floor(self.submission.desk_area()),
        };
        table.reachable(unit).unwrap_or_else(fallback)
    }

    /// The desk that answers for the case.
    fn desk(&self, context: &Context<'_>) -> Owner {
        match (context.routing, desk(context, &self.submission)) {
            (Some(routing), Owner::Unit(desk)) => {
                Owner::Unit(self.heir(routing.document, &desk).clone())
            }
            (_, desk) => desk,
        }
    }
}

/// The desk of the area, where that may know of the matter, else the city desk: the floor of the
/// fallback chain.
fn desk(context: &Context<'_>, submission: &Submission) -> Owner {
    match context.routing {
        Some(routing) => Owner::Unit(routing.document.floor(submission.desk_area()).clone()),
        None => Owner::CityDesk,
    }
}

fn led_by(assignment: &Assignment, unit: &UnitId) -> Result<(), Rejection> {
    if assignment.route.unit == *unit {
        Ok(())
    } else {
        Err(Rejection::OtherUnit { owner: assignment.route.unit.clone() })
    }
}
