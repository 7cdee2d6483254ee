//! Finds the programs of the children and refuses, in words, what is too old.
//!
//! Looked at, in this order: the environment variable (then nothing else), PATH, the tools folder
//! that `deploy/bootstrap.sh` fills, and the places where distributions and Homebrew put PostgreSQL.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ChildError;

/// The oldest nats-server that will do: older ones cannot do what the journal relies on.
const NATS_MIN: (u32, u32) = (2, 14);
/// The version that `deploy/bootstrap.sh` brings and that the tests run on.
const NATS_FOLDER: &str = "nats-2.15.1";
/// The oldest PostgreSQL that will do.
const POSTGRES_MIN: (u32, u32) = (15, 0);
/// Where PostgreSQL is installed outside PATH; each holds one folder per version.
const POSTGRES_PLACES: [(&str, &str); 3] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// A nats-server that is new enough.
#[derive(Debug, Clone)]
pub struct NatsProgram {
    /// The program file.
    pub path: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
}

/// The programs of a PostgreSQL that is new enough.
#[derive(Debug, Clone)]
pub struct PostgresPrograms {
    /// The folder with `postgres` and `initdb`.
    pub bin: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
}

/// The folder that `deploy/bootstrap.sh` puts programs into: `DOUDI_TOOLS`, else `~/.cache/doudi/tools`.
#[must_use]
pub fn tools_folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("DOUDI_TOOLS").filter(|value| !value.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    env::var_os("HOME").map(|home| Path::new(&home).join(".cache/doudi/tools"))
}

/// Finds a nats-server of at least 2.14: `DOUDI_NATS_SERVER`, PATH, the tools folder.
///
/// # Errors
/// [`ChildError::NotFound`] tells what was looked at.
pub fn find_nats() -> Result<NatsProgram, ChildError> {
    let candidates = if let Some(path) = env::var_os("DOUDI_NATS_SERVER") {
        vec![PathBuf::from(path)]
    } else {
        let tools = tools_folder().map(|folder| folder.join(NATS_FOLDER).join("nats-server"));
        on_path("nats-server").into_iter().chain(tools).collect()
    };
    let (path, version) = choose("nats-server", "2.14", NATS_MIN, &candidates)?;
    Ok(NatsProgram { path, version })
}

/// Finds a PostgreSQL of at least 15: `DOUDI_PG_BIN`, PATH, the usual folders.
///
/// # Errors
/// [`ChildError::NotFound`] tells what was looked at.
pub fn find_postgres() -> Result<PostgresPrograms, ChildError> {
    let candidates = if let Some(bin) = env::var_os("DOUDI_PG_BIN") {
        vec![Path::new(&bin).join("postgres")]
    } else {
        on_path("postgres").into_iter().chain(installed_postgres()).collect()
    };
    let (path, version) = choose("PostgreSQL", "15", POSTGRES_MIN, &candidates)?;
    // Links lead to the folder where initdb and the libraries really are.
    let path = path.canonicalize().unwrap_or(path);
    let bin = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(PostgresPrograms { bin, version })
}

fn choose(
    name: &'static str,
    wanted: &'static str,
    min: (u32, u32),
    candidates: &[PathBuf],
) -> Result<(PathBuf, (u32, u32)), ChildError> {
    let mut seen = Vec::new();
    for path in candidates {
        match version(path) {
            Some(version) if version >= min => return Ok((path.clone(), version)),
            Some((major, minor)) => {
                seen.push(format!("{} is {major}.{minor}, which is too old", path.display()));
            }
            None => seen.push(format!("{} is not there or does not run", path.display())),
        }
    }
    let seen = if seen.is_empty() { "none is on PATH".to_owned() } else { seen.join("; ") };
    Err(ChildError::NotFound { name, wanted, seen })
}

fn on_path(program: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(program)).filter(|p| p.is_file()).collect()
}

/// The PostgreSQL installations outside PATH, newest first.
fn installed_postgres() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (place, prefix) in POSTGRES_PLACES {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let major = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(major) = major.and_then(|text| text.parse::<u32>().ok()) {
                found.push((major, entry.path().join("bin/postgres")));
            }
        }
    }
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, path)| path).filter(|path| path.is_file()).collect()
}

/// Runs `program --version` and takes the first number with a point from what it prints.
fn version(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').split('.');
        let major = parts.next()?.parse().ok()?;
        let digits: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some((major, digits.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        let check = |text, expected| assert_eq!(parse_version(text), expected, "{text}");
        check("nats-server: v2.15.1", Some((2, 15)));
        check("nats-server: v2.15.0-RC.1", Some((2, 15)));
        check("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18)));
        check("postgres (PostgreSQL) 17.0", Some((17, 0)));
        check("no version", None);
    }
}
