//! Every rejection of profiles and visits, and every reason why a text is no code, once.

use doudi_domain::{
    AppealId, CodeId,
    campaign::Unfit,
    enterprise,
    visits::{Justification, Rejection as R},
};
use doudi_scan::{
    codes::CodeError,
    records::{RecordError, device_of},
};

use super::*;

/// Of ratings.
pub(super) fn ratings() -> Vec<Refusal> {
    use doudi_domain::ratings::Rejection as R;
    let visit = VisitId(Uuid::from_u128(1));
    [R::VisitUnknown(visit), R::NotVisited(visit), R::AlreadyRated(visit)]
        .iter()
        .map(Explain::explain)
        .collect()
}

pub(super) fn profiles() -> Vec<Refusal> {
    use enterprise::Rejection as R;
    let day = date(2025, 4, 25);
    [
        R::NotRegistered,
        R::AlreadyRegistered,
        R::AreaUnknown(AreaCode::parse("210212").unwrap()),
        R::AssessedInFuture { assessed_on: day, today: day },
        R::ValidityReversed { assessed_on: day, until: day },
        R::CodeLife,
        R::TooManyCodes,
        R::CodeUnknown(CodeId(Uuid::from_u128(1))),
    ]
    .iter()
    .map(Explain::explain)
    .collect()
}

fn every_key() -> [Key; 6] {
    [
        Key::All,
        Key::Unit(unit("tax")),
        Key::Level(Level::County),
        Key::Field(FieldId::parse("fire-safety").unwrap()),
        Key::Item(item()),
        Key::Officer(certificate()),
    ]
}

/// The phases of a visit, as its rules word them, and what a command may want of them.
const FOUND: [&str; 10] = [
    "planned",
    "approved",
    "checked in",
    "checked out",
    "reported",
    "closed",
    "cancelled",
    "expired",
    "refused",
    "merged",
];
const WANTED: [&str; 6] =
    ["planned", "approved", "checked in", "checked out", "reported", "planned or approved"];

pub(super) fn rejections() -> Vec<Refusal> {
    let found = FOUND.map(|found| R::WrongPhase { found, wanted: "planned" });
    let wanted = WANTED.map(|wanted| R::WrongPhase { found: "merged", wanted });
    let all = [plans(), scans(), results()].concat();
    all.iter().chain(&found).chain(&wanted).map(Explain::explain).chain(no_codes()).collect()
}

fn plans() -> Vec<R> {
    let (day, id) = (date(2025, 4, 25), VisitId(Uuid::from_u128(1)));
    vec![
        R::EnterpriseUnregistered,
        R::PolicyUnpublished,
        R::CapReached { exhausted: vec![standing(1)] },
        R::JustificationMissing {
            wanted: Justification::Approval,
            exceeded: every_key().map(|key| Standing { key, ..standing(1) }).into(),
        },
        R::JustificationMissing {
            wanted: Justification::Explanation,
            exceeded: vec![Standing { frees_on: None, ..standing(0) }],
        },
        R::CatalogueUnpublished { unit: unit("tax") },
        R::UnitUnqualified { unit: unit("tax"), on: day },
        R::ItemUnpublished { item: item() },
        R::TriggerOnly { item: item() },
        R::OffSiteOnly { item: item() },
        R::OffSitePossible { item: item() },
        R::OfficerInvalid { certificate: certificate() },
        R::EvidenceMissing,
        R::TooFewOfficers { found: 1 },
        R::NoItems,
        R::DateOutOfRange { on: day, from: day, until: day },
        R::PlannedDifferently(id),
        R::ItemDisputed { item: item() },
        R::RecheckMissing,
        R::RecheckNotAllowed,
        R::RecheckUnfounded { visit: id },
        R::CampaignMissing,
        R::CampaignNotAllowed,
        R::CampaignUnfit(Unfit::AreaOutside),
        R::CampaignUnfit(Unfit::DayOutside { on: day, from: day, until: day }),
        R::NotMergeable { into: id },
        R::VisitsHeld { appeal: AppealId(Uuid::from_u128(2)) },
    ]
}

fn scans() -> Vec<R> {
    let (day, id, now) = (date(2025, 4, 25), VisitId(Uuid::from_u128(1)), Timestamp::UNIX_EPOCH);
    vec![
        R::VisitUnknown(id),
        R::OtherUnit { owner: unit("tax") },
        R::InFuture { occurred_at: now },
        R::BeforePlannedDay { on: day },
        R::OutBeforeIn { checked_in_at: now },
        R::NotUrgent,
        R::CodeMissing,
        R::CodeRevoked,
        R::CodeReplayed,
        R::NotYetExpired { on: day },
    ]
}

fn results() -> Vec<R> {
    vec![
        R::ItemsDiffer { item: item() },
        R::OnSiteOnly { item: item() },
        R::NothingToRectify { item: item() },
        R::RectifyByOutOfRange {
            on: date(2025, 4, 25),
            from: date(2025, 4, 26),
            until: date(2026, 5, 31),
        },
        R::ChecklistDiffers { item: item(), lines: 3 },
    ]
}

fn code_errors() -> [CodeError; 10] {
    let RecordError::Malformed(cut) = device_of(&[0; 7]).unwrap_err() else { panic!("a record") };
    [
        CodeError::TooLong,
        CodeError::NotACode,
        CodeError::Malformed(cut),
        CodeError::VersionUnknown,
        CodeError::AlgorithmUnknown,
        CodeError::OtherKind,
        CodeError::KeyUnknown,
        CodeError::Forged,
        CodeError::Expired { at: 1_745_550_000 },
        CodeError::NotYet { at: i64::MAX },
    ]
}

fn no_codes() -> Vec<Refusal> {
    code_errors().iter().map(Explain::explain).collect()
}

#[test]
fn each_reason_why_a_text_is_no_code_has_its_own_word_and_names_the_field() {
    let refusals = no_codes();
    let reasons: BTreeSet<Reason> = refusals.iter().map(Refusal::reason).collect();
    assert_eq!(reasons.len(), refusals.len());
    for refusal in &refusals {
        assert_eq!(refusal.fields()[0].field, "code", "{refusal:?}");
    }
    let expired = CodeError::Expired { at: 1_745_550_000 }.explain().status();
    let (en, zh) = localized(&expired);
    assert!(en.contains("2025-04-25T03:00:00Z") && zh.contains("2025-04-25 11:00:00"), "{en} {zh}");
}

#[test]
fn a_refused_scan_names_the_code_and_a_hold_names_the_complaint() {
    for rejection in [R::CodeMissing, R::CodeRevoked, R::CodeReplayed] {
        assert_eq!(rejection.explain().fields()[0].field, "code");
    }
    let held = R::VisitsHeld { appeal: AppealId(Uuid::from_u128(2)) }.explain().status();
    assert_eq!(held.code(), Code::FailedPrecondition);
    let details = held.get_error_details();
    let appeal = Uuid::from_u128(2).to_string();
    assert_eq!(details.error_info().unwrap().metadata["appeal"], appeal);
    let unfit = R::CampaignUnfit(Unfit::AreaOutside).explain();
    assert_eq!(unfit.reason(), Reason::CampaignAreaOutside);
    assert_eq!(unfit.fields()[0].field, "campaign_id");
}
