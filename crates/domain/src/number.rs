//! The case number (诉求编号) that people read out, write down and type in.
//!
//! It is derived from the appeal's id and the day of its submission, so that no counter is shared.
//! Forty bits of the id make two numbers of one day alike once in a million years at ten thousand
//! appeals a day; whoever looks a number up must still be ready for two.

use std::fmt;

use jiff::civil::Date;

use crate::ids::AppealId;

/// Digits and letters without those that are mistaken for others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The characters that the check character is computed over and chosen from (ISO/IEC 7064 MOD 37,36).
const CHECKED: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A case number such as `SQ250425-7K3M9QX2-R`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber(String);

/// Why a text is no case number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseNumberError {
    /// It has another shape.
    #[error("must look like SQ250425-7K3M9QX2-R")]
    Shape,
    /// A character was mistaken or two were swapped.
    #[error("has a mistake: its last character does not check")]
    Check,
}

impl CaseNumber {
    /// The number of an appeal that was submitted on that day.
    #[must_use]
    pub fn of(appeal: AppealId, submitted_on: Date) -> Self {
        // The first bytes of the id hold no version bits.
        let [a, b, c, d, e, ..] = *appeal.0.as_bytes();
        let bits =
            [a, b, c, d, e].into_iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(byte));
        let digit = |at: u32| char::from(ALPHABET[(bits >> (5 * at) & 31) as usize]);
        let body: String = (0..8).rev().map(digit).collect();
        let (year, month, day) = (submitted_on.year(), submitted_on.month(), submitted_on.day());
        let head = format!("SQ{:02}{month:02}{day:02}", year.rem_euclid(100));
        let check = check(head.chars().chain(body.chars()));
        Self(format!("{head}-{body}-{check}"))
    }

    /// Reads a number as people write it: in any case, with or without the hyphens.
    ///
    /// # Errors
    /// [`CaseNumberError`] when it is none, or has a mistake in it.
    pub fn parse(text: &str) -> Result<Self, CaseNumberError> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .take(18)
            .collect();
        let Some((head, rest)) = plain.split_at_checked(8) else {
            return Err(CaseNumberError::Shape);
        };
        let date = head.strip_prefix("SQ").unwrap_or_default();
        if date.len() != 6 || rest.len() != 9 || !date.bytes().all(|c| c.is_ascii_digit()) {
            return Err(CaseNumberError::Shape);
        }
        if !plain.chars().all(|c| CHECKED.contains(c)) {
            return Err(CaseNumberError::Shape);
        }
        let (body, last) = rest.split_at(8);
        if !last.starts_with(check(head.chars().chain(body.chars()))) {
            return Err(CaseNumberError::Check);
        }
        Ok(Self(format!("{head}-{body}-{last}")))
    }

    /// The number with its hyphens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The check character of ISO/IEC 7064 MOD 37,36: it finds every single mistake and every swap of
/// neighbours.
fn check(text: impl Iterator<Item = char>) -> char {
    let product = text.filter_map(|c| CHECKED.find(c)).fold(36, |product, value| {
        let sum = (product + value) % 36;
        (if sum == 0 { 36 } else { sum }) * 2 % 37
    });
    let value = (37 - product) % 36;
    CHECKED.chars().nth(value).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kit::day;

    fn number() -> CaseNumber {
        let id = Uuid::parse_str("9f1c2d3e-4b5a-5c6d-8e7f-0123456789ab").unwrap();
        CaseNumber::of(AppealId(id), day("2025-04-25"))
    }

    #[test]
    fn a_number_says_its_day_and_reads_back() {
        let number = number();
        assert!(number.as_str().starts_with("SQ250425-"), "{number}");
        assert_eq!(number.as_str().len(), 19);
        let sloppy = format!(" {} ", number.as_str().replace('-', "").to_lowercase());
        assert_eq!(CaseNumber::parse(&sloppy), Ok(number));
    }

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The example of the standard's annex: the check character of A12425GABC1234002 is M.
        assert_eq!(check("A12425GABC1234002".chars()), 'M');
    }

    #[test]
    fn every_single_mistake_and_swap_is_found() {
        let sound: Vec<char> = number().as_str().replace('-', "").chars().collect();
        for at in 2..sound.len() {
            for other in CHECKED.chars().filter(|other| *other != sound[at]) {
                let mut wrong = sound.clone();
                wrong[at] = other;
                assert!(CaseNumber::parse(&wrong.iter().collect::<String>()).is_err(), "{wrong:?}");
            }
            if at + 1 < sound.len() && sound[at] != sound[at + 1] {
                let mut swapped = sound.clone();
                swapped.swap(at, at + 1);
                assert!(CaseNumber::parse(&swapped.iter().collect::<String>()).is_err());
            }
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in ["", "SQ", "12345", "SQ25042A-7K3M9QX2-R", "é".repeat(19).as_str()] {
            assert_eq!(CaseNumber::parse(text), Err(CaseNumberError::Shape), "{text}");
        }
    }
}
