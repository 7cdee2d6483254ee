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

use tokio::sync::watch;

use crate::{Position, metrics};

/// How far something is; both only grow.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// Of the log.
    position: Position,
    /// How many have asked for what lies beside the log and has no position in it.
    calls: u64,
}

/// The file system did not take what was to be forced to disk.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the file system of the log could not be forced to disk; nothing more is taken or handed out \
     until the disk has been looked at and nats-server and doudi are started again"
)]
pub(super) struct SyncFailed(#[source] Arc<io::Error>);

/// What somebody waits for, or that it never comes.
type Crossed = Result<Mark, SyncFailed>;

/// The way onto the disk.
#[derive(Debug)]
pub(super) struct Barrier {
    asked: Arc<Mutex<Mark>>,
    /// Wakes the thread. One ring that it has not heard yet is enough.
    bell: SyncSender<()>,
    crossed: watch::Receiver<Crossed>,
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
        let asked = Arc::new(Mutex::new(mark));
        let (bell, rings) = sync_channel(1);
        let (cross, crossed) = watch::channel(Ok(mark));
        let theirs = Arc::clone(&asked);
        let thread = thread::Builder::new().name("doudi-sync".to_owned());
        thread.spawn(move || run(mark, &theirs, &rings, &cross, sync))?;
        Ok(Barrier { asked, bell, crossed })
    }

    /// Waits until all up to `position` is on disk; the caller has seen that position.
    pub(super) async fn reach(&self, position: Position) -> Result<(), SyncFailed> {
        let reached = |mark: &Mark| mark.position >= position;
        if self.sound()?.position < position {
            self.ask(|asked| asked.position = asked.position.max(position));
            self.until(reached).await?;
        }
        Ok(())
    }

    /// Waits until all is on disk that the server wrote before this call.
    pub(super) async fn cross(&self) -> Result<(), SyncFailed> {
        self.sound()?;
        let call = self.ask(|asked| {
            asked.calls += 1;
            asked.calls
        });
        self.until(|mark| mark.calls >= call).await
    }

    /// How far the disk is, unless it has failed.
    fn sound(&self) -> Crossed {
        let crossed = self.crossed.borrow().clone();
        if self.crossed.has_changed().is_err() { crossed.and(Err(gone())) } else { crossed }
    }

    /// Whether every sync so far succeeded.
    ///
    /// # Errors
    /// The failure, from the first one on.
    pub(super) fn check(&self) -> Result<(), SyncFailed> {
        self.sound().map(drop)
    }

    fn ask<T>(&self, raise: impl FnOnce(&mut Mark) -> T) -> T {
        let raised = raise(&mut lock(&self.asked));
        // Where a ring waits to be heard, what is asked now will be read with it.
        let _ = self.bell.try_send(());
        raised
    }

    async fn until(&self, reached: impl Fn(&Mark) -> bool) -> Result<(), SyncFailed> {
        let mut crossed = self.crossed.clone();
        let done = crossed.wait_for(|crossed| crossed.as_ref().map_or(true, &reached)).await;
        match done {
            Ok(crossed) => crossed.clone().map(drop),
            Err(_) => Err(gone()),
        }
    }
}

fn gone() -> SyncFailed {
    SyncFailed(Arc::new(io::Error::other("the thread that syncs is gone")))
}

/// Syncs whenever there is something new to cover, until nobody can ask any more.
fn run(
    mut covered: Mark,
    asked: &Mutex<Mark>,
    rings: &Receiver<()>,
    cross: &watch::Sender<Crossed>,
    mut sync: impl FnMut() -> io::Result<()>,
) {
    while rings.recv().is_ok() {
        let covers = *lock(asked);
        if covers == covered {
            continue;
        }
        let began = Instant::now();
        if let Err(error) = sync() {
            tracing::error!(%error, "the file system of the log could not be forced to disk");
            cross.send_modify(|crossed| *crossed = Err(SyncFailed(Arc::new(error))));
            return;
        }
        metrics::synced(covers.position.0.saturating_sub(covered.position.0), began.elapsed());
        covered = covers;
        cross.send_modify(|crossed| *crossed = Ok(covers));
    }
}

// A panic elsewhere cannot leave a mark half-changed: each change is one assignment.
fn lock(asked: &Mutex<Mark>) -> MutexGuard<'_, Mark> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
