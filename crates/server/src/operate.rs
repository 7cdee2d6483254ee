//! What an operator asks at night: is it sound, what happened, let it go on.
//!
//! What must work on a log that the gate refuses, works without passing it.

use std::process::ExitCode;

use doudi_domain::DrawId;
use doudi_journal::{GateReport, Journal, Position, StreamName};
use doudi_views::{ViewName, Views};

use crate::{
    archive,
    commands::Failure,
    config::Config,
    draw, erasures,
    parts::{self, Parts},
    rebuild, sweep, verify,
};

fn verdict(sound: bool) -> ExitCode {
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Shows settings, views and log, and whether it is safe to serve.
///
/// # Errors
/// Also the gate's refusals, after everything else was shown.
pub async fn check(config: &Config) -> Result<ExitCode, Failure> {
    for setting in config.describe() {
        println!("{} = {}   ({})", setting.key, setting.value, setting.source);
    }
    let (_, views) = parts::tables(config).await?;
    let sound = show(&views).await?;
    let jetstream = parts::connect(config).await?;
    let known = parts::Known::of(config, &views).await?;
    let (journal, gate) = parts::pass(jetstream, known.checkpoint).await?;
    known.holds(&journal).await?;
    let GateReport { server_version, durability, sync, stream, replicas, .. } = &gate;
    println!(
        "log {stream}: nats-server {server_version}, durability {durability}, {sync:?} sync, {replicas} replica(s)"
    );
    for server in &gate.away {
        println!("log {stream}: {server} is away, and was not asked how it syncs");
    }
    if let Some(store) = &gate.store {
        println!("log {stream}: forced to disk in {}", store.display());
    }
    let GateReport { records, bytes, last_position, .. } = &gate;
    println!("log {stream}: {records} records, {bytes} bytes, last position {last_position}");
    Ok(verdict(sound))
}

/// Shows the views; true when all run and no stream is parked.
async fn show(views: &Views) -> Result<bool, Failure> {
    let mut sound = true;
    for checkpoint in views.checkpoints().await? {
        let state = checkpoint.halted.as_deref().unwrap_or("running");
        sound &= checkpoint.halted.is_none();
        println!(
            "view {} version {} at {}: {state}",
            checkpoint.view, checkpoint.version, checkpoint.position
        );
    }
    for (view, position) in views.rebuilds().await? {
        println!("view {view}: a rebuild has come to {position} and not switched yet");
    }
    let parked = views.parked().await?;
    println!("{} parked stream(s)", parked.len());
    Ok(sound && parked.is_empty())
}

/// Prints the commits of a stream, oldest first.
///
/// # Errors
/// When the stream's name, the log or a commit cannot be read.
pub async fn replay(config: &Config, stream: &str) -> Result<ExitCode, Failure> {
    let stream = StreamName::parse(stream)?;
    let start = Position::default();
    let (journal, _) = parts::pass(parts::connect(config).await?, start).await?;
    for record in journal.load(&stream, start, start).await? {
        let commit = record.commit()?;
        println!("{}", serde_json::json!({ "position": record.position, "commit": commit }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks the log, every hash chain, every view and the archive. What the gate refuses is told and looked at all the same.
///
/// # Errors
/// When something cannot be read; what is unsound is printed and makes the exit code.
pub async fn verify(config: &Config) -> Result<ExitCode, Failure> {
    is_sound(config).await.map(verdict)
}

/// As [`verify`]: whether all is sound.
///
/// # Errors
/// When something cannot be read.
pub async fn is_sound(config: &Config) -> Result<bool, Failure> {
    let (_, views) = parts::tables(config).await?;
    let jetstream = parts::connect(config).await?;
    let gate = jetstream.gate(views.highest_position().await?).await;
    for refusal in gate.as_ref().err().into_iter().flatten() {
        println!("gate: [{}] {refusal}", refusal.code());
    }
    let journal = Journal::JetStream(jetstream);
    let mut report = verify::compare(&journal, &views).await?;
    if let Some(folder) = archive::folder(&config.archive) {
        let archived = archive::compare(&journal, folder).await?;
        report.lines.extend(archived.lines);
        report.sound &= archived.sound;
    }
    for checkpoint in views.checkpoints().await? {
        if let Some(reason) = checkpoint.halted {
            report.lines.push(format!("view {}: HALTED: {reason}", checkpoint.view));
            report.sound = false;
        }
    }
    for line in &report.lines {
        println!("{line}");
    }
    Ok(report.sound && gate.is_ok())
}

/// Redoes a random draw from the log and compares it with what was recorded.
///
/// # Errors
/// When the log cannot be read or has no such draw; what differs is printed and makes the exit code.
pub async fn verify_draw(config: &Config, draw: DrawId) -> Result<ExitCode, Failure> {
    let (journal, _) = parts::pass(parts::connect(config).await?, Position::default()).await?;
    let report = draw::verify(&journal, draw).await?;
    for line in &report.lines {
        println!("{line}");
    }
    Ok(verdict(report.sound))
}

/// Lets a halted view go on from where it stands.
///
/// # Errors
/// When PostgreSQL cannot be reached.
pub async fn resume(config: &Config, view: ViewName) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    views.resume(view).await?;
    println!("view {view}: resumed");
    Ok(ExitCode::SUCCESS)
}

/// Lists parked streams, or tries one again; the view of appeals is then rebuilt, because of what its rows were.
///
/// # Errors
/// When the stream still cannot be applied.
pub async fn parked(
    config: &Config,
    retry: Option<(ViewName, String)>,
) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    if let Some((view, stream)) = retry {
        let stream = StreamName::parse(&stream)?;
        let checkpoint = views.highest_position().await?;
        let (journal, _) = parts::pass(parts::connect(config).await?, checkpoint).await?;
        let applied = views.retry(&journal, view, &stream).await?;
        println!("view {view}: {applied} record(s) of {stream} applied");
        // Its rows tell of several streams; what they were while this one was passed over is not made again.
        return match view {
            ViewName::Appeals => rebuild::rebuild(config, &[view]).await,
            ViewName::Timeline
            | ViewName::Visits
            | ViewName::Agenda
            | ViewName::Measures
            | ViewName::Alerts
            | ViewName::Ratings
            | ViewName::Webhooks => Ok(ExitCode::SUCCESS),
        };
    }
    for parked in views.parked().await? {
        println!(
            "view {} stream {} from {} to {} ({} records): {}",
            parked.view, parked.stream, parked.first, parked.last, parked.records, parked.reason
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks over all appeals for those that are with nobody, and gives them to somebody if asked to.
///
/// # Errors
/// When the tables or the log cannot be read; what is found and not repaired makes the exit code.
pub async fn sweep(config: &Config, repair: bool) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    let swept = sweep::sweep(&parts, repair).await?;
    println!(
        "{} appeals looked at: {} silent, {} with somebody who cannot be reached; {} repaired, {} refused",
        swept.looked, swept.silent, swept.orphaned, swept.repaired, swept.refused
    );
    Ok(verdict(swept.silent + swept.orphaned <= swept.repaired))
}

/// Derives all open deadlines from the work calendar in force, where that favours the enterprise.
///
/// # Errors
/// When the tables or the log cannot be read.
pub async fn recompute(config: &Config) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    let done = sweep::recompute(&parts).await?;
    println!("{} open appeals looked at, deadlines moved in {}", done.looked, done.moved);
    Ok(ExitCode::SUCCESS)
}

/// Destroys every key whose destruction the log orders, once more.
///
/// # Errors
/// When the log or the vault cannot be reached; what cannot be read is printed and makes the exit
/// code.
pub async fn destroy_keys(config: &Config) -> Result<ExitCode, Failure> {
    let parts = Parts::assemble(config).await?;
    let found = erasures::destroy_keys(&parts.journal, &parts.vault).await?;
    for record in &found.unreadable {
        println!("{record}");
    }
    println!("{} key(s) destroyed", found.destroyed);
    Ok(verdict(found.unreadable.is_empty()))
}
