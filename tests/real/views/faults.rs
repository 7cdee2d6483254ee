//! What may go wrong: a second runner, a broken log, poison, a rebuild, PostgreSQL going away.

use doudi_domain::appeal;
use doudi_journal::{Position, StreamName};
use doudi_tests::until;
use doudi_views::{ViewError, ViewName};

use super::{Fixture, Running, WITHIN, log::*, open, open_on, pool, pool_of};

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_at_once_count_every_record_once() {
    let fixture = Fixture::start().await;
    let other = open(&fixture.server).await;
    let mut log = Log::new();
    let first = Running::start(&fixture.views, &log.journal);
    let second = Running::start(&other, &log.journal);
    let mut last = Position::START;
    for n in 1..=300 {
        last = log.history(n, "tax").await;
        if n % 10 == 0 {
            // So that the runners meet at the end of the log again and again.
            fixture.reach(last).await;
        }
    }
    fixture.reach(last).await;
    // One runner alone carries on.
    first.stop().await;
    last = log.history(301, "tax").await;
    fixture.reach(last).await;
    second.stop().await;
    let entries = fixture.rows(ViewName::Timeline, "entry").await;
    assert_eq!(entries, i64::try_from(301 * EVENTS).unwrap());
    assert_eq!(fixture.rows(ViewName::Appeals, "appeal").await, 301);
    fixture.assert_as_replayed(&log.journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_ends_too_early_halts_the_views_and_a_resume_goes_on() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let last = log.history(1, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    running.stop().await;
    let mut foreign = Log::new();
    foreign.append("ev.L-1.profile", &[registered(AREA)]).await;
    let running = Running::start(&fixture.views, &foreign.journal);
    let halted = async || {
        let checkpoints = fixture.views.checkpoints().await.unwrap();
        checkpoints.iter().all(|known| known.halted.is_some()).then_some(checkpoints)
    };
    let checkpoints = until(WITHIN, halted).await.expect("every view halts");
    assert!(checkpoints.iter().all(|known| known.position == last), "{checkpoints:?}");
    assert!(checkpoints[0].halted.as_ref().unwrap().contains("ends at 1"), "{checkpoints:?}");
    running.stop().await;
    // The right log again: halted all the same, until somebody has looked at it.
    let mut report = |_: Position, _: Position| {};
    let next = log.history(2, "tax").await;
    let refused = fixture.views.catch_up(&log.journal, ViewName::Visits, &mut report).await;
    assert!(matches!(refused, Err(ViewError::Halted { .. })), "{refused:?}");
    for view in ViewName::ALL {
        fixture.views.resume(view).await.unwrap();
        let reached = fixture.views.catch_up(&log.journal, view, &mut report).await.unwrap();
        assert_eq!(reached, next);
    }
    assert_eq!(fixture.views.highest_position().await.unwrap(), next);
    fixture.assert_as_replayed(&log.journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_parks_its_stream_and_the_others_go_on() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    log.history(1, "tax").await;
    let bad = StreamName::parse(&format!("ev.L-1.appeal.{}", appeal(1))).unwrap();
    let first = log.put(&bad, b"not a commit".to_vec()).await;
    // Readable, but PostgreSQL looks into no document with a NUL: the agenda has one, the timeline shows it as it is.
    let refused = format!("ev.L-2.appeal.{}", appeal(2));
    log.history(2, "tax").await;
    let erased = appeal::Event::PersonalDataErased { subject: "a\0b".to_owned() };
    log.append(&refused, &[erased]).await;
    log.append(&refused, &[closed()]).await;
    let after = log.append(bad.as_str(), &[closed()]).await;
    log.append("ev.L-1.later-kind", &[registered(AREA)]).await;
    let last = log.history(3, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let parked = fixture.views.parked().await.unwrap();
    let brief = |view: ViewName, stream: &str| {
        let mut found = parked.iter().filter(|p| p.view == view && p.stream == stream);
        found.next().map(|parked| (parked.first, parked.last, parked.records))
    };
    let of_appeals = [ViewName::Timeline, ViewName::Appeals, ViewName::Agenda, ViewName::Measures];
    for view in of_appeals {
        assert_eq!(brief(view, bad.as_str()), Some((first, after, 2)), "{parked:?}");
    }
    let by_content = brief(ViewName::Agenda, &refused).expect("PostgreSQL refuses it");
    assert_eq!(by_content.2, 2, "{parked:?}");
    for view in [ViewName::Timeline, ViewName::Appeals, ViewName::Measures] {
        assert_eq!(brief(view, &refused), None, "{parked:?}");
    }
    assert_eq!(parked.len(), 5, "{parked:?}");
    let entries = fixture.rows(ViewName::Timeline, "entry").await;
    assert_eq!(entries, i64::try_from(3 * EVENTS + 2).unwrap(), "the others went on");
    fixture.assert_as_replayed(&log.journal).await;
    let still = fixture.views.retry(&log.journal, ViewName::Timeline, &bad).await;
    assert!(matches!(still, Err(ViewError::StillPoison { .. })), "{still:?}");
    let good = StreamName::parse("ev.L-3.visits").unwrap();
    let not_parked = fixture.views.retry(&log.journal, ViewName::Timeline, &good).await;
    assert!(matches!(not_parked, Err(ViewError::NotParked { .. })), "{not_parked:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_that_can_be_read_now_is_taken_in() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    // As if an older program had not known the first event of this stream.
    for view in [ViewName::Timeline, ViewName::Appeals, ViewName::Measures] {
        let version = view.version();
        let stream = format!("ev.L-1.appeal.{}", appeal(1));
        let park = format!(
            "INSERT INTO doudi.parked VALUES ('{view}', {version}, '{stream}', 6, 6, 0, 'unknown')"
        );
        fixture.run(&park).await;
    }
    let last = log.history(1, "tax").await;
    let running = Running::start(&fixture.views, &log.journal);
    fixture.reach(last).await;
    let parked = fixture.views.parked().await.unwrap();
    assert_eq!(parked.len(), 3);
    assert!(parked.iter().all(|entry| entry.records == 3 && entry.last == last), "{parked:?}");
    assert_eq!(fixture.rows(ViewName::Appeals, "appeal").await, 0);
    for entry in &parked {
        let stream = StreamName::parse(&entry.stream).unwrap();
        let applied = fixture.views.retry(&log.journal, entry.view, &stream).await.unwrap();
        assert_eq!(applied, 3);
    }
    assert_eq!(fixture.views.parked().await.unwrap(), vec![]);
    let last = log.history(2, "tax").await;
    fixture.reach(last).await;
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_makes_the_same_tables_again_while_the_log_grows() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    log.append("ev._city.policy.frequency", &published(1)).await;
    let running = Running::start(&fixture.views, &log.journal);
    let mut last = Position::START;
    for n in 1..=200 {
        last = log.history(n, "tax").await;
    }
    fixture.reach(last).await;
    for view in ViewName::ALL {
        let before = fixture.views.digest(view).await.unwrap();
        assert_eq!(fixture.rebuild(&log.journal, view).await, last);
        assert_eq!(fixture.views.digest(view).await.unwrap(), before);
    }
    // Once more in the midst of things.
    for n in 201..=260 {
        last = log.history(n, "tax").await;
        if n == 230 {
            fixture.rebuild(&log.journal, ViewName::Timeline).await;
        }
    }
    let caught_up = async || {
        let reached = fixture.views.checkpoints().await.unwrap();
        reached.iter().all(|known| known.position == last).then_some(reached)
    };
    let checkpoints = until(WITHIN, caught_up).await.expect("every view catches up");
    assert_eq!(checkpoints[0].epoch, 2);
    fixture.assert_as_replayed(&log.journal).await;
    // A view whose tables somebody dropped halts, and a rebuild makes them again.
    fixture.run(&format!("DROP SCHEMA {} CASCADE", ViewName::Visits.schema())).await;
    last = log.append("ev._city.policy.frequency", &published(2)).await;
    let halted = async || {
        let checkpoints = fixture.views.checkpoints().await.unwrap();
        checkpoints[1].halted.clone()
    };
    assert!(until(WITHIN, halted).await.expect("it halts").contains("does not exist"));
    assert_eq!(fixture.rebuild(&log.journal, ViewName::Visits).await, last);
    fixture.reach(last).await;
    fixture.assert_as_replayed(&log.journal).await;
    // A table that somebody changed by hand is found out.
    running.stop().await;
    let schema = ViewName::Timeline.schema();
    fixture.run(&format!("UPDATE {schema}.entry SET unit = 'other' WHERE position = 3")).await;
    let checks = fixture.views.verify(&log.journal).await.unwrap();
    let wrong: Vec<_> = checks.iter().filter(|check| !check.matches()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].view, ViewName::Timeline);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_views_outlive_a_restart_of_postgresql() {
    let mut fixture = Fixture::start().await;
    let mut log = Log::new();
    let running = Running::start(&fixture.views, &log.journal);
    for n in 1..=50 {
        log.history(n, "tax").await;
    }
    fixture.server.restart().await.unwrap();
    for n in 51..=100 {
        log.history(n, "tax").await;
    }
    fixture.server.kill9().await.unwrap();
    fixture.server.restart().await.unwrap();
    let last = log.history(101, "tax").await;
    fixture.reach(last).await;
    fixture.assert_as_replayed(&log.journal).await;
    running.stop().await;
}

/// So many records that whoever comes to them copies what they make; where the last of them stands.
async fn many(log: &mut Log, round: u64) -> Position {
    let mut last = Position::START;
    for n in 1..=40 {
        last = log.history(round * 40 + n, "tax").await;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_refused_before_it_begins_is_answered_to_nobody_else() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    // So few connections that somebody always waits for the next one.
    let views = open_on(pool_of(&fixture.server, 2), &fixture.server).await;
    let mut foreign = pool(&fixture.server).get().await.unwrap();
    let watcher = pool(&fixture.server).get().await.unwrap();
    let lock = format!("LOCK TABLE {}.entry IN EXCLUSIVE MODE", ViewName::Timeline.schema());
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
         WHERE wait_event_type = 'Lock' AND query LIKE 'COPY entry%'";
    for round in 0..10 {
        let locked = foreign.transaction().await.unwrap();
        locked.batch_execute(&lock).await.unwrap();
        let last = many(&mut log, round).await;
        let running = Running::start(&views, &log.journal);
        let cancelled = async || {
            let rows = watcher.query(cancel, &[]).await.unwrap();
            (!rows.is_empty()).then_some(())
        };
        assert!(until(WITHIN, cancelled).await.is_some(), "a copy waits for the lock");
        locked.rollback().await.unwrap();
        for view in ViewName::ALL {
            views.wait(view, last, WITHIN).await.unwrap();
        }
        running.stop().await;
    }
    let checkpoints = views.checkpoints().await.unwrap();
    assert!(checkpoints.iter().all(|known| known.halted.is_none()), "{checkpoints:?}");
    fixture.assert_as_replayed(&log.journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_other_columns_halts_its_view_and_parks_nothing() {
    let fixture = Fixture::start().await;
    let mut log = Log::new();
    let schema = ViewName::Timeline.schema();
    fixture.run(&format!("ALTER TABLE {schema}.entry ALTER position TYPE integer")).await;
    many(&mut log, 0).await;
    let running = Running::start(&fixture.views, &log.journal);
    let halted = async || {
        let checkpoints = fixture.views.checkpoints().await.unwrap();
        let timeline = checkpoints.into_iter().find(|known| known.view == ViewName::Timeline);
        timeline.unwrap().halted
    };
    let reason = until(WITHIN, halted).await.expect("it halts");
    assert!(reason.contains("other columns"), "{reason}");
    assert_eq!(fixture.views.parked().await.unwrap(), []);
    running.stop().await;
}
