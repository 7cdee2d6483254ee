//! A log behind a proxy, and the commands that are tried on it: each assesses one enterprise's credit
//! on a day of its own.

use std::{collections::HashMap, time::Duration};

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
    nats::{NatsOptions, NatsServer, ToDisk},
    until,
};
use jiff::{ToSpan as _, civil::date};
use tokio::time::timeout;
use uuid::Uuid;

use super::proxy::Proxy;

/// How long anything may take that is supposed to happen.
pub(super) const BOUND: Duration = Duration::from_secs(30);

/// How long engines wait for an answer: long where the test decides what happens, short where it is
/// the waiting that must end.
pub(super) const PATIENT: Duration = Duration::from_secs(10);
pub(super) const HASTY: Duration = Duration::from_secs(1);

/// The command that is stored before the trouble begins.
pub(super) const WARM_UP: u64 = 100;

pub(super) type Answer = Result<Outcome<Profile>, ExecuteError<Rejection>>;

/// A log with one registered enterprise, a proxy to it, and an engine on either side.
pub(super) struct Ground {
    pub(super) server: NatsServer,
    pub(super) proxy: Proxy,
    /// Behind the proxy.
    pub(super) engine: Engine,
    /// Straight at the server.
    pub(super) direct: Engine,
}

impl Ground {
    pub(super) async fn prepare(sync: ToDisk, patience: Duration) -> Ground {
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
    pub(super) fn begin(&self, n: u64) -> tokio::task::JoinHandle<Answer> {
        let engine = self.engine.clone();
        tokio::spawn(async move { run(&engine, n).await })
    }

    /// Waits until command `n` is in the log, and gives its place.
    pub(super) async fn landed(&self, n: u64) -> (Version, Position) {
        let found = || async { stored(&self.direct).await.get(&envelope(n).command_id).copied() };
        until(BOUND, found).await.expect("the command lands")
    }

    /// After all the trouble: command `n` answers with `place`, it is there once, its id serves no
    /// other command, and the engine remembers what the log says.
    pub(super) async fn settled(&self, n: u64, place: (Version, Position)) {
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

pub(super) async fn connect(server: &NatsServer, url: String, patience: Duration) -> Engine {
    let jetstream = JetStream::connect(JetStreamSettings {
        credentials: Credentials::Token(server.token().to_owned()),
        durability: Durability::Fast,
        ack_timeout: patience,
        ..JetStreamSettings::new(url)
    });
    let jetstream = jetstream.await.unwrap();
    jetstream.create_if_absent().await.unwrap();
    jetstream.gate(Position::START).await.unwrap();
    let settings = EngineSettings {
        cache_bytes_max: 1 << 18,
        attempts_max: 8,
        input_age_max: Duration::from_secs(3600),
    };
    let clock = Clock::new(|| "2025-04-25T01:00:00Z".parse().unwrap());
    Engine::new(Journal::JetStream(jetstream), settings, clock)
}

pub(super) fn stream() -> StreamName {
    streams::profile(&EnterpriseId::parse("91512081MA62K0260E").unwrap()).unwrap()
}

pub(super) fn envelope(n: u64) -> Envelope {
    let actor =
        Actor { principal: "officer-1".into(), unit: None, device: None, on_behalf_of: None };
    Envelope::new(Uuid::from_u128(u128::from(n) + 1), actor)
}

/// A command that no other makes superfluous: each is about a day of its own.
pub(super) fn assess(n: u64) -> Command {
    Command::AssessCreditGrade {
        grade: CreditGrade::A,
        issuer: UnitId::parse("market").unwrap(),
        assessed_on: date(1, 1, 1).saturating_add(i64::try_from(n).unwrap().days()),
        valid_until: None,
    }
}

pub(super) async fn send(engine: &Engine, envelope: &Envelope, command: &Command) -> Answer {
    timeout(BOUND, engine.execute::<Profile>(&stream(), command, envelope)).await.unwrap()
}

pub(super) async fn run(engine: &Engine, n: u64) -> Answer {
    send(engine, &envelope(n), &assess(n)).await
}

/// Whether the caller is to send the same command again.
pub(super) fn is_open(error: &ExecuteError<Rejection>) -> bool {
    matches!(
        error,
        ExecuteError::Unknown(_)
            | ExecuteError::Unavailable(_)
            | ExecuteError::Contended { .. }
            | ExecuteError::Crowded
            | ExecuteError::Load(LoadError::Unavailable(_))
    )
}

/// Sends the same command until there is a definite answer, which must be success.
pub(super) async fn insist(engine: &Engine, n: u64) -> Outcome<Profile> {
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
pub(super) async fn stored(engine: &Engine) -> HashMap<Uuid, (Version, Position)> {
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
