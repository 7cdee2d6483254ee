//! What a view's tables hold, as digests: they do not depend on the order of rows, need no memory for
//! them, and where rows tell which record made them, say in which part of the log two contents differ.

use std::collections::{BTreeMap, BTreeSet};

use doudi_journal::Position;
use tokio_postgres::Client;

use crate::{ViewError, ViewName};

/// Into how many parts the log is divided at most.
const PARTS_MAX: u64 = 4096;

/// The content of a view's tables.
pub(crate) struct Digest {
    /// How many positions each part of the log has.
    span: u64,
    tables: Vec<Table>,
}

/// Each digest is `<rows>:<sum of hashes>:<sum of other hashes>`.
struct Table {
    name: &'static str,
    whole: String,
    /// Of the rows that each part of the log made; of none where rows do not tell.
    parts: BTreeMap<i64, String>,
}

impl Digest {
    /// Of the tables in the first schema of the search path, which reflect `position`.
    pub(crate) async fn of(
        client: &Client,
        view: ViewName,
        position: Position,
    ) -> Result<Self, ViewError> {
        let failed = |error| ViewError::sql("computing a digest", error);
        // The whole table is read anyway, however long that takes.
        let unbounded = "SET LOCAL enable_seqscan = on; SET LOCAL statement_timeout = 0";
        client.batch_execute(unbounded).await.map_err(failed)?;
        let span = position.0 / PARTS_MAX + 1;
        let mut tables = Vec::new();
        for name in view.tables() {
            let part = view.made_at(name).map(|column| format!("{column} / {span}"));
            let part = part.unwrap_or_else(|| "NULL::bigint".to_owned());
            let statement = format!(
                "SELECT GROUPING({part}) = 1, {part}, count(*)::text || ':' || \
                 coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text || ':' || \
                 coalesce(sum(hashtextextended(t::text, 1)::numeric), 0)::text \
                 FROM {name} AS t GROUP BY ROLLUP ({part})"
            );
            let (mut whole, mut parts) = (String::new(), BTreeMap::new());
            for row in client.query_typed(&statement, &[]).await.map_err(failed)? {
                let digest: String = row.get(2);
                match row.get::<_, Option<i64>>(1) {
                    _ if row.get(0) => whole = digest,
                    Some(part) => _ = parts.insert(part, digest),
                    None => {}
                }
            }
            tables.push(Table { name, whole, parts });
        }
        Ok(Self { span, tables })
    }

    /// All of it as one text.
    pub(crate) fn text(&self) -> String {
        let tables = self.tables.iter().map(|table| format!("{}:{}", table.name, table.whole));
        tables.collect::<Vec<_>>().join(" ")
    }

    /// The tables in which the live content differs from the `replayed` one at `position`: how many rows there
    /// are and should be, and which records made the rows that differ, as far as rows tell.
    pub(crate) fn differences(&self, replayed: &Self, position: Position) -> Vec<String> {
        let pairs = self.tables.iter().zip(&replayed.tables);
        let differing = pairs.filter(|(live, replayed)| live.whole != replayed.whole);
        let told = |(live, replayed): (&Table, &Table)| {
            let rows = |table: &Table| table.whole.split(':').next().unwrap_or_default().to_owned();
            let parts: BTreeSet<i64> =
                live.parts.keys().chain(replayed.parts.keys()).copied().collect();
            let mut parts =
                parts.into_iter().filter(|part| live.parts.get(part) != replayed.parts.get(part));
            let first = parts.next();
            let records = first.map_or_else(String::new, |first| {
                let start = |part: i64| u64::try_from(part).unwrap_or(0) * self.span;
                let last = start(parts.next_back().unwrap_or(first)) + self.span - 1;
                format!(" of records {} to {}", start(first).max(1), last.min(position.0))
            });
            format!("{} ({} rows, {} by the log{records})", live.name, rows(live), rows(replayed))
        };
        differing.map(told).collect()
    }
}
