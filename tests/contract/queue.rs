//! How many appends may be under way at once, and what becomes of the others: they wait in line, in order, each
//! for an outcome of its own, and where the server falls silent they are refused with nothing stored.

use std::time::{Duration, Instant};

use doudi_journal::{AppendError, JetStreamSettings, Journal, Position, StreamName};
use doudi_tests::nats::{NatsServer, ToDisk};
use futures::future::join_all;
use tokio::time::timeout;

use super::{
    ACK_TIMEOUT, connect,
    follow::until,
    outage::{freeze, signal},
    settings_for, soon, start, stream,
};

/// How many appends may be under way at once, and how many are asked for.
const PLACES: usize = 4;
const APPENDS: usize = 40;

/// How long an answer is waited for where none is to be given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a server that stands still is looked at.
const A_MOMENT: Duration = Duration::from_millis(500);

/// What the machine may take on top of the time for one answer.
const SLACK: Duration = Duration::from_secs(3);

/// What became of an append.
type Answer = Result<Position, AppendError>;

/// A log with so many places, on a server of its own, whose answers are waited for so long.
async fn log_with(places: usize, ack_timeout: Duration) -> (NatsServer, Journal) {
    let server = start(ToDisk::Group).await;
    let settings = JetStreamSettings {
        durability: server.durability(),
        in_flight_max: places,
        ack_timeout,
        ..settings_for(&server)
    };
    let jetstream = connect(settings).await;
    jetstream.create_if_absent().await.unwrap();
    jetstream.gate(Position::START).await.unwrap();
    (server, Journal::JetStream(jetstream))
}

fn streams() -> Vec<StreamName> {
    (0..APPENDS).map(|number| stream(&number.to_string())).collect()
}

/// Appends the stream's name to it.
async fn append(log: &Journal, name: &StreamName, expected: Position) -> Answer {
    log.append(name, name.to_string().into(), expected).await
}

#[tokio::test]
async fn no_more_leave_than_there_are_places_and_a_silent_server_refuses_the_rest() {
    let (server, log) = log_with(PLACES, ACK_TIMEOUT).await;
    let names = streams();
    freeze(server.pid());
    let began = Instant::now();
    let appends = names.iter().map(|name| append(&log, name, Position::START));
    let answers = soon(join_all(appends)).await;
    let waited = began.elapsed();
    signal("-CONT", server.pid());
    // Those in line are not waited for in turn, each for as long as an answer may take.
    assert!(waited < ACK_TIMEOUT + SLACK, "{waited:?}");
    let (left, in_line) = answers.split_at(PLACES);
    let unknown = |answer: &Answer| matches!(answer, Err(AppendError::Unknown { .. }));
    assert!(left.iter().all(unknown), "{left:?}");
    let refused = |answer: &Answer| matches!(answer, Err(AppendError::Unavailable { .. }));
    assert!(in_line.iter().all(refused), "{in_line:?}");

    // The server had what left before it fell silent, and stores that and nothing else.
    let last = Position(u64::try_from(PLACES).unwrap());
    let landed = until(&mut log.follow(Position::START), Position::START, last).await;
    for (number, name) in names.iter().enumerate() {
        // Every place was given back, or these would wait for ever.
        let again = soon(append(&log, name, Position::START)).await;
        match (landed.get(number), again) {
            (Some(record), Err(AppendError::Conflict { actual })) => {
                assert_eq!((&record.stream, record.position), (name, actual));
            }
            (None, Ok(_)) => {}
            (there, other) => panic!("{name}: {there:?}, then {other:?}"),
        }
        let stored = log.load(name, Position::START, Position::START).await.unwrap();
        assert_eq!(stored.len(), 1, "{name}");
        assert_eq!(stored[0].payload, name.as_str());
    }
    let all = Position(u64::try_from(APPENDS).unwrap());
    assert_eq!(log.last_position().await.unwrap(), all);
}

#[tokio::test]
async fn those_in_line_go_in_order_and_each_has_an_outcome_of_its_own() {
    let (server, log) = log_with(PLACES, PATIENCE).await;
    let names = streams();
    // Every third is wrong about where its stream ends.
    let is_wrong = |number: usize| number % 3 == 2;
    let expected = |number| if is_wrong(number) { Position(1000) } else { Position::START };
    freeze(server.pid());
    let appends = names.iter().enumerate();
    let mut appends = join_all(appends.map(|(number, name)| append(&log, name, expected(number))));
    let early = timeout(A_MOMENT, &mut appends).await;
    assert!(early.is_err(), "the server stands still: {early:?}");
    signal("-CONT", server.pid());
    let answers = soon(appends).await;
    let mut last = Position::START;
    for (number, (name, answer)) in names.iter().zip(answers).enumerate() {
        let stored = log.load(name, Position::START, Position::START).await.unwrap();
        if is_wrong(number) {
            let conflict = matches!(answer, Err(AppendError::Conflict { actual: Position(0) }));
            assert!(conflict, "{name}: {answer:?}");
            assert_eq!(stored, []);
        } else {
            last = last.next();
            assert_eq!(answer.unwrap(), last, "{name}");
            assert_eq!((stored.len(), stored[0].position), (1, last));
            assert_eq!(stored[0].payload, name.as_str());
        }
    }
    assert_eq!(log.last_position().await.unwrap(), last);
}

#[tokio::test]
async fn who_gives_up_in_line_leaves_nothing_behind_and_holds_up_nobody() {
    let (server, log) = log_with(1, PATIENCE).await;
    let [first, second, third] = ["first", "second", "third"].map(stream);
    freeze(server.pid());
    let begin = |name: &StreamName| {
        let (log, name) = (log.clone(), name.clone());
        tokio::spawn(async move { append(&log, &name, Position::START).await })
    };
    let (mut under_way, gives_up, waits) = (begin(&first), begin(&second), begin(&third));
    let early = timeout(A_MOMENT, &mut under_way).await;
    assert!(early.is_err(), "the server stands still: {early:?}");
    gives_up.abort();
    assert!(gives_up.await.unwrap_err().is_cancelled());
    signal("-CONT", server.pid());
    assert_eq!(soon(under_way).await.unwrap().unwrap(), Position(1));
    assert_eq!(soon(waits).await.unwrap().unwrap(), Position(2));
    assert_eq!(log.load(&second, Position::START, Position::START).await.unwrap(), []);
}
