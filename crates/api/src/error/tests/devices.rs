//! Every rejection of devices, and every reason why bytes are no record, once.

use doudi_domain::device::Rejection as R;
use doudi_scan::records::{self, RecordError};

use super::*;
use crate::error::device::record;

pub(super) fn rejections() -> Vec<Refusal> {
    let rejections = [
        R::DeviceUnknown,
        R::EnrolledDifferently,
        R::OtherUnit { unit: unit("tax") },
        R::RevokedDifferently,
        R::RecordCount { found: 501 },
        R::CounterOutOfBounds { found: 0 },
        R::TooManyHeld { found: 20_001 },
        R::RecordUnknown { counter: 7 },
        R::UploadUnknown { upload: 3 },
    ];
    rejections.iter().map(Explain::explain).chain(no_records()).collect()
}

fn no_records() -> Vec<Refusal> {
    let errors = [
        RecordError::TooLong,
        RecordError::VersionUnknown,
        RecordError::AlgorithmUnknown,
        RecordError::OtherKind,
        RecordError::OtherDevice,
        RecordError::Forged,
        RecordError::KeyUnusable,
        RecordError::CounterSpent,
    ];
    errors.into_iter().map(record).collect()
}

#[test]
fn bytes_that_are_no_record_are_told_from_a_false_signature_and_from_each_other() {
    let told = |error| record(error).reason().as_str();
    assert_eq!(told(RecordError::Forged), "RECORD_FORGED");
    assert_eq!(told(RecordError::OtherDevice), "RECORD_FORGED");
    assert_eq!(told(RecordError::TooLong), "RECORD_TOO_LARGE");
    assert_eq!(told(RecordError::VersionUnknown), "RECORD_VERSION_UNKNOWN");
    assert_eq!(told(RecordError::AlgorithmUnknown), "RECORD_ALGORITHM_UNKNOWN");
    assert_eq!(told(RecordError::OtherKind), "RECORD_MALFORMED");
    let cut = records::device_of(&[0; 7]).unwrap_err();
    assert_eq!(told(cut), "RECORD_MALFORMED");
}
