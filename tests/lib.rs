//! Real servers for tests: nats-server and PostgreSQL in temporary folders on free loopback ports.
//!
//! They are the very children that `doudi dev` runs, so the tests try those too. A server ends and
//! its folder goes when its value is dropped, or when the test process ends in any other way.

pub mod nats;
pub mod pg;
pub mod program;
pub mod world;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doudi_server::children::ChildError;

/// How long a dropped server may take to die before its folder is removed under it.
const DIE_WITHIN: Duration = Duration::from_secs(10);

/// A folder, under the system's temporary folder unless said otherwise, removed on drop.
///
/// The PostgreSQL user can reach it as long as it can reach `TMPDIR`.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty folder whose name begins with `doudi-test-`.
    ///
    /// # Errors
    /// [`ChildError::Folder`] when the temporary folder is not writable.
    pub fn new(name: &str) -> Result<Self, ChildError> {
        Self::within(&std::env::temp_dir(), name)
    }

    /// The same below another folder.
    ///
    /// # Errors
    /// [`ChildError::Folder`] when that folder is not writable.
    pub fn within(folder: &Path, name: &str) -> Result<Self, ChildError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doudi-test-{name}-{}-{count}", std::process::id());
        let path = folder.join(name);
        // What an earlier process with our id left behind; usually nothing.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|source| ChildError::Folder {
            doing: "make",
            path: path.clone(),
            source,
        })?;
        Ok(Self { path })
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs in the temporary folder are no reason to fail a test.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Asks again and again until there is an answer, and gives it; `None` when `within` has passed.
///
/// This is how a test waits: on a state, with a bound.
pub async fn until<T, F>(within: Duration, mut ask: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let asking = async {
        let mut rhythm = tokio::time::interval(Duration::from_millis(10));
        loop {
            rhythm.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(within, asking).await.ok()
}

/// Says that something cannot be tried here, and why. A run that has to pass (`CI` is set) does not pass then, unless
/// `DOUDI_MAY_SKIP` names it, alone or among others with commas between them.
///
/// # Panics
/// In such a run.
pub fn skipped(what: &str, reason: &str) {
    let named = |names: String| names.split(',').any(|name| name.trim() == what);
    let may = std::env::var("DOUDI_MAY_SKIP").is_ok_and(named);
    assert!(
        may || std::env::var_os("CI").is_none(),
        "{what} cannot be tried here: {reason}; with DOUDI_MAY_SKIP={what} the run passes all the same"
    );
    // Not by `eprintln!`, which nobody sees of a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped {what}: {reason}");
}

/// The program `doudi` beside the running test program; `make test` builds it first.
#[must_use]
pub fn doudi_program() -> PathBuf {
    pg::target_folder().join("doudi")
}

/// The Python that has gRPC and a work calendar, if `deploy/bootstrap.sh --python` has made it.
#[must_use]
pub fn python() -> Option<PathBuf> {
    let python = doudi_server::children::tools_folder()?.join("python/bin/python");
    python.is_file().then_some(python)
}
