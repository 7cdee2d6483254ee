//! A disk of a test's own: an ext4 file system in a file, which can be copied at any instant, and which
//! breaks when the room behind it is used up.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use doudi_tests::Scratch;
use rustix::fs::{FallocateFlags, fallocate};

/// Mounts `$2` of type or image `$1` at `$3`, says so, and unmounts it when our pipe closes, however
/// we end; where a server still holds it, as soon as that server is gone.
const MOUNT: &str = r#"
mount $1 "$2" "$3" || exit 1
echo mounted
read -r _
umount "$3" 2>/dev/null || umount -l "$3"
"#;

/// How large the file system is. Of the file behind it only what was written takes room.
const BYTES: u64 = 512 << 20;

/// Longer than any test, so that the file system writes its journal only when it is told to.
const COMMIT_INTERVAL: &str = "-o loop,commit=600";

/// Something mounted; unmounted when dropped.
#[derive(Debug)]
struct Mount {
    guard: Child,
}

impl Mount {
    fn new(options: &str, what: &Path, at: &Path) -> Result<Mount, String> {
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", MOUNT, "mount", options]).arg(what).arg(at);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut guard = command.spawn().map_err(|error| error.to_string())?;
        let mut said = String::new();
        let stdout = guard.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut said).map_err(|error| error.to_string())?;
        match said.trim() {
            "mounted" => Ok(Mount { guard }),
            _ => {
                guard.wait().map_err(|error| error.to_string())?;
                Err(format!("mount {options} is not possible here"))
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // What cannot be unmounted is no reason to fail a test that has ended.
        let _ = self.guard.wait();
    }
}

/// An ext4 file system in a file. Dropped in this order: first what lies inside.
#[derive(Debug)]
pub(super) struct Disk {
    _mount: Mount,
    _room: Option<Mount>,
    scratch: Scratch,
}

impl Disk {
    /// An empty disk.
    ///
    /// # Errors
    /// Why there is none: most likely this process may not mount.
    pub(super) fn new() -> Result<Disk, String> {
        Self::within(None)
    }

    /// An empty disk behind which there is room for `bytes` in all.
    pub(super) fn with_room(bytes: u64) -> Result<Disk, String> {
        Self::within(Some(bytes))
    }

    fn within(room: Option<u64>) -> Result<Disk, String> {
        let scratch = Scratch::new("disk").map_err(|error| error.to_string())?;
        let behind = scratch.path().join("behind");
        let room = room.map(|bytes| {
            Mount::new(&format!("-t tmpfs -o size={bytes}"), Path::new("doudi"), &behind)
        });
        let room = room.transpose()?;
        fs::create_dir_all(&behind).map_err(|error| error.to_string())?;
        let image = behind.join("image");
        let file = fs::File::create_new(&image).map_err(|error| error.to_string())?;
        file.set_len(BYTES).map_err(|error| error.to_string())?;
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output();
        let made = made.map_err(|error| format!("mkfs.ext4: {error}"))?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        let mount = Mount::new(COMMIT_INTERVAL, &image, &scratch.path().join("disk"))?;
        Ok(Disk { _mount: mount, _room: room, scratch })
    }

    /// What the disk would hold after a power cut, as a disk of its own: the file behind this one, to
    /// which the kernel has written what it has written. What is only in its memory is not there.
    /// No write that the disk has taken is ever lost again: a cache in the disk itself is not tried.
    pub(super) fn cut(&self) -> Disk {
        let scratch = Scratch::new("cut").unwrap();
        fs::create_dir_all(scratch.path().join("behind")).unwrap();
        let (from, to) = (self.image(), scratch.path().join("behind/image"));
        // A disk that was written to meanwhile was not copied as it was at one instant.
        loop {
            let before = self.written();
            let copied = Command::new("cp").arg("--sparse=always").arg(&from).arg(&to).status();
            assert!(copied.unwrap().success(), "the image cannot be copied");
            if self.written() == before {
                break;
            }
        }
        // Mounting brings the file system's own journal in order, as after any power cut.
        let mount = Mount::new(COMMIT_INTERVAL, &to, &scratch.path().join("disk")).unwrap();
        Disk { _mount: mount, _room: None, scratch }
    }

    /// Where the file system is mounted.
    pub(super) fn path(&self) -> PathBuf {
        self.scratch.path().join("disk")
    }

    /// Forces everything to disk.
    pub(super) fn sync(&self) {
        let folder = fs::File::open(self.path()).unwrap();
        rustix::fs::syncfs(folder).unwrap();
    }

    /// Uses up the room behind the disk, so that no new block can be written.
    pub(super) fn fill_up(&self) {
        let mut filler = fs::File::create_new(self.image().with_file_name("filler")).unwrap();
        let block = vec![0; 1 << 16];
        while filler.write_all(&block).is_ok() {}
    }

    /// Fills the file system itself, as far as it takes anything.
    pub(super) fn stuff(&self) {
        let stuffing = fs::File::create_new(self.stuffing()).unwrap();
        let mut length = 0;
        // Ever less is left.
        for step in [1 << 24, 1 << 20, 1 << 16, 1 << 12] {
            while fallocate(&stuffing, FallocateFlags::empty(), length, step).is_ok() {
                length += step;
            }
        }
    }

    /// Makes room on it again.
    pub(super) fn relieve(&self) {
        fs::remove_file(self.stuffing()).unwrap();
    }

    fn stuffing(&self) -> PathBuf {
        self.path().join("stuffing")
    }

    fn image(&self) -> PathBuf {
        self.scratch.path().join("behind/image")
    }

    /// How many writes the device has finished and how many it has at work, as the kernel counts them.
    fn written(&self) -> Vec<String> {
        let device = rustix::fs::stat(self.path()).unwrap().st_dev;
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let counts = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).unwrap();
        let counts: Vec<&str> = counts.split_whitespace().collect();
        [counts[4], counts[6], counts[8]].map(str::to_owned).to_vec()
    }
}
