//! The rejections of special campaigns, explained, and why a visit or a draw cannot refer to one.

use doudi_domain::{
    campaign::{AREAS_MAX, CO_UNITS_MAX, DAYS_MAX, ITEMS_MAX, Rejection, Unfit},
    catalogue::Level,
};

use super::{Explain, Reason, Refusal, Words};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::CampaignUnknown => Refusal::new(Reason::CampaignUnknown),
            Self::ProposedDifferently => Refusal::new(Reason::CampaignProposedDifferently),
            Self::CatalogueMissing { unit } => {
                Refusal::new(Reason::CatalogueUnpublished).with("unit", unit)
            }
            Self::OrganiserTwice(unit) => Refusal::new(Reason::CampaignOrganiserTwice)
                .with("unit", unit)
                .about("plan.co_units"),
            Self::CoUnitCount { found } => size(*found, 0, CO_UNITS_MAX).about("plan.co_units"),
            Self::ItemCount { found } => size(*found, 1, ITEMS_MAX).about("plan.items"),
            Self::AreaCount { found } => size(*found, 0, AREAS_MAX).about("plan.areas"),
            Self::AreaUnknown(area) => {
                Refusal::new(Reason::AreaUnknown).with("area", area).about("plan.areas")
            }
            Self::PeriodOutOfBounds { from, until } => Refusal::new(Reason::CampaignPeriod)
                .with("from", from)
                .with("until", until)
                .with("max", DAYS_MAX)
                .about("plan.until"),
            Self::ApprovedByParticipant(unit) => {
                Refusal::new(Reason::CampaignApprovedByParticipant).with("unit", unit)
            }
            Self::LevelTooLow => Refusal::new(Reason::CampaignLevelTooLow).about("approval.level"),
            Self::NotSuperior { approver, organiser } => Refusal::new(Reason::CampaignNotSuperior)
                .word("approver", level(*approver))
                .word("organiser", level(*organiser))
                .about("approval.level"),
            Self::ApproverDiffers { unit, level: found } => {
                Refusal::new(Reason::CampaignApproverDiffers)
                    .with("unit", unit)
                    .word("level", level(*found))
                    .about("approval.level")
            }
            Self::OtherUnit { organiser } => {
                Refusal::new(Reason::CampaignOtherUnit).with("organiser", organiser)
            }
            Self::WrongPhase { found, wanted } => Refusal::new(Reason::CampaignWrongPhase)
                .word("found", phase(found))
                .word("wanted", phase(wanted)),
        }
    }
}

/// A list that has a wrong number of entries.
pub(super) fn size(found: usize, min: usize, max: usize) -> Refusal {
    Refusal::new(Reason::ListSize).with("found", found).with("min", min).with("max", max)
}

/// Why something cannot refer to a campaign.
pub(crate) fn unfit(why: &Unfit) -> Refusal {
    match why {
        Unfit::NotPublished { found } => {
            Refusal::new(Reason::CampaignNotPublished).word("found", phase(found))
        }
        Unfit::OtherUnit(unit) => Refusal::new(Reason::CampaignUnitOutside).with("unit", unit),
        Unfit::ItemOutside(item) => Refusal::new(Reason::CampaignItemOutside).with("item", item),
        Unfit::AreaOutside => Refusal::new(Reason::CampaignAreaOutside),
        Unfit::EnterpriseOutside => Refusal::new(Reason::CampaignEnterpriseOutside),
        Unfit::DayOutside { on, from, until } => Refusal::new(Reason::CampaignDayOutside)
            .with("on", on)
            .with("from", from)
            .with("until", until),
    }
}

fn level(level: Level) -> Words {
    match level {
        Level::Nation => Words::pair("nation", "中央"),
        Level::Province => Words::pair("province", "省级"),
        Level::City => Words::pair("city", "市级"),
        Level::County => Words::pair("county", "县级"),
        Level::Township => Words::pair("township", "乡镇级"),
    }
}

/// The phases as the campaigns name them.
fn phase(en: &'static str) -> Words {
    let zh = match en {
        "absent" => "尚未提出",
        "proposed" => "待批准",
        "approved" => "待备案",
        "filed" => "待公布",
        "published" => "已公布",
        "withdrawn" => "已撤回",
        "not withdrawn" => "未撤回",
        other => other,
    };
    Words::pair(en, zh)
}
