//! UmaDB, built here from its published packages under the same profile as doudi, in a process of its own, each client
//! with a connection of its own.

use std::{
    ops::Range,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use doudi_server::bench::{
    BenchError, measured,
    work::{self, Round, Side, Worker},
};
use futures::{FutureExt, future::BoxFuture};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Duration, Instant, interval},
};
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};
use uuid::Uuid;

/// Where it may listen: below the ports of outgoing connections, else who asks whether it listens could be given that
/// very port, and find itself there.
const PORTS: Range<u16> = 30_100..30_900;
/// How long the server may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many enterprises go into one append while the store is filled.
const FILLED_AT_ONCE: u32 = 50;
/// What is there of each enterprise beforehand: its registration, four plans, four approvals.
const BEFOREHAND: usize = 9;
/// What ids of events are derived from.
const IDS: Uuid = Uuid::from_u128(0x7065_6572);

/// The server and what its clients know.
pub(crate) struct Peer {
    /// Ends with us.
    _server: Child,
    url: String,
    payload: Bytes,
    /// The position of the last event of each enterprise.
    last: Arc<Vec<AtomicU64>>,
    used: u32,
}

impl Peer {
    /// Starts the server, and fills it with what comes before so many check-ins at a quarter as many enterprises.
    pub(crate) async fn start(
        folder: &Path,
        visits: u32,
        payload: &Bytes,
    ) -> Result<Self, BenchError> {
        std::fs::create_dir_all(folder).map_err(measured)?;
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = PORTS.into_iter().find(is_free).ok_or_else(|| measured("no port is free"))?;
        let address = format!("127.0.0.1:{port}");
        let own = std::env::current_exe().map_err(measured)?;
        let mut server = Command::new(own);
        server
            .args([crate::UMADB, "--listen", address.as_str(), "--db-path"])
            .arg(folder.join("uma.db"));
        server.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let _server = server.spawn().map_err(measured)?;
        let enterprises = visits.div_ceil(4);
        let last = (0..enterprises).map(|_| AtomicU64::new(0)).collect();
        let url = format!("http://{address}");
        let (payload, last) = (payload.clone(), Arc::new(last));
        until_it_listens(&address).await?;
        let peer = Self { _server, url, payload, last, used: 0 };
        peer.fill(enterprises).await?;
        Ok(peer)
    }

    async fn connect(&self) -> Result<AsyncUmaDbClient, BenchError> {
        UmaDbClient::new(self.url.clone()).connect_async().await.map_err(measured)
    }

    async fn fill(&self, enterprises: u32) -> Result<(), BenchError> {
        let client = self.connect().await?;
        for first in (0..enterprises).step_by(usize::try_from(FILLED_AT_ONCE).map_err(measured)?) {
            let these = first..enterprises.min(first + FILLED_AT_ONCE);
            let mut events = vec![];
            for enterprise in these.clone() {
                for number in 0..BEFOREHAND {
                    let id = format!("before/{enterprise}/{number}");
                    events.push(event("Before", enterprise, &id, &self.payload));
                }
            }
            let end = client.append(events, None, None).await.map_err(measured)?;
            for (enterprise, behind) in these.rev().zip((0..).step_by(BEFOREHAND)) {
                self.of(enterprise)?.store(end - behind, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn of(&self, enterprise: u32) -> Result<&AtomicU64, BenchError> {
        of(&self.last, enterprise)
    }
}

async fn until_it_listens(address: &str) -> Result<(), BenchError> {
    let (until, mut looks) = (Instant::now() + STARTS_WITHIN, interval(LOOK_EVERY));
    while Instant::now() < until {
        looks.tick().await;
        if TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
    }
    Err(measured("the UmaDB server does not listen"))
}

fn of(last: &[AtomicU64], enterprise: u32) -> Result<&AtomicU64, BenchError> {
    let at = usize::try_from(enterprise).map_err(measured)?;
    last.get(at).ok_or_else(|| measured("there is no such enterprise"))
}

fn tag(enterprise: u32) -> String {
    format!("enterprise:L-B{enterprise:06}")
}

fn event(kind: &str, enterprise: u32, id: &str, payload: &Bytes) -> DcbEvent {
    DcbEvent {
        event_type: kind.to_owned(),
        tags: vec![tag(enterprise)],
        data: payload.to_vec(),
        uuid: Some(Uuid::new_v5(&IDS, id.as_bytes())),
        metadata: vec![],
    }
}

impl Side for Peer {
    fn name(&self) -> &'static str {
        "UmaDB: conditional append"
    }

    fn round(&mut self, clients: u32, count: u32) -> BoxFuture<'_, Result<Round, BenchError>> {
        async move {
            let mut appending = vec![];
            for _ in 0..clients {
                let (payload, last) = (self.payload.clone(), Arc::clone(&self.last));
                appending.push(Appending { client: self.connect().await?, payload, last });
            }
            let numbers = self.used..self.used + count;
            self.used = numbers.end;
            Ok(work::round(appending, numbers).await?.0)
        }
        .boxed()
    }
}

struct Appending {
    client: AsyncUmaDbClient,
    payload: Bytes,
    last: Arc<Vec<AtomicU64>>,
}

impl Worker for Appending {
    async fn act(&mut self, number: u32) -> Result<(), BenchError> {
        let enterprises = u32::try_from(self.last.len()).map_err(measured)?;
        let enterprise = number % enterprises;
        let known = of(&self.last, enterprise)?;
        let query = DcbQuery::new().item(DcbQueryItem::new().tags([tag(enterprise)]));
        let condition = DcbAppendCondition::new(query).after(Some(known.load(Ordering::Relaxed)));
        let id = format!("check-in/{number}");
        let events = vec![event("VisitCheckedIn", enterprise, &id, &self.payload)];
        let appended = self.client.append(events, Some(condition), None).await;
        known.store(appended.map_err(measured)?, Ordering::Relaxed);
        Ok(())
    }
}
