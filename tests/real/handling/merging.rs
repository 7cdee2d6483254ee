//! Appeals that go on as part of another one, and parts that go their own way.

use std::time::Duration;

use doudi_api::proto::{AppealState, MergeAppealRequest, SplitAppealRequest};
use doudi_tests::until;

use super::*;

/// How long anything may take here.
const BOUND: Duration = Duration::from_secs(60);

async fn merge(world: &World, appeal: &str, into: &str) -> Result<(), Status> {
    let request = on!(MergeAppealRequest, appeal, into_appeal_id: into.to_owned());
    world.role(Role::Dispatcher).appeals.merge_appeal(request).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_for_a_merged_appeal_goes_to_where_it_goes_on() {
    let world = World::start().await;
    let two = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let one = submitted(&world, submit(ENTERPRISE, "T06", "")).await;
    let mut enterprise = world.enterprise(ENTERPRISE);
    let before = note(&one.appeal_id, Visibility::Public);
    let first = enterprise.handling.add_note(before.clone()).await.unwrap().into_inner();
    merge(&world, &one.appeal_id, &two).await.unwrap();

    let again = enterprise.handling.add_note(before).await.unwrap().into_inner();
    assert_eq!(again, first, "a repetition finds what was recorded before the merge");
    let after = note(&one.appeal_id, Visibility::Public);
    let followed = enterprise.handling.add_note(after).await.unwrap().into_inner();
    assert_eq!(followed.appeal_id, two);
    let mut holder = Client::new(&world.running.channel, &one.case_token).unwrap();
    let held = note(&one.appeal_id, Visibility::Public);
    assert_eq!(holder.handling.add_note(held).await.unwrap().into_inner().appeal_id, two);
    let direct = note(&two, Visibility::Public);
    assert_eq!(refused(holder.handling.add_note(direct).await), "APPEAL_UNKNOWN");
    let by_lead = note(&one.appeal_id, Visibility::Internal);
    let by_lead = world.unit(LEAD).handling.add_note(by_lead).await.unwrap().into_inner();
    assert_eq!(by_lead.appeal_id, two, "whoever handles the other one reaches it by either name");
    assert_eq!(read(&world.unit(LEAD), &two).await.unwrap().notes.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_merged_only_into_another_open_one_of_its_enterprise() {
    let world = World::start().await;
    // In this order: only into an older one, so that no promise is put off.
    let one = submitted(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let three = submitted(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let two = submitted(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let nowhere = doudi_server::client::command_id();
    for into in [&one, &nowhere] {
        let status = merge(&world, &one, into).await.unwrap_err();
        assert_eq!(reason(&status), "MERGE_IMPOSSIBLE");
    }
    let request = on!(MergeAppealRequest, two, into_appeal_id: three.clone());
    let mut desk = world.role(Role::Dispatcher);
    desk.appeals.merge_appeal(request.clone()).await.unwrap();
    let status = merge(&world, &one, &two).await.unwrap_err();
    assert_eq!(reason(&status), "MERGE_IMPOSSIBLE", "into one that is merged itself");
    merge(&world, &three, &one).await.unwrap();
    desk.appeals.merge_appeal(request).await.unwrap();
    let merged = read(&world.enterprise(ENTERPRISE), &two).await.unwrap().summary.unwrap();
    assert_eq!((merged.state(), merged.merged_into), (AppealState::Merged, three));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_goes_its_own_way_with_words_of_its_own_and_the_same_contact() {
    let world = World::start().await;
    let whole = in_handling(&world, submit(ENTERPRISE, "T06", "张三 13800000000")).await.appeal_id;
    let split = on!(
        SplitAppealRequest, whole,
        topic: "T27".to_owned(), area: "210212".to_owned(), description: "另一事项".to_owned()
    );
    let mut desk = world.role(Role::Dispatcher);
    let first = desk.appeals.split_appeal(split.clone()).await.unwrap().into_inner();
    assert_eq!(desk.appeals.split_appeal(split).await.unwrap().into_inner(), first);
    let enterprise = world.enterprise(ENTERPRISE);
    let parts = read(&enterprise, &whole).await.unwrap().parts;
    assert_eq!(parts, std::slice::from_ref(&first.part_appeal_id));
    let part = until(BOUND, async || read(&enterprise, &first.part_appeal_id).await.ok());
    let part = part.await.expect("the part is submitted on its own");
    assert_eq!((&*part.description, &*part.contact), ("另一事项", "张三 13800000000"));
    assert_eq!(part.summary.unwrap().topic, "T27");
    world.stop().await;
}
