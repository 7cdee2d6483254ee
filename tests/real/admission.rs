//! The other direction: officers show their visit's code (检查任务码), and the enterprise that scans it sees who stands
//! at its door, lets them in or does not.

use doudi_api::permission::Role;
use doudi_api::proto::{
    AdmitVisitRequest, Assurance, CancelReason, CancelVisitRequest, ExplainPlanRequest,
    GetQuotaRequest, GetVisitRequest, Ground, ListTimelineRequest, MergeVisitsRequest,
    NotifyVisitRequest, PlanVisitRequest, ReadTaskCodeRequest, ReadTaskCodeResponse, RefusalReason,
    RefuseVisitRequest, ReportRectificationRequest, ShowTaskCodeRequest, TimelineKind, VisitState,
};
use doudi_domain::calendar::civil_date;
use doudi_scan::codes::{Code as Sealed, VisitCode};
use doudi_server::client::{Client, command_id};
use doudi_tests::world::World;
use jiff::{Timestamp, ToSpan};
use tonic::{Code, Status};

use super::codes::{DOOR, ENTERPRISE, MARKET, OTHER, printed, registered, ring, task_code};
use super::requests::{
    ITEM, approve, approved, check_in, explain, in_days, officers, plan, read_visit, reason,
    tax_share,
};

fn routine() -> PlanVisitRequest {
    plan(ENTERPRISE, Ground::Routine)
}

async fn show(unit: &mut Client, visit: &str) -> Result<(String, Timestamp), Status> {
    let request =
        ShowTaskCodeRequest { enterprise_id: ENTERPRISE.to_owned(), visit_id: visit.to_owned() };
    let code = unit.codes.show_task_code(request).await?.into_inner().code.unwrap();
    let expires_at = Timestamp::from_second(code.expires_at.unwrap().seconds).unwrap();
    Ok((code.text, expires_at))
}

async fn read(client: &mut Client, id: &str, code: &str) -> Result<ReadTaskCodeResponse, Status> {
    let request = ReadTaskCodeRequest { enterprise_id: id.to_owned(), code: code.to_owned() };
    Ok(client.codes.read_task_code(request).await?.into_inner())
}

fn admit(code: &str) -> AdmitVisitRequest {
    AdmitVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        code: code.to_owned(),
        place: Some(DOOR),
    }
}

fn refuse(visit: &str) -> RefuseVisitRequest {
    RefuseVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        reason: RefusalReason::OfficersUnidentified.into(),
        code: String::new(),
    }
}

/// The visit's code of an hour ago.
fn ended(world: &World, visit: &str) -> String {
    let Sealed::Visit(code) = task_code(ENTERPRISE, visit) else { panic!("it is a visit's") };
    let (issued_at, expires_at) = (code.issued_at - 7200, code.issued_at - 3600);
    ring(world).seal(&Sealed::Visit(VisitCode { issued_at, expires_at, ..code })).unwrap()
}

fn notify(visit: &str) -> NotifyVisitRequest {
    NotifyVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        expected_version: None,
    }
}

fn cancel(visit: &str) -> CancelVisitRequest {
    CancelVisitRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        reason: CancelReason::TaskWithdrawn.into(),
        expected_version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visits_code_is_shown_once_it_is_approved_from_its_day_on() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let visit = market.inspections.plan_visit(routine()).await.unwrap().into_inner().visit_id;
    let status = show(&mut market, &visit).await.unwrap_err();
    assert_eq!(reason(&status), "TASK_CODE_NOT_YET", "not approved: {status:?}");
    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let (_, expires_at) = show(&mut market, &visit).await.unwrap();
    let today = civil_date(super::requests::now());
    assert_eq!(civil_date(expires_at), today.saturating_add(1.day()), "until midnight here");

    let tomorrow =
        PlanVisitRequest { planned_on: Some(in_days(1)), ..plan(ENTERPRISE, Ground::Complaint) };
    let tomorrow = approved(&mut market, tomorrow).await;
    let status = show(&mut market, &tomorrow).await.unwrap_err();
    assert_eq!(reason(&status), "TASK_CODE_NOT_YET", "not its day: {status:?}");
    let status = show(&mut world.unit("tax"), &visit).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "VISIT_UNKNOWN".to_owned()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_scans_it_learns_who_comes_why_by_which_law_and_how_often() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let visit = approved(&mut market, routine()).await;
    let (code, _) = show(&mut market, &visit).await.unwrap();
    let before = world.running.parts.journal.last_position().await.unwrap();
    let told = read(&mut enterprise, ENTERPRISE, &code).await.unwrap();
    let seen = told.visit.unwrap();
    assert_eq!((seen.visit_id.as_str(), seen.unit.as_str()), (visit.as_str(), MARKET));
    assert_eq!((seen.officers.clone(), seen.ground()), (officers(), Ground::Routine));
    assert!(seen.shares[0].approved);
    let item = &told.items[0];
    assert_eq!((item.item.as_str(), item.unit.as_str()), (ITEM, MARKET));
    assert!(item.legal_basis.contains("条例") && item.checklist.len() == 2, "{item:?}");
    assert_eq!(told.objections, [""; 0]);
    let limit = told.quotas.iter().find(|quota| quota.unit == MARKET).unwrap();
    assert_eq!((limit.maximum, limit.reserved, limit.used), (1, 0, 0), "{limit:?}");
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);

    // A code for another enterprise says nothing, nor does one of another kind.
    let mut other = world.enterprise(OTHER);
    let status = read(&mut other, OTHER, &code).await.unwrap_err();
    assert_eq!(reason(&status), "CODE_OF_OTHER");
    let status = read(&mut other, ENTERPRISE, &code).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let hung = printed(&world).await.text;
    let status = read(&mut enterprise, ENTERPRISE, &hung).await.unwrap_err();
    assert_eq!(reason(&status), "CODE_OTHER_KIND");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_scans_it_learns_what_is_not_in_order() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let ring = ring(&world);
    let seal = |visit: &str| ring.seal(&task_code(ENTERPRISE, visit)).unwrap();
    let early =
        PlanVisitRequest { planned_on: Some(in_days(2)), ..plan(ENTERPRISE, Ground::Media) };
    let early = market.inspections.plan_visit(early).await.unwrap().into_inner().visit_id;
    let told = read(&mut enterprise, ENTERPRISE, &seal(&early)).await.unwrap();
    assert_eq!(told.objections, ["NOT_APPROVED", "NOT_TODAY"]);
    let status = enterprise.codes.admit_visit(admit(&seal(&early))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");

    let visit = approved(&mut market, routine()).await;
    let (code, _) = show(&mut market, &visit).await.unwrap();
    let came = check_in(&world, ENTERPRISE, &visit).await;
    market.inspections.check_in(came).await.unwrap();
    let told = read(&mut enterprise, ENTERPRISE, &code).await.unwrap();
    assert_eq!(told.objections, ["ALREADY_USED"]);
    market.inspections.cancel_visit(cancel(&early)).await.unwrap();
    let told = read(&mut enterprise, ENTERPRISE, &seal(&early)).await.unwrap();
    assert_eq!(told.objections, ["CANCELLED", "NOT_TODAY"]);
    let unknown = read(&mut enterprise, ENTERPRISE, &seal(&command_id())).await.unwrap_err();
    assert_eq!(reason(&unknown), "VISIT_UNKNOWN");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_let_in_is_checked_in_as_the_enterprise_saw_it() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let visit = approved(&mut market, routine()).await;
    let (code, _) = show(&mut market, &visit).await.unwrap();
    let mut other = world.enterprise(OTHER);
    let status = other.codes.admit_visit(admit(&code)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let own = AdmitVisitRequest { enterprise_id: OTHER.to_owned(), ..admit(&code) };
    assert_eq!(reason(&other.codes.admit_visit(own).await.unwrap_err()), "CODE_OF_OTHER");

    let request = admit(&code);
    let first = enterprise.codes.admit_visit(request.clone()).await.unwrap().into_inner();
    let again = enterprise.codes.admit_visit(request).await.unwrap().into_inner();
    assert_eq!(again, first);
    let anew = enterprise.codes.admit_visit(admit(&code)).await.unwrap().into_inner();
    assert!(anew.receipt.unwrap().unchanged);
    let seen = read_visit(&mut enterprise, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.officers.clone()), (VisitState::CheckedIn, officers()));
    let scan = seen.scan.unwrap();
    assert_eq!((scan.assurance(), scan.place), (Assurance::Admitted, Some(DOOR)));
    assert_eq!(scan.irregularities, [""; 0]);
    // Who let them in may complain, and no longer send them away.
    let status = enterprise.codes.refuse_visit(refuse(&visit)).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_WRONG_PHASE");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_leaves_and_the_place_is_free_again() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let visit = approved(&mut market, routine()).await;
    let (code, _) = show(&mut market, &visit).await.unwrap();
    let taken = market.inspections.plan_visit(routine()).await.unwrap_err();
    assert_eq!(reason(&taken), "CAP_REACHED");
    let status = world.enterprise(OTHER).codes.refuse_visit(refuse(&visit)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    // It was not told of the visit: that somebody stands at its door it knows by the code alone.
    let status = enterprise.codes.refuse_visit(refuse(&visit)).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_UNKNOWN");
    let of_another = refuse("0198c0de-0000-7000-8000-000000000001");
    let wrong = RefuseVisitRequest { code: code.clone(), ..of_another };
    assert_eq!(reason(&enterprise.codes.refuse_visit(wrong).await.unwrap_err()), "CODE_OF_OTHER");
    let old = RefuseVisitRequest { code: ended(&world, &visit), ..refuse(&visit) };
    let status = enterprise.codes.refuse_visit(old.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "CODE_EXPIRED");
    let shown = RefuseVisitRequest { code: code.clone(), ..old.clone() };
    let first = enterprise.codes.refuse_visit(shown).await.unwrap().into_inner();
    let again = enterprise.codes.refuse_visit(old).await.unwrap().into_inner();
    assert_eq!(again, first, "the code has ended meanwhile");
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!(seen.state(), VisitState::Refused);
    let told = read(&mut enterprise, ENTERPRISE, &code).await.unwrap();
    assert_eq!(told.objections, ["REFUSED"]);
    market.inspections.plan_visit(routine()).await.unwrap();
    world.stop().await;
}

/// What the enterprise's standing and its timeline tell of visits after that position: places held, visits
/// named, entries.
async fn warned(client: &mut Client, position: &str) -> (u32, Vec<String>, usize) {
    let ask = GetQuotaRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        unit: MARKET.to_owned(),
        min_position: position.to_owned(),
        ..GetQuotaRequest::default()
    };
    let quotas = client.inspections.get_quota(ask).await.unwrap().into_inner().quotas;
    let ask = ListTimelineRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        kinds: vec![TimelineKind::Visit.into()],
        min_position: position.to_owned(),
        ..ListTimelineRequest::default()
    };
    let entries = client.timelines.list_timeline(ask).await.unwrap().into_inner().entries;
    let held = quotas.iter().map(|quota| quota.reserved).sum();
    (held, quotas.into_iter().flat_map(|quota| quota.visit_ids).collect(), entries.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_warns_an_enterprise_of_a_visit_that_it_was_not_told_of() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let planned = market.inspections.plan_visit(routine()).await.unwrap().into_inner();
    let (visit, position) = (planned.visit_id, planned.receipt.unwrap().position);
    assert_eq!(warned(&mut enterprise, &position).await, (0, vec![], 0));
    let (held, named, entries) = warned(&mut market, &position).await;
    assert_eq!((held, named, entries), (2, vec![visit.clone(); 2], 1), "one for each limit");
    // A question about a plan would be answered by the place that is taken.
    let question = explain(&plan(ENTERPRISE, Ground::Routine));
    let question = ExplainPlanRequest { unit: MARKET.to_owned(), ..question };
    let status = enterprise.inspections.explain_plan(question).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::PermissionDenied, "ROLE_MISSING".into()));

    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let told = market.inspections.notify_visit(notify(&visit)).await.unwrap().into_inner();
    let position = told.receipt.unwrap().position;
    let (held, named, _) = warned(&mut enterprise, &position).await;
    assert_eq!((held, named), (2, vec![visit.clone(); 2]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_sees_a_visit_once_it_was_told_or_the_officers_came() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let told = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let came = approved(&mut market, routine()).await;
    for visit in [&told, &came] {
        let status = read_visit(&mut enterprise, ENTERPRISE, visit).await.unwrap_err();
        assert_eq!((status.code(), reason(&status)), (Code::NotFound, "VISIT_UNKNOWN".to_owned()));
        let mut dispatcher = world.role(Role::Dispatcher);
        assert!(read_visit(&mut dispatcher, ENTERPRISE, visit).await.is_ok());
    }
    market.inspections.notify_visit(notify(&told)).await.unwrap();
    assert!(read_visit(&mut enterprise, ENTERPRISE, &told).await.unwrap().notified);
    let scan = check_in(&world, ENTERPRISE, &came).await;
    market.inspections.check_in(scan).await.unwrap();
    assert!(read_visit(&mut enterprise, ENTERPRISE, &came).await.is_ok());
    world.stop().await;
}

/// What the enterprise learns of its own visit: nothing that moves when others plan.
#[tokio::test(flavor = "multi_thread")]
async fn no_version_and_no_merge_leads_an_enterprise_to_a_visit_that_it_was_not_told_of() {
    let world = registered().await;
    let (mut market, mut enterprise) = (world.unit(MARKET), world.enterprise(ENTERPRISE));
    let known = approved(&mut market, routine()).await;
    market.inspections.notify_visit(notify(&known)).await.unwrap();
    let look = || GetVisitRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: known.clone(),
        ..GetVisitRequest::default()
    };
    let before = enterprise.inspections.get_visit(look()).await.unwrap().into_inner();
    let mut tax = world.unit("tax");
    let secret =
        PlanVisitRequest { officers: tax_share().officers, items: tax_share().items, ..routine() };
    let secret = tax.inspections.plan_visit(secret).await.unwrap().into_inner().visit_id;
    let after = enterprise.inspections.get_visit(look()).await.unwrap().into_inner();
    assert_eq!((before, after.version), (after.clone(), 0));
    let units = market.inspections.get_visit(look()).await.unwrap().into_inner();
    assert!(units.version > 0, "who plans needs it");

    // What the enterprise was told of does not become part of what it was not told of.
    let merge = MergeVisitsRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: known.clone(),
        into_visit_id: secret.clone(),
        expected_version: None,
    };
    let status = market.inspections.merge_visits(merge).await.unwrap_err();
    assert_eq!(reason(&status), "NOT_MERGEABLE");
    let rectified = ReportRectificationRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: secret,
        item: "SC-0202".to_owned(),
        document: "整改报告".to_owned(),
    };
    let status = enterprise.inspections.report_rectification(rectified).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_UNKNOWN");

    // A stranger's stale version is answered as a visit that is not there.
    let stale = CancelVisitRequest { expected_version: Some(1), ..cancel(&command_id()) };
    let status = world.unit("water-affairs").inspections.cancel_visit(stale).await.unwrap_err();
    assert_eq!(reason(&status), "VISIT_UNKNOWN");
    world.stop().await;
}
