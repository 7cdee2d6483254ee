//! What the binary `doudi` is made of: configuration, roles, wiring, drain and the development mode.

pub mod agenda;
pub mod bench;
pub mod catalogue;
pub mod chance;
pub mod children;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod dev;
pub mod draw;
pub mod erasures;
pub mod listener;
pub mod logging;
pub mod operate;
pub mod parts;
pub mod report;
pub mod roles;
pub mod simulate;
pub mod stage;
pub mod stop;
pub mod sweep;
pub mod token;
pub mod verify;
