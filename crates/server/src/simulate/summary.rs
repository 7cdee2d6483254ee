//! What the simulated year came to: counts from the states that the simulation itself folded, rates
//! from the tables, and the comparison of the tables with a replay of the log.

use std::{collections::BTreeMap, time::Duration};

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use doudi_domain::{
    appeal::{Case, Trigger},
    clock::Step,
    diagnosis::Diagnosis,
};
use doudi_views::{Fresh, Scope, measures};

use super::{SimulateError, step, story::Story};
use crate::parts::Parts;

/// How long the tables may take to reflect the whole year.
const CATCH_UP: Duration = Duration::from_secs(600);

/// Prints the tables and compares them with the log.
pub(super) async fn print(
    parts: &Parts,
    story: &Story,
    took: Duration,
) -> Result<(), SimulateError> {
    let cases: Vec<&Case> = story.cases.values().filter_map(|known| known.state.known()).collect();
    let mut counts = Table::new();
    counts.load_style(UTF8_FULL_CONDENSED).set_header(["state 状态", "cases 件"]);
    for (name, count) in counted(cases.iter().map(|case| case.phase.name().as_str().to_owned())) {
        counts.add_row([name, count.to_string()]);
    }
    println!("{counts}");
    let guaranteed = cases.iter().filter_map(|case| case.guarantee);
    let mut guarantees = Table::new();
    guarantees.load_style(UTF8_FULL_CONDENSED).set_header(["guarantee 兜底", "cases 件"]);
    for (name, count) in counted(guaranteed.map(|trigger| in_words(trigger).to_owned())) {
        guarantees.add_row([name, count.to_string()]);
    }
    println!("{guarantees}");
    let bounced = cases.iter().filter(|case| case.bounces > 0).count();
    let red = |case: &&&Case| case.clocks.values().any(|clock| clock.level() == Some(Step::Red));
    let overdue = cases.iter().filter(red).count();
    let concluded = story
        .diagnoses
        .values()
        .filter(|known| matches!(known.state, Diagnosis::Concluded(_)))
        .count();
    println!(
        "{bounced} cases bounced 退单, {overdue} stand overdue 超期, {concluded} joint diagnoses concluded 联合问诊"
    );
    let (commands, duties) = (story.tally.commands, story.tally.duties);
    println!(
        "{commands} commands of people, {duties} of the agenda, in {:.1} s",
        took.as_secs_f64()
    );
    for (refusal, count) in &story.tally.refused {
        println!("  refused {count} times with {refusal}");
    }
    rates(parts).await?;
    let report = crate::verify::verify(parts).await?;
    for line in &report.lines {
        println!("{line}");
    }
    if !report.sound {
        return Err(SimulateError::Differs);
    }
    match cases.iter().filter(|case| case.is_silent()).count() {
        0 => Ok(()),
        silent => Err(SimulateError::Silent(silent)),
    }
}

/// The three rates by area, once the tables reflect the whole log.
async fn rates(parts: &Parts) -> Result<(), SimulateError> {
    let end = parts.journal.last_position().await.map_err(step)?;
    let query = measures::RatesQuery {
        group: measures::RateGroup::Area,
        from: jiff::civil::date(2025, 1, 1),
        until: jiff::civil::date(2026, 12, 31),
        unit: None,
        area: None,
        topic: None,
        scope: Scope::All,
    };
    let rates = parts.views.rates(&query, Fresh::at(end, CATCH_UP)).await.map_err(step)?;
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "area 区域",
        "handled 办结",
        "response 响应率",
        "resolution 解决率",
        "satisfaction 满意率",
    ]);
    for rate in rates.rates {
        table.add_row([
            rate.key.clone(),
            rate.handled.to_string(),
            percent(rate.responded, rate.handled),
            percent(rate.resolved, rate.asked_resolved),
            percent(rate.satisfied, rate.asked_satisfied),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn percent(part: u64, whole: u64) -> String {
    match (part * 1000).checked_div(whole) {
        Some(thousandths) => format!("{}.{} %", thousandths / 10, thousandths % 10),
        None => "-".to_owned(),
    }
}

fn in_words(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::NoOwner => "no owner 无主",
        Trigger::BouncesSpent => "bounces spent 退单超限",
        Trigger::Overdue => "overdue 超期",
        Trigger::Dissatisfied => "dissatisfied 两次不满意",
    }
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}
