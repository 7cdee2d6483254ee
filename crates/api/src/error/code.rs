//! Why a code that was scanned is refused, in words of its own for each.

use doudi_scan::codes::{CodeError, TEXT_MAX};
use jiff::Timestamp;

use super::{Explain, Reason, Refusal};

impl Explain for CodeError {
    fn explain(&self) -> Refusal {
        let instant = |at: i64| Timestamp::from_second(at).unwrap_or(Timestamp::MAX);
        let refusal = match *self {
            Self::TooLong => Refusal::new(Reason::CodeTooLong).with("characters_max", TEXT_MAX),
            Self::NotACode => Refusal::new(Reason::CodeNotOurs),
            Self::Malformed(_) => Refusal::new(Reason::CodeMalformed),
            Self::VersionUnknown => Refusal::new(Reason::CodeVersionUnknown),
            Self::AlgorithmUnknown => Refusal::new(Reason::CodeAlgorithmUnknown),
            Self::OtherKind => Refusal::new(Reason::CodeOtherKind),
            Self::KeyUnknown => Refusal::new(Reason::CodeKeyUnknown),
            Self::Forged => Refusal::new(Reason::CodeForged),
            Self::Expired { at } => {
                Refusal::new(Reason::CodeExpired).instant("expired_at", instant(at))
            }
            Self::NotYet { at } => {
                Refusal::new(Reason::CodeNotYetValid).instant("valid_from", instant(at))
            }
        };
        refusal.about("code")
    }
}
