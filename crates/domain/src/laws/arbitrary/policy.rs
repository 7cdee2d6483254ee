//! Arbitrary policy documents, sound or not.

use jiff::civil::time;
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{
    any_area, any_day, any_name, any_topic, any_unit,
    inspection::{any_catalogue, any_frequency_policy},
};
use crate::{
    CaseTypeId, ClassId, DiagnosisId,
    calendar::{Calendar, DayKind, Exception, Interval},
    cases::{
        Allowances, Bounds, CaseType, CaseTypes, Class, Competence, Escalation, Level, Rung,
        Warnings,
    },
    policy::{Document, Event},
    routing::{Area, RoutingTable, StandingRule, Topic, Unit, UnitStatus},
};

fn any_routing_unit() -> impl Strategy<Value = Unit> {
    let status = select(vec![UnitStatus::Active, UnitStatus::Abolished]);
    (any_unit(), any_name(), status, option::of(any_unit()), any::<bool>()).prop_map(
        |(id, name, status, successor, staffed)| Unit { id, name, status, successor, staffed },
    )
}

fn any_standing_rule() -> impl Strategy<Value = StandingRule> {
    (any_topic(), option::of(any_area()), any_unit(), any::<u128>()).prop_map(
        |(topic, area, unit, diagnosis)| StandingRule {
            topic,
            area,
            unit,
            diagnosis: DiagnosisId(Uuid::from_u128(diagnosis)),
        },
    )
}

fn any_table() -> impl Strategy<Value = RoutingTable> {
    let area = (any_area(), any_name(), any_unit()).prop_map(|(code, name, desk)| Area {
        code,
        name,
        desk,
    });
    let units = (option::of(any_unit()), vec(any_unit(), 0..3));
    let topic = (any_topic(), any_name(), units, vec(any_name(), 0..3)).prop_map(
        |(id, title, (lead, co_units), keywords)| Topic { id, title, lead, co_units, keywords },
    );
    let listed = (vec(any_routing_unit(), 0..4), vec(area, 0..4), vec(topic, 0..4));
    (listed, any_unit(), option::of(any_unit()), vec(any_standing_rule(), 0..3)).prop_map(
        |((units, areas, topics), city_desk, guarantee, standing)| RoutingTable {
            units,
            areas,
            topics,
            city_desk,
            guarantee,
            standing,
        },
    )
}

fn any_hours() -> impl Strategy<Value = Vec<Interval>> {
    let interval = (0..24_i8, 0..60_i8, 0..24_i8, 0..60_i8).prop_map(|(h, m, until_h, until_m)| {
        Interval { from: time(h, m, 0, 0), to: time(until_h, until_m, 0, 0) }
    });
    vec(interval, 0..4)
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let kind = select(vec![DayKind::Holiday, DayKind::Workday]);
    let exception = (any_day(), kind, any_name(), option::of(any_hours()))
        .prop_map(|(date, kind, name, hours)| Exception { date, kind, name: name.into(), hours });
    let hours = prop_oneof![Just(Calendar::default().hours), any_hours()];
    (vec(1949..2100_i16, 0..4), vec(exception, 0..6), hours)
        .prop_map(|(years, exceptions, hours)| Calendar { years, exceptions, hours })
}

fn any_class() -> impl Strategy<Value = Class> {
    let id = "[a-z0-9-]{1,32}".prop_map(|text| ClassId::parse(&text).unwrap());
    (id, any_name(), any::<u16>()).prop_map(|(id, title, resolve)| Class { id, title, resolve })
}

fn any_allowances() -> impl Strategy<Value = Allowances> {
    any::<[u16; 10]>().prop_map(|days| {
        let [accept, dispatch, contact, contest, ruling, co_handling, feedback, close, ..] = days;
        let [.., opinion, conclusion] = days;
        Allowances {
            accept,
            dispatch,
            contact,
            contest,
            ruling,
            co_handling,
            feedback,
            close,
            opinion,
            conclusion,
        }
    })
}

fn any_ladder() -> impl Strategy<Value = Vec<Rung>> {
    let escalation = select(vec![
        Escalation::Urge,
        Escalation::Supervise,
        Escalation::Circulate,
        Escalation::Summon,
    ]);
    let rung = (escalation, any::<u16>())
        .prop_map(|(escalation, after_working_days)| Rung { escalation, after_working_days });
    vec(rung, 0..5)
}

fn any_bounds() -> impl Strategy<Value = Bounds> {
    any::<[u16; 6]>().prop_map(|bounds| {
        let [
            bounces_max,
            objections_max,
            extension_max,
            pause_max,
            reopen_days,
            false_closure_days,
        ] = bounds;
        Bounds {
            bounces_max,
            objections_max,
            extension_max,
            pause_max,
            reopen_days,
            false_closure_days,
        }
    })
}

fn any_competence() -> impl Strategy<Value = Competence> {
    let level = select(vec![Level::District, Level::City, Level::Province]);
    (level, option::of(any_unit()), any_name()).prop_map(|(about, unit, guidance)| Competence {
        about,
        unit,
        guidance,
    })
}

pub(super) fn any_case_type() -> impl Strategy<Value = CaseType> {
    let id = "[a-z0-9-]{1,32}".prop_map(|text| CaseTypeId::parse(&text).unwrap());
    let warnings = any::<(u8, u8)>()
        .prop_map(|(blue_percent, yellow_percent)| Warnings { blue_percent, yellow_percent });
    let named = (id, any_name(), vec(any_class(), 0..3), any_name(), any::<bool>());
    let terms = (any_allowances(), warnings, any_ladder(), any_bounds());
    let who = (option::of(any_unit()), vec(any_competence(), 0..3), option::of(any::<u16>()));
    (named, terms, who).prop_map(|(named, terms, (lead, competences, mediation))| {
        let (id, title, classes, source, is_default) = named;
        let (allowances, warnings, ladder, bounds) = terms;
        CaseType {
            id,
            title,
            classes,
            allowances,
            warnings,
            ladder,
            bounds,
            lead,
            competences,
            mediation,
            source,
            is_default,
        }
    })
}

pub(in crate::laws) fn policy_event() -> impl Strategy<Value = Event> {
    let document = prop_oneof![
        any_frequency_policy().prop_map(Document::Frequency),
        any_catalogue().prop_map(Document::Catalogue),
        any_table().prop_map(Document::Routing),
        any_calendar().prop_map(Document::Calendar),
        vec(any_case_type(), 0..3).prop_map(|types| Document::CaseTypes(CaseTypes { types })),
    ];
    prop_oneof![
        (1..6_u32, document)
            .prop_map(|(version, document)| Event::PolicyDrafted { version, document }),
        (1..6_u32).prop_map(|version| Event::PolicyPublished { version }),
        (1..6_u32).prop_map(|version| Event::PolicyRetired { version }),
    ]
}
