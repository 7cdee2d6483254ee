//! Codes that are scanned, both ways, and time anchors: sealed by the server, opened with its keys.
//!
//! The text is `DD1:` and the Base45 form (RFC 9285) of a COSE_Sign1. One signed text is one text:
//! lower case, padding, another spelling of the same bytes or CBOR are all refused, so a text may
//! be compared and hashed as it stands. Only who holds the key can make a second text of the same
//! contents.

mod keys;
mod payload;

#[cfg(test)]
pub(crate) mod tests;

use uuid::Uuid;

pub use keys::{KeyRing, KeysError};

use crate::{Malformed, Place, envelope::EnvelopeError};

/// What every text begins with: the name and the number of the form.
pub const PREFIX: &str = "DD1:";

/// The longest text that is looked at, in bytes (each character is one).
pub const TEXT_MAX: usize = 1_024;

/// How far the clocks of issuer and reader may differ, in seconds: a code is valid this much
/// before it was issued and after it expires.
pub const LEEWAY_S: i64 = 60;

/// What is shown to be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// The officer scans it at the enterprise.
    Enterprise(EnterpriseCode),
    /// The officer shows it, the enterprise scans it.
    Visit(VisitCode),
}

/// An enterprise code (企业码): where, and in its rotating form when, a visit took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnterpriseCode {
    /// The code's own id, by which it can be revoked.
    pub id: Uuid,
    /// Whose door it is: the unified social credit code or local id, 1 to 64 bytes.
    pub enterprise: String,
    /// On paper or on a screen.
    pub form: Form,
    /// Where a printed code hangs, if that was recorded.
    pub place: Option<Place>,
    /// Since when it is valid: seconds since 1970 in UTC.
    pub issued_at: i64,
    /// The first second in which it is no longer valid: after `issued_at`, seconds since 1970 in
    /// UTC.
    pub expires_at: i64,
}

/// What an enterprise code proves depends on its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Printed once and hung up: whoever scans it has been there, or has a photograph of it.
    Printed,
    /// Shown on a screen and replaced each minute: whoever scans it is there now.
    Rotating,
}

/// A visit's task code (检查任务码): the enterprise sees who stands at its door, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitCode {
    /// The code's own id, by which it can be revoked.
    pub id: Uuid,
    /// Who is visited: the unified social credit code or local id, 1 to 64 bytes.
    pub enterprise: String,
    /// The visit.
    pub visit: Uuid,
    /// Since when it is valid: seconds since 1970 in UTC.
    pub issued_at: i64,
    /// The first second in which it is no longer valid: after `issued_at`, seconds since 1970 in
    /// UTC.
    pub expires_at: i64,
}

/// The server's time, given to one device while it had a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// To whom it was given.
    pub device: Uuid,
    /// The server's clock: milliseconds since 1970 in UTC.
    pub at: i64,
}

/// Why a text is refused. Nothing of a text that is refused may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Longer than [`TEXT_MAX`]; nothing of it was read.
    #[error("reading a code: it is longer than {TEXT_MAX} characters")]
    TooLong,
    /// It does not begin with [`PREFIX`]: somebody else's code.
    #[error("reading a code: it does not begin with {PREFIX}")]
    NotACode,
    /// Damaged, cut off, or never sealed by this project.
    #[error("reading a code: it is malformed")]
    Malformed(#[source] Malformed),
    /// Sealed by a newer version.
    #[error("reading a code: its version is unknown")]
    VersionUnknown,
    /// Signed with something else than Ed25519.
    #[error("reading a code: its signature algorithm is unknown")]
    AlgorithmUnknown,
    /// Sealed for another use: an anchor where a code is expected, or the other way round.
    #[error("reading a code: it was sealed for another use")]
    OtherKind,
    /// Signed with a key that is not, or no longer, in the ring.
    #[error("reading a code: its key is unknown")]
    KeyUnknown,
    /// The signature is not that of the key it names.
    #[error("reading a code: its signature is false")]
    Forged,
    /// No longer valid.
    #[error("reading a code: it expired {at} s after 1970")]
    Expired {
        /// When it expired: seconds since 1970 in UTC.
        at: i64,
    },
    /// Not valid yet.
    #[error("reading a code: it is valid from {at} s after 1970 on")]
    NotYet {
        /// From when on it is valid: seconds since 1970 in UTC.
        at: i64,
    },
}

impl From<EnvelopeError> for CodeError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Malformed(malformed) => Self::Malformed(malformed),
            EnvelopeError::VersionUnknown => Self::VersionUnknown,
            EnvelopeError::AlgorithmUnknown => Self::AlgorithmUnknown,
            EnvelopeError::KindUnknown => Self::OtherKind,
        }
    }
}

impl From<Malformed> for CodeError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The ring holds public keys alone.
    #[error("sealing a code: the key ring holds no private key")]
    NoPrivateKey,
    /// A field is outside its bounds.
    #[error("sealing a code: a field is out of bounds")]
    OutOfBounds(#[source] Malformed),
}

impl From<Malformed> for SealError {
    fn from(malformed: Malformed) -> Self {
        Self::OutOfBounds(malformed)
    }
}

impl Code {
    /// The code's own id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Enterprise(code) => code.id,
            Self::Visit(code) => code.id,
        }
    }

    /// The enterprise it belongs to.
    #[must_use]
    pub fn enterprise(&self) -> &str {
        match self {
            Self::Enterprise(code) => &code.enterprise,
            Self::Visit(code) => &code.enterprise,
        }
    }

    fn valid_at(&self, now: i64) -> Result<(), CodeError> {
        let (from, until) = match self {
            Self::Enterprise(code) => (code.issued_at, code.expires_at),
            Self::Visit(code) => (code.issued_at, code.expires_at),
        };
        if now < from.saturating_sub(LEEWAY_S) {
            return Err(CodeError::NotYet { at: from });
        }
        if now >= until.saturating_add(LEEWAY_S) {
            return Err(CodeError::Expired { at: until });
        }
        Ok(())
    }
}

impl KeyRing {
    /// Seals a code with the ring's private key.
    ///
    /// # Errors
    /// [`SealError`] if there is no such key, or a field is outside its bounds.
    pub fn seal(&self, code: &Code) -> Result<String, SealError> {
        let (kind, fields) = payload::write_code(code);
        payload::read_code(kind, payload::fields(&fields)?)?;
        self.seal_text(kind, fields)
    }

    /// Opens a code that is valid at `now`, seconds since 1970 in UTC.
    ///
    /// Whether the code was revoked is not written in it: ask who issued it, by [`Code::id`].
    ///
    /// # Errors
    /// [`CodeError`] says why it is refused.
    pub fn open(&self, text: &str, now: i64) -> Result<Code, CodeError> {
        let (kind, fields) = self.open_text(text, payload::is_code)?;
        let code = payload::read_code(kind, fields)?;
        code.valid_at(now)?;
        Ok(code)
    }

    /// Seals a time anchor with the ring's private key.
    ///
    /// # Errors
    /// [`SealError`] if there is no such key, or the time is out of bounds.
    pub fn seal_anchor(&self, anchor: &Anchor) -> Result<String, SealError> {
        let (kind, fields) = payload::write_anchor(anchor);
        payload::read_anchor(payload::fields(&fields)?)?;
        self.seal_text(kind, fields)
    }

    /// Opens a time anchor; it does not expire.
    ///
    /// # Errors
    /// [`CodeError`] says why it is refused; never `Expired` or `NotYet`.
    pub fn open_anchor(&self, text: &str) -> Result<Anchor, CodeError> {
        let (_, fields) = self.open_text(text, payload::is_anchor)?;
        Ok(payload::read_anchor(fields)?)
    }
}
