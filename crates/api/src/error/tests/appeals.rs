//! Every rejection of appeals and joint diagnoses, once.

use doudi_domain::{
    appeal::{PhaseName, Rejection},
    diagnosis,
};

use super::*;

/// What a command may want of the phase, as the rules word it.
const WANTED: [&str; 9] = [
    "open",
    "not resolved yet",
    "submitted or accepted",
    "accepted or contested",
    "dispatched or in handling",
    "dispatched, in handling or contested",
    "confirmed or resolved",
    "resolved, confirmed or closed",
    "closed after it was handled",
];

pub(super) fn rejections() -> Vec<Refusal> {
    use Rejection as R;
    let now = Timestamp::UNIX_EPOCH;
    let (unit, class) = (unit("tax"), ClassId::parse("complex").unwrap());
    let plain = [
        R::AppealUnknown,
        R::SubmittedDifferently,
        R::RoutingUnpublished,
        R::AlreadySo,
        R::CaseTypesUnpublished,
        R::CaseTypeUnknown(CaseTypeId::parse("tax-dispute").unwrap()),
        R::ClassUnknown(class),
        R::OtherUnit { owner: unit.clone() },
        R::UnitUnknown(unit.clone()),
        R::CompetentElsewhere { guidance: "由省级机构受理".repeat(28) },
        R::DispatchFinal,
        R::ContestTooLate(now),
        R::ProposalMissing,
        R::ObjectorAgain(unit.clone()),
        R::Guaranteed,
        R::NotGuaranteed,
        R::ExtensionTooLate(now),
        R::ExtensionSpent,
        R::TooManyDays { max: 15 },
        R::ExtensionNotAsked,
        R::Paused,
        R::PauseTooLate,
        R::TaskUnknown,
        R::TaskRedundant(unit),
        R::OrdersOpen { open: 2 },
        R::AlreadyRated,
        R::EnterpriseToSpeak,
        R::EnterpriseDissatisfied,
        R::ReopenTooLate(date(2025, 4, 25)),
        R::MergeImpossible,
        R::TooMany { max: 50 },
        R::DiagnosisOpen,
        R::DiagnosisUnknown,
        R::DiagnosisUnsound,
        R::MediationImpossible,
        R::MediationNotOpen,
        R::Erased,
        R::WouldBeSilent,
    ];
    let wrong = |found, wanted| R::WrongPhase { found, wanted };
    let found = PhaseName::ALL.map(|found| wrong(found, "in handling"));
    let wanted = WANTED.map(|wanted| wrong(PhaseName::Merged, wanted));
    plain.iter().chain(&found).chain(&wanted).map(Explain::explain).collect()
}

pub(super) fn diagnoses() -> Vec<Refusal> {
    use diagnosis::Rejection as R;
    let unit = || unit("tax");
    [
        R::DiagnosisUnknown,
        R::ConvenedDifferently,
        R::PanelSize { found: 21 },
        R::QuorumOutOfReach { quorum: 3, units: 2 },
        R::WrongPhase { found: "absent", wanted: "open" },
        R::WrongPhase { found: "concluded", wanted: "open" },
        R::WrongPhase { found: "discontinued", wanted: "open" },
        R::UnitNotConvened(unit()),
        R::OtherUnit { convener: unit() },
        R::QuorumMissing { heard: 1, quorum: 2, until: Timestamp::UNIX_EPOCH },
        R::OrderCount { found: 21 },
        R::OrderTime { found: 251 },
        R::UnitUnknown(unit()),
        R::NoStandingRule,
    ]
    .iter()
    .map(Explain::explain)
    .collect()
}
