//! Why a command on a special campaign is refused.

use super::{AREAS_MAX, AreaCode, CO_UNITS_MAX, DAYS_MAX, Date, ITEMS_MAX, Level, UnitId};

/// Why a command on a special campaign is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such campaign.
    #[error("there is no such campaign")]
    CampaignUnknown,
    /// The id belongs to a campaign with another plan.
    #[error("the campaign is already proposed with another plan")]
    ProposedDifferently,
    /// The organiser has no published inspection catalogue, so it cannot inspect at all.
    #[error("the unit {unit} has no published inspection catalogue")]
    CatalogueMissing {
        /// The organiser.
        unit: UnitId,
    },
    /// The organiser is named among those that take part beside it.
    #[error("the organiser {0} is named among the units that take part beside it")]
    OrganiserTwice(UnitId),
    /// Too many units take part.
    #[error("{found} units take part beside the organiser, at most {max} may", max = CO_UNITS_MAX)]
    CoUnitCount {
        /// How many were named.
        found: usize,
    },
    /// It is about no item, or about too many.
    #[error("the campaign is about {found} items, it must be 1 to {max}", max = ITEMS_MAX)]
    ItemCount {
        /// How many were named.
        found: usize,
    },
    /// It names too many areas.
    #[error("the campaign names {found} areas, at most {max} may be", max = AREAS_MAX)]
    AreaCount {
        /// How many were named.
        found: usize,
    },
    /// The published routing table knows no such area.
    #[error("no area has the code {0}")]
    AreaUnknown(AreaCode),
    /// It ends before it begins, or lasts too long.
    #[error("the campaign would last from {from} to {until}, it must be 1 to {max} days", max = DAYS_MAX)]
    PeriodOutOfBounds {
        /// The first day given.
        from: Date,
        /// The last day given.
        until: Date,
    },
    /// Whoever takes part in a campaign does not approve it.
    #[error("the unit {0} takes part in the campaign and cannot approve it")]
    ApprovedByParticipant(UnitId),
    /// A government below the county, or an organ of such a level, cannot approve.
    #[error("only the level of a county or above approves a campaign")]
    LevelTooLow,
    /// A government that stands below the organiser, or an organ that does not stand above it.
    #[error("the approver does not stand high enough over the organiser")]
    NotSuperior {
        /// The approver's level.
        approver: Level,
        /// The organiser's level.
        organiser: Level,
    },
    /// The approver's own catalogue says that it is something else.
    #[error("the catalogue of {unit} says otherwise than it approves as")]
    ApproverDiffers {
        /// The approver.
        unit: UnitId,
        /// Its level.
        level: Level,
    },
    /// Only the organiser files, publishes and withdraws it.
    #[error("only the organiser {organiser} does this")]
    OtherUnit {
        /// The organiser.
        organiser: UnitId,
    },
    /// The campaign is not in the phase that the command needs.
    #[error("the campaign is {found}, this needs it {wanted}")]
    WrongPhase {
        /// The phase it is in.
        found: &'static str,
        /// The phase that would do.
        wanted: &'static str,
    },
}
