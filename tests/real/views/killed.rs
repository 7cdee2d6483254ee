//! kill -9 of the process that rebuilds, at random points of load and switch, while the log grows.

use doudi_journal::Position;
use doudi_server::parts::Parts;
use doudi_tests::{program, until, world::Ground};
use doudi_views::{
    Checkpoint, Scope, ViewName, Views,
    timeline::{Point, Selection},
};

use super::{
    Running, WITHIN,
    live::{collect, points, quiet},
    log::*,
    pool,
};
use crate::real::operator::well;

/// More than two batches of records before the first rebuild.
const HISTORIES: u64 = 260;
const ROUNDS: u64 = 8;
/// So many further ones while each rebuild runs.
const MEANWHILE: u64 = 3;

/// Random numbers that the seed repeats.
pub(in crate::real) struct Chance(u64);

impl Chance {
    pub(in crate::real) fn seeded() -> Self {
        let seed = std::env::var("SEED").unwrap_or_else(|_| "20260101".to_owned());
        println!("SEED={seed}");
        Self(seed.parse().unwrap())
    }

    /// From 1 to `most`.
    pub(in crate::real) fn up_to(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most + 1
    }

    /// Other numbers, for somebody who draws at the same time.
    pub(in crate::real) fn split(&mut self) -> Self {
        self.up_to(1);
        Self(self.0.rotate_left(32))
    }
}

/// How much is done since `before`: each view's records, up to `end`, and one more for its switch.
pub(in crate::real) async fn done(views: &Views, before: &[Checkpoint], end: Position) -> u64 {
    let rebuilds = views.rebuilds().await.unwrap();
    let now = views.checkpoints().await.unwrap();
    let of = |(before, now): (&Checkpoint, &Checkpoint)| {
        let built = rebuilds.iter().find(|(view, _)| *view == now.view);
        let built = built.map_or(0, |(_, position)| position.0.min(end.0));
        if now.epoch > before.epoch { end.0 + 1 } else { built }
    };
    before.iter().zip(&now).map(of).sum()
}

/// Waits until PostgreSQL has noticed that the process which was killed is gone.
pub(in crate::real) async fn unlocked(servers: &Ground) {
    let client = pool(&servers.postgres).get().await.unwrap();
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    let free = async || {
        let row = client.query_one(locks, &[]).await.unwrap();
        (row.get::<_, i64>(0) == 0).then_some(())
    };
    assert!(until(WITHIN, free).await.is_some(), "the lock stays");
}

async fn assert_sound(views: &Views, parts: &Parts) {
    for check in views.verify(&parts.journal).await.unwrap() {
        assert!(check.matches(), "{check:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilds_killed_anywhere_go_on_and_nobody_sees_a_record_twice_or_misses_one() {
    let servers = Ground::start().await;
    let parts = Parts::assemble(&servers.config).await.unwrap();
    let views = &parts.views;
    let mut log = Log::on(parts.journal.clone());
    let running = Running::start(views, &parts.journal);
    let mut chance = Chance::seeded();
    let mut last = Position::START;
    for n in 1..=HISTORIES {
        last = log.history(n, "tax").await;
    }
    let all = usize::try_from(HISTORIES + ROUNDS * MEANWHILE).unwrap() * EVENTS;
    let mut watch = views.watch_timeline(Selection::all(Scope::All), Point::START);
    let watching = tokio::spawn(async move { (points(&collect(&mut watch, all).await), watch) });

    let (mut number, mut killed) = (HISTORIES, 0);
    for round in 1..=ROUNDS {
        for view in ViewName::ALL {
            views.wait(view, last, WITHIN).await.unwrap();
        }
        let (before, end) = (views.checkpoints().await.unwrap(), last);
        let begun = done(views, &before, end).await;
        let whole = ViewName::ALL.len() as u64 * (end.0 + 1);
        let kill_at = begun + chance.up_to(whole - begun);
        let mut command = program::command();
        program::configure(&mut command, &servers.config, program::free_address());
        let mut child = command.args(["rebuild", "all"]).spawn().unwrap();
        for _ in 0..MEANWHILE {
            number += 1;
            last = log.history(number, "tax").await;
        }
        let due = async || (done(views, &before, end).await >= kill_at).then_some(());
        assert!(until(WITHIN, due).await.is_some(), "the rebuild does not get on");
        child.kill().await.unwrap();
        unlocked(&servers).await;
        let after = done(views, &before, end).await;
        println!("round {round}: from {begun}, killed at {after} of {whole}");
        killed += u64::from(after < whole);
        assert_sound(views, &parts).await;
    }
    assert!(killed >= ROUNDS / 2, "only {killed} were killed before they were done");
    well(&servers.config, &["rebuild", "all"]).await;
    assert_eq!(views.rebuilds().await.unwrap(), []);
    for view in ViewName::ALL {
        views.wait(view, last, WITHIN).await.unwrap();
    }
    assert_sound(views, &parts).await;
    let (seen, mut watch) = watching.await.unwrap();
    assert_eq!(seen.len(), all);
    assert!(seen.is_sorted_by(|a, b| a < b), "once, in order");
    assert_eq!(quiet(&mut watch).await, last);
    running.stop().await;
}
