//! The servers that `doudi dev`, `doudi demo` and the tests run as child processes on loopback.
//!
//! These are the same nats-server and PostgreSQL as in production, only smaller. Invariants:
//! a child listens on 127.0.0.1 only; it asks for a secret that was made on its first start and
//! never leaves its folder; it never outlives us, not even when we are killed with SIGKILL (see
//! `guard`); and it counts as started only when it really answered.

mod doudi;
mod find;
mod guard;
mod nats;
mod port;
mod postgres;
mod secret;
mod user;

use std::path::PathBuf;
use std::time::Duration;

pub use doudi::{DoudiChild, LOG as DOUDI_LOG};
pub use find::{NatsProgram, PostgresPrograms, find_nats, find_postgres, tools_folder};
pub use guard::Guarded;
pub use nats::{NatsChild, NatsChildOptions, ToDisk};
pub use port::free as free_port;
pub use postgres::{PostgresChild, PostgresChildOptions};
pub use user::ServiceUser;

/// How long a child may take from its start to its first answer.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long a child may take to stop in order before it is killed.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How often a child that is starting is asked whether it is ready.
pub(crate) const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Why a child process could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// No program that is new enough was found.
    #[error("no {name} of at least version {wanted} was found ({seen}); run deploy/bootstrap.sh")]
    NotFound {
        /// The program's name.
        name: &'static str,
        /// The lowest version that will do.
        wanted: &'static str,
        /// What was looked at, and why none of it will do.
        seen: String,
    },
    /// A folder or file of a child could not be made, read or written.
    #[error("cannot {doing} {}", path.display())]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The ordinary user that PostgreSQL runs as cannot get to its folder.
    #[error(
        "PostgreSQL refuses to run as root, so it runs as the user `{user}`, who cannot enter \
         {}; choose a data folder that this user can reach, such as one under /var/lib or /tmp",
        blocked_at.display()
    )]
    Unreachable {
        /// The user's name.
        user: String,
        /// The outermost folder that the user cannot enter.
        blocked_at: PathBuf,
    },
    /// There is no ordinary user to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor \
         a user `nobody`; create one, or run doudi as an ordinary user"
    )]
    NoOrdinaryUser,
    /// The system gave us no randomness for a secret or a port.
    #[error("cannot get random bytes for a child's secret")]
    Random(#[source] getrandom::Error),
    /// No free port was found on loopback.
    #[error("found no free port on 127.0.0.1 in {tried} tries")]
    NoPort {
        /// How many ports were tried.
        tried: u32,
    },
    /// A program could not be run at all.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A program that prepares a data folder ended with an error.
    #[error("{} failed: {output}", program.display())]
    Prepare {
        /// The program.
        program: PathBuf,
        /// What it printed, cut to its end.
        output: String,
    },
    /// A child ended before it was ready.
    #[error("{name} ended with {status} before it was ready; the end of its log:\n{log}")]
    Ended {
        /// The child's name.
        name: &'static str,
        /// How it ended.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// A child was not ready in time.
    #[error("{name} was not ready within {} s: {last}; the end of its log:\n{log}", READY_WITHIN.as_secs())]
    NotReady {
        /// The child's name.
        name: &'static str,
        /// Why the last question went unanswered.
        last: String,
        /// The last lines of its log.
        log: String,
    },
    /// The database of a fresh PostgreSQL could not be created.
    #[error("cannot {doing} in the PostgreSQL child")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// A child did not go away even when killed.
    #[error("{name} (process {pid}) is still there {} s after it was killed", STOP_WITHIN.as_secs())]
    Immortal {
        /// The child's name.
        name: &'static str,
        /// Its process id.
        pid: u32,
    },
}

/// The last lines of a log file, for an error message; empty when it cannot be read.
fn tail(path: &std::path::Path) -> String {
    tail_of(path, |_| true)
}

/// The last of those lines of a log file that are wanted, likewise.
pub(crate) fn tail_of(path: &std::path::Path, wanted: impl Fn(&str) -> bool) -> String {
    const LINES_MAX: usize = 12;
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| wanted(line)).collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].join("\n")
}
