//! What an appeal's events put on the agenda: steps of its clocks, and what other streams must hear.

use jiff::Timestamp;

use super::event::Event;
use crate::{
    agenda::{Change, Duty, Entry, Process},
    clock::{Clock, ClockId},
};

/// The key of a duty that is there once in an appeal.
const CONVENE: &str = "convene";
const DISCONTINUE: &str = "discontinue";
const ERASE: &str = "erase";
const MERGE: &str = "merge";
const HOLD: &str = "hold";
const LIFT: &str = "lift";

fn clock_key(id: ClockId) -> String {
    format!("clock/{}", id.0)
}

fn of_clock(clock: &Clock) -> Change {
    let key = clock_key(clock.id);
    match clock.next() {
        Some(next) => {
            Change::Put(Entry { key, at: next.at, duty: Duty::AppealClock { clock: clock.id } })
        }
        None => Change::Drop(key),
    }
}

fn put(key: impl Into<String>, at: Timestamp, duty: Duty) -> Change {
    Change::Put(Entry { key: key.into(), at, duty })
}

impl Process for Event {
    fn agenda(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(clocks) = self.clocks() {
            changes.extend(clocks.set.iter().map(of_clock));
            changes.extend(clocks.stopped.iter().map(|id| Change::Drop(clock_key(*id))));
        }
        let at = self.clocks().map_or(Timestamp::UNIX_EPOCH, |clocks| clocks.at);
        // What nobody can conclude any more need not begin either.
        if let Self::DiagnosisAbandoned { .. } = self {
            changes.push(Change::Drop(CONVENE.to_owned()));
        }
        changes.extend(match self {
            Self::AppealMerged { into, .. } => {
                Some(put(MERGE, at, Duty::DeliverMerge { into: *into }))
            }
            // A case that is repaired is open again, so there is no merge left to be told of.
            Self::MergeDelivered {} | Self::AppealRepaired { .. } => {
                Some(Change::Drop(MERGE.to_owned()))
            }
            Self::AppealSplit { part, .. } => {
                Some(put(format!("part/{part}"), at, Duty::SubmitPart { part: *part }))
            }
            Self::PartSubmitted { part } => Some(Change::Drop(format!("part/{part}"))),
            Self::DiagnosisConvened { diagnosis, .. } => {
                Some(put(CONVENE, at, Duty::ConveneDiagnosis { diagnosis: *diagnosis }))
            }
            Self::DiagnosisOpened { .. } => Some(Change::Drop(CONVENE.to_owned())),
            Self::DiagnosisAbandoned { diagnosis } => {
                let duty = Duty::DiscontinueDiagnosis { diagnosis: *diagnosis };
                Some(put(DISCONTINUE, at, duty))
            }
            Self::DiagnosisDiscontinued { .. } => Some(Change::Drop(DISCONTINUE.to_owned())),
            // Such an event carries no instant of its own, and its duty may be done at once.
            Self::PersonalDataErased { subject } => {
                Some(put(ERASE, at, Duty::DestroyKey { subject: subject.clone() }))
            }
            Self::AppealSubmitted { submission, .. } => {
                submission.about_visit.map(|visit| put(HOLD, at, Duty::HoldVisits { visit }))
            }
            Self::VisitsHeld {} => Some(Change::Drop(HOLD.to_owned())),
            Self::HoldEnded {} => Some(put(LIFT, at, Duty::LiftHold {})),
            Self::HoldLifted {} => Some(Change::Drop(LIFT.to_owned())),
            Self::KeyDestroyed {} => Some(Change::Drop(ERASE.to_owned())),
            _ => None,
        });
        changes
    }
}
