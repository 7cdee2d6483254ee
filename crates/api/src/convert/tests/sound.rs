//! Sound requests, to be spoiled one field at a time.

use crate::proto::{self as pb, policy_document::Document};

pub(super) const ID: &str = "0198c0de-0000-7000-8000-000000000001";
pub(super) const ENTERPRISE: &str = "91512081MA62K0260E";

#[expect(clippy::unnecessary_wraps, reason = "requests hold dates as options")]
pub(super) fn day(year: i32, month: i32, day: i32) -> Option<pb::Date> {
    Some(pb::Date { year, month, day })
}

pub(super) fn register() -> pb::RegisterEnterpriseRequest {
    pb::RegisterEnterpriseRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        name: "旅顺某机械有限公司".to_owned(),
        area: "210212".to_owned(),
        expected_version: Some(0),
    }
}

pub(super) fn assess() -> pb::AssessCreditGradeRequest {
    pb::AssessCreditGradeRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        assessment: Some(pb::CreditAssessment {
            grade: pb::CreditGrade::B.into(),
            issuer: "tax".to_owned(),
            assessed_on: day(2025, 4, 25),
            valid_until: None,
        }),
        expected_version: None,
    }
}

pub(super) fn change_area() -> pb::ChangeAreaRequest {
    pb::ChangeAreaRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        area: "210203".to_owned(),
        basis: "大政发〔2025〕1号".to_owned(),
        expected_version: None,
    }
}

pub(super) fn plan() -> pb::PlanVisitRequest {
    pb::PlanVisitRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        officers: vec!["LNB-0001".to_owned(), "LNB-0002".to_owned()],
        items: vec!["licence-display".to_owned()],
        ground: pb::Ground::Routine.into(),
        evidence: String::new(),
        planned_on: day(2025, 5, 6),
        expected_version: None,
        justification: String::new(),
        on_site_reason: String::new(),
        shares: vec![share("fire")],
        campaign_id: String::new(),
        recheck_of: String::new(),
    }
}

pub(super) fn share(unit: &str) -> pb::Share {
    pb::Share {
        unit: unit.to_owned(),
        officers: vec!["LNX-0001".to_owned(), "LNX-0002".to_owned()],
        items: vec!["fire-exit".to_owned()],
        approved: false,
    }
}

pub(super) fn check_in() -> pb::CheckInRequest {
    pb::CheckInRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        officers: vec!["LNB-0001".to_owned(), "LNB-0002".to_owned()],
        occurred_at: Some(prost_types::Timestamp { seconds: 1_745_550_000, nanos: 0 }),
        code: "DD1:ABC".to_owned(),
        expected_version: None,
        place: Some(place()),
    }
}

pub(super) fn place() -> pb::Place {
    pb::Place { latitude_e6: 38_914_003, longitude_e6: 121_614_682, accuracy_m: 15 }
}

pub(super) fn report() -> pb::ReportResultRequest {
    let result = |item: &str, outcome: pb::ItemOutcome, rectify_by| pb::ItemResult {
        item: item.to_owned(),
        outcome: outcome.into(),
        rectify_by,
        unmet: vec![],
        unit: String::new(),
    };
    pb::ReportResultRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        results: vec![
            result("licence-display", pb::ItemOutcome::Pass, None),
            result("fire-exit", pb::ItemOutcome::RectifyBy, day(2025, 6, 1)),
        ],
        expected_version: None,
    }
}

pub(super) fn cancel() -> pb::CancelVisitRequest {
    pb::CancelVisitRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        visit_id: ID.to_owned(),
        reason: pb::CancelReason::TaskWithdrawn.into(),
        expected_version: None,
    }
}

pub(super) fn submit() -> pb::SubmitAppealRequest {
    pb::SubmitAppealRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        channel: pb::Channel::Hotline12345.into(),
        topic: "T06".to_owned(),
        area: "210212".to_owned(),
        description: "厂房至今没有通电。\n请尽快处理。".to_owned(),
        contact: "张三 13800000000".to_owned(),
        ..pb::SubmitAppealRequest::default()
    }
}

pub(super) fn resolve() -> pb::ResolveAppealRequest {
    pb::ResolveAppealRequest {
        command_id: ID.to_owned(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: ID.to_owned(),
        outcome: pb::ResolutionOutcome::Solved.into(),
        reply: "已送电。".to_owned(),
        expected_version: None,
    }
}

pub(super) fn routing() -> Document {
    let unit = |id: &str| pb::RoutingUnit {
        id: id.to_owned(),
        name: "单位".to_owned(),
        ..Default::default()
    };
    let gone = pb::RoutingUnit {
        abolished: true,
        successor: "power".to_owned(),
        unstaffed: true,
        ..unit("gone")
    };
    let rule = |area: &str| pb::StandingRule {
        topic: "T06".to_owned(),
        area: area.to_owned(),
        unit: "power".to_owned(),
        diagnosis_id: ID.to_owned(),
    };
    Document::Routing(pb::RoutingTable {
        units: vec![unit("power"), unit("desk"), gone],
        areas: vec![pb::RoutingArea {
            code: "210212".to_owned(),
            name: "旅顺口区".to_owned(),
            desk: "desk".to_owned(),
        }],
        topics: vec![pb::RoutingTopic {
            id: "T06".to_owned(),
            title: "用电".to_owned(),
            lead: "power".to_owned(),
            co_units: vec!["desk".to_owned()],
            keywords: vec!["用电报装".to_owned()],
        }],
        city_desk: "desk".to_owned(),
        guarantee: "power".to_owned(),
        standing: vec![rule("210212"), rule("")],
    })
}

fn hours(from: i32, to: i32) -> pb::WorkInterval {
    let time = |hour| Some(pb::TimeOfDay { hour, minute: 30 });
    pb::WorkInterval { from: time(from), to: time(to) }
}

pub(super) fn calendar() -> Document {
    Document::Calendar(pb::WorkCalendar {
        years: vec![2025],
        exceptions: vec![pb::CalendarException {
            date: day(2025, 4, 27),
            kind: pb::DayKind::Workday.into(),
            name: "劳动节".to_owned(),
            hours: vec![hours(8, 11)],
        }],
        hours: vec![hours(8, 11), hours(13, 17)],
    })
}

pub(super) fn case_types() -> Document {
    let class = |id: &str, resolve_working_days| pb::CaseClass {
        id: id.to_owned(),
        title: "分类".to_owned(),
        resolve_working_days,
    };
    let rung = |escalation: pb::Escalation, after_working_days| pb::LadderRung {
        escalation: escalation.into(),
        after_working_days,
    };
    let competence = |about: pb::BodyLevel, unit: &str| pb::Competence {
        about: about.into(),
        unit: unit.to_owned(),
        guidance: "由该单位受理".to_owned(),
    };
    let case_type = pb::CaseType {
        id: "tax-dispute".to_owned(),
        title: "税费争议".to_owned(),
        classes: vec![class("blue", 5), class("yellow", 15), class("red", 30)],
        allowances: Some(pb::CaseAllowances {
            accept_working_days: 1,
            dispatch_working_days: 2,
            contact_working_days: 3,
            contest_working_days: 0,
            ruling_working_days: 5,
            co_handling_working_days: 6,
            feedback_working_days: 7,
            close_working_days: 8,
            opinion_working_days: 9,
            conclusion_working_days: 10,
        }),
        warnings: Some(pb::CaseWarnings { blue_percent: 67, yellow_percent: 90 }),
        ladder: vec![
            rung(pb::Escalation::Urge, 0),
            rung(pb::Escalation::Supervise, 2),
            rung(pb::Escalation::Circulate, 5),
            rung(pb::Escalation::Summon, 10),
        ],
        bounds: Some(pb::CaseBounds {
            bounces_max: 1,
            objections_max: 2,
            extension_working_days_max: 3,
            pause_working_days_max: 4,
            reopen_days: 15,
            false_closure_days: 90,
        }),
        lead: "tax".to_owned(),
        competences: vec![
            competence(pb::BodyLevel::District, "tax"),
            competence(pb::BodyLevel::City, "tax"),
            competence(pb::BodyLevel::Province, ""),
        ],
        mediation_working_days: 10,
        source: "缺省值".to_owned(),
        is_default: true,
    };
    let plain = pb::CaseType {
        id: "general".to_owned(),
        ladder: vec![],
        lead: String::new(),
        competences: vec![],
        mediation_working_days: 0,
        ..case_type.clone()
    };
    Document::CaseTypes(pb::CaseTypes { types: vec![plain, case_type] })
}

pub(super) fn list_timeline() -> pb::ListTimelineRequest {
    pb::ListTimelineRequest {
        enterprise_id: "L-1".to_owned(),
        kinds: vec![pb::TimelineKind::Visit.into()],
        from: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
        until: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..Default::default()
    }
}
