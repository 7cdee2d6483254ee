//! `doudi bench append`: what the log alone takes so that no power cut takes it back, beside the same client on
//! the same stream with nothing but the server's word, round by round in turns.

use std::path::Path;

use bytes::Bytes;
use doudi_engine::{Position, StreamName};
use doudi_journal::{Durability, JetStream, Journal};
use futures::{FutureExt, future::BoxFuture};

use super::{
    BenchError,
    disk::Disk,
    measured,
    report::Report,
    work::{self, Pace, Round, Side, Worker},
};
use crate::{
    children::ToDisk,
    client::command_id,
    parts::jetstream_settings,
    roles::Roles,
    stage::{Setting, on_stage},
};

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many rounds, and how long ones.
    #[command(flatten)]
    pub pace: Pace,
    /// How large each record is, in bytes; a check-in is about so large.
    #[arg(long, default_value_t = 1200)]
    pub bytes: usize,
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
    let (sync, roles) = (ToDisk::Group, Roles::NONE);
    let setting = Setting { sync, roles, log: Some(super::LOG), ..Setting::default() };
    on_stage(folder, setting, async |stage| {
        let mut settings = jetstream_settings(&stage.config.nats);
        settings.durability = Durability::Fast;
        let lazy = Journal::JetStream(JetStream::connect(settings).await.map_err(measured)?);
        let payload = Bytes::from(vec![b' '; scale.bytes]);
        let kept = stage.parts.journal.clone();
        let mut sides: [Box<dyn Side>; 2] = [
            Box::new(Appends {
                name: "acknowledged alone",
                journal: lazy,
                payload: payload.clone(),
            }),
            Box::new(Appends { name: "kept on disk", journal: kept, payload }),
        ];
        work::in_turns(report, disk, &mut sides, scale.pace).await
    })
    .await
}

/// Appends to one log, each client to a stream of its own.
#[derive(Debug)]
pub struct Appends {
    /// What it is called in the report.
    pub name: &'static str,
    /// The log.
    pub journal: Journal,
    /// Each record.
    pub payload: Bytes,
}

impl Side for Appends {
    fn name(&self) -> &'static str {
        self.name
    }

    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>> {
        let clients = (0..clients).map(|_| {
            let stream = StreamName::parse(&format!("ev.L-BENCH.bench.{}", command_id()));
            let (journal, payload) = (self.journal.clone(), self.payload.clone());
            Ok(Appending {
                journal,
                payload,
                stream: stream.map_err(measured)?,
                last: Position::START,
            })
        });
        let clients = clients.collect::<Result<Vec<_>, BenchError>>();
        async move { Ok(work::round(clients?, 0..count).await?.0) }.boxed()
    }
}

struct Appending {
    journal: Journal,
    payload: Bytes,
    stream: StreamName,
    last: Position,
}

impl Worker for Appending {
    async fn act(&mut self, _: u32) -> Result<(), BenchError> {
        let appended = self.journal.append(&self.stream, self.payload.clone(), self.last).await;
        self.last = appended.map_err(measured)?;
        Ok(())
    }
}
