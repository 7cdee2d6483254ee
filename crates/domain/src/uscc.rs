//! The unified social credit code and its check digit (GB 32100-2015).

use serde::{Deserialize, Serialize};

use crate::ids::Invalid;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const LENGTH: usize = 18;

/// Unified social credit code (统一社会信用代码): 18 characters of a 31-letter alphabet, upper case.
///
/// Codes whose check digit fails exist in the real register, so a wrong digit is marked and not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uscc([u8; LENGTH]);

/// Whether the last character agrees with the first seventeen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDigit {
    /// It agrees.
    Correct,
    /// It does not; the digit that would agree is given.
    Wrong {
        /// The digit that the first seventeen characters call for.
        expected: char,
    },
    /// The id is a local one and has no check digit.
    None,
}

impl Uscc {
    /// Parses 18 characters of the alphabet; lower case is normalised.
    ///
    /// # Errors
    /// [`Invalid::EnterpriseId`] for another length or a character outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes: [u8; LENGTH] =
            text.to_ascii_uppercase().as_bytes().try_into().map_err(|_| Invalid::EnterpriseId)?;
        if bytes.iter().all(|b| ALPHABET.contains(b)) {
            Ok(Self(bytes))
        } else {
            Err(Invalid::EnterpriseId)
        }
    }

    /// Compares the last character with 31 - sum(value * 3^i mod 31) mod 31.
    #[must_use]
    pub fn check_digit(&self) -> CheckDigit {
        let mut weight = 1;
        let mut sum = 0;
        for byte in &self.0[..LENGTH - 1] {
            let value = ALPHABET.iter().position(|a| a == byte).unwrap_or(0);
            sum += value * weight;
            weight = weight * 3 % 31;
        }
        let expected = ALPHABET[(31 - sum % 31) % 31];
        if expected == self.0[LENGTH - 1] {
            CheckDigit::Correct
        } else {
            CheckDigit::Wrong { expected: char::from(expected) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_real_codes() {
        for (code, expected) in [
            ("91512081MA62K0260E", CheckDigit::Correct),
            ("9131000063159284XQ", CheckDigit::Correct),
            ("91110000600037341L", CheckDigit::Correct),
            ("91110000600037341l", CheckDigit::Correct),
            ("91512081MA62K0260F", CheckDigit::Wrong { expected: 'E' }),
        ] {
            assert_eq!(Uscc::parse(code).unwrap().check_digit(), expected, "{code}");
        }
        let real = Uscc::parse("91350211M0000XUF46").unwrap().check_digit();
        assert!(matches!(real, CheckDigit::Wrong { .. }), "a real code whose digit fails");
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "91512081MA62K0260", "91512081MA62K0260EE", "91512081MA62K026OE", "兜底"]
        {
            assert_eq!(Uscc::parse(text), Err(Invalid::EnterpriseId), "{text}");
        }
    }
}
