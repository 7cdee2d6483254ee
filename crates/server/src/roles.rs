//! The roles of a process: serve, project, react, archive. They start together, and serving stops first.

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use doudi_api::{
    Api, ApiSettings, UPLOADS_MAX,
    identity::{Authenticator, AuthenticatorSettings, CaseTokens, Keys, KeysError},
    proto::FILE_DESCRIPTOR_SET,
};
use doudi_journal::ArchiveError;
use doudi_scan::codes::{self, KeyRing};
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    task::JoinHandle,
    time::{Duration, MissedTickBehavior, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::Layer as _;

use crate::{
    agenda::StoredAgenda,
    archive, chance,
    config::{Auth, Config, Grpc},
    dev::keys::DEV_KEY_ID,
    files, handover, health,
    listener::{
        Bounds, Listener,
        serve::{self, Protocol},
    },
    parts::{self, Parts},
    stop::Stop,
    sweep, webhooks,
};

/// How long a connection may take to answer when it is asked whether it is still there.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How many calls a client may reset before we have seen them, before its connection is closed.
const UNSEEN_RESETS_MAX: usize = 256;

/// How many calls of a connection may leave all they may unread: every upload that may wait, and one more.
const WINDOWS: u32 = UPLOADS_MAX as u32 + 1;

/// How many bytes of one answer HTTP/2 takes over before they are sent, about.
const SEND_BYTES_MAX: usize = 16 * 1024;

/// Why a role cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A file that the configuration names cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The token keys cannot be used.
    #[error("the token keys in auth.keys_file cannot be used")]
    Keys(#[from] KeysError),
    /// The keys of codes cannot be used.
    #[error("the keys in codes.keys_file cannot be used")]
    CodeKeys(#[from] codes::KeysError),
    /// The token keys hold a development key, and this is not development.
    #[error(
        "auth.keys_file holds the development key `{DEV_KEY_ID}`, which only `doudi dev` and `doudi demo` accept"
    )]
    DevelopmentKey,
    /// The certificate or its key cannot be used.
    #[error("grpc.tls_cert and grpc.tls_key cannot be used")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The reflection service cannot be made.
    #[error("the API cannot describe itself")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The archive cannot go on.
    #[error("the log cannot be archived")]
    Archive(#[from] ArchiveError),
    /// A task ended in a panic.
    #[error("a task ended in a panic")]
    Panic(#[from] tokio::task::JoinError),
}

/// Which roles a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Serve the API.
    pub serve: bool,
    /// Build the views.
    pub project: bool,
    /// Run the processes.
    pub react: bool,
    /// Archive the log, where a folder is configured.
    pub archive: bool,
}

impl Roles {
    /// No role.
    pub const NONE: Self = Self { serve: false, project: false, react: false, archive: false };
    /// Every role.
    pub const ALL: Self = Self { serve: true, project: true, react: true, archive: true };
}

/// Binds the address of the configuration.
///
/// # Errors
/// [`RunError::Listen`].
pub fn bind(config: &Config) -> Result<Listener, RunError> {
    let bounds = Bounds {
        connections_max: config.grpc.connections_max,
        connections_per_address_max: config.grpc.connections_per_address_max,
        resets_per_second_max: config.grpc.resets_per_second_max,
        first_word_within: config.grpc.handshake_timeout,
        // Who answers is heard within less; who speaks too slowly to answer is not.
        silence_max: config.grpc.keepalive_interval + 2 * KEEPALIVE_TIMEOUT,
    };
    files::allow(bounds.connections_max);
    listen(config.grpc.listen, bounds)
}

/// Binds an address.
pub(crate) fn listen(address: SocketAddr, bounds: Bounds) -> Result<Listener, RunError> {
    Listener::bind(address, bounds).map_err(|source| RunError::Listen { address, source })
}

/// Runs the roles until `stop`, or until one of them fails, which stops the others.
///
/// # Errors
/// The first failure.
pub async fn run(
    parts: Parts,
    config: Config,
    roles: Roles,
    listener: Option<Listener>,
    stop: Stop,
) -> Result<(), RunError> {
    // What the API's queries wait for goes on until the API has drained.
    let drained = Stop::new();
    let project = roles.project.then(|| {
        let (parts, until) = (parts.clone(), drained.receiver());
        let end = StopAtEnd(stop.clone());
        tokio::spawn(async move {
            let _end = end;
            parts.views.project(&parts.journal, until).await;
        })
    });
    let react = roles.react.then(|| react(parts.clone(), &config, stop.clone(), &drained));
    let archive = archive::folder(&config.archive).filter(|_| roles.archive).map(|_| {
        let (journal, settings) = (parts.journal.clone(), config.archive.clone());
        let (end, until) = (StopAtEnd(stop.clone()), drained.receiver());
        tokio::spawn(async move {
            let _end = end;
            archive::run(&journal, &settings, until).await
        })
    });
    let served = match listener {
        Some(listener) if roles.serve => serve(&parts, &config, listener, &stop).await,
        Some(_) | None => {
            stop.wait().await;
            Ok(())
        }
    };
    stop.now();
    drained.now();
    if let Some(project) = project {
        project.await?;
    }
    if let Some(react) = react {
        react.await?;
    }
    if let Some(archive) = archive {
        archive.await??;
    }
    served
}

/// Stops everything when the task that holds it ends, also by a panic.
struct StopAtEnd(Stop);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Sweeps now and then, for ever. What goes wrong with a sweep is said, and the next tries again.
async fn sweeping(parts: &Parts, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, when the tables may still be far behind.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match sweep::sweep(parts, true).await {
            Ok(swept) if swept.silent + swept.orphaned == 0 => {}
            Ok(swept) => tracing::warn!(?swept, "the sweep found appeals that were with nobody"),
            Err(error) => tracing::warn!(?error, "the sweep could not be made"),
        }
    }
}

/// The agenda at work, keys that wait on their way to PostgreSQL, and the delivery to webhooks.
fn react(parts: Parts, config: &Config, stop: Stop, drained: &Stop) -> JoinHandle<()> {
    let settings = parts::react_settings(&config.react);
    let sweep_interval = config.react.sweep_interval;
    let delivery = parts::webhook_settings(&config.webhooks);
    let until = drained.receiver();
    let end = StopAtEnd(stop);
    tokio::spawn(async move {
        let _end = end;
        let agenda = StoredAgenda(parts.views.clone());
        let carrying_out = async {
            tokio::select! {
                () = parts.engine.react(&agenda, &parts.vault, &settings, until.clone()) => {}
                () = sweeping(&parts, sweep_interval) => {}
                () = handover::run(&parts.vault) => {}
            }
        };
        // Both end with the signal; the one that delivers says before how far it got.
        tokio::join!(carrying_out, webhooks::run(parts.clone(), delivery, until.clone()));
    })
}

async fn serve(
    parts: &Parts,
    config: &Config,
    listener: Listener,
    stop: &Stop,
) -> Result<(), RunError> {
    let Config { grpc, auth, identity, draws, .. } = config;
    let settings = ApiSettings {
        message_bytes_max: grpc.message_bytes_max,
        requests_in_flight_max: grpc.requests_in_flight_max,
        requests_per_caller_max: grpc.requests_per_caller_max,
        message_bytes_in_flight_max: grpc.message_bytes_in_flight_max,
        watches_max: grpc.watches_max,
        watches_per_caller_max: grpc.watches_per_caller_max,
        request_timeout_max: grpc.request_timeout_max,
        webhooks_allow_http: config.webhooks.allow_http,
        webhook_secrets: parts::webhook_secrets(&parts.master),
        page_token_key: parts.master.derive("page tokens"),
        position_keys: parts.master.derive_each("positions"),
        refuse_bad_check_digit: identity.refuse_bad_check_digit,
        codes: code_keys(&config.codes.keys_file)?,
        draw_ratios: parts::draw_ratios(draws),
        chance: chance::system(),
    };
    let api = Api::new(
        parts.engine.clone(),
        parts.vault.clone(),
        parts.views.clone(),
        parts.attachments.clone(),
        authenticator(auth, CaseTokens::new(parts.master.derive_each("case tokens")))?,
        settings,
        stop.receiver(),
    );
    let (reporter, service) = tonic_health::server::health_reporter();
    let watching = tokio::spawn(health::watch(parts.clone(), api.clone(), reporter, stop.clone()));
    let protocol = protocol(grpc)?;
    let mut routes = api.routes().add_service(service);
    if grpc.reflection {
        let described = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET);
        routes = routes.add_service(described.build_v1()?);
    }
    let service = api.layer().layer(routes.prepare());
    let mut serving = std::pin::pin!(serve::serve(listener, protocol, service, stop.clone()));
    tokio::select! {
        () = &mut serving => {}
        () = stop.wait() => if timeout(grpc.drain_timeout, serving).await.is_err() {
            tracing::warn!("calls were still at work when the time to drain was over");
        },
    }
    watching.abort();
    Ok(())
}

/// HTTP/2 and TLS with their bounds.
fn protocol(grpc: &Grpc) -> Result<Protocol, RunError> {
    let mut http2 = Builder::new(TokioExecutor::new());
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(grpc.streams_per_connection_max)
        .initial_stream_window_size(grpc.window_bytes)
        .initial_connection_window_size(grpc.window_bytes.saturating_mul(WINDOWS))
        .max_send_buf_size(SEND_BYTES_MAX)
        .max_header_list_size(grpc.header_bytes_max)
        .max_pending_accept_reset_streams(UNSEEN_RESETS_MAX)
        // Else so many errors end a connection, in however many months they come.
        .max_local_error_reset_streams(None)
        .keep_alive_interval(grpc.keepalive_interval)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    Ok(Protocol { http2, tls: tls(grpc)? })
}

fn authenticator(auth: &Auth, cases: CaseTokens) -> Result<Authenticator, RunError> {
    let keys = Keys::parse(&read(&auth.keys_file)?)?;
    if !auth.allow_dev_key && keys.kids().any(|kid| kid == DEV_KEY_ID) {
        return Err(RunError::DevelopmentKey);
    }
    let settings = AuthenticatorSettings {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        leeway: auth.leeway,
        token_age_max: auth.token_age_max,
    };
    Ok(Authenticator::new(keys, cases, settings))
}

/// The keys of codes, where some are configured.
fn code_keys(file: &PathBuf) -> Result<Option<KeyRing>, RunError> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    Ok(Some(KeyRing::parse(&read(file)?)?))
}

fn tls(grpc: &Grpc) -> Result<Option<TlsAcceptor>, RunError> {
    if grpc.tls_cert.as_os_str().is_empty() {
        return Ok(None);
    }
    let (chain, key) = (read(&grpc.tls_cert)?, read(&grpc.tls_key)?);
    let config = tls_config(chain.as_bytes(), key.as_bytes()).map_err(RunError::Tls)?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn tls_config(
    chain: &[u8],
    key: &[u8],
) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(config)
}

fn read(path: &PathBuf) -> Result<String, RunError> {
    fs::read_to_string(path).map_err(|source| RunError::File { path: path.clone(), source })
}
