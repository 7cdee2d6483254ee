//! What Prometheus is told, by the program as an operator runs it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use doudi_api::{permission::Role, proto::Ground as Why};
use doudi_journal::Durability;
use doudi_server::{catalogue, client::Client, metrics::described, token};
use doudi_tests::{
    program::{self, free_address},
    until,
    world::Ground,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
};
use tonic::{
    Code,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use super::requests::{plan, register};

mod behind;

const BOUND: Duration = Duration::from_secs(60);

/// What one HTTP request to the endpoint is answered.
pub(super) async fn ask(address: SocketAddr, method: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

/// The series that are told, each with its value.
pub(super) async fn series(address: SocketAddr) -> Option<BTreeMap<String, f64>> {
    let answer = ask(address, "GET", "/metrics").await?;
    let lines = answer.lines().filter(|line| line.starts_with("doudi_"));
    let pair = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    Some(lines.map(pair).collect())
}

/// Waits until what is told is as `wanted` says.
async fn told(
    address: SocketAddr,
    wanted: impl Fn(&BTreeMap<String, f64>) -> bool,
) -> BTreeMap<String, f64> {
    let found = until(BOUND, || async { series(address).await.filter(|found| wanted(found)) });
    match found.await {
        Some(found) => found,
        None => panic!("not told: {:#?}", series(address).await),
    }
}

/// The program with all its roles and these settings, a channel to it, and where it tells its metrics.
async fn started(ground: &Ground, settings: &[(&str, &str)]) -> (Child, Channel, SocketAddr) {
    let (listen, metrics) = (free_address(), free_address());
    let mut command = program::command();
    program::configure(&mut command, &ground.config, listen);
    command.env("DOUDI_METRICS__LISTEN", metrics.to_string());
    for (name, value) in settings {
        command.env(name, value);
    }
    let doudi = command.arg("all").spawn().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{listen}")).unwrap();
    let channel = until(BOUND, || async { endpoint.connect().await.ok() }).await.unwrap();
    (doudi, channel, metrics)
}

/// A request that any rpc may be asked with, since only its name matters.
async fn ask_for(channel: &Channel, path: &'static str) -> Code {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<(), ()>::default();
    let path = PathAndQuery::from_static(path);
    grpc.unary(tonic::Request::new(()), path, codec).await.unwrap_err().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_is_told_of_calls_appends_and_views_and_nothing_that_is_not_listed() {
    let mut ground = Ground::start().await;
    let (_doudi, channel, metrics) = started(&ground, &[]).await;
    let client = |role| Client::new(&channel, &ground.token(&token::claims(role))).unwrap();

    client(Role::Admin).publish(catalogue::frequency_policy()).await.unwrap();
    client(Role::Admin).enterprises.register_enterprise(register("L-METRICS")).await.unwrap();
    // No catalogue is published, so a rule refuses it.
    let mut unit = client(Role::UnitHead);
    let refused = unit.inspections.plan_visit(plan("L-METRICS", Why::Complaint)).await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    for made_up in ["/doudi.v1.PolicyService/MadeUp1", "/doudi.v1.PolicyService/MadeUp2"] {
        assert_eq!(ask_for(&channel, made_up).await, Code::Unauthenticated);
    }

    let calls = |rpc: &str, code: &str, outcome: &str| {
        format!("doudi_rpc_requests_total{{rpc=\"{rpc}\",code=\"{code}\",outcome=\"{outcome}\"}}")
    };
    let register = "doudi.v1.EnterpriseService/RegisterEnterprise";
    let plan = "doudi.v1.InspectionService/PlanVisit";
    let lag = "doudi_view_lag_records{view=\"timeline\"}";
    let found = told(metrics, |found| {
        found.get("doudi_log_position") == Some(&3.0) && found.get(lag) == Some(&0.0)
    })
    .await;
    let durability = ground.config.nats.durability;
    let synced = if durability == Durability::Group { 3.0 } else { 0.0 };
    for (name, value) in [
        (calls(register, "OK", "ok"), 1.0),
        (calls(plan, "FAILED_PRECONDITION", "rejected"), 1.0),
        (calls("unknown", "UNAUTHENTICATED", "rejected"), 2.0),
        (format!("doudi_rpc_duration_seconds_count{{rpc=\"{register}\"}}"), 1.0),
        (format!("doudi_rpc_in_flight{{rpc=\"{register}\"}}"), 0.0),
        ("doudi_appends_total{outcome=\"stored\"}".to_owned(), 3.0),
        ("doudi_append_duration_seconds_count".to_owned(), 3.0),
        (format!("doudi_durability_info{{profile=\"{durability}\"}}"), 1.0),
        ("doudi_sync_records_sum".to_owned(), synced),
        ("doudi_view_position{view=\"timeline\"}".to_owned(), 3.0),
        ("doudi_view_lag_seconds{view=\"timeline\"}".to_owned(), 0.0),
        ("doudi_view_halted{view=\"timeline\"}".to_owned(), 0.0),
        ("doudi_view_parked_streams{view=\"timeline\"}".to_owned(), 0.0),
        ("doudi_view_records_total{view=\"timeline\"}".to_owned(), 3.0),
        ("doudi_log_reachable".to_owned(), 1.0),
        ("doudi_tables_reachable".to_owned(), 1.0),
    ] {
        assert_eq!(found.get(&name), Some(&value), "{name} in {found:#?}");
    }
    assert!(found["doudi_cache_lookups_total{result=\"miss\"}"] > 0.0);
    assert!(!found.keys().any(|name| name.contains("MadeUp")), "labels are ours, not a caller's");

    let listed: Vec<String> = described().iter().flat_map(|metric| metric.series()).collect();
    for name in found.keys() {
        let name = name.split('{').next().unwrap();
        assert!(listed.iter().any(|known| known == name), "{name} is not in the list");
    }
    let answer = ask(metrics, "GET", "/metrics").await.unwrap();
    assert!(answer.contains("\r\ncontent-type: application/openmetrics-text; version=1.0.0"));
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    assert!(ask(metrics, "GET", "/").await.unwrap().starts_with("HTTP/1.1 404"));
    assert!(ask(metrics, "POST", "/metrics").await.unwrap().starts_with("HTTP/1.1 405"));

    // What cannot be reached is told, and told when it is back.
    ground.nats.kill9().await.unwrap();
    told(metrics, |found| found.get("doudi_log_reachable") == Some(&0.0)).await;
    ground.nats.restart().await.unwrap();
    ground.postgres.kill9().await.unwrap();
    told(metrics, |found| {
        found.get("doudi_log_reachable") == Some(&1.0)
            && found.get("doudi_tables_reachable") == Some(&0.0)
    })
    .await;
}
