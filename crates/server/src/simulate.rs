//! `doudi simulate appeals`: a seeded year of appeals on real servers, driven by a virtual clock.
//!
//! Time jumps from one happening to the next: what people do, drawn from the seed, and what the
//! agenda holds. The commands go the same way as anybody's. At the end the tables must equal a replay
//! of the log, and no open case may be silent.

use std::path::Path;

use doudi_engine::{Engine, Vault};

use crate::{
    catalogue::CatalogueError,
    clock::Hands,
    parts::engine_settings,
    roles::Roles,
    stage::{Setting, Stage, StageError, on_stage},
};

mod city;
mod people;
mod story;
mod summary;

pub use people::text;
use story::Story;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where chance begins: the same seed makes the same year.
    pub seed: u64,
    /// How many appeals are submitted in the year.
    pub cases: u32,
}

/// Why a simulation did not end well.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Its servers, or the roles on them.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The published data cannot be read.
    #[error("the catalogue cannot be read")]
    Catalogue(#[from] CatalogueError),
    /// A step of the simulation went wrong.
    #[error("the simulated year cannot go on")]
    Step(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tables cannot be compared with the log.
    #[error("the tables cannot be compared with the log")]
    Verify(#[from] crate::verify::VerifyError),
    /// The tables differ from a replay of the log.
    #[error("the tables differ from a replay of the log")]
    Differs,
    /// A case is open and nobody owes its next step.
    #[error("{0} open cases are silent")]
    Silent(usize),
}

/// A failed step, whatever it was.
fn step(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SimulateError {
    SimulateError::Step(error.into())
}

/// Simulates in `folder`, which is for nothing else, and prints what came of it.
///
/// # Errors
/// See [`SimulateError`]: whatever is not as it should be.
pub async fn appeals(folder: &Path, plan: Plan) -> Result<(), SimulateError> {
    // The agenda is carried out by the simulation itself, at its own time.
    let setting = Setting { roles: Roles { react: false, ..Roles::ALL }, ..Setting::default() };
    on_stage(folder, setting, async |Stage { config, parts, .. }| {
        let hands = Hands::default();
        let settings = engine_settings(&config.engine);
        let engine = Engine::new(parts.journal.clone(), settings, hands.clock());
        // Texts of nobody: their keys may go with the process.
        let mut story = Story::new(engine, Vault::memory(), hands, plan)?;
        let begun = tokio::time::Instant::now();
        story.publish().await?;
        story.run().await?;
        summary::print(&parts, &story, begun.elapsed()).await
    })
    .await
}
