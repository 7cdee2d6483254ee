//! `doudi verify`: that the log is whole, every stream's hash chain, and every view against a fresh
//! replay of the log. Whatever is off is named with its positions.

pub(crate) mod walk;

use std::collections::HashMap;

use doudi_journal::{Hash, Journal, LoadError, Position, Record, StreamName, Version};
use doudi_views::{ViewError, Views};

use self::walk::{Stretch, Walk};
use crate::{parts::Parts, report::chain};

/// The most findings that are told one by one; all are counted.
const FINDINGS_MAX: usize = 1000;

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
    compare(&parts.journal, &parts.views).await
}

/// As [`verify`], on a log that the gate may have refused.
///
/// # Errors
/// As [`verify`].
pub async fn compare(journal: &Journal, views: &Views) -> Result<Report, VerifyError> {
    let Report { mut lines, mut sound } = log(journal).await?;
    match views.verify(journal).await {
        Ok(checks) => {
            for check in checks {
                sound &= check.matches() && check.parked == 0;
                let mut verdict = match check.matches() {
                    true => "equals its replay".to_owned(),
                    false => format!("DIFFERS from its replay in {}", check.differences.join(", ")),
                };
                if check.parked > 0 {
                    verdict += &format!(", without {} parked stream(s)", check.parked);
                }
                lines.push(format!("view {} at {}: {verdict}", check.view, check.position));
            }
        }
        // A log that is not whole cannot be replayed; what it lacks was said.
        Err(error @ ViewError::Journal { .. }) => {
            sound = false;
            lines.push(format!("views: not compared: {}", chain(&error)));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Report { lines, sound })
}

/// Reads the whole log once: whether no position is missing and every commit continues its stream.
///
/// # Errors
/// [`LoadError::Unavailable`].
pub async fn log(journal: &Journal) -> Result<Report, LoadError> {
    let Chains { records, heads, breaks, broken } = chains(journal).await?;
    let streams = heads.len();
    let mut lines = vec![format!("log: {records} records in {streams} streams, {breaks} broken")];
    lines.extend(broken);
    Ok(Report { lines, sound: breaks == 0 })
}

/// The hash chains of the streams that were read.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    records: u64,
    heads: HashMap<StreamName, Head>,
    /// How often something was not as it should be.
    breaks: u64,
    broken: Vec<String>,
}

/// The last commit of a stream that was read.
#[derive(Debug)]
struct Head {
    version: Version,
    hash: Hash,
    position: Position,
}

/// Reads the whole log in one pass, also where positions are missing.
async fn chains(journal: &Journal) -> Result<Chains, LoadError> {
    let (mut chains, mut walk) = (Chains::default(), Walk::new(journal).await?);
    while let Some(stretch) = walk.next().await? {
        match stretch {
            Stretch::Whole(page) => page.iter().for_each(|entry| chains.link(&entry.record())),
            Stretch::Missing(first, last) => {
                chains.off(format!("log from {first} to {last}: the records are missing"));
            }
            Stretch::Unreadable(position) => {
                chains.off(format!("log from {position} to {position}: the record cannot be read"));
            }
        }
    }
    Ok(chains)
}

impl Chains {
    /// One line for each commit that continues nothing.
    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    /// A commit continues its stream when it names the hash and follows the version of the one before.
    /// What follows one that does not is looked at on its own.
    pub(crate) fn link(&mut self, record: &Record) {
        self.records += 1;
        let Record { stream, position, .. } = record;
        let (head, hash) = (self.heads.remove(stream), record.hash());
        let next = head.as_ref().map_or(Version(1), |head| head.version.next());
        let (version, found) = match record.commit() {
            Ok(commit) => {
                let continues = commit.continues(
                    head.as_ref().map_or(Version::default(), |head| head.version),
                    head.as_ref().map(|head| &head.hash),
                );
                let named = || {
                    commit.previous.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string())
                };
                let found = match &head {
                    _ if continues => None,
                    _ if commit.version != next => {
                        Some(format!("version {} instead of {next}", commit.version))
                    }
                    Some(head) => Some(format!(
                        "it continues {}, and the commit before is {}",
                        named(),
                        head.hash
                    )),
                    None => {
                        Some(format!("it continues {}, and there is no commit before", named()))
                    }
                };
                (commit.version, found)
            }
            Err(error) => (next, Some(chain(&error))),
        };
        if let Some(found) = found {
            let place = match &head {
                Some(head) => format!("between {} and {position}", head.position),
                None => format!("at {position}"),
            };
            self.off(format!("{stream} {place}: does not continue its stream: {found}"));
        }
        self.heads.insert(stream.clone(), Head { version, hash, position: *position });
    }

    fn off(&mut self, finding: String) {
        self.breaks += 1;
        if self.broken.len() < FINDINGS_MAX {
            self.broken.push(finding);
        }
    }
}
