//! What is asked beside the API: the same rows by plain SQL on one connection, statements prepared.

use std::time::Duration;

use doudi_views::{
    ViewName,
    tokio_postgres::{Client, Statement, types::ToSql},
};
use jiff::civil::Date;
use tokio::time::Instant;

use crate::bench::{BenchError, measured};

/// How many rows go in with one statement.
const BATCH: i64 = 1000;

/// Puts the simulated entries into a table like theirs, and says how many there were and how long it took.
pub(super) async fn insert(client: &Client, schema: &str) -> Result<(u64, Duration), BenchError> {
    const COLUMNS: &str = "position, ordinal, enterprise, kind, event_type, subject, unit, area, \
         occurred_at, recorded_at, details::text AS details, internal";
    const INSERT: &str = "INSERT INTO bench.entry SELECT a, b, c, d, e, f, g, h, i, j, k::jsonb, l \
         FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::uuid[], \
         $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::boolean[]) \
         AS row(a, b, c, d, e, f, g, h, i, j, k, l)";
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

/// Enterprises that have a timeline, drawn at random.
pub(super) async fn enterprises(client: &Client, count: u32) -> Result<Vec<String>, BenchError> {
    let statement = format!(
        "SELECT enterprise FROM {}.enterprise ORDER BY random() LIMIT $1",
        ViewName::Timeline.schema()
    );
    let rows = client.query(&statement, &[&i64::from(count)]).await.map_err(measured)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The questions as prepared statements.
pub(super) struct Questions<'a> {
    client: &'a Client,
    unit: &'a str,
    area: &'a str,
    timeline: Statement,
    policy: Statement,
    profile: Statement,
    visits: Statement,
    inbox: Statement,
    board: Statement,
}

impl<'a> Questions<'a> {
    pub(super) async fn prepare(
        client: &'a Client,
        unit: &'a str,
        area: &'a str,
    ) -> Result<Self, BenchError> {
        let prepare = async |statement: &str| {
            let mut statement = statement.to_owned();
            for view in ViewName::ALL {
                statement = statement.replace(&format!("{{{view}}}"), &view.schema());
            }
            client.prepare(&statement).await.map_err(measured)
        };
        Ok(Self {
            client,
            unit,
            area,
            timeline: prepare(include_str!("timeline.sql")).await?,
            policy: prepare(
                "SELECT version, said FROM {visits}.policy WHERE name = $1 AND published LIMIT 1",
            )
            .await?,
            profile: prepare("SELECT profile FROM {visits}.enterprise WHERE enterprise = $1")
                .await?,
            visits: prepare(
                "SELECT enterprise, area, document FROM {visits}.visit WHERE enterprise = $1 \
                 AND held IS NOT NULL AND day >= $2 ORDER BY visit LIMIT 10001",
            )
            .await?,
            inbox: prepare(include_str!("inbox.sql")).await?,
            board: prepare(include_str!("board.sql")).await?,
        })
    }

    async fn rows(
        &self,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<usize, BenchError> {
        Ok(self.client.query(statement, values).await.map_err(measured)?.len())
    }

    pub(super) async fn timeline(&self, enterprise: &str) -> Result<usize, BenchError> {
        self.rows(&self.timeline, &[&enterprise]).await
    }

    /// One after the other, as the API must.
    pub(super) async fn quota(&self, enterprise: &str) -> Result<(), BenchError> {
        self.rows(&self.policy, &[&"frequency"]).await?;
        self.rows(&self.policy, &[&format!("catalogue.{}", self.unit)]).await?;
        self.rows(&self.profile, &[&enterprise]).await?;
        let from = jiff::civil::date(2025, 1, 1);
        self.rows(&self.visits, &[&enterprise, &from]).await?;
        Ok(())
    }

    pub(super) async fn inbox(&self) -> Result<usize, BenchError> {
        self.rows(&self.inbox, &[&self.area]).await
    }

    /// How many visits there were.
    pub(super) async fn board(&self, from: Date, until: Date) -> Result<usize, BenchError> {
        let found = self.client.query(&self.board, &[&from, &until]).await.map_err(measured)?;
        let whole = found.iter().find(|row| row.get("whole"));
        let all = whole.map_or(0, |row| row.get::<_, i64>("rows"));
        Ok(usize::try_from(all).unwrap_or(usize::MAX))
    }
}
