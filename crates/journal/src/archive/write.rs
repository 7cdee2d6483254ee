//! Writing an archive: by one process at a time, in batches, each on disk before it counts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{
    ArchiveError, ArchiveReader, Entry,
    frame::{self, Link},
    head::Head,
    named,
};
use crate::Position;

/// An archive that is open for writing. Nobody else can write to it, or restore from it, until it is dropped.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    segment_bytes_max: u64,
    /// Held for its lock.
    _lock: File,
    /// The segment that is written to, and its length.
    open: Option<(File, u64)>,
    last: Option<Entry>,
    link: Link,
}

impl Archive {
    /// Opens the archive in `folder`, or begins one there, if the folder that it lies in exists; a segment that has
    /// reached `segment_bytes_max` is followed by another. What was written and never counted is kept as far as it is whole, and the rest of
    /// it, which a crash has torn, is cut off. Blocks.
    ///
    /// # Errors
    /// [`ArchiveError::Locked`] while another process has it open, [`ArchiveError::Damaged`] when something
    /// that counted is not as it was, as far as shows in the last segment and the seams, [`ArchiveError::File`].
    pub fn open(folder: &Path, segment_bytes_max: u64) -> Result<Archive, ArchiveError> {
        let lock = lock(folder)?;
        let head = match Head::read(folder)? {
            Some(head) => head,
            None => begin(folder)?,
        };
        let mut reader = ArchiveReader::of(folder, head)?;
        reader.skip_to_last()?;
        let (mut last, mut counted) = (None, 0);
        while let Some(entry) = reader.step()? {
            if entry.position == reader.head.position {
                counted = reader.offset;
            }
            last = Some(entry);
        }
        let mut archive = Archive {
            folder: folder.to_owned(),
            segment_bytes_max,
            _lock: lock,
            open: None,
            last,
            link: reader.link,
        };
        archive.go_on(&reader, counted)?;
        let head = Head::new(reader.position, archive.link);
        if head != reader.head {
            head.write(folder)?;
        }
        Ok(archive)
    }

    /// The last position that is archived; the start when there is none.
    #[must_use]
    pub fn position(&self) -> Position {
        self.last.as_ref().map_or(Position::START, |last| last.position)
    }

    /// The last entry that is archived.
    #[must_use]
    pub fn last(&self) -> Option<&Entry> {
        self.last.as_ref()
    }

    /// Adds entries, which follow the last one without a gap. They are on disk, and count, when it returns. An
    /// archive to which this failed is of no more use and must be opened again. Blocks.
    ///
    /// # Errors
    /// [`ArchiveError::OutOfOrder`] for entries that do not follow, [`ArchiveError::File`].
    pub fn append(mut self, entries: &[Entry]) -> Result<Archive, ArchiveError> {
        let mut bytes = Vec::new();
        for entry in entries {
            let after = self.position();
            if entry.position != after.next() {
                return Err(ArchiveError::OutOfOrder { after, found: entry.position });
            }
            let written = self.open.as_ref().map_or(u64::MAX, |(_, length)| *length);
            if written.saturating_add(count(bytes.len())) >= self.segment_bytes_max {
                self.write(&mut bytes)?;
                self.begin_segment(entry.position, &mut bytes)?;
            }
            self.link = frame::put(entry, self.link, &mut bytes);
            self.last = Some(entry.clone());
        }
        self.write(&mut bytes)?;
        Head::new(self.position(), self.link).write(&self.folder)?;
        Ok(self)
    }

    /// Forces what was gathered to the disk.
    fn write(&mut self, bytes: &mut Vec<u8>) -> Result<(), ArchiveError> {
        if let Some((file, length)) = self.open.as_mut().filter(|_| !bytes.is_empty()) {
            let written = file.write_all(bytes).and_then(|()| file.sync_data());
            let path = || self.folder.clone();
            written.map_err(|source| ArchiveError::File {
                doing: "write to",
                path: path(),
                source,
            })?;
            *length += count(bytes.len());
            bytes.clear();
        }
        Ok(())
    }

    fn begin_segment(&mut self, first: Position, bytes: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let path = named(&self.folder, first);
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        let made = made.and_then(|file| {
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        });
        let file = made.map_err(|source| ArchiveError::File { doing: "make", path, source })?;
        self.open = Some((file, 0));
        bytes.extend_from_slice(&frame::header(first, self.link));
        Ok(())
    }

    /// Opens the last segment behind what is whole of it, and cuts off the rest. `counted` is where the head ends, in
    /// the segment that has it.
    fn go_on(&mut self, whole: &ArchiveReader, counted: u64) -> Result<(), ArchiveError> {
        let begun = |(first, _): &&(Position, PathBuf)| *first <= whole.position;
        let mut torn = false;
        for (_, path) in whole.segments.iter().skip_while(begun) {
            tracing::warn!(segment = %path.display(), "a segment that was torn at its beginning is removed");
            let removed = fs::remove_file(path);
            removed.map_err(|source| ArchiveError::File {
                doing: "remove",
                path: path.clone(),
                source,
            })?;
            torn = true;
        }
        // The next entry then begins another segment.
        let Some((first, path)) = whole.segments.last().filter(|_| !torn) else { return Ok(()) };
        let counted = if *first <= whole.head.position { counted } else { 0 };
        let failed = |source| ArchiveError::File { doing: "open", path: path.clone(), source };
        let length = fs::metadata(path).map_err(failed)?.len();
        if length > whole.offset {
            tracing::warn!(
                segment = %path.display(), after = whole.position.0, bytes = length - whole.offset,
                "what was torn in the archive, and never counted, is cut off"
            );
        }
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
        write_again(&file, counted, whole.offset).map_err(failed)?;
        self.open = Some((file, whole.offset));
        Ok(())
    }
}

/// Takes away what is in the file after `from`, and writes what was there up to `to` once more. What never counted may
/// have failed to reach the disk, and would else be read from memory and forced to disk in vain.
fn write_again(mut file: &File, from: u64, to: u64) -> io::Result<()> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(to.saturating_sub(from)).read_to_end(&mut tail)?;
    file.set_len(from)?;
    file.write_all(&tail)?;
    file.sync_all()
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Makes the folder where it is missing, for nobody else to look into, and locks it. The folder that it lies in is not
/// made: where that is missing a disk may not be mounted, and an archive beside it would be a new one.
fn lock(folder: &Path) -> Result<File, ArchiveError> {
    let failed = |source| ArchiveError::File { doing: "open", path: folder.to_owned(), source };
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The head of a new archive, on disk before there is any segment: one without a head has lost it.
fn begin(folder: &Path) -> Result<Head, ArchiveError> {
    if let Some((first, path)) = super::segments(folder)?.into_iter().next() {
        let found = "a segment, and no head beside it,";
        return Err(ArchiveError::Damaged { first, last: None, found, path });
    }
    let head = Head::new(Position::START, Link::default());
    head.write(folder)?;
    tracing::warn!(folder = %folder.display(), "a new archive was begun");
    Ok(head)
}
