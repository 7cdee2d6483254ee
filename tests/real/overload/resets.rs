//! Calls that are taken back as soon as they are made, as fast as a connection carries them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    raw::{HELLO, LIST, beginning, call, frame, framed, kinds, message, says, taken_back},
    *,
};

/// The kind of a frame that is answered at once by one like it.
const PING: u8 = 6;

/// How long calls are open that are given up and were waited for.
const WAITED: Duration = Duration::from_millis(500);

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

/// A connection whose calls are begun one by one: what was sent is known to have been read once it says so.
struct Careful {
    stream: TcpStream,
    told: Vec<u8>,
    asked: usize,
}

impl Careful {
    async fn connect(to: SocketAddr) -> Self {
        let stream = says(to, HELLO).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, told: vec![], asked: 0 }
    }

    /// Sends that and a PING, and says whether it was read.
    async fn send(&mut self, frames: &[u8]) -> bool {
        self.asked += 1;
        let frames = [frames, &frame(PING, 0, 0, &[0; 8])].concat();
        if self.stream.write_all(&frames).await.is_err() {
            return false;
        }
        while kinds(&self.told).iter().filter(|kind| **kind == PING).count() < self.asked {
            if !matches!(self.stream.read_buf(&mut self.told).await, Ok(1..)) {
                return false;
            }
        }
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_back_calls_that_were_begun_loses_the_connection() {
    const CALLS: u32 = 100;
    let besieged = Besieged::start(&[("resets_per_second_max", "1")]).await;
    let token = besieged.token(Role::Auditor, "hasty");
    let enterprise_id = ENTERPRISES[0].0.to_owned();
    let list = framed(&ListTimelineRequest { enterprise_id, ..<_>::default() });
    let mut hasty = Careful::connect(besieged.listen).await;
    let taking = async {
        for number in (0..CALLS).map(|call| 2 * call + 1) {
            let whole = [beginning(number, LIST, &token), message(number, &list)].concat();
            if !hasty.send(&whole).await || !hasty.send(&taken_back(number)).await {
                return true;
            }
        }
        false
    };
    assert!(timeout(BOUND, taking).await.expect("in time"), "{CALLS} calls were taken back");
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_were_waited_for_may_be_given_up_all_at_once() {
    let besieged = Besieged::start(&[("resets_per_second_max", "1")]).await;
    let token = besieged.token(Role::Auditor, "patient");
    let mut patient = Careful::connect(besieged.listen).await;
    let numbers = (0..100).map(|call| 2 * call + 1);
    let calls: Vec<u8> =
        numbers.clone().flat_map(|number| beginning(number, LIST, &token)).collect();
    assert!(patient.send(&calls).await);
    // They all wait for their messages.
    let listening =
        async { while let Ok(1..) = patient.stream.read_buf(&mut patient.told).await {} };
    assert!(timeout(WAITED, listening).await.is_err(), "it was closed");
    let back: Vec<u8> = numbers.flat_map(taken_back).collect();
    assert!(patient.send(&back).await);
    for _ in 0..10 {
        assert!(patient.send(&[]).await, "it was closed");
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
