//! Style as a test: what a reviewer would say again and again, said by the build instead.
//!
//! Each test collects all it has to say about the whole repository, and each complaint says what
//! to do. Nothing here compiles anything, so it takes well under a second.

mod configuration;
mod documents;
mod manifests;
mod observability;
mod protocol;
mod sources;

use std::path::{Path, PathBuf};

/// A text file of the repository.
struct File {
    /// The path from the repository's root, with `/`.
    path: String,
    text: String,
}

impl File {
    /// The lines with their numbers from 1, without what stands after `//`.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let uncommented = |line: &'_ str| line.find("//").unwrap_or(line.len());
        self.text.lines().enumerate().map(move |(i, line)| (i + 1, &line[..uncommented(line)]))
    }
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every text file of the repository, in the order of paths, without what is built or downloaded.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    collect(&root(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The Rust files of the repository.
fn rust_files() -> Vec<File> {
    let mut files = files();
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    const NOT_OURS: [&str; 5] = ["target", "__pycache__", "generated", "node_modules", ".doudi"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if NOT_OURS.contains(&name.as_str()) || name == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            found.push(File { path, text });
        }
    }
}

/// One file, which must be there.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether `text` holds `word` with no letter, digit or `_` around it.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let open = |edge: Option<char>, own: Option<char>| {
            !(edge.is_some_and(part) && own.is_some_and(part))
        };
        open(before, word.chars().next()) && open(after, word.chars().next_back())
    })
}

/// Fails with all complaints, one in a line.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} to mend:\n{}\n", complaints.len(), complaints.join("\n"));
}
