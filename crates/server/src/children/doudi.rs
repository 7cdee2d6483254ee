//! doudi itself as a child process, the way an operator runs it: for benches, which must not count what the
//! server does as their own, nor their own as the server's.

use std::{
    fs,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use tokio::time::{Instant, sleep};
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    ASK_AGAIN_AFTER, ChildError, READY_WITHIN,
    guard::{Guarded, Order},
    port, secret, tail,
};
use crate::config::Config;

const NAME: &str = "doudi";
/// The log of a doudi that is a child, in its folder.
pub const LOG: &str = "doudi.log";

/// A doudi on loopback that ends with us.
#[derive(Debug)]
pub struct DoudiChild {
    address: SocketAddr,
    running: Guarded,
}

impl DoudiChild {
    /// Starts `program` with that `role`, such as `serve`, on the servers that `config` points at and with its
    /// other settings as they come, and waits until it serves. Its configuration and log lie in `folder`.
    ///
    /// # Errors
    /// Any [`ChildError`]: no folder, or a child that ends or stays silent, then with the end of its log.
    pub async fn start(
        program: &Path,
        role: &str,
        config: &Config,
        folder: &Path,
    ) -> Result<Self, ChildError> {
        let failed = |source| ChildError::Folder { doing: "make", path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port::free(None)?));
        let file = folder.join("doudi.toml");
        secret::write_private(&file, &text(config, address))?;
        let order = Order {
            name: NAME,
            program: program.to_owned(),
            arguments: vec!["--config".to_owned(), file.display().to_string(), role.to_owned()],
            folder: folder.to_owned(),
            log: folder.join(LOG),
            stop: Signal::TERM,
            scratch: None,
            user: None,
        };
        let running = Guarded::start(&order).await?;
        let until = Instant::now() + READY_WITHIN;
        loop {
            let last = match serves(address).await {
                Ok(true) => return Ok(Self { address, running }),
                Ok(false) => "it does not serve yet".to_owned(),
                Err(error) => error,
            };
            if let Some(status) = running.status() {
                return Err(ChildError::Ended { name: NAME, status, log: tail(&order.log) });
            }
            if Instant::now() >= until {
                return Err(ChildError::NotReady { name: NAME, last, log: tail(&order.log) });
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    /// Where the API listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much memory the process holds, in bytes; none where the system does not tell.
    #[must_use]
    pub fn resident(&self) -> Option<u64> {
        let status = PathBuf::from(format!("/proc/{}/status", self.running.pid()));
        let status = fs::read_to_string(status).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }
}

/// Its end can be awaited and brought about as that of any guarded process.
impl Deref for DoudiChild {
    type Target = Guarded;

    fn deref(&self) -> &Guarded {
        &self.running
    }
}

/// Whether the health service says that something is served.
async fn serves(address: SocketAddr) -> Result<bool, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let channel = endpoint.map_err(|error| error.to_string())?.connect().await;
    let mut health = HealthClient::new(channel.map_err(|error| error.to_string())?);
    let told = health.check(HealthCheckRequest::default()).await;
    let told = told.map_err(|status| status.to_string())?.into_inner();
    Ok(told.status() == ServingStatus::Serving)
}

/// What of the configuration is not a default.
fn text(config: &Config, listen: SocketAddr) -> String {
    let Config { nats, postgres, auth, codes, vault, .. } = config;
    let mut keys = toml::Table::new();
    for (id, file) in &vault.master_keys {
        keys.insert(id.clone(), file.display().to_string().into());
    }
    let mut whole = toml::Table::new();
    let mut put = |section: &str, key: &str, value: toml::Value| {
        let section = whole.entry(section).or_insert_with(|| toml::Table::new().into());
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value);
        }
    };
    put("grpc", "listen", listen.to_string().into());
    put("nats", "urls", nats.urls.clone().into());
    put("nats", "token", nats.token.expose().into());
    put("nats", "durability", nats.durability.to_string().into());
    put("nats", "monitor_urls", nats.monitor_urls.clone().into());
    put("postgres", "url", postgres.url.expose().into());
    put("auth", "keys_file", auth.keys_file.display().to_string().into());
    put("codes", "keys_file", codes.keys_file.display().to_string().into());
    put("vault", "master_keys", keys.into());
    put("vault", "active_key", vault.active_key.clone().into());
    put("log", "filter", "warn".into());
    whole.to_string()
}
