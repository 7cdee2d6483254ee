//! Reading an archive in order, with every link of its chain.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    ArchiveError, Entry,
    frame::{self, BODY_BYTES_MAX, HEADER_BYTES, LINK_BYTES, Link},
    head::Head,
    segments,
};
use crate::Position;

/// Reads an archive up to its head, while somebody may be writing on. Blocks.
#[derive(Debug)]
pub struct ArchiveReader {
    pub(super) folder: PathBuf,
    pub(super) head: Head,
    /// The segments with their first positions, in order, and which of them is opened next.
    pub(super) segments: Vec<(Position, PathBuf)>,
    next: usize,
    open: Option<BufReader<File>>,
    /// The last record that was read, its link, and where it ends in its segment.
    pub(super) position: Position,
    pub(super) link: Link,
    pub(super) offset: u64,
}

/// What a frame turned out to be.
enum Frame {
    Whole(Entry, Link, u64),
    /// The segment ends here.
    End,
    Broken(&'static str),
}

impl ArchiveReader {
    /// Opens the archive in `folder`; none where none was begun.
    ///
    /// # Errors
    /// [`ArchiveError::File`], and [`ArchiveError::Damaged`] for what shows without reading all: the head, and whether
    /// each segment is there to its end and follows the one before.
    pub fn open(folder: &Path) -> Result<Option<ArchiveReader>, ArchiveError> {
        let Some(head) = Head::read(folder)? else { return Ok(None) };
        let reader = ArchiveReader::of(folder, head)?;
        Ok(Some(reader))
    }

    pub(super) fn of(folder: &Path, head: Head) -> Result<ArchiveReader, ArchiveError> {
        let reader = ArchiveReader {
            folder: folder.to_owned(),
            head,
            segments: segments(folder)?,
            next: 0,
            open: None,
            position: Position::START,
            link: Link::default(),
            offset: 0,
        };
        reader.look_over()?;
        Ok(reader)
    }

    /// The last position that counts as archived.
    #[must_use]
    pub fn end(&self) -> Position {
        self.head.position
    }

    /// How many files the records are in.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The next `limit` entries, fewer at the end.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] with the positions that cannot be relied on, [`ArchiveError::File`].
    pub fn read(&mut self, limit: usize) -> Result<Vec<Entry>, ArchiveError> {
        let mut entries = Vec::new();
        while entries.len() < limit && self.position < self.head.position {
            let Some(entry) = self.step()? else { break };
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The last entry that counts, found without reading more than its segment.
    ///
    /// # Errors
    /// As [`ArchiveReader::read`].
    pub fn last(mut self) -> Result<Option<Entry>, ArchiveError> {
        self.skip_to_last()?;
        let mut last = None;
        while self.position < self.head.position {
            last = self.step()?;
        }
        Ok(last)
    }

    /// Goes to the beginning of the segment in which the head is, trusting those before it.
    pub(super) fn skip_to_last(&mut self) -> Result<(), ArchiveError> {
        let held = self.segments.iter().rposition(|(first, _)| *first <= self.head.position);
        if let Some(held) = held.filter(|held| *held > 0) {
            let (first, _) = self.segments[held];
            (self.position, self.link) = (before(first), self.last_link(held - 1)?);
            self.next = held;
        }
        Ok(())
    }

    /// The next entry, also beyond the head; none at the end of what is whole. Up to the head, everything must be.
    pub(super) fn step(&mut self) -> Result<Option<Entry>, ArchiveError> {
        loop {
            let expected = self.position.next();
            let Some(file) = &mut self.open else {
                match self.segments.get(self.next).cloned() {
                    Some((first, path)) if first == expected => {
                        if !self.begin(first, &path)? {
                            return self.ends("no beginning of a segment");
                        }
                        continue;
                    }
                    Some(_) | None => return self.ends("no segment with the next record"),
                }
            };
            let read = next_frame(file, self.link, expected);
            match read.map_err(|source| unreadable(&self.segments[self.next - 1].1, source))? {
                Frame::Whole(entry, link, bytes) => {
                    (self.position, self.link) = (expected, link);
                    self.offset += bytes;
                    if expected == self.head.position && link.to_string() != self.head.link {
                        return Err(self.damaged(expected, "another link than the head has"));
                    }
                    return Ok(Some(entry));
                }
                Frame::End if self.next < self.segments.len() => self.open = None,
                Frame::End => return self.ends("the end of the last segment"),
                Frame::Broken(found) if self.next < self.segments.len() => {
                    return Err(self.damaged(expected, found));
                }
                Frame::Broken(found) => return self.ends(found),
            }
        }
    }

    /// Opens a segment; false when it does not begin as it must.
    fn begin(&mut self, first: Position, path: &Path) -> Result<bool, ArchiveError> {
        let failed = |source| unreadable(path, source);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut header = [0; HEADER_BYTES];
        let whole = filled(&mut file, &mut header).map_err(failed)?;
        self.next += 1;
        self.offset = 0;
        if !whole || header != frame::header(first, self.link) {
            return Ok(false);
        }
        self.offset = u64::try_from(HEADER_BYTES).unwrap_or_default();
        self.open = Some(file);
        Ok(true)
    }

    /// The end of what is whole, if all that counts has come; else damage.
    fn ends(&self, found: &'static str) -> Result<Option<Entry>, ArchiveError> {
        if self.position >= self.head.position {
            return Ok(None);
        }
        Err(self.damaged(self.position.next(), found))
    }

    /// What stands from `first` to the end of its segment cannot be relied on.
    fn damaged(&self, first: Position, found: &'static str) -> ArchiveError {
        let held = self.segments.iter().rposition(|(begin, _)| *begin <= first);
        let path = held.map_or(&self.folder, |held| &self.segments[held].1).clone();
        let following = self.segments.iter().find(|(begin, _)| *begin > first);
        let last = following.map_or(self.head.position, |(begin, _)| before(*begin));
        ArchiveError::Damaged { first, last: Some(last.max(first)), found, path }
    }

    /// Whether each segment follows the one before, by its first bytes and the last ones of that.
    fn look_over(&self) -> Result<(), ArchiveError> {
        let (mut link, mut begin) = (Link::default(), Position(1));
        for (index, (first, path)) in self.segments.iter().enumerate() {
            if *first > self.head.position {
                return Ok(());
            }
            let mut header = [0; HEADER_BYTES];
            let read = File::open(path).and_then(|mut file| filled(&mut file, &mut header));
            let whole = read.map_err(|source| unreadable(path, source))?;
            if !whole || header != frame::header(*first, link) {
                let mut damaged =
                    self.damaged(*first, "a segment that does not follow the one before");
                if let ArchiveError::Damaged { first, .. } = &mut damaged {
                    *first = begin;
                }
                return Err(damaged);
            }
            begin = *first;
            if index + 1 < self.segments.len() {
                link = self.last_link(index)?;
            }
        }
        Ok(())
    }

    /// The link that a segment ends with.
    fn last_link(&self, index: usize) -> Result<Link, ArchiveError> {
        let path = &self.segments[index].1;
        let mut link = Link::default();
        let mut read = || -> io::Result<bool> {
            let mut file = File::open(path)?;
            let length = file.metadata()?.len();
            let begin = length.saturating_sub(u64::try_from(LINK_BYTES).unwrap_or_default());
            file.seek(SeekFrom::Start(begin))?;
            filled(&mut file, &mut link.0)
        };
        match read() {
            Ok(true) => Ok(link),
            Ok(false) => Err(self.damaged(self.segments[index].0, "too short a segment")),
            Err(source) => Err(unreadable(path, source)),
        }
    }
}

fn unreadable(path: &Path, source: io::Error) -> ArchiveError {
    ArchiveError::File { doing: "read", path: path.to_owned(), source }
}

fn before(position: Position) -> Position {
    Position(position.0.saturating_sub(1))
}

/// Fills `bytes`; false when the file ends before.
fn filled(file: &mut impl io::Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn next_frame(file: &mut BufReader<File>, link: Link, expected: Position) -> io::Result<Frame> {
    let mut length = [0; 4];
    let first = file.read(&mut length)?;
    if first == 0 {
        return Ok(Frame::End);
    }
    if !filled(file, &mut length[first..])? {
        return Ok(Frame::Broken("half a length"));
    }
    let bytes = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if bytes > BODY_BYTES_MAX {
        return Ok(Frame::Broken("a length that no record has"));
    }
    let (mut body, mut found) = (vec![0; bytes], Link::default());
    if !filled(file, &mut body)? || !filled(file, &mut found.0)? {
        return Ok(Frame::Broken("half a record"));
    }
    if link.next(&body) != found {
        return Ok(Frame::Broken("a record that breaks the chain"));
    }
    Ok(match frame::read(&body) {
        Some(entry) if entry.position == expected => {
            let whole = length.len() + bytes + LINK_BYTES;
            Frame::Whole(entry, found, u64::try_from(whole).unwrap_or(u64::MAX))
        }
        Some(_) => Frame::Broken("a record of another position"),
        None => Frame::Broken("no record"),
    })
}
