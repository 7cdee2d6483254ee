//! Why a command on a webhook is refused.

use super::{AREAS_MAX, EnterpriseId, REDRIVEN_MAX, SET_ASIDE_MAX};

/// Why a command on a webhook is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such webhook.
    #[error("there is no such webhook")]
    WebhookUnknown,
    /// The id belongs to a webhook with another address or other events.
    #[error("the webhook is already registered with another content")]
    RegisteredDifferently,
    /// It was retired, and nothing brings it back.
    #[error("the webhook is retired")]
    Retired,
    /// It names too many areas.
    #[error("the webhook names {found} areas, at most {max} may be", max = AREAS_MAX)]
    AreaCount {
        /// How many were named.
        found: usize,
    },
    /// The secret that is asked for is not the one after the present.
    #[error("the secret is of generation {present}, only the next one can be asked for")]
    OtherGeneration {
        /// The present generation.
        present: u32,
    },
    /// So many enterprises are set aside that no more can be kept in mind.
    #[error("{max} enterprises are set aside already", max = SET_ASIDE_MAX)]
    TooManySetAside,
    /// No enterprise is named, or too many at once.
    #[error("{found} enterprises are named, it must be 1 to {max} at once", max = REDRIVEN_MAX)]
    EnterpriseCount {
        /// How many were named.
        found: usize,
    },
    /// Nothing of the enterprise is set aside.
    #[error("nothing of the enterprise {enterprise} is set aside")]
    NotSetAside {
        /// The enterprise.
        enterprise: EnterpriseId,
    },
    /// What is set aside of the enterprise was not ordered to be sent again, or was set aside anew.
    #[error("what is set aside of the enterprise {enterprise} was not ordered to be sent again")]
    RedriveNotOrdered {
        /// The enterprise.
        enterprise: EnterpriseId,
    },
}
