//! Why a command on a device is refused.

use super::{COUNTER_MAX, HELD_MAX, RECORDS_MAX, UnitId};

/// Why a command on a device is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such device.
    #[error("there is no such device")]
    DeviceUnknown,
    /// The id belongs to a device with another key, unit or label.
    #[error("the device is already enrolled with another content")]
    EnrolledDifferently,
    /// Only the unit that the device is enrolled for does this, or an administrator.
    #[error("only the unit {unit} that the device is enrolled for does this")]
    OtherUnit {
        /// The unit.
        unit: UnitId,
    },
    /// It is revoked from an earlier instant already, or for another reason.
    #[error("the device is revoked already, for another reason or from an earlier instant")]
    RevokedDifferently,
    /// No record is given, or too many at once.
    #[error("{found} records are given, it must be 1 to {max} at once", max = RECORDS_MAX)]
    RecordCount {
        /// How many were given.
        found: usize,
    },
    /// A counter is 0, or larger than any device gets.
    #[error("a record has the counter {found}, it must be 1 to {max}", max = COUNTER_MAX)]
    CounterOutOfBounds {
        /// The counter.
        found: u64,
    },
    /// Too many records of this device wait for delivery or for their release.
    #[error("{found} records of the device would be waiting, at most {max} may", max = HELD_MAX)]
    TooManyHeld {
        /// How many would wait.
        found: usize,
    },
    /// There is no record under that counter to be released.
    #[error("the device has no record {counter}")]
    RecordUnknown {
        /// The counter.
        counter: u64,
    },
    /// There was no such batch.
    #[error("there was no upload {upload}")]
    UploadUnknown {
        /// The batch.
        upload: u32,
    },
}
