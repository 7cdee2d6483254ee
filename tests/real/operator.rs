//! The operator's commands on a running system: check, replay, verify, rebuild.

use std::{process::Output, slice, time::Duration};

use doudi_api::proto::Ground;
use doudi_journal::{Durability, Position, StreamName};
use doudi_server::{config::Config, parts::Parts, verify};
use doudi_tests::{
    nats::{NatsOptions, NatsServer, ToDisk},
    program, until,
    world::{Ground as Servers, World},
};
use doudi_views::{Rebuild, ViewName};
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::{
    load::listening,
    requests::{plan, register},
    views::damaged::forged,
};

const ENTERPRISE: &str = "91210212DD0000001D";
/// How long anything may take here.
const WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn doudi(config: &Config, arguments: &[&str]) -> Output {
    let mut command = program::command();
    program::configure(&mut command, config, program::free_address());
    command.args(arguments).output().await.unwrap()
}

/// Runs a command that must end well, and answers with what it printed.
pub(super) async fn well(config: &Config, arguments: &[&str]) -> String {
    let output = doudi(config, arguments).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must be refused, and answers with what it said about it.
pub(super) async fn refused(config: &Config, arguments: &[&str]) -> String {
    let output = doudi(config, arguments).await;
    assert!(!output.status.success(), "{arguments:?} was not refused");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A foreign hand in the tables.
pub(super) async fn tamper(config: &Config, statement: &str) {
    assert!(change(config, statement).await > 0);
}

/// Parks a stream of the timeline from a position on, as if this version could not read what comes there.
pub(super) async fn park(config: &Config, stream: &str, first: Position) {
    let version = ViewName::Timeline.version();
    let values = format!("'timeline', {version}, '{stream}', {first}, {first}, 0, 'unknown'");
    tamper(config, &format!("INSERT INTO doudi.parked VALUES ({values})")).await;
}

/// Takes such a stream in, as an operator does.
pub(super) async fn take_in(config: &Config, stream: &str) {
    well(config, &["parked", "--retry", "timeline", "--stream", stream]).await;
}

/// Runs a statement and answers with how many rows it changed.
async fn change(config: &Config, statement: &str) -> u64 {
    let url = config.postgres.url.expose();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let rows = client.execute(statement, &[]).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_hand_in_the_tables_is_found_and_a_rebuild_mends_it() {
    let world = World::start().await;
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();

    let config = &world.ground.config;
    let checked = well(config, &["check"]).await;
    let visits = format!("view visits version {}", ViewName::Visits.version());
    let durability = format!("durability {}", config.nats.durability);
    for word in ["nats.token = ***", &durability, &visits, "0 parked"] {
        assert!(checked.contains(word), "{word} is missing in\n{checked}");
    }
    let group = config.nats.durability == Durability::Group;
    assert_eq!(checked.contains("forced to disk in"), group, "{checked}");
    let token = config.nats.token.expose();
    assert!(!checked.contains(token), "a secret is shown");
    let replayed = well(config, &["replay", &format!("ev.{ENTERPRISE}.visits")]).await;
    assert!(replayed.contains("VisitPlanned") && replayed.contains(&planned.get_ref().visit_id));
    assert_eq!(replayed.lines().count(), 1);

    well(config, &["verify"]).await;
    let schema = ViewName::Timeline.schema();
    let foreign = format!(
        "UPDATE {schema}.entry SET unit = 'nobody' \
         WHERE position = (SELECT max(position) FROM {schema}.entry)"
    );
    tamper(config, &foreign).await;
    let text = refused(config, &["verify"]).await;
    assert!(text.contains("view timeline") && text.contains("DIFFERS"), "{text}");
    let end = world.running.parts.journal.last_position().await.unwrap();
    let where_it_is = format!("entry (2 rows, 2 by the log of records {end} to {end})");
    assert!(text.contains(&where_it_is), "{text}");
    let rebuilt = well(config, &["rebuild", "timeline"]).await;
    assert!(rebuilt.contains("rebuilt and switched at position"), "{rebuilt}");
    let verified = well(config, &["verify"]).await;
    assert!(!verified.contains("DIFFERS") && verified.contains("0 broken"), "{verified}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_broken_off_is_shown_and_given_up() {
    let world = World::start().await;
    let (config, parts) = (&world.ground.config, &world.running.parts);
    let mut rebuild = parts.views.begin_rebuild(&parts.journal, ViewName::Visits).await.unwrap();
    let said = &mut |_, _, _| {};
    Rebuild::catch_up(slice::from_mut(&mut rebuild), &parts.journal, said).await.unwrap();
    let reached = rebuild.reached();
    for arguments in [&["rebuild", "visits"][..], &["rebuild", "all", "--cancel"]] {
        let said = refused(config, arguments).await;
        assert!(said.contains("another rebuild of the view visits is running"), "{said}");
    }
    let shown = format!("view visits: a rebuild has come to {reached} and not switched yet");
    let checked = well(config, &["check"]).await;
    assert!(checked.contains(&shown), "{checked}");
    drop(rebuild);
    let cancelled = until(WITHIN, async || {
        let output = doudi(config, &["rebuild", "visits", "--cancel"]).await;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    });
    assert_eq!(cancelled.await.unwrap(), "view visits: the rebuild is given up\n");
    let none = well(config, &["rebuild", "visits", "--cancel"]).await;
    assert_eq!(none, "view visits: there is no rebuild\n");
    let checked = well(config, &["check"]).await;
    assert!(!checked.contains("a rebuild has come to"), "{checked}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_built_before_it_serves_and_the_old_tables_are_dropped_when_asked() {
    let world = World::start().await;
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let config = world.ground.config.clone();
    let World { ground: _ground, running } = world;
    drop(unit);
    running.stop().await;
    // What there is was built by an older version of this view.
    let (view, version) = (ViewName::Timeline, ViewName::Timeline.version());
    let schema = view.schema();
    tamper(&config, "UPDATE doudi.checkpoint SET version = 0 WHERE view = 'timeline'").await;
    let old = format!("DO $$BEGIN ALTER SCHEMA {schema} RENAME TO timeline_v0; END$$");
    assert_eq!(change(&config, &old).await, 0);
    let prepared = well(&config, &["prepare"]).await;
    let built = format!("view {view} version {version}: built up to position");
    assert!(prepared.contains(&built), "{prepared}");
    let verified = well(&config, &["verify"]).await;
    assert!(verified.contains("view timeline") && !verified.contains("DIFFERS"), "{verified}");
    let dropped = well(&config, &["drop-old"]).await;
    assert_eq!(dropped, "schema timeline_v0: dropped\n");
    assert_eq!(well(&config, &["drop-old"]).await, "");
    well(&config, &["check"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_records_is_not_served_until_the_views_are_built_again() {
    let servers = Servers::start().await;
    let config = &servers.config;
    let running = servers.run().await;
    let claims = doudi_server::token::claims(doudi_api::permission::Role::Admin);
    let token = servers.token(&claims);
    let mut admin = doudi_server::client::Client::new(&running.channel, &token).unwrap();
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    drop(admin);
    running.stop().await;
    // What the views know of lies beyond the end of the log, as after restoring an older copy of it.
    tamper(config, "UPDATE doudi.checkpoint SET position = 1000").await;
    for role in ["serve", "project", "react", "all"] {
        assert!(refused(config, &[role]).await.contains("LOG_BEHIND_CHECKPOINT"), "{role}");
    }
    let checked = refused(config, &["check"]).await;
    let visits = format!("view visits version {} at 1000", ViewName::Visits.version());
    assert!(checked.contains(&visits), "{checked}");
    assert!(checked.contains("LOG_BEHIND_CHECKPOINT"), "{checked}");
    well(config, &["rebuild", "all"]).await;
    let parts = Parts::assemble(config).await.unwrap();
    assert!(verify::verify(&parts).await.unwrap().sound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_verifies_takes_commands_on_a_sound_log_alone() {
    let world = World::start().await;
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let World { ground, running } = world;
    drop(unit);
    running.stop().await;
    let (config, listen) = (&ground.config, program::free_address());
    let verified = ["all", "--verify"];
    let mut command = program::command();
    program::configure(&mut command, config, listen);
    let mut sound = command.args(verified).spawn().unwrap();
    listening(listen).await;
    sound.kill().await.unwrap();

    let parts = Parts::assemble(config).await.unwrap();
    let stream = StreamName::parse(&format!("ev.{ENTERPRISE}.profile")).unwrap();
    // No gate sees anything of that.
    let forged = forged(&parts.journal, &stream, 9).await;
    let journal = &parts.journal;
    let before = journal.load(&stream, Position::START, Position::START).await.unwrap();
    let last = before.last().unwrap().position;
    let end = journal.append(&stream, forged.into(), last).await.unwrap();
    let told = timeout(WITHIN, refused(config, &verified)).await.expect("it ends");
    for words in ["does not continue its stream", "nothing is started"] {
        assert!(told.contains(words), "{words} is missing in\n{told}");
    }
    assert_eq!(parts.journal.last_position().await.unwrap(), end);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_syncs_lazily_is_not_served_on_unless_the_profile_says_so() {
    let servers = Servers::start().await;
    let lazy = NatsOptions { sync: ToDisk::Lazy, ..NatsOptions::default() };
    let nats = NatsServer::start(lazy).await.unwrap();
    let mut config = servers.config.clone();
    doudi_server::dev::point(&mut config, &nats, &servers.postgres, &servers.key);
    config.nats.durability = Durability::Always;
    assert!(refused(&config, &["serve"]).await.contains("SYNC_LAZY"));
    assert!(refused(&config, &["check"]).await.contains("SYNC_LAZY"));
    let mut check = program::command();
    program::configure(&mut check, &config, program::free_address());
    let output = check.arg("check").env("DOUDI_NATS__DURABILITY", "fast").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("durability fast"), "{text}");
}
