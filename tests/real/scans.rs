//! Scans that are not as planned: visits that could not wait, scans entered by hand, devices far from the door. What
//! happened is recorded, and says what was not in order; what nobody could have been is refused.

use std::time::Duration;

use doudi_api::permission::Role;
use doudi_api::proto::{
    Assurance, BackfillCheckInRequest, CheckInRequest, CheckInUrgentlyRequest, ClockKind, Ground,
    Place, ScanManner, VisitState,
};
use doudi_domain::{
    CertificateNumber, EnterpriseId, ItemId, Reference, UnitId, VisitId, calendar::civil_date,
    frequency, visits,
};
use doudi_engine::{Actor, Engine, Envelope, streams};
use doudi_server::client::command_id;
use doudi_tests::{until, world::World};
use jiff::ToSpan;
use uuid::Uuid;

use super::agenda::past;
use super::codes::{DOOR, ENTERPRISE, MARKET, printed, registered};
use super::requests::{
    ITEM, approve, approved, check_in, now, officers, plan, read_visit, reason, shown, stamp,
};

const BOUND: Duration = Duration::from_secs(60);

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn urgent(code: &str) -> CheckInUrgentlyRequest {
    CheckInUrgentlyRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        officers: officers(),
        items: vec![ITEM.to_owned()],
        evidence: "119-2025-0425".to_owned(),
        code: code.to_owned(),
        occurred_at: Some(stamp(now())),
        place: None,
        expected_version: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_could_not_wait_is_made_by_its_scan_and_owes_its_approval() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let request = urgent(&shown(&world, ENTERPRISE).await);
    let first = market.inspections.check_in_urgently(request.clone()).await.unwrap().into_inner();
    let again = market.inspections.check_in_urgently(request).await.unwrap().into_inner();
    assert_eq!(again, first, "the same command names the same visit");
    let visit = first.visit_id;
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!((seen.state(), seen.ground()), (VisitState::CheckedIn, Ground::Urgent));
    assert!(!seen.shares[0].approved);
    let clocks: Vec<_> =
        seen.clocks.iter().map(|clock| (clock.kind(), clock.working_days)).collect();
    assert_eq!(clocks, [(ClockKind::Tell, 5), (ClockKind::Approval, 2)]);
    let scan = seen.scan.unwrap();
    assert_eq!((scan.assurance(), scan.irregularities), (Assurance::Presence, vec![]));

    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
    assert_eq!(
        (seen.state(), seen.clocks.len()),
        (VisitState::CheckedIn, 1),
        "the approval's ended"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_urgent_visit_lacks_is_flagged_but_its_code_and_officers_must_be_sound() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let bare = CheckInUrgentlyRequest {
        items: vec!["SC-9999".to_owned()],
        evidence: String::new(),
        ..urgent(&shown(&world, ENTERPRISE).await)
    };
    let visit = market.inspections.check_in_urgently(bare).await.unwrap().into_inner().visit_id;
    let scan = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap().scan.unwrap();
    assert_eq!(scan.irregularities, ["outside_catalogue", "evidence_missing"]);

    let before = world.running.parts.journal.last_position().await.unwrap();
    let codeless = market.inspections.check_in_urgently(urgent("")).await.unwrap_err();
    assert_eq!(reason(&codeless), "CODE_MISSING");
    let foreign = CheckInUrgentlyRequest {
        officers: vec!["LNB-0001".to_owned(), "LNB-0201".to_owned()],
        ..urgent(&shown(&world, ENTERPRISE).await)
    };
    let foreign = market.inspections.check_in_urgently(foreign).await.unwrap_err();
    assert_eq!(reason(&foreign), "OFFICER_INVALID");
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    world.stop().await;
}

/// Plans and approves a visit of the market regulator for the day that it is for `engine`.
async fn planned_then(engine: &Engine, n: u128) -> String {
    let visit = VisitId(Uuid::from_u128(n));
    let unit = UnitId::parse(MARKET).unwrap();
    let plan = visits::Plan {
        visit,
        unit: unit.clone(),
        shares: [].into(),
        campaign: None,
        recheck_of: None,
        officers: officers().iter().map(|n| CertificateNumber::parse(n).unwrap()).collect(),
        items: [ItemId::parse(ITEM).unwrap()].into(),
        ground: frequency::Ground::Complaint,
        evidence: Some(Reference::parse("12345-0001").unwrap()),
        justification: None,
        on_site_reason: None,
        on: civil_date(engine.now()),
    };
    let stream = streams::visits(&EnterpriseId::parse(ENTERPRISE).unwrap()).unwrap();
    let commands =
        [visits::Command::Plan(plan), visits::Command::Approve { visit, unit: unit.clone() }];
    for (command, id) in commands.into_iter().zip([n, n + 1000]) {
        let principal = "test".to_owned();
        let actor = Actor { principal, unit: None, device: None, on_behalf_of: None };
        let envelope = Envelope::new(Uuid::from_u128(id), actor);
        engine.execute::<visits::Visits>(&stream, &command, &envelope).await.unwrap();
    }
    visit.to_string()
}

fn backfill(visit: &str, days: i32) -> BackfillCheckInRequest {
    BackfillCheckInRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: visit.to_owned(),
        officers: officers(),
        occurred_at: Some(stamp(now().checked_sub((24 * days).hours()).unwrap())),
        reason: "系统停机，公告〔2025〕3号".to_owned(),
        expected_version: None,
        unplanned: None,
    }
}

async fn state_is(world: &World, visit: &str, wanted: VisitState) {
    let reached = until(BOUND, || {
        let mut market = world.unit(MARKET);
        async move {
            let seen = read_visit(&mut market, ENTERPRISE, visit).await.unwrap();
            (seen.state() == wanted).then_some(())
        }
    });
    reached.await.unwrap_or_else(|| panic!("{visit} is never {wanted:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_entered_by_hand_is_recorded_and_flagged_after_10_days() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    for (n, days, expected) in
        [(1, 10, &["after_expiry"][..]), (2, 11, &["after_expiry", "backfilled_late"])]
    {
        let visit = planned_then(&past(&world.running.parts, days), n).await;
        // The day went by, so the place was freed; what happened takes it back.
        state_is(&world, &visit, VisitState::Expired).await;
        market.inspections.backfill_check_in(backfill(&visit, days)).await.unwrap();
        let seen = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap();
        assert_eq!(seen.state(), VisitState::CheckedIn, "{days} days ago");
        let scan = seen.scan.unwrap();
        assert_eq!((scan.manner(), scan.assurance()), (ScanManner::Backfilled, Assurance::Stated));
        assert_eq!(scan.reason, "系统停机，公告〔2025〕3号");
        assert_eq!(scan.irregularities, expected, "{days} days ago");
    }
    // On its own day nothing is amiss.
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await;
    market.inspections.backfill_check_in(backfill(&visit, 0)).await.unwrap();
    let scan = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap().scan.unwrap();
    assert_eq!(scan.irregularities, [""; 0]);
    let late = backfill(&visit, -1);
    let unknown = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let future = BackfillCheckInRequest { visit_id: unknown, ..late };
    let status = market.inspections.backfill_check_in(future).await.unwrap_err();
    assert_eq!(reason(&status), "IN_FUTURE");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_far_from_where_the_code_hangs_is_flagged_and_decides_nothing() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let code = printed(&world).await.text;
    let across_the_street = Place { latitude_e6: DOOR.latitude_e6 + 500, ..DOOR };
    let in_another_city = Place { latitude_e6: DOOR.latitude_e6 + 3_000_000, ..DOOR };
    for (ground, place, expected) in [
        (Ground::Routine, Some(across_the_street), &[][..]),
        (Ground::Complaint, Some(in_another_city), &["place_implausible"]),
        (Ground::Media, None, &[]),
    ] {
        let visit = approved(&mut market, plan(ENTERPRISE, ground)).await;
        let request = check_in(&world, ENTERPRISE, &visit).await;
        let request = CheckInRequest { code: code.clone(), place, ..request };
        market.inspections.check_in(request).await.unwrap();
        let scan = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap().scan.unwrap();
        assert_eq!((scan.place, scan.irregularities), (place, strings(expected)));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_door_officers_and_time_must_be_sound() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let sound = check_in(&world, ENTERPRISE, &visit).await;
    let by = |officers: &[&str]| CheckInRequest {
        command_id: command_id(),
        officers: officers.iter().map(|officer| (*officer).to_owned()).collect(),
        ..sound.clone()
    };
    let ahead = now().checked_add(2.hours()).unwrap();
    let before = world.running.parts.journal.last_position().await.unwrap();
    for (request, expected) in [
        (by(&["LNB-0001"]), "TOO_FEW_OFFICERS"),
        (by(&["LNB-0001", "LNB-0201"]), "OFFICER_INVALID"),
        (CheckInRequest { occurred_at: Some(stamp(ahead)), ..by(&["LNB-0001"]) }, "IN_FUTURE"),
    ] {
        let status = market.inspections.check_in(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before);
    market.inspections.check_in(sound).await.unwrap();
    // What was scanned is there for whoever watches over the unit.
    let mut auditor = world.role(Role::Auditor);
    let seen = read_visit(&mut auditor, ENTERPRISE, &visit).await.unwrap();
    assert_eq!(seen.scan.unwrap().manner(), ScanManner::Live);
    world.stop().await;
}
