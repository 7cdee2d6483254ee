//! Why a command on a joint diagnosis is refused.

use super::{ORDER_DAYS_MAX, ORDERS_MAX, Timestamp, UNITS_MAX, UnitId};

/// Why a command on a joint diagnosis is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such diagnosis.
    #[error("there is no such joint diagnosis")]
    DiagnosisUnknown,
    /// The id belongs to a diagnosis that asks something else.
    #[error("the joint diagnosis is already convened with another content")]
    ConvenedDifferently,
    /// Nobody is convened, or too many are.
    #[error("{found} units are convened, there must be 1 to {max}", max = UNITS_MAX)]
    PanelSize {
        /// How many were named.
        found: usize,
    },
    /// The quorum is 0 or more than there are units.
    #[error("the quorum is {quorum} of {units} units, it must be 1 to {units}")]
    QuorumOutOfReach {
        /// The quorum.
        quorum: u16,
        /// How many units are convened.
        units: usize,
    },
    /// The diagnosis is not in the phase that the command needs.
    #[error("the joint diagnosis is {found}, this needs it {wanted}")]
    WrongPhase {
        /// The phase it is in.
        found: &'static str,
        /// The phase that would do.
        wanted: &'static str,
    },
    /// The unit was not convened.
    #[error("the unit {0} is not convened")]
    UnitNotConvened(UnitId),
    /// Only the convener concludes, or who answers for it when it is gone.
    #[error("only the convener {convener} concludes")]
    OtherUnit {
        /// The unit that convened.
        convener: UnitId,
    },
    /// Too few units were heard, and the time of the others is not over.
    #[error("{heard} of {quorum} opinions are given, and there is time for more until {until}")]
    QuorumMissing {
        /// How many units were heard.
        heard: usize,
        /// How many must be.
        quorum: u16,
        /// When the time of the last silent unit is over; from then on the convener may conclude.
        until: Timestamp,
    },
    /// A conclusion issues no order, or too many.
    #[error("{found} orders are issued, there must be 1 to {max}", max = ORDERS_MAX)]
    OrderCount {
        /// How many were given.
        found: usize,
    },
    /// An order allows no time, or too much.
    #[error("an order allows {found} working days, it must be 1 to {max}", max = ORDER_DAYS_MAX)]
    OrderTime {
        /// How many working days were given.
        found: u16,
    },
    /// The routing table lists no such unit.
    #[error("the routing table lists no unit {0}")]
    UnitUnknown(UnitId),
    /// The conclusion made no standing rule.
    #[error("the conclusion made no standing rule")]
    NoStandingRule,
}
