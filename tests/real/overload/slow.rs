//! Clients that ask and do not read: live streams and ordinary answers.

use doudi_api::proto::{StreamEventsRequest, WatchTimelineRequest};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    super::requests::reason,
    raw::{DEAF, LIST, beginning, call, frame, framed, kinds, message, says},
    *,
};

/// How many live streams nobody reads, on how many connections.
const WATCHES: usize = 1000;
/// How many answers nobody reads.
const ANSWERS: usize = 1500;
/// How many calls the default lets be open on one connection.
const PER_CONNECTION: usize = 250;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_live_streams_harms_nobody() {
    let mut besieged = Besieged::start(&[]).await;
    let token = besieged.token(Role::Auditor, "deaf");
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let watch = framed(&WatchTimelineRequest { enterprise_id, ..<_>::default() });
    let feed = framed(&StreamEventsRequest::default());
    let mut held = vec![];
    for number in 0..WATCHES {
        if number % PER_CONNECTION == 0 {
            held.push((besieged.hostile(0).await, vec![]));
        }
        let (hostile, calls) = held.last_mut().unwrap();
        let (path, message) = match number % 2 {
            0 => ("/doudi.v1.TimelineService/WatchTimeline", &watch),
            _ => ("/doudi.v1.FeedService/StreamEvents", &feed),
        };
        calls.push(hostile.ask(call(path, &token), message.clone()).await.unwrap());
    }
    // Far more than waits for one client at the most.
    besieged.goes_on(40).await;
    assert!(held.iter().all(|(hostile, _)| !hostile.is_closed()));
    besieged.resident();
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_answers_holds_no_more_than_its_share() {
    let mut besieged = Besieged::start(&[]).await;
    besieged.goes_on(30).await;
    let token = besieged.token(Role::Auditor, "deaf");
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let list = framed(&ListTimelineRequest { enterprise_id, page_size: 500, ..<_>::default() });
    let mut held = vec![];
    for number in 0..ANSWERS {
        if number % PER_CONNECTION == 0 {
            held.push((besieged.hostile(0).await, vec![]));
        }
        let (hostile, calls) = held.last_mut().unwrap();
        let head = call("/doudi.v1.TimelineService/ListTimeline", &token);
        calls.push(hostile.ask(head, list.clone()).await.unwrap());
    }
    besieged.goes_on(10).await;
    let mut refused = 0;
    for (_, calls) in held {
        for answer in calls {
            let answer = timeout(BOUND, answer).await.unwrap().unwrap();
            refused += usize::from(answer.headers().contains_key("grpc-status"));
        }
    }
    println!("{refused} of {ANSWERS} were refused");
    assert!(refused > 0, "its share is smaller than what it asked for");
    besieged.end().await;
}

/// Reads until so many heads and trailers have come.
async fn heads(stream: &mut TcpStream, told: &mut Vec<u8>, count: usize) {
    const HEADERS: u8 = 1;
    while kinds(told).iter().filter(|kind| **kind == HEADERS).count() < count {
        let read = timeout(BOUND, stream.read_buf(told)).await.expect("in time").unwrap();
        assert_ne!(read, 0, "it was closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_let_go_ends_with_a_status_for_whoever_reads_on() {
    const WINDOW_UPDATE: u8 = 8;
    let mut besieged = Besieged::start(&[("requests_per_caller_max", "1")]).await;
    let token = besieged.token(Role::Auditor, "deaf");
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let list = ListTimelineRequest { enterprise_id, page_size: 1, ..<_>::default() };
    besieged.goes_on(1).await;
    let words = [DEAF, &beginning(1, LIST, &token), &message(1, &framed(&list))].concat();
    let mut stream = says(besieged.listen, &words).await.unwrap();
    let mut told = vec![];
    heads(&mut stream, &mut told, 1).await;
    let mut again = Client::new(&besieged.channel, &token).unwrap().timelines;
    let busy = again.list_timeline(list.clone()).await.unwrap_err();
    assert_eq!(reason(&busy), "CALLER_TOO_BUSY");
    // What it does not read makes room for what else it asks, after a while.
    let free = until(BOUND, || async { again.clone().list_timeline(list.clone()).await.ok() });
    assert!(free.await.is_some());
    stream.write_all(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0xff, 0xff])).await.unwrap();
    heads(&mut stream, &mut told, 2).await;
    besieged.end().await;
}
