//! The documents: they name what exists, say the same in both languages, and stay in the repository.

use super::{files, none, read, root};

const ARCHITECTURE_LINES_MAX: usize = 200;

/// Hosts of package registries: where packages come from is the business of each tool's own settings. They are
/// cut in two so that this file does not hold them.
const REGISTRIES: [&str; 6] = [
    concat!("crates.io", "/api"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("registry.", "npmjs.org"),
];

#[test]
fn architecture_names_what_exists() {
    let text = read("ARCHITECTURE.md");
    let lines = text.lines().count();
    let mut complaints = Vec::new();
    if lines > ARCHITECTURE_LINES_MAX {
        complaints.push(format!(
            "ARCHITECTURE.md: {lines} lines, at most {ARCHITECTURE_LINES_MAX}; keep what stays true \
             when the code changes, and move the rest to the heads of the files"
        ));
    }
    for (i, line) in text.lines().enumerate() {
        // Every second part between backticks is code.
        for path in line.split('`').skip(1).step_by(2).filter(|code| looks_like_a_path(code)) {
            if !exists(path) {
                complaints.push(format!("ARCHITECTURE.md:{}: there is no {path}", i + 1));
            }
        }
    }
    none(&complaints);
}

#[test]
fn both_readmes_say_the_same() {
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    let mut complaints = Vec::new();
    let (ours, theirs) = (headings(&english), headings(&chinese));
    if ours != theirs {
        complaints.push(format!(
            "README.md has headings of the levels {ours:?}, README.zh-CN.md {theirs:?}; bring the \
             later one up to date"
        ));
    }
    if code_blocks(&english) != code_blocks(&chinese) {
        complaints.push(
            "README.md and README.zh-CN.md differ in their code blocks; what is typed must be the \
             same in both"
                .to_owned(),
        );
    }
    none(&complaints);
}

#[test]
fn nothing_leads_out_of_the_repository() {
    let own_place = root().display().to_string();
    let mut complaints = Vec::new();
    for file in files() {
        let depth = file.path.matches('/').count();
        for (i, line) in file.text.lines().enumerate() {
            let at = format!("{}:{}", file.path, i + 1);
            if line.contains(&own_place) {
                complaints.push(format!("{at}: {own_place} is one machine's; use a relative path"));
            }
            let ups = line.split(|c: char| !"./".contains(c)).map(|run| run.matches("../").count());
            if ups.max().unwrap_or_default() > depth {
                complaints.push(format!("{at}: this path leads out of the repository"));
            }
            if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
                complaints.push(format!("{at}: do not name {host}; the tool knows where to look"));
            }
        }
    }
    none(&complaints);
}

/// A path of ours begins with a folder of the root or ends as our files do.
fn looks_like_a_path(code: &str) -> bool {
    const FOLDERS: [&str; 6] = ["crates/", "proto/", "deploy/", "tests/", ".ci/", "src/"];
    const ENDS: [&str; 6] = [".rs", ".toml", ".md", ".proto", ".sql", ".sh"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    code.chars().all(plain)
        && (FOLDERS.iter().any(|folder| code.starts_with(folder))
            || ENDS.iter().any(|end| code.ends_with(end) && code.len() > end.len()))
}

/// With a `*`, the folder before it must exist. A path may leave out `crates/`, and a name alone may
/// be any file's.
fn exists(path: &str) -> bool {
    let fixed = path.split('*').next().unwrap_or(path);
    let fixed = if fixed == path { fixed } else { fixed.rsplit_once('/').map_or("", |(f, _)| f) };
    let here = |prefix: &str| root().join(prefix).join(fixed).exists();
    let any = |path: &str| files().iter().any(|file| file.path.rsplit('/').next() == Some(path));
    here("") || here("crates") || (!path.contains('/') && any(path))
}

/// The levels of the headings, in order.
fn headings(text: &str) -> Vec<usize> {
    let outside = text.split("```").step_by(2);
    let lines = outside.flat_map(str::lines).filter(|line| line.starts_with('#'));
    lines.map(|line| line.chars().take_while(|c| *c == '#').count()).collect()
}

/// What stands between the fences, comments aside, since those are translated.
fn code_blocks(text: &str) -> Vec<String> {
    let typed = |block: &str| {
        let lines = block.lines().map(|line| line.split('#').next().unwrap_or(line).trim_end());
        lines.collect::<Vec<&str>>().join("\n")
    };
    text.split("```").skip(1).step_by(2).map(typed).collect()
}
