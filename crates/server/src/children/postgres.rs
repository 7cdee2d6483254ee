//! PostgreSQL as a child process.
//!
//! PostgreSQL refuses to run as root; when we are root, it runs as an ordinary user who owns the
//! folder (see `user`). The database and the role are both called `doudi`.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

use super::guard::{Guarded, Order};
use super::user::ServiceUser;
use super::{ASK_AGAIN_AFTER, ChildError, READY_WITHIN, find, port, secret, tail};
use crate::report::chain;

const NAME: &str = "PostgreSQL";
const ROLE: &str = "doudi";

/// How often a first start is repeated when somebody else took the port meanwhile.
const PORT_TRIES_MAX: u32 = 5;

/// What a PostgreSQL child needs.
#[derive(Debug, Clone, Default)]
pub struct PostgresChildOptions {
    /// The folder for its cluster, secret and log; made when missing.
    pub folder: PathBuf,
    /// Whether nothing is forced to disk: quicker, survives a kill, does not survive a power cut.
    pub fast: bool,
    /// Whether the folder is removed when we end without stopping the child.
    pub scratch: bool,
}

/// A PostgreSQL on loopback that ends with us.
#[derive(Debug)]
pub struct PostgresChild {
    folder: PathBuf,
    port: u16,
    password: String,
    order: Order,
    running: Guarded,
}

impl PostgresChild {
    /// Starts PostgreSQL on a free port, making the cluster and the database `doudi` when they are
    /// missing, and waits until it answers a query.
    ///
    /// # Errors
    /// Any [`ChildError`]: no program, a folder that the user cannot reach, or a child that ends or
    /// stays silent, then with the end of its log.
    pub async fn start(options: &PostgresChildOptions) -> Result<Self, ChildError> {
        let programs = find::find_postgres()?;
        let (folder, user) = make_folder(&options.folder)?;
        let password = secret::read_or_make(&folder.join("password"))?;
        if let Some(user) = &user {
            user.own(&folder)?;
        }
        if !cluster(&folder).join("PG_VERSION").is_file() {
            initdb(&programs.bin, &folder, options.fast, user.as_ref()).await?;
        }
        let mut order = Order {
            name: NAME,
            program: programs.bin.join("postgres"),
            arguments: Vec::new(),
            log: folder.join("postgres.log"),
            stop: Signal::INT,
            scratch: options.scratch.then(|| folder.clone()),
            user,
            folder: folder.clone(),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let port = port::free(None)?;
            order.arguments = arguments(&folder, port, options.fast);
            match start_ready(&order, port, &password).await {
                Err(ChildError::Ended { log, .. })
                    if tries < PORT_TRIES_MAX && log.contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(running) => return Ok(Self { folder, port, password, order, running }),
            }
        }
    }

    /// The address of the database with role and password; never to be logged.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}:{}@127.0.0.1:{}/doudi", self.password, self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the cluster, secret and log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The log file.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.order.log
    }

    /// Starts the child again on the same port with the same tables, stopping it first if need be.
    ///
    /// # Errors
    /// As for [`PostgresChild::start`].
    pub async fn restart(&mut self) -> Result<(), ChildError> {
        self.running.stop().await?;
        self.running = start_ready(&self.order, self.port, &self.password).await?;
        Ok(())
    }
}

/// Its end can be awaited and brought about as that of any guarded process.
impl Deref for PostgresChild {
    type Target = Guarded;

    fn deref(&self) -> &Guarded {
        &self.running
    }
}

fn cluster(folder: &Path) -> PathBuf {
    folder.join("cluster")
}

/// Makes the folder and finds the user who shall own it, who must be able to get there.
fn make_folder(folder: &Path) -> Result<(PathBuf, Option<ServiceUser>), ChildError> {
    let failed = |source| ChildError::Folder { doing: "make", path: folder.to_owned(), source };
    let user = ServiceUser::for_folder(folder)?;
    fs::create_dir_all(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    if let (Some(user), Some(parent)) = (&user, folder.parent()) {
        user.check_reach(parent)?;
    }
    Ok((folder, user))
}

async fn initdb(
    bin: &Path,
    folder: &Path,
    fast: bool,
    user: Option<&ServiceUser>,
) -> Result<(), ChildError> {
    let program = bin.join("initdb");
    let mut command = std::process::Command::new(&program);
    command
        .args(["--username", ROLE, "--auth", "scram-sha-256", "--no-locale", "-E", "UTF8"])
        .arg("--pwfile")
        .arg(folder.join("password"))
        .arg("--pgdata")
        .arg(cluster(folder))
        .args(fast.then_some("--no-sync"))
        .current_dir(folder)
        .stdin(Stdio::null());
    if let Some(user) = user {
        user.apply(&mut command);
    }
    let output = tokio::process::Command::from(command)
        .output()
        .await
        .map_err(|source| ChildError::Spawn { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ChildError::Prepare { program, output })
}

/// Everything on the command line, so that the cluster's own files stay as initdb made them.
fn arguments(folder: &Path, port: u16, fast: bool) -> Vec<String> {
    let port = format!("port={port}");
    let durable = if fast { "off" } else { "on" };
    let fsync = format!("fsync={durable}");
    let full_page_writes = format!("full_page_writes={durable}");
    let settings = [
        port.as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "shared_buffers=128MB",
        "max_connections=100",
        "logging_collector=off",
        "log_destination=stderr",
        "log_timezone=UTC",
        "timezone=UTC",
        &fsync,
        &full_page_writes,
    ];
    let mut arguments = vec!["-D".to_owned(), cluster(folder).display().to_string()];
    arguments.extend(settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
    arguments
}

async fn start_ready(order: &Order, port: u16, password: &str) -> Result<Guarded, ChildError> {
    let child = Guarded::start(order).await?;
    let until = Instant::now() + READY_WITHIN;
    loop {
        let last = match timeout(READY_WITHIN, ensure_database(port, password)).await {
            Ok(Ok(())) => return Ok(child),
            Ok(Err(error)) => chain(&error),
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

/// Creates the database when it is missing, which also proves that PostgreSQL answers.
async fn ensure_database(port: u16, password: &str) -> Result<(), ChildError> {
    let failed = |doing| move |source| ChildError::Database { doing, source };
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user(ROLE).password(password).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await.map_err(failed("connect"))?;
    let connection = tokio::spawn(connection);
    let exists = "SELECT count(*) FROM pg_database WHERE datname = 'doudi'";
    let row = client.query_one(exists, &[]).await.map_err(failed("look for the database"))?;
    let found: i64 = row.try_get(0).map_err(failed("look for the database"))?;
    if found == 0 {
        client.batch_execute("CREATE DATABASE doudi").await.map_err(failed("create it"))?;
    }
    drop(client);
    // The connection ends when its client is gone; how it ends no longer matters.
    let _ = connection.await;
    Ok(())
}
