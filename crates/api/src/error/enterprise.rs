//! The rejections of profiles, explained.

use doudi_domain::enterprise;

use super::{Explain, Reason, Refusal};

impl Explain for enterprise::Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::NotRegistered => Refusal::new(Reason::EnterpriseNotRegistered),
            Self::AlreadyRegistered => Refusal::new(Reason::EnterpriseAlreadyRegistered),
            Self::AreaUnknown(area) => Refusal::new(Reason::AreaUnknown).with("area", area),
            Self::AssessedInFuture { assessed_on, today } => Refusal::new(Reason::AssessedInFuture)
                .with("assessed_on", assessed_on)
                .with("today", today)
                .about("assessment.assessed_on"),
            Self::ValidityReversed { assessed_on, until } => {
                Refusal::new(Reason::GradeValidityReversed)
                    .with("assessed_on", assessed_on)
                    .with("valid_until", until)
                    .about("assessment.valid_until")
            }
            Self::CodeLife => Refusal::new(Reason::CodeLife)
                .with("days_max", enterprise::CODE_DAYS_MAX)
                .about("valid_days"),
            Self::TooManyCodes => {
                Refusal::new(Reason::CodesTooMany).with("codes_max", enterprise::CODES_MAX)
            }
            Self::CodeUnknown(code) => Refusal::new(Reason::CodeUnknown).with("code", code),
        }
    }
}
