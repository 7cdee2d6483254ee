//! `doudi bench query`: how fast questions are answered on tables of millions of rows, each beside the same SQL asked
//! bare in the same run, and beside an rpc that asks nothing.
//!
//! A year of inspections is simulated, with appeals besides, and repeated for city after city in the tables
//! alone, until the timelines are as long as asked for. It ends with an error where a large table was scanned
//! sequentially for a question for which that may not be.

use std::{ops::Range, path::Path};

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{
        self, BoardFigure, BoardSelection, GetBoardRequest, GetQuotaRequest, ListAppealsRequest,
        ListInboxRequest, ListTimelineRequest,
    },
};
use doudi_domain::appeal::{Appeal, Command};
use doudi_engine::{Envelope, Position};
use doudi_journal::Actor;
use doudi_views::{
    ViewName,
    tokio_postgres::{self, Client, NoTls},
};
use jiff::{
    civil::{Date, date},
    tz::TimeZone,
};
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use super::{
    BenchError, appeal_of, caught_up, disk::Disk, measured, of_a_year, report::Report, submit_all,
};
use crate::{
    client,
    clock::Hands,
    simulate::inspections,
    stage::{Stage, on_stage},
    token,
};

mod asked;
mod bare;
mod lists;
mod past;
mod scans;

use asked::{Asked, percentiles, timed};
use scans::{Undue, Watch};

/// How many appeals the simulated city has beside its visits.
const CASES: u32 = 500;
/// The unit whose places are asked for.
const UNIT: &str = "market-regulation";
/// The area whose desk asks for its inbox.
const AREA: &str = "210212";
/// How many cities are added in one transaction.
const CITIES: u64 = 50;
/// A day of the simulated year by whose beginning half of its visits were planned.
const MIDDLE: Date = date(2025, 7, 1);

/// As when half of it was as it is now.
#[derive(Debug)]
struct Half {
    /// The visits, an instant.
    of_year: prost_types::Timestamp,
    /// The appeals, a position as an answer gave it.
    of_appeals: String,
}

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many entries the timelines have.
    #[arg(long, default_value_t = 10_000_000)]
    pub rows: u64,
    /// Of how many enterprises a year is simulated, which is then repeated.
    #[arg(long, default_value_t = 2000)]
    pub enterprises: u32,
    /// How often each question is asked; each list at most 20 times, as of half way at most 5 times.
    #[arg(long, default_value_t = 2000)]
    pub asks: u32,
    /// From how many rows a table is large.
    #[arg(long, default_value_t = 100_000)]
    pub large: i64,
}

/// Measures in `folder`, which is for nothing else.
///
/// # Errors
/// [`BenchError`] when something that is measured fails.
pub async fn run(
    folder: &Path,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let hands = Hands::default();
    on_stage(folder, of_a_year(&hands), async |stage| {
        let plan = inspections::Plan { seed: 7, enterprises: scale.enterprises };
        inspections::fill(&stage, &hands, plan).await?;
        let (end, of_appeals) = appeals(&stage).await?;
        let url = stage.config.postgres.url.expose();
        let (bare, connection) = tokio_postgres::connect(url, NoTls).await.map_err(measured)?;
        let mut pump = JoinSet::new();
        pump.spawn(connection);
        script(&bare, include_str!("query/keep.sql"), &[]).await?;
        multiply(&bare, end.0, scale.rows, report).await?;
        let seconds = MIDDLE.to_zoned(TimeZone::UTC).map_err(measured)?.timestamp().as_second();
        let of_year = prost_types::Timestamp { seconds, nanos: 0 };
        let half = Half { of_year, of_appeals };
        Box::pin(ask(&stage, (&bare, &half), scale, disk, report)).await
    })
    .await
}

/// Submits the appeals and accepts them. Gives the end of the log, and the position at which half of them
/// were accepted.
async fn appeals(stage: &Stage) -> Result<(Position, String), BenchError> {
    let engine = &stage.parts.engine;
    submit_all(engine, 0..CASES).await?;
    let accept = async |numbers: Range<u32>| {
        let mut last = Position::START;
        for number in numbers {
            let (stream, appeal) = appeal_of(number)?;
            let id = Uuid::from_u128(!appeal.0.as_u128());
            let envelope = Envelope::new(id, Actor::of("bench"));
            let accepted = engine.execute::<Appeal>(&stream, &Command::Accept, &envelope).await;
            last = accepted.map_err(measured)?.position;
        }
        caught_up(stage, last).await?;
        Ok::<_, BenchError>(last)
    };
    accept(0..CASES / 2).await?;
    let supervisor = caller(stage, token::claims(Role::Supervisor))?;
    let list = supervisor.appeals.clone().list_appeals(ListAppealsRequest::default()).await;
    let half = list.map_err(measured)?.into_inner().position;
    let end = accept(CASES / 2..CASES).await?;
    Ok((end, half))
}

/// Runs a script of ours with the views' schemas and `values` put in.
async fn script(client: &Client, script: &str, values: &[(&str, u64)]) -> Result<(), BenchError> {
    let mut script = script.to_owned();
    for view in ViewName::ALL {
        script = script.replace(&format!("{{{view}}}"), &view.schema());
    }
    for (name, value) in values {
        script = script.replace(&format!("{{{name}}}"), &value.to_string());
    }
    client.batch_execute(&script).await.map_err(measured)
}

/// Repeats the city until the timelines have so many rows.
async fn multiply(
    client: &Client,
    span: u64,
    rows: u64,
    report: &mut Report,
) -> Result<(), BenchError> {
    let count = format!("SELECT count(*) FROM {}.entry", ViewName::Timeline.schema());
    let own: i64 = client.query_one(&count, &[]).await.map_err(measured)?.get(0);
    let cities = rows / u64::try_from(own.max(1)).unwrap_or(1);
    let begun = Instant::now();
    script(client, include_str!("query/loose.sql"), &[]).await?;
    for first in (1..=cities).step_by(usize::try_from(CITIES).unwrap_or(1)) {
        let last = cities.min(first + CITIES - 1);
        let values = [("first", first), ("last", last), ("span", span)];
        script(client, include_str!("query/multiply.sql"), &values).await?;
    }
    script(client, include_str!("query/bind.sql"), &[]).await?;
    client.batch_execute("VACUUM ANALYZE").await.map_err(measured)?;
    let all: i64 = client.query_one(&count, &[]).await.map_err(measured)?.get(0);
    let of = format!("{all} entries of {} cities", cities + 1);
    report.line("filled", &of, &[("after s", begun.elapsed().as_secs_f64())]);
    Ok(())
}

/// Who asks.
fn caller(stage: &Stage, claims: Claims) -> Result<client::Client, BenchError> {
    let now = stage.parts.engine.now().as_second();
    super::client(stage, &Claims { iat: now, exp: now + 36_000, ..claims })
}

/// Asks each question over gRPC and bare, in turns, and prints how long it took.
async fn ask(
    stage: &Stage,
    (bare, half): (&Client, &Half),
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let supervisor = caller(stage, token::claims(Role::Supervisor))?;
    let desk = Claims { areas: vec![AREA.to_owned()], ..token::claims(Role::Dispatcher) };
    let desk = caller(stage, desk)?;
    let enterprises = bare::enterprises(bare, scale.asks).await?;
    let undue = match enterprises.first() {
        Some(own) => Box::pin(pages(stage, (bare, half), own, scale, disk, report)).await?,
        None => Undue::default(),
    };
    let bare = bare::Questions::prepare(bare, UNIT, AREA).await?;
    let [mut of_timeline, mut of_quota, mut of_inbox, mut of_board] = <[Asked; 4]>::default();
    let (before, mut refused) = (disk.look()?, vec![]);
    for (at, enterprise) in enterprises.iter().enumerate() {
        let enterprise_id = enterprise.clone();
        let request = ListTimelineRequest { enterprise_id, page_size: 50, ..<_>::default() };
        let first = at % 2 == 0;
        let mut timelines = supervisor.timelines.clone();
        let timeline = timelines.list_timeline(request);
        let (timeline, found) =
            Box::pin(of_timeline.both(first, timeline, bare.timeline(enterprise))).await?;
        same("timeline", timeline.get_ref().entries.len(), found.min(50))?;
        let begun = Instant::now();
        // It names no enterprise, and is refused before anything is asked.
        let nothing = ListTimelineRequest::default();
        if supervisor.timelines.clone().list_timeline(nothing).await.is_ok() {
            return Err(measured("a list of nothing was told"));
        }
        refused.push(begun.elapsed());
        let enterprise_id = enterprise.clone();
        let unit = UNIT.to_owned();
        let request = GetQuotaRequest { enterprise_id, unit, ..<_>::default() };
        let mut inspections = supervisor.inspections.clone();
        let quota = inspections.get_quota(request);
        Box::pin(of_quota.both(first, quota, bare.quota(enterprise))).await?;
        let inbox = ListInboxRequest { page_size: 50, ..<_>::default() };
        let mut cases = desk.cases.clone();
        let (inbox, found) =
            Box::pin(of_inbox.both(first, cases.list_inbox(inbox), bare.inbox())).await?;
        same("inbox", inbox.get_ref().entries.len(), found.min(50))?;
        // A board reads a month of the whole city; it is asked less often.
        if at % 50 == 0 {
            Box::pin(boards(&supervisor, &bare, at / 25, &mut of_board)).await?;
        }
    }
    report.beside([before, disk.look()?]);
    let [empty, ..] = percentiles(&mut refused);
    report.line("milliseconds", "an rpc that asks nothing", &[("p50", empty)]);
    of_timeline.tell("timeline page", empty, report);
    of_quota.tell("quota", empty, report);
    of_inbox.tell("inbox of an area", empty, report);
    of_board.tell("board of a month", empty, report);
    undue.none()
}

/// Asks for the boards of two months, each way first for one of them. They come again after a year.
async fn boards(
    supervisor: &client::Client,
    bare: &bare::Questions<'_>,
    months: usize,
    times: &mut Asked,
) -> Result<(), BenchError> {
    for (month, own_first) in [(months, true), (months + 1, false)] {
        let from = date(2025, i8::try_from(1 + month % 12).unwrap_or(1), 1);
        let until = from.last_of_month();
        let request = GetBoardRequest { selection: Some(visits(from, until)), ..<_>::default() };
        let mut boards = supervisor.boards.clone();
        let (board, found) =
            times.both(own_first, boards.get_board(request), bare.board(from, until)).await?;
        let total = board.get_ref().total.unwrap_or_default().rows;
        same("board", usize::try_from(total).unwrap_or(usize::MAX), found)?;
    }
    Ok(())
}

/// Asks for every list, as of now and as of half way, and gives what was scanned though it may not be.
async fn pages(
    stage: &Stage,
    (bare, half): (&Client, &Half),
    own: &str,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<Undue, BenchError> {
    let supervisor = caller(stage, token::claims(Role::Supervisor))?;
    let mut watch = Watch::begin((bare, &stage.parts.views), scale, report).await?;
    watch.report.beside([disk.look()?]);
    Box::pin(lists::each(&supervisor, own, &mut watch)).await?;
    watch.report.beside([disk.look()?]);
    Box::pin(past::each(stage, (own, half), &mut watch)).await?;
    Ok(watch.tell())
}

/// The visits of some days by ground.
fn visits(from: Date, until: Date) -> BoardSelection {
    let day = |day: Date| {
        Some(proto::Date {
            year: day.year().into(),
            month: day.month().into(),
            day: day.day().into(),
        })
    };
    BoardSelection {
        figure: BoardFigure::Visits.into(),
        from: day(from),
        until: day(until),
        ..<_>::default()
    }
}

/// That both ways of asking found as much.
fn same(question: &str, told: usize, bare: usize) -> Result<(), BenchError> {
    if told == bare {
        return Ok(());
    }
    Err(measured(format!("{question}: {told} rows were told, bare SQL finds {bare}")))
}
