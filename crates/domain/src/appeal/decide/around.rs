//! Beside the life of the case: notes, files, merging, splitting, erasure. None of these moves a clock,
//! unless it ends the case.

use super::*;
use crate::{
    appeal::{
        case::Erasure,
        matter::{File, Note},
    },
    ids::AppealId,
};

/// The most notes, files, parts and absorbed appeals of one appeal.
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
        within(self.notes.len(), NOTES_MAX)?;
        Ok(vec![Event::NoteAdded { note: note.clone() }])
    }

    pub(super) fn attach(&self, file: &File) -> Decided {
        if self.files.iter().any(|known| known.id == file.id) {
            return Ok(vec![]);
        }
        self.readable()?;
        within(self.files.len(), FILES_MAX)?;
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
        if self.absorbed.contains(&into) {
            return Err(Rejection::MergeImpossible);
        }
        let mut winder = Winder::of(context, self);
        winder.stop_all(self);
        Ok(vec![Event::AppealMerged { into, clocks: winder.done() }])
    }

    /// Only while a unit still has to resolve it: what ended, was merged itself or is about to end can
    /// take nobody's matter over. The other appeal then comes back to where it was, so two that
    /// merged into each other both go on, and no ring of merges swallows a matter.
    pub(super) fn absorb(&self, from: AppealId) -> Decided {
        if self.absorbed.contains(&from) {
            return Ok(vec![]);
        }
        if self.unresolved().is_err() || self.is_erased() || self.absorbed.len() >= ABSORBED_MAX {
            return Err(Rejection::MergeImpossible);
        }
        Ok(vec![Event::AppealAbsorbed { from }])
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

    pub(super) fn erase(&self, subject: &str) -> Decided {
        if self.is_erased() {
            return Ok(vec![]);
        }
        Ok(vec![Event::PersonalDataErased { subject: subject.to_owned() }])
    }

    pub(super) fn mark_key_destroyed(&self) -> Decided {
        match self.erased {
            Erasure::Ordered => Ok(vec![Event::KeyDestroyed {}]),
            Erasure::No | Erasure::Done => Ok(vec![]),
        }
    }
}
