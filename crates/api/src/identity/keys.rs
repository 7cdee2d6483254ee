//! The keys that tokens are signed with: a JWK set (RFC 7517) of Ed25519 and P-256 public keys.
//!
//! No RSA, whose Rust implementation leaks timing; no symmetric key, which could also forge.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// Why a JWK set is not usable.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The text is not a JWK set.
    #[error("reading a JWK set: it is not of the form {{\"keys\": [...]}}")]
    Malformed(#[source] serde_json::Error),
    /// A set without keys would refuse everybody.
    #[error("reading a JWK set: it holds no key")]
    Empty,
    /// A key cannot be chosen without a name.
    #[error("reading a JWK set: the key at index {index} has no kid")]
    Unnamed {
        /// Its place in the set, from 0.
        index: usize,
    },
    /// Two keys have one name.
    #[error("reading a JWK set: two keys have the kid {kid}")]
    Twice {
        /// The name.
        kid: String,
    },
    /// The key holds its private part, which must not be where tokens are only verified.
    #[error("reading a JWK set: the key {kid} holds its private part; give the public part alone")]
    Private {
        /// The key's name.
        kid: String,
    },
    /// The key is of a kind that is refused here.
    #[error("reading a JWK set: the key {kid} must be an Ed25519 or P-256 key for signatures")]
    Kind {
        /// The key's name.
        kid: String,
    },
    /// The key's numbers are not a key.
    #[error("reading a JWK set: the key {kid} is malformed")]
    Key {
        /// The key's name.
        kid: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The public keys by kid.
#[derive(Clone)]
pub struct Keys(HashMap<String, Key>);

#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// Parses a JWK set.
    ///
    /// # Errors
    /// [`KeysError`] names the first key that is refused; a set is taken whole or not at all.
    pub fn parse(json: &str) -> Result<Self, KeysError> {
        let set: Set = serde_json::from_str(json).map_err(KeysError::Malformed)?;
        if set.keys.is_empty() {
            return Err(KeysError::Empty);
        }
        let mut keys = HashMap::new();
        for (index, value) in set.keys.into_iter().enumerate() {
            let kid = value.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
            let kid = kid.ok_or(KeysError::Unnamed { index })?.to_owned();
            let key = parse(&kid, value)?;
            if keys.insert(kid.clone(), key).is_some() {
                return Err(KeysError::Twice { kid });
            }
        }
        Ok(Self(keys))
    }

    /// The names of the keys, in no order.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.0.keys()).finish()
    }
}

fn parse(kid: &str, value: Value) -> Result<Key, KeysError> {
    let kid = kid.to_owned();
    if value.get("d").is_some() {
        return Err(KeysError::Private { kid });
    }
    let jwk: Jwk = match serde_json::from_value(value) {
        Ok(jwk) => jwk,
        Err(source) => return Err(KeysError::Key { kid, source: Box::new(source) }),
    };
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::RSA(_)
        | AlgorithmParameters::OctetKey(_)
        | AlgorithmParameters::Other(_)
        | _ => return Err(KeysError::Kind { kid }),
    };
    let agrees = jwk.common.key_algorithm.is_none_or(|declared| declared == name);
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|to| *to == PublicKeyUse::Signature);
    if !agrees || !signs {
        return Err(KeysError::Kind { kid });
    }
    match DecodingKey::from_jwk(&jwk) {
        Ok(decoding) => Ok(Key { algorithm, decoding }),
        Err(source) => Err(KeysError::Key { kid, source: Box::new(source) }),
    }
}
