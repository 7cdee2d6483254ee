//! Questions as of an earlier time: as the log stood at a position or an instant, and as the world was.

use std::time::Duration;

use doudi_api::permission::Role;
use doudi_api::proto::{
    AsOf, BackfillCheckInRequest, ChangeAreaRequest, FrequencyPolicy, FrequencySubject,
    FrequencyWindow, GetAppealRequest, GetEnterprisePageRequest, GetEnterpriseRequest,
    GetQuotaRequest, GetVisitRequest, Ground, ListAppealsRequest, ListNearVisitsRequest,
    ListTimelineRequest, ListVisitsRequest, PlanVisitRequest, PolicyDocument, Share, VisitFilter,
    VisitState, VisitTerms, as_of::Moment, policy_document::Document,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::{until, world::World};
use jiff::SignedDuration;

use super::requests::{
    accept, approve, at, between, check_in, in_days, now, plan, reason, register, rule, stamp,
    submit, tax_share,
};

const ENTERPRISE: &str = "91210212DD0000001D";

/// Longer than tables need to come to know what was published.
const BOUND: Duration = Duration::from_secs(30);

/// What everybody is told of the enterprise's first visit and first appeal.
#[derive(Debug, PartialEq)]
struct Told {
    area: String,
    visit: Option<VisitState>,
    listed: Vec<VisitState>,
    used: u32,
    appeals: usize,
    entries: usize,
    open: usize,
}

async fn told(client: &Client, visit: &str, position: &str, as_of: Option<AsOf>) -> Told {
    let (enterprise_id, min_position) = (ENTERPRISE.to_owned(), position.to_owned());
    let request = GetEnterpriseRequest {
        enterprise_id: enterprise_id.clone(),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
    };
    let known = client.enterprises.clone().get_enterprise(request).await.unwrap().into_inner();
    let request = GetVisitRequest {
        enterprise_id: enterprise_id.clone(),
        visit_id: visit.to_owned(),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
    };
    let found = client.inspections.clone().get_visit(request).await.ok();
    let filter = VisitFilter { enterprise_id: enterprise_id.clone(), ..<_>::default() };
    let request = ListVisitsRequest {
        filter: Some(filter),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let list = client.visit_lists.clone().list_visits(request).await.unwrap().into_inner();
    let state = |row: &doudi_api::proto::VisitRow| match &row.what {
        Some(doudi_api::proto::visit_row::What::Visit(visit)) => visit.state(),
        other => panic!("{other:?}"),
    };
    let request = GetQuotaRequest {
        enterprise_id: enterprise_id.clone(),
        unit: "market-regulation".to_owned(),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let quota = client.inspections.clone().get_quota(request).await.unwrap().into_inner();
    let request = ListAppealsRequest {
        enterprise_id: enterprise_id.clone(),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let appeals = client.appeals.clone().list_appeals(request).await.unwrap().into_inner();
    let request = ListTimelineRequest {
        enterprise_id: enterprise_id.clone(),
        min_position: min_position.clone(),
        as_of: as_of.clone(),
        ..<_>::default()
    };
    let timeline = client.timelines.clone().list_timeline(request).await.unwrap().into_inner();
    let request = GetEnterprisePageRequest { enterprise_id, min_position, as_of, ..<_>::default() };
    let page = client.supervision.clone().get_enterprise_page(request).await.unwrap().into_inner();
    Told {
        area: known.enterprise.unwrap().area,
        visit: found.map(|found| found.into_inner().visit.unwrap().state()),
        listed: list.visits.iter().map(state).collect(),
        used: quota.quotas.iter().map(|quota| quota.used).max().unwrap_or_default(),
        appeals: appeals.appeals.len(),
        entries: timeline.entries.len(),
        open: page.open_visits.len() + page.open_appeals.len(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_at_a_position_and_at_an_instant_is_said_of_it_again() {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit = world.unit("market-regulation");
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let planned = planned.into_inner();
    let (visit, first) = (planned.visit_id, planned.receipt.unwrap().position);
    let supervisor = world.role(Role::Supervisor);
    let at_first = told(&supervisor, &visit, &first, None).await;
    assert_eq!((at_first.visit, at_first.used), (Some(VisitState::Planned), 0));
    let begun = between().await;
    unit.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let scan = check_in(&world, ENTERPRISE, &visit).await;
    unit.inspections.check_in(scan).await.unwrap();
    let change = ChangeAreaRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        area: "210211".to_owned(),
        basis: "no. 1".to_owned(),
        ..<_>::default()
    };
    let mut dispatcher = world.role(Role::Dispatcher);
    let mut own = world.enterprise(ENTERPRISE);
    let appeal = own.appeals.submit_appeal(submit(ENTERPRISE, "T06", "")).await.unwrap();
    let appeal = appeal.into_inner().appeal_id;
    dispatcher.appeals.accept_appeal(accept(ENTERPRISE, &appeal)).await.unwrap();
    let changed = admin.enterprises.change_area(change).await.unwrap().into_inner();
    let last = changed.receipt.unwrap().position;
    let auditor = world.role(Role::Auditor);
    let at_last = told(&auditor, &visit, &last, None).await;
    assert_eq!((at_last.visit, at_last.used), (Some(VisitState::CheckedIn), 1));
    assert_eq!((at_last.appeals, at_last.area.as_str()), (1, "210211"));

    assert_eq!(told(&auditor, &visit, "", at(Moment::Position(first.clone()))).await, at_first);
    assert_eq!(told(&auditor, &visit, "", at(Moment::Position(last.clone()))).await, at_last);
    let instant = stamp(begun);
    assert_eq!(told(&auditor, &visit, "", at(Moment::RecordedAt(instant))).await, at_first);
    // Nothing of it was recorded late, so it was known when it happened.
    assert_eq!(told(&auditor, &visit, "", at(Moment::OccurredAt(instant))).await, at_first);
    let request = GetAppealRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: appeal.clone(),
        as_of: at(Moment::Position(first)),
        ..<_>::default()
    };
    let refused = auditor.appeals.clone().get_appeal(request).await.unwrap_err();
    assert_eq!(reason(&refused), "APPEAL_UNKNOWN", "there was none yet");

    let ask = async |moment| {
        let request = ListAppealsRequest { as_of: at(moment), ..<_>::default() };
        reason(&auditor.appeals.clone().list_appeals(request).await.unwrap_err())
    };
    let tomorrow = stamp(now() + SignedDuration::from_hours(24));
    assert_eq!(ask(Moment::RecordedAt(tomorrow)).await, "IN_FUTURE");
    assert_eq!(ask(Moment::OccurredAt(tomorrow)).await, "IN_FUTURE");
    assert_eq!(ask(Moment::Position("AQAAAP________".to_owned())).await, "POSITION_INVALID");
    assert_eq!(ask(Moment::Position("AQAAAAAAD0JA".to_owned())).await, "POSITION_AHEAD");
    world.stop().await;
}

/// A policy by which visits are near that are a day apart.
fn a_day_apart() -> PolicyDocument {
    let year = FrequencyWindow::CalendarYear;
    let rules = vec![rule("year", FrequencySubject::AllUnits, year, 9)];
    let visits = Some(VisitTerms { near_days: Some(1), ..<_>::default() });
    let policy = FrequencyPolicy { rules, visits, ..<_>::default() };
    PolicyDocument { document: Some(Document::Frequency(policy)) }
}

/// The visits that are told of, or why there is no answer.
type Near = Result<Vec<String>, String>;

/// Asks for the visits of others that are near in two days.
async fn near(client: &Client, min_position: &str, as_of: Option<AsOf>) -> Near {
    let request = ListNearVisitsRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        on: Some(in_days(2)),
        min_position: min_position.to_owned(),
        as_of,
        ..<_>::default()
    };
    let near = client.visit_lists.clone().list_near_visits(request).await;
    let near = near.map_err(|status| reason(&status))?.into_inner().visits;
    Ok(near.into_iter().map(|near| near.visit_id).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn visits_of_others_are_as_near_as_they_were_and_by_the_policy_of_then() {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    let known = admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let before = known.into_inner().receipt.unwrap().position;
    let (market, mut tax) = (world.unit("market-regulation"), world.unit("tax"));
    let Share { officers, items, .. } = tax_share();
    let request =
        PlanVisitRequest { officers: officers.clone(), items, ..plan(ENTERPRISE, Ground::Routine) };
    let visit = tax.inspections.plan_visit(request).await.unwrap().into_inner().visit_id;
    let done = tax.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let ahead = done.into_inner().receipt.unwrap().position;
    let (some, none): (Near, Near) = (Ok(vec![visit.clone()]), Ok(vec![]));
    assert_eq!(near(&market, &ahead, None).await, some);
    assert_eq!(near(&tax, &ahead, None).await, none, "its own");
    let (early, came, later) = (between().await, between().await, between().await);

    world.publish(a_day_apart()).await;
    // The tables come to know the policy a moment later.
    let nothing = async || (near(&market, &ahead, None).await == none).then_some(());
    assert!(until(BOUND, nothing).await.is_some());
    assert_eq!(near(&market, "", at(Moment::Position(ahead.clone()))).await, some);
    // That the officers came is recorded when it had been so for a while.
    let late = BackfillCheckInRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit,
        officers,
        occurred_at: Some(stamp(came)),
        reason: "系统停机".to_owned(),
        ..<_>::default()
    };
    let done = tax.inspections.backfill_check_in(late).await.unwrap();
    let last = done.into_inner().receipt.unwrap().position;
    let (early, later) = (stamp(early), stamp(later));
    let tomorrow = stamp(now() + SignedDuration::from_hours(24));
    let in_future = Err("IN_FUTURE".to_owned());
    for (moment, expected) in [
        (Moment::Position(before), &none),
        (Moment::Position(ahead), &some),
        (Moment::Position(last.clone()), &none),
        (Moment::RecordedAt(early), &some),
        (Moment::RecordedAt(later), &some),
        (Moment::OccurredAt(early), &some),
        (Moment::OccurredAt(later), &none),
        (Moment::RecordedAt(tomorrow), &in_future),
        (Moment::OccurredAt(tomorrow), &in_future),
    ] {
        let said = near(&market, &last, at(moment.clone())).await;
        assert_eq!(said, *expected, "{moment:?}");
    }
    world.stop().await;
}
