//! Reads events ahead in a task of its own, so that nobody who waits for several things at once cuts a query off.

use std::{collections::BTreeMap, sync::Arc};

use doudi_domain::EnterpriseId;
use doudi_views::timeline::{Entry, Point, Reached, Watch, WatchItem};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::LOOK_INTERVAL;

/// Events in the order of their enterprises, and how far they go.
struct Batch {
    entries: Vec<Arc<Entry>>,
    until: Reached,
    ends: BTreeMap<EnterpriseId, Point>,
}

/// The events of a selection from a point on. The reading ends when it is dropped.
pub(super) struct Reader {
    batches: mpsc::Receiver<Batch>,
    reached: Reached,
    ends: BTreeMap<EnterpriseId, Point>,
    has_read: bool,
    _task: JoinSet<()>,
}

impl Reader {
    /// Reads what `watch` brings, at most two batches ahead.
    pub(super) fn new(watch: Watch) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let reached = watch.reached().clone();
        let mut task = JoinSet::new();
        task.spawn(read(watch, sender));
        Self { batches, reached, ends: BTreeMap::new(), has_read: false, _task: task }
    }

    /// Everything up to here was answered with, but what is withheld.
    pub(super) fn point(&self) -> Point {
        self.reached.point
    }

    /// Of which enterprises something is withheld because a stream is parked, and up to where each was answered with.
    pub(super) fn withheld(&self) -> &BTreeMap<EnterpriseId, Point> {
        &self.reached.withheld
    }

    /// Up to where the events of enterprises can be read that have a parked stream.
    pub(super) fn ends(&self) -> &BTreeMap<EnterpriseId, Point> {
        &self.ends
    }

    /// Whether it has read anything yet, so that it knows what is withheld.
    pub(super) fn has_read(&self) -> bool {
        self.has_read
    }

    /// The next events; none after a while without any. Dropping the future before it is done loses nothing.
    pub(super) async fn next(&mut self) -> Vec<Arc<Entry>> {
        match self.batches.recv().await {
            Some(Batch { entries, until, ends }) => {
                (self.reached, self.ends, self.has_read) = (until, ends, true);
                entries
            }
            // The task reads as long as somebody receives.
            None => std::future::pending().await,
        }
    }
}

async fn read(mut watch: Watch, batches: mpsc::Sender<Batch>) {
    loop {
        let entries = match watch.next(LOOK_INTERVAL).await {
            Ok(WatchItem::Entries(entries) | WatchItem::Late(entries)) => entries,
            Ok(WatchItem::Heartbeat(_)) => vec![],
            Err(error) => {
                tracing::warn!(?error, "the events of a webhook cannot be read, trying again");
                sleep(LOOK_INTERVAL).await;
                continue;
            }
        };
        let (until, ends) = (watch.reached().clone(), watch.ends().clone());
        if batches.send(Batch { entries, until, ends }).await.is_err() {
            return;
        }
    }
}
