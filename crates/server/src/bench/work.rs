//! Clients at work: each does one thing after another, as fast as it is answered, until so many are done; and
//! what is compared, round by round in turns, so that whatever else the machine does hits all alike.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use tokio::task::JoinSet;

use super::{
    BenchError,
    disk::{Disk, Latencies},
    measured,
    report::{Figure, Report},
};

/// How many clients are at work at once, one after another.
pub const CLIENTS: [u32; 3] = [1, 32, 256];

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Pace {
    /// How many rounds each side has with each number of clients.
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,
    /// How many things one client does in a round; each doubling of the clients does as many more.
    #[arg(long, default_value_t = 800)]
    pub share: u32,
}

impl Pace {
    /// How many things so many clients do in one round.
    #[must_use]
    pub fn count(self, clients: u32) -> u32 {
        self.share * (1 + clients.max(1).ilog2())
    }

    /// How many things are done in all rounds of one side.
    #[must_use]
    pub fn total(self) -> u32 {
        self.rounds * CLIENTS.map(|clients| self.count(clients)).iter().sum::<u32>()
    }
}

/// Something that is measured beside others.
pub trait Side: Send {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// One round: so many clients do so many things. Only the doing is timed.
    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>>;
}

/// Lets the sides have their rounds in turns, with each number of clients, and reports them, each beside the
/// first and beside the disk.
///
/// # Errors
/// The first that any of them, or the disk, answers with.
pub async fn in_turns(
    report: &mut Report,
    disk: &mut Disk,
    sides: &mut [Box<dyn Side>],
    pace: Pace,
) -> Result<(), BenchError> {
    for clients in CLIENTS {
        let mut all = vec![Rounds::default(); sides.len()];
        for number in 0..pace.rounds {
            let mut turns: Vec<_> = sides.iter_mut().zip(&mut all).collect();
            // Who comes after whom changes, since a side may leave work behind.
            if number % 2 == 1 {
                turns.reverse();
            }
            for (side, rounds) in turns {
                let latencies = disk.look()?;
                rounds.add(side.round(clients, pace.count(clients)).await?, latencies);
            }
        }
        for (at, (side, rounds)) in sides.iter().zip(&all).enumerate() {
            let first = all.first().unwrap_or(rounds);
            report.beside([rounds.disk()]);
            let table = format!("{clients} in flight");
            let mark = if at == 0 { " (first)" } else { "" };
            report.line(&table, &format!("{}{mark}", side.name()), &rounds.figures(first));
        }
    }
    Ok(())
}

/// One that does one thing after another.
pub trait Worker: Send + 'static {
    /// Does the thing of that number, which nobody else does, and waits until it is done.
    fn act(&mut self, number: u32) -> impl Future<Output = Result<(), BenchError>> + Send;
}

/// What came of a round.
#[derive(Debug, Clone)]
pub struct Round {
    /// How many things were done a second.
    pub rate: f64,
    /// How long each took, ascending.
    pub latencies: Vec<Duration>,
}

/// Lets all of them work at once until `numbers` are done, and gives them back.
///
/// # Errors
/// The first of theirs; then the round counts for nothing.
pub async fn round<W: Worker>(
    workers: Vec<W>,
    numbers: std::ops::Range<u32>,
) -> Result<(Round, Vec<W>), BenchError> {
    let next = Arc::new(AtomicU32::new(numbers.start));
    let until = numbers.end;
    let (mut at_work, began) = (JoinSet::new(), Instant::now());
    for mut worker in workers {
        let next = Arc::clone(&next);
        at_work.spawn(async move {
            let mut latencies = vec![];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= until {
                    return Ok::<_, BenchError>((worker, latencies));
                }
                let began = Instant::now();
                worker.act(number).await?;
                latencies.push(began.elapsed());
            }
        });
    }
    let (mut workers, mut latencies) = (vec![], vec![]);
    while let Some(ended) = at_work.join_next().await {
        let (worker, own) = ended.map_err(measured)??;
        workers.push(worker);
        latencies.extend(own);
    }
    let rate = f64::from(numbers.end - numbers.start) / began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok((Round { rate, latencies }, workers))
}

/// The rounds of one kind, with what the disk did before each.
#[derive(Debug, Clone, Default)]
pub struct Rounds {
    rounds: Vec<Round>,
    disk: Latencies,
}

impl Rounds {
    /// Takes in one more.
    pub fn add(&mut self, round: Round, disk: Latencies) {
        self.rounds.push(round);
        self.disk.add(disk);
    }

    /// What the disk did before each of them.
    #[must_use]
    pub fn disk(&self) -> Latencies {
        self.disk.clone()
    }

    /// The medians over all rounds, beside those of `first`.
    #[must_use]
    pub fn figures(&self, first: &Self) -> [Figure; 5] {
        let at =
            |percent| median(self.rounds.iter().map(|round| percentile(&round.latencies, percent)));
        [
            ("per s", median(self.rounds.iter().map(|round| round.rate))),
            ("to first", self.ratio(first, |round| round.rate)),
            ("p50 ms", at(50)),
            ("to first's", self.ratio(first, |round| percentile(&round.latencies, 50))),
            ("p99 ms", at(99)),
        ]
    }

    /// What `figure` of each round is to that of the round of `other` that ran beside it: the median of the ratios.
    fn ratio(&self, other: &Self, figure: impl Fn(&Round) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(own, other)| figure(own) / figure(other)))
    }
}

/// The middle one; not a number where there is none.
#[must_use]
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What so many of a hundred stay below, of times in ascending order: milliseconds.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(Arc<AtomicU32>);

    impl Worker for Counting {
        async fn act(&mut self, number: u32) -> Result<(), BenchError> {
            self.0.fetch_add(number, Ordering::Relaxed);
            Ok(())
        }
    }

    #[tokio::test]
    async fn each_number_is_done_once_whoever_does_it() {
        let sum = Arc::new(AtomicU32::new(0));
        let workers = (0..3).map(|_| Counting(Arc::clone(&sum))).collect();
        let (done, workers) = round(workers, 10..110).await.unwrap();
        assert_eq!((done.latencies.len(), workers.len()), (100, 3));
        assert_eq!(sum.load(Ordering::Relaxed), (10..110).sum::<u32>());
    }

    #[test]
    fn ratios_are_of_rounds_that_ran_beside_each_other() {
        let rounds = |rates: [f64; 3]| {
            let mut rounds = Rounds::default();
            for rate in rates {
                rounds.add(Round { rate, latencies: vec![] }, Latencies::default());
            }
            rounds
        };
        let (own, other) = (rounds([10.0, 40.0, 90.0]), rounds([10.0, 20.0, 30.0]));
        assert!((own.ratio(&other, |round| round.rate) - 2.0).abs() < 1e-9);
    }
}
