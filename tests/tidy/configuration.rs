//! The configuration: each key is explained to operators, and some code reads it.

use super::{has_word, none, read, rust_files};

const REFERENCE: &str = "deploy/default.toml";

#[test]
fn keys_are_explained_and_read() {
    let mut complaints = Vec::new();
    let mut readers = rust_files();
    readers.retain(|file| {
        file.path.starts_with("crates/server/src/")
            && !file.path.starts_with("crates/server/src/config")
    });
    let code: String = readers
        .iter()
        .flat_map(|file| file.code().map(|(_, code)| code.trim()))
        .collect::<Vec<&str>>()
        // A chain that rustfmt broke over lines is one expression again.
        .join("");
    for (line, key, explained) in keys(&read(REFERENCE)) {
        if !explained {
            complaints.push(format!(
                "{REFERENCE}:{line}: say above {key} what it means, with its unit and bounds"
            ));
        }
        if !has_word(&code, &key) {
            complaints.push(format!(
                "{REFERENCE}:{line}: nothing in crates/server reads {key}; remove the key, or read \
                 it as `config.{key}`"
            ));
        }
    }
    none(&complaints);
}

/// Line number, `section.key`, and whether a comment stands above it.
fn keys(text: &str) -> Vec<(usize, String, bool)> {
    let mut section = "";
    let mut above = "";
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.push((i + 1, format!("{section}.{key}"), above.starts_with("# ")));
        }
        above = line;
    }
    found
}
