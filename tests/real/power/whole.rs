//! The power goes under a whole doudi at work: server, program and all that they have under way end at one instant.
//! On what the disk then holds the gate lets doudi serve again, and nothing that a caller was told or a table shows
//! is missing.

use doudi_server::{dev, parts::Parts};
use doudi_tests::{
    nats::{NatsOptions, NatsServer},
    program,
    world::Ground as Servers,
};

use super::{
    super::{
        agenda::sound,
        chaos::Frozen,
        load::{Acked, People, Recorded, Writers, assert_kept, listening, progress},
        views::killed::Chance,
    },
    cuts,
    disk::Disk,
    taken_over,
};

/// For so many cuts under a journal alone there is one under a whole doudi.
const CUTS_OF_JOURNAL: u32 = 6;
/// How many groups of writers are at work.
const GROUPS: usize = 6;
/// Up to so many acknowledgements of a group come between two cuts.
const APART: u64 = 40;

fn folder(disk: &Disk, name: &str) -> NatsOptions {
    NatsOptions { folder: Some(disk.path().join(name)), ..NatsOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_power_goes_under_a_whole_doudi_nobody_was_told_what_is_not_so() {
    let Some(mut disk) = super::disk(Disk::new()) else { return };
    let mut chance = Chance::seeded();
    let mut folder_name = "nats".to_owned();
    let mut servers = Servers::start_with(folder(&disk, &folder_name)).await;
    let listen = program::free_address();
    let mut doudi = program::role(&servers.config, listen, "all");
    listening(listen).await;
    let people = People::new(&servers, listen, 4);
    people.prepare().await;
    let groups: Vec<Writers> = (0..GROUPS).map(|_| Writers::start(&people, &mut chance)).collect();
    let acked: Vec<Acked> = groups.iter().map(|writers| writers.acked.clone()).collect();

    for number in 0..cuts().div_ceil(CUTS_OF_JOURNAL) {
        let apart = usize::try_from(chance.up_to(APART)).unwrap();
        progress(&acked[0], apart).await;
        let frozen = Frozen::of(&[servers.nats.pid(), doudi.id().unwrap()]);
        let acknowledged: usize = acked.iter().map(|acked| acked.lock().unwrap().len()).sum();
        let after = disk.cut();
        doudi.kill().await.unwrap();
        servers.nats.kill9().await.unwrap();
        drop(frozen);
        let again = format!("after-{number}");
        assert!(taken_over(&after, &folder_name, &again), "there is no log");
        servers.nats = NatsServer::start(folder(&after, &again)).await.unwrap();
        dev::point(&mut servers.config, &servers.nats, &servers.postgres, &servers.key);
        // It would refuse to start where a table reflects what the log has not.
        doudi = program::role(&servers.config, listen, "all");
        listening(listen).await;
        (disk, folder_name) = (after, again);
        println!("cut {number} after {acknowledged} acknowledged");
    }
    for acked in &acked {
        progress(acked, 1).await;
    }
    for writers in groups {
        writers.stop().await;
    }

    let parts = Parts::assemble(&servers.config).await.unwrap();
    sound(&parts).await;
    let recorded = Recorded::read(&parts.journal).await;
    let kept: usize = acked.iter().map(|acked| assert_kept(&recorded, acked)).sum();
    println!("{kept} acknowledged, 0 lost, 0 doubled");
    doudi.kill().await.unwrap();
    drop(parts);
    // The server goes before the disk that it lies on.
    servers.nats.kill9().await.unwrap();
}
