//! Building a view again beside the live one: nobody who asks or watches sees anything of it.

use std::{
    slice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use doudi_journal::Position;
use doudi_tests::until;
use doudi_views::{
    AsOf, Fresh, PAGE_MAX, Rebuild, Scope, ViewError, ViewName, Views, appeals,
    timeline::{Point, Selection, Watch},
};

use jiff::Timestamp;

use super::{
    Fixture, Running, WITHIN,
    live::{collect, points, quiet},
    log::*,
    pool,
};

/// Commits of one history, and which of them submits its appeal.
const COMMITS: u64 = 8;
const SUBMITS: u64 = 6;

/// Asks again and again until told to stop: every answer is whole for its position, and no position
/// lies before the one of the answer before. Gives how often it asked.
async fn ask(views: Views, stop: Arc<AtomicBool>) -> u64 {
    let query = appeals::Query::all(Scope::All, PAGE_MAX);
    let (mut asked, mut reached) = (0, Position::START);
    while !stop.load(Ordering::Relaxed) {
        // In turns by a statement alone and in a transaction: as of the end of time all is as it is now.
        let always = Fresh::ANY.as_of(Some(AsOf::Occurred(Timestamp::MAX)));
        let fresh = if asked % 2 == 0 { Fresh::ANY } else { always };
        let page = views.appeals(&query, fresh).await.unwrap();
        assert!(page.position >= reached, "back from {reached} to {}", page.position);
        reached = page.position;
        let submitted = (reached.0 + COMMITS - SUBMITS) / COMMITS;
        assert_eq!(page.appeals.len() as u64, submitted, "at {reached}");
        asked += 1;
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilds_under_load_are_seen_by_no_query_and_repeat_nothing_to_watchers() {
    const BEFORE: u64 = 100;
    const ALL: u64 = 300;
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let journal = log.journal.clone();
    let running = Running::start(&fixture.views, &journal);
    let mut last = Position::START;
    for n in 1..=BEFORE {
        last = log.history(n, "tax").await;
    }
    fixture.reach(last).await;
    let watch = |selection| fixture.views.watch_timeline(selection, Point::START);
    let all = usize::try_from(ALL).unwrap() * EVENTS;
    let watching = |mut watch: Watch, count| {
        tokio::spawn(async move { (points(&collect(&mut watch, count).await), watch) })
    };
    let feed = watching(watch(Selection::all(Scope::All)), all);
    let own = watching(watch(Selection::of(enterprise(ALL), Scope::All)), EVENTS);
    let stop = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask(fixture.views.clone(), stop.clone()));

    let written = AtomicBool::new(false);
    let write = async {
        for n in BEFORE + 1..=ALL {
            last = log.history(n, "tax").await;
            // So that it goes on for as long as several rebuilds take.
            fixture.views.wait(ViewName::Timeline, last, WITHIN).await.unwrap();
        }
        written.store(true, Ordering::Relaxed);
    };
    let rebuild = async {
        let mut rebuilds = 0;
        while !written.load(Ordering::Relaxed) {
            for view in ViewName::ALL {
                fixture.rebuild(&journal, view).await;
            }
            rebuilds += 1;
        }
        rebuilds
    };
    let ((), rebuilds) = tokio::join!(write, rebuild);
    fixture.reach(last).await;
    stop.store(true, Ordering::Relaxed);
    assert!(asking.await.unwrap() > rebuilds, "it asked meanwhile");
    for (watching, count) in [(feed, all), (own, EVENTS)] {
        let (seen, mut watch) = watching.await.unwrap();
        assert_eq!(seen.len(), count);
        assert!(seen.is_sorted_by(|a, b| a < b), "once, in order");
        assert_eq!(quiet(&mut watch).await, last);
    }
    let checkpoints = fixture.views.checkpoints().await.unwrap();
    assert!(checkpoints.iter().all(|known| known.epoch == rebuilds), "{checkpoints:?}");
    assert_eq!(fixture.views.rebuilds().await.unwrap(), []);
    fixture.assert_as_replayed(&journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_one_at_a_time_goes_on_where_it_stood_and_can_be_given_up() {
    let fixture = Fixture::start().await;
    let views = &fixture.views;
    let mut log = Log::new();
    let running = Running::start(views, &log.journal);
    let last = log.history(1, "tax").await;
    fixture.reach(last).await;
    let live = views.digest(ViewName::Visits).await.unwrap();
    let begin = || views.begin_rebuild(&log.journal, ViewName::Visits);
    let mut rebuild = begin().await.unwrap();
    let said = &mut |_, _, _| {};
    Rebuild::catch_up(slice::from_mut(&mut rebuild), &log.journal, said).await.unwrap();
    assert_eq!(views.rebuilds().await.unwrap(), [(ViewName::Visits, last)]);
    let second = begin().await.map(|_| ());
    assert!(matches!(second, Err(ViewError::RebuildRunning { .. })), "{second:?}");
    let cancelled = views.cancel_rebuild(ViewName::Visits).await;
    assert!(matches!(cancelled, Err(ViewError::RebuildRunning { .. })), "{cancelled:?}");
    // Another view does not mind.
    fixture.rebuild(&log.journal, ViewName::Alerts).await;
    drop(rebuild);
    let rebuild = until(WITHIN, async || begin().await.ok()).await.expect("the lock is free");
    assert_eq!(rebuild.reached(), last, "it goes on where it stood");
    drop(rebuild);
    let cancel = async || views.cancel_rebuild(ViewName::Visits).await.ok();
    assert_eq!(until(WITHIN, cancel).await, Some(true));
    assert_eq!(views.rebuilds().await.unwrap(), []);
    assert!(!views.cancel_rebuild(ViewName::Visits).await.unwrap());
    assert_eq!(views.digest(ViewName::Visits).await.unwrap(), live);
    let checkpoints = views.checkpoints().await.unwrap();
    let epoch = |view| checkpoints.iter().find(|known| known.view == view).unwrap().epoch;
    assert_eq!((epoch(ViewName::Visits), epoch(ViewName::Alerts)), (0, 1));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_for_long_holds_the_switch_up_and_nobody_else() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    let mut last = log.history(1, "tax").await;
    fixture.reach(last).await;
    let mut reader = pool(&fixture.server).get().await.unwrap();
    let reading = reader.transaction().await.unwrap();
    let hold = format!("LOCK TABLE {}.entry IN ACCESS SHARE MODE", ViewName::Timeline.schema());
    reading.batch_execute(&hold).await.unwrap();
    let (views, journal) = (fixture.views.clone(), log.journal.clone());
    let switching = tokio::spawn(async move {
        let rebuild = views.begin_rebuild(&journal, ViewName::Timeline).await.unwrap();
        rebuild.switch(&journal).await.unwrap()
    });
    let watcher = pool(&fixture.server).get().await.unwrap();
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted";
    let waits = async || {
        let row = watcher.query_one(waiting, &[]).await.unwrap();
        (row.get::<_, i64>(0) > 0).then_some(())
    };
    for _ in 0..3 {
        assert!(until(WITHIN, waits).await.is_some(), "the switch waits for the reader");
        last = log.append("ev.L-1.profile", &[registered(AREA)]).await;
        // Runners and queries go on between its tries.
        fixture.views.wait(ViewName::Timeline, last, WITHIN).await.unwrap();
        assert_eq!(fixture.views.digest(ViewName::Timeline).await.unwrap().0, last);
    }
    assert!(!switching.is_finished());
    reading.commit().await.unwrap();
    assert_eq!(switching.await.unwrap(), last);
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_outlives_postgresql_being_killed_in_its_midst() {
    let mut fixture = Fixture::start().await;
    let views = fixture.views.clone();
    let mut log = Log::new();
    let journal = log.journal.clone();
    let running = Running::start(&views, &journal);
    let mut last = Position::START;
    for n in 1..=260 {
        last = log.history(n, "tax").await;
    }
    let mut broken_off = 0;
    for n in 261..=263 {
        fixture.reach(last).await;
        let (rebuilder, follows) = (views.clone(), journal.clone());
        let rebuilding = tokio::spawn(async move {
            let rebuild = rebuilder.begin_rebuild(&follows, ViewName::Appeals).await?;
            rebuild.switch(&follows).await
        });
        let begun = async || views.rebuilds().await.unwrap().first().copied();
        let (view, _) = until(WITHIN, begun).await.expect("it begins");
        assert_eq!(view, ViewName::Appeals);
        fixture.server.kill9().await.unwrap();
        fixture.server.restart().await.unwrap();
        broken_off += u64::from(rebuilding.await.unwrap().is_err());
        last = log.history(n, "tax").await;
        let again = async || {
            let rebuild = views.begin_rebuild(&journal, ViewName::Appeals).await.ok()?;
            rebuild.switch(&journal).await.ok()
        };
        assert!(until(WITHIN, again).await.is_some(), "it goes on");
        fixture.reach(last).await;
        fixture.assert_as_replayed(&journal).await;
    }
    assert!(broken_off > 0, "PostgreSQL went away while it was at work");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_log_has_lost_records_a_rebuild_leads_the_views_back() {
    let fixture = Fixture::start().await;
    let views = &fixture.views;
    let mut log = Log::new();
    let last = log.history(1, "tax").await;
    let mut report = |_, _| {};
    for view in ViewName::ALL {
        views.catch_up(&log.journal, view, &mut report).await.unwrap();
    }
    // A rebuild that was broken off had read what the log has lost since, and so has an older version.
    let mut broken_off = views.begin_rebuild(&log.journal, ViewName::Timeline).await.unwrap();
    let said = &mut |_, _, _| {};
    Rebuild::catch_up(slice::from_mut(&mut broken_off), &log.journal, said).await.unwrap();
    drop(broken_off);
    fixture.run("INSERT INTO doudi.checkpoint VALUES ('visits', 0, 1000, 0, NULL)").await;
    fixture.run("INSERT INTO doudi.checkpoint VALUES ('visits', 1, 1, 0, NULL)").await;
    let mut restored = Log::new();
    let end = restored.append("ev.L-1.profile", &[registered(AREA)]).await;
    assert!(end < last);
    for view in ViewName::ALL {
        let begin = async || views.begin_rebuild(&restored.journal, view).await.ok();
        let rebuild = until(WITHIN, begin).await.expect("the lock is free");
        assert_eq!(rebuild.switch(&restored.journal).await.unwrap(), end);
    }
    assert_eq!(views.highest_position().await.unwrap(), end);
    assert_eq!(fixture.rows(ViewName::Timeline, "entry").await, 1);
    fixture.assert_as_replayed(&restored.journal).await;
    // They go on from there, and what an older version has left is dropped when asked.
    let running = Running::start(views, &restored.journal);
    let last = restored.history(2, "tax").await;
    fixture.reach(last).await;
    fixture.assert_as_replayed(&restored.journal).await;
    running.stop().await;
    fixture.run("CREATE SCHEMA visits_v1; CREATE TABLE visits_v1.visit (id int)").await;
    fixture.run("CREATE SCHEMA visits_v999").await;
    assert_eq!(views.drop_old().await.unwrap(), ["visits_v1"]);
    assert_eq!(views.drop_old().await.unwrap(), [""; 0]);
    fixture.assert_as_replayed(&restored.journal).await;
}
