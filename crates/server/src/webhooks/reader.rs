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
}

/// The events of a selection from a point on. The reading ends when it is dropped.
pub(super) struct Reader {
    batches: mpsc::Receiver<Batch>,
    reached: Reached,
    _task: JoinSet<()>,
}

impl Reader {
    /// Reads what `watch` brings, at most two batches ahead.
    pub(super) fn new(watch: Watch) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let reached = watch.reached().clone();
        let mut task = JoinSet::new();
        task.spawn(read(watch, sender));
        Self { batches, reached, _task: task }
    }

    /// Everything up to here was answered with, but what is withheld.
    pub(super) fn point(&self) -> Point {
        self.reached.point
    }

    /// Of which enterprises something is withheld because a stream is parked, and up to where each was answered with.
    pub(super) fn withheld(&self) -> &BTreeMap<EnterpriseId, Point> {
        &self.reached.withheld
    }

    /// The next events; none after a while without any. Dropping the future before it is done loses nothing.
    pub(super) async fn next(&mut self) -> Vec<Arc<Entry>> {
        match self.batches.recv().await {
            Some(Batch { entries, until }) => {
                self.reached = until;
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
        if batches.send(Batch { entries, until: watch.reached().clone() }).await.is_err() {
            return;
        }
    }
}
