//! An enrolled device of the inspection app (执法终端), and the records that it kept without a network.
//!
//! Invariants: a record is taken in once, whatever order, cut or repetition it arrives in; what its
//! chain does not bear out is taken in with its doubts; what arrives of a device that was revoked waits
//! until somebody releases it; what was taken in or released is delivered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Context, Decider},
    ids::{Name, UnitId},
    visits::{Irregularity, Kept},
};

mod agenda;
mod chain;
mod decide;
mod record;
mod rejection;

pub use chain::{Chain, GAP_HOURS, Gap, Range};
pub use record::{Arrived, PublicKey, Received, RecordError, Signed};
pub use rejection::Rejection;

/// Records that are received, or released, at once at most.
pub const RECORDS_MAX: usize = 500;
/// Records that are kept whole at most, because they wait for delivery or for their release.
pub const HELD_MAX: usize = 20_000;
/// The last counter of a device: the largest that every JSON reader holds exactly (2^53 - 1).
pub const COUNTER_MAX: u64 = (1 << 53) - 1;
/// Ranges of missing records that are told of at once at most.
pub const RANGES_MAX: usize = 1_000;

/// Why a device is not trusted any more (停用原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeReason {
    /// It is lost or stolen (遗失).
    Lost,
    /// It is not used any more (停用).
    Retired,
    /// Its key may be known to others (失密).
    Compromised,
}

/// Since when a device is not trusted, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Why.
    pub reason: RevokeReason,
    /// What claims to be written from this instant on, or arrives from then on, is quarantined.
    pub from: Timestamp,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A unit enrolled it.
    DeviceEnrolled {
        /// The unit.
        unit: UnitId,
        /// Verifies its records.
        public_key: PublicKey,
        /// What people call it.
        label: Name,
    },
    /// It is not trusted any more. What arrived before stands.
    DeviceRevoked {
        /// Why and since when.
        revocation: Revocation,
    },
    /// Records arrived, and are to be delivered to their visits.
    RecordsReceived {
        /// The how-manieth batch to be delivered, from 1.
        upload: u32,
        /// The records in the order in which they arrived, none of them known before.
        records: Vec<Arrived>,
        /// When, in whole seconds.
        at: Timestamp,
        /// When the oldest gap that nobody was told of has been open for a day.
        missing_due: Option<Timestamp>,
    },
    /// Records arrived that are not to be trusted. They wait, whole.
    RecordsQuarantined {
        /// The records in the order in which they arrived, none of them known before.
        records: Vec<Arrived>,
        /// When, in whole seconds.
        at: Timestamp,
        /// When the oldest gap that nobody was told of has been open for a day.
        missing_due: Option<Timestamp>,
    },
    /// Somebody let quarantined records through. They are to be delivered.
    RecordsReleased {
        /// The how-manieth batch to be delivered, from 1.
        upload: u32,
        /// The records by their counters.
        counters: BTreeSet<u64>,
        /// When, in whole seconds.
        at: Timestamp,
    },
    /// A batch reached the visits that its records are about.
    RecordsDelivered {
        /// The batch.
        upload: u32,
    },
    /// Records are missing for a day. Told once of each.
    RecordsMissing {
        /// Which, at most [`RANGES_MAX`].
        ranges: Vec<Range>,
        /// When the next gap has been open for a day.
        next: Option<Timestamp>,
    },
}

/// One device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Device {
    /// Never enrolled.
    #[default]
    Absent,
    /// Enrolled, perhaps revoked since.
    Known(Box<Known>),
}

/// A device that was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The unit that it is enrolled for.
    pub unit: UnitId,
    /// Verifies its records.
    pub public_key: PublicKey,
    /// What people call it.
    pub label: Name,
    /// Whether it is not trusted any more.
    pub revoked: Option<Revocation>,
    /// Which records there are and which are missing.
    pub chain: Chain,
    /// How many batches there were to be delivered.
    pub uploads: u32,
    /// The batches that are not delivered yet.
    pub pending: BTreeMap<u32, Vec<Kept>>,
    /// The records that wait for their release.
    pub quarantined: Vec<Arrived>,
    /// How many records were in doubt, by what was not in order.
    pub doubts: BTreeMap<Irregularity, u32>,
}

/// What can be asked of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Enrol it.
    Enrol {
        /// The caller's unit, for which it is enrolled.
        unit: UnitId,
        /// Verifies its records.
        public_key: PublicKey,
        /// What people call it.
        label: Name,
    },
    /// Trust it no more.
    Revoke {
        /// The caller's unit; none for an administrator, who may for every unit.
        unit: Option<UnitId>,
        /// Why and since when.
        revocation: Revocation,
    },
    /// Take in records whose signatures were verified.
    Receive {
        /// The records, 1 to [`RECORDS_MAX`], in any order. What was handed in are their bytes: how
        /// they were understood is no part of what was asked.
        #[serde(serialize_with = "record::hashes")]
        records: Vec<Received>,
    },
    /// Let quarantined records through.
    Release {
        /// The caller's unit; none for an administrator, who may for every unit.
        unit: Option<UnitId>,
        /// The records by their counters, 1 to [`RECORDS_MAX`].
        counters: BTreeSet<u64>,
    },
    /// Record that a batch reached its visits.
    MarkDelivered {
        /// The batch.
        upload: u32,
    },
    /// Tell of the records that are missing for a day.
    FlagMissing,
}

impl Device {
    /// The device, if it was enrolled.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Absent => None,
            Self::Known(known) => Some(known),
        }
    }
}

impl Known {
    /// What is still to be delivered of a batch, in the order of the counters; none once it was.
    #[must_use]
    pub fn delivery(&self, upload: u32) -> Option<&[Kept]> {
        self.pending.get(&upload).map(Vec::as_slice)
    }

    /// How many records are kept whole.
    fn held(&self) -> usize {
        self.quarantined.len() + self.pending.values().map(Vec::len).sum::<usize>()
    }
}

impl Decider for Device {
    const KIND: &'static str = "device";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Enrol { unit, public_key, label } => self.enrol(unit, *public_key, label),
            Command::Revoke { unit, revocation } => {
                self.answering_to(unit.as_ref())?.revoke(*revocation)
            }
            Command::Receive { records } => self.enrolled()?.receive(context, records),
            Command::Release { unit, counters } => {
                self.answering_to(unit.as_ref())?.release(context, counters)
            }
            Command::MarkDelivered { upload } => self.enrolled()?.mark_delivered(*upload),
            Command::FlagMissing => Ok(self.enrolled()?.flag_missing(context)),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::DeviceEnrolled { unit, public_key, label }) => {
                Self::Known(Box::new(Known {
                    unit: unit.clone(),
                    public_key: *public_key,
                    label: label.clone(),
                    revoked: None,
                    chain: Chain::default(),
                    uploads: 0,
                    pending: BTreeMap::new(),
                    quarantined: vec![],
                    doubts: BTreeMap::new(),
                }))
            }
            (Self::Absent, _) => Self::Absent,
            (Self::Known(mut known), event) => {
                known.evolve(event);
                Self::Known(known)
            }
        }
    }
}

impl Known {
    fn evolve(&mut self, event: &Event) {
        match event {
            Event::DeviceEnrolled { .. } => {}
            Event::DeviceRevoked { revocation } => self.revoked = Some(*revocation),
            Event::RecordsReceived { upload, records, at, .. } => {
                self.arrived(records, *at);
                self.put_off(*upload, records.iter().filter_map(Arrived::to_deliver).collect());
            }
            Event::RecordsQuarantined { records, at, .. } => {
                self.arrived(records, *at);
                self.quarantined.extend(records.iter().map(Arrived::without_proof));
            }
            Event::RecordsReleased { upload, counters, .. } => {
                let waiting = std::mem::take(&mut self.quarantined).into_iter();
                let (released, kept): (Vec<_>, Vec<_>) =
                    waiting.partition(|arrived| counters.contains(&arrived.record.counter));
                self.quarantined = kept;
                self.put_off(*upload, released.iter().filter_map(Arrived::to_deliver).collect());
            }
            Event::RecordsDelivered { upload } => {
                self.pending.remove(upload);
            }
            Event::RecordsMissing { ranges, .. } => self.chain.told(ranges),
        }
    }

    fn arrived(&mut self, records: &[Arrived], at: Timestamp) {
        for Arrived { record, doubts } in records {
            self.chain.add(record, at);
            for doubt in record.kept.iter().flat_map(|kept| &kept.doubts).chain(doubts) {
                *self.doubts.entry(*doubt).or_default() += 1;
            }
        }
    }

    fn put_off(&mut self, upload: u32, mut records: Vec<Kept>) {
        records.sort_by_key(|kept| kept.counter);
        self.uploads = self.uploads.max(upload);
        self.pending.insert(upload, records);
    }
}

#[cfg(test)]
pub(crate) mod tests;
