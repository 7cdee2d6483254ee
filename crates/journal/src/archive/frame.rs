//! How a record lies in a segment, and how one is chained to the next.
//!
//! A segment begins with a line that names the format, the position of its first record (8 bytes) and the link
//! of the record before it (32 bytes). A frame is the length of its body (4 bytes), the body and its link. The body
//! is the position (8 bytes), the subject, how many headers there are (4 bytes), their names and
//! values, and the payload to the end. Numbers are little-endian; each text has its length before it (4 bytes).

use std::fmt;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::Entry;
use crate::Position;

/// What a segment begins with.
const FORMAT: [u8; 16] = *b"doudi segment 1\n";

/// The bytes of a segment before its first frame.
pub(super) const HEADER_BYTES: usize = FORMAT.len() + 8 + LINK_BYTES;

/// The bytes of a link.
pub(super) const LINK_BYTES: usize = 32;

/// The largest body, in bytes: far more than the log takes in one record.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;

/// The hash over the whole archive up to a record. Zeros stand before the first one.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link(pub(super) [u8; LINK_BYTES]);

impl Link {
    /// The link of a body after the one before it. The length of the body is among what is hashed.
    pub(super) fn next(self, body: &[u8]) -> Link {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(length(body));
        hash.update(body);
        Link(hash.finalize().into())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The beginning of the segment whose first record is at `first`, after `link`.
pub(super) fn header(first: Position, link: Link) -> [u8; HEADER_BYTES] {
    let (mut header, first) = ([0; HEADER_BYTES], first.0.to_le_bytes());
    let parts = FORMAT.iter().chain(&first).chain(&link.0).copied();
    header.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
    header
}

/// Puts the frame of `entry` behind `bytes`, and answers with its link.
pub(super) fn put(entry: &Entry, link: Link, bytes: &mut Vec<u8>) -> Link {
    let body = body(entry);
    let link = link.next(&body);
    bytes.extend_from_slice(&length(&body));
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&link.0);
    link
}

fn body(entry: &Entry) -> Vec<u8> {
    let Entry { position, subject, headers, payload } = entry;
    let mut body = position.0.to_le_bytes().to_vec();
    put_text(subject, &mut body);
    body.extend_from_slice(&count(headers.len()));
    for (name, value) in headers {
        put_text(name, &mut body);
        put_text(value, &mut body);
    }
    body.extend_from_slice(payload);
    body
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&length(text.as_bytes()));
    bytes.extend_from_slice(text.as_bytes());
}

fn length(bytes: &[u8]) -> [u8; 4] {
    count(bytes.len())
}

/// What the server takes is far from this bound.
fn count(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// The entry that a body holds; none when it holds something else.
pub(super) fn read(body: &[u8]) -> Option<Entry> {
    let mut rest = body;
    let position = Position(u64::from_le_bytes(*taken(&mut rest)?));
    let subject = text(&mut rest)?;
    let mut headers = Vec::new();
    for _ in 0..number(&mut rest)? {
        headers.push((text(&mut rest)?, text(&mut rest)?));
    }
    Some(Entry { position, subject, headers, payload: Bytes::copy_from_slice(rest) })
}

fn taken<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*taken(rest)?)).ok()
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = number(rest)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}
