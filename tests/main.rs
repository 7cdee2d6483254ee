//! The one test binary: style, contract, spoiled events, simulation, real servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this is tests, but clippy sees that only inside the test functions"
)]

mod children;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod real;
#[cfg(test)]
mod sim;
mod tidy;
