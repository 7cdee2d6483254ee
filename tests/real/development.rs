//! The binary as a developer and an operator meet it: `dev`, `demo`, and what refuses to start.

use std::{process::Stdio, time::Duration};

use doudi_api::proto::GetEnterpriseRequest;
use doudi_server::{
    client::Client,
    dev::keys::{DEV_KEY_ID, DevKey},
};
use doudi_tests::{
    Scratch,
    program::{self, command},
    world::{Ground, connect},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    time::timeout,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::requests::register;

const BOUND: Duration = Duration::from_secs(90);

/// Starts `doudi dev` and waits for its line.
async fn dev(folder: &Scratch) -> (Child, Value) {
    let mut command = command();
    command.args(["dev", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(BOUND, lines.next_line()).await.unwrap().unwrap().expect("a line");
    (child, serde_json::from_str(&line).unwrap())
}

async fn client(ready: &Value, role: &str) -> Client {
    let channel = connect(ready["grpc"].as_str().unwrap().parse().unwrap()).await;
    Client::new(&channel, ready["tokens"][role].as_str().unwrap()).unwrap()
}

/// The services that the server says it has, without a token.
async fn described(ready: &Value) -> Vec<String> {
    let channel = connect(ready["grpc"].as_str().unwrap().parse().unwrap()).await;
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asked = futures::stream::iter([asked]);
    let answers = ServerReflectionClient::new(channel).server_reflection_info(asked).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("not a list of services: {answer:?}");
    };
    list.service.into_iter().map(|service| service.name).collect()
}

async fn end(mut child: Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
    let status = timeout(BOUND, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn development_mode_keeps_its_data_and_stops_cleanly_on_both_signals() {
    let folder = Scratch::new("dev").unwrap();
    let (child, ready) = dev(&folder).await;
    assert_eq!(ready["tokens"].as_object().unwrap().len(), 8, "a token per role");
    let described = described(&ready).await;
    for (service, _) in doudi_api::SERVICES {
        assert!(described.iter().any(|found| found == service), "{service}: {described:?}");
    }
    let registered = register("91210212DD0000001D");
    client(&ready, "admin").await.enterprises.register_enterprise(registered).await.unwrap();
    end(child, Signal::INT).await;

    let (child, ready) = dev(&folder).await;
    let request = GetEnterpriseRequest {
        enterprise_id: "91210212DD0000001D".to_owned(),
        min_position: String::new(),
        as_of: None,
    };
    let found = client(&ready, "auditor").await.enterprises.get_enterprise(request).await.unwrap();
    assert_eq!(found.into_inner().enterprise.unwrap().name, "示例企业");
    end(child, Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_well() {
    let output = timeout(BOUND, command().arg("demo").output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for word in ["demo: ok", "CAP_REACHED", "国网大连供电公司", "市税务局", "市司法局"]
    {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_development_key_is_refused_outside_development() {
    let ground = Ground::start().await;
    let folder = Scratch::new("key").unwrap();
    let key = DevKey::read_or_make(folder.path(), DEV_KEY_ID).unwrap();
    let mut config = ground.config.clone();
    config.auth.keys_file = key.public_file;
    let mut serve = command();
    program::configure(&mut serve, &config, program::free_address());
    let output = timeout(BOUND, serve.arg("serve").output()).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("development key"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_configuration_are_told_all_at_once() {
    let output = command()
        .arg("serve")
        .env("DOUDI_GRPC__LISTEM", "127.0.0.1:1")
        .env("DOUDI_ENGINE__ATTEMPTS_MAX", "0")
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for word in ["DOUDI_GRPC__LISTEM", "DOUDI_ENGINE__ATTEMPTS_MAX", "postgres.url"] {
        assert!(errors.contains(word), "{word} is missing in\n{errors}");
    }
}

#[test]
fn the_server_understands_the_sample_configuration_and_it_syncs() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/nats/single.conf");
    let nats = doudi_server::children::find_nats().unwrap();
    let tried = std::process::Command::new(nats.path)
        .args(["-t", "-c", sample])
        .env("NATS_TOKEN", "a-token")
        .output()
        .unwrap();
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    let text = std::fs::read_to_string(sample).unwrap();
    assert!(text.contains("sync_interval: always"), "the gate would refuse it");
}
