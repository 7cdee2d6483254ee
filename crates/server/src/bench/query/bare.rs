//! What is asked beside the API: the same rows by plain SQL on one connection, statements prepared.

use doudi_views::{
    ViewName,
    tokio_postgres::{Client, Statement, types::ToSql},
};
use jiff::civil::Date;

use crate::bench::{BenchError, measured};

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

    /// Three at once and then the visits, as the API asks.
    pub(super) async fn quota(&self, enterprise: &str) -> Result<(), BenchError> {
        let catalogue = format!("catalogue.{}", self.unit);
        let one = async |statement, value: &str| self.rows(statement, &[&value]).await;
        tokio::try_join!(
            one(&self.policy, "frequency"),
            one(&self.policy, &catalogue),
            one(&self.profile, enterprise),
        )?;
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
