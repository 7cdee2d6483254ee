//! One predicate makes page and count.

use super::*;
use crate::Areas;

#[test]
fn every_condition_is_part_of_the_predicate() {
    let filter = Filter {
        unit: Some(UnitId::parse("tax").unwrap()),
        area: Some(AreaCode::parse("210212").unwrap()),
        enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
        officer: Some(CertificateNumber::parse("D-1").unwrap()),
        states: State::AHEAD.to_vec(),
        grounds: vec![Ground::Routine],
        joint: true,
        from: Some("2026-01-01".parse().unwrap()),
        until: Some("2026-12-31".parse().unwrap()),
        scope: Scope::All,
    };
    assert_eq!(
        filter.predicate().sql(),
        "area = $1 AND enterprise = $2 AND officers @> $3 AND state = ANY($4) AND \
         ground = $5 AND cardinality(beside) > 0 AND day >= $6 AND day <= $7"
    );
    assert_eq!(Filter::all(Scope::All).predicate().sql(), "true");
}

#[test]
fn a_unit_sees_what_it_takes_part_in_and_an_enterprise_what_it_knows_of() {
    let scope = Scope::Within {
        enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
        units: vec![UnitId::parse("tax").unwrap()],
        areas: Areas::Some(vec![AreaCode::parse("210212").unwrap()]),
        desk: false,
    };
    let sql = |filter: Filter| {
        let mut predicate = filter.predicate();
        let (scope, tense) = filter.within(&mut predicate, Tense::Present);
        predicate.within(&scope, &SCOPED, tense);
        predicate.sql()
    };
    let all = Filter::all(scope);
    let seen = "(enterprise = $1 AND NOT internal OR unit = $2 AND NOT (enterprise = $1 AND internal) OR \
         beside && $3 AND NOT (enterprise = $1 AND internal) OR \
         area = $4 AND NOT (enterprise = $1 AND internal))";
    assert_eq!(sql(all.clone()), seen);
    let of = |unit: &str| Filter { unit: Some(UnitId::parse(unit).unwrap()), ..all.clone() };
    let own = Filter { scope: all.scope.without_enterprise(), ..of("tax") };
    assert_eq!(sql(own), "(unit = $1 OR beside && $2)", "its own parts, all of them");
    let secret = "whoever belongs to an enterprise learns of no visit to it that way";
    assert_eq!(sql(of("tax")), format!("{seen} AND (unit = $5 OR beside && $6)"), "{secret}");
    assert_eq!(sql(of("fire")), format!("{seen} AND (unit = $5 OR beside && $6)"));
}
