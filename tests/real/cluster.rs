//! A log on three nats-servers: its leader is killed, frozen and cut off from the others, the most of them are gone,
//! and two doudis at once serve, project and react on it. Nothing acknowledged is lost, nothing is done twice, and each
//! server has the same log to the bit.

use std::time::{Duration, Instant};

use bytes::Bytes;
use doudi_api::{permission::Role, proto::Ground};
use doudi_journal::{Archive, ArchiveReader, Journal, Position, READ_RECORDS_MAX, archive::Entry};
use doudi_server::{bench, parts::Parts, report::chain, token};
use doudi_tests::{Scratch, program, skipped, until, world::Ground as Servers};
use doudi_views::ViewName;
use futures::future::join_all;
use tokio::time::timeout;
use tonic::{Code, Request};

use super::{
    agenda::sound,
    chaos::{Frozen, pass},
    load::{
        Acked, BOUND, ENTERPRISES, People, Recorded, Writers, assert_kept, client, listening,
        progress,
    },
    requests::plan,
    views::killed::Chance,
};
use blocks::assert_identical;
use nodes::Nodes;

mod blocks;
mod net;
mod nodes;
mod projects;
mod waiting;

/// So many acknowledgements of each doudi show that it goes on.
const ON: usize = 20;
/// So many appends are sent to a leader that is cut off.
const ON_HIS_OWN: u32 = 20;
/// For how long a leader is cut off.
const AWAY: Duration = Duration::from_secs(8);
/// What a caller without a majority waits for at most: as long as the answers of the log are waited for, for each of
/// what a command asks of it.
const DEADLINE: Duration = Duration::from_secs(30);
/// Within this one doudi has taken over from the other. Up to ten seconds of it may go on a try to follow the log that
/// began while the log was away.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(20);

async fn on(acked: &[Acked; 2]) {
    for acked in acked {
        progress(acked, ON).await;
    }
}

/// Waits until every view has what was acknowledged after the kill; answers with how long that took since then.
async fn followed(parts: &Parts, acked: &Acked, killed: Instant, within: Duration) -> Duration {
    progress(acked, ON).await;
    let end = parts.journal.last_position().await.unwrap();
    for view in ViewName::ALL {
        let left = within.saturating_sub(killed.elapsed());
        parts.views.wait(view, end, left).await.unwrap();
    }
    killed.elapsed()
}

/// The whole log, as its API gives it.
async fn entries(journal: &Journal) -> Vec<Entry> {
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(Position::START, |last: &Entry| last.position);
        let page = journal.entries(after, READ_RECORDS_MAX).await.unwrap();
        if page.is_empty() {
            return read;
        }
        read.extend(page);
    }
}

/// Somebody who knows that one server alone, with all at hand that he decides on.
async fn only_with(nodes: &Nodes, machine: usize, servers: &Servers) -> Parts {
    let mut config = servers.config.clone();
    config.nats.urls = vec![nodes.url(machine)];
    config.engine.input_age_max = BOUND;
    // Somebody may only just lead again.
    let alone = until(BOUND, || async { Parts::assemble(&config).await.ok() }).await.unwrap();
    let ready = until(BOUND, || async { bench::submit(&alone.engine, 0).await.ok() });
    ready.await.expect("it appends");
    alone
}

/// Appends while the leader is cut off. What is acknowledged must be stored like all else, wherever he found another
/// way.
async fn told_meanwhile(alone: &Parts, acked: &Acked) {
    let cut = Instant::now();
    let tried = (1..=ON_HIS_OWN).map(|number| timeout(AWAY, bench::submit(&alone.engine, number)));
    let mut sent = false;
    for (number, told) in (1..).zip(join_all(tried).await) {
        sent |= match told {
            Ok(Ok(_)) => {
                let (_, appeal) = bench::appeal_of(number).unwrap();
                acked.lock().unwrap().insert(appeal.0.to_string())
            }
            Ok(Err(error)) => chain(&error).contains("it is not known whether"),
            Err(_) => true,
        };
    }
    assert!(sent, "nothing was sent to the leader that is cut off");
    pass(AWAY.saturating_sub(cut.elapsed())).await;
}

/// Without a majority nobody is told that something was stored.
async fn without_majority(nodes: &mut Nodes, servers: &Servers, listen: [std::net::SocketAddr; 2]) {
    let leader = nodes.leader().await;
    let others: Vec<usize> = (0..3).filter(|machine| *machine != leader).collect();
    for other in &others {
        nodes.kill(*other);
    }
    for listen in listen {
        let unit = client(servers, listen, &token::claims(Role::UnitHead));
        let asked = Instant::now();
        let unavailable = until(BOUND, || {
            let mut request = Request::new(plan(ENTERPRISES[0].0, Ground::Complaint));
            request.set_timeout(DEADLINE);
            let mut inspections = unit.inspections.clone();
            async move {
                let refused = inspections.plan_visit(request).await.unwrap_err();
                // What others have under way may be in its way at first.
                assert!(
                    [Code::Unavailable, Code::Aborted].contains(&refused.code()),
                    "{refused:?}"
                );
                (refused.code() == Code::Unavailable).then_some(())
            }
        });
        assert!(unavailable.await.is_some(), "it does not say that the log is away");
        println!("refused without a majority after {:?}", asked.elapsed());
    }
    for other in others {
        nodes.run(other);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_loses_nothing_whatever_becomes_of_its_leader() {
    let mut nodes = Nodes::start().await;
    let mut servers = Servers::start().await;
    nodes.point(&mut servers);
    let listen = [program::free_address(), program::free_address()];
    let role = |listen| program::role(&servers.config, listen, "all");
    let mut first = role(listen[0]);
    listening(listen[0]).await;
    let mut second = role(listen[1]);
    listening(listen[1]).await;
    let people = listen.map(|listen| People::new(&servers, listen, 1));
    people[0].prepare().await;
    let mut chance = Chance::seeded();
    let writers = people.each_ref().map(|people| Writers::start(people, &mut chance));
    let acked = writers.each_ref().map(|writers| writers.acked.clone());
    on(&acked).await;

    let leader = nodes.leader().await;
    nodes.kill(leader);
    on(&acked).await;
    nodes.run(leader);
    on(&acked).await;
    let leader = nodes.leader().await;
    // The others go on before it is back.
    let frozen = Frozen::of(&[nodes.pid(leader)]);
    on(&acked).await;
    drop(frozen);
    on(&acked).await;
    let leader = nodes.leader().await;
    let alone = only_with(&nodes, leader, &servers).await;
    if nodes.net.cut_off(leader, true) {
        // Its clients still reach it, and it must not tell them that anything is stored.
        told_meanwhile(&alone, &acked[0]).await;
        drop(alone);
        on(&acked).await;
        nodes.net.cut_off(leader, false);
        on(&acked).await;
    } else {
        skipped("partition", "no machine can be cut off from the others here");
    }
    without_majority(&mut nodes, &servers, listen).await;
    on(&acked).await;

    // The tables are projected by the one that is left.
    let parts = Parts::assemble(&servers.config).await.unwrap();
    let killed = Instant::now();
    first.kill().await.unwrap();
    let took = followed(&parts, &acked[1], killed, TAKEN_OVER_WITHIN).await;
    println!("taken over within {took:?}");
    first = role(listen[0]);
    listening(listen[0]).await;
    on(&acked).await;
    for writers in writers {
        writers.stop().await;
    }
    sound(&parts).await;
    // From now on nobody writes.
    first.kill().await.unwrap();
    second.kill().await.unwrap();
    let recorded = Recorded::read(&parts.journal).await;
    let kept: usize = acked.iter().map(|acked| assert_kept(&recorded, acked)).sum();
    let log = entries(&parts.journal).await;
    let last = u64::try_from(log.len()).unwrap();
    nodes.alike(last).await;
    assert_identical(&mut nodes, &log).await;
    println!("{kept} acknowledged, 0 lost, 0 doubled, the same {last} records on each server");
}

/// What an archive has of a log of three streams.
fn archived() -> Vec<Entry> {
    let entry = |position: u64| {
        let expected = position.saturating_sub(3);
        let name = "Nats-Expected-Last-Subject-Sequence".to_owned();
        Entry {
            position: Position(position),
            subject: format!("ev.L-1.bench.{}", position % 3),
            headers: vec![(name, expected.to_string())],
            payload: Bytes::from(format!("record {position}")),
        }
    };
    (1..=1200).map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_restored_into_a_cluster_of_which_a_server_is_killed_meanwhile() {
    let mut nodes = Nodes::start().await;
    let (scratch, archived) = (Scratch::new("restored").unwrap(), archived());
    Archive::open(scratch.path(), 1 << 20).unwrap().append(&archived).unwrap();
    let mut killed = false;
    let (log, reader) = (nodes.connect().await, ArchiveReader::open(scratch.path()));
    let mut told = |_| {
        if !killed {
            // It is away until the end; perhaps it leads, or is the one that we are connected to.
            nodes.kill(0);
            killed = true;
        }
    };
    let restoring = log.restore(reader.unwrap().unwrap(), &mut told);
    let restored = timeout(BOUND, restoring).await.expect("it ends").unwrap();
    assert_eq!((restored.records, killed), (1200, true));
    nodes.run(0);
    nodes.alike(1200).await;
    let journal = Journal::JetStream(nodes.connect().await);
    assert!(entries(&journal).await == archived, "the log is not as in the archive");
    assert_identical(&mut nodes, &archived).await;
}
