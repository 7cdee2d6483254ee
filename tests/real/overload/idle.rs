//! Connections that do nothing, more of them than there are places and as many as there are.

use futures::{StreamExt, stream};
use tokio::net::TcpStream;

use super::{
    raw::{HELLO, closed, says},
    *,
};

/// How many there are where the system allows for them.
const MANY: u64 = 10_000;

/// As many connections as asked for, or as many as the system allows this process.
fn allowed(wanted: u64) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let most = limit.maximum.unwrap_or(u64::MAX).saturating_sub(500);
    let count = wanted.min(most);
    if count < wanted {
        skipped("files", &format!("the system allows only {count} idle connections"));
    }
    usize::try_from(count).unwrap()
}

/// So many connections that are silent after these words.
pub(super) async fn connected(
    to: SocketAddr,
    count: usize,
    words: &'static [u8],
) -> Vec<TcpStream> {
    let all = stream::iter(0..count).map(|_| says(to, words)).buffer_unordered(64);
    all.filter_map(async |stream| stream).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_idle_connections_as_there_are_places_harm_nobody() {
    let count = allowed(MANY);
    let most = (count + 100).to_string();
    let settings = [("connections_max", &*most), ("connections_per_address_max", &*most)];
    let mut besieged = Besieged::start(&settings).await;
    let before = besieged.resident();
    let held = connected(besieged.listen, count, HELLO).await;
    assert_eq!(held.len(), count);
    besieged.goes_on(10).await;
    let each = besieged.resident().saturating_sub(before) / u64::try_from(count).unwrap();
    println!("{each} bytes in memory for each");
    besieged.end().await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_there_are_places_make_room_for_who_works() {
    let settings = [("connections_max", "200"), ("connections_per_address_max", "150")];
    let mut besieged = Besieged::start(&settings).await;
    for words in [HELLO, b"", b"PRI * HTTP/2"] {
        let held = connected(besieged.listen, 1000, words).await;
        besieged.goes_on(5).await;
        drop(held);
    }
    besieged.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_not_waited_for() {
    let besieged = Besieged::start(&[("handshake_timeout", "500ms")]).await;
    let mut silent = says(besieged.listen, b"").await.unwrap();
    timeout(BOUND, closed(&mut silent)).await.expect("it is closed");
    besieged.end().await;
}
