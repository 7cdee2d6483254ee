//! One appeal as a row: what [`doudi_domain::appeal::Case`] would say of it, from one event to the
//! next, with no more memory than the row and its clocks.

use std::collections::BTreeMap;

use doudi_domain::{
    AppealId, CaseNumber, ClassId,
    appeal::{ClockChange, Event, PhaseName, Pinned, Submission},
    calendar::civil_date,
    clock::{Clock, ClockId, ClockKind, Owner},
    routing::Route,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::{
    appeals::{Row, phase},
    asked::Asked,
    db,
    fact::Fact,
};

/// A row and what is needed to carry it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::appeals) struct Known {
    pub(in crate::appeals) row: Row,
    /// The day of its submission in Asia/Shanghai.
    pub(in crate::appeals) submitted_on: Date,
    /// Its terms on suspected false closures, in calendar days.
    pub(in crate::appeals) false_closure_days: u32,
    /// Contested: whether the unit had signed for it.
    pub(in crate::appeals) signed: bool,
    /// How it stood before it was merged, while that may come to nothing.
    pub(in crate::appeals) before_merge: Option<Before>,
    /// Who was asked for a part of it.
    pub(in crate::appeals) asked: Asked,
    /// When it came into its state, with its unit.
    pub(in crate::appeals) entered_at: Timestamp,
    /// The clocks that run or stand still.
    pub(in crate::appeals) clocks: BTreeMap<ClockId, Clock>,
}

/// That an open appeal left a state or a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::appeals) struct Stay {
    /// As it was while it was there.
    pub(in crate::appeals) row: Row,
    pub(in crate::appeals) position: i64,
    pub(in crate::appeals) ordinal: i32,
    pub(in crate::appeals) entered_at: Timestamp,
    pub(in crate::appeals) left_at: Timestamp,
}

/// How an appeal stood before it was merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::appeals) struct Before {
    /// The name of its phase.
    state: String,
    route: Option<Route>,
    signed: bool,
}

impl Known {
    /// What its own row says.
    pub(in crate::appeals) fn without_clocks(&self) -> Self {
        Self {
            row: self.row.clone(),
            before_merge: self.before_merge.clone(),
            asked: self.asked.clone(),
            clocks: BTreeMap::new(),
            ..*self
        }
    }

    /// A case as it begins; none for another event.
    pub(super) fn submitted(key: &Key, fact: &Fact, event: &Event) -> Option<Self> {
        let Event::AppealSubmitted { submission, terms, clocks } = event else {
            return None;
        };
        let submitted_on = civil_date(clocks.at);
        let row = Row {
            enterprise: key.1.clone(),
            appeal: key.0,
            number: CaseNumber::of(key.0, submitted_on),
            state: PhaseName::Submitted,
            channel: submission.channel,
            case_type: terms.case_type.id.clone(),
            class: class(submission, terms),
            topic: submission.topic.clone(),
            area: submission.area.clone(),
            confidentiality: submission.confidentiality,
            unit: None,
            co_units: vec![],
            beside: vec![],
            rule: None,
            due: None,
            objections: 0,
            bounces: 0,
            guarantee: None,
            merged_into: None,
            about_visit: submission.about_visit,
            submitted_at: clocks.at,
            closed_at: None,
            last_moved: clocks.at,
            suspected_false_closure: false,
            submitted: db::position(fact.position),
            updated: db::position(fact.position),
        };
        Some(Self {
            row,
            submitted_on,
            false_closure_days: u32::from(terms.case_type.bounds.false_closure_days),
            signed: false,
            before_merge: None,
            asked: Asked::default(),
            entered_at: clocks.at,
            clocks: BTreeMap::new(),
        })
    }

    /// Carries one event on, and gives what ended with it.
    pub(super) fn take(&mut self, event: &Event, fact: &Fact, ordinal: i32) -> Option<Stay> {
        let (state, unit) = (self.row.state, self.row.unit.clone());
        let beside = self.row.beside.clone();
        if let Some(change) = event.clocks() {
            self.wind(change);
        }
        self.turn(event);
        self.asked.take(event);
        self.row.beside = self.asked.beside(&self.row.co_units);
        let moved = (state, &unit) != (self.row.state, &self.row.unit);
        if let Some(change) = event.clocks()
            && (moved || is_a_promise(event, change))
        {
            self.row.last_moved = self.row.last_moved.max(change.at);
        }
        self.row.due = self.due().cloned();
        self.row.updated = db::position(fact.position);
        if !moved {
            return None;
        }
        let said = event.clocks().map(|change| change.at);
        // Events of the first version did not say when.
        let at = said.filter(|at| *at != Timestamp::UNIX_EPOCH).unwrap_or(fact.occurred_at);
        // A stay ends no earlier than it began.
        let left_at = at.max(self.entered_at);
        let entered_at = std::mem::replace(&mut self.entered_at, left_at);
        is_open(state).then(|| {
            let row = Row { state, unit, beside, ..self.row.clone() };
            Stay { row, position: fact.position, ordinal, entered_at, left_at }
        })
    }

    fn wind(&mut self, change: &ClockChange) {
        for clock in &change.set {
            self.clocks.insert(clock.id, clock.clone());
        }
        for id in &change.stopped {
            self.clocks.remove(id);
        }
    }

    fn turn(&mut self, event: &Event) {
        match event {
            Event::AppealAccepted { .. } => self.unassigned(PhaseName::Accepted),
            Event::AppealRedirected { .. } => self.unassigned(PhaseName::Redirected),
            Event::AppealDispatched { route, .. } => {
                self.row.bounces += u32::from(self.row.state == PhaseName::Contested);
                self.assign(PhaseName::Dispatched, route);
            }
            Event::AppealSignedFor { .. } => self.keeping(PhaseName::InHandling),
            Event::DispatchContested { .. } => self.contested(),
            Event::DispatchRuled { route, upheld, .. } => self.ruled(route, *upheld),
            Event::GuaranteeTaken { trigger, route, .. } => {
                self.row.guarantee = Some(*trigger);
                self.assign(PhaseName::InHandling, route);
            }
            Event::AppealRepaired { route, .. } => self.repaired(route.as_ref()),
            Event::AppealReclassified { class, .. } => self.row.class = Some(class.clone()),
            Event::AppealResolved { .. } => self.keeping(PhaseName::Resolved),
            Event::ResolutionConfirmed { .. } => self.keeping(PhaseName::Confirmed),
            Event::ResolutionObjected { .. } | Event::AppealReopened { .. } => {
                self.row.objections += 1;
                self.row.closed_at = None;
                self.keeping(PhaseName::InHandling);
            }
            Event::AppealClosed { clocks, .. } => {
                self.row.closed_at = Some(clocks.at);
                self.row.merged_into = None;
                self.row.state = PhaseName::Closed;
            }
            Event::AppealMerged { into, .. } => self.merged(*into),
            Event::AppealSubmitted { .. }
            | Event::EnterpriseContacted { .. }
            | Event::ExtensionAsked { .. }
            | Event::ExtensionGranted { .. }
            | Event::ExtensionRefused { .. }
            | Event::HandlingPaused { .. }
            | Event::HandlingResumed { .. }
            | Event::CoHandlingRequested { .. }
            | Event::CoHandlingAnswered { .. }
            | Event::CallbackRecorded { .. }
            | Event::EnterpriseSilent { .. }
            | Event::AppealRated { .. }
            | Event::NoteAdded { .. }
            | Event::FileAttached { .. }
            | Event::MergeDelivered {}
            | Event::AppealAbsorbed { .. }
            | Event::MergeDeclined { .. }
            | Event::AppealSplit { .. }
            | Event::PartSubmitted { .. }
            | Event::DiagnosisConvened { .. }
            | Event::DiagnosisOpened { .. }
            | Event::DiagnosisAbandoned { .. }
            | Event::DiagnosisDiscontinued { .. }
            | Event::ConclusionTaken { .. }
            | Event::MediationOpened { .. }
            | Event::MediationEnded { .. }
            | Event::ClockStepsTaken { .. }
            | Event::DeadlinesRecomputed { .. }
            | Event::PersonalDataErased { .. }
            | Event::KeyDestroyed {}
            | Event::VisitsHeld {}
            | Event::HoldEnded {}
            | Event::HoldLifted {} => {}
        }
    }

    fn contested(&mut self) {
        self.signed = self.row.state == PhaseName::InHandling;
        self.keeping(PhaseName::Contested);
    }

    fn ruled(&mut self, route: &Route, upheld: bool) {
        if upheld {
            self.row.bounces += 1;
            self.assign(PhaseName::Dispatched, route);
        } else {
            let back = self.row.state == PhaseName::Contested && self.signed;
            self.keeping(if back { PhaseName::InHandling } else { PhaseName::Dispatched });
        }
    }

    /// What a merge ends is kept, for when it comes to nothing.
    fn merged(&mut self, into: AppealId) {
        let route = self.row.unit.clone().zip(self.row.rule.clone()).map(|(unit, rule)| Route {
            unit,
            co_units: self.row.co_units.clone(),
            rule,
            instead_of: None,
        });
        let state = self.row.state.as_str().to_owned();
        self.before_merge = Some(Before { state, route, signed: self.signed });
        self.unassigned(PhaseName::Merged);
        self.row.merged_into = Some(into);
    }

    fn repaired(&mut self, route: Option<&Route>) {
        match (self.row.state, route) {
            (PhaseName::Merged, _) => {
                let before = self.before_merge.take();
                let state = before.as_ref().and_then(|before| phase(&before.state).ok());
                match (state, before) {
                    (Some(state), Some(Before { route: Some(route), signed, .. })) => {
                        self.signed = signed;
                        self.assign(state, &route);
                    }
                    (Some(state), _) => self.unassigned(state),
                    (None, _) => {}
                }
            }
            (PhaseName::Dispatched | PhaseName::InHandling | PhaseName::Contested, Some(route)) => {
                self.assign(PhaseName::Dispatched, route);
            }
            (state @ (PhaseName::Resolved | PhaseName::Confirmed), Some(route)) => {
                self.assign(state, route);
            }
            (
                PhaseName::Submitted
                | PhaseName::Accepted
                | PhaseName::Closed
                | PhaseName::Redirected,
                _,
            )
            | (_, None) => {}
        }
    }

    /// A phase in which no unit leads.
    fn unassigned(&mut self, state: PhaseName) {
        self.row.state = state;
        self.row.merged_into = None;
        self.row.unit = None;
        self.row.co_units = vec![];
        self.row.rule = None;
    }

    fn assign(&mut self, state: PhaseName, route: &Route) {
        self.row.state = state;
        self.row.merged_into = None;
        self.row.unit = Some(route.unit.clone());
        self.row.co_units.clone_from(&route.co_units);
        self.row.rule = Some(route.rule.clone());
    }

    /// A phase that an appeal comes to with the unit that it has.
    fn keeping(&mut self, state: PhaseName) {
        if self.row.unit.is_some() {
            self.row.state = state;
        }
    }

    /// As [`doudi_domain::appeal::Case::due`] says.
    fn due(&self) -> Option<&Clock> {
        let latest = |kind| self.clocks.values().rfind(|clock| clock.kind == kind);
        match self.row.state {
            PhaseName::Submitted => latest(ClockKind::Accept),
            PhaseName::Accepted => latest(ClockKind::Dispatch),
            PhaseName::Dispatched | PhaseName::InHandling => {
                let handler = self.row.unit.clone().map(Owner::Unit);
                self.clocks.values().rfind(|clock| {
                    clock.kind == ClockKind::Resolve && Some(&clock.owner) == handler.as_ref()
                })
            }
            PhaseName::Contested => latest(ClockKind::Ruling),
            PhaseName::Resolved => latest(ClockKind::Feedback).or_else(|| latest(ClockKind::Close)),
            PhaseName::Confirmed => latest(ClockKind::Close),
            PhaseName::Closed | PhaseName::Redirected | PhaseName::Merged => None,
        }
    }
}

/// The class asked for, where the terms list it; else their first.
fn class(submission: &Submission, terms: &Pinned) -> Option<ClassId> {
    let asked = submission.class.as_ref().and_then(|id| terms.case_type.class(id));
    asked.or_else(|| terms.case_type.classes.first()).map(|class| class.id.clone())
}

/// Whether somebody owes more or less than before. Neither a clock that reaches a step nor a newer
/// calendar is anything that somebody did.
fn is_a_promise(event: &Event, change: &ClockChange) -> bool {
    let of_time =
        matches!(event, Event::ClockStepsTaken { .. } | Event::DeadlinesRecomputed { .. });
    let nothing = change.set.is_empty() && change.stopped.is_empty();
    !(of_time || nothing)
}

/// Whether somebody still owes something in that phase.
pub(in crate::appeals) fn is_open(state: PhaseName) -> bool {
    !matches!(state, PhaseName::Closed | PhaseName::Redirected | PhaseName::Merged)
}
