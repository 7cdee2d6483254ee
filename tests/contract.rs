//! The contract of the journal: what every log must do, tried on the one in memory and on a real
//! nats-server, and what the real one must do when its server fails.

mod again;
mod append;
mod follow;
mod gate;
mod load;
mod objects;
mod outage;
mod queue;
mod spool;

use std::time::Duration;

use doudi_journal::{
    Credentials, Durability, JetStream, JetStreamSettings, Journal, Position, StreamName,
};
use doudi_tests::nats::{NatsOptions, NatsServer, ToDisk};

/// How long anything in these tests may take that is supposed to happen at once.
const BOUND: Duration = Duration::from_secs(20);

/// How long the logs in these tests wait for their server.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes three tests of each promise: one on the log in memory, one on a nats-server of its own, one on
/// such a server whose files are forced to disk before anything is handed out.
macro_rules! on_both_logs {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $promise() {
                    let log = doudi_journal::Journal::Memory(doudi_journal::Memory::new());
                    super::$promise(log).await;
                }
            )+
        }

        mod jetstream {
            $(
                #[tokio::test]
                async fn $promise() {
                    let (_server, log) = crate::contract::real_log().await;
                    super::$promise(log).await;
                }
            )+
        }

        mod group {
            $(
                #[tokio::test]
                async fn $promise() {
                    let (_server, log) = crate::contract::group_log().await;
                    super::$promise(log).await;
                }
            )+
        }
    };
}
use on_both_logs;

/// A fresh log on a nats-server of its own, which lives as long as the returned server.
async fn real_log() -> (NatsServer, Journal) {
    let server = start(ToDisk::Lazy).await;
    let settings = JetStreamSettings { durability: Durability::Fast, ..settings_for(&server) };
    let jetstream = connect(settings).await;
    jetstream.create_if_absent().await.expect("a new stream");
    jetstream.gate(Position::START).await.expect("the gate lets it pass");
    (server, Journal::JetStream(jetstream))
}

/// The same under durability "group".
async fn group_log() -> (NatsServer, Journal) {
    let server = start(ToDisk::Group).await;
    let durability = server.durability();
    let jetstream = connect(JetStreamSettings { durability, ..settings_for(&server) }).await;
    jetstream.create_if_absent().await.expect("a new stream");
    jetstream.gate(Position::START).await.expect("the gate lets it pass");
    (server, Journal::JetStream(jetstream))
}

async fn start(sync: ToDisk) -> NatsServer {
    NatsServer::start(NatsOptions { sync, ..NatsOptions::default() }).await.expect("a nats-server")
}

fn settings_for(server: &NatsServer) -> JetStreamSettings {
    JetStreamSettings {
        credentials: Credentials::Token(server.token().to_owned()),
        monitor_urls: vec![server.monitor_url()],
        ack_timeout: ACK_TIMEOUT,
        ..JetStreamSettings::new(server.url())
    }
}

async fn connect(settings: JetStreamSettings) -> JetStream {
    JetStream::connect(settings).await.expect("a connection")
}

/// A connection of its own to the server's JetStream, to do what the journal never does.
async fn raw(server: &NatsServer) -> async_nats::jetstream::Context {
    let options = async_nats::ConnectOptions::with_token(server.token().to_owned());
    async_nats::jetstream::new(options.connect(server.url()).await.expect("a connection"))
}

async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(BOUND, what).await.expect("it happens within its bound")
}

fn stream(id: &str) -> StreamName {
    StreamName::new("91210200MA0000000X", "appeal", Some(id)).expect("a name")
}

/// Appends `count` numbered records to one stream and returns their positions.
async fn fill(log: &Journal, stream: &StreamName, count: usize) -> Vec<Position> {
    let mut positions = Vec::with_capacity(count);
    let mut last = Position::START;
    for number in 1..=count {
        last = log.append(stream, format!("record {number}").into(), last).await.expect("room");
        positions.push(last);
    }
    positions
}
