//! What the inspection app and the server both know: signed codes, and records kept offline.
//!
//! No I/O, no clock, no randomness: keys, ids and instants come in. What follows is enough to write
//! an app in another language; the tests hold bytes that were made from it.
//!
//! # Common to everything that is signed
//!
//! A tagged COSE_Sign1 (RFC 9052), `18([protected, {}, payload, signature])`, in deterministic CBOR
//! (RFC 8949 section 4.2.1): shortest lengths, no indefinite ones, nothing behind.
//!
//! - `protected`: the bytes of `{1: -8, 4: kid}`; -8 is EdDSA, here Ed25519. No other header.
//! - `payload`: the bytes of an array `[1, kind, …]`; 1 is the version.
//! - `signature`: 64 bytes over `["Signature1", protected, external, payload]`, the three being byte
//!   strings.
//!
//! | kind | what | external (ASCII) | fields after version and kind |
//! |---|---|---|---|
//! | 1 | enterprise code | `doudi.enterprise-code.1` | id, enterprise, form, place / null, issued, expires |
//! | 2 | visit code | `doudi.visit-code.1` | id, enterprise, visit, issued, expires |
//! | 3 | time anchor | `doudi.anchor.1` | device, at |
//! | 4 | record | `doudi.record.1` | device, counter, previous, recorded, anchored / null, what |
//!
//! An id, a visit and a device are UUIDs as 16 bytes. An enterprise is a text of 1 to 64 bytes.
//! Form: 1 printed, 2 rotating. A place is `[latitude, longitude, accuracy]`: millionths of a degree
//! (WGS 84, within ±90 and ±180 degrees), metres (0 to 100,000). Instants are integers since
//! 1970 in UTC, before the year 3000: issued and expires in seconds, all others in milliseconds.
//!
//! # Codes and anchors: texts
//!
//! `DD1:` and the Base45 form (RFC 9285) of the bytes, at most 1,024 characters, no blank before or
//! after. The kid is the key's name in the server's JWK set, 1 to 32 bytes of UTF-8. A code is valid
//! from issued to expires, 60 s of leeway at both ends; expires is after issued. An app passes
//! on a scanned text as it is: only the server knows what was revoked.
//!
//! # Records: bytes
//!
//! At most 8,192 bytes. The kid is the device's 16 bytes. The key is the device's own: its
//! public half is enrolled, its private half never leaves the device.
//!
//! - counter: 1 for the first record of a device, then without a gap, at most 2^53 - 1.
//! - previous: the SHA-256 of the whole bytes of the record before; 32 zeros for the first.
//! - recorded: the device's clock when it wrote the record.
//! - anchored: `[text, elapsed]`: the last anchor as it was received (1 to 1,024 bytes), and
//!   the milliseconds since (0 to 316,224,000,000) by a clock that nobody can set.
//! - what, a check-in: `[1, enterprise, visit, occurred, officers, code / null, place / null,
//!   unplanned / null]`. Officers: up to 16 texts of 1 to 64 bytes. Code: the scanned text, 1 to 1,024
//!   bytes. Unplanned: `[items, ground, evidence / null, reason]`: up to 32 texts of 1 to 64
//!   bytes, 1 to 64, 1 to 512, 1 to 2,000 bytes.
//! - what, a check-out: `[2, enterprise, visit, occurred]`.
//!
//! The record and the new end of the chain (counter and hash) are saved in one write, before the
//! record is sent or shown as done. A counter is never used twice.

mod cbor;
pub mod codes;
mod envelope;
pub mod picture;
mod place;
pub mod records;

pub use cbor::Malformed;
pub use place::Place;
