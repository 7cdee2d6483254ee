//! The sweep: what fell silent, or is owed by a unit that is gone, is found and given to the floor.

use std::process::Output;

use doudi_domain::{
    clock::Owner,
    routing::{RouteRule, UnitStatus},
};
use doudi_journal::{Commit, Hash, StoredEvent, Version};
use doudi_server::{clock, config::Config, simulate::text};
use doudi_tests::program;
use doudi_views::ViewName;
use serde_json::{Value, json, value::RawValue};

use super::*;

/// The desk of the area that every case here plays in.
const DESK: &str = "desk-210212";

/// Events of the first version, as it wrote them where no calendar was published: without a due date.
fn first_version(file: &str) -> (String, Value) {
    let golden = match file {
        "AppealSubmitted" => {
            include_str!("../../../crates/domain/golden/appeal/AppealSubmitted.v1.json")
        }
        "AppealAccepted" => {
            include_str!("../../../crates/domain/golden/appeal/AppealAccepted.v1.json")
        }
        _ => include_str!("../../../crates/domain/golden/appeal/AppealDispatched.v1.json"),
    };
    let mut event: Value = serde_json::from_str(golden).unwrap();
    event["due"] = json!(null);
    (file.to_owned(), event)
}

/// A case that the first version left behind, one commit for each event.
async fn left_behind(parts: &Parts, number: u32, events: &[&str]) -> StreamName {
    let (stream, appeal) = bench::appeal_of(number).unwrap();
    let (mut previous, mut position) = (None, Position::START);
    for (number, event) in (1..).zip(events) {
        let (name, data) = first_version(event);
        let data = RawValue::from_string(data.to_string()).unwrap();
        let command = Uuid::parse_str(&command_id()).unwrap();
        let commit = Commit {
            stream: stream.clone(),
            version: Version(number),
            previous: previous.take(),
            command_id: command,
            command_digest: Hash::sha256(event.as_bytes()),
            actor: somebody().actor,
            occurred_at: instant("2025-04-25T10:00:00+08:00"),
            recorded_at: instant("2025-04-25T10:00:00+08:00"),
            causation: None,
            correlation: appeal.0,
            traceparent: None,
            events: vec![StoredEvent { name, version: 1, data }],
        };
        let payload = commit.encode().unwrap();
        previous = Some(Hash::sha256(&payload));
        position = parts.journal.append(&stream, payload, position).await.unwrap();
    }
    stream
}

/// The operator's command; whether it says that all is well, and its words.
async fn sweep(config: &Config, arguments: &[&str]) -> (bool, String) {
    let mut command = program::command();
    program::configure(&mut command, config, program::free_address());
    let Output { status, stdout, stderr } =
        command.arg("sweep").args(arguments).output().await.unwrap();
    let words = String::from_utf8(stdout).unwrap();
    println!("{words}{}", String::from_utf8_lossy(&stderr));
    (status.success(), words.trim().to_owned())
}

/// Waits until the tables reflect the log.
async fn projected(parts: &Parts) {
    let end = parts.journal.last_position().await.unwrap();
    for view in ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
}

/// The routing table without two of its units.
fn without(units: [&str; 2]) -> Document {
    let Document::Routing(mut table) = routing() else { panic!("a routing table") };
    for unit in table.units.iter_mut().filter(|unit| units.contains(&unit.id.as_str())) {
        unit.status = UnitStatus::Abolished;
    }
    Document::Routing(table)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_reports_what_is_with_nobody_and_gives_it_to_the_floor() {
    let city = City::start(clock::system()).await;
    let sound = city.submitted(1).await;
    let orphaned = city.handled(2).await;
    let [unit, of] = [UNIT, "gas"].map(|unit| UnitId::parse(unit).unwrap());
    city.issue(&orphaned, Command::RequestCoHandling { unit, of, ask: text("your part") }).await;
    let waits = left_behind(&city.parts, 3, &["AppealSubmitted"]).await;
    let lies =
        left_behind(&city.parts, 4, &["AppealSubmitted", "AppealAccepted", "AppealDispatched"])
            .await;
    for silent in [&waits, &lies] {
        assert!(city.case(silent).await.is_silent());
    }
    city.publish(without([UNIT, "gas"]), 2).await;
    projected(&city.parts).await;

    let config = &city.servers.config;
    let found = "4 appeals looked at: 2 silent, 1 with somebody who cannot be reached; ";
    for _ in 0..2 {
        let (well, words) = sweep(config, &[]).await;
        assert_eq!((well, words), (false, format!("{found}0 repaired, 0 refused")));
    }
    let untouched = city.case(&orphaned).await;
    assert_eq!(untouched.phase.route().unwrap().unit.as_str(), UNIT, "a report changes nothing");
    let (well, words) = sweep(config, &["--repair"]).await;
    assert_eq!((well, words), (true, format!("{found}3 repaired, 0 refused")));
    // Also while the tables may not know of it yet.
    for _ in 0..2 {
        let (well, words) = sweep(config, &[]).await;
        let nothing = "4 appeals looked at: 0 silent, 0 with somebody who cannot be reached; 0 repaired, 0 refused";
        assert_eq!((well, words.as_str()), (true, nothing));
        projected(&city.parts).await;
    }

    let desk = || Owner::Unit(UnitId::parse(DESK).unwrap());
    for mended in [&waits, &lies, &orphaned] {
        let case = city.case(mended).await;
        assert!(!case.is_silent());
        assert!(case.clocks.values().all(|clock| clock.owner == desk()), "{:#?}", case.clocks);
        let rule = case.phase.route().map(|route| &route.rule);
        assert!(rule.is_none_or(|rule| *rule == RouteRule::Repair), "{rule:?}");
    }
    assert_eq!(city.case(&sound).await.clock(ClockKind::Accept).unwrap().owner, desk());
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_sweeps_by_itself() {
    let mut servers = Ground::start().await;
    servers.config.react.sweep_interval = Duration::from_secs(1);
    let running = servers.run().await;
    // Nothing is published, so the city desk is the floor.
    let stream = left_behind(&running.parts, 1, &["AppealSubmitted"]).await;
    let engine = &running.parts.engine;
    let mended = until(BOUND, || async {
        let found = engine.read::<Appeal>(&stream, Position::START).await.ok()?;
        let case = found.state.known()?;
        (!case.is_silent()).then(|| case.clock(ClockKind::Accept).unwrap().owner.clone())
    });
    assert_eq!(mended.await, Some(Owner::CityDesk));
    running.stop().await;
}
