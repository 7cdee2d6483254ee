//! How long a question takes over the API and bare.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

use crate::bench::{BenchError, measured, report::Report, work::percentile};

/// What came of some work, and how long it took.
pub(super) async fn timed<T, E>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<(Duration, T), BenchError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let begun = Instant::now();
    let answer = work.await.map_err(measured)?;
    Ok((begun.elapsed(), answer))
}

/// How long a question took both ways, of which each is asked first every other time: whichever is second finds in
/// memory what the first got from the disk, so each is held against the other that did as much. What is asked again and
/// again, as an inbox is, is in memory both times.
#[derive(Debug, Default)]
pub(super) struct Asked {
    first: Times,
    second: Times,
}

#[derive(Debug, Default)]
struct Times {
    own: Vec<Duration>,
    bare: Vec<Duration>,
}

impl Asked {
    /// Asks both ways, one after the other, and gives both answers.
    pub(super) async fn both<A, B>(
        &mut self,
        own_first: bool,
        own: impl Future<Output = Result<A, Status>>,
        bare: impl Future<Output = Result<B, BenchError>>,
    ) -> Result<(A, B), BenchError> {
        let Self { first, second } = self;
        if own_first {
            let own = timed(own).await?;
            let bare = timed(bare).await?;
            first.own.push(own.0);
            second.bare.push(bare.0);
            return Ok((own.1, bare.1));
        }
        let bare = timed(bare).await?;
        let own = timed(own).await?;
        first.bare.push(bare.0);
        second.own.push(own.0);
        Ok((own.1, bare.1))
    }

    /// Prints how long it took, beside an rpc that asks nothing, which takes `empty` milliseconds.
    pub(super) fn tell(self, question: &str, empty: f64, report: &mut Report) {
        for (when, Times { mut own, mut bare }) in
            [("asked first", self.first), ("asked second", self.second)]
        {
            let (own, bare) = (percentiles(&mut own), percentiles(&mut bare));
            let figures = [
                ("p50", own[0]),
                ("p95", own[1]),
                ("p99", own[2]),
                ("bare p50", bare[0]),
                ("bare p95", bare[1]),
                ("ratio at p50", own[0] / bare[0]),
                ("beside both", own[0] / (bare[0] + empty)),
            ];
            report.line("milliseconds", &format!("{question}, {when}"), &figures);
        }
    }
}

/// The median, the 95th and the 99th percentile, in milliseconds.
pub(super) fn percentiles(times: &mut [Duration]) -> [f64; 3] {
    times.sort_unstable();
    [50, 95, 99].map(|percent| percentile(times, percent))
}
