//! Ring 5: real nats-server, real PostgreSQL, real clients.

mod agenda;
mod appeals;
mod authorization;
mod bad_input;
mod calendar;
mod catalogue;
mod crash;
mod development;
mod frequency;
mod handling;
mod health;
mod limits;
mod operator;
mod python;
mod race;
mod requests;
mod timers;
mod unknown;
mod vault;
mod views;
mod walk;
