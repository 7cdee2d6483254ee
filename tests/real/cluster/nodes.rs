//! Three nats-servers that keep one log.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

use doudi_journal::{Credentials, Durability, JetStream, JetStreamSettings};
use doudi_server::{children::find_nats, config::Secret};
use doudi_tests::{Scratch, program, until, world::Ground as Servers};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    super::load::BOUND,
    net::{MACHINES, Net},
};

/// How long a server may take to tell of itself.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// What the log is called.
pub(super) const LOG: &str = "DOUDI";

/// What their clients show.
const TOKEN: &str = "three";

/// Where one server listens.
#[derive(Clone, Copy, Debug)]
struct Places {
    clients: SocketAddr,
    monitor: SocketAddr,
    routes: SocketAddr,
}

/// The cluster.
#[derive(Debug)]
pub(super) struct Nodes {
    places: Vec<Places>,
    running: Vec<Option<Child>>,
    pub(super) net: Net,
    folder: Scratch,
}

impl Nodes {
    pub(super) async fn start() -> Self {
        let (net, folder) = (Net::new(), Scratch::new("cluster").unwrap());
        let at = |machine, port| match net {
            Net::Apart { .. } => SocketAddr::from((net.address(machine), port)),
            Net::Loopback => program::free_address(),
        };
        let places = (0..MACHINES).map(|machine| Places {
            clients: at(machine, 4222),
            monitor: at(machine, 8222),
            routes: at(machine, 6222),
        });
        let places = places.collect();
        let running = (0..MACHINES).map(|_| None).collect();
        let mut nodes = Self { places, running, net, folder };
        for machine in 0..MACHINES {
            nodes.run(machine);
        }
        let together = until(BOUND, || async { nodes.meta_leader().await });
        together.await.expect("the servers find each other");
        nodes
    }

    /// Where clients find a server.
    pub(super) fn url(&self, machine: usize) -> String {
        format!("nats://{}", self.places[machine].clients)
    }

    /// Points a doudi at them.
    pub(super) fn point(&self, servers: &mut Servers) {
        let nats = &mut servers.config.nats;
        nats.urls = (0..MACHINES).map(|machine| self.url(machine)).collect();
        nats.monitor_urls = self.monitors();
        nats.token = Secret::new(TOKEN);
        nats.durability = Durability::Always;
        nats.replicas = MACHINES;
    }

    /// Connects to a log on all of them.
    pub(super) async fn connect(&self) -> JetStream {
        let settings = JetStreamSettings {
            urls: (0..MACHINES).map(|machine| self.url(machine)).collect(),
            monitor_urls: self.monitors(),
            credentials: Credentials::Token(TOKEN.to_owned()),
            durability: Durability::Always,
            replicas: MACHINES,
            ..JetStreamSettings::new(String::new())
        };
        JetStream::connect(settings).await.unwrap()
    }

    fn monitors(&self) -> Vec<String> {
        self.places.iter().map(|at| format!("http://{}", at.monitor)).collect()
    }

    /// Starts a server, again on what it has.
    pub(super) fn run(&mut self, machine: usize) {
        let folder = self.folder.path().join(machine.to_string());
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("nats.conf");
        fs::write(&file, self.config(machine, &folder)).unwrap();
        let program = find_nats().unwrap().path.display().to_string();
        let mut command = self.net.on(machine, &program);
        command
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.running[machine] = Some(command.spawn().unwrap());
    }

    fn config(&self, machine: usize, folder: &std::path::Path) -> String {
        let Places { clients, monitor, routes } = self.places[machine];
        let others: Vec<String> =
            self.places.iter().map(|other| format!("\"nats://{}\"", other.routes)).collect();
        format!(
            "server_name: n{machine}\n\
             listen: \"{clients}\"\n\
             http: \"{monitor}\"\n\
             max_payload: 1MB\n\
             log_file: \"{}\"\n\
             authorization {{ token: \"{TOKEN}\" }}\n\
             jetstream {{\n    store_dir: \"{}\"\n    max_file_store: 10GB\n    sync_interval: always\n}}\n\
             cluster {{\n    name: doudi\n    listen: \"{routes}\"\n    routes: [{}]\n}}\n",
            folder.join("nats.log").display(),
            self.store(machine).display(),
            others.join(", ")
        )
    }

    /// The folder that a server keeps its messages in.
    pub(super) fn store(&self, machine: usize) -> PathBuf {
        self.folder.path().join(machine.to_string()).join("store")
    }

    /// Lets every server end, with all that it has in its files.
    pub(super) async fn stop(&mut self) {
        for child in self.running.iter().flatten() {
            kill_process(Pid::from_child(child), Signal::TERM).unwrap();
        }
        let ended = until(BOUND, || {
            let mut running = self.running.iter_mut().flatten();
            let ended = running.all(|child| child.try_wait().unwrap().is_some());
            async move { ended.then_some(()) }
        });
        assert!(ended.await.is_some(), "a server does not end");
        self.running.fill_with(|| None);
    }

    pub(super) fn kill(&mut self, machine: usize) {
        let mut child = self.running[machine].take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(super) fn pid(&self, machine: usize) -> u32 {
        self.running[machine].as_ref().expect("it runs").id()
    }

    /// What a server tells of itself.
    async fn told(&self, machine: usize, page: &str) -> Option<Value> {
        let asking = async {
            let mut server = TcpStream::connect(self.places[machine].monitor).await.ok()?;
            // The older protocol ends with the connection, which is the end of the answer.
            server.write_all(format!("GET /{page} HTTP/1.0\r\n\r\n").as_bytes()).await.ok()?;
            let mut answer = String::new();
            server.read_to_string(&mut answer).await.ok()?;
            serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
        };
        timeout(TOLD_WITHIN, asking).await.ok()?
    }

    async fn meta_leader(&self) -> Option<String> {
        let mut leaders = Vec::new();
        for machine in 0..MACHINES {
            let told = self.told(machine, "jsz").await?;
            let cluster = &told["meta_cluster"];
            if cluster["cluster_size"] != MACHINES {
                return None;
            }
            leaders.push(cluster["leader"].as_str()?.to_owned());
        }
        leaders.dedup();
        match leaders.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// What a server says of a stream: who leads, and its state.
    async fn stream(&self, machine: usize, name: &str) -> Option<(String, Value)> {
        let told = self.told(machine, "jsz?streams=1&config=1").await?;
        let streams = told["account_details"][0]["stream_detail"].as_array()?;
        let stream = streams.iter().find(|stream| stream["name"] == name)?;
        Some((stream["cluster"]["leader"].as_str()?.to_owned(), stream["state"].clone()))
    }

    /// The server that leads the log, as the most of them say.
    pub(super) async fn leader(&self) -> usize {
        self.leader_of(LOG).await
    }

    /// The same of any stream.
    pub(super) async fn leader_of(&self, stream: &str) -> usize {
        let leader = until(BOUND, || async {
            let mut votes = [0; MACHINES];
            for machine in 0..MACHINES {
                let (leader, _) = self.stream(machine, stream).await?;
                let leader: usize = leader.strip_prefix('n')?.parse().ok()?;
                votes[leader] += 1;
            }
            (0..MACHINES).find(|leader| votes[*leader] * 2 > MACHINES)
        });
        leader.await.expect("somebody leads it")
    }

    /// Waits until every server has the same log to `last`.
    pub(super) async fn alike(&self, last: u64) {
        let alike = until(BOUND, || async {
            let mut states = Vec::new();
            for machine in 0..MACHINES {
                let (_, mut state) = self.stream(machine, LOG).await?;
                // Consumers are where they are.
                state.as_object_mut()?.remove("consumer_count");
                states.push(state);
            }
            states.dedup();
            (states.len() == 1 && states[0]["last_seq"] == last && states[0]["messages"] == last)
                .then_some(())
        });
        assert!(alike.await.is_some(), "the servers have not the same log");
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
