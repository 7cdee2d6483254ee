//! Every rejection of special campaigns and random draws, and every reason not to refer to a campaign, once.

use doudi_domain::{
    campaign::{self, Unfit},
    draw::{self, Bounds},
    enterprise::CreditGrade,
};

use super::*;

pub(super) fn rejections() -> Vec<Refusal> {
    [campaigns(), unfits(), draws()].concat()
}

fn campaigns() -> Vec<Refusal> {
    use campaign::Rejection as R;
    let plain = [
        R::CampaignUnknown,
        R::ProposedDifferently,
        R::CatalogueMissing { unit: unit("tax") },
        R::OrganiserTwice(unit("tax")),
        R::CoUnitCount { found: 51 },
        R::ItemCount { found: 0 },
        R::AreaCount { found: 51 },
        R::AreaUnknown(AreaCode::parse("999999").unwrap()),
        R::PeriodOutOfBounds { from: date(2025, 1, 1), until: date(2026, 12, 31) },
        R::ApprovedByParticipant(unit("tax")),
        R::LevelTooLow,
        R::ApproverDiffers { unit: unit("tax"), level: Level::City },
        R::OtherUnit { organiser: unit("tax") },
    ];
    let levels = [Level::Nation, Level::Province, Level::City, Level::County, Level::Township];
    let below = levels.map(|level| R::NotSuperior { approver: Level::County, organiser: level });
    let found = ["absent", "proposed", "approved", "filed", "published", "withdrawn"];
    let found = found.map(|found| R::WrongPhase { found, wanted: "not withdrawn" });
    plain.iter().chain(&below).chain(&found).map(Explain::explain).collect()
}

fn unfits() -> Vec<Refusal> {
    let (from, until) = (date(2025, 4, 1), date(2025, 6, 30));
    [
        Unfit::NotPublished { found: "filed" },
        Unfit::OtherUnit(unit("tax")),
        Unfit::ItemOutside(ItemId::parse("SC-0101").unwrap()),
        Unfit::AreaOutside,
        Unfit::EnterpriseOutside,
        Unfit::DayOutside { on: date(2025, 7, 1), from, until },
    ]
    .iter()
    .map(unfit)
    .collect()
}

fn draws() -> Vec<Refusal> {
    use draw::Rejection as R;
    let bounds = Bounds { min: 0, max: 5 };
    let enterprise = || EnterpriseId::parse("L-1").unwrap();
    [
        R::DrawUnknown,
        R::OpenedDifferently,
        R::CatalogueMissing { unit: unit("tax") },
        R::RatioOutside { grade: CreditGrade::A, percent: 6, bounds },
        R::OfficersPerVisit { found: 1 },
        R::OfficerCount { found: 1, min: 2 },
        R::OfficerInvalid(CertificateNumber::parse("2102-0001").unwrap()),
        R::OtherUnit { unit: unit("tax") },
        R::AddedCount { found: 2001 },
        R::AvoidCount { found: 2001 },
        R::CandidateTwice(enterprise()),
        R::TooFewFree { enterprise: enterprise(), free: 1, min: 2 },
        R::PoolTooLarge { found: 200_001 },
        R::DrawTooLarge { drawn: 4001, officers: 500 },
        R::PoolEmpty,
        R::PoolClosed,
    ]
    .iter()
    .map(Explain::explain)
    .collect()
}
