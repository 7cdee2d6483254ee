//! `doudi bench`: what the machine does, printed beside something bare that was run in the same
//! breath and beside what its disk did, on servers of our own in a temporary folder.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use doudi_api::{identity::Claims, permission::Role};
use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId,
    appeal::{self, Appeal, Command, Submission},
};
use doudi_engine::{Actor, Engine, Envelope, Position, StreamName, streams};
use doudi_views::ViewName;
use futures::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use disk::Disk;
use report::Report;

use crate::{
    catalogue::{self, CatalogueError, Plan},
    children::ToDisk,
    cli::Measured,
    client::Client,
    clock::Hands,
    roles::Roles,
    simulate::{inspections, text},
    stage::{Setting, Stage, StageError},
    token,
};

pub mod append;
pub mod checkin;
pub mod disk;
pub mod lifecycle;
pub mod load;
pub mod overload;
pub mod project;
pub mod query;
pub mod report;
pub mod site;
pub mod steps;
pub mod timers;
pub mod what_if;
pub mod work;

/// What of the program's own log is shown.
const LOG: &str = "warn";
/// How many submissions are under way at once while the log is filled.
const FILLERS: usize = 512;
/// How long the tables may take to catch up after that.
const CATCH_UP: Duration = Duration::from_secs(1800);

/// Why a bench could not be run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Its servers, or the roles on them.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The published data cannot be read.
    #[error("the catalogue cannot be read")]
    Catalogue(#[from] CatalogueError),
    /// A year could not be simulated.
    #[error("the city cannot be simulated")]
    Simulated(#[from] crate::simulate::SimulateError),
    /// A token cannot be made.
    #[error("a token cannot be made")]
    Token(#[from] token::TokenError),
    /// What is measured failed.
    #[error("what is measured failed")]
    Measured(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A bench failed beside a doudi of its own, which has said something of it.
    #[error("doudi itself said last:\n{said}")]
    Said {
        /// The end of its log, but for what only informs.
        said: String,
        /// What failed.
        #[source]
        source: Box<BenchError>,
    },
}

/// Carries out the bench in `folder`, which is for nothing else, and writes its figures to `json` where that is given.
///
/// # Errors
/// [`BenchError`] when something that is measured fails or is not as it must be.
pub async fn run(
    folder: &Path,
    sync: ToDisk,
    what: Measured,
    json: Option<PathBuf>,
) -> Result<(), BenchError> {
    fs::create_dir_all(folder).map_err(measured)?;
    let mut disk = Disk::open(folder)?;
    let mut report = Report::new(what.name(), json);
    // No line is without the disk, whatever a bench makes of it.
    report.beside([disk.look()?]);
    let done = carry_out(folder, sync, what, (&mut disk, &mut report)).await;
    // The folder is gone soon, and its log with it.
    done.map_err(|source| match site::said(folder) {
        said if said.is_empty() => source,
        said => BenchError::Said { said, source: Box::new(source) },
    })?;
    report.end()
}

async fn carry_out(
    folder: &Path,
    sync: ToDisk,
    what: Measured,
    (disk, report): (&mut Disk, &mut Report),
) -> Result<(), BenchError> {
    match what {
        Measured::Append(scale) => Box::pin(append::run(folder, scale, disk, report)).await,
        Measured::Checkin(scale) => Box::pin(checkin::run(folder, sync, scale, disk, report)).await,
        Measured::Lifecycle(scale) => {
            Box::pin(lifecycle::run(folder, sync, scale, disk, report)).await
        }
        Measured::Load(scale) => Box::pin(load::run(folder, sync, scale, disk, report)).await,
        Measured::Overload(scale) => {
            Box::pin(overload::run(folder, sync, scale, disk, report)).await
        }
        Measured::Project(scale) => Box::pin(project::run(folder, scale, disk, report)).await,
        Measured::Query(scale) => Box::pin(query::run(folder, scale, disk, report)).await,
        Measured::Timers(scale) => Box::pin(timers::run(folder, sync, scale, disk, report)).await,
        Measured::WhatIf(scale) => Box::pin(what_if::run(folder, scale, disk, report)).await,
    }
}

/// An error of what is measured.
pub fn measured(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BenchError {
    BenchError::Measured(error.into())
}

/// So many bytes in millions.
#[expect(clippy::cast_precision_loss, reason = "a size needs no more digits")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn client(stage: &Stage, claims: &Claims) -> Result<Client, BenchError> {
    Client::new(&stage.channel, &token::sign(&stage.key, claims)?).map_err(measured)
}

/// How the stage is set on which a year is simulated first.
fn of_a_year(hands: &Hands) -> Setting {
    Setting {
        sync: ToDisk::Lazy,
        log: Some(LOG),
        roles: Roles { react: false, ..Roles::ALL },
        clock: Some(hands.clock()),
    }
}

/// Lives through a year of inspections of so many enterprises on such a stage, and says where the log ends then.
async fn live_a_year(
    stage: &Stage,
    hands: &Hands,
    enterprises: u32,
) -> Result<Position, BenchError> {
    inspections::fill(stage, hands, inspections::Plan { seed: 7, enterprises }).await?;
    stage.parts.journal.last_position().await.map_err(measured)
}

/// Waits until every view has reached `end`, and nothing is at work any more.
async fn caught_up(stage: &Stage, end: Position) -> Result<(), BenchError> {
    for view in ViewName::ALL {
        stage.parts.views.wait(view, end, CATCH_UP).await.map_err(measured)?;
    }
    Ok(())
}

/// Publishes the catalogue.
async fn publish(stage: &Stage) -> Result<(), BenchError> {
    let admin = client(stage, &token::claims(Role::Admin))?;
    let documents =
        [catalogue::work_calendar()?, catalogue::case_types()?, Plan::published()?.routing()];
    for document in documents {
        admin.publish(document).await.map_err(measured)?;
    }
    Ok(())
}

/// The stream of an appeal that is told from others by its number, of one of ten thousand enterprises.
///
/// # Errors
/// Never for what the numbers make.
pub fn appeal_of(number: u32) -> Result<(StreamName, AppealId), BenchError> {
    let enterprise =
        EnterpriseId::parse(&format!("L-B{:05}", number % 10_000)).map_err(measured)?;
    let appeal = AppealId(Uuid::from_u128(u128::from(number) << 64 | 0xbe7c));
    Ok((streams::appeal(&enterprise, appeal).map_err(measured)?, appeal))
}

/// Submits the appeal of that number, about a topic that is told by the number.
///
/// # Errors
/// [`BenchError::Measured`] when the engine refuses it.
pub async fn submit(engine: &Engine, number: u32) -> Result<Position, BenchError> {
    let (stream, appeal) = appeal_of(number)?;
    let submission = Submission::new(
        appeal::Channel::Web,
        TopicId::parse(&format!("T{:02}", 1 + number % 30)).map_err(measured)?,
        AreaCode::parse("210212").map_err(measured)?,
        text("filler"),
    );
    let envelope = Envelope::new(appeal.0, Actor::of("bench"));
    let command = Command::Submit(submission);
    let outcome = engine.execute::<Appeal>(&stream, &command, &envelope).await;
    Ok(outcome.map_err(measured)?.position)
}

/// Submits many appeals, so many at once, and says where the last of them stands in the log.
async fn submit_all(engine: &Engine, numbers: Range<u32>) -> Result<Position, BenchError> {
    let submitted = stream::iter(numbers).map(|number| submit(engine, number));
    let submitted = submitted.buffer_unordered(FILLERS);
    submitted.try_fold(Position::START, |last, next| async move { Ok(last.max(next)) }).await
}
