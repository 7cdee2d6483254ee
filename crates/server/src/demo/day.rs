//! The working day of the demo: every step is a call that any client could make.

use doudi_api::proto::{
    AcceptAppealRequest, Channel as AppealChannel, DispatchAppealRequest, GetAppealRequest,
    ListTimelineRequest, ObjectToResolutionRequest, RegisterEnterpriseRequest, ResolutionOutcome,
    ResolveAppealRequest, SignForAppealRequest, SubmitAppealRequest, TimelineOrder,
};

use super::{Cast, DemoError, tables};
use crate::{catalogue, client::command_id};

/// 旅顺口区.
const AREA: &str = "210212";

/// Sample enterprises (示例企业): codes with a right check digit, none of a real enterprise.
pub(super) const ENTERPRISES: [(&str, &str); 4] = [
    ("91210212DD0000001D", "示例船舶配件(旅顺)有限公司"),
    ("91210212DD0000003K", "示例樱桃食品有限公司"),
    ("91210212DD0000005R", "示例渔港冷链有限公司"),
    ("91210212DD00000070", "示例旅顺文旅有限公司"),
];

/// Publishes the catalogue: work calendar, case types, routing, limits, inspection catalogues.
pub(super) async fn publish(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("The rules are published as data 规则以数据形式发布");
    for (name, document) in [
        ("work calendar 工作日历", catalogue::work_calendar()?),
        ("case types 诉求类型", catalogue::case_types()?),
        ("routing 分办规则", cast.plan.routing()),
        ("limits 检查频次", catalogue::frequency_policy()),
    ] {
        let version = cast.admin.publish(document).await?;
        tables::line(&format!("{name} version {version} is in force"));
    }
    let samples = catalogue::inspection_catalogues()?;
    let count = samples.len();
    for document in samples {
        cast.admin.publish(document).await?;
    }
    tables::line(&format!(
        "inspection catalogues 行政检查清单 of {count} units are in force (samples)"
    ));
    Ok(())
}

/// Registers the enterprises.
pub(super) async fn register(cast: &Cast) -> Result<(), DemoError> {
    tables::chapter("Enterprises of 旅顺口区 are registered 登记企业");
    for (code, name) in ENTERPRISES {
        let registered = cast
            .admin
            .enterprises
            .clone()
            .register_enterprise(RegisterEnterpriseRequest {
                command_id: command_id(),
                enterprise_id: code.to_owned(),
                name: name.to_owned(),
                area: AREA.to_owned(),
                expected_version: None,
            })
            .await?
            .into_inner();
        let mark = if registered.check_digit_correct { "" } else { " (check digit is wrong)" };
        tables::line(&format!("{code} {name}{mark}"));
    }
    Ok(())
}

/// An appeal as the demo leads it.
struct Story {
    enterprise: usize,
    topic: &'static str,
    description: &'static str,
    unit: &'static str,
}

const APPEALS: [Story; 3] = [
    Story {
        enterprise: 2,
        topic: "T06",
        description: "冷库增容报装已两周未答复,影响投产。",
        unit: "power-supply",
    },
    Story {
        enterprise: 2,
        topic: "T17",
        description: "社保缴费系统重复扣款,申请退费。",
        unit: "tax",
    },
    Story {
        enterprise: 0,
        topic: "T27",
        description: "上门检查未先扫码,请核实。",
        unit: "justice",
    },
];

/// Three appeals go where the plan says; one is resolved and objected to. Answers with the position
/// of the last thing that happened.
pub(super) async fn appeals(cast: &Cast, visit: &str) -> Result<String, DemoError> {
    let mut position = String::new();
    tables::chapter("Appeals go to whom the plan names 诉求按方案分办");
    for (number, story) in APPEALS.iter().enumerate() {
        let about = if story.unit == "justice" { visit } else { "" };
        let (enterprise, appeal) = submit(cast, story, about).await?;
        let mut desk = cast.dispatcher.appeals.clone();
        desk.accept_appeal(AcceptAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise.clone(),
            appeal_id: appeal.clone(),
            expected_version: None,
        })
        .await?;
        let sent = desk
            .dispatch_appeal(DispatchAppealRequest {
                command_id: command_id(),
                enterprise_id: enterprise.clone(),
                appeal_id: appeal.clone(),
                to_unit: String::new(),
                expected_version: None,
            })
            .await?
            .into_inner();
        if sent.unit != story.unit {
            return Err(DemoError::Story("an appeal went to another unit than the plan names"));
        }
        let unit = cast.plan.unit_name(&sent.unit);
        tables::line(&format!("{} -> {unit} by rule {}", story.description, sent.rule));
        tables::line(&format!("  due at the end of {}", due(cast, &enterprise, &appeal).await?));
        position = sent.receipt.map(|receipt| receipt.position).unwrap_or_default();
        if number == 0 {
            resolve_and_object(cast, &enterprise, &appeal, story.unit).await?;
        }
    }
    Ok(position)
}

/// When the unit owes its resolution.
async fn due(cast: &Cast, enterprise: &str, appeal: &str) -> Result<String, DemoError> {
    let request = GetAppealRequest {
        enterprise_id: enterprise.to_owned(),
        appeal_id: appeal.to_owned(),
        ..<_>::default()
    };
    let appeal = cast.dispatcher.appeals.clone().get_appeal(request).await?.into_inner().appeal;
    let due = appeal.and_then(|appeal| appeal.summary).and_then(|summary| summary.due);
    let due = due.ok_or(DemoError::Story("a dispatched appeal has no due date"))?;
    let (on, days) = (tables::date(due.due_on.as_ref()), due.working_days);
    Ok(format!("{on}, {days} working days after today"))
}

async fn submit(cast: &Cast, story: &Story, visit: &str) -> Result<(String, String), DemoError> {
    let (enterprise, _) = ENTERPRISES[story.enterprise];
    let submitted = cast
        .enterprise(enterprise)?
        .appeals
        .clone()
        .submit_appeal(SubmitAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            channel: AppealChannel::App.into(),
            topic: story.topic.to_owned(),
            area: AREA.to_owned(),
            description: story.description.to_owned(),
            contact: "企业联系人 0411-00000000".to_owned(),
            about_visit_id: visit.to_owned(),
            ..SubmitAppealRequest::default()
        })
        .await?
        .into_inner();
    Ok((enterprise.to_owned(), submitted.appeal_id))
}

async fn resolve_and_object(
    cast: &Cast,
    enterprise: &str,
    appeal: &str,
    unit: &str,
) -> Result<(), DemoError> {
    let mut handler = cast.unit(unit)?.appeals;
    handler
        .sign_for_appeal(SignForAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            appeal_id: appeal.to_owned(),
            expected_version: None,
        })
        .await?;
    handler
        .resolve_appeal(ResolveAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            appeal_id: appeal.to_owned(),
            outcome: ResolutionOutcome::Explained.into(),
            reply: "已受理增容申请,排期待定。".to_owned(),
            expected_version: None,
        })
        .await?;
    cast.enterprise(enterprise)?
        .appeals
        .object_to_resolution(ObjectToResolutionRequest {
            command_id: command_id(),
            enterprise_id: enterprise.to_owned(),
            appeal_id: appeal.to_owned(),
            reason: "没有给出送电日期。".to_owned(),
            expected_version: None,
        })
        .await?;
    tables::line("  resolved as explained, objected to by the enterprise: the unit has it again");
    Ok(())
}

/// Every enterprise's timeline and quota, as a supervisor sees them after all that.
pub(super) async fn show(cast: &Cast, position: &str) -> Result<(), DemoError> {
    for (enterprise, name) in ENTERPRISES {
        tables::chapter(&format!("{enterprise} {name}"));
        let page = cast
            .supervisor
            .timelines
            .clone()
            .list_timeline(ListTimelineRequest {
                enterprise_id: enterprise.to_owned(),
                order: TimelineOrder::OldestFirst.into(),
                page_size: 100,
                min_position: position.to_owned(),
                ..ListTimelineRequest::default()
            })
            .await?
            .into_inner();
        tables::timeline(&cast.plan, &page.entries);
        let quota = cast
            .unit("market-regulation")?
            .inspections
            .get_quota(doudi_api::proto::GetQuotaRequest {
                enterprise_id: enterprise.to_owned(),
                min_position: position.to_owned(),
                ..doudi_api::proto::GetQuotaRequest::default()
            })
            .await?
            .into_inner();
        tables::quotas(&cast.plan, &quota.quotas);
    }
    Ok(())
}
