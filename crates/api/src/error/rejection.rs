//! The rejections of profiles and visits, explained.

use doudi_domain::{
    ItemId, enterprise,
    visits::{self, Justification},
};

use super::{Explain, Reason, Refusal, Words, quota};

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
        }
    }
}

impl Explain for visits::Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::EnterpriseUnregistered => Refusal::new(Reason::EnterpriseNotRegistered),
            Self::PolicyUnpublished => Refusal::new(Reason::FrequencyPolicyUnpublished),
            Self::CapReached { exhausted } => Refusal::new(Reason::CapReached)
                .word("rules", quota::words(exhausted))
                .with("rule_ids", quota::rule_ids(exhausted))
                .quotas(quota::violations(exhausted)),
            Self::JustificationMissing { wanted, exceeded } => {
                Refusal::new(Reason::JustificationMissing)
                    .word("wanted", justification(*wanted))
                    .word("rules", quota::words(exceeded))
                    .with("rule_ids", quota::rule_ids(exceeded))
                    .quotas(quota::violations(exceeded))
                    .about("justification")
            }
            Self::CatalogueUnpublished { unit } => {
                Refusal::new(Reason::CatalogueUnpublished).with("unit", unit)
            }
            Self::UnitUnqualified { unit, on } => {
                Refusal::new(Reason::UnitUnqualified).with("unit", unit).with("on", on)
            }
            Self::ItemUnpublished { item } => of_item(Reason::ItemUnpublished, item),
            Self::TriggerOnly { item } => of_item(Reason::TriggerOnly, item),
            Self::OffSiteOnly { item } => of_item(Reason::OffSiteOnly, item),
            Self::OffSitePossible { item } => {
                of_item(Reason::OffSitePossible, item).about("on_site_reason")
            }
            Self::OfficerInvalid { certificate } => Refusal::new(Reason::OfficerInvalid)
                .with("certificate", certificate)
                .about("officers"),
            Self::EvidenceMissing => Refusal::new(Reason::EvidenceMissing).about("evidence"),
            Self::TooFewOfficers { found } => Refusal::new(Reason::TooFewOfficers)
                .with("officers_min", visits::OFFICERS_MIN)
                .with("found", found)
                .about("officers"),
            Self::NoItems => Refusal::new(Reason::NoItems).about("items"),
            Self::DateOutOfRange { on, from, until } => Refusal::new(Reason::DateOutOfRange)
                .with("on", on)
                .with("from", from)
                .with("until", until)
                .about("planned_on"),
            Self::PlannedDifferently(visit) => {
                Refusal::new(Reason::VisitPlannedDifferently).with("visit", visit)
            }
            Self::VisitUnknown(visit) => Refusal::new(Reason::VisitUnknown).with("visit", visit),
            Self::OtherUnit { owner } => Refusal::new(Reason::VisitOtherUnit).with("owner", owner),
            Self::WrongPhase { found, wanted } => Refusal::new(Reason::VisitWrongPhase)
                .word("found", visit_phase(found))
                .word("wanted", visit_phase(wanted)),
            Self::InFuture { occurred_at } => Refusal::new(Reason::InFuture)
                .instant("occurred_at", *occurred_at)
                .about("occurred_at"),
            Self::BeforePlannedDay { on } => Refusal::new(Reason::BeforePlannedDay).with("on", on),
            Self::OutBeforeIn { checked_in_at } => Refusal::new(Reason::OutBeforeIn)
                .instant("checked_in_at", *checked_in_at)
                .about("occurred_at"),
            Self::ItemsDiffer { item } => {
                Refusal::new(Reason::ItemsDiffer).with("item", item).about("results")
            }
            Self::NotYetExpired { on } => Refusal::new(Reason::NotYetExpired).with("on", on),
        }
    }
}

fn of_item(reason: Reason, item: &ItemId) -> Refusal {
    Refusal::new(reason).with("item", item).about("items")
}

fn justification(wanted: Justification) -> Words {
    match wanted {
        Justification::Explanation => Words::pair("an explanation", "情况说明"),
        Justification::Approval => Words::pair("an approval", "审批件"),
    }
}

/// The phases as the visits name them.
fn visit_phase(en: &'static str) -> Words {
    let zh = match en {
        "planned" => "已计划",
        "approved" => "已批准",
        "checked in" => "已签到",
        "checked out" => "已签退",
        "reported" => "已报告结果",
        "cancelled" => "已取消",
        "expired" => "已过期",
        "planned or approved" => "已计划或已批准",
        other => other,
    };
    Words::pair(en, zh)
}
