//! Records that a device kept while it had no network (离线记录), as they are taken in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CheckIn, Irregularity, Plan};
use crate::{
    FewSet,
    ids::{DeviceId, EnterpriseId, UnitId, VisitId},
};

/// A record that a device kept, with its signature verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The device.
    pub device: DeviceId,
    /// The how-manieth record of that device, from 1.
    pub counter: u64,
    /// The unit that the device is enrolled for.
    pub unit: UnitId,
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The visit.
    pub visit: VisitId,
    /// What it says.
    pub what: What,
    /// What was found out about it before any visit was looked at.
    pub doubts: FewSet<Irregularity>,
}

impl Kept {
    /// Whether it is the same record, whatever was found out about it since.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.device, self.counter, self.visit) == (other.device, other.counter, other.visit)
            && self.what == other.what
    }
}

/// What a kept record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "every other record is the large one")]
pub enum What {
    /// The officers came.
    CheckedIn {
        /// The scan.
        check_in: CheckIn,
        /// The plan, where the visit was made on the spot.
        improvised: Option<Plan>,
    },
    /// The officers left.
    CheckedOut {
        /// When.
        occurred_at: Timestamp,
    },
}

/// Why a kept record changes nothing on its visit. It is recorded all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAside {
    /// The enterprise has no such visit, and the record does not say what it was.
    VisitUnknown,
    /// The visit is another unit's.
    OtherUnit,
    /// Another scan had let the officers in already.
    AlreadyCheckedIn,
    /// The officers had not come, or had left already.
    NotCheckedIn,
    /// They would have left before they came.
    OutBeforeIn,
    /// It claims to lie in the future.
    InFuture,
}
