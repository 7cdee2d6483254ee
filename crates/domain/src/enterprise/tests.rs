//! Registration, credit grades and areas.

use super::*;
use crate::kit::{
    World, accepted, and, area, day, given, moment, name, names, plan_of_the_city, reference, tag,
    unit, when,
};

mod codes;

const TODAY: &str = "2025-03-03T09:00+08:00";

fn world() -> World {
    World { routing: Some(plan_of_the_city()), ..World::default() }
}

fn register(name_text: &str, area_code: &str) -> Command {
    let check_digit = CheckDigit::Correct;
    Command::Register { name: name(name_text), area: area(area_code), check_digit }
}

fn assess(grade: CreditGrade, on: &str) -> Command {
    let issuer = unit("market-regulation");
    Command::AssessCreditGrade { grade, issuer, assessed_on: day(on), valid_until: None }
}

fn change_area(to: &str) -> Command {
    Command::ChangeArea { to: area(to), basis: reference("大市监企档〔2025〕12号") }
}

fn registered() -> Profile {
    accepted(Profile::default(), &world().at(TODAY), &register("大连港湾机械有限公司", "210212"))
}

fn credit(profile: &Profile) -> Option<(CreditGrade, Date)> {
    let credit = profile.registered()?.credit.as_ref()?;
    Some((credit.grade, credit.assessed_on))
}

#[test]
fn an_enterprise_is_registered_once() {
    let expected = Registered {
        name: name("大连港湾机械有限公司"),
        area: area("210212"),
        check_digit: CheckDigit::Correct,
        credit: None,
        superseded: vec![],
        risk_class: None,
        tags: [].into(),
        codes: [].into(),
    };
    assert_eq!(registered(), Profile::Registered(expected));
    for (again, expected) in [
        (register("大连港湾机械有限公司", "210212"), Ok(vec![])),
        (register("大连港湾机械股份有限公司", "210212"), Err(Rejection::AlreadyRegistered)),
        (register("大连港湾机械有限公司", "210211"), Err(Rejection::AlreadyRegistered)),
    ] {
        assert_eq!(when(&registered(), &world().at(TODAY), &again), expected);
    }
}

#[test]
fn a_wrong_check_digit_is_marked_and_not_refused() {
    let check_digit = CheckDigit::Wrong { expected: '8' };
    let (name, area) = (name("厦门远洋贸易有限公司"), area("210212"));
    let command = Command::Register { name: name.clone(), area: area.clone(), check_digit };
    let found = when(&Profile::default(), &world().at(TODAY), &command);
    assert_eq!(found, Ok(vec![Event::EnterpriseRegistered { name, area, check_digit }]));
}

#[test]
fn nothing_is_recorded_of_an_unregistered_enterprise() {
    for command in [assess(CreditGrade::A, "2025-03-01"), change_area("210211")] {
        let found = when(&Profile::default(), &world().at(TODAY), &command);
        assert_eq!(found, Err(Rejection::NotRegistered));
    }
    let stray = Event::AreaChanged {
        from: area("210212"),
        to: area("210211"),
        basis: reference("大市监企档〔2025〕12号"),
    };
    assert_eq!(given::<Profile>(&[stray]), Profile::Unregistered);
}

#[test]
fn an_area_must_be_in_the_published_table() {
    let unknown = Err(Rejection::AreaUnknown(area("210299")));
    let refused = register("大连港湾机械有限公司", "210299");
    assert_eq!(when(&Profile::default(), &world().at(TODAY), &refused), unknown);
    assert_eq!(when(&registered(), &world().at(TODAY), &change_area("210299")), unknown);
    // Before any table is published every area is taken on trust.
    let unpublished = World::default();
    assert!(when(&Profile::default(), &unpublished.at(TODAY), &refused).is_ok());
    assert!(when(&registered(), &unpublished.at(TODAY), &change_area("210299")).is_ok());
}

#[test]
fn an_enterprise_moves_to_another_area() {
    let found = when(&registered(), &world().at(TODAY), &change_area("2102JP")).unwrap();
    let expected = Event::AreaChanged {
        from: area("210212"),
        to: area("2102JP"),
        basis: reference("大市监企档〔2025〕12号"),
    };
    assert_eq!(found, [expected]);
    let moved = and(registered(), &found);
    assert_eq!(moved.registered().unwrap().area, area("2102JP"));
    assert_eq!(when(&registered(), &world().at(TODAY), &change_area("210212")), Ok(vec![]));
}

#[test]
fn the_latest_assessment_holds_whatever_the_order_of_arrival() {
    let (a, b) = (assess(CreditGrade::A, "2025-01-15"), assess(CreditGrade::B, "2025-02-20"));
    let world = world();
    for order in [[&a, &b], [&b, &a]] {
        let profile = order.into_iter().fold(registered(), |p, c| accepted(p, &world.at(TODAY), c));
        assert_eq!(credit(&profile), Some((CreditGrade::B, day("2025-02-20"))));
        for known in order {
            assert_eq!(when(&profile, &world.at(TODAY), known), Ok(vec![]), "recorded once");
        }
    }
}

#[test]
fn a_second_assessment_of_the_same_day_corrects_the_first_and_back() {
    let (a, b) = (assess(CreditGrade::A, "2025-02-20"), assess(CreditGrade::B, "2025-02-20"));
    let world = world();
    let mut profile = registered();
    for (command, grade) in [(&a, CreditGrade::A), (&b, CreditGrade::B), (&a, CreditGrade::A)] {
        let found = when(&profile, &world.at(TODAY), command).unwrap();
        assert_eq!(names(&found), "CreditGradeAssessed");
        profile = and(profile, &found);
        assert_eq!(credit(&profile), Some((grade, day("2025-02-20"))));
    }
}

#[test]
fn an_assessment_lies_in_the_past_and_ends_after_it_begins() {
    let (today, tomorrow) = (day("2025-03-03"), day("2025-03-04"));
    let until = |last| Command::AssessCreditGrade {
        grade: CreditGrade::C,
        issuer: unit("market-regulation"),
        assessed_on: today,
        valid_until: Some(last),
    };
    let reversed = Rejection::ValidityReversed { assessed_on: today, until: day("2025-03-02") };
    for (command, expected) in [
        (assess(CreditGrade::C, "2025-03-03"), Ok(1)),
        (
            assess(CreditGrade::C, "2025-03-04"),
            Err(Rejection::AssessedInFuture { assessed_on: tomorrow, today }),
        ),
        (until(today), Ok(1)),
        (until(day("2025-03-02")), Err(reversed)),
    ] {
        let found = when(&registered(), &world().at(TODAY), &command);
        assert_eq!(found.map(|events| events.len()), expected);
    }
    // Today is that of Shanghai: there it is already the 4th.
    let late = world();
    let context = late.then(moment("2025-03-03T16:00Z"));
    assert!(when(&registered(), &context, &assess(CreditGrade::C, "2025-03-04")).is_ok());
}

fn classify(risk_class: Option<RiskClass>, tags: &[&str]) -> Command {
    Command::Classify {
        risk_class,
        tags: tags.iter().map(|text| tag(text)).collect(),
        basis: reference("大市监企档〔2025〕12号"),
        issuer: unit("market-regulation"),
    }
}

#[test]
fn a_classification_takes_the_place_of_the_one_before() {
    let world = world();
    let unregistered = when(&Profile::default(), &world.at(TODAY), &classify(None, &[]));
    assert_eq!(unregistered, Err(Rejection::NotRegistered));
    let mut profile = registered();
    for (command, events) in [
        (classify(None, &[]), "nothing"),
        (classify(Some(RiskClass::B), &["coal-mine", "white-list"]), "EnterpriseClassified"),
        (classify(Some(RiskClass::B), &["coal-mine"]), "EnterpriseClassified"),
        (classify(None, &["coal-mine"]), "EnterpriseClassified"),
    ] {
        let found = when(&profile, &world.at(TODAY), &command).unwrap();
        assert_eq!(names(&found), events, "{command:?}");
        profile = and(profile, &found);
        let Command::Classify { risk_class, tags, .. } = command else {
            unreachable!("they all classify");
        };
        let traits = profile.registered().unwrap().traits(day("2025-03-03"));
        assert_eq!((traits.risk_class, traits.tags), (risk_class, tags));
    }
}

#[test]
fn a_grade_is_a_trait_only_on_the_days_on_which_it_holds() {
    let world = world();
    let brief = Command::AssessCreditGrade {
        grade: CreditGrade::B,
        issuer: unit("market-regulation"),
        assessed_on: day("2025-02-01"),
        valid_until: Some(day("2025-06-30")),
    };
    let lasting = assess(CreditGrade::A, "2024-06-01");
    for order in [[&lasting, &brief], [&brief, &lasting]] {
        let profile = order.into_iter().fold(registered(), |p, c| accepted(p, &world.at(TODAY), c));
        for (on, grade) in [
            ("2024-05-31", None),
            ("2024-06-01", Some(CreditGrade::A)),
            ("2025-01-31", Some(CreditGrade::A)),
            ("2025-02-01", Some(CreditGrade::B)),
            ("2025-06-30", Some(CreditGrade::B)),
            // The older one does not come back: the latest word is that nothing holds.
            ("2025-07-01", None),
        ] {
            assert_eq!(profile.registered().unwrap().traits(day(on)).grade, grade, "{on}");
        }
    }
}
