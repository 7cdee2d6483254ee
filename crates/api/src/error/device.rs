//! The rejections of devices, and why a record is no record, explained.

use doudi_domain::device::{COUNTER_MAX, HELD_MAX, RECORDS_MAX, Rejection};
use doudi_scan::records::{RECORD_MAX, RecordError};

use super::{Explain, Reason, Refusal, campaign::size};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::DeviceUnknown => Refusal::new(Reason::DeviceUnknown),
            Self::EnrolledDifferently => Refusal::new(Reason::DeviceEnrolledDifferently),
            Self::OtherUnit { unit } => Refusal::new(Reason::DeviceOtherUnit).with("unit", unit),
            Self::RevokedDifferently => {
                Refusal::new(Reason::DeviceRevokedDifferently).about("revocation")
            }
            Self::RecordCount { found } => size(*found, 1, RECORDS_MAX).about("counters"),
            Self::CounterOutOfBounds { found } => Refusal::new(Reason::RecordCounterOutOfBounds)
                .with("found", found)
                .with("max", COUNTER_MAX),
            Self::TooManyHeld { found } => {
                Refusal::new(Reason::DeviceHoldsTooMuch).with("found", found).with("max", HELD_MAX)
            }
            Self::RecordUnknown { counter } => {
                Refusal::new(Reason::RecordUnknown).with("counter", counter).about("counters")
            }
            Self::UploadUnknown { upload } => {
                Refusal::new(Reason::DeviceUploadUnknown).with("upload", upload)
            }
        }
    }
}

/// Why bytes that were handed in are not a record of their device.
pub(crate) fn record(error: RecordError) -> Refusal {
    match error {
        RecordError::TooLong => Refusal::new(Reason::RecordTooLarge).with("bytes_max", RECORD_MAX),
        RecordError::Malformed(_) | RecordError::OtherKind | RecordError::CounterSpent => {
            Refusal::new(Reason::RecordMalformed)
        }
        RecordError::VersionUnknown => Refusal::new(Reason::RecordVersionUnknown),
        RecordError::AlgorithmUnknown => Refusal::new(Reason::RecordAlgorithmUnknown),
        RecordError::OtherDevice | RecordError::Forged | RecordError::KeyUnusable => {
            Refusal::new(Reason::RecordForged)
        }
    }
}
