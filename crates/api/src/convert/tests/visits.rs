//! Visits: sound requests, what becomes of them, and each of their fields spoiled.

use doudi_domain::{
    frequency::Ground,
    visits::{Command, Manner, Place, Proof},
};

use super::{bad::check, *};

fn tax() -> UnitId {
    UnitId::parse("tax").unwrap()
}

/// What every command on a known visit carries.
macro_rules! on_visit {
    ($request:ident { $($field:ident: $value:expr),* $(,)? }) => {
        pb::$request {
            command_id: ID.to_owned(),
            enterprise_id: ENTERPRISE.to_owned(),
            visit_id: ID.to_owned(),
            $($field: $value,)*
            expected_version: Some(7),
        }
    };
}

fn at() -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 1_745_550_000, nanos: 0 }
}

fn officers() -> Vec<String> {
    plan().officers
}

fn approve() -> pb::ApproveVisitRequest {
    on_visit!(ApproveVisitRequest {})
}

fn notify() -> pb::NotifyVisitRequest {
    on_visit!(NotifyVisitRequest {})
}

fn merge() -> pb::MergeVisitsRequest {
    on_visit!(MergeVisitsRequest { into_visit_id: Uuid::from_u128(7).to_string() })
}

fn check_out() -> pb::CheckOutRequest {
    on_visit!(CheckOutRequest { occurred_at: Some(at()) })
}

fn backfill() -> pb::BackfillCheckInRequest {
    on_visit!(BackfillCheckInRequest {
        officers: officers(),
        occurred_at: Some(at()),
        reason: "系统停机".to_owned(),
        unplanned: None,
    })
}

fn tell() -> pb::TellEnterpriseRequest {
    on_visit!(TellEnterpriseRequest { document: "大消告〔2025〕7号".to_owned() })
}

fn rectified() -> pb::ReportRectificationRequest {
    pb::ReportRectificationRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        item: "fire-exit".to_owned(),
        document: "整改报告".to_owned(),
    }
}

fn accept() -> pb::AcceptRectificationRequest {
    on_visit!(AcceptRectificationRequest { item: "fire-exit".to_owned() })
}

pub(super) fn urgent() -> pb::CheckInUrgentlyRequest {
    pb::CheckInUrgentlyRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        officers: officers(),
        items: vec!["fire-exit".to_owned()],
        evidence: "119-2025-0425".to_owned(),
        code: "DD1:ABC".to_owned(),
        occurred_at: Some(at()),
        place: Some(sound::place()),
        expected_version: None,
    }
}

pub(super) fn off_site() -> pb::RecordOffSiteCheckRequest {
    pb::RecordOffSiteCheckRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        occurred_at: Some(at()),
        basis: "视频巡查".to_owned(),
        results: report().results,
        expected_version: None,
    }
}

/// The place of a request, to be spoiled.
fn spot(place: &mut Option<pb::Place>) -> &mut pb::Place {
    place.as_mut().unwrap()
}

#[test]
fn commands_on_a_visit_name_it_and_the_callers_unit() {
    let visit = VisitId::parse(ID).unwrap();
    let order = inspection::approve(&approve(), tax()).unwrap();
    assert_eq!(order.command, Command::Approve { visit, unit: tax() });
    assert_eq!(order.expected_version, Some(doudi_engine::Version(7)));
    let order = inspection::notify(&notify(), tax()).unwrap();
    assert_eq!(order.command, Command::Notify { visit, unit: tax() });
    let order = inspection::merge(&merge(), tax()).unwrap();
    let into = VisitId(Uuid::from_u128(7));
    assert_eq!(order.command, Command::Merge { visit, into, unit: tax() });
    let order = inspection::check_out(&check_out(), tax()).unwrap();
    assert_eq!(order.command, (visit, tax(), common::timestamp(&at()).unwrap()));
    let order = inspection::found::accept(&accept(), tax()).unwrap();
    assert_eq!(order.command.visit(), Some(visit));
}

#[test]
fn a_plan_holds_what_every_unit_brings() {
    let order = inspection::plan(&plan(), tax()).unwrap();
    let fire = UnitId::parse("fire").unwrap();
    let shares = order.command.all_shares();
    assert_eq!(shares.keys().cloned().collect::<Vec<_>>(), [fire.clone(), tax()]);
    assert_eq!(shares.get(&fire).unwrap().items.first().unwrap().as_str(), "fire-exit");
    let again = inspection::plan(&plan(), tax()).unwrap();
    assert_eq!(order.command.visit, again.command.visit, "the same on every retry");
    let asked = inspection::explain(&inspections::explain(), None).unwrap().1;
    assert_eq!(asked.shares, order.command.shares);
}

#[test]
fn a_scan_keeps_its_code_sealed_until_it_is_opened() {
    let order = inspection::scan::check_in(&check_in()).unwrap();
    let place = Place { latitude_e6: 38_914_003, longitude_e6: 121_614_682, accuracy_m: 15 };
    assert_eq!(order.command.code, "DD1:ABC");
    assert_eq!(order.command.check_in.proof, Proof::Nothing);
    assert_eq!(order.command.check_in.manner, Manner::Live);
    assert_eq!(order.command.check_in.place, Some(place));
    let nowhere = pb::CheckInRequest { place: None, ..check_in() };
    assert_eq!(inspection::scan::check_in(&nowhere).unwrap().command.check_in.place, None);
}

#[test]
fn an_urgent_scan_plans_its_visit_for_today_whatever_a_device_claims() {
    let order = inspection::scan::urgently(&urgent(), tax(), Date::constant(2025, 4, 25)).unwrap();
    let plan = order.command.improvised.unwrap();
    assert_eq!((plan.ground, plan.visit), (Ground::Urgent, order.command.visit));
    assert_eq!(plan.on, Date::constant(2025, 4, 25));
    assert_eq!(plan.officers, order.command.check_in.officers);
    // What is missing in a danger is flagged, not refused.
    let bare = pb::CheckInUrgentlyRequest { evidence: String::new(), place: None, ..urgent() };
    assert!(inspection::scan::urgently(&bare, tax(), Date::constant(2025, 4, 25)).is_ok());
}

#[test]
fn what_is_entered_by_hand_says_what_failed_and_proves_nothing() {
    let order = inspection::scan::backfill(&backfill(), tax()).unwrap();
    let Command::CheckIn { check_in, improvised: None, .. } = order.command else { panic!() };
    let Manner::Backfilled { reason } = check_in.manner else { panic!() };
    assert_eq!((reason.as_str(), check_in.proof), ("系统停机", Proof::Nothing));
}

#[test]
fn what_nobody_planned_is_entered_by_hand_with_what_it_was() {
    let unplanned = || pb::UnplannedVisit {
        items: vec!["SC-0101".into()],
        ground: pb::Ground::Complaint.into(),
        evidence: "12345-0001".into(),
        reason: "气味扰民，不能等待".into(),
    };
    let request = || pb::BackfillCheckInRequest {
        visit_id: String::new(),
        unplanned: Some(unplanned()),
        ..backfill()
    };
    let order = inspection::scan::backfill(&request(), tax()).unwrap();
    let Command::CheckIn { visit, check_in, improvised: Some(plan), .. } = order.command else {
        panic!()
    };
    assert_eq!((plan.visit, &plan.officers), (visit, &check_in.officers));
    assert_eq!((plan.ground, plan.justification), (Ground::Complaint, None));
    assert_eq!(plan.on, doudi_domain::calendar::civil_date(check_in.occurred_at));
    check(
        request,
        |r| inspection::scan::backfill(r, tax()),
        &[
            (|r| r.visit_id = backfill().visit_id, "visit_id", Reason::FieldNotAllowed),
            (|r| said(r).items.clear(), "unplanned.items", Reason::ListSize),
            (|r| said(r).ground = 0, "unplanned.ground", Reason::EnumUnspecified),
            (|r| said(r).reason.clear(), "unplanned.reason", Reason::FieldRequired),
        ],
    );
}

fn said(request: &mut pb::BackfillCheckInRequest) -> &mut pb::UnplannedVisit {
    request.unplanned.as_mut().unwrap()
}

#[test]
fn lines_that_were_not_met_come_in_and_go_out() {
    let mut request = report();
    request.results[1].unmet = vec![3, 1];
    let order = inspection::found::report(&request, tax()).unwrap();
    let Command::ReportResult { results, .. } = order.command else { panic!() };
    assert_eq!(results[1].unmet, [1, 3].into());
    let order = inspection::found::off_site(&off_site(), tax()).unwrap();
    assert_eq!(order.command.results.len(), 2);
    assert_eq!(order.command.basis.as_str(), "视频巡查");
}

#[test]
fn plans() {
    check(
        plan,
        |r| inspection::plan(r, tax()),
        &[
            (|r| r.officers = vec!["a".into(); 21], "officers", Reason::ListSize),
            (|r| r.officers[1] = String::new(), "officers[1]", Reason::FieldRequired),
            (|r| r.officers[1] = r.officers[0].clone(), "officers[1]", Reason::ListDuplicate),
            (|r| r.items.clear(), "items", Reason::ListSize),
            (|r| r.items[0] = "a b".into(), "items[0]", Reason::FieldCharacter),
            (|r| r.ground = 0, "ground", Reason::EnumUnspecified),
            (|r| r.ground = -1, "ground", Reason::EnumUnknown),
            (|r| r.evidence = "长".repeat(201), "evidence", Reason::FieldTooLong),
            (|r| r.evidence = "  ".into(), "evidence", Reason::FieldRequired),
            (|r| r.evidence = "\u{200B}".into(), "evidence", Reason::FieldRequired),
            (|r| r.evidence = "1\u{2029}2".into(), "evidence", Reason::FieldCharacter),
            (|r| r.planned_on = None, "planned_on", Reason::FieldRequired),
            (|r| r.planned_on = day(2025, 2, 29), "planned_on", Reason::DateInvalid),
            (|r| r.shares = vec![share("fire"); 11], "shares", Reason::ListSize),
            (|r| r.shares.push(share("fire")), "shares[1].unit", Reason::ListDuplicate),
            (|r| r.shares[0].unit.clear(), "shares[0].unit", Reason::FieldRequired),
            (|r| r.shares[0].items[0].clear(), "shares[0].items[0]", Reason::FieldRequired),
            (|r| r.campaign_id = "x".into(), "campaign_id", Reason::FieldNotUuid),
            (|r| r.recheck_of = "x".into(), "recheck_of", Reason::FieldNotUuid),
        ],
    );
}

#[test]
fn scans() {
    check(
        check_in,
        inspection::scan::check_in,
        &[
            (|r| r.visit_id = String::new(), "visit_id", Reason::FieldRequired),
            (|r| r.visit_id = "x".into(), "visit_id", Reason::FieldNotUuid),
            (|r| r.officers.clear(), "officers", Reason::ListSize),
            (|r| r.occurred_at = None, "occurred_at", Reason::FieldRequired),
            (
                |r| r.occurred_at = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
                "occurred_at",
                Reason::TimestampInvalid,
            ),
            (|r| spot(&mut r.place).latitude_e6 = 90_000_001, "place", Reason::PlaceInvalid),
            (|r| spot(&mut r.place).longitude_e6 = -180_000_001, "place", Reason::PlaceInvalid),
            (|r| spot(&mut r.place).accuracy_m = 100_001, "place", Reason::PlaceInvalid),
        ],
    );
    check(
        urgent,
        |r| inspection::scan::urgently(r, tax(), Date::constant(2025, 4, 25)),
        &[
            (|r| r.items.clear(), "items", Reason::ListSize),
            (|r| r.evidence = "\u{200B}".into(), "evidence", Reason::FieldRequired),
            (|r| r.occurred_at = None, "occurred_at", Reason::FieldRequired),
            (|r| spot(&mut r.place).accuracy_m = 100_001, "place", Reason::PlaceInvalid),
        ],
    );
    check(
        backfill,
        |r| inspection::scan::backfill(r, tax()),
        &[
            (|r| r.visit_id.clear(), "visit_id", Reason::FieldRequired),
            (|r| r.officers.clear(), "officers", Reason::ListSize),
            (|r| r.occurred_at = None, "occurred_at", Reason::FieldRequired),
            (|r| r.reason.clear(), "reason", Reason::FieldRequired),
            (|r| r.reason = "长".repeat(201), "reason", Reason::FieldTooLong),
        ],
    );
    check(
        check_out,
        |r| inspection::check_out(r, tax()),
        &[(|r| r.occurred_at = None, "occurred_at", Reason::FieldRequired)],
    );
}

#[test]
fn results() {
    check(
        report,
        |r| inspection::found::report(r, tax()),
        &[
            (|r| r.results.clear(), "results", Reason::ListSize),
            (|r| r.results[1].item = String::new(), "results[1].item", Reason::FieldRequired),
            (|r| r.results[0].outcome = 0, "results[0].outcome", Reason::EnumUnspecified),
            (|r| r.results[1].rectify_by = None, "results[1].rectify_by", Reason::FieldRequired),
            (
                |r| r.results[0].rectify_by = day(2025, 6, 1),
                "results[0].rectify_by",
                Reason::FieldNotAllowed,
            ),
            (|r| r.results[1].unmet = vec![0], "results[1].unmet[0]", Reason::NumberRange),
            (|r| r.results[1].unmet = vec![2, 2], "results[1].unmet[1]", Reason::ListDuplicate),
            (|r| r.results[1].unmet = vec![1; 1001], "results[1].unmet", Reason::ListSize),
        ],
    );
    check(
        tell,
        |r| inspection::found::tell(r, tax()),
        &[
            (|r| r.visit_id = "x".into(), "visit_id", Reason::FieldNotUuid),
            (|r| r.document.clear(), "document", Reason::FieldRequired),
        ],
    );
    check(
        rectified,
        inspection::found::rectified,
        &[
            (|r| r.item = "a b".into(), "item", Reason::FieldCharacter),
            (|r| r.document = "1\u{2029}2".into(), "document", Reason::FieldCharacter),
        ],
    );
    check(
        accept,
        |r| inspection::found::accept(r, tax()),
        &[(|r| r.item.clear(), "item", Reason::FieldRequired)],
    );
    check(
        off_site,
        |r| inspection::found::off_site(r, tax()),
        &[
            (|r| r.occurred_at = None, "occurred_at", Reason::FieldRequired),
            (|r| r.basis.clear(), "basis", Reason::FieldRequired),
            (|r| r.results.clear(), "results", Reason::ListSize),
            (|r| r.results[0].outcome = 9, "results[0].outcome", Reason::EnumUnknown),
        ],
    );
}

#[test]
fn what_becomes_of_a_visit() {
    check(
        approve,
        |r| inspection::approve(r, tax()),
        &[(|r| r.visit_id.clear(), "visit_id", Reason::FieldRequired)],
    );
    check(
        notify,
        |r| inspection::notify(r, tax()),
        &[(|r| r.visit_id = "x".into(), "visit_id", Reason::FieldNotUuid)],
    );
    check(
        merge,
        |r| inspection::merge(r, tax()),
        &[
            (|r| r.into_visit_id.clear(), "into_visit_id", Reason::FieldRequired),
            (|r| r.into_visit_id = "x".into(), "into_visit_id", Reason::FieldNotUuid),
        ],
    );
    check(
        cancel,
        |r| inspection::cancel(r, tax()),
        &[(|r| r.reason = 0, "reason", Reason::EnumUnspecified)],
    );
    let quota = || pb::GetQuotaRequest { enterprise_id: "L-1".into(), ..Default::default() };
    check(
        quota,
        |r| inspection::quota(r, None, Date::MIN),
        &[
            (|_| (), "unit", Reason::FieldRequired),
            (
                |r| (r.unit, r.min_position) = ("tax".into(), "x".into()),
                "min_position",
                Reason::PositionInvalid,
            ),
        ],
    );
    let get = || pb::GetVisitRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        ..<_>::default()
    };
    check(
        get,
        inspection::get,
        &[
            (|r| r.visit_id.clear(), "visit_id", Reason::FieldRequired),
            (|r| r.min_position = "x".into(), "min_position", Reason::PositionInvalid),
        ],
    );
}
