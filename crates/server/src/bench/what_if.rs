//! `doudi bench what-if`: how fast documents are tried out on a long log, beside reading it alone.

use std::path::Path;

use doudi_api::proto::{PolicyDocument, policy_document::Document};
use doudi_domain::what_if::Days;
use doudi_engine::what_if::replay;
use doudi_journal::{Journal, Position, READ_RECORDS_MAX};
use tokio::time::Instant;

use super::{
    BenchError, caught_up, disk::Disk, live_a_year, measured, of_a_year, report::Report, submit_all,
};
use crate::{catalogue, clock::Hands, stage::on_stage};

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// How many records the log has.
    #[arg(long, default_value_t = 1_000_000)]
    pub records: u32,
    /// Of how many enterprises a year is simulated; the rest of the log is appeals.
    #[arg(long, default_value_t = 2000)]
    pub enterprises: u32,
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
        let journal = &stage.parts.journal;
        let year = live_a_year(&stage, &hands, scale.enterprises).await?;
        let cases = u64::from(scale.records).saturating_sub(year.0);
        let cases = u32::try_from(cases).unwrap_or(u32::MAX);
        let end = submit_all(&stage.parts.engine, 0..cases).await?.max(year);
        caught_up(&stage, end).await?;
        let table = format!("{} records, {} of them of a year of inspections", end.0, year.0);
        let before = disk.look()?;
        let bare = seconds(read(journal)).await?;
        report.beside([before, disk.look()?]);
        report.line(&table, "reading alone", &[("s", bare)]);
        let documents = [
            ("one visit at the most", once(catalogue::frequency_policy())),
            ("routing table", catalogue::Plan::published()?.routing()),
            ("case types", catalogue::case_types()?),
        ];
        for (name, document) in documents {
            let candidate = doudi_api::what_if(&document, Days::default()).map_err(measured)?;
            let now = stage.parts.engine.now();
            let (before, mut compared) = (disk.look()?, 0);
            let took = seconds(async {
                compared =
                    replay(journal, candidate, now, |_| {}).await.map_err(measured)?.compared;
                Ok(())
            });
            let took = took.await?;
            report.beside([before, disk.look()?]);
            let compared = u32::try_from(compared).map_err(measured)?;
            let compared = ("compared", f64::from(compared));
            report.line(&table, name, &[("s", took), ("ratio", took / bare), compared]);
        }
        Ok(())
    })
    .await
}

/// How long it takes.
async fn seconds(work: impl Future<Output = Result<(), BenchError>>) -> Result<f64, BenchError> {
    let begun = Instant::now();
    work.await?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Reads the log page by page, and each commit in it.
async fn read(journal: &Journal) -> Result<(), BenchError> {
    let mut reached = Position::START;
    loop {
        let page = journal.read(reached, READ_RECORDS_MAX).await.map_err(measured)?;
        let Some(last) = page.last() else { return Ok(()) };
        reached = last.position;
        for record in &page {
            record.commit().map_err(measured)?;
        }
    }
}

/// The limits with every maximum at most 1.
fn once(mut document: PolicyDocument) -> PolicyDocument {
    if let Some(Document::Frequency(policy)) = &mut document.document {
        for rule in &mut policy.rules {
            rule.maximum = rule.maximum.min(1);
        }
    }
    document
}
