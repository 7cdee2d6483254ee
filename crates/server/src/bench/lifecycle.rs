//! `doudi bench lifecycle`: how many appeals a second are led from submission to a reply and read back,
//! on empty tables and on full ones, beside bare appends of as many records.

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

use super::{BenchError, caught_up, client, measured, publish, submit_all};
use crate::{
    children::ToDisk,
    client::{Client, command_id},
    stage::{Setting, Stage, on_stage},
    token,
};

/// Records that one life of an appeal leaves in the log.
const RECORDS: u32 = 5;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How many appeals the tables hold in the second measurement.
    pub cases: u32,
    /// How many clients are at work at once.
    pub clients: usize,
    /// How many lives each measurement takes.
    pub lives: u32,
}

/// Measures in `folder`, which is for nothing else, and prints a table.
///
/// # Errors
/// [`BenchError`] when something that is measured fails.
pub async fn run(folder: &Path, sync: ToDisk, scale: Scale) -> Result<(), BenchError> {
    let setting = Setting { sync, log: Some(super::LOG), ..Setting::default() };
    on_stage(folder, setting, async |stage| {
        publish(&stage).await?;
        println!("{} lives of {RECORDS} records, {} clients", scale.lives, scale.clients);
        println!("{:>10} {:>12} {:>14} {:>7}", "cases", "lives/s", "bare appends/s", "ratio");
        measure(&stage, scale, 0).await?;
        fill(&stage, scale.cases).await?;
        measure(&stage, scale, scale.cases).await
    })
    .await
}

/// One line: lives a second, and what the log alone takes of as many records.
async fn measure(stage: &Stage, scale: Scale, cases: u32) -> Result<(), BenchError> {
    let clients = Cast::of(stage)?;
    let began = Instant::now();
    let lives = stream::iter(0..scale.lives).map(|number| clients.live(number));
    lives.buffer_unordered(scale.clients).try_collect::<Vec<()>>().await?;
    let lives = f64::from(scale.lives) / began.elapsed().as_secs_f64();

    let began = Instant::now();
    let chains = stream::iter(0..scale.lives).map(|_| bare(stage));
    chains.buffer_unordered(scale.clients).try_collect::<Vec<()>>().await?;
    let appends = f64::from(scale.lives * RECORDS) / began.elapsed().as_secs_f64();
    let ratio = lives * f64::from(RECORDS) / appends;
    println!("{cases:>10} {lives:>12.1} {appends:>14.1} {ratio:>7.2}");
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
struct Cast {
    enterprise: Client,
    dispatcher: Client,
    unit: Client,
}

impl Cast {
    fn of(stage: &Stage) -> Result<Self, BenchError> {
        let sample = token::claims(Role::Enterprise);
        let unit =
            Claims { unit: Some("power-supply".to_owned()), ..token::claims(Role::AgencyHandler) };
        Ok(Self {
            enterprise: client(stage, &sample)?,
            dispatcher: client(stage, &token::claims(Role::Dispatcher))?,
            unit: client(stage, &unit)?,
        })
    }

    /// Submit, accept, dispatch, sign, resolve, and read back what the last of these wrote.
    async fn live(&self, number: u32) -> Result<(), BenchError> {
        let enterprise_id = token::claims(Role::Enterprise).enterprise.unwrap_or_default();
        let submit = SubmitAppealRequest {
            command_id: command_id(),
            enterprise_id: enterprise_id.clone(),
            channel: Channel::App.into(),
            topic: "T06".to_owned(),
            area: "210212".to_owned(),
            description: format!("报装未答复 {number}"),
            ..SubmitAppealRequest::default()
        };
        let submitted = self.enterprise.appeals.clone().submit_appeal(submit).await;
        let appeal_id = submitted.map_err(measured)?.into_inner().appeal_id;
        let mut desk = self.dispatcher.appeals.clone();
        let ids = || (command_id(), enterprise_id.clone(), appeal_id.clone());
        let (command_id, enterprise_id, appeal_id) = ids();
        let accept = AcceptAppealRequest { command_id, enterprise_id, appeal_id, ..<_>::default() };
        desk.accept_appeal(accept).await.map_err(measured)?;
        let (command_id, enterprise_id, appeal_id) = ids();
        let dispatch =
            DispatchAppealRequest { command_id, enterprise_id, appeal_id, ..<_>::default() };
        desk.dispatch_appeal(dispatch).await.map_err(measured)?;
        let mut unit = self.unit.appeals.clone();
        let (command_id, enterprise_id, appeal_id) = ids();
        let sign = SignForAppealRequest { command_id, enterprise_id, appeal_id, ..<_>::default() };
        unit.sign_for_appeal(sign).await.map_err(measured)?;
        let (command_id, enterprise_id, appeal_id) = ids();
        let outcome = ResolutionOutcome::Solved.into();
        let reply = "已送电".to_owned();
        let resolve = ResolveAppealRequest {
            command_id,
            enterprise_id,
            appeal_id,
            outcome,
            reply,
            ..<_>::default()
        };
        let resolved = unit.resolve_appeal(resolve).await.map_err(measured)?.into_inner();
        let position = resolved.receipt.map(|receipt| receipt.position).unwrap_or_default();
        let list = ListAppealsRequest { page_size: 1, min_position: position, ..<_>::default() };
        unit.list_appeals(list).await.map_err(measured)?;
        Ok(())
    }
}

/// Fills the log with submitted appeals of ten thousand enterprises, and waits for the tables.
async fn fill(stage: &Stage, cases: u32) -> Result<(), BenchError> {
    let began = Instant::now();
    let last = submit_all(&stage.parts.engine, 0..cases).await?;
    let appended = began.elapsed();
    caught_up(stage, last).await?;
    let (appended, all) = (appended.as_secs_f64(), began.elapsed().as_secs_f64());
    println!(
        "filled with {cases} cases: appended in {appended:.0} s, in all tables after {all:.0} s"
    );
    Ok(())
}
