//! The ring of keys: a JWK set (RFC 7517) of Ed25519 keys (RFC 8037), of which one seals.
//!
//! No error and no `Debug` form shows anything of a private part.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ciborium::Value;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde_json::Value as Json;

use super::{CodeError, PREFIX, SealError, TEXT_MAX};
use crate::{
    cbor::{Fields, Malformed},
    envelope::{self, Envelope, Kind},
};

/// The longest name of a key, in bytes: it stands in every code.
const KID_MAX: usize = 32;

/// The public keys that open codes, and the private one that seals them.
///
/// The first key of the set that has its private part `d` seals; every key opens. So a key is
/// rotated with an overlap: add the new key behind, distribute, move it to the front, and take the
/// old one out when its last code has expired. A reader needs the public parts alone.
#[derive(Clone)]
pub struct KeyRing {
    open: BTreeMap<String, VerifyingKey>,
    seal: Option<(String, SigningKey)>,
}

/// Why a JWK set is not usable as a key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The text is not JSON.
    #[error("reading a key ring: it is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// The JSON is not a JWK set.
    #[error("reading a key ring: it is not of the form {{\"keys\": [...]}}")]
    NotASet,
    /// A ring without keys would refuse every code.
    #[error("reading a key ring: it holds no key")]
    Empty,
    /// A code names its key, in few bytes.
    #[error("reading a key ring: the key at index {index} needs a kid of 1 to {KID_MAX} bytes")]
    Unnamed {
        /// Its place in the set, from 0.
        index: usize,
    },
    /// Two keys have one name.
    #[error("reading a key ring: two keys have the kid {kid}")]
    Twice {
        /// The name.
        kid: String,
    },
    /// The key is of a kind that is refused here.
    #[error("reading a key ring: the key {kid} must be an Ed25519 key for signatures")]
    Kind {
        /// The key's name.
        kid: String,
    },
    /// The key's numbers are not a key.
    #[error("reading a key ring: x of the key {kid} is not a usable public key")]
    Public {
        /// The key's name.
        kid: String,
    },
    /// The private part is not 32 bytes, or is that of another key.
    #[error("reading a key ring: d of the key {kid} is not the private part of x")]
    Private {
        /// The key's name.
        kid: String,
    },
}

impl KeyRing {
    /// Parses a JWK set.
    ///
    /// # Errors
    /// [`KeysError`] names the first key that is refused; a set is taken whole or not at all.
    pub fn parse(json: &str) -> Result<Self, KeysError> {
        let set: Json = serde_json::from_str(json).map_err(KeysError::Syntax)?;
        let keys = set.get("keys").and_then(Json::as_array).ok_or(KeysError::NotASet)?;
        if keys.is_empty() {
            return Err(KeysError::Empty);
        }
        let mut ring = Self { open: BTreeMap::new(), seal: None };
        for (index, jwk) in keys.iter().enumerate() {
            let kid = member(jwk, "kid").filter(|kid| (1..=KID_MAX).contains(&kid.len()));
            let kid = kid.ok_or(KeysError::Unnamed { index })?.to_owned();
            let (public, private) = key(&kid, jwk)?;
            if let (None, Some(private)) = (&ring.seal, private) {
                ring.seal = Some((kid.clone(), private));
            }
            if ring.open.insert(kid.clone(), public).is_some() {
                return Err(KeysError::Twice { kid });
            }
        }
        Ok(ring)
    }

    /// The names of all keys, sorted.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// The name of the key that seals, unless the ring only opens.
    #[must_use]
    pub fn sealing_kid(&self) -> Option<&str> {
        self.seal.as_ref().map(|(kid, _)| kid.as_str())
    }

    /// Seals fields that have been checked.
    pub(super) fn seal_text(&self, kind: Kind, fields: Vec<Value>) -> Result<String, SealError> {
        let (kid, key) = self.seal.as_ref().ok_or(SealError::NoPrivateKey)?;
        let bytes = envelope::seal(kind, fields, kid.as_bytes(), key)?;
        Ok(format!("{PREFIX}{}", base45::encode(bytes)))
    }

    /// The fields of a text of an expected kind, once its signature is known to be true.
    pub(super) fn open_text(
        &self,
        text: &str,
        expected: fn(Kind) -> bool,
    ) -> Result<(Kind, Fields), CodeError> {
        if text.len() > TEXT_MAX {
            return Err(CodeError::TooLong);
        }
        let base45 = text.strip_prefix(PREFIX).ok_or(CodeError::NotACode)?;
        let bytes = base45::decode(base45).map_err(|_| Malformed("it is not Base45"))?;
        // The decoder takes two characters that stand for more than 255 as if they were fewer.
        if base45::encode(&bytes) != base45 {
            return Err(Malformed("it is not Base45").into());
        }
        let envelope = Envelope::read(&bytes)?;
        let kind = envelope.kind;
        if !expected(kind) {
            return Err(CodeError::OtherKind);
        }
        let kid = std::str::from_utf8(&envelope.kid).ok();
        let key = kid.and_then(|kid| self.open.get(kid)).ok_or(CodeError::KeyUnknown)?;
        Ok((kind, envelope.verify(key).ok_or(CodeError::Forged)?))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("open", &self.open.keys())
            .field("seal", &self.sealing_kid())
            .finish_non_exhaustive()
    }
}

fn member<'a>(jwk: &'a Json, name: &str) -> Option<&'a str> {
    jwk.get(name).and_then(Json::as_str)
}

fn key(kid: &str, jwk: &Json) -> Result<(VerifyingKey, Option<SigningKey>), KeysError> {
    let absent_or = |name, values: &[&str]| {
        jwk.get(name).is_none_or(|_| member(jwk, name).is_some_and(|value| values.contains(&value)))
    };
    let ed25519 = member(jwk, "kty") == Some("OKP") && member(jwk, "crv") == Some("Ed25519");
    // RFC 8037 calls the algorithm EdDSA, RFC 9864 Ed25519.
    if !ed25519 || !absent_or("alg", &["EdDSA", "Ed25519"]) || !absent_or("use", &["sig"]) {
        return Err(KeysError::Kind { kid: kid.to_owned() });
    }
    let public = member(jwk, "x").and_then(number).and_then(|x| VerifyingKey::from_bytes(&x).ok());
    let public = public.filter(|public| !public.is_weak());
    let public = public.ok_or_else(|| KeysError::Public { kid: kid.to_owned() })?;
    if jwk.get("d").is_none() {
        return Ok((public, None));
    }
    let private = member(jwk, "d").and_then(number).map(|d| SigningKey::from_bytes(&d));
    let private = private.filter(|private| private.verifying_key() == public);
    let private = private.ok_or_else(|| KeysError::Private { kid: kid.to_owned() })?;
    Ok((public, Some(private)))
}

fn number(base64url: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(base64url).ok()?.try_into().ok()
}
