//! The command line, carried out: roles, development mode, demo and tokens here, the rest in `operate`.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use doudi_api::{
    identity::{Audience, Claims},
    permission::Role,
};

use doudi_domain::what_if::Days;
use doudi_scan::codes::KeyRing;

use crate::{
    archive, bench,
    cli::{Cli, Command, Drawing, Simulated, Start, Views},
    config::{Config, Purpose, environment},
    demo,
    dev::{
        self, Dev,
        keys::{DevKey, code_keys},
    },
    listener::Listener,
    logging, metrics, operate,
    parts::Parts,
    rebuild,
    roles::{self, Roles},
    simulate, spans,
    stop::Stop,
    token, what_if,
};

/// What a subcommand can end with, besides an exit code.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Carries out the command line.
///
/// # Errors
/// Whatever stands in the way; [`crate::report::chain`] puts it in words.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    logging::tell_panics();
    let ended = carry_out(cli).await;
    spans::end().await;
    ended
}

async fn carry_out(cli: Cli) -> Result<ExitCode, Failure> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve(start) => {
            verified_run(file, start, Roles { serve: true, ..Roles::NONE }).await
        }
        Command::Project => run_roles(file, Roles { project: true, ..Roles::NONE }).await,
        Command::React => run_roles(file, Roles { react: true, ..Roles::NONE }).await,
        Command::Archive => run_roles(file, Roles { archive: true, ..Roles::NONE }).await,
        Command::Restore => archive::restore(&load(Purpose::Serve, file)?).await,
        Command::All(start) => verified_run(file, start, Roles::ALL).await,
        Command::Dev { data, listen } => {
            let mut config = load(Purpose::Dev, file)?;
            config.grpc.listen = listen.unwrap_or(config.grpc.listen);
            run_dev(config, data.unwrap_or_else(dev::default_folder)).await
        }
        Command::Demo => Box::pin(in_scratch("demo", demo::run)).await,
        Command::Simulate { what } => simulated(what).await,
        Command::Bench { sync, json, what } => {
            let run = async |folder: &Path| bench::run(folder, sync, what, json).await;
            Box::pin(in_scratch("bench", run)).await
        }
        Command::Rebuild { views, cancel } => {
            let (config, views) = (load(Purpose::Serve, file)?, Views::named(&views));
            match cancel {
                true => rebuild::cancel(&config, &views).await,
                false => rebuild::rebuild(&config, &views).await,
            }
        }
        Command::Prepare => rebuild::prepare(&load(Purpose::Serve, file)?).await,
        Command::DropOld => rebuild::drop_old(&load(Purpose::Serve, file)?).await,
        Command::Replay { stream } => operate::replay(&load(Purpose::Serve, file)?, &stream).await,
        Command::Draw { what: Drawing::Verify { draw } } => {
            operate::verify_draw(&load(Purpose::Serve, file)?, draw).await
        }
        Command::WhatIf { policy, from, to, json } => {
            let asked = what_if::Asked { policy, days: Days { from, until: to }, json };
            what_if::run(&load(Purpose::Serve, file)?, asked).await
        }
        Command::Verify => operate::verify(&load(Purpose::Serve, file)?).await,
        Command::Sweep { repair } => operate::sweep(&load(Purpose::Serve, file)?, repair).await,
        Command::Recompute => operate::recompute(&load(Purpose::Serve, file)?).await,
        Command::Check => operate::check(&load(Purpose::Serve, file)?).await,
        Command::DestroyKeys => operate::destroy_keys(&load(Purpose::Serve, file)?).await,
        Command::Resume { view } => operate::resume(&load(Purpose::Serve, file)?, view).await,
        Command::Parked { retry, stream } => {
            operate::parked(&load(Purpose::Serve, file)?, retry.zip(stream)).await
        }
        Command::CodeKey { id } => {
            let keys = code_keys(&id)?;
            KeyRing::parse(&keys)?;
            println!("{keys}");
            Ok(ExitCode::SUCCESS)
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

async fn simulated(what: Simulated) -> Result<ExitCode, Failure> {
    match what {
        Simulated::Appeals { seed, cases } => {
            let plan = simulate::appeals::Plan { seed, cases };
            Box::pin(in_scratch("simulate", async |folder| {
                simulate::appeals::run(folder, plan).await
            }))
            .await
        }
        Simulated::Inspections { seed, enterprises } => {
            let plan = simulate::inspections::Plan { seed, enterprises };
            Box::pin(in_scratch("simulate", async |folder| {
                simulate::inspections::run(folder, plan).await
            }))
            .await
        }
    }
}

fn load(purpose: Purpose, file: Option<&Path>) -> Result<Config, Failure> {
    let config = Config::load(purpose, file, &environment())?;
    logging::start(&config)?;
    Ok(config)
}

/// Runs the roles, after a verification where that is asked for.
async fn verified_run(
    file: Option<&Path>,
    start: Start,
    which: Roles,
) -> Result<ExitCode, Failure> {
    if start.verify && !operate::is_sound(&load(Purpose::Serve, file)?).await? {
        return Err("what was verified is not sound, so nothing is started".into());
    }
    run_roles(file, which).await
}

async fn run_roles(file: Option<&Path>, which: Roles) -> Result<ExitCode, Failure> {
    let config = load(Purpose::Serve, file)?;
    if which == (Roles { archive: true, ..Roles::NONE })
        && archive::folder(&config.archive).is_none()
    {
        return Err("archive.folder must be set".into());
    }
    let stop = Stop::new();
    stop.on_signals()?;
    let parts = Parts::assemble(&config).await?;
    let server = if which.serve { Some(roles::bind(&config)?) } else { None };
    let _metrics = metrics::start(metrics::bind(&config)?, &parts, &config);
    if let Some(server) = &server {
        tracing::info!(address = %server.address(), "serving");
    }
    roles::run(parts, config, which, server, stop).await?;
    Ok(ExitCode::SUCCESS)
}

async fn run_dev(mut config: Config, folder: PathBuf) -> Result<ExitCode, Failure> {
    let stop = Stop::new();
    stop.on_signals()?;
    let dev = Dev::start(&folder, false, config.nats.durability.into()).await?;
    dev.configure(&mut config);
    config.metrics.listen.get_or_insert(([127, 0, 0, 1], 0).into());
    let parts = Parts::assemble(&config).await?;
    let server = roles::bind(&config)?;
    let told = metrics::bind(&config)?;
    let metrics_address = told.as_ref().map(Listener::address);
    let _metrics = metrics::start(told, &parts, &config);
    let (nats, postgres) = dev.addresses();
    let mut tokens = serde_json::Map::new();
    for role in Role::OF_ACCOUNTS.iter() {
        let claims = Claims {
            iss: config.auth.issuer.clone(),
            aud: Audience::One(config.auth.audience.clone()),
            ..token::claims(role)
        };
        let token = token::sign(&dev.key, &claims)?;
        tokens.insert(role.to_string(), token.into());
    }
    let ready = serde_json::json!({
        "ready": true, "grpc": server.address(), "metrics": metrics_address, "nats": nats, "postgres": postgres,
        "data": folder, "tokens": tokens,
    });
    println!("{ready}");
    // The children stop after everything that uses them.
    let halt = Stop::new();
    let halted = halt.clone();
    let stopping = stop.clone();
    let children = tokio::spawn(async move {
        let ended = dev.supervise(&halted).await;
        // Without its servers there is nothing left to do.
        stopping.now();
        ended
    });
    let ended = roles::run(parts, config, Roles::ALL, Some(server), stop).await;
    halt.now();
    children.await??;
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// Runs something in a temporary folder that is gone afterwards.
async fn in_scratch<E>(
    name: &str,
    run: impl AsyncFnOnce(&Path) -> Result<(), E>,
) -> Result<ExitCode, Failure>
where
    Failure: From<E>,
{
    let folder = std::env::temp_dir().join(format!("doudi-{name}-{}", std::process::id()));
    let told = run(&folder).await;
    let removed = std::fs::remove_dir_all(&folder);
    told?;
    removed?;
    Ok(ExitCode::SUCCESS)
}
