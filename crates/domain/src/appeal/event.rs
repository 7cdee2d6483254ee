//! The facts of an appeal: the storage format. Names and fields here are written to the log and may
//! only be added to; older shapes are lifted in `upcast.rs`.

use serde::{Deserialize, Serialize};

use super::matter::{
    Callback, ClockChange, Closing, File, LawfulChannel, Note, Order, Outcome, Pinned, Rating,
    Silence, Submission, Trigger,
};
use crate::{
    clock::{ClockId, PauseGround, Step},
    ids::{AppealId, ClassId, DiagnosisId, Reference, UnitId},
    routing::Route,
    sealed::Sealed,
};

/// What happened to an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The enterprise appealed.
    AppealSubmitted {
        /// What it says.
        submission: Submission,
        /// The terms that hold for it from now on.
        terms: Pinned,
        /// Acceptance is owed.
        clocks: ClockChange,
    },
    /// A dispatcher took it on.
    AppealAccepted {
        /// Dispatch is owed.
        clocks: ClockChange,
    },
    /// It belongs elsewhere, and the enterprise was told where.
    AppealRedirected {
        /// Where.
        channel: LawfulChannel,
        /// What the enterprise was told.
        guidance: Sealed,
        /// Nothing is owed any more.
        clocks: ClockChange,
    },
    /// It was sent to the unit that answers for it.
    AppealDispatched {
        /// The unit, its co-units and the rule that chose them.
        route: Route,
        /// The version of the routing table; 0 when none was published.
        routing_version: u32,
        /// Contact and resolution are owed.
        clocks: ClockChange,
    },
    /// The unit signed for it (签收).
    AppealSignedFor {
        /// The unit.
        unit: UnitId,
        /// Only the instant: signing moves no clock.
        clocks: ClockChange,
    },
    /// The unit spoke with the enterprise for the first time in this handling.
    EnterpriseContacted {
        /// The unit.
        unit: UnitId,
        /// Contact is no longer owed.
        clocks: ClockChange,
    },
    /// The unit says that it is not competent (退单).
    DispatchContested {
        /// The unit.
        unit: UnitId,
        /// Why.
        reason: Sealed,
        /// Who is, as the unit sees it.
        proposed: Option<UnitId>,
        /// A ruling is owed.
        clocks: ClockChange,
    },
    /// The dispatcher ruled who handles it; there is no return from that.
    DispatchRuled {
        /// The unit that handles it.
        route: Route,
        /// The version of the routing table; 0 when none was published.
        routing_version: u32,
        /// Whether the objection was right.
        upheld: bool,
        /// Resolution is owed.
        clocks: ClockChange,
    },
    /// The guarantee unit owns it now and cannot return it (兜底).
    GuaranteeTaken {
        /// Why.
        trigger: Trigger,
        /// The guarantee unit.
        route: Route,
        /// The version of the routing table; 0 when none was published.
        routing_version: u32,
        /// Resolution is owed; what is overdue keeps climbing the ladder.
        clocks: ClockChange,
    },
    /// It is of another class than thought.
    AppealReclassified {
        /// The class.
        class: ClassId,
        /// Resolution is owed by another time.
        clocks: ClockChange,
    },
    /// The unit asks for more time.
    ExtensionAsked {
        /// The unit.
        unit: UnitId,
        /// How many working days.
        working_days: u16,
        /// Why.
        reason: Sealed,
        /// A decision is owed.
        clocks: ClockChange,
    },
    /// It gets it.
    ExtensionGranted {
        /// Resolution is owed later.
        clocks: ClockChange,
    },
    /// It does not get it.
    ExtensionRefused {
        /// Whether nobody decided in time.
        lapsed: bool,
        /// The decision is no longer owed.
        clocks: ClockChange,
    },
    /// Handling stands still, with a bound.
    HandlingPaused {
        /// Why.
        ground: PauseGround,
        /// What proves it.
        reference: Reference,
        /// Resolution stands still, the end of the pause is owed.
        clocks: ClockChange,
    },
    /// Handling goes on.
    HandlingResumed {
        /// Whether the bound was reached.
        lapsed: bool,
        /// Resolution is owed again.
        clocks: ClockChange,
    },
    /// The lead asks another unit for its part.
    CoHandlingRequested {
        /// Names the task: its clock.
        task: ClockId,
        /// The other unit.
        unit: UnitId,
        /// What is asked.
        ask: Sealed,
        /// An answer is owed to the lead.
        clocks: ClockChange,
    },
    /// The other unit did its part.
    CoHandlingAnswered {
        /// The task.
        task: ClockId,
        /// The other unit.
        unit: UnitId,
        /// The answer.
        answer: Sealed,
        /// The answer is no longer owed.
        clocks: ClockChange,
    },
    /// The unit says it is resolved.
    AppealResolved {
        /// How.
        outcome: Outcome,
        /// The reply to the enterprise.
        reply: Sealed,
        /// A callback is owed.
        clocks: ClockChange,
    },
    /// The enterprise agrees.
    ResolutionConfirmed {
        /// The close is owed.
        clocks: ClockChange,
    },
    /// The enterprise does not agree; it is handled again.
    ResolutionObjected {
        /// Why.
        reason: Sealed,
        /// Contact and resolution are owed again.
        clocks: ClockChange,
    },
    /// The enterprise was called back.
    CallbackRecorded {
        /// What came of it.
        callback: Callback,
        /// The callback is no longer owed once somebody was reached.
        clocks: ClockChange,
    },
    /// The time for the enterprise's word passed without one.
    EnterpriseSilent {
        /// The close is owed.
        clocks: ClockChange,
    },
    /// The enterprise rated the handling.
    AppealRated {
        /// How.
        rating: Rating,
    },
    /// Nothing is open any more.
    AppealClosed {
        /// How it came to its end.
        how: Closing,
        /// Nothing is owed any more.
        clocks: ClockChange,
    },
    /// The enterprise took it up again after the close.
    AppealReopened {
        /// Why.
        reason: Sealed,
        /// Contact and resolution are owed again.
        clocks: ClockChange,
    },
    /// Somebody noted something.
    NoteAdded {
        /// The note.
        note: Note,
    },
    /// Somebody attached a file.
    FileAttached {
        /// The file.
        file: File,
    },
    /// It goes on as part of another appeal of the same enterprise.
    AppealMerged {
        /// The other appeal.
        into: AppealId,
        /// Nothing is owed here any more.
        clocks: ClockChange,
    },
    /// The other appeal has taken it up.
    MergeDelivered {},
    /// Another appeal of the same enterprise goes on as part of this one.
    AppealAbsorbed {
        /// The other appeal.
        from: AppealId,
    },
    /// It could not take an appeal in that was merged into it, which goes on by itself therefore.
    MergeDeclined {
        /// The other appeal.
        from: AppealId,
        /// The how many-th merge of that appeal it was, from 1.
        merge: u32,
    },
    /// A part of it goes its own way.
    AppealSplit {
        /// The new appeal.
        part: AppealId,
        /// What it says.
        submission: Submission,
        /// Only the instant.
        clocks: ClockChange,
    },
    /// The part was submitted.
    PartSubmitted {
        /// The new appeal.
        part: AppealId,
    },
    /// The guarantee unit calls units together.
    DiagnosisConvened {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
        /// The units.
        units: Vec<UnitId>,
        /// How many opinions it takes.
        quorum: u16,
        /// What they are asked.
        question: Sealed,
        /// Only the instant.
        clocks: ClockChange,
    },
    /// The joint diagnosis has begun.
    DiagnosisOpened {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
    },
    /// The joint diagnosis is to end without a conclusion, since the appeal was erased or closed.
    DiagnosisAbandoned {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
    },
    /// The joint diagnosis ended without a conclusion.
    DiagnosisDiscontinued {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
    },
    /// The joint diagnosis binds: its orders are owed.
    ConclusionTaken {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
        /// What it concluded.
        conclusion: Sealed,
        /// Its orders, in the order of the clocks that were started.
        orders: Vec<Order>,
        /// The orders are owed.
        clocks: ClockChange,
    },
    /// Both sides sit down with a mediator.
    MediationOpened {
        /// An end of the mediation is owed.
        clocks: ClockChange,
    },
    /// The mediation is over.
    MediationEnded {
        /// Whether both sides agreed.
        agreed: bool,
        /// Its end is no longer owed.
        clocks: ClockChange,
    },
    /// A clock reached some of its steps.
    ClockStepsTaken {
        /// The clock.
        clock: ClockId,
        /// The steps, oldest first.
        steps: Vec<Step>,
        /// The clock as it is now.
        clocks: ClockChange,
    },
    /// A newer work calendar moved deadlines in the enterprise's favour.
    DeadlinesRecomputed {
        /// The calendar's version that they are derived from now.
        calendar_version: u32,
        /// The deadlines that moved.
        clocks: ClockChange,
    },
    /// An independent look found it silent and gave it to a desk.
    AppealRepaired {
        /// What was wrong.
        found: Silence,
        /// Who handles it now, where the owner was gone.
        route: Option<Route>,
        /// Somebody owes the next step again.
        clocks: ClockChange,
    },
    /// The key of the personal data was ordered to be destroyed: it cannot be read from now on.
    PersonalDataErased {
        /// The subject whose key is destroyed.
        subject: String,
    },
    /// The key is destroyed.
    KeyDestroyed {},
    /// The unit complained about has its other visits to the enterprise held.
    VisitsHeld {},
    /// The enterprise took the answer to its complaint about a visit, or the complaint is closed or goes on
    /// elsewhere: nothing need be held any more.
    HoldEnded {},
    /// The visits are held no more.
    HoldLifted {},
}

impl Event {
    /// The unit that the event gives the appeal to, with its co-units; none where it stays with whom it was.
    #[must_use]
    pub fn route_given(&self) -> Option<&Route> {
        match self {
            Self::AppealDispatched { route, .. }
            | Self::DispatchRuled { route, upheld: true, .. }
            | Self::GuaranteeTaken { route, .. }
            | Self::AppealRepaired { route: Some(route), .. } => Some(route),
            Self::AppealSubmitted { .. }
            | Self::AppealAccepted { .. }
            | Self::AppealRedirected { .. }
            | Self::AppealSignedFor { .. }
            | Self::EnterpriseContacted { .. }
            | Self::DispatchContested { .. }
            | Self::DispatchRuled { upheld: false, .. }
            | Self::AppealReclassified { .. }
            | Self::ExtensionAsked { .. }
            | Self::ExtensionGranted { .. }
            | Self::ExtensionRefused { .. }
            | Self::HandlingPaused { .. }
            | Self::HandlingResumed { .. }
            | Self::CoHandlingRequested { .. }
            | Self::CoHandlingAnswered { .. }
            | Self::AppealResolved { .. }
            | Self::ResolutionConfirmed { .. }
            | Self::ResolutionObjected { .. }
            | Self::CallbackRecorded { .. }
            | Self::EnterpriseSilent { .. }
            | Self::AppealRated { .. }
            | Self::AppealClosed { .. }
            | Self::AppealReopened { .. }
            | Self::NoteAdded { .. }
            | Self::FileAttached { .. }
            | Self::AppealMerged { .. }
            | Self::MergeDelivered {}
            | Self::AppealAbsorbed { .. }
            | Self::MergeDeclined { .. }
            | Self::AppealSplit { .. }
            | Self::PartSubmitted { .. }
            | Self::DiagnosisConvened { .. }
            | Self::DiagnosisOpened { .. }
            | Self::DiagnosisAbandoned { .. }
            | Self::DiagnosisDiscontinued { .. }
            | Self::ConclusionTaken { .. }
            | Self::MediationOpened { .. }
            | Self::MediationEnded { .. }
            | Self::ClockStepsTaken { .. }
            | Self::DeadlinesRecomputed { .. }
            | Self::AppealRepaired { route: None, .. }
            | Self::PersonalDataErased { .. }
            | Self::KeyDestroyed {}
            | Self::VisitsHeld {}
            | Self::HoldEnded {}
            | Self::HoldLifted {} => None,
        }
    }

    /// What the event does to the clocks; none for what no rule names.
    #[must_use]
    pub fn clocks(&self) -> Option<&ClockChange> {
        match self {
            Self::AppealSubmitted { clocks, .. }
            | Self::AppealAccepted { clocks }
            | Self::AppealRedirected { clocks, .. }
            | Self::AppealDispatched { clocks, .. }
            | Self::AppealSignedFor { clocks, .. }
            | Self::EnterpriseContacted { clocks, .. }
            | Self::DispatchContested { clocks, .. }
            | Self::DispatchRuled { clocks, .. }
            | Self::GuaranteeTaken { clocks, .. }
            | Self::AppealReclassified { clocks, .. }
            | Self::ExtensionAsked { clocks, .. }
            | Self::ExtensionGranted { clocks }
            | Self::ExtensionRefused { clocks, .. }
            | Self::HandlingPaused { clocks, .. }
            | Self::HandlingResumed { clocks, .. }
            | Self::CoHandlingRequested { clocks, .. }
            | Self::CoHandlingAnswered { clocks, .. }
            | Self::AppealResolved { clocks, .. }
            | Self::ResolutionConfirmed { clocks }
            | Self::ResolutionObjected { clocks, .. }
            | Self::CallbackRecorded { clocks, .. }
            | Self::EnterpriseSilent { clocks }
            | Self::AppealClosed { clocks, .. }
            | Self::AppealReopened { clocks, .. }
            | Self::AppealMerged { clocks, .. }
            | Self::AppealSplit { clocks, .. }
            | Self::DiagnosisConvened { clocks, .. }
            | Self::ConclusionTaken { clocks, .. }
            | Self::MediationOpened { clocks }
            | Self::MediationEnded { clocks, .. }
            | Self::ClockStepsTaken { clocks, .. }
            | Self::DeadlinesRecomputed { clocks, .. }
            | Self::AppealRepaired { clocks, .. } => Some(clocks),
            Self::AppealRated { .. }
            | Self::NoteAdded { .. }
            | Self::FileAttached { .. }
            | Self::MergeDelivered {}
            | Self::AppealAbsorbed { .. }
            | Self::MergeDeclined { .. }
            | Self::PartSubmitted { .. }
            | Self::DiagnosisOpened { .. }
            | Self::DiagnosisAbandoned { .. }
            | Self::DiagnosisDiscontinued { .. }
            | Self::PersonalDataErased { .. }
            | Self::KeyDestroyed {}
            | Self::VisitsHeld {}
            | Self::HoldEnded {}
            | Self::HoldLifted {} => None,
        }
    }
}
