//! A live timeline: pages from the table until it has caught up, then batches from the hub.
//!
//! Every entry after the starting point comes exactly once and in log order, but what is withheld while a stream is
//! parked: that comes late, in the order of its enterprise. What a batch does not cover without a hole is read from
//! the table, from the watcher's own point, and so is what is late.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doudi_domain::EnterpriseId;
use doudi_journal::Position;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, timeout_at},
};
use tokio_postgres::types::{ToSql, Type};

use super::{
    COLUMNS, ENTRIES, Entry, Known, Point, Reached, Selection, WatchItem,
    hub::Batch,
    reached::{Ends, Gap, Late, ends, gaps},
};
use crate::{
    PAGE_MAX, ViewError, ViewName, Views, db,
    predicate::Predicate,
    read::{Reader, Snapshot},
};

/// The positions that one page of several enterprises spans at most. What few of many entries are meant for
/// is sought in steps of this length, so that no page costs more than so many rows.
const SPAN: u64 = 20_000;

/// A live timeline.
#[derive(Debug)]
pub struct Watch {
    views: Views,
    selection: Selection,
    reached: Reached,
    /// Where the gaps that were last seen end what is meant.
    ends: Ends,
    /// Whether everything up to the newest batch seen has been delivered.
    caught_up: bool,
    batches: broadcast::Receiver<Arc<Batch>>,
}

impl Watch {
    pub(crate) fn new(views: Views, selection: Selection, after: Reached) -> Self {
        // Subscribed before the first page is read, so that nothing falls in between.
        let batches = views.shared.hub.subscribe();
        let mut reached = after;
        // A position may be of another selection, and must not lead to what only that one means.
        reached.keep(|enterprise, _| selection.may_mean(enterprise));
        Self { views, selection, reached, ends: Ends::new(), caught_up: false, batches }
    }

    /// Everything up to here was delivered, but what is withheld.
    #[must_use]
    pub fn point(&self) -> Point {
        self.reached.point
    }

    /// Where to resume.
    #[must_use]
    pub fn reached(&self) -> &Reached {
        &self.reached
    }

    /// Up to where the events of enterprises can be delivered that have a parked stream.
    #[must_use]
    pub fn ends(&self) -> &BTreeMap<EnterpriseId, Point> {
        &self.ends
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
                if let Some(item) = self.page().await? {
                    return Ok(item);
                }
                // A long way without anything that is meant: say how far it is.
                if !self.caught_up && Instant::now() >= until {
                    return Ok(WatchItem::Heartbeat(self.reached.point.position));
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
                    return Ok(WatchItem::Heartbeat(self.reached.point.position));
                }
                Err(_) => {
                    // What is withheld may have been taken in, which moves no view.
                    self.caught_up = self.reached.withheld.is_empty();
                    return Ok(WatchItem::Heartbeat(self.reached.point.position));
                }
            }
        }
    }

    /// What a batch adds. A batch that does not continue at our point, or with which something is late, is read from
    /// the table instead.
    fn take(&mut self, batch: &Batch) -> Vec<Arc<Entry>> {
        if batch.until <= self.reached.point.position {
            return vec![];
        }
        if batch.after > self.reached.point.position
            || self.note(&batch.gaps, batch.until).is_some()
        {
            self.caught_up = false;
            return vec![];
        }
        let point = self.reached.point;
        let Selection { enterprise, scope, .. } = &self.selection;
        let new = |known: &&Known| {
            let entry = &known.entry;
            entry.point() > point
                && self.selection.includes(known)
                && !self.reached.withholds(entry)
        };
        let entries = batch.entries(enterprise.as_ref()).filter(new);
        let entries = entries.map(|known| known.shown(scope)).collect();
        self.reached.point = Point::end_of(batch.until);
        entries
    }

    /// Takes notice of the gaps that tables have which reflect `known`; says what is late.
    fn note(&mut self, gaps: &[Gap], known: Position) -> Option<Late> {
        if gaps.is_empty() && self.reached.withheld.is_empty() && self.ends.is_empty() {
            return None;
        }
        self.ends = ends(gaps, &self.selection);
        self.reached.note(&self.ends, known)
    }

    /// What is late, or else a page after our point; none where neither has anything.
    async fn page(&mut self) -> Result<Option<WatchItem>, ViewError> {
        let mut reader = Reader::of(&self.views.pool, ViewName::Timeline).await?;
        let snapshot = reader.snapshot();
        let predicate = self.following();
        // What is withheld from now on lies after our point, so without anything withheld nothing is late.
        let (gaps, found) = if self.reached.withheld.is_empty() {
            let found = meant(&snapshot, &predicate);
            let (gaps, found) = futures::future::try_join(gaps(&snapshot), found).await?;
            (gaps, Some(found))
        } else {
            (gaps(&snapshot).await?, None)
        };
        let known = snapshot.position().await?;
        if let Some(late) = self.note(&gaps, known) {
            let entries = self.late(&snapshot, late).await?;
            return Ok((!entries.is_empty()).then_some(WatchItem::Late(entries)));
        }
        let found = match found {
            Some(found) => found,
            None => meant(&snapshot, &predicate).await?,
        };
        let entries = self.followed(&found, known);
        Ok((!entries.is_empty()).then_some(WatchItem::Entries(entries)))
    }

    /// A page of what was withheld.
    async fn late(
        &mut self,
        snapshot: &Snapshot<'_>,
        late: Late,
    ) -> Result<Vec<Arc<Entry>>, ViewError> {
        let Late { enterprise, after, until } = late;
        let own = Selection { enterprise: Some(enterprise.clone()), ..self.selection.clone() };
        let mut predicate = own.predicate();
        predicate.compare_row("position, ordinal", ">", key(after));
        predicate.compare_row("position, ordinal", "<=", key(until));
        let found = meant(snapshot, &predicate).await?;
        let last = found.last().filter(|_| found.len() == PAGE_MAX);
        let now = last.map_or(until, |last| last.entry.point());
        self.reached.withhold(enterprise, now);
        Ok(found.iter().map(|known| known.shown(&self.selection.scope)).collect())
    }

    /// Where a page spans only so many positions, the last of them.
    fn end(&self) -> Option<Position> {
        // An enterprise's own entries are found by an index, however far they lie apart.
        let span = self.selection.enterprise.is_none().then_some(SPAN);
        span.map(|span| Position(self.reached.point.position.0.saturating_add(span)))
    }

    /// What follows our point.
    fn following(&self) -> Predicate {
        let mut predicate = self.selection.predicate();
        predicate.compare_row("position, ordinal", ">", key(self.reached.point));
        if let Some(end) = self.end() {
            predicate.compare("position", "<=", db::stored(end), Type::INT8);
        }
        predicate
    }

    /// Goes on to the end of a page of it, read from tables that reflect `known`.
    fn followed(&mut self, found: &[Known], known: Position) -> Vec<Arc<Entry>> {
        match found.last().filter(|_| found.len() == PAGE_MAX) {
            Some(last) => self.reached.point = last.entry.point(),
            None => {
                let end = self.end().unwrap_or(known).min(known);
                // A view whose log has lost records may be behind us: never go back.
                self.reached.point = self.reached.point.max(Point::end_of(end));
                self.caught_up = end == known;
            }
        }
        let due = found.iter().filter(|known| !self.reached.withholds(&known.entry));
        due.map(|known| known.shown(&self.selection.scope)).collect()
    }
}

/// A place as values to compare with.
fn key(point: Point) -> Vec<(Box<dyn ToSql + Sync + Send>, Type)> {
    vec![
        (Box::new(db::stored(point.position)), Type::INT8),
        (Box::new(point.stored_ordinal()), Type::INT4),
    ]
}

/// The first entries that are meant, in log order.
async fn meant(snapshot: &Snapshot<'_>, predicate: &Predicate) -> Result<Vec<Known>, ViewError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM {ENTRIES} WHERE {} ORDER BY position, ordinal LIMIT {PAGE_MAX}",
        predicate.sql()
    );
    let rows = snapshot.meant("reading a timeline", &statement, predicate).await?;
    rows.iter().map(Known::read).collect()
}
