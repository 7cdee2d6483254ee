//! Every reason and every rejection: stable codes, both languages, values filled in, small enough
//! for a header.

use std::{collections::BTreeSet, error::Error, path::Path};

use doudi_domain::{
    AreaCode, CaseTypeId, CertificateNumber, ClassId, EnterpriseId, FieldId, ItemId, Name, RuleId,
    UnitId, VisitId,
    calendar::CalendarProblem,
    cases::CaseTypesProblem,
    catalogue::{CatalogueProblem, Level},
    frequency::{FrequencyProblem, Key, OnExceeding, Standing},
    policy::{self, Problem},
    routing::RoutingProblem,
    visits,
    what_if::Untried,
};
use doudi_engine::{ExecuteError, VaultError, Version};
use doudi_views::{Behind, ViewError, ViewName};
use jiff::{Timestamp, civil::date};
use tonic::Code;
use uuid::Uuid;

use super::*;

mod appeals;
mod campaigns;
mod devices;
mod inspections;
mod webhooks;

fn chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// The localized messages of a status: English, Chinese.
fn localized(status: &Status) -> (String, String) {
    let mut messages = status.get_error_details_vec().into_iter().filter_map(|detail| {
        if let ErrorDetail::LocalizedMessage(message) = detail { Some(message) } else { None }
    });
    let (en, zh) = (messages.next().unwrap(), messages.next().unwrap());
    assert_eq!((en.locale.as_str(), zh.locale.as_str()), ("en", "zh-CN"));
    (en.message, zh.message)
}

/// The bytes that a status takes up in headers, about.
fn header_bytes(status: &Status) -> usize {
    let message: usize =
        status.message().chars().map(|c| if c.is_ascii() { 1 } else { 3 * c.len_utf8() }).sum();
    message + status.details().len().div_ceil(3) * 4
}

#[test]
fn the_committed_catalogue_is_the_one_in_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("errors.txt");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let found = catalogue();
    let differs =
        found.lines().zip(committed.lines()).find(|(found, committed)| found != committed);
    assert_eq!(
        differs, None,
        "the code and crates/api/errors.txt differ; mend the one that is wrong"
    );
    assert_eq!(committed.len(), found.len(), "a reason is missing at the end of one of them");
}

#[test]
fn each_reason_has_a_code_of_its_own_and_the_same_values_in_both_languages() {
    let mut codes = BTreeSet::new();
    for reason in Reason::ALL {
        let text = reason.as_str();
        assert!(codes.insert(text), "{text} stands twice");
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(text.len() <= 63 && text.chars().all(upper), "{text}");
        assert_eq!(places(reason.en()), places(reason.zh()), "{text}");
        assert!(chinese(reason.zh()) && !chinese(reason.en()), "{text}");
        // The access layer takes this code as tonic's own.
        assert_ne!(reason.code(), Code::OutOfRange, "{text}");
    }
}

#[test]
fn chinese_sentences_have_full_width_punctuation_and_speak_of_requests() {
    for reason in Reason::ALL {
        let zh = reason.zh();
        assert!(!zh.contains([',', ';', ':', '(', ')', '?', '!', '"', '\'']), "{zh}");
        assert!(!zh.contains("命令"), "{zh}");
    }
}

#[test]
fn what_officials_read_in_chinese_has_no_foreign_words() {
    let at: Timestamp = "2025-04-25T00:00:00.123Z".parse().unwrap();
    let place = |place: &str| {
        let unit = UnitId::parse("tax").unwrap();
        policy::Rejection::Unsound {
            problems: vec![Problem::Routing(RoutingProblem::UnitUnlisted {
                place: place.into(),
                unit,
            })],
        }
        .explain()
    };
    let expired = Failure::from(crate::identity::TokenError::Expired(at)).refusal();
    let roles = Refusal::role_missing(crate::permission::Role::OF_AREAS);
    for (refusal, english, chinese) in [
        (roles, "dispatcher, supervisor", "：诉求专席、监督人员"),
        (place("topic T06"), "topic T06 names", "事项T06引用"),
        (place("area 210212"), "area 210212 names", "区划210212引用"),
        (place("the city desk"), "the city desk names", "市诉求专席引用"),
        (place("the guarantee"), "the guarantee names", "兜底单位引用"),
        (place("unit data"), "unit data names", "单位data的承继单位引用"),
        (place("rule T06"), "rule T06 names", "事项T06的常设规则引用"),
        (expired, "at 2025-04-25T00:00:00.123Z", "已于北京时间2025-04-25 08:00:00失效"),
        (visits::Rejection::InFuture { occurred_at: at }.explain(), "00.123Z", " 08:00:00晚于"),
        (visits::Rejection::OutBeforeIn { checked_in_at: at }.explain(), "00.123Z", " 08:00:00）"),
    ] {
        let (en, zh) = localized(&refusal.status());
        assert!(en.contains(english), "{en}");
        assert!(zh.contains(chinese), "{zh}");
    }
    for role in crate::permission::Role::ALL {
        assert!(!role.zh().is_ascii(), "{role}");
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn unit(text: &str) -> UnitId {
    UnitId::parse(text).unwrap()
}

fn standing(visits: u128) -> Standing {
    Standing {
        rule: RuleId::parse("liaoning-2019").unwrap(),
        source: name("辽宁省人民政府办公厅关于规范涉企行政检查的通知"),
        key: Key::Unit(unit("market-regulation")),
        from: date(2025, 1, 1),
        until: date(2025, 12, 31),
        maximum: 1,
        on_exceeding: OnExceeding::Refuse,
        reserved: 1,
        used: 0,
        exempt: 0,
        weight: 1,
        visits: (0..visits).map(|n| VisitId(Uuid::from_u128(n))).collect(),
        frees_on: Some(date(2026, 1, 1)),
    }
}

fn item() -> ItemId {
    ItemId::parse("licence").unwrap()
}

fn certificate() -> CertificateNumber {
    CertificateNumber::parse("2102-0001").unwrap()
}

fn inspection_problems() -> Vec<Problem> {
    use CatalogueProblem as C;
    use FrequencyProblem as F;
    let rule = || RuleId::parse("a").unwrap();
    let of_rules = [
        F::NoRules,
        F::RuleTwice(rule()),
        F::ValidityReversed(rule()),
        F::Span(rule()),
        F::DaysOfMonth(rule()),
        F::MinimumZero(rule()),
        F::CountsNothing(rule()),
        F::Contradiction(rule(), RuleId::parse("b").unwrap()),
        F::FloorAboveCap { floor: rule(), cap: rule() },
        F::Excess,
        F::VisitTerms,
    ];
    let of_catalogues = [
        C::OfficerTwice(certificate()),
        C::ValidityReversed(certificate()),
        C::ItemTwice(item()),
        C::NoMode(item()),
        C::NoTrigger(item()),
        C::SelfEntrusted,
    ];
    let of_catalogues = of_catalogues.into_iter().map(Problem::from);
    of_rules.into_iter().map(Problem::from).chain(of_catalogues).collect()
}

fn policies() -> Vec<Refusal> {
    use policy::Rejection as R;
    let day = date(2025, 1, 1);
    let problems = vec![
        Problem::Calendar(CalendarProblem::Order(day)),
        Problem::Calendar(CalendarProblem::Year(day)),
        Problem::Calendar(CalendarProblem::Years),
        Problem::Calendar(CalendarProblem::Hours),
        Problem::Calendar(CalendarProblem::HoursOn(day)),
        Problem::Routing(RoutingProblem::OwnSuccessor(unit("tax"))),
        Problem::Routing(RoutingProblem::CityDeskAbolished(unit("desk-city"))),
        Problem::Routing(RoutingProblem::Twice("tax".into())),
        Problem::Routing(RoutingProblem::UnitUnlisted {
            place: "topic T06".into(),
            unit: unit("tax"),
        }),
    ];
    let problems =
        problems.into_iter().chain(inspection_problems()).chain(case_type_problems()).collect();
    [R::Unsound { problems }, R::VersionUnknown(3), R::VersionRetired(2), R::RoutingUnpublished]
        .iter()
        .map(Explain::explain)
        .chain([Untried::Catalogue.explain()])
        .collect()
}

fn case_type_problems() -> impl Iterator<Item = Problem> {
    use CaseTypesProblem as P;
    let case_type = || CaseTypeId::parse("tax-dispute").unwrap();
    let class = || ClassId::parse("blue").unwrap();
    [
        P::NoTypes,
        P::TypeTwice(case_type()),
        P::NoClasses(case_type()),
        P::ClassTwice { case_type: case_type(), class: class() },
        P::ResolveZero { case_type: case_type(), class: class() },
        P::AllowanceZero { case_type: case_type(), step: "co_handling" },
        P::Warnings(case_type()),
        P::Ladder(case_type()),
        P::LevelTwice(case_type()),
    ]
    .into_iter()
    .map(Problem::CaseTypes)
}

#[test]
fn every_rejection_is_said_in_full_in_both_languages() {
    let others = [
        appeals::rejections(),
        appeals::diagnoses(),
        campaigns::rejections(),
        devices::rejections(),
        inspections::ratings(),
        webhooks::rejections(),
    ]
    .concat();
    let all = [inspections::profiles(), inspections::rejections(), others, policies()].concat();
    for refusal in &all {
        let status = refusal.status();
        let (en, zh) = localized(&status);
        assert!(!en.contains('{') && !zh.contains('{'), "{en} {zh}");
        assert!(chinese(&zh), "{zh}");
        assert_eq!(status.code(), refusal.reason().code());
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("doudi", refusal.reason.as_str())
        );
        assert!(details.retry_info().is_none(), "a rejection stands until something changes");
        let precondition = status.code() == Code::FailedPrecondition;
        assert_eq!(details.precondition_failure().is_some(), precondition, "{en}");
        for violation in details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or(&[]) {
            let local = violation.localized_message.as_ref().unwrap();
            assert!(chinese(&local.message) && !local.message.contains('{'), "{violation:?}");
            assert!(!violation.description.contains('{') && !violation.field.is_empty());
        }
        assert!(header_bytes(&status) < 7000, "{en} takes {} bytes", header_bytes(&status));
    }
}

#[test]
fn phases_are_said_in_chinese() {
    let others = [
        appeals::rejections(),
        appeals::diagnoses(),
        campaigns::rejections(),
        devices::rejections(),
    ]
    .concat();
    let phases = [inspections::rejections(), others].concat().into_iter();
    let wrong = |refusal: &Refusal| {
        matches!(
            refusal.reason,
            Reason::VisitWrongPhase
                | Reason::AppealWrongPhase
                | Reason::DiagnosisWrongPhase
                | Reason::CampaignWrongPhase
                | Reason::CampaignNotPublished
        )
    };
    for refusal in phases.filter(wrong) {
        let (_, zh) = localized(&refusal.status());
        assert!(!zh.chars().any(|c| c.is_ascii_alphabetic()), "{zh}");
    }
}

#[test]
fn a_reached_cap_names_rule_source_visits_and_when_it_frees() {
    let refusal = visits::Rejection::CapReached { exhausted: vec![standing(7)] }.explain();
    let status = refusal.status();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = status.get_error_details();
    let violation = &details.quota_failure().unwrap().violations[0];
    assert_eq!(violation.subject, "liaoning-2019");
    assert_eq!(violation.quota_value, 1);
    let (_, zh) = localized(&status);
    for text in [&violation.description, &zh] {
        for part in ["liaoning-2019", "辽宁省人民政府", "2025-01-01", "2025-12-31", "2026-01-01"]
        {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        assert!(text.contains(&Uuid::from_u128(4).to_string()), "{text}");
        assert!(!text.contains(&Uuid::from_u128(5).to_string()), "the sixth is only counted");
    }
    let long = Standing { source: name(&"长".repeat(200)), ..standing(100) };
    let many = visits::Rejection::CapReached { exhausted: vec![long; 9] }.explain().status();
    assert!(header_bytes(&many) < 8000, "{} bytes", header_bytes(&many));
}

#[test]
fn many_malformed_fields_still_fit_into_a_header() {
    let fields = (0..500).map(|n| Violation::new(&format!("items[{n}]"), Reason::FieldRequired));
    let status = Refusal::of_fields(fields.collect()).unwrap().status();
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["count"], "500");
    assert!(details.bad_request().unwrap().field_violations.len() > 20);
    assert!(header_bytes(&status) < 8000, "{} bytes", header_bytes(&status));
}

type Execute = ExecuteError<visits::Rejection>;

#[test]
fn what_the_engine_says_has_its_code_and_tells_whether_to_retry() {
    let source = || Box::<dyn Error + Send + Sync>::from("cut");
    let table = [
        (Execute::IdReused.into(), Reason::CommandIdReused, false),
        (Execute::VersionDiffers { actual: Version(7) }.into(), Reason::VersionConflict, false),
        (Execute::Contended { actual: Version(7) }.into(), Reason::Contended, true),
        (Execute::Rejected(visits::Rejection::NoItems).into(), Reason::NoItems, false),
        (VaultError::Erased.into(), Reason::PersonalDataErased, false),
        (VaultError::Unavailable(source()).into(), Reason::VaultUnavailable, true),
        (
            ViewError::Unavailable { doing: "reading", source: source() }.into(),
            Reason::ViewUnavailable,
            true,
        ),
        (
            ViewError::TooManyVisits {
                enterprise: EnterpriseId::parse("L-1").unwrap(),
                visits_max: 9,
            }
            .into(),
            Reason::TooManyVisits,
            false,
        ),
    ];
    for (failure, reason, retry) in table {
        let failure: Failure = failure;
        let refusal = failure.refusal();
        assert_eq!(refusal.reason(), reason);
        assert_eq!(
            refusal.status().get_error_details().retry_info().is_some(),
            retry,
            "{reason:?}"
        );
    }
    let conflict: Failure = Execute::VersionDiffers { actual: Version(7) }.into();
    let status = Status::from(conflict);
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(status.get_error_details().error_info().unwrap().metadata["actual_version"], "7");
}

#[test]
fn a_stale_write_learns_what_happened_meanwhile() {
    let longest = "DiagnosisOpenedAndDeadlinesRecomputed";
    let events = [longest; 20].join(",");
    let refusal = Refusal::version_differs(Version(7)).fact("events", events.clone());
    let status = refusal.status();
    assert_eq!(status.code(), Code::Aborted);
    let info = status.get_error_details().error_info().cloned().unwrap();
    assert_eq!(info.metadata["events"], events);
    let (en, zh) = localized(&status);
    assert!(!en.contains(longest) && !zh.contains(longest));
    assert!(header_bytes(&status) < 4000, "{} bytes", header_bytes(&status));
}

#[test]
fn a_view_that_is_behind_says_how_far_it_is() {
    let behind = Behind {
        view: ViewName::Appeals,
        wanted: doudi_engine::Position(9),
        reached: doudi_engine::Position(7),
    };
    let status = Status::from(Failure::from(behind));
    assert_eq!(status.code(), Code::Unavailable);
    let details = status.get_error_details();
    let position = &details.error_info().unwrap().metadata["position"];
    let place = crate::convert::token::parse_place(position).unwrap();
    assert_eq!(place.position.0, 7);
    assert!(details.retry_info().is_some());
}

#[test]
fn a_fault_tells_the_caller_an_id_and_nothing_else() {
    for failure in [
        Failure::from(VaultError::Tampered),
        Failure::from(Execute::Encode("secret cause".into())),
        Failure::fault("secret cause"),
    ] {
        let status = Status::from(failure);
        assert_eq!(status.code(), Code::Internal);
        let info = status.get_error_details().error_info().cloned().unwrap();
        assert_eq!(info.reason, "FAULT");
        let (en, zh) = localized(&status);
        assert!(en.contains(&info.metadata["fault_id"]) && zh.contains(&info.metadata["fault_id"]));
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
    }
}
