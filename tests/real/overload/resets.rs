//! Calls that are taken back as soon as they are made, as fast as a connection carries them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    raw::{HELLO, LIST, beginning, call, closed, frame, framed, kinds, message, says, taken_back},
    *,
};

/// How many connections the hasty client loses, one after another.
const LOST: usize = 20;

/// Takes calls back until the connection is closed, and says how many it were.
async fn hurry(to: SocketAddr, token: &str) -> u32 {
    let mut stream = says(to, HELLO).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut sent = 0;
    let sending = async {
        loop {
            let number = 2 * sent + 1;
            let both = [beginning(number, LIST, token), taken_back(number)].concat();
            if write.write_all(&both).await.is_err() {
                return;
            }
            sent += 1;
        }
    };
    let mut told = vec![];
    tokio::select! {
        () = sending => {}
        _ = read.read_to_end(&mut told) => {}
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_calls_back_all_the_time_loses_the_connection_and_harms_nobody() {
    let mut besieged = Besieged::start(&[]).await;
    let token = besieged.token(Role::Auditor, "hasty");
    let listen = besieged.listen;
    let hasty = tokio::spawn(async move {
        let mut sent = 0;
        for _ in 0..LOST {
            sent += timeout(BOUND, hurry(listen, &token)).await.expect("it is closed");
        }
        sent
    });
    let mut rounds = 0;
    while !hasty.is_finished() || rounds < 10 {
        besieged.goes_on(1).await;
        rounds += 1;
    }
    println!("{} calls taken back, {rounds} rounds beside them", hasty.await.unwrap());
    besieged.end().await;
}

/// Begins a call, and takes it back once it was seen; whether the connection is still open.
async fn begun_and_taken_back(stream: &mut TcpStream, number: u32, token: &str) -> bool {
    const PING: u8 = 6;
    let begun = [beginning(number, LIST, token), frame(PING, 0, 0, &[7; 8])].concat();
    if stream.write_all(&begun).await.is_err() {
        return false;
    }
    let mut told = vec![];
    while !kinds(&told).contains(&PING) {
        if !matches!(stream.read_buf(&mut told).await, Ok(1..)) {
            return false;
        }
    }
    stream.write_all(&taken_back(number)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_calls_back_that_were_begun_loses_the_connection() {
    let besieged = Besieged::start(&[("resets_per_second_max", "5")]).await;
    let token = besieged.token(Role::Auditor, "hasty");
    let mut stream = says(besieged.listen, HELLO).await.unwrap();
    let hurrying = async {
        let mut sent = 0;
        while begun_and_taken_back(&mut stream, 2 * sent + 1, &token).await {
            sent += 1;
            assert!(sent < 10_000, "it is not closed");
        }
        sent
    };
    let sent = timeout(BOUND, hurrying).await.expect("it is closed");
    println!("{sent} calls taken back");
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_calls_that_take_too_long_keeps_the_connection() {
    let besieged = Besieged::start(&[("resets_per_second_max", "1")]).await;
    let token = besieged.token(Role::Auditor, "hurried");
    // Their messages do not come, so they are not answered before they are given up.
    let streams = (0..100).map(|number| 2 * number + 1);
    let begun: Vec<_> = streams.clone().flat_map(|it| beginning(it, LIST, &token)).collect();
    let mut stream = says(besieged.listen, &[HELLO, &begun].concat()).await.unwrap();
    let open = timeout(Duration::from_millis(500), closed(&mut stream)).await;
    assert!(open.is_err(), "they are at work");
    let given_up: Vec<_> = streams.flat_map(taken_back).collect();
    stream.write_all(&given_up).await.unwrap();
    let list = ListTimelineRequest {
        enterprise_id: ENTERPRISES[0].0.to_owned(),
        page_size: 1,
        ..<_>::default()
    };
    let last = [beginning(201, LIST, &token), message(201, &framed(&list))].concat();
    stream.write_all(&last).await.unwrap();
    // The frames of the answer: a head, a message, trailers.
    let mut told = vec![];
    while kinds(&told).iter().filter(|kind| **kind == 1).count() < 2 {
        let read = timeout(BOUND, stream.read_buf(&mut told)).await.expect("it is answered");
        assert_ne!(read.unwrap(), 0, "the connection was closed");
    }
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_given_up_while_they_are_at_work_free_their_places() {
    let settings = [("requests_in_flight_max", "20"), ("resets_per_second_max", "100000")];
    let mut besieged = Besieged::start(&settings).await;
    let token = besieged.token(Role::Auditor, "hasty");
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let list = framed(&ListTimelineRequest { enterprise_id, ..<_>::default() });
    for _ in 0..20 {
        let mut hostile = besieged.hostile(65_535).await;
        for _ in 0..50 {
            let head = call(LIST, &token);
            drop(hostile.ask(head, list.clone()).await.unwrap());
        }
    }
    let free = until(BOUND, || async {
        let (mut auditor, page_size) = (besieged.auditor.clone(), 1);
        let enterprise_id = ENTERPRISES[0].0.to_owned();
        let page = ListTimelineRequest { enterprise_id, page_size, ..<_>::default() };
        auditor.timelines.list_timeline(page).await.ok()
    });
    assert!(free.await.is_some(), "places were lost");
    besieged.goes_on(10).await;
    besieged.end().await;
}
