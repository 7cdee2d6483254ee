//! A log that is damaged: `doudi verify` names which positions are missing, and which commits continue
//! nothing.

use async_nats::jetstream::stream::{Config, DiscardPolicy, Stream};
use doudi_journal::{Durability, JetStream, JetStreamSettings, Journal, StreamName};
use doudi_server::parts;
use doudi_tests::world::Ground;
use doudi_views::ViewName;

use super::{log::*, open};
use crate::real::operator::refused;

/// A log from which records can be removed, as no log of ours lets them be.
async fn weak(servers: &Ground) -> (Stream, Journal) {
    let token = servers.nats.token();
    let options = async_nats::ConnectOptions::with_token(token.to_owned());
    let client = options.connect(servers.nats.url()).await.unwrap();
    let config = Config {
        name: servers.config.nats.stream.clone(),
        subjects: vec!["ev.*.*".to_owned(), "ev.*.*.*".to_owned()],
        discard: DiscardPolicy::New,
        allow_direct: true,
        ..Config::default()
    };
    let stream = async_nats::jetstream::new(client).create_stream(config).await.unwrap();
    // No gate lets such a log pass, so nothing is promised of it either.
    let settings = parts::jetstream_settings(&servers.config.nats);
    let settings = JetStreamSettings { durability: Durability::Fast, ..settings };
    (stream, Journal::JetStream(JetStream::connect(settings).await.unwrap()))
}

/// The last commit of a stream once more, changed.
pub(in crate::real) async fn forged(
    journal: &Journal,
    stream: &StreamName,
    version: u64,
) -> Vec<u8> {
    let start = doudi_journal::Position::START;
    let records = journal.load(stream, start, start).await.unwrap();
    let mut commit: serde_json::Value =
        serde_json::from_slice(&records.last().unwrap().payload).unwrap();
    commit["version"] = version.into();
    serde_json::to_vec(&commit).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_names_the_exact_positions_of_what_is_missing_and_what_is_forged() {
    let servers = Ground::start().await;
    let (stream, journal) = weak(&servers).await;
    let mut log = Log::on(journal);
    log.history(1, "tax").await;
    log.history(2, "tax").await;
    let [first, second, third] = ["ev.L-1.visits", "ev.L-2.visits", "ev.L-3.profile"]
        .map(|name| StreamName::parse(name).unwrap());
    let skipped = forged(&log.journal, &first, 9).await;
    let skipped = log.put(&first, skipped).await;
    let twice = forged(&log.journal, &second, 5).await;
    let twice = log.put(&second, twice).await;
    let nothing = log.put(&third, b"not a commit".to_vec()).await;
    let end = log.append("ev.L-4.profile", &[registered(AREA)]).await;
    assert_eq!([skipped, twice, nothing, end].map(|at| at.0), [17, 18, 19, 20]);

    let views = open(&servers.postgres).await;
    for view in ViewName::ALL {
        views.catch_up(&log.journal, view, &mut |_, _| {}).await.unwrap();
    }
    for removed in [7, 14, 15, 20] {
        stream.delete_message(removed).await.unwrap();
    }
    let text = refused(&servers.config, &["verify"]).await;
    let [one, two] = [appeal(1), appeal(2)];
    let expected = [
        "gate: [RECORDS_MISSING]".to_owned(),
        "log: 16 records in 7 streams, 8 broken".to_owned(),
        "log from 7 to 7: the records are missing".to_owned(),
        "log from 14 to 15: the records are missing".to_owned(),
        "log from 20 to 20: the records are missing".to_owned(),
        format!(
            "ev.L-1.appeal.{one} between 6 and 8: does not continue its stream: version 3 instead of 2"
        ),
        format!("ev.L-2.appeal.{two} at 16: does not continue its stream: version 3 instead of 1"),
        "ev.L-1.visits between 5 and 17: does not continue its stream: version 9 instead of 5"
            .to_owned(),
        "ev.L-2.visits between 13 and 18: does not continue its stream: it continues sha256:"
            .to_owned(),
        "ev.L-3.profile at 19: does not continue its stream: decoding a commit from JSON"
            .to_owned(),
        "views: not compared".to_owned(),
    ];
    for words in &expected {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}
