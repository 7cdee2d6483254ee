//! A log on three nats-servers: its leader is killed, frozen and cut off from the others, the most of them are gone,
//! and two doudis at once serve, project and react on it. Nothing acknowledged is lost, nothing is done twice.

use std::time::{Duration, Instant};

use doudi_api::{permission::Role, proto::Ground};
use doudi_journal::Position;
use doudi_server::{parts::Parts, token};
use doudi_tests::{program, until, world::Ground as Servers};
use doudi_views::ViewName;
use tonic::{Code, Request};

use super::{
    agenda::sound,
    chaos::{frozen, pass},
    load::{
        Acked, BOUND, ENTERPRISES, People, Recorded, Writers, assert_kept, client, listening,
        progress,
    },
    requests::plan,
    views::killed::Chance,
};
use nodes::Nodes;

mod net;
mod nodes;

/// So many acknowledgements of each doudi show that it goes on.
const ON: usize = 20;
/// How long a leader is away.
const AWAY: Duration = Duration::from_secs(8);
/// What a caller without a majority waits for at most, and what the machine may take on top.
const DEADLINE: Duration = Duration::from_secs(4);
const SLACK: Duration = Duration::from_secs(3);
/// How long the second doudi may take to do what the first one did.
const TAKEN_OVER: Duration = Duration::from_secs(10);

async fn on(acked: &[Acked; 2]) {
    for acked in acked {
        progress(acked, ON).await;
    }
}

/// Without a majority nobody is told that something was stored.
async fn without_majority(nodes: &mut Nodes, servers: &Servers, listen: [std::net::SocketAddr; 2]) {
    let leader = nodes.leader().await;
    let others: Vec<usize> = (0..3).filter(|machine| *machine != leader).collect();
    for other in &others {
        nodes.kill(*other);
    }
    for listen in listen {
        let mut unit = client(servers, listen, &token::claims(Role::UnitHead));
        let mut request = Request::new(plan(ENTERPRISES[0].0, Ground::Complaint));
        request.set_timeout(DEADLINE);
        let asked = Instant::now();
        let refused = unit.inspections.plan_visit(request).await.unwrap_err();
        let ended = asked.elapsed();
        let code = refused.code();
        assert!([Code::Unavailable, Code::DeadlineExceeded].contains(&code), "{refused:?}");
        assert!(ended < DEADLINE + SLACK, "{ended:?}");
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
    let people = listen.map(|listen| People::new(&servers, listen));
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
    frozen(&[nodes.pid(leader)], AWAY).await;
    on(&acked).await;
    let leader = nodes.leader().await;
    if nodes.net.cut_off(leader, true) {
        // Its clients still reach it, and it must not tell them that anything is stored.
        pass(AWAY).await;
        on(&acked).await;
        nodes.net.cut_off(leader, false);
        on(&acked).await;
    } else {
        println!("skipped: no machine can be cut off from the others here");
    }
    without_majority(&mut nodes, &servers, listen).await;
    on(&acked).await;

    // The tables are projected by the one that is left.
    let parts = Parts::assemble(&servers.config).await.unwrap();
    first.kill().await.unwrap();
    progress(&acked[1], ON).await;
    let end = parts.journal.last_position().await.unwrap();
    let began = Instant::now();
    for view in ViewName::ALL {
        parts.views.wait(view, end, TAKEN_OVER).await.unwrap();
    }
    println!("taken over within {:?}", began.elapsed());
    first = role(listen[0]);
    listening(listen[0]).await;
    on(&acked).await;
    for writers in writers {
        writers.stop().await;
    }
    sound(&parts).await;
    let recorded = Recorded::read(&parts.journal).await;
    let kept: usize = acked.iter().map(|acked| assert_kept(&recorded, acked)).sum();
    let last = until(BOUND, || async { parts.journal.last_position().await.ok() });
    let Position(last) = last.await.unwrap();
    nodes.alike(last).await;
    println!("{kept} acknowledged, 0 lost, 0 doubled, {last} records on each server");
    first.kill().await.unwrap();
    second.kill().await.unwrap();
}
