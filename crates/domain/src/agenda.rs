//! The agenda: what the system itself still has to do, derived from what happened.
//!
//! Every process is a pure function from one event to changes of the agenda of its stream, so its
//! memory can be kept anywhere and rebuilt from the log. Carrying a duty out is a command like any
//! other, whose event takes the duty off again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    clock::ClockId,
    ids::{AppealId, DiagnosisId, ItemId, UnitId, VisitId},
};

/// Something to be done once its time has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Names the duty within its stream, 1 to 100 characters.
    pub key: String,
    /// Not before this instant.
    pub at: Timestamp,
    /// What.
    pub duty: Duty,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Duty {
    /// A planned visit that was not begun gives its place back, after the operator's grace.
    ExpireVisit {
        /// The visit.
        visit: VisitId,
    },
    /// The next step of a clock of an enterprise's visits.
    VisitClock {
        /// The clock.
        clock: ClockId,
    },
    /// The day to rectify something by goes by.
    RectificationDue {
        /// The visit that found it.
        visit: VisitId,
        /// The unit that asked for it.
        unit: UnitId,
        /// The item.
        item: ItemId,
    },
    /// An appeal complains about a visit: the unit's other visits to the enterprise wait.
    HoldVisits {
        /// The visit.
        visit: VisitId,
    },
    /// The complaint about a visit is answered: the unit's visits wait no more.
    LiftHold {},
    /// A key was ordered to be destroyed.
    DestroyKey {
        /// Whose key.
        subject: String,
    },
    /// The next step of an appeal's clock.
    AppealClock {
        /// The clock.
        clock: ClockId,
    },
    /// The next step of a joint diagnosis's clock.
    DiagnosisClock {
        /// The clock.
        clock: ClockId,
    },
    /// An appeal called for a joint diagnosis: convene it.
    ConveneDiagnosis {
        /// The diagnosis.
        diagnosis: DiagnosisId,
    },
    /// The appeal of a joint diagnosis was erased or closed: end it.
    DiscontinueDiagnosis {
        /// The diagnosis.
        diagnosis: DiagnosisId,
    },
    /// A joint diagnosis was concluded: its orders go to the appeal.
    DeliverConclusion {},
    /// A joint diagnosis made a standing rule: publish it into routing.
    PublishStandingRule {},
    /// An appeal was merged: the other one takes it up.
    DeliverMerge {
        /// The appeal it was merged into.
        into: AppealId,
    },
    /// An appeal was split: submit the part that goes its own way.
    SubmitPart {
        /// The new appeal.
        part: AppealId,
    },
    /// Records of a device arrived: tell the visits that they are about.
    DeliverRecords {
        /// The batch, from 1.
        upload: u32,
    },
    /// Records of a device may be missing for a day: tell which.
    FlagMissing {},
}

impl Duty {
    /// Every kind of duty.
    pub const KINDS: [&'static str; 16] = [
        "expire_visit",
        "visit_clock",
        "rectification_due",
        "hold_visits",
        "lift_hold",
        "destroy_key",
        "appeal_clock",
        "diagnosis_clock",
        "convene_diagnosis",
        "discontinue_diagnosis",
        "deliver_conclusion",
        "publish_standing_rule",
        "deliver_merge",
        "submit_part",
        "deliver_records",
        "flag_missing",
    ];

    /// Its kind, as stored.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ExpireVisit { .. } => "expire_visit",
            Self::VisitClock { .. } => "visit_clock",
            Self::RectificationDue { .. } => "rectification_due",
            Self::HoldVisits { .. } => "hold_visits",
            Self::LiftHold {} => "lift_hold",
            Self::DestroyKey { .. } => "destroy_key",
            Self::AppealClock { .. } => "appeal_clock",
            Self::DiagnosisClock { .. } => "diagnosis_clock",
            Self::ConveneDiagnosis { .. } => "convene_diagnosis",
            Self::DiscontinueDiagnosis { .. } => "discontinue_diagnosis",
            Self::DeliverConclusion {} => "deliver_conclusion",
            Self::PublishStandingRule {} => "publish_standing_rule",
            Self::DeliverMerge { .. } => "deliver_merge",
            Self::SubmitPart { .. } => "submit_part",
            Self::DeliverRecords { .. } => "deliver_records",
            Self::FlagMissing {} => "flag_missing",
        }
    }
}

/// A change of a stream's agenda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Puts an entry on it, in place of one of the same key.
    Put(Entry),
    /// Takes the entry of that key off, if there is one.
    Drop(String),
}

/// A process: what an event of one kind of stream makes of that stream's agenda.
pub trait Process {
    /// What the event changes, in order.
    fn agenda(&self) -> Vec<Change>;
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_kinds_are_the_words_that_duties_are_stored_by() {
        let (clock, id) = (ClockId(1), Uuid::from_u128(1));
        let duties = [
            Duty::ExpireVisit { visit: VisitId(id) },
            Duty::VisitClock { clock },
            Duty::RectificationDue {
                visit: VisitId(id),
                unit: UnitId::parse("tax").unwrap(),
                item: ItemId::parse("SC-0101").unwrap(),
            },
            Duty::HoldVisits { visit: VisitId(id) },
            Duty::LiftHold {},
            Duty::DestroyKey { subject: "appeal:1".to_owned() },
            Duty::AppealClock { clock },
            Duty::DiagnosisClock { clock },
            Duty::ConveneDiagnosis { diagnosis: DiagnosisId(id) },
            Duty::DiscontinueDiagnosis { diagnosis: DiagnosisId(id) },
            Duty::DeliverConclusion {},
            Duty::PublishStandingRule {},
            Duty::DeliverMerge { into: AppealId(id) },
            Duty::SubmitPart { part: AppealId(id) },
            Duty::DeliverRecords { upload: 1 },
            Duty::FlagMissing {},
        ];
        for duty in &duties {
            let stored = serde_json::to_value(duty).unwrap();
            assert_eq!(stored["kind"], duty.kind());
            assert_eq!(serde_json::from_value::<Duty>(stored).unwrap(), *duty);
        }
        assert_eq!(duties.map(|duty| duty.kind()), Duty::KINDS);
    }
}
