//! One's own case by its token alone: what it shows, what it lets do, and that it opens nothing else.

use doudi_api::proto::{
    AddNoteRequest, Applicant, Channel, ConfirmResolutionRequest, FollowCaseRequest,
    GetAllowedActionsRequest, IssueCaseTokenRequest, ListAppealsRequest, RateAppealRequest, Rating,
    SplitAppealRequest, Visibility,
};
use doudi_tests::until;
use tonic::Code;

use super::*;

fn anonymous() -> SubmitAppealRequest {
    SubmitAppealRequest {
        enterprise_id: String::new(),
        channel: Channel::Hotline12345.into(),
        applicant: Applicant::Anonymous.into(),
        ..submission("", "T06")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_token_follows_and_answers_the_case_and_nothing_else() {
    let world = World::start().await;
    let case = Case::dispatched(&world, anonymous()).await;
    let other = Case::submit(&world, anonymous()).await;
    assert_ne!(case.enterprise, other.enterprise, "anonymous appeals have nothing in common");
    case.sign(&world, "power-supply").await;
    case.ask(&world, "power-supply", "tax").await;
    let mut unit = world.unit("power-supply");
    for (visibility, text) in [(Visibility::Internal, "内部"), (Visibility::Public, "请补充材料")]
    {
        let visibility = visibility.into();
        let note = request!(AddNoteRequest, case, visibility: visibility, text: text.to_owned());
        unit.handling.add_note(note).await.unwrap();
    }
    let min_position = case.resolve(&world, "power-supply").await;

    let mut own = holder(&world, &case.token);
    let follow = FollowCaseRequest { min_position };
    let seen = own.cases.follow_case(follow.clone()).await.unwrap().into_inner();
    let appeal = seen.appeal.unwrap();
    let summary = appeal.summary.as_ref().unwrap();
    assert_eq!((&summary.appeal_id, &summary.enterprise_id), (&case.appeal, &case.enterprise));
    assert!(summary.number.starts_with("SQ"));
    assert_eq!((appeal.description.as_str(), appeal.reply.as_str()), ("报装两周未答复", "已办结"));
    let notes: Vec<&str> = appeal.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["请补充材料"], "internal notes are not for the enterprise");
    assert_eq!(appeal.tasks, [], "nor what units ask of each other");

    let asked = |case: &Case| GetAllowedActionsRequest {
        enterprise_id: case.enterprise.clone(),
        appeal_id: case.appeal.clone(),
        min_position: String::new(),
    };
    let actions = own.cases.get_allowed_actions(asked(&case)).await.unwrap().into_inner();
    let may: Vec<&str> = actions
        .actions
        .iter()
        .filter(|action| action.allowed)
        .filter_map(|action| action.rpc.rsplit('/').next())
        .collect();
    let expected =
        ["ConfirmResolution", "ObjectToResolution", "RateAppeal", "AddNote", "UploadFile"];
    assert_eq!(may, expected);
    assert_eq!(actions.version, seen.version);
    let foreign = own.cases.get_allowed_actions(asked(&other)).await;
    assert_eq!(refused(foreign), "APPEAL_UNKNOWN");

    let rating = Rating { responded: true, resolved: true, satisfied: true };
    let rate = request!(RateAppealRequest, case, rating: Some(rating));
    own.appeals.rate_appeal(rate).await.unwrap();
    let confirm = request!(ConfirmResolutionRequest, case);
    own.appeals.confirm_resolution(confirm).await.unwrap();
    let foreign = request!(ConfirmResolutionRequest, other);
    assert_eq!(refused(own.appeals.confirm_resolution(foreign).await), "OUTSIDE_SCOPE");

    let listed = own.appeals.list_appeals(ListAppealsRequest::default()).await.unwrap_err();
    assert_eq!(listed.code(), Code::PermissionDenied, "one case is no account: {listed:?}");
    let account = world.role(Role::Auditor).cases.follow_case(follow.clone()).await.unwrap_err();
    assert_eq!(account.code(), Code::PermissionDenied, "no token, no own case: {account:?}");
    let mut forged = case.token.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.push(last);
    let forged = holder(&world, &forged).cases.follow_case(follow).await.unwrap_err();
    assert_eq!(forged.code(), Code::Unauthenticated, "{forged:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_case_shows_nothing_of_what_was_erased() {
    let world = World::start().await;
    let case = Case::dispatched(&world, submission("L-1", "T06")).await;
    let min_position = case.erase(&world).await;
    let mut own = holder(&world, &case.token);
    let seen = own.cases.follow_case(FollowCaseRequest { min_position }).await.unwrap();
    let appeal = seen.into_inner().appeal.unwrap();
    assert!(appeal.erased && appeal.description.is_empty(), "{appeal:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_account_that_stays_anonymous_is_told_by_nothing() {
    const ENTERPRISE: &str = "91210212DD0000001D";
    let world = World::start().await;
    let mut account = world.enterprise(ENTERPRISE);
    let request = anonymous();
    let first = account.appeals.submit_appeal(request.clone()).await.unwrap().into_inner();
    let again = account.appeals.submit_appeal(request).await.unwrap().into_inner();
    assert_eq!(first, again);
    let case = Case {
        enterprise: first.enterprise_id,
        appeal: first.appeal_id,
        token: first.case_token.clone(),
    };
    assert!(case.enterprise.starts_with("L-"), "{}", case.enterprise);

    // The log says nothing of the account, and neither does the account see the case.
    let enterprise = doudi_domain::EnterpriseId::parse(&case.enterprise).unwrap();
    let appeal = doudi_domain::AppealId::parse(&case.appeal).unwrap();
    let stream = doudi_engine::streams::appeal(&enterprise, appeal).unwrap();
    let start = doudi_engine::Position::START;
    let records = world.running.parts.engine.journal().load(&stream, start, start).await.unwrap();
    let submitted = records[0].commit().unwrap();
    assert_eq!(submitted.actor, doudi_journal::Actor::of("anonymous:enterprise"));
    assert_eq!(submitted.traceparent, None);
    let read = GetAppealRequest {
        enterprise_id: case.enterprise.clone(),
        appeal_id: case.appeal.clone(),
        min_position: String::new(),
        as_of: None,
    };
    assert_eq!(refused(account.appeals.get_appeal(read).await), "OUTSIDE_SCOPE");
    let follow = FollowCaseRequest::default();
    let seen = holder(&world, &case.token).cases.follow_case(follow).await.unwrap().into_inner();
    assert_eq!(seen.appeal.unwrap().applicant(), Applicant::Anonymous);

    // Who names an enterprise has it kept there, and speaks for no other.
    let named = |id: &str| SubmitAppealRequest { enterprise_id: id.to_owned(), ..anonymous() };
    let own = account.appeals.submit_appeal(named(ENTERPRISE)).await.unwrap().into_inner();
    assert_eq!(own.enterprise_id, ENTERPRISE);
    assert_eq!(refused(account.appeals.submit_appeal(named("L-1")).await), "OUTSIDE_SCOPE");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_repeats_a_submission_after_the_erasure_learns_no_token() {
    let world = World::start().await;
    let request = submission("L-1", "T06");
    let case = Case::submit(&world, request.clone()).await;
    case.erase(&world).await;
    let other = SubmitAppealRequest { description: "别的".to_owned(), ..request };
    let mut desk = world.role(Role::Dispatcher);
    let again = desk.appeals.submit_appeal(other).await.unwrap().into_inner();
    assert_eq!((again.appeal_id, again.case_token), (case.appeal, String::new()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_an_anonymous_appeal_is_followed_by_a_token_of_its_own() {
    let world = World::start().await;
    let case = Case::submit(&world, anonymous()).await;
    case.accept(&world).await;
    let own = holder(&world, &case.token);
    let follow = async |client: &Client| {
        let follow = FollowCaseRequest::default();
        client.cases.clone().follow_case(follow).await.unwrap().into_inner()
    };
    assert_eq!(follow(&own).await.parts, []);
    let split = request!(
        SplitAppealRequest, case,
        topic: "T27".to_owned(), area: AREA.to_owned(), description: "另一事项".to_owned()
    );
    let part = world.role(Role::Dispatcher).appeals.split_appeal(split).await.unwrap();
    let part = part.into_inner().part_appeal_id;
    let found = until(BOUND, async || follow(&own).await.parts.pop()).await;
    let found = found.expect("the part is submitted");
    assert_eq!(found.appeal_id, part);
    let seen = follow(&holder(&world, &found.case_token)).await.appeal.unwrap();
    assert_eq!((seen.summary.unwrap().appeal_id, &*seen.description), (part, "另一事项"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_submits_on_behalf_learns_no_token_and_the_desk_of_the_area_gives_it_out() {
    let world = World::start().await;
    let level = Confidentiality::Confidential;
    let request = confidential("L-1", "T06", level);
    let mut unit = world.role(Role::AgencyHandler);
    let first = unit.appeals.submit_appeal(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.case_token, "");
    let nameless = unit.appeals.submit_appeal(anonymous()).await.unwrap().into_inner();
    assert_eq!(nameless.case_token, "");

    let issue = IssueCaseTokenRequest {
        enterprise_id: first.enterprise_id.clone(),
        appeal_id: first.appeal_id.clone(),
    };
    let mut elsewhere = in_area(&world, Role::Dispatcher, "210203");
    assert_eq!(refused(elsewhere.cases.issue_case_token(issue.clone()).await), "APPEAL_UNKNOWN");
    let nowhere = IssueCaseTokenRequest { appeal_id: command_id(), ..issue.clone() };
    let mut desk = in_area(&world, Role::Dispatcher, AREA);
    assert_eq!(refused(desk.cases.issue_case_token(nowhere).await), "APPEAL_UNKNOWN");
    let token = desk.cases.issue_case_token(issue).await.unwrap().into_inner().case_token;
    let follow = FollowCaseRequest::default();
    let seen = holder(&world, &token).cases.follow_case(follow).await.unwrap().into_inner();
    assert_eq!(seen.appeal.unwrap().summary.unwrap().appeal_id, first.appeal_id);
    let by_desk = confidential("L-1", "T06", level);
    let by_desk = desk.appeals.submit_appeal(by_desk).await.unwrap().into_inner();
    assert!(by_desk.case_token.starts_with("case."), "a desk hands it over: {by_desk:?}");
    world.stop().await;
}
