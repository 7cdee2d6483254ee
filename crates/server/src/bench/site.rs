//! Servers in a folder and doudi on them as a process of its own, with callers that have a connection each.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use doudi_api::{identity::Claims, permission::Role};
use doudi_journal::{Journal, Position};
use doudi_scan::codes::KeyRing;
use tonic::transport::{Channel, Endpoint};

use super::{BenchError, measured};
use crate::{
    catalogue::{self, Plan},
    children::{
        DOUDI_LOG, DoudiChild, NatsChild, NatsChildOptions, PostgresChild, PostgresChildOptions,
        ToDisk, tail_of,
    },
    client::Client,
    config::{Config, Purpose},
    dev::{self, keys::DevKey},
    parts, token,
};

/// The folder of doudi itself in that of a bench.
const DOUDI: &str = "doudi";
/// The id of the key that signs tokens; roles refuse that of the development mode.
const KEY_ID: &str = "bench";

/// The end of the log of the doudi whose servers are in `folder`, but for what only informs; nothing where there is
/// none.
pub fn said(folder: &Path) -> String {
    let graver = |line: &str| line.contains(" WARN ") || line.contains(" ERROR ");
    tail_of(&folder.join(DOUDI).join(DOUDI_LOG), graver)
}

/// Servers of our own and doudi at work on them.
#[derive(Debug)]
pub struct Site {
    /// The process.
    pub doudi: DoudiChild,
    /// Where doudi has its configuration and its log.
    folder: PathBuf,
    config: Config,
    key: DevKey,
    nats: NatsChild,
    postgres: PostgresChild,
}

impl Site {
    /// Starts the servers in `folder` and the role of `program` on them, and publishes what it decides by.
    /// PostgreSQL keeps what it says it keeps, as in production.
    ///
    /// # Errors
    /// [`BenchError`] when something cannot be started.
    pub async fn open(
        folder: &Path,
        program: &Path,
        role: &str,
        sync: ToDisk,
    ) -> Result<Self, BenchError> {
        fs::create_dir_all(folder).map_err(measured)?;
        let key = DevKey::read_or_make(folder, KEY_ID).map_err(measured)?;
        let scratch = true;
        let nats = NatsChildOptions { folder: folder.join("nats"), sync, program: None, scratch };
        let postgres =
            PostgresChildOptions { folder: folder.join("postgres"), fast: false, scratch };
        let started = tokio::try_join!(NatsChild::start(&nats), PostgresChild::start(&postgres));
        let (nats, postgres) = started.map_err(measured)?;
        let mut config = Config::load(Purpose::Dev, None, &[]).map_err(measured)?;
        dev::point(&mut config, &nats, &postgres, &key);
        let folder = folder.join(DOUDI);
        let doudi = DoudiChild::start(program, role, &config, &folder).await.map_err(measured)?;
        let site = Self { doudi, folder, config, key, nats, postgres };
        site.publish().await?;
        Ok(site)
    }

    async fn publish(&self) -> Result<(), BenchError> {
        let admin = self.client(&self.channel().await?, &token::claims(Role::Admin))?;
        let mut documents = vec![
            catalogue::work_calendar()?,
            catalogue::case_types()?,
            Plan::published()?.routing(),
            catalogue::frequency_policy(),
        ];
        documents.extend(catalogue::inspection_catalogues()?);
        for document in documents {
            admin.publish(document).await.map_err(measured)?;
        }
        Ok(())
    }

    /// A connection to the API.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when there is none to be had.
    pub async fn channel(&self) -> Result<Channel, BenchError> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.doudi.address()));
        endpoint.map_err(measured)?.tcp_nodelay(true).connect().await.map_err(measured)
    }

    /// A caller on a connection.
    ///
    /// # Errors
    /// [`BenchError`] when its token cannot be made.
    pub fn client(&self, channel: &Channel, claims: &Claims) -> Result<Client, BenchError> {
        Client::new(channel, &token::sign(&self.key, claims)?).map_err(measured)
    }

    /// The keys of codes, the private one too.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when they cannot be read.
    pub fn ring(&self) -> Result<KeyRing, BenchError> {
        let keys = fs::read_to_string(&self.config.codes.keys_file).map_err(measured)?;
        KeyRing::parse(&keys).map_err(measured)
    }

    /// The log, written to by us as doudi writes to it.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when it cannot be reached or the gate refuses it.
    pub async fn journal(&self) -> Result<Journal, BenchError> {
        let jetstream = parts::connect(&self.config).await.map_err(measured)?;
        Ok(parts::pass(jetstream, Position::START).await.map_err(measured)?.0)
    }

    /// The newest commit in the log, as it is stored.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when the log cannot be read.
    pub async fn newest(&self) -> Result<Bytes, BenchError> {
        let journal = self.journal().await?;
        let last = journal.last_position().await.map_err(measured)?;
        let before = Position(last.0.saturating_sub(1));
        let records = journal.read(before, 1).await.map_err(measured)?;
        let record = records.into_iter().next().ok_or_else(|| measured("the log is empty"))?;
        Ok(record.payload)
    }

    /// Ends doudi, starts a role of `program` on the same servers, and says how long it took from there until it
    /// served.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when it does not end or start.
    pub async fn restart(&mut self, program: &Path, role: &str) -> Result<Duration, BenchError> {
        self.doudi.stop().await.map_err(measured)?;
        let began = Instant::now();
        let started = DoudiChild::start(program, role, &self.config, &self.folder).await;
        self.doudi = started.map_err(measured)?;
        Ok(began.elapsed())
    }

    /// Stops doudi, then its servers.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when one does not stop.
    pub async fn close(self) -> Result<(), BenchError> {
        self.doudi.stop().await.map_err(measured)?;
        let stopped = tokio::try_join!(self.nats.stop(), self.postgres.stop());
        stopped.map(|_| ()).map_err(measured)
    }
}
