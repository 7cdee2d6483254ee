//! Ratings of visits over the API: who rated is nobody's to find, by whatever query.
//!
//! The queries are all those that the contract declares, each asked with whatever it may name, so one that is
//! added later is tried as well.

use std::collections::BTreeMap;

use doudi_api::identity::Claims;
use doudi_api::permission::Role;
use doudi_api::proto::{
    FILE_DESCRIPTOR_SET, GetRatingRequest, GetUnitRatingsRequest, Ground, RateVisitRequest,
    Satisfaction, WatchTimelineRequest,
};
use doudi_server::{client::command_id, token};
use doudi_tests::world::World;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value,
};
use tonic::{Code, Status, transport::Channel};

use super::{
    raw,
    requests::{approved, check_in, check_out, plan, reason, register},
};

mod earlier;

/// Sample enterprises, all visited by [`UNIT`].
const ENTERPRISES: [&str; 5] = [
    "91210212DD0000001D",
    "91210212DD0000002B",
    "91210212DD0000003K",
    "91210212DD0000005R",
    "91210212DD00000070",
];
const UNIT: &str = "market-regulation";

/// The visits, in the order of the enterprises, and the position of the last thing that happened.
async fn visited(world: &World, enterprises: &[&str]) -> (Vec<String>, String) {
    let (mut admin, mut market) = (world.role(Role::Admin), world.unit(UNIT));
    let (mut visits, mut position) = (vec![], String::new());
    for enterprise in enterprises {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
        let visit = approved(&mut market, plan(enterprise, Ground::Routine)).await;
        let came = check_in(world, enterprise, &visit).await;
        market.inspections.check_in(came).await.unwrap();
        let left = market.inspections.check_out(check_out(enterprise, &visit)).await.unwrap();
        position = left.into_inner().receipt.unwrap().position;
        visits.push(visit);
    }
    (visits, position)
}

fn rate(enterprise: &str, visit: &str, satisfaction: Satisfaction) -> RateVisitRequest {
    RateVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        satisfaction: satisfaction.into(),
    }
}

async fn rated(
    world: &World,
    request: RateVisitRequest,
) -> Result<doudi_api::proto::Receipt, Status> {
    let mut enterprise = world.enterprise(&request.enterprise_id);
    Ok(enterprise.ratings.rate_visit(request).await?.into_inner().receipt.unwrap())
}

/// The sums as grade and count, and how many in all.
async fn sums(
    world: &World,
    claims: &Claims,
    min_position: &str,
) -> Result<Vec<(i32, u64)>, Status> {
    let request = GetUnitRatingsRequest {
        unit: UNIT.to_owned(),
        min_position: min_position.to_owned(),
        ..<_>::default()
    };
    let sums = world.client(claims).ratings.get_unit_ratings(request).await?.into_inner().sums;
    for sum in &sums {
        assert_eq!(sum.total, sum.counts.iter().map(|count| count.count).sum::<u64>());
    }
    let counts = sums.into_iter().flat_map(|sum| sum.counts);
    Ok(counts.map(|count| (count.satisfaction, count.count)).collect())
}

fn claims(role: Role) -> Claims {
    Claims { unit: Some(UNIT.to_owned()), ..token::claims(role) }
}

/// Everybody who is not the enterprise.
const OTHERS: [Role; 7] = [
    Role::AgencyHandler,
    Role::UnitHead,
    Role::Inspector,
    Role::Dispatcher,
    Role::Supervisor,
    Role::Auditor,
    Role::Admin,
];

/// What a query may name.
struct Names<'a> {
    enterprise: &'a str,
    visit: &'a str,
    min_position: &'a str,
}

/// A request with every field filled in that is known by its name.
fn request(message: &MessageDescriptor, names: &Names<'_>) -> DynamicMessage {
    let mut request = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let text = match field.name() {
            "enterprise_id" => names.enterprise,
            "visit_id" => names.visit,
            "min_position" => names.min_position,
            "unit" => UNIT,
            "items" => "SC-0101",
            "officers" => "LNB-0001,LNB-0002",
            _ => "",
        };
        let value = if let Kind::Message(message) = field.kind() {
            match field.name() {
                "filter" => {
                    let given = Names { min_position: "", ..*names };
                    Value::Message(self::request(&message, &given))
                }
                "on" | "planned_on" => Value::Message(far_off(message)),
                _ => continue,
            }
        } else if matches!(field.name(), "ground" | "name") {
            Value::EnumNumber(1)
        } else if text.is_empty() {
            continue;
        } else if field.is_list() {
            let texts = text.split(',');
            Value::List(texts.map(|text| Value::String(text.to_owned())).collect())
        } else {
            Value::String(text.to_owned())
        };
        request.set_field(&field, value);
    }
    request
}

fn far_off(date: MessageDescriptor) -> DynamicMessage {
    let mut given = DynamicMessage::new(date);
    for (name, value) in [("year", 2031), ("month", 5), ("day", 6)] {
        given.set_field_by_name(name, Value::I32(value));
    }
    given
}

/// The answer without what says only how far the log is.
fn timeless(mut answer: DynamicMessage) -> DynamicMessage {
    let fields: Vec<_> = answer.descriptor().fields().collect();
    for field in fields {
        if field.name() == "position" && matches!(field.kind(), Kind::String) {
            answer.clear_field(&field);
        }
    }
    answer
}

/// Every answer to every query: by path, who asked and about which enterprise.
type Answers = BTreeMap<(String, Role, usize), Result<Vec<u8>, Code>>;

async fn everything(world: &World, visits: &[String], min_position: &str) -> Answers {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let mut answers = Answers::new();
    for service in pool.services().filter(|service| service.full_name().starts_with("doudi.")) {
        for method in service.methods().filter(|method| !method.is_server_streaming()) {
            // A command changes something, and so does a code that is made anew each time.
            let command = method.input().get_field_by_name("command_id").is_some();
            if command || method.is_client_streaming() || method.name().starts_with("Show") {
                continue;
            }
            let path = format!("/{}/{}", service.full_name(), method.name());
            for role in OTHERS {
                let token = world.ground.token(&claims(role));
                for (at, (enterprise, visit)) in ENTERPRISES.iter().zip(visits).enumerate() {
                    let names = Names { enterprise, visit, min_position };
                    let request = request(&method.input(), &names).encode_to_vec();
                    let answer = asked(&world.running.channel, &token, &path, request).await;
                    let answer = answer.map(|bytes| {
                        let answer = DynamicMessage::decode(method.output(), &bytes[..]);
                        timeless(answer.unwrap()).encode_to_vec()
                    });
                    let answer = answer.map_err(|status| status.code());
                    answers.insert((path.clone(), role, at), answer);
                }
            }
        }
    }
    answers
}

async fn asked(
    channel: &Channel,
    token: &str,
    path: &str,
    request: Vec<u8>,
) -> Result<Vec<u8>, Status> {
    let mut answers = raw::ask(channel, path, raw::request(token, vec![request])).await?;
    Ok(answers.message().await?.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_whatever_learns_a_sum_over_five_and_no_rating() {
    let world = World::start().await;
    let (visits, position) = visited(&world, &ENTERPRISES).await;
    let before = everything(&world, &visits, &position).await;
    let fine = |(path, ..): &&(String, Role, usize)| path.ends_with("GetVisit");
    assert!(before.iter().any(|(key, answer)| fine(&key) && answer.is_ok()), "{before:?}");
    let answered = before.iter().filter(|(_, answer)| answer.is_ok());
    let answered: std::collections::BTreeSet<&str> =
        answered.map(|((path, ..), _)| path.as_str()).collect();
    for query in [
        "InspectionService/GetQuota",
        "InspectionService/ExplainPlan",
        "TimelineService/ListTimeline",
        "VisitListService/ListVisits",
        "VisitListService/CountVisits",
        "VisitListService/ListUnitLedger",
        "VisitListService/ListNearVisits",
        "AlertService/ListAlerts",
        "EnterpriseService/GetEnterprise",
        "RatingService/GetUnitRatings",
    ] {
        assert!(answered.contains(format!("/doudi.v1.{query}").as_str()), "{query} says nothing");
    }

    let mut last = String::new();
    let grades = [Satisfaction::VeryDissatisfied, Satisfaction::Satisfied];
    for (at, (enterprise, visit)) in ENTERPRISES.iter().zip(&visits).take(4).enumerate() {
        let rating = rate(enterprise, visit, grades[usize::from(at > 0)]);
        last = rated(&world, rating).await.unwrap().position;
    }
    assert_eq!(sums(&world, &claims(Role::UnitHead), &last).await.unwrap(), []);
    let after = everything(&world, &visits, &last).await;
    assert_eq!(before.len(), after.len());
    for ((key, before), after) in before.iter().zip(after.values()) {
        assert_eq!(before, after, "four ratings can be told from {key:?}");
    }

    let fifth = rate(ENTERPRISES[4], &visits[4], Satisfaction::Satisfied);
    let last = rated(&world, fifth).await.unwrap().position;
    let after = everything(&world, &visits, &last).await;
    for ((key, before), after) in before.iter().zip(after.values()) {
        if !key.0.ends_with("/GetUnitRatings") {
            assert_eq!(before, after, "who rated can be told from {key:?}");
        } else if let Ok(sums) = after {
            assert_ne!(before, after, "{key:?}");
            let text = String::from_utf8_lossy(sums);
            assert!(ENTERPRISES.iter().all(|enterprise| !text.contains(enterprise)), "{text}");
            assert!(visits.iter().all(|visit| !text.contains(visit)), "{text}");
        }
    }
    for role in [Role::Inspector, Role::Supervisor, Role::Auditor, Role::Admin] {
        let sums = sums(&world, &claims(role), &last).await.unwrap();
        let [worst, good] = grades.map(i32::from);
        assert_eq!(sums, [(worst, 1), (good, 4)], "{role}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_timelines_pass_ratings_over() {
    let world = World::start().await;
    let (visits, position) = visited(&world, &ENTERPRISES).await;
    rated(&world, rate(ENTERPRISES[0], &visits[0], Satisfaction::Acceptable)).await.unwrap();
    let request = WatchTimelineRequest {
        enterprise_id: ENTERPRISES[0].to_owned(),
        after_position: position,
        ..<_>::default()
    };
    let mut market = world.unit(UNIT);
    let mut live = market.timelines.watch_timeline(request).await.unwrap().into_inner();
    let told = doudi_api::proto::ReportResultRequest {
        results: vec![super::requests::found(
            super::requests::ITEM,
            doudi_api::proto::ItemOutcome::Pass,
        )],
        ..super::requests::report(ENTERPRISES[0], &visits[0], vec![])
    };
    market.inspections.report_result(told).await.unwrap();
    let entry = loop {
        if let Some(entry) = live.message().await.unwrap().unwrap().entry {
            break entry;
        }
    };
    assert_eq!(entry.event_type, "ResultReported");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_rated_once_by_the_enterprise_that_had_it_and_by_nobody_else() {
    let world = World::start().await;
    let (visits, _) = visited(&world, &ENTERPRISES).await;
    let (own, other) = (ENTERPRISES[0], ENTERPRISES[1]);
    let first = rate(own, &visits[0], Satisfaction::Dissatisfied);
    assert!(!rated(&world, first.clone()).await.unwrap().unchanged);
    // The same rating again, as a retry and as a new command, changes nothing.
    rated(&world, first).await.unwrap();
    let again = rate(own, &visits[0], Satisfaction::Dissatisfied);
    assert!(rated(&world, again).await.unwrap().unchanged);
    for (rating, expected) in [
        (rate(own, &visits[0], Satisfaction::Satisfied), "VISIT_RATED_ALREADY"),
        (rate(own, &visits[1], Satisfaction::Satisfied), "VISIT_UNKNOWN"),
        (rate(own, &visits[1], Satisfaction::Unspecified), "REQUEST_INVALID"),
    ] {
        let status = rated(&world, rating).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    let mut market = world.unit(UNIT);
    let again = doudi_api::proto::PlanVisitRequest {
        evidence: "12345-0002".to_owned(),
        ..plan(own, Ground::Complaint)
    };
    let ahead = approved(&mut market, again).await;
    let status = rated(&world, rate(own, &ahead, Satisfaction::Satisfied)).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_UNKNOWN", "it was not told of it: {status:?}");

    let request = GetRatingRequest {
        enterprise_id: own.to_owned(),
        visit_id: visits[0].clone(),
        ..<_>::default()
    };
    let said = world.enterprise(own).ratings.get_rating(request.clone()).await.unwrap();
    assert_eq!(said.into_inner().satisfaction(), Satisfaction::Dissatisfied);
    let status = world.enterprise(other).ratings.get_rating(request.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "OUTSIDE_SCOPE");
    let mut stranger = world.enterprise(other);
    let rating = rate(own, &visits[0], Satisfaction::Satisfied);
    let status = stranger.ratings.rate_visit(rating).await.unwrap_err();
    assert_eq!(reason(&status), "OUTSIDE_SCOPE");
    let of_another = Claims { unit: Some("tax".to_owned()), ..claims(Role::UnitHead) };
    let status = sums(&world, &of_another, "").await.unwrap_err();
    assert_eq!(reason(&status), "OUTSIDE_SCOPE", "a unit reads its own sums only");
    world.stop().await;
}
