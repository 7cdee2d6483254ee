//! Arbitrary events. Ids come from small sets, so that random events meet on the same things.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil::Date};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use uuid::Uuid;

use crate::{
    AreaCode, CertificateNumber, CheckDigit, ItemId, Name, Reference, RuleId, Sealed, TopicId,
    UnitId, VisitId, appeal,
    calendar::{Calendar, DayKind, DueDate, Exception},
    enterprise::{self, CreditGrade},
    frequency::{FrequencyPolicy, Ground, Rule, Standing, Subject, Window},
    kit::{day, sealed, unit},
    policy,
    routing::{Allowances, Area, Route, RouteRule, RoutingTable, Topic, Unit},
    visits::{self, CancelReason, CheckIn, Irregularity, ItemResult, Plan},
};

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

fn any_officers() -> impl Strategy<Value = BTreeSet<CertificateNumber>> {
    let number = "[A-Z0-9]{1,20}".prop_map(|text| CertificateNumber::parse(&text).unwrap());
    btree_set(number, 0..4)
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

fn any_ground() -> impl Strategy<Value = Ground> {
    select(GROUNDS.to_vec())
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let counts = (1..9_u32, 0..9_u32, 0..9_u32, 0..9_u32);
    let days = (any_day(), any_day());
    let names = (any_rule_id(), any_name(), option::of(any_unit()));
    (names, days, counts, vec(any_visit(), 0..4)).prop_map(
        |((rule, source, unit), (from, until), (maximum, reserved, used, exempt), visits)| {
            Standing { rule, source, unit, from, until, maximum, reserved, used, exempt, visits }
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let who = (any_visit(), any_unit(), any_officers(), btree_set(any_item(), 0..4));
    (who, any_ground(), option::of(any_reference()), any_day()).prop_map(
        |((visit, unit, officers, items), ground, evidence, on)| Plan {
            visit,
            unit,
            officers,
            items,
            ground,
            evidence,
            on,
        },
    )
}

fn any_result() -> impl Strategy<Value = ItemResult> {
    let outcome = prop_oneof![
        Just(visits::Outcome::Pass),
        Just(visits::Outcome::CorrectedOnTheSpot),
        any_day().prop_map(visits::Outcome::RectifyBy),
        Just(visits::Outcome::CaseFiled),
        Just(visits::Outcome::TransferredToPolice),
    ];
    (any_item(), outcome).prop_map(|(item, outcome)| ItemResult { item, outcome })
}

fn any_check_in() -> impl Strategy<Value = CheckIn> {
    (any_officers(), any_moment(), any::<bool>())
        .prop_map(|(officers, occurred_at, offline)| CheckIn { officers, occurred_at, offline })
}

pub(super) fn visits_event() -> impl Strategy<Value = visits::Event> {
    use visits::Event;
    let irregularity = select(vec![
        Irregularity::NotApproved,
        Irregularity::AfterCancellation,
        Irregularity::AfterExpiry,
        Irregularity::BeforePlannedDay,
        Irregularity::TooFewOfficers,
    ]);
    let reason = select(vec![
        CancelReason::TaskWithdrawn,
        CancelReason::CoveredByOther,
        CancelReason::EnterpriseGone,
        CancelReason::OfficersUnavailable,
    ]);
    prop_oneof![
        (any_plan(), option::of(any_area()), any::<u32>(), vec(any_standing(), 0..3)).prop_map(
            |(plan, area, policy_version, standings)| Event::VisitPlanned {
                plan,
                area,
                policy_version,
                standings
            }
        ),
        any_visit().prop_map(|visit| Event::VisitApproved { visit }),
        (any_visit(), any_check_in(), btree_set(irregularity, 0..4)).prop_map(
            |(visit, check_in, irregularities)| Event::VisitCheckedIn {
                visit,
                check_in,
                irregularities
            }
        ),
        (any_visit(), any_standing())
            .prop_map(|(visit, standing)| Event::CapExceeded { visit, standing }),
        (any_visit(), any_moment())
            .prop_map(|(visit, occurred_at)| Event::VisitCheckedOut { visit, occurred_at }),
        (any_visit(), vec(any_result(), 0..4))
            .prop_map(|(visit, results)| Event::ResultReported { visit, results }),
        (any_visit(), reason).prop_map(|(visit, reason)| Event::VisitCancelled { visit, reason }),
        any_visit().prop_map(|visit| Event::VisitExpired { visit }),
    ]
}

fn any_due() -> impl Strategy<Value = DueDate> {
    (any_day(), any_day(), any::<u16>(), any::<u32>(), any::<bool>()).prop_map(
        |(on, start, working_days, calendar_version, provisional)| DueDate {
            on,
            start,
            working_days,
            calendar_version,
            provisional,
        },
    )
}

fn any_route() -> impl Strategy<Value = Route> {
    let rule = prop_oneof![
        any_topic().prop_map(RouteRule::Topic),
        any_area().prop_map(RouteRule::Area),
        Just(RouteRule::CityDesk),
        Just(RouteRule::Dispatcher),
    ];
    (any_unit(), vec(any_unit(), 0..3), rule).prop_map(|(unit, co_units, rule)| Route {
        unit,
        co_units,
        rule,
    })
}

fn any_submission() -> impl Strategy<Value = appeal::Submission> {
    use appeal::Channel;
    let channel = select(vec![
        Channel::Hotline12345,
        Channel::Web,
        Channel::App,
        Channel::ServiceDesk,
        Channel::VisitFeedback,
        Channel::RoundTable,
        Channel::LeadersContact,
    ]);
    let about = (channel, any_topic(), any_area(), option::of(any_visit()));
    (about, any_sealed(), option::of(any_sealed())).prop_map(
        |((channel, topic, area, about_visit), description, contact)| appeal::Submission {
            channel,
            topic,
            area,
            description,
            contact,
            about_visit,
        },
    )
}

pub(super) fn appeal_event() -> impl Strategy<Value = appeal::Event> {
    use appeal::{Event, Outcome};
    let outcome = select(vec![
        Outcome::Solved,
        Outcome::Explained,
        Outcome::Unfounded,
        Outcome::LawfulChannel,
    ]);
    prop_oneof![
        (any_submission(), option::of(any_due()))
            .prop_map(|(submission, due)| Event::AppealSubmitted { submission, due }),
        option::of(any_due()).prop_map(|due| Event::AppealAccepted { due }),
        (any_route(), any::<u32>(), any_due()).prop_map(|(route, routing_version, due)| {
            Event::AppealDispatched { route, routing_version, due }
        }),
        any_unit().prop_map(|unit| Event::AppealSignedFor { unit }),
        (outcome, any_sealed())
            .prop_map(|(outcome, reply)| Event::AppealResolved { outcome, reply }),
        Just(Event::ResolutionConfirmed {}),
        (any_sealed(), any_due())
            .prop_map(|(reason, due)| Event::ResolutionObjected { reason, due }),
        Just(Event::AppealClosed {}),
        "[a-z0-9:-]{1,40}".prop_map(|subject| Event::PersonalDataErased { subject }),
    ]
}

pub(super) fn enterprise_event() -> impl Strategy<Value = enterprise::Event> {
    use enterprise::Event;
    let check_digit = prop_oneof![
        Just(CheckDigit::Correct),
        "[0-9A-Z]".prop_map(|text| CheckDigit::Wrong { expected: text.chars().next().unwrap() }),
        Just(CheckDigit::None),
    ];
    let grade = select(vec![CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D]);
    prop_oneof![
        (any_name(), any_area(), check_digit).prop_map(|(name, area, check_digit)| {
            Event::EnterpriseRegistered { name, area, check_digit }
        }),
        (grade, any_unit(), any_day(), option::of(any_day())).prop_map(
            |(grade, issuer, assessed_on, valid_until)| Event::CreditGradeAssessed {
                grade,
                issuer,
                assessed_on,
                valid_until
            }
        ),
        (any_area(), any_area(), any_reference())
            .prop_map(|(from, to, basis)| Event::AreaChanged { from, to, basis }),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let subject = select(vec![Subject::SameUnit, Subject::AllUnits]);
    let exempt = btree_set(any_ground(), 0..6);
    let days = (any_day(), option::of(any_day()));
    (any_rule_id(), subject, any::<u32>(), exempt, any_name(), any::<bool>(), days).prop_map(
        |(id, subject, maximum, exempt_grounds, source, is_default, (valid_from, valid_until))| {
            let window = Window::CalendarYear;
            Rule {
                id,
                subject,
                window,
                maximum,
                exempt_grounds,
                source,
                is_default,
                valid_from,
                valid_until,
            }
        },
    )
}

fn any_table() -> impl Strategy<Value = RoutingTable> {
    let units = vec((any_unit(), any_name()).prop_map(|(id, name)| Unit { id, name }), 0..4);
    let area = (any_area(), any_name(), any_unit()).prop_map(|(code, name, desk)| Area {
        code,
        name,
        desk,
    });
    let topic = (any_topic(), any_name(), option::of(any_unit()), vec(any_unit(), 0..3))
        .prop_map(|(id, title, lead, co_units)| Topic { id, title, lead, co_units });
    let allowances = any::<(u16, u16, u16)>().prop_map(|(accept, dispatch, resolve)| Allowances {
        accept,
        dispatch,
        resolve,
    });
    (units, vec(area, 0..4), vec(topic, 0..4), any_unit(), allowances).prop_map(
        |(units, areas, topics, city_desk, allowances)| RoutingTable {
            units,
            areas,
            topics,
            city_desk,
            allowances,
        },
    )
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let kind = select(vec![DayKind::Holiday, DayKind::Workday]);
    let exception = (any_day(), kind, any_name()).prop_map(|(date, kind, name)| Exception {
        date,
        kind,
        name: name.into(),
    });
    (vec(1949..2100_i16, 0..4), vec(exception, 0..6))
        .prop_map(|(years, exceptions)| Calendar { years, exceptions })
}

pub(super) fn policy_event() -> impl Strategy<Value = policy::Event> {
    use policy::{Document, Event};
    let document = prop_oneof![
        vec(any_rule(), 0..3).prop_map(|rules| Document::Frequency(FrequencyPolicy { rules })),
        any_table().prop_map(Document::Routing),
        any_calendar().prop_map(Document::Calendar),
    ];
    prop_oneof![
        (1..6_u32, document)
            .prop_map(|(version, document)| Event::PolicyDrafted { version, document }),
        (1..6_u32).prop_map(|version| Event::PolicyPublished { version }),
        (1..6_u32).prop_map(|version| Event::PolicyRetired { version }),
    ]
}
