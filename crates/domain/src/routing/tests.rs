//! Routing by the city's plan, and what makes a table unsound.

use super::*;
use crate::kit::{area, name, plan_of_the_city, unit};

fn topic(text: &str) -> TopicId {
    TopicId::parse(text).unwrap()
}

#[test]
fn the_plan_of_the_city_is_complete_and_sound() {
    let plan = plan_of_the_city();
    let desks = plan.areas.len() + 1;
    assert_eq!((plan.topics.len(), plan.units.len() - desks, plan.areas.len()), (63, 39, 12));
    assert_eq!(plan.problems(), []);
}

#[test]
fn the_plan_of_the_city_routes() {
    let plan = plan_of_the_city();
    let by = |id| RouteRule::Topic(topic(id));
    let desk = |code| RouteRule::Area(area(code));
    for (about, place, unit_id, official, rule) in [
        ("T06", Some("210212"), "power-supply", "国网大连供电公司", by("T06")),
        ("T17", Some("210212"), "tax", "市税务局", by("T17")),
        ("T27", Some("210212"), "justice", "市司法局", by("T27")),
        ("T27", Some("999999"), "justice", "市司法局", by("T27")),
        ("T27", None, "justice", "市司法局", by("T27")),
        // An item without a lead unit, and a topic that no table knows.
        ("R05", Some("210212"), "desk-210212", "旅顺口区诉求专席", desk("210212")),
        ("S01", Some("2102JP"), "desk-2102jp", "金普新区诉求专席", desk("2102JP")),
        ("X99", Some("210202"), "desk-210202", "中山区诉求专席", desk("210202")),
        ("R05", Some("999999"), "desk-city", "市诉求专席", RouteRule::CityDesk),
        ("X99", Some("999999"), "desk-city", "市诉求专席", RouteRule::CityDesk),
        ("X99", None, "desk-city", "市诉求专席", RouteRule::CityDesk),
    ] {
        let route = plan.route(None, &topic(about), place.map(area).as_ref());
        let expected = Route { unit: unit(unit_id), co_units: vec![], rule, instead_of: None };
        assert_eq!(route, expected, "{about}");
        assert_eq!(plan.unit(&route.unit).unwrap().name, name(official));
    }
}

#[test]
fn the_first_lead_unit_leads_and_the_others_share() {
    let route = plan_of_the_city().route(None, &topic("T05"), Some(&area("210202")));
    assert_eq!(route.unit, unit("natural-resources"));
    assert_eq!(route.co_units, ["tax", "housing-construction", "data"].map(unit));
}

#[test]
fn every_topic_in_every_area_finds_a_listed_unit() {
    let plan = plan_of_the_city();
    for topic in &plan.topics {
        for area in &plan.areas {
            let route = plan.route(None, &topic.id, Some(&area.code));
            assert!(plan.unit(&route.unit).is_some(), "{} in {}", topic.id, area.code);
        }
    }
}

fn unit_of<'a>(table: &'a mut RoutingTable, id: &str) -> &'a mut Unit {
    table.units.iter_mut().find(|listed| listed.id == unit(id)).unwrap()
}

fn abolish(table: &mut RoutingTable, id: &str, successor: Option<&str>) {
    let abolished = unit_of(table, id);
    abolished.status = UnitStatus::Abolished;
    abolished.successor = successor.map(unit);
}

fn empty_desk(table: &mut RoutingTable, id: &str) {
    unit_of(table, id).staffed = false;
}

fn diagnosis(n: u128) -> DiagnosisId {
    DiagnosisId(uuid::Uuid::from_u128(n))
}

fn standing(about: &str, place: Option<&str>, leads: &str, n: u128) -> StandingRule {
    StandingRule {
        topic: topic(about),
        area: place.map(area),
        unit: unit(leads),
        diagnosis: diagnosis(n),
    }
}

/// What became of the units on the way, which end in `tax`, `desk-210212` and `desk-city`; who leads
/// then.
type Spoiled = (&'static str, fn(&mut RoutingTable), &'static str);

const PASSED_OVER: [Spoiled; 8] = [
    ("abolished with a successor", |t| abolish(t, "tax", Some("public-finance")), "public-finance"),
    (
        "the successor was abolished too",
        |t| {
            abolish(t, "tax", Some("public-finance"));
            abolish(t, "public-finance", Some("data"));
        },
        "data",
    ),
    ("abolished without a successor", |t| abolish(t, "tax", None), "desk-210212"),
    ("nobody on the desk", |t| empty_desk(t, "tax"), "desk-210212"),
    (
        "successors in a circle",
        |t| {
            abolish(t, "tax", Some("public-finance"));
            abolish(t, "public-finance", Some("tax"));
        },
        "desk-210212",
    ),
    ("a successor that is not listed", |t| abolish(t, "tax", Some("x")), "desk-210212"),
    (
        "nobody on the area's desk either",
        |t| {
            empty_desk(t, "tax");
            empty_desk(t, "desk-210212");
        },
        "desk-city",
    ),
    ("nobody anywhere", |t| t.units.iter_mut().for_each(|unit| unit.staffed = false), "desk-city"),
];

#[test]
fn a_unit_that_cannot_be_reached_is_passed_over() {
    let untouched: Spoiled = ("all are there", |_| {}, "tax");
    for (what, spoil, leads) in [untouched].into_iter().chain(PASSED_OVER) {
        let rule = match leads {
            "desk-city" => RouteRule::CityDesk,
            "desk-210212" => RouteRule::Area(area("210212")),
            _ => RouteRule::Topic(topic("T17")),
        };
        let instead_of = (leads != "tax").then_some("tax");
        let mut table = plan_of_the_city();
        spoil(&mut table);
        let route = table.route(None, &topic("T17"), Some(&area("210212")));
        let instead_of = instead_of.map(unit);
        assert_eq!(
            route,
            Route { unit: unit(leads), co_units: vec![], rule, instead_of },
            "{what}"
        );
    }
}

#[test]
fn a_standing_rule_comes_before_the_case_type_and_that_before_the_topic() {
    let mut table = plan_of_the_city();
    table.standing = vec![standing("T05", None, "justice", 1)];
    table.standing.push(standing("T05", Some("210212"), "court", 2));
    assert_eq!(table.problems(), []);
    let case_type = CaseTypeId::parse("tax-dispute").unwrap();
    let of_type = |lead: &UnitId, about: &str, place: Option<&str>| {
        let route = table.route(Some((&case_type, lead)), &topic(about), place.map(area).as_ref());
        (route.unit.to_string(), route.rule, route.instead_of)
    };
    let (tax, unlisted) = (unit("tax"), unit("x"));
    let case_rule = RouteRule::CaseType(case_type.clone());
    for (lead, about, place, leads, rule, instead_of) in [
        (&tax, "T05", Some("210212"), "court", RouteRule::Standing(diagnosis(2)), None),
        (&tax, "T05", Some("210202"), "justice", RouteRule::Standing(diagnosis(1)), None),
        (&tax, "T05", None, "justice", RouteRule::Standing(diagnosis(1)), None),
        (&tax, "T06", Some("210212"), "tax", case_rule, None),
        (&unlisted, "T06", None, "power-supply", RouteRule::Topic(topic("T06")), Some("x")),
    ] {
        let expected = (leads.to_owned(), rule, instead_of.map(unit));
        assert_eq!(of_type(lead, about, place), expected, "{about} in {place:?}");
    }
}

#[test]
fn those_who_share_are_successors_too_and_never_the_lead() {
    let mut table = plan_of_the_city();
    abolish(&mut table, "tax", Some("public-finance"));
    abolish(&mut table, "data", Some("natural-resources"));
    empty_desk(&mut table, "housing-construction");
    let route = table.route(None, &topic("T05"), None);
    assert_eq!(route.unit, unit("natural-resources"));
    assert_eq!(route.co_units, [unit("public-finance")]);
}

#[test]
fn there_is_always_a_floor_and_a_guarantee() {
    let mut table = plan_of_the_city();
    let place = area("210212");
    let floors = |table: &RoutingTable| {
        [table.floor(Some(&place)), table.floor(None), table.guarantee_unit()]
            .map(UnitId::to_string)
    };
    assert_eq!(floors(&table), ["desk-210212", "desk-city", "desk-city"]);
    table.guarantee = Some(unit("development-reform"));
    assert_eq!(floors(&table), ["desk-210212", "desk-city", "development-reform"]);
    empty_desk(&mut table, "desk-210212");
    assert_eq!(table.desk(Some(&place)), None);
    abolish(&mut table, "development-reform", None);
    assert_eq!(floors(&table), ["desk-city", "desk-city", "desk-city"]);
    // Nobody is on the city desk: its stand-in takes over, and without one the desk itself remains.
    empty_desk(&mut table, "desk-city");
    unit_of(&mut table, "desk-city").successor = Some(unit("data"));
    assert_eq!(floors(&table), ["data", "data", "data"]);
    empty_desk(&mut table, "data");
    assert_eq!(floors(&table), ["desk-city", "desk-city", "desk-city"]);
    table.guarantee = None;
    assert_eq!(table.guarantee_unit(), &unit("desk-city"));
}

#[test]
fn keywords_and_titles_suggest_the_topic() {
    let plan = plan_of_the_city();
    for (text, best) in [
        ("我公司申请用电报装，增容一直没有批下来", "T06"),
        ("报装用电拖了两个月", "T06"),
        ("停水三天，供水恢复不了", "T07"),
        ("社保多缴了，退费没有到账", "T17"),
        ("外地企业被排除在外，涉嫌地方保护、妨碍公平竞争", "T21"),
        ("同一部门一个月来了三次，没有扫码入企", "T27"),
        ("法院把账户冻结了，案件一直没有结，查封的厂房也没有解封", "T20"),
    ] {
        let found = plan.suggest(text, 3);
        assert_eq!(found.first().map(|(id, _)| id.as_str()), Some(best), "{text}: {found:?}");
        assert!(found.len() <= 3 && found.is_sorted_by(|(_, a), (_, b)| a >= b));
        assert_eq!(plan.suggest(text, 3), found, "the same text suggests the same");
    }
    for nothing in ["", "你好", "?!", "hello"] {
        assert_eq!(plan.suggest(nothing, 3), [], "{nothing}");
    }
    assert_eq!(plan.suggest("停水", 0), []);
}

#[test]
fn each_item_of_the_plan_is_found_by_its_own_words() {
    let plan = plan_of_the_city();
    for item in &plan.topics {
        let words: Vec<&str> = item.keywords.iter().map(Name::as_str).collect();
        let text = format!("{}，反映{}", item.title, words.join("、"));
        let found = plan.suggest(&text, 1);
        assert_eq!(found.first().map(|(id, _)| id), Some(&item.id), "{text}");
    }
}

#[test]
fn a_table_of_the_first_version_is_read_with_everybody_at_work() {
    let old = r#"{
        "units": [{ "id": "tax", "name": "税务局" }, { "id": "desk-city", "name": "专席" }],
        "areas": [],
        "topics": [{ "id": "T17", "title": "社保", "lead": "tax", "co_units": [] }],
        "city_desk": "desk-city",
        "allowances": { "accept": 1, "dispatch": 1, "resolve": 5 }
    }"#;
    let table: RoutingTable = serde_json::from_str(old).unwrap();
    assert_eq!(table.problems(), []);
    assert_eq!(table.reachable(&unit("tax")), Some(&unit("tax")));
    assert_eq!(table.guarantee_unit(), &unit("desk-city"));
}

#[test]
fn the_rules_that_choose_are_stored_by_stable_words() {
    let case_type = CaseTypeId::parse("general").unwrap();
    for (rule, word) in [
        (
            RouteRule::Standing(diagnosis(7)),
            r#"{"standing":"00000000-0000-0000-0000-000000000007"}"#,
        ),
        (RouteRule::CaseType(case_type), r#"{"case_type":"general"}"#),
        (RouteRule::Ruling, r#""ruling""#),
        (RouteRule::Guarantee, r#""guarantee""#),
        (RouteRule::Diagnosis, r#""diagnosis""#),
        (RouteRule::Repair, r#""repair""#),
    ] {
        assert_eq!(serde_json::to_string(&rule).unwrap(), word);
        assert_eq!(serde_json::from_str::<RouteRule>(word).unwrap(), rule);
    }
}

#[test]
fn unsound_tables_are_told() {
    type Spoil = fn(&mut RoutingTable);
    let unlisted =
        |place: &str| RoutingProblem::UnitUnlisted { place: place.to_owned(), unit: unit("x") };
    let twice = |id: &str| RoutingProblem::Twice(id.to_owned());
    let spoils: [(Spoil, RoutingProblem); 14] = [
        (|t| t.units.push(t.units[0].clone()), twice("market-regulation")),
        (|t| t.areas.push(t.areas[4].clone()), twice("210212")),
        (|t| t.topics.push(t.topics[5].clone()), twice("T06")),
        (|t| t.areas[4].desk = unit("x"), unlisted("area 210212")),
        (|t| t.topics[5].lead = Some(unit("x")), unlisted("topic T06")),
        (|t| t.topics[5].co_units = vec![unit("x")], unlisted("topic T06")),
        (|t| t.city_desk = unit("x"), unlisted("the city desk")),
        (|t| t.guarantee = Some(unit("x")), unlisted("the guarantee")),
        (|t| t.units[0].successor = Some(unit("x")), unlisted("unit market-regulation")),
        (|t| t.standing = vec![standing("T06", None, "x", 1)], unlisted("rule T06")),
        (
            |t| {
                t.standing = vec![standing("T06", None, "tax", 1)];
                t.standing.push(standing("T06", None, "data", 2));
            },
            twice("T06@*"),
        ),
        (
            |t| {
                t.standing = vec![standing("T06", Some("210212"), "tax", 1)];
                t.standing.push(standing("T06", Some("210212"), "tax", 2));
            },
            twice("T06@210212"),
        ),
        (
            |t| t.units[0].successor = Some(unit("market-regulation")),
            RoutingProblem::OwnSuccessor(unit("market-regulation")),
        ),
        (
            |t| abolish(t, "desk-city", Some("data")),
            RoutingProblem::CityDeskAbolished(unit("desk-city")),
        ),
    ];
    for (spoil, expected) in spoils {
        let mut table = plan_of_the_city();
        spoil(&mut table);
        assert_eq!(table.problems(), [expected]);
    }
}
