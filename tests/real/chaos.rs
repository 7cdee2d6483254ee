//! Whatever goes wrong under load, in any order: what was acknowledged is stored, once, and the tables say what
//! the log says.
//!
//! One program is behind a line that fails and is killed and frozen; another one, in this process, goes by a clock
//! that jumps. Both serve, project and react on the same servers, which are killed and frozen too.
//! `CHAOS=25 make chaos` goes on for 25 times as long, `SEED=7` draws other faults.

use std::time::Duration;

use doudi_server::{clock::Ahead, parts::Parts};
use doudi_tests::{program, world::Ground as Servers};

use super::{
    agenda::sound,
    load::{Acked, People, Recorded, Writers, assert_kept, listening, progress},
    views::killed::Chance,
};
use faults::{City, Fault, OFTEN};

mod faults;
mod link;

pub(super) use self::{
    faults::{Frozen, family},
    link::{Link, pass},
};

/// Up to so many acknowledgements come between two faults.
const APART: u64 = 6;

/// The faults in the order in which they happen.
fn drawn(times: usize, chance: &mut Chance) -> Vec<Fault> {
    let all = OFTEN.iter().flat_map(|(fault, count)| vec![*fault; count * times]);
    let mut faults: Vec<Fault> = all.collect();
    for at in (1..faults.len()).rev() {
        let other = usize::try_from(chance.up_to(at as u64 + 1)).unwrap() - 1;
        faults.swap(at, other);
    }
    faults
}

/// How long the quickest, the median, and all but one of a hundred took.
fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let of = |hundredth: usize| times[(times.len() - 1) * hundredth / 100];
    format!("p50 {:?}, p99 {:?}, longest {:?}", of(50), of(99), of(100))
}

async fn suffer(city: &mut City, acked: &[Acked], times: usize, chance: &mut Chance) {
    let faults = drawn(times, chance);
    for (at, fault) in faults.iter().enumerate() {
        let apart = usize::try_from(chance.up_to(APART)).unwrap();
        println!("{at} of {}: {fault:?}", faults.len());
        city.suffer(*fault, chance).await;
        for acked in acked {
            progress(acked, apart).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_nothing_acknowledged_is_lost_and_nothing_is_stored_twice() {
    let times = std::env::var("CHAOS").map_or(1, |times| times.parse().unwrap());
    let mut chance = Chance::seeded();
    let servers = Servers::start().await;
    let link = Link::to(&servers.nats.url()).await;
    let mut config = servers.config.clone();
    config.nats.urls = vec![format!("nats://{}", link.address)];
    let listen = program::free_address();
    let doudi = program::role(&config, listen, "all");
    listening(listen).await;
    let ahead = Ahead::default();
    let inside = Box::pin(servers.run_at(&ahead)).await;

    let [near, far] = [inside.address, listen].map(|address| People::new(&servers, address, times));
    near.prepare().await;
    let writers = [&near, &far].map(|people| Writers::start(people, &mut chance));
    let acked = writers.each_ref().map(|writers| writers.acked.clone());
    let ready = vec![];
    let mut city = City { servers, link, doudi, config, listen, ahead, ready };
    Box::pin(suffer(&mut city, &acked, times, &mut chance)).await;
    for writers in writers {
        writers.stop().await;
    }

    let parts = Parts::assemble(&city.servers.config).await.unwrap();
    sound(&parts).await;
    let recorded = Recorded::read(&parts.journal).await;
    let kept: usize = acked.iter().map(|acked| assert_kept(&recorded, acked)).sum();
    println!("{kept} acknowledged, 0 lost, 0 doubled; ready again: {}", told(city.ready));
    city.doudi.kill().await.unwrap();
    inside.stop().await;
}
