//! What the binary `doudi` is made of: configuration, roles, wiring, drain and the development mode.

pub mod children;
pub mod config;
