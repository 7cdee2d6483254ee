//! Messages and headers that are too large, and connections that speak too slowly to be understood.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::codegen::http::HeaderValue;

use super::{
    raw::{HELLO, call, frame, says},
    *,
};

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_too_large_are_refused_and_harm_nobody() {
    let mut besieged = Besieged::start(&[]).await;
    let token = besieged.token(Role::Auditor, "large");
    let mut hostile = besieged.hostile(65_535).await;
    for bytes in [(1 << 20) + 1, 8 << 20, 1 << 30] {
        let head = call("/doudi.v1.TimelineService/ListTimeline", &token);
        let said = timeout(BOUND, hostile.flood(head, bytes)).await.unwrap();
        // What is refused unread may be reset before its status is seen.
        if let Ok(said) = said {
            assert_eq!(said["grpc-status"], "8", "{bytes} bytes: {said:?}");
        }
        besieged.goes_on(2).await;
    }
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_too_large_or_never_end_are_refused_and_harm_nobody() {
    let mut besieged = Besieged::start(&[]).await;
    let token = besieged.token(Role::Auditor, "large");
    let mut hostile = besieged.hostile(65_535).await;
    let mut head = call("/doudi.v1.TimelineService/ListTimeline", &token);
    let long = HeaderValue::from_str(&"x".repeat(20_000)).unwrap();
    head.headers_mut().insert("x-long", long);
    let said = timeout(BOUND, hostile.flood(head, 16 << 10)).await.unwrap();
    if let Ok(said) = said {
        assert_eq!(said["http-status"], "431", "{said:?}");
    }

    // A header list that goes on and on: literal fields without an end.
    let field = [&[0x00, 0x01, b'x', 0x7f, 0xe1, 0x1e][..], &[b'y'; 4064]].concat();
    for _ in 0..20 {
        let mut stream = says(besieged.listen, HELLO).await.unwrap();
        stream.write_all(&frame(HEADERS, 0, 1, &field)).await.unwrap();
        let endless = async {
            let (mut read, mut write) = stream.split();
            let more = frame(CONTINUATION, 0, 1, &field);
            let writing = async { while write.write_all(&more).await.is_ok() {} };
            let mut told = vec![];
            let reading = async {
                let _ = read.read_to_end(&mut told).await;
            };
            tokio::select! { () = writing => {}, () = reading => {} }
        };
        timeout(BOUND, endless).await.expect("it is closed");
    }
    besieged.goes_on(5).await;
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_speak_a_byte_now_and_then_harm_nobody() {
    let settings = [("connections_max", "300"), ("connections_per_address_max", "250")];
    let mut besieged = Besieged::start(&settings).await;
    let half = frame(HEADERS, 4, 1, &[0x83; 200]);
    let half = [HELLO, &half[..half.len() / 2]].concat();
    let listen = besieged.listen;
    let slow = tokio::spawn(async move {
        // Each says one byte more at each turn, of its first words or of headers.
        let mut held = vec![];
        for number in 0..250 {
            let words = if number % 2 == 0 { HELLO.to_vec() } else { half.clone() };
            if let Some(stream) = says(listen, &words[..words.len() / 2]).await {
                held.push((stream, words));
            }
        }
        let mut turns = 0;
        loop {
            for (stream, words) in &mut held {
                let next = (words.len() / 2 + turns).min(words.len() - 1);
                let _ = stream.write_all(&words[next..=next]).await;
                tokio::task::yield_now().await;
            }
            turns += 1;
        }
    });
    besieged.goes_on(20).await;
    slow.abort();
    besieged.end().await;
}
