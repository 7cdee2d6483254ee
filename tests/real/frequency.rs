//! Frequency limits as data: what a policy can say is what is planned, what is foretold and what is told of
//! it afterwards.

use doudi_api::permission::Role;
use doudi_api::proto::{
    AlertFilter, AlertKind, AssessCreditGradeRequest, ClassifyEnterpriseRequest,
    CountAlertsRequest, CreditAssessment, CreditGrade, Date, DraftPolicyRequest,
    ExplainPlanResponse, FrequencyFloor, FrequencyRule, FrequencySubject, FrequencyWindow,
    GetEnterpriseRequest, GetVisitRequest, Ground, InspectionCatalogue, ListAlertsRequest,
    ListTimelineRequest, OnExceeding, PlanVerdict, PlanVisitRequest, PlanVisitResponse, RiskClass,
    RuleEnterprises, UnitLevel, alert, policy_document::Document,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::world::World;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::requests::{
    approve, catalogue_of, check_in, explain, in_days, limits, listed, plan, reason, register, rule,
};

const ENTERPRISE: &str = "91210212DD0000001D";
const OTHER: &str = "91210212DD0000003K";
const MARKET: &str = "market-regulation";
/// A unit of a county, with the market regulator's items and officers.
const COUNTY: &str = "county-market";
/// Another unit of the city, with the same.
const CITY: &str = "city-market";
const WHITE_LIST: &str = "white-list";

/// These rules in force, two enterprises, and three units of two levels with the same catalogue.
async fn world(rules: Vec<FrequencyRule>) -> World {
    let world = World::start().await;
    world.publish(limits(rules)).await;
    let level = UnitLevel::County.into();
    let county = InspectionCatalogue { level, ..catalogue_of(COUNTY) };
    for catalogue in [county, catalogue_of(CITY)] {
        world.publish(listed(catalogue)).await;
    }
    for enterprise in [ENTERPRISE, OTHER] {
        let mut admin = world.role(Role::Admin).enterprises;
        admin.register_enterprise(register(enterprise)).await.unwrap();
    }
    world
}

fn routine(on: Date) -> PlanVisitRequest {
    PlanVisitRequest { planned_on: Some(on), ..plan(ENTERPRISE, Ground::Routine) }
}

/// What was foretold, and what came of it.
type Planned = (ExplainPlanResponse, Result<PlanVisitResponse, Status>);

/// Asks, then plans; what was foretold must come true.
async fn asked_then_planned(unit: &mut Client, request: PlanVisitRequest) -> Planned {
    let told = unit.inspections.explain_plan(explain(&request)).await.unwrap().into_inner();
    let outcome = unit.inspections.plan_visit(request).await.map(tonic::Response::into_inner);
    match &outcome {
        Ok(_) => assert_eq!(told.reason, "", "{told:?}"),
        Err(status) => {
            assert_eq!(
                (told.reason.as_str(), told.text_en.as_str()),
                (reason(status).as_str(), status.message())
            );
        }
    }
    (told, outcome)
}

/// The rules that a plan would pass, with the day on which each frees.
fn passed(told: &ExplainPlanResponse) -> Vec<(&str, Option<Date>)> {
    let passed = told.quotas.iter().filter(|quota| quota.would_exceed);
    passed.map(|quota| (quota.rule.as_str(), quota.frees_on)).collect()
}

fn no_more_than(n: u32, days: u32) -> FrequencyRule {
    let rule = rule("rolling", FrequencySubject::AllUnits, FrequencyWindow::Rolling, n);
    FrequencyRule { rolling_days: days, ..rule }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_contradicts_itself_is_refused_with_both_rules_named() {
    let world = World::bare().await;
    let yearly =
        |id, maximum| rule(id, FrequencySubject::AllUnits, FrequencyWindow::CalendarYear, maximum);
    let mut document = limits(vec![yearly("two-a-year", 2), yearly("four-a-year", 4)]);
    let Some(Document::Frequency(policy)) = &mut document.document else { unreachable!() };
    policy.floors = vec![FrequencyFloor {
        id: "nine-in-two-years".to_owned(),
        minimum: 9,
        years: 2,
        source: "a test".to_owned(),
        valid_from: Some(in_days(-400)),
        ..FrequencyFloor::default()
    }];
    let draft = DraftPolicyRequest {
        command_id: command_id(),
        document: Some(document),
        expected_version: None,
    };
    let refused = world.role(Role::Admin).policies.draft_policy(draft).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::InvalidArgument, "POLICY_UNSOUND".into())
    );
    let details = refused.get_error_details();
    let problems = &details.bad_request().unwrap().field_violations;
    for (code, rules) in [
        ("RULES_CONTRADICT", ["two-a-year", "four-a-year"]),
        ("RULE_FLOOR_ABOVE_CAP", ["nine-in-two-years", "two-a-year"]),
        ("RULE_FLOOR_ABOVE_CAP", ["nine-in-two-years", "four-a-year"]),
    ] {
        let names = |text: &str| rules.iter().all(|rule| text.contains(rule));
        let found = problems.iter().any(|p| p.reason == code && names(&p.description));
        assert!(found, "{code} of {rules:?}: {problems:?}");
    }
    assert_eq!(problems.len(), 3);
    let chinese = details.localized_message().unwrap().message.clone();
    let first = ["nine-in-two-years", "two-a-year", "上限"];
    assert!(first.iter().all(|word| chinese.contains(word)), "{chinese}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_window_frees_on_the_day_that_was_foretold_and_not_before() {
    let world = world(vec![no_more_than(2, 30)]).await;
    let mut unit = world.unit(MARKET);
    for days in [10, 20] {
        let (told, planned) = asked_then_planned(&mut unit, routine(in_days(days))).await;
        assert_eq!((told.verdict(), passed(&told)), (PlanVerdict::Allowed, vec![]));
        planned.unwrap();
    }
    let (told, refused) = asked_then_planned(&mut unit, routine(in_days(30))).await;
    assert_eq!(told.verdict(), PlanVerdict::Refused);
    assert_eq!(passed(&told), [("rolling", Some(in_days(40)))]);
    assert_eq!(told.quotas[0].visit_ids.len(), 2, "whoever holds the places is named");
    assert_eq!(reason(&refused.unwrap_err()), "CAP_REACHED");
    let (_, early) = asked_then_planned(&mut unit, routine(in_days(39))).await;
    early.unwrap_err();
    let (_, free) = asked_then_planned(&mut unit, routine(in_days(40))).await;
    free.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_counts_the_units_of_that_level_and_no_others() {
    let level = rule("level", FrequencySubject::SameLevel, FrequencyWindow::CalendarYear, 1);
    let world = world(vec![level]).await;
    let on = in_days(0);
    asked_then_planned(&mut world.unit(MARKET), routine(on)).await.1.unwrap();
    let (told, refused) = asked_then_planned(&mut world.unit(CITY), routine(on)).await;
    assert_eq!(reason(&refused.unwrap_err()), "CAP_REACHED");
    let quota = &told.quotas[0];
    assert_eq!(quota.subject(), FrequencySubject::SameLevel);
    assert_eq!(quota.key, UnitLevel::City.as_str_name());
    asked_then_planned(&mut world.unit(COUNTY), routine(on)).await.1.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grade_decides_which_rules_are_about_an_enterprise() {
    let of_grade = |id: &str, maximum, grade: CreditGrade| FrequencyRule {
        enterprises: Some(RuleEnterprises {
            grades: vec![grade.into()],
            ..RuleEnterprises::default()
        }),
        ..rule(id, FrequencySubject::AllUnits, FrequencyWindow::CalendarYear, maximum)
    };
    let rules = vec![
        FrequencyRule {
            exempt_grounds: vec![Ground::Complaint.into()],
            ..of_grade("a", 0, CreditGrade::A)
        },
        of_grade("d", 2, CreditGrade::D),
    ];
    let world = world(rules).await;
    let mut unit = world.unit(MARKET);
    let (told, planned) = asked_then_planned(&mut unit, routine(in_days(0))).await;
    assert_eq!(told.quotas, [], "no rule is about an enterprise without a grade");
    planned.unwrap();
    let assess = AssessCreditGradeRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        assessment: Some(CreditAssessment {
            grade: CreditGrade::A.into(),
            issuer: MARKET.to_owned(),
            assessed_on: Some(in_days(0)),
            valid_until: Some(in_days(20)),
        }),
        expected_version: None,
    };
    world.role(Role::Admin).enterprises.assess_credit_grade(assess).await.unwrap();
    let (told, refused) = asked_then_planned(&mut unit, routine(in_days(20))).await;
    assert_eq!(reason(&refused.unwrap_err()), "CAP_REACHED");
    assert_eq!(passed(&told).first().map(|(rule, _)| *rule), Some("a"));
    let (_, complaint) = asked_then_planned(&mut unit, plan(ENTERPRISE, Ground::Complaint)).await;
    complaint.unwrap();
    // The grade has ended by then.
    asked_then_planned(&mut unit, routine(in_days(21))).await.1.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_warns_lets_a_visit_pass_and_marks_it() {
    let warns = FrequencyRule {
        on_exceeding: OnExceeding::Warn.into(),
        ..rule("one-a-day", FrequencySubject::AllUnits, FrequencyWindow::Day, 1)
    };
    let world = world(vec![warns]).await;
    let (mut market, mut city) = (world.unit(MARKET), world.unit(CITY));
    let on = in_days(0);
    let (told, first) = asked_then_planned(&mut market, routine(on)).await;
    assert_eq!(told.verdict(), PlanVerdict::Allowed);
    let (told, second) = asked_then_planned(&mut city, routine(on)).await;
    assert_eq!(told.verdict(), PlanVerdict::Marked);
    assert_eq!(passed(&told).first().map(|(rule, _)| *rule), Some("one-a-day"));
    let visits = [(&mut market, first.unwrap().visit_id), (&mut city, second.unwrap().visit_id)];
    let mut position = String::new();
    for (unit, visit) in visits {
        unit.inspections.approve_visit(approve(ENTERPRISE, &visit)).await.unwrap();
        let scanned =
            unit.inspections.check_in(check_in(&world, ENTERPRISE, &visit).await).await.unwrap();
        position = scanned.into_inner().receipt.unwrap().position;
    }
    let page = ListTimelineRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        min_position: position,
        ..ListTimelineRequest::default()
    };
    let min_position = page.min_position.clone();
    let mut supervisor = world.role(Role::Supervisor);
    let page = supervisor.timelines.list_timeline(page).await.unwrap().into_inner().entries;
    let told = |name: &str| page.iter().filter(|entry| entry.event_type == name).count();
    assert!(told("RepeatVisits") > 0, "{page:?}");
    assert_eq!(told("CapExceeded"), 0);
    let filter = Some(AlertFilter { kind: AlertKind::RepeatVisits.into(), ..<_>::default() });
    let list = ListAlertsRequest { filter, min_position, page_size: 1, ..<_>::default() };
    let count = CountAlertsRequest {
        filter: list.filter.clone(),
        min_position: list.min_position.clone(),
        as_of: None,
    };
    let alerts = supervisor.alerts.list_alerts(list.clone()).await.unwrap().into_inner().alerts;
    let total = supervisor.alerts.count_alerts(count.clone()).await.unwrap().into_inner().total;
    assert_eq!((alerts.len(), total), (1, u64::try_from(told("RepeatVisits")).unwrap()));
    assert!(matches!(&alerts[0].reason, Some(alert::Reason::Quota(quota)) if quota.used == 2));
    let mut enterprise = world.enterprise(ENTERPRISE);
    assert_eq!(enterprise.alerts.count_alerts(count).await.unwrap().into_inner().total, 0);
    assert_eq!(enterprise.alerts.list_alerts(list).await.unwrap().into_inner().alerts, []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_an_approval_is_planned_only_with_one_that_can_be_looked_up() {
    let approval = FrequencyRule {
        on_exceeding: OnExceeding::NeedsApproval.into(),
        ..rule("one", FrequencySubject::AllUnits, FrequencyWindow::CalendarYear, 1)
    };
    let world = world(vec![approval]).await;
    let mut unit = world.unit(MARKET);
    let on = in_days(0);
    asked_then_planned(&mut unit, routine(on)).await.1.unwrap();
    let (told, refused) = asked_then_planned(&mut unit, routine(on)).await;
    assert_eq!(told.verdict(), PlanVerdict::NeedsApproval);
    let refused = refused.unwrap_err();
    let expected = (Code::FailedPrecondition, "JUSTIFICATION_MISSING".to_owned());
    assert_eq!((refused.code(), reason(&refused)), expected);
    assert!(refused.message().contains("approval"), "{refused:?}");

    let justification = "大市监批〔2026〕7号".to_owned();
    let justified = PlanVisitRequest { justification: justification.clone(), ..routine(on) };
    let (told, planned) = asked_then_planned(&mut unit, justified).await;
    assert_eq!(told.verdict(), PlanVerdict::NeedsApproval, "with one it passes all the same");
    let get = GetVisitRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: planned.unwrap().visit_id,
        ..GetVisitRequest::default()
    };
    let visit = unit.inspections.get_visit(get).await.unwrap().into_inner().visit.unwrap();
    assert_eq!(visit.justification, justification);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_on_the_white_list_is_visited_only_on_a_trigger() {
    let undisturbed = FrequencyRule {
        enterprises: Some(RuleEnterprises {
            tags: vec![WHITE_LIST.to_owned()],
            ..RuleEnterprises::default()
        }),
        exempt_grounds: vec![Ground::Complaint.into()],
        ..rule("undisturbed", FrequencySubject::AllUnits, FrequencyWindow::CalendarYear, 0)
    };
    let world = world(vec![undisturbed]).await;
    let mut unit = world.unit(MARKET);
    classify(&mut world.role(Role::Admin), &[WHITE_LIST]).await;
    let (told, refused) = asked_then_planned(&mut unit, routine(in_days(0))).await;
    assert_eq!(reason(&refused.unwrap_err()), "CAP_REACHED");
    assert_eq!(passed(&told), [("undisturbed", None)], "no day frees as long as the rule stands");
    let unproved =
        PlanVisitRequest { evidence: String::new(), ..plan(ENTERPRISE, Ground::Complaint) };
    let (_, unproved) = asked_then_planned(&mut unit, unproved).await;
    assert_eq!(reason(&unproved.unwrap_err()), "EVIDENCE_MISSING");
    let (_, complaint) = asked_then_planned(&mut unit, plan(ENTERPRISE, Ground::Complaint)).await;
    complaint.unwrap();
    let (_, other) = asked_then_planned(&mut unit, plan(OTHER, Ground::Routine)).await;
    other.unwrap();

    let get = GetEnterpriseRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        ..GetEnterpriseRequest::default()
    };
    let known = world.role(Role::Admin).enterprises.get_enterprise(get).await.unwrap();
    let known = known.into_inner().enterprise.unwrap();
    assert_eq!((known.risk_class(), known.tags), (RiskClass::A, vec![WHITE_LIST.to_owned()]));
    // The last word replaces the one before.
    classify(&mut world.role(Role::Admin), &[]).await;
    asked_then_planned(&mut unit, routine(in_days(0))).await.1.unwrap();
    world.stop().await;
}

async fn classify(client: &mut Client, tags: &[&str]) {
    let request = ClassifyEnterpriseRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        risk_class: RiskClass::A.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        issuer: MARKET.to_owned(),
        basis: "无事不扰企业名录".to_owned(),
        expected_version: None,
    };
    client.enterprises.classify_enterprise(request).await.unwrap();
}
