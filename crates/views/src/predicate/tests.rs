//! Conditions, their places, and the ways into a scope.

use doudi_domain::{AreaCode, EnterpriseId, UnitId};

use super::*;
use crate::{Areas, ViewName};

const PLAIN: Scoped = Scoped {
    leads: &["unit"],
    co_units: None,
    secrecy: None,
    own: Own::All,
    secret: None,
    past: None,
};

const NONE: Areas = Areas::Some(vec![]);

fn all_ways() -> Scope {
    Scope::Within {
        enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
        units: vec![UnitId::parse("tax").unwrap()],
        areas: Areas::Some(vec![AreaCode::parse("210212").unwrap()]),
        desk: false,
    }
}

fn sql(scope: &Scope, scoped: &Scoped) -> String {
    let mut predicate = Predicate::default();
    predicate.within(scope, scoped, Tense::Present);
    predicate.sql()
}

#[test]
fn conditions_all_hold_and_places_are_counted() {
    let mut predicate = Predicate::default();
    assert_eq!(predicate.sql(), "true");
    predicate.is("state", "submitted");
    predicate.is_any("kind", vec!["visit".to_owned(), "appeal".to_owned()]);
    predicate.is_any("area", vec!["210212".to_owned()]);
    assert!(!predicate.has_range);
    let values: Vec<(Value, Type)> =
        vec![(Box::new(1_i64), Type::INT8), (Box::new(2_i32), Type::INT4)];
    predicate.compare_row("position, ordinal", ">", values);
    assert_eq!(
        predicate.sql(),
        "state = $1 AND kind = ANY($2) AND area = $3 AND (position, ordinal) > ($4, $5)"
    );
    assert_eq!(predicate.values().len(), 5);
    assert!(predicate.has_range);
}

#[test]
fn the_scope_is_part_of_the_predicate() {
    assert_eq!(sql(&Scope::All, &PLAIN), "true");
    let nothing = Scope::Within { enterprise: None, units: vec![], areas: NONE, desk: true };
    assert_eq!(sql(&nothing, &PLAIN), "false");
    assert_eq!(sql(&all_ways(), &PLAIN), "(enterprise = $1 OR unit = $2 OR area = $3)");
}

#[test]
fn a_level_closes_the_ways_that_are_not_the_leads() {
    let co_units = Some("co_units");
    let scoped = Scoped { co_units, secrecy: Some("secrecy"), own: Own::Except("hidden"), ..PLAIN };
    assert_eq!(
        sql(&all_ways(), &scoped),
        "(enterprise = $1 AND NOT hidden OR unit = $2 OR co_units && $3 AND secrecy <= 1 OR area = $4 AND \
         secrecy <= 1)"
    );
    let scoped = Scoped { leads: &[], secrecy: Some("secrecy"), ..PLAIN };
    let Scope::Within { areas, .. } = all_ways() else {
        panic!("it is within");
    };
    let desk = Scope::Within { enterprise: None, units: vec![], areas, desk: true };
    assert_eq!(sql(&desk, &scoped), "(area = $1 AND secrecy <= 2)");
    let (enterprise, units) = (None, vec![]);
    let city = Scope::Within { enterprise, units, areas: Areas::All, desk: false };
    assert_eq!(sql(&city, &scoped), "(true AND secrecy <= 1)");
}

#[test]
fn many_units_are_looked_up_at_once() {
    let units = (0..40).map(|n| UnitId::parse(&format!("u{n}")).unwrap()).collect();
    let many = Scope::Within { enterprise: None, units, areas: NONE, desk: false };
    assert_eq!(sql(&many, &PLAIN), "(unit = ANY($1))");
}

const NOW: Now = Now { rows: "thing", key: &["thing", "enterprise"] };
const OWED: Now = Now { rows: "owed", key: &["thing", "owner"] };
const COLUMNS: Scoped = Scoped {
    leads: &["unit", "owner"],
    secrecy: Some("secrecy"),
    own: Own::Except("(kind = 'internal')"),
    ..PLAIN
};
const PAST: Past = Past {
    table: "clock",
    view: ViewName::Appeals,
    columns: COLUMNS,
    now: NOW,
    leads: &[("owner", OWED)],
};

/// What past rows must meet for a scope.
fn ended(scope: &Scope, past: &'static Past) -> Vec<String> {
    let mut predicate = Predicate::default();
    let scoped = Scoped { past: Some(past), ..past.columns };
    predicate.within(scope, &scoped, Tense::Recorded);
    assert_eq!(predicate.sql(), "true", "it is held against the table");
    let schema = format!("{}.", past.view.schema());
    let held = predicate.held().unwrap();
    held.ended.iter().map(|within| within.replace(&schema, "")).collect()
}

#[test]
fn past_rows_are_held_against_what_stays_of_them_and_what_is_so_now() {
    let Scope::Within { enterprise, units, areas, .. } = all_ways() else {
        panic!("it is within");
    };
    let own = Scope::Within { enterprise, units: vec![], areas: NONE, desk: false };
    let seen = "(enterprise = $1 AND NOT (kind = 'internal'))";
    assert_eq!(ended(&own, &PAST), [seen], "what something is it is for ever");
    let office = Scope::Within { enterprise: None, units, areas, desk: true };
    let there = "(area = $3 AND secrecy <= 2)";
    let not_there = format!("{there} IS NOT TRUE");
    let leads = "(thing, enterprise) IN (SELECT thing, enterprise FROM thing WHERE unit = $1)";
    let owes = "(thing, owner) IN (SELECT thing, owner FROM owed WHERE owner = $2)";
    let leads_not = "NOT EXISTS (SELECT FROM thing AS now WHERE now.thing = past.thing \
         AND now.enterprise = past.enterprise AND (unit = $1))";
    assert_eq!(
        ended(&office, &PAST),
        [
            there.to_owned(),
            format!("{leads} AND {not_there}"),
            format!("{owes} AND {not_there} AND {leads_not}"),
        ],
        "each once, by what opens it"
    );
    let nothing = Scope::Within { enterprise: None, units: vec![], areas: NONE, desk: false };
    assert_eq!(ended(&nothing, &PAST), ["false"]);
    assert_eq!(ended(&Scope::All, &PAST), ["true"]);
}

#[test]
fn what_an_enterprise_is_told_since_is_no_secret_of_then() {
    const TOLD: Past = Past {
        columns: Scoped { own: Own::Unless("internal"), secret: Some("internal"), ..PLAIN },
        leads: &[],
        ..PAST
    };
    let told = "enterprise = $1 AND NOT internal";
    let ways = [
        told.to_owned(),
        "unit = $2 AND enterprise <> $1".to_owned(),
        format!("unit = $2 AND {told}"),
        format!("area = $3 AND {told}"),
    ];
    let looks = ways.map(|way| format!("SELECT thing, enterprise FROM thing WHERE {way}"));
    let there = "(area = $3 AND enterprise <> $1)";
    assert_eq!(
        ended(&all_ways(), &TOLD),
        [
            there.to_owned(),
            format!("(thing, enterprise) IN ({}) AND {there} IS NOT TRUE", looks.join(" UNION ")),
        ],
        "each way is a look of its own, and none reads what is there of others"
    );
}

#[test]
fn a_page_of_then_is_made_of_what_is_so_still_and_what_is_not() {
    let scoped = Scoped { past: Some(&PAST), ..COLUMNS };
    let keys = Keys { table: "clock", columns: "due, clock", order: "due" };
    let page = |tense| {
        let mut predicate = Predicate::default();
        predicate.is("kind", "handling");
        predicate.page((&all_ways(), tense), &scoped, &keys, 3)
    };
    let named = |page: &str, table: &str| page.matches(&format!("FROM {table} AS clock")).count();
    assert_eq!(named(&page(Tense::Present), "clock"), 4, "each way is a page of its own");
    let recorded = page(Tense::Recorded);
    assert_eq!(named(&recorded, "clock_lasting"), 4, "{recorded}");
    assert_eq!(named(&recorded, "clock_ended"), 1, "{recorded}");
    let occurred =
        "SELECT due, clock FROM clock_held AS clock WHERE kind = $1 ORDER BY due LIMIT 3";
    assert_eq!(page(Tense::Occurred), occurred);
}
