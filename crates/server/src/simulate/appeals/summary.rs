//! What the simulated year came to: counts from the states that the simulation itself folded, rates
//! from the tables, and the comparison of the tables with a replay of the log.

use std::time::Duration;

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use doudi_domain::{
    appeal::{Case, Trigger},
    clock::Step,
    diagnosis::Diagnosis,
};
use doudi_views::{Fresh, Scope, measures};

use super::{SimulateError, story::Story};
use crate::{
    parts::Parts,
    simulate::{step, tables},
};

/// Prints the tables and compares them with the log.
pub(super) async fn print(
    parts: &Parts,
    story: &Story,
    took: Duration,
) -> Result<(), SimulateError> {
    let cases: Vec<&Case> = story.cases.values().filter_map(|known| known.state.known()).collect();
    let states = cases.iter().map(|case| case.phase.name().as_str());
    tables::show(["state 状态", "cases 件"], tables::counted(states));
    let guaranteed = cases.iter().filter_map(|case| case.guarantee).map(in_words);
    tables::show(["guarantee 兜底", "cases 件"], tables::counted(guaranteed));
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
    tables::compare(parts).await?;
    story.memories.compare().await?;
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
    let rates = parts.views.rates(&query, Fresh::at(end, tables::CATCH_UP)).await.map_err(step)?;
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
            tables::percent(rate.responded, rate.handled),
            tables::percent(rate.resolved, rate.asked_resolved),
            tables::percent(rate.satisfied, rate.asked_satisfied),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn in_words(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::NoOwner => "no owner 无主",
        Trigger::BouncesSpent => "bounces spent 退单超限",
        Trigger::Overdue => "overdue 超期",
        Trigger::Dissatisfied => "dissatisfied 两次不满意",
    }
}
