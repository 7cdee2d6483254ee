//! `doudi bench checkin`: officers who scan themselves in over gRPC, each of many clients on a connection and with
//! tokens of its own, at enterprises whose limits are looked at and leave room; and devices that hand in
//! what they kept without a network, which is stored on the devices' own streams: `serve` runs alone, so no visit takes
//! it in and no table is built.

use std::path::Path;

use super::{
    BenchError,
    disk::Disk,
    measured,
    report::Report,
    site::Site,
    work::{self, Pace, Rounds, Side, median},
};
use crate::children::ToDisk;

pub mod stock;
mod upload;

use stock::CheckIns;

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many rounds, and how long ones.
    #[command(flatten)]
    pub pace: Pace,
    /// How many records are handed in by each device in a round; none for no such rounds.
    #[arg(long, default_value_t = 1000)]
    pub records: u32,
    /// How many devices hand in at once.
    #[arg(long, default_value_t = 16)]
    pub devices: u32,
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
    let program = std::env::current_exe().map_err(measured)?;
    let site = Site::open(folder, &program, "serve", sync).await?;
    if scale.records > 0 && scale.devices > 0 {
        hand_in(&site, disk, scale, report).await?;
    }
    let check_ins = CheckIns::prepare(&site, scale.pace.total()).await?;
    let mut sides: [Box<dyn Side>; 1] = [Box::new(check_ins)];
    work::in_turns(report, disk, &mut sides, scale.pace).await?;
    let resident = site.doudi.resident();
    drop(sides);
    site.close().await?;
    if let Some(bytes) = resident {
        report.line("memory", "serve", &[("resident MB", super::megabytes(bytes))]);
    }
    Ok(())
}

/// What devices kept, handed in by all at once, in uploads of as many records as the API takes.
async fn hand_in(
    site: &Site,
    disk: &mut Disk,
    scale: Scale,
    report: &mut Report,
) -> Result<(), BenchError> {
    let (mut rounds, mut rates) = (Rounds::default(), vec![]);
    for _ in 0..scale.pace.rounds {
        let devices = upload::devices(site, scale.devices, scale.records).await?;
        let uploads = devices.first().map_or(0, upload::Uploading::count);
        let latencies = disk.look()?;
        let (round, _) = work::round(devices, 0..uploads).await?;
        rates.push(round.rate * f64::from(scale.devices * scale.records) / f64::from(uploads));
        rounds.add(round, latencies);
    }
    let of = format!("{} devices, {} records each", scale.devices, scale.records);
    let records = ("records stored per s", median(rates.into_iter()));
    let uploads = rounds.figures(&rounds).into_iter().filter(|(name, _)| !name.starts_with("to "));
    let figures: Vec<_> = [records].into_iter().chain(uploads).collect();
    report.beside([rounds.disk()]);
    report.line("uploads of what devices kept", &of, &figures);
    Ok(())
}
