//! `doudi simulate inspections`: a seeded year of visits to enterprises by the ten thousand.
//!
//! The same seed makes the same year, but for who wins where two units race for a place. Records that
//! devices kept go through the API, everything else straight to the engine behind it.

use std::path::Path;

use doudi_engine::Engine;

use super::{SimulateError, memories::Memories};
use crate::{
    children::ToDisk,
    clock::Hands,
    parts::{draw_ratios, engine_settings},
    roles::Roles,
    stage::{Setting, Stage, on_stage},
};

mod deeds;
mod devices;
mod intentions;
mod people;
mod register;
mod summary;
mod year;

use deeds::Hand;
use year::Year;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where chance begins.
    pub seed: u64,
    /// How many enterprises there are, at most ten million.
    pub enterprises: u32,
}

/// Simulates in `folder`, which is for nothing else, and prints what came of it.
///
/// # Errors
/// See [`SimulateError`]: whatever is not as it should be.
pub async fn run(folder: &Path, plan: Plan) -> Result<(), SimulateError> {
    let hands = Hands::default();
    let setting = Setting {
        // Nothing of it is to outlast the simulation.
        sync: ToDisk::Lazy,
        // The agenda is carried out by the simulation itself, at its own time.
        roles: Roles { react: false, ..Roles::ALL },
        clock: Some(hands.clock()),
        ..Setting::default()
    };
    on_stage(folder, setting, async |stage| {
        let begun = tokio::time::Instant::now();
        let year = Box::pin(live(&stage, &hands, plan)).await?;
        summary::print(&stage.parts, &year, begun.elapsed()).await
    })
    .await
}

/// Lives through a year on a stage whose time is what `hands` show.
async fn live(stage: &Stage, hands: &Hands, plan: Plan) -> Result<Year, SimulateError> {
    let Stage { config, parts, channel, key } = stage;
    // A second instance beside the one that serves, so that units race as they do in life.
    let settings = engine_settings(&config.engine);
    let other = Engine::new(parts.journal.clone(), settings, hands.clock());
    let hand = Hand {
        engines: [parts.engine.clone(), other],
        vault: parts.vault.clone(),
        channel: channel.clone(),
        key: key.clone(),
        hands: hands.clone(),
    };
    let grace = config.react.visit_grace_days;
    let memories = Memories::new(parts.clone());
    let mut year = Year::of(hand, plan, draw_ratios(&config.draws), grace, memories)?;
    year.begin().await?;
    year.pass().await?;
    Ok(year)
}

/// Fills a stage, whose time is what `hands` show, with a year.
///
/// # Errors
/// See [`SimulateError`].
pub async fn fill(stage: &Stage, hands: &Hands, plan: Plan) -> Result<(), SimulateError> {
    Box::pin(live(stage, hands, plan)).await.map(|_| ())
}
