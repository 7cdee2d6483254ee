//! The rejections of joint diagnoses, explained.

use doudi_domain::diagnosis::{ORDER_DAYS_MAX, ORDERS_MAX, Rejection, UNITS_MAX};

use super::{Explain, Reason, Refusal, Words};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::DiagnosisUnknown => Refusal::new(Reason::DiagnosisUnknown),
            Self::ConvenedDifferently => Refusal::new(Reason::DiagnosisConvenedDifferently),
            Self::PanelSize { found } => Refusal::new(Reason::DiagnosisPanelSize)
                .with("found", found)
                .with("max", UNITS_MAX)
                .about("units"),
            Self::QuorumOutOfReach { quorum, units } => {
                Refusal::new(Reason::DiagnosisQuorumOutOfReach)
                    .with("quorum", quorum)
                    .with("units", units)
                    .about("quorum")
            }
            Self::WrongPhase { found, wanted } => Refusal::new(Reason::DiagnosisWrongPhase)
                .word("found", phase(found))
                .word("wanted", phase(wanted)),
            Self::UnitNotConvened(unit) => {
                Refusal::new(Reason::DiagnosisUnitNotConvened).with("unit", unit)
            }
            Self::OtherUnit { convener } => {
                Refusal::new(Reason::DiagnosisOtherUnit).with("convener", convener)
            }
            Self::QuorumMissing { heard, quorum, until } => {
                Refusal::new(Reason::DiagnosisQuorumMissing)
                    .with("heard", heard)
                    .with("quorum", quorum)
                    .instant("until", *until)
            }
            Self::OrderCount { found } => Refusal::new(Reason::DiagnosisOrderCount)
                .with("found", found)
                .with("max", ORDERS_MAX)
                .about("orders"),
            Self::OrderTime { found } => Refusal::new(Reason::DiagnosisOrderTime)
                .with("found", found)
                .with("max", ORDER_DAYS_MAX)
                .about("orders"),
            Self::UnitUnknown(unit) => Refusal::new(Reason::UnitUnknown).with("unit", unit),
            Self::NoStandingRule => Refusal::new(Reason::DiagnosisNoStandingRule),
        }
    }
}

/// The phases as the diagnoses name them.
fn phase(en: &'static str) -> Words {
    let zh = match en {
        "absent" => "尚未召集",
        "open" => "征求意见中",
        "concluded" => "已出结论",
        "discontinued" => "已终止",
        other => other,
    };
    Words::pair(en, zh)
}
