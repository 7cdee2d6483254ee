//! Appending: the expected position is exact, and one expectation is met once.

use doudi_journal::{AppendError, COMMIT_BYTES_MAX, Journal, Position, StreamName};
use futures::future::join_all;

use super::{fill, soon, stream};

super::on_both_logs!(
    expectations_are_exact,
    of_many_first_appends_one_wins,
    the_same_record_again_is_a_conflict,
    another_record_on_the_same_expectation_is_refused,
    what_is_too_large_is_refused_and_the_largest_is_not,
    streams_with_similar_names_do_not_mix,
    parallel_appends_fill_the_log_without_gaps,
);

fn actual(result: Result<Position, AppendError>) -> Position {
    match result {
        Err(AppendError::Conflict { actual }) => actual,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn expectations_are_exact(log: Journal) {
    let stream = stream("a");
    assert_eq!(actual(log.append(&stream, "x".into(), Position(1)).await), Position(0));
    let positions = fill(&log, &stream, 3).await;
    let last = positions[2];
    for wrong in [Position(0), positions[0], positions[1], last.next(), Position(1000)] {
        assert_eq!(actual(log.append(&stream, "x".into(), wrong).await), last, "{wrong}");
    }
    assert_eq!(log.append(&stream, "x".into(), last).await.unwrap(), last.next());
    assert_eq!(log.last_position().await.unwrap(), last.next());
}

async fn of_many_first_appends_one_wins(log: Journal) {
    for round in 0..10 {
        let stream = stream(&format!("race-{round}"));
        let racers = (0..16).map(|racer| {
            let (log, stream) = (log.clone(), stream.clone());
            tokio::spawn(async move {
                let payload = format!("racer {racer}");
                (payload.clone(), log.append(&stream, payload.into(), Position(0)).await)
            })
        });
        let results: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
        let (won, lost): (Vec<_>, Vec<_>) =
            results.into_iter().partition(|(_, result)| result.is_ok());
        assert_eq!(won.len(), 1);
        let (payload, position) = won.into_iter().next().unwrap();
        let position = position.unwrap();
        for (_, result) in lost {
            assert_eq!(actual(result), position);
        }
        let stored = log.load(&stream, Position(0), position).await.unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].payload, payload);
    }
}

async fn the_same_record_again_is_a_conflict(log: Journal) {
    let stream = stream("a");
    let first = log.append(&stream, "once".into(), Position(0)).await.unwrap();
    assert_eq!(actual(log.append(&stream, "once".into(), Position(0)).await), first);
    assert_eq!(log.load(&stream, Position(0), first).await.unwrap().len(), 1);
}

async fn another_record_on_the_same_expectation_is_refused(log: Journal) {
    let stream = stream("a");
    let first = log.append(&stream, "one body".into(), Position(0)).await.unwrap();
    assert_eq!(actual(log.append(&stream, "another body".into(), Position(0)).await), first);
    let stored = log.load(&stream, Position(0), first).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].payload, "one body");
}

async fn what_is_too_large_is_refused_and_the_largest_is_not(log: Journal) {
    let stream = stream("a");
    let over = vec![b'x'; COMMIT_BYTES_MAX + 1];
    match log.append(&stream, over.into(), Position(0)).await {
        Err(AppendError::TooLarge { bytes, bytes_max }) => {
            assert_eq!((bytes, bytes_max), (COMMIT_BYTES_MAX + 1, COMMIT_BYTES_MAX));
        }
        other => panic!("expected a refusal for size, got {other:?}"),
    }
    assert_eq!(log.last_position().await.unwrap(), Position(0));
    let most = vec![b'x'; COMMIT_BYTES_MAX];
    let position = log.append(&stream, most.into(), Position(0)).await.unwrap();
    let stored = log.load(&stream, Position(0), position).await.unwrap();
    assert_eq!(stored[0].payload.len(), COMMIT_BYTES_MAX);
}

async fn streams_with_similar_names_do_not_mix(log: Journal) {
    let names = [
        ("a", "appeal", None),
        ("a", "appeal", Some("1")),
        ("a", "appeal", Some("11")),
        ("a", "appeals", Some("1")),
        ("ab", "appeal", Some("1")),
        ("A", "appeal", Some("1")),
        ("appeal", "a", None),
    ];
    let streams = names.map(|(owner, kind, id)| StreamName::new(owner, kind, id).unwrap());
    for stream in &streams {
        let payload = stream.to_string();
        log.append(stream, payload.into(), Position(0)).await.unwrap();
    }
    for stream in &streams {
        let stored = log.load(stream, Position(0), Position(0)).await.unwrap();
        assert_eq!(stored.len(), 1, "{stream}");
        assert_eq!(stored[0].stream, *stream);
        assert_eq!(stored[0].payload, stream.as_str());
    }
}

async fn parallel_appends_fill_the_log_without_gaps(log: Journal) {
    let appends = (0..200).map(|number| {
        let log = log.clone();
        async move { log.append(&stream(&number.to_string()), "x".into(), Position(0)).await }
    });
    let mut positions: Vec<u64> =
        soon(join_all(appends)).await.into_iter().map(|position| position.unwrap().0).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=200).collect::<Vec<u64>>());
}
