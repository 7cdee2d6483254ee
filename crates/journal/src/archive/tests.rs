//! Whatever is changed in an archive is noticed and named, and whatever a crash can tear is mended.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{Memory, StreamName};

/// A folder that is gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = format!("doudi-archive-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(path));
        // What an earlier process with our id left behind; usually nothing.
        let _ = fs::remove_dir_all(&folder.0);
        folder
    }

    /// Every file but the lock.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let paths = fs::read_dir(&self.0).unwrap().map(|file| file.unwrap().path());
        let kept = paths.filter(|path| !path.ends_with("lock"));
        kept.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Puts back what was there, and nothing else.
    fn put(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        for path in self.files().into_keys().filter(|path| !files.contains_key(path)) {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            fs::write(path, bytes).unwrap();
        }
    }

    fn append(&self, entries: &[Entry]) {
        Archive::open(&self.0, SEGMENT_BYTES).unwrap().append(entries).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind in the temporary folder is no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Three records or so.
const SEGMENT_BYTES: u64 = 500;

fn entry(position: u64) -> Entry {
    let header = |name: &str| (name.to_owned(), format!("{position}"));
    let headers = ["A", "B"].into_iter().take(usize::try_from(position % 3).unwrap()).map(header);
    let payload = vec![b'x'; usize::try_from(position * 37 % 101).unwrap()];
    let subject = format!("ev.企业{}.visits", position % 4);
    Entry {
        position: Position(position),
        subject,
        headers: headers.collect(),
        payload: payload.into(),
    }
}

fn entries(from: u64, to: u64) -> Vec<Entry> {
    (from..=to).map(entry).collect()
}

/// Everything in the archive, as somebody reads it who restores.
fn all(folder: &Path) -> Result<Vec<Entry>, ArchiveError> {
    let mut reader = ArchiveReader::open(folder)?.expect("an archive");
    let mut entries = Vec::new();
    loop {
        let some = reader.read(2)?;
        if some.is_empty() {
            return Ok(entries);
        }
        entries.extend(some);
    }
}

fn damage(error: &ArchiveError) -> (u64, u64) {
    let ArchiveError::Damaged { first, last, .. } = error else { panic!("{error:?}") };
    (first.0, last.map_or(u64::MAX, |last| last.0))
}

#[test]
fn what_is_written_is_read_in_segments_and_over_restarts() {
    let folder = Folder::new("written");
    assert!(matches!(ArchiveReader::open(&folder.0), Err(ArchiveError::File { .. }) | Ok(None)));
    folder.append(&[]);
    assert_eq!(all(&folder.0).unwrap(), []);
    for (from, to) in [(1, 1), (2, 9), (10, 10), (11, 20)] {
        folder.append(&entries(from, to));
        assert_eq!(all(&folder.0).unwrap(), entries(1, to));
        let last = ArchiveReader::open(&folder.0).unwrap().unwrap().last().unwrap();
        assert_eq!(last, Some(entry(to)));
    }
    assert!(ArchiveReader::open(&folder.0).unwrap().unwrap().segment_count() > 3);
    let archive = Archive::open(&folder.0, SEGMENT_BYTES).unwrap();
    assert_eq!((archive.position(), archive.last()), (Position(20), Some(&entry(20))));
    assert!(matches!(Archive::open(&folder.0, SEGMENT_BYTES), Err(ArchiveError::Locked { .. })));
    let skipped = archive.append(&entries(22, 22));
    assert!(matches!(skipped, Err(ArchiveError::OutOfOrder { .. })));
}

#[test]
fn every_byte_that_is_changed_is_noticed_and_its_position_named() {
    let folder = Folder::new("changed");
    folder.append(&entries(1, 12));
    let files = folder.files();
    let begins: Vec<u64> = segments(&folder.0).unwrap().iter().map(|(first, _)| first.0).collect();
    assert!(begins.len() > 2, "{begins:?}");
    for (path, bytes) in &files {
        let first = path.file_stem().unwrap().to_str().unwrap().parse::<u64>();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(path, changed).unwrap();
            let (from, to) = damage(&all(&folder.0).unwrap_err());
            // A seam that broke may be the fault of the segment before it.
            if let Ok(first) = first {
                let next =
                    begins.iter().find(|begin| **begin > first).map_or(12, |begin| begin - 1);
                assert!(from <= next && to >= first, "{path:?} byte {at}: {from} to {to}");
            }
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(all(&folder.0).unwrap(), entries(1, 12));
}

#[test]
fn whatever_is_cut_off_taken_out_or_put_elsewhere_is_noticed() {
    let folder = Folder::new("cut");
    folder.append(&entries(1, 12));
    let files = folder.files();
    let paths: Vec<&PathBuf> = files.keys().collect();
    for (path, bytes) in &files {
        for length in 0..bytes.len() {
            fs::write(path, &bytes[..length]).unwrap();
            damage(&all(&folder.0).unwrap_err());
        }
        fs::write(path, [&bytes[..], b"x"].concat()).unwrap();
        let more = all(&folder.0);
        // Behind the head lies what a crash may have torn.
        let torn = *path == **paths.iter().rfind(|path| path.extension().is_some()).unwrap();
        assert_eq!(more.is_ok(), torn, "{path:?}: {more:?}");
        fs::remove_file(path).unwrap();
        match path.ends_with("head") {
            true => damage(&Archive::open(&folder.0, SEGMENT_BYTES).unwrap_err()),
            false => damage(&all(&folder.0).unwrap_err()),
        };
        folder.put(&files);
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let (one, other) = (paths[one], paths[other]);
        fs::write(one, &files[other]).unwrap();
        fs::write(other, &files[one]).unwrap();
        damage(&all(&folder.0).unwrap_err());
        folder.put(&files);
    }
    assert_eq!(all(&folder.0).unwrap(), entries(1, 12));
}

#[test]
fn what_never_counted_is_written_again_before_it_counts() {
    let folder = Folder::new("again");
    folder.append(&entries(1, 5));
    let head = folder.0.join("head");
    let before = fs::read(&head).unwrap();
    folder.append(&entries(6, 6));
    // As after a sync that failed: whole as it is read, perhaps not on the disk.
    fs::write(&head, &before).unwrap();
    let (_, last) = segments(&folder.0).unwrap().pop().unwrap();
    let found = fs::metadata(&last).unwrap().modified().unwrap();
    let archive = Archive::open(&folder.0, SEGMENT_BYTES).unwrap();
    assert_eq!(archive.position(), Position(6));
    let written = fs::metadata(&last).unwrap().modified().unwrap();
    assert!(written > found, "it was not written");
    assert_eq!(all(&folder.0).unwrap(), entries(1, 6));
}

#[test]
fn an_archive_is_not_begun_where_its_disk_may_not_be_mounted() {
    let folder = Folder::new("unmounted");
    let archive = folder.0.join("disk/archive");
    let refused = Archive::open(&archive, SEGMENT_BYTES).unwrap_err();
    assert!(matches!(refused, ArchiveError::File { .. }), "{refused:?}");
    assert!(!folder.0.join("disk").exists());
}

#[test]
fn wherever_a_crash_tears_what_was_being_written_it_goes_on_after_what_counted() {
    let folder = Folder::new("torn");
    folder.append(&entries(1, 5));
    let before = folder.files();
    folder.append(&entries(6, 9));
    let after = folder.files();
    let head = folder.0.join("head");
    let (last, bytes) = after.iter().rfind(|(path, _)| **path != head).unwrap();
    let kept = before.get(last).map_or(0, Vec::len);
    for length in (kept..=bytes.len()).step_by(7) {
        for filling in [0, 3] {
            folder.put(&after);
            // The head is replaced last, so it is the old one.
            fs::write(&head, &before[&head]).unwrap();
            let torn = [&bytes[..length], &vec![0; filling][..]].concat();
            fs::write(last, torn).unwrap();
            let archive = Archive::open(&folder.0, SEGMENT_BYTES).unwrap();
            let position = archive.position().0;
            assert!((5..=9).contains(&position), "{position}");
            archive.append(&entries(position + 1, 12)).unwrap();
            assert_eq!(all(&folder.0).unwrap(), entries(1, 12), "cut at {length}");
        }
    }
    // What counted is not torn but damaged, and nothing is written over it.
    folder.put(&after);
    fs::write(last, &bytes[..bytes.len() - 1]).unwrap();
    let refused = Archive::open(&folder.0, SEGMENT_BYTES).unwrap_err();
    assert_eq!(damage(&refused), (9, 9));
}

#[tokio::test]
async fn a_log_that_is_no_longer_what_was_archived_is_noticed() {
    let log = |bytes: &'static [u8]| async move {
        let memory = Memory::new();
        let journal = Journal::Memory(memory);
        let stream = StreamName::new("a", "profile", None).unwrap();
        let mut last = Position::START;
        for payload in bytes.chunks(1) {
            last = journal.append(&stream, Bytes::from_static(payload), last).await.unwrap();
        }
        journal
    };
    let archived = after(&log(b"abc").await, None).await.unwrap();
    let last = archived.last();
    let more = after(&log(b"abcde").await, last).await.unwrap();
    assert_eq!(more.iter().map(|entry| entry.position.0).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(after(&log(b"abc").await, last).await.unwrap(), []);
    let other = after(&log(b"abXd").await, last).await.unwrap_err();
    assert!(matches!(other, ArchiveError::LogDiffers { position: Position(3) }), "{other}");
    let shorter = after(&log(b"ab").await, last).await.unwrap_err();
    let (archived, end) = (Position(3), Position(2));
    let behind = matches!(shorter, ArchiveError::LogBehind { archived: a, last: l } if (a, l) == (archived, end));
    assert!(behind && !shorter.passes(), "{shorter}");
}
