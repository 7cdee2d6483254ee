//! What can be asked of an appeal.

use serde::Serialize;

use super::{
    matter::{Callback, File, LawfulChannel, Note, Order, Outcome, Rating, Submission},
    merging::Standing,
};
use crate::{
    clock::{ClockId, PauseGround},
    ids::{AppealId, ClassId, DiagnosisId, Reference, UnitId},
    sealed::Sealed,
};

/// What can be asked of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Appeal.
    Submit(Submission),
    /// Take it on.
    Accept,
    /// Say where it belongs instead, before it is dispatched.
    Redirect {
        /// Where.
        channel: LawfulChannel,
        /// What the enterprise is told.
        guidance: Sealed,
    },
    /// Send it to the unit that the rules name, or to `to`; also in answer to an objection.
    Dispatch {
        /// A unit chosen by hand.
        to: Option<UnitId>,
    },
    /// Sign for it as `unit`.
    SignFor {
        /// The caller's unit.
        unit: UnitId,
    },
    /// Record the first contact with the enterprise in this handling, as `unit`.
    RecordContact {
        /// The caller's unit.
        unit: UnitId,
    },
    /// Object to the dispatch, as `unit`.
    Contest {
        /// The caller's unit.
        unit: UnitId,
        /// Why.
        reason: Sealed,
        /// Who is competent as the unit sees it.
        proposed: Option<UnitId>,
    },
    /// Rule who handles it, with no return: `to`, or the unit that objected.
    Rule {
        /// Another unit; none when the objection is not right.
        to: Option<UnitId>,
    },
    /// Put it into another class.
    Reclassify {
        /// The class.
        class: ClassId,
    },
    /// Ask for more time, as `unit`.
    AskExtension {
        /// The caller's unit.
        unit: UnitId,
        /// How many working days.
        working_days: u16,
        /// Why.
        reason: Sealed,
    },
    /// Decide on the extension.
    AnswerExtension {
        /// Whether it is granted.
        granted: bool,
    },
    /// Let the handling stand still, as `unit`.
    Pause {
        /// The caller's unit.
        unit: UnitId,
        /// Why.
        ground: PauseGround,
        /// What proves it.
        reference: Reference,
    },
    /// Let it go on.
    Resume,
    /// Ask another unit for its part, as the lead `unit`.
    RequestCoHandling {
        /// The caller's unit.
        unit: UnitId,
        /// The other unit.
        of: UnitId,
        /// What is asked.
        ask: Sealed,
    },
    /// Answer the lead, as `unit`.
    AnswerCoHandling {
        /// The caller's unit.
        unit: UnitId,
        /// The task.
        task: ClockId,
        /// The answer.
        answer: Sealed,
    },
    /// Say that it is resolved, as `unit`.
    Resolve {
        /// The caller's unit.
        unit: UnitId,
        /// How.
        outcome: Outcome,
        /// The reply to the enterprise.
        reply: Sealed,
    },
    /// Agree, as the enterprise.
    Confirm,
    /// Do not agree, as the enterprise.
    Object {
        /// Why.
        reason: Sealed,
    },
    /// Record a callback.
    RecordCallback(Callback),
    /// Rate the handling, as the enterprise.
    Rate(Rating),
    /// Close it.
    Close,
    /// Take it up again, as the enterprise.
    Reopen {
        /// Why.
        reason: Sealed,
    },
    /// Note something.
    AddNote(Note),
    /// Attach a file.
    Attach(File),
    /// Let it go on as part of another appeal of the same enterprise.
    Merge {
        /// The other appeal.
        into: AppealId,
    },
    /// Take another appeal up, or decline to.
    Absorb {
        /// The other appeal.
        from: AppealId,
        /// The how many-th merge of that appeal it is, from 1. A repetition is known without it.
        #[serde(skip)]
        merge: u32,
        /// What it stood at before it was merged. A repetition is known without it.
        #[serde(skip)]
        standing: Standing,
    },
    /// Record that the visits of the unit complained about are held.
    MarkVisitsHeld,
    /// Record that they are held no more.
    MarkHoldLifted,
    /// Record that the other appeal took it up.
    MarkMergeDelivered,
    /// Take it back, since the other appeal cannot take it up.
    UndoMerge,
    /// Let a part of it go its own way.
    Split {
        /// The new appeal.
        part: AppealId,
        /// What it says.
        submission: Submission,
    },
    /// Record that the part was submitted.
    MarkPartSubmitted {
        /// The new appeal.
        part: AppealId,
    },
    /// Call units together, as the guarantee unit `unit`.
    Convene {
        /// The caller's unit.
        unit: UnitId,
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
        /// The units.
        units: Vec<UnitId>,
        /// How many opinions it takes.
        quorum: u16,
        /// What they are asked.
        question: Sealed,
    },
    /// Record that the joint diagnosis has begun.
    MarkDiagnosisOpened {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
    },
    /// Be bound by the conclusion of the joint diagnosis.
    TakeConclusion {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
        /// What it concluded.
        conclusion: Sealed,
        /// Its orders.
        orders: Vec<Order>,
    },
    /// Record that the joint diagnosis ended without a conclusion.
    MarkDiagnosisDiscontinued {
        /// The joint diagnosis.
        diagnosis: DiagnosisId,
    },
    /// Sit down with a mediator.
    OpenMediation,
    /// End the mediation.
    EndMediation {
        /// Whether both sides agreed.
        agreed: bool,
    },
    /// Take the steps of a clock that are due.
    TakeSteps {
        /// The clock.
        clock: ClockId,
    },
    /// Derive the deadlines from the work calendar in force, where that is in the enterprise's favour.
    Recompute,
    /// If it is silent, give it to the floor: its area's desk, else the city desk.
    Repair,
    /// Record that the key of its personal data is to be destroyed.
    ErasePersonalData {
        /// The subject whose key it is.
        subject: String,
    },
    /// Record that the key is destroyed.
    MarkKeyDestroyed,
}

/// What a party may do with an appeal, as a client shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See [`Command::Accept`].
    Accept,
    /// See [`Command::Redirect`].
    Redirect,
    /// See [`Command::Dispatch`].
    Dispatch,
    /// See [`Command::SignFor`].
    SignFor,
    /// See [`Command::RecordContact`].
    RecordContact,
    /// See [`Command::Contest`].
    Contest,
    /// See [`Command::Rule`].
    Rule,
    /// See [`Command::Reclassify`].
    Reclassify,
    /// See [`Command::AskExtension`].
    AskExtension,
    /// See [`Command::AnswerExtension`].
    AnswerExtension,
    /// See [`Command::Pause`].
    Pause,
    /// See [`Command::Resume`].
    Resume,
    /// See [`Command::RequestCoHandling`].
    RequestCoHandling,
    /// See [`Command::AnswerCoHandling`].
    AnswerCoHandling,
    /// See [`Command::Resolve`].
    Resolve,
    /// See [`Command::Confirm`].
    Confirm,
    /// See [`Command::Object`].
    Object,
    /// See [`Command::RecordCallback`].
    RecordCallback,
    /// See [`Command::Rate`].
    Rate,
    /// See [`Command::Close`].
    Close,
    /// See [`Command::Reopen`].
    Reopen,
    /// See [`Command::AddNote`].
    AddNote,
    /// See [`Command::Attach`].
    Attach,
    /// See [`Command::Merge`].
    Merge,
    /// See [`Command::Split`].
    Split,
    /// See [`Command::Convene`].
    Convene,
    /// See [`Command::OpenMediation`].
    OpenMediation,
    /// See [`Command::EndMediation`].
    EndMediation,
    /// See [`Command::ErasePersonalData`].
    ErasePersonalData,
}
