//! From facts to the state: total, decides nothing.

use std::collections::BTreeMap;

use super::{
    case::{
        Assignment, Case, Diagnosis, Ending, Erasure, Extension, Hold, Part, Phase, PhaseName,
        Resolution, Task,
    },
    event::Event,
    ledger::{Ledger, Segment},
    matter::{Callback, ClockChange, Pinned, Submission},
    merging::BeforeMerge,
};
use crate::{
    clock::{Clock, ClockId, ClockKind, Owner},
    ids::{DiagnosisId, UnitId},
    routing::Route,
};

impl Case {
    /// A case as it begins.
    pub(super) fn submitted(submission: &Submission, terms: &Pinned, clocks: &ClockChange) -> Self {
        let mut case = Self {
            submission: submission.clone(),
            class: submission.class.clone(),
            terms: terms.clone(),
            promised: BTreeMap::new(),
            phase: Phase::Submitted,
            clocks: BTreeMap::new(),
            clock_last: ClockId(0),
            ledger: Ledger::default(),
            bounces: 0,
            objector: None,
            objections: 0,
            guarantee: None,
            contacted: false,
            extension: Extension::None,
            contest: None,
            extension_reason: None,
            tasks: BTreeMap::new(),
            resolution: None,
            objection: None,
            callback: None,
            callback_last: None,
            silent: false,
            rating: None,
            closed_at: None,
            notes: vec![],
            files: vec![],
            absorbed: vec![],
            declined: BTreeMap::new(),
            merges: 0,
            merge_delivered: false,
            before_merge: None,
            parts: BTreeMap::new(),
            mediated: None,
            diagnosis: None,
            hold: Hold::default(),
            erased: Erasure::No,
        };
        case.wind(clocks);
        case.note_holder(clocks);
        case
    }

    /// Folds one event that came after the submission.
    pub(super) fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::AppealMerged { .. } => self.set_aside(),
            Event::AppealReclassified { .. } => self.keep_promise(),
            _ => {}
        }
        if let Some(clocks) = event.clocks() {
            self.bound_passed(clocks);
            self.wind(clocks);
        }
        self.route_changes(event);
        self.handling(event);
        self.closing(event);
        self.around(event);
        // A task whose clock was stopped without an answer is asked for no more.
        let clocks = &self.clocks;
        self.tasks.retain(|id, task| task.answer.is_some() || clocks.contains_key(id));
        if let Some(clocks) = event.clocks() {
            self.note_holder(clocks);
        }
        self
    }

    /// Keeps what a merge ends, for when it comes to nothing.
    fn set_aside(&mut self) {
        let (phase, clocks) = (self.phase.clone(), self.clocks.clone());
        self.before_merge =
            Some(Box::new(BeforeMerge { phase, clocks, tasks: self.tasks.clone() }));
    }

    /// Keeps what the class promises that is left, for when it comes back to it.
    fn keep_promise(&mut self) {
        let class = self.class().map(|class| class.id.clone());
        let clock = self.handling_clock(ClockKind::Resolve).cloned();
        self.promised.extend(class.zip(clock));
    }

    /// What the event does to the clocks.
    fn wind(&mut self, change: &ClockChange) {
        for clock in &change.set {
            self.clock_last = self.clock_last.max(clock.id);
            self.clocks.insert(clock.id, clock.clone());
        }
        for id in &change.stopped {
            self.clocks.remove(id);
        }
    }

    /// A pause ends at its bound, however late that is noticed: from there on the handler had the case.
    fn bound_passed(&mut self, change: &ClockChange) {
        let bound = self.clock(ClockKind::Pause).map(|clock| clock.due);
        let bound = bound.filter(|bound| *bound < change.at);
        if let (Some(bound), Some(handler)) = (bound, self.phase.route()) {
            let holder = Some(Owner::Unit(handler.unit.clone()));
            self.ledger.turn(bound, holder, self.phase.name());
        }
    }

    /// Who has it from the event on.
    fn note_holder(&mut self, change: &ClockChange) {
        let stands_still = |pause: &Clock| change.at < pause.due;
        let holder = match &self.phase {
            _ if self.clock(ClockKind::Pause).is_some_and(stands_still) => None,
            Phase::Dispatched(at) | Phase::InHandling(at) => {
                Some(Owner::Unit(at.route.unit.clone()))
            }
            Phase::Submitted
            | Phase::Accepted
            | Phase::Contested { .. }
            | Phase::Resolved(_)
            | Phase::Confirmed(_) => self.due().map(|clock| clock.owner.clone()),
            Phase::Closed(_) | Phase::Redirected { .. } | Phase::Merged(_) => None,
        };
        self.ledger.turn(change.at, holder, self.phase.name());
        if !self.phase.is_open() {
            self.ledger.end(change.at);
        }
    }

    /// From unit to unit.
    fn route_changes(&mut self, event: &Event) {
        match event {
            Event::AppealAccepted { .. } => self.phase = Phase::Accepted,
            Event::AppealRedirected { channel, guidance, .. } => {
                let (channel, guidance) = (*channel, guidance.clone());
                self.phase = Phase::Redirected { channel, guidance };
            }
            Event::AppealDispatched { route, clocks, .. } => {
                if matches!(self.phase, Phase::Contested { .. }) {
                    self.lost(true);
                    self.bounces += 1;
                }
                self.assign(Phase::Dispatched, route, clocks, false);
            }
            Event::DispatchContested { unit, proposed, .. } => {
                self.objector = Some(unit.clone());
                let signed = matches!(self.phase, Phase::InHandling(_));
                if let Some(assignment) = self.phase.assignment().cloned() {
                    let proposed = proposed.clone();
                    self.phase = Phase::Contested { assignment, proposed, signed };
                }
            }
            Event::DispatchRuled { route, upheld, clocks, .. } => {
                let signed = matches!(self.phase, Phase::Contested { signed: true, .. });
                self.lost(*upheld);
                if *upheld {
                    self.bounces += 1;
                    self.assign(Phase::Dispatched, route, clocks, true);
                } else if let Some(before) = self.phase.assignment().cloned() {
                    let assignment = Assignment { is_final: true, ..before };
                    self.phase = match signed {
                        true => Phase::InHandling(assignment),
                        false => Phase::Dispatched(assignment),
                    };
                }
            }
            Event::GuaranteeTaken { trigger, route, clocks, .. } => {
                if matches!(self.phase, Phase::Contested { .. }) {
                    self.lost(true);
                }
                self.guarantee = Some(*trigger);
                self.assign(Phase::InHandling, route, clocks, true);
            }
            Event::AppealRepaired { route, clocks, .. } => self.repaired(route.as_ref(), clocks),
            Event::AppealSignedFor { .. } => self.keeping(Phase::InHandling),
            _ => {}
        }
    }

    /// Within a unit.
    fn handling(&mut self, event: &Event) {
        match event {
            Event::EnterpriseContacted { .. } => self.contacted = true,
            Event::AppealReclassified { class, .. } => self.class = Some(class.clone()),
            Event::MediationEnded { agreed, .. } => self.mediated = Some(*agreed),
            Event::ExtensionAsked { working_days, reason, .. } => {
                self.extension_reason = Some(reason.clone());
                self.extension = Extension::Asked(*working_days);
            }
            Event::ExtensionGranted { .. } | Event::ExtensionRefused { .. } => {
                self.extension = Extension::Decided;
            }
            Event::CoHandlingRequested { task, unit, ask, .. } => {
                let (unit, ask) = (unit.clone(), ask.clone());
                self.tasks.insert(*task, Task { unit, ask, ordered_by: None, answer: None });
            }
            Event::CoHandlingAnswered { task, answer, .. } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.answer = Some(answer.clone());
                }
            }
            Event::DiagnosisConvened { diagnosis, units, quorum, question, .. } => {
                self.diagnosis = Some(Diagnosis {
                    id: *diagnosis,
                    units: units.clone(),
                    quorum: *quorum,
                    question: question.clone(),
                    opened: false,
                    conclusion: None,
                    ending: Ending::No,
                });
            }
            Event::DiagnosisOpened { .. } => {
                self.diagnosis.iter_mut().for_each(|diagnosis| diagnosis.opened = true);
            }
            Event::DiagnosisAbandoned { diagnosis } => self.ends(*diagnosis, Ending::Ordered),
            Event::DiagnosisDiscontinued { diagnosis } => self.ends(*diagnosis, Ending::Done),
            Event::ConclusionTaken { diagnosis, conclusion, orders, clocks } => {
                for (order, clock) in orders.iter().zip(&clocks.set) {
                    let unit = unit_of(&clock.owner).unwrap_or(&order.unit).clone();
                    let ask = order.task.clone();
                    let ordered_by = Some(*diagnosis);
                    self.tasks.insert(clock.id, Task { unit, ask, ordered_by, answer: None });
                }
                let ours = self.diagnosis.iter_mut().filter(|known| known.id == *diagnosis);
                ours.for_each(|known| known.conclusion = Some(conclusion.clone()));
            }
            _ => {}
        }
    }

    /// Towards the end, and back.
    fn closing(&mut self, event: &Event) {
        match event {
            Event::AppealResolved { outcome, reply, .. } => {
                self.resolution = Some(Resolution { outcome: *outcome, reply: reply.clone() });
                self.callback = None;
                self.callback_last = None;
                self.rating = None;
                self.silent = false;
                self.keeping(Phase::Resolved);
            }
            Event::ResolutionConfirmed { .. } => self.keeping(Phase::Confirmed),
            Event::ResolutionObjected { reason, clocks }
            | Event::AppealReopened { reason, clocks } => {
                self.contacted &= !clocks.starts(ClockKind::Contact);
                self.objection = Some(reason.clone());
                self.objections += 1;
                self.extension = Extension::None;
                self.closed_at = None;
                self.keeping(Phase::InHandling);
            }
            Event::CallbackRecorded { callback, .. } => {
                // What the enterprise said stays until it says something else.
                let said = self.callback.as_ref().is_some_and(Callback::says_something);
                if callback.says_something() || !said {
                    self.callback = Some(callback.clone());
                }
                self.callback_last = Some(callback.clone());
            }
            Event::EnterpriseSilent { .. } => self.silent = true,
            Event::AppealRated { rating } => self.rating = Some(*rating),
            Event::AppealClosed { clocks, .. } => {
                self.closed_at = Some(clocks.at);
                self.phase = Phase::Closed(self.phase.assignment().cloned());
            }
            _ => {}
        }
    }

    /// Beside the life of the case.
    fn around(&mut self, event: &Event) {
        match event {
            Event::NoteAdded { note } => self.notes.push(note.clone()),
            Event::FileAttached { file } => self.files.push(file.clone()),
            Event::AppealMerged { into, .. } => {
                self.merge_delivered = false;
                self.merges += 1;
                self.phase = Phase::Merged(*into);
            }
            Event::MergeDelivered {} => self.merge_delivered = true,
            Event::AppealAbsorbed { from } => self.absorbed.push(*from),
            Event::MergeDeclined { from, merge } => {
                self.declined.insert(*from, *merge);
            }
            Event::AppealSplit { part, submission, .. } => {
                let submission = submission.clone();
                self.parts.insert(*part, Part { submission, submitted: false });
            }
            Event::PartSubmitted { part } => {
                self.parts.get_mut(part).into_iter().for_each(|part| part.submitted = true);
            }
            Event::PersonalDataErased { .. } => self.erased = Erasure::Ordered,
            Event::KeyDestroyed {} => self.erased = Erasure::Done,
            Event::VisitsHeld {} => self.hold = Hold::Placed,
            Event::HoldEnded {} => self.hold = Hold::Ended,
            Event::HoldLifted {} => self.hold = Hold::Lifted,
            _ => {}
        }
    }

    /// Back from a merge that came to nothing, or to the unit that stands in for one that is gone.
    fn repaired(&mut self, route: Option<&Route>, clocks: &ClockChange) {
        if matches!(self.phase, Phase::Merged(_)) {
            if let Some(before) = self.before_merge.take() {
                self.phase = before.phase;
                self.tasks = before.tasks;
            }
            return;
        }
        for clock in &clocks.set {
            if let (Some(task), Some(unit)) = (self.tasks.get_mut(&clock.id), unit_of(&clock.owner))
            {
                task.unit = unit.clone();
            }
        }
        let Some(route) = route else { return };
        match self.phase {
            Phase::Dispatched(_) | Phase::InHandling(_) | Phase::Contested { .. } => {
                self.assign(Phase::Dispatched, route, clocks, true);
            }
            Phase::Resolved(_) => self.assign(Phase::Resolved, route, clocks, true),
            Phase::Confirmed(_) => self.assign(Phase::Confirmed, route, clocks, true),
            _ => {}
        }
    }

    fn ends(&mut self, diagnosis: DiagnosisId, ending: Ending) {
        let ours = self.diagnosis.iter_mut().filter(|known| known.id == diagnosis);
        ours.for_each(|known| known.ending = ending);
    }

    fn assign(
        &mut self,
        phase: impl FnOnce(Assignment) -> Phase,
        route: &Route,
        clocks: &ClockChange,
        is_final: bool,
    ) {
        self.contacted = false;
        self.extension = Extension::None;
        self.phase = phase(Assignment { route: route.clone(), since: clocks.at, is_final });
    }

    fn keeping(&mut self, phase: impl FnOnce(Assignment) -> Phase) {
        if let Some(assignment) = self.phase.assignment() {
            self.phase = phase(assignment.clone());
        }
    }

    /// Books the time that a contested dispatch cost to whom caused it: the desk that sent it to the
    /// wrong unit, or the unit that objected without reason.
    fn lost(&mut self, upheld: bool) {
        let Phase::Contested { assignment, .. } = &self.phase else {
            return;
        };
        let unit = Some(Owner::Unit(assignment.route.unit.clone()));
        let since = assignment.since;
        if upheld {
            let desk = self.ledger.segments().last().and_then(|last| last.holder.clone());
            self.ledger.book(&desk, |segment: &Segment| segment.since >= since);
        } else {
            self.ledger.book(&unit, |segment| segment.phase == PhaseName::Contested);
        }
    }
}

fn unit_of(owner: &Owner) -> Option<&UnitId> {
    match owner {
        Owner::Unit(unit) => Some(unit),
        Owner::CityDesk => None,
    }
}
