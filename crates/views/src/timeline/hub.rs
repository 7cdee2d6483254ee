//! One reader for all live timelines of a process: each new row is read once, however many watch.
//!
//! A batch says which positions it covers. A watcher that misses one sees the hole and goes back to
//! the table, so the broadcast may be lossy and bounded.

use std::{collections::HashMap, sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use doudi_domain::EnterpriseId;
use doudi_journal::Position;
use tokio::sync::{broadcast, watch};
use tokio_postgres::types::{ToSql, Type};

use super::{
    COLUMNS, ENTRIES, Known,
    reached::{Gap, gaps},
};
use crate::{ViewError, ViewName, db, read::Reader};

/// How many batches a slow watcher may be late before it goes back to the table.
const BATCHES_MAX: usize = 64;
/// The most rows of one batch. More than one commit can hold, so a batch always ends with a commit.
const ROWS_MAX: i64 = 2000;
/// The pause after a failed read.
const PAUSE: Duration = Duration::from_millis(500);

/// Every entry of the positions after `after`, up to and including `until`.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) after: Position,
    pub(super) until: Position,
    /// The gaps that there were when it was read.
    pub(super) gaps: Vec<Gap>,
    /// In log order.
    entries: Vec<Known>,
    /// Where each enterprise's stand among them.
    places: HashMap<EnterpriseId, Vec<usize>>,
}

impl Batch {
    fn new(after: Position, until: Position, gaps: Vec<Gap>, entries: Vec<Known>) -> Self {
        let mut places: HashMap<EnterpriseId, Vec<usize>> = HashMap::new();
        for (at, known) in entries.iter().enumerate() {
            places.entry(known.entry.enterprise.clone()).or_default().push(at);
        }
        Self { after, until, gaps, entries, places }
    }

    /// The entries in log order: all, or those of one enterprise, without looking at the others.
    pub(super) fn entries<'a>(
        &'a self,
        of: Option<&EnterpriseId>,
    ) -> Box<dyn Iterator<Item = &'a Known> + 'a> {
        match of {
            None => Box::new(self.entries.iter()),
            Some(of) => {
                let places = self.places.get(of).into_iter().flatten();
                Box::new(places.filter_map(|at| self.entries.get(*at)))
            }
        }
    }
}

/// The source of new entries. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    batches: broadcast::Sender<Arc<Batch>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { batches: broadcast::Sender::new(BATCHES_MAX) }
    }
}

impl Hub {
    /// The batches from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Batch>> {
        self.batches.subscribe()
    }

    /// Reads what is new whenever the view has progressed, for ever.
    pub(crate) async fn run(self, pool: Pool, mut progress: watch::Receiver<Position>) {
        let mut at = *progress.borrow();
        while let Ok(reached) = progress.wait_for(|reached| *reached != at).await.map(|now| *now) {
            // Behind what was sent means that the log has lost records, and what comes now was not sent.
            if self.batches.receiver_count() == 0 || reached < at {
                at = reached;
                continue;
            }
            match read(&pool, at, reached).await {
                Ok(batch) if batch.until > at => {
                    at = batch.until;
                    // Nobody is there any more: nobody misses it.
                    let _ = self.batches.send(Arc::new(batch));
                }
                // The view went back between the news and the read.
                Ok(_) => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "reading new timeline entries for the watchers"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// The batch that follows `after`, up to `until` at most.
async fn read(pool: &Pool, after: Position, until: Position) -> Result<Batch, ViewError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM {ENTRIES} WHERE position > $1 AND position <= $2 \
         ORDER BY position, ordinal LIMIT {ROWS_MAX}"
    );
    let mut reader = Reader::of(pool, ViewName::Timeline).await?;
    let snapshot = reader.snapshot();
    let values: [(&(dyn ToSql + Sync), Type); 2] =
        [(&db::stored(after), Type::INT8), (&db::stored(until), Type::INT8)];
    // Both are sent at once.
    let rows = snapshot.rows("reading new timeline entries", &statement, &values);
    let (rows, gaps) = futures::future::try_join(rows, gaps(&snapshot)).await?;
    let mut found = rows.iter().map(Known::read).collect::<Result<Vec<_>, _>>()?;
    let mut until = until.min(snapshot.position().await?);
    if i64::try_from(found.len()).is_ok_and(|rows| rows >= ROWS_MAX)
        && let Some(cut) = found.last().map(|last| last.entry.position)
    {
        // The last commit may be cut in the middle; the next batch begins with it.
        found.retain(|known| known.entry.position < cut);
        until = Position(cut.0.saturating_sub(1));
    }
    Ok(Batch::new(after, until, gaps, found))
}
