//! What rules on inspections and catalogues say, in every form, and spoiled one field at a time.

use super::{bad::check, *};
use crate::proto::inspection_catalogue::Qualification;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn frequency() -> Document {
    let rule = pb::FrequencyRule {
        id: "liaoning-2019".to_owned(),
        subject: pb::FrequencySubject::SameUnit.into(),
        window: pb::FrequencyWindow::CalendarYear.into(),
        maximum: 1,
        exempt_grounds: vec![pb::Ground::Complaint.into(), pb::Ground::Urgent.into()],
        source: "辽宁2019".to_owned(),
        valid_from: day(2019, 1, 1),
        on_exceeding: pb::OnExceeding::Refuse.into(),
        ..Default::default()
    };
    let every_part = pb::FrequencyRule {
        id: "coal-mines".to_owned(),
        subject: pb::FrequencySubject::SameOfficer.into(),
        window: pb::FrequencyWindow::Rolling.into(),
        rolling_days: 365,
        maximum: 0,
        exempt_grounds: vec![],
        source: "河南".to_owned(),
        is_default: true,
        valid_from: day(2024, 1, 1),
        valid_until: day(2030, 12, 31),
        enterprises: Some(pb::RuleEnterprises {
            grades: vec![pb::CreditGrade::A.into(), pb::CreditGrade::D.into()],
            risk_classes: vec![pb::RiskClass::B.into()],
            tags: words(&["coal-mine"]),
        }),
        days_of_month: Some(pb::DaysOfMonth { from: 1, until: 15 }),
        grounds: vec![pb::Ground::Routine.into(), pb::Ground::Special.into()],
        only_without_finding: true,
        once_per_unit: true,
        on_exceeding: pb::OnExceeding::NeedsExplanation.into(),
        items: words(&["SC-0101"]),
        fields: words(&["fire-safety"]),
    };
    let floor = pb::FrequencyFloor {
        id: "once-in-three-years".to_owned(),
        enterprises: None,
        grounds: vec![pb::Ground::Routine.into()],
        minimum: 1,
        years: 3,
        source: "三年一查".to_owned(),
        is_default: true,
        valid_from: day(2024, 1, 1),
        valid_until: None,
    };
    let excess = Some(pb::FrequencyExcess { multiple: 3, visits: 4, days: 60 });
    let visits = Some(pb::VisitTerms {
        approval_days: Some(3),
        tell_days: Some(0),
        backfill_days: Some(7),
        near_days: Some(30),
        place_metres: Some(500),
        blue_percent: Some(50),
        yellow_percent: Some(80),
    });
    let rules = vec![rule, every_part];
    Document::Frequency(pb::FrequencyPolicy { rules, floors: vec![floor], excess, visits })
}

pub(super) fn catalogue() -> Document {
    let item = |id: &str| pb::CatalogueItem {
        id: id.to_owned(),
        title: "消防安全检查".to_owned(),
        field: "fire-safety".to_owned(),
        legal_basis: "中华人民共和国消防法".to_owned(),
        modes: vec![pb::InspectionMode::OnSite.into(), pb::InspectionMode::OffSite.into()],
        trigger_only: true,
        checklist: words(&["疏散通道"]),
    };
    let until = day(2027, 12, 31);
    let entrusted = pb::EntrustedUnit { by: "emergency".to_owned(), until };
    Document::Catalogue(pb::InspectionCatalogue {
        unit: "fire".to_owned(),
        level: pb::UnitLevel::County.into(),
        qualification: Some(Qualification::Entrusted(entrusted)),
        officers: vec![pb::CatalogueOfficer {
            certificate: "2102-0001".to_owned(),
            valid_from: day(2024, 1, 1),
            valid_until: until,
        }],
        items: vec![item("XF-01"), item("XF-02")],
        triggers: vec![pb::Ground::Complaint.into()],
    })
}

pub(super) fn classify() -> pb::ClassifyEnterpriseRequest {
    pb::ClassifyEnterpriseRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        risk_class: pb::RiskClass::C.into(),
        tags: words(&["white-list"]),
        issuer: "emergency".to_owned(),
        basis: "连应急〔2025〕1号".to_owned(),
        expected_version: None,
    }
}

pub(super) fn explain() -> pb::ExplainPlanRequest {
    let plan = plan();
    pb::ExplainPlanRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        unit: "tax".to_owned(),
        officers: plan.officers,
        items: plan.items,
        ground: plan.ground,
        evidence: plan.evidence,
        planned_on: plan.planned_on,
        justification: "情况说明".to_owned(),
        on_site_reason: "须现场核验".to_owned(),
        shares: plan.shares,
        campaign_id: plan.campaign_id,
        recheck_of: plan.recheck_of,
    }
}

fn rule(request: &mut pb::DraftPolicyRequest) -> &mut pb::FrequencyRule {
    match request.document.as_mut().and_then(|document| document.document.as_mut()) {
        Some(Document::Frequency(policy)) => &mut policy.rules[1],
        _ => panic!("no policy"),
    }
}

fn listed(request: &mut pb::DraftPolicyRequest) -> &mut pb::InspectionCatalogue {
    match request.document.as_mut().and_then(|document| document.document.as_mut()) {
        Some(Document::Catalogue(catalogue)) => catalogue,
        _ => panic!("no catalogue"),
    }
}

#[test]
fn what_a_rule_says_is_judged_field_by_field() {
    const AT: [&str; 6] = [
        "document.frequency.rules[1].rolling_days",
        "document.frequency.rules[1].enterprises.tags[0]",
        "document.frequency.rules[1].enterprises.grades[0]",
        "document.frequency.rules[1].days_of_month.until",
        "document.frequency.rules[1].on_exceeding",
        "document.frequency.rules[1].items",
    ];
    check(
        || draft(frequency()),
        policy::draft,
        &[
            (|r| rule(r).rolling_days = 0, AT[0], Reason::NumberRange),
            (|r| rule(r).window = pb::FrequencyWindow::Day.into(), AT[0], Reason::FieldNotAllowed),
            (
                |r| rule(r).enterprises.as_mut().unwrap().tags[0] = "白名单".into(),
                AT[1],
                Reason::FieldCharacter,
            ),
            (
                |r| rule(r).enterprises.as_mut().unwrap().grades[0] = 0,
                AT[2],
                Reason::EnumUnspecified,
            ),
            (|r| rule(r).days_of_month.as_mut().unwrap().until = 32, AT[3], Reason::NumberRange),
            (|r| rule(r).on_exceeding = 9, AT[4], Reason::EnumUnknown),
            (|r| rule(r).items = vec!["a".into(); 201], AT[5], Reason::ListSize),
        ],
    );
}

fn terms(request: &mut pb::DraftPolicyRequest) -> &mut pb::VisitTerms {
    match request.document.as_mut().and_then(|document| document.document.as_mut()) {
        Some(Document::Frequency(policy)) => policy.visits.as_mut().unwrap(),
        _ => panic!("no policy"),
    }
}

#[test]
fn what_visits_are_held_to_is_judged_field_by_field() {
    const AT: [&str; 3] = [
        "document.frequency.visits.near_days",
        "document.frequency.visits.place_metres",
        "document.frequency.visits.yellow_percent",
    ];
    check(
        || draft(frequency()),
        policy::draft,
        &[
            (|r| terms(r).near_days = Some(367), AT[0], Reason::NumberRange),
            (|r| terms(r).place_metres = Some(100_001), AT[1], Reason::NumberRange),
            (|r| terms(r).yellow_percent = Some(101), AT[2], Reason::NumberRange),
        ],
    );
}

#[test]
fn terms_that_are_not_given_are_the_usual_ones_and_zero_is_a_number() {
    let mut request = draft(frequency());
    *terms(&mut request) = pb::VisitTerms { tell_days: Some(0), ..Default::default() };
    let order = policy::draft(&request).unwrap();
    let doudi_domain::policy::Document::Frequency(policy) = order.command else { panic!() };
    let usual = doudi_domain::frequency::VisitTerms::default();
    let expected = doudi_domain::frequency::VisitTerms { tell_days: 0, ..usual };
    assert_eq!(policy.visits, expected);
}

#[test]
fn what_a_catalogue_says_is_judged_field_by_field() {
    check(
        || draft(catalogue()),
        policy::draft,
        &[
            (|r| listed(r).unit = "u".repeat(55), "document.catalogue.unit", Reason::FieldTooLong),
            (|r| listed(r).level = 0, "document.catalogue.level", Reason::EnumUnspecified),
            (
                |r| listed(r).qualification = None,
                "document.catalogue.qualification",
                Reason::FieldRequired,
            ),
            (
                |r| listed(r).officers[0].valid_until = None,
                "document.catalogue.officers[0].valid_until",
                Reason::FieldRequired,
            ),
            (
                |r| listed(r).items[1].modes[0] = 7,
                "document.catalogue.items[1].modes[0]",
                Reason::EnumUnknown,
            ),
            (
                |r| listed(r).items[1].checklist[0].clear(),
                "document.catalogue.items[1].checklist[0]",
                Reason::FieldRequired,
            ),
        ],
    );
}

#[test]
fn a_classification_and_a_question_about_a_plan() {
    check(
        classify,
        enterprise::classify,
        &[
            (|r| r.risk_class = 9, "risk_class", Reason::EnumUnknown),
            (|r| r.tags.push("white-list".into()), "tags[1]", Reason::ListDuplicate),
            (|r| r.basis.clear(), "basis", Reason::FieldRequired),
        ],
    );
    check(
        explain,
        |r| inspection::explain(r, None),
        &[
            (|r| r.unit.clear(), "unit", Reason::FieldRequired),
            (|r| r.planned_on = None, "planned_on", Reason::FieldRequired),
            (|r| r.justification = "长".repeat(201), "justification", Reason::FieldTooLong),
            (|r| r.shares[0].items.clear(), "shares[0].items", Reason::ListSize),
        ],
    );
}
