//! The operator's commands on a running system: check, replay, verify, rebuild.

use std::process::Output;

use doudi_api::proto::Ground;
use doudi_tests::{program, world::World};
use tokio_postgres::NoTls;

use super::requests::{plan, register};

const ENTERPRISE: &str = "91210212DD0000001D";

async fn doudi(world: &World, arguments: &[&str]) -> Output {
    let mut command = program::command();
    program::configure(&mut command, &world.ground.config, program::free_address());
    command.args(arguments).output().await.unwrap()
}

/// Runs a command that must end well, and answers with what it printed.
async fn well(world: &World, arguments: &[&str]) -> String {
    let output = doudi(world, arguments).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A foreign hand in the tables.
async fn tamper(world: &World) {
    let url = world.ground.postgres.url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let rows = client.execute("UPDATE timeline_v1.entry SET unit = 'nobody'", &[]).await.unwrap();
    assert!(rows > 0);
    drop(client);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_hand_in_the_tables_is_found_and_a_rebuild_mends_it() {
    let world = World::start().await;
    let mut unit = world.unit("market-regulation");
    unit.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let planned = unit.inspections.plan_visit(plan(ENTERPRISE, Ground::Routine)).await.unwrap();

    let checked = well(&world, &["check"]).await;
    for word in ["nats.token = ***", "durability always", "view quota version 1", "0 parked"] {
        assert!(checked.contains(word), "{word} is missing in\n{checked}");
    }
    let token = world.ground.config.nats.token.expose();
    assert!(!checked.contains(token), "a secret is shown");
    let replayed = well(&world, &["replay", &format!("ev.{ENTERPRISE}.visits")]).await;
    assert!(replayed.contains("VisitPlanned") && replayed.contains(&planned.get_ref().visit_id));
    assert_eq!(replayed.lines().count(), 1);

    well(&world, &["verify"]).await;
    tamper(&world).await;
    let verified = doudi(&world, &["verify"]).await;
    assert!(!verified.status.success());
    let text = String::from_utf8_lossy(&verified.stdout);
    assert!(text.contains("view timeline") && text.contains("DIFFERS"), "{text}");
    let rebuilt = well(&world, &["rebuild", "timeline"]).await;
    assert!(rebuilt.contains("rebuilt up to position"), "{rebuilt}");
    let verified = well(&world, &["verify"]).await;
    assert!(!verified.contains("DIFFERS") && verified.contains("0 broken"), "{verified}");
    world.stop().await;
}
