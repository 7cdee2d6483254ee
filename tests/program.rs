//! The binary `doudi` as a child process, the way an operator runs it.

#![expect(clippy::expect_used, reason = "a test ends where its servers cannot be had")]

use std::{net::SocketAddr, process::Stdio};

use doudi_server::{children::free_port, config::Config};
use tokio::process::{Child, Command};

/// A command that runs the binary with none of our own settings. It ends with the value, and with the thread that
/// starts it, also when that is killed.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(crate::doudi_program());
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().into_owned();
        let places = ["DOUDI_TOOLS", "DOUDI_NATS_SERVER", "DOUDI_PG_BIN"];
        if ours.starts_with("DOUDI_") && !places.contains(&ours.as_str()) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A free address on loopback, which no outgoing connection takes while nobody listens on it.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port(None).expect("a free port")).into()
}

/// Gives `command` the settings of `config` by environment, and an address to listen on.
pub fn configure(command: &mut Command, config: &Config, listen: SocketAddr) {
    let (id, file) = config.vault.master_keys.iter().next().expect("a master key");
    let settings = [
        ("DOUDI_NATS__URLS", format!("{:?}", config.nats.urls)),
        ("DOUDI_NATS__TOKEN", config.nats.token.expose().to_owned()),
        ("DOUDI_NATS__REPLICAS", config.nats.replicas.to_string()),
        ("DOUDI_NATS__DURABILITY", config.nats.durability.to_string()),
        ("DOUDI_NATS__MONITOR_URLS", format!("{:?}", config.nats.monitor_urls)),
        ("DOUDI_POSTGRES__URL", config.postgres.url.expose().to_owned()),
        ("DOUDI_AUTH__KEYS_FILE", config.auth.keys_file.display().to_string()),
        ("DOUDI_CODES__KEYS_FILE", config.codes.keys_file.display().to_string()),
        ("DOUDI_VAULT__MASTER_KEYS", format!("{{ {id} = {:?} }}", file.display().to_string())),
        ("DOUDI_VAULT__ACTIVE_KEY", id.clone()),
        ("DOUDI_GRPC__LISTEN", listen.to_string()),
        ("DOUDI_ARCHIVE__FOLDER", config.archive.folder.display().to_string()),
        ("DOUDI_ARCHIVE__SEGMENT_BYTES_MAX", config.archive.segment_bytes_max.to_string()),
        ("DOUDI_LOG__FILTER", "warn".to_owned()),
    ];
    for (name, value) in settings {
        command.env(name, value);
    }
}

/// Starts a role, or `all` of them, on the servers of `config`.
///
/// # Panics
/// When the binary cannot be started.
#[must_use]
pub fn role(config: &Config, listen: SocketAddr, role: &str) -> Child {
    let mut command = command();
    configure(&mut command, config, listen);
    command.arg(role).spawn().expect("the binary starts")
}
