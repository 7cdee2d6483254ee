//! A reached cap, told so that the caller knows which rule, by which document, who holds the
//! places, and when the next one frees.

use std::collections::HashMap;

use doudi_domain::{
    Name, VisitId,
    catalogue::Level,
    frequency::{Key, Standing},
};
use tonic_types::QuotaViolation;

use super::Words;

/// The most visits that one description names; the quota query has them all.
const VISITS_NAMED_MAX: usize = 5;

/// The most rules that a refusal describes; the quota query has them all.
const RULES_NAMED_MAX: usize = 2;

/// The most characters of a source that a description cites. What a refusal says travels in headers.
const SOURCE_CHARS_MAX: usize = 60;

/// Every exhausted rule in one sentence of each language.
pub(crate) fn words(exhausted: &[Standing]) -> Words {
    let described: Vec<Words> = exhausted.iter().take(RULES_NAMED_MAX).map(describe).collect();
    let join = |pick: fn(&Words) -> &str, separator: &str| {
        described.iter().map(pick).collect::<Vec<_>>().join(separator)
    };
    Words::owned(join(|words| &words.en, "; "), join(|words| &words.zh, "；"))
}

/// The ids of the exhausted rules.
pub(crate) fn rule_ids(exhausted: &[Standing]) -> String {
    let ids = exhausted.iter().take(RULES_NAMED_MAX).map(|standing| standing.rule.as_str());
    ids.collect::<Vec<_>>().join(",")
}

/// One violation for each exhausted rule.
pub(crate) fn violations(exhausted: &[Standing]) -> Vec<QuotaViolation> {
    exhausted.iter().take(RULES_NAMED_MAX).map(violation).collect()
}

/// The source, cut with an ellipsis where it is long.
fn cited(source: &Name) -> String {
    let text = source.as_str();
    match text.char_indices().nth(SOURCE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn violation(standing: &Standing) -> QuotaViolation {
    let of_key = |name: &str, id: &dyn ToString| Some((name.to_owned(), id.to_string()));
    let key = match &standing.key {
        Key::All => None,
        Key::Unit(unit) => of_key("unit", unit),
        Key::Level(level) => of_key("level", &level_in_words(*level).en),
        Key::Field(field) => of_key("field", field),
        Key::Item(item) => of_key("item", item),
        Key::Officer(officer) => of_key("officer", officer),
    };
    let frees_on = standing.frees_on.map(|day| ("frees_on".to_owned(), day.to_string()));
    let window = [
        ("from".to_owned(), standing.from.to_string()),
        ("until".to_owned(), standing.until.to_string()),
    ];
    QuotaViolation {
        subject: standing.rule.to_string(),
        description: describe(standing).en.into_owned(),
        api_service: "doudi.v1.InspectionService".to_owned(),
        quota_metric: "inspection_visits".to_owned(),
        quota_id: standing.rule.to_string(),
        quota_dimensions: window.into_iter().chain(frees_on).chain(key).collect::<HashMap<_, _>>(),
        quota_value: i64::from(standing.maximum),
        futura_quota_value: None,
    }
}

fn describe(standing: &Standing) -> Words {
    let source = cited(&standing.source);
    let Standing { rule, from, until, maximum, visits, frees_on, .. } = standing;
    let by = by_whom(&standing.key);
    let named = visits.iter().take(VISITS_NAMED_MAX).map(VisitId::to_string).collect::<Vec<_>>();
    let more = visits.len().saturating_sub(VISITS_NAMED_MAX);
    let (more_en, more_zh) = match more {
        0 => (String::new(), String::new()),
        more => (format!(" and {more} more"), format!("等{}次", visits.len())),
    };
    let (used_en, used_zh) = match named.as_slice() {
        [] => (String::new(), String::new()),
        named => (
            format!("; used by {}{more_en}", named.join(", ")),
            format!("，已占用名额的检查为{}{more_zh}", named.join("、")),
        ),
    };
    let (frees_en, frees_zh) = match frees_on {
        Some(day) => (format!("; the visit fits from {day} on"), format!("，{day}起可以安排")),
        None => (String::new(), String::new()),
    };
    Words::owned(
        format!(
            "rule {rule} of {source} allows {maximum} visit(s) {} from {from} to {until}{used_en}\
             {frees_en}",
            by.en
        ),
        format!(
            "规则{rule}（依据：{source}）规定{from}至{until}期间{}检查不超过{maximum}次{used_zh}{frees_zh}",
            by.zh
        ),
    )
}

/// Whose visits add up, in words.
fn by_whom(key: &Key) -> Words {
    match key {
        Key::All => Words::pair("by all units together", "各单位合计"),
        Key::Unit(unit) => Words::owned(format!("by the unit {unit}"), unit.to_string()),
        Key::Level(level) => {
            let level = level_in_words(*level);
            let en = format!("by all units of the level {}", level.en);
            Words::owned(en, format!("{}各单位合计", level.zh))
        }
        Key::Field(field) => Words::owned(format!("in the field {field}"), format!("{field}领域")),
        Key::Item(item) => Words::owned(format!("on the item {item}"), format!("事项{item}")),
        Key::Officer(officer) => {
            Words::owned(format!("with the officer {officer}"), format!("执法证{officer}"))
        }
    }
}

fn level_in_words(level: Level) -> Words {
    match level {
        Level::Nation => Words::pair("nation", "国家级"),
        Level::Province => Words::pair("province", "省级"),
        Level::City => Words::pair("city", "市级"),
        Level::County => Words::pair("county", "区县级"),
        Level::Township => Words::pair("township", "乡镇（街道）级"),
    }
}
