//! `doudi bench load`: many clients at once who lead appeals and visits through their lives and ask about them, for a
//! time, on `doudi all`: how much is answered, how fast, in how much memory. Then how soon `serve` answers on a
//! long log, of which it reads the end alone; nats-server is not started again, and has the log in memory.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{GetQuotaRequest, Ground},
};
use doudi_scan::codes::KeyRing;
use tonic::transport::Channel;

use super::{
    BenchError,
    append::Appends,
    checkin::stock::{self, Desk, Expected, scan},
    disk::Disk,
    lifecycle::{Cast, Life},
    measured, megabytes,
    report::{Figure, Report},
    site::Site,
    work::{self, Round, Side, Worker, median, percentile},
};
use crate::{
    children::ToDisk,
    client::Client,
    demo::visits::{CREWS, approve, plan},
    token,
};

/// In how many parts the time is reported.
const PARTS: u32 = 10;
/// How many calls each client makes before it is looked at the memory.
const CALLS_AT_ONCE: u32 = 20;
/// How often `serve` is started.
const STARTS: u32 = 3;
/// How many appends are under way while the log is made long.
const FILLERS: u32 = 512;
/// How large a record of the long log is, in bytes.
const RECORD_BYTES: usize = 1200;

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many clients are at work at once.
    #[arg(long, default_value_t = 256)]
    pub clients: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 600)]
    pub seconds: u64,
    /// How many records the log has at least when `serve` is started; none for no such start.
    #[arg(long, default_value_t = 1_000_000)]
    pub records: u64,
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
    let mut site = Site::open(folder, &program, "all", sync).await?;
    if scale.seconds > 0 {
        load(&site, scale, disk, report).await?;
    }
    if scale.records > 0 {
        start(&mut site, &program, scale.records, disk, report).await?;
    }
    site.close().await
}

async fn load(
    site: &Site,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let mut clients = vec![];
    for number in 0..scale.clients {
        clients.push(Everyday::new(site, &site.channel().await?, number)?);
    }
    let (mut residents, mut number) = (vec![], 0);
    let part = Duration::from_secs(scale.seconds) / PARTS;
    for at in 1..=PARTS {
        let before = disk.look()?;
        let (began, mut calls) = (Instant::now(), Calls::default());
        while began.elapsed() < part {
            let numbers = number..number + scale.clients * CALLS_AT_ONCE;
            number = numbers.end;
            let (round, back) = work::round(clients, numbers).await?;
            clients = back;
            calls.add(round);
        }
        let figures = calls.figures(began.elapsed());
        let resident = site.doudi.resident().map_or(f64::NAN, megabytes);
        residents.push(resident);
        let figures: Vec<_> = figures.into_iter().chain([("resident MB", resident)]).collect();
        let of = format!("after {:.0} s", part.as_secs_f64() * f64::from(at));
        report.beside([before, disk.look()?]);
        report.line(&format!("{} clients", scale.clients), &of, &figures);
    }
    // The first part fills caches and pools.
    let (early, late) = (residents.get(1).copied(), residents.last().copied());
    let (early, late) = (early.unwrap_or(f64::NAN), late.unwrap_or(f64::NAN));
    let figures = [("early MB", early), ("at the end MB", late), ("ratio", late / early)];
    report.line("memory", "all roles", &figures);
    Ok(())
}

/// How long each call of one part of the time took.
#[derive(Debug, Default)]
struct Calls(Vec<Duration>);

impl Calls {
    fn add(&mut self, round: Round) {
        self.0.extend(round.latencies);
    }

    /// What came of all calls together, in as long as they took: a stall counts as long as it was, and so does that
    /// clients wait for each other now and then.
    #[expect(clippy::cast_precision_loss, reason = "so many calls are never made")]
    fn figures(mut self, took: Duration) -> [Figure; 4] {
        self.0.sort_unstable();
        [
            ("calls/s", self.0.len() as f64 / took.as_secs_f64()),
            ("p50 ms", percentile(&self.0, 50)),
            ("p99 ms", percentile(&self.0, 99)),
            ("max ms", percentile(&self.0, 100)),
        ]
    }
}

/// Makes the log so long by records that are nobody's, and starts `serve` on it.
async fn start(
    site: &mut Site,
    program: &Path,
    records: u64,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    site.restart(program, "serve").await?;
    let (name, journal) = ("filling", site.journal().await?);
    let last = journal.last_position().await.map_err(measured)?;
    let missing = u32::try_from(records.saturating_sub(last.0)).map_err(measured)?;
    let mut filling = Appends { name, journal, payload: Bytes::from(vec![b' '; RECORD_BYTES]) };
    filling.round(FILLERS, missing).await?;
    let (before, mut took) = (disk.look()?, vec![]);
    for _ in 0..STARTS {
        took.push(site.restart(program, "serve").await?.as_secs_f64());
    }
    report.beside([before, disk.look()?]);
    let figures = [("until it serves s", median(took.into_iter()))];
    report.line(
        "start of serve, nats-server warm",
        &format!("{records} records in the log"),
        &figures,
    );
    Ok(())
}

/// A client that goes on with an appeal and with a visit in turns.
pub(super) struct Everyday {
    cast: Cast,
    life: Life,
    admin: Client,
    desk: Desk,
    ring: KeyRing,
    calls: u32,
    next: Step,
}

/// What comes next of a visit.
enum Step {
    Register,
    Plan(String, usize),
    Approve(Expected),
    CheckIn(Expected),
    /// What limits the enterprise's next visit.
    Ask(Expected),
}

impl Everyday {
    /// The client of that number, with accounts of its own.
    pub(super) fn new(site: &Site, channel: &Channel, number: u32) -> Result<Self, BenchError> {
        let own = |claims: &Claims| {
            let sub = format!("{}-{number}", claims.sub);
            site.client(channel, &Claims { sub, ..claims.clone() })
        };
        let cast = Cast::new(own)?;
        let desk = Desk::at(site, channel, usize::try_from(number).map_err(measured)?)?;
        let admin = own(&token::claims(Role::Admin))?;
        let (life, ring) = (Life::default(), site.ring()?);
        Ok(Self { cast, life, admin, desk, ring, calls: 0, next: Step::Register })
    }

    /// Leaves what it was about and begins anew, where it does not know how far that is.
    pub(super) fn begin_anew(&mut self) {
        (self.life, self.next) = (Life::default(), Step::Register);
    }

    /// One call about a visit to an enterprise that has just been registered.
    async fn go_on(&mut self, number: u32) -> Result<(), BenchError> {
        let done = std::mem::replace(&mut self.next, Step::Register);
        self.next = match done {
            Step::Register => {
                let enterprise = stock::enterprise(number);
                stock::register(&self.admin, enterprise.clone()).await?;
                Step::Plan(enterprise, usize::try_from(number).map_err(measured)? % CREWS.len())
            }
            Step::Plan(enterprise, crew) => {
                let request = CREWS[crew].request(&enterprise, Ground::Routine, "");
                let visit = plan(self.desk.of(crew)?, request).await.map_err(measured)?;
                Step::Approve(Expected { enterprise, visit, crew })
            }
            Step::Approve(visit) => {
                let unit = self.desk.of(visit.crew)?;
                approve(unit, &visit.enterprise, &visit.visit).await.map_err(measured)?;
                Step::CheckIn(visit)
            }
            Step::CheckIn(visit) => {
                let mut inspections = self.desk.of(visit.crew)?.inspections.clone();
                inspections.check_in(scan(&self.ring, &visit)?).await.map_err(measured)?;
                Step::Ask(visit)
            }
            Step::Ask(Expected { enterprise: enterprise_id, crew, .. }) => {
                let mut inspections = self.desk.of(crew)?.inspections.clone();
                let unit = CREWS[crew].unit.to_owned();
                let request = GetQuotaRequest { enterprise_id, unit, ..<_>::default() };
                inspections.get_quota(request).await.map_err(measured)?;
                Step::Register
            }
        };
        Ok(())
    }
}

impl Worker for Everyday {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        self.calls += 1;
        if self.calls.is_multiple_of(2) {
            self.cast.go_on(&mut self.life, number).await
        } else {
            self.go_on(number).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stall_among_many_calls_is_seen() {
        let mut calls = Calls::default();
        for slowest in [1, 2000, 1] {
            let millis = std::iter::repeat_n(1, 19).chain([slowest]);
            let latencies = millis.map(Duration::from_millis).collect();
            calls.add(Round { rate: f64::NAN, latencies });
        }
        let figures = calls.figures(Duration::from_secs(3)).map(|(_, figure)| figure.to_string());
        assert_eq!(figures, ["20", "1", "1", "2000"]);
    }
}
