//! Whoever follows the log over gRPC sees each record exactly once, and the tables equal their replay, while
//! `serve`, `project` and rebuilds are killed at random points of load, building and switch.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use doudi_api::{permission::Role, proto::TimelineKind};
use doudi_server::{parts::Parts, token};
use doudi_tests::{program, until, world::Ground as Servers};
use doudi_views::ViewName;
use tokio::{process::Child, sync::watch, time::timeout};

use super::{
    agenda::sound,
    load::{
        Acked, BOUND, ELSEWHERE, ENTERPRISES, People, Recorded, TAX, Wish, Writers, assert_kept,
        client, last, listening, progress,
    },
    operator::well,
    requests::AREA,
    views::killed::{Chance, done, unlocked},
};

mod consumers;
mod slow;

/// So many acknowledgements before the first rebuild.
const BEFORE: usize = 100;
/// Between two kills there are up to so many.
const APART: u64 = 40;
/// `serve` and `project` are each killed at least so often.
const KILLS_MIN: usize = 3;
/// So often a rebuild is begun until it is killed before it is done.
const TRIES: usize = 8;

/// What is built again in each round; none for a view that is drawn.
const ROUNDS: [Option<&str>; 3] = [Some("timeline"), Some("all"), None];

/// What the consumers follow.
fn wishes() -> [Wish; 7] {
    let feed = Wish { by_feed: true, ..Wish::default() };
    let watch = Wish::default();
    let (visits, appeals) = (Some(TimelineKind::Visit), Some(TimelineKind::Appeal));
    [
        Wish { name: "the feed", ..feed.clone() },
        Wish { name: "the feed of an area", area: Some(ELSEWHERE), ..feed.clone() },
        Wish { name: "the feed of visits", kind: visits, ..feed },
        Wish { name: "the city", ..watch.clone() },
        Wish { name: "an enterprise", enterprise: Some(ENTERPRISES[0].0), ..watch.clone() },
        Wish { name: "a unit", unit: Some(TAX), ..watch.clone() },
        Wish { name: "appeals of an area", area: Some(AREA), kind: appeals, ..watch },
    ]
}

/// The two processes that are killed again and again while all else goes on.
struct Processes {
    listen: SocketAddr,
    serve: Child,
    project: Child,
    kills: usize,
}

impl Processes {
    fn start(servers: &Servers, listen: SocketAddr) -> Self {
        let role = |role| program::role(&servers.config, listen, role);
        Self { listen, serve: role("serve"), project: role("project"), kills: 0 }
    }

    /// Kills one after the other at random points of the load, until told to stop.
    async fn killed_in_turn(
        mut self,
        servers: Arc<Servers>,
        acked: Acked,
        mut chance: Chance,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let mut apart = || usize::try_from(chance.up_to(APART)).unwrap();
        while !stop.load(Ordering::Relaxed) || self.kills < KILLS_MIN {
            progress(&acked, apart()).await;
            self.serve.kill().await.unwrap();
            self.serve = program::role(&servers.config, self.listen, "serve");
            progress(&acked, apart()).await;
            self.project.kill().await.unwrap();
            // The log runs ahead of the tables meanwhile.
            progress(&acked, apart()).await;
            self.project = program::role(&servers.config, self.listen, "project");
            self.kills += 1;
        }
        self
    }
}

/// Begins to build views again, as a process that is killed at a random point of it; false when it was done
/// before.
async fn broken_off(servers: &Servers, parts: &Parts, target: &str, chance: &mut Chance) -> bool {
    let views = &parts.views;
    let end = parts.journal.last_position().await.unwrap();
    let before = views.checkpoints().await.unwrap();
    let mut command = program::command();
    program::configure(&mut command, &servers.config, program::free_address());
    let mut child = command.args(["rebuild", target]).spawn().unwrap();
    // First each view is built, then each is switched: killed in the midst of one of these steps.
    let count = if target == "all" { ViewName::ALL.len() as u64 } else { 1 };
    let step = chance.up_to(2 * count) - 1;
    let kill_at = if step < count { step * end.0 } else { count * end.0 + step - count };
    let due = async || {
        let begun = !views.rebuilds().await.unwrap().is_empty();
        let done = done(views, &before, end).await;
        ((begun && done >= kill_at) || done > kill_at).then_some(())
    };
    assert!(until(BOUND, due).await.is_some(), "the rebuild does not get on");
    child.kill().await.unwrap();
    unlocked(servers).await;
    let (after, whole) = (done(views, &before, end).await, count * (end.0 + 1));
    println!("rebuild {target}: killed at {after} of {whole}, in step {step} of {}", 2 * count);
    after < whole
}

/// Builds views again: killed on the way, then to the end.
async fn rebuild(servers: &Servers, parts: &Parts, target: &str, chance: &mut Chance) {
    for _ in 0..TRIES {
        if broken_off(servers, parts, target, chance).await {
            well(&servers.config, &["rebuild", target]).await;
            assert_eq!(parts.views.rebuilds().await.unwrap(), []);
            return;
        }
    }
    panic!("the rebuild of {target} was never killed before it was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_during_load_rebuild_and_switch_leave_every_consumer_with_each_record_once() {
    let servers = Arc::new(Servers::start().await);
    let mut chance = Chance::seeded();
    let listen = program::free_address();
    let processes = Processes::start(&servers, listen);
    listening(listen).await;
    let people = People::new(&servers, listen, 1);
    people.prepare().await;
    let parts = Parts::assemble(&servers.config).await.unwrap();

    let (end, ended) = watch::channel(String::new());
    let consumers = wishes().map(|wish| {
        let client = client(&servers, listen, &token::claims(Role::Supervisor));
        (wish.clone(), tokio::spawn(wish.follow(client, chance.split(), ended.clone())))
    });
    let load = Writers::start(&people, &mut chance);
    progress(&load.acked, BEFORE).await;
    let stop = Arc::new(AtomicBool::new(false));
    let killing =
        processes.killed_in_turn(servers.clone(), load.acked.clone(), chance.split(), stop.clone());
    let killing = tokio::spawn(killing);
    for (round, target) in ROUNDS.into_iter().enumerate() {
        if round > 0 {
            // What the round before left; the last one is looked at in the end.
            sound(&parts).await;
        }
        let drawn = usize::try_from(chance.up_to(ViewName::ALL.len() as u64)).unwrap() - 1;
        let target = target.unwrap_or(ViewName::ALL[drawn].as_str());
        rebuild(&servers, &parts, target, &mut chance).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut processes = killing.await.unwrap();
    let acked = load.stop().await;

    end.send_replace(last(&people, &acked).await);
    let recorded = Recorded::read(&parts.journal).await;
    assert!(recorded.has_several_at_once(), "nobody could leave in the midst of a commit");
    sound(&parts).await;
    for (wish, consumer) in consumers {
        let followed = timeout(BOUND, consumer).await.expect("it reaches the end").unwrap();
        followed.assert_is(&wish, &recorded.due(&wish));
    }
    let kept = assert_kept(&recorded, &acked);
    println!("{} kills each, {kept} acknowledged", processes.kills);
    processes.serve.kill().await.unwrap();
    processes.project.kill().await.unwrap();
}
