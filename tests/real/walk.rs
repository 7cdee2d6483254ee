//! The API from end to end: a visit, an appeal, refusals, own writes read back, a live timeline.

use doudi_api::permission::Role;
use doudi_api::proto::{
    AppealState, CheckOutRequest, CloseAppealRequest, ConfirmResolutionRequest,
    ErasePersonalDataRequest, GetAppealRequest, GetQuotaRequest, Ground, ItemOutcome, ItemResult,
    ListAppealsRequest, ListTimelineRequest, ReportResultRequest, ResolutionOutcome,
    ResolveAppealRequest, TimelineOrder, WatchTimelineRequest,
};
use doudi_server::client::command_id;
use doudi_tests::world::World;
use tonic::Code;
use tonic_types::StatusExt;

use super::requests::{
    AREA, ITEM, approve, check_in, dispatched, now, plan, reason, register, sign_for, stamp, submit,
};

const ENTERPRISE: &str = "91210212DD0000001D";

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_from_plan_to_result_and_a_second_one_refused() {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    let mut unit = world.unit("market-regulation");
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let request = plan(ENTERPRISE, Ground::Routine);
    let planned = unit.inspections.plan_visit(request.clone()).await.unwrap().into_inner();
    let again = unit.inspections.plan_visit(request).await.unwrap().into_inner();
    assert_eq!(planned, again, "the same command again answers with its first outcome");
    let visit = planned.visit_id;

    let early =
        unit.inspections.check_in(check_in(&world, ENTERPRISE, &visit).await).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition, "not approved: {early:?}");
    unit.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    unit.inspections.check_in(check_in(&world, ENTERPRISE, &visit).await).await.unwrap();
    unit.inspections
        .check_out(CheckOutRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            visit_id: visit.clone(),
            occurred_at: Some(stamp(now())),
            expected_version: None,
        })
        .await
        .unwrap();
    let result = ItemResult {
        item: ITEM.to_owned(),
        outcome: ItemOutcome::Pass.into(),
        ..ItemResult::default()
    };
    let reported = unit
        .inspections
        .report_result(ReportResultRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            visit_id: visit.clone(),
            results: vec![result],
            expected_version: Some(4),
        })
        .await
        .unwrap()
        .into_inner();

    let refused = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "CAP_REACHED".into()));
    let details = refused.get_error_details();
    let violations = &details.quota_failure().unwrap().violations;
    assert_eq!(violations[0].subject, "one-a-year-by-the-same-unit");
    for word in ["辽宁", visit.as_str()] {
        assert!(violations[0].description.contains(word), "{word}: {violations:?}");
    }
    unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Complaint)).await.unwrap();

    let quota = GetQuotaRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: reported.receipt.unwrap().position,
        ..GetQuotaRequest::default()
    };
    let quota = unit.inspections.get_quota(quota).await.unwrap().into_inner().quotas;
    assert_eq!((quota[0].used, quota[0].remaining), (1, 0));
    assert_eq!(quota[0].visit_ids, [visit]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_from_submission_to_close_and_its_erasure() {
    let world = World::start().await;
    let (mut enterprise, mut dispatcher) =
        (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let request = submit(ENTERPRISE, "T06", "企业联系人 0411-00000000");
    let (appeal, unit) = dispatched(&mut enterprise, &mut dispatcher, request).await;
    assert_eq!(unit, "power-supply", "T06 is led by the power supply company");

    let sign = |client: &str| {
        let mut client = world.unit(client);
        let request = sign_for(ENTERPRISE, &appeal);
        async move { client.appeals.sign_for_appeal(request).await }
    };
    let foreign = sign("tax").await.unwrap_err();
    // Not "denied": a unit that may not see the appeal must not learn that there is one.
    assert_eq!(foreign.code(), Code::NotFound, "another unit's appeal: {foreign:?}");
    sign("power-supply").await.unwrap();
    let position = close(&world, &appeal).await;
    listed_within_scope(&world, &appeal, position).await;
    read_then_erased(&world, &appeal).await;
    world.stop().await;
}

/// Resolved, confirmed, closed; answers with the position of the close.
async fn close(world: &World, appeal: &str) -> String {
    world
        .unit("power-supply")
        .appeals
        .resolve_appeal(ResolveAppealRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            appeal_id: appeal.to_owned(),
            outcome: ResolutionOutcome::Solved.into(),
            reply: "已送电".to_owned(),
            expected_version: None,
        })
        .await
        .unwrap();
    world
        .enterprise(ENTERPRISE)
        .appeals
        .confirm_resolution(ConfirmResolutionRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            appeal_id: appeal.to_owned(),
            expected_version: None,
        })
        .await
        .unwrap();
    let closed = world
        .role(Role::Dispatcher)
        .appeals
        .close_appeal(CloseAppealRequest {
            command_id: command_id(),
            enterprise_id: ENTERPRISE.to_owned(),
            appeal_id: appeal.to_owned(),
            expected_version: None,
        })
        .await
        .unwrap()
        .into_inner();
    closed.receipt.unwrap().position
}

/// Its unit finds it under every filter; another unit does not.
async fn listed_within_scope(world: &World, appeal: &str, position: String) {
    let list = ListAppealsRequest {
        state: AppealState::Closed.into(),
        area: AREA.to_owned(),
        unit: "power-supply".to_owned(),
        topic: "T06".to_owned(),
        min_position: position,
        ..ListAppealsRequest::default()
    };
    let listed = world
        .unit("power-supply")
        .appeals
        .list_appeals(list.clone())
        .await
        .unwrap()
        .into_inner()
        .appeals;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].appeal_id.as_str(), listed[0].rule.as_str()), (appeal, "topic/T06"));
    let elsewhere = world.unit("tax").appeals.list_appeals(list).await.unwrap().into_inner();
    assert!(elsewhere.appeals.is_empty(), "the scope is part of the predicate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_co_unit_finds_and_reads_what_it_shares_and_others_do_not() {
    let world = World::start().await;
    let (mut enterprise, mut dispatcher) =
        (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let request = submit(ENTERPRISE, "T05", "企业联系人");
    let (appeal, unit) = dispatched(&mut enterprise, &mut dispatcher, request).await;
    assert_eq!(unit, "natural-resources");
    let get = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.clone(),
        min_position: String::new(),
        as_of: None,
    };
    let position = dispatcher.appeals.get_appeal(get.clone()).await.unwrap().into_inner().position;
    for (unit, shares) in [("natural-resources", true), ("tax", true), ("customs", false)] {
        let mut unit = world.unit(unit).appeals;
        let list = ListAppealsRequest { min_position: position.clone(), ..Default::default() };
        let listed = unit.list_appeals(list).await.unwrap().into_inner().appeals;
        let found: Vec<_> = listed.into_iter().map(|found| found.appeal_id).collect();
        assert_eq!(found, if shares { vec![appeal.clone()] } else { vec![] });
        assert_eq!(unit.get_appeal(get.clone()).await.is_ok(), shares);
    }
    world.stop().await;
}

/// What was sealed can be read, until the key is destroyed.
async fn read_then_erased(world: &World, appeal: &str) {
    let get = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        min_position: String::new(),
        as_of: None,
    };
    let read =
        world.enterprise(ENTERPRISE).appeals.get_appeal(get.clone()).await.unwrap().into_inner();
    let read = read.appeal.unwrap();
    assert_eq!(
        (read.contact.as_str(), read.reply.as_str()),
        ("企业联系人 0411-00000000", "已送电")
    );
    let erase = ErasePersonalDataRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    };
    world.role(Role::Admin).appeals.erase_personal_data(erase).await.unwrap();
    let read = world
        .enterprise(ENTERPRISE)
        .appeals
        .get_appeal(get)
        .await
        .unwrap()
        .into_inner()
        .appeal
        .unwrap();
    assert!(read.erased && read.contact.is_empty() && read.description.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_timeline_resumes_without_loss_or_repeat() {
    let world = World::start().await;
    let mut supervisor = world.role(Role::Supervisor);
    let mut unit = world.unit("market-regulation");
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut seen: Vec<(String, u32)> = Vec::new();
    let mut after = String::new();
    let mut last = String::new();
    for step in 0..4 {
        let request = WatchTimelineRequest {
            enterprise_id: ENTERPRISE.to_owned(),
            after_position: after,
            ..<_>::default()
        };
        let mut live = supervisor.timelines.watch_timeline(request).await.unwrap().into_inner();
        let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Complaint)).await;
        let planned = planned.unwrap().into_inner();
        last = planned.receipt.unwrap().position;
        after = loop {
            let message = live.message().await.unwrap().expect("the stream goes on");
            let Some(entry) = message.entry else { continue };
            seen.push((entry.position, entry.ordinal));
            if entry.subject_id == planned.visit_id {
                break message.position;
            }
        };
        assert_eq!(seen.len(), step + 2, "registered once, then one plan each: {seen:?}");
    }
    let page = ListTimelineRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        order: TimelineOrder::OldestFirst.into(),
        min_position: last,
        ..ListTimelineRequest::default()
    };
    let page = supervisor.timelines.list_timeline(page).await.unwrap().into_inner().entries;
    let listed: Vec<_> = page.into_iter().map(|entry| (entry.position, entry.ordinal)).collect();
    assert_eq!(listed, seen, "live and listed are the same entries");
    world.stop().await;
}
