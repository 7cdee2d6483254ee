//! A record as it arrives, with its proof.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};

use crate::{
    FewSet,
    draw::Digest,
    visits::{Irregularity, Kept},
};

/// The longest proof in characters: 8 KiB in Base64.
const SIGNED_CHARS_MAX: usize = 10_924;

/// A text that is no key, or no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A public key is 32 bytes.
    #[error("a public key must be 64 hexadecimal digits")]
    PublicKey,
    /// A proof is Base64 and has its bound.
    #[error("a proof must be Base64 of 1 to 8192 bytes")]
    Signed,
}

/// An Ed25519 public key (RFC 8032), written as 64 hexadecimal digits. That it is a point of the curve
/// is for whoever verifies with it to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub [u8; 32]);

impl TryFrom<String> for PublicKey {
    type Error = RecordError;
    fn try_from(text: String) -> Result<Self, RecordError> {
        Digest::try_from(text).map(|bytes| Self(bytes.0)).map_err(|_| RecordError::PublicKey)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

/// The bytes that the device signed, in Base64: they prove what was made of them, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signed(String);

impl Signed {
    /// Takes Base64 (RFC 4648 section 4) of at most 8 KiB.
    ///
    /// # Errors
    /// [`RecordError::Signed`] when it is empty, too long or has another alphabet.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let in_alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        if (1..=SIGNED_CHARS_MAX).contains(&text.len()) && text.chars().all(in_alphabet) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RecordError::Signed)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Signed {
    type Error = RecordError;
    fn try_from(text: String) -> Result<Self, RecordError> {
        Self::parse(&text)
    }
}

impl From<Signed> for String {
    fn from(signed: Signed) -> Self {
        signed.0
    }
}

/// A record of the device, with its signature verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The how-manieth record of the device, 1 to [`COUNTER_MAX`](super::COUNTER_MAX).
    pub counter: u64,
    /// The SHA-256 of the signed bytes.
    pub hash: Digest,
    /// What it says the hash of the record before is; zeros in the first.
    pub previous: Digest,
    /// When it was written, as the device claims.
    pub recorded_at: Timestamp,
    /// The signed bytes; none where only the state has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
    /// What it says. None where that is nothing that a visit could be told, such as an enterprise that
    /// cannot exist: such a record stays in the chain with its proof, and is not delivered.
    pub kept: Option<Kept>,
}

/// A record that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// The record.
    pub record: Received,
    /// What its place in the chain says against it.
    pub doubts: FewSet<Irregularity>,
}

impl Arrived {
    /// What the visit is to be told, with every doubt.
    pub(super) fn to_deliver(&self) -> Option<Kept> {
        let mut kept = self.record.kept.clone()?;
        kept.doubts.extend(self.doubts.iter().copied());
        Some(kept)
    }

    /// As the state keeps it: no rule reads the proof, which is in the log.
    pub(super) fn without_proof(&self) -> Self {
        let record = Received { signed: None, ..self.record.clone() };
        Self { record, doubts: self.doubts.clone() }
    }
}

/// What was handed in, however it was understood.
pub(super) fn hashes<S: Serializer>(records: &[Received], to: S) -> Result<S::Ok, S::Error> {
    let mut hashes = to.serialize_seq(Some(records.len()))?;
    for record in records {
        hashes.serialize_element(&record.hash)?;
    }
    hashes.end()
}
