//! What must not be had by asking: a wait for a position that never comes, a reply larger than its
//! bound, the news that an appeal exists. And what must: the outcome of a command, also after its
//! texts were erased.

use std::time::Duration;

use doudi_api::proto::{
    DraftPolicyRequest, ErasePersonalDataRequest, GetAppealRequest, GetEnterpriseRequest,
    GetPolicyRequest, GetQuotaRequest, GetVisitRequest, Ground, ListAppealsRequest,
    ListTimelineRequest, ObjectToResolutionRequest, PolicyName, ResolutionOutcome,
    ResolveAppealRequest, WatchTimelineRequest, policy_document::Document,
};
use doudi_api::{identity::Claims, permission::Role};
use doudi_server::{
    catalogue,
    client::{Client, command_id},
    token,
};
use doudi_tests::world::{Ground as Servers, World};
use prost::Message;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::requests::{
    AREA, accept, approve, check_in, dispatched, plan, reason, register, sign_for, submit,
};

const ENTERPRISE: &str = "91210212DD0000001D";

/// The longest that a refusal may take which waits for nothing.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A well-formed position that the log does not reach in a lifetime.
fn far(position: &str) -> String {
    let mut far = position.to_owned();
    far.replace_range(3..4, "B");
    far
}

fn said(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_beyond_the_log_is_refused_at_once() {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    let registered =
        admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap().into_inner();
    let position = registered.receipt.unwrap().position;
    // The position that a receipt gave is waited for, whatever the views have reached.
    let own = ListTimelineRequest {
        enterprise_id: ENTERPRISE.into(),
        min_position: position.clone(),
        ..Default::default()
    };
    let listed = admin.timelines.list_timeline(own).await.unwrap().into_inner();
    assert_eq!(listed.entries.len(), 1);
    let refused = timeout(AT_ONCE, asked_for(&mut admin, &far(&position))).await.unwrap();
    assert_eq!(refused.len(), 8);
    for (rpc, status) in refused {
        let position_ahead = (Code::InvalidArgument, "POSITION_AHEAD".to_owned());
        assert_eq!(said(&status), position_ahead, "{rpc}: {status:?}");
    }
    world.stop().await;
}

/// What every rpc that takes a position says of this one.
async fn asked_for(client: &mut Client, position: &str) -> Vec<(&'static str, Status)> {
    macro_rules! ask {
        ($service:ident . $rpc:ident, $request:expr) => {
            (stringify!($rpc), client.$service.$rpc($request).await.map(|_| ()).unwrap_err())
        };
    }
    let enterprise_id = || ENTERPRISE.to_owned();
    let min_position = || position.to_owned();
    let profile = GetEnterpriseRequest {
        enterprise_id: enterprise_id(),
        min_position: min_position(),
        as_of: None,
    };
    let visit = GetVisitRequest {
        enterprise_id: enterprise_id(),
        visit_id: command_id(),
        min_position: min_position(),
        as_of: None,
    };
    let quota = GetQuotaRequest {
        enterprise_id: enterprise_id(),
        unit: "tax".to_owned(),
        min_position: min_position(),
        ..Default::default()
    };
    let appeal = GetAppealRequest {
        enterprise_id: enterprise_id(),
        appeal_id: command_id(),
        min_position: min_position(),
        as_of: None,
    };
    let appeals = ListAppealsRequest { min_position: min_position(), ..Default::default() };
    let policy = GetPolicyRequest {
        name: PolicyName::Routing.into(),
        min_position: min_position(),
        ..Default::default()
    };
    let timeline = ListTimelineRequest {
        enterprise_id: enterprise_id(),
        min_position: min_position(),
        ..Default::default()
    };
    let watch = WatchTimelineRequest {
        enterprise_id: enterprise_id(),
        after_position: min_position(),
        ..<_>::default()
    };
    vec![
        ask!(enterprises.get_enterprise, profile),
        ask!(inspections.get_visit, visit),
        ask!(inspections.get_quota, quota),
        ask!(appeals.get_appeal, appeal),
        ask!(appeals.list_appeals, appeals),
        ask!(policies.get_policy, policy),
        ask!(timelines.list_timeline, timeline),
        ask!(timelines.watch_timeline, watch),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_before_it_is_too_large_and_the_next_one_goes_on() {
    const BYTES_MAX: usize = 2048;
    const APPEALS: usize = 30;
    let mut ground = Servers::start().await;
    ground.config.grpc.message_bytes_max = BYTES_MAX;
    let running = ground.run().await;
    let world = World { ground, running };
    let mut enterprise = world.enterprise(ENTERPRISE);
    let mut ids = Vec::new();
    let mut min_position = String::new();
    for _ in 0..APPEALS {
        let request = submit(ENTERPRISE, "T06", "");
        let submitted = enterprise.appeals.submit_appeal(request).await.unwrap().into_inner();
        ids.push(submitted.appeal_id);
        min_position = submitted.receipt.unwrap().position;
    }
    let mut auditor = world.role(Role::Auditor);
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let min_position = min_position.clone();
        let page =
            ListAppealsRequest { page_size: 200, page_token, min_position, ..Default::default() };
        let page = auditor.appeals.list_appeals(page).await.unwrap().into_inner();
        assert!(page.encoded_len() <= BYTES_MAX && !page.appeals.is_empty());
        listed.extend(page.appeals.into_iter().map(|appeal| appeal.appeal_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(listed, ids, "newest first, each once");
    let mut entries = Vec::new();
    loop {
        let page = ListTimelineRequest {
            enterprise_id: ENTERPRISE.to_owned(),
            page_size: 500,
            page_token,
            min_position: min_position.clone(),
            ..Default::default()
        };
        let page = auditor.timelines.list_timeline(page).await.unwrap().into_inner();
        assert!(page.encoded_len() <= BYTES_MAX && !page.entries.is_empty());
        entries.extend(page.entries.into_iter().map(|entry| entry.subject_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    entries.sort_unstable();
    ids.sort_unstable();
    assert_eq!(entries, ids, "each once");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_an_appeal_is_not_told_that_there_is_one() {
    let world = World::start().await;
    let (mut enterprise, mut dispatcher) =
        (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let request = submit(ENTERPRISE, "T06", "");
    let (appeal, _) = dispatched(&mut enterprise, &mut dispatcher, request).await;
    let elsewhere = Claims { areas: vec!["210203".into()], ..token::claims(Role::Dispatcher) };
    let (mut elsewhere, mut tax) = (world.client(&elsewhere), world.unit("tax"));
    let unknown = (Code::NotFound, "APPEAL_UNKNOWN".to_owned());
    for appeal_id in [appeal, command_id()] {
        let accept = accept(ENTERPRISE, &appeal_id);
        let status = elsewhere.appeals.accept_appeal(accept).await.unwrap_err();
        assert_eq!(said(&status), unknown, "accepting elsewhere: {status:?}");
        let status =
            tax.appeals.sign_for_appeal(sign_for(ENTERPRISE, &appeal_id)).await.unwrap_err();
        assert_eq!(said(&status), unknown, "signing for another unit's: {status:?}");
        let status = tax.appeals.resolve_appeal(resolve(&appeal_id)).await.unwrap_err();
        assert_eq!(said(&status), unknown, "resolving another unit's: {status:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_a_visit_is_not_told_that_there_is_one_nor_whose() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut owner = world.unit("market-regulation");
    let planned = owner.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let visit = planned.into_inner().visit_id;
    let mut tax = world.unit("tax");
    for visit in [visit.clone(), command_id()] {
        let unknown = (Code::NotFound, "VISIT_UNKNOWN".to_owned());
        let status = tax.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap_err();
        assert_eq!(said(&status), unknown, "approving another unit's: {status:?}");
        assert!(!format!("{status:?}").contains("market-regulation"), "{status:?}");
        let status =
            tax.inspections.check_in(check_in(&world, ENTERPRISE, &visit).await).await.unwrap_err();
        assert_eq!(said(&status), unknown, "checking in for another unit's: {status:?}");
    }
    // Who sees it anyway, here by its area, is told whose it is.
    let local = Claims {
        unit: Some("tax".into()),
        areas: vec![AREA.into()],
        ..token::claims(Role::UnitHead)
    };
    let mut local = world.client(&local);
    let status = local.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap_err();
    assert_eq!(said(&status), (Code::PermissionDenied, "VISIT_OTHER_UNIT".to_owned()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_in_force_is_open_to_all() {
    let world = World::start().await;
    let ask = |role: Role, document_version: u32| {
        let mut client = world.role(role);
        let request = GetPolicyRequest {
            name: PolicyName::Frequency.into(),
            document_version,
            ..Default::default()
        };
        async move { client.policies.get_policy(request).await }
    };
    let mut rules = catalogue::frequency_policy();
    if let Some(Document::Frequency(policy)) = &mut rules.document {
        policy.rules[0].maximum = 7;
    }
    world.publish(rules.clone()).await;
    if let Some(Document::Frequency(policy)) = &mut rules.document {
        policy.rules[0].maximum = 9;
    }
    let draft = DraftPolicyRequest {
        command_id: command_id(),
        document: Some(rules),
        expected_version: None,
    };
    world.role(Role::Admin).policies.draft_policy(draft).await.unwrap();
    // Version 1 is retired, 2 in force, 3 a draft, and 4 not there.
    for role in Role::OF_ACCOUNTS.iter() {
        let reads = |version| matches!(role, Role::Admin | Role::Auditor) && version < 4;
        for version in 1..=4 {
            let answer = ask(role, version).await;
            if version == 2 || reads(version) {
                assert_eq!(answer.unwrap().into_inner().document_version, version, "{role}");
                continue;
            }
            let unknown = (Code::NotFound, "POLICY_VERSION_UNKNOWN".to_owned());
            assert_eq!(said(&answer.unwrap_err()), unknown, "{role}: {version}");
        }
        assert_eq!(ask(role, 0).await.unwrap().into_inner().document_version, 2, "{role}");
    }
    world.stop().await;
}

fn resolve(appeal: &str) -> ResolveAppealRequest {
    ResolveAppealRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        outcome: ResolutionOutcome::Solved.into(),
        reply: "已送电".to_owned(),
        expected_version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_repeated_after_erasure_answers_with_its_first_receipt() {
    let world = World::start().await;
    let (mut enterprise, mut dispatcher, mut unit) =
        (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher), world.unit("power-supply"));
    let submission = submit(ENTERPRISE, "T06", "0411-00000000");
    let (appeal, _) = dispatched(&mut enterprise, &mut dispatcher, submission.clone()).await;
    let submitted = enterprise.appeals.submit_appeal(submission.clone()).await.unwrap();
    unit.appeals.sign_for_appeal(sign_for(ENTERPRISE, &appeal)).await.unwrap();
    let resolution = resolve(&appeal);
    let resolved = unit.appeals.resolve_appeal(resolution.clone()).await.unwrap();
    let objection = ObjectToResolutionRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.clone(),
        reason: "仍未送电".to_owned(),
        expected_version: None,
    };
    let objected = enterprise.appeals.object_to_resolution(objection.clone()).await.unwrap();
    let erase = ErasePersonalDataRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.clone(),
        expected_version: None,
    };
    world.role(Role::Admin).appeals.erase_personal_data(erase).await.unwrap();

    let again = enterprise.appeals.submit_appeal(submission).await.unwrap();
    let (mut first, again) = (submitted.into_inner(), again.into_inner());
    // What was said cannot be compared any more, so whoever repeats the id learns no token.
    first.case_token.clear();
    assert_eq!(again, first);
    let again = unit.appeals.resolve_appeal(resolution.clone()).await.unwrap();
    assert_eq!(again.into_inner(), resolved.into_inner());
    let again = enterprise.appeals.object_to_resolution(objection.clone()).await.unwrap();
    assert_eq!(again.into_inner(), objected.into_inner());

    let new = unit.appeals.resolve_appeal(resolve(&appeal)).await.unwrap_err();
    assert_eq!(said(&new), (Code::FailedPrecondition, "PERSONAL_DATA_ERASED".to_owned()));
    let borrowed = ResolveAppealRequest { command_id: objection.command_id, ..resolution };
    let borrowed = unit.appeals.resolve_appeal(borrowed).await.unwrap_err();
    assert_eq!(said(&borrowed), (Code::FailedPrecondition, "COMMAND_ID_REUSED".to_owned()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_nobody_can_see_buys_no_exemption_from_a_limit() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit = world.unit("market-regulation");
    unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    for evidence in ["", " ", "\u{3000}", "\u{200B}", "\u{FEFF}\u{2060}"] {
        let mut request = plan(ENTERPRISE, Ground::Complaint);
        request.evidence = evidence.to_owned();
        let status = unit.inspections.plan_visit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{evidence:?}: {status:?}");
    }
    world.stop().await;
}
