//! A question that its caller gives up: nobody else waits for its answer.

use std::time::Duration;

use doudi_views::{
    Fresh, Scope, ViewName, ViewSettings, Views, appeals,
    deadpool_postgres::{Manager, Pool, Runtime},
    tokio_postgres::NoTls,
};
use tokio::time::timeout;

use super::Fixture;

/// How long the caller waits that gives up, far longer than a question takes that nothing holds up.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long the next one may take, far shorter than what holds up the first.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_holds_nobody_up() {
    let fixture = Fixture::start().await;
    let manager = Manager::new(fixture.server.url().parse().unwrap(), NoTls);
    // With one connection, whoever comes next gets the one that was given up.
    let pool = Pool::builder(manager).max_size(1).runtime(Runtime::Tokio1).build().unwrap();
    let connection = fixture.server.url().parse().unwrap();
    let views = Views::open(pool, ViewSettings { connection }).await.unwrap();

    let holder = super::pool(&fixture.server).get().await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE {}.appeal", ViewName::Appeals.schema());
    holder.batch_execute(&lock).await.unwrap();
    let held_up = appeals::Query::all(Scope::All, 1);
    let given_up = timeout(PATIENCE, views.appeals(&held_up, Fresh::ANY)).await;
    assert!(given_up.is_err(), "it waits for the lock");

    let visits = doudi_views::visits::Filter::all(Scope::All);
    let counted = timeout(AT_ONCE, views.count_visits(&visits, Fresh::ANY)).await;
    counted.expect("it waits for nobody").unwrap();

    // What was given up is over, and the lock is free as soon as its holder lets it go.
    holder.batch_execute("ROLLBACK").await.unwrap();
    views.appeals(&held_up, Fresh::ANY).await.unwrap();
}
