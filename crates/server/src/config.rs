//! The configuration: the embedded defaults, the operator's file over them, the environment over both.
//!
//! Invariants: every key is in `deploy/default.toml`, has one rule in `rules` and one field in
//! `sections`; all mistakes are reported at once, each with where it came from; no secret is shown.

mod contradictions;
mod layers;
mod rules;
mod sections;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use sections::{
    Archive, Attachments, Auth, Codes, Draws, Engine, Grpc, Identity, Log, LogFormat, Metrics,
    Nats, Postgres, React, Secret, Tracing, Vault, Webhooks,
};

use layers::Layers;

/// The reference of the configuration, built into the program.
pub const DEFAULTS: &str = include_str!("../../../deploy/default.toml");

/// What the program is started for, which decides what must be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// On servers of the operator: their addresses, keys and files must be set.
    Serve,
    /// On children of our own, which bring their addresses and keys along.
    Dev,
}

/// The configuration in force, in one part for each component.
#[derive(Debug, Clone)]
pub struct Config {
    /// The API.
    pub grpc: Grpc,
    /// The log.
    pub nats: Nats,
    /// The tables.
    pub postgres: Postgres,
    /// Decisions.
    pub engine: Engine,
    /// Processes and deadlines.
    pub react: React,
    /// Events that are posted to partner systems.
    pub webhooks: Webhooks,
    /// Who may call.
    pub auth: Auth,
    /// Keys of personal data.
    pub vault: Vault,
    /// What may be attached.
    pub attachments: Attachments,
    /// The keys of codes that are scanned.
    pub codes: Codes,
    /// Log lines of the program itself.
    pub log: Log,
    /// Traces.
    pub tracing: Tracing,
    /// Metrics.
    pub metrics: Metrics,
    /// Enterprise codes.
    pub identity: Identity,
    /// Random draws.
    pub draws: Draws,
    /// A copy of the log.
    pub archive: Archive,
    settings: Vec<Setting>,
}

/// One setting as it can be shown to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Section and key, such as `grpc.listen`.
    pub key: &'static str,
    /// The value in TOML, secrets masked.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The embedded `deploy/default.toml`.
    Default,
    /// The operator's file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where the mistake is.
    pub source: Source,
    /// Section and key; `None` when it is about the source as a whole.
    pub key: Option<String>,
    /// What was found and what is wanted, in words, secrets masked.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {} ({})", self.problem, self.source),
            None => write!(f, "{} ({})", self.problem, self.source),
        }
    }
}

/// All the mistakes in the configuration, each on its own line.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the configuration has {}:{}", counted(mistakes.len()), listed(mistakes))]
pub struct ConfigError {
    /// The mistakes, the file's before the environment's; never empty.
    pub mistakes: Vec<Mistake>,
}

fn counted(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("\n  - {mistake}")).collect()
}

impl Config {
    /// Puts the layers together and checks everything.
    ///
    /// `file` is the one of `--config`; without it, the variable `DOUDI_CONFIG` may name one. `variables` is
    /// usually [`environment`]; names without the prefix `DOUDI_` are skipped.
    ///
    /// # Errors
    /// All mistakes at once: unknown keys with the nearest known one, wrong types, values out of
    /// bounds, contradictions, and for [`Purpose::Serve`] what is not set.
    pub fn load(
        purpose: Purpose,
        file: Option<&Path>,
        variables: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults();
        let named = variables.iter().find(|(name, _)| name == "DOUDI_CONFIG");
        let named = named.map(|(_, path)| Path::new(path)).filter(|p| !p.as_os_str().is_empty());
        if let Some(file) = file.or(named) {
            layers.put_file(file);
        }
        layers.put_variables(variables);
        contradictions::check(purpose, &mut layers);
        layers.finish()
    }

    /// Every setting with its value and source, in the order of `deploy/default.toml`, as it was
    /// loaded. Secrets are masked.
    #[must_use]
    pub fn describe(&self) -> &[Setting] {
        &self.settings
    }
}

/// The environment variables that begin with `DOUDI_`.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name.starts_with(layers::PREFIX))
        .collect()
}
