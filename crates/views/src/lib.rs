//! Views: the log as PostgreSQL tables, and the queries on them.
//!
//! Rows and checkpoint change in one transaction, so every record counts exactly once, whoever runs
//! and whatever breaks. Nothing here is a source of truth: each view can be rebuilt from the log.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use doudi_domain::UnitId;
use doudi_journal::{Journal, Position};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
};

pub mod agenda;
pub mod alerts;
pub mod appeals;
mod asked;
pub mod boards;
mod checkpoint;
mod column;
mod db;
mod digest;
mod error;
mod fact;
mod history;
pub mod in_memory;
pub mod inbox;
#[cfg(test)]
mod kit;
pub mod measures;
pub mod metrics;
mod operate;
pub mod page;
mod parked;
mod predicate;
mod progress;
mod project;
pub mod ratings;
mod read;
mod rebuild;
mod scope;
pub mod sweep;
pub mod timeline;
mod verify;
mod view;
pub mod visits;
pub mod webhooks;

pub use checkpoint::Checkpoint;
pub use deadpool_postgres;
pub use error::{Behind, Source, ViewError};
pub use history::AsOf;
pub use parked::Parked;
pub use rebuild::Rebuild;
pub use scope::{Areas, Scope};
pub use tokio_postgres;
pub use verify::ViewCheck;
pub use view::ViewName;

use crate::{progress::Progress, timeline::Hub};

/// The most entries of one page; a larger limit is cut to this.
pub const PAGE_MAX: usize = 500;

/// What the views need besides the pool.
#[derive(Clone, Debug)]
pub struct ViewSettings {
    /// How to reach the database of the pool, for the one connection that listens for progress.
    pub connection: tokio_postgres::Config,
}

/// How fresh an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The log position that the answer must reflect at least.
    pub at_least: Position,
    /// How long to wait for it.
    pub within: Duration,
    /// As when the answer is to be; none for now.
    pub as_of: Option<AsOf>,
}

impl Fresh {
    /// Whatever the view has.
    pub const ANY: Self = Self { at_least: Position::START, within: Duration::ZERO, as_of: None };

    /// At least `position`, waiting up to `within` for it.
    #[must_use]
    pub const fn at(position: Position, within: Duration) -> Self {
        Self { at_least: position, within, as_of: None }
    }

    /// The same as of an earlier time. What was known at a position is known once the view has reached it.
    #[must_use]
    pub const fn as_of(self, as_of: Option<AsOf>) -> Self {
        Self { as_of, ..self }
    }

    fn reflecting(self) -> Position {
        match self.as_of {
            Some(AsOf::Recorded(position)) => self.at_least.max(position),
            Some(AsOf::Occurred(_)) | None => self.at_least,
        }
    }
}

/// The views of one database. Cheap to clone; clones share connections, progress and live streams.
#[derive(Clone)]
pub struct Views {
    pool: Pool,
    shared: Arc<Shared>,
}

struct Shared {
    progress: Progress,
    hub: Hub,
    /// Verifications of this process, one at a time.
    verifying: Mutex<()>,
    /// The listener and the hub; both end with the last clone.
    _tasks: JoinSet<()>,
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("progress", &self.shared.progress).finish_non_exhaustive()
    }
}

impl Views {
    /// Opens the views and makes what tables are missing. Safe when several processes start at
    /// once. Must be called inside a tokio runtime, where the tasks for progress then run.
    ///
    /// # Errors
    /// [`ViewError::Unavailable`] when PostgreSQL is away, [`ViewError::Fault`] when it refuses.
    pub async fn open(pool: Pool, settings: ViewSettings) -> Result<Self, ViewError> {
        checkpoint::create_tables(&pool).await?;
        let progress = Progress::default();
        progress.refresh(&pool).await?;
        let hub = Hub::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(progress::listen(settings.connection, pool.clone(), progress.clone()));
        tasks.spawn(hub.clone().run(pool.clone(), progress.subscribe(ViewName::Timeline)));
        let shared = Shared { progress, hub, verifying: Mutex::new(()), _tasks: tasks };
        Ok(Self { pool, shared: Arc::new(shared) })
    }

    /// Whether PostgreSQL answers, as the connection that listens for progress knows it: at once when it is
    /// gone, within ten seconds when it is silent.
    #[must_use]
    pub fn reachable(&self) -> bool {
        self.shared.progress.is_listening()
    }

    /// Closes the connections that nobody uses at the moment; others are opened when they are needed. PostgreSQL counts
    /// what was read on a connection once that is closed, if not earlier: for who measures.
    pub fn close_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Waits until `view` reflects `at_least`, and says what it reflects then.
    ///
    /// # Errors
    /// [`Behind`] when it does not within `within`.
    pub async fn wait(
        &self,
        view: ViewName,
        at_least: Position,
        within: Duration,
    ) -> Result<Position, Behind> {
        self.shared.progress.wait(view, at_least, within).await
    }

    /// One page of an enterprise's timeline, by the time at which things occurred.
    ///
    /// # Errors
    /// [`ViewError::Behind`] when the view is not as fresh as asked in time; else as PostgreSQL fails.
    pub async fn timeline(
        &self,
        query: &timeline::Query,
        fresh: Fresh,
    ) -> Result<timeline::Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Timeline], fresh).await?;
        timeline::list(&reader.once(), query).await
    }

    /// Timelines in log order: what comes after `after`, then what is new, live. Of an enterprise of which a stream
    /// is parked, what follows the parked record is withheld until it is taken in.
    #[must_use]
    pub fn watch_timeline(
        &self,
        selection: timeline::Selection,
        after: impl Into<timeline::Reached>,
    ) -> timeline::Watch {
        timeline::Watch::new(self.clone(), selection, after.into())
    }

    /// One page of appeals, newest submission first.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn appeals(
        &self,
        query: &appeals::Query,
        fresh: Fresh,
    ) -> Result<appeals::Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], fresh).await?;
        appeals::list(&reader.once(), query).await
    }

    /// One page of what is due, oldest first.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn due(&self, query: &agenda::Query) -> Result<agenda::Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Agenda], Fresh::ANY).await?;
        agenda::due(&reader.snapshot(), query).await
    }

    /// The next `span` appeals after `after`, and which of them are open without a running clock.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn silent_appeals(
        &self,
        after: Option<&sweep::Named>,
        span: usize,
    ) -> Result<sweep::Looked, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], Fresh::ANY).await?;
        sweep::silent(&reader.once(), after, span).await
    }

    /// Every unit that owes something.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn clock_owners(&self) -> Result<Vec<UnitId>, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], Fresh::ANY).await?;
        sweep::owners(&reader.once()).await
    }

    /// Appeals in which `owner` owes something, at most `limit`.
    ///
    /// # Errors
    /// As PostgreSQL fails.
    pub async fn appeals_owed_by(
        &self,
        owner: &UnitId,
        limit: usize,
    ) -> Result<Vec<sweep::Named>, ViewError> {
        let mut reader = self.reader(&[ViewName::Appeals], Fresh::ANY).await?;
        sweep::of_owner(&reader.once(), owner, limit).await
    }

    /// Runs every view until `shutdown` says `true` or its sender is gone. PostgreSQL being away
    /// is waited out. A view that cannot go on is halted, visibly in [`Views::checkpoints`], and
    /// the others run on. Two processes may run this at once: no record counts twice or is lost.
    pub async fn project(&self, journal: &Journal, shutdown: watch::Receiver<bool>) {
        let mut runners = JoinSet::new();
        for view in ViewName::ALL {
            let runner = project::Runner::new(self.clone(), journal.clone(), view);
            runners.spawn(runner.run(shutdown.clone()));
        }
        while let Some(ended) = runners.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
