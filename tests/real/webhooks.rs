//! Events posted to a partner system: every one, in order per enterprise, signed, through outages, refusals and
//! kills of the server.

use std::{collections::BTreeMap, time::Duration};

use doudi_api::permission::Role;
use doudi_api::proto::{
    CloudEvent, DeadLetter, GetWebhookRequest, GetWebhookResponse, ListDeadLettersRequest,
    ListWebhooksRequest, PauseWebhookRequest, RedriveDeadLettersRequest, RegisterWebhookRequest,
    RegisterWebhookResponse, ResumeWebhookRequest, RetireWebhookRequest, RotateSecretRequest,
    StreamEventsRequest, TimelineKind, WebhookPhase, WebhookTrouble,
};
use doudi_server::{
    client::{Client, command_id},
    config::Webhooks,
};
use doudi_tests::{
    until,
    world::{Ground, World},
};
use futures::future::join_all;
use serde_json::{Value, json};
use tonic_types::StatusExt;

use super::requests::{AREA, reason, register, submit};
use receiver::{Post, Receiver};

mod encrypted;
mod killed;
mod parked;
mod receiver;

const BOUND: Duration = Duration::from_secs(60);
const ONE: &str = "91210212DD0000001D";
const TWO: &str = "91210212DD0000003K";
const THREE: &str = "L-7";
const ALL: [&str; 3] = [ONE, TWO, THREE];

/// Quick, so that a test does not wait.
fn quick(webhooks: &mut Webhooks) {
    webhooks.allow_http = true;
    webhooks.timeout = Duration::from_secs(2);
    webhooks.retry_min = Duration::from_millis(100);
    webhooks.retry_max = Duration::from_millis(200);
    webhooks.position_interval = Duration::from_millis(100);
}

/// Everything with three registered enterprises.
async fn world() -> World {
    let mut ground = Ground::start().await;
    quick(&mut ground.config.webhooks);
    let world = Box::pin(World::start_on(ground)).await;
    let admin = world.role(Role::Admin);
    for enterprise in ALL {
        admin.enterprises.clone().register_enterprise(register(enterprise)).await.unwrap();
    }
    world
}

/// So many appeals of one enterprise, one after the other.
async fn appeals(client: &Client, enterprise: &str, count: usize) {
    for _ in 0..count {
        client.appeals.clone().submit_appeal(submit(enterprise, "T06", "")).await.unwrap();
    }
}

/// So many appeals of each enterprise, side by side.
async fn appeals_of_all(world: &World, count: usize) {
    join_all(ALL.map(|enterprise| async move {
        appeals(&world.enterprise(enterprise), enterprise, count).await;
    }))
    .await;
}

fn to(url: String) -> RegisterWebhookRequest {
    RegisterWebhookRequest {
        command_id: command_id(),
        label: "市大数据平台".to_owned(),
        url,
        ..RegisterWebhookRequest::default()
    }
}

async fn registered(admin: &Client, receiver: &Receiver) -> RegisterWebhookResponse {
    admin.webhooks.clone().register_webhook(to(receiver.url())).await.unwrap().into_inner()
}

async fn get(admin: &Client, webhook: &str) -> GetWebhookResponse {
    let request = GetWebhookRequest { webhook_id: webhook.to_owned(), min_position: String::new() };
    admin.webhooks.clone().get_webhook(request).await.unwrap().into_inner()
}

/// Waits until a webhook stands so.
async fn stands(admin: &Client, webhook: &str, so: impl Fn(&GetWebhookResponse) -> bool) {
    let stood = until(BOUND, || async { so(&get(admin, webhook).await).then_some(()) }).await;
    assert!(stood.is_some(), "{:#?}", get(admin, webhook).await);
}

async fn dead_letters(admin: &Client, webhook: &str) -> Vec<DeadLetter> {
    let request = ListDeadLettersRequest { webhook_id: webhook.to_owned(), ..<_>::default() };
    let listed = admin.webhooks.clone().list_dead_letters(request).await.unwrap();
    listed.into_inner().dead_letters
}

async fn redrive(admin: &Client, webhook: &str, enterprise: &str) {
    let request = RedriveDeadLettersRequest {
        command_id: command_id(),
        webhook_id: webhook.to_owned(),
        enterprise_ids: vec![enterprise.to_owned()],
    };
    admin.webhooks.clone().redrive_dead_letters(request).await.unwrap();
}

/// What the feed has after a position, so many events.
async fn feed(client: &Client, request: StreamEventsRequest, count: usize) -> Vec<CloudEvent> {
    let mut live = client.feed.clone().stream_events(request).await.unwrap().into_inner();
    let mut events = vec![];
    while events.len() < count {
        events.extend(live.message().await.unwrap().unwrap().event);
    }
    events
}

/// The ids of each enterprise's events, in order.
fn by_enterprise(
    events: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (enterprise, id) in events {
        found.entry(enterprise).or_default().push(id);
    }
    found
}

fn of_feed(events: &[CloudEvent]) -> BTreeMap<String, Vec<String>> {
    by_enterprise(events.iter().map(|event| (event.partitionkey.clone(), event.id.clone())))
}

fn of_posts(posts: &[Post]) -> BTreeMap<String, Vec<String>> {
    by_enterprise(posts.iter().map(|post| (post.text("partitionkey"), post.text("id"))))
}

/// Waits until so many posts were accepted.
async fn accepted(receiver: &Receiver, count: usize) -> Vec<Post> {
    let came = until(BOUND, || async {
        Some(receiver.accepted()).filter(|accepted| accepted.len() >= count)
    });
    came.await.unwrap_or_else(|| panic!("{} of {count} came", receiver.accepted().len()))
}

/// A CloudEvent in its JSON format.
fn as_json(event: &CloudEvent) -> Value {
    let instant = |at: &Option<prost_types::Timestamp>| {
        let at = at.unwrap();
        jiff::Timestamp::new(at.seconds, at.nanos).unwrap().to_string()
    };
    let mut whole = json!({
        "specversion": event.specversion,
        "id": event.id,
        "source": event.source,
        "type": event.r#type,
        "subject": event.subject,
        "time": instant(&event.time),
        "datacontenttype": event.datacontenttype,
        "partitionkey": event.partitionkey,
        "recordedtime": instant(&event.recordedtime),
        "unit": event.unit,
        "area": event.area,
        "data": serde_json::from_str::<Value>(&event.data).unwrap(),
    });
    whole.as_object_mut().unwrap().retain(|_, value| *value != json!(""));
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_feed_is_posted_once_in_order_and_signed() {
    let world = world().await;
    let (admin, receiver) = (world.role(Role::Admin), Receiver::start().await);
    let RegisterWebhookResponse { webhook_id, secret, .. } = registered(&admin, &receiver).await;
    appeals_of_all(&world, 20).await;
    let fed = feed(&world.role(Role::Supervisor), StreamEventsRequest::default(), 63).await;
    accepted(&receiver, 63).await;
    stands(&admin, &webhook_id, |webhook| webhook.pending_count == 0).await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 63, "none twice, none in vain");
    assert_eq!(of_posts(&posts), of_feed(&fed));
    let mut same: BTreeMap<String, Value> =
        fed.iter().map(|event| (event.id.clone(), as_json(event))).collect();
    for post in &posts {
        assert_eq!(Some(post.event.clone()), same.remove(&post.text("id")));
        assert_eq!(post.headers["content-type"], "application/cloudevents+json");
        assert_eq!(post.headers["webhook-id"], post.text("id"));
        assert!(post.is_signed_with(&secret));
        assert!(!post.is_signed_with(&format!("whsec_{}", "A".repeat(43) + "=")));
    }
    // The secret is told once, and again to who asks again with the same command.
    let rotate = |command_id: String| RotateSecretRequest {
        command_id,
        webhook_id: webhook_id.clone(),
        generation: 2,
    };
    let id = command_id();
    let ask = async |id: &str| {
        let asked = admin.webhooks.clone().rotate_secret(rotate(id.to_owned())).await.unwrap();
        asked.into_inner().secret
    };
    let next = ask(&id).await;
    assert_eq!((ask(&id).await, ask(&command_id()).await), (next.clone(), String::new()));
    assert_ne!(next, secret);
    // Whoever has not changed over yet goes on for a while.
    let signed = until(BOUND, || async {
        appeals(&world.enterprise(ONE), ONE, 1).await;
        let last = receiver.posts().pop()?;
        (last.is_signed_with(&next) && last.is_signed_with(&secret)).then_some(())
    });
    assert!(signed.await.is_some());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_receiver_loses_nothing_and_keeps_the_order() {
    let world = world().await;
    let (admin, mut receiver) = (world.role(Role::Admin), Receiver::start().await);
    let webhook = registered(&admin, &receiver).await.webhook_id;
    appeals_of_all(&world, 3).await;
    accepted(&receiver, 12).await;
    receiver.down().await;
    appeals_of_all(&world, 30).await;
    let in_trouble = |trouble: WebhookTrouble, status: u32| {
        move |found: &GetWebhookResponse| {
            let webhook = found.webhook.as_ref().unwrap();
            webhook.trouble() == trouble
                && webhook.trouble_status == status
                && webhook.trouble_since.is_some()
                && found.pending_count >= 90
                && found.pending_since.is_some()
        }
    };
    stands(&admin, &webhook, in_trouble(WebhookTrouble::Unreachable, 0)).await;
    // It comes back as one that sends elsewhere, which is not followed, or asks to wait.
    receiver.answer(Box::new(|_| (302, Some(("location", "http://127.0.0.1:1/".to_owned())))));
    receiver.up().await;
    let redirected = until(BOUND, || async {
        receiver.posts().iter().any(|post| post.status == 302).then_some(())
    });
    assert!(redirected.await.is_some());
    receiver.answer(Box::new(|_| (503, Some(("retry-after", "1".to_owned())))));
    let asked = until(BOUND, || async {
        receiver.posts().iter().any(|post| post.status == 503).then_some(())
    });
    assert!(asked.await.is_some());
    receiver.answer(Box::new(|_| (200, None)));
    accepted(&receiver, 102).await;
    stands(&admin, &webhook, |found| {
        let webhook = found.webhook.as_ref().unwrap();
        webhook.trouble() == WebhookTrouble::Unspecified && found.pending_count == 0
    })
    .await;
    let fed = feed(&world.role(Role::Supervisor), StreamEventsRequest::default(), 102).await;
    assert_eq!(of_posts(&first_ones(receiver.accepted())), of_feed(&fed));
    let failed = receiver.posts().iter().filter(|post| post.status > 299).count();
    assert!(failed < 30, "one at a time finds out whether it is back, not {failed}");
    world.stop().await;
}

/// Each event when it came for the first time; the same id always stands for the same event.
fn first_ones(posts: Vec<Post>) -> Vec<Post> {
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    let mut is_new = |post: &Post| match seen.get(&post.text("id")) {
        Some(event) => {
            assert_eq!(*event, post.event);
            false
        }
        None => {
            seen.insert(post.text("id"), post.event.clone());
            true
        }
    };
    posts.into_iter().filter(|post| is_new(post)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_waits_with_its_enterprise_and_is_sent_again_in_order() {
    let world = world().await;
    let (admin, receiver) = (world.role(Role::Admin), Receiver::start().await);
    let webhook = registered(&admin, &receiver).await.webhook_id;
    accepted(&receiver, 3).await;
    let is_of_one = |event: &Value| event["partitionkey"] == ONE;
    receiver.answer(Box::new(move |event| (if is_of_one(event) { 422 } else { 204 }, None)));
    appeals_of_all(&world, 5).await;
    accepted(&receiver, 13).await;
    let aside = until(BOUND, || async {
        let dead = dead_letters(&admin, &webhook).await;
        dead.first().filter(|dead| dead.waiting_count == 5).cloned()
    });
    let aside = aside.await.unwrap();
    assert_eq!((aside.enterprise_id.as_str(), aside.http_status), (ONE, 422));
    assert!(!aside.redriving && aside.set_aside_at.is_some());
    stands(&admin, &webhook, |found| {
        found.webhook.as_ref().unwrap().set_aside_count == 1 && found.pending_count == 0
    })
    .await;
    let tries = receiver.posts().iter().filter(|post| post.status == 422).count();
    assert_eq!(tries, 3, "so often is it tried, and no later one of the enterprise");
    // The feed shows what waits.
    let waiting = StreamEventsRequest {
        after_position: aside.after_position.clone(),
        enterprise_id: ONE.to_owned(),
        ..<_>::default()
    };
    let waiting = feed(&world.role(Role::Supervisor), waiting, 5).await;
    assert_eq!(waiting[0].id, aside.event_id);

    // Sent again too early it is set aside once more, from where it is refused.
    let allowed = waiting[1].id.clone();
    let first = waiting[0].id.clone();
    receiver.answer(Box::new(move |event| {
        let passes = !is_of_one(event) || event["id"] == first || event["id"] == allowed;
        (if passes { 204 } else { 400 }, None)
    }));
    redrive(&admin, &webhook, ONE).await;
    let again = until(BOUND, || async {
        let dead = dead_letters(&admin, &webhook).await;
        dead.first().filter(|dead| dead.event_id == waiting[2].id).cloned()
    });
    let again = again.await.unwrap();
    assert_eq!((again.waiting_count, again.http_status, again.redriving), (3, 400, false));

    receiver.answer(Box::new(|_| (204, None)));
    redrive(&admin, &webhook, ONE).await;
    appeals_of_all(&world, 4).await;
    accepted(&receiver, 30).await;
    let none =
        until(BOUND, || async { dead_letters(&admin, &webhook).await.is_empty().then_some(()) });
    assert!(none.await.is_some());
    appeals(&world.enterprise(ONE), ONE, 2).await;
    accepted(&receiver, 32).await;
    let fed = feed(&world.role(Role::Supervisor), StreamEventsRequest::default(), 32).await;
    assert_eq!(of_posts(&receiver.accepted()), of_feed(&fed), "each once, in order");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_at_which_a_receiver_that_takes_the_others_fails_is_set_aside() {
    let world = world().await;
    let (admin, receiver) = (world.role(Role::Admin), Receiver::start().await);
    let webhook = registered(&admin, &receiver).await.webhook_id;
    accepted(&receiver, 3).await;
    let is_of_one = |event: &Value| event["partitionkey"] == ONE;
    receiver.answer(Box::new(move |event| (if is_of_one(event) { 500 } else { 204 }, None)));
    let failed = async |count: usize| {
        let failed = until(BOUND, || async {
            let failed = receiver.posts().into_iter().filter(|post| post.status == 500).count();
            (failed >= count).then_some(())
        });
        assert!(failed.await.is_some());
    };
    appeals(&world.enterprise(ONE), ONE, 2).await;
    failed(1).await;
    appeals_of_all(&world, 20).await;
    failed(8).await;
    let aside = dead_letters(&admin, &webhook).await;
    assert_eq!(aside, [], "few others say nothing of the event");
    let others = [TWO, THREE].map(|enterprise| {
        let client = world.enterprise(enterprise);
        async move { appeals(&client, enterprise, 235).await }
    });
    join_all(others).await;
    let aside = until(BOUND, || async { dead_letters(&admin, &webhook).await.pop() });
    let aside = aside.await.unwrap();
    assert_eq!((aside.enterprise_id.as_str(), aside.http_status), (ONE, 500));
    receiver.answer(Box::new(|_| (204, None)));
    redrive(&admin, &webhook, ONE).await;
    let posts = accepted(&receiver, 3 + 2 + 60 + 470).await;
    let fed = StreamEventsRequest { enterprise_id: ONE.to_owned(), ..<_>::default() };
    let fed = of_feed(&feed(&world.role(Role::Supervisor), fed, 23).await);
    assert_eq!(of_posts(&posts)[ONE], fed[ONE], "each once, in order");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_selects_is_paused_goes_on_and_ends() {
    let world = world().await;
    let (admin, receiver) = (world.role(Role::Admin), Receiver::start().await);
    let request = RegisterWebhookRequest {
        kinds: vec![TimelineKind::Appeal.into()],
        areas: vec![AREA.to_owned()],
        ..to(receiver.url())
    };
    let first = admin.webhooks.clone().register_webhook(request.clone()).await.unwrap();
    let first = first.into_inner();
    let again = admin.webhooks.clone().register_webhook(request).await.unwrap().into_inner();
    assert_eq!((&again.webhook_id, &again.secret), (&first.webhook_id, &first.secret));
    let webhook = first.webhook_id;
    appeals(&world.enterprise(ONE), ONE, 2).await;
    let posts = accepted(&receiver, 2).await;
    assert!(posts.iter().all(|post| post.text("type").starts_with("doudi.appeal.")));

    // Who says that it is gone is left alone until an operator says otherwise.
    receiver.answer(Box::new(|_| (410, None)));
    appeals(&world.enterprise(ONE), ONE, 1).await;
    let in_phase = |phase: WebhookPhase| {
        move |found: &GetWebhookResponse| found.webhook.as_ref().unwrap().phase() == phase
    };
    stands(&admin, &webhook, in_phase(WebhookPhase::Gone)).await;
    receiver.answer(Box::new(|_| (204, None)));
    let mut webhooks = admin.webhooks.clone();
    let id = || webhook.clone();
    let resume = ResumeWebhookRequest { command_id: command_id(), webhook_id: id() };
    webhooks.resume_webhook(resume).await.unwrap();
    accepted(&receiver, 3).await;
    let pause = PauseWebhookRequest { command_id: command_id(), webhook_id: id() };
    webhooks.pause_webhook(pause).await.unwrap();
    let is_paused = in_phase(WebhookPhase::Paused);
    stands(&admin, &webhook, |found| is_paused(found) && found.pending_count == 0).await;
    let retire = RetireWebhookRequest { command_id: command_id(), webhook_id: id() };
    webhooks.retire_webhook(retire).await.unwrap();
    stands(&admin, &webhook, in_phase(WebhookPhase::Retired)).await;
    let resume = ResumeWebhookRequest { command_id: command_id(), webhook_id: id() };
    let refused = webhooks.resume_webhook(resume).await.unwrap_err();
    assert_eq!(reason(&refused), "WEBHOOK_RETIRED");
    let listed = until(BOUND, || async {
        let listed = admin.webhooks.clone().list_webhooks(ListWebhooksRequest {}).await.unwrap();
        listed.into_inner().webhooks.is_empty().then_some(())
    });
    assert!(listed.await.is_some());

    // Another one goes on where it was.
    let after_position = get(&admin, &webhook).await.webhook.unwrap().delivered_position;
    let next = RegisterWebhookRequest { after_position, ..to(receiver.url()) };
    webhooks.register_webhook(next).await.unwrap();
    appeals(&world.enterprise(TWO), TWO, 1).await;
    let posts = accepted(&receiver, 4).await;
    assert_eq!(posts.last().unwrap().text("partitionkey"), TWO);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_must_not_be_posted_to_is_refused() {
    let world = World::bare().await;
    let admin = world.role(Role::Admin);
    let refused = async |url: &str| {
        let answer = admin.webhooks.clone().register_webhook(to(url.to_owned())).await;
        let details = answer.unwrap_err().get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        let told = violations.iter().map(|found| format!("{} {}", found.field, found.reason));
        told.collect::<Vec<_>>()
    };
    assert_eq!(refused("").await, ["url FIELD_REQUIRED"]);
    assert_eq!(refused("https://user:x@partner.example/").await, ["url WEBHOOK_URL_MALFORMED"]);
    // Nothing goes out in the clear unless the configuration says so.
    assert_eq!(refused("http://127.0.0.1:80/").await, ["url WEBHOOK_URL_PLAIN"]);
    let ahead = RegisterWebhookRequest {
        after_position: "AQAAAAAAD0JA".to_owned(),
        ..to("https://partner.example/".to_owned())
    };
    let refused = admin.webhooks.clone().register_webhook(ahead).await.unwrap_err();
    assert_eq!(reason(&refused), "POSITION_AHEAD");
    world.stop().await;
}
