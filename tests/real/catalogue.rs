//! What the inspection catalogues keep from being planned (清单之外无检查), each with its reason, foretold to
//! whoever asks; and what is refused as a catalogue.

use doudi_api::permission::Role;
use doudi_api::proto::{
    CatalogueOfficer, EntrustedUnit, GetPolicyRequest, Ground, InspectionCatalogue, PlanVerdict,
    PlanVisitRequest, PolicyName, PublishPolicyRequest, inspection_catalogue::Qualification,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::world::World;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::requests::{
    ITEM, approve, catalogue_of, check_in, explain, in_days, listed, plan, reason, register,
};

const ENTERPRISE: &str = "91210212DD0000001D";
const MARKET: &str = "market-regulation";
/// A unit of the plan that has no sample catalogue.
const OTHER: &str = "urban-management";

/// Items of the market regulator's sample catalogue.
const TRIGGER_ONLY: &str = "SC-0104";
const OFF_SITE_TOO: &str = "SC-0103";
const OFF_SITE_ONLY: &str = "SC-0105";

fn routine() -> PlanVisitRequest {
    plan(ENTERPRISE, Ground::Routine)
}

fn on_item(item: &str) -> PlanVisitRequest {
    PlanVisitRequest { items: vec![ITEM.to_owned(), item.to_owned()], ..routine() }
}

fn by_officer(certificate: &str) -> PlanVisitRequest {
    PlanVisitRequest { officers: vec!["LNB-0001".to_owned(), certificate.to_owned()], ..routine() }
}

/// The plan is refused for that reason, in both languages, as was foretold, and nothing is written.
async fn refused(world: &World, unit: &mut Client, request: PlanVisitRequest, expected: &str) {
    let before = world.running.parts.journal.last_position().await.unwrap();
    let told = unit.inspections.explain_plan(explain(&request)).await.unwrap().into_inner();
    assert_eq!(told.verdict(), PlanVerdict::Refused, "{expected}: {told:?}");
    let status = unit.inspections.plan_visit(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status)), (Code::FailedPrecondition, expected.to_owned()));
    assert_eq!((told.reason.as_str(), told.text_en.as_str()), (expected, status.message()));
    let details = status.get_error_details();
    let chinese = details.localized_message().map(|localized| localized.message.clone());
    assert_eq!(chinese, Some(told.text_zh), "{expected}");
    assert_eq!(world.running.parts.journal.last_position().await.unwrap(), before, "{expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalogue_does_not_allow_is_refused_with_its_reason_as_was_foretold() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut market = world.unit(MARKET);
    for (request, expected) in [
        (on_item("SC-9999"), "ITEM_UNPUBLISHED"),
        (on_item(TRIGGER_ONLY), "TRIGGER_ONLY"),
        (on_item(OFF_SITE_TOO), "OFF_SITE_POSSIBLE"),
        (on_item(OFF_SITE_ONLY), "OFF_SITE_ONLY"),
        (by_officer("LNB-0201"), "OFFICER_INVALID"),
        (by_officer("LNB-0009"), "OFFICER_INVALID"),
        (by_officer("LNB-9999"), "OFFICER_INVALID"),
    ] {
        refused(&world, &mut market, request, expected).await;
    }
    let mut other = world.unit(OTHER);
    refused(&world, &mut other, routine(), "CATALOGUE_UNPUBLISHED").await;
    // The entrustment ends before the planned day.
    let by = "housing-construction".to_owned();
    let entrusted = Qualification::Entrusted(EntrustedUnit { by, until: Some(in_days(3)) });
    let catalogue = InspectionCatalogue { qualification: Some(entrusted), ..catalogue_of(OTHER) };
    world.publish(listed(catalogue)).await;
    let late = PlanVisitRequest { planned_on: Some(in_days(4)), ..routine() };
    refused(&world, &mut other, late, "UNIT_UNQUALIFIED").await;
    let within = PlanVisitRequest { planned_on: Some(in_days(3)), ..routine() };
    other.inspections.plan_visit(within).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_opens_what_is_trigger_only_and_a_reason_what_can_be_done_off_site() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut market = world.unit(MARKET);
    let complaint = PlanVisitRequest {
        items: vec![TRIGGER_ONLY.to_owned()],
        ..plan(ENTERPRISE, Ground::Complaint)
    };
    market.inspections.plan_visit(complaint).await.unwrap();
    // Exempt from the limit, yet no trigger.
    let licence = PlanVisitRequest {
        items: vec![TRIGGER_ONLY.to_owned()],
        ..plan(ENTERPRISE, Ground::LicenceVerification)
    };
    refused(&world, &mut market, licence, "TRIGGER_ONLY").await;
    let on_site_reason = "年报数据与现场情况不符".to_owned();
    let reasoned = PlanVisitRequest { on_site_reason, ..on_item(OFF_SITE_TOO) };
    let told = market.inspections.explain_plan(explain(&reasoned)).await.unwrap().into_inner();
    assert_eq!((told.verdict(), told.reason.as_str()), (PlanVerdict::Allowed, ""));
    market.inspections.plan_visit(reasoned).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_version_of_a_catalogue_decides_from_its_publication_on() {
    let world = World::start().await;
    world.role(Role::Admin).enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let mut market = world.unit(MARKET);
    let planned = market.inspections.plan_visit(routine()).await.unwrap().into_inner();
    let mut catalogue = catalogue_of(MARKET);
    catalogue.items.retain(|item| item.id != ITEM);
    // Officer 2 leaves the unit; officer 3 stays.
    catalogue.officers.retain(|officer| officer.certificate != "LNB-0002");
    let second = world.publish(listed(catalogue.clone())).await;
    assert_eq!(second, 2);
    let complaint = plan(ENTERPRISE, Ground::Complaint);
    refused(&world, &mut market, complaint, "ITEM_UNPUBLISHED").await;
    // What was planned stays planned, but nobody comes without a valid certificate.
    let visit = planned.visit_id;
    market.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
    let mut scan = check_in(&world, ENTERPRISE, &visit).await;
    let status = market.inspections.check_in(scan.clone()).await.unwrap_err();
    assert_eq!(reason(&status), "OFFICER_INVALID", "{status:?}");
    scan.officers = vec!["LNB-0001".to_owned(), "LNB-0003".to_owned()];
    scan.command_id = command_id();
    market.inspections.check_in(scan).await.unwrap();
    // Everybody may read what is in force.
    let ask = GetPolicyRequest {
        name: PolicyName::Catalogue.into(),
        unit: MARKET.to_owned(),
        ..GetPolicyRequest::default()
    };
    let read = world.enterprise(ENTERPRISE).policies.get_policy(ask).await.unwrap().into_inner();
    assert_eq!((read.document_version, read.document), (2, Some(listed(catalogue))));
    world.stop().await;
}

/// The fields that a refusal names.
fn fields(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone());
    let violations = violations.unwrap_or_default().into_iter();
    violations.map(|violation| (violation.field, violation.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_catalogue_is_refused_with_all_that_is_wrong_and_only_a_catalogue_has_a_unit() {
    let world = World::bare().await;
    let admin = world.role(Role::Admin);
    let mut catalogue = catalogue_of(OTHER);
    let first = catalogue.officers[0].clone();
    let reversed = CatalogueOfficer { valid_until: Some(in_days(-9999)), ..first };
    catalogue.officers.push(reversed);
    catalogue.items.push(catalogue.items[0].clone());
    catalogue.triggers.clear();
    let unsound = admin.publish(listed(catalogue)).await.unwrap_err();
    assert_eq!(reason(&unsound), "POLICY_UNSOUND", "{unsound:?}");
    let reasons: Vec<_> = fields(&unsound).into_iter().map(|(_, reason)| reason).collect();
    let all = ["OFFICER_TWICE", "CERTIFICATE_VALIDITY_REVERSED", "ITEM_NO_TRIGGER", "ITEM_TWICE"];
    assert_eq!(reasons, all);

    let publish = |name: PolicyName, unit: &str| {
        let mut policies = admin.policies.clone();
        let request = PublishPolicyRequest {
            command_id: command_id(),
            name: name.into(),
            document_version: 1,
            unit: unit.to_owned(),
            ..PublishPolicyRequest::default()
        };
        async move { policies.publish_policy(request).await.unwrap_err() }
    };
    for (name, unit) in [(PolicyName::Catalogue, ""), (PolicyName::Frequency, OTHER)] {
        let status = publish(name, unit).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert_eq!(fields(&status)[0].0, "unit", "{status:?}");
    }
    assert_eq!(reason(&publish(PolicyName::Catalogue, OTHER).await), "POLICY_VERSION_UNKNOWN");
    world.stop().await;
}
