//! `doudi simulate`: a seeded year of the city on real servers, driven by a virtual clock.
//!
//! Time jumps from one happening to the next: what people do, drawn from the seed, and what the
//! agenda holds. The commands go the same way as anybody's. At the end the tables must equal a replay
//! of the log, and say of every earlier position what they said then.

use doudi_domain::Sealed;

use crate::{catalogue::CatalogueError, stage::StageError};

mod agenda;
pub mod appeals;
mod boards;
mod chance;
mod city;
pub mod inspections;
mod memories;
mod tables;

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
    /// What the tables say of an earlier position is not what they said then.
    #[error("as of position {0} the tables say something else than they said then")]
    Forgotten(u64),
    /// A number of a board is not what its rows, or another question, say.
    #[error("the board {figure} by {by} is not what its rows say")]
    Miscounted {
        /// The figure.
        figure: String,
        /// By what it was parted.
        by: String,
    },
    /// A case is open and nobody owes its next step.
    #[error("{0} open cases are silent")]
    Silent(usize),
    /// A visit overshot a limit by decision: planned, or scanned in live.
    #[error("{0} visits overshot a limit that should have refused them")]
    Overshot(u64),
}

/// A failed step, whatever it was.
fn step(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SimulateError {
    SimulateError::Step(error.into())
}

/// A refusal by its name: the text says with which unit and until when.
fn name(rejection: &impl std::fmt::Debug) -> String {
    let text = format!("{rejection:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// A text of nobody. The domain never opens it.
#[must_use]
pub fn text(of: &str) -> Sealed {
    Sealed {
        subject: "simulated:nobody".to_owned(),
        algorithm: "none".to_owned(),
        nonce: String::new(),
        ciphertext: of.to_owned(),
    }
}
