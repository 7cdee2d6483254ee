//! `doudi bench overload`: how many clients it takes until `doudi all` does not answer more any more, and what is left
//! of that when five times as many come, in turns with as many as it has work for.
//!
//! A client that is refused comes again when it was told to. What is answered too late to be of use does not count.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{
    BenchError,
    disk::{Disk, Latencies},
    load::Everyday,
    measured, megabytes,
    report::{Figure, Report},
    site::Site,
    work::{Worker, median, percentile},
};
use crate::children::ToDisk;

/// How many clients are tried to find out how many there is work for, as far as asked for.
const LEVELS: [u32; 7] = [8, 16, 32, 64, 128, 256, 512];
/// How much of the most is as good as the most, in percent.
const NEARLY: f64 = 95.0;
/// How many times as many come.
const TIMES: u32 = 5;
/// How many clients share a connection, as behind a gateway.
const PER_CONNECTION: u32 = 16;
/// An answer later than that is of no use.
const USEFUL_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// When to come again where nothing was told.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// For how many seconds each number of clients is tried, and each round lasts.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// How many rounds each of the two have, in turns.
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,
    /// How many clients are tried at most to find out how many there is work for.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..))]
    pub clients: u32,
}

/// Measures in `folder`, which is for nothing else.
///
/// # Errors
/// [`BenchError`] when something cannot be started, or a client is answered in a way that no load explains.
pub async fn run(
    folder: &Path,
    sync: ToDisk,
    scale: Scale,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let program = std::env::current_exe().map_err(measured)?;
    let site = Site::open(folder, &program, "all", sync).await?;
    let mut crowd = Crowd::new(&site, disk, Duration::from_secs(scale.seconds));
    let mut levels = vec![];
    for clients in LEVELS.into_iter().filter(|clients| *clients <= scale.clients) {
        let told = crowd.round(clients).await?;
        report.beside([told.disk.clone()]);
        report.line("clients at work", &format!("{clients} clients"), &told.figures());
        levels.push((clients, told.good_rate()));
    }
    let most = levels.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let enough = levels.iter().find(|(_, rate)| *rate >= most * NEARLY / 100.0);
    let knee = enough.map_or(LEVELS[0], |(clients, _)| *clients);

    let (mut peaks, mut overs) = (vec![], vec![]);
    for round in 0..scale.rounds {
        // Who comes after whom changes, since an overload may leave work behind.
        let both = [(knee, true), (TIMES * knee, false)];
        let turns = if round % 2 == 0 { both } else { [both[1], both[0]] };
        for (clients, peak) in turns {
            let told = crowd.round(clients).await?;
            if peak { peaks.push(told) } else { overs.push(told) }
        }
    }
    for (name, rounds) in [("as many as there is work for", &peaks), ("five times as many", &overs)]
    {
        for told in rounds {
            report.beside([told.disk.clone()]);
            report.line(name, &format!("{} clients", told.clients), &told.figures());
        }
    }
    let pairs = peaks.iter().zip(&overs).map(|(peak, over)| over.good_rate() / peak.good_rate());
    let of_all = |rounds: &[Told], of: fn(&Told) -> f64| median(rounds.iter().map(of));
    let figures = [
        ("peak good/s", of_all(&peaks, Told::good_rate)),
        ("overload good/s", of_all(&overs, Told::good_rate)),
        ("ratio", median(pairs)),
        ("refused p50 ms", of_all(&overs, |told| percentile(&told.refused, 50))),
        ("refused p99 ms", of_all(&overs, |told| percentile(&told.refused, 99))),
        ("resident MB at most", overs.iter().map(|told| told.resident).fold(0.0, f64::max)),
    ];
    report.beside(peaks.into_iter().chain(overs).map(|told| told.disk));
    report.line("overload", &format!("{knee} and {} clients", TIMES * knee), &figures);
    site.close().await
}

/// The clients that there are so far; as many as are wanted come.
struct Crowd<'a> {
    site: &'a Site,
    disk: &'a mut Disk,
    time: Duration,
    clients: Vec<Everyday>,
    made: u32,
    numbers: Arc<AtomicU32>,
}

/// What came of a round.
#[derive(Debug, Default)]
struct Told {
    clients: u32,
    seconds: f64,
    /// How long each answer took that was of use, ascending.
    good: Vec<Duration>,
    /// How many came too late, or not at all.
    late: u32,
    /// How long each refusal took, ascending.
    refused: Vec<Duration>,
    /// The most memory that the process held, in MB.
    resident: f64,
    /// What the disk did before and after.
    disk: Latencies,
}

impl<'a> Crowd<'a> {
    fn new(site: &'a Site, disk: &'a mut Disk, time: Duration) -> Self {
        Self { site, disk, time, clients: vec![], made: 0, numbers: Arc::default() }
    }

    async fn round(&mut self, clients: u32) -> Result<Told, BenchError> {
        while self.made < clients {
            let channel = self.site.channel().await?;
            for _ in 0..PER_CONNECTION {
                self.clients.push(Everyday::new(self.site, &channel, self.made)?);
                self.made += 1;
            }
        }
        let before = self.disk.look()?;
        let (began, until) = (Instant::now(), Instant::now() + self.time);
        let mut at_work = JoinSet::new();
        for client in self.clients.drain(..usize::try_from(clients).map_err(measured)?) {
            at_work.spawn(go_on(client, Arc::clone(&self.numbers), until));
        }
        let mut told = Told { clients, disk: before, ..Told::default() };
        loop {
            let resident = self.site.doudi.resident().map_or(f64::NAN, megabytes);
            told.resident = told.resident.max(resident);
            match timeout(LOOK_EVERY, at_work.join_next()).await {
                Err(_) => {}
                Ok(None) => break,
                Ok(Some(ended)) => {
                    let (client, own) = ended.map_err(measured)??;
                    self.clients.push(client);
                    told.good.extend(own.good);
                    told.refused.extend(own.refused);
                    told.late += own.late;
                }
            }
        }
        told.seconds = began.elapsed().as_secs_f64();
        told.good.sort_unstable();
        told.refused.sort_unstable();
        told.disk.add(self.disk.look()?);
        Ok(told)
    }
}

/// One client, until the time is over.
async fn go_on(
    mut client: Everyday,
    numbers: Arc<AtomicU32>,
    until: Instant,
) -> Result<(Everyday, Told), BenchError> {
    let mut told = Told::default();
    while Instant::now() < until {
        let (number, began) = (numbers.fetch_add(1, Ordering::Relaxed), Instant::now());
        let done = client.act(number).await;
        let took = began.elapsed();
        match done {
            Ok(()) if took <= USEFUL_WITHIN => told.good.push(took),
            Ok(()) => told.late += 1,
            Err(error) => match said(&error) {
                Some(Said::Refused(again_after)) => {
                    told.refused.push(took);
                    sleep(again_after.min(until.saturating_duration_since(Instant::now()))).await;
                }
                Some(Said::Late) => {
                    told.late += 1;
                    client.begin_anew();
                }
                None => return Err(error),
            },
        }
    }
    Ok((client, told))
}

/// What an error says that load explains.
enum Said {
    /// Not now, but after that time.
    Refused(Duration),
    /// It took too long.
    Late,
}

fn said(error: &BenchError) -> Option<Said> {
    let BenchError::Measured(source) = error else { return None };
    let status = source.downcast_ref::<Status>()?;
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    if matches!(reason, Some("OVERLOADED" | "CALLER_TOO_BUSY")) {
        let told = details.retry_info().and_then(|info| info.retry_delay);
        return Some(Said::Refused(told.unwrap_or(AGAIN_AFTER)));
    }
    matches!(status.code(), Code::DeadlineExceeded | Code::Unavailable).then_some(Said::Late)
}

impl Told {
    fn rate(&self, count: usize) -> f64 {
        u32::try_from(count).map_or(f64::INFINITY, f64::from) / self.seconds
    }

    fn good_rate(&self) -> f64 {
        self.rate(self.good.len())
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            ("good/s", self.good_rate()),
            ("p50 ms", percentile(&self.good, 50)),
            ("p99 ms", percentile(&self.good, 99)),
            ("late/s", f64::from(self.late) / self.seconds),
            ("refused/s", self.rate(self.refused.len())),
            ("p50 ms of them", percentile(&self.refused, 50)),
            ("p99 ms of them", percentile(&self.refused, 99)),
            ("resident MB", self.resident),
        ]
    }
}
