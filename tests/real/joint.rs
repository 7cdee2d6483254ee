//! Joint visits (综合查一次): planned together or merged, approved by the head of each unit, one entry, and results per
//! unit.

use doudi_api::proto::{
    CancelReason, CancelVisitRequest, GetQuotaRequest, Ground, ItemOutcome, MergeVisitsRequest,
    NotifyVisitRequest, PlanVisitRequest, Quota, VisitState,
};
use doudi_server::client::{Client, command_id};
use tonic::Code;

use super::codes::{ENTERPRISE, MARKET, registered};
use super::requests::{
    ITEM, approve, approved, check_in, check_out, explain, found, in_days, officers, plan,
    read_visit, reason, report, tax_share,
};

/// A visit of the market regulator in which the tax bureau takes part.
fn with_tax() -> PlanVisitRequest {
    PlanVisitRequest { shares: vec![tax_share()], ..plan(ENTERPRISE, Ground::Routine) }
}

/// A visit of the tax bureau alone.
fn of_tax(days: i32) -> PlanVisitRequest {
    let share = tax_share();
    PlanVisitRequest {
        officers: share.officers,
        items: share.items,
        planned_on: Some(in_days(days)),
        ..plan(ENTERPRISE, Ground::Routine)
    }
}

fn merge(visit: &str, into: &str) -> MergeVisitsRequest {
    MergeVisitsRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        into_visit_id: into.to_owned(),
        expected_version: None,
    }
}

fn cancel(visit: &str) -> CancelVisitRequest {
    CancelVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        reason: CancelReason::OfficersUnavailable.into(),
        expected_version: None,
    }
}

/// How the enterprise stands against a rule, as the unit sees it after that position.
async fn standing(unit: &mut Client, rule: &str, min_position: String) -> Quota {
    let request = GetQuotaRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position,
        ..GetQuotaRequest::default()
    };
    let quotas = unit.inspections.get_quota(request).await.unwrap().into_inner().quotas;
    quotas.into_iter().find(|quota| quota.rule == rule).unwrap()
}

const OF_ONE_UNIT: &str = "one-a-year-by-the-same-unit";
const OF_ALL_UNITS: &str = "four-a-year-by-all-units";

#[tokio::test(flavor = "multi_thread")]
async fn each_head_approves_for_its_unit_and_each_unit_reports_its_own_items() {
    let world = registered().await;
    let (mut market, mut tax) = (world.unit(MARKET), world.unit("tax"));
    let visit = market.inspections.plan_visit(with_tax()).await.unwrap().into_inner().visit_id;
    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let seen = read_visit(&mut tax, ENTERPRISE, &visit).await.unwrap();
    let approvals: Vec<(&str, bool)> =
        seen.shares.iter().map(|share| (share.unit.as_str(), share.approved)).collect();
    assert_eq!(approvals, [(MARKET, true), ("tax", false)]);
    assert_eq!((seen.state(), seen.unit.as_str()), (VisitState::Planned, MARKET));
    let early = check_in(&world, ENTERPRISE, &visit).await;
    let status = market.inspections.check_in(early).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_WRONG_PHASE", "one head has not approved: {status:?}");
    tax.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();

    // Any unit that takes part scans for all who came.
    let mut came = check_in(&world, ENTERPRISE, &visit).await;
    came.officers = [officers(), tax_share().officers].concat();
    tax.inspections.check_in(came).await.unwrap();
    market.inspections.check_out(check_out(ENTERPRISE, &visit)).await.unwrap();
    let own = |item| vec![found(item, ItemOutcome::Pass)];
    let foreign = report(ENTERPRISE, &visit, own(ITEM));
    let status = tax.inspections.report_result(foreign).await.unwrap_err();
    assert_eq!(reason(&status), "ITEMS_DIFFER", "the item is the other unit's: {status:?}");
    tax.inspections.report_result(report(ENTERPRISE, &visit, own("SC-0202"))).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.results.len()), (VisitState::CheckedOut, 1));
    assert_eq!(seen.results[0].unit, "tax");
    let last = report(ENTERPRISE, &visit, own(ITEM));
    let last = market.inspections.report_result(last).await.unwrap().into_inner();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.results.len()), (VisitState::Reported, 2));

    // One entry, which each unit has used its place for.
    let position = last.receipt.unwrap().position;
    let of_all = standing(&mut market, OF_ALL_UNITS, position.clone()).await;
    assert_eq!((of_all.used, of_all.visit_ids), (1, vec![visit.clone()]));
    for unit in [&mut market, &mut tax] {
        let of_one = standing(unit, OF_ONE_UNIT, position.clone()).await;
        assert_eq!((of_one.used, of_one.remaining), (1, 0), "{of_one:?}");
    }
    let status = tax.inspections.plan_visit(of_tax(9)).await.unwrap_err();
    assert_eq!(reason(&status), "CAP_REACHED");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_near_anothers_is_shown_to_who_plans_and_merged_into_it() {
    let world = registered().await;
    let (mut market, mut tax) = (world.unit(MARKET), world.unit("tax"));
    let into = tax.inspections.plan_visit(of_tax(0)).await.unwrap().into_inner().visit_id;
    let own = PlanVisitRequest { planned_on: Some(in_days(10)), ..with_tax() };
    let own = PlanVisitRequest { shares: vec![], ..own };
    let told = market.inspections.explain_plan(explain(&own)).await.unwrap().into_inner();
    assert_eq!(told.near.len(), 1, "{told:?}");
    assert_eq!((told.near[0].visit_id.as_str(), told.near[0].unit.as_str()), (&*into, "tax"));
    let visit = approved(&mut market, own).await;
    let merged = market.inspections.merge_visits(merge(&visit, &into)).await.unwrap().into_inner();
    let again = market.inspections.merge_visits(merge(&visit, &into)).await.unwrap().into_inner();
    assert!(again.receipt.unwrap().unchanged);

    let given_up = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((given_up.state(), given_up.merged_into), (VisitState::Merged, into.clone()));
    let goes_on = read_visit(&mut market, ENTERPRISE, &into).await.unwrap();
    assert_eq!((goes_on.unit.as_str(), goes_on.shares.len()), ("tax", 2));
    let theirs = goes_on.shares.iter().find(|share| share.unit == MARKET).unwrap();
    assert!(theirs.approved, "what its head approved stays approved");
    let position = merged.receipt.unwrap().position;
    let of_all = standing(&mut market, OF_ALL_UNITS, position).await;
    assert_eq!((of_all.reserved, of_all.visit_ids), (1, vec![into]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_far_off_or_is_joint_already_is_not_merged() {
    let world = registered().await;
    let (mut market, mut tax) = (world.unit(MARKET), world.unit("tax"));
    let far = tax.inspections.plan_visit(of_tax(40)).await.unwrap().into_inner().visit_id;
    let own = plan(ENTERPRISE, Ground::Routine);
    let own = market.inspections.plan_visit(own).await.unwrap().into_inner().visit_id;
    let status = market.inspections.merge_visits(merge(&own, &far)).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::FailedPrecondition, "NOT_MERGEABLE".to_owned())
    );
    // Only its lead gives a visit up.
    let status = tax.inspections.merge_visits(merge(&own, &far)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "VISIT_UNKNOWN".to_owned()));
    let unknown = market.inspections.merge_visits(merge(&own, &command_id())).await.unwrap_err();
    assert_eq!(reason(&unknown), "VISIT_UNKNOWN");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_part_withdraws_without_the_others_and_the_lead_calls_all_off() {
    let world = registered().await;
    let (mut market, mut tax) = (world.unit(MARKET), world.unit("tax"));
    let visit = market.inspections.plan_visit(with_tax()).await.unwrap().into_inner().visit_id;
    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let notify = NotifyVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.clone(),
        expected_version: None,
    };
    let status = tax.inspections.notify_visit(notify).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_OTHER_UNIT", "only the lead tells the enterprise");
    tax.inspections.cancel_visit(cancel(&visit)).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.shares.len()), (VisitState::Approved, 1));
    assert_eq!((seen.officers.clone(), seen.items), (officers(), vec![ITEM.to_owned()]));
    let gone = read_visit(&mut tax, ENTERPRISE, &visit).await.unwrap_err();
    assert_eq!(reason(&gone), "VISIT_UNKNOWN", "who withdrew takes no part");
    tax.inspections.plan_visit(of_tax(3)).await.unwrap();
    market.inspections.cancel_visit(cancel(&visit)).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!(seen.state(), VisitState::Cancelled);
    let status = read_visit(&mut world.unit("transport"), ENTERPRISE, &visit).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "VISIT_UNKNOWN".to_owned()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_plan_needs_the_catalogue_and_the_place_of_every_unit() {
    let world = registered().await;
    let (mut market, mut tax) = (world.unit(MARKET), world.unit("tax"));
    let before = world.running.parts.journal.last_position().await.unwrap();
    let with = |change: fn(&mut PlanVisitRequest)| {
        let mut request = with_tax();
        change(&mut request);
        request
    };
    for (request, expected) in [
        (with(|r| r.shares[0].unit = "urban-management".into()), "CATALOGUE_UNPUBLISHED"),
        (with(|r| r.shares[0].items[0] = ITEM.into()), "ITEM_UNPUBLISHED"),
        (with(|r| r.shares[0].officers[0] = "LNB-0001".into()), "OFFICER_INVALID"),
    ] {
        let told = market.inspections.explain_plan(explain(&request)).await.unwrap().into_inner();
        let status = market.inspections.plan_visit(request).await.unwrap_err();
        assert_eq!((told.reason.as_str(), reason(&status).as_str()), (expected, expected));
    }
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    tax.inspections.plan_visit(of_tax(0)).await.unwrap();
    let status = market.inspections.plan_visit(with_tax()).await.unwrap_err();
    assert_eq!(reason(&status), "CAP_REACHED", "the other unit has no place left: {status:?}");
    world.stop().await;
}
