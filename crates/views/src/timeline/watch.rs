//! A live timeline: pages from the table until it has caught up, then batches from the hub.
//!
//! Every entry after the starting point comes exactly once and in log order: what a batch does not
//! cover without a hole is read from the table, from the watcher's own point.

use std::{sync::Arc, time::Duration};

use doudi_domain::EnterpriseId;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, timeout_at},
};
use tokio_postgres::types::{ToSql, Type};

use super::{COLUMNS, ENTRIES, Entry, Known, Point, SCOPED, WatchItem, hub::Batch};
use crate::{PAGE_MAX, Scope, ViewError, ViewName, Views, db, predicate::Predicate};

/// A live timeline of one enterprise.
#[derive(Debug)]
pub struct Watch {
    views: Views,
    enterprise: EnterpriseId,
    scope: Scope,
    point: Point,
    /// Whether everything up to the newest batch seen has been delivered.
    caught_up: bool,
    batches: broadcast::Receiver<Arc<Batch>>,
}

impl Watch {
    pub(crate) fn new(views: Views, enterprise: EnterpriseId, after: Point, scope: Scope) -> Self {
        // Subscribed before the first page is read, so that nothing falls in between.
        let batches = views.shared.hub.subscribe();
        Self { views, enterprise, scope, point: after, caught_up: false, batches }
    }

    /// Where to resume: everything up to here was delivered.
    #[must_use]
    pub fn point(&self) -> Point {
        self.point
    }

    /// The next entries, or a heartbeat after `heartbeat` without any. Dropping the future before it
    /// is done loses nothing; after an error it may be called again.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn next(&mut self, heartbeat: Duration) -> Result<WatchItem, ViewError> {
        let until = Instant::now() + heartbeat;
        loop {
            if !self.caught_up {
                let entries = self.page().await?;
                if !entries.is_empty() {
                    return Ok(WatchItem::Entries(entries));
                }
                continue;
            }
            match timeout_at(until, self.batches.recv()).await {
                Ok(Ok(batch)) => {
                    let entries = self.take(&batch);
                    if !entries.is_empty() {
                        return Ok(WatchItem::Entries(entries));
                    }
                }
                Ok(Err(RecvError::Lagged(_))) => self.caught_up = false,
                // The hub lives as long as `views`; if it is gone, heartbeats are all there is.
                Ok(Err(RecvError::Closed)) => {
                    tokio::time::sleep_until(until).await;
                    return Ok(WatchItem::Heartbeat(self.point.position));
                }
                Err(_) => return Ok(WatchItem::Heartbeat(self.point.position)),
            }
        }
    }

    /// What a batch adds. A batch that does not continue at our point is read from the table instead.
    fn take(&mut self, batch: &Batch) -> Vec<Arc<Entry>> {
        if batch.until <= self.point.position {
            return vec![];
        }
        if batch.after > self.point.position {
            self.caught_up = false;
            return vec![];
        }
        let ours = batch.entries.get(&self.enterprise).map_or(&[][..], Vec::as_slice);
        let seen =
            |known: &&Known| known.entry.point() > self.point && known.is_within(&self.scope);
        let entries = ours.iter().filter(seen).map(|known| known.shown(&self.scope)).collect();
        self.point = Point::end_of(batch.until);
        entries
    }

    /// A page from the table, after our point.
    async fn page(&mut self) -> Result<Vec<Arc<Entry>>, ViewError> {
        let mut predicate = Predicate::default();
        predicate.is("enterprise", self.enterprise.as_str());
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(db::stored(self.point.position)), Type::INT8),
            (Box::new(self.point.stored_ordinal()), Type::INT4),
        ];
        predicate.compare_row("position, ordinal", ">", key);
        predicate.within(&self.scope, &SCOPED);
        let statement = format!(
            "SELECT {COLUMNS} FROM {ENTRIES} WHERE {} ORDER BY position, ordinal LIMIT {PAGE_MAX}",
            predicate.sql()
        );
        let mut client = db::connect(&self.views.pool).await?;
        let snapshot = db::snapshot(&mut client, ViewName::Timeline).await?;
        let rows = snapshot
            .transaction
            .query_typed(&statement, &predicate.values())
            .await
            .map_err(|error| ViewError::sql("reading a timeline", error))?;
        let read = |row| Known::read(row).map(|known| known.shown(&self.scope));
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        match entries.last().filter(|_| entries.len() == PAGE_MAX) {
            Some(last) => self.point = last.point(),
            None => {
                // A view that is being rebuilt is behind us for a while: never go back.
                self.point = self.point.max(Point::end_of(snapshot.position));
                self.caught_up = true;
            }
        }
        Ok(entries)
    }
}
