//! The archive: a copy of the whole log in files of a folder, independent of the server that keeps the log.
//!
//! Segments `<first position>.segment` hold the records in order, without a gap. Each record is framed with its
//! length and its link, the SHA-256 over the link before it and all its bytes, so the whole is one chain: a bit
//! that was changed, a record that was taken out or put elsewhere breaks it, and the positions that cannot be
//! relied on any more are named. The file `head` says how far the archive is and by which link. It
//! is replaced after what it counts was forced to disk, so what lies beyond it is all that a crash can tear.

mod frame;
mod head;
mod read;
mod write;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;

pub use self::{read::ArchiveReader, write::Archive};
use crate::{Journal, LoadError, Position, READ_RECORDS_MAX, Record};

/// What the names of segments end with.
const SEGMENT: &str = "segment";

/// A record as the server keeps it, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in the log.
    pub position: Position,
    /// The subject that it was stored under.
    pub subject: String,
    /// Its headers: names with values, in the order of the names.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub payload: Bytes,
}

impl Entry {
    /// The same as whoever follows the log gets it.
    #[must_use]
    pub fn record(&self) -> Record {
        Record::new(self.position, &self.subject, self.payload.clone())
    }
}

/// Why an archive cannot be written, read or relied on, or why the log cannot.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The system refused.
    #[error("the archive: cannot {doing} {}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process writes to it, or restores from it.
    #[error("the archive in {} is in use by another process", folder.display())]
    Locked {
        /// Its folder.
        folder: PathBuf,
    },
    /// Some of it is not what was written.
    #[error(
        "the archive from {first} to {} is damaged: {found} in {}. Keep its folder as it is; while the log \
         is sound, begin another one in an empty folder",
        until(*last), path.display()
    )]
    Damaged {
        /// The first position that cannot be relied on.
        first: Position,
        /// The last one; none when nothing says where the archive ends.
        last: Option<Position>,
        /// What was found.
        found: &'static str,
        /// The file where it was found.
        path: PathBuf,
    },
    /// The log ends before something that was archived from it.
    #[error(
        "the log ends at position {last}, but the archive has it up to {archived}: records were lost, or \
         this is another log. Restore the log from the archive"
    )]
    LogBehind {
        /// The last position of the archive.
        archived: Position,
        /// The last position of the log.
        last: Position,
    },
    /// The log has something else where something was archived from it.
    #[error(
        "the log at position {position} is not what was archived from it: it was changed, or this is \
         another log. `doudi verify` tells how far the two agree"
    )]
    LogDiffers {
        /// Where.
        position: Position,
    },
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LoadError),
    /// Something was to be archived that does not follow what is there.
    #[error("position {found} cannot be archived after {after}")]
    OutOfOrder {
        /// The last position of the archive.
        after: Position,
        /// The position that came.
        found: Position,
    },
}

fn until(last: Option<Position>) -> String {
    last.map_or_else(|| "its end".to_owned(), |last| last.to_string())
}

impl ArchiveError {
    /// Whether it may pass by itself: a log that is away, a disk that is full. Damage and disagreement do not.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            ArchiveError::File { .. } | ArchiveError::Log(LoadError::Unavailable { .. }) => true,
            ArchiveError::Locked { .. }
            | ArchiveError::Damaged { .. }
            | ArchiveError::LogBehind { .. }
            | ArchiveError::LogDiffers { .. }
            | ArchiveError::Log(LoadError::Gap { .. })
            | ArchiveError::OutOfOrder { .. } => false,
        }
    }
}

/// The entries of the log after `last`, at most [`READ_RECORDS_MAX`], once the log has proven to hold `last`
/// itself as it is; from the start where there is none.
///
/// # Errors
/// [`ArchiveError::LogBehind`] and [`ArchiveError::LogDiffers`] when it does not, [`ArchiveError::Log`].
pub async fn after(journal: &Journal, last: Option<&Entry>) -> Result<Vec<Entry>, ArchiveError> {
    let Some(last) = last else {
        return Ok(journal.entries(Position::START, READ_RECORDS_MAX).await?);
    };
    let before = Position(last.position.0.saturating_sub(1));
    let mut entries = journal.entries(before, READ_RECORDS_MAX).await?;
    match entries.first() {
        Some(first) if first == last => {
            entries.remove(0);
            Ok(entries)
        }
        Some(_) => Err(ArchiveError::LogDiffers { position: last.position }),
        None => {
            let end = journal.last_position().await?;
            Err(ArchiveError::LogBehind { archived: last.position, last: end })
        }
    }
}

/// The last position that counts in the archive in `folder`; the start where none was begun. Blocks, for one small
/// file.
///
/// # Errors
/// As [`ArchiveReader::open`], for the head alone.
pub fn reached(folder: &Path) -> Result<Position, ArchiveError> {
    Ok(head::Head::read(folder)?.map_or(Position::START, |head| head.position))
}

/// The segments of an archive with the position that each begins with, in order.
fn segments(folder: &Path) -> Result<Vec<(Position, PathBuf)>, ArchiveError> {
    let failed = |source| ArchiveError::File { doing: "list", path: folder.to_owned(), source };
    let mut found = Vec::new();
    for file in fs::read_dir(folder).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        if path.extension().is_none_or(|end| end != SEGMENT) {
            continue;
        }
        // One with another name is missed where it should be.
        let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        found.extend(first.map(Position).map(|first| (first, path)));
    }
    found.sort();
    Ok(found)
}

/// The file of the segment that begins with `first`.
fn named(folder: &Path, first: Position) -> PathBuf {
    folder.join(format!("{first:020}.{SEGMENT}"))
}

#[cfg(test)]
mod tests;
