//! The rejections of random draws, explained.

use doudi_domain::draw::{
    ADDED_MAX, CANDIDATES_MAX, OFFICERS_MAX, PAIRS_MAX, PER_VISIT_MAX, PER_VISIT_MIN, Rejection,
};

use super::{Explain, Reason, Refusal, campaign::size};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::DrawUnknown => Refusal::new(Reason::DrawUnknown),
            Self::OpenedDifferently => Refusal::new(Reason::DrawOpenedDifferently),
            Self::CatalogueMissing { unit } => {
                Refusal::new(Reason::CatalogueUnpublished).with("unit", unit)
            }
            Self::RatioOutside { grade, percent, bounds } => Refusal::new(Reason::DrawRatioOutside)
                .with("grade", format!("{grade:?}"))
                .with("percent", percent)
                .with("min", bounds.min)
                .with("max", bounds.max)
                .about("ratios"),
            Self::OfficersPerVisit { found } => Refusal::new(Reason::DrawOfficersPerVisit)
                .with("found", found)
                .with("min", PER_VISIT_MIN)
                .with("max", PER_VISIT_MAX)
                .about("officers_per_visit"),
            Self::OfficerCount { found, min } => Refusal::new(Reason::DrawOfficerCount)
                .with("found", found)
                .with("min", min)
                .with("max", OFFICERS_MAX)
                .about("officers"),
            Self::OfficerInvalid(certificate) => Refusal::new(Reason::OfficerInvalid)
                .with("certificate", certificate)
                .about("officers"),
            Self::OtherUnit { unit } => Refusal::new(Reason::DrawOtherUnit).with("unit", unit),
            Self::AddedCount { found } => size(*found, 1, ADDED_MAX).about("candidates"),
            Self::AvoidCount { found } => Refusal::new(Reason::DrawAvoidCount)
                .with("found", found)
                .with("max", ADDED_MAX)
                .about("candidates"),
            Self::CandidateTwice(enterprise) => Refusal::new(Reason::DrawCandidateTwice)
                .with("enterprise", enterprise)
                .about("candidates"),
            Self::TooFewFree { enterprise, free, min } => Refusal::new(Reason::DrawTooFewFree)
                .with("enterprise", enterprise)
                .with("free", free)
                .with("min", min)
                .about("candidates"),
            Self::PoolTooLarge { found } => Refusal::new(Reason::DrawPoolTooLarge)
                .with("found", found)
                .with("max", CANDIDATES_MAX),
            Self::DrawTooLarge { drawn, officers } => Refusal::new(Reason::DrawTooLarge)
                .with("drawn", drawn)
                .with("officers", officers)
                .with("max", PAIRS_MAX),
            Self::PoolEmpty => Refusal::new(Reason::DrawPoolEmpty),
            Self::PoolClosed => Refusal::new(Reason::DrawPoolClosed),
        }
    }
}
