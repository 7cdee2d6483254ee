//! kill -9 of nats-server, PostgreSQL and doudi in turn, under load: what was acknowledged is stored,
//! once, and the tables say what the log says.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doudi_api::proto::Ground;
use doudi_api::{identity::Claims, permission::Role};
use doudi_journal::Position;
use doudi_server::{catalogue, client::Client, parts::Parts, token, verify};
use doudi_tests::{program, until, world::Ground as Servers};
use tokio::process::Child;
use tonic::{Code, Status, transport::Endpoint};

use super::requests::{plan, register, submit};

const KILLS_EACH: usize = 3;
const WRITERS: usize = 6;
/// So many further acknowledgements between two kills.
const PROGRESS: usize = 20;
const BOUND: Duration = Duration::from_secs(90);

/// The command ids that the server acknowledged, as the clients remember them.
pub(super) type Acked = Arc<Mutex<HashSet<String>>>;

pub(super) fn channel(address: SocketAddr) -> tonic::transport::Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

/// Whether the outcome is open: the client sends the same command again.
pub(super) fn open(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
    )
}

/// Writes until told to stop: visits that meet on one stream, and appeals with streams of their own.
async fn write(
    number: usize,
    unit: Client,
    enterprise: Client,
    acked: Acked,
    stop: Arc<AtomicBool>,
) {
    let mut step = number;
    while !stop.load(Ordering::Relaxed) {
        step += 1;
        let (id, outcome) = if step.is_multiple_of(2) {
            let request = plan("L-CRASH", Ground::Complaint);
            let id = request.command_id.clone();
            let outcome = until(BOUND, || async {
                let mut inspections = unit.inspections.clone();
                let answer = inspections.plan_visit(request.clone()).await.map(|_| ());
                if answer.as_ref().is_err_and(open) { None } else { Some(answer) }
            });
            (id, outcome.await)
        } else {
            let request = submit("L-CRASH", "T06", "企业联系人");
            let id = request.command_id.clone();
            let outcome = until(BOUND, || async {
                let mut appeals = enterprise.appeals.clone();
                let answer = appeals.submit_appeal(request.clone()).await.map(|_| ());
                if answer.as_ref().is_err_and(open) { None } else { Some(answer) }
            });
            (id, outcome.await)
        };
        match outcome {
            Some(Ok(())) => acked.lock().unwrap().insert(id),
            Some(Err(status)) => panic!("a definite refusal that should not be: {status:?}"),
            None => panic!("no definite answer within {BOUND:?}"),
        };
    }
}

/// Waits until the writers got so many further acknowledgements.
pub(super) async fn progress(acked: &Acked, count: usize) {
    let wanted = acked.lock().unwrap().len() + count;
    let reached = until(BOUND, || async { (acked.lock().unwrap().len() >= wanted).then_some(()) });
    assert!(reached.await.is_some(), "the writers do not get on");
}

pub(super) async fn listening(address: SocketAddr) {
    let reached = until(BOUND, || async { tokio::net::TcpStream::connect(address).await.ok() });
    assert!(reached.await.is_some(), "doudi does not come up");
}

async fn kill_in_turn(servers: &mut Servers, doudi: &mut Child, listen: SocketAddr, acked: &Acked) {
    for _ in 0..KILLS_EACH {
        progress(acked, PROGRESS).await;
        servers.nats.kill9().await.unwrap();
        servers.nats.restart().await.unwrap();
        progress(acked, PROGRESS).await;
        servers.postgres.kill9().await.unwrap();
        servers.postgres.restart().await.unwrap();
        progress(acked, PROGRESS).await;
        doudi.kill().await.unwrap();
        *doudi = program::role(&servers.config, listen, "all");
        listening(listen).await;
    }
    progress(acked, PROGRESS).await;
}

/// How often each command id stands in the log.
async fn stored(parts: &Parts) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    let mut position = Position::default();
    loop {
        let page = parts.journal.read(position, 1000).await.unwrap();
        let Some(last) = page.last() else { return counts };
        position = last.position;
        for record in page {
            *counts.entry(record.commit().unwrap().command_id.to_string()).or_default() += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_of_each_server_in_turn() {
    let mut servers = Servers::start().await;
    let listen = program::free_address();
    let mut doudi = program::role(&servers.config, listen, "all");
    listening(listen).await;
    let client = |claims: Claims| Client::new(&channel(listen), &servers.token(&claims)).unwrap();
    let mut admin = client(token::claims(Role::Admin));
    admin.publish(catalogue::frequency_policy()).await.unwrap();
    for catalogue in catalogue::inspection_catalogues().unwrap() {
        admin.publish(catalogue).await.unwrap();
    }
    let routing = catalogue::Plan::published().unwrap().routing();
    admin.publish(routing).await.unwrap();
    admin.enterprises.register_enterprise(register("L-CRASH")).await.unwrap();

    let (acked, stop) = (Acked::default(), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let unit = client(token::claims(Role::UnitHead));
            let enterprise = Some("L-CRASH".to_owned());
            let enterprise = client(Claims { enterprise, ..token::claims(Role::Enterprise) });
            tokio::spawn(write(number, unit, enterprise, acked.clone(), stop.clone()))
        })
        .collect();
    kill_in_turn(&mut servers, &mut doudi, listen, &acked).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let parts = Parts::assemble(&servers.config).await.unwrap();
    let counts = stored(&parts).await;
    let acked = acked.lock().unwrap().clone();
    let lost: Vec<_> = acked.iter().filter(|id| !counts.contains_key(*id)).collect();
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged commands lost", lost.len(), acked.len());
    assert!(doubled.is_empty(), "stored twice: {doubled:?}");
    let end = parts.journal.last_position().await.unwrap();
    for view in doudi_views::ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
    let report = verify::verify(&parts).await.unwrap();
    assert!(report.sound, "{:#?}", report.lines);
    println!("{} acknowledged, {} stored, 0 lost, 0 doubled", acked.len(), counts.len());
    doudi.kill().await.unwrap();
}
