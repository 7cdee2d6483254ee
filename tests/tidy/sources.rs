//! The Rust files: their length, their heads, their names, and words that do not belong.

use super::{File, has_word, none, rust_files};

const LINES_MAX: usize = 500;
/// Nine files in ten are at most this long.
const LINES_P90_MAX: usize = 350;

/// Ends of type names that say nothing.
const EMPTY_NAMES: [&str; 7] = ["Manager", "Helper", "Util", "Utils", "Data", "Info", "Impl"];

/// What the domain must not say, with what to do instead.
const NOT_IN_DOMAIN: &[(&str, &str)] = &[
    ("async", "rules are plain functions; await in the engine"),
    ("await", "rules are plain functions; await in the engine"),
    ("Arc", "own it or borrow it; sharing is the engine's business"),
    ("Mutex", "state goes in and comes out as a value"),
    ("now(", "time comes in `Context`"),
    ("SystemTime", "time comes in `Context`"),
    ("Instant", "time comes in `Context`"),
    ("new_v4(", "ids come in with the command or `Context`"),
    ("tokio", "no runtime in the domain"),
    ("std::net", "no I/O in the domain"),
    ("std::fs", "no I/O in the domain; the server reads files and passes their content in"),
    ("std::env", "no I/O in the domain; the configuration is the server's"),
    ("std::thread", "rules are plain functions"),
    ("println!", "return what is to be said"),
    ("eprintln!", "return what is to be said"),
];

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> =
        rust_files().into_iter().map(|file| (file.text.lines().count(), file.path)).collect();
    lengths.sort();
    let too_long = lengths.iter().filter(|(lines, _)| *lines > LINES_MAX);
    let mut complaints: Vec<String> = too_long
        .map(|(lines, path)| {
            format!("{path}: {lines} lines, at most {LINES_MAX}; split it by what changes together")
        })
        .collect();
    let (p90, path) = &lengths[(lengths.len() * 9 / 10).min(lengths.len() - 1)];
    if *p90 > LINES_P90_MAX {
        complaints.push(format!(
            "nine files in ten must have at most {LINES_P90_MAX} lines, and {path}, the first of the \
             tenth, has {p90}; split the longest ones"
        ));
    }
    none(&complaints);
}

#[test]
fn files_say_what_they_are_for() {
    let headless = rust_files().into_iter().filter(|file| !file.text.starts_with("//! "));
    let complaints: Vec<String> = headless
        .map(|file| format!("{}: begin with `//! ` and one sentence on its purpose", file.path))
        .collect();
    none(&complaints);
}

#[test]
fn modules_are_named_after_themselves() {
    let old = rust_files().into_iter().filter(|file| file.path.ends_with("/mod.rs"));
    let complaints: Vec<String> =
        old.map(|file| format!("{}: call it <folder>.rs, beside the folder", file.path)).collect();
    none(&complaints);
}

#[test]
fn types_have_telling_names() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        for (line, code) in file.code() {
            let Some(name) = declared_type(code) else { continue };
            if let Some(end) = EMPTY_NAMES.iter().find(|end| name.ends_with(**end)) {
                complaints.push(format!(
                    "{}:{line}: {name} ends with {end}; say what it is, not that it is something",
                    file.path
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn tests_neither_sleep_nor_hide() {
    let mut complaints = Vec::new();
    for file in rust_files().iter().filter(|file| !file.path.starts_with("tests/tidy")) {
        let tests_from = test_lines_from(file);
        for (line, code) in file.code() {
            if code.contains("#[ignore") {
                complaints.push(format!(
                    "{}:{line}: `#[ignore]` hides a test; make it pass, or delete it",
                    file.path
                ));
            }
            if line >= tests_from && has_word(code, "sleep") {
                complaints.push(format!(
                    "{}:{line}: do not sleep; wait on the state, with a bound \
                     (`doudi_tests::until`)",
                    file.path
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn domain_is_pure() {
    let mut complaints = Vec::new();
    for file in rust_files().iter().filter(|file| file.path.starts_with("crates/domain/src/")) {
        let tests_from = test_lines_from(file);
        for (line, code) in file.code().take_while(|(line, _)| *line < tests_from) {
            let found = NOT_IN_DOMAIN.iter().filter(|(word, _)| has_word(code, word));
            complaints.extend(
                found.map(|(word, instead)| format!("{}:{line}: `{word}`: {instead}", file.path)),
            );
        }
    }
    none(&complaints);
}

#[test]
fn rejections_are_documented() {
    let mut complaints = Vec::new();
    let mut found = 0;
    for file in rust_files().iter().filter(|file| file.path.starts_with("crates/domain/src/")) {
        let lines = file.text.lines().enumerate();
        let mut body = lines.skip_while(|(_, line)| !line.contains("enum Rejection {")).peekable();
        found += usize::from(body.next().is_some());
        let mut documented = false;
        for (i, line) in body.take_while(|(_, line)| *line != "}") {
            if line.trim_start().starts_with("///") {
                documented = true;
            }
            // rustfmt indents variants by four, their fields by more.
            let variant =
                line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_uppercase));
            if let Some(variant) = variant {
                if !documented {
                    let path = &file.path;
                    let line = i + 1;
                    complaints.push(format!(
                        "{path}:{line}: say above `{variant}` when it is given, and by which source"
                    ));
                }
                documented = false;
            }
        }
    }
    assert!(found > 0, "no `enum Rejection` in crates/domain: has it got another name?");
    none(&complaints);
}

/// The name in `pub struct Name<..>` and the like.
fn declared_type(code: &str) -> Option<&str> {
    // An indented alias is another crate's associated type, named by its trait.
    if code.starts_with(' ') && code.trim_start().starts_with("type ") {
        return None;
    }
    let mut words = code.split_whitespace().skip_while(|word| word.starts_with("pub"));
    if !["struct", "enum", "trait", "type", "union"].contains(&words.next()?) {
        return None;
    }
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The number of the first line that belongs to tests.
fn test_lines_from(file: &File) -> usize {
    let is_test = |part: &str| part == "tests" || part == "tests.rs";
    if file.path.split('/').any(is_test) {
        return 1;
    }
    let marked = file.text.lines().position(|line| line.trim() == "#[cfg(test)]");
    // A `mod tests;` somewhere at the top says nothing about the lines below it.
    let inline = marked.filter(|at| {
        file.text.lines().nth(at + 1).is_some_and(|line| line.trim_end().ends_with('{'))
    });
    inline.map_or(usize::MAX, |at| at + 1)
}
