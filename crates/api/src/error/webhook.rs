//! The rejections of webhooks, explained.

use doudi_domain::webhook::{AREAS_MAX, REDRIVEN_MAX, Rejection, SET_ASIDE_MAX};

use super::{Explain, Reason, Refusal, campaign::size};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::WebhookUnknown => Refusal::new(Reason::WebhookUnknown),
            Self::RegisteredDifferently => Refusal::new(Reason::WebhookRegisteredDifferently),
            Self::Retired => Refusal::new(Reason::WebhookRetired),
            Self::AreaCount { found } => size(*found, 0, AREAS_MAX).about("areas"),
            Self::OtherGeneration { present } => {
                Refusal::new(Reason::WebhookOtherGeneration).with("present", present)
            }
            Self::TooManySetAside => {
                Refusal::new(Reason::WebhookTooManySetAside).with("max", SET_ASIDE_MAX)
            }
            Self::EnterpriseCount { found } => {
                size(*found, 1, REDRIVEN_MAX).about("enterprise_ids")
            }
            Self::NotSetAside { enterprise } => {
                Refusal::new(Reason::WebhookNotSetAside).with("enterprise", enterprise)
            }
            Self::RedriveNotOrdered { enterprise } => {
                Refusal::new(Reason::WebhookRedriveNotOrdered).with("enterprise", enterprise)
            }
        }
    }
}
