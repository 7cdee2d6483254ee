//! A hash that names its algorithm, so that the log can change from SHA-256 to SM3 and old
//! records stay checkable.

use std::{fmt, fmt::Write as _, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// The algorithms that a hash may name. Both give 32 bytes, written as 64 lower-case hex digits.
const ALGORITHMS: [&str; 2] = ["sha256", "sm3"];
const HEX_DIGITS: usize = 64;

/// A hash of some bytes, tagged with its algorithm: `sha256:<64 hex digits>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(String);

impl Hash {
    /// The SHA-256 hash (FIPS 180-4) of `bytes`.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Hash {
        let mut text = String::with_capacity("sha256:".len() + HEX_DIGITS);
        text.push_str("sha256:");
        for byte in Sha256::digest(bytes) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Hash(text)
    }

    /// The text form, `<algorithm>:<hex digits>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Hash, HashError> {
        let (algorithm, hex) = text.split_once(':').unwrap_or((text, ""));
        if !ALGORITHMS.contains(&algorithm) {
            return Err(HashError::Algorithm { found: algorithm.to_owned() });
        }
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() != HEX_DIGITS || !hex.bytes().all(is_hex) {
            return Err(HashError::Digits);
        }
        Ok(Hash(text.to_owned()))
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
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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
            assert_eq!(Hash::sha256(bytes).as_str(), expected);
        }
    }

    #[test]
    fn only_known_algorithms_with_full_digits_are_read() {
        let digits = "0".repeat(HEX_DIGITS);
        for good in [format!("sha256:{digits}"), format!("sm3:{digits}")] {
            assert_eq!(good.parse::<Hash>().unwrap().as_str(), good);
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
