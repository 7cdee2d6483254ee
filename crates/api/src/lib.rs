//! The gRPC face: who calls, what it may do, convert, call, convert back, and the one error map.
//!
//! [`Api`] serves the contract in `proto/` on an engine, a vault and views. Its layer stands in front
//! and denies by default; its services are thin.

mod call;
mod chance;
mod convert;
mod error;
mod export;
pub mod identity;
mod layer;
pub mod metrics;
pub mod permission;
pub mod proto;
#[cfg(test)]
mod sample;
mod services;
mod shares;
mod text;
mod trace;
pub mod webhooks;

pub use chance::{Chance, ChanceError};
pub use convert::{
    policy::policy_document,
    policy_reply::of_document,
    what_if::{of_report as of_what_if_report, what_if},
};
pub use error::{DOMAIN, Reason, catalogue};
pub use layer::{AccessLayer, AccessService, Holding, is_open, overloaded};
pub use services::{Api, ApiSettings, Needs, SERVICES, UPLOADS_MAX};
