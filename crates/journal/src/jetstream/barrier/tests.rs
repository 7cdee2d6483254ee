//! Nobody is let through by a sync that began before he came, nobody waits for more than he must,
//! and after a failure nobody is let through at all.

use std::{
    pin::pin,
    sync::{
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use futures::{FutureExt as _, future::join_all};

use super::*;

/// How long anything here may take that is to happen at once.
const BOUND: Duration = Duration::from_secs(20);

/// The test's hand on the disk: it sees each sync begin and says how it ends.
struct Hand {
    began: tokio::sync::mpsc::UnboundedReceiver<()>,
    ends: mpsc::Sender<io::Result<()>>,
}

impl Hand {
    async fn begun(&mut self) {
        let begun = tokio::time::timeout(BOUND, self.began.recv()).await;
        begun.expect("a sync begins").expect("the thread is there");
    }

    fn end(&self, how: io::Result<()>) {
        self.ends.send(how).unwrap();
    }

    fn idle(&mut self) -> bool {
        self.began.try_recv().is_err()
    }
}

fn by_hand() -> (Barrier, Hand) {
    let (begins, began) = tokio::sync::mpsc::unbounded_channel();
    let (ends, end) = mpsc::channel();
    let sync = move || {
        begins.send(()).map_err(io::Error::other)?;
        end.recv().map_err(io::Error::other)?
    };
    (Barrier::new(Position(10), sync).unwrap(), Hand { began, ends })
}

async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(BOUND, what).await.expect("it happens within its bound")
}

#[tokio::test]
async fn what_is_on_disk_is_passed_without_a_sync() {
    let (barrier, mut hand) = by_hand();
    for position in [0, 9, 10] {
        assert!(barrier.reach(Position(position)).now_or_never().unwrap().is_ok());
    }
    let mut reaching = pin!(barrier.reach(Position(11)));
    assert!(reaching.as_mut().now_or_never().is_none());
    hand.begun().await;
    hand.end(Ok(()));
    soon(reaching).await.unwrap();
    assert!(barrier.reach(Position(11)).now_or_never().unwrap().is_ok());
    assert!(hand.idle());
}

#[tokio::test]
async fn a_sync_that_began_before_lets_nobody_through() {
    let (barrier, mut hand) = by_hand();
    let (mut first, mut second) = (pin!(barrier.reach(Position(11))), pin!(barrier.cross()));
    let (mut third, mut fourth) = (pin!(barrier.reach(Position(12))), pin!(barrier.cross()));
    assert!(first.as_mut().now_or_never().is_none());
    hand.begun().await;
    for late in [second.as_mut().now_or_never(), third.as_mut().now_or_never()] {
        assert!(late.is_none());
    }
    hand.end(Ok(()));
    soon(first).await.unwrap();
    hand.begun().await;
    // The next sync has begun, so whoever comes now waits for the one after it.
    assert!(fourth.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
    hand.end(Ok(()));
    soon(async { second.await.and(third.await) }).await.unwrap();
    hand.begun().await;
    assert!(fourth.as_mut().now_or_never().is_none());
    hand.end(Ok(()));
    soon(fourth).await.unwrap();
    assert!(hand.idle());
}

#[tokio::test]
async fn all_who_come_during_one_sync_share_the_next() {
    let (barrier, mut hand) = by_hand();
    let mut first = pin!(barrier.reach(Position(11)));
    assert!(first.as_mut().now_or_never().is_none());
    hand.begun().await;
    let mut others = pin!(join_all((12..512).map(|position| barrier.reach(Position(position)))));
    assert!(others.as_mut().now_or_never().is_none());
    hand.end(Ok(()));
    hand.begun().await;
    hand.end(Ok(()));
    assert!(soon(others).await.iter().all(Result::is_ok));
    soon(first).await.unwrap();
    assert!(hand.idle());
}

#[tokio::test]
async fn a_failure_is_final() {
    let (barrier, mut hand) = by_hand();
    let (mut first, mut second) = (pin!(barrier.reach(Position(11))), pin!(barrier.cross()));
    assert!(first.as_mut().now_or_never().is_none());
    hand.begun().await;
    assert!(second.as_mut().now_or_never().is_none());
    assert!(barrier.check().is_ok());
    hand.end(Err(io::Error::from_raw_os_error(5)));
    for ended in [soon(first).await, soon(second).await, barrier.check()] {
        assert!(ended.unwrap_err().0.to_string().contains("os error 5"));
    }
    // Not even what was on disk before: nobody knows what the disk is worth now.
    for position in [10, 11, 12] {
        assert!(barrier.reach(Position(position)).now_or_never().unwrap().is_err());
    }
    assert!(barrier.cross().now_or_never().unwrap().is_err());
    assert!(hand.idle());
}

#[tokio::test]
async fn a_sync_that_panics_lets_nobody_through() {
    let barrier = Barrier::new(Position(0), || panic!("a fault in the sync")).unwrap();
    assert!(soon(barrier.reach(Position(1))).await.is_err());
    assert!(soon(barrier.cross()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_everybody_finds_on_disk_what_he_wrote() {
    let (written, disk) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let syncs = Arc::new(AtomicU64::new(0));
    let sync = {
        let (written, disk, syncs) = (Arc::clone(&written), Arc::clone(&disk), Arc::clone(&syncs));
        move || {
            // What comes after this line is not on disk by this sync.
            let covers = written.load(SeqCst);
            thread::yield_now();
            disk.store(covers, SeqCst);
            syncs.fetch_add(1, SeqCst);
            Ok(())
        }
    };
    let barrier = Arc::new(Barrier::new(Position(0), sync).unwrap());
    let writers = (0..64).map(|_| {
        let (barrier, written, disk) =
            (Arc::clone(&barrier), Arc::clone(&written), Arc::clone(&disk));
        tokio::spawn(async move {
            for turn in 0..200 {
                let mine = written.fetch_add(1, SeqCst) + 1;
                let crossed = match turn % 3 {
                    0 => barrier.cross().await,
                    _ => barrier.reach(Position(mine)).await,
                };
                crossed.unwrap();
                assert!(disk.load(SeqCst) >= mine, "{mine} is not on disk");
            }
        })
    });
    for writer in soon(join_all(writers)).await {
        writer.unwrap();
    }
    let syncs = syncs.load(SeqCst);
    assert!(syncs < 64 * 200, "{syncs} syncs: nobody shared one");
}
