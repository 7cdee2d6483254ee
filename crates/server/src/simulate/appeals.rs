//! `doudi simulate appeals`: a seeded year of appeals.

use std::path::Path;

use doudi_engine::{Engine, Vault};

use super::{SimulateError, memories::Memories};
use crate::{
    clock::Hands,
    parts::engine_settings,
    roles::Roles,
    stage::{Setting, Stage, on_stage},
};

mod people;
mod story;
mod summary;

use story::Story;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where chance begins: the same seed makes the same year.
    pub seed: u64,
    /// How many appeals are submitted in the year.
    pub cases: u32,
}

/// Simulates in `folder`, which is for nothing else, and prints what came of it.
///
/// # Errors
/// See [`SimulateError`]: whatever is not as it should be.
pub async fn run(folder: &Path, plan: Plan) -> Result<(), SimulateError> {
    // The agenda is carried out by the simulation itself, at its own time.
    let setting = Setting { roles: Roles { react: false, ..Roles::ALL }, ..Setting::default() };
    on_stage(folder, setting, async |Stage { config, parts, .. }| {
        let hands = Hands::default();
        let settings = engine_settings(&config.engine);
        let engine = Engine::new(parts.journal.clone(), settings, hands.clock());
        // Texts of nobody: their keys may go with the process.
        let memories = Memories::new(parts.clone());
        let mut story = Story::new(engine, Vault::memory(), hands, plan, memories)?;
        let begun = tokio::time::Instant::now();
        story.publish().await?;
        story.run().await?;
        summary::print(&parts, &story, begun.elapsed()).await
    })
    .await
}
