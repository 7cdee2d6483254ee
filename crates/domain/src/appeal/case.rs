//! The state of an appeal, as far as some rule reads it or a reader of the case asks for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ledger::Ledger,
    matter::{Callback, File, LawfulChannel, Note, Outcome, Pinned, Rating, Submission, Trigger},
    merging::BeforeMerge,
};
use crate::{
    cases::Class,
    clock::{Clock, ClockId, ClockKind, Owner},
    ids::{AppealId, ClassId, DiagnosisId, UnitId},
    routing::Route,
    sealed::Sealed,
};

/// One appeal (诉求).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Appeal {
    /// Not submitted.
    #[default]
    Absent,
    /// Submitted.
    Known(Box<Case>),
}

/// A submitted appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What was submitted.
    pub submission: Submission,
    /// The terms it was submitted under.
    pub terms: Pinned,
    /// The class that was asked for or that it was put into; none for the type's first.
    pub class: Option<ClassId>,
    /// What was promised while it was of another class: its resolution's clock when it left that.
    pub promised: BTreeMap<ClassId, Clock>,
    /// How far it is.
    pub phase: Phase,
    /// The clocks that run or stand still, by name.
    pub clocks: BTreeMap<ClockId, Clock>,
    /// The name of the clock started last.
    pub clock_last: ClockId,
    /// Who had it how long.
    pub ledger: Ledger,
    /// How often it went from one unit to another.
    pub bounces: u16,
    /// The unit that objected to a dispatch last.
    pub objector: Option<UnitId>,
    /// How often the enterprise was dissatisfied.
    pub objections: u32,
    /// Why the guarantee unit owns it, if it does.
    pub guarantee: Option<Trigger>,
    /// Whether the unit spoke with the enterprise in the present handling.
    pub contacted: bool,
    /// How far an extension is.
    pub extension: Extension,
    /// Why the unit objected to the dispatch last.
    pub contest: Option<Sealed>,
    /// Why the unit asked for an extension last.
    pub extension_reason: Option<Sealed>,
    /// What other units do for the lead, by the clock of the task.
    pub tasks: BTreeMap<ClockId, Task>,
    /// What the unit said last, also after the enterprise objected to it.
    pub resolution: Option<Resolution>,
    /// Why the enterprise objected or reopened last.
    pub objection: Option<Sealed>,
    /// What the enterprise said on the phone since the last resolution; while it said nothing, what
    /// came of the last callback.
    pub callback: Option<Callback>,
    /// What came of the last callback since the last resolution, whatever was said before.
    pub callback_last: Option<Callback>,
    /// Whether the enterprise let the time for its word pass.
    pub silent: bool,
    /// How the enterprise rated the last handling that came to a resolution.
    pub rating: Option<Rating>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// The files, oldest first.
    pub files: Vec<File>,
    /// Appeals that go on as part of this one.
    pub absorbed: Vec<AppealId>,
    /// Appeals that it declined to take in, and the last merge of each of which it did.
    pub declined: BTreeMap<AppealId, u32>,
    /// How often it was merged into another appeal, also in vain.
    pub merges: u32,
    /// Whether the appeal that this one was merged into has taken it up.
    pub merge_delivered: bool,
    /// What it was before it was merged, for when the other appeal cannot take it up.
    pub before_merge: Option<Box<BeforeMerge>>,
    /// Parts that go their own way, and whether they were submitted.
    pub parts: BTreeMap<AppealId, Part>,
    /// How the last mediation ended: whether both sides agreed.
    pub mediated: Option<bool>,
    /// The joint diagnosis called for last.
    pub diagnosis: Option<Diagnosis>,
    /// How far the hold of the visits complained about is, where it complains about one.
    pub hold: Hold,
    /// How far its personal data are erased.
    pub erased: Erasure,
}

/// A part of an appeal that goes its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it says.
    pub submission: Submission,
    /// Whether it was submitted.
    pub submitted: bool,
}

/// How far the hold of a unit's visits is, which a complaint about one of them brings about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Not heard of by the visits yet; nothing is wanted of an appeal about no visit.
    #[default]
    Wanted,
    /// The visits are held.
    Placed,
    /// Nothing need be held any more.
    Ended,
    /// The visits have heard of that.
    Lifted,
}

/// How far the personal data of an appeal are erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Erasure {
    /// Nobody ordered it.
    #[default]
    No,
    /// It is ordered; the key may still exist.
    Ordered,
    /// The key is destroyed.
    Done,
}

/// What a unit says became of an appeal (办理结果与答复).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// How it was resolved.
    pub outcome: Outcome,
    /// The reply to the enterprise.
    pub reply: Sealed,
}

/// What another unit does for the lead (协办任务).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The other unit.
    pub unit: UnitId,
    /// What is asked.
    pub ask: Sealed,
    /// The joint diagnosis that ordered it, if one did.
    pub ordered_by: Option<DiagnosisId>,
    /// Its answer.
    pub answer: Option<Sealed>,
}

/// How far an extension of the current handling is (延期).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extension {
    /// None was asked for.
    #[default]
    None,
    /// Asked for, with so many working days.
    Asked(u16),
    /// Decided: there is one decision for each handling.
    Decided,
}

/// A joint diagnosis as the appeal knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Which.
    pub id: DiagnosisId,
    /// The units convened.
    pub units: Vec<UnitId>,
    /// How many opinions it takes.
    pub quorum: u16,
    /// What they are asked.
    pub question: Sealed,
    /// Whether it has begun.
    pub opened: bool,
    /// What it concluded, once it binds.
    pub conclusion: Option<Sealed>,
    /// How far its end without a conclusion is.
    pub ending: Ending,
}

/// How far the end of a joint diagnosis is that nobody can conclude any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// It can be concluded, or is.
    #[default]
    No,
    /// It is to end; its clocks may still run.
    Ordered,
    /// It ended.
    Done,
}

impl Diagnosis {
    /// Whether it was called for and is neither concluded nor given up.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.conclusion.is_none() && self.ending == Ending::No
    }
}

/// Who handles an appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The unit, its co-units and the rule that chose them.
    pub route: Route,
    /// When it was given to the unit.
    pub since: Timestamp,
    /// Whether there is no return from it.
    pub is_final: bool,
}

/// How far an appeal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Waits for acceptance (待受理).
    Submitted,
    /// Waits for dispatch (待分办).
    Accepted,
    /// Waits for the unit's signature (待签收).
    Dispatched(Assignment),
    /// The unit works on it (办理中).
    InHandling(Assignment),
    /// The unit objects to having it (退单待裁定).
    Contested {
        /// The unit that has it until the ruling.
        assignment: Assignment,
        /// Who is competent as that unit sees it.
        proposed: Option<UnitId>,
        /// Whether it had signed for it.
        signed: bool,
    },
    /// The unit says it is resolved; the enterprise has the word (已办结待确认).
    Resolved(Assignment),
    /// The enterprise agreed (企业已确认).
    Confirmed(Assignment),
    /// Closed (已办结归档).
    Closed(Option<Assignment>),
    /// It belongs elsewhere (不予受理，引导法定途径).
    Redirected {
        /// Where.
        channel: LawfulChannel,
        /// What the enterprise was told.
        guidance: Sealed,
    },
    /// It goes on as part of another appeal (已并案).
    Merged(AppealId),
}

/// The name of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// See [`Phase::Submitted`].
    Submitted,
    /// See [`Phase::Accepted`].
    Accepted,
    /// See [`Phase::Dispatched`].
    Dispatched,
    /// See [`Phase::InHandling`].
    InHandling,
    /// See [`Phase::Contested`].
    Contested,
    /// See [`Phase::Resolved`].
    Resolved,
    /// See [`Phase::Confirmed`].
    Confirmed,
    /// See [`Phase::Closed`].
    Closed,
    /// See [`Phase::Redirected`].
    Redirected,
    /// See [`Phase::Merged`].
    Merged,
}

impl PhaseName {
    /// Every phase, in the order of an appeal's life.
    pub const ALL: [Self; 10] = [
        Self::Submitted,
        Self::Accepted,
        Self::Dispatched,
        Self::InHandling,
        Self::Contested,
        Self::Resolved,
        Self::Confirmed,
        Self::Closed,
        Self::Redirected,
        Self::Merged,
    ];

    /// Whether somebody still owes something.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Redirected | Self::Merged)
    }

    /// The name in words, lower case, with spaces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Dispatched => "dispatched",
            Self::InHandling => "in handling",
            Self::Contested => "contested",
            Self::Resolved => "resolved",
            Self::Confirmed => "confirmed",
            Self::Closed => "closed",
            Self::Redirected => "redirected",
            Self::Merged => "merged",
        }
    }
}

impl Phase {
    /// The phase's name.
    #[must_use]
    pub fn name(&self) -> PhaseName {
        match self {
            Self::Submitted => PhaseName::Submitted,
            Self::Accepted => PhaseName::Accepted,
            Self::Dispatched(_) => PhaseName::Dispatched,
            Self::InHandling(_) => PhaseName::InHandling,
            Self::Contested { .. } => PhaseName::Contested,
            Self::Resolved(_) => PhaseName::Resolved,
            Self::Confirmed(_) => PhaseName::Confirmed,
            Self::Closed(_) => PhaseName::Closed,
            Self::Redirected { .. } => PhaseName::Redirected,
            Self::Merged(_) => PhaseName::Merged,
        }
    }

    /// Who handles it, once dispatched.
    #[must_use]
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Submitted | Self::Accepted | Self::Redirected { .. } | Self::Merged(_) => None,
            Self::Dispatched(assignment)
            | Self::InHandling(assignment)
            | Self::Contested { assignment, .. }
            | Self::Resolved(assignment)
            | Self::Confirmed(assignment) => Some(assignment),
            Self::Closed(assignment) => assignment.as_ref(),
        }
    }

    /// The route of who handles it, once dispatched.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        self.assignment().map(|assignment| &assignment.route)
    }

    /// Whether somebody still owes something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.name().is_open()
    }
}

impl Case {
    /// Whether it is open and nobody owes its next step: no clock of its phase has a step to come,
    /// nor has the bound of its pause. What is owed beside it (a task, a first contact, what a former
    /// unit is late with) speaks for nobody.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let runs = |clock: Option<&Clock>| clock.is_some_and(|clock| clock.next().is_some());
        self.phase.is_open() && !runs(self.due()) && !runs(self.clock(ClockKind::Pause))
    }

    /// Whether nobody can read its texts any more.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erased != Erasure::No
    }

    /// The clock of that kind started last that still runs or stands still.
    #[must_use]
    pub fn clock(&self, kind: ClockKind) -> Option<&Clock> {
        self.clocks.values().rfind(|clock| clock.kind == kind)
    }

    /// The clock of that kind which the present handler owes.
    #[must_use]
    pub fn handling_clock(&self, kind: ClockKind) -> Option<&Clock> {
        handled(&self.phase, &self.clocks, kind)
    }

    /// When it was submitted; long ago where the first version did not say.
    #[must_use]
    pub fn submitted_at(&self) -> Timestamp {
        let first = self.ledger.segments().first();
        first.map_or(Timestamp::UNIX_EPOCH, |first| first.since)
    }

    /// When the next step of the case itself is due: of the phase, not of tasks beside it.
    #[must_use]
    pub fn due(&self) -> Option<&Clock> {
        match self.phase {
            Phase::Submitted => self.clock(ClockKind::Accept),
            Phase::Accepted => self.clock(ClockKind::Dispatch),
            Phase::Dispatched(_) | Phase::InHandling(_) => self.handling_clock(ClockKind::Resolve),
            Phase::Contested { .. } => self.clock(ClockKind::Ruling),
            Phase::Resolved(_) => {
                self.clock(ClockKind::Feedback).or_else(|| self.clock(ClockKind::Close))
            }
            Phase::Confirmed(_) => self.clock(ClockKind::Close),
            Phase::Closed(_) | Phase::Redirected { .. } | Phase::Merged(_) => None,
        }
    }

    /// The class it is of, with its time to resolve. A class that its terms do not list cannot be
    /// reached; the first one stands for it.
    #[must_use]
    pub fn class(&self) -> Option<&Class> {
        let classes = &self.terms.case_type.classes;
        let named = classes.iter().find(|class| self.class.as_ref() == Some(&class.id));
        named.or_else(|| classes.first())
    }

    /// How long resolving may take, in working days; 0 for a type without classes, which is never
    /// published.
    pub(super) fn resolve_days(&self) -> u16 {
        self.class().map_or(0, |class| class.resolve)
    }
}

/// The clock of that kind which the handler of that phase owes. The first version did not say who owes
/// the resolution, so its clocks name the city desk.
pub(super) fn handled<'a>(
    phase: &Phase,
    clocks: &'a BTreeMap<ClockId, Clock>,
    kind: ClockKind,
) -> Option<&'a Clock> {
    let unit = &phase.route()?.unit;
    let owed = |clock: &&Clock| {
        let theirs = match &clock.owner {
            Owner::Unit(owner) => owner == unit,
            Owner::CityDesk => true,
        };
        clock.kind == kind && theirs
    };
    clocks.values().rfind(owed)
}
