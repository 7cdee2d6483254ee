//! How a simulated year is printed, and compared with a replay of the log.

use std::{collections::BTreeMap, time::Duration};

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use super::SimulateError;
use crate::parts::Parts;

/// How long the tables may take to reflect the whole year.
pub(super) const CATCH_UP: Duration = Duration::from_secs(600);

/// How often each name comes.
pub(super) fn counted<N: Into<String>>(names: impl Iterator<Item = N>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name.into()).or_default() += 1);
    counts
}

/// Prints names and their counts.
pub(super) fn show(header: [&str; 2], counts: BTreeMap<String, u64>) {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    for (name, count) in counts {
        table.add_row([name, count.to_string()]);
    }
    println!("{table}");
}

/// A share in percent, with one decimal; a dash of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match (part * 1000).checked_div(whole) {
        Some(thousandths) => format!("{}.{} %", thousandths / 10, thousandths % 10),
        None => "-".to_owned(),
    }
}

/// Compares every table with a replay of the log, and prints what was found.
pub(super) async fn compare(parts: &Parts) -> Result<(), SimulateError> {
    let report = crate::verify::verify(parts).await?;
    for line in &report.lines {
        println!("{line}");
    }
    if report.sound { Ok(()) } else { Err(SimulateError::Differs) }
}
