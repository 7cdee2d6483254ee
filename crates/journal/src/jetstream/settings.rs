//! What is needed to reach a log on NATS and how it is to behave.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::store;

/// Where the log is and how it is used. [`JetStreamSettings::new`] gives the usual values.
#[derive(Clone, Debug)]
pub struct JetStreamSettings {
    /// The NATS servers, such as `nats://127.0.0.1:4222`; at least one.
    pub urls: Vec<String>,
    /// How to log in.
    pub credentials: Credentials,
    /// The name that the server shows for the connection.
    pub connection_name: String,
    /// The name of the JetStream stream that is the log.
    pub stream: String,
    /// How many servers keep a copy: 1, 3 or 5.
    pub replicas: usize,
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// The largest size of the log in bytes; 0 for no limit of its own.
    pub max_bytes: u64,
    /// How long an append waits for its acknowledgement, and a read for its answer.
    pub ack_timeout: Duration,
    /// How long the first connection is tried for.
    pub connect_timeout: Duration,
    /// How many appends may await their acknowledgement at once; more wait in line, in order.
    pub in_flight_max: usize,
    /// The HTTP monitoring addresses of the servers that keep the log, such as
    /// `http://127.0.0.1:8222`: the only place where they tell whether they sync before they
    /// acknowledge. One for each server; none is fine unless the durability is to be proven.
    pub monitor_urls: Vec<String>,
    /// The folder that the server keeps its messages in, as this process sees it, for
    /// [`Durability::Group`]; none takes the path that the server's monitoring tells.
    pub store_dir: Option<PathBuf>,
}

impl JetStreamSettings {
    /// The usual settings for one server: stream `DOUDI`, one replica, [`Durability::Always`],
    /// no size limit, 5 seconds for an answer, 10 to connect, 4096 appends in flight.
    #[must_use]
    pub fn new(url: impl Into<String>) -> JetStreamSettings {
        JetStreamSettings {
            urls: vec![url.into()],
            credentials: Credentials::None,
            connection_name: "doudi".to_owned(),
            stream: "DOUDI".to_owned(),
            replicas: 1,
            durability: Durability::Always,
            max_bytes: 0,
            ack_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            in_flight_max: 4096,
            monitor_urls: Vec::new(),
            store_dir: None,
        }
    }
}

/// How to log in to the NATS server. The debug form shows no secret.
#[derive(Clone)]
pub enum Credentials {
    /// Without a login.
    None,
    /// With a shared token.
    Token(String),
    /// With a user name and a password.
    User {
        /// The user's name.
        user: String,
        /// The user's password.
        password: String,
    },
    /// With the JWT and key in a `.creds` file.
    File(PathBuf),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::None => f.write_str("None"),
            Credentials::Token(_) => f.write_str("Token(..)"),
            Credentials::User { user, .. } => write!(f, "User({user:?}, ..)"),
            Credentials::File(path) => write!(f, "File({path:?})"),
        }
    }
}

/// What an acknowledged append survives.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A power cut: the server syncs each write to its disk before it acknowledges.
    Always,
    /// A crash of the server, but not a power cut: the server syncs when it likes.
    Fast,
    /// A power cut: the server syncs when it likes, and this process forces the server's files to
    /// disk before it hands out an acknowledgement or a record, once for all who wait. For one
    /// server on the same machine.
    Group,
}

impl Durability {
    /// Whether a server's messages below `folder`, which exists, can be kept by [`Durability::Group`].
    ///
    /// # Errors
    /// In words, what stands against it: the system, or the file system.
    pub fn group_fits(folder: &Path) -> Result<(), String> {
        store::fits(folder)
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Durability::Always => "always",
            Durability::Fast => "fast",
            Durability::Group => "group",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let secrets = [
            Credentials::Token("s3cret".into()),
            Credentials::User { user: "u".into(), password: "s3cret".into() },
        ];
        for credentials in secrets {
            let settings = JetStreamSettings { credentials, ..JetStreamSettings::new("x") };
            assert!(!format!("{settings:?}").contains("s3cret"));
        }
    }

    #[test]
    fn durability_reads_and_writes_as_its_name() {
        for durability in [Durability::Always, Durability::Fast, Durability::Group] {
            let json = serde_json::to_string(&durability).unwrap();
            assert_eq!(json, format!("\"{durability}\""));
            assert_eq!(serde_json::from_str::<Durability>(&json).unwrap(), durability);
        }
    }
}
