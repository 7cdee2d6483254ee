//! What the simulated year came to: counts from the tables and from the states that the simulation itself
//! folded, which must agree, and the comparison of the tables with a replay of the log.

use std::{collections::BTreeMap, time::Duration};

use doudi_domain::{
    frequency::Ground,
    visits::{Event, Manner, Visit, Visits},
};
use doudi_views::{
    Fresh, Scope, alerts,
    visits::{Filter, State},
};
use serde::Serialize;

use super::year::Year;
use crate::{
    parts::Parts,
    simulate::{SimulateError, step, tables},
};

/// Prints the tables and compares them with the log.
pub(super) async fn print(parts: &Parts, year: &Year, took: Duration) -> Result<(), SimulateError> {
    let end = parts.journal.last_position().await.map_err(step)?;
    let fresh = Fresh::at(end, tables::CATCH_UP);
    let counts = parts.views.count_visits(&Filter::all(Scope::All), fresh).await.map_err(step)?;
    let of = |name: fn(&doudi_views::visits::Count) -> String| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        counts.counts.iter().for_each(|one| *sums.entry(name(one)).or_default() += one.count);
        sums
    };
    tables::show(["state 状态", "visits 次"], of(|one| word(&one.state)));
    tables::show(
        ["ground 事由", "visits 次"],
        of(|one| one.ground.as_ref().map_or_else(|| "off site 非现场".to_owned(), word)),
    );
    let all: Vec<&Visit> = year.visits.values().flat_map(Visits::all).collect();
    let folded = all.len() as u64;
    let listed = counts.total() - counts.of_state(State::OffSite);
    if folded != listed {
        return Err(step(format!("{folded} visits in the log, {listed} in the tables")));
    }
    came(&all);
    let (tally, refused) = (&year.tally, year.tally.refused.clone());
    tables::show(["refused by 拒绝依据", "times 次"], refused);
    let alerts = alerts::Filter::all(Scope::All);
    let alerts = parts.views.count_alerts(&alerts, fresh).await.map_err(step)?;
    let alerts = alerts.counts.iter().map(|one| (word(&one.kind), one.count));
    tables::show(["alert 检查预警", "times 次"], alerts.collect());
    println!(
        "{} plans raced 争抢, {} draws 双随机, {} campaigns 专项检查, {} records uploaded 离线上传 ({} of them twice)",
        tally.raced, year.draws, year.campaigns, tally.records.0, tally.records.1
    );
    println!(
        "{} commands of people, {} of the agenda, {end} records in the log, in {:.1} s",
        tally.commands,
        tally.duties,
        took.as_secs_f64()
    );
    tables::compare(parts).await?;
    year.memories.compare().await?;
    match year.overshot {
        0 => Ok(()),
        overshot => Err(SimulateError::Overshot(overshot)),
    }
}

/// Shares of what took place.
fn came(all: &[&Visit]) {
    let came: Vec<&&Visit> = all.iter().filter(|visit| visit.checked_in_at().is_some()).collect();
    let whole = came.len() as u64;
    let share = |is: &dyn Fn(&Visit) -> bool| {
        let part = came.iter().filter(|visit| is(visit)).count() as u64;
        format!("{part} ({})", tables::percent(part, whole))
    };
    let manner = |is: fn(&Manner) -> bool| {
        move |visit: &Visit| visit.arrival.as_ref().is_some_and(|(scan, _)| is(&scan.manner))
    };
    let flagged = |visit: &Visit| {
        let found = visit.arrival.as_ref().map(|(_, irregularities)| irregularities);
        found.is_some_and(|found| !found.is_empty())
    };
    println!("{whole} visits took place 入企检查:");
    println!("  joint 综合查一次 {}", share(&|visit| visit.shares.len() > 1));
    println!("  on exempt grounds 不计频次 {}", share(&|visit| is_exempt(visit.plan.ground)));
    println!("  urgent 紧急 {}", share(&|visit| visit.plan.ground == Ground::Urgent));
    println!("  kept offline 离线 {}", share(&manner(|m| matches!(m, Manner::Kept { .. }))));
    println!("  entered later 补录 {}", share(&manner(|m| matches!(m, Manner::Backfilled { .. }))));
    println!("  not all in order 有异常 {}", share(&flagged));
}

/// As the published limits have it.
fn is_exempt(ground: Ground) -> bool {
    !matches!(ground, Ground::Routine | Ground::Random | Ground::Special)
}

/// Whether a limit that refuses was overshot though nothing had happened yet.
pub(super) fn overshoots(event: &Event, visit: &Visit) -> bool {
    let late =
        |visit: &Visit| visit.arrival.as_ref().is_some_and(|(scan, _)| scan.manner.is_late());
    let urgent = visit.plan.ground == Ground::Urgent;
    matches!(event, Event::CapExceeded { .. }) && !late(visit) && !urgent
}

fn word<T: Serialize>(value: &T) -> String {
    let word = serde_json::to_value(value).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
