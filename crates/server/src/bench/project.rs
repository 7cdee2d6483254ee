//! `doudi bench project`: how fast the timelines and the visits are built from the log, together and each alone,
//! beside bare inserts of the timelines' rows in the same run.

use std::{path::Path, time::Duration};

use doudi_journal::{Journal, Position, READ_RECORDS_MAX};
use doudi_views::{
    Rebuild, ViewName,
    tokio_postgres::{self, Client, NoTls, types::ToSql},
};
use tokio::{task::JoinSet, time::Instant};

use super::{BenchError, caught_up, disk::Disk, live_a_year, measured, of_a_year, report::Report};
use crate::{
    clock::Hands,
    stage::{Stage, on_stage},
};

/// How many rows go in with one statement.
const BATCH: i64 = 1000;

/// What is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Scale {
    /// Of how many enterprises a year is simulated.
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
        let end = live_a_year(&stage, &hands, scale.enterprises).await?;
        caught_up(&stage, end).await?;
        let url = stage.config.postgres.url.expose();
        let (bare, connection) = tokio_postgres::connect(url, NoTls).await.map_err(measured)?;
        let mut pump = JoinSet::new();
        pump.spawn(connection);
        Box::pin(catch_up(&stage, &bare, end.0, disk, report)).await
    })
    .await
}

/// How fast the timelines and the visits are built, and how fast bare rows go in.
async fn catch_up(
    stage: &Stage,
    client: &Client,
    records: u64,
    disk: &mut Disk,
    report: &mut Report,
) -> Result<(), BenchError> {
    let entries = rows(client, ViewName::Timeline, &["entry"]).await?;
    let of_visits = ["visit", "visit_past", "enterprise", "enterprise_past"];
    let of_visits = rows(client, ViewName::Visits, &of_visits).await?;
    let events = events(&stage.parts.journal).await?;
    let (before, mut built) = (disk.look()?, Vec::new());
    for (name, views, rows) in [
        (
            "timeline and visits together",
            vec![ViewName::Timeline, ViewName::Visits],
            entries + of_visits,
        ),
        ("timeline alone", vec![ViewName::Timeline], entries),
        ("visits alone", vec![ViewName::Visits], of_visits),
    ] {
        built.push((name, rows, build(stage, &views).await?));
    }
    let (inserted, bare) = insert(client).await?;
    report.beside([before, disk.look()?]);
    for (name, rows, took) in built {
        let figures = [
            ("records", count(records)),
            ("rows", count(rows)),
            ("s", took.as_secs_f64()),
            ("records/s", rate(records, took)),
            ("events/s", rate(events, took)),
            ("rows/s", rate(rows, took)),
            ("rows to bare", rate(rows, took) / rate(inserted, bare)),
        ];
        report.line("built from the log", name, &figures);
    }
    let figures =
        [("rows", count(inserted)), ("s", bare.as_secs_f64()), ("rows/s", rate(inserted, bare))];
    report.line("bare UNNEST", "the timeline's rows, alone", &figures);
    Ok(())
}

/// How long it takes to build some views again, with all indexes. What was built is given up.
async fn build(stage: &Stage, names: &[ViewName]) -> Result<Duration, BenchError> {
    let (views, journal) = (&stage.parts.views, &stage.parts.journal);
    let mut rebuilds = Vec::new();
    for view in names {
        rebuilds.push(views.begin_rebuild(journal, *view).await.map_err(measured)?);
    }
    let begun = Instant::now();
    Rebuild::catch_up(&mut rebuilds, journal, &mut |_, _, _| {}).await.map_err(measured)?;
    let took = begun.elapsed();
    for rebuild in rebuilds {
        rebuild.give_up().await.map_err(measured)?;
    }
    Ok(took)
}

/// How many rows some tables of a view have.
async fn rows(client: &Client, view: ViewName, tables: &[&str]) -> Result<u64, BenchError> {
    let mut all = 0;
    for table in tables {
        let count = format!("SELECT count(*) FROM {}.{table}", view.schema());
        let found: i64 = client.query_one(&count, &[]).await.map_err(measured)?.get(0);
        all += u64::try_from(found).map_err(measured)?;
    }
    Ok(all)
}

/// How many events the records of the log have.
async fn events(journal: &Journal) -> Result<u64, BenchError> {
    let (mut events, mut after) = (0, Position::START);
    loop {
        let page = journal.read(after, READ_RECORDS_MAX).await.map_err(measured)?;
        let Some(last) = page.last() else { return Ok(events) };
        after = last.position;
        for record in &page {
            events += record.commit().map_err(measured)?.events.len() as u64;
        }
    }
}

fn rate(number: u64, took: Duration) -> f64 {
    count(number) / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
fn count(number: u64) -> f64 {
    number as f64
}

/// Puts the simulated entries into a table like theirs, and says how many there were and how long it took.
async fn insert(client: &Client) -> Result<(u64, Duration), BenchError> {
    const COLUMNS: &str = "position, ordinal, enterprise, kind, event_type, subject, unit, area, \
         occurred_at, recorded_at, details::text AS details, internal";
    const INSERT: &str = "INSERT INTO bench.entry SELECT a, b, c, d, e, f, g, h, i, j, k::json, l \
         FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::uuid[], \
         $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::boolean[]) \
         AS row(a, b, c, d, e, f, g, h, i, j, k, l)";
    let schema = ViewName::Timeline.schema();
    let table = "CREATE SCHEMA bench; CREATE TABLE bench.entry";
    let table = format!("{table} (LIKE {schema}.entry INCLUDING ALL)");
    client.batch_execute(&table).await.map_err(measured)?;
    let insert = client.prepare(INSERT).await.map_err(measured)?;
    let read = format!(
        "SELECT {COLUMNS} FROM {schema}.entry WHERE (position, ordinal) > ($1, $2) \
         ORDER BY position, ordinal LIMIT {BATCH}"
    );
    let (mut rows, mut took, mut after) = (0, Duration::ZERO, (0_i64, 0_i32));
    loop {
        let found = client.query(&read, &[&after.0, &after.1]).await.map_err(measured)?;
        let Some(last) = found.last() else { return Ok((rows, took)) };
        after = (last.get(0), last.get(1));
        macro_rules! all {
            ($of:ty, $at:literal) => {
                found.iter().map(|row| row.get::<_, $of>($at)).collect::<Vec<$of>>()
            };
        }
        let (a, b, c) = (all!(i64, 0), all!(i32, 1), all!(String, 2));
        let (d, e) = (all!(String, 3), all!(String, 4));
        let (f, g, h) =
            (all!(Option<uuid::Uuid>, 5), all!(Option<String>, 6), all!(Option<String>, 7));
        let (i, j) = (all!(jiff::Timestamp, 8), all!(jiff::Timestamp, 9));
        let (k, l) = (all!(String, 10), all!(bool, 11));
        let values: [&(dyn ToSql + Sync); 12] = [&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k, &l];
        let begun = Instant::now();
        rows += client.execute(&insert, &values).await.map_err(measured)?;
        took += begun.elapsed();
    }
}
