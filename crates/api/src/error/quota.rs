//! A reached cap, told so that the caller knows which rule, by which document, who holds the
//! places, and when the next one frees.

use std::collections::HashMap;

use doudi_domain::{Name, VisitId, frequency::Standing};
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
    let unit = standing.unit.as_ref().map(|unit| ("unit".to_owned(), unit.to_string()));
    let window = [
        ("from".to_owned(), standing.from.to_string()),
        ("until".to_owned(), standing.until.to_string()),
        ("frees_on".to_owned(), standing.frees_on().to_string()),
    ];
    QuotaViolation {
        subject: standing.rule.to_string(),
        description: describe(standing).en.into_owned(),
        api_service: "doudi.v1.InspectionService".to_owned(),
        quota_metric: "inspection_visits".to_owned(),
        quota_id: standing.rule.to_string(),
        quota_dimensions: window.into_iter().chain(unit).collect::<HashMap<_, _>>(),
        quota_value: i64::from(standing.maximum),
        futura_quota_value: None,
    }
}

fn describe(standing: &Standing) -> Words {
    let source = cited(&standing.source);
    let Standing { rule, unit, from, until, maximum, visits, .. } = standing;
    let frees_on = standing.frees_on();
    let (by, of) = match unit {
        Some(unit) => (format!("by the unit {unit}"), format!("{unit}")),
        None => ("by all units together".to_owned(), "各单位合计".to_owned()),
    };
    let named = visits.iter().take(VISITS_NAMED_MAX).map(VisitId::to_string).collect::<Vec<_>>();
    let more = visits.len().saturating_sub(VISITS_NAMED_MAX);
    let (more_en, more_zh) = match more {
        0 => (String::new(), String::new()),
        more => (format!(" and {more} more"), format!("等{}次", visits.len())),
    };
    Words::owned(
        format!(
            "rule {rule} of {source} allows {maximum} visit(s) {by} from {from} to {until}; \
             used by {}{more_en}; a place frees on {frees_on}",
            named.join(", "),
        ),
        format!(
            "规则{rule}（依据：{source}）规定{from}至{until}期间{of}检查不超过{maximum}次，\
             已占用名额的检查为{}{more_zh}，{frees_on}起恢复名额",
            named.join("、"),
        ),
    )
}
