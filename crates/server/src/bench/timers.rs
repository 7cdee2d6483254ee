//! `doudi bench timers`: how late a deadline fires while many are armed, and how fast very many that
//! are due at once are carried out, and then how fast the log alone takes as large records. Each is done once, the
//! appends last: what else the machine does meanwhile hits one of them.
//!
//! The time of the runner can be put forward and passes as in life. What is wrong is an error: a step
//! that is taken twice or by nobody, an order that departs further than so many entries are at work.

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use doudi_engine::{Engine, Position, StreamName};
use doudi_views::ViewName;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::{
    BenchError, CATCH_UP, caught_up,
    disk::Disk,
    measured, publish,
    report::Report,
    steps::{self, Taken},
    submit_all,
};
use crate::{
    agenda::StoredAgenda,
    children::ToDisk,
    client::command_id,
    clock::{Ahead, Hands},
    parts,
    roles::Roles,
    stage::{Setting, Stage, on_stage},
    stop::Stop,
};

/// On which day what is due at once is submitted, and on how many days after one another.
const DUE_DAY: i64 = 30;
const DUE_DAYS: u32 = 5;
/// The day to which time is put forward: all of it is overdue by then.
const JUMP_DAY: i64 = 45;
/// On which day everything else is submitted.
const ARMED_DAY: i64 = 90;
/// How long before a step time is put forward to.
const LEAD: SignedDuration = SignedDuration::from_millis(1500);
/// How long one step may take before it counts as lost.
const STEP_WITHIN: Duration = Duration::from_secs(60);
/// How often the log is asked for what is new.
const LOOK: Duration = Duration::from_millis(5);
/// The most bare appends.
const BARE_MAX: u32 = 20_000;

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many appeals have a clock that runs.
    #[arg(long, default_value_t = 1_000_000)]
    pub cases: u32,
    /// How many of them are due at once.
    #[arg(long, default_value_t = 100_000)]
    pub due: u32,
    /// How many steps are waited for while nothing else is due, each for a second and a half.
    #[arg(long, default_value_t = 12)]
    pub steps: u32,
}

/// Measures in `folder`, which is for nothing else.
///
/// # Errors
/// [`BenchError`] when something that is measured fails or is not as it must be.
pub async fn run(
    folder: &Path,
    sync: ToDisk,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    // The bench has a runner of its own, with a time of its own.
    let roles = Roles { react: false, ..Roles::ALL };
    let setting = Setting { sync, roles, log: Some(super::LOG), ..Setting::default() };
    on_stage(folder, setting, async |stage| {
        publish(&stage).await?;
        let begin = stage.parts.engine.now();
        fill(&stage, scale, begin, disk, report).await?;
        let ahead = Ahead::default();
        let settings = parts::engine_settings(&stage.config.engine);
        let engine = Engine::new(stage.parts.journal.clone(), settings, ahead.clock());
        let stop = Stop::new();
        let running = {
            let (engine, parts, until) = (engine.clone(), stage.parts.clone(), stop.receiver());
            let settings = parts::react_settings(&stage.config.react);
            let agenda = StoredAgenda(parts.views.clone());
            tokio::spawn(async move { engine.react(&agenda, &parts.vault, &settings, until).await })
        };
        let timed = Timed { stage: &stage, engine, ahead, begin };
        let told = timed.measure(scale, disk, report).await;
        stop.now();
        running.await.map_err(measured)?;
        told
    })
    .await
}

/// Days after `begin`.
fn day(begin: Timestamp, days: i64) -> Timestamp {
    let days = SignedDuration::from_hours(24 * days);
    begin.checked_add(days).unwrap_or(Timestamp::MAX)
}

/// Submits one appeal whose clock is watched, those that will be due at once, and all others, each at
/// its day, and waits for the tables.
async fn fill(
    stage: &Stage,
    scale: Scale,
    begin: Timestamp,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let before = disk.look()?;
    let began = Instant::now();
    let hands = Hands::default();
    let settings = parts::engine_settings(&stage.config.engine);
    let engine = Engine::new(stage.parts.journal.clone(), settings, hands.clock());
    hands.set(begin);
    submit_all(&engine, 0..1).await?;
    let a_day = scale.due.div_ceil(DUE_DAYS);
    for number in 0..DUE_DAYS {
        hands.set(day(begin, DUE_DAY + i64::from(number)));
        let (from, until) = (a_day * number, a_day * (number + 1));
        submit_all(&engine, 1 + from.min(scale.due)..1 + until.min(scale.due)).await?;
    }
    hands.set(day(begin, ARMED_DAY));
    let last = submit_all(&engine, 1 + scale.due..scale.cases.max(1 + scale.due)).await?;
    let appended = began.elapsed().as_secs_f64();
    let last = last.max(stage.parts.journal.last_position().await.map_err(measured)?);
    stage.parts.views.wait(ViewName::Agenda, last, CATCH_UP).await.map_err(measured)?;
    let agenda = began.elapsed().as_secs_f64();
    caught_up(stage, last).await?;
    let all = began.elapsed().as_secs_f64();
    let figures = [
        ("appended after s", appended),
        ("on the agenda after s", agenda),
        ("in all tables after s", all),
    ];
    report.beside([before, disk.look()?]);
    report.line("filled", &format!("{} clocks armed", scale.cases), &figures);
    Ok(())
}

/// A runner at work and its time.
struct Timed<'a> {
    stage: &'a Stage,
    engine: Engine,
    ahead: Ahead,
    begin: Timestamp,
}

impl Timed<'_> {
    async fn measure(
        &self,
        scale: Scale,
        disk: &mut Disk,
        report: &mut Report,
    ) -> Result<(), BenchError> {
        let before = disk.look()?;
        let idle = self.idle(scale.steps).await?;
        let middle = idle.get(idle.len() / 2).copied().unwrap_or_default();
        let most = idle.last().copied().unwrap_or_default();
        let late = |late: Duration| late.as_secs_f64() * 1000.0;
        let figures = [("late p50 ms", late(middle)), ("at most ms", late(most))];
        let of = format!("{} steps while {} are armed", idle.len(), scale.cases);
        report.beside([before, disk.look()?]);
        report.line("one due at a time", &of, &figures);
        let before = disk.look()?;
        let (took, taken) = self.at_once(scale.due).await?;
        let commits = f64::from(scale.due) / took.as_secs_f64();
        let in_flight = self.stage.config.react.in_flight_max;
        let overtaken = steps::overtaken(&taken);
        if overtaken >= in_flight {
            return Err(measured("the order departs further than so many entries are at work"));
        }
        let bytes = taken.iter().map(|one| one.bytes).sum::<usize>() / taken.len().max(1);
        let bare = self.bare(scale.due.min(BARE_MAX), bytes, in_flight).await?;
        let overtaken = f64::from(u32::try_from(overtaken).map_err(measured)?);
        let figures = [
            ("all done after s", took.as_secs_f64()),
            ("commits/s", commits),
            ("bare appends/s", bare),
            ("ratio", commits / bare),
            ("overtaken at most", overtaken),
        ];
        let of = format!("{} due, {in_flight} at work", scale.due);
        report.beside([before, disk.look()?]);
        report.line("due at once", &of, &figures);
        Ok(())
    }

    async fn end(&self) -> Result<Position, BenchError> {
        self.stage.parts.journal.last_position().await.map_err(measured)
    }

    /// Waits until nothing is due, and says where the log ends and when something will be.
    async fn settled(&self) -> Result<(Position, Timestamp), BenchError> {
        let settled = steps::settled(&self.stage.parts, &self.engine);
        let late = |_| measured(format!("something is still due after {STEP_WITHIN:?}"));
        tokio::time::timeout(STEP_WITHIN, settled).await.map_err(late)?
    }

    /// How late so many steps of the one watched clock are stored, ascending.
    async fn idle(&self, steps: u32) -> Result<Vec<Duration>, BenchError> {
        let mut late = Vec::new();
        for _ in 0..steps {
            let (before, at) = self.settled().await?;
            if at >= day(self.begin, DUE_DAY) {
                break;
            }
            self.ahead.set(at - LEAD);
            self.reached(Position(before.0 + 1), STEP_WITHIN).await?;
            let stored = self.engine.now().duration_since(at);
            late.push(Duration::try_from(stored).map_err(measured)?);
        }
        late.sort();
        Ok(late)
    }

    /// Waits until the log reaches a position.
    async fn reached(&self, position: Position, within: Duration) -> Result<(), BenchError> {
        let mut looks = tokio::time::interval(LOOK);
        let reached = async {
            while self.end().await? < position {
                looks.tick().await;
            }
            Ok(())
        };
        let late = |_| measured(format!("the log does not reach {position} in {within:?}"));
        tokio::time::timeout(within, reached).await.map_err(late)?
    }

    /// Makes everything due that was submitted to be, and takes the time until it is carried out.
    async fn at_once(&self, due: u32) -> Result<(Duration, Vec<Taken>), BenchError> {
        // What the one watched clock still has to do is done first.
        self.ahead.set(day(self.begin, DUE_DAY));
        let (before, _) = self.settled().await?;
        let began = Instant::now();
        self.ahead.set(day(self.begin, JUMP_DAY));
        self.reached(Position(before.0 + u64::from(due)), CATCH_UP).await?;
        let took = began.elapsed();
        self.settled().await?;
        let taken = steps::taken(&self.stage.parts.journal, before).await?;
        if let Some(doubled) = steps::doubled(&taken) {
            return Err(measured(format!("a step was taken twice: {doubled:?}")));
        }
        let guaranteed = taken.iter().filter(|one| one.guaranteed);
        let guaranteed: HashSet<&StreamName> = guaranteed.map(|one| &one.stream).collect();
        match u32::try_from(guaranteed.len()) {
            Ok(count) if count == due => Ok((took, taken)),
            _ => Err(measured(format!("only {} were guaranteed", guaranteed.len()))),
        }
    }

    /// How many records of that size the log alone takes a second, each on a stream of its own.
    async fn bare(&self, count: u32, bytes: usize, at_once: usize) -> Result<f64, BenchError> {
        let payload = Bytes::from(vec![b' '; bytes]);
        let began = Instant::now();
        let appends = stream::iter(0..count).map(|_| {
            let payload = payload.clone();
            async move {
                let name = format!("ev.L-BENCH.bench.{}", command_id());
                let name = StreamName::parse(&name).map_err(measured)?;
                let journal = &self.stage.parts.journal;
                journal.append(&name, payload, Position::START).await.map_err(measured)?;
                Ok::<(), BenchError>(())
            }
        });
        appends.buffer_unordered(at_once).try_collect::<Vec<()>>().await?;
        Ok(f64::from(count) / began.elapsed().as_secs_f64())
    }
}
