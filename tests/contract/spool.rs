//! What waits beside the log: one value under each name, first come, until it is removed; in memory and on a
//! real nats-server, with and without a barrier before the disk, and what the real one does when it fails.

use std::{path::Path, time::Instant};

use async_nats::jetstream::stream::Config;
use doudi_journal::{JetStreamSpool, Journal, OpenSpoolError, Spool, SpoolError, Spooled};
use doudi_tests::{
    nats::{NatsServer, ToDisk},
    until,
};
use futures::future::join_all;

use super::{ACK_TIMEOUT, BOUND, connect, raw, settings_for, soon, start};

/// The JetStream stream beside the log `DOUDI`.
const STREAM: &str = "DOUDI_KEYS";

macro_rules! on_all_spools {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $promise() {
                    let spool = doudi_journal::MemorySpool::new();
                    super::$promise(doudi_journal::Spool::Memory(spool)).await;
                }
            )+
        }

        mod jetstream {
            $(
                #[tokio::test]
                async fn $promise() {
                    let (_server, spool) = super::real_spool().await;
                    super::$promise(spool).await;
                }
            )+
        }

        mod group {
            $(
                #[tokio::test]
                async fn $promise() {
                    let (_server, log) = crate::contract::group_log().await;
                    super::$promise(super::beside(&log).await).await;
                }
            )+
        }
    };
}

on_all_spools!(
    what_is_put_first_is_what_all_get,
    those_who_put_at_once_get_one_value,
    what_was_removed_is_gone_and_its_name_is_free,
    what_waits_is_read_in_order_page_by_page,
    any_text_is_a_name,
);

async fn real_spool() -> (NatsServer, Spool) {
    let server = start(ToDisk::Lazy).await;
    let spool = open(&server).await.expect("a stream");
    (server, spool)
}

async fn open(server: &NatsServer) -> Result<Spool, OpenSpoolError> {
    let jetstream = connect(settings_for(server)).await;
    JetStreamSpool::open(&jetstream).await.map(Spool::JetStream)
}

async fn beside(log: &Journal) -> Spool {
    match log {
        Journal::JetStream(jetstream) => {
            Spool::JetStream(JetStreamSpool::open(jetstream).await.expect("a stream"))
        }
        Journal::Memory(_) => panic!("nothing lies beside a log in memory"),
    }
}

async fn put(spool: &Spool, name: &str, value: &'static str) -> Spooled {
    soon(spool.put_first(name, value.into())).await.unwrap()
}

async fn got(spool: &Spool, name: &str) -> Option<Spooled> {
    soon(spool.get(name)).await.unwrap()
}

/// Everything that waits, by pages of two.
async fn all(spool: &Spool) -> Vec<Spooled> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = soon(spool.after(after, 2)).await.unwrap();
        assert!(page.len() <= 2, "{page:?}");
        let Some(last) = page.last() else { return found };
        after = last.sequence;
        found.extend(page);
    }
}

async fn what_is_put_first_is_what_all_get(spool: Spool) {
    assert_eq!(got(&spool, "a").await, None);
    let first = put(&spool, "a", "one").await;
    assert_eq!(first.value, "one");
    for value in ["one", "two"] {
        assert_eq!(put(&spool, "a", value).await, first);
        assert_eq!(got(&spool, "a").await, Some(first.clone()));
    }
    assert_eq!(put(&spool, "b", "two").await.value, "two");
    assert_eq!(got(&spool, "a").await, Some(first));
}

async fn those_who_put_at_once_get_one_value(spool: Spool) {
    for name in ["a", "b", "c"] {
        let values = ["1", "2", "3", "4", "5", "6", "7", "8"];
        let puts = values.map(|value| spool.put_first(name, value.into()));
        let found = soon(join_all(puts)).await;
        let found: Vec<Spooled> = found.into_iter().map(Result::unwrap).collect();
        assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
        assert_eq!(got(&spool, name).await.as_ref(), Some(&found[0]));
    }
    assert_eq!(all(&spool).await.len(), 3);
}

async fn what_was_removed_is_gone_and_its_name_is_free(spool: Spool) {
    let (first, kept) = (put(&spool, "a", "one").await, put(&spool, "b", "two").await);
    for _ in 0..2 {
        soon(spool.remove(&first)).await.unwrap();
        assert_eq!(got(&spool, "a").await, None);
    }
    let second = put(&spool, "a", "three").await;
    assert!(second.sequence > kept.sequence && second.value == "three", "{second:?}");
    // Whoever removes what was there before removes nothing else.
    soon(spool.remove(&first)).await.unwrap();
    assert_eq!(all(&spool).await, [kept, second]);
}

async fn what_waits_is_read_in_order_page_by_page(spool: Spool) {
    assert_eq!(all(&spool).await, []);
    let mut waiting = Vec::new();
    for name in ["e", "d", "c", "b", "a"] {
        waiting.push(put(&spool, name, "value").await);
    }
    assert_eq!(all(&spool).await, waiting);
    soon(spool.remove(&waiting.remove(2))).await.unwrap();
    assert_eq!(all(&spool).await, waiting);
    let after = soon(spool.after(waiting[1].sequence, 100)).await.unwrap();
    assert_eq!(after, waiting[2..]);
}

async fn any_text_is_a_name(spool: Spool) {
    let names = ["appeal:1", "appeal:1 ", "appeal.1", "*", ">", "$JS", "诉求", "A", "a"];
    let mut waiting = Vec::new();
    for name in names {
        waiting.push((name, put(&spool, name, "value").await));
    }
    for (name, value) in waiting {
        assert_eq!(got(&spool, name).await, Some(value), "{name}");
    }
    assert_eq!(all(&spool).await.len(), names.len());
}

/// Whether the bytes stand in a file below the folder.
fn stands_in(folder: &Path, bytes: &[u8]) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| match entry.path() {
        folder if folder.is_dir() => stands_in(&folder, bytes),
        file => {
            let content = std::fs::read(file).unwrap_or_default();
            content.windows(bytes.len()).any(|window| window == bytes)
        }
    })
}

/// Whether the text comes to stand in a file of the server, or in none any more.
async fn stands(server: &NatsServer, text: &str, wanted: bool) -> bool {
    let folder = server.store_dir();
    let found = async || (stands_in(&folder, text.as_bytes()) == wanted).then_some(());
    until(BOUND, found).await.is_some()
}

#[tokio::test]
async fn what_was_removed_stands_in_no_file_of_the_server() {
    let (server, spool) = real_spool().await;
    let (secret, other) = ("what must not be found again", "what stays beside it");
    let removed = put(&spool, "a", secret).await;
    put(&spool, "b", other).await;
    for text in [secret, other] {
        assert!(stands(&server, text, true).await, "what waits is in a file");
    }
    soon(spool.remove(&removed)).await.unwrap();
    assert!(stands(&server, secret, false).await, "what was removed is still in a file");
    assert!(stands(&server, other, true).await);
}

#[tokio::test]
async fn without_its_server_the_store_says_so_in_time_and_afterwards_has_what_it_had() {
    let (mut server, spool) = real_spool().await;
    let kept = put(&spool, "a", "one").await;
    server.stop().await.unwrap();
    let asked = Instant::now();
    let answers: [Result<(), SpoolError>; 4] = [
        spool.put_first("b", "two".into()).await.map(drop),
        spool.get("a").await.map(drop),
        spool.after(0, 1).await.map(drop),
        spool.remove(&kept).await,
    ];
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert!(asked.elapsed() < 6 * ACK_TIMEOUT, "{:?}", asked.elapsed());
    server.restart().await.unwrap();
    let found = until(BOUND, async || spool.get("a").await.ok()).await;
    assert_eq!(found.expect("the server is back"), Some(kept));
}

#[tokio::test]
async fn a_full_store_refuses_what_is_new_and_keeps_what_it_has() {
    let (server, spool) = real_spool().await;
    let kept = put(&spool, "a", "one").await;
    let context = raw(&server).await;
    let stream = context.get_stream(STREAM).await.unwrap();
    let small = Config { max_bytes: 2000, ..stream.cached_info().config.clone() };
    context.update_stream(small).await.unwrap();
    let large = soon(spool.put_first("b", vec![7_u8; 3000].into())).await;
    assert!(large.is_err(), "{large:?}");
    assert_eq!(all(&spool).await, [kept]);
}

#[tokio::test]
async fn a_stream_is_made_once_found_again_and_refused_when_it_would_lose_values() {
    let server = start(ToDisk::Lazy).await;
    let opened = soon(join_all((0..4).map(|_| open(&server)))).await;
    let opened: Vec<Spool> = opened.into_iter().map(Result::unwrap).collect();
    let kept = put(&opened[0], "a", "one").await;
    for spool in opened {
        assert_eq!(got(&spool, "a").await.as_ref(), Some(&kept));
    }
    let context = raw(&server).await;
    let stream = context.get_stream(STREAM).await.unwrap();
    let aging = Config { max_age: 180 * BOUND, ..stream.cached_info().config.clone() };
    context.update_stream(aging).await.unwrap();
    match open(&server).await {
        Err(OpenSpoolError::Drifted { field, .. }) => assert_eq!(field, "max_age"),
        result => panic!("expected a refusal, got {result:?}"),
    }
}
