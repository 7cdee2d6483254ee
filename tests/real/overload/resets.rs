//! Calls that are taken back as soon as they are made, as fast as a connection carries them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    raw::{HELLO, LIST, beginning, call, framed, says, taken_back},
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
