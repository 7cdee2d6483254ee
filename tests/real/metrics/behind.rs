//! How Prometheus is told of a view that is held up, of one that is halted, and of a stream that is parked; and of
//! none of it once that is over.

use std::{collections::BTreeMap, time::Instant};

use doudi_api::permission::Role;
use doudi_journal::Position;
use doudi_server::{client::Client, parts::Parts, token};
use doudi_tests::world::Ground;
use doudi_views::ViewName;
use tokio_postgres::NoTls;
use tonic::transport::Channel;

use super::{
    super::{
        operator::{park, take_in, tamper, well},
        requests::{moved, register},
    },
    BOUND, started, told,
};

fn series(gauge: &str, view: ViewName) -> String {
    format!("doudi_view_{gauge}{{view=\"{view}\"}}")
}

/// What is told of a view; not a number where nothing is.
fn value(told: &BTreeMap<String, f64>, gauge: &str, view: ViewName) -> f64 {
    told.get(&series(gauge, view)).copied().unwrap_or(f64::NAN)
}

/// Whether of that view `expected` is told, and 0 of each other one.
fn only(told: &BTreeMap<String, f64>, gauge: &str, view: ViewName, expected: f64) -> bool {
    ViewName::ALL.into_iter().all(|one| {
        let expected = if one == view { expected } else { 0.0 };
        told.get(&series(gauge, one)) == Some(&expected)
    })
}

/// Whether 0 is told of every view.
fn none(told: &BTreeMap<String, f64>, gauge: &str) -> bool {
    only(told, gauge, ViewName::Timeline, 0.0)
}

fn admin(ground: &Ground, channel: &Channel) -> Client {
    Client::new(channel, &ground.token(&token::claims(Role::Admin))).unwrap()
}

/// Waits until all views have what the log has. Gives the end.
async fn caught_up(ground: &Ground) -> Position {
    let parts = Parts::assemble(&ground.config).await.unwrap();
    let end = parts.journal.last_position().await.unwrap();
    for view in ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
    end
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_held_up_is_as_late_as_its_oldest_record_until_it_goes_on() {
    let ground = Ground::start().await;
    // What waits for longer is ended by PostgreSQL and tried again, which halts and parks nothing.
    let settings = [("DOUDI_POSTGRES__STATEMENT_TIMEOUT", "2s")];
    let (_doudi, channel, metrics) = started(&ground, &settings).await;
    let mut admin = admin(&ground, &channel);
    admin.enterprises.register_enterprise(register("L-BEFORE")).await.unwrap();
    assert_eq!(caught_up(&ground).await, Position(1));
    let (view, url) = (ViewName::Timeline, ground.config.postgres.url.expose());
    let (holder, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let lock = format!("BEGIN; LOCK TABLE {}.entry IN EXCLUSIVE MODE", view.schema());
    holder.batch_execute(&lock).await.unwrap();

    let first = Instant::now();
    admin.enterprises.register_enterprise(register("L-FIRST")).await.unwrap();
    let held = told(metrics, |told| {
        only(told, "lag_records", view, 1.0) && value(told, "lag_seconds", view) >= 1.0
    })
    .await;
    let late = value(&held, "lag_seconds", view);
    assert!(late <= first.elapsed().as_secs_f64(), "{late} seconds");
    let second = Instant::now();
    admin.enterprises.register_enterprise(register("L-SECOND")).await.unwrap();
    // The first counts: the second one is never as late as this.
    let held = told(metrics, |told| {
        only(told, "lag_records", view, 2.0)
            && value(told, "lag_seconds", view) > second.elapsed().as_secs_f64()
    })
    .await;
    let positions = ViewName::ALL.map(|one| value(&held, "position", one));
    let expected = ViewName::ALL.map(|one| if one == view { 1.0 } else { 3.0 });
    assert_eq!(positions, expected);

    holder.batch_execute("ROLLBACK").await.unwrap();
    let after = told(metrics, |told| none(told, "lag_records") && none(told, "lag_seconds")).await;
    for told in [&held, &after] {
        assert!(none(told, "halted") && none(told, "parked_streams"), "{told:#?}");
        assert_eq!(told.get("doudi_tables_reachable"), Some(&1.0));
    }
    assert!(ViewName::ALL.into_iter().all(|one| after.get(&series("position", one)) == Some(&3.0)));
    drop(holder);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_view_and_a_parked_stream_are_told_until_they_are_mended() {
    const ENTERPRISE: &str = "L-PARKED";
    let ground = Ground::start().await;
    let (config, (_doudi, channel, metrics)) = (&ground.config, started(&ground, &[]).await);
    let mut admin = admin(&ground, &channel);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let end = caught_up(&ground).await;
    let stream = format!("ev.{ENTERPRISE}.profile");
    park(config, &stream, end.next()).await;
    tamper(config, "UPDATE doudi.checkpoint SET halted = 'a test' WHERE view = 'visits'").await;
    admin.enterprises.change_area(moved(ENTERPRISE)).await.unwrap();
    told(metrics, |told| {
        only(told, "parked_streams", ViewName::Timeline, 1.0)
            && only(told, "halted", ViewName::Visits, 1.0)
            && only(told, "lag_records", ViewName::Visits, 1.0)
    })
    .await;

    well(config, &["resume", "visits"]).await;
    take_in(config, &stream).await;
    told(metrics, |told| {
        ["parked_streams", "halted", "lag_records", "lag_seconds"].iter().all(|it| none(told, it))
    })
    .await;
}
