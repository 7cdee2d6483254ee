//! Looks now and then how far the views are behind the log and the webhooks behind the views, and keeps what it
//! saw for who asks.
//!
//! Every process with metrics looks, whatever its role: a view whose runner is gone is seen all the
//! same.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, atomic::AtomicU64},
};

use doudi_api::webhooks::{point, selection};
use doudi_domain::webhook::{Known, PauseCause, Phase, Webhook};
use doudi_engine::{Position, streams};
use doudi_journal::{LoadError, archive::reached};
use doudi_views::{Checkpoint, ViewError, ViewName};
use prometheus_client::metrics::{family::Family, gauge::Gauge};
use tokio::time::{Duration, MissedTickBehavior};

use crate::parts::Parts;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A metric by `view`.
type ByView<M> = Family<[(&'static str, &'static str); 1], M>;

/// Whether the log answered when it was last asked: 1 or 0.
pub static LOG_REACHABLE: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// Whether PostgreSQL answered when it was last asked: 1 or 0. While it does not, what is said of the
/// views stays as it was.
pub static TABLES_REACHABLE: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// How many folded streams the engine keeps.
pub static CACHE_STREAMS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// About how many bytes they take.
pub static CACHE_BYTES: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// The position of the newest record of the log.
pub static LOG_POSITION: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// The position of the last record that a view reflects.
pub static VIEW_POSITION: LazyLock<ByView<Gauge>> = LazyLock::new(ByView::default);

/// How many records of the log a view does not reflect yet.
pub static VIEW_LAG_RECORDS: LazyLock<ByView<Gauge>> = LazyLock::new(ByView::default);

/// How many seconds ago the oldest record was stored that a view does not reflect yet; 0 for none.
pub static VIEW_LAG_SECONDS: LazyLock<ByView<Gauge<f64, AtomicU64>>> =
    LazyLock::new(ByView::default);

/// How many streams of a view are parked. More than 1000 in all are not told apart.
pub static VIEW_PARKED_STREAMS: LazyLock<ByView<Gauge>> = LazyLock::new(ByView::default);

/// Whether a view is halted: 1 or 0.
pub static VIEW_HALTED: LazyLock<ByView<Gauge>> = LazyLock::new(ByView::default);

/// The age in seconds of the oldest event that a webhook has before it, as is on record, of the one that is
/// furthest behind; 0 where none waits. One that an operator paused does not count.
pub static WEBHOOK_LAG_SECONDS: LazyLock<Gauge<f64, AtomicU64>> = LazyLock::new(Gauge::default);

/// Of how many enterprises events are set aside, of all webhooks together.
pub static WEBHOOK_SET_ASIDE: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// The position of the last record that is archived; 0 where no archive is configured.
pub static ARCHIVE_POSITION: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// How many records of the log are not archived yet; 0 where no archive is configured.
pub static ARCHIVE_LAG_RECORDS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

/// Looks for ever.
pub(super) async fn watch(parts: Parts, archive: Option<PathBuf>) {
    let mut rhythm = tokio::time::interval(LOOK_EVERY);
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rhythm.tick().await;
        let (streams, bytes) = parts.engine.kept();
        CACHE_STREAMS.set(gauge(streams));
        CACHE_BYTES.set(gauge(bytes));
        let checkpoints = checkpoints(&parts).await;
        let checkpoints = told(&TABLES_REACHABLE, "the tables cannot be looked at", checkpoints);
        // After the checkpoints, so that no view seems ahead of the log.
        let end = parts.journal.last_position().await;
        let end = told(&LOG_REACHABLE, "the log cannot be looked at", end);
        if let (Some(checkpoints), Some(end)) = (checkpoints, end) {
            LOG_POSITION.set(gauge(end.0));
            for checkpoint in &checkpoints {
                let lag = lag(&parts, checkpoint, end).await;
                told(&LOG_REACHABLE, "the log cannot be looked at", lag);
            }
            webhooks(&parts).await;
            archived(archive.as_deref(), end);
        }
    }
}

/// How far the archive is behind `end`, as far as this process can see it: one small file is read.
fn archived(folder: Option<&Path>, end: Position) {
    let Some(folder) = folder else { return };
    match reached(folder) {
        Ok(position) => {
            ARCHIVE_POSITION.set(gauge(position.0));
            ARCHIVE_LAG_RECORDS.set(gauge(end.0.saturating_sub(position.0)));
        }
        Err(error) => tracing::debug!(?error, "the archive cannot be looked at"),
    }
}

/// How far the webhooks are, and what is set aside of them; none where one cannot be looked at.
async fn webhooks(parts: &Parts) -> Option<()> {
    let (mut seconds, mut set_aside) = (0.0_f64, 0);
    let listed = parts.views.webhooks().await;
    for id in told(&TABLES_REACHABLE, "the webhooks cannot be listed", listed)? {
        let stream = streams::webhook(id).ok()?;
        let folded = parts.engine.read::<Webhook>(&stream, Position::START).await;
        let folded = told(&LOG_REACHABLE, "a webhook cannot be read", folded)?;
        let Some(known) = folded.state.known() else { continue };
        set_aside += known.set_aside.len();
        let Known { subscription, delivered, phase, set_aside: aside, .. } = known;
        match phase {
            Phase::Active | Phase::Paused(PauseCause::Gone) => {}
            Phase::Paused(PauseCause::Operator) | Phase::Retired => continue,
        }
        // What is set aside waits for somebody else.
        let (all, after) = (selection(subscription), point(*delivered));
        let pending = parts.views.pending(&all, after, aside.keys(), 1).await;
        let pending = told(&TABLES_REACHABLE, "a webhook's events cannot be counted", pending)?;
        let now = parts.engine.now();
        let age = pending.since.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
        seconds = seconds.max(age);
    }
    WEBHOOK_LAG_SECONDS.set(seconds);
    WEBHOOK_SET_ASIDE.set(gauge(set_aside));
    Some(())
}

/// How far each view is. How many of its streams are parked is told on the way.
async fn checkpoints(parts: &Parts) -> Result<Vec<Checkpoint>, ViewError> {
    let checkpoints = parts.views.checkpoints().await?;
    let parked = parts.views.parked().await?;
    for view in ViewName::ALL {
        let streams = parked.iter().filter(|parked| parked.view == view).count();
        VIEW_PARKED_STREAMS.get_or_create(&label(view)).set(gauge(streams));
    }
    Ok(checkpoints)
}

/// How far a view is behind `end`.
async fn lag(parts: &Parts, checkpoint: &Checkpoint, end: Position) -> Result<(), LoadError> {
    let Checkpoint { view, position, halted, .. } = checkpoint;
    let label = label(*view);
    VIEW_HALTED.get_or_create(&label).set(halted.is_some().into());
    VIEW_POSITION.get_or_create(&label).set(gauge(position.0));
    VIEW_LAG_RECORDS.get_or_create(&label).set(gauge(end.0.saturating_sub(position.0)));
    let mut seconds = 0.0;
    if *position < end {
        let next = parts.journal.read(*position, 1).await?;
        // A record that cannot be read has no time; the views park it soon.
        let stored = next.first().and_then(|record| record.commit().ok()).map(|it| it.recorded_at);
        let now = parts.engine.now();
        seconds = stored.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
    }
    VIEW_LAG_SECONDS.get_or_create(&label).set(seconds);
    Ok(())
}

/// Keeps whether `what` answered, and gives the answer. What goes wrong is said where it is used, so
/// it is not worth a warning each time here.
fn told<T, E: std::error::Error>(reachable: &Gauge, what: &str, answer: Result<T, E>) -> Option<T> {
    reachable.set(answer.is_ok().into());
    answer.inspect_err(|error| tracing::debug!(?error, "{what}")).ok()
}

fn label(view: ViewName) -> [(&'static str, &'static str); 1] {
    [("view", view.as_str())]
}

fn gauge(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
