//! Disks and logs that are full: what can go on goes on, what was acknowledged stays, and once there is room again
//! so does the rest.

use std::collections::HashSet;

use doudi_api::proto::{ListVisitsRequest, PlanVisitRequest};
use doudi_server::{client::Client, parts::Parts};
use tokio_postgres::{NoTls, error::SqlState};
use tonic::Status;

use super::{super::agenda::sound, *};

/// So many visits find no room in files that are there.
const TAKEN_MAX: usize = 10_000;
/// How long the tables are behind at the most while nothing is wrong.
const MOMENTS: Duration = Duration::from_secs(5);

/// Asks for room that no file of the tables has yet.
async fn one_table_more(url: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let more = "CREATE TABLE more AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 1000)";
    let made = client.batch_execute(more).await;
    drop(client);
    connection.await.unwrap()?;
    made
}

/// A world in which visits can be planned.
async fn planning(servers: Servers) -> World {
    let world = Box::pin(World::start_on(servers)).await;
    let mut admin = world.role(Role::Admin);
    admin.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    world
}

async fn planned(unit: &mut Client, request: &PlanVisitRequest) -> Result<String, Status> {
    let answer = unit.inspections.plan_visit(request.clone()).await?.into_inner();
    Ok(answer.visit_id)
}

/// Plans visits until one is refused; answers with that one and why.
async fn refused(
    unit: &mut Client,
    acknowledged: &mut HashSet<String>,
) -> (PlanVisitRequest, Status) {
    for _ in 0..TAKEN_MAX {
        let request = plan(ENTERPRISE, Ground::Complaint);
        match planned(unit, &request).await {
            Ok(visit) => assert!(acknowledged.insert(visit), "another one"),
            Err(refused) => return (request, refused),
        }
    }
    panic!("{TAKEN_MAX} visits were planned where there is no room");
}

/// The visits that are listed now, however old the answer is.
async fn listed(world: &World) -> HashSet<String> {
    let mut auditor = world.role(Role::Auditor).visit_lists;
    let mut request = ListVisitsRequest { page_size: 200, ..<_>::default() };
    let mut listed = HashSet::new();
    loop {
        let page = auditor.list_visits(request.clone()).await.unwrap().into_inner();
        listed.extend(page.visits.into_iter().filter_map(|row| match row.what? {
            doudi_api::proto::visit_row::What::Visit(visit) => Some(visit.visit_id),
            doudi_api::proto::visit_row::What::OffSite(_) => None,
        }));
        if page.next_page_token.is_empty() {
            return listed;
        }
        request.page_token = page.next_page_token;
    }
}

/// What is stored and listed in the end.
async fn assert_whole(world: &World, parts: &Parts, acknowledged: &HashSet<String>) {
    assert_listed(world, acknowledged).await;
    sound(parts).await;
}

async fn assert_listed(world: &World, acknowledged: &HashSet<String>) {
    let all = until(BOUND, async || acknowledged.is_subset(&listed(world).await).then_some(()));
    assert!(all.await.is_some(), "{acknowledged:?} are not all listed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_the_log_nothing_is_promised_and_nothing_is_lost() {
    let Some(disk) = disk(Disk::new()) else { return };
    let folder = Some(disk.path().join("nats"));
    let options = NatsOptions { folder, ..NatsOptions::default() };
    let mut world = planning(Servers::start_with(options).await).await;
    let mut unit = world.unit("market-regulation");
    let parts = world.running.parts.clone();
    let first = plan(ENTERPRISE, Ground::Complaint);
    let mut acknowledged = HashSet::from([planned(&mut unit, &first).await.unwrap()]);

    disk.stuff();
    // A few commands may still find room in a file that was there before.
    let (waits, refused) = refused(&mut unit, &mut acknowledged).await;
    let open = ["OUTCOME_UNKNOWN", "LOG_UNAVAILABLE"].contains(&reason(&refused).as_str());
    assert!(open, "{refused:?}");
    served(&world, ServingStatus::NotServing, ServingStatus::Serving).await;
    assert!(!listed(&world).await.is_empty(), "reads go on");

    // What the operator does.
    disk.relieve();
    world.ground.nats.restart().await.unwrap();
    served(&world, ServingStatus::Serving, ServingStatus::Serving).await;
    acknowledged.insert(planned(&mut unit, &waits).await.unwrap());
    assert_whole(&world, &parts, &acknowledged).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_the_tables_commands_are_taken_and_the_tables_follow_later() {
    let Some(disk) = disk(Disk::new()) else { return };
    let tables = disk.path().join("tables");
    std::fs::create_dir(&tables).unwrap();
    let servers = Box::pin(Servers::start_in(NatsOptions::default(), Some(&tables))).await;
    let mut world = planning(servers).await;
    let mut unit = world.unit("market-regulation");
    let parts = world.running.parts.clone();
    let mut acknowledged = HashSet::new();

    disk.stuff();
    // Far more than the files that are there can take in.
    for _ in 0..300 {
        let request = plan(ENTERPRISE, Ground::Complaint);
        acknowledged.insert(planned(&mut unit, &request).await.unwrap());
    }
    let no_room = one_table_more(&world.ground.postgres.url()).await.unwrap_err();
    // A server that cannot write its own log either gives up.
    let gave_up = no_room.is_closed() || no_room.as_db_error().is_none();
    assert!(gave_up || no_room.code() == Some(&SqlState::DISK_FULL), "{no_room:?}");
    // Where there is room they follow within moments.
    let end = parts.journal.last_position().await.unwrap();
    let reached = until(MOMENTS, async || {
        let all = parts.views.checkpoints().await.ok()?;
        all.iter().all(|view| view.position >= end).then_some(())
    });
    assert!(reached.await.is_none(), "the tables had room");

    disk.relieve();
    // Only where it gave up somebody has to start it again; the views go on by themselves.
    if one_table_more(&world.ground.postgres.url()).await.is_err() {
        world.ground.postgres.restart().await.unwrap();
    }
    served(&world, ServingStatus::Serving, ServingStatus::Serving).await;
    assert_whole(&world, &parts, &acknowledged).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_reached_its_limit_says_so_and_is_read_all_the_same() {
    let mut servers = Servers::start().await;
    servers.config.nats.max_bytes = 4 << 20;
    let world = planning(servers).await;
    let mut unit = world.unit("market-regulation");
    let parts = world.running.parts.clone();
    let mut acknowledged =
        HashSet::from([planned(&mut unit, &plan(ENTERPRISE, Ground::Complaint)).await.unwrap()]);
    for number in 0.. {
        let stream = StreamName::new("L-FULL", "bench", Some(&number.to_string())).unwrap();
        match parts.journal.append(&stream, vec![b' '; 100_000].into(), Position::START).await {
            Ok(_) => assert!(number < 1000, "it is never full"),
            Err(AppendError::LogFull { .. }) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    // Small ones may still fit.
    let (_, refused) = refused(&mut unit, &mut acknowledged).await;
    assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "LOG_FULL".into()));
    served(&world, ServingStatus::Serving, ServingStatus::Serving).await;
    assert_listed(&world, &acknowledged).await;
    world.stop().await;
}
