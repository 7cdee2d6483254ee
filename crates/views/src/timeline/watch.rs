//! A live timeline: pages from the table until it has caught up, then batches from the hub.
//!
//! Every entry after the starting point comes exactly once and in log order: what a batch does not
//! cover without a hole is read from the table, from the watcher's own point.

use std::{sync::Arc, time::Duration};

use doudi_journal::Position;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, timeout_at},
};
use tokio_postgres::types::{ToSql, Type};

use super::{COLUMNS, ENTRIES, Entry, Known, Point, Selection, WatchItem, hub::Batch};
use crate::{PAGE_MAX, ViewError, ViewName, Views, db, read::Reader};

/// The positions that one page of several enterprises spans at most. What few of many entries are meant for
/// is sought in steps of this length, so that no page costs more than so many rows.
const SPAN: u64 = 20_000;

/// A live timeline.
#[derive(Debug)]
pub struct Watch {
    views: Views,
    selection: Selection,
    point: Point,
    /// Whether everything up to the newest batch seen has been delivered.
    caught_up: bool,
    batches: broadcast::Receiver<Arc<Batch>>,
}

impl Watch {
    pub(crate) fn new(views: Views, selection: Selection, after: Point) -> Self {
        // Subscribed before the first page is read, so that nothing falls in between.
        let batches = views.shared.hub.subscribe();
        Self { views, selection, point: after, caught_up: false, batches }
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
                // A long way without anything that is meant: say how far it is.
                if !self.caught_up && Instant::now() >= until {
                    return Ok(WatchItem::Heartbeat(self.point.position));
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
        let Selection { enterprise, scope, .. } = &self.selection;
        let new =
            |known: &&Known| known.entry.point() > self.point && self.selection.includes(known);
        let entries = batch.entries(enterprise.as_ref()).filter(new);
        let entries = entries.map(|known| known.shown(scope)).collect();
        self.point = Point::end_of(batch.until);
        entries
    }

    /// A page from the table, after our point.
    async fn page(&mut self) -> Result<Vec<Arc<Entry>>, ViewError> {
        let mut predicate = self.selection.predicate();
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(db::stored(self.point.position)), Type::INT8),
            (Box::new(self.point.stored_ordinal()), Type::INT4),
        ];
        predicate.compare_row("position, ordinal", ">", key);
        // An enterprise's own entries are found by an index, however far they lie apart.
        let span = self.selection.enterprise.is_none().then_some(SPAN);
        let end = span.map(|span| Position(self.point.position.0.saturating_add(span)));
        if let Some(end) = end {
            predicate.compare("position", "<=", db::stored(end), Type::INT8);
        }
        let statement = format!(
            "SELECT {COLUMNS} FROM {ENTRIES} WHERE {} ORDER BY position, ordinal LIMIT {PAGE_MAX}",
            predicate.sql()
        );
        let mut reader = Reader::of(&self.views.pool, ViewName::Timeline).await?;
        let snapshot = reader.once();
        let rows = snapshot.meant("reading a timeline", &statement, &predicate).await?;
        let read = |row| Known::read(row).map(|known| known.shown(&self.selection.scope));
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let reached = snapshot.position().await?;
        match entries.last().filter(|_| entries.len() == PAGE_MAX) {
            Some(last) => self.point = last.point(),
            None => {
                let end = end.unwrap_or(reached).min(reached);
                // A view whose log has lost records may be behind us: never go back.
                self.point = self.point.max(Point::end_of(end));
                self.caught_up = end == reached;
            }
        }
        Ok(entries)
    }
}
