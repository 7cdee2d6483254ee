//! Servers of our own in a temporary folder, with the roles at work on them, for what ends by itself:
//! the demo, the simulation, the benches.

use std::path::Path;

use doudi_engine::Clock;
use tonic::transport::{Channel, Endpoint};

use crate::{
    children::{ChildError, ToDisk},
    clock,
    config::{Config, ConfigError, Purpose, environment},
    dev::{Dev, DevError, keys::DevKey},
    logging,
    parts::{Parts, PartsError},
    roles::{self, Roles, RunError},
    stop::Stop,
};

/// Why nothing can be done on servers of our own.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing can be logged.
    #[error("logging cannot be started")]
    Log(#[from] logging::StartError),
    /// The servers cannot be started.
    #[error("the servers cannot be started")]
    Dev(#[from] DevError),
    /// The servers cannot be stopped.
    #[error("the servers cannot be stopped")]
    Child(#[from] ChildError),
    /// The parts cannot be put together.
    #[error("the parts cannot be put together")]
    Parts(#[from] PartsError),
    /// A role failed.
    #[error("a role failed")]
    Run(#[from] RunError),
    /// The API cannot be reached.
    #[error("the API cannot be reached")]
    Channel(#[from] tonic::transport::Error),
}

/// What there is to work with.
#[derive(Debug)]
pub struct Stage {
    /// The configuration.
    pub config: Config,
    /// The parts.
    pub parts: Parts,
    /// The API.
    pub channel: Channel,
    /// What signs tokens for it.
    pub key: DevKey,
}

/// How the servers are set up.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Who forces the log to disk.
    pub sync: ToDisk,
    /// Who is at work beside the API.
    pub roles: Roles,
    /// What of the program's own log is shown; `None` for nothing.
    pub log: Option<&'static str>,
    /// What time it is on the stage; `None` for the system's time.
    pub clock: Option<Clock>,
}

impl Default for Setting {
    fn default() -> Self {
        Self { sync: ToDisk::default(), roles: Roles::ALL, log: None, clock: None }
    }
}

/// Does `work` on servers in `folder`, which is for nothing else, and stops them.
///
/// # Errors
/// What `work` answers, else [`StageError`].
pub async fn on_stage<F, R, E>(folder: &Path, setting: Setting, work: F) -> Result<(), E>
where
    F: FnOnce(Stage) -> R,
    R: Future<Output = Result<(), E>>,
    E: From<StageError>,
{
    let open = Box::pin(Open::new(folder, setting)).await?;
    let done = Box::pin(async {
        let stage = open.stage().await?;
        work(stage).await
    })
    .await;
    let closed = Box::pin(open.close()).await;
    done?;
    Ok(closed?)
}

/// Servers and roles at work.
struct Open {
    config: Config,
    parts: Parts,
    key: DevKey,
    dev: Dev,
    stop: Stop,
    running: tokio::task::JoinHandle<Result<(), RunError>>,
    address: std::net::SocketAddr,
}

impl Open {
    async fn new(folder: &Path, setting: Setting) -> Result<Self, StageError> {
        let mut config = Config::load(Purpose::Dev, None, &environment())?;
        config.grpc.listen = ([127, 0, 0, 1], 0).into();
        if let Some(filter) = setting.log {
            filter.clone_into(&mut config.log.filter);
            logging::start(&config)?;
        }
        let dev = Dev::start(folder, true, setting.sync).await?;
        dev.configure(&mut config);
        let key = DevKey::read(folder).map_err(DevError::from)?;
        let clock = setting.clock.unwrap_or_else(clock::system);
        let parts = Parts::assemble_at(&config, clock).await?;
        let server = roles::bind(&config)?;
        let address = server.address();
        let stop = Stop::new();
        let roles = Roles { serve: true, ..setting.roles };
        let run = roles::run(parts.clone(), config.clone(), roles, Some(server), stop.clone());
        let running = tokio::spawn(run);
        Ok(Self { config, parts, key, dev, stop, running, address })
    }

    async fn stage(&self) -> Result<Stage, StageError> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))?;
        let channel = endpoint.connect().await?;
        let Self { config, parts, key, .. } = self;
        Ok(Stage { config: config.clone(), parts: parts.clone(), channel, key: key.clone() })
    }

    /// Drains the roles, then stops the servers.
    async fn close(self) -> Result<(), StageError> {
        self.stop.now();
        let ended = self.running.await.map_err(RunError::from);
        let halt = Stop::new();
        halt.now();
        self.dev.supervise(&halt).await?;
        Ok(ended.and_then(|ended| ended)?)
    }
}
