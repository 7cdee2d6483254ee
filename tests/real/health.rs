//! Health says what an operator's load balancer needs to know, without a token: tables are read while the log is
//! away, and commands are taken while PostgreSQL is.

use std::time::Duration;

use doudi_api::{
    Needs, SERVICES,
    permission::Role,
    proto::{Ground, ListVisitsRequest},
};
use doudi_server::client::Client;
use doudi_tests::{until, world::World};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::requests::{plan, reason, register};

const BOUND: Duration = Duration::from_secs(60);
const ENTERPRISE: &str = "91210212DD0000001D";
pub(super) const AWAY: &str = "doudi-log-away-seconds";

/// Waits until every service is as it is to be by what it needs; the empty name serves while any does.
pub(super) async fn serving(channel: &Channel, log: bool, tables: bool) {
    let named = SERVICES.map(|(service, needs)| match needs {
        Needs::Log => (service, log),
        Needs::Tables => (service, tables),
    });
    for (service, there) in std::iter::once(("", log || tables)).chain(named) {
        let wanted = if there { ServingStatus::Serving } else { ServingStatus::NotServing };
        let reached = until(BOUND, || async {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = HealthClient::new(channel.clone()).check(request).await.unwrap();
            (answer.into_inner().status() == wanted).then_some(())
        });
        assert!(reached.await.is_some(), "{service:?} is not {wanted:?}");
    }
}

/// How many visits are listed, and whether the answer says that the log is away.
async fn listed(client: &Client, min_position: &str) -> (usize, bool) {
    let min_position = min_position.to_owned();
    let request = ListVisitsRequest { min_position, ..<_>::default() };
    let answer = client.visit_lists.clone().list_visits(request).await.unwrap();
    let away = answer.metadata().get(AWAY).map(|seconds| seconds.to_str().unwrap().parse::<u64>());
    (answer.get_ref().visits.len(), away.is_some_and(|seconds| seconds.is_ok()))
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_read_while_the_log_is_away_and_answers_say_so() {
    let mut world = World::start().await;
    let channel = world.running.channel.clone();
    serving(&channel, true, true).await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit = world.unit("market-regulation");
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let position = planned.into_inner().receipt.unwrap().position;
    let supervisor = world.role(Role::Supervisor);
    assert_eq!(listed(&supervisor, &position).await, (1, false));
    world.ground.nats.kill9().await.unwrap();
    serving(&channel, false, true).await;
    assert_eq!(listed(&supervisor, &position).await, (1, true));
    let refused = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Urgent)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{}", reason(&refused));
    world.ground.nats.restart().await.unwrap();
    serving(&channel, true, true).await;
    assert_eq!(listed(&supervisor, &position).await, (1, false));
    let request = HealthCheckRequest { service: "doudi.v1.NoSuchService".to_owned() };
    let unknown = HealthClient::new(channel.clone()).check(request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    drop(channel);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_taken_while_postgresql_is_away_and_the_tables_follow() {
    let mut world = World::start().await;
    let channel = world.running.channel.clone();
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    serving(&channel, true, true).await;
    world.ground.postgres.kill9().await.unwrap();
    serving(&channel, true, false).await;
    let mut unit = world.unit("market-regulation");
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let position = planned.into_inner().receipt.unwrap().position;
    world.ground.postgres.restart().await.unwrap();
    serving(&channel, true, true).await;
    assert_eq!(listed(&world.role(Role::Supervisor), &position).await, (1, false));
    drop(channel);
    world.stop().await;
}
