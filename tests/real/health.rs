//! Health says what an operator's load balancer needs to know, without a token.

use std::time::Duration;

use doudi_api::SERVICES;
use doudi_tests::{until, world::World};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

const BOUND: Duration = Duration::from_secs(60);

/// Waits until every service is in `wanted`.
async fn all(channel: &Channel, wanted: ServingStatus) {
    for service in std::iter::once("").chain(SERVICES) {
        let reached = until(BOUND, || async {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = HealthClient::new(channel.clone()).check(request).await.unwrap();
            (answer.into_inner().status() == wanted).then_some(())
        });
        assert!(reached.await.is_some(), "{service:?} is not {wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_the_log_and_comes_back_by_itself() {
    let mut world = World::bare().await;
    let channel = world.running.channel.clone();
    all(&channel, ServingStatus::Serving).await;
    world.ground.nats.kill9().await.unwrap();
    all(&channel, ServingStatus::NotServing).await;
    world.ground.nats.restart().await.unwrap();
    all(&channel, ServingStatus::Serving).await;
    let request = HealthCheckRequest { service: "doudi.v1.NoSuchService".to_owned() };
    let unknown = HealthClient::new(channel.clone()).check(request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    drop(channel);
    world.stop().await;
}
