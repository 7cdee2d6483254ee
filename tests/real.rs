//! Ring 5: real nats-server, real PostgreSQL, real clients.

mod authorization;
mod bad_input;
mod crash;
mod development;
mod health;
mod limits;
mod operator;
mod python;
mod race;
mod requests;
mod unknown;
mod vault;
mod views;
mod walk;
