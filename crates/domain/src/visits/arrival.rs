//! How officers came in (扫码入企): what was scanned, how it reached us, and what was not in order.

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    FewSet,
    calendar::civil_date,
    ids::{CertificateNumber, CodeId, DeviceId, Reference},
};

/// How far a device's clock may be ahead of ours before what it claims lies in the future.
pub const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_secs(60);

/// How far a device's clock may be behind ours at the door before it is suspect.
pub const LIVE_BEHIND_MAX: SignedDuration = SignedDuration::from_mins(15);

/// One scan at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    /// The officers who came.
    pub officers: FewSet<CertificateNumber>,
    /// When they came.
    pub occurred_at: Timestamp,
    /// How the scan reached us.
    pub manner: Manner,
    /// What was scanned.
    pub proof: Proof,
    /// Where the device said it was.
    pub place: Option<Place>,
}

/// How a scan reached us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// At the door, over the network.
    Live,
    /// Kept by an enrolled device while it had no network.
    Kept {
        /// The device.
        device: DeviceId,
        /// The how-manieth record of that device, from 1.
        counter: u64,
    },
    /// Entered by hand afterwards, because a system or a network failed (补录).
    Backfilled {
        /// What failed.
        reason: Reference,
    },
    /// Said to have been kept on a device, before devices were enrolled.
    Stated,
}

impl Manner {
    /// Whether the scan had already happened when we heard of it, so that it is recorded whatever the
    /// rules say.
    #[must_use]
    pub fn is_late(&self) -> bool {
        !matches!(self, Self::Live)
    }
}

/// What was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// The code that hangs at the enterprise (企业码).
    PrintedCode {
        /// Which.
        code: CodeId,
    },
    /// A code that the enterprise showed and that lives for a minute.
    RotatingCode {
        /// Which.
        code: CodeId,
    },
    /// The enterprise scanned the visit's own code and let the officers in (检查任务码).
    TaskCode {
        /// Which.
        code: CodeId,
    },
}

/// What a scan proves (可信级别), from the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// That somebody says so.
    Stated,
    /// That the device was at the place once.
    Place,
    /// That officers and enterprise met there and then.
    Presence,
    /// That the enterprise saw who came, and why, and let them in.
    Admitted,
}

impl Proof {
    /// What it proves.
    #[must_use]
    pub fn assurance(self) -> Assurance {
        match self {
            Self::Nothing => Assurance::Stated,
            Self::PrintedCode { .. } => Assurance::Place,
            Self::RotatingCode { .. } => Assurance::Presence,
            Self::TaskCode { .. } => Assurance::Admitted,
        }
    }
}

/// A point on the earth, as a device claims it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north times a million, -90,000,000 to 90,000,000.
    pub latitude_e6: i32,
    /// Degrees east times a million, -180,000,000 to 180,000,000.
    pub longitude_e6: i32,
    /// How far off it may be, in metres.
    pub accuracy_m: u32,
}

impl Place {
    /// How far apart two points are at least, in metres, given how far off each may be.
    #[must_use]
    pub fn apart_m(&self, other: &Self) -> u32 {
        const METRES_PER_DEGREE: f64 = 111_195.0;
        let degrees = |e6: i32| f64::from(e6) / 1e6;
        let north = degrees(self.latitude_e6) - degrees(other.latitude_e6);
        let half = f64::midpoint(degrees(self.latitude_e6), degrees(other.latitude_e6));
        let east = (degrees(self.longitude_e6) - degrees(other.longitude_e6)).abs();
        let east = east.min(360.0 - east) * half.to_radians().cos();
        let metres = north.hypot(east) * METRES_PER_DEGREE;
        // At most half the earth's circumference, which fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let metres = metres.floor() as u32;
        metres.saturating_sub(self.accuracy_m).saturating_sub(other.accuracy_m)
    }
}

/// What was not in order with a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Irregularity {
    /// The head of a unit that takes part had not approved.
    NotApproved,
    /// The visit had been cancelled.
    AfterCancellation,
    /// The visit had expired.
    AfterExpiry,
    /// It was before the planned day.
    BeforePlannedDay,
    /// Fewer officers than [`OFFICERS_MIN`](super::OFFICERS_MIN).
    TooFewOfficers,
    /// No frequency policy was in force, so no limit was looked at.
    LimitsUnchecked,
    /// An officer without a certificate of the unit that was valid that day.
    OfficerInvalid,
    /// The enterprise had refused the visit.
    AfterRefusal,
    /// The visit had become part of another one.
    AfterMerge,
    /// Nobody had planned the visit.
    Unplanned,
    /// What was inspected is not in the unit's published catalogue, or not so.
    OutsideCatalogue,
    /// The ground is exempt from a limit, and nothing proves it.
    EvidenceMissing,
    /// A complaint about an earlier visit of the unit was not answered yet.
    Held,
    /// It was entered later than the rules allow.
    BackfilledLate,
    /// No code was scanned.
    CodeMissing,
    /// The code is not sound: forged, cut, or out of its time.
    CodeInvalid,
    /// The code is another enterprise's or another visit's.
    CodeOfOther,
    /// The code had been revoked, or was never issued.
    CodeRevoked,
    /// A code that is good for one scan had been used before.
    CodeReplayed,
    /// The device was not near where the code hangs.
    PlaceImplausible,
    /// The device's clock does not fit the time we gave it.
    ClockSuspect,
    /// Another record with the same number came from that device: it has a double, or was set back.
    DeviceCloned,
    /// The record does not follow the one before it.
    ChainBroken,
    /// The enterprise is not registered.
    EnterpriseUnregistered,
}

impl Irregularity {
    /// Whether it is marked only, also where the officers are at the door: what a device says of place
    /// and time decides nothing alone.
    #[must_use]
    pub fn only_marks(self) -> bool {
        matches!(self, Self::PlaceImplausible | Self::ClockSuspect)
    }
}

/// The day that a visit counts on once the officers came: the day of check-in, but never one before the
/// planned day, nor one after the day on which it was recorded. What a device or a unit claims could otherwise
/// move a visit out of its window, backwards or forwards.
#[must_use]
pub(super) fn counts_on(planned_on: Date, checked_in_at: Timestamp, recorded_on: Date) -> Date {
    civil_date(checked_in_at).max(planned_on).min(recorded_on)
}
