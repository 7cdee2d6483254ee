//! Many clients want the last place of a limit at the same moment: exactly one gets it, every time.

use doudi_api::proto::{
    CancelReason, CancelVisitRequest, Date, FrequencyRule, FrequencySubject, FrequencyWindow,
    GetQuotaRequest, Ground, PlanVisitRequest, PlanVisitResponse,
};
use doudi_api::{identity::Claims, permission::Role};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::world::{Running, World};
use futures::future::join_all;
use tonic::Code;

use super::requests::{catalogue_of, in_days, limits, listed, plan, reason, register, rule};

const ROUNDS: usize = 200;
const CLIENTS: usize = 8;

/// Rounds on one and the same enterprise.
const ROLLING_ROUNDS: usize = 1000;
/// As many clients as there may be who want one and the same place.
const CROWD: usize = 64;
/// The length of the rolling window, in days.
const DAYS: u32 = 30;

fn unit(n: usize) -> String {
    format!("unit-{n}")
}

/// Heads of as many units, each with a catalogue, on two instances in turn: the limit must hold
/// between processes, not only in one.
async fn heads(world: &World, other: &Running, count: usize) -> Vec<Client> {
    let mut heads = Vec::new();
    for n in 0..count {
        world.publish(listed(catalogue_of(&unit(n)))).await;
        let claims = Claims { unit: Some(unit(n)), ..token::claims(Role::UnitHead) };
        let channel = if n % 2 == 0 { &world.running.channel } else { &other.channel };
        heads.push(Client::new(channel, &world.ground.token(&claims)).unwrap());
    }
    heads
}

/// All of them plan at once; answers with the only one who may, and what it was told.
async fn only_winner(
    clients: &[Client],
    request: impl Fn(usize) -> PlanVisitRequest,
    round: usize,
) -> (usize, PlanVisitResponse) {
    let tries = clients.iter().enumerate().map(|(n, client)| {
        let (mut inspections, request) = (client.inspections.clone(), request(n));
        async move { inspections.plan_visit(request).await }
    });
    let mut won = Vec::new();
    for (n, outcome) in join_all(tries).await.into_iter().enumerate() {
        match outcome {
            Ok(planned) => won.push((n, planned.into_inner())),
            Err(refused) => {
                assert_eq!(refused.code(), Code::ResourceExhausted, "round {round}: {refused:?}");
                assert_eq!(reason(&refused), "CAP_REACHED");
            }
        }
    }
    let count = won.len();
    assert_eq!(count, 1, "round {round}: {count} of {} took the one place", clients.len());
    won.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_wins_the_last_place_in_each_of_200_rounds() {
    let world = World::bare().await;
    let one_a_year = rule("one", FrequencySubject::AllUnits, FrequencyWindow::CalendarYear, 1);
    world.publish(limits(vec![one_a_year])).await;
    let other = world.ground.run().await;
    let clients = heads(&world, &other, CLIENTS).await;
    let mut admin = world.role(Role::Admin);
    for round in 0..ROUNDS {
        let enterprise = format!("L-RACE{round}");
        admin.enterprises.register_enterprise(register(&enterprise)).await.unwrap();
        let request = |_| plan(&enterprise, Ground::Routine);
        let (_, won) = only_winner(&clients, request, round).await;
        if round == ROUNDS - 1 {
            let request = GetQuotaRequest {
                enterprise_id: enterprise,
                unit: unit(0),
                min_position: won.receipt.unwrap().position,
                ..GetQuotaRequest::default()
            };
            let mut inspections = clients[0].inspections.clone();
            let quota = inspections.get_quota(request).await.unwrap().into_inner().quotas;
            assert_eq!((quota[0].reserved, quota[0].remaining), (1, 0));
        }
    }
    drop(clients);
    other.stop().await;
    world.stop().await;
}

/// Two visits in any 30 days, one of which is taken: whichever days of the window 64 clients want, one
/// of them gets its day. It gives the place back, and all begin again.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_64_wins_the_last_place_of_a_rolling_window_in_each_round() {
    const ENTERPRISE: &str = "L-ROLLING";
    let world = World::bare().await;
    let two = rule("two", FrequencySubject::AllUnits, FrequencyWindow::Rolling, 2);
    let two = FrequencyRule { rolling_days: DAYS, ..two };
    world.publish(limits(vec![two])).await;
    let other = world.ground.run().await;
    let clients = heads(&world, &other, CROWD).await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    // Any two of these days lie with the first, which is taken, in one window.
    let days: Vec<Date> = (100..).take(DAYS as usize).map(in_days).collect();
    let on = |day: usize| PlanVisitRequest {
        planned_on: Some(days[day % days.len()]),
        ..plan(ENTERPRISE, Ground::Routine)
    };
    clients[0].inspections.clone().plan_visit(on(0)).await.unwrap();
    for round in 0..ROLLING_ROUNDS {
        let (winner, won) = only_winner(&clients, |n| on(n + round), round).await;
        let cancel = CancelVisitRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            visit_id: won.visit_id,
            reason: CancelReason::TaskWithdrawn.into(),
            expected_version: None,
        };
        clients[winner].inspections.clone().cancel_visit(cancel).await.unwrap();
    }
    drop(clients);
    other.stop().await;
    world.stop().await;
}
