//! Beside the life of the case: notes, files, merging, splitting, erasure. None of these moves a clock,
//! unless it ends the case.

use super::*;
use crate::{
    appeal::{
        case::{Erasure, Hold},
        matter::{File, Note, Side},
        merging::Standing,
    },
    ids::AppealId,
};

/// The most notes and files of each side of one appeal, and the most parts and absorbed appeals.
const NOTES_MAX: usize = 500;
const FILES_MAX: usize = 50;
const PARTS_MAX: usize = 20;
const ABSORBED_MAX: usize = 100;

fn within(count: usize, max: usize) -> Result<(), Rejection> {
    if count < max { Ok(()) } else { Err(Rejection::TooMany { max }) }
}

impl Case {
    pub(super) fn add_note(&self, note: &Note) -> Decided {
        if self.notes.iter().any(|known| known.id == note.id) {
            return Ok(vec![]);
        }
        self.readable()?;
        let side = Side::of(note.unit.as_ref(), note.visibility);
        let same = |known: &&Note| Side::of(known.unit.as_ref(), known.visibility) == side;
        within(self.notes.iter().filter(same).count(), NOTES_MAX)?;
        Ok(vec![Event::NoteAdded { note: note.clone() }])
    }

    pub(super) fn attach(&self, file: &File) -> Decided {
        if self.files.iter().any(|known| known.id == file.id) {
            return Ok(vec![]);
        }
        self.readable()?;
        let side = Side::of(file.unit.as_ref(), file.visibility);
        let same = |known: &&File| Side::of(known.unit.as_ref(), known.visibility) == side;
        within(self.files.iter().filter(same).count(), FILES_MAX)?;
        Ok(vec![Event::FileAttached { file: file.clone() }])
    }

    /// What the enterprise was promised goes on in the other appeal, so only a case that no unit has
    /// resolved yet can be merged.
    pub(super) fn merge(&self, context: &Context<'_>, into: AppealId) -> Decided {
        if matches!(self.phase, Phase::Merged(known) if known == into) {
            return Ok(vec![]);
        }
        self.unresolved()?;
        if self.guarantee.is_some() {
            return Err(Rejection::Guaranteed);
        }
        // A complaint that holds visits is answered by itself.
        let holds = self.submission.about_visit.is_some() && self.hold < Hold::Ended;
        if holds || self.absorbed.contains(&into) {
            return Err(Rejection::MergeImpossible);
        }
        let mut winder = Winder::of(context, self);
        winder.stop_all(self);
        Ok(vec![Event::AppealMerged { into, clocks: winder.done() }])
    }

    /// What is declined comes back to where it was, so two that merged into each other both go on,
    /// and no ring of merges swallows a matter. Either answer to one merge stays, so that who carries
    /// the word, and however late, hears the same.
    pub(super) fn absorb(&self, from: AppealId, merge: u32, standing: &Standing) -> Vec<Event> {
        let declined = self.declined.get(&from).is_some_and(|declined| merge <= *declined);
        if declined || self.absorbed.contains(&from) {
            return vec![];
        }
        vec![if self.takes_in(standing) {
            Event::AppealAbsorbed { from }
        } else {
            Event::MergeDeclined { from, merge }
        }]
    }

    /// Whether it can take an appeal in that stands at that, without loss: a unit still has to
    /// resolve it (what ended, was merged itself or is about to end can take nobody's matter over),
    /// it is at least as closed to others, neither younger nor further from the guarantee, and its
    /// resolution is due no later, so that merging puts no promise off. One that stands still
    /// promises no instant. Nor may what is under way there put it off afterwards: a ruling on an
    /// objection, an answer to a request for more time, a class that is given longer.
    #[must_use]
    pub fn takes_in(&self, other: &Standing) -> bool {
        let own = self.standing();
        let running = self.clock(ClockKind::Pause).is_none();
        let due = own.resolve_due.filter(|_| running);
        let in_time = other.resolve_due.is_none_or(|at| due.is_some_and(|due| due <= at));
        let undecided = matches!(self.phase, Phase::Contested { .. })
            || matches!(self.extension, Extension::Asked(_));
        self.unresolved().is_ok()
            && !self.is_erased()
            && !undecided
            && self.absorbed.len() < ABSORBED_MAX
            && own.confidentiality >= other.confidentiality
            && own.submitted_at <= other.submitted_at
            && own.objections >= other.objections
            && own.bounces >= other.bounces
            && own.resolve_days <= other.resolve_days
            && in_time
    }

    /// As if it had never been merged: the same phase, the same clocks with the same promises.
    pub(super) fn undo_merge(&self, context: &Context<'_>) -> Decided {
        let before = match (&self.phase, &self.before_merge) {
            (Phase::Merged(_), Some(before)) if !self.merge_delivered => before,
            _ => return Ok(vec![]),
        };
        let mut winder = Winder::of(context, self);
        before.clocks.values().for_each(|clock| winder.set(clock.clone()));
        let (found, route, clocks) = (Silence::NoClock, None, winder.done());
        let repaired = Event::AppealRepaired { found, route, clocks };
        let after = self.clone().evolve(&repaired);
        let mut events = vec![repaired];
        if after.is_silent() {
            events.extend(after.repair(context)?);
        }
        Ok(events)
    }

    fn unresolved(&self) -> Result<(), Rejection> {
        match self.phase {
            Phase::Submitted
            | Phase::Accepted
            | Phase::Dispatched(_)
            | Phase::InHandling(_)
            | Phase::Contested { .. } => Ok(()),
            _ => Err(self.wrong_phase("not resolved yet")),
        }
    }

    /// Once the enterprise took the answer to its complaint about a visit, or the complaint is closed or
    /// goes on elsewhere, nobody waits for it any more. The unit's own word alone frees it from nothing.
    pub(in crate::appeal) fn end_hold(&self, events: &[Event]) -> Option<Event> {
        let answers = |event: &Event| {
            matches!(
                event,
                Event::ResolutionConfirmed { .. }
                    | Event::AppealRedirected { .. }
                    | Event::AppealClosed { .. }
            )
        };
        let wanted = self.submission.about_visit.is_some() && self.hold < Hold::Ended;
        (wanted && events.iter().any(answers)).then_some(Event::HoldEnded {})
    }

    pub(super) fn mark_visits_held(&self) -> Vec<Event> {
        let wanted = self.submission.about_visit.is_some() && self.hold == Hold::Wanted;
        if wanted { vec![Event::VisitsHeld {}] } else { vec![] }
    }

    pub(super) fn mark_hold_lifted(&self) -> Vec<Event> {
        if self.hold == Hold::Ended { vec![Event::HoldLifted {}] } else { vec![] }
    }

    pub(super) fn mark_merge_delivered(&self) -> Decided {
        match self.phase {
            Phase::Merged(_) if !self.merge_delivered => Ok(vec![Event::MergeDelivered {}]),
            _ => Ok(vec![]),
        }
    }

    pub(super) fn split(
        &self,
        context: &Context<'_>,
        part: AppealId,
        submission: &Submission,
    ) -> Decided {
        if let Some(known) = self.parts.get(&part) {
            let same = known.submission == *submission;
            return if same { Ok(vec![]) } else { Err(Rejection::SubmittedDifferently) };
        }
        if !self.phase.is_open() {
            return Err(self.wrong_phase("open"));
        }
        self.readable()?;
        within(self.parts.len(), PARTS_MAX)?;
        // What would not be taken in by itself would be lost on its way.
        super::submit(context, submission)?;
        let (submission, clocks) = (submission.clone(), Winder::of(context, self).done());
        Ok(vec![Event::AppealSplit { part, submission, clocks }])
    }

    pub(super) fn mark_part_submitted(&self, part: AppealId) -> Decided {
        match self.parts.get(&part) {
            Some(known) if !known.submitted => Ok(vec![Event::PartSubmitted { part }]),
            _ => Ok(vec![]),
        }
    }

    /// Nobody can give an opinion on what nobody can read: a joint diagnosis ends with it.
    pub(super) fn erase(&self, subject: &str) -> Decided {
        if self.is_erased() {
            return Ok(vec![]);
        }
        let erased = Event::PersonalDataErased { subject: subject.to_owned() };
        Ok(self.abandoned().into_iter().chain([erased]).collect())
    }

    pub(super) fn mark_key_destroyed(&self) -> Decided {
        match self.erased {
            Erasure::Ordered => Ok(vec![Event::KeyDestroyed {}]),
            Erasure::No | Erasure::Done => Ok(vec![]),
        }
    }
}
