//! What happens around an appeal through a running program: notes, files, merging and splitting, who
//! read what, objections on the enterprise's behalf, and writes that come too late.

use doudi_api::permission::Role;
use doudi_api::proto::{
    AcceptAppealRequest, AddNoteRequest, Appeal, Confidentiality, DispatchAppealRequest,
    FollowCaseRequest, GetAppealRequest, ObjectToResolutionRequest, RecordCallbackRequest,
    ResolutionOutcome, ResolveAppealRequest, SignForAppealRequest, SubmitAppealRequest,
    SubmitAppealResponse, Visibility,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::world::World;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use super::requests::{reason, submit};

mod files;
mod merging;

const ENTERPRISE: &str = "91210212DD0000001D";
/// Who leads the topic in the published plan.
const LEAD: &str = "power-supply";

/// A request about an appeal of the enterprise.
macro_rules! on {
    ($request:ident, $appeal:expr $(, $field:ident: $value:expr)*) => {
        $request {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            appeal_id: $appeal.to_owned(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}
use on;

/// The reason code of a refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> String {
    reason(&answer.expect_err("it is refused"))
}

async fn submitted(world: &World, request: SubmitAppealRequest) -> SubmitAppealResponse {
    let mut enterprise = world.enterprise(ENTERPRISE);
    enterprise.appeals.submit_appeal(request).await.unwrap().into_inner()
}

/// An appeal that the lead unit works on.
async fn in_handling(world: &World, request: SubmitAppealRequest) -> SubmitAppealResponse {
    let submitted = submitted(world, request).await;
    let appeal = &submitted.appeal_id;
    let mut desk = world.role(Role::Dispatcher);
    desk.appeals.accept_appeal(on!(AcceptAppealRequest, appeal)).await.unwrap();
    desk.appeals.dispatch_appeal(on!(DispatchAppealRequest, appeal)).await.unwrap();
    world.unit(LEAD).appeals.sign_for_appeal(on!(SignForAppealRequest, appeal)).await.unwrap();
    submitted
}

async fn read(client: &Client, appeal: &str) -> Result<Appeal, Status> {
    let request = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        min_position: String::new(),
        as_of: None,
    };
    let answer = client.appeals.clone().get_appeal(request).await?;
    Ok(answer.into_inner().appeal.unwrap())
}

/// Who is recorded to have read an appeal.
async fn reads(world: &World, appeal: &str) -> Vec<String> {
    let enterprise = doudi_domain::EnterpriseId::parse(ENTERPRISE).unwrap();
    let appeal = doudi_domain::AppealId::parse(appeal).unwrap();
    let stream = doudi_engine::streams::reads(&enterprise, appeal).unwrap();
    let start = doudi_engine::Position::START;
    let journal = world.running.parts.engine.journal();
    let records = journal.load(&stream, start, start).await.unwrap();
    let principal = |record: &doudi_journal::Record| record.commit().unwrap().actor.principal;
    records.iter().map(principal).collect()
}

fn note(appeal: &str, visibility: Visibility) -> AddNoteRequest {
    on!(AddNoteRequest, appeal, visibility: visibility.into(), text: "已电话联系".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_has_a_number_and_a_token_that_stay_the_same() {
    let world = World::start().await;
    let request = submit(ENTERPRISE, "T06", "张三 13800000000");
    let first = submitted(&world, request.clone()).await;
    let again = submitted(&world, request).await;
    assert_eq!(first, again);
    assert!(first.case_token.starts_with("case."), "{}", first.case_token);
    let seen = read(&world.enterprise(ENTERPRISE), &first.appeal_id).await.unwrap();
    assert_eq!(seen.summary.unwrap().number, first.number);
    assert_eq!(seen.contact, "张三 13800000000");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_notes_stay_inside_and_an_enterprise_writes_public_ones() {
    let world = World::start().await;
    let appeal = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let mut unit = world.unit(LEAD);
    unit.handling.add_note(note(&appeal, Visibility::Internal)).await.unwrap();
    let again = note(&appeal, Visibility::Public);
    let first = unit.handling.add_note(again.clone()).await.unwrap().into_inner();
    assert_eq!(unit.handling.add_note(again).await.unwrap().into_inner(), first);
    let mut enterprise = world.enterprise(ENTERPRISE);
    let internal = enterprise.handling.add_note(note(&appeal, Visibility::Internal)).await;
    assert_eq!(refused(internal), "VISIBILITY_PUBLIC_ONLY");
    enterprise.handling.add_note(note(&appeal, Visibility::Public)).await.unwrap();
    let stranger = world.unit("tax").handling.add_note(note(&appeal, Visibility::Internal)).await;
    assert_eq!(refused(stranger), "APPEAL_UNKNOWN");
    assert_eq!(read(&unit, &appeal).await.unwrap().notes.len(), 3);
    let own = read(&enterprise, &appeal).await.unwrap().notes;
    let units: Vec<&str> = own.iter().map(|note| note.unit.as_str()).collect();
    assert_eq!(units, [LEAD, ""]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_of_a_confidential_case_is_recorded_and_no_other() {
    let world = World::start().await;
    let level = |level: Confidentiality| SubmitAppealRequest {
        confidentiality: level.into(),
        ..submit(ENTERPRISE, "T06", "")
    };
    let plain = in_handling(&world, level(Confidentiality::Internal)).await.appeal_id;
    read(&world.unit(LEAD), &plain).await.unwrap();
    assert!(reads(&world, &plain).await.is_empty());

    let secret = in_handling(&world, level(Confidentiality::Strict)).await;
    read(&world.unit(LEAD), &secret.appeal_id).await.unwrap();
    read(&world.role(Role::Auditor), &secret.appeal_id).await.unwrap();
    let denied = read(&world.unit("tax"), &secret.appeal_id).await.unwrap_err();
    assert_eq!(denied.code(), Code::NotFound);
    let mut holder = Client::new(&world.running.channel, &secret.case_token).unwrap();
    holder.cases.follow_case(FollowCaseRequest::default()).await.unwrap();
    let holder = format!("case:{}", secret.appeal_id);
    assert_eq!(reads(&world, &secret.appeal_id).await, ["dev-unit_head", "dev-auditor", &holder]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_objects_for_the_enterprise_only_after_it_was_reached() {
    let world = World::start().await;
    let appeal = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let (outcome, reply) = (ResolutionOutcome::Explained.into(), "已解释".to_owned());
    let resolve = on!(ResolveAppealRequest, appeal, outcome: outcome, reply: reply);
    world.unit(LEAD).appeals.resolve_appeal(resolve).await.unwrap();
    let mut desk = world.role(Role::Dispatcher);
    let object = on!(ObjectToResolutionRequest, appeal, reason: "企业表示未解决".to_owned());
    let early = desk.appeals.object_to_resolution(object.clone()).await;
    assert_eq!(refused(early), "CALLBACK_MISSING");
    for reached in [false, true] {
        let called = on!(RecordCallbackRequest, appeal, reached: reached);
        desk.appeals.record_callback(called).await.unwrap();
        if !reached {
            let early = desk.appeals.object_to_resolution(object.clone()).await;
            assert_eq!(refused(early), "CALLBACK_MISSING");
        }
    }
    let first = desk.appeals.object_to_resolution(object.clone()).await.unwrap().into_inner();
    let again = desk.appeals.object_to_resolution(object).await.unwrap().into_inner();
    assert_eq!(first, again, "a repetition learns its outcome although the callback is spent");
    let seen = read(&world.unit(LEAD), &appeal).await.unwrap();
    assert_eq!(seen.objection, "企业表示未解决");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_write_is_told_what_happened_meanwhile() {
    let world = World::start().await;
    let appeal = in_handling(&world, submit(ENTERPRISE, "T06", "")).await.appeal_id;
    let mut unit = world.unit(LEAD);
    let stale = AddNoteRequest { expected_version: Some(2), ..note(&appeal, Visibility::Internal) };
    let status = unit.handling.add_note(stale).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    let metadata = status.get_error_details().error_info().unwrap().metadata.clone();
    assert_eq!(metadata["actual_version"], "4");
    assert_eq!(metadata["events"], "AppealDispatched,AppealSignedFor");
    let own = note(&appeal, Visibility::Public);
    let stale = AddNoteRequest { expected_version: Some(2), ..own };
    let status = world.enterprise(ENTERPRISE).handling.add_note(stale).await.unwrap_err();
    let metadata = status.get_error_details().error_info().unwrap().metadata.clone();
    assert_eq!(metadata["actual_version"], "4");
    assert!(!metadata.contains_key("events"), "what units do among themselves is theirs");
    let current =
        AddNoteRequest { expected_version: Some(4), ..note(&appeal, Visibility::Internal) };
    unit.handling.add_note(current).await.unwrap();
    world.stop().await;
}
