//! nats-server with JetStream as a child process.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use doudi_journal::Durability;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::guard::{Guarded, Order};
use super::{ASK_AGAIN_AFTER, ChildError, READY_WITHIN, find, port, secret, tail};

const NAME: &str = "nats-server";

/// How often a first start is repeated when somebody else took a port meanwhile.
const PORT_TRIES_MAX: u32 = 5;

/// Who forces to the disk what nats-server wrote, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ToDisk {
    /// doudi, once for all who wait, before it answers; nats-server where its folder does not allow that.
    #[default]
    Group,
    /// nats-server, before it acknowledges each message.
    Always,
    /// nats-server, every two minutes, which is its own default; a power cut loses what came since.
    Lazy,
}

impl ToDisk {
    /// The same, or the next safe one if the file system of `folder`, which exists, is not suited.
    fn fitting(self, folder: &Path) -> Self {
        match self {
            Self::Group => match Durability::group_fits(folder) {
                Ok(()) => Self::Group,
                Err(reason) => {
                    tracing::warn!(
                        folder = %folder.display(), reason,
                        "durability \"group\" is not possible here; \"always\" is used"
                    );
                    Self::Always
                }
            },
            Self::Always | Self::Lazy => self,
        }
    }
}

impl From<ToDisk> for Durability {
    fn from(sync: ToDisk) -> Self {
        match sync {
            ToDisk::Group => Self::Group,
            ToDisk::Always => Self::Always,
            ToDisk::Lazy => Self::Fast,
        }
    }
}

impl From<Durability> for ToDisk {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Group => Self::Group,
            Durability::Always => Self::Always,
            Durability::Fast => Self::Lazy,
        }
    }
}

/// What a nats-server child needs.
#[derive(Debug, Clone, Default)]
pub struct NatsChildOptions {
    /// The folder for its configuration, secret, log and messages; made when missing.
    pub folder: PathBuf,
    /// Who forces to disk.
    pub sync: ToDisk,
    /// The program; `None` finds one that is new enough. A named one may be of any version.
    pub program: Option<PathBuf>,
    /// Whether the folder is removed when we end without stopping the child.
    pub scratch: bool,
}

/// A nats-server on loopback that ends with us.
#[derive(Debug)]
pub struct NatsChild {
    folder: PathBuf,
    port: u16,
    monitor_port: u16,
    token: String,
    sync: ToDisk,
    order: Order,
    running: Guarded,
}

impl NatsChild {
    /// Starts a nats-server on two free ports and waits until it answers.
    ///
    /// # Errors
    /// Any [`ChildError`]: no program, no folder, or a child that ends or stays silent, then with the end
    /// of its log.
    pub async fn start(options: &NatsChildOptions) -> Result<Self, ChildError> {
        let program = match &options.program {
            Some(program) => program.clone(),
            None => find::find_nats()?.path,
        };
        let folder = make_folder(&options.folder)?;
        let sync = options.sync.fitting(&folder);
        let token = secret::read_or_make(&folder.join("token"))?;
        let order = Order {
            name: NAME,
            program,
            arguments: vec!["-c".to_owned(), folder.join("nats.conf").display().to_string()],
            log: folder.join("nats.log"),
            stop: Signal::TERM,
            scratch: options.scratch.then(|| folder.clone()),
            user: None,
            folder: folder.clone(),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let port = port::free(None)?;
            let monitor_port = port::free(Some(port))?;
            let config = config(&folder, sync, port, monitor_port, &token);
            secret::write_private(&folder.join("nats.conf"), &config)?;
            let started = start_ready(&order, port, &token).await;
            match started {
                Err(ChildError::Ended { log, .. })
                    if tries < PORT_TRIES_MAX && log.contains("address already in use") => {}
                Err(error) => return Err(error),
                Ok(running) => {
                    return Ok(Self { folder, port, monitor_port, token, sync, order, running });
                }
            }
        }
    }

    /// The address for clients, `nats://127.0.0.1:<port>`, without the token.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The address of the monitoring pages, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    /// The token that clients must present; never to be logged.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What an append survives that was acknowledged by doudi on this server.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.sync.into()
    }

    /// The folder that JetStream keeps its messages in.
    #[must_use]
    pub fn store_dir(&self) -> PathBuf {
        store_dir(&self.folder)
    }

    /// The log file.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.order.log
    }

    /// Starts the child again on the same ports with the same messages, stopping it first if need be.
    ///
    /// # Errors
    /// As for [`NatsChild::start`].
    pub async fn restart(&mut self) -> Result<(), ChildError> {
        self.running.stop().await?;
        self.running = start_ready(&self.order, self.port, &self.token).await?;
        Ok(())
    }
}

/// Its end can be awaited and brought about as that of any guarded process.
impl Deref for NatsChild {
    type Target = Guarded;

    fn deref(&self) -> &Guarded {
        &self.running
    }
}

fn store_dir(folder: &Path) -> PathBuf {
    folder.join("jetstream")
}

fn make_folder(folder: &Path) -> Result<PathBuf, ChildError> {
    let failed = |source| ChildError::Folder { doing: "make", path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    folder.canonicalize().map_err(failed)
}

/// The configuration file. Durations are quoted, or nats-server reads them as numbers.
fn config(folder: &Path, sync: ToDisk, port: u16, monitor_port: u16, token: &str) -> String {
    let store = quoted(&store_dir(folder));
    let log = quoted(&folder.join("nats.log"));
    // Lazy is the default, and saying so would be an unknown field to the old servers of our tests.
    let sync = match sync {
        ToDisk::Always => "    sync_interval: always\n",
        ToDisk::Group | ToDisk::Lazy => "",
    };
    format!(
        "# Written by doudi at each start; changes here are lost.\n\
         server_name: doudi\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitor_port}\"\n\
         max_payload: 1MB\n\
         log_file: {log}\n\
         logfile_size_limit: 16MB\n\
         authorization {{ token: \"{token}\" }}\n\
         jetstream {{\n    \
             store_dir: {store}\n    \
             max_memory_store: 256MB\n    \
             max_file_store: 1TB\n\
         {sync}}}\n"
    )
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

async fn start_ready(order: &Order, port: u16, token: &str) -> Result<Guarded, ChildError> {
    let child = Guarded::start(order).await?;
    let until = Instant::now() + READY_WITHIN;
    loop {
        let last = match timeout(READY_WITHIN, greet(port, token)).await {
            Ok(Ok(())) => return Ok(child),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it accepted a connection and stayed silent".to_owned(),
        };
        if let Some(status) = child.status() {
            return Err(ChildError::Ended { name: NAME, status, log: tail(&order.log) });
        }
        if Instant::now() >= until {
            return Err(ChildError::NotReady { name: NAME, last, log: tail(&order.log) });
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
}

/// Speaks the first words of the NATS protocol: INFO must say that JetStream is on, and a PING with our
/// token must be answered by PONG.
async fn greet(port: u16, token: &str) -> std::io::Result<()> {
    let other = |text: String| std::io::Error::other(text);
    let (reader, mut writer) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
    let mut lines = BufReader::new(reader).lines();
    let info = lines.next_line().await?.unwrap_or_default();
    let body = info.strip_prefix("INFO ").ok_or_else(|| other(format!("it said {info:?}")))?;
    let info: serde_json::Value = serde_json::from_str(body).map_err(std::io::Error::other)?;
    if info["jetstream"] != true {
        return Err(other("JetStream is not on yet".to_owned()));
    }
    let connect = serde_json::json!({ "auth_token": token, "verbose": false, "pedantic": false });
    writer.write_all(format!("CONNECT {connect}\r\nPING\r\n").as_bytes()).await?;
    match lines.next_line().await? {
        Some(line) if line == "PONG" => Ok(()),
        line => Err(other(format!("it answered {line:?}"))),
    }
}
