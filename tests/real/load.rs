//! People who write whatever is killed or cut off meanwhile, what they were told, and what the log says.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use doudi_api::{identity::Claims, permission::Role, proto::RegisterEnterpriseRequest};
use doudi_server::{catalogue, client::Client, token};
use doudi_tests::{until, world::Ground as Servers};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::requests::{AREA, register};
pub(super) use recorded::{Recorded, Seen, Wish};
pub(super) use writers::{Writers, last};

mod recorded;
mod writers;

/// How long anything may take here.
pub(super) const BOUND: Duration = Duration::from_secs(60);
/// 甘井子区.
pub(super) const ELSEWHERE: &str = "210211";
pub(super) const TAX: &str = "tax";
/// The first enterprises, with their areas.
pub(super) const ENTERPRISES: [(&str, &str); 4] =
    [("L-1", AREA), ("L-2", ELSEWHERE), ("L-3", AREA), ("L-4", ELSEWHERE)];

/// The command ids that the server acknowledged, as the clients remember them.
pub(super) type Acked = Arc<Mutex<HashSet<String>>>;

/// Those who write.
#[derive(Clone)]
pub(super) struct People {
    admin: Client,
    dispatcher: Client,
    market: Client,
    tax: Client,
    enterprises: Vec<Enterprise>,
}

/// One who appeals and is visited.
#[derive(Clone)]
struct Enterprise {
    id: String,
    area: &'static str,
    own: Client,
}

impl People {
    /// With so many times the usual number of enterprises: who writes for long writes about more of them, as in life.
    pub(super) fn new(servers: &Servers, listen: SocketAddr, times: usize) -> Self {
        let client = |claims: Claims| client(servers, listen, &claims);
        let unit = |unit: &str| {
            client(Claims { unit: Some(unit.to_owned()), ..token::claims(Role::UnitHead) })
        };
        let enterprise = |at: usize| {
            let (id, area) = (format!("L-{}", at + 1), ENTERPRISES[at % ENTERPRISES.len()].1);
            let own = Some(id.clone());
            let own = client(Claims { enterprise: own, ..token::claims(Role::Enterprise) });
            Enterprise { id, area, own }
        };
        Self {
            admin: client(token::claims(Role::Admin)),
            dispatcher: client(token::claims(Role::Dispatcher)),
            market: unit("market-regulation"),
            tax: unit(TAX),
            enterprises: (0..ENTERPRISES.len() * times).map(enterprise).collect(),
        }
    }

    /// Publishes what there must be, and registers the enterprises.
    pub(super) async fn prepare(&self) {
        let admin = &self.admin;
        admin.publish(catalogue::work_calendar().unwrap()).await.unwrap();
        admin.publish(catalogue::Plan::published().unwrap().routing()).await.unwrap();
        admin.publish(catalogue::frequency_policy()).await.unwrap();
        for catalogue in catalogue::inspection_catalogues().unwrap() {
            admin.publish(catalogue).await.unwrap();
        }
        for Enterprise { id, area, .. } in &self.enterprises {
            let area = (*area).to_owned();
            let request = RegisterEnterpriseRequest { area, ..register(id) };
            admin.enterprises.clone().register_enterprise(request).await.unwrap();
        }
    }
}

/// A caller on a connection of its own, made again whenever it breaks.
pub(super) fn client(servers: &Servers, listen: SocketAddr, claims: &Claims) -> Client {
    Client::new(&channel(listen), &servers.token(claims)).unwrap()
}

fn channel(address: SocketAddr) -> Channel {
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

/// What was acknowledged is stored, and nothing twice. Gives how much was acknowledged.
pub(super) fn assert_kept(recorded: &Recorded, acked: &Acked) -> usize {
    let acked = acked.lock().unwrap().clone();
    let lost: Vec<_> = acked.iter().filter(|id| !recorded.commands.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged commands lost", lost.len(), acked.len());
    let doubled: Vec<_> = recorded.commands.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "stored twice: {doubled:?}");
    acked.len()
}
