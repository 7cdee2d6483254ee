//! One seed: engines that crash, a network that loses things, power that goes, clocks that disagree, people who try
//! again, and in the end a calm in which everything due gets done.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use doudi_domain::{
    AppealId, Decider, DiagnosisId, EnterpriseId, appeal::Appeal, device::Device,
    diagnosis::Diagnosis, policy::Policy, visits::Visits,
};
use doudi_engine::{
    Actor, Clock, Engine, EngineSettings, Envelope, ExecuteError, Folded, LoadError, StreamName,
    Vault, react::ReactSettings, streams,
};
use doudi_journal::{Journal, Memory, Position, Version};
use jiff::Timestamp;
use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use super::{
    agenda::Kept,
    city::{self, ENTERPRISES},
    field,
    network::{Beside, Chance, LATE_MAX, Network, pass},
    office,
    oracle::{self, Judged},
    people,
    views::Follower,
};

/// When the simulated time begins: a Monday morning.
const BEGIN: &str = "2025-03-03T09:00:00+08:00";
/// Engines that run side by side.
const ENGINES: usize = 2;
/// The most people, and the most things that each of them wants.
const PEOPLE: u32 = 4;
const WISHES: u32 = 9;
/// How often somebody tries the same command at the most.
const TRIES: u32 = 6;
/// How many of a hundred mishaps are power cuts.
const POWER_CUTS: u32 = 20;
/// For how many times 5 ms such a cut waits for something to take back.
const WAIT_FOR_STAKE: u32 = 600;
/// How many milliseconds a clock is ahead or behind at the most.
const SKEW_MAX: i64 = 2000;
/// Days after which a visit that nobody began expires.
pub(super) const GRACE_DAYS: u16 = 3;
/// How long the calm may take until nothing is due any more.
const DRAIN_WITHIN: Duration = Duration::from_secs(3600);

/// How many bytes of streams an engine keeps in memory: nothing, so that it forgets all that it will need again, or
/// more than a world fills. In between, which streams go depends on hashes, which differ from run to run.
const KEPT: [u64; 4] = [1, 1 << 28, 1 << 28, 1 << 28];

pub(super) fn settings(cache_bytes_max: u64) -> EngineSettings {
    EngineSettings { cache_bytes_max, attempts_max: 8, input_age_max: Duration::from_secs(1) }
}

/// The time of the world. Clones are the same time; everybody's clock differs a little from it.
#[derive(Clone, Debug)]
pub(super) struct Time(Arc<AtomicI64>);

impl Default for Time {
    fn default() -> Self {
        let begin: Timestamp = BEGIN.parse().unwrap();
        Self(Arc::new(AtomicI64::new(begin.as_millisecond())))
    }
}

impl Time {
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(SeqCst)).unwrap()
    }

    /// A clock that is so many milliseconds ahead.
    pub(super) fn clock(&self, ahead: i64) -> Clock {
        let time = self.clone();
        let ahead = jiff::SignedDuration::from_millis(ahead);
        Clock::new(move || time.now() + ahead)
    }

    /// Lets hours pass within seconds, jumps days ahead now and then, and back a little.
    async fn run(&self, chance: &Chance) {
        loop {
            pass(Duration::from_millis(500)).await;
            let minutes = match chance.number(0..20) {
                0 => i64::from(chance.number(0..3 * 24 * 60)),
                1 => -i64::from(chance.number(0..2)),
                _ => i64::from(chance.number(0..90)),
            };
            self.0.fetch_add(minutes * 60_000, SeqCst);
        }
    }
}

/// What somebody was told of a command.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) stream: StreamName,
    pub(super) id: Uuid,
    pub(super) answer: Answer,
}

#[derive(Debug)]
pub(super) enum Answer {
    /// It is stored there, as that version of its stream.
    Stored(Position, Version),
    /// It changed nothing, and never was in doubt.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// A program that can be killed.
struct Instance {
    engine: Engine,
    /// Turns true when it is killed: whatever it does ends where it stands.
    killed: watch::Sender<bool>,
    /// Closed then, which wakes those who wait for an answer in their order; a watch wakes in any order.
    answers: Arc<Semaphore>,
}

impl Instance {
    fn kill(&self) {
        self.killed.send_replace(true);
        self.answers.close();
    }
}

/// Everything there is under one seed.
#[derive(Clone)]
struct World {
    memory: Memory,
    chance: Chance,
    network: Network,
    time: Time,
    /// An engine that nothing befalls, with the right time.
    observer: Engine,
    agenda: Kept,
    vault: Vault,
    instances: Arc<Mutex<Vec<Instance>>>,
    told: Arc<Mutex<Vec<Told>>>,
    /// How many records power cuts have taken back.
    taken_back: Arc<AtomicUsize>,
    /// Answers that nobody should get.
    faults: Arc<Mutex<Vec<String>>>,
}

/// Lives through one seed and says what the log is in the end.
///
/// # Errors
/// What is not as it should be, in words.
pub(super) async fn live(seed: u64, beside: Beside) -> Result<Judged, String> {
    let chance = Chance::from_seed(seed);
    let trouble = chance.number(0..40);
    let network = Network::new(chance.clone(), beside, trouble);
    let memory = city::log().await;
    let (journal, time) = (Journal::Memory(memory.clone()), Time::default());
    let world = World {
        memory,
        chance,
        observer: Engine::new(journal.clone(), settings(64), time.clock(0)),
        agenda: Kept::new(&journal, &network, Follower::new(seed)),
        network,
        time,
        vault: Vault::memory(),
        instances: Arc::default(),
        told: Arc::default(),
        taken_back: Arc::default(),
        faults: Arc::default(),
    };
    let mut programs = JoinSet::new();
    for number in 0..ENGINES {
        world.start(number, &mut programs);
    }
    world.storm(&mut programs).await?;
    world.network.calm();
    // What is still under way arrives, or fails.
    pass(LATE_MAX).await;
    world.start_again_what_is_broken(&mut programs);
    world.drain().await?;
    world.end(&mut programs).await?;
    if let Some(fault) = world.faults.lock().unwrap().first() {
        return Err(fault.clone());
    }
    let told = std::mem::take(&mut *world.told.lock().unwrap());
    let taken_back = world.taken_back.load(SeqCst);
    let instances = std::mem::take(&mut *world.instances.lock().unwrap());
    let engines = instances.into_iter().map(|instance| instance.engine);
    let engines: Vec<Engine> = engines.chain([world.observer]).collect();
    oracle::judge(&engines, &world.agenda, &told, taken_back).await
}

/// Waits for all of them; a panic is told.
async fn all(tasks: &mut JoinSet<()>) -> Result<(), String> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())?;
    }
    Ok(())
}

impl World {
    /// Starts a program in the place of the one of that number.
    fn start(&self, number: usize, programs: &mut JoinSet<()>) {
        let ahead = i64::from(self.chance.number(0..4001)) - SKEW_MAX;
        let journal = Journal::Memory(self.memory.with_faults(Arc::new(self.network.clone())));
        let kept = self.chance.one_of(&KEPT).unwrap_or(KEPT[0]);
        let engine = Engine::new(journal, settings(kept), self.time.clock(ahead));
        let killed = watch::Sender::new(false);
        let (runner, agenda, vault) = (engine.clone(), self.agenda.clone(), self.vault.clone());
        let end = killed.subscribe();
        programs.spawn(async move {
            let settings = ReactSettings {
                visit_grace_days: GRACE_DAYS,
                poll_interval: Duration::from_secs(1),
                in_flight_max: 3,
            };
            runner.react(&agenda, &vault, &settings, end).await;
        });
        let mut instances = self.instances.lock().unwrap();
        let instance = Instance { engine, killed, answers: Arc::new(Semaphore::new(0)) };
        match instances.get_mut(number) {
            Some(before) => {
                before.kill();
                *before = instance;
            }
            None => instances.push(instance),
        }
    }

    /// Waits for something that the disk does not have yet, if there soon is something: the power goes when it hurts.
    async fn something_is_at_stake(&self) {
        for _ in 0..WAIT_FOR_STAKE {
            if self.memory.at_stake() > 0 {
                return;
            }
            pass(Duration::from_millis(5)).await;
        }
    }

    /// Stops all programs at one instant, with what the disk does not have, and starts them again.
    fn cut_power(&self, programs: &mut JoinSet<()>) {
        let kept = self.chance.below(self.memory.at_stake() + 1);
        self.taken_back.fetch_add(self.memory.cut_power(kept), SeqCst);
        for number in 0..ENGINES {
            self.start(number, programs);
        }
    }

    /// What an operator does whom health tells of a disk that failed.
    fn start_again_what_is_broken(&self, programs: &mut JoinSet<()>) {
        for number in 0..ENGINES {
            let is_broken = !self.instances.lock().unwrap()[number].engine.journal().connected();
            if is_broken {
                self.start(number, programs);
            }
        }
    }

    /// People want things while programs are killed and time passes.
    async fn storm(&self, programs: &mut JoinSet<()>) -> Result<(), String> {
        let mut people = JoinSet::new();
        for _ in 0..self.chance.number(1..PEOPLE + 1) {
            let world = self.clone();
            people.spawn(async move { world.want().await });
        }
        let kill = async {
            loop {
                pass(self.chance.pause(500..12_000)).await;
                if self.network.has_power_cuts() && self.chance.percent(POWER_CUTS) {
                    self.something_is_at_stake().await;
                    self.cut_power(programs);
                } else {
                    self.start(self.chance.below(ENGINES), programs);
                }
            }
        };
        tokio::select! {
            biased;
            done = all(&mut people) => done,
            () = kill => Ok(()),
            () = self.time.run(&self.chance) => Ok(()),
        }
    }

    /// Kills what still runs; none of it may have ended by itself before.
    async fn end(&self, programs: &mut JoinSet<()>) -> Result<(), String> {
        for instance in &*self.instances.lock().unwrap() {
            instance.kill();
        }
        all(programs).await
    }

    /// Waits until nothing is due any more, by the clock that is furthest behind: time stands still now.
    async fn drain(&self) -> Result<(), String> {
        // What was done last, by a clock that is ahead or before it was put back, is due by every clock then.
        self.time.0.fetch_add(60 * 60_000, SeqCst);
        let now = self.time.clock(-SKEW_MAX).now();
        let due = || async { self.agenda.due_now(now, GRACE_DAYS.into()).await };
        let drained = timeout(DRAIN_WITHIN, async {
            while !due().await.is_empty() {
                pass(Duration::from_secs(1)).await;
            }
        });
        match drained.await {
            Ok(()) => Ok(()),
            Err(_) => Err(format!("still due: {:?}", due().await)),
        }
    }

    /// One person's wishes.
    async fn want(&self) {
        // People come back to the same few cases.
        let appeals = [1_u128, 2, 3].map(|number| AppealId(Uuid::from_u128(number)));
        for _ in 0..self.chance.number(1..WISHES + 1) {
            pass(self.chance.pause(0..4000)).await;
            let enterprise = city::enterprise(ENTERPRISES[self.mostly_first(ENTERPRISES.len())]);
            if self.chance.percent(7) {
                self.publish().await;
            } else if self.chance.percent(10) {
                let stream = streams::device(field::DEVICE).unwrap();
                let seen = self.seen::<Device>(&stream).await;
                let command = field::wish(&self.chance, &seen.state);
                self.issue::<Device>(stream, &command, seen.version).await;
            } else if self.chance.percent(50) {
                let stream = streams::visits(&enterprise).unwrap();
                let seen = self.seen::<Visits>(&stream).await;
                let command = people::visits(&self.chance, &seen.state, self.time.now());
                self.issue::<Visits>(stream, &command, seen.version).await;
            } else {
                let appeal = appeals[self.mostly_first(appeals.len())];
                let stream = streams::appeal(&enterprise, appeal).unwrap();
                let seen = self.seen::<Appeal>(&stream).await;
                let called = seen.state.known().and_then(|case| case.diagnosis.as_ref());
                if let Some(called) = called.filter(|_| self.chance.percent(50)) {
                    self.confer(&enterprise, called.id).await;
                    continue;
                }
                let others = appeals.into_iter().filter(|other| *other != appeal);
                let other = self.chance.one_of(&others.collect::<Vec<_>>()).unwrap_or(appeal);
                let command = people::appeal(&self.chance, &seen.state, other);
                self.issue::<Appeal>(stream, &command, seen.version).await;
            }
        }
    }

    /// What the log has of a stream.
    async fn seen<D: Decider>(&self, stream: &StreamName) -> Arc<Folded<D>> {
        self.observer.read::<D>(stream, Position::START).await.unwrap()
    }

    /// A draft of another document, or the one that there is in force.
    async fn publish(&self) {
        let other = city::another(&self.chance);
        let stream = streams::policy(&other.name()).unwrap();
        let seen = self.seen::<Policy>(&stream).await;
        let command = office::document(&seen.state, other);
        self.issue::<Policy>(stream, &command, seen.version).await;
    }

    /// A word in a joint diagnosis, once it has begun.
    async fn confer(&self, enterprise: &EnterpriseId, id: DiagnosisId) {
        let stream = streams::diagnosis(enterprise, id).unwrap();
        let seen = self.seen::<Diagnosis>(&stream).await;
        if let Some(command) = office::diagnosis(&self.chance, &seen.state) {
            self.issue::<Diagnosis>(stream, &command, seen.version).await;
        }
    }

    /// One of so many, counted from 0: the first one of all so often that something comes of it.
    fn mostly_first(&self, count: usize) -> usize {
        if self.chance.percent(75) { 0 } else { self.chance.below(count) }
    }

    /// Tries a command until there is an answer, or patience ends.
    async fn issue<D>(&self, stream: StreamName, command: &D::Command, seen: Version)
    where
        D: Decider,
        D::Command: Serialize,
        D::Rejection: Send + Sync,
    {
        let id = self.chance.id();
        let mut answer = Answer::Nothing;
        // Some insist on what they saw.
        let expected_version = self.chance.percent(20).then_some(seen);
        for _ in 0..TRIES {
            let envelope =
                Envelope { expected_version, ..Envelope::new(id, Actor::of("somebody")) };
            let before = self.observer.read::<D>(&stream, Position::START).await.unwrap().position;
            let tried = self.on_some_instance(async |engine| {
                engine.execute::<D>(&stream, command, &envelope).await
            });
            match tried.await {
                Some(Ok(outcome)) if outcome.events.is_empty() => {
                    if outcome.position < before {
                        self.blame(format!("{id} was told \"already so\" of an old state"));
                    }
                    break;
                }
                Some(Ok(outcome)) => {
                    answer = Answer::Stored(outcome.position, outcome.version);
                    break;
                }
                Some(Err(ExecuteError::Rejected(_))) => break,
                Some(Err(ExecuteError::VersionDiffers { actual })) => {
                    if expected_version.is_none_or(|expected| actual <= expected) {
                        self.blame(format!("{id} was told version {actual:?} of an old state"));
                    }
                    break;
                }
                // Killed in the middle of it, or told so.
                None | Some(Err(ExecuteError::Unknown(_))) => answer = Answer::Unknown,
                Some(Err(
                    ExecuteError::Unavailable(_)
                    | ExecuteError::Contended { .. }
                    | ExecuteError::Crowded
                    | ExecuteError::Load(LoadError::Unavailable(_)),
                )) => {}
                Some(Err(error)) => self.blame(format!("{id} was told {error:?}")),
            }
            if self.chance.percent(15) {
                break;
            }
            pass(self.chance.pause(0..6000)).await;
        }
        self.told.lock().unwrap().push(Told { stream, id, answer });
    }

    fn blame(&self, fault: String) {
        self.faults.lock().unwrap().push(fault);
    }

    /// What a program answers; none where it was killed before it did.
    async fn on_some_instance<T>(&self, work: impl AsyncFnOnce(Engine) -> T) -> Option<T> {
        let (engine, answers) = {
            let instances = self.instances.lock().unwrap();
            let instance = &instances[self.chance.below(ENGINES)];
            (instance.engine.clone(), Arc::clone(&instance.answers))
        };
        tokio::select! {
            biased;
            // There is no permit; it ends when this is closed.
            _ = answers.acquire() => None,
            answer = work(engine) => Some(answer),
        }
    }
}
