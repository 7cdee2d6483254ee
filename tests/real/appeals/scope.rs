//! Who sees which case, in every query there is: callers by levels of confidentiality.
//!
//! For each level there is one case that a unit objects to and one that is resolved, so that every
//! list and every measure has something to show.

use doudi_api::proto::{
    CountInboxRequest, Date, DispatchAppealRequest, ExplainDeadlineRequest,
    GetAllowedActionsRequest, GetFlowRequest, GetRatesRequest, GetTimeLedgerRequest,
    ListAppealsRequest, ListInboxRequest, ListStuckRequest, SuggestDuplicatesRequest,
};
use tonic::Code;

use super::*;
use crate::real::requests::in_days;

const ENTERPRISE: &str = "L-1";
/// Its lead is `port-office`; the others share the work.
const TOPIC: &str = "T13";
const LEAD: &str = "port-office";
const LEVELS: [Confidentiality; 3] =
    [Confidentiality::Internal, Confidentiality::Confidential, Confidentiality::Strict];

/// The two cases of one level.
struct Pair {
    contested: Case,
    resolved: Case,
}

/// A caller and how many of the levels it sees, from the lowest up.
type Row = (&'static str, Client, usize);

/// Every caller. Whoever sees a level sees those below it.
fn callers(world: &World) -> Vec<Row> {
    let unit_there = doudi_api::identity::Claims {
        unit: Some("tax".to_owned()),
        areas: vec![AREA.to_owned()],
        ..token::claims(Role::UnitHead)
    };
    let unit_everywhere =
        doudi_api::identity::Claims { areas: vec!["*".to_owned()], ..unit_there.clone() };
    vec![
        ("auditor", world.role(Role::Auditor), 3),
        ("admin", world.role(Role::Admin), 3),
        ("city desk", world.role(Role::Dispatcher), 3),
        ("city supervisor", world.role(Role::Supervisor), 1),
        ("the enterprise", world.enterprise(ENTERPRISE), 3),
        ("the lead unit", world.unit(LEAD), 3),
        ("desk of the area", in_area(world, Role::Dispatcher, AREA), 2),
        ("supervisor of the area", in_area(world, Role::Supervisor, AREA), 1),
        ("a unit of the area", world.client(&unit_there), 1),
        ("a unit of every area", world.client(&unit_everywhere), 1),
        ("a co-unit", world.unit("customs"), 1),
        ("desk of another area", in_area(world, Role::Dispatcher, "210203"), 0),
        ("supervisor of another area", in_area(world, Role::Supervisor, "210203"), 0),
        ("another unit", world.unit("tax"), 0),
        ("another enterprise", world.enterprise("L-2"), 0),
    ]
}

/// The cases of each level, and the position after all of it.
async fn cases(world: &World) -> (Vec<Pair>, String) {
    let mut pairs = Vec::new();
    let mut position = String::new();
    for level in LEVELS {
        let contested = Case::dispatched(world, confidential(ENTERPRISE, TOPIC, level)).await;
        contested.contest(world, LEAD, "").await;
        let resolved = Case::dispatched(world, confidential(ENTERPRISE, TOPIC, level)).await;
        resolved.sign(world, LEAD).await;
        position = resolved.resolve(world, LEAD).await;
        pairs.push(Pair { contested, resolved });
    }
    (pairs, position)
}

/// How many cases each list and measure counts for a caller.
async fn counted(client: &mut Client, at: &str) -> Vec<(&'static str, u64)> {
    let min_position = at.to_owned();
    let (from, until): (Option<Date>, Option<Date>) = (Some(in_days(-1)), Some(in_days(1)));
    let list = ListAppealsRequest { min_position: min_position.clone(), ..Default::default() };
    let listed = client.appeals.list_appeals(list).await.unwrap().into_inner().appeals.len();
    let inbox = ListInboxRequest { min_position: min_position.clone(), ..Default::default() };
    let entries = client.cases.list_inbox(inbox).await.unwrap().into_inner().entries;
    let owed: std::collections::BTreeSet<&str> =
        entries.iter().map(|entry| entry.appeal_id.as_str()).collect();
    let count = CountInboxRequest { min_position: min_position.clone(), ..Default::default() };
    let count = client.cases.count_inbox(count).await.unwrap().into_inner();
    assert_eq!(count.total, entries.len() as u64, "the count agrees with the list");
    let stuck = ListStuckRequest { min_position: min_position.clone(), ..Default::default() };
    let stuck = client.cases.list_stuck(stuck).await.unwrap().into_inner().cases.len();
    let flow =
        GetFlowRequest { from, until, min_position: min_position.clone(), ..Default::default() };
    let flow = client.cases.get_flow(flow).await.unwrap().into_inner();
    let rates = GetRatesRequest { from, until, min_position, ..Default::default() };
    let rates = client.cases.get_rates(rates).await.unwrap().into_inner();
    vec![
        ("ListAppeals", listed as u64 / 2),
        ("ListInbox", owed.len() as u64 / 2),
        ("ListStuck", stuck as u64),
        ("GetFlow", flow.cells.iter().map(|cell| cell.returns).sum()),
        ("GetRates", rates.rates.iter().map(|rate| rate.handled).sum()),
    ]
}

/// Each query about one case, with its answer: whether the caller sees it. One that is not for the
/// caller is refused as one that there is not.
async fn seen(client: &mut Client, case: &Case) -> Vec<(&'static str, bool)> {
    macro_rules! ask {
        ($service:ident . $method:ident ( $request:ident )) => {{
            let request = $request {
                enterprise_id: case.enterprise.clone(),
                appeal_id: case.appeal.clone(),
                ..Default::default()
            };
            let answer = client.$service.$method(request).await.map(|_| ());
            (stringify!($method), open(answer))
        }};
    }
    vec![
        ask!(appeals.get_appeal(GetAppealRequest)),
        ask!(cases.explain_deadline(ExplainDeadlineRequest)),
        ask!(cases.get_time_ledger(GetTimeLedgerRequest)),
        ask!(cases.get_allowed_actions(GetAllowedActionsRequest)),
    ]
}

fn open(answer: Result<(), Status>) -> bool {
    match answer {
        Ok(()) => true,
        Err(status) => {
            let reason = reason(&status);
            let hidden = ["APPEAL_UNKNOWN", "OUTSIDE_SCOPE"].contains(&reason.as_str());
            assert!(hidden, "{reason}: {status:?}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_shows_each_caller_its_cases_and_no_other() {
    let world = World::start().await;
    let (pairs, position) = cases(&world).await;
    for (name, mut client, levels) in callers(&world) {
        for (query, count) in counted(&mut client, &position).await {
            // A measure of a unit is what it had a hand in, and a co-unit had none.
            let measures = ["GetFlow", "GetRates"].contains(&query);
            // What is owed is in the inbox of who owes or leads it.
            let own = query == "ListInbox" && name == "a co-unit";
            let expected = if name == "a co-unit" && (measures || own) { 0 } else { levels as u64 };
            assert_eq!(count, expected, "{name} in {query}");
        }
        for (at, pair) in pairs.iter().enumerate() {
            for case in [&pair.contested, &pair.resolved] {
                for (query, sees) in seen(&mut client, case).await {
                    assert_eq!(sees, at < levels, "{name} in {query} at level {at}");
                }
            }
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_the_caller_is_refused_as_what_is_not_there() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission(ENTERPRISE, TOPIC)).await;
    let nowhere = Case { appeal: command_id(), ..case.clone() };
    let mut tax = world.unit("tax");
    let mut ask = async |case: &Case| {
        let request = ExplainDeadlineRequest {
            enterprise_id: case.enterprise.clone(),
            appeal_id: case.appeal.clone(),
            ..Default::default()
        };
        tax.cases.explain_deadline(request).await.unwrap_err()
    };
    let (there, not_there) = (ask(&case).await, ask(&nowhere).await);
    assert_eq!(there.code(), Code::NotFound);
    assert_eq!(there.message(), not_there.message());
    assert_eq!(there.details(), not_there.details(), "nobody learns what exists");

    // Neither do commands of a desk elsewhere, nor suggestions.
    let mut elsewhere = in_area(&world, Role::Dispatcher, "210203");
    let dispatch = request!(DispatchAppealRequest, case, to_unit: "tax".to_owned());
    assert_eq!(refused(elsewhere.appeals.dispatch_appeal(dispatch).await), "APPEAL_UNKNOWN");
    let request = SuggestDuplicatesRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        topic: TOPIC.to_owned(),
        text: "报装两周未答复".to_owned(),
        min_position: String::new(),
    };
    let found = elsewhere.cases.suggest_duplicates(request).await.unwrap().into_inner();
    assert_eq!(found.suggestions, []);
    world.stop().await;
}
