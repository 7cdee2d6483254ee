//! What waits beside a log on three servers: each value is put once and found, and what was removed stays so, however
//! often the leader is killed.

use bytes::Bytes;
use doudi_journal::{JetStreamSpool, Spool, Spooled};
use doudi_tests::until;
use futures::future::join_all;

use super::{
    super::load::BOUND,
    nodes::{LOG, Nodes},
};

/// How often the leader is killed.
const ROUNDS: usize = 3;
/// How many values are put at once.
const AT_ONCE: usize = 20;

async fn opened(nodes: &Nodes) -> Spool {
    let log = nodes.connect().await;
    let open = until(BOUND, || async { JetStreamSpool::open(&log).await.ok() });
    Spool::JetStream(open.await.expect("it opens"))
}

fn name(round: usize, at: usize) -> String {
    format!("appeal:{round}-{at}")
}

/// What is told once the servers answer. What became of a try that failed is not known, so it is made again.
async fn put(spool: &Spool, name: &str, by: &str) -> Spooled {
    let put =
        until(BOUND, || async { spool.put_first(name, Bytes::from(by.to_owned())).await.ok() });
    put.await.expect("it is put")
}

async fn got(spool: &Spool, name: &str) -> Option<Spooled> {
    let got = until(BOUND, || async { spool.get(name).await.ok() });
    got.await.expect("it is told")
}

async fn waiting(spool: &Spool) -> Vec<u64> {
    let all = until(BOUND, || async { spool.after(0, 1000).await.ok() });
    all.await.expect("all are told").iter().map(|spooled| spooled.sequence).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_put_once_and_kept_until_it_is_removed_whatever_becomes_of_the_leader() {
    let mut nodes = Nodes::start().await;
    let (here, there) = (opened(&nodes).await, opened(&nodes).await);
    let mut kept: Vec<(String, Spooled)> = vec![];
    for round in 0..ROUNDS {
        let leader = nodes.leader_of(&format!("{LOG}_KEYS")).await;
        let names: Vec<String> = (0..AT_ONCE).map(|at| name(round, at)).collect();
        let putting = |spool: Spool, by: &'static str| {
            let names = names.clone();
            tokio::spawn(
                async move { join_all(names.iter().map(|name| put(&spool, name, by))).await },
            )
        };
        let (one, two) = (putting(here.clone(), "one"), putting(there.clone(), "two"));
        let begun =
            until(BOUND, || async { (waiting(&here).await.len() > kept.len()).then_some(()) });
        begun.await.expect("something is put");
        nodes.kill(leader);
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(one == two, "both are told of the same one: {one:?} {two:?}");
        kept.extend(names.into_iter().zip(one));
        nodes.run(leader);
        // Half of all that waits is taken over by one of them.
        for (name, spooled) in kept.split_off(kept.len() / 2) {
            let removed = until(BOUND, || async { there.remove(&spooled).await.ok() });
            removed.await.expect("it is removed");
            assert_eq!(got(&here, &name).await, None);
        }
        for (name, spooled) in &kept {
            assert_eq!(got(&there, name).await.as_ref(), Some(spooled));
        }
        let mut wanted: Vec<u64> = kept.iter().map(|(_, spooled)| spooled.sequence).collect();
        wanted.sort_unstable();
        let alike = until(BOUND, || async { (waiting(&here).await == wanted).then_some(()) });
        alike.await.expect("those and no others wait");
    }
}
