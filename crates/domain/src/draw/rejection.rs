//! Why a command on a random draw is refused.

use super::{
    ADDED_MAX, Bounds, CANDIDATES_MAX, CertificateNumber, CreditGrade, EnterpriseId, OFFICERS_MAX,
    PAIRS_MAX, PER_VISIT_MAX, PER_VISIT_MIN, UnitId,
};

/// Why a command on a random draw is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such draw.
    #[error("there is no such draw")]
    DrawUnknown,
    /// The id belongs to a draw of something else.
    #[error("the draw is already open with another content")]
    OpenedDifferently,
    /// The unit has no published inspection catalogue, so nobody knows its officers.
    #[error("the unit {unit} has no published inspection catalogue")]
    CatalogueMissing {
        /// The unit.
        unit: UnitId,
    },
    /// A ratio lies outside its bounds.
    #[error(
        "{percent} % of grade {grade:?} are to be drawn, it must be {} to {} %",
        bounds.min,
        bounds.max
    )]
    RatioOutside {
        /// The grade.
        grade: CreditGrade,
        /// The share given, in percent.
        percent: u8,
        /// Its bounds.
        bounds: Bounds,
    },
    /// A visit needs two officers, and there is an end to it.
    #[error(
        "each enterprise is given {found} officers, it must be {min} to {max}",
        min = PER_VISIT_MIN,
        max = PER_VISIT_MAX
    )]
    OfficersPerVisit {
        /// How many were given.
        found: u8,
    },
    /// There are fewer officers than one visit needs, or too many.
    #[error("there are {found} officers to draw from, it must be {min} to {max}", max = OFFICERS_MAX)]
    OfficerCount {
        /// How many were named.
        found: usize,
        /// How many one visit needs.
        min: usize,
    },
    /// An officer is none of the unit's, or the certificate is not valid today.
    #[error("the unit has no officer with the certificate {0} that is valid today")]
    OfficerInvalid(CertificateNumber),
    /// Only the unit that opened the draw goes on with it.
    #[error("only the unit {unit} that opened the draw does this")]
    OtherUnit {
        /// The unit.
        unit: UnitId,
    },
    /// No candidate is given, or too many at once.
    #[error("{found} candidates are added, it must be 1 to {max} at once", max = ADDED_MAX)]
    AddedCount {
        /// How many were given.
        found: usize,
    },
    /// Too many officers are to avoid enterprises, all of them added up.
    #[error("{found} officers must avoid an enterprise, at most {max} may at once", max = ADDED_MAX)]
    AvoidCount {
        /// How many were given.
        found: usize,
    },
    /// An enterprise is given twice with another grade or other officers that must avoid it.
    #[error("the enterprise {0} is in the pool already, with another content")]
    CandidateTwice(EnterpriseId),
    /// So many officers must avoid an enterprise that too few are left for it.
    #[error("{free} officers need not avoid the enterprise {enterprise}, {min} are needed")]
    TooFewFree {
        /// The enterprise.
        enterprise: EnterpriseId,
        /// How many are left.
        free: usize,
        /// How many a visit needs.
        min: u8,
    },
    /// The pool would be too large.
    #[error("the pool would have {found} candidates, at most {max} are allowed", max = CANDIDATES_MAX)]
    PoolTooLarge {
        /// How many it would have.
        found: usize,
    },
    /// The draw would be too large.
    #[error(
        "{drawn} enterprises would be drawn from {officers} officers, the product may be at most {max}",
        max = PAIRS_MAX
    )]
    DrawTooLarge {
        /// How many enterprises would be drawn.
        drawn: usize,
        /// How many officers there are.
        officers: usize,
    },
    /// There is nothing to draw from.
    #[error("the pool is empty")]
    PoolEmpty,
    /// The draw is made: its pool is what it was.
    #[error("the draw is made, its pool is closed")]
    PoolClosed,
}
