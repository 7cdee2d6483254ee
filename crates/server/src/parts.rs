//! From the configuration to the parts that the roles are made of, each behind its start-up gate.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use doudi_api::webhooks::WebhookSecrets;
use doudi_domain::draw::{Bounds, RatioTable};
use doudi_engine::{
    AttachmentSettings, Attachments, Clock, Engine, EngineSettings, MasterKeys, MasterKeysError,
    Vault, VaultError, react::ReactSettings,
};
use doudi_journal::{
    ArchiveError, ConnectError, CreateError, Credentials, Entry, GateRefusal, GateReport,
    JetStream, JetStreamObjects, JetStreamSettings, JetStreamSpool, Journal, Objects,
    OpenObjectsError, OpenSpoolError, Position, Spool,
};
use doudi_views::{ViewError, ViewSettings, Views};
use tokio_postgres::NoTls;

use crate::{
    archive, clock,
    config::{self, Config},
    webhooks,
};

/// After how many signs of life not answered a server is given up.
const LOST_PROBES: u32 = 3;

/// Why the parts cannot be put together. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// The log's servers cannot be reached.
    #[error("cannot connect to NATS")]
    Connect(#[from] ConnectError),
    /// The log cannot be created.
    #[error("cannot create the log")]
    Create(#[from] CreateError),
    /// The gate refuses to serve on this log.
    #[error("refusing to serve:{}", listed(.0))]
    Gate(Vec<GateRefusal>),
    /// The archive cannot be relied on, or the log is not what was archived.
    #[error("refusing to serve, for the archive and the log do not agree or cannot be compared")]
    Archive(#[from] ArchiveError),
    /// The store of the attachments cannot be used.
    #[error("the store of the attachments cannot be used")]
    Objects(#[from] OpenObjectsError),
    /// The store of what waits for PostgreSQL cannot be used.
    #[error("the store of keys that wait for PostgreSQL cannot be used")]
    Spool(#[from] OpenSpoolError),
    /// The address of the database cannot be read.
    #[error("postgres.url cannot be read")]
    PostgresUrl(#[source] tokio_postgres::Error),
    /// The pool of connections cannot be made.
    #[error("the pool of connections to PostgreSQL cannot be made")]
    Pool(#[from] deadpool_postgres::BuildError),
    /// The tables cannot be opened.
    #[error("the tables cannot be opened")]
    Views(#[from] ViewError),
    /// The key vault cannot be opened.
    #[error("the key vault cannot be opened")]
    Vault(#[from] VaultError),
    /// A master key cannot be read.
    #[error("the master key {id} in {} is not 32 bytes in base64", path.display())]
    MasterKey {
        /// Its id.
        id: String,
        /// Its file.
        path: PathBuf,
    },
    /// The master keys are not usable.
    #[error("the master keys are not usable")]
    MasterKeys(#[from] MasterKeysError),
}

fn listed(refusals: &[GateRefusal]) -> String {
    refusals.iter().map(|refusal| format!("\n  - [{}] {refusal}", refusal.code())).collect()
}

/// What every role works with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The log.
    pub journal: Journal,
    /// The write path.
    pub engine: Engine,
    /// The tables.
    pub views: Views,
    /// The keys of personal data.
    pub vault: Vault,
    /// The files that are attached to cases.
    pub attachments: Attachments,
    /// The keys that wrap those, and that other secrets are derived from.
    pub master: MasterKeys,
    /// What the gate saw.
    pub gate: Arc<GateReport>,
}

impl Parts {
    /// Connects, creates what is absent, and passes the start-up gate.
    ///
    /// # Errors
    /// See [`PartsError`]; the gate's refusals come all at once.
    pub async fn assemble(config: &Config) -> Result<Self, PartsError> {
        Self::assemble_at(config, clock::system()).await
    }

    /// As [`Parts::assemble`], with another clock than the system's.
    ///
    /// # Errors
    /// As [`Parts::assemble`].
    pub async fn assemble_at(config: &Config, clock: Clock) -> Result<Self, PartsError> {
        let (pool, views) = tables(config).await?;
        let jetstream = connect(config).await?;
        let known = Known::of(config, &views).await?;
        let Known { checkpoint, .. } = known;
        // What knows of records proves that there was a log: a missing one is not replaced.
        if checkpoint == Position::default() {
            jetstream.create_if_absent().await?;
        }
        let (journal, gate) = pass(jetstream.clone(), checkpoint).await?;
        known.holds(&journal).await?;
        let master = master_keys(&config.vault)?;
        let spool = Box::pin(JetStreamSpool::open(&jetstream)).await?;
        let vault = Vault::postgres(pool, master.clone(), Spool::JetStream(spool)).await?;
        let attachments = Box::pin(attachments(config, &jetstream, vault.clone())).await?;
        let settings = engine_settings(&config.engine);
        let engine = Engine::new(journal.clone(), settings, clock);
        let gate = Arc::new(gate);
        Ok(Self { journal, engine, views, vault, attachments, master, gate })
    }
}

/// What is known of the log from elsewhere than the log.
pub(crate) struct Known {
    /// How far it must reach: as the views have read it, and as it was archived.
    pub(crate) checkpoint: Position,
    /// The last entry that was archived.
    archived: Option<Entry>,
}

impl Known {
    pub(crate) async fn of(config: &Config, views: &Views) -> Result<Self, PartsError> {
        let archived = archive::witness(&config.archive).await?;
        let position = archived.as_ref().map_or(Position::START, |entry| entry.position);
        let checkpoint = views.highest_position().await?.max(position);
        Ok(Self { checkpoint, archived })
    }

    /// Whether the log still has what was archived last.
    pub(crate) async fn holds(&self, journal: &Journal) -> Result<(), PartsError> {
        if self.archived.is_some() {
            doudi_journal::archive::after(journal, self.archived.as_ref()).await?;
        }
        Ok(())
    }
}

/// Connects to the log, whatever state it is in.
pub(crate) async fn connect(config: &Config) -> Result<JetStream, PartsError> {
    Ok(JetStream::connect(jetstream_settings(&config.nats)).await?)
}

/// The log behind the gate: its last position must not lie before `checkpoint`.
pub(crate) async fn pass(
    jetstream: JetStream,
    checkpoint: Position,
) -> Result<(Journal, GateReport), PartsError> {
    let gate = jetstream.gate(checkpoint).await.map_err(PartsError::Gate)?;
    Ok((Journal::JetStream(jetstream), gate))
}

/// How the log is reached, as the configuration says.
#[must_use]
pub fn jetstream_settings(nats: &config::Nats) -> JetStreamSettings {
    let credentials = if !nats.token.is_empty() {
        Credentials::Token(nats.token.expose().to_owned())
    } else if !nats.user.is_empty() {
        let password = nats.password.expose().to_owned();
        Credentials::User { user: nats.user.clone(), password }
    } else if nats.creds_file.as_os_str().is_empty() {
        Credentials::None
    } else {
        Credentials::File(nats.creds_file.clone())
    };
    JetStreamSettings {
        urls: nats.urls.clone(),
        credentials,
        connection_name: "doudi".to_owned(),
        stream: nats.stream.clone(),
        replicas: nats.replicas,
        durability: nats.durability,
        max_bytes: nats.max_bytes,
        ack_timeout: nats.ack_timeout,
        connect_timeout: nats.connect_timeout,
        in_flight_max: nats.in_flight_max,
        monitor_urls: nats.monitor_urls.clone(),
        store_dir: Some(&nats.store_dir).filter(|path| !path.as_os_str().is_empty()).cloned(),
    }
}

/// What PostgreSQL keeps to for us: when it gives up a question, and a client that vanished without a word, with all
/// that this one has locked. It compiles no statement, which takes longer than running it.
fn server_settings(postgres: &config::Postgres) -> String {
    let patience = postgres.connect_timeout.as_secs().max(1);
    format!(
        "-c statement_timeout={} -c jit=off -c default_transaction_isolation=read\\ committed \
         -c tcp_keepalives_idle={patience} \
         -c tcp_keepalives_interval={patience} -c tcp_keepalives_count={LOST_PROBES} \
         -c tcp_user_timeout={}",
        postgres.statement_timeout.as_millis(),
        patience * u64::from(LOST_PROBES + 1) * 1000
    )
}

/// The tables, made where they are missing.
pub(crate) async fn tables(config: &Config) -> Result<(Pool, Views), PartsError> {
    let postgres = &config.postgres;
    let mut connection: tokio_postgres::Config =
        postgres.url.expose().parse().map_err(PartsError::PostgresUrl)?;
    connection.connect_timeout(postgres.connect_timeout);
    // A server that vanished without a word is noticed, whatever is being waited for.
    connection.keepalives_idle(postgres.connect_timeout);
    connection.keepalives_interval(postgres.connect_timeout);
    connection.keepalives_retries(LOST_PROBES);
    connection.tcp_user_timeout(postgres.connect_timeout * (LOST_PROBES + 1));
    connection.application_name("doudi");
    connection.options(server_settings(postgres));
    let manager = Manager::from_config(
        connection.clone(),
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let pool = Pool::builder(manager)
        .max_size(postgres.pool_size_max)
        // Whoever needs few connections stays on those that have its statements planned.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .create_timeout(Some(postgres.connect_timeout))
        .wait_timeout(Some(postgres.connect_timeout))
        .build()?;
    let views = Views::open(pool.clone(), ViewSettings { connection }).await?;
    Ok((pool, views))
}

/// The attachments beside the log, their store made where it is missing.
async fn attachments(
    config: &Config,
    jetstream: &JetStream,
    vault: Vault,
) -> Result<Attachments, PartsError> {
    let objects = JetStreamObjects::open(jetstream, config.attachments.store_bytes_max).await?;
    let settings = AttachmentSettings {
        bytes_max: config.attachments.bytes_max,
        media_types: config.attachments.media_types.clone(),
    };
    Ok(Attachments::new(Objects::JetStream(objects), vault, settings))
}

/// The master keys that the configuration names.
fn master_keys(vault: &config::Vault) -> Result<MasterKeys, PartsError> {
    let mut keys = BTreeMap::new();
    for (id, path) in &vault.master_keys {
        let read = || -> Option<[u8; 32]> {
            let text = fs::read_to_string(path).ok()?;
            BASE64_STANDARD.decode(text.trim()).ok()?.try_into().ok()
        };
        let key =
            read().ok_or_else(|| PartsError::MasterKey { id: id.clone(), path: path.clone() })?;
        keys.insert(id.clone(), key);
    }
    Ok(MasterKeys::new(vault.active_key.clone(), keys)?)
}

/// The bounds of the write path, as the configuration says.
#[must_use]
pub fn engine_settings(engine: &config::Engine) -> EngineSettings {
    EngineSettings {
        cache_bytes_max: engine.cache_bytes_max,
        attempts_max: engine.attempts_max,
        input_age_max: engine.input_age_max,
    }
}

/// The bounds of the ratios of random draws, as the configuration says.
#[must_use]
pub fn draw_ratios(draws: &config::Draws) -> RatioTable {
    let bounds = |min, max| Bounds { min, max };
    RatioTable {
        a: bounds(draws.a_percent_min, draws.a_percent_max),
        b: bounds(draws.b_percent_min, draws.b_percent_max),
        c: bounds(draws.c_percent_min, draws.c_percent_max),
        d: bounds(draws.d_percent_min, draws.d_percent_max),
    }
}

/// The bounds of the delivery to webhooks, as the configuration says.
#[must_use]
pub fn webhook_settings(webhooks: &config::Webhooks) -> webhooks::Settings {
    webhooks::Settings {
        in_flight_max: webhooks.in_flight_max,
        timeout: webhooks.timeout,
        retry_min: webhooks.retry_min,
        retry_max: webhooks.retry_max,
        refusals_max: webhooks.refusals_max,
        position_interval: webhooks.position_interval,
        secret_grace: webhooks.secret_grace,
        allow_http: webhooks.allow_http,
    }
}

/// The secrets of webhooks: whoever shows them and whoever signs with them derive the same.
#[must_use]
pub fn webhook_secrets(master: &MasterKeys) -> WebhookSecrets {
    WebhookSecrets::new(master.derive_each("webhook secrets"))
}

/// The bounds of the agenda's runner, as the configuration says.
#[must_use]
pub fn react_settings(react: &config::React) -> ReactSettings {
    ReactSettings {
        visit_grace_days: react.visit_grace_days,
        poll_interval: react.poll_interval,
        in_flight_max: react.in_flight_max,
    }
}
