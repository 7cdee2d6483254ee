//! `doudi what-if`: a document tried out on the log, with a table or JSON of what it would have changed.
//!
//! File and JSON are the messages of the API in the JSON of Protocol Buffers, so that what `grpcurl`
//! reads with `GetPolicy` can be edited, tried out, and drafted.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use doudi_api::{
    of_what_if_report,
    proto::{
        ClockKind, FILE_DESCRIPTOR_SET, Ground, PolicyDocument, WhatIfChange, WhatIfReport,
        what_if_count::Key, what_if_example::Instance,
    },
    what_if,
};
use doudi_domain::what_if::Days;
use doudi_engine::what_if::{Progress, replay};
use doudi_journal::Position;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Deserializer;
use tokio::time::Instant;
use tonic::Status;
use tonic_types::{ErrorDetail, StatusExt as _};

use crate::{clock, commands::Failure, config::Config, parts};

/// How often it is told how far the replay is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What is asked.
#[derive(Debug)]
pub struct Asked {
    /// The file of the candidate.
    pub policy: PathBuf,
    /// Which decisions are taken again.
    pub days: Days,
    /// Whether the report is printed as JSON.
    pub json: bool,
}

/// Replays the log under the candidate, up to where it ends now, and prints the report. Nothing is written
/// anywhere, and nothing stays behind when the process is ended.
///
/// # Errors
/// When the file is no sound document, in both languages; when the log cannot be read.
pub async fn run(config: &Config, asked: Asked) -> Result<ExitCode, Failure> {
    let Asked { policy, days, json } = asked;
    let text = fs::read_to_string(&policy)
        .map_err(|error| format!("{} cannot be read: {error}", policy.display()))?;
    let document = document_of(&text)
        .map_err(|error| format!("{} is no policy document: {error}", policy.display()))?;
    let candidate = what_if(&document, days).map_err(|status| in_words(&status))?;
    let (journal, _) = parts::pass(parts::connect(config).await?, Position::default()).await?;
    let begun = Instant::now();
    let mut told_at = begun;
    let tell = |progress: Progress| {
        if told_at.elapsed() >= TELL_EVERY || progress.reached == progress.end {
            told_at = Instant::now();
            tell(progress, begun.elapsed());
        }
    };
    let report = replay(&journal, candidate, clock::system().now(), tell).await?;
    let report = of_what_if_report(&report);
    if json {
        println!("{}", to_json(&report)?);
    } else {
        show(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// How far it is, on standard error, so that what is printed is the report alone.
fn tell(progress: Progress, since: Duration) {
    let (reached, end) = (progress.reached.0, progress.end.0);
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = reached.saturating_mul(1000) / millis;
    eprintln!("{reached}/{end} records, {rate} a second");
}

/// A refusal in both languages, with what is wrong with each field.
fn in_words(status: &Status) -> String {
    let mut words = vec![];
    for detail in status.get_error_details_vec() {
        if let ErrorDetail::LocalizedMessage(told) = detail {
            words.push(told.message);
        } else if let ErrorDetail::BadRequest(found) = detail {
            let fields = found.field_violations.into_iter();
            words.extend(fields.map(|field| format!("{}: {}", field.field, field.description)));
        }
    }
    words.join("\n")
}

fn descriptor(name: &str) -> Result<MessageDescriptor, Failure> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET)?;
    let found = pool.get_message_by_name(name);
    Ok(found.ok_or_else(|| format!("the contract has no {name}"))?)
}

/// A document from the JSON of Protocol Buffers. Fields that it has not got are refused: a
/// mistyped limit must not pass for none.
fn document_of(text: &str) -> Result<PolicyDocument, Failure> {
    let mut json = Deserializer::from_str(text);
    let message = DynamicMessage::deserialize(descriptor("doudi.v1.PolicyDocument")?, &mut json)?;
    json.end()?;
    Ok(message.transcode_to()?)
}

fn to_json(report: &WhatIfReport) -> Result<String, Failure> {
    let mut found = DynamicMessage::new(descriptor("doudi.v1.WhatIfReport")?);
    found.transcode_from(report)?;
    Ok(serde_json::to_string(&found)?)
}

fn show(report: &WhatIfReport) {
    let WhatIfReport { compared, skipped, unreadable, .. } = report;
    println!(
        "{compared} decisions taken again, {skipped} could not be, {unreadable} records could not be read"
    );
    if report.totals.is_empty() {
        println!("nothing comes out otherwise 结果无变化");
    } else {
        let totals = report.totals.iter();
        table(
            ["change 变化", "decisions 件数"],
            totals.map(|t| [said(t.change), t.count.to_string()]),
        );
        let counts = report.counts.iter();
        let rows = counts.map(|found| {
            let (of, what) = key(found.key.as_ref());
            [said(found.change), of.to_owned(), what, found.count.to_string()]
        });
        table(["change 变化", "by 口径", "which 对象", "decisions 件数"], rows);
        if report.counts_left_out > 0 {
            println!("{} smaller counts left out", report.counts_left_out);
        }
        let examples = report.examples.iter().map(|found| {
            let instance = match &found.instance {
                Some(Instance::VisitId(visit)) => format!("visit {visit}"),
                Some(Instance::AppealId(appeal)) => format!("appeal {appeal}"),
                None => String::new(),
            };
            [said(found.change), found.enterprise_id.clone(), instance]
        });
        table(["change 变化", "enterprise 企业", "for example 示例"], examples);
    }
    if !report.idle_rules.is_empty() {
        println!("rules that applied to no visit: {}", report.idle_rules.join(", "));
    }
}

fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header).add_rows(rows);
    println!("{table}");
}

/// By what a count is, and of which.
fn key(key: Option<&Key>) -> (&'static str, String) {
    match key {
        Some(Key::Rule(rule)) => ("rule 规则", rule.clone()),
        Some(Key::Unit(unit)) if unit.is_empty() => {
            ("unit 单位", "city desk 市诉求专席".to_owned())
        }
        Some(Key::Unit(unit)) => ("unit 单位", unit.clone()),
        Some(Key::Area(area)) if area.is_empty() => ("area 区域", "not known 不详".to_owned()),
        Some(Key::Area(area)) => ("area 区域", area.clone()),
        Some(Key::Ground(ground)) => {
            ("ground 事由", word(Ground::try_from(*ground).map(|g| g.as_str_name()), "GROUND_"))
        }
        Some(Key::Topic(topic)) => ("topic 事项", topic.clone()),
        Some(Key::Move(moved)) => {
            ("move 流向", format!("{} -> {}", moved.from_unit, moved.to_unit))
        }
        Some(Key::Owed(kind)) => {
            ("owed 时限", word(ClockKind::try_from(*kind).map(|k| k.as_str_name()), "CLOCK_KIND_"))
        }
        Some(Key::Class(class)) => ("class 分类", format!("{}/{}", class.case_type, class.class)),
        None => ("", String::new()),
    }
}

/// A word of the contract as a person reads it.
fn word<E>(name: Result<&str, E>, prefix: &str) -> String {
    let name = name.unwrap_or_default();
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace('_', " ")
}

fn said(change: i32) -> String {
    let change = WhatIfChange::try_from(change).unwrap_or_default();
    let words = match change {
        WhatIfChange::Unspecified => "",
        WhatIfChange::Refused => "would be refused 将被拒绝",
        WhatIfChange::Unjustified => "would lack a justification 缺少说明或批准",
        WhatIfChange::Unevidenced => "would lack evidence 缺少事由依据",
        WhatIfChange::Stricter => "would pass, more strictly 从严通过",
        WhatIfChange::Milder => "would pass, more mildly 从宽通过",
        WhatIfChange::Overshot => "would overshoot at the door 到场时超限",
        WhatIfChange::Within => "would not overshoot 不再超限",
        WhatIfChange::Rerouted => "would go elsewhere 改派其他单位",
        WhatIfChange::Ownerless => "would find no unit 无承办单位，转兜底",
        WhatIfChange::Owned => "would find a unit 有承办单位",
        WhatIfChange::Missed => "would be missed 将超期",
        WhatIfChange::Kept => "would be kept 不再超期",
        WhatIfChange::Earlier => "would be due earlier 时限提前",
        WhatIfChange::Later => "would be due later 时限延后",
    };
    words.to_owned()
}
