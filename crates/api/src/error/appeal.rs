//! The rejections of appeals, explained.

use doudi_domain::appeal::Rejection;

use super::{Explain, Reason, Refusal, Words};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::AppealUnknown => Refusal::new(Reason::AppealUnknown),
            Self::SubmittedDifferently => Refusal::new(Reason::AppealSubmittedDifferently),
            Self::RoutingUnpublished => Refusal::new(Reason::RoutingUnpublished),
            Self::AlreadySo => Refusal::new(Reason::AlreadySo),
            Self::CaseTypesUnpublished => Refusal::new(Reason::CaseTypesUnpublished),
            Self::CaseTypeUnknown(id) => {
                Refusal::new(Reason::CaseTypeUnknown).with("case_type", id)
            }
            Self::ClassUnknown(id) => Refusal::new(Reason::CaseClassUnknown).with("class", id),
            Self::WrongPhase { found, wanted } => Refusal::new(Reason::AppealWrongPhase)
                .word("found", phase(found.as_str()))
                .word("wanted", phase(wanted)),
            Self::OtherUnit { owner } => Refusal::new(Reason::AppealOtherUnit).with("owner", owner),
            Self::UnitUnknown(unit) => Refusal::new(Reason::UnitUnknown).with("unit", unit),
            Self::CompetentElsewhere { guidance } => {
                Refusal::new(Reason::CompetentElsewhere).with("guidance", guidance)
            }
            Self::DispatchFinal => Refusal::new(Reason::DispatchFinal),
            Self::ContestTooLate(until) => {
                Refusal::new(Reason::ContestTooLate).instant("until", *until)
            }
            Self::ProposalMissing => Refusal::new(Reason::ProposalMissing).about("to_unit"),
            Self::ObjectorAgain(unit) => Refusal::new(Reason::ObjectorAgain).with("unit", unit),
            Self::Guaranteed => Refusal::new(Reason::Guaranteed),
            Self::NotGuaranteed => Refusal::new(Reason::NotGuaranteed),
            Self::ExtensionTooLate(due) => {
                Refusal::new(Reason::ExtensionTooLate).instant("due", *due)
            }
            Self::ExtensionSpent => Refusal::new(Reason::ExtensionSpent),
            Self::TooManyDays { max } => {
                Refusal::new(Reason::TooManyDays).with("max", max).about("working_days")
            }
            Self::ExtensionNotAsked => Refusal::new(Reason::ExtensionNotAsked),
            Self::Paused => Refusal::new(Reason::Paused),
            Self::PauseTooLate => Refusal::new(Reason::PauseTooLate),
            Self::TaskUnknown => Refusal::new(Reason::TaskUnknown),
            Self::TaskRedundant(unit) => Refusal::new(Reason::TaskRedundant).with("unit", unit),
            Self::OrdersOpen { open } => Refusal::new(Reason::OrdersOpen).with("open", open),
            Self::AlreadyRated => Refusal::new(Reason::AlreadyRated),
            Self::EnterpriseToSpeak => Refusal::new(Reason::EnterpriseToSpeak),
            Self::EnterpriseDissatisfied => Refusal::new(Reason::EnterpriseDissatisfied),
            Self::ReopenTooLate(last) => Refusal::new(Reason::ReopenTooLate).with("last", last),
            Self::MergeImpossible => Refusal::new(Reason::MergeImpossible),
            Self::TooMany { max } => Refusal::new(Reason::TooMany).with("max", max),
            Self::DiagnosisOpen => Refusal::new(Reason::DiagnosisOpen),
            Self::DiagnosisUnknown => Refusal::new(Reason::DiagnosisUnknown),
            Self::DiagnosisUnsound => Refusal::new(Reason::DiagnosisUnsound),
            Self::MediationImpossible => Refusal::new(Reason::MediationImpossible),
            Self::MediationNotOpen => Refusal::new(Reason::MediationNotOpen),
            Self::Erased => Refusal::new(Reason::PersonalDataErased),
            Self::WouldBeSilent => Refusal::new(Reason::WouldBeSilent),
        }
    }
}

/// The phases as the appeals name them.
fn phase(en: &'static str) -> Words {
    let zh = match en {
        "submitted" => "待受理",
        "accepted" => "待分办",
        "dispatched" => "待签收",
        "in handling" => "办理中",
        "contested" => "退单待裁定",
        "resolved" => "已办结待确认",
        "confirmed" => "企业已确认",
        "closed" => "已办结归档",
        "redirected" => "已引导至法定途径",
        "merged" => "已并案",
        "open" => "未办结",
        "not resolved yet" => "尚未办结",
        "submitted or accepted" => "待受理或待分办",
        "accepted or contested" => "待分办或退单待裁定",
        "dispatched or in handling" => "待签收或办理中",
        "dispatched, in handling or contested" => "待签收、办理中或退单待裁定",
        "confirmed or resolved" | "resolved or confirmed" => "已办结待确认或企业已确认",
        "resolved, confirmed or closed" => "已办结待确认、企业已确认或已办结归档",
        "closed after it was handled" => "经办理后已归档",
        other => other,
    };
    Words::pair(en, zh)
}
