//! Development mode: the same engines as in production, started as children on loopback, in one process.
//!
//! Invariants: the data outlive a restart; the children end with us, however we end; a child that
//! ends by itself is started again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::time::Duration;

use crate::{
    children::{
        ChildError, NatsChild, NatsChildOptions, PostgresChild, PostgresChildOptions, ToDisk,
    },
    config::{Config, Secret},
    stop::Stop,
};

pub mod keys;

use keys::{DevKey, DevKeyError};

/// How long to wait before a child that ended by itself is started again.
const RESTART_AFTER: Duration = Duration::from_millis(200);

/// Why development mode cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A child cannot be started.
    #[error("a server of the development mode cannot be started")]
    Child(#[from] ChildError),
    /// A key cannot be made or read.
    #[error("the keys of the development mode cannot be made or read")]
    Key(#[from] DevKeyError),
    /// The data folder cannot be made.
    #[error("the data folder {} cannot be made", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The children of the development mode and its key.
#[derive(Debug)]
pub struct Dev {
    nats: NatsChild,
    postgres: PostgresChild,
    /// The key that signs development tokens.
    pub key: DevKey,
}

/// Where the data are when nobody says otherwise: a folder that PostgreSQL's user can reach.
#[must_use]
pub fn default_folder() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/doudi/dev");
    }
    let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")));
    home.unwrap_or_else(std::env::temp_dir).join("doudi/dev")
}

impl Dev {
    /// Starts the children in `folder`, the log with that `sync`. A `scratch` folder is for a demo: quick,
    /// and removed when we end without stopping.
    ///
    /// # Errors
    /// See [`DevError`].
    pub async fn start(folder: &Path, scratch: bool, sync: ToDisk) -> Result<Self, DevError> {
        fs::create_dir_all(folder)
            .map_err(|source| DevError::Folder { path: folder.to_owned(), source })?;
        let key = DevKey::read_or_make(folder, keys::DEV_KEY_ID)?;
        let nats = NatsChildOptions { folder: folder.join("nats"), sync, program: None, scratch };
        let postgres =
            PostgresChildOptions { folder: folder.join("postgres"), fast: scratch, scratch };
        let (nats, postgres) =
            tokio::try_join!(NatsChild::start(&nats), PostgresChild::start(&postgres))?;
        Ok(Self { nats, postgres, key })
    }

    /// Points the configuration at the children and the development key.
    pub fn configure(&self, config: &mut Config) {
        point(config, &self.nats, &self.postgres, &self.key);
        config.auth.allow_dev_key = true;
        config.grpc.reflection = true;
    }

    /// The addresses of the children, for the line that says that all is ready.
    #[must_use]
    pub fn addresses(&self) -> (String, String) {
        (self.nats.url(), self.postgres.url())
    }

    /// Starts children that end by themselves again, until `stop`; then stops them.
    ///
    /// # Errors
    /// When a child does not start again or does not stop.
    pub async fn supervise(mut self, stop: &Stop) -> Result<(), ChildError> {
        loop {
            tokio::select! {
                () = stop.wait() => break,
                how = self.nats.exited() => {
                    tracing::error!(%how, "nats-server ended by itself, starting it again");
                    tokio::time::sleep(RESTART_AFTER).await;
                    self.nats.restart().await?;
                }
                how = self.postgres.exited() => {
                    tracing::error!(%how, "PostgreSQL ended by itself, starting it again");
                    tokio::time::sleep(RESTART_AFTER).await;
                    self.postgres.restart().await?;
                }
            }
        }
        tokio::try_join!(self.nats.stop(), self.postgres.stop())?;
        Ok(())
    }
}

/// Points a configuration at servers and keys of our own.
pub fn point(config: &mut Config, nats: &NatsChild, postgres: &PostgresChild, key: &DevKey) {
    config.nats.urls = vec![nats.url()];
    config.nats.token = Secret::new(nats.token());
    config.nats.monitor_urls = vec![nats.monitor_url()];
    config.nats.durability = nats.durability();
    config.postgres.url = Secret::new(postgres.url());
    config.auth.keys_file = key.public_file.clone();
    config.codes.keys_file = key.codes_file.clone();
    config.vault.active_key = keys::MASTER_KEY_ID.to_owned();
    config.vault.master_keys = [(keys::MASTER_KEY_ID.to_owned(), key.master_file.clone())].into();
}
