//! Laws: what holds for every sequence of commands and every event, tried on random ones.
//!
//! A failing run prints the smallest input that fails; the oracles here count for themselves and
//! call no rule.

use proptest::test_runner::Config;

mod appeal;
mod arbitrary;
mod calendar;
mod enterprise;
mod policy;
mod storage;
mod visits;

/// The number of cases of one law. Failures are printed, not kept in files.
fn cases(count: u32) -> Config {
    Config { cases: count, failure_persistence: None, ..Config::default() }
}
