//! `doudi verify`: every stream's hash chain, and every view against a fresh replay of the log.

use std::collections::HashMap;

use doudi_journal::{Hash, Journal, LoadError, Position, Record, StreamName, Version};
use doudi_views::ViewError;

use crate::parts::Parts;

/// Records read at a time.
const PAGE: usize = 1000;

/// Why the comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// The tables cannot be read or replayed.
    #[error("the views cannot be compared")]
    Views(#[from] ViewError),
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// One line for each thing that was looked at.
    pub lines: Vec<String>,
    /// Whether everything is as it should be.
    pub sound: bool,
}

/// Reads the whole log once for its chains, and once more for each view.
///
/// # Errors
/// [`VerifyError`] when something cannot be read; what is unsound is in the report.
pub async fn verify(parts: &Parts) -> Result<Report, VerifyError> {
    let mut lines = Vec::new();
    let mut sound = true;
    let chains = chains(&parts.journal).await?;
    sound &= chains.broken.is_empty();
    lines.push(format!(
        "log: {} records in {} streams, {} broken",
        chains.records,
        chains.heads.len(),
        chains.broken.len()
    ));
    lines.extend(chains.broken);
    for check in parts.views.verify(&parts.journal).await? {
        sound &= check.matches();
        let verdict = if check.matches() { "equals its replay" } else { "DIFFERS from its replay" };
        lines.push(format!("view {} at {}: {verdict}", check.view, check.position));
    }
    Ok(Report { lines, sound })
}

/// The hash chains of the streams that were read.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    records: u64,
    heads: HashMap<StreamName, (Version, Hash)>,
    broken: Vec<String>,
}

async fn chains(journal: &Journal) -> Result<Chains, LoadError> {
    let mut chains = Chains::default();
    let mut position = Position::default();
    loop {
        let page = journal.read(position, PAGE).await?;
        let Some(last) = page.last() else { return Ok(chains) };
        position = last.position;
        for record in &page {
            chains.link(record);
        }
    }
}

impl Chains {
    /// One line for each commit that continues nothing.
    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    /// A commit continues its stream when it names the hash and follows the version of the one before.
    pub(crate) fn link(&mut self, record: &Record) {
        self.records += 1;
        let Record { stream, position, .. } = record;
        let before = self.heads.get(stream);
        let version = before.map_or(Version::default(), |head| head.0);
        match record.commit() {
            Ok(commit) if commit.continues(version, before.map(|head| &head.1)) => {
                self.heads.insert(stream.clone(), (commit.version, record.hash()));
            }
            Ok(_) => {
                self.broken.push(format!("{stream} at {position}: does not continue its stream"));
            }
            Err(error) => self.broken.push(format!("{stream} at {position}: {error}")),
        }
    }
}
