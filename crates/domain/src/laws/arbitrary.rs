//! Arbitrary events. Ids come from small sets, so that random events meet on the same things.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil::Date};
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use uuid::Uuid;

use crate::{
    AreaCode, CertificateNumber, CheckDigit, FewMap, FewSet, FieldId, ItemId, Name, Reference,
    RuleId, Sealed, TagId, TopicId, UnitId, VisitId,
    catalogue::Level,
    enterprise::{self, CreditGrade, RiskClass},
    frequency::{Ground, Key, OnExceeding, Standing},
    ids::CodeId,
    kit::{day, sealed, unit},
    visits::Place,
};

mod appeal;
mod campaign;
mod inspection;
mod policy;
mod visits;

pub(super) use appeal::appeal_event;
pub(super) use campaign::{campaign_event, draw_event};
pub(super) use policy::policy_event;
pub(super) use visits::visits_event;

pub(super) const GROUNDS: [Ground; 12] = [
    Ground::Routine,
    Ground::Random,
    Ground::Special,
    Ground::Complaint,
    Ground::Assigned,
    Ground::MonitoringLead,
    Ground::EnterpriseRequest,
    Ground::RectificationRecheck,
    Ground::LicenceVerification,
    Ground::Media,
    Ground::Urgent,
    Ground::DeployedCampaign,
];

pub(super) fn any_day() -> impl Strategy<Value = Date> {
    (0..60_000_i32).prop_map(|days| day("1949-10-01").saturating_add(days.days()))
}

pub(super) fn any_moment() -> impl Strategy<Value = Timestamp> {
    let extreme = select(vec![Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX]);
    let some = (0_i64..4_000_000_000, 0..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap());
    prop_oneof![1 => extreme, 9 => some]
}

fn any_unit() -> impl Strategy<Value = UnitId> {
    "[a-z0-9-]{1,64}".prop_map(|text| unit(&text))
}

fn any_area() -> impl Strategy<Value = AreaCode> {
    "[A-Za-z0-9]{1,12}".prop_map(|text| AreaCode::parse(&text).unwrap())
}

fn any_topic() -> impl Strategy<Value = TopicId> {
    "[A-Za-z0-9_./-]{1,32}".prop_map(|text| TopicId::parse(&text).unwrap())
}

fn any_item() -> impl Strategy<Value = ItemId> {
    "[A-Za-z0-9_./-]{1,64}".prop_map(|text| ItemId::parse(&text).unwrap())
}

fn any_rule_id() -> impl Strategy<Value = RuleId> {
    "[A-Za-z0-9_./-]{1,64}".prop_map(|text| RuleId::parse(&text).unwrap())
}

fn any_field() -> impl Strategy<Value = FieldId> {
    "[a-z0-9-]{1,64}".prop_map(|text| FieldId::parse(&text).unwrap())
}

fn any_tags() -> impl Strategy<Value = BTreeSet<TagId>> {
    btree_set("[a-z0-9-]{1,64}".prop_map(|text| TagId::parse(&text).unwrap()), 0..4)
}

fn any_level() -> impl Strategy<Value = Level> {
    select(vec![Level::Nation, Level::Province, Level::City, Level::County, Level::Township])
}

fn any_effect() -> impl Strategy<Value = OnExceeding> {
    select(vec![
        OnExceeding::Warn,
        OnExceeding::NeedsExplanation,
        OnExceeding::NeedsApproval,
        OnExceeding::Refuse,
    ])
}

fn any_grade() -> impl Strategy<Value = CreditGrade> {
    select(vec![CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D])
}

fn any_risk_class() -> impl Strategy<Value = RiskClass> {
    select(vec![RiskClass::A, RiskClass::B, RiskClass::C, RiskClass::D])
}

fn any_certificate() -> impl Strategy<Value = CertificateNumber> {
    "[A-Z0-9]{1,20}".prop_map(|text| CertificateNumber::parse(&text).unwrap())
}

/// So many different ones.
fn few<T: Ord + std::fmt::Debug>(
    each: impl Strategy<Value = T>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = FewSet<T>> {
    btree_set(each, count).prop_map(|values| values.into_iter().collect())
}

/// So many different ones, each with something.
fn few_with<K: Ord + std::fmt::Debug, V: std::fmt::Debug>(
    key: impl Strategy<Value = K>,
    value: impl Strategy<Value = V>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = FewMap<K, V>> {
    btree_map(key, value, count).prop_map(|entries| entries.into_iter().collect())
}

fn any_officers() -> impl Strategy<Value = FewSet<CertificateNumber>> {
    few(any_certificate(), 0..4)
}

fn any_name() -> impl Strategy<Value = Name> {
    // Quotes, backslashes and characters outside the basic plane among them.
    "[ -~大连市旅顺口区\u{1F6A2}]{1,40}".prop_map(|text| Name::parse(&text).unwrap())
}

fn any_reference() -> impl Strategy<Value = Reference> {
    any_name().prop_map(|text| Reference::parse(text.as_str()).unwrap())
}

fn any_sealed() -> impl Strategy<Value = Sealed> {
    "[A-Za-z0-9+/=]{0,60}".prop_map(|text| sealed(&text))
}

pub(super) fn any_visit() -> impl Strategy<Value = VisitId> {
    (1..5_u128).prop_map(|n| VisitId(Uuid::from_u128(n)))
}

fn any_code() -> impl Strategy<Value = CodeId> {
    (1..5_u128).prop_map(|n| CodeId(Uuid::from_u128(n)))
}

fn any_place() -> impl Strategy<Value = Place> {
    any::<(i32, i32, u32)>().prop_map(|(latitude_e6, longitude_e6, accuracy_m)| Place {
        latitude_e6,
        longitude_e6,
        accuracy_m,
    })
}

fn any_ground() -> impl Strategy<Value = Ground> {
    select(GROUNDS.to_vec())
}

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        Just(Key::All),
        any_unit().prop_map(Key::Unit),
        any_level().prop_map(Key::Level),
        any_field().prop_map(Key::Field),
        any_item().prop_map(Key::Item),
        any_certificate().prop_map(Key::Officer),
    ]
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let counts = (any::<u32>(), 0..9_u32, 0..9_u32, 0..9_u32, 0..9_u32);
    let days = (any_day(), any_day(), option::of(any_day()));
    let names = (any_rule_id(), any_name(), any_key(), any_effect());
    (names, days, counts, vec(any_visit(), 0..4)).prop_map(|(names, days, counts, visits)| {
        let (rule, source, key, on_exceeding) = names;
        let (from, until, frees_on) = days;
        let (maximum, reserved, used, exempt, weight) = counts;
        Standing {
            rule,
            source,
            key,
            from,
            until,
            maximum,
            on_exceeding,
            reserved,
            used,
            exempt,
            weight,
            visits,
            frees_on,
        }
    })
}

pub(super) fn enterprise_event() -> impl Strategy<Value = enterprise::Event> {
    use enterprise::Event;
    let check_digit = prop_oneof![
        Just(CheckDigit::Correct),
        "[0-9A-Z]".prop_map(|text| CheckDigit::Wrong { expected: text.chars().next().unwrap() }),
        Just(CheckDigit::None),
    ];
    prop_oneof![
        (any_name(), any_area(), check_digit).prop_map(|(name, area, check_digit)| {
            Event::EnterpriseRegistered { name, area, check_digit }
        }),
        (any_grade(), any_unit(), any_day(), option::of(any_day())).prop_map(
            |(grade, issuer, assessed_on, valid_until)| Event::CreditGradeAssessed {
                grade,
                issuer,
                assessed_on,
                valid_until
            }
        ),
        (any_area(), any_area(), any_reference())
            .prop_map(|(from, to, basis)| Event::AreaChanged { from, to, basis }),
        (option::of(any_risk_class()), any_tags(), any_reference(), any_unit()).prop_map(
            |(risk_class, tags, basis, issuer)| Event::EnterpriseClassified {
                risk_class,
                tags,
                basis,
                issuer
            }
        ),
        (any_code(), any_moment(), option::of(any_place()))
            .prop_map(|(code, expires_at, place)| Event::CodeIssued { code, expires_at, place }),
        (any_code(), any_moment()).prop_map(|(code, at)| Event::CodeRevoked { code, at }),
    ]
}
