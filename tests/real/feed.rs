//! The event feed over the API: every event once and in order per enterprise, from any position, within the
//! scope, without personal data.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use doudi_api::permission::Role;
use doudi_api::proto::{
    CloudEvent, Ground, ListTimelineRequest, StreamEventsRequest, StreamEventsResponse,
    TimelineKind,
};
use doudi_server::client::Client;
use doudi_tests::world::World;
use tonic::Streaming;

use super::{
    operator::{park, take_in, well},
    requests::{AREA, approve, moved, plan, reason, register, submit},
};

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

/// A position that says that something of an enterprise waits: nobody reads of which, or makes another one of it.
async fn says_nothing_of(enterprise: &str, client: &Client, position: &str) {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(position).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains(enterprise), "{position}");
    *bytes.last_mut().unwrap() ^= 1;
    let after_position = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let changed = StreamEventsRequest { after_position, ..<_>::default() };
    let refused = client.feed.clone().stream_events(changed).await.unwrap_err();
    assert_eq!(reason(&refused), "POSITION_INVALID");
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

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_parked_stream_is_fed_once_it_is_taken_in_wherever_a_reader_is() {
    let world = World::start().await;
    happened(&world).await;
    let supervisor = world.role(Role::Supervisor);
    let after = async |position: &str| {
        let after_position = position.to_owned();
        stream(&supervisor, StreamEventsRequest { after_position, ..<_>::default() }).await
    };
    let mut live = after("").await;
    let mut seen = take(&mut live, 7).await;

    // An event of a stream that is parked, one of another stream of that enterprise, and one of another enterprise.
    let (config, parked) = (&world.ground.config, format!("ev.{FIRST}.profile"));
    let end = world.running.parts.journal.last_position().await.unwrap();
    park(config, &parked, end.next()).await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.change_area(moved(FIRST)).await.unwrap();
    for enterprise in [FIRST, SECOND] {
        let appeal = submit(enterprise, "T06", "");
        world.enterprise(enterprise).appeals.submit_appeal(appeal).await.unwrap();
    }
    seen.extend(take(&mut live, 1).await);
    let (of_second, away) = seen[7].clone();
    assert_eq!(of_second.partitionkey, SECOND, "the others go on");
    let whole = take(&mut after("").await, 8).await;
    assert_eq!(types(&whole), types(&seen), "for who comes now as well");
    // A position that says what is withheld is one like any other.
    let listed = ListTimelineRequest {
        enterprise_id: FIRST.to_owned(),
        min_position: away.clone(),
        ..<_>::default()
    };
    supervisor.timelines.clone().list_timeline(listed).await.unwrap();
    says_nothing_of(FIRST, &supervisor, &away).await;

    take_in(config, &parked).await;
    let events = |taken: &[(CloudEvent, String)]| -> Vec<CloudEvent> {
        taken.iter().map(|(event, _)| event.clone()).collect()
    };
    let late = take(&mut live, 2).await;
    assert_eq!(types(&late), ["doudi.profile.AreaChanged", "doudi.appeal.AppealSubmitted"]);
    assert!(late.iter().all(|(event, _)| event.partitionkey == FIRST));
    let resumed = take(&mut after(&away).await, 2).await;
    assert_eq!(events(&resumed), events(&late), "for who was away");
    seen.extend(late);
    // Whoever leaves in between, or after it, goes on there.
    let between = take(&mut after(&resumed[0].1).await, 1).await;
    assert_eq!(events(&between), events(&resumed[1..]));
    let appeal = submit(SECOND, "T06", "");
    world.enterprise(SECOND).appeals.submit_appeal(appeal).await.unwrap();
    let next = take(&mut live, 1).await;
    for position in [&between[0].1, &resumed[1].1, &seen[9].1] {
        assert_eq!(events(&take(&mut after(position).await, 1).await), events(&next));
    }
    // Whoever comes only now finds all in the order of the log.
    seen.extend(next);
    let whole = take(&mut after("").await, 11).await;
    let mut ids: Vec<String> = seen.iter().map(|(event, _)| event.id.clone()).collect();
    ids.sort_by_key(|id| whole.iter().position(|(event, _)| event.id == *id));
    assert_eq!(ids, whole.iter().map(|(event, _)| event.id.clone()).collect::<Vec<_>>());
    let verified = well(config, &["verify"]).await;
    assert!(!verified.contains("DIFFERS"), "{verified}");
    world.stop().await;
}
