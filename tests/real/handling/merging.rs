//! Appeals that go on as part of another one, and parts that go their own way.

use std::time::Duration;

use doudi_api::proto::{
    AppealState, AppealSummary, CloseAppealRequest, ConfirmResolutionRequest, FollowCaseResponse,
    GetAllowedActionsRequest, GetTimeLedgerRequest, MergeAppealRequest, RateAppealRequest, Rating,
    ReopenAppealRequest, SplitAppealRequest,
};
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
async fn whoever_handles_what_a_merged_appeal_goes_on_in_reads_the_merged_one_and_its_files() {
    let world = World::start().await;
    let two = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let elsewhere =
        SubmitAppealRequest { area: "210203".to_owned(), ..submit(ENTERPRISE, "X01", "张三") };
    let one = submitted(&world, elsewhere).await.appeal_id;
    let content = files::content();
    let file = files::description(&one, Visibility::Public, &content);
    let file = files::upload(&world.enterprise(ENTERPRISE), file, &content).await.unwrap();
    let file = file.into_inner().file_id;
    let (lead, stranger) = (world.unit(LEAD), world.unit("tax"));
    assert_eq!(reason(&read(&lead, &one).await.unwrap_err()), "APPEAL_UNKNOWN");
    merge(&world, &one, &two).await.unwrap();
    let seen = until(BOUND, async || read(&lead, &one).await.ok()).await;
    let seen = seen.expect("the other one takes it up");
    assert_eq!((&*seen.description, &*seen.contact), ("报装两周未答复", "张三"));
    assert!(files::download(&lead, &one, &file).await.unwrap().1 == content);
    let explain = |client: &Client| {
        let request = GetTimeLedgerRequest {
            enterprise_id: ENTERPRISE.to_owned(),
            appeal_id: one.clone(),
            ..<_>::default()
        };
        let mut cases = client.cases.clone();
        async move { cases.get_time_ledger(request).await }
    };
    explain(&lead).await.unwrap();
    assert_eq!(refused(explain(&stranger).await), "APPEAL_UNKNOWN");
    assert_eq!(reason(&read(&stranger, &one).await.unwrap_err()), "APPEAL_UNKNOWN");
    let hidden = files::download(&stranger, &one, &file).await.unwrap_err();
    assert_eq!(reason(&hidden), "APPEAL_UNKNOWN");
    world.stop().await;
}

/// The unit resolves the appeal.
async fn resolve(world: &World, appeal: &str, reply: &str) {
    let (outcome, reply) = (ResolutionOutcome::Explained.into(), reply.to_owned());
    let resolve = on!(ResolveAppealRequest, appeal, outcome: outcome, reply: reply);
    world.unit(LEAD).appeals.resolve_appeal(resolve).await.unwrap();
}

async fn follow(holder: &Client) -> FollowCaseResponse {
    let follow = FollowCaseRequest::default();
    holder.cases.clone().follow_case(follow).await.unwrap().into_inner()
}

/// What the holder may do with its merged appeal, and of which version that is said.
async fn actions(holder: &Client, appeal: &str) -> (Vec<String>, u64) {
    let request = GetAllowedActionsRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        min_position: String::new(),
    };
    let answer = holder.cases.clone().get_allowed_actions(request).await.unwrap().into_inner();
    let allowed = answer.actions.into_iter().filter(|action| action.allowed);
    let method = |rpc: String| rpc.rsplit('/').next().unwrap_or_default().to_owned();
    (allowed.map(|action| method(action.rpc)).collect(), answer.version)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_token_of_a_merged_case_follows_it_and_is_heard_where_it_goes_on() {
    let world = World::start().await;
    let level = Confidentiality::Strict.into();
    let secret =
        SubmitAppealRequest { confidentiality: level, ..submit(ENTERPRISE, "T06", "张三") };
    let two = in_handling(&world, secret).await;
    let one = submitted(&world, submit(ENTERPRISE, "T06", "")).await;
    let (own, two, number) = (&one.appeal_id, &two.appeal_id, two.number.clone());
    let mut holder = Client::new(&world.running.channel, &one.case_token).unwrap();
    assert_eq!(follow(&holder).await.continued_in, None);
    world.unit(LEAD).handling.add_note(note(two, Visibility::Public)).await.unwrap();
    merge(&world, own, two).await.unwrap();
    let goes_on = until(BOUND, async || follow(&holder).await.continued_in).await;
    assert_eq!(goes_on.expect("the other one takes it up").reply, "");

    resolve(&world, two, "已答复").await;
    let seen = follow(&holder).await;
    let goes_on = seen.continued_in.unwrap();
    let known = read(&world.role(Role::Auditor), two).await.unwrap().summary.unwrap();
    let expected = Appeal {
        summary: Some(AppealSummary {
            number,
            state: AppealState::Resolved.into(),
            due: known.due.clone(),
            ..AppealSummary::default()
        }),
        reply: "已答复".to_owned(),
        outcome: ResolutionOutcome::Explained.into(),
        clocks: known.due.into_iter().collect(),
        ..Appeal::default()
    };
    assert_eq!(goes_on, expected, "and nothing else of it");
    let (may, version) = actions(&holder, own).await;
    let expected =
        ["ConfirmResolution", "ObjectToResolution", "RateAppeal", "AddNote", "UploadFile"];
    assert_eq!((may, version), (expected.map(str::to_owned).to_vec(), seen.continued_version));

    // Its word acts there, by the token and by the account alike, and says so.
    let reason = || "没有解决".to_owned();
    let object = on!(ObjectToResolutionRequest, own, reason: reason());
    let first = holder.appeals.object_to_resolution(object.clone()).await.unwrap().into_inner();
    assert_eq!(&first.appeal_id, two);
    let again = holder.appeals.object_to_resolution(object).await.unwrap().into_inner();
    assert_eq!(again, first);
    let objected = read(&world.unit(LEAD), two).await.unwrap();
    assert_eq!((&*objected.objection, objected.summary.unwrap().objections), ("没有解决", 1));
    resolve(&world, two, "已解决").await;
    let rating = Some(Rating { responded: true, resolved: true, satisfied: true });
    let rate = on!(RateAppealRequest, own, rating: rating);
    assert_eq!(&holder.appeals.rate_appeal(rate).await.unwrap().into_inner().appeal_id, two);
    let mut account = world.enterprise(ENTERPRISE);
    let confirm = on!(ConfirmResolutionRequest, own);
    let confirmed = account.appeals.confirm_resolution(confirm).await.unwrap().into_inner();
    assert_eq!(&confirmed.appeal_id, two);
    let close = on!(CloseAppealRequest, two);
    world.role(Role::Dispatcher).appeals.close_appeal(close).await.unwrap();
    let reopen = on!(ReopenAppealRequest, own, reason: reason());
    assert_eq!(&holder.appeals.reopen_appeal(reopen).await.unwrap().into_inner().appeal_id, two);

    // By its own name the other one stays closed to the token.
    let direct = on!(ConfirmResolutionRequest, two);
    assert_eq!(refused(holder.appeals.confirm_resolution(direct).await), "OUTSIDE_SCOPE");
    assert!(reads(&world, two).await.contains(&format!("case:{own}")), "reading it is recorded");
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
