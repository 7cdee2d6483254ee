//! Laws: what holds for every sequence of commands and every event, tried on random ones.
//!
//! A failing run prints the smallest input that fails; the oracles here count for themselves and
//! call no rule.

use proptest::test_runner::Config;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "commands of the system are nobody's to be offered"
)]
mod appeal;
mod arbitrary;
mod calendar;
mod clock;
mod device;
mod diagnosis;
mod draw;
mod enterprise;
mod policy;
mod storage;
mod visits;
mod webhook;

/// The number of cases of one law. Failures are printed, not kept in files.
fn cases(count: u32) -> Config {
    Config { cases: count, failure_persistence: None, ..Config::default() }
}
