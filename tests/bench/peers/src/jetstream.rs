//! NATS JetStream alone, on a server that syncs each message before it acknowledges it; one connection, as its clients
//! are made to be used.

use std::path::Path;

use async_nats::{
    ConnectOptions,
    jetstream::{self, Context, message::PublishMessage},
};
use bytes::Bytes;
use doudi_server::{
    bench::{
        BenchError, measured,
        work::{self, Round, Side, Worker},
    },
    children::{NatsChild, NatsChildOptions, ToDisk},
};
use futures::{FutureExt, future::BoxFuture};

/// The server and a connection to it.
pub(crate) struct Peer {
    /// Ends with us.
    _server: NatsChild,
    context: Context,
    payload: Bytes,
    rounds: u32,
}

impl Peer {
    /// Starts the server and makes a stream as doudi's log is one.
    pub(crate) async fn start(folder: &Path, payload: &Bytes) -> Result<Self, BenchError> {
        let (folder, sync) = (folder.to_owned(), ToDisk::Always);
        let options = NatsChildOptions { folder, sync, program: None, scratch: true };
        let _server = NatsChild::start(&options).await.map_err(measured)?;
        let connect = ConnectOptions::new().token(_server.token().to_owned());
        let client = connect.connect(_server.url()).await.map_err(measured)?;
        let context = jetstream::new(client);
        let config = jetstream::stream::Config {
            name: "PEER".to_owned(),
            subjects: vec!["ev.>".to_owned()],
            storage: jetstream::stream::StorageType::File,
            ..Default::default()
        };
        context.create_stream(config).await.map_err(measured)?;
        Ok(Self { _server, context, payload: payload.clone(), rounds: 0 })
    }
}

impl Side for Peer {
    fn name(&self) -> &'static str {
        "JetStream: sync of each message"
    }

    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>> {
        self.rounds += 1;
        let clients = (0..clients).map(|client| Publishing {
            context: self.context.clone(),
            subject: format!("ev.L-{}-{client}.visits", self.rounds),
            payload: self.payload.clone(),
            last: 0,
        });
        let clients = clients.collect();
        async move { Ok(work::round(clients, 0..count).await?.0) }.boxed()
    }
}

struct Publishing {
    context: Context,
    subject: String,
    payload: Bytes,
    last: u64,
}

impl Worker for Publishing {
    async fn act(&mut self, _: u32) -> Result<(), BenchError> {
        let message = PublishMessage::build()
            .payload(self.payload.clone())
            .expected_last_subject_sequence(self.last);
        let sent = self.context.send_publish(self.subject.clone(), message).await;
        self.last = sent.map_err(measured)?.await.map_err(measured)?.sequence;
        Ok(())
    }
}
