//! Records that an app keeps without a network: each signed by its device, each naming the one
//! before.
//!
//! A record says what the device claims. That it came from the device, and in which order, is
//! proven; its clock and its place are not.

mod drift;
mod payload;
mod recorder;

#[cfg(test)]
mod tests;

use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use drift::claimed_against_anchor;
pub use recorder::{Recorder, Tail};

use crate::{
    Malformed, Place,
    envelope::{Envelope, EnvelopeError, Kind},
};

/// The longest record, in bytes.
pub const RECORD_MAX: usize = 8 * 1_024;

/// The last counter of a device: the largest that every JSON reader holds exactly (2^53 - 1).
pub const COUNTER_MAX: u64 = (1 << 53) - 1;

/// One record as its device signed it: at most [`RECORD_MAX`] bytes of COSE_Sign1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed(pub Vec<u8>);

impl Signed {
    /// The SHA-256 of the bytes: what the next record names as the one before.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

/// What a device recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The enrolled device, which signed it.
    pub device: Uuid,
    /// The record's number on this device: 1 for the first, then without a gap, at most
    /// [`COUNTER_MAX`].
    pub counter: u64,
    /// The [`Signed::hash`] of the record before; zeros for the first.
    pub previous: [u8; 32],
    /// When it was written, by the device's clock: milliseconds since 1970 in UTC.
    /// A record is written when the thing happens: one that claims another time by more than minutes is suspect.
    pub recorded_at: i64,
    /// The last server time the device was given, if any.
    pub anchor: Option<Anchored>,
    /// What happened.
    pub what: What,
}

/// A server time, and how long ago it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The sealed [`Anchor`](crate::codes::Anchor) as it was received, 1 to 1,024 bytes.
    pub text: String,
    /// Milliseconds from receiving it to writing the record, by a clock of the device that nobody
    /// can set (monotonic, counting while asleep); at most ten years. An anchor does not outlive
    /// a restart of the device.
    pub elapsed_ms: u64,
}

/// What happened at an enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The officers came in.
    CheckIn(CheckIn),
    /// The officers left.
    CheckOut(CheckOut),
}

/// A check-in (入企扫码).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIn {
    /// The enterprise, 1 to 64 bytes.
    pub enterprise: String,
    /// The visit; for one that was not planned, a new random id.
    pub visit: Uuid,
    /// The officers by their certificates, at most 16 of 1 to 64 bytes.
    pub officers: Vec<String>,
    /// When they came in, by the device's clock: milliseconds since 1970 in UTC.
    pub occurred_at: i64,
    /// The scanned text exactly as it was, valid or not, 1 to 1,024 bytes.
    pub code: Option<String>,
    /// Where the device was.
    pub place: Option<Place>,
    /// For a visit that nobody planned.
    pub unplanned: Option<Unplanned>,
}

/// What a plan would have said, for a visit that could not wait for one (紧急检查).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplanned {
    /// The inspection items, at most 32 of 1 to 64 bytes.
    pub items: Vec<String>,
    /// The ground by its name in the API, 1 to 64 bytes.
    pub ground: String,
    /// What shows the ground, such as the number of a report, 1 to 512 bytes.
    pub evidence: Option<String>,
    /// Why it could not wait, 1 to 2,000 bytes.
    pub reason: String,
}

/// The end of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOut {
    /// The enterprise, 1 to 64 bytes.
    pub enterprise: String,
    /// The visit.
    pub visit: Uuid,
    /// When they left, by the device's clock: milliseconds since 1970 in UTC.
    pub occurred_at: i64,
}

/// Why a record is refused, or was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Longer than [`RECORD_MAX`]; nothing of it was read.
    #[error("a record: it is longer than {RECORD_MAX} bytes")]
    TooLong,
    /// Damaged, cut off, or with a field outside its bounds.
    #[error("a record: it is malformed")]
    Malformed(#[source] Malformed),
    /// Written by a newer version.
    #[error("a record: its version is unknown")]
    VersionUnknown,
    /// Signed with something else than Ed25519.
    #[error("a record: its signature algorithm is unknown")]
    AlgorithmUnknown,
    /// Sealed for another use, such as a code.
    #[error("a record: it was sealed for another use")]
    OtherKind,
    /// The device that it names is not the one that its signature names.
    #[error("a record: it names another device than its signature")]
    OtherDevice,
    /// The signature is not that of the device's key.
    #[error("a record: its signature is false")]
    Forged,
    /// The 32 bytes are not an Ed25519 public key, or one with which anything verifies.
    #[error("a record: the device's public key is not usable")]
    KeyUnusable,
    /// The device has used all of its counters.
    #[error("a record: the device has used its last counter, enrol it anew")]
    CounterSpent,
}

impl From<EnvelopeError> for RecordError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Malformed(malformed) => Self::Malformed(malformed),
            EnvelopeError::VersionUnknown => Self::VersionUnknown,
            EnvelopeError::AlgorithmUnknown => Self::AlgorithmUnknown,
            EnvelopeError::KindUnknown => Self::OtherKind,
        }
    }
}

impl From<Malformed> for RecordError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// A device's public key, as it was enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceKey(VerifyingKey);

impl DeviceKey {
    /// Parses the 32 bytes of an Ed25519 public key (RFC 8032).
    ///
    /// # Errors
    /// [`RecordError::KeyUnusable`] if they are not a key, or a weak one.
    pub fn parse(bytes: &[u8; 32]) -> Result<Self, RecordError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| RecordError::KeyUnusable)?;
        if key.is_weak() {
            return Err(RecordError::KeyUnusable);
        }
        Ok(Self(key))
    }
}

/// The device that a record says it is from, to find its key by: not to be believed before
/// [`open`].
///
/// # Errors
/// [`RecordError`] says why it is no record.
pub fn device_of(bytes: &[u8]) -> Result<Uuid, RecordError> {
    device(&read(bytes)?)
}

/// Opens a record of the device that has this key.
///
/// Its place in the chain is the caller's to judge: one record cannot say whether one is missing.
///
/// # Errors
/// [`RecordError`] says why it is refused.
pub fn open(bytes: &[u8], key: &DeviceKey) -> Result<Record, RecordError> {
    let envelope = read(bytes)?;
    let device = device(&envelope)?;
    let fields = envelope.verify(&key.0).ok_or(RecordError::Forged)?;
    let record = payload::read(fields)?;
    if record.device != device {
        return Err(RecordError::OtherDevice);
    }
    Ok(record)
}

fn read(bytes: &[u8]) -> Result<Envelope, RecordError> {
    if bytes.len() > RECORD_MAX {
        return Err(RecordError::TooLong);
    }
    let envelope = Envelope::read(bytes)?;
    if envelope.kind != Kind::Record {
        return Err(RecordError::OtherKind);
    }
    Ok(envelope)
}

fn device(envelope: &Envelope) -> Result<Uuid, RecordError> {
    let id = Uuid::from_slice(&envelope.kid).map_err(|_| Malformed("its kid is no device"))?;
    Ok(id)
}
