//! After the officers left: what was found line by line, word to the enterprise, rectification and recheck, checks
//! from elsewhere, and complaints that hold a unit's other visits.

use std::time::Duration;

use doudi_api::permission::Role;
use doudi_api::proto::{
    AcceptRectificationRequest, CheckInRequest, ClockKind, ConfirmResolutionRequest,
    GetQuotaRequest, Ground, ItemOutcome, ItemResult, ListTimelineRequest, PlanVisitRequest,
    RecordOffSiteCheckRequest, ReportRectificationRequest, ResolutionOutcome, ResolveAppealRequest,
    SubmitAppealRequest, TellEnterpriseRequest, TimelineEntry, TimelineKind, VisitState,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::{until, world::World};
use tonic::Code;

use super::codes::{ENTERPRISE, MARKET, OTHER, printed, registered, revoke};
use super::requests::{
    ITEM, approved, check_in, check_out, dispatched, found, in_days, now, plan, read_visit, reason,
    report, shown, sign_for, stamp, submit, tax_share,
};
use super::scans::urgent;

const BOUND: Duration = Duration::from_secs(60);

/// A visit from the plan until the officers left.
async fn visited(world: &World, market: &mut Client, request: PlanVisitRequest) -> String {
    let visit = approved(market, request).await;
    let came = check_in(world, ENTERPRISE, &visit).await;
    market.inspections.check_in(came).await.unwrap();
    market.inspections.check_out(check_out(ENTERPRISE, &visit)).await.unwrap();
    visit
}

fn tell(visit: &str) -> TellEnterpriseRequest {
    TellEnterpriseRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        document: "大市监告〔2025〕7号".to_owned(),
        expected_version: None,
    }
}

fn rectified(visit: &str, document: &str) -> ReportRectificationRequest {
    ReportRectificationRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        item: ITEM.to_owned(),
        document: document.to_owned(),
    }
}

fn accept(visit: &str) -> AcceptRectificationRequest {
    AcceptRectificationRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        item: ITEM.to_owned(),
        expected_version: None,
    }
}

/// The second line of the item's checklist was not met.
fn to_rectify() -> ItemResult {
    ItemResult { unmet: vec![2], ..found(ITEM, ItemOutcome::RectifyBy) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_told_rectified_accepted_and_closed() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let visit = visited(&world, &mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let with =
        |outcome, unmet: &[u32]| ItemResult { unmet: unmet.to_vec(), ..found(ITEM, outcome) };
    for (result, expected) in [
        (with(ItemOutcome::Pass, &[1]), "CHECKLIST_DIFFERS"),
        (with(ItemOutcome::RectifyBy, &[3]), "CHECKLIST_DIFFERS"),
        (found("SC-0102", ItemOutcome::Pass), "ITEMS_DIFFER"),
        (ItemResult { rectify_by: Some(in_days(-1)), ..to_rectify() }, "RECTIFY_BY_OUT_OF_RANGE"),
    ] {
        let request = report(ENTERPRISE, &visit, vec![result]);
        let status = market.inspections.report_result(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    let status = market.inspections.tell_enterprise(tell(&visit)).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_WRONG_PHASE", "nothing is reported yet: {status:?}");
    let request = report(ENTERPRISE, &visit, vec![to_rectify()]);
    market.inspections.report_result(request).await.unwrap();
    let seen = read_visit(&mut enterprise, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.told), (VisitState::Reported, false));
    assert_eq!((seen.clocks[0].kind(), seen.clocks[0].working_days), (ClockKind::Tell, 5));
    assert_eq!(seen.results[0].unmet, [2]);
    let open = &seen.rectifications[0];
    assert_eq!((open.unit.as_str(), open.item.as_str(), open.overdue), (MARKET, ITEM, false));
    assert_eq!(open.by, to_rectify().rectify_by);

    market.inspections.tell_enterprise(tell(&visit)).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.told, seen.clocks), (VisitState::Reported, true, vec![]));
    let mut other = world.enterprise(OTHER);
    let status = other.inspections.report_rectification(rectified(&visit, "x")).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let said = rectified(&visit, "整改报告1号");
    enterprise.inspections.report_rectification(said).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!(seen.rectifications[0].reported, "整改报告1号");
    market.inspections.accept_rectification(accept(&visit)).await.unwrap();
    let seen = read_visit(&mut enterprise, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.rectifications), (VisitState::Closed, vec![]));
    let late = rectified(&visit, "整改报告2号");
    let status = enterprise.inspections.report_rectification(late).await.unwrap_err();
    assert_eq!(reason(&status), "NOTHING_TO_RECTIFY");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recheck_that_finds_it_in_order_closes_the_visit_and_takes_no_place() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let visit = visited(&world, &mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let recheck = || PlanVisitRequest {
        recheck_of: visit.clone(),
        ..plan(ENTERPRISE, Ground::RectificationRecheck)
    };
    let status = market.inspections.plan_visit(recheck()).await.unwrap_err();
    assert_eq!(reason(&status), "RECHECK_UNFOUNDED", "nothing is to be rectified: {status:?}");
    let request = report(ENTERPRISE, &visit, vec![to_rectify()]);
    market.inspections.report_result(request).await.unwrap();
    market.inspections.tell_enterprise(tell(&visit)).await.unwrap();

    let second = visited(&world, &mut market, recheck()).await;
    let fine = report(ENTERPRISE, &second, vec![found(ITEM, ItemOutcome::Pass)]);
    let last = market.inspections.report_result(fine).await.unwrap().into_inner();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.rectifications), (VisitState::Closed, vec![]));
    let seen = read_visit(&mut market, ENTERPRISE, &second).await.unwrap();
    assert_eq!((seen.state(), seen.recheck_of), (VisitState::Reported, visit.clone()));
    let quota = GetQuotaRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: last.receipt.unwrap().position,
        ..GetQuotaRequest::default()
    };
    let quota = market.inspections.get_quota(quota).await.unwrap().into_inner().quotas;
    assert_eq!((quota[0].used, quota[0].exempt), (1, 1));
    assert_eq!(quota[0].visit_ids, [visit]);
    world.stop().await;
}

fn off_site(item: &str) -> RecordOffSiteCheckRequest {
    RecordOffSiteCheckRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        occurred_at: Some(stamp(now())),
        basis: "年度报告公示信息".to_owned(),
        results: vec![found(item, ItemOutcome::Pass)],
        expected_version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_from_elsewhere_is_recorded_and_counts_nowhere() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let request = off_site("SC-0105");
    let first = market.inspections.record_off_site_check(request.clone()).await.unwrap();
    let again = market.inspections.record_off_site_check(request).await.unwrap();
    let first = first.into_inner();
    assert_eq!(again.into_inner(), first);
    for (item, expected) in [(ITEM, "ON_SITE_ONLY"), ("SC-9999", "ITEM_UNPUBLISHED")] {
        let status = market.inspections.record_off_site_check(off_site(item)).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    let quota = GetQuotaRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: first.receipt.unwrap().position,
        ..GetQuotaRequest::default()
    };
    let quota = market.inspections.get_quota(quota).await.unwrap().into_inner().quotas;
    for rule in &quota {
        assert_eq!((rule.used, rule.reserved, rule.exempt), (0, 0, 0), "{rule:?}");
    }
    // It is no visit, and takes nobody's place.
    let status = read_visit(&mut market, ENTERPRISE, &first.check_id).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_UNKNOWN");
    market.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    world.stop().await;
}

/// Scans until it is refused for that reason. The scan must be one that lets nobody in.
async fn refused_for(world: &World, scan: &CheckInRequest, wanted: &str) {
    let reached = until(BOUND, || async {
        let scan = CheckInRequest { command_id: command_id(), ..scan.clone() };
        let status = world.unit(MARKET).inspections.check_in(scan).await.unwrap_err();
        (reason(&status) == wanted).then_some(())
    });
    reached.await.unwrap_or_else(|| panic!("never refused for {wanted}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_about_a_visit_holds_the_units_others_there_until_it_is_answered() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let visit = visited(&world, &mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let next = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let (mut enterprise, mut dispatcher) =
        (world.enterprise(ENTERPRISE), world.role(Role::Dispatcher));
    let complaint =
        SubmitAppealRequest { about_visit_id: visit.clone(), ..submit(ENTERPRISE, "T06", "") };
    let (appeal, unit) = dispatched(&mut enterprise, &mut dispatcher, complaint).await;
    // A code that is good no more lets nobody in before the hold is there.
    let hung = printed(&world).await;
    enterprise.codes.revoke_enterprise_code(revoke(&hung.code_id)).await.unwrap();
    let scan = check_in(&world, ENTERPRISE, &next).await;
    let scan = CheckInRequest { code: hung.text, ..scan };
    refused_for(&world, &scan, "VISITS_HELD").await;
    // Who sees the visit does not learn of which complaint it is.
    let held = until(BOUND, || async {
        let request =
            ListTimelineRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
        let timeline = world.role(Role::Supervisor).timelines.list_timeline(request).await.unwrap();
        // The appeal remembers of itself that it holds them.
        let of_visits = |entry: &TimelineEntry| entry.kind() == TimelineKind::Visit;
        let mut entries = timeline.into_inner().entries.into_iter().filter(of_visits);
        entries.find(|entry| entry.event_type == "VisitsHeld")
    });
    let held = held.await.expect("it is on the timeline");
    assert!(held.details_json.contains("unit"), "{held:?}");
    assert!(!held.details_json.contains(&appeal), "{held:?}");
    // Those that cannot wait, and other units, come all the same.
    let urgent = urgent(&shown(&world, ENTERPRISE).await);
    market.inspections.check_in_urgently(urgent).await.unwrap();
    let mut tax = world.unit("tax");
    let share = tax_share();
    let of_tax = plan(ENTERPRISE, Ground::Routine);
    let of_tax =
        PlanVisitRequest { officers: share.officers.clone(), items: share.items, ..of_tax };
    let of_tax = approved(&mut tax, of_tax).await;
    let came = check_in(&world, ENTERPRISE, &of_tax).await;
    let came = CheckInRequest { officers: share.officers, ..came };
    tax.inspections.check_in(came).await.unwrap();

    let mut unit = world.unit(&unit);
    unit.appeals.sign_for_appeal(sign_for(ENTERPRISE, &appeal)).await.unwrap();
    let resolve = ResolveAppealRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.clone(),
        outcome: ResolutionOutcome::Solved.into(),
        reply: "已更换执法人员".to_owned(),
        expected_version: None,
    };
    unit.appeals.resolve_appeal(resolve).await.unwrap();
    // The unit's own word frees nobody; the enterprise's does.
    refused_for(&world, &scan, "VISITS_HELD").await;
    let confirm = ConfirmResolutionRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal,
        expected_version: None,
    };
    enterprise.appeals.confirm_resolution(confirm).await.unwrap();
    refused_for(&world, &scan, "CODE_REVOKED").await;
    let scan = check_in(&world, ENTERPRISE, &next).await;
    market.inspections.check_in(scan).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &next).await.unwrap();
    assert_eq!(seen.state(), VisitState::CheckedIn);
    world.stop().await;
}
