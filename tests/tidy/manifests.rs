//! The crates: which may use which, and what the domain must stay free of.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{none, read, root};

/// Every crate of ours with the crates of ours that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("doudi-domain", &[]),
    ("doudi-journal", &[]),
    ("doudi-scan", &[]),
    ("doudi-engine", &["doudi-domain", "doudi-journal"]),
    ("doudi-views", &["doudi-domain", "doudi-journal"]),
    ("doudi-api", &["doudi-domain", "doudi-engine", "doudi-scan", "doudi-views"]),
    ("doudi-server", ALL),
    ("doudi-tests", ALL),
];

const ALL: &[&str] = &[
    "doudi-domain",
    "doudi-journal",
    "doudi-scan",
    "doudi-engine",
    "doudi-views",
    "doudi-api",
    "doudi-server",
];

/// Crates that would bring a runtime, a network or a database into the domain.
const NOT_IN_DOMAIN: [&str; 11] = [
    "tokio",
    "mio",
    "socket2",
    "async-nats",
    "tokio-postgres",
    "postgres-protocol",
    "tonic",
    "hyper",
    "h2",
    "rustls",
    "tracing",
];

#[test]
fn crates_use_only_what_they_may() {
    let mut complaints = Vec::new();
    for path in manifests() {
        let manifest: Table = read(&path).parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap();
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!(
                "{path}: {name} is new; put it where it belongs in an existing crate, or give the \
                 reason in the commit and add its arrows to tests/tidy/manifests.rs"
            ));
            continue;
        };
        let used = ["dependencies", "dev-dependencies", "build-dependencies"];
        let used = used.iter().filter_map(|kind| manifest.get(*kind)?.as_table());
        for used in used.flat_map(Table::keys).filter(|used| used.starts_with("doudi-")) {
            if !allowed.contains(&used.as_str()) {
                complaints.push(format!(
                    "{path}: {name} must not use {used}; pass what it needs in from the server, or \
                     move the rule to the crate that both may use"
                ));
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints != Some(&Value::Boolean(true)) {
            complaints.push(format!("{path}: add `[lints]` with `workspace = true`"));
        }
    }
    none(&complaints);
}

#[test]
fn domain_brings_no_runtime_network_or_database() {
    let lock: Table = read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let mut reached = BTreeSet::new();
    let mut next = vec!["doudi-domain".to_owned()];
    while let Some(name) = next.pop() {
        let of_name = packages.iter().filter(|p| p["name"].as_str() == Some(name.as_str()));
        for package in of_name {
            let uses = package.get("dependencies").and_then(Value::as_array);
            // A dependency is a name, with its version behind it where there are several.
            let uses = uses.into_iter().flatten().filter_map(Value::as_str);
            next.extend(
                uses.filter_map(|text| text.split(' ').next())
                    .filter(|used| reached.insert((*used).to_owned()))
                    .map(str::to_owned),
            );
        }
    }
    let complaints: Vec<String> = NOT_IN_DOMAIN
        .iter()
        .filter(|name| reached.contains(**name))
        .map(|name| format!("doudi-domain brings {name}; keep rules pure, do I/O in the engine"))
        .collect();
    none(&complaints);
}

fn manifests() -> Vec<String> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    let names = crates.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut paths: Vec<String> = names.map(|name| format!("crates/{name}/Cargo.toml")).collect();
    paths.push("tests/Cargo.toml".to_owned());
    paths.sort();
    paths
}
