//! One process that serves, and two machines that each project and react. They are killed in turn, and one is frozen
//! with rows that the other one needs: within seconds that goes on, and no record is projected twice and no step taken
//! twice.

use std::{
    collections::{BTreeMap, HashSet},
    future::poll_fn,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use doudi_engine::Engine;
use doudi_journal::Position;
use doudi_server::{
    bench::{self, steps},
    parts::Parts,
};
use doudi_tests::{program, until, world::Ground as Servers};
use doudi_views::ViewName;
use tokio::{process::Child, time::timeout};
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::{ON, followed};
use crate::real::{
    agenda::{past, sound},
    chaos::{Frozen, pass},
    load::{BOUND, People, Recorded, Writers, assert_kept, listening, progress},
    views::killed::Chance,
};

/// So often a machine is killed.
const ROUNDS: u32 = 6;
/// So many cases are overdue in each round, half of them when the machine is killed.
const CASES: u32 = 20;
/// So many days ago they were submitted: every rung of the ladder was to be climbed since.
const DAYS: i32 = 45;
/// Within this the other machine has taken over, of a test machine that is busy with others.
const WITHIN: Duration = Duration::from_secs(20);

/// A process that projects and one that reacts.
struct Machine([Child; 2]);

impl Machine {
    async fn start(servers: &Servers) -> Self {
        let roles = ["project", "react"].map(|role| (role, program::free_address()));
        let processes = roles.map(|(role, metrics)| run(servers, role, metrics));
        for (_, metrics) in roles {
            listening(metrics).await;
        }
        Self(processes)
    }

    async fn kill(&mut self) {
        for process in &mut self.0 {
            process.kill().await.unwrap();
        }
    }
}

/// A process of one role, which tells its metrics from when it is about to begin.
fn run(servers: &Servers, role: &str, metrics: SocketAddr) -> Child {
    let mut command = program::command();
    program::configure(&mut command, &servers.config, program::free_address());
    command.env("DOUDI_METRICS__LISTEN", metrics.to_string());
    // All processes together must not ask for more connections than PostgreSQL has.
    command.env("DOUDI_POSTGRES__POOL_SIZE_MAX", "10");
    command.arg(role).spawn().unwrap()
}

/// One process that serves, two machines beside it, and those who write.
struct City {
    serve: Child,
    machines: [Machine; 2],
    writers: Writers,
}

impl City {
    async fn at_work(servers: &Servers) -> Self {
        let listen = program::free_address();
        let serve = program::role(&servers.config, listen, "serve");
        listening(listen).await;
        let machines = [Machine::start(servers).await, Machine::start(servers).await];
        let people = People::new(servers, listen, 1);
        people.prepare().await;
        let writers = Writers::start(&people, &mut Chance::seeded());
        Self { serve, machines, writers }
    }
}

/// What all who project announce: to where each batch that was committed brought its view.
struct Announced {
    /// By the name and version of the view.
    heard: Arc<Mutex<BTreeMap<String, Vec<u64>>>>,
    _client: Client,
}

impl Announced {
    async fn listen(servers: &Servers) -> Self {
        let url = servers.config.postgres.url.expose();
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let heard = Arc::new(Mutex::new(BTreeMap::<String, Vec<u64>>::new()));
        let hearing = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Some(Ok(told)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(told) = told {
                    let (view, position) = told.payload().rsplit_once(' ').unwrap();
                    let position = position.parse().unwrap();
                    hearing.lock().unwrap().entry(view.to_owned()).or_default().push(position);
                }
            }
        });
        client.batch_execute("LISTEN doudi_views").await.unwrap();
        Self { heard, _client: client }
    }

    /// Each batch of each view went on from where another one had ended, up to `end`: were a record projected by two,
    /// both would announce it.
    async fn assert_once(&self, end: Position) {
        for view in ViewName::ALL {
            let name = format!("{view} {}", view.version());
            let heard = || self.heard.lock().unwrap().get(&name).cloned().unwrap_or_default();
            let all = until(BOUND, || async {
                Some(heard()).filter(|heard| heard.last().is_some_and(|last| *last >= end.0))
            });
            let Some(heard) = all.await else { panic!("{name}: not heard to the end") };
            assert!(heard.is_sorted_by(|one, next| one < next), "{name}: {heard:?}");
        }
    }
}

/// Submits those cases as if that had been long ago.
async fn overdue(past: &Engine, cases: Range<u32>) {
    for number in cases {
        bench::submit(past, number).await.unwrap();
    }
}

/// Waits until nothing is overdue; answers with how long that took since the kill.
async fn carried_out(parts: &Parts, killed: Instant) -> Duration {
    let left = WITHIN.saturating_sub(killed.elapsed());
    let settled = timeout(left, steps::settled(parts, &parts.engine));
    settled.await.expect("what is due is carried out in time").unwrap();
    killed.elapsed()
}

/// The median and the longest.
fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("p50 {:?}, longest {:?}", times[(times.len() - 1) / 2], times[times.len() - 1])
}

/// Each overdue case had its steps taken, each step once.
async fn assert_taken_once(parts: &Parts) {
    let taken = steps::taken(&parts.journal, Position::START).await.unwrap();
    assert_eq!(steps::doubled(&taken), None);
    let taken: HashSet<_> = taken.iter().map(|one| &one.stream).collect();
    for number in 0..ROUNDS * CASES {
        let (stream, _) = bench::appeal_of(number).unwrap();
        assert!(taken.contains(&stream), "nobody took a step of {stream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_take_over_from_each_other_within_seconds_and_do_nothing_twice() {
    let servers = Servers::start().await;
    let parts = Parts::assemble(&servers.config).await.unwrap();
    let announced = Announced::listen(&servers).await;
    let City { mut serve, mut machines, writers } = Box::pin(City::at_work(&servers)).await;
    let past = past(&parts, DAYS);
    let (mut views, mut duties) = (Vec::new(), Vec::new());
    for (round, which) in (0..ROUNDS).zip([0, 1].into_iter().cycle()) {
        progress(&writers.acked, ON).await;
        let (first, middle, end) = (round * CASES, round * CASES + CASES / 2, (round + 1) * CASES);
        overdue(&past, first..middle).await;
        let killed = Instant::now();
        machines[which].kill().await;
        overdue(&past, middle..end).await;
        let (view, duty) = tokio::join!(
            followed(&parts, &writers.acked, killed, WITHIN),
            carried_out(&parts, killed)
        );
        views.push(view);
        duties.push(duty);
        machines[which] = Machine::start(&servers).await;
    }
    println!("views go on: {}; what is due: {}", told(views), told(duties));

    let acked = writers.stop().await;
    sound(&parts).await;
    announced.assert_once(parts.journal.last_position().await.unwrap()).await;
    for checkpoint in parts.views.checkpoints().await.unwrap() {
        let view = checkpoint.view;
        assert_eq!((checkpoint.epoch, checkpoint.halted), (0, None), "{view}");
    }
    let parked = parts.views.parked().await.unwrap();
    assert!(parked.is_empty(), "{parked:?}");
    assert_taken_once(&parts).await;
    let kept = assert_kept(&Recorded::read(&parts.journal).await, &acked);
    println!("{kept} acknowledged, 0 lost, 0 doubled");
    for machine in &mut machines {
        machine.kill().await;
    }
    serve.kill().await.unwrap();
}

/// For how long a frozen process may keep rows: ten seconds, and some to notice.
const FROZEN_WITHIN: Duration = Duration::from_secs(30);

/// The transactions that wait for their client, each by its connection and when it began.
async fn waiting(client: &Client) -> HashSet<(i32, String)> {
    let statement = "SELECT pid, xact_start::text FROM pg_stat_activity \
         WHERE application_name = 'doudi' AND state = 'idle in transaction' \
         AND backend_xid IS NOT NULL";
    let rows = client.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Freezes one of the processes in the midst of a transaction. In turns, as one that was frozen lags behind the other
/// one and may have no part in the work for long.
async fn frozen_in_transaction(client: &Client, processes: [u32; 2]) -> Frozen {
    let turn = AtomicUsize::new(0);
    let frozen = until(BOUND, || async {
        let frozen = Frozen::of(&[processes[turn.fetch_add(1, Ordering::Relaxed) % 2]]);
        // What it has asked for comes to its end.
        pass(Duration::from_millis(20)).await;
        let before = waiting(client).await;
        if before.is_empty() {
            return None;
        }
        // Those of others go on.
        pass(Duration::from_millis(700)).await;
        (!waiting(client).await.is_disjoint(&before)).then_some(frozen)
    });
    frozen.await.expect("it is met in a transaction once")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_keeps_no_rows_that_another_one_needs() {
    let servers = Servers::start().await;
    let parts = Parts::assemble(&servers.config).await.unwrap();
    let City { mut serve, mut machines, writers } = Box::pin(City::at_work(&servers)).await;
    let url = servers.config.postgres.url.expose();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);

    let projecting = machines.each_ref().map(|machine| machine.0[0].id().unwrap());
    let frozen = frozen_in_transaction(&client, projecting).await;
    let took = followed(&parts, &writers.acked, Instant::now(), FROZEN_WITHIN).await;
    println!("views go on after {took:?}");
    // PostgreSQL takes the rows back after ten.
    assert!(took > Duration::from_secs(5), "it had none: {took:?}");
    drop(frozen);
    let acked = writers.stop().await;
    sound(&parts).await;
    assert_kept(&Recorded::read(&parts.journal).await, &acked);
    for machine in &mut machines {
        machine.kill().await;
    }
    serve.kill().await.unwrap();
}
