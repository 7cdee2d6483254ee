//! Objects beside the log: stored whole or not at all, found under their hash, never damaged in
//! silence; on the store in memory and on a real one, and what the real one does when it fails.

use std::time::Instant;

use async_nats::jetstream::stream::Config;
use bytes::Bytes;
use doudi_journal::{
    JetStreamObjects, JetStreamSettings, OBJECT_BYTES_MAX, ObjectError, ObjectName, Objects,
    OpenObjectsError,
};
use doudi_tests::{
    nats::{NatsServer, ToDisk},
    until,
};
use futures::{StreamExt as _, future::join_all};

use super::{ACK_TIMEOUT, BOUND, connect, raw, settings_for, soon, start};

/// The JetStream stream of the bucket beside the log `DOUDI`.
const STREAM: &str = "OBJ_DOUDI_FILES";

macro_rules! on_both_stores {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $promise() {
                    let objects = doudi_journal::MemoryObjects::new();
                    super::$promise(doudi_journal::Objects::Memory(objects)).await;
                }
            )+
        }

        mod jetstream {
            $(
                #[tokio::test]
                async fn $promise() {
                    let (_server, objects) = super::real_objects().await;
                    super::$promise(objects).await;
                }
            )+
        }
    };
}

on_both_stores!(
    what_was_put_is_got,
    the_same_object_again_changes_nothing,
    a_name_that_the_bytes_do_not_have_is_refused,
    what_is_too_large_is_refused_and_the_largest_is_not,
    an_object_that_is_not_there_is_missing,
    a_deleted_object_is_missing_until_it_is_put_again,
    many_puts_of_one_object_at_once_leave_it_whole,
);

async fn real_objects() -> (NatsServer, Objects) {
    let server = start(ToDisk::Lazy).await;
    let objects = open(&server, 0).await.expect("a bucket");
    (server, objects)
}

async fn open(server: &NatsServer, bytes_max: u64) -> Result<Objects, OpenObjectsError> {
    let jetstream = connect(settings_for(server)).await;
    JetStreamObjects::open(&jetstream, bytes_max).await.map(Objects::JetStream)
}

/// So many bytes that differ from chunk to chunk, and their name.
fn content(bytes: usize, seed: u64) -> (ObjectName, Bytes) {
    let mut state = seed;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    });
    let bytes: Bytes = random.take(bytes).collect();
    (ObjectName::of(&bytes), bytes)
}

async fn got(objects: &Objects, name: &ObjectName) -> Bytes {
    soon(objects.get(name, OBJECT_BYTES_MAX)).await.expect("the object")
}

async fn what_was_put_is_got(objects: Objects) {
    for bytes in [0, 1, 128 * 1024, 128 * 1024 + 1, 3_000_000] {
        let (name, bytes) = content(bytes, 1);
        soon(objects.put(&name, bytes.clone())).await.unwrap();
        assert_eq!(got(&objects, &name).await, bytes);
    }
}

async fn the_same_object_again_changes_nothing(objects: Objects) {
    let (name, bytes) = content(300_000, 1);
    for _ in 0..3 {
        soon(objects.put(&name, bytes.clone())).await.unwrap();
        assert_eq!(got(&objects, &name).await, bytes);
    }
}

async fn a_name_that_the_bytes_do_not_have_is_refused(objects: Objects) {
    let ((name, _), (other, bytes)) = (content(10, 1), content(10, 2));
    match objects.put(&name, bytes).await {
        Err(ObjectError::WrongName { found, .. }) => assert_eq!(found, other),
        result => panic!("expected a refusal, got {result:?}"),
    }
    for name in [name, other] {
        assert!(matches!(soon(objects.get(&name, 10)).await, Err(ObjectError::Missing { .. })));
    }
}

async fn what_is_too_large_is_refused_and_the_largest_is_not(objects: Objects) {
    let (name, bytes) = content(OBJECT_BYTES_MAX + 1, 1);
    let refused = objects.put(&name, bytes.clone()).await;
    assert!(matches!(refused, Err(ObjectError::TooLarge { .. })), "{refused:?}");
    let largest = bytes.slice(..OBJECT_BYTES_MAX);
    let name = ObjectName::of(&largest);
    soon(objects.put(&name, largest.clone())).await.unwrap();
    assert_eq!(got(&objects, &name).await, largest);
    match objects.get(&name, OBJECT_BYTES_MAX - 1).await {
        Err(ObjectError::TooLarge { bytes, bytes_max, .. }) => {
            assert_eq!((bytes, bytes_max), (OBJECT_BYTES_MAX, OBJECT_BYTES_MAX - 1));
        }
        result => panic!("expected a refusal, got {result:?}"),
    }
}

async fn an_object_that_is_not_there_is_missing(objects: Objects) {
    let (name, _) = content(10, 1);
    let missing = soon(objects.get(&name, 10)).await;
    assert!(matches!(missing, Err(ObjectError::Missing { .. })), "{missing:?}");
    soon(objects.delete(&name)).await.unwrap();
}

async fn a_deleted_object_is_missing_until_it_is_put_again(objects: Objects) {
    let (name, bytes) = content(300_000, 1);
    let (kept, kept_bytes) = content(300_000, 2);
    soon(objects.put(&kept, kept_bytes.clone())).await.unwrap();
    for _ in 0..2 {
        soon(objects.put(&name, bytes.clone())).await.unwrap();
        for _ in 0..2 {
            soon(objects.delete(&name)).await.unwrap();
            let missing = soon(objects.get(&name, OBJECT_BYTES_MAX)).await;
            assert!(matches!(missing, Err(ObjectError::Missing { .. })), "{missing:?}");
        }
    }
    assert_eq!(got(&objects, &kept).await, kept_bytes);
}

async fn many_puts_of_one_object_at_once_leave_it_whole(objects: Objects) {
    let (name, bytes) = content(600_000, 1);
    let puts = (0..8).map(|_| objects.put(&name, bytes.clone()));
    for put in soon(join_all(puts)).await {
        put.unwrap();
    }
    assert_eq!(got(&objects, &name).await, bytes);
}

/// How many messages the bucket's stream holds on a subject.
async fn messages(server: &NatsServer, filter: &str) -> usize {
    let stream = raw(server).await.get_stream(STREAM).await.unwrap();
    let subjects = stream.info_with_subjects(filter).await.unwrap();
    let counts: Vec<usize> = subjects.map(|found| found.unwrap().1).collect().await;
    counts.into_iter().sum()
}

#[tokio::test]
async fn the_store_is_the_nats_object_store_with_nothing_but_hashes_in_it() {
    let (server, objects) = real_objects().await;
    let (name, bytes) = content(300_000, 1);
    objects.put(&name, bytes.clone()).await.unwrap();
    let bucket = raw(&server).await.get_object_store("DOUDI_FILES").await.unwrap();
    let info = bucket.info(name.to_string()).await.unwrap();
    assert_eq!((info.size, info.name.as_str()), (bytes.len(), &*name.to_string()));
    assert!(info.metadata.is_empty() && info.headers.is_none() && info.description.is_none());
}

#[tokio::test]
async fn chunks_without_an_end_are_no_object_and_putting_again_stores_it() {
    let (server, objects) = real_objects().await;
    let (name, bytes) = content(600_000, 1);
    // As a crash in the middle of a put leaves them.
    let context = raw(&server).await;
    for chunk in 0..3 {
        let chunk = bytes.slice(chunk * 131_072..(chunk + 1) * 131_072);
        context.publish("$O.DOUDI_FILES.C.interrupted", chunk).await.unwrap().await.unwrap();
    }
    let missing = objects.get(&name, OBJECT_BYTES_MAX).await;
    assert!(matches!(missing, Err(ObjectError::Missing { .. })), "{missing:?}");
    objects.put(&name, bytes.clone()).await.unwrap();
    assert_eq!(got(&objects, &name).await, bytes);
}

#[tokio::test]
async fn a_put_that_its_server_does_not_survive_is_told_and_done_again() {
    let mut server = start(ToDisk::Always).await;
    let objects = open(&server, 0).await.unwrap();
    for round in 0..3 {
        let (name, bytes) = content(OBJECT_BYTES_MAX, round);
        let before = messages(&server, "$O.DOUDI_FILES.C.>").await;
        let putting = tokio::spawn({
            let (objects, name, bytes) = (objects.clone(), name.clone(), bytes.clone());
            async move { objects.put(&name, bytes).await }
        });
        let begun = until(BOUND, async || {
            (messages(&server, "$O.DOUDI_FILES.C.>").await > before + 20).then_some(())
        });
        begun.await.expect("some chunks are stored");
        server.kill9().await.unwrap();
        let result = soon(putting).await.unwrap();
        assert!(matches!(result, Err(ObjectError::Unavailable { .. })), "{result:?}");
        server.restart().await.unwrap();
        let again = until(BOUND, async || objects.put(&name, bytes.clone()).await.ok());
        again.await.expect("the server is back");
        assert_eq!(got(&objects, &name).await, bytes);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_interrupt_the_put() {
    let (server, objects) = real_objects().await;
    let (name, bytes) = content(OBJECT_BYTES_MAX, 1);
    {
        let mut putting = std::pin::pin!(objects.put(&name, bytes.clone()));
        let begun = async || (messages(&server, "$O.DOUDI_FILES.C.>").await > 0).then_some(());
        tokio::select! {
            _ = &mut putting => panic!("the put is over before anything of it is seen"),
            begun = until(BOUND, begun) => begun.expect("a chunk is stored"),
        }
    }
    let stored = until(BOUND, async || objects.get(&name, OBJECT_BYTES_MAX).await.ok()).await;
    assert_eq!(stored.expect("the object"), bytes);
}

#[tokio::test]
async fn a_damaged_object_is_told_and_putting_it_again_mends_it() {
    let (server, objects) = real_objects().await;
    let stream = raw(&server).await.get_stream(STREAM).await.unwrap();
    let (name, bytes) = content(600_000, 1);
    for lost in ["first chunk", "last chunk", "all chunks"] {
        objects.put(&name, bytes.clone()).await.unwrap();
        // The closing message is the last, the chunks are right before it.
        let last = stream.get_info().await.unwrap().state.last_sequence - 1;
        let first = last + 1 - messages(&server, "$O.DOUDI_FILES.C.>").await as u64;
        let gone = match lost {
            "first chunk" => first..=first,
            "last chunk" => last..=last,
            _ => first..=last,
        };
        for sequence in gone {
            assert!(stream.delete_message(sequence).await.unwrap());
        }
        let damaged = soon(objects.get(&name, OBJECT_BYTES_MAX)).await;
        assert!(matches!(damaged, Err(ObjectError::Damaged { .. })), "{lost}: {damaged:?}");
        objects.put(&name, bytes.clone()).await.unwrap();
        assert_eq!(got(&objects, &name).await, bytes, "{lost}");
    }
}

#[tokio::test]
async fn bytes_that_somebody_changed_are_never_handed_out() {
    let (server, objects) = real_objects().await;
    let (name, bytes) = content(1000, 1);
    objects.put(&name, bytes.clone()).await.unwrap();
    let bucket = raw(&server).await.get_object_store("DOUDI_FILES").await.unwrap();
    let forged = content(1000, 2).1;
    bucket.put(&*name.to_string(), &mut forged.as_ref()).await.unwrap();
    let damaged = soon(objects.get(&name, OBJECT_BYTES_MAX)).await;
    assert!(matches!(damaged, Err(ObjectError::Damaged { .. })), "{damaged:?}");
    objects.put(&name, bytes.clone()).await.unwrap();
    assert_eq!(got(&objects, &name).await, bytes);
}

#[tokio::test]
async fn a_full_store_refuses_and_keeps_what_it_has() {
    let server = start(ToDisk::Lazy).await;
    let objects = open(&server, 1_000_000).await.unwrap();
    let (name, bytes) = content(600_000, 1);
    objects.put(&name, bytes.clone()).await.unwrap();
    let (second, more) = content(600_000, 2);
    let refused = objects.put(&second, more).await;
    assert!(matches!(refused, Err(ObjectError::Unavailable { .. })), "{refused:?}");
    assert_eq!(got(&objects, &name).await, bytes);
    let missing = objects.get(&second, OBJECT_BYTES_MAX).await;
    assert!(matches!(missing, Err(ObjectError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn without_its_server_the_store_says_so_in_time() {
    let (mut server, objects) = real_objects().await;
    let (name, bytes) = content(10, 1);
    server.stop().await.unwrap();
    let asked = Instant::now();
    let put = objects.put(&name, bytes.clone()).await;
    assert!(matches!(put, Err(ObjectError::Unavailable { doing: "storing", .. })), "{put:?}");
    let got = objects.get(&name, 10).await;
    assert!(matches!(got, Err(ObjectError::Unavailable { doing: "reading", .. })), "{got:?}");
    assert!(asked.elapsed() < 3 * ACK_TIMEOUT);
    server.restart().await.unwrap();
    let stored = until(BOUND, async || objects.put(&name, bytes.clone()).await.ok()).await;
    stored.expect("the server is back");
}

#[tokio::test]
async fn a_bucket_is_made_once_found_again_and_refused_when_it_would_lose_objects() {
    let (server, objects) = real_objects().await;
    let (name, bytes) = content(10, 1);
    objects.put(&name, bytes.clone()).await.unwrap();
    let again = open(&server, 5_000_000).await.unwrap();
    assert_eq!(got(&again, &name).await, bytes);
    let context = raw(&server).await;
    let stream = context.get_stream(STREAM).await.unwrap();
    let aging = Config { max_age: 180 * BOUND, ..stream.cached_info().config.clone() };
    context.update_stream(aging).await.unwrap();
    match open(&server, 0).await {
        Err(OpenObjectsError::Drifted { field, .. }) => assert_eq!(field, "max_age"),
        result => panic!("expected a refusal, got {result:?}"),
    }
    let settings = JetStreamSettings { replicas: 3, ..settings_for(&server) };
    let settings = JetStreamSettings { stream: "OTHER".to_owned(), ..settings };
    let unmade = JetStreamObjects::open(&connect(settings).await, 0).await;
    assert!(matches!(unmade, Err(OpenObjectsError::Unavailable { .. })), "{unmade:?}");
}

#[tokio::test]
async fn processes_that_start_at_once_find_one_bucket() {
    let server = start(ToDisk::Lazy).await;
    let opened = soon(join_all((0..4).map(|_| open(&server, 0)))).await;
    let (name, bytes) = content(10, 1);
    let opened: Vec<Objects> = opened.into_iter().map(Result::unwrap).collect();
    opened[0].put(&name, bytes.clone()).await.unwrap();
    for objects in opened {
        assert_eq!(got(&objects, &name).await, bytes);
    }
}
