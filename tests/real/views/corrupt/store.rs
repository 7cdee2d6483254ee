//! The files in which nats-server keeps the log, as the tests beside this file read and change them.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

/// The bytes of a record before its subject: length, sequence, time, length of the subject.
const HEADER: usize = 22;
/// The bit of the length that says that there are headers.
const HAS_HEADERS: u32 = 1 << 31;

/// A stopped server's folder.
pub(in crate::real) struct Store {
    folder: PathBuf,
    stream: String,
}

/// Where a record lies in a block.
#[derive(Clone, Debug)]
pub(in crate::real) struct Place {
    pub(in crate::real) block: usize,
    pub(super) whole: Range<usize>,
    /// Each part of it with its name.
    pub(in crate::real) parts: Vec<(&'static str, Range<usize>)>,
}

impl Store {
    /// `folder` is what the server calls its `store_dir`.
    pub(in crate::real) fn new(folder: &Path, stream: &str) -> Self {
        Self { folder: folder.to_owned(), stream: stream.to_owned() }
    }

    pub(super) fn stream(&self) -> PathBuf {
        // The server makes a folder of this name in the one that its configuration gives.
        let inner = self.folder.join("jetstream");
        let folder = if inner.is_dir() { &inner } else { &self.folder };
        folder.join("$G/streams").join(&self.stream)
    }

    pub(super) fn index(&self) -> PathBuf {
        self.stream().join("msgs/index.db")
    }

    /// The blocks in the order of what is in them.
    pub(in crate::real) fn blocks(&self) -> Vec<PathBuf> {
        let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
        let files = fs::read_dir(self.stream().join("msgs")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let mut blocks: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| end == "blk")).collect();
        blocks.sort_by_key(number);
        blocks
    }

    /// Every record.
    pub(in crate::real) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (block, path) in self.blocks().iter().enumerate() {
            let bytes = fs::read(path).unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let place = place(&bytes, at, block);
                at = place.whole.end;
                places.push(place);
            }
        }
        places
    }

    pub(super) fn change(&self, block: usize, change: impl FnOnce(&mut Vec<u8>)) {
        edit(&self.blocks()[block], change);
    }
}

pub(super) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Copies a folder with all in it.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}

fn place(bytes: &[u8], at: usize, block: usize) -> Place {
    let number = |from: usize, length: usize| {
        let bytes = bytes[from..from + length].iter().rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let marked = u32::try_from(number(at, 4)).unwrap();
    let length = usize::try_from(marked & !HAS_HEADERS).unwrap();
    let subject_bytes = usize::try_from(number(at + 20, 2)).unwrap();
    let subject = at + HEADER..at + HEADER + subject_bytes;
    let whole = at..at + length;
    let checksum = whole.end - 8..whole.end;
    assert_ne!(marked & HAS_HEADERS, 0, "each record of ours has headers");
    let headers_bytes = usize::try_from(number(subject.end, 4)).unwrap();
    let headers = subject.end + 4..subject.end + 4 + headers_bytes;
    let parts = vec![
        ("length", at..at + 4),
        ("sequence", at + 4..at + 12),
        ("time", at + 12..at + 20),
        ("length of the subject", at + 20..at + HEADER),
        ("subject", subject.clone()),
        ("length of the headers", subject.end..headers.start),
        ("headers", headers.clone()),
        ("payload", headers.end..checksum.start),
        ("checksum", checksum),
    ];
    Place { block, whole, parts }
}
