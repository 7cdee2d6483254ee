//! What the demo shows: a story in lines, timelines and quotas in tables.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use doudi_api::proto::{Date, Quota, TimelineEntry};
use jiff::{Timestamp, tz};

use super::DemoError;
use crate::catalogue::Plan;

/// A heading of the story.
pub(super) fn chapter(title: &str) {
    println!("\n=== {title}");
}

/// A code as it is scanned, drawn in the terminal.
pub(super) fn picture(code: &str) -> Result<(), DemoError> {
    let lines = doudi_scan::picture::lines(code);
    for line in lines.map_err(|_| DemoError::Story("a code cannot be drawn"))? {
        println!("  {line}");
    }
    Ok(())
}

/// One line of the story.
pub(super) fn line(text: &str) {
    println!("  {text}");
}

fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading);
    table
}

fn indented(table: &Table) {
    for row in table.to_string().lines() {
        println!("  {row}");
    }
}

/// An enterprise's timeline, as the API gave it.
pub(super) fn timeline(plan: &Plan, entries: &[TimelineEntry]) {
    let mut table = table(&["time", "event", "事件", "unit"]);
    for entry in entries {
        let at = entry
            .occurred_at
            .and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
            .map(|at| tz::offset(8).to_datetime(at).strftime("%H:%M:%S").to_string())
            .unwrap_or_default();
        let unit = plan.unit_name(&entry.unit);
        table.add_row([at.as_str(), &entry.event_type, chinese(&entry.event_type), unit]);
    }
    indented(&table);
}

/// What officials call it.
fn chinese(event_type: &str) -> &str {
    match event_type {
        "EnterpriseRegistered" => "企业登记",
        "VisitPlanned" => "检查计划",
        "VisitApproved" => "检查批准",
        "VisitCheckedIn" => "扫码入企",
        "VisitCheckedOut" => "检查离场",
        "ResultReported" => "检查结果",
        "AppealSubmitted" => "诉求提交",
        "AppealAccepted" => "诉求受理",
        "AppealDispatched" => "诉求分办",
        "AppealSignedFor" => "诉求签收",
        "DispatchContested" => "单位退单",
        "GuaranteeTaken" => "兜底接办",
        "DiagnosisConvened" => "召集会诊",
        "DiagnosisOpened" => "会诊开始",
        "OpinionGiven" => "会诊意见",
        "DiagnosisConcluded" => "会诊结论",
        "ConclusionTaken" => "结论生效",
        "ConclusionDelivered" => "结论送达",
        "StandingRulePublished" => "形成分办规则",
        "CoHandlingAnswered" => "协办反馈",
        "AppealResolved" => "诉求办结",
        "ResolutionConfirmed" => "企业确认",
        "ResolutionObjected" => "企业不满意",
        "AppealClosed" => "归档",
        "AppealRated" => "企业评价",
        other => other,
    }
}

/// How an enterprise stands against each rule, as the API gave it.
pub(super) fn quotas(plan: &Plan, quotas: &[Quota]) {
    let heading =
        ["rule", "for", "max", "reserved", "used", "exempt", "left", "frees on", "visits"];
    let mut table = table(&heading);
    for quota in quotas {
        let whom = if quota.key.is_empty() { "all" } else { plan.unit_name(&quota.key) };
        let visits: Vec<&str> =
            quota.visit_ids.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
        table.add_row([
            quota.rule.clone(),
            whom.to_owned(),
            quota.maximum.to_string(),
            quota.reserved.to_string(),
            quota.used.to_string(),
            quota.exempt.to_string(),
            quota.remaining.to_string(),
            date(quota.frees_on.as_ref()),
            visits.join(" "),
        ]);
    }
    indented(&table);
}

/// A civil date as people write it.
pub(super) fn date(date: Option<&Date>) -> String {
    date.map_or_else(String::new, |d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day))
}
