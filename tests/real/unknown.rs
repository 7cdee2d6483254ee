//! Commands whose outcome gets lost on the way: stored once or not at all, and the truth in the end.
//!
//! A proxy between engine and nats-server loses what a network can lose. An answer may be open, but
//! a definite one must be true, and the same command again always finds it out.

mod proxy;

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use doudi_domain::{
    AreaCode, CheckDigit, EnterpriseId, Name, UnitId,
    enterprise::{Command, CreditGrade, Profile, Rejection},
};
use doudi_engine::{
    Clock, Engine, EngineSettings, Envelope, ExecuteError, LoadError, Outcome, streams,
};
use doudi_journal::{
    Actor, Commit, Credentials, Durability, JetStream, JetStreamSettings, Journal, Position,
    StreamName, Version,
};
use doudi_tests::{
    nats::{NatsOptions, NatsServer, Sync},
    until,
};
use futures::future::join_all;
use jiff::{ToSpan as _, civil::date};
use proxy::Proxy;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use uuid::Uuid;

/// How long anything may take that is supposed to happen.
const BOUND: Duration = Duration::from_secs(30);

/// How long engines wait for an answer: long where the test decides what happens, short where it is
/// the waiting that must end.
const PATIENT: Duration = Duration::from_secs(10);
const HASTY: Duration = Duration::from_secs(1);

/// The command that is stored before the trouble begins.
const WARM_UP: u64 = 100;

type Answer = Result<Outcome<Profile>, ExecuteError<Rejection>>;

/// A log with one registered enterprise, a proxy to it, and an engine on either side.
struct Ground {
    server: NatsServer,
    proxy: Proxy,
    /// Behind the proxy.
    engine: Engine,
    /// Straight at the server.
    direct: Engine,
}

impl Ground {
    async fn prepare(sync: Sync, patience: Duration) -> Ground {
        let options = NatsOptions { sync, ..NatsOptions::default() };
        let server = NatsServer::start(options).await.unwrap();
        let direct = connect(&server, server.url(), PATIENT).await;
        let register = Command::Register {
            name: Name::parse("旅顺造船").unwrap(),
            area: AreaCode::parse("210212").unwrap(),
            check_digit: CheckDigit::Correct,
        };
        send(&direct, &envelope(0), &register).await.unwrap();
        let proxy = Proxy::start(&server.url()).await;
        let engine = connect(&server, proxy.url(), patience).await;
        // When the trouble begins the engine has folded all that it needs for a decision.
        run(&engine, WARM_UP).await.unwrap();
        Ground { server, proxy, engine, direct }
    }

    /// Begins command `n` behind the proxy, so that the test can go on meanwhile.
    fn begin(&self, n: u64) -> tokio::task::JoinHandle<Answer> {
        let engine = self.engine.clone();
        tokio::spawn(async move { run(&engine, n).await })
    }

    /// Waits until command `n` is in the log, and gives its place.
    async fn landed(&self, n: u64) -> (Version, Position) {
        let found = || async { stored(&self.direct).await.get(&envelope(n).command_id).copied() };
        until(BOUND, found).await.expect("the command lands")
    }

    /// After all the trouble: command `n` answers with `place`, it is there once, its id serves no
    /// other command, and the engine remembers what the log says.
    async fn settled(&self, n: u64, place: (Version, Position)) {
        for engine in [&self.engine, &self.direct] {
            let outcome = insist(engine, n).await;
            assert_eq!((outcome.version, outcome.position), place);
            assert_eq!(outcome.events.len(), 1);
            let other = send(engine, &envelope(n), &assess(n + 10_000)).await;
            assert!(matches!(other, Err(ExecuteError::IdReused)), "{other:?}");
        }
        assert_eq!(stored(&self.direct).await[&envelope(n).command_id], place);
        let behind = self.engine.read::<Profile>(&stream(), place.1).await.unwrap();
        let direct = self.direct.read::<Profile>(&stream(), place.1).await.unwrap();
        assert_eq!((&behind.state, behind.version), (&direct.state, direct.version));
    }
}

async fn connect(server: &NatsServer, url: String, patience: Duration) -> Engine {
    let jetstream = JetStream::connect(JetStreamSettings {
        credentials: Credentials::Token(server.token().to_owned()),
        durability: Durability::Fast,
        ack_timeout: patience,
        ..JetStreamSettings::new(url)
    });
    let jetstream = jetstream.await.unwrap();
    jetstream.create_if_absent().await.unwrap();
    let settings = EngineSettings {
        cache_entries_max: 100,
        attempts_max: 8,
        input_age_max: Duration::from_secs(3600),
    };
    let clock = Clock::new(|| "2025-04-25T01:00:00Z".parse().unwrap());
    Engine::new(Journal::JetStream(jetstream), settings, clock)
}

fn stream() -> StreamName {
    streams::profile(&EnterpriseId::parse("91512081MA62K0260E").unwrap()).unwrap()
}

fn envelope(n: u64) -> Envelope {
    let actor =
        Actor { principal: "officer-1".into(), unit: None, device: None, on_behalf_of: None };
    Envelope::new(Uuid::from_u128(u128::from(n) + 1), actor)
}

/// A command that no other makes superfluous: each is about a day of its own.
fn assess(n: u64) -> Command {
    Command::AssessCreditGrade {
        grade: CreditGrade::A,
        issuer: UnitId::parse("market").unwrap(),
        assessed_on: date(1, 1, 1).saturating_add(i64::try_from(n).unwrap().days()),
        valid_until: None,
    }
}

async fn send(engine: &Engine, envelope: &Envelope, command: &Command) -> Answer {
    timeout(BOUND, engine.execute::<Profile>(&stream(), command, envelope)).await.unwrap()
}

async fn run(engine: &Engine, n: u64) -> Answer {
    send(engine, &envelope(n), &assess(n)).await
}

/// Whether the caller is to send the same command again.
fn is_open(error: &ExecuteError<Rejection>) -> bool {
    matches!(
        error,
        ExecuteError::Unknown(_)
            | ExecuteError::Unavailable(_)
            | ExecuteError::Contended { .. }
            | ExecuteError::Load(LoadError::Unavailable(_))
    )
}

/// Sends the same command until there is a definite answer, which must be success.
async fn insist(engine: &Engine, n: u64) -> Outcome<Profile> {
    let definite = || async {
        match run(engine, n).await {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                assert!(is_open(&error), "{error:?}");
                None
            }
        }
    };
    until(BOUND, definite).await.expect("a definite answer")
}

/// Every command of the stream and its place; fails if one is there twice or the stream is not whole.
async fn stored(engine: &Engine) -> HashMap<Uuid, (Version, Position)> {
    let records = engine.journal().load(&stream(), Position::START, Position::START).await.unwrap();
    let (mut places, mut version, mut last) = (HashMap::new(), Version::NONE, None);
    for record in records {
        let commit: Commit = record.commit().unwrap();
        version = version.next();
        assert_eq!((commit.version, commit.previous), (version, last));
        last = Some(record.hash());
        let doubled = places.insert(commit.command_id, (version, record.position));
        assert_eq!(doubled, None, "{} is there twice", commit.command_id);
    }
    places
}

#[tokio::test]
async fn a_swallowed_acknowledgement_is_found_by_the_same_command() {
    let ground = Ground::prepare(Sync::Lazy, HASTY).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    ground.proxy.cut();
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

#[tokio::test]
async fn a_lost_acknowledgement_is_found_by_the_command_itself() {
    let ground = Ground::prepare(Sync::Lazy, PATIENT).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.proxy.cut();
    let outcome = begun.await.unwrap().unwrap();
    assert_eq!((outcome.version, outcome.position), place);
    ground.settled(1, place).await;
    assert_eq!(ground.proxy.tunnels(), 2);
}

#[tokio::test]
async fn an_append_that_comes_late_does_not_land_behind_another() {
    let ground = Ground::prepare(Sync::Lazy, HASTY).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    ground.proxy.holds(1).await;
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    let other = insist(&ground.direct, 2).await;
    assert_eq!(other.version, Version(3));
    ground.proxy.release_all();
    let outcome = insist(&ground.engine, 1).await;
    assert_eq!(outcome.version, Version(4));
    ground.settled(1, (outcome.version, outcome.position)).await;
    ground.settled(2, (other.version, other.position)).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

/// The same command is twice on its way, on a lost connection and on the new one; `first` is the
/// number of the connection whose append arrives first.
async fn two_appends_of_one_command(first: u64) {
    let ground = Ground::prepare(Sync::Lazy, PATIENT).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    assert_eq!(ground.proxy.holds(1).await, 1);
    ground.proxy.cut();
    assert_eq!(ground.proxy.holds(2).await, 2);
    ground.proxy.release(first);
    let place = ground.landed(1).await;
    ground.proxy.release_all();
    let outcome = begun.await.unwrap().unwrap();
    assert_eq!((outcome.version, outcome.position), place);
    ground.settled(1, place).await;
    // The late one is refused by the time that something later is stored.
    insist(&ground.engine, 2).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

#[tokio::test]
async fn the_append_of_a_lost_connection_may_land_first() {
    two_appends_of_one_command(1).await;
}

#[tokio::test]
async fn the_append_of_a_lost_connection_may_land_last() {
    two_appends_of_one_command(2).await;
}

#[tokio::test]
async fn a_conflict_with_ourselves_that_cannot_be_read_up_is_unknown() {
    let ground = Ground::prepare(Sync::Lazy, HASTY * 3).await;
    ground.proxy.trap();
    let begun = ground.begin(1);
    ground.proxy.holds(1).await;
    ground.proxy.cut();
    ground.proxy.holds(2).await;
    ground.proxy.release(1);
    let place = ground.landed(1).await;
    // The second append hears that the stream has moved on: by the first one, but who knows?
    ground.proxy.let_a_conflict_be_last();
    ground.proxy.release(2);
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    ground.proxy.release_all();
    ground.proxy.shut(false);
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

#[tokio::test]
async fn an_outcome_survives_a_restart_of_the_server() {
    let mut ground = Ground::prepare(Sync::Always, HASTY).await;
    ground.proxy.swallow();
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.server.kill9().await.unwrap();
    ground.server.restart().await.unwrap();
    match begun.await.unwrap() {
        Ok(outcome) => assert_eq!((outcome.version, outcome.position), place),
        Err(error) => assert!(matches!(error, ExecuteError::Unknown(_)), "{error:?}"),
    }
    insist(&ground.direct, 2).await;
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 4);
}

#[tokio::test]
async fn while_the_log_cannot_be_read_no_answer_is_definite() {
    let ground = Ground::prepare(Sync::Lazy, HASTY).await;
    ground.proxy.swallow();
    ground.proxy.shut(true);
    let begun = ground.begin(1);
    let place = ground.landed(1).await;
    ground.proxy.cut();
    let answer = begun.await.unwrap();
    assert!(matches!(answer, Err(ExecuteError::Unknown(_))), "{answer:?}");
    for _ in 0..3 {
        let error = run(&ground.engine, 1).await.unwrap_err();
        assert!(is_open(&error), "{error:?}");
    }
    ground.proxy.shut(false);
    ground.settled(1, place).await;
    assert_eq!(stored(&ground.direct).await.len(), 3);
}

/// Without a power cut this takes a hand in the server's folder; the engine must not go on building
/// on what is no more.
#[tokio::test]
async fn an_engine_lets_go_of_what_the_log_has_lost() {
    let mut ground = Ground::prepare(Sync::Lazy, PATIENT).await;
    ground.server.kill9().await.unwrap();
    std::fs::remove_dir_all(ground.server.store_dir()).unwrap();
    ground.server.restart().await.unwrap();
    connect(&ground.server, ground.server.url(), PATIENT).await;
    let definite = || async { run(&ground.engine, 1).await.err().filter(|error| !is_open(error)) };
    let error = until(BOUND, definite).await.expect("a definite answer");
    assert!(matches!(error, ExecuteError::Rejected(Rejection::NotRegistered)), "{error:?}");
}

/// Drops the command when it has been polled so many times, if it is not done before: at once, or
/// when what it waits for has come.
async fn dropped_after(polls: usize, woken: bool, engine: &Engine, n: u64) -> Option<Answer> {
    let running = run(engine, n);
    let mut running = pin!(running);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match running.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 && !woken => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_command_can_be_dropped_at_any_point_and_is_never_stored_twice() {
    let ground = Ground::prepare(Sync::Lazy, PATIENT).await;
    let (mut n, mut dropped, mut landed) = (0, 0, 0);
    for (cold, woken) in [(false, false), (false, true), (true, false), (true, true)] {
        for polls in 1.. {
            n += 1;
            let url = ground.server.url();
            let engine = match cold {
                true => connect(&ground.server, url, PATIENT).await,
                false => ground.engine.clone(),
            };
            let answer = dropped_after(polls, woken, &engine, n).await;
            // Others on the same stream get on, be the dropped one's record on its way or not.
            insist(&engine, n + 1000).await;
            let known = stored(&ground.direct).await;
            landed += usize::from(answer.is_none() && known.contains_key(&envelope(n).command_id));
            let outcome = insist(&engine, n).await;
            ground.settled(n, (outcome.version, outcome.position)).await;
            match answer {
                Some(answer) => {
                    assert_eq!(answer.unwrap().position, outcome.position);
                    break;
                }
                None => dropped += 1,
            }
        }
    }
    assert_eq!(stored(&ground.direct).await.len(), 2 + 2 * usize::try_from(n).unwrap());
    println!("{dropped} commands dropped, {landed} of them had been stored all the same");
    assert!(dropped >= 4);
}

/// What the writers of the storm have been told.
#[derive(Default)]
struct Told {
    acknowledged: Mutex<HashMap<Uuid, (Version, Position)>>,
    open: AtomicU64,
}

async fn write(engine: Engine, numbers: Arc<AtomicU64>, told: Arc<Told>, end: Instant) {
    while Instant::now() < end {
        let n = numbers.fetch_add(1, SeqCst);
        let definite = || async {
            match run(&engine, n).await {
                Ok(outcome) => Some(outcome),
                Err(error) => {
                    assert!(is_open(&error), "{error:?}");
                    told.open.fetch_add(1, SeqCst);
                    None
                }
            }
        };
        let outcome = until(BOUND, definite).await.expect("a definite answer");
        assert_eq!(outcome.events.len(), 1);
        let place = (outcome.version, outcome.position);
        told.acknowledged.lock().unwrap().insert(envelope(n).command_id, place);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_of_cuts_each_acknowledged_command_is_stored_once() {
    const WRITERS: usize = 16;
    let ground = Ground::prepare(Sync::Lazy, HASTY).await;
    let second = Proxy::start(&ground.server.url()).await;
    let engines = [ground.engine.clone(), connect(&ground.server, second.url(), HASTY).await];
    let (numbers, told) = (Arc::new(AtomicU64::new(WARM_UP + 1)), Arc::<Told>::default());
    let end = Instant::now() + Duration::from_secs(4);
    let writers = (0..WRITERS).map(|writer| {
        let engine = engines[writer % engines.len()].clone();
        tokio::spawn(write(engine, numbers.clone(), told.clone(), end))
    });
    let writers: Vec<_> = writers.collect();
    let mut rhythm = tokio::time::interval(Duration::from_millis(25));
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut cuts = 0_usize;
    while Instant::now() < end {
        rhythm.tick().await;
        let proxy = [&ground.proxy, &second][cuts % 2];
        // Every other time the answers are lost some time before the connection.
        if cuts % 4 < 2 {
            proxy.cut()
        } else {
            proxy.swallow()
        }
        cuts += 1;
    }
    ground.proxy.cut();
    second.cut();
    for ended in timeout(BOUND * 2, join_all(writers)).await.unwrap() {
        ended.unwrap();
    }

    let (stored, told) = (stored(&ground.direct).await, Arc::into_inner(told).unwrap());
    let acknowledged = told.acknowledged.into_inner().unwrap();
    for (id, place) in &acknowledged {
        assert_eq!(stored.get(id), Some(place), "{id}");
    }
    // Nothing else is there but what was stored before the storm.
    assert_eq!(stored.len(), acknowledged.len() + 2);
    let last = stored.values().map(|(_, position)| *position).max().unwrap();
    let fresh = connect(&ground.server, ground.server.url(), PATIENT).await;
    let truth = fresh.read::<Profile>(&stream(), last).await.unwrap();
    for engine in engines {
        let remembered = engine.read::<Profile>(&stream(), last).await.unwrap();
        assert_eq!(remembered.state, truth.state);
    }
    println!(
        "{} acknowledged, {} stored, {} open answers, {cuts} cuts, {} connections",
        acknowledged.len(),
        stored.len(),
        told.open.into_inner(),
        ground.proxy.tunnels() + second.tunnels(),
    );
    assert!(acknowledged.len() > WRITERS, "the storm lets hardly anything through");
}
