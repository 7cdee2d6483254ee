//! The child servers: they answer, keep their data over a kill, and never outlive us.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use doudi_server::children::{NatsChild, NatsChildOptions, PostgresChild, PostgresChildOptions};
use doudi_tests::nats::{NatsOptions, NatsServer};
use doudi_tests::pg::PgServer;
use doudi_tests::{Scratch, until};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Set for the process that is going to be killed; its value is the folder of the servers.
const VICTIM: &str = "DOUDI_TEST_CHILDREN_VICTIM";
const BOUND: Duration = Duration::from_secs(60);

#[tokio::test]
async fn nats_keeps_messages_and_ports_over_a_kill() {
    let mut server = NatsServer::start(NatsOptions::default()).await.unwrap();
    publish(&server, "before").await;
    let (url, pid) = (server.url(), server.pid());

    server.kill9().await.unwrap();
    assert!(gone(pid));
    server.restart().await.unwrap();

    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    assert_eq!(message_count(&server).await, 1);
}

#[tokio::test]
async fn nats_refuses_a_client_without_the_token() {
    let server = NatsServer::start(NatsOptions::default()).await.unwrap();
    assert!(async_nats::connect(server.url()).await.is_err());
}

#[tokio::test]
async fn postgres_keeps_rows_and_port_over_a_kill() {
    let mut server = PgServer::start().await.unwrap();
    run_sql(&server.url(), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").await;
    let (url, pid) = (server.url(), server.pid());

    server.kill9().await.unwrap();
    assert!(gone(pid));
    server.restart().await.unwrap();

    assert_eq!(server.url(), url);
    assert_eq!(first_number(&url, "SELECT n FROM kept").await, 7);
}

#[tokio::test]
async fn an_end_that_nobody_ordered_is_noticed() {
    let server = NatsServer::start(NatsOptions::default()).await.unwrap();
    kill_process(pid_of(server.pid()), Signal::KILL).unwrap();
    let status = tokio::time::timeout(BOUND, server.exited()).await.unwrap();
    assert!(status.contains("137"), "{status}");
}

#[tokio::test]
async fn a_dropped_server_leaves_neither_process_nor_folder() {
    let server = PgServer::start().await.unwrap();
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    drop(server);
    assert!(gone(pid));
    assert!(!folder.exists());
}

/// Kills a process that runs both servers with SIGKILL: they must stop in order by themselves, and
/// what they stored must be there when they start again.
#[tokio::test]
async fn no_child_outlives_a_killed_parent() {
    let scratch = Scratch::new("outlive").unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "children::victim", "--nocapture"])
        .env(VICTIM, scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).find_map(|line| {
        let pids = line.strip_prefix("ready ")?;
        pids.split(' ').map(|pid| pid.parse().ok()).collect::<Option<Vec<u32>>>()
    });
    let pids = ready.expect("the victim starts both servers");

    victim.kill().unwrap();
    victim.wait().unwrap();

    let all_gone = || async { pids.iter().all(|pid| gone(*pid)).then_some(()) };
    until(BOUND, all_gone).await.expect("both servers stop when their parent is gone");
    let (nats, postgres) = start_both(scratch.path()).await;
    assert_eq!(message_count(&nats).await, 1);
    assert_eq!(first_number(&postgres.url(), "SELECT n FROM kept").await, 7);
    let log = std::fs::read_to_string(postgres.log_file()).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
    assert!(!log.contains("was not properly shut down"), "{log}");
    nats.stop().await.unwrap();
    postgres.stop().await.unwrap();
}

/// Not a test of its own: the process that the test above kills.
#[tokio::test]
async fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let (nats, postgres) = start_both(Path::new(&folder)).await;
    publish(&nats, "before").await;
    run_sql(&postgres.url(), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").await;
    println!("\nready {} {}", nats.pid(), postgres.pid());
    std::future::pending::<()>().await;
}

async fn start_both(folder: &Path) -> (NatsChild, PostgresChild) {
    let nats = NatsChildOptions { folder: folder.join("nats"), ..Default::default() };
    let postgres = PostgresChildOptions { folder: folder.join("postgres"), ..Default::default() };
    (NatsChild::start(&nats).await.unwrap(), PostgresChild::start(&postgres).await.unwrap())
}

async fn jetstream(server: &NatsChild) -> async_nats::jetstream::Context {
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    async_nats::jetstream::new(options.connect(server.url()).await.unwrap())
}

async fn publish(server: &NatsChild, text: &'static str) {
    let context = jetstream(server).await;
    let config = async_nats::jetstream::stream::Config {
        name: "kept".to_owned(),
        subjects: vec!["kept".to_owned()],
        ..Default::default()
    };
    context.get_or_create_stream(config).await.unwrap();
    context.publish("kept", text.into()).await.unwrap().await.unwrap();
}

async fn message_count(server: &NatsChild) -> u64 {
    let context = jetstream(server).await;
    context.get_stream("kept").await.unwrap().cached_info().state.messages
}

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn run_sql(url: &str, sql: &str) {
    client(url).await.batch_execute(sql).await.unwrap();
}

async fn first_number(url: &str, sql: &str) -> i32 {
    client(url).await.query_one(sql, &[]).await.unwrap().get(0)
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

fn gone(pid: u32) -> bool {
    test_kill_process(pid_of(pid)).is_err()
}
