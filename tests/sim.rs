//! The write path under everything that can befall it, seed by seed: engines, their runners and an agenda on a log
//! in memory, with lost and late messages, programs killed between two steps, clocks that disagree, and time that
//! passes only when nobody has anything to do. The same seed is the same world.
//!
//! `SEED=7 make sim` lives through one again, `SEEDS=1000000 make sim` through many.

mod agenda;
mod city;
mod network;
mod oracle;
mod people;
mod world;

use std::{env, ops::Range};

use tokio::runtime::Builder;

/// How many worlds each half of the suite lives through.
const SEEDS: u64 = 10_000;

fn live(seed: u64) -> Result<String, String> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(world::live(seed))
}

fn all(seeds: Range<u64>) {
    for seed in seeds {
        if let Err(why) = live(seed) {
            panic!("SEED={seed}: {why}");
        }
    }
}

/// A number that whoever runs this gives.
fn given(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Half of the seeds, so that two cores have something to do.
fn half(number: u64) {
    match (given("SEED"), given("SEEDS").map_or(SEEDS, |seeds| seeds / 2)) {
        (Some(seed), _) => all(seed..seed + 1),
        (None, count) => all(number * count..(number + 1) * count),
    }
}

#[test]
fn whatever_befalls_it_the_first_half() {
    half(0);
}

#[test]
fn whatever_befalls_it_the_second_half() {
    half(1);
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 0..50 {
        assert_eq!(live(seed), live(seed), "seed {seed}");
    }
}
