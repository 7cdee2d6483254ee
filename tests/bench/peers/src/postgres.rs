//! An event store on SQL: `postgres-es`, on a PostgreSQL that keeps what it acknowledges.

use std::{convert::Infallible, path::Path};

use bytes::Bytes;
use cqrs_es::{
    Aggregate, DomainEvent,
    event_sink::EventSink,
    persist::{PersistedEventRepository, SerializedEvent},
};
use doudi_server::{
    bench::{
        BenchError, measured,
        work::{self, Round, Side, Worker},
    },
    children::{PostgresChild, PostgresChildOptions},
};
use futures::{FutureExt, future::BoxFuture};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;

/// How many connections the clients share; more would only wait for each other in the server.
const CONNECTIONS: u32 = 64;
/// How many events each aggregate has beforehand.
const BEFOREHAND: i64 = 9;
/// The table of `postgres-es`, as it is shipped.
const TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";
/// What comes before the check-ins.
const FILL: &str = "INSERT INTO events
    SELECT 'visits', 'L-B' || lpad(e::text, 6, '0'), s, 'Before', '1', $3::json, '{}'
    FROM generate_series(0, $1 - 1) AS e, generate_series(1, $2) AS s";

/// The visits of one enterprise. Nothing is decided here: only its name is used.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Visits;

/// What happened to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Happened;

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "VisitCheckedIn".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Visits {
    const TYPE: &'static str = "visits";
    type Command = ();
    type Event = Happened;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Infallible> {
        Ok(())
    }

    fn apply(&mut self, _: Happened) {}
}

/// The server and its clients' pool.
pub(crate) struct Peer {
    /// Ends with us.
    _server: PostgresChild,
    store: std::sync::Arc<PostgresEventRepository>,
    payload: Value,
    enterprises: u32,
    used: u32,
}

impl Peer {
    /// Starts the server, and fills it with what comes before so many check-ins at a quarter as many enterprises.
    pub(crate) async fn start(
        folder: &Path,
        visits: u32,
        payload: &Bytes,
    ) -> Result<Self, BenchError> {
        let folder = folder.to_owned();
        let options = PostgresChildOptions { folder, fast: false, scratch: true };
        let _server = PostgresChild::start(&options).await.map_err(measured)?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).min_connections(CONNECTIONS);
        let pool = pool.connect(&_server.url()).await.map_err(measured)?;
        let enterprises = visits.div_ceil(4);
        let text = std::str::from_utf8(payload).map_err(measured)?;
        sqlx::query(TABLE).execute(&pool).await.map_err(measured)?;
        let fill = sqlx::query(FILL).bind(i64::from(enterprises)).bind(BEFOREHAND).bind(text);
        fill.execute(&pool).await.map_err(measured)?;
        sqlx::query("VACUUM ANALYZE events").execute(&pool).await.map_err(measured)?;
        let store = PostgresEventRepository::new(pool).into();
        let payload = serde_json::from_str(text).map_err(measured)?;
        Ok(Self { _server, store, payload, enterprises, used: 0 })
    }
}

impl Side for Peer {
    fn name(&self) -> &'static str {
        "postgres-es: insert"
    }

    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>> {
        let numbers = self.used..self.used + count;
        self.used = numbers.end;
        let clients = (0..clients).map(|_| Inserting {
            store: self.store.clone(),
            payload: self.payload.clone(),
            enterprises: self.enterprises,
        });
        let clients = clients.collect();
        async move { Ok(work::round(clients, numbers).await?.0) }.boxed()
    }
}

struct Inserting {
    store: std::sync::Arc<PostgresEventRepository>,
    payload: Value,
    enterprises: u32,
}

impl Worker for Inserting {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        let (turn, enterprise) = (number / self.enterprises, number % self.enterprises);
        let event = SerializedEvent {
            aggregate_id: format!("L-B{enterprise:06}"),
            sequence: usize::try_from(BEFOREHAND + 1 + i64::from(turn)).map_err(measured)?,
            aggregate_type: Visits::TYPE.to_owned(),
            event_type: "VisitCheckedIn".to_owned(),
            event_version: "1".to_owned(),
            payload: self.payload.clone(),
            metadata: Value::Object(<_>::default()),
        };
        self.store.persist::<Visits>(&[event], None).await.map_err(measured)
    }
}
