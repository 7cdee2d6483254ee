//! A hash that names its algorithm, so that the log can change from SHA-256 to SM3 and old
//! records stay checkable.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// How many bytes every hash has, and how many hex digits they are written with.
const BYTES: usize = 32;
const HEX_DIGITS: usize = 2 * BYTES;

/// What made a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sm3,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::Sha256, Self::Sm3];

    fn tag(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }
}

/// A hash of some bytes, tagged with its algorithm: `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash {
    algorithm: Algorithm,
    bytes: [u8; BYTES],
}

impl Hash {
    /// The SHA-256 hash (FIPS 180-4) of `bytes`.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Hash {
        Hash { algorithm: Algorithm::Sha256, bytes: Sha256::digest(bytes).into() }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; HEX_DIGITS];
        let digits = HEXLOWER.encode_mut_str(&self.bytes, &mut digits);
        write!(f, "{}:{digits}", self.algorithm.tag())
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Hash, HashError> {
        let (tag, digits) = text.split_once(':').unwrap_or((text, ""));
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.tag() == tag);
        let algorithm = algorithm.ok_or_else(|| HashError::Algorithm { found: tag.to_owned() })?;
        let mut bytes = [0; BYTES];
        if digits.len() != HEX_DIGITS
            || HEXLOWER.decode_mut(digits.as_bytes(), &mut bytes) != Ok(BYTES)
        {
            return Err(HashError::Digits);
        }
        Ok(Hash { algorithm, bytes })
    }
}

/// Why a text is not a tagged hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The tag before the colon is missing or unknown.
    #[error("a hash must begin with sha256: or sm3:, not {found:?}")]
    Algorithm {
        /// The tag as it was found.
        found: String,
    },
    /// What follows the tag has the wrong length or characters.
    #[error("a hash must have {HEX_DIGITS} lower-case hex digits after its algorithm")]
    Digits,
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads a hash without a copy of its text.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Hash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_gives_the_published_values() {
        // FIPS 180-4 examples: the empty message and "abc".
        let cases: [(&[u8], &str); 2] = [
            (b"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Hash::sha256(bytes).to_string(), expected);
        }
    }

    #[test]
    fn only_known_algorithms_with_full_digits_are_read() {
        let digits = "0".repeat(HEX_DIGITS);
        for good in [format!("sha256:{digits}"), format!("sm3:{digits}")] {
            assert_eq!(good.parse::<Hash>().unwrap().to_string(), good);
            let json = format!("{good:?}");
            let hash: Hash = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&hash).unwrap(), json);
        }
        let refused = [
            String::new(),
            digits.clone(),
            format!("md5:{digits}"),
            format!("sha256:{}", &digits[1..]),
            format!("sha256:{digits}0"),
            format!("sha256:{}G", &digits[1..]),
            format!("sha256:{}A", &digits[1..]),
        ];
        for text in refused {
            assert!(text.parse::<Hash>().is_err(), "{text:?} must be refused");
        }
    }
}
