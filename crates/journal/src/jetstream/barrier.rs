//! The barrier of durability "group": what the server wrote to its files is forced to disk before
//! anybody hears of it, for all who wait at once.
//!
//! One thread syncs while there is anything to cover, one sync at a time. A sync covers what was
//! asked for before it began: the server writes records in order and lets nobody see one before it
//! is written, so whoever has seen a position knows that all up to it are in the files. Who comes
//! when no sync runs waits for one; who comes during one waits for the next, with all others who do.
//!
//! A failure is final. The kernel may have dropped what it could not write and call it clean, so
//! that another sync would succeed and prove nothing.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{Position, metrics};

/// How far something is; both only grow.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// Of the log.
    position: Position,
    /// How many have asked for what lies beside the log and has no position in it.
    calls: u64,
}

impl Mark {
    fn covers(self, wanted: Mark) -> bool {
        self.position >= wanted.position && self.calls >= wanted.calls
    }
}

/// The file system did not take what was to be forced to disk.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the file system of the log could not be forced to disk; nothing more is taken or handed out \
     until the disk has been looked at and nats-server and doudi are started again"
)]
pub(super) struct SyncFailed(#[source] Arc<io::Error>);

/// The way onto the disk.
#[derive(Debug)]
pub(super) struct Barrier {
    queue: Arc<Mutex<Queue>>,
    /// Wakes the thread. One ring that it has not heard yet is enough.
    bell: SyncSender<()>,
}

/// Who waits, and for what.
#[derive(Debug)]
struct Queue {
    /// What everybody together has asked for.
    asked: Mark,
    /// How far the disk is, unless it has failed.
    crossed: Result<Mark, SyncFailed>,
    /// Each is woken once: when it is on disk, or never will be.
    waiting: Vec<(Mark, oneshot::Sender<Result<(), SyncFailed>>)>,
}

impl Barrier {
    /// A barrier that forces to disk by calling `sync`; all up to `position` is there already. Its
    /// thread ends with it, or at the first failure.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn new(
        position: Position,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Barrier> {
        let mark = Mark { position, calls: 0 };
        let queue = Queue { asked: mark, crossed: Ok(mark), waiting: Vec::new() };
        let queue = Arc::new(Mutex::new(queue));
        let (bell, rings) = sync_channel(1);
        let ends = Ends(Arc::clone(&queue));
        let thread = thread::Builder::new().name("doudi-sync".to_owned());
        thread.spawn(move || run(mark, &ends, &rings, sync))?;
        Ok(Barrier { queue, bell })
    }

    /// Waits until all up to `position` is on disk; the caller has seen that position.
    pub(super) async fn reach(&self, position: Position) -> Result<(), SyncFailed> {
        self.until(|asked| {
            asked.position = asked.position.max(position);
            Mark { position, calls: 0 }
        })
        .await
    }

    /// Waits until all is on disk that the server wrote before this call.
    pub(super) async fn cross(&self) -> Result<(), SyncFailed> {
        self.until(|asked| {
            asked.calls += 1;
            Mark { position: Position::START, calls: asked.calls }
        })
        .await
    }

    /// Whether every sync so far succeeded.
    ///
    /// # Errors
    /// The failure, from the first one on.
    pub(super) fn check(&self) -> Result<(), SyncFailed> {
        lock(&self.queue).crossed.clone().map(drop)
    }

    /// Waits for what `ask` adds to what everybody has asked for.
    async fn until(&self, ask: impl FnOnce(&mut Mark) -> Mark) -> Result<(), SyncFailed> {
        let told = {
            let mut queue = lock(&self.queue);
            let crossed = queue.crossed.clone()?;
            let wanted = ask(&mut queue.asked);
            if crossed.covers(wanted) {
                return Ok(());
            }
            let (tell, told) = oneshot::channel();
            queue.waiting.push((wanted, tell));
            told
        };
        // Where a ring waits to be heard, what is asked now will be read with it.
        let _ = self.bell.try_send(());
        told.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> SyncFailed {
    SyncFailed(Arc::new(io::Error::other("the thread that syncs is gone")))
}

/// Where the thread tells how far it is. However it ends, nobody waits for it any more.
struct Ends(Arc<Mutex<Queue>>);

impl Ends {
    fn asked(&self) -> Mark {
        lock(&self.0).asked
    }

    /// Lets those through that `covered` covers.
    fn crossed(&self, covered: Mark) {
        let let_through: Vec<_> = {
            let mut queue = lock(&self.0);
            queue.crossed = Ok(covered);
            queue.waiting.extract_if(.., |(wanted, _)| covered.covers(*wanted)).collect()
        };
        for (_, tell) in let_through {
            // Who gave up hears nothing.
            let _ = tell.send(Ok(()));
        }
    }

    /// Lets nobody through any more.
    fn failed(&self, failed: &SyncFailed) {
        let refused = {
            let mut queue = lock(&self.0);
            queue.crossed = Err(failed.clone());
            std::mem::take(&mut queue.waiting)
        };
        for (_, tell) in refused {
            let _ = tell.send(Err(failed.clone()));
        }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let ended_well = lock(&self.0).crossed.is_ok();
        if ended_well {
            self.failed(&gone());
        }
    }
}

/// Syncs whenever there is something new to cover, until nobody can ask any more.
fn run(
    mut covered: Mark,
    ends: &Ends,
    rings: &Receiver<()>,
    mut sync: impl FnMut() -> io::Result<()>,
) {
    while rings.recv().is_ok() {
        let covers = ends.asked();
        if covers == covered {
            continue;
        }
        let began = Instant::now();
        if let Err(error) = sync() {
            tracing::error!(%error, "the file system of the log could not be forced to disk");
            ends.failed(&SyncFailed(Arc::new(error)));
            return;
        }
        metrics::synced(covers.position.0.saturating_sub(covered.position.0), began.elapsed());
        covered = covers;
        ends.crossed(covered);
    }
}

// A panic elsewhere cannot leave a mark half-changed: each change is one assignment.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
