//! Timers and the sweep: what is due fires once, oldest first and in time, and no case stays silent.

use std::time::Duration;

use doudi_api::policy_document;
use doudi_domain::{
    UnitId,
    appeal::{Appeal, Case, Command},
    clock::{Clock as Deadline, ClockKind},
    policy::{self, Document, Policy},
};
use doudi_engine::{Actor, Clock, Engine, Envelope, Position, StreamName, streams};
use doudi_server::{
    agenda::StoredAgenda,
    bench::{self, steps},
    catalogue::{self, Plan},
    client::command_id,
    parts::{self, Parts},
    stop::Stop,
};
use doudi_tests::{until, world::Ground};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use uuid::Uuid;

mod killed;
mod oldest;
mod punctual;
mod sweep;

/// How long anything here may take.
const BOUND: Duration = Duration::from_secs(180);
/// The unit that the tests send to by hand.
const UNIT: &str = "power-supply";

/// Real servers that are projected, and an engine by whose clock people act and deadlines pass.
struct City {
    servers: Ground,
    parts: Parts,
    engine: Engine,
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
}

impl City {
    /// Everything but a runner, with the catalogue in force.
    async fn start(clock: Clock) -> Self {
        let servers = Ground::start().await;
        let parts = Parts::assemble(&servers.config).await.unwrap();
        let settings = parts::engine_settings(&servers.config.engine);
        let engine = Engine::new(parts.journal.clone(), settings, clock);
        let stop = Stop::new();
        let projecting = {
            let (parts, until) = (parts.clone(), stop.receiver());
            tokio::spawn(async move { parts.views.project(&parts.journal, until).await })
        };
        let city = Self { servers, parts, engine, stop, tasks: vec![projecting] };
        for document in [catalogue::work_calendar(), catalogue::case_types()] {
            city.publish(policy_document(&document.unwrap()).unwrap(), 1).await;
        }
        city.publish(routing(), 1).await;
        city
    }

    /// A runner on the city's time.
    fn react(&mut self, in_flight_max: usize) {
        let mut settings = parts::react_settings(&self.servers.config.react);
        settings.in_flight_max = in_flight_max;
        let (engine, parts) = (self.engine.clone(), self.parts.clone());
        let until = self.stop.receiver();
        self.tasks.push(tokio::spawn(async move {
            let agenda = StoredAgenda(parts.views.clone());
            engine.react(&agenda, &parts.vault, &settings, until).await;
        }));
    }

    async fn publish(&self, document: Document, version: u32) {
        let stream = streams::policy(&document.name()).unwrap();
        for command in [policy::Command::Draft(document), policy::Command::Publish { version }] {
            self.engine.execute::<Policy>(&stream, &command, &somebody()).await.unwrap();
        }
    }

    /// A case that nobody has touched yet.
    async fn submitted(&self, number: u32) -> StreamName {
        bench::submit(&self.engine, number).await.unwrap();
        bench::appeal_of(number).unwrap().0
    }

    /// A case that the unit has signed for and spoken about.
    async fn handled(&self, number: u32) -> StreamName {
        let stream = self.submitted(number).await;
        let unit = || UnitId::parse(UNIT).unwrap();
        for command in [
            Command::Accept,
            Command::Dispatch { to: Some(unit()) },
            Command::SignFor { unit: unit() },
            Command::RecordContact { unit: unit() },
        ] {
            self.issue(&stream, command).await;
        }
        stream
    }

    async fn issue(&self, stream: &StreamName, command: Command) {
        self.engine.execute::<Appeal>(stream, &command, &somebody()).await.unwrap();
    }

    async fn case(&self, stream: &StreamName) -> Case {
        let found = self.engine.read::<Appeal>(stream, Position::START).await.unwrap();
        found.state.known().unwrap().clone()
    }

    async fn clock(&self, stream: &StreamName, kind: ClockKind) -> Deadline {
        self.case(stream).await.clock(kind).unwrap().clone()
    }

    /// Waits until nothing is due; answers with the end of the log and when something will be.
    async fn settled(&self) -> (Position, Timestamp) {
        let settled = steps::settled(&self.parts, &self.engine);
        tokio::time::timeout(BOUND, settled).await.expect("nothing is due any more").unwrap()
    }

    /// Waits until the log ends there.
    async fn reached(&self, position: Position) {
        let journal = &self.parts.journal;
        let reached = until(BOUND, || async {
            (journal.last_position().await.ok()? >= position).then_some(())
        });
        reached.await.unwrap_or_else(|| panic!("the log does not reach {position}"));
    }

    async fn stop(self) {
        self.stop.now();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// The published routing table.
fn routing() -> Document {
    policy_document(&Plan::published().unwrap().routing()).unwrap()
}

/// An envelope of somebody's command.
fn somebody() -> Envelope {
    let actor =
        Actor { principal: "test".to_owned(), unit: None, device: None, on_behalf_of: None };
    Envelope::new(Uuid::parse_str(&command_id()).unwrap(), actor)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
