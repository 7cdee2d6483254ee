//! The archive of the log: the role that writes it, what compares it with the log, and the way back.
//!
//! Whoever has `archive.folder` configured also holds the log against it before it serves: the archive remembers
//! what was in the log when nothing else does.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use doudi_journal::{
    Archive, ArchiveError, ArchiveReader, Entry, Journal, Position, READ_RECORDS_MAX,
    archive::after,
};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};

use crate::{
    commands::Failure,
    config, parts,
    verify::{
        Report,
        walk::{Stretch, Walk},
    },
};

/// How long until it is looked again for something new, and so how long records are gathered for one sync.
const PAUSE: Duration = Duration::from_millis(200);

/// How long until what may pass by itself is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// How often a restore says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// The most ranges that are told one by one.
const FINDINGS_MAX: usize = 1000;

/// Copies the log into the archive until told to stop, and what is there then. Whoever else writes to it is waited for,
/// so that one process can follow another; and a log that is away or a disk that is full, except when it starts.
///
/// # Errors
/// [`ArchiveError`] when the archive cannot be opened or is damaged, or the log is no longer what it was.
pub async fn run(
    journal: &Journal,
    settings: &config::Archive,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ArchiveError> {
    let mut open = loop {
        match opened(settings).await {
            Ok(archive) => break Some(archive),
            Err(error @ ArchiveError::Locked { .. }) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the archive");
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = sleep(RETRY) => {}
        }
    };
    loop {
        let pause = match step(journal, settings, &mut open).await {
            Ok(Step::More) => continue,
            Ok(Step::CaughtUp) => PAUSE,
            Err(error) if error.passes() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the archive cannot go on yet"
                );
                RETRY
            }
            Err(error) => return Err(error),
        };
        if *stop.borrow() {
            return Ok(());
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = sleep(pause) => {}
        }
    }
}

/// Whether there was more than fits into one step.
enum Step {
    More,
    CaughtUp,
}

/// Archives what is new, one page at most. An archive to which that failed is opened again by the next step.
async fn step(
    journal: &Journal,
    settings: &config::Archive,
    open: &mut Option<Archive>,
) -> Result<Step, ArchiveError> {
    let archive = match open.take() {
        Some(archive) => archive,
        None => opened(settings).await?,
    };
    let entries = after(journal, archive.last()).await;
    let archive = open.insert(archive);
    let entries = entries?;
    // The first of a page may be the last one of the archive.
    let step = if entries.len() + 1 < READ_RECORDS_MAX { Step::CaughtUp } else { Step::More };
    if entries.is_empty() {
        return Ok(step);
    }
    tracing::debug!(after = archive.position().0, records = entries.len(), "archiving");
    if let Some(archive) = open.take() {
        *open = Some(blocking(move || archive.append(&entries)).await?);
    }
    Ok(step)
}

async fn opened(archive: &config::Archive) -> Result<Archive, ArchiveError> {
    let (folder, bytes_max) = (archive.folder.clone(), archive.segment_bytes_max);
    blocking(move || Archive::open(&folder, bytes_max)).await
}

/// Does what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = spawn_blocking(work).await;
    // The task is not cancelled, so it can only have panicked.
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The folder of the archive; none when none is configured.
#[must_use]
pub fn folder(settings: &config::Archive) -> Option<PathBuf> {
    Some(&settings.folder).filter(|folder| !folder.as_os_str().is_empty()).cloned()
}

/// The last entry of the archive that is configured: so far the log must reach, and this it must have there.
///
/// # Errors
/// [`ArchiveError`] when it cannot be read or is damaged.
pub async fn witness(settings: &config::Archive) -> Result<Option<Entry>, ArchiveError> {
    let Some(folder) = folder(settings) else { return Ok(None) };
    blocking(move || match reader(&folder)? {
        Some(reader) => reader.last(),
        None => Ok(None),
    })
    .await
}

/// The archive in `folder`, which need not exist; the folder that it lies in must, else its disk may not be mounted.
fn reader(folder: &Path) -> Result<Option<ArchiveReader>, ArchiveError> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    for (path, needed) in [(parent, true), (Some(folder), false)] {
        let Some(path) = path else { continue };
        let failed = |source| ArchiveError::File { doing: "find", path: path.to_owned(), source };
        if !path.try_exists().map_err(failed)? {
            return if needed { Err(failed(ErrorKind::NotFound.into())) } else { Ok(None) };
        }
    }
    ArchiveReader::open(folder)
}

/// Reads the whole archive, and the log beside it.
///
/// # Errors
/// [`ArchiveError`] when one of them cannot be read; where they differ, and damage, is in the report.
pub async fn compare(journal: &Journal, folder: PathBuf) -> Result<Report, ArchiveError> {
    let mut compared = Compared::default();
    let read = match blocking(move || reader(&folder)).await {
        Ok(None) => {
            return Ok(Report { lines: vec!["archive: none was begun".to_owned()], sound: true });
        }
        Ok(Some(reader)) => compared.through(journal, reader).await,
        Err(error) => Err(error),
    };
    let damage = match read {
        Err(error @ ArchiveError::Damaged { .. }) => Some(error.to_string()),
        read => read.map(|()| None)?,
    };
    let Compared { reached, differences } = compared;
    let sound = damage.is_none() && differences.is_empty();
    let verdict = if differences.is_empty() { "the log agrees" } else { "the log DIFFERS" };
    let mut lines = vec![format!("archive: {reached} records read, {verdict}")];
    lines.extend(damage);
    lines.extend(
        differences
            .iter()
            .take(FINDINGS_MAX)
            .map(|(first, last)| format!("log from {first} to {last}: not what was archived")),
    );
    Ok(Report { lines, sound })
}

/// How far an archive was compared with the log, and where they differ: ranges of positions, in order.
#[derive(Debug, Default)]
struct Compared {
    reached: Position,
    differences: Vec<(Position, Position)>,
}

impl Compared {
    async fn through(
        &mut self,
        journal: &Journal,
        mut archive: ArchiveReader,
    ) -> Result<(), ArchiveError> {
        let mut walk = Walk::new(journal).await?;
        while let Some(stretch) = walk.next().await? {
            let (found, last) = match stretch {
                Stretch::Whole(found) => {
                    let last = found.last().map_or(self.reached, |entry| entry.position);
                    (found, last)
                }
                Stretch::Missing(_, last) | Stretch::Unreadable(last) => (Vec::new(), last),
            };
            archive = self.up_to(last, &found, archive).await?;
        }
        // What the log does not reach any more.
        let end = archive.end();
        self.up_to(end, &[], archive).await.map(drop)
    }

    /// Reads the archive up to `last`, or to its end, beside what was found in the log; what was not is a difference.
    async fn up_to(
        &mut self,
        last: Position,
        found: &[Entry],
        mut archive: ArchiveReader,
    ) -> Result<ArchiveReader, ArchiveError> {
        let mut found = found.iter();
        while self.reached < last.min(archive.end()) {
            let limit = usize::try_from(last.0 - self.reached.0).unwrap_or(READ_RECORDS_MAX);
            let limit = limit.min(READ_RECORDS_MAX);
            let entries;
            (archive, entries) = blocking(move || {
                let entries = archive.read(limit)?;
                Ok((archive, entries))
            })
            .await?;
            for entry in &entries {
                self.reached = entry.position;
                if found.next() != Some(entry) {
                    self.differs(entry.position);
                }
            }
        }
        Ok(archive)
    }

    fn differs(&mut self, position: Position) {
        match self.differences.last_mut() {
            Some((_, last)) if last.next() == position => *last = position,
            Some(_) | None => self.differences.push((position, position)),
        }
    }
}

/// Brings the log back from the archive that is configured.
///
/// # Errors
/// When there is no archive, somebody writes to it, it is damaged, or the log is not empty. A restore that was
/// broken off goes on when it is asked for again.
pub async fn restore(config: &config::Config) -> Result<ExitCode, Failure> {
    let settings = &config.archive;
    let folder =
        folder(settings).ok_or("archive.folder is not set: there is nothing to restore from")?;
    let at = folder.clone();
    if blocking(move || reader(&at)).await?.is_none() {
        return Err(format!("there is no archive in {}", folder.display()).into());
    }
    // Nobody writes to it meanwhile, and what was torn is cut off.
    let archive = opened(settings).await?;
    let end = archive.position();
    if end == Position::START {
        return Err(format!("the archive in {} has no record", folder.display()).into());
    }
    let reader =
        blocking(move || ArchiveReader::open(&folder)).await?.ok_or("the archive is gone")?;
    let mut said = Instant::now();
    let mut told = |reached: Position| {
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!("restore: {reached} of {end}");
        }
    };
    let jetstream = parts::connect(config).await?;
    let gate = Box::pin(jetstream.restore(reader, &mut told)).await?;
    drop(archive);
    println!("log {}: restored up to position {}", gate.stream, gate.last_position);
    Ok(ExitCode::SUCCESS)
}
