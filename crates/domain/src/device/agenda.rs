//! What a device leaves for the system to do: delivering what arrived, and telling what is missing.

use jiff::Timestamp;

use super::Event;
use crate::agenda::{Change, Duty, Entry, Process};

const MISSING: &str = "missing";

impl Process for Event {
    fn agenda(&self) -> Vec<Change> {
        match self {
            Self::DeviceEnrolled { .. } | Self::DeviceRevoked { .. } => vec![],
            Self::RecordsReceived { upload, at, missing_due, .. } => {
                vec![deliver(*upload, *at), missing(*missing_due)]
            }
            Self::RecordsQuarantined { missing_due, .. } => vec![missing(*missing_due)],
            Self::RecordsReleased { upload, at, .. } => vec![deliver(*upload, *at)],
            Self::RecordsDelivered { upload } => vec![Change::Drop(batch(*upload))],
            Self::RecordsMissing { next, .. } => vec![missing(*next)],
        }
    }
}

fn deliver(upload: u32, at: Timestamp) -> Change {
    put(batch(upload), at, Duty::DeliverRecords { upload })
}

fn missing(due: Option<Timestamp>) -> Change {
    match due {
        Some(at) => put(MISSING.to_owned(), at, Duty::FlagMissing {}),
        None => Change::Drop(MISSING.to_owned()),
    }
}

fn batch(upload: u32) -> String {
    format!("deliver/{upload}")
}

fn put(key: String, at: Timestamp, duty: Duty) -> Change {
    Change::Put(Entry { key, at, duty })
}
