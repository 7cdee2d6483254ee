//! Why a command on an appeal is refused.

use jiff::{Timestamp, civil::Date};

use super::case::PhaseName;
use crate::ids::{CaseTypeId, ClassId, UnitId};

/// Why a command on an appeal is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such appeal.
    #[error("there is no such appeal")]
    AppealUnknown,
    /// The id belongs to an appeal that says something else.
    #[error("the appeal is already submitted with another content")]
    SubmittedDifferently,
    /// No routing table is published, so no unit is known.
    #[error("no routing table is published")]
    RoutingUnpublished,
    /// It is already so, and nothing would change.
    #[error("it is already so")]
    AlreadySo,
    /// The published case types are empty.
    #[error("no case type is published")]
    CaseTypesUnpublished,
    /// The published case types list no such type.
    #[error("there is no case type {0}")]
    CaseTypeUnknown(CaseTypeId),
    /// The case type lists no such class.
    #[error("the case type has no class {0}")]
    ClassUnknown(ClassId),
    /// The appeal is not in the phase that the command needs.
    #[error("the appeal is {}, this needs it {wanted}", found.as_str())]
    WrongPhase {
        /// The phase it is in.
        found: PhaseName,
        /// The phase or phases that would do.
        wanted: &'static str,
    },
    /// The appeal is with another unit.
    #[error("the appeal is with the unit {owner}")]
    OtherUnit {
        /// The unit that leads.
        owner: UnitId,
    },
    /// The routing table lists no such unit, or it is abolished or nobody is on its desk.
    #[error("the routing table lists no unit {0} that can be reached")]
    UnitUnknown(UnitId),
    /// By the level rule of the case type the matter belongs to a body outside; redirect it.
    #[error("the competent body is outside: {guidance}")]
    CompetentElsewhere {
        /// What the enterprise is to be told.
        guidance: String,
    },
    /// The ruling was made, or the guarantee owns it: there is no return (裁定后不得再退).
    #[error("the dispatch is final")]
    DispatchFinal,
    /// The time to object to the dispatch is over.
    #[error("the time to object to the dispatch ended at {0}")]
    ContestTooLate(Timestamp),
    /// The unit that objected proposed nobody, so the desk must name a unit.
    #[error("the objection proposes no unit, name one")]
    ProposalMissing,
    /// To send it to the unit that objected is a ruling.
    #[error("the unit {0} objected, rule on its objection instead")]
    ObjectorAgain(UnitId),
    /// The guarantee unit cannot return it, rule on itself or hand it over.
    #[error("the guarantee unit owns the appeal")]
    Guaranteed,
    /// Only the guarantee unit may convene a joint diagnosis.
    #[error("the guarantee does not own the appeal yet")]
    NotGuaranteed,
    /// Less than one working day before due, or after it.
    #[error("an extension must be asked for at least one working day before {0}")]
    ExtensionTooLate(Timestamp),
    /// There is one extension for each handling, and the case type may allow none.
    #[error("no further extension is possible")]
    ExtensionSpent,
    /// More working days than the case type allows.
    #[error("at most {max} working days are possible")]
    TooManyDays {
        /// The bound.
        max: u16,
    },
    /// No extension waits for a decision.
    #[error("no extension was asked for")]
    ExtensionNotAsked,
    /// The handling stands still; resume it first.
    #[error("the handling stands still")]
    Paused,
    /// What stands still is not running, or what is overdue cannot be paused.
    #[error("an overdue clock cannot be paused")]
    PauseTooLate,
    /// There is no such task, or it is another unit's.
    #[error("there is no such task of the unit")]
    TaskUnknown,
    /// A unit cannot be asked for a part of its own work, or twice at once.
    #[error("the unit {0} leads or has an open task already")]
    TaskRedundant(UnitId),
    /// Orders of a joint diagnosis that bind are still open.
    #[error("{open} orders of the joint diagnosis are still open")]
    OrdersOpen {
        /// How many.
        open: usize,
    },
    /// The enterprise rated this handling already.
    #[error("the handling is already rated")]
    AlreadyRated,
    /// The enterprise has neither spoken nor let its time pass.
    #[error("the enterprise has not spoken yet and its time is not over")]
    EnterpriseToSpeak,
    /// The enterprise said on the phone that it is not satisfied, so its silence closes nothing.
    #[error("the enterprise said on the phone that it is not satisfied")]
    EnterpriseDissatisfied,
    /// The time to reopen is over.
    #[error("the time to reopen ended on {0}")]
    ReopenTooLate(Date),
    /// An appeal cannot be merged into itself, or into one that could not take it in without loss.
    #[error("the appeal cannot be merged into that one")]
    MergeImpossible,
    /// It cannot take more notes, files or parts.
    #[error("the appeal has {max} of these already")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// A joint diagnosis is under way: no other begins, and nothing is resolved before it ends.
    #[error("a joint diagnosis is under way")]
    DiagnosisOpen,
    /// The joint diagnosis is not the one that was convened.
    #[error("there is no such joint diagnosis of this appeal")]
    DiagnosisUnknown,
    /// Convening needs between 1 and 20 distinct units and a quorum among them.
    #[error("a joint diagnosis needs 1 to 20 distinct units and a quorum of 1 to their number")]
    DiagnosisUnsound,
    /// The case type has no mediation, or one is under way.
    #[error("no mediation is possible")]
    MediationImpossible,
    /// No mediation is under way.
    #[error("no mediation is under way")]
    MediationNotOpen,
    /// The personal data were erased, so nothing new can be sealed for it.
    #[error("the personal data of the appeal were erased")]
    Erased,
    /// The command would leave the appeal with nobody who owes its next step.
    #[error("the appeal would be with nobody")]
    WouldBeSilent,
}
