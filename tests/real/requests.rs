//! Requests as a client would write them, for the tests beside this file.

use doudi_api::proto::{
    AcceptAppealRequest, ApproveVisitRequest, AsOf, BackfillCheckInRequest, ChangeAreaRequest,
    Channel, CheckInRequest, CheckOutRequest, Date, DispatchAppealRequest, ExplainPlanRequest,
    FrequencyPolicy, FrequencyRule, FrequencySubject, FrequencyWindow, GetVisitRequest, Ground,
    InspectionCatalogue, ItemOutcome, ItemResult, PlanVisitRequest, PolicyDocument,
    RegisterEnterpriseRequest, ReportResultRequest, Share, ShowEnterpriseCodeRequest,
    SignForAppealRequest, SubmitAppealRequest, UnplannedVisit, Visit, as_of::Moment,
    policy_document::Document,
};
use doudi_domain::calendar::civil_date;
use doudi_server::{
    catalogue,
    client::{Client, command_id},
    clock,
};
use doudi_tests::world::World;
use jiff::{SignedDuration, Timestamp, ToSpan, civil};
use tonic::Status;
use tonic_types::StatusExt;

/// 旅顺口区.
pub(super) const AREA: &str = "210212";

pub(super) fn now() -> Timestamp {
    clock::system().now()
}

pub(super) fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

pub(super) fn in_days(days: i32) -> Date {
    on(civil_date(now()).saturating_add(days.days()))
}

/// A day as the API has it.
pub(super) fn on(day: civil::Date) -> Date {
    Date { year: day.year().into(), month: day.month().into(), day: day.day().into() }
}

/// Two officers of the market regulator.
pub(super) fn officers() -> Vec<String> {
    vec!["LNB-0001".to_owned(), "LNB-0002".to_owned()]
}

pub(super) fn register(enterprise: &str) -> RegisterEnterpriseRequest {
    RegisterEnterpriseRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        name: "示例企业".to_owned(),
        area: AREA.to_owned(),
        expected_version: None,
    }
}

/// Moves an enterprise to 甘井子区.
pub(super) fn moved(enterprise: &str) -> ChangeAreaRequest {
    ChangeAreaRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        area: "210211".to_owned(),
        basis: "no. 1".to_owned(),
        expected_version: None,
    }
}

/// An item of the market regulator that is inspected on site, on any ground.
pub(super) const ITEM: &str = "SC-0101";

pub(super) fn plan(enterprise: &str, ground: Ground) -> PlanVisitRequest {
    let evidence = if ground == Ground::Routine { "" } else { "12345-0001" };
    PlanVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        officers: officers(),
        items: vec![ITEM.to_owned()],
        ground: ground.into(),
        evidence: evidence.to_owned(),
        planned_on: Some(in_days(0)),
        ..PlanVisitRequest::default()
    }
}

/// Asks what would become of the plan, for the unit that asks.
pub(super) fn explain(plan: &PlanVisitRequest) -> ExplainPlanRequest {
    ExplainPlanRequest {
        enterprise_id: plan.enterprise_id.clone(),
        unit: String::new(),
        officers: plan.officers.clone(),
        items: plan.items.clone(),
        ground: plan.ground,
        evidence: plan.evidence.clone(),
        planned_on: plan.planned_on,
        justification: plan.justification.clone(),
        on_site_reason: plan.on_site_reason.clone(),
        shares: plan.shares.clone(),
        campaign_id: plan.campaign_id.clone(),
        recheck_of: plan.recheck_of.clone(),
    }
}

/// The market regulator's sample catalogue as if it were that unit's.
pub(super) fn catalogue_of(unit: &str) -> InspectionCatalogue {
    let samples = catalogue::inspection_catalogues().unwrap().into_iter();
    let mut samples = samples.filter_map(|sample| match sample.document {
        Some(Document::Catalogue(catalogue)) => Some(catalogue),
        Some(_) | None => None,
    });
    let market = samples.find(|catalogue| catalogue.unit == "market-regulation").unwrap();
    InspectionCatalogue { unit: unit.to_owned(), ..market }
}

/// A catalogue as a document.
pub(super) fn listed(catalogue: InspectionCatalogue) -> PolicyDocument {
    PolicyDocument { document: Some(Document::Catalogue(catalogue)) }
}

/// A limit that refuses, in force for long, with no ground exempt.
pub(super) fn rule(
    id: &str,
    subject: FrequencySubject,
    window: FrequencyWindow,
    maximum: u32,
) -> FrequencyRule {
    FrequencyRule {
        id: id.to_owned(),
        subject: subject.into(),
        window: window.into(),
        maximum,
        source: "a test".to_owned(),
        is_default: true,
        valid_from: Some(in_days(-400)),
        ..FrequencyRule::default()
    }
}

/// A frequency policy of these rules.
pub(super) fn limits(rules: Vec<FrequencyRule>) -> PolicyDocument {
    let policy = FrequencyPolicy { rules, ..FrequencyPolicy::default() };
    PolicyDocument { document: Some(Document::Frequency(policy)) }
}

pub(super) fn approve(enterprise: &str, visit: &str) -> ApproveVisitRequest {
    ApproveVisitRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        expected_version: None,
    }
}

/// What the tax bureau brings to a joint visit.
pub(super) fn tax_share() -> Share {
    Share {
        unit: "tax".to_owned(),
        officers: vec!["LNB-0201".to_owned(), "LNB-0202".to_owned()],
        items: vec!["SC-0202".to_owned()],
        approved: false,
    }
}

/// The tax bureau's officers came unplanned at that time, which is entered afterwards: several events in one commit.
pub(super) fn backfilled(enterprise: &str, at: Timestamp) -> BackfillCheckInRequest {
    let Share { officers, items, .. } = tax_share();
    let unplanned = UnplannedVisit {
        items,
        ground: Ground::Complaint.into(),
        evidence: "12345-0001".to_owned(),
        reason: "群众举报".to_owned(),
    };
    BackfillCheckInRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        officers,
        occurred_at: Some(stamp(at)),
        reason: "系统停机".to_owned(),
        unplanned: Some(unplanned),
        ..<_>::default()
    }
}

/// Plans a visit and approves it, as the head of its unit; answers with its id.
pub(super) async fn approved(unit: &mut Client, request: PlanVisitRequest) -> String {
    let enterprise = request.enterprise_id.clone();
    let visit = unit.inspections.plan_visit(request).await.unwrap().into_inner().visit_id;
    unit.inspections.approve_visit(approve(&enterprise, &visit)).await.unwrap();
    visit
}

/// The visit as the log has it, if the client may see it.
pub(super) async fn read_visit(
    client: &mut Client,
    enterprise: &str,
    visit: &str,
) -> Result<Visit, Status> {
    let request = GetVisitRequest {
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        min_position: String::new(),
        as_of: None,
    };
    Ok(client.inspections.get_visit(request).await?.into_inner().visit.unwrap())
}

/// A scan of the code that the enterprise shows at that moment.
pub(super) async fn check_in(world: &World, enterprise: &str, visit: &str) -> CheckInRequest {
    CheckInRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        officers: officers(),
        occurred_at: Some(stamp(now())),
        code: shown(world, enterprise).await,
        place: None,
        expected_version: None,
    }
}

/// The text of the code that an enterprise shows, good for one scan within a minute.
pub(super) async fn shown(world: &World, enterprise: &str) -> String {
    let request = ShowEnterpriseCodeRequest { enterprise_id: enterprise.to_owned() };
    let shown = world.enterprise(enterprise).codes.show_enterprise_code(request).await;
    shown.unwrap().into_inner().code.unwrap().text
}

pub(super) fn check_out(enterprise: &str, visit: &str) -> CheckOutRequest {
    CheckOutRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        occurred_at: Some(stamp(now())),
        expected_version: None,
    }
}

/// What was found of an item; to be rectified within a month where that is the outcome.
pub(super) fn found(item: &str, outcome: ItemOutcome) -> ItemResult {
    let rectify_by = (outcome == ItemOutcome::RectifyBy).then(|| in_days(30));
    let (item, outcome) = (item.to_owned(), outcome.into());
    ItemResult { item, outcome, rectify_by, ..ItemResult::default() }
}

pub(super) fn report(
    enterprise: &str,
    visit: &str,
    results: Vec<ItemResult>,
) -> ReportResultRequest {
    ReportResultRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        visit_id: visit.to_owned(),
        results,
        expected_version: None,
    }
}

pub(super) fn submit(enterprise: &str, topic: &str, contact: &str) -> SubmitAppealRequest {
    SubmitAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        channel: Channel::App.into(),
        topic: topic.to_owned(),
        area: AREA.to_owned(),
        description: "报装两周未答复".to_owned(),
        contact: contact.to_owned(),
        ..SubmitAppealRequest::default()
    }
}

pub(super) fn accept(enterprise: &str, appeal: &str) -> AcceptAppealRequest {
    AcceptAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    }
}

pub(super) fn sign_for(enterprise: &str, appeal: &str) -> SignForAppealRequest {
    SignForAppealRequest {
        command_id: command_id(),
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        expected_version: None,
    }
}

/// Submits, accepts and dispatches an appeal; answers with its id and the unit it is with.
pub(super) async fn dispatched(
    enterprise: &mut Client,
    dispatcher: &mut Client,
    request: SubmitAppealRequest,
) -> (String, String) {
    let id = request.enterprise_id.clone();
    let appeal = enterprise.appeals.submit_appeal(request).await.unwrap().into_inner().appeal_id;
    dispatcher.appeals.accept_appeal(accept(&id, &appeal)).await.unwrap();
    let sent = dispatcher
        .appeals
        .dispatch_appeal(DispatchAppealRequest {
            command_id: command_id(),
            enterprise_id: id,
            appeal_id: appeal.clone(),
            to_unit: String::new(),
            expected_version: None,
        })
        .await
        .unwrap()
        .into_inner();
    (appeal, sent.unit)
}

/// As of a moment.
pub(super) fn at(moment: Moment) -> Option<AsOf> {
    Some(AsOf { moment: Some(moment) })
}

/// An instant that lies after all that is recorded so far and before all that is recorded from now on.
pub(super) async fn between() -> Timestamp {
    let at = now();
    // What is recorded later is so in another millisecond.
    while now().duration_since(at) < SignedDuration::from_millis(5) {
        tokio::task::yield_now().await;
    }
    at
}

/// The stable reason of a refusal.
pub(super) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
