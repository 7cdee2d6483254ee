//! One function for each subcommand.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use doudi_api::{identity::Claims, permission::Role};
use doudi_journal::{Position, StreamName};
use doudi_views::ViewName;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::{Cli, Command},
    config::{Config, Purpose, environment},
    demo,
    dev::{self, Dev, keys::DevKey},
    logging,
    parts::Parts,
    roles::{self, Roles},
    stop::Stop,
    token, verify,
};

/// What a subcommand can end with, besides an exit code.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Carries out the command line.
///
/// # Errors
/// Whatever stands in the way; [`crate::report::chain`] puts it in words.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve => run_roles(file, Roles { serve: true, ..Roles::NONE }).await,
        Command::Project => run_roles(file, Roles { project: true, ..Roles::NONE }).await,
        Command::React => run_roles(file, Roles { react: true, ..Roles::NONE }).await,
        Command::All => run_roles(file, Roles::ALL).await,
        Command::Dev { data, listen } => {
            let mut config = load(Purpose::Dev, file)?;
            config.grpc.listen = listen.unwrap_or(config.grpc.listen);
            run_dev(config, data.unwrap_or_else(dev::default_folder)).await
        }
        Command::Demo => Box::pin(run_demo()).await,
        Command::Rebuild { view } => rebuild(&load(Purpose::Serve, file)?, view).await,
        Command::Replay { stream } => replay(&load(Purpose::Serve, file)?, &stream).await,
        Command::Verify => run_verify(&load(Purpose::Serve, file)?).await,
        Command::Check => check(&load(Purpose::Serve, file)?).await,
        Command::Parked { retry, stream } => {
            parked(&load(Purpose::Serve, file)?, retry.zip(stream)).await
        }
        Command::Token { role, unit, areas, enterprise, data } => {
            let role: Role =
                Role::parse(&role).ok_or_else(|| format!("there is no role {role}"))?;
            let sample = token::claims(role);
            let claims = Claims {
                unit: unit.or(sample.unit),
                areas: areas.unwrap_or(sample.areas),
                enterprise: enterprise.or(sample.enterprise),
                ..sample
            };
            let key = DevKey::read(&data.unwrap_or_else(dev::default_folder));
            println!("{}", token::sign(&key.map_err(token::TokenError::from)?, &claims)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load(purpose: Purpose, file: Option<&Path>) -> Result<Config, Failure> {
    let config = Config::load(purpose, file, &environment())?;
    logging::start(&config.log)?;
    Ok(config)
}

async fn run_roles(file: Option<&Path>, which: Roles) -> Result<ExitCode, Failure> {
    let config = load(Purpose::Serve, file)?;
    let stop = Stop::new();
    stop.on_signals()?;
    let parts = Parts::assemble(&config).await?;
    let server = if which.serve { Some(roles::bind(&config)?) } else { None };
    if let Some(server) = &server {
        tracing::info!(address = %server.address(), "serving");
    }
    roles::run(parts, config, which, server, stop).await?;
    Ok(ExitCode::SUCCESS)
}

async fn run_dev(mut config: Config, folder: PathBuf) -> Result<ExitCode, Failure> {
    let stop = Stop::new();
    stop.on_signals()?;
    let dev = Dev::start(&folder, false).await?;
    dev.configure(&mut config);
    let parts = Parts::assemble(&config).await?;
    let server = roles::bind(&config)?;
    let (nats, postgres) = dev.addresses();
    let mut tokens = serde_json::Map::new();
    for role in Role::ALL {
        let token = token::sign(&dev.key, &token::claims(role))?;
        tokens.insert(role.to_string(), token.into());
    }
    let ready = serde_json::json!({
        "ready": true, "grpc": server.address(), "nats": nats, "postgres": postgres,
        "data": folder, "tokens": tokens,
    });
    println!("{ready}");
    // The children stop after everything that uses them.
    let halt = Stop::new();
    let halted = halt.clone();
    let children = tokio::spawn(async move { dev.supervise(&halted).await });
    let ended = roles::run(parts, config, Roles::ALL, Some(server), stop).await;
    halt.now();
    children.await??;
    ended?;
    Ok(ExitCode::SUCCESS)
}

async fn run_demo() -> Result<ExitCode, Failure> {
    let folder = std::env::temp_dir().join(format!("doudi-demo-{}", std::process::id()));
    let told = Box::pin(demo::run(&folder)).await;
    std::fs::remove_dir_all(&folder)?;
    told?;
    Ok(ExitCode::SUCCESS)
}

async fn rebuild(config: &Config, view: ViewName) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    parts.views.rebuild(view).await?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{msg} {wide_bar} {pos}/{len} records, {per_sec}, {eta} left",
    )?);
    bar.set_message(format!("rebuild {view}"));
    let mut report = |reached: Position, end: Position| {
        bar.set_length(end.0);
        bar.set_position(reached.0);
    };
    let reached = parts.views.catch_up(&parts.journal, view, &mut report).await?;
    bar.finish_and_clear();
    println!("view {view}: rebuilt up to position {reached}");
    Ok(ExitCode::SUCCESS)
}

async fn replay(config: &Config, stream: &str) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    let stream = StreamName::parse(stream)?;
    let start = Position::default();
    for record in parts.journal.load(&stream, start, start).await? {
        let commit = record.commit()?;
        println!("{}", serde_json::json!({ "position": record.position, "commit": commit }));
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_verify(config: &Config) -> Result<ExitCode, Failure> {
    let report = verify::verify(&Parts::assemble(config).await?).await?;
    for line in &report.lines {
        println!("{line}");
    }
    Ok(if report.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(config: &Config) -> Result<ExitCode, Failure> {
    for setting in config.describe() {
        println!("{} = {}   ({})", setting.key, setting.value, setting.source);
    }
    let parts = Parts::assemble(config).await?;
    let gate = &parts.gate;
    println!(
        "log {}: nats-server {}, durability {}, {:?} sync, {} replica(s), {} records, {} bytes, last position {}",
        gate.stream,
        gate.server_version,
        gate.durability,
        gate.sync,
        gate.replicas,
        gate.records,
        gate.bytes,
        gate.last_position
    );
    let mut sound = true;
    for checkpoint in parts.views.checkpoints().await? {
        let state = checkpoint.halted.as_deref().unwrap_or("running");
        sound &= checkpoint.halted.is_none();
        println!(
            "view {} version {} at {}: {state}",
            checkpoint.view, checkpoint.version, checkpoint.position
        );
    }
    let parked = parts.views.parked().await?;
    println!("{} parked stream(s)", parked.len());
    Ok(if sound && parked.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn parked(config: &Config, retry: Option<(ViewName, String)>) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    if let Some((view, stream)) = retry {
        let stream = StreamName::parse(&stream)?;
        let applied = parts.views.retry(&parts.journal, view, &stream).await?;
        println!("view {view}: {applied} record(s) of {stream} applied");
        return Ok(ExitCode::SUCCESS);
    }
    for parked in parts.views.parked().await? {
        println!(
            "view {} stream {} from {} to {} ({} records): {}",
            parked.view, parked.stream, parked.first, parked.last, parked.records, parked.reason
        );
    }
    Ok(ExitCode::SUCCESS)
}
