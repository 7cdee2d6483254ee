//! `doudi bench lifecycle`: how many appeals a second are led from submission to a reply and read back,
//! on empty tables and on full ones, and then how fast the log alone takes as many records. Each is done once, the
//! appends after the lives: what else the machine does meanwhile hits one of them.

use std::{path::Path, time::Instant};

use bytes::Bytes;
use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{
        AcceptAppealRequest, Channel, DispatchAppealRequest, ListAppealsRequest, ResolutionOutcome,
        ResolveAppealRequest, SignForAppealRequest, SubmitAppealRequest,
    },
};
use doudi_engine::{Position, StreamName};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    BenchError, caught_up, client, disk::Disk, measured, publish, report::Report, submit_all,
};
use crate::{
    children::ToDisk,
    client::{Client, command_id},
    stage::{Setting, Stage, on_stage},
    token,
};

/// Records that one life of an appeal leaves in the log.
const RECORDS: u32 = 5;
/// Calls that it takes.
const CALLS: u32 = 6;

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many appeals the full tables hold.
    #[arg(long, default_value_t = 1_000_000)]
    pub cases: u32,
    /// How many clients are at work at once.
    #[arg(long, default_value_t = 32)]
    pub clients: usize,
    /// How many appeals each measurement leads.
    #[arg(long, default_value_t = 2000)]
    pub lives: u32,
}

/// Measures in `folder`, which is for nothing else.
///
/// # Errors
/// [`BenchError`] when something that is measured fails.
pub async fn run(
    folder: &Path,
    sync: ToDisk,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let setting = Setting { sync, log: Some(super::LOG), ..Setting::default() };
    on_stage(folder, setting, async |stage| {
        publish(&stage).await?;
        measure(&stage, scale, 0, disk, report).await?;
        fill(&stage, scale.cases, disk, report).await?;
        measure(&stage, scale, scale.cases, disk, report).await
    })
    .await
}

/// One line: lives a second, and what the log alone takes of as many records.
async fn measure(
    stage: &Stage,
    scale: Scale,
    cases: u32,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let clients = Cast::new(|claims| client(stage, claims))?;
    let before = disk.look()?;
    let began = Instant::now();
    let lives = stream::iter(0..scale.lives).map(|number| clients.live(number));
    lives.buffer_unordered(scale.clients).try_collect::<Vec<()>>().await?;
    let lives = f64::from(scale.lives) / began.elapsed().as_secs_f64();

    let began = Instant::now();
    let chains = stream::iter(0..scale.lives).map(|_| bare(stage));
    chains.buffer_unordered(scale.clients).try_collect::<Vec<()>>().await?;
    let appends = f64::from(scale.lives * RECORDS) / began.elapsed().as_secs_f64();
    let ratio = lives * f64::from(RECORDS) / appends;
    let of = format!("{cases} cases, {} clients", scale.clients);
    let figures = [("lives/s", lives), ("bare appends/s", appends), ("ratio", ratio)];
    report.beside([before, disk.look()?]);
    report.line("lives of appeals", &of, &figures);
    Ok(())
}

/// As many records of the same size as a life leaves, each after the one before, with no rule at all.
async fn bare(stage: &Stage) -> Result<(), BenchError> {
    let id = command_id();
    let name = format!("ev.L-BENCH.bench.{id}");
    let stream = StreamName::parse(&name).map_err(measured)?;
    let journal = &stage.parts.journal;
    let mut last = Position::START;
    for _ in 0..RECORDS {
        let payload = Bytes::from(vec![b' '; 1500]);
        last = journal.append(&stream, payload, last).await.map_err(measured)?;
    }
    Ok(())
}

/// Who takes part in a life.
pub(super) struct Cast {
    enterprise: Client,
    dispatcher: Client,
    unit: Client,
}

/// How far a life has come.
#[derive(Debug, Default)]
pub(super) struct Life {
    calls: u32,
    appeal: String,
    position: String,
}

impl Cast {
    /// Takes callers from `client`.
    pub(super) fn new(
        client: impl Fn(&Claims) -> Result<Client, BenchError>,
    ) -> Result<Self, BenchError> {
        let unit =
            Claims { unit: Some("power-supply".to_owned()), ..token::claims(Role::AgencyHandler) };
        Ok(Self {
            enterprise: client(&token::claims(Role::Enterprise))?,
            dispatcher: client(&token::claims(Role::Dispatcher))?,
            unit: client(&unit)?,
        })
    }

    async fn live(&self, number: u32) -> Result<(), BenchError> {
        let mut life = Life::default();
        for _ in 0..CALLS {
            self.go_on(&mut life, number).await?;
        }
        Ok(())
    }

    /// One call: submit, accept, dispatch, sign, resolve, and read back what the last of these wrote; then the next
    /// life begins.
    pub(super) async fn go_on(&self, life: &mut Life, number: u32) -> Result<(), BenchError> {
        let enterprise_id = token::claims(Role::Enterprise).enterprise.unwrap_or_default();
        let (command_id, appeal_id) = (command_id(), life.appeal.clone());
        let (mut desk, mut unit) = (self.dispatcher.appeals.clone(), self.unit.appeals.clone());
        match life.calls {
            0 => {
                let submit = SubmitAppealRequest {
                    command_id,
                    enterprise_id,
                    channel: Channel::App.into(),
                    topic: "T06".to_owned(),
                    area: "210212".to_owned(),
                    description: format!("报装未答复 {number}"),
                    ..SubmitAppealRequest::default()
                };
                let submitted = self.enterprise.appeals.clone().submit_appeal(submit).await;
                life.appeal = submitted.map_err(measured)?.into_inner().appeal_id;
            }
            1 => {
                let accept =
                    AcceptAppealRequest { command_id, enterprise_id, appeal_id, ..<_>::default() };
                desk.accept_appeal(accept).await.map_err(measured)?;
            }
            2 => {
                let dispatch = DispatchAppealRequest {
                    command_id,
                    enterprise_id,
                    appeal_id,
                    ..<_>::default()
                };
                desk.dispatch_appeal(dispatch).await.map_err(measured)?;
            }
            3 => {
                let sign =
                    SignForAppealRequest { command_id, enterprise_id, appeal_id, ..<_>::default() };
                unit.sign_for_appeal(sign).await.map_err(measured)?;
            }
            4 => {
                let resolve = ResolveAppealRequest {
                    command_id,
                    enterprise_id,
                    appeal_id,
                    outcome: ResolutionOutcome::Solved.into(),
                    reply: "已送电".to_owned(),
                    ..<_>::default()
                };
                let resolved = unit.resolve_appeal(resolve).await.map_err(measured)?.into_inner();
                life.position = resolved.receipt.map(|told| told.position).unwrap_or_default();
            }
            _ => {
                let min_position = life.position.clone();
                let list = ListAppealsRequest { page_size: 1, min_position, ..<_>::default() };
                unit.list_appeals(list).await.map_err(measured)?;
            }
        }
        life.calls = (life.calls + 1) % CALLS;
        Ok(())
    }
}

/// Fills the log with submitted appeals of ten thousand enterprises, and waits for the tables.
async fn fill(
    stage: &Stage,
    cases: u32,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let before = disk.look()?;
    let began = Instant::now();
    let last = submit_all(&stage.parts.engine, 0..cases).await?;
    let appended = began.elapsed();
    caught_up(stage, last).await?;
    let (appended, all) = (appended.as_secs_f64(), began.elapsed().as_secs_f64());
    let figures = [("appended after s", appended), ("in all tables after s", all)];
    report.beside([before, disk.look()?]);
    report.line("filled", &format!("{cases} cases"), &figures);
    Ok(())
}
