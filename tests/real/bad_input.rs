//! Malformed requests: each gets its own clear answer in both languages, and nothing is written.

use doudi_api::proto::{
    CheckInRequest, Date, Ground, ListAppealsRequest, ListTimelineRequest, PlanVisitRequest,
};
use doudi_api::{identity::Claims, permission::Role};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::world::World;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::requests::{approve, check_in, plan, reason, register, submit};

const ENTERPRISE: &str = "91210212DD0000001D";

/// A change that makes a request wrong, and the path of the field that must be named.
type Wrong = (fn(&mut PlanVisitRequest), &'static str);

const WRONG_PLANS: [Wrong; 12] = [
    (|r| r.command_id = "7".into(), "command_id"),
    (|r| r.enterprise_id = "91210212".into(), "enterprise_id"),
    (|r| r.officers[1] = String::new(), "officers[1]"),
    (|r| r.items = vec![], "items"),
    (|r| r.ground = Ground::Unspecified.into(), "ground"),
    (|r| r.ground = 99, "ground"),
    (|r| r.planned_on = None, "planned_on"),
    (|r| r.planned_on = Some(Date { year: 2025, month: 2, day: 30 }), "planned_on"),
    (|r| r.evidence = "x".repeat(201), "evidence"),
    (|r| r.evidence = "\u{3000}\u{200B}".into(), "evidence"),
    (|r| r.evidence = "12345\u{202E}0001".into(), "evidence"),
    (|r| r.command_id = uuid::Uuid::nil().to_string(), "command_id"),
];

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone());
    violations.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_field_is_named_in_both_languages_and_nothing_is_written() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let before = world.running.parts.journal.last_position().await.unwrap();
    let mut unit = world.unit("market-regulation");
    for (spoil, path) in WRONG_PLANS {
        let mut request = plan(ENTERPRISE, Ground::Routine);
        spoil(&mut request);
        let status = unit.inspections.plan_visit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status:?}");
        assert_eq!(fields(&status), [path]);
        let details = status.get_error_details();
        let bad = &details.bad_request().unwrap().field_violations[0];
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let both = format!("{} {:?}", bad.description, details.localized_message());
        assert!(chinese(&both), "{path} is not explained in Chinese: {both}");
    }
    let mut all = plan(ENTERPRISE, Ground::Routine);
    for (spoil, _) in WRONG_PLANS.iter().take(4) {
        spoil(&mut all);
    }
    let status = unit.inspections.plan_visit(all).await.unwrap_err();
    assert_eq!(fields(&status).len(), 4, "all mistakes at once: {status:?}");
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_scopes_pages_and_sizes_have_their_own_answers() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let before = world.running.parts.journal.last_position().await.unwrap();

    let sample = token::claims(Role::UnitHead);
    let expired = Claims { iat: sample.iat - 7200, exp: sample.iat - 3600, ..sample };
    let mut late = world.client(&expired);
    let status = late.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::Unauthenticated, "TOKEN_EXPIRED".into()));

    let mut other = world.enterprise("91210212DD0000003K");
    let status = other.appeals.submit_appeal(submit(ENTERPRISE, "T06", "")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::PermissionDenied, "OUTSIDE_SCOPE".into()));

    let mut supervisor = world.role(Role::Supervisor);
    let page = ListAppealsRequest { page_token: "gibberish".into(), ..Default::default() };
    let status = supervisor.appeals.list_appeals(page).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
    let page = ListTimelineRequest {
        enterprise_id: ENTERPRISE.into(),
        min_position: "gibberish".into(),
        ..Default::default()
    };
    let status = supervisor.timelines.list_timeline(page).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");

    let mut large = submit(ENTERPRISE, "T06", "");
    large.description = "长".repeat(2_000_000);
    let status = world.enterprise(ENTERPRISE).appeals.submit_appeal(large).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::ResourceExhausted | Code::OutOfRange | Code::InvalidArgument),
        "an oversized message: {status:?}"
    );
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_outside_the_years_of_dates_is_refused_before_it_is_written() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit: Client = world.unit("market-regulation");
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();
    let visit = planned.into_inner().visit_id;
    unit.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let before = world.running.parts.journal.last_position().await.unwrap();
    // The years -9999 and 1899, and one after 9999.
    for seconds in [-377_705_023_201, -2_208_988_801, 253_402_300_800] {
        let mut request = check_in(&world, ENTERPRISE, &visit).await;
        request.occurred_at = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let status = unit.inspections.check_in(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{seconds}: {status:?}");
        let details = status.get_error_details();
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "occurred_at");
        assert_eq!(violation.reason, "TIMESTAMP_INVALID");
    }
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_id_is_never_used_for_two_commands() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut unit: Client = world.unit("market-regulation");
    let request = plan(ENTERPRISE, Ground::Routine);
    unit.inspections.plan_visit(request.clone()).await.unwrap();
    let other = PlanVisitRequest { items: vec!["SC-0102".into()], ..request };
    let status = unit.inspections.plan_visit(other).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert_eq!(reason(&status), "COMMAND_ID_REUSED");
    let unknown = CheckInRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.into(),
        visit_id: command_id(),
        officers: vec!["LNB-0001".into(), "LNB-0002".into()],
        occurred_at: Some(super::requests::stamp(super::requests::now())),
        code: super::requests::shown(&world, ENTERPRISE).await,
        place: None,
        expected_version: None,
    };
    let status = unit.inspections.check_in(unknown).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    world.stop().await;
}
