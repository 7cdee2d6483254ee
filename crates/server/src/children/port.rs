//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use super::ChildError;

/// Below the range that systems take outgoing ports from: else a client that reconnects while its
/// server is down can be given that very port as its own, and talk to itself.
const FIRST: u16 = 14_000;
const COUNT: u16 = 16_000;
const TRIES_MAX: u32 = 200;

/// A port on 127.0.0.1 that is free now and differs from `other`.
///
/// # Errors
/// [`ChildError::NoPort`] when many in a row are taken, [`ChildError::Random`].
pub fn free(other: Option<u16>) -> Result<u16, ChildError> {
    for _ in 0..TRIES_MAX {
        let mut bytes = [0_u8; 2];
        getrandom::fill(&mut bytes).map_err(ChildError::Random)?;
        let port = FIRST + u16::from_le_bytes(bytes) % COUNT;
        if Some(port) != other && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(ChildError::NoPort { tried: TRIES_MAX })
}
