//! The event feed over the API: every event once and in order per enterprise, from any position, within the
//! scope, without personal data.

use doudi_api::permission::Role;
use doudi_api::proto::{
    CloudEvent, Ground, StreamEventsRequest, StreamEventsResponse, TimelineKind,
};
use doudi_server::client::Client;
use doudi_tests::world::World;
use tonic::Streaming;

use super::requests::{AREA, approve, plan, reason, register, submit};

const FIRST: &str = "91210212DD0000001D";
const SECOND: &str = "91210212DD0000003K";

/// An enterprise each of two units has to do with, and an appeal with a contact.
async fn happened(world: &World) {
    let mut admin = world.role(Role::Admin);
    for enterprise in [FIRST, SECOND] {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    }
    let mut market = world.unit("market-regulation");
    for enterprise in [FIRST, SECOND] {
        let planned = market.inspections.plan_visit(plan(enterprise, Ground::Routine)).await;
        let visit = planned.unwrap().into_inner().visit_id;
        market.inspections.approve_visit(approve(enterprise, &visit)).await.unwrap();
    }
    let appeal = submit(FIRST, "T06", "企业联系人 13800000000");
    world.enterprise(FIRST).appeals.submit_appeal(appeal).await.unwrap();
}

async fn stream(client: &Client, request: StreamEventsRequest) -> Streaming<StreamEventsResponse> {
    client.feed.clone().stream_events(request).await.unwrap().into_inner()
}

/// The next so many events, with the position after each.
async fn take(
    live: &mut Streaming<StreamEventsResponse>,
    count: usize,
) -> Vec<(CloudEvent, String)> {
    let mut taken = vec![];
    while taken.len() < count {
        let message = live.message().await.unwrap().unwrap();
        taken.extend(message.event.map(|event| (event, message.position)));
    }
    taken
}

fn types(events: &[(CloudEvent, String)]) -> Vec<&str> {
    events.iter().map(|(event, _)| event.r#type.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_brings_every_event_once_in_order_and_nothing_personal() {
    let world = World::start().await;
    happened(&world).await;
    let supervisor = world.role(Role::Supervisor);
    let mut live = stream(&supervisor, StreamEventsRequest::default()).await;
    let all = take(&mut live, 7).await;
    assert_eq!(
        types(&all),
        [
            "doudi.profile.EnterpriseRegistered",
            "doudi.profile.EnterpriseRegistered",
            "doudi.visit.VisitPlanned",
            "doudi.visit.VisitApproved",
            "doudi.visit.VisitPlanned",
            "doudi.visit.VisitApproved",
            "doudi.appeal.AppealSubmitted",
        ]
    );
    let (first, _) = &all[0];
    assert_eq!(first.source, format!("/doudi/enterprises/{FIRST}"));
    assert_eq!((first.specversion.as_str(), first.partitionkey.as_str()), ("1.0", FIRST));
    assert_eq!((first.datacontenttype.as_str(), first.area.as_str()), ("application/json", AREA));
    let mut ids: Vec<&str> = all.iter().map(|(event, _)| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "an id is unique");
    for (event, _) in &all {
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert!(data.is_object());
        assert!(!event.data.contains("13800000000") && !event.data.contains("ciphertext"));
    }
    // Whoever was away resumes where it was, also in the middle, and the event is the same one.
    for (at, (_, position)) in all.iter().enumerate().take(6) {
        let after_position = position.clone();
        let request = StreamEventsRequest { after_position, ..<_>::default() };
        let rest = take(&mut stream(&supervisor, request).await, all.len() - at - 1).await;
        assert_eq!(rest, all[at + 1..]);
    }
    // What happens now comes as well.
    let appeal = submit(SECOND, "T06", "");
    world.enterprise(SECOND).appeals.submit_appeal(appeal).await.unwrap();
    assert_eq!(types(&take(&mut live, 1).await), ["doudi.appeal.AppealSubmitted"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_filtered_and_keeps_to_the_scope() {
    let world = World::start().await;
    happened(&world).await;
    let supervisor = world.role(Role::Supervisor);
    let visits = StreamEventsRequest { kinds: vec![TimelineKind::Visit.into()], ..<_>::default() };
    let mut live = stream(&supervisor, visits).await;
    assert!(types(&take(&mut live, 4).await).iter().all(|name| name.starts_with("doudi.visit.")));
    let there = StreamEventsRequest { areas: vec![AREA.to_owned()], ..<_>::default() };
    assert_eq!(take(&mut stream(&supervisor, there).await, 7).await.len(), 7);
    let own = StreamEventsRequest { enterprise_id: SECOND.to_owned(), ..<_>::default() };
    let of_second = take(&mut stream(&supervisor, own).await, 3).await;
    assert!(of_second.iter().all(|(event, _)| event.partitionkey == SECOND));

    // A unit gets what it has to do with, an enterprise its own as far as it knows of it.
    let market = world.unit("market-regulation");
    let seen = take(&mut stream(&market, StreamEventsRequest::default()).await, 4).await;
    assert!(types(&seen).iter().all(|name| name.starts_with("doudi.visit.")), "{seen:?}");
    let enterprise = world.enterprise(FIRST);
    let seen = take(&mut stream(&enterprise, StreamEventsRequest::default()).await, 2).await;
    let known = ["doudi.profile.EnterpriseRegistered", "doudi.appeal.AppealSubmitted"];
    assert_eq!(types(&seen), known, "and nothing of a visit that it was not told of");
    let other = StreamEventsRequest { enterprise_id: SECOND.to_owned(), ..<_>::default() };
    let refused = enterprise.feed.clone().stream_events(other).await.unwrap_err();
    assert_eq!(reason(&refused), "OUTSIDE_SCOPE");
    world.stop().await;
}
