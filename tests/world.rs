//! A whole doudi for one test: real servers, all roles in this process, clients with tokens.

#![expect(clippy::expect_used, reason = "a test ends where its servers cannot be had")]

use std::{net::SocketAddr, path::Path};

use doudi_api::{identity::Claims, permission::Role, proto::PolicyDocument};
use doudi_server::{
    catalogue,
    client::Client,
    clock::Ahead,
    config::{Config, Purpose},
    dev::{self, keys::DevKey},
    parts::Parts,
    roles::{self, Roles, RunError},
    stop::Stop,
    token,
};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::{
    Scratch,
    nats::{NatsOptions, NatsServer},
    pg::PgServer,
};

/// The key id that test tokens carry: not the development key's.
pub const KEY_ID: &str = "test";

/// Servers, keys and a configuration that points at them.
#[derive(Debug)]
pub struct Ground {
    /// The log's server.
    pub nats: NatsServer,
    /// The tables' server.
    pub postgres: PgServer,
    /// Signs tokens.
    pub key: DevKey,
    /// Where keys and files of the test are.
    pub folder: Scratch,
    /// Points at all of them; listens on a free port.
    pub config: Config,
}

impl Ground {
    /// Starts the servers.
    pub async fn start() -> Self {
        Self::start_with(NatsOptions::default()).await
    }

    /// The same with another nats-server.
    pub async fn start_with(options: NatsOptions) -> Self {
        Self::start_in(options, None).await
    }

    /// The same with the tables in a folder that is there.
    pub async fn start_in(options: NatsOptions, tables: Option<&Path>) -> Self {
        let folder = Scratch::new("world").expect("a temporary folder");
        let key = DevKey::read_or_make(folder.path(), KEY_ID).expect("keys");
        let (nats, postgres) = tokio::join!(NatsServer::start(options), PgServer::start_in(tables));
        let (nats, postgres) = (nats.expect("nats-server"), postgres.expect("PostgreSQL"));
        let mut config = Config::load(Purpose::Dev, None, &[]).expect("the defaults are sound");
        dev::point(&mut config, &nats, &postgres, &key);
        config.grpc.listen = ([127, 0, 0, 1], 0).into();
        Self { nats, postgres, key, folder, config }
    }

    /// A token for the claims.
    #[must_use]
    pub fn token(&self, claims: &Claims) -> String {
        token::sign(&self.key, claims).expect("a token")
    }

    /// Runs all roles in this process.
    pub async fn run(&self) -> Running {
        Box::pin(self.run_at(&Ahead::default())).await
    }

    /// The same by a clock that may be put forward.
    pub async fn run_at(&self, clock: &Ahead) -> Running {
        let parts =
            Parts::assemble_at(&self.config, clock.clock()).await.expect("the gate lets us serve");
        let stop = Stop::new();
        let server = roles::bind(&self.config).expect("a free port");
        let address = server.address();
        let (config, ended) = (self.config.clone(), stop.clone());
        let running =
            tokio::spawn(roles::run(parts.clone(), config, Roles::ALL, Some(server), ended));
        let channel = connect(address).await;
        Running { parts, address, channel, stop, running }
    }
}

/// A channel to a server that listens.
pub async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect().await.expect("the server listens")
}

/// All roles at work.
#[derive(Debug)]
pub struct Running {
    /// Log, engine, views, vault.
    pub parts: Parts,
    /// Where the API listens.
    pub address: SocketAddr,
    /// A channel to it.
    pub channel: Channel,
    stop: Stop,
    running: JoinHandle<Result<(), RunError>>,
}

impl Running {
    /// Drains and stops.
    pub async fn stop(self) {
        drop(self.channel);
        self.stop.now();
        self.running.await.expect("no panic").expect("a clean end");
    }
}

/// A whole doudi with the published catalogue in force.
#[derive(Debug)]
pub struct World {
    /// The servers.
    pub ground: Ground,
    /// The roles.
    pub running: Running,
}

impl World {
    /// Starts everything and publishes calendar, routing, limits and inspection catalogues.
    pub async fn start() -> Self {
        Self::start_on(Ground::start().await).await
    }

    /// The same on servers that are there.
    pub async fn start_on(ground: Ground) -> Self {
        Box::pin(Self::start_at(ground, &Ahead::default())).await
    }

    /// The same by a clock that may be put forward.
    pub async fn start_at(ground: Ground, clock: &Ahead) -> Self {
        let running = Box::pin(ground.run_at(clock)).await;
        let world = Self { ground, running };
        world.publish(catalogue::work_calendar().expect("data")).await;
        let plan = catalogue::Plan::published().expect("data");
        world.publish(plan.routing()).await;
        world.publish(catalogue::frequency_policy()).await;
        for catalogue in catalogue::inspection_catalogues().expect("data") {
            world.publish(catalogue).await;
        }
        world
    }

    /// Starts everything with nothing published.
    pub async fn bare() -> Self {
        let ground = Ground::start().await;
        let running = Box::pin(ground.run()).await;
        Self { ground, running }
    }

    /// Drafts and publishes a document; answers with its version.
    pub async fn publish(&self, document: PolicyDocument) -> u32 {
        self.role(Role::Admin).publish(document).await.expect("a published document")
    }

    /// A client with the sample claims of a role.
    #[must_use]
    pub fn role(&self, role: Role) -> Client {
        self.client(&token::claims(role))
    }

    /// The head of a unit.
    #[must_use]
    pub fn unit(&self, unit: &str) -> Client {
        self.client(&Claims { unit: Some(unit.to_owned()), ..token::claims(Role::UnitHead) })
    }

    /// An enterprise.
    #[must_use]
    pub fn enterprise(&self, id: &str) -> Client {
        self.client(&Claims { enterprise: Some(id.to_owned()), ..token::claims(Role::Enterprise) })
    }

    /// A client with these claims.
    #[must_use]
    pub fn client(&self, claims: &Claims) -> Client {
        Client::new(&self.running.channel, &self.ground.token(claims)).expect("an ASCII token")
    }

    /// Drains and stops everything.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
