//! The rejections of visits, explained: the reason, the values of its sentences, and the field that it is about.

use doudi_domain::visits::{Justification, OFFICERS_MIN, Rejection};

use super::{Explain, Reason, Refusal, Words, campaign::unfit, quota};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        let refusal = with_values(self, bare(self));
        match field(self) {
            Some(field) => refusal.about(field),
            None => refusal,
        }
    }
}

/// The reason, and for what a campaign says all of it.
fn bare(rejection: &Rejection) -> Refusal {
    let reason = match rejection {
        Rejection::EnterpriseUnregistered => Reason::EnterpriseNotRegistered,
        Rejection::PolicyUnpublished => Reason::FrequencyPolicyUnpublished,
        Rejection::CapReached { .. } => Reason::CapReached,
        Rejection::JustificationMissing { .. } => Reason::JustificationMissing,
        Rejection::CatalogueUnpublished { .. } => Reason::CatalogueUnpublished,
        Rejection::UnitUnqualified { .. } => Reason::UnitUnqualified,
        Rejection::ItemUnpublished { .. } => Reason::ItemUnpublished,
        Rejection::TriggerOnly { .. } => Reason::TriggerOnly,
        Rejection::OffSiteOnly { .. } => Reason::OffSiteOnly,
        Rejection::OffSitePossible { .. } => Reason::OffSitePossible,
        Rejection::OfficerInvalid { .. } => Reason::OfficerInvalid,
        Rejection::EvidenceMissing => Reason::EvidenceMissing,
        Rejection::TooFewOfficers { .. } => Reason::TooFewOfficers,
        Rejection::NoItems => Reason::NoItems,
        Rejection::DateOutOfRange { .. } => Reason::DateOutOfRange,
        Rejection::RectifyByOutOfRange { .. } => Reason::RectifyByOutOfRange,
        Rejection::PlannedDifferently(_) => Reason::VisitPlannedDifferently,
        Rejection::VisitUnknown(_) => Reason::VisitUnknown,
        Rejection::OtherUnit { .. } => Reason::VisitOtherUnit,
        Rejection::WrongPhase { .. } => Reason::VisitWrongPhase,
        Rejection::InFuture { .. } => Reason::InFuture,
        Rejection::BeforePlannedDay { .. } => Reason::BeforePlannedDay,
        Rejection::OutBeforeIn { .. } => Reason::OutBeforeIn,
        Rejection::ItemDisputed { .. } => Reason::ItemDisputed,
        Rejection::RecheckMissing => Reason::RecheckMissing,
        Rejection::RecheckNotAllowed => Reason::RecheckNotAllowed,
        Rejection::RecheckUnfounded { .. } => Reason::RecheckUnfounded,
        Rejection::CampaignMissing => Reason::VisitCampaignMissing,
        Rejection::CampaignNotAllowed => Reason::VisitCampaignNotAllowed,
        Rejection::CampaignUnfit(why) => return unfit(why),
        Rejection::OnSiteOnly { .. } => Reason::OnSiteOnly,
        Rejection::NotUrgent => Reason::NotUrgent,
        Rejection::CodeMissing => Reason::CodeMissing,
        Rejection::CodeRevoked => Reason::CodeRevoked,
        Rejection::CodeReplayed => Reason::CodeReplayed,
        Rejection::VisitsHeld { .. } => Reason::VisitsHeld,
        Rejection::NotMergeable { .. } => Reason::NotMergeable,
        Rejection::NothingToRectify { .. } => Reason::NothingToRectify,
        Rejection::ChecklistDiffers { .. } => Reason::ChecklistDiffers,
        Rejection::ItemsDiffer { .. } => Reason::ItemsDiffer,
        Rejection::NotYetExpired { .. } => Reason::NotYetExpired,
    };
    Refusal::new(reason)
}

fn with_values(rejection: &Rejection, refusal: Refusal) -> Refusal {
    match rejection {
        Rejection::CapReached { exhausted } => refusal
            .word("rules", quota::words(exhausted))
            .with("rule_ids", quota::rule_ids(exhausted))
            .quotas(quota::violations(exhausted)),
        Rejection::JustificationMissing { wanted, exceeded } => refusal
            .word("wanted", justification(*wanted))
            .word("rules", quota::words(exceeded))
            .with("rule_ids", quota::rule_ids(exceeded))
            .quotas(quota::violations(exceeded)),
        Rejection::CatalogueUnpublished { unit } => refusal.with("unit", unit),
        Rejection::UnitUnqualified { unit, on } => refusal.with("unit", unit).with("on", on),
        Rejection::ItemUnpublished { item }
        | Rejection::TriggerOnly { item }
        | Rejection::OffSiteOnly { item }
        | Rejection::OffSitePossible { item }
        | Rejection::OnSiteOnly { item }
        | Rejection::NothingToRectify { item }
        | Rejection::ItemDisputed { item }
        | Rejection::ItemsDiffer { item } => refusal.with("item", item),
        Rejection::ChecklistDiffers { item, lines } => {
            refusal.with("item", item).with("lines", lines)
        }
        Rejection::OfficerInvalid { certificate } => refusal.with("certificate", certificate),
        Rejection::TooFewOfficers { found } => {
            refusal.with("officers_min", OFFICERS_MIN).with("found", found)
        }
        Rejection::DateOutOfRange { on, from, until }
        | Rejection::RectifyByOutOfRange { on, from, until } => {
            refusal.with("on", on).with("from", from).with("until", until)
        }
        Rejection::PlannedDifferently(visit)
        | Rejection::VisitUnknown(visit)
        | Rejection::RecheckUnfounded { visit } => refusal.with("visit", visit),
        Rejection::OtherUnit { owner } => refusal.with("owner", owner),
        Rejection::WrongPhase { found, wanted } => {
            refusal.word("found", phase(found)).word("wanted", phase(wanted))
        }
        Rejection::InFuture { occurred_at } => refusal.instant("occurred_at", *occurred_at),
        Rejection::OutBeforeIn { checked_in_at } => {
            refusal.instant("checked_in_at", *checked_in_at)
        }
        Rejection::BeforePlannedDay { on } | Rejection::NotYetExpired { on } => {
            refusal.with("on", on)
        }
        Rejection::VisitsHeld { appeal } => refusal.with("appeal", appeal),
        Rejection::NotMergeable { into } => refusal.with("into", into),
        Rejection::EnterpriseUnregistered
        | Rejection::PolicyUnpublished
        | Rejection::EvidenceMissing
        | Rejection::NoItems
        | Rejection::RecheckMissing
        | Rejection::RecheckNotAllowed
        | Rejection::CampaignMissing
        | Rejection::CampaignNotAllowed
        | Rejection::CampaignUnfit(_)
        | Rejection::NotUrgent
        | Rejection::CodeMissing
        | Rejection::CodeRevoked
        | Rejection::CodeReplayed => refusal,
    }
}

/// The field of the request that it is about; none where it is about none alone.
fn field(rejection: &Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::JustificationMissing { .. } => Some("justification"),
        Rejection::ItemUnpublished { .. }
        | Rejection::TriggerOnly { .. }
        | Rejection::OffSiteOnly { .. }
        | Rejection::ItemDisputed { .. }
        | Rejection::NoItems => Some("items"),
        Rejection::OffSitePossible { .. } => Some("on_site_reason"),
        Rejection::OfficerInvalid { .. } | Rejection::TooFewOfficers { .. } => Some("officers"),
        Rejection::EvidenceMissing => Some("evidence"),
        Rejection::DateOutOfRange { .. } => Some("planned_on"),
        Rejection::InFuture { .. } | Rejection::OutBeforeIn { .. } => Some("occurred_at"),
        Rejection::OnSiteOnly { .. }
        | Rejection::RectifyByOutOfRange { .. }
        | Rejection::ItemsDiffer { .. }
        | Rejection::ChecklistDiffers { .. } => Some("results"),
        Rejection::RecheckMissing
        | Rejection::RecheckNotAllowed
        | Rejection::RecheckUnfounded { .. } => Some("recheck_of"),
        Rejection::CampaignMissing
        | Rejection::CampaignNotAllowed
        | Rejection::CampaignUnfit(_) => Some("campaign_id"),
        Rejection::CodeMissing | Rejection::CodeRevoked | Rejection::CodeReplayed => Some("code"),
        Rejection::NotMergeable { .. } => Some("into_visit_id"),
        Rejection::NothingToRectify { .. } => Some("item"),
        Rejection::EnterpriseUnregistered
        | Rejection::PolicyUnpublished
        | Rejection::CapReached { .. }
        | Rejection::CatalogueUnpublished { .. }
        | Rejection::UnitUnqualified { .. }
        | Rejection::PlannedDifferently(_)
        | Rejection::VisitUnknown(_)
        | Rejection::OtherUnit { .. }
        | Rejection::WrongPhase { .. }
        | Rejection::BeforePlannedDay { .. }
        | Rejection::NotUrgent
        | Rejection::VisitsHeld { .. }
        | Rejection::NotYetExpired { .. } => None,
    }
}

fn justification(wanted: Justification) -> Words {
    match wanted {
        Justification::Explanation => Words::pair("an explanation", "情况说明"),
        Justification::Approval => Words::pair("an approval", "审批件"),
    }
}

/// The phases as the visits name them.
fn phase(en: &'static str) -> Words {
    let zh = match en {
        "planned" => "已计划",
        "approved" => "已批准",
        "checked in" => "已签到",
        "checked out" => "已签退",
        "reported" => "已报告结果",
        "cancelled" => "已取消",
        "expired" => "已过期",
        "closed" => "已办结",
        "refused" => "已被企业拒绝",
        "merged" => "已并入其他检查",
        "planned or approved" => "已计划或已批准",
        other => other,
    };
    Words::pair(en, zh)
}
