//! What a party may do with a case now, and what stands in its way otherwise: every action is tried
//! on the rules themselves, so the answer can never differ from the decision.

use super::*;
use crate::{
    appeal::{
        case::Task,
        command::Action,
        matter::{Callback, File, LawfulChannel, Note, Outcome, Rating, Visibility},
    },
    clock::PauseGround,
    ids::{AppealId, DiagnosisId, Name, NoteId, Reference},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// The enterprise.
    Enterprise,
    /// A desk that dispatches in the case's area.
    Desk,
    /// A unit.
    Unit(UnitId),
    /// Who keeps the registers and answers for personal data in them.
    Registrar,
}

/// An action, and why it is not possible now if it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The action.
    pub action: Action,
    /// The rule in the way; none when it is possible.
    pub missing: Option<Rejection>,
}

impl Case {
    /// Every action of `party`, possible or not, in the order of an appeal's life.
    #[must_use]
    pub fn allowed(&self, context: &Context<'_>, party: &Party) -> Vec<Allowed> {
        let tried = probes(self, context, party).into_iter().map(|(action, command)| {
            let decided = self.left_to_lead(action, party);
            let missing = match decided.and_then(|()| self.decide(context, &command)) {
                Ok(events) if !events.is_empty() => None,
                Ok(_) => Some(Rejection::AlreadySo),
                Err(rejection) => Some(rejection),
            };
            Allowed { action, missing }
        });
        tried.collect()
    }

    /// Commands that do not say who gives them are the lead unit's alone.
    fn left_to_lead(&self, action: Action, party: &Party) -> Result<(), Rejection> {
        let is_led =
            matches!(action, Action::Resume | Action::OpenMediation | Action::EndMediation);
        match (party, self.phase.assignment()) {
            (Party::Unit(unit), Some(assignment)) if is_led => led_by(assignment, unit),
            _ => Ok(()),
        }
    }
}

/// A command for each action that the party could take, with contents that are as good as any.
fn probes(case: &Case, context: &Context<'_>, party: &Party) -> Vec<(Action, Command)> {
    match party {
        Party::Enterprise => of_enterprise(),
        Party::Desk => of_desk(case, context),
        Party::Unit(unit) => of_unit(case, context, unit),
        Party::Registrar => of_registrar(),
    }
}

fn of_enterprise() -> Vec<(Action, Command)> {
    let rating = Rating { responded: true, resolved: true, satisfied: true };
    let mut probes = vec![
        (Action::Confirm, Command::Confirm),
        (Action::Object, Command::Object { reason: text() }),
        (Action::Rate, Command::Rate(rating)),
        (Action::Reopen, Command::Reopen { reason: text() }),
        (Action::AddNote, note(None, Visibility::Public)),
    ];
    let file = file(None, Visibility::Public);
    probes.extend(file.map(|command| (Action::Attach, command)));
    probes
}

fn of_desk(case: &Case, context: &Context<'_>) -> Vec<(Action, Command)> {
    let redirect = Command::Redirect { channel: LawfulChannel::Review, guidance: text() };
    let part = AppealId(uuid::Uuid::nil());
    let submission = Submission { case_type: None, class: None, ..case.submission.clone() };
    let another = case.terms.case_type.classes.iter().map(|class| &class.id);
    let another = another.into_iter().find(|id| case.class().is_none_or(|now| now.id != **id));
    let reclassify =
        another.map(|id| (Action::Reclassify, Command::Reclassify { class: id.clone() }));
    let mut probes = vec![
        (Action::Accept, Command::Accept),
        (Action::Redirect, redirect),
        (Action::Dispatch, Command::Dispatch { to: instead(case, context) }),
        (Action::Rule, Command::Rule { to: None }),
    ];
    probes.extend(reclassify);
    probes.extend([
        (Action::AnswerExtension, Command::AnswerExtension { granted: false }),
        (Action::RecordCallback, Command::RecordCallback(callback(case))),
        (Action::Close, Command::Close),
        (Action::AddNote, note(None, Visibility::Internal)),
        (Action::Merge, Command::Merge { into: part }),
        (Action::Split, Command::Split { part, submission }),
    ]);
    let file = file(None, Visibility::Internal);
    probes.extend(file.map(|command| (Action::Attach, command)));
    probes
}

fn of_registrar() -> Vec<(Action, Command)> {
    let erase = Command::ErasePersonalData { subject: String::new() };
    vec![(Action::ErasePersonalData, erase)]
}

fn of_unit(case: &Case, context: &Context<'_>, unit: &UnitId) -> Vec<(Action, Command)> {
    let by = || unit.clone();
    let of = another(case, context, unit).unwrap_or_else(by);
    let mine = |(_, task): &(&ClockId, &Task)| task.unit == *unit && task.answer.is_none();
    let task = case.tasks.iter().find(mine).map_or(ClockId(0), |(id, _)| *id);
    let convene = Command::Convene {
        unit: by(),
        diagnosis: DiagnosisId(uuid::Uuid::nil()),
        units: vec![by()],
        quorum: 1,
        question: text(),
    };
    let mut probes = vec![
        (Action::SignFor, Command::SignFor { unit: by() }),
        (Action::RecordContact, Command::RecordContact { unit: by() }),
        (Action::Contest, Command::Contest { unit: by(), reason: text(), proposed: None }),
        (
            Action::AskExtension,
            Command::AskExtension { unit: by(), working_days: 1, reason: text() },
        ),
        (Action::RequestCoHandling, Command::RequestCoHandling { unit: by(), of, ask: text() }),
        (Action::AnswerCoHandling, Command::AnswerCoHandling { unit: by(), task, answer: text() }),
        (Action::Resolve, Command::Resolve { unit: by(), outcome: Outcome::Solved, reply: text() }),
        (Action::Convene, convene),
        (Action::AddNote, note(Some(by()), Visibility::Internal)),
    ];
    probes.extend(pause(by()).map(|command| (Action::Pause, command)));
    probes.extend([
        (Action::Resume, Command::Resume),
        (Action::OpenMediation, Command::OpenMediation),
        (Action::EndMediation, Command::EndMediation { agreed: true }),
    ]);
    let file = file(Some(by()), Visibility::Internal);
    probes.extend(file.map(|command| (Action::Attach, command)));
    probes
}

/// A unit that the desk could name in answer to an objection, whether or not the objecting one proposed
/// any; none where the rules choose.
fn instead(case: &Case, context: &Context<'_>) -> Option<UnitId> {
    let (Phase::Contested { assignment, .. }, Some(routing)) = (&case.phase, context.routing)
    else {
        return None;
    };
    let table = routing.document;
    let mut listed = table.units.iter().map(|listed| &listed.id);
    let other = |of: &&UnitId| **of != assignment.route.unit && table.reachable(of) == Some(of);
    listed.find(other).cloned()
}

/// A unit that could be asked for its part, the topic's co-units first.
fn another(case: &Case, context: &Context<'_>, unit: &UnitId) -> Option<UnitId> {
    let table = context.routing?.document;
    let shared = case.phase.route().map(|route| route.co_units.as_slice()).unwrap_or_default();
    let listed = table.units.iter().map(|listed| &listed.id);
    let free = |of: &&UnitId| {
        let open = |task: &Task| task.unit == **of && task.answer.is_none();
        *of != unit && table.reachable(of) == Some(of) && !case.tasks.values().any(open)
    };
    shared.iter().chain(listed).find(free).cloned()
}

/// A callback unlike the last one, and without a note: that is possible also when nothing can be sealed.
fn callback(case: &Case) -> Callback {
    let callback = Callback { reached: true, resolved: None, satisfied: None, note: None };
    let known = case.callback_last.as_ref() == Some(&callback);
    Callback { reached: !known, ..callback }
}

fn pause(unit: UnitId) -> Option<Command> {
    let reference = Reference::parse("-").ok()?;
    Some(Command::Pause { unit, ground: PauseGround::MaterialAsked, reference })
}

/// A text that no key sealed: it is never stored.
fn text() -> Sealed {
    let none = String::new;
    Sealed { subject: none(), algorithm: none(), nonce: none(), ciphertext: none() }
}

fn note(unit: Option<UnitId>, visibility: Visibility) -> Command {
    let id = NoteId(uuid::Uuid::nil());
    Command::AddNote(Note { id, unit, visibility, text: text() })
}

fn file(unit: Option<UnitId>, visibility: Visibility) -> Option<Command> {
    let nowhere = Reference::parse("-").ok()?;
    Some(Command::Attach(File {
        id: NoteId(uuid::Uuid::nil()),
        unit,
        visibility,
        name: text(),
        media_type: Name::parse("-").ok()?,
        bytes: 0,
        object: nowhere,
    }))
}
