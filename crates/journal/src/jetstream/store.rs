//! The folder that the server keeps the log in, as this process sees it: whether it is really that
//! folder, and whether its file system can be relied on to say what reached the disk.
//!
//! That it is that folder is proven by what happens in it: the server is asked for something with a name that
//! nobody else knows, and this must appear there. A path proves nothing, since the same one
//! may lead elsewhere on another machine or in another container.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The messages of the log on a file system that this process can force to disk.
#[derive(Debug)]
pub(super) struct Store {
    /// Where the server keeps the log's messages.
    pub(super) folder: PathBuf,
    /// Which folder that is, whatever its path.
    pub(super) place: Place,
    /// That folder, opened before the first sync and kept: only so does each later sync tell of
    /// every write that failed meanwhile.
    open: File,
}

/// A file system and a folder in it.
pub(super) type Place = (u64, u64);

/// The file beside the log's messages that says that a sync failed. The kernel tells of a failure once, so
/// whoever starts later would not hear of it.
const MARK: &str = "doudi-sync-failed";

/// Why a folder does not carry durability "group".
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("what the server has just written is not there")]
    Foreign,
    #[error("this process cannot look into it")]
    Closed(#[source] io::Error),
    #[error("{0}")]
    FileSystem(String),
    #[error("forcing it to disk failed")]
    Sync(#[source] io::Error),
    #[error("a sync of it failed, says {}", .0.display())]
    Doubtful(PathBuf),
}

impl Store {
    /// Finds the messages of `stream` below `folder`, in which the server has made a consumer named
    /// `marker` just now, and forces them to disk for the first time. Blocks.
    pub(super) fn open(folder: &Path, stream: &str, marker: &str) -> Result<Store, Unfit> {
        let folder = find(folder, stream, marker)?;
        let open = File::open(&folder).map_err(Unfit::Closed)?;
        system::fits(&open).map_err(Unfit::FileSystem)?;
        let mark = mark_of(&folder);
        if mark.try_exists().map_err(Unfit::Closed)? {
            return Err(Unfit::Doubtful(mark));
        }
        let place = system::place(&open).map_err(Unfit::Closed)?;
        let store = Store { folder, place, open };
        store.sync().map_err(Unfit::Sync)?;
        Ok(store)
    }

    /// Forces everything that was written to the file system to disk, whoever wrote it. Blocks. That it
    /// failed is remembered in the folder, for as long as the files are remembered there too.
    pub(super) fn sync(&self) -> io::Result<()> {
        system::sync(&self.open).inspect_err(|failed| {
            let mark = mark_of(&self.folder);
            if let Err(error) = std::fs::write(&mark, format!("{failed}\n")) {
                tracing::error!(%error, mark = %mark.display(), "that a sync failed is not remembered");
            }
        })
    }
}

/// Where it is remembered that forcing `messages` to disk failed.
fn mark_of(messages: &Path) -> PathBuf {
    messages.with_file_name(MARK)
}

/// The folder `<account>/streams/<stream>/msgs` beside which the marker lies.
fn find(folder: &Path, stream: &str, marker: &str) -> Result<PathBuf, Unfit> {
    // The server makes a folder of this name in the one that its configuration gives.
    for base in [folder.to_owned(), folder.join("jetstream")] {
        let accounts = match base.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            accounts => accounts.map_err(Unfit::Closed)?,
        };
        for account in accounts {
            let log = account.map_err(Unfit::Closed)?.path().join("streams").join(stream);
            if log.join("obs").join(marker).try_exists().map_err(Unfit::Closed)? {
                return Ok(log.join("msgs"));
            }
        }
    }
    Err(Unfit::Foreign)
}

/// Whether what is written below `folder`, which exists, can be kept with durability "group".
pub(super) fn fits(folder: &Path) -> Result<(), String> {
    let open = File::open(folder).map_err(|error| error.to_string())?;
    system::fits(&open)
}

#[cfg(target_os = "linux")]
mod system {
    use std::{fs::File, io, os::unix::fs::MetadataExt};

    use rustix::{
        fs::{fstatfs, syncfs},
        system::uname,
    };

    use crate::jetstream::gate::version;

    /// From this kernel on a sync tells of writes that failed before it; older ones stay silent.
    const LINUX_MIN: (u64, u64) = (5, 8);

    /// Local file systems whose sync ends with a flush of the disk's own cache and tells of
    /// failed writes, by the magic number that `statfs` gives.
    const SUITED: [(u64, &str); 3] =
        [(0xEF53, "ext4"), (0x5846_5342, "XFS"), (0x9123_683E, "Btrfs")];

    /// Others that are met, to call them by their name.
    const UNSUITED: [(u64, &str); 6] = [
        (0x794C_7630, "overlayfs, which hides failed writes"),
        (0x0102_1994, "tmpfs, which is memory"),
        (0x6969, "NFS, which is not local"),
        (0xFF53_4D42, "CIFS, which is not local"),
        (0x0102_1997, "9p, which is not local"),
        (0x6573_5546, "FUSE, of which nothing is known"),
    ];

    pub(super) fn fits(folder: &File) -> Result<(), String> {
        let kernel = uname().release().to_string_lossy().into_owned();
        if version(&kernel).is_none_or(|version| version < LINUX_MIN) {
            return Err(format!(
                "Linux {kernel} does not tell of failed writes when a file system is synced; \
                 {}.{} and newer do",
                LINUX_MIN.0, LINUX_MIN.1
            ));
        }
        let found = fstatfs(folder).map_err(|error| error.to_string())?.f_type;
        // Its type differs from platform to platform; what does not fit is no number of ours.
        let found = u64::try_from(found).unwrap_or_default();
        if SUITED.iter().any(|(magic, _)| *magic == found) {
            return Ok(());
        }
        let named = UNSUITED.iter().find(|(magic, _)| *magic == found);
        let named = named.map_or_else(
            || format!("a file system of type {found:#x}, which was not tried"),
            |(_, name)| (*name).to_owned(),
        );
        let suited = SUITED.map(|(_, name)| name).join(", ");
        Err(format!("it is on {named}; it must be on one of {suited}"))
    }

    pub(super) fn sync(folder: &File) -> io::Result<()> {
        Ok(syncfs(folder)?)
    }

    pub(super) fn place(folder: &File) -> io::Result<super::Place> {
        let found = folder.metadata()?;
        Ok((found.dev(), found.ino()))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::{fs::File, io};

    pub(super) fn fits(_: &File) -> Result<(), String> {
        Err(format!("{} cannot sync a whole file system; Linux can", std::env::consts::OS))
    }

    pub(super) fn sync(_: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn place(_: &File) -> io::Result<super::Place> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder as a server would have left it, gone with the value.
    struct Left(PathBuf);

    impl Left {
        fn new(name: &str) -> Left {
            let folder = std::env::temp_dir();
            let folder = folder.join(format!("doudi-store-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Left(folder)
        }

        fn with(self, path: &str) -> Left {
            std::fs::create_dir_all(self.0.join(path)).unwrap();
            self
        }
    }

    impl Drop for Left {
        fn drop(&mut self) {
            // What is left behind in the temporary folder is no reason to fail.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_the_folder_with_the_marker_is_the_logs() {
        let left = Left::new("marker")
            .with("jetstream/$G/streams/DOUDI/msgs")
            .with("jetstream/A/streams/DOUDI/obs/older")
            .with("jetstream/A/streams/DOUDI/msgs");
        let outer = &left.0;
        let inner = outer.join("jetstream");
        for folder in [outer, &inner] {
            assert!(matches!(find(folder, "DOUDI", "m1"), Err(Unfit::Foreign)));
            assert!(matches!(find(folder, "OTHER", "older"), Err(Unfit::Foreign)));
            let found = find(folder, "DOUDI", "older").unwrap();
            assert_eq!(found, inner.join("A/streams/DOUDI/msgs"));
        }
        let nowhere = outer.join("nowhere");
        assert!(matches!(find(&nowhere, "DOUDI", "older"), Err(Unfit::Foreign)));
    }

    #[test]
    fn what_is_not_on_a_disk_does_not_fit() {
        // Every Linux has it, and it is never on a disk; elsewhere nothing fits at all.
        let folder = if cfg!(target_os = "linux") { Path::new("/proc") } else { Path::new("/") };
        let reason = fits(folder).unwrap_err();
        assert!(reason.contains("file system"), "{reason}");
    }
}
