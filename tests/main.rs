//! The one test binary: style, contract, real servers.
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
mod real;
mod tidy;
