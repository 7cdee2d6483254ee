//! Questions that their callers give up: nobody else waits for their answers, and PostgreSQL does not either.

use std::time::Duration;

use doudi_tests::until;
use doudi_views::{
    AsOf, Fresh, Scope, ViewName, ViewSettings, Views, appeals,
    deadpool_postgres::{Manager, Object, Pool, Runtime},
    tokio_postgres::NoTls,
};
use jiff::Timestamp;
use tokio::time::timeout;

use super::Fixture;

/// How long the caller waits that gives up, far longer than a question takes that nothing holds up.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long the next one may take, far shorter than what holds up the first.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Views of their own with so many connections.
async fn views(fixture: &Fixture, connections: usize) -> Views {
    let manager = Manager::new(fixture.server.url().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager).max_size(connections).runtime(Runtime::Tokio1);
    let connection = fixture.server.url().parse().unwrap();
    let views = Views::open(pool.build().unwrap(), ViewSettings { connection }).await.unwrap();
    // The connections on which they hear of progress count as well, and are there from now on.
    let heard =
        until(AT_ONCE, async || (views.reachable() && fixture.views.reachable()).then_some(()));
    heard.await.expect("PostgreSQL is there");
    views
}

/// Somebody who holds the table of the appeals until it rolls back.
async fn holder(fixture: &Fixture) -> Object {
    let holder = super::pool(&fixture.server).get().await.unwrap();
    let lock = format!("BEGIN; LOCK TABLE {}.appeal", ViewName::Appeals.schema());
    holder.batch_execute(&lock).await.unwrap();
    holder
}

/// How many connections PostgreSQL has, and how many of them wait for a lock.
async fn backends(client: &Object) -> (i64, i64) {
    let count = "SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') \
         FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let row = client.query_one(count, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

/// As it is now, by a statement `alone` or in a transaction: as of the end of time all is as it is now.
fn either(alone: bool) -> Fresh {
    if alone { Fresh::ANY } else { Fresh::ANY.as_of(Some(AsOf::Occurred(Timestamp::MAX))) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_holds_nobody_up() {
    let fixture = Fixture::start().await;
    // With one connection, whoever comes next gets the one that was given up.
    let views = views(&fixture, 1).await;
    let holder = holder(&fixture).await;
    let observer = super::pool(&fixture.server).get().await.unwrap();
    let (before, _) = backends(&observer).await;
    let held_up = appeals::Query::all(Scope::All, 1);
    for alone in [true, false] {
        let waiting = until(AT_ONCE, async || (backends(&observer).await.1 > 0).then_some(()));
        // It is given up as soon as it is seen to wait.
        tokio::select! {
            _ = views.appeals(&held_up, either(alone)) => panic!("it waits for the lock"),
            seen = waiting => assert!(seen.is_some(), "it waits for the lock"),
        }

        let visits = doudi_views::visits::Filter::all(Scope::All);
        let counted = timeout(AT_ONCE, views.count_visits(&visits, either(alone))).await;
        counted.expect("it waits for nobody").unwrap();

        // While the lock is still held, what was given up waits for it no more.
        let over = until(AT_ONCE, async || {
            let (connections, held_up) = backends(&observer).await;
            (connections <= before && held_up == 0).then_some(())
        });
        assert!(over.await.is_some(), "{:?}, before {before}", backends(&observer).await);
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    views.appeals(&held_up, Fresh::ANY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_questions_are_given_up_there_are_no_more_connections() {
    const CONNECTIONS: usize = 4;
    let fixture = Fixture::start().await;
    let views = views(&fixture, CONNECTIONS).await;
    let holder = holder(&fixture).await;
    let observer = super::pool(&fixture.server).get().await.unwrap();
    // Besides those of the pool, of which one is open by now, one listens for progress, and those that were closed
    // may be just ending.
    let (before, _) = backends(&observer).await;
    let most = before - 1 + 2 * i64::try_from(CONNECTIONS).unwrap();
    let held_up = appeals::Query::all(Scope::All, 1);
    for _ in 0..5 {
        let asked = (0..40).map(|n| timeout(PATIENCE, views.appeals(&held_up, either(n % 2 == 0))));
        let (all, seen) = tokio::join!(futures::future::join_all(asked), backends(&observer));
        assert!(all.iter().all(Result::is_err), "they wait for the lock");
        for (found, _) in [seen, backends(&observer).await] {
            assert!(found <= most, "{found} connections, at most {most}");
        }
    }
    let over = until(AT_ONCE, async || (backends(&observer).await.1 == 0).then_some(()));
    assert!(over.await.is_some(), "{:?}", backends(&observer).await);
    // Its places are of use again.
    let visits = doudi_views::visits::Filter::all(Scope::All);
    let counted = timeout(AT_ONCE, views.count_visits(&visits, Fresh::ANY)).await;
    counted.expect("nothing holds it up").unwrap();
    holder.batch_execute("ROLLBACK").await.unwrap();
}

/// However late its cancel comes, it meets nobody else's question.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_given_up_takes_no_other_with_it() {
    let fixture = Fixture::start().await;
    let views = views(&fixture, 1).await;
    let visits = doudi_views::visits::Filter::all(Scope::All);
    for n in 0..300 {
        let given_up = views.count_visits(&visits, either(n % 2 == 0));
        let _ = timeout(Duration::from_micros(20 * n), given_up).await;
        views.count_visits(&visits, Fresh::ANY).await.unwrap();
    }
}
