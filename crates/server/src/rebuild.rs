//! Building views in the foreground: again, beside the live ones, or for the first time, before a new version
//! serves. What is broken off goes on where it was when the same command is given again.

use std::{
    collections::HashMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use doudi_journal::Position;
use doudi_views::{Rebuild, ViewName};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{commands::Failure, config::Config, parts};

/// How often it is said how far a view is, where there is no terminal to draw a bar on.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Builds views again from the log, which may be shorter than they knew it. All are built before the
/// first is switched, so that a kill costs none of them what was done.
///
/// # Errors
/// When somebody else rebuilds one of them, or the log or PostgreSQL fails; live views then stay as they are.
pub async fn rebuild(config: &Config, names: &[ViewName]) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    let (journal, _) = parts::pass(parts::connect(config).await?, Position::default()).await?;
    let mut rebuilds = Vec::new();
    for view in names {
        let rebuild = views.begin_rebuild(&journal, *view).await?;
        if rebuild.reached() > Position::default() {
            println!("view {view}: going on from position {}", rebuild.reached());
        }
        rebuilds.push(rebuild);
    }
    let mut progress = HashMap::new();
    let bars = MultiProgress::new();
    for view in names {
        progress.insert(*view, Progress::new(format!("rebuild {view}"), &bars)?);
    }
    let mut report = |view, reached, end| {
        if let Some(progress) = progress.get_mut(&view) {
            progress.tell(reached, end);
        }
    };
    Rebuild::catch_up(&mut rebuilds, &journal, &mut report).await?;
    drop(progress);
    for rebuild in rebuilds {
        let view = rebuild.view();
        let reached = rebuild.switch(&journal).await?;
        println!("view {view}: rebuilt and switched at position {reached}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives up rebuilds that were broken off.
///
/// # Errors
/// When one of them is running, or PostgreSQL fails.
pub async fn cancel(config: &Config, names: &[ViewName]) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    for view in names {
        let said = match views.cancel_rebuild(*view).await? {
            true => "the rebuild is given up",
            false => "there is no rebuild",
        };
        println!("view {view}: {said}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the views of this version to the end of the log, while an older version serves from its own.
///
/// # Errors
/// When a view cannot go on, or the log or PostgreSQL fails; what was built stays.
pub async fn prepare(config: &Config) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    let checkpoint = views.highest_position().await?;
    let (journal, _) = parts::pass(parts::connect(config).await?, checkpoint).await?;
    for view in ViewName::ALL {
        let mut progress = Progress::new(format!("prepare {view}"), &MultiProgress::new())?;
        let mut report = |reached, end| progress.tell(reached, end);
        let reached = views.catch_up(&journal, view, &mut report).await?;
        println!("view {view} version {}: built up to position {reached}", view.version());
    }
    Ok(ExitCode::SUCCESS)
}

/// Drops what older versions of the views have left.
///
/// # Errors
/// When PostgreSQL fails; nothing is dropped then.
pub async fn drop_old(config: &Config) -> Result<ExitCode, Failure> {
    let (_, views) = parts::tables(config).await?;
    for schema in views.drop_old().await? {
        println!("schema {schema}: dropped");
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells how far a view is: as a bar on a terminal, else as a line now and then.
struct Progress {
    what: String,
    bar: ProgressBar,
    said: Instant,
}

impl Progress {
    fn new(what: String, bars: &MultiProgress) -> Result<Self, Failure> {
        let bar = bars.add(ProgressBar::new(0)).with_style(ProgressStyle::with_template(
            "{msg} {wide_bar} {pos}/{len} records, {per_sec}, {eta} left",
        )?);
        bar.set_message(what.clone());
        Ok(Self { what, bar, said: Instant::now() })
    }

    fn tell(&mut self, reached: Position, end: Position) {
        self.bar.set_length(end.0);
        self.bar.set_position(reached.0);
        if self.bar.is_hidden() && self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            let each_second = self.bar.per_sec();
            println!("{}: {reached} of {end} records, {each_second:.0} a second", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
