//! Clients that do harm, on purpose or not, beside one that is honest: it goes on working, and the memory of the real
//! program stays below a bound.
//!
//! The honest client comes from another address, as it does in life.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use doudi_api::{
    identity::Claims,
    permission::Role,
    proto::{Ground, ListTimelineRequest},
};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::{program, skipped, until, world::Ground as Servers};
use tokio::{process::Child, time::timeout};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    load::{ENTERPRISES, People},
    requests::plan,
};
use raw::Hostile;

mod bounds;
mod idle;
mod oversized;
mod places;
mod raw;
mod resets;
mod slow;
mod uploads;

/// How long an honest client may have to wait for all its answers of a round on a machine that is busy with tests.
const HONEST_WITHIN: Duration = Duration::from_secs(20);
/// How long anything else may take.
const BOUND: Duration = Duration::from_secs(60);
/// Where the honest client is.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// What the program may hold in memory whatever is done to it, in bytes.
const RESIDENT_MAX: u64 = 400 << 20;

/// The real program with an honest client.
struct Besieged {
    servers: Servers,
    listen: SocketAddr,
    doudi: Child,
    unit: Box<Client>,
    auditor: Box<Client>,
    channel: Channel,
}

impl Besieged {
    /// Starts the program with the defaults, but for these settings of the section `grpc`.
    async fn start(settings: &[(&str, &str)]) -> Self {
        Box::pin(Self::started(settings)).await
    }

    async fn started(settings: &[(&str, &str)]) -> Self {
        let (servers, listen) = (Box::pin(Servers::start()).await, program::free_address());
        let mut command = program::command();
        program::configure(&mut command, &servers.config, listen);
        for (key, value) in settings {
            command.env(format!("DOUDI_GRPC__{}", key.to_uppercase()), value);
        }
        let doudi = command.arg("all").spawn().unwrap();
        let reached = until(BOUND, || async { tokio::net::TcpStream::connect(listen).await.ok() });
        assert!(reached.await.is_some(), "doudi does not come up");
        Box::pin(People::new(&servers, listen, 1).prepare()).await;
        let channel = Box::pin(honest(listen)).await;
        let client =
            |claims: Claims| Box::new(Client::new(&channel, &servers.token(&claims)).unwrap());
        let unit = client(Claims {
            unit: Some("market-regulation".to_owned()),
            ..token::claims(Role::UnitHead)
        });
        let auditor = client(token::claims(Role::Auditor));
        Self { servers, listen, doudi, unit, auditor, channel }
    }

    /// A token of another account.
    fn token(&self, role: Role, sub: &str) -> String {
        self.servers.token(&Claims { sub: sub.to_owned(), ..token::claims(role) })
    }

    /// Does what an honest client does so many times: a command, a query on it, a look at the health, the last on
    /// a connection of its own.
    async fn goes_on(&mut self, times: usize) {
        for _ in 0..times {
            timeout(HONEST_WITHIN, Box::pin(self.works()))
                .await
                .expect("in time")
                .expect("answered");
        }
    }

    async fn works(&mut self) -> Result<(), Status> {
        let request = plan(ENTERPRISES[0].0, Ground::Complaint);
        let planned = self.unit.inspections.plan_visit(request).await?.into_inner();
        let page = ListTimelineRequest {
            enterprise_id: ENTERPRISES[0].0.to_owned(),
            page_size: 1,
            min_position: planned.receipt.unwrap_or_default().position,
            ..<_>::default()
        };
        let listed = self.auditor.timelines.list_timeline(page).await?.into_inner();
        assert_eq!(listed.entries.len(), 1);
        let mut health = HealthClient::new(honest(self.listen).await);
        let told = health.check(HealthCheckRequest::default()).await?.into_inner();
        assert_eq!(told.status(), ServingStatus::Serving);
        Ok(())
    }

    /// How many bytes the program has in memory, and that it is not too much.
    fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.doudi.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
        let bytes = kilobytes * 1024;
        println!("{} MB in memory", bytes >> 20);
        assert!(bytes < RESIDENT_MAX, "{} MB in memory", bytes >> 20);
        bytes
    }

    /// An HTTP/2 connection from where the hostile clients are, that grants so many bytes of each answer.
    async fn hostile(&self, window: u32) -> Hostile {
        Hostile::connect(self.listen, window).await.expect("a place")
    }

    /// Ends with nothing left behind.
    async fn end(mut self) {
        self.goes_on(3).await;
        self.resident();
        drop(self.channel);
        self.doudi.kill().await.unwrap();
    }
}

/// A connection from where the honest client is.
async fn honest(listen: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{listen}")).unwrap();
    let endpoint = endpoint.local_address(Some(ELSEWHERE));
    let connected = until(BOUND, || async { endpoint.connect().await.ok() });
    connected.await.expect("the honest client gets a place")
}
