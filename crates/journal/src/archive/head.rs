//! How far an archive is: the file that is replaced, whole, each time that more was forced to disk.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::{ArchiveError, frame::Link};
use crate::Position;

const NAME: &str = "head";

/// The last position that counts as archived, and the link of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) link: String,
}

impl Head {
    pub(super) fn new(position: Position, link: Link) -> Head {
        Head { position, link: link.to_string() }
    }

    /// The head of the archive in `folder`; none where no archive was begun.
    pub(super) fn read(folder: &Path) -> Result<Option<Head>, ArchiveError> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ArchiveError::File { doing: "read", path, source }),
        };
        let mut lines = text.lines().skip(1).filter_map(|line| line.split_once(' '));
        let (position, link) = (lines.next(), lines.next());
        let head = position.zip(link).and_then(|((_, position), (_, link))| {
            Some(Head { position: Position(position.parse().ok()?), link: link.to_owned() })
        });
        // What is not written as it would be now, to the byte, was changed.
        head.filter(|head| head.text() == text).map(Some).ok_or(ArchiveError::Damaged {
            first: Position(1),
            last: None,
            found: "not the words of a head",
            path,
        })
    }

    /// Puts this head in the place of the one before, on disk when it returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), ArchiveError> {
        let (next, path) = (folder.join("head.next"), folder.join(NAME));
        let write = || {
            let mut file = File::create(&next)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&next, &path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| ArchiveError::File { doing: "write", path: path.clone(), source })
    }

    fn text(&self) -> String {
        format!("doudi archive 1\nposition {}\nlink {}\n", self.position, self.link)
    }
}
