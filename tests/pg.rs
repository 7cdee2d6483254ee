//! A PostgreSQL for one test.
//!
//! `initdb` takes a second or two, so it runs once per target folder and version; each server starts on
//! a copy of that template. A file lock makes it safe that several test processes start at once.

use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use doudi_server::children::{ChildError, PostgresChild, PostgresChildOptions, find_postgres};

use crate::{DIE_WITHIN, Scratch};

/// A PostgreSQL in a temporary folder; behaves as the [`PostgresChild`] in it.
///
/// It does not sync to disk: what it acknowledged survives a kill, but not a power cut.
#[derive(Debug)]
pub struct PgServer {
    child: PostgresChild,
    _scratch: Scratch,
}

impl PgServer {
    /// Starts it with an empty database `doudi` and waits until it answers.
    ///
    /// # Errors
    /// As for [`PostgresChild::start`].
    pub async fn start() -> Result<Self, ChildError> {
        Self::start_in(None).await
    }

    /// The same in a folder that is there; a temporary one for none.
    ///
    /// # Errors
    /// As for [`PostgresChild::start`].
    pub async fn start_in(folder: Option<&Path>) -> Result<Self, ChildError> {
        let template = template().await?;
        let scratch = Scratch::new("pg")?;
        let folder = folder.unwrap_or(scratch.path());
        copy(&template, folder).await?;
        let child = PostgresChild::start(&options(folder)).await?;
        Ok(Self { child, _scratch: scratch })
    }
}

impl Deref for PgServer {
    type Target = PostgresChild;

    fn deref(&self) -> &PostgresChild {
        &self.child
    }
}

impl DerefMut for PgServer {
    fn deref_mut(&mut self) -> &mut PostgresChild {
        &mut self.child
    }
}

impl Drop for PgServer {
    fn drop(&mut self) {
        self.child.quit_blocking(DIE_WITHIN);
    }
}

fn options(folder: &Path) -> PostgresChildOptions {
    PostgresChildOptions { folder: folder.to_owned(), fast: true, scratch: true }
}

/// The folder of a cluster that was started once, has the database, and was stopped in order.
async fn template() -> Result<PathBuf, ChildError> {
    let (major, minor) = find_postgres()?.version;
    let folder = target_folder().join("doudi-tests");
    fs::create_dir_all(&folder).map_err(|error| failed("make", &folder, error))?;
    let template = folder.join(format!("postgres-{major}.{minor}"));
    let lock = folder.join("lock");
    let lock_file = File::create(&lock).map_err(|error| failed("open", &lock, error))?;
    // Another test process may be making the template right now; it takes seconds at most.
    let lock_file = tokio::task::spawn_blocking(move || lock_file.lock().map(|()| lock_file))
        .await
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| failed("lock", &lock, error))?;
    if !template.is_dir() {
        make_template(&template).await?;
    }
    drop(lock_file);
    Ok(template)
}

async fn make_template(template: &Path) -> Result<(), ChildError> {
    let scratch = Scratch::new("pg-template")?;
    let child = PostgresChild::start(&options(scratch.path())).await?;
    child.stop().await?;
    let half_made = template.with_extension("half-made");
    // What a run that was cut short left behind; usually nothing.
    let _ = fs::remove_dir_all(&half_made);
    fs::create_dir(&half_made).map_err(|error| failed("make", &half_made, error))?;
    copy(scratch.path(), &half_made).await?;
    fs::rename(&half_made, template).map_err(|error| failed("rename", &half_made, error))
}

/// Copies what is in one folder into another; the modes stay, the owner becomes the caller.
async fn copy(from: &Path, to: &Path) -> Result<(), ChildError> {
    let program = PathBuf::from("cp");
    let output = tokio::process::Command::new(&program)
        .arg("-R")
        .arg(from.join("."))
        .arg(to)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| ChildError::Spawn { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ChildError::Prepare { program, output })
}

/// The profile's folder in the target folder, where the running test program lies in `deps`.
pub(crate) fn target_folder() -> PathBuf {
    let program = std::env::current_exe().ok();
    let deps = program.as_deref().and_then(Path::parent);
    deps.and_then(Path::parent).map_or_else(std::env::temp_dir, Path::to_owned)
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> ChildError {
    ChildError::Folder { doing, path: path.to_owned(), source }
}
