//! Loading a stream and reading pages of the whole log.

use doudi_journal::{Journal, LoadError, Position, READ_RECORDS_MAX, StreamName};

use super::{fill, soon, stream};

super::on_both_logs!(
    an_empty_log_reads_as_empty,
    records_come_back_as_they_were_stored,
    a_stream_loads_from_after_a_position,
    a_stream_of_many_pages_loads_whole,
    large_records_load_whole,
    at_least_is_honoured,
    the_log_is_read_in_pages,
    the_end_of_a_log_that_grows_is_read,
    which_streams_of_a_kind_have_moved_is_told_in_order,
);

async fn an_empty_log_reads_as_empty(log: Journal) {
    assert_eq!(log.load(&stream("a"), Position(0), Position(0)).await.unwrap(), []);
    assert_eq!(log.load(&stream("a"), Position(5), Position(0)).await.unwrap(), []);
    assert_eq!(log.read(Position(0), 10).await.unwrap(), []);
    assert_eq!(log.last_position().await.unwrap(), Position(0));
    assert!(log.connected());
}

async fn records_come_back_as_they_were_stored(log: Journal) {
    let stream = stream("a");
    let mut last = Position(0);
    let payloads: [&[u8]; 4] = [b"plain", "甲公司".as_bytes(), &[0, 255, 13, 10, 0], b"{}\r\n\r\n"];
    for payload in payloads {
        let position = log.append(&stream, payload.to_vec().into(), last).await.unwrap();
        assert!(position > last);
        last = position;
    }
    let stored = log.load(&stream, Position(0), last).await.unwrap();
    assert_eq!(stored.len(), payloads.len());
    for (record, payload) in stored.iter().zip(payloads) {
        assert_eq!(record.payload, payload);
        assert_eq!(record.stream, stream);
    }
    assert_eq!(stored.last().unwrap().position, last);
}

async fn a_stream_loads_from_after_a_position(log: Journal) {
    let (a, b) = (stream("a"), stream("b"));
    let mut of_a = Vec::new();
    let mut last = (Position(0), Position(0));
    for _ in 0..5 {
        last.0 = log.append(&a, "a".into(), last.0).await.unwrap();
        last.1 = log.append(&b, "b".into(), last.1).await.unwrap();
        of_a.push(last.0);
    }
    for (skipped, after) in of_a.iter().enumerate() {
        let stored = log.load(&a, *after, Position(0)).await.unwrap();
        let positions: Vec<Position> = stored.iter().map(|record| record.position).collect();
        assert_eq!(positions, of_a[skipped + 1..]);
        // A position between two records of the stream is as good as the earlier one.
        assert_eq!(log.load(&a, after.next(), Position(0)).await.unwrap(), stored);
    }
    assert_eq!(log.load(&a, Position(u64::MAX - 1), Position(0)).await.unwrap(), []);
}

async fn a_stream_of_many_pages_loads_whole(log: Journal) {
    let (long, other) = (stream("long"), stream("other"));
    fill(&log, &other, 3).await;
    let positions = fill(&log, &long, READ_RECORDS_MAX * 2 + 300).await;
    let stored = soon(log.load(&long, Position(0), Position(0))).await.unwrap();
    assert!(stored.iter().map(|record| record.position).eq(positions.iter().copied()));
    assert_eq!(stored.last().unwrap().payload, format!("record {}", positions.len()));
}

async fn large_records_load_whole(log: Journal) {
    let stream = stream("large");
    let mut last = Position(0);
    for number in 0..24_u8 {
        last = log.append(&stream, vec![number; 500_000].into(), last).await.unwrap();
    }
    let stored = soon(log.load(&stream, Position(0), last)).await.unwrap();
    let numbers: Vec<u8> = stored.iter().map(|record| record.payload[0]).collect();
    assert_eq!(numbers, (0..24).collect::<Vec<u8>>());
    let page = soon(log.read(Position(0), 100)).await.unwrap();
    assert!(!page.is_empty() && page[0] == stored[0]);
}

async fn at_least_is_honoured(log: Journal) {
    let stream = stream("a");
    let positions = fill(&log, &stream, 2).await;
    for at_least in [Position(0), positions[0], positions[1]] {
        let stored = log.load(&stream, Position(0), at_least).await.unwrap();
        assert_eq!(stored.len(), 2);
    }
    assert_eq!(log.load(&stream, positions[1], positions[1]).await.unwrap(), []);
    let future = log.load(&stream, Position(0), positions[1].next());
    match soon(future).await {
        Err(LoadError::Unavailable { .. }) => {}
        other => panic!("an answer that is too old must be refused, got {other:?}"),
    }
}

async fn the_log_is_read_in_pages(log: Journal) {
    for number in 0..25 {
        let owner = format!("o{number}");
        let stream = StreamName::new(&owner, "profile", None).unwrap();
        log.append(&stream, "x".into(), Position(0)).await.unwrap();
    }
    for limit in [1, 7, 25, usize::MAX] {
        let mut after = Position(0);
        loop {
            let page = log.read(after, limit).await.unwrap();
            let Some(newest) = page.last() else { break };
            assert!(page.len() <= limit);
            assert_eq!(page[0].position, after.next());
            after = newest.position;
            assert_eq!(newest.stream.owner(), format!("o{}", after.0 - 1));
        }
        assert_eq!(after, Position(25));
    }
    assert_eq!(log.read(Position(0), 0).await.unwrap(), []);
    assert_eq!(log.read(Position(1000), 10).await.unwrap(), []);
}

async fn the_end_of_a_log_that_grows_is_read(log: Journal) {
    let end = Position(500);
    let reading = async {
        let mut reached = Position(0);
        while reached < end {
            let page = log.read(reached, READ_RECORDS_MAX).await.unwrap();
            reached = page.last().map_or(reached, |record| record.position);
            tokio::task::yield_now().await;
        }
    };
    let stream = stream("a");
    let filling = fill(&log, &stream, 500);
    let both = Box::pin(async { tokio::join!(filling, reading) });
    let (positions, ()) = soon(both).await;
    assert_eq!(positions.last(), Some(&end));
}

async fn which_streams_of_a_kind_have_moved_is_told_in_order(log: Journal) {
    let [a, b] = ["a", "b"].map(|owner| StreamName::new(owner, "profile", None).unwrap());
    let visits = StreamName::new("a", "visits", None).unwrap();
    let nothing = log.moved("profile", Position::START).await.unwrap();
    assert_eq!((nothing.streams, nothing.until), (vec![], Position::START));
    let first = log.append(&a, "a".into(), Position::START).await.unwrap();
    let visit = log.append(&visits, "a visit".into(), Position::START).await.unwrap();
    let second = log.append(&b, "b".into(), Position::START).await.unwrap();
    let third = log.append(&a, "a".into(), first).await.unwrap();
    let moved = log.moved("profile", Position::START).await.unwrap();
    let all = [(a.clone(), first), (b.clone(), second), (a.clone(), third)];
    assert_eq!((&moved.streams[..], moved.until), (&all[..], third));
    assert_eq!(log.moved("profile", first).await.unwrap().streams, all[1..]);
    // What is of another kind is passed over, and is not looked through again.
    let visit = log.append(&visits, "a visit".into(), visit).await.unwrap();
    let nothing = log.moved("profile", moved.until).await.unwrap();
    assert_eq!((nothing.streams, nothing.until), (vec![], visit));
    let mut last = third;
    let mut positions = vec![];
    for _ in 0..READ_RECORDS_MAX + 100 {
        last = log.append(&a, "a".into(), last).await.unwrap();
        positions.push((a.clone(), last));
    }
    let moved = log.moved("profile", visit).await.unwrap();
    assert_eq!((moved.streams, moved.until), (positions, last));
}
