//! What is due is done by itself: by a running program, by two at once, and across kill -9 in the
//! midst of it. Nothing is doubled, nothing is lost.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use doudi_api::permission::Role;
use doudi_api::proto::ErasePersonalDataRequest;
use doudi_domain::{
    CertificateNumber, EnterpriseId, ItemId, UnitId, VisitId, appeal, calendar::civil_date, codec,
    frequency::Ground, visits,
};
use doudi_engine::{Actor, Clock, Engine, EngineSettings, Envelope, streams};
use doudi_journal::{Position, StreamName};
use doudi_server::{
    catalogue,
    client::{Client, command_id},
    erasures,
    parts::Parts,
    token, verify,
};
use doudi_tests::{
    program, until,
    world::{Ground as Servers, Running},
};
use doudi_views::ViewName;
use futures::stream::{self, StreamExt};
use jiff::{Timestamp, ToSpan};
use tokio::process::Child;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::requests::{now, register, submit};

const BOUND: Duration = Duration::from_secs(120);

/// An engine on the same log whose day is some days ago, since nobody can plan for the past.
pub(super) fn past(parts: &Parts, days: i32) -> Engine {
    let settings = EngineSettings {
        cache_bytes_max: 1 << 24,
        attempts_max: 8,
        input_age_max: Duration::from_secs(60),
    };
    let then: Timestamp = now().checked_sub((24 * days).hours()).unwrap();
    Engine::new(parts.journal.clone(), settings, Clock::new(move || then))
}

fn visit(n: u128) -> VisitId {
    VisitId(Uuid::from_u128(n))
}

/// Plans visit `n` for the day that it is for `engine`.
async fn plan(engine: &Engine, enterprise: &str, n: u128) {
    let enterprise = EnterpriseId::parse(enterprise).unwrap();
    let plan = visits::Plan {
        visit: visit(n),
        unit: UnitId::parse("tax").unwrap(),
        shares: [].into(),
        campaign: None,
        recheck_of: None,
        officers: ["LNB-0201", "LNB-0202"].map(|n| CertificateNumber::parse(n).unwrap()).into(),
        items: [ItemId::parse("SC-0202").unwrap()].into(),
        ground: Ground::Complaint,
        evidence: Some(doudi_domain::Reference::parse("12345-0001").unwrap()),
        justification: None,
        on_site_reason: None,
        on: civil_date(engine.now()),
    };
    let actor =
        Actor { principal: "test".to_owned(), unit: None, device: None, on_behalf_of: None };
    let envelope = Envelope::new(Uuid::from_u128(n), actor);
    let stream = streams::visits(&enterprise).unwrap();
    let command = visits::Command::Plan(plan);
    engine.execute::<visits::Visits>(&stream, &command, &envelope).await.unwrap();
}

/// Registers enterprises and puts limits in force.
async fn prepare(servers: &Servers, running: &Running, enterprises: impl Iterator<Item = String>) {
    let admin = Client::new(&running.channel, &servers.token(&token::claims(Role::Admin))).unwrap();
    admin.publish(catalogue::frequency_policy()).await.unwrap();
    for catalogue in catalogue::inspection_catalogues().unwrap() {
        admin.publish(catalogue).await.unwrap();
    }
    stream::iter(enterprises)
        .for_each_concurrent(16, |enterprise| {
            let mut enterprises = admin.enterprises.clone();
            async move {
                enterprises.register_enterprise(register(&enterprise)).await.unwrap();
            }
        })
        .await;
}

/// Every expiry in the log, by visit, and every command id, with how often it stands there.
async fn expiries(parts: &Parts) -> (HashMap<VisitId, usize>, HashMap<Uuid, usize>) {
    let (mut visits, mut commands) = (HashMap::new(), HashMap::new());
    let mut position = Position::default();
    loop {
        let page = parts.journal.read(position, 1000).await.unwrap();
        let Some(last) = page.last() else { return (visits, commands) };
        position = last.position;
        for record in &page {
            let commit = record.commit().unwrap();
            *commands.entry(commit.command_id).or_default() += 1;
            for event in commit.events.iter().filter(|event| event.name == "VisitExpired") {
                let event = codec::decode(&event.name, event.version, &event.data).unwrap();
                let visits::Event::VisitExpired { visit } = event else { panic!("{event:?}") };
                *visits.entry(visit).or_default() += 1;
            }
        }
    }
}

/// One number from the tables.
async fn count(servers: &Servers, statement: &str) -> i64 {
    let url = servers.config.postgres.url.expose();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let row = client.query_one(statement, &[]).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    row.get(0)
}

async fn run(servers: &Servers, statements: &str) {
    let url = servers.config.postgres.url.expose();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(statements).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// How many entries are on the agenda that the log makes; before it is that far, none may stand
/// on it that soon will.
async fn left(servers: &Servers, parts: &Parts) -> i64 {
    let end = parts.journal.last_position().await.unwrap();
    parts.views.wait(ViewName::Agenda, end, BOUND).await.unwrap();
    // Steps of clocks aside: an open appeal always has one ahead.
    count(servers, "SELECT count(*) FROM agenda_v1.duty WHERE kind <> 'appeal_clock'").await
}

/// Waits until nothing is left to be done.
async fn all_done(servers: &Servers, parts: &Parts) {
    let done = until(BOUND, || async { (left(servers, parts).await == 0).then_some(()) });
    assert!(done.await.is_some(), "{} entries are left", left(servers, parts).await);
}

/// The tables say what the log says.
pub(super) async fn sound(parts: &Parts) {
    let end = parts.journal.last_position().await.unwrap();
    for view in ViewName::ALL {
        parts.views.wait(view, end, BOUND).await.unwrap();
    }
    let report = verify::verify(parts).await.unwrap();
    assert!(report.sound, "{:#?}", report.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_nobody_began_expires_and_an_ordered_erasure_is_recorded_as_done() {
    let servers = Servers::start().await;
    let running = servers.run().await;
    prepare(&servers, &running, std::iter::once("L-1".to_owned())).await;
    plan(&past(&running.parts, 5), "L-1", 1).await;
    // Its day has passed, its grace has not.
    plan(&past(&running.parts, 1), "L-1", 2).await;
    let client = |claims| Client::new(&running.channel, &servers.token(&claims)).unwrap();
    let enterprise = Some("L-1".to_owned());
    let claims = doudi_api::identity::Claims { enterprise, ..token::claims(Role::Enterprise) };
    let submitted = client(claims).appeals.submit_appeal(submit("L-1", "T06", "张三")).await;
    let appeal_id = submitted.unwrap().into_inner().appeal_id;
    let erase = ErasePersonalDataRequest {
        command_id: command_id(),
        enterprise_id: "L-1".to_owned(),
        appeal_id: appeal_id.clone(),
        expected_version: None,
    };
    run(&servers, "CREATE TABLE copy_of_keys AS SELECT * FROM vault.subject_key").await;
    client(token::claims(Role::Admin)).appeals.erase_personal_data(erase).await.unwrap();

    let left = || left(&servers, &running.parts);
    let only_the_second = until(BOUND, || async { (left().await == 1).then_some(()) });
    assert!(only_the_second.await.is_some(), "{} entries are left", left().await);
    let (expired, _) = expiries(&running.parts).await;
    assert_eq!(expired, HashMap::from([(visit(1), 1)]));
    let stream = StreamName::parse(&format!("ev.L-1.appeal.{appeal_id}")).unwrap();
    let found = running.parts.engine.read::<appeal::Appeal>(&stream, Position::START).await;
    assert_eq!(found.unwrap().state.known().unwrap().erased, appeal::Erasure::Done);
    // The vault comes back from an old copy: the log says what must not be in it.
    let keys = "SELECT count(*) FROM vault.subject_key WHERE wrapped IS NOT NULL";
    assert_eq!(count(&servers, keys).await, 0);
    let back = "DELETE FROM vault.subject_key; \
         INSERT INTO vault.subject_key SELECT * FROM copy_of_keys; DROP TABLE copy_of_keys";
    run(&servers, back).await;
    assert_eq!(count(&servers, keys).await, 1);
    let Parts { journal, vault, .. } = &running.parts;
    let found = erasures::destroy_keys(journal, vault).await.unwrap();
    assert_eq!((found.destroyed, found.unreadable), (1, vec![]));
    assert_eq!(count(&servers, keys).await, 0);
    sound(&running.parts).await;
    running.stop().await;
}

/// A process that has one role.
pub(super) fn role(servers: &Servers, role: &str) -> Child {
    program::role(&servers.config, program::free_address(), role)
}

const ENTERPRISES: u128 = 50;
const VISITS: u128 = 2000;

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_and_kill_9_in_the_midst_of_2000_that_are_due_double_and_lose_none() {
    let servers = Servers::start().await;
    let running = servers.run().await;
    let enterprise = |n: u128| format!("L-{}", n % ENTERPRISES);
    prepare(&servers, &running, (0..ENTERPRISES).map(enterprise)).await;
    // Nobody projects or reacts while they are planned.
    let parts = running.parts.clone();
    running.stop().await;
    let engine = past(&parts, 4);
    stream::iter(1..=VISITS).for_each_concurrent(64, |n| plan_at(&engine, enterprise(n), n)).await;
    let before = parts.journal.last_position().await.unwrap();

    let (mut project, mut one, mut two) =
        (role(&servers, "project"), role(&servers, "react"), role(&servers, "react"));
    for step in 1..=4_u64 {
        let wanted = Position(before.0 + step * 300);
        let reached = until(BOUND, || async {
            (parts.journal.last_position().await.ok()? >= wanted).then_some(())
        });
        assert!(reached.await.is_some(), "not even {wanted} is reached");
        match step {
            1 => one.kill().await.unwrap(),
            2 => project.kill().await.unwrap(),
            3 => {
                two.kill().await.unwrap();
                (one, two) = (role(&servers, "react"), role(&servers, "react"));
            }
            _ => project = role(&servers, "project"),
        }
    }
    all_done(&servers, &parts).await;
    let (expired, commands) = expiries(&parts).await;
    let all: HashSet<VisitId> = (1..=VISITS).map(visit).collect();
    assert_eq!(expired.keys().copied().collect::<HashSet<_>>(), all);
    let doubled: Vec<_> = expired.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "expired twice: {doubled:?}");
    assert!(commands.values().all(|count| *count == 1), "a command is stored twice");
    let end = parts.journal.last_position().await.unwrap();
    assert_eq!(u128::from(end.0 - before.0), VISITS, "nothing else was stored");
    sound(&parts).await;
    for mut child in [project, one, two] {
        child.kill().await.unwrap();
    }
}

async fn plan_at(engine: &Engine, enterprise: String, n: u128) {
    plan(engine, &enterprise, n).await;
}
