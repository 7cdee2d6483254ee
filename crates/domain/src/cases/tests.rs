//! The case types as shipped, and what makes case types unsound.

use super::*;
use crate::kit::{shipped_cases, unit};

fn id(text: &str) -> CaseTypeId {
    CaseTypeId::parse(text).unwrap()
}

fn class(text: &str) -> ClassId {
    ClassId::parse(text).unwrap()
}

#[test]
fn the_shipped_types_are_sound_and_labelled_as_defaults() {
    let shipped = shipped_cases();
    assert_eq!(shipped.problems(), []);
    let ids: Vec<_> = shipped.types.iter().map(|case_type| case_type.id.as_str()).collect();
    let known = ["general", "fair-competition", "tax-dispute", "case-overdue", "round-table"];
    assert_eq!(ids, known);
    assert_eq!(shipped.first().map(|case_type| &case_type.id), Some(&id("general")));
    for case_type in &shipped.types {
        let defaults = case_type.is_default && case_type.source.as_str().contains("缺省值");
        assert!(defaults, "{} has no published local figures", case_type.id);
        assert!(case_type.allowances.opinion < case_type.allowances.conclusion);
    }
}

#[test]
fn each_shipped_class_has_its_time() {
    let shipped = shipped_cases();
    for (case_type, classes, lead) in [
        ("general", vec![("general", 5), ("complex", 15), ("several-units", 30)], None),
        (
            "fair-competition",
            vec![("general", 5), ("complex", 15), ("several-units", 30)],
            Some("market-regulation"),
        ),
        ("tax-dispute", vec![("blue", 5), ("yellow", 15), ("red", 30)], Some("tax")),
        ("case-overdue", vec![("overdue", 15), ("long-pending", 30)], Some("political-legal")),
        ("round-table", vec![("general", 15), ("several-units", 30)], Some("commerce")),
    ] {
        let found = shipped.get(&id(case_type)).unwrap();
        assert_eq!(found.lead, lead.map(unit), "{case_type}");
        assert_eq!(found.classes.len(), classes.len(), "{case_type}");
        for (name, resolve) in classes {
            assert_eq!(found.class(&class(name)).map(|class| class.resolve), Some(resolve));
        }
        assert_eq!(found.class(&class("unheard-of")), None);
    }
    assert_eq!(shipped.get(&id("unheard-of")), None);
    assert_eq!(shipped.get(&id("tax-dispute")).unwrap().mediation, Some(10));
}

#[test]
fn the_level_complained_of_says_who_is_competent() {
    let shipped = shipped_cases();
    let about = |case_type: &str, level| {
        shipped.get(&id(case_type)).unwrap().competence(level).map(|found| found.unit.clone())
    };
    let market = Some(Some(unit("market-regulation")));
    assert_eq!(about("fair-competition", Level::District), market);
    assert_eq!(about("fair-competition", Level::City), market);
    assert_eq!(about("fair-competition", Level::Province), Some(None), "it lies outside the city");
    assert_eq!(about("general", Level::District), None, "the level plays no part");
}

#[test]
fn unsound_types_are_told() {
    type Spoil = fn(&mut CaseTypes);
    use CaseTypesProblem as Problem;
    let general = || id("general");
    let spoils: [(Spoil, Problem); 18] = [
        (|t| t.types.clear(), Problem::NoTypes),
        (|t| t.types.push(t.types[0].clone()), Problem::TypeTwice(general())),
        (|t| t.types[0].classes.clear(), Problem::NoClasses(general())),
        (
            |t| t.types[0].classes[1].id = t.types[0].classes[0].id.clone(),
            Problem::ClassTwice { case_type: general(), class: class("general") },
        ),
        (
            |t| t.types[0].classes[1].resolve = 0,
            Problem::ResolveZero { case_type: general(), class: class("complex") },
        ),
        (
            |t| t.types[0].allowances.accept = 0,
            Problem::AllowanceZero { case_type: general(), step: "accept" },
        ),
        (
            |t| t.types[0].allowances.conclusion = 0,
            Problem::AllowanceZero { case_type: general(), step: "conclusion" },
        ),
        (
            |t| t.types[0].mediation = Some(0),
            Problem::AllowanceZero { case_type: general(), step: "mediation" },
        ),
        (|t| t.types[0].warnings.blue_percent = 0, Problem::Warnings(general())),
        (|t| t.types[0].warnings.blue_percent = 91, Problem::Warnings(general())),
        (|t| t.types[0].warnings.yellow_percent = 101, Problem::Warnings(general())),
        (|t| t.types[0].ladder.swap(1, 2), Problem::Ladder(general())),
        (|t| t.types[0].ladder[1].after_working_days = 0, Problem::Ladder(general())),
        (|t| t.types[0].ladder[3].after_working_days = 4, Problem::Ladder(general())),
        (|t| t.types[0].ladder[1].escalation = Escalation::Urge, Problem::Ladder(general())),
        (
            |t| {
                let urged_again = Rung { escalation: Escalation::Urge, after_working_days: 20 };
                t.types[0].ladder.push(urged_again);
            },
            Problem::Ladder(general()),
        ),
        (
            |t| t.types[1].competences[0].about = Level::City,
            Problem::LevelTwice(id("fair-competition")),
        ),
        (
            |t| t.types[1].competences[1].about = Level::District,
            Problem::LevelTwice(id("fair-competition")),
        ),
    ];
    for (spoil, expected) in spoils {
        let mut types = shipped_cases();
        spoil(&mut types);
        assert_eq!(types.problems(), [expected]);
    }
}

#[test]
fn what_may_be_nothing_is_sound() {
    let mut types = shipped_cases();
    let general = &mut types.types[0];
    general.allowances.contest = 0;
    general.ladder.clear();
    general.warnings = Warnings { blue_percent: 100, yellow_percent: 100 };
    general.bounds = Bounds {
        bounces_max: 0,
        objections_max: 0,
        extension_max: 0,
        pause_max: 0,
        reopen_days: 0,
        false_closure_days: 0,
    };
    assert_eq!(types.problems(), []);
}
