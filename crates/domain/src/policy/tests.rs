//! Drafts, publication, retirement, and what makes a document unsound.

use uuid::Uuid;

use super::*;
use crate::{
    DiagnosisId, TopicId,
    catalogue::CatalogueProblem,
    frequency::{Rule, Subject},
    ids::{ItemId, RuleId},
    kit::{
        accepted, area, at, catalogue, day, given, names, plan_of_the_city, policy_of,
        published_calendar, shipped_cases, unit, when,
    },
};

fn rule(id: &str) -> Rule {
    Rule { valid_from: day("2025-01-01"), ..crate::kit::rule(id, Subject::SameUnit, 1) }
}

fn frequency(rules: impl Into<Vec<Rule>>) -> Document {
    Document::Frequency(policy_of(rules.into()))
}

fn documents() -> [Document; 5] {
    [
        frequency([rule("same-unit")]),
        Document::Routing(plan_of_the_city()),
        Document::Calendar(published_calendar()),
        Document::CaseTypes(shipped_cases()),
        Document::Catalogue(catalogue("tax")),
    ]
}

fn context() -> Context<'static> {
    at("2025-03-03T09:00+08:00")
}

/// Version 1 retired, version 2 published, version 3 drafted.
fn three_versions() -> Policy {
    let draft = |id| Command::Draft(frequency([rule(id)]));
    let publish = |version| Command::Publish { version };
    [draft("first"), publish(1), draft("second"), publish(2), draft("third")]
        .iter()
        .fold(Policy::default(), |state, command| accepted(state, &context(), command))
}

#[test]
fn each_command_on_each_status() {
    use Status::{Draft, Published, Retired};
    let state = three_versions();
    let statuses: Vec<_> = state.statuses.values().copied().collect();
    assert_eq!(statuses, [Retired, Published, Draft]);
    let (publish, retire) =
        (|version| Command::Publish { version }, |version| Command::Retire { version });
    for (command, expected) in [
        (publish(1), Err(Rejection::VersionRetired(1))),
        (publish(2), Ok("nothing")),
        (publish(3), Ok("PolicyRetired + PolicyPublished")),
        (publish(4), Err(Rejection::VersionUnknown(4))),
        (retire(1), Ok("nothing")),
        (retire(2), Ok("PolicyRetired")),
        (retire(3), Ok("PolicyRetired")),
        (retire(4), Err(Rejection::VersionUnknown(4))),
        (publish(0), Err(Rejection::VersionUnknown(0))),
    ] {
        let found = when(&state, &context(), &command).map(|events| names(&events));
        assert_eq!(found, expected.map(str::to_owned), "{command:?}");
    }
}

#[test]
fn the_version_in_force_changes_with_publication_and_ends_with_retirement() {
    let state = three_versions();
    assert_eq!(state.published(), Some((2, &frequency([rule("second")]))));
    assert_eq!(state.document(1), None, "a retired document is not kept");
    assert_eq!(state.document(3), Some(&frequency([rule("third")])));
    let third = accepted(state.clone(), &context(), &Command::Publish { version: 3 });
    assert_eq!(third.published().map(|(version, _)| version), Some(3));
    assert_eq!(third.statuses[&2], Status::Retired);
    let none = accepted(state, &context(), &Command::Retire { version: 2 });
    assert_eq!(none.published(), None);
}

#[test]
fn the_same_document_twice_is_one_draft() {
    let state = three_versions();
    let draft = |id| Command::Draft(frequency([rule(id)]));
    assert_eq!(when(&state, &context(), &draft("third")), Ok(vec![]));
    // Older content again, or that of a draft that was given up, is a new version.
    let version = |found: Result<Vec<Event>, Rejection>| match found.as_deref() {
        Ok([Event::PolicyDrafted { version, .. }]) => *version,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(when(&state, &context(), &draft("second"))), 4);
    let given_up = accepted(state, &context(), &Command::Retire { version: 3 });
    assert_eq!(version(when(&given_up, &context(), &draft("third"))), 4);
}

#[test]
fn every_kind_of_document_can_be_drafted_published_and_read() {
    let known: Vec<PolicyName> =
        PolicyName::CITY.into_iter().chain([PolicyName::Catalogue(unit("tax"))]).collect();
    for (document, name) in documents().into_iter().zip(known.clone()) {
        assert_eq!(document.name(), name);
        assert_eq!(document.problems(), []);
        let state = accepted(Policy::default(), &context(), &Command::Draft(document.clone()));
        assert_eq!(state.published(), None, "a draft is not in force");
        let state = accepted(state, &context(), &Command::Publish { version: 1 });
        let versions = [
            state.frequency().map(|published| published.version),
            state.routing().map(|published| published.version),
            state.calendar().map(|published| published.version),
            state.case_types().map(|published| published.version),
            state.catalogue().map(|published| published.version),
        ];
        let expected: Vec<_> = known.iter().map(|other| (*other == name).then_some(1)).collect();
        assert_eq!(versions.to_vec(), expected, "{name}");
    }
}

#[test]
fn an_unsound_document_is_not_drafted() {
    let twice = vec![rule("a"), rule("a")];
    let mut idle = catalogue("tax");
    idle.items[0].modes.clear();
    let no_mode = CatalogueProblem::NoMode(ItemId::parse("SC-0101").unwrap());
    let reversed = Rule { valid_until: Some(day("2024-12-31")), ..rule("reversed") };
    let one_day = Rule { valid_until: Some(day("2025-01-01")), ..rule("one-day") };
    let mut unlisted = plan_of_the_city();
    unlisted.city_desk = unit("nobody");
    let unit_unlisted =
        RoutingProblem::UnitUnlisted { place: "the city desk".to_owned(), unit: unit("nobody") };
    let id = |text| RuleId::parse(text).unwrap();
    for (document, problems) in [
        (frequency([]), vec![FrequencyProblem::NoRules.into()]),
        (frequency(twice), vec![FrequencyProblem::RuleTwice(id("a")).into()]),
        (frequency([reversed]), vec![FrequencyProblem::ValidityReversed(id("reversed")).into()]),
        (Document::Catalogue(idle), vec![no_mode.into()]),
        (Document::Routing(unlisted), vec![Problem::Routing(unit_unlisted)]),
        (Document::Calendar(Calendar::default()), vec![Problem::Calendar(CalendarProblem::Years)]),
        (
            Document::CaseTypes(CaseTypes { types: vec![] }),
            vec![Problem::CaseTypes(CaseTypesProblem::NoTypes)],
        ),
    ] {
        let found = when(&Policy::default(), &context(), &Command::Draft(document));
        assert_eq!(found, Err(Rejection::Unsound { problems }));
    }
    let found = when(&Policy::default(), &context(), &Command::Draft(frequency([one_day])));
    assert!(found.is_ok(), "a rule of one day is sound");
}

#[test]
fn names_are_stable() {
    let names = ["frequency", "routing", "calendar", "case-types"];
    assert_eq!(PolicyName::CITY.map(|name| name.to_string()), names);
    let of_tax = PolicyName::Catalogue(unit("tax"));
    assert_eq!(of_tax.to_string(), "catalogue-tax");
    assert_eq!(PolicyName::try_from("catalogue-tax".to_owned()), Ok(of_tax));
    for other in ["catalogue-", "catalogue-Tax", "tax", ""] {
        assert!(PolicyName::try_from(other.to_owned()).is_err(), "{other}");
    }
    assert_eq!(given::<Policy>(&[]), Policy::default());
}

fn standing(about: &str, place: Option<&str>, leads: &str, diagnosis: u128) -> StandingRule {
    StandingRule {
        topic: TopicId::parse(about).unwrap(),
        area: place.map(area),
        unit: unit(leads),
        diagnosis: DiagnosisId(Uuid::from_u128(diagnosis)),
    }
}

fn adopt(rule: &StandingRule) -> Command {
    Command::AdoptStandingRule { rule: rule.clone() }
}

#[test]
fn a_standing_rule_is_adopted_in_one_step() {
    let [_, routing, ..] = documents();
    let state = accepted(Policy::default(), &context(), &Command::Draft(routing.clone()));
    let state = accepted(state, &context(), &Command::Publish { version: 1 });
    // A draft that somebody is working on stays as it is.
    let mut draft = plan_of_the_city();
    draft.topics.clear();
    let state = accepted(state, &context(), &Command::Draft(Document::Routing(draft)));
    let in_area = standing("T06", Some("210212"), "gas", 1);
    let events = when(&state, &context(), &adopt(&in_area)).unwrap();
    assert_eq!(names(&events), "PolicyDrafted + PolicyRetired + PolicyPublished");
    let state = accepted(state, &context(), &adopt(&in_area));
    assert_eq!(state.statuses.values().copied().collect::<Vec<_>>(), {
        [Status::Retired, Status::Draft, Status::Published]
    });
    let everywhere = standing("T06", None, "water-supply", 2);
    let state = accepted(state, &context(), &adopt(&everywhere));
    // The same topic and area again: the newer conclusion takes the place of the older one.
    let anew = standing("T06", Some("210212"), "tax", 3);
    let state = accepted(state, &context(), &adopt(&anew));
    let table = state.routing().unwrap();
    assert_eq!((table.version, &table.document.standing), (5, &vec![everywhere, anew]));
    let mut without = table.document.clone();
    without.standing.clear();
    assert_eq!(Document::Routing(without), routing, "nothing else changes");
}

#[test]
fn a_rule_that_cannot_stand_is_not_adopted() {
    let rule = standing("T06", None, "nobody", 1);
    let unpublished = Err(Rejection::RoutingUnpublished);
    let [frequency, routing, ..] = documents();
    assert_eq!(when(&Policy::default(), &context(), &adopt(&rule)), unpublished);
    let drafted = |document| accepted(Policy::default(), &context(), &Command::Draft(document));
    assert_eq!(when(&drafted(routing.clone()), &context(), &adopt(&rule)), unpublished);
    let in_force =
        |document| accepted(drafted(document), &context(), &Command::Publish { version: 1 });
    assert_eq!(when(&in_force(frequency), &context(), &adopt(&rule)), unpublished);
    let unlisted =
        RoutingProblem::UnitUnlisted { place: "rule T06".to_owned(), unit: unit("nobody") };
    let found = when(&in_force(routing), &context(), &adopt(&rule));
    assert_eq!(found, Err(Rejection::Unsound { problems: vec![unlisted.into()] }));
}
