//! The views on a real PostgreSQL: every record counts once, whatever breaks, and every answer is
//! one snapshot.

use std::time::Duration;

use doudi_journal::{Journal, Position};
use doudi_tests::pg::PgServer;
use doudi_views::{
    Fresh, ViewName, ViewSettings, Views,
    deadpool_postgres::{Manager, Pool, Runtime},
    tokio_postgres::{Config, NoTls},
};
use tokio::{sync::watch, task::JoinHandle};

mod abandoned;
mod agenda;
mod alerts;
mod cases;
pub(super) mod corrupt;
pub(super) mod damaged;
mod faults;
pub(super) mod killed;
mod live;
mod log;
mod queries;
mod quota;
mod rebuild;
mod visits;
mod withheld;

/// How long anything may take here.
const WITHIN: Duration = Duration::from_secs(60);

/// A PostgreSQL with views on it.
struct Fixture {
    server: PgServer,
    views: Views,
}

impl Fixture {
    async fn start() -> Self {
        let server = PgServer::start().await.unwrap();
        let views = open(&server).await;
        Self { server, views }
    }

    /// Waits until every view reflects `position`.
    async fn reach(&self, position: Position) {
        for view in ViewName::ALL {
            self.views.wait(view, position, WITHIN).await.unwrap();
        }
    }

    /// Builds a view again and switches to it.
    async fn rebuild(&self, journal: &Journal, view: ViewName) -> Position {
        let rebuild = self.views.begin_rebuild(journal, view).await.unwrap();
        rebuild.switch(journal).await.unwrap()
    }

    /// How many rows a table of the view has.
    async fn rows(&self, view: ViewName, table: &str) -> i64 {
        let client = pool(&self.server).get().await.unwrap();
        let count = format!("SELECT count(*) FROM {}.{table}", view.schema());
        client.query_one(&count, &[]).await.unwrap().get(0)
    }

    async fn run(&self, statement: &str) {
        let client = pool(&self.server).get().await.unwrap();
        client.batch_execute(statement).await.unwrap();
    }

    /// The live tables are what a fresh replay makes.
    async fn assert_as_replayed(&self, journal: &Journal) {
        for check in self.views.verify(journal).await.unwrap() {
            assert!(check.matches(), "{check:?}");
        }
    }
}

fn pool(server: &PgServer) -> Pool {
    pool_of(server, 8)
}

fn pool_of(server: &PgServer, connections: usize) -> Pool {
    let manager = Manager::new(server.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(connections).runtime(Runtime::Tokio1);
    pool.wait_timeout(Some(WITHIN)).create_timeout(Some(WITHIN)).build().unwrap()
}

/// The views as another process would open them.
async fn open(server: &PgServer) -> Views {
    open_on(pool(server), server).await
}

async fn open_on(pool: Pool, server: &PgServer) -> Views {
    let connection: Config = server.url().parse().unwrap();
    Views::open(pool, ViewSettings { connection }).await.unwrap()
}

/// A projector, until it is stopped.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    fn start(views: &Views, journal: &Journal) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (views, journal) = (views.clone(), journal.clone());
        Self { stop, task: tokio::spawn(async move { views.project(&journal, stopped).await }) }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(WITHIN, self.task).await.unwrap().unwrap();
    }
}

fn fresh(position: Position) -> Fresh {
    Fresh::at(position, WITHIN)
}
