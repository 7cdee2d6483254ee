//! Who keeps its connection, who has to leave and is told so, and what is answered when all places are at work.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;

use super::{
    super::requests::reason,
    idle::connected,
    raw::{HELLO, LIST, beginning, framed, kinds, message, says},
    *,
};

fn page() -> ListTimelineRequest {
    ListTimelineRequest {
        enterprise_id: ENTERPRISES[0].0.to_owned(),
        page_size: 1,
        ..<_>::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_drives_away_nobody_who_has_worked() {
    let settings = [("connections_max", "40"), ("connections_per_address_max", "40")];
    let mut besieged = Besieged::start(&settings).await;
    let (listen, token) = (besieged.listen, besieged.token(Role::Auditor, "patient"));
    let mut patient = vec![];
    for _ in 0..10 {
        let mut connection = Hostile::connect_from(ELSEWHERE, listen, 65_535).await.unwrap();
        assert_eq!(connection.list(&token, &page()).await.unwrap()["grpc-status"], "0");
        patient.push(connection);
    }
    // These do nothing now, and for longer than any of the flood.
    let (begun, mut flood) = (Instant::now(), vec![]);
    while begun.elapsed() < Duration::from_secs(3) {
        flood.extend(connected(listen, 50, HELLO).await);
        flood.drain(..flood.len().saturating_sub(100));
        besieged.goes_on(1).await;
    }
    for mut connection in patient {
        assert!(!connection.is_closed(), "it had to leave");
        assert_eq!(connection.list(&token, &page()).await.unwrap()["grpc-status"], "0");
    }
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_worked_and_makes_room_is_told_before() {
    const HEADERS: u8 = 1;
    const GOAWAY: u8 = 7;
    let settings = [("connections_max", "2"), ("connections_per_address_max", "2")];
    let mut besieged = Besieged::start(&settings).await;
    let token = besieged.token(Role::Auditor, "worked");
    let words = [HELLO, &beginning(1, LIST, &token), &message(1, &framed(&page()))].concat();
    let mut connection = says(besieged.listen, &words).await.unwrap();
    let mut told = vec![];
    // Before it is answered nobody knows that it works.
    while !kinds(&told).contains(&HEADERS) {
        assert!(connection.read_buf(&mut told).await.unwrap() > 0, "it is answered");
    }
    let leaving = tokio::spawn(async move {
        let _ = connection.read_to_end(&mut told).await;
        told
    });
    // Each asks for the health on a connection of its own.
    while !leaving.is_finished() {
        besieged.goes_on(1).await;
    }
    assert!(kinds(&leaving.await.unwrap()).contains(&GOAWAY));
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_places_are_at_work_health_is_answered_and_all_else_refused_in_words() {
    let settings = [("connections_max", "3"), ("connections_per_address_max", "100")];
    let mut besieged = Besieged::start(&settings).await;
    let (listen, token) = (besieged.listen, besieged.token(Role::Auditor, "busy"));
    let mut held = vec![];
    let mut refused = None;
    // Calls whose messages do not come are at work until their deadline.
    let begun = Instant::now();
    while refused.is_none() && begun.elapsed() < BOUND {
        let words = [HELLO, &beginning(1, LIST, &token)].concat();
        held.push(says(listen, &words).await.unwrap());
        let channel = honest(listen).await;
        let client = Client::new(&channel, &besieged.token(Role::Auditor, "other")).unwrap();
        let said = client.timelines.clone().list_timeline(page()).await;
        refused = said.err().map(|status| (status, client));
    }
    let (status, client) = refused.expect("there is no place");
    assert_eq!((status.code(), &*reason(&status)), (Code::ResourceExhausted, "OVERLOADED"));
    for _ in 0..40 {
        let mut health = HealthClient::new(honest(listen).await);
        health.check(HealthCheckRequest::default()).await.expect("health is answered");
    }
    for connection in &mut held {
        let _ = connection.shutdown().await;
    }
    drop(held);
    // The client that was refused finds a place by itself.
    let free = until(BOUND, || async { client.timelines.clone().list_timeline(page()).await.ok() });
    assert!(free.await.is_some());
    besieged.goes_on(1).await;
    besieged.end().await;
}
