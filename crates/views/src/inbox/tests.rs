//! One predicate makes page and count.

use super::*;
use crate::Areas;

fn within(units: &[&str], areas: &[&str]) -> Scope {
    Scope::Within {
        enterprise: None,
        units: units.iter().map(|id| UnitId::parse(id).unwrap()).collect(),
        areas: Areas::Some(areas.iter().map(|code| AreaCode::parse(code).unwrap()).collect()),
        desk: true,
    }
}

fn page(filter: Filter) -> String {
    let mut predicate = filter.predicate();
    keys(&mut predicate, &Query { filter, after: None, limit: 1 }, Tense::Present, 3)
}

#[test]
fn each_way_into_the_scope_is_a_page_of_its_own() {
    let all = page(Filter::all(Scope::All));
    assert_eq!(all.matches("SELECT").count(), 1);
    assert!(all.ends_with("LIMIT 3"), "{all}");
    let two = page(Filter::all(within(&["tax"], &["210212"])));
    assert_eq!(two.matches("UNION").count(), 2, "as lead, as owner, in the area: {two}");
    assert_eq!(two.matches("LIMIT 3").count(), 4);
    let none = page(Filter::all(within(&[], &[])));
    assert!(none.contains("AND false"), "{none}");
}

#[test]
fn who_owes_something_sees_it_at_every_level() {
    let mut predicate = Predicate::default();
    predicate.within(&within(&["tax"], &["210212"]), &SCOPED, Tense::Present);
    assert_eq!(predicate.sql(), "(unit = $1 OR owner = $2 OR area = $3 AND secrecy <= 2)");
}

#[test]
fn what_an_enterprise_is_owed_of_then_is_told_by_the_row_itself() {
    let scope = Scope::Within {
        enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
        units: vec![],
        areas: Areas::Some(vec![]),
        desk: false,
    };
    let mut predicate = Predicate::default();
    predicate.within(&scope, &SCOPED, Tense::Recorded);
    let own = "(enterprise = $1 AND NOT (kind IN ('co_handling', 'opinion', 'conclusion')))";
    let held = predicate.held().unwrap();
    assert_eq!((held.lasting.as_str(), held.ended.as_slice()), (own, &[own.to_owned()][..]));
}

#[test]
fn every_condition_is_part_of_the_predicate() {
    let filter = Filter {
        unit: Some(UnitId::parse("tax").unwrap()),
        area: Some(AreaCode::parse("210212").unwrap()),
        kind: Some(ClockKind::CoHandling),
        level_at_least: Some(Step::Yellow),
        rung: Some(Escalation::Supervise),
        overdue_at: Some(Timestamp::UNIX_EPOCH),
        scope: Scope::All,
    };
    assert_eq!(
        filter.predicate().sql(),
        "owner = $1 AND area = $2 AND kind = $3 AND level >= 2 AND rung = 2 AND rung > 0 AND \
         due <= $4 AND NOT waits"
    );
    assert_eq!(Filter::all(Scope::All).predicate().sql(), "area IS NOT NULL");
}
