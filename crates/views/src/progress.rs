//! How far each view is, as this process knows it: one connection listens, everybody else waits in
//! memory. Nobody asks the database again and again for one request.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_postgres::Pool;
use doudi_journal::Position;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};

use crate::{Behind, ViewError, ViewName, checkpoint};

/// How often the tables are asked while nobody listens.
const FALLBACK: Duration = Duration::from_secs(1);
/// How often the listening connection is tried, and how long it may take to answer.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// The latest known positions. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    timeline: watch::Sender<Position>,
    visits: watch::Sender<Position>,
    appeals: watch::Sender<Position>,
    agenda: watch::Sender<Position>,
    measures: watch::Sender<Position>,
    alerts: watch::Sender<Position>,
    ratings: watch::Sender<Position>,
    webhooks: watch::Sender<Position>,
    /// Whether PostgreSQL answers, as the connection that listens knows it.
    listening: watch::Sender<bool>,
    /// How many announcements were heard of each view.
    heard: Arc<Mutex<[u64; ViewName::ALL.len()]>>,
}

impl Progress {
    fn of(&self, view: ViewName) -> &watch::Sender<Position> {
        match view {
            ViewName::Timeline => &self.timeline,
            ViewName::Visits => &self.visits,
            ViewName::Appeals => &self.appeals,
            ViewName::Agenda => &self.agenda,
            ViewName::Measures => &self.measures,
            ViewName::Alerts => &self.alerts,
            ViewName::Ratings => &self.ratings,
            ViewName::Webhooks => &self.webhooks,
        }
    }

    /// The positions of one view from now on. They go back only where a rebuild follows a log that
    /// has lost records.
    pub(crate) fn subscribe(&self, view: ViewName) -> watch::Receiver<Position> {
        self.of(view).subscribe()
    }

    /// Whether PostgreSQL answers, as last seen.
    pub(crate) fn is_listening(&self) -> bool {
        *self.listening.borrow()
    }

    /// Takes note of a position.
    fn set(&self, view: ViewName, position: Position) {
        self.of(view).send_if_modified(|known| std::mem::replace(known, position) != position);
    }

    fn heard(&self) -> MutexGuard<'_, [u64; ViewName::ALL.len()]> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what a view announced.
    fn hear(&self, view: ViewName, position: Position) {
        let mut heard = self.heard();
        heard[view as usize] += 1;
        self.set(view, position);
    }

    /// Waits until `view` reflects `wanted`.
    pub(crate) async fn wait(
        &self,
        view: ViewName,
        wanted: Position,
        within: Duration,
    ) -> Result<Position, Behind> {
        let mut positions = self.subscribe(view);
        if let Ok(Ok(reached)) =
            timeout(within, positions.wait_for(|reached| *reached >= wanted)).await
        {
            return Ok(*reached);
        }
        let reached = *self.of(view).borrow();
        Err(Behind { view, wanted, reached })
    }

    /// Reads `<view> <version> <position>`.
    fn take(&self, word: &str) {
        let mut parts = word.split(' ');
        let view = parts.next().and_then(ViewName::parse);
        let version = parts.next().and_then(|version| version.parse::<i32>().ok());
        let position = parts.next().and_then(|position| position.parse().ok());
        // Another version of a view has announced itself to other programs, not to us.
        if let (Some(view), Some(position)) = (view, position)
            && version == Some(view.version())
        {
            self.hear(view, Position(position));
        }
    }

    /// Reads where the views are. What a view announced meanwhile is newer than what was read.
    pub(crate) async fn refresh(&self, pool: &Pool) -> Result<(), ViewError> {
        for view in ViewName::ALL {
            let before = self.heard()[view as usize];
            let checkpoint = checkpoint::current(pool, view).await?;
            self.take_read(view, before, checkpoint.position);
        }
        Ok(())
    }

    /// Takes note of a position that was read after `before` announcements.
    fn take_read(&self, view: ViewName, before: u64, position: Position) {
        let heard = self.heard();
        if heard[view as usize] == before {
            self.set(view, position);
        }
    }
}

/// Keeps `progress` up to date for ever, whatever happens to PostgreSQL.
pub(crate) async fn listen(connection: Config, pool: Pool, progress: Progress) {
    loop {
        let ended = session(&connection, &pool, &progress).await;
        progress.listening.send_replace(false);
        if let Err(error) = ended {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "listening for the progress of the views; asking every second meanwhile"
            );
        }
        sleep(FALLBACK).await;
        // Whether this works shows in the next session.
        let _ = progress.refresh(&pool).await;
    }
}

/// One connection that listens, until it breaks.
async fn session(config: &Config, pool: &Pool, progress: &Progress) -> Result<(), ViewError> {
    let failed = |error| ViewError::sql("listening for the progress of the views", error);
    let connecting = timeout(TRY_EVERY, config.connect(NoTls));
    let (client, connection) = connecting.await.map_err(slow)?.map_err(failed)?;
    let mut pump = JoinSet::new();
    pump.spawn(read(connection, progress.clone()));
    timeout(TRY_EVERY, client.batch_execute("LISTEN doudi_views"))
        .await
        .map_err(slow)?
        .map_err(failed)?;
    // What was announced before we listened.
    progress.refresh(pool).await?;
    progress.listening.send_replace(true);
    loop {
        tokio::select! {
            _ = pump.join_next() => return Ok(()),
            () = sleep(TRY_EVERY) => alive(&client).await?,
        }
    }
}

/// A connection whose other end has silently gone would listen for ever.
async fn alive(client: &Client) -> Result<(), ViewError> {
    let asked = timeout(TRY_EVERY, client.simple_query("SELECT 1")).await.map_err(slow)?;
    asked.map_err(|error| ViewError::sql("trying the listening connection", error))?;
    Ok(())
}

fn slow(error: tokio::time::error::Elapsed) -> ViewError {
    ViewError::Unavailable {
        doing: "listening for the progress of the views",
        source: error.into(),
    }
}

async fn read(mut connection: Connection<Socket, NoTlsStream>, progress: Progress) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            progress.take(notification.payload());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_of_other_views_and_versions_are_passed_over() {
        let progress = Progress::default();
        let of = |view: ViewName, later| format!("{view} {}", view.version() + later);
        let (visits, timeline) = (of(ViewName::Visits, 0), of(ViewName::Timeline, 1));
        let appeals = of(ViewName::Appeals, 0);
        let odd = ["boards 1 9", "appeals", ""].map(str::to_owned);
        let whole = [format!("{visits} 7"), format!("{timeline} 9"), format!("{appeals} x")];
        for word in whole.iter().chain(&odd) {
            progress.take(word);
        }
        let known = |view: ViewName| *progress.subscribe(view).borrow();
        assert_eq!(known(ViewName::Visits), Position(7));
        assert_eq!(known(ViewName::Timeline), Position(0));
        assert_eq!(known(ViewName::Appeals), Position(0));
    }

    #[test]
    fn what_was_read_never_overwrites_what_was_announced_meanwhile() {
        let progress = Progress::default();
        let before = progress.heard()[ViewName::Visits as usize];
        progress.take(&format!("visits {} 38", ViewName::Visits.version()));
        progress.take_read(ViewName::Visits, before, Position(0));
        assert_eq!(*progress.subscribe(ViewName::Visits).borrow(), Position(38));
        let before = progress.heard()[ViewName::Visits as usize];
        progress.take_read(ViewName::Visits, before, Position(30));
        assert_eq!(*progress.subscribe(ViewName::Visits).borrow(), Position(30));
    }

    #[tokio::test]
    async fn waiting_ends_with_the_position_or_says_how_far_it_is() {
        let progress = Progress::default();
        progress.set(ViewName::Visits, Position(3));
        let now = Duration::ZERO;
        assert_eq!(progress.wait(ViewName::Visits, Position(3), now).await, Ok(Position(3)));
        let behind = Behind { view: ViewName::Visits, wanted: Position(4), reached: Position(3) };
        assert_eq!(progress.wait(ViewName::Visits, Position(4), now).await, Err(behind));
        let waiting = progress.wait(ViewName::Visits, Position(4), Duration::from_secs(10));
        let (reached, ()) =
            tokio::join!(waiting, async { progress.set(ViewName::Visits, Position(5)) });
        assert_eq!(reached, Ok(Position(5)));
    }
}
