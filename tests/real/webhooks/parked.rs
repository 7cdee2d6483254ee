//! What waits for a parked stream: its enterprise alone, over a restart, and only until the stream is taken in.

use super::{
    super::{
        operator::{park, take_in},
        requests::moved,
    },
    *,
};

/// Waits until so many different events were accepted.
async fn came(receiver: &Receiver, count: usize) -> Vec<Post> {
    let came = until(BOUND, || async {
        Some(first_ones(receiver.accepted())).filter(|posts| posts.len() >= count)
    });
    let came = came.await;
    came.unwrap_or_else(|| panic!("{} of {count} came", first_ones(receiver.accepted()).len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_parked_stream_is_posted_by_itself_once_it_is_taken_in() {
    let world = world().await;
    let (admin, receiver) = (world.role(Role::Admin), Receiver::start().await);
    let webhook = registered(&admin, &receiver).await.webhook_id;
    appeals_of_all(&world, 2).await;
    came(&receiver, 9).await;

    let parked = format!("ev.{ONE}.profile");
    let end = world.running.parts.journal.last_position().await.unwrap();
    park(&world.ground.config, &parked, end.next()).await;
    admin.enterprises.clone().change_area(moved(ONE)).await.unwrap();
    appeals_of_all(&world, 5).await;
    appeals(&world.enterprise(TWO), TWO, 1).await;
    came(&receiver, 9 + 10 + 1).await;
    let aside = until(BOUND, || async { dead_letters(&admin, &webhook).await.pop() });
    let aside = aside.await.unwrap();
    assert_eq!((aside.enterprise_id.as_str(), aside.http_status), (ONE, 0));
    assert!(aside.parked && aside.redriving);
    stands(&admin, &webhook, |found| {
        found.webhook.as_ref().unwrap().set_aside_count == 1 && found.pending_count == 0
    })
    .await;
    // Nobody can have it sent before.
    redrive(&admin, &webhook, ONE).await;

    drop(admin);
    let World { ground, running } = world;
    running.stop().await;
    let running = ground.run().await;
    let world = World { ground, running };
    let admin = world.role(Role::Admin);
    appeals_of_all(&world, 1).await;
    let posts = came(&receiver, 20 + 2).await;
    assert_eq!(of_posts(&posts)[ONE].len(), 3, "nothing of it since");

    take_in(&world.ground.config, &parked).await;
    came(&receiver, 22 + 1 + 5 + 1).await;
    let none =
        until(BOUND, || async { dead_letters(&admin, &webhook).await.is_empty().then_some(()) });
    assert!(none.await.is_some());
    appeals(&world.enterprise(ONE), ONE, 1).await;
    let posts = came(&receiver, 30).await;
    let fed = feed(&world.role(Role::Supervisor), StreamEventsRequest::default(), 30).await;
    assert_eq!(of_posts(&posts), of_feed(&fed), "each, in order");
    world.stop().await;
}
