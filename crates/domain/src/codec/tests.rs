//! The storage format: golden files, stable words, and what cannot be read.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::{
    CheckDigit, Decider,
    appeal::{Appeal, Channel},
    calendar::DayKind,
    campaign::{Campaign, Capacity},
    cases::Escalation,
    catalogue::{Level, Mode, Qualification},
    clock,
    device::Device,
    diagnosis::{Diagnosis, Stance},
    draw::Draw,
    enterprise::{CreditGrade, Profile, RiskClass},
    frequency::{self, Ground, Held, Subject, Window},
    kit::{area, certificate, day, field, item, name, unit},
    policy::{Policy, PolicyName},
    ratings::Ratings,
    reads::Reads,
    routing::RouteRule,
    visits::{CancelReason, Irregularity, RefusalReason, SetAside, Visits},
    webhook::Webhook,
};

/// One golden file, `<EventName>.v<N>.json` or `<EventName>.<case>.v<N>.json`.
struct Golden {
    file: String,
    name: String,
    version: u16,
    text: String,
}

fn golden_files(kind: &str) -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(kind);
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        let (stem, version) = file.strip_suffix(".json").unwrap().rsplit_once(".v").unwrap();
        let name = stem.split('.').next().unwrap().to_owned();
        let version = version.parse().unwrap();
        Golden { name, version, text: fs::read_to_string(entry.path()).unwrap(), file }
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

/// Every file decodes for ever; one of the newest version is written again as it stands.
fn check_golden<D: Decider>()
where
    D::Event: Debug,
{
    let mut seen = BTreeSet::new();
    for Golden { file, name, version, text } in golden_files(D::KIND) {
        let data: Box<RawValue> = serde_json::from_str(&text).unwrap();
        let event: D::Event = decode(&name, version, &data).unwrap_or_else(|error| {
            panic!("golden/{}/{file} must decode for ever: {error:?}", D::KIND)
        });
        let again = encode(&event).unwrap();
        assert_eq!(again.name, name, "{file}");
        if version == again.version {
            let (written, found): (Value, Value) = (
                serde_json::from_str(&text).unwrap(),
                serde_json::from_str(again.data.get()).unwrap(),
            );
            assert_eq!(found, written, "{file} is written otherwise now: raise the version");
        }
        seen.insert((name, version));
    }
    for (name, version) in D::Event::VERSIONS {
        let found = seen.contains(&((*name).to_owned(), *version));
        assert!(found, "add golden/{}/{name}.v{version}.json", D::KIND);
    }
}

#[test]
fn golden_files_decode_and_are_written_again() {
    check_golden::<Profile>();
    check_golden::<Visits>();
    check_golden::<Appeal>();
    check_golden::<Diagnosis>();
    check_golden::<Policy>();
    check_golden::<Reads>();
    check_golden::<Ratings>();
    check_golden::<Campaign>();
    check_golden::<Draw>();
    check_golden::<Device>();
    check_golden::<Webhook>();
}

#[test]
fn every_kind_of_golden_files_belongs_to_a_decider() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let kinds: BTreeSet<String> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known = [
        Profile::KIND,
        Visits::KIND,
        Appeal::KIND,
        Diagnosis::KIND,
        Policy::KIND,
        Reads::KIND,
        Ratings::KIND,
        Campaign::KIND,
        Draw::KIND,
        Device::KIND,
        Webhook::KIND,
    ];
    assert_eq!(kinds, known.map(str::to_owned).into());
}

#[track_caller]
fn words<T: Serialize + DeserializeOwned + PartialEq + Debug>(pairs: &[(T, Value)]) {
    for (value, word) in pairs {
        assert_eq!(serde_json::to_value(value).unwrap(), *word);
        assert_eq!(serde_json::from_value::<T>(word.clone()).unwrap(), *value);
    }
}

#[test]
fn grounds_and_limits_are_stored_by_stable_words() {
    words(&[
        (Ground::Routine, json!("routine")),
        (Ground::Random, json!("random")),
        (Ground::Special, json!("special")),
        (Ground::Complaint, json!("complaint")),
        (Ground::Assigned, json!("assigned")),
        (Ground::MonitoringLead, json!("monitoring_lead")),
        (Ground::EnterpriseRequest, json!("enterprise_request")),
        (Ground::RectificationRecheck, json!("rectification_recheck")),
        (Ground::LicenceVerification, json!("licence_verification")),
        (Ground::Media, json!("media")),
        (Ground::Urgent, json!("urgent")),
        (Ground::DeployedCampaign, json!("deployed_campaign")),
    ]);
    words(&[(Held::Reserved, json!("reserved")), (Held::Used, json!("used"))]);
}

#[test]
fn rules_are_stored_by_stable_words() {
    use frequency::{Counting, Joint, Key, OnExceeding};
    words(&[
        (Subject::SameUnit, json!("same_unit")),
        (Subject::SameLevel, json!("same_level")),
        (Subject::AllUnits, json!("all_units")),
        (Subject::SameField, json!("same_field")),
        (Subject::SameItem, json!("same_item")),
        (Subject::SameOfficer, json!("same_officer")),
    ]);
    words(&[
        (Window::CalendarYear, json!("calendar_year")),
        (Window::CalendarMonth, json!("calendar_month")),
        (Window::IsoWeek, json!("iso_week")),
        (Window::Day, json!("day")),
        (Window::Rolling(30), json!({ "rolling": 30 })),
    ]);
    words(&[(Joint::Once, json!("once")), (Joint::OncePerUnit, json!("once_per_unit"))]);
    words(&[
        (OnExceeding::Warn, json!("warn")),
        (OnExceeding::NeedsExplanation, json!("needs_explanation")),
        (OnExceeding::NeedsApproval, json!("needs_approval")),
        (OnExceeding::Refuse, json!("refuse")),
    ]);
    words(&[(Counting::All, json!("all")), (Counting::WithoutFinding, json!("without_finding"))]);
    words(&[
        (Key::Unit(unit("tax")), json!({ "unit": "tax" })),
        (Key::Level(Level::City), json!({ "level": "city" })),
        (Key::All, json!("all")),
        (Key::Field(field("fire")), json!({ "field": "fire" })),
        (Key::Item(item("SC-0101")), json!({ "item": "SC-0101" })),
        (Key::Officer(certificate(1)), json!({ "officer": "2102-0001" })),
    ]);
}

#[test]
fn catalogues_are_stored_by_stable_words() {
    words(&[
        (Level::Nation, json!("nation")),
        (Level::Province, json!("province")),
        (Level::City, json!("city")),
        (Level::County, json!("county")),
        (Level::Township, json!("township")),
    ]);
    words(&[
        (Capacity::Government, json!("government")),
        (Capacity::SuperiorOrgan, json!("superior_organ")),
    ]);
    words(&[(Mode::OnSite, json!("on_site")), (Mode::OffSite, json!("off_site"))]);
    words(&[
        (Qualification::Organ, json!("organ")),
        (
            Qualification::Authorised { basis: name("消防法") },
            json!({ "authorised": { "basis": "消防法" } }),
        ),
        (
            Qualification::Entrusted { by: unit("tax"), until: day("2025-12-31") },
            json!({ "entrusted": { "by": "tax", "until": "2025-12-31" } }),
        ),
    ]);
}

#[test]
fn visits_are_stored_by_stable_words() {
    words(&[
        (Irregularity::NotApproved, json!("not_approved")),
        (Irregularity::AfterCancellation, json!("after_cancellation")),
        (Irregularity::AfterExpiry, json!("after_expiry")),
        (Irregularity::BeforePlannedDay, json!("before_planned_day")),
        (Irregularity::TooFewOfficers, json!("too_few_officers")),
        (Irregularity::LimitsUnchecked, json!("limits_unchecked")),
        (Irregularity::OfficerInvalid, json!("officer_invalid")),
        (Irregularity::AfterRefusal, json!("after_refusal")),
        (Irregularity::AfterMerge, json!("after_merge")),
        (Irregularity::Unplanned, json!("unplanned")),
        (Irregularity::OutsideCatalogue, json!("outside_catalogue")),
        (Irregularity::EvidenceMissing, json!("evidence_missing")),
        (Irregularity::Held, json!("held")),
        (Irregularity::BackfilledLate, json!("backfilled_late")),
        (Irregularity::CodeMissing, json!("code_missing")),
        (Irregularity::CodeInvalid, json!("code_invalid")),
        (Irregularity::CodeOfOther, json!("code_of_other")),
        (Irregularity::CodeRevoked, json!("code_revoked")),
        (Irregularity::CodeReplayed, json!("code_replayed")),
        (Irregularity::PlaceImplausible, json!("place_implausible")),
        (Irregularity::ClockSuspect, json!("clock_suspect")),
        (Irregularity::DeviceCloned, json!("device_cloned")),
        (Irregularity::ChainBroken, json!("chain_broken")),
        (Irregularity::EnterpriseUnregistered, json!("enterprise_unregistered")),
    ]);
    words(&[
        (RefusalReason::OfficersUnidentified, json!("officers_unidentified")),
        (RefusalReason::NotApproved, json!("not_approved")),
        (RefusalReason::ItemsDiffer, json!("items_differ")),
        (RefusalReason::TooOften, json!("too_often")),
        (RefusalReason::CodeNotSound, json!("code_not_sound")),
    ]);
    words(&[
        (SetAside::VisitUnknown, json!("visit_unknown")),
        (SetAside::OtherUnit, json!("other_unit")),
        (SetAside::AlreadyCheckedIn, json!("already_checked_in")),
        (SetAside::NotCheckedIn, json!("not_checked_in")),
        (SetAside::OutBeforeIn, json!("out_before_in")),
        (SetAside::InFuture, json!("in_future")),
    ]);
    words(&[
        (CancelReason::TaskWithdrawn, json!("task_withdrawn")),
        (CancelReason::CoveredByOther, json!("covered_by_other")),
        (CancelReason::EnterpriseGone, json!("enterprise_gone")),
        (CancelReason::OfficersUnavailable, json!("officers_unavailable")),
    ]);
    words(&[
        (visits::Outcome::Pass, json!("pass")),
        (visits::Outcome::CorrectedOnTheSpot, json!("corrected_on_the_spot")),
        (visits::Outcome::RectifyBy(day("2025-04-10")), json!({ "rectify_by": "2025-04-10" })),
        (visits::Outcome::CaseFiled, json!("case_filed")),
        (visits::Outcome::TransferredToPolice, json!("transferred_to_police")),
    ]);
}

#[test]
fn appeals_and_their_clocks_are_stored_by_stable_words() {
    use appeal::{Closing, LawfulChannel, Silence, Trigger, Visibility};
    use clock::{ClockKind, Owner, PauseGround, Step};
    words(&[
        (Trigger::NoOwner, json!("no_owner")),
        (Trigger::BouncesSpent, json!("bounces_spent")),
        (Trigger::Overdue, json!("overdue")),
        (Trigger::Dissatisfied, json!("dissatisfied")),
    ]);
    words(&[
        (Closing::Confirmed, json!("confirmed")),
        (Closing::CalledBack, json!("called_back")),
        (Closing::Silent, json!("silent")),
        (Closing::Erased, json!("erased")),
    ]);
    words(&[
        (LawfulChannel::Litigation, json!("litigation")),
        (LawfulChannel::Review, json!("review")),
        (LawfulChannel::Discipline, json!("discipline")),
        (LawfulChannel::Petition, json!("petition")),
    ]);
    words(&[(Silence::NoClock, json!("no_clock")), (Silence::OwnerGone, json!("owner_gone"))]);
    words(&[(Visibility::Internal, json!("internal")), (Visibility::Public, json!("public"))]);
    words(&[
        (appeal::Applicant::Enterprise, json!("enterprise")),
        (appeal::Applicant::OnBehalf, json!("on_behalf")),
        (appeal::Applicant::Anonymous, json!("anonymous")),
    ]);
    words(&[
        (appeal::Confidentiality::Public, json!("public")),
        (appeal::Confidentiality::Internal, json!("internal")),
        (appeal::Confidentiality::Confidential, json!("confidential")),
        (appeal::Confidentiality::Strict, json!("strict")),
    ]);
    words(&[
        (PauseGround::MaterialAsked, json!("material_asked")),
        (PauseGround::LegalStep, json!("legal_step")),
    ]);
    words(&[
        (Step::Blue, json!("blue")),
        (Step::Yellow, json!("yellow")),
        (Step::Red, json!("red")),
        (Step::Escalate(Escalation::Urge), json!({ "escalate": "urge" })),
        (Step::Escalate(Escalation::Supervise), json!({ "escalate": "supervise" })),
        (Step::Escalate(Escalation::Circulate), json!({ "escalate": "circulate" })),
        (Step::Escalate(Escalation::Summon), json!({ "escalate": "summon" })),
    ]);
    words(&[
        (Owner::Unit(unit("tax")), json!({ "unit": "tax" })),
        (Owner::CityDesk, json!("city_desk")),
    ]);
    words(&[
        (ClockKind::Accept, json!("accept")),
        (ClockKind::Dispatch, json!("dispatch")),
        (ClockKind::Contact, json!("contact")),
        (ClockKind::Resolve, json!("resolve")),
        (ClockKind::Ruling, json!("ruling")),
        (ClockKind::Extension, json!("extension")),
        (ClockKind::CoHandling, json!("co_handling")),
        (ClockKind::Feedback, json!("feedback")),
        (ClockKind::Close, json!("close")),
        (ClockKind::Pause, json!("pause")),
        (ClockKind::Mediation, json!("mediation")),
        (ClockKind::Opinion, json!("opinion")),
        (ClockKind::Conclusion, json!("conclusion")),
        (ClockKind::Approval, json!("approval")),
        (ClockKind::Tell, json!("tell")),
    ]);
}

#[test]
fn appeals_and_profiles_are_stored_by_stable_words() {
    words(&[
        (Channel::Hotline12345, json!("hotline12345")),
        (Channel::Web, json!("web")),
        (Channel::App, json!("app")),
        (Channel::ServiceDesk, json!("service_desk")),
        (Channel::VisitFeedback, json!("visit_feedback")),
        (Channel::RoundTable, json!("round_table")),
        (Channel::LeadersContact, json!("leaders_contact")),
    ]);
    words(&[
        (appeal::Outcome::Solved, json!("solved")),
        (appeal::Outcome::Explained, json!("explained")),
        (appeal::Outcome::Unfounded, json!("unfounded")),
        (appeal::Outcome::LawfulChannel, json!("lawful_channel")),
    ]);
    words(&[
        (RouteRule::Area(area("210212")), json!({ "area": "210212" })),
        (RouteRule::CityDesk, json!("city_desk")),
        (RouteRule::Dispatcher, json!("dispatcher")),
        (RouteRule::Ruling, json!("ruling")),
        (RouteRule::Guarantee, json!("guarantee")),
        (RouteRule::Diagnosis, json!("diagnosis")),
        (RouteRule::Repair, json!("repair")),
    ]);
    words(&[
        (CreditGrade::A, json!("A")),
        (CreditGrade::B, json!("B")),
        (CreditGrade::C, json!("C")),
        (CreditGrade::D, json!("D")),
    ]);
    words(&[
        (RiskClass::A, json!("A")),
        (RiskClass::B, json!("B")),
        (RiskClass::C, json!("C")),
        (RiskClass::D, json!("D")),
    ]);
    words(&[
        (CheckDigit::Correct, json!("correct")),
        (CheckDigit::Wrong { expected: 'X' }, json!({ "wrong": { "expected": "X" } })),
        (CheckDigit::None, json!("none")),
    ]);
    words(&[
        (Stance::Support, json!("support")),
        (Stance::Dissent, json!("dissent")),
        (Stance::Abstain, json!("abstain")),
    ]);
    words(&[(DayKind::Holiday, json!("holiday")), (DayKind::Workday, json!("workday"))]);
    let of_tax = PolicyName::Catalogue(unit("tax"));
    words(&[(of_tax, json!("catalogue-tax"))]);
    words(&PolicyName::CITY.map(|name| (name.clone(), json!(name.to_string()))));
}

/// An event in its second version; the first had the weight in grams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Specimen {
    SampleTaken { kilograms: u32 },
    LabelLost,
    NoteForgotten { kilograms: u32 },
}

impl Storable for Specimen {
    const VERSIONS: &'static [(&'static str, u16)] = &[("SampleTaken", 2), ("LabelLost", 1)];

    fn upcast(name: &str, version: u16, data: Value) -> Option<Value> {
        match (name, version) {
            ("SampleTaken", 1) => Some(json!({ "kilograms": data["grams"].as_u64()? / 1000 })),
            _ => None,
        }
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

#[test]
fn an_older_version_is_lifted_to_the_newest() {
    let taken = Specimen::SampleTaken { kilograms: 3 };
    let old: Specimen = decode("SampleTaken", 1, &raw(&json!({ "grams": 3000 }))).unwrap();
    assert_eq!(old, taken);
    let encoded = encode(&taken).unwrap();
    assert_eq!((encoded.name, encoded.version), ("SampleTaken", 2));
    assert_eq!(encoded.data.get(), r#"{"kilograms":3}"#);
    assert_eq!(decode::<Specimen>("SampleTaken", 2, &encoded.data).unwrap(), taken);
}

#[test]
fn what_has_no_stored_form_is_not_written() {
    for event in [Specimen::LabelLost, Specimen::NoteForgotten { kilograms: 1 }] {
        assert!(matches!(encode(&event), Err(CodecError::Shape)), "{event:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let grams = json!({ "grams": 3000 });
    for (name, version, data, expected) in [
        ("SampleSold", 1, json!({}), "the event type SampleSold is unknown"),
        // Its shape is in code, but it was never given a version.
        ("NoteForgotten", 1, json!({}), "the event type NoteForgotten is unknown"),
        ("SampleTaken", 3, grams.clone(), "version 3 of the event type SampleTaken is unknown"),
        ("SampleTaken", 0, grams.clone(), "version 0 of the event type SampleTaken is unknown"),
        (
            "SampleTaken",
            2,
            grams,
            "the data of an event of type SampleTaken do not have its shape at byte 14",
        ),
        (
            "SampleTaken",
            1,
            json!({ "grams": 1e30 }),
            "version 1 of the event type SampleTaken is unknown",
        ),
    ] {
        let error = decode::<Specimen>(name, version, &raw(&data)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn every_version_table_names_each_type_once() {
    fn names<E: Storable>() {
        let mut seen = BTreeSet::new();
        assert!(E::VERSIONS.iter().all(|(name, version)| *version > 0 && seen.insert(*name)));
    }
    names::<enterprise::Event>();
    names::<visits::Event>();
    names::<appeal::Event>();
    names::<diagnosis::Event>();
    names::<policy::Event>();
    names::<reads::Event>();
    names::<campaign::Event>();
    names::<draw::Event>();
}
