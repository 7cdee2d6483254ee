//! What two appeals of which one goes on in the other know of each other.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    case::{Case, Phase, Task, handled},
    matter::Confidentiality,
};
use crate::clock::{Clock, ClockId, ClockKind};

/// What an appeal stands at when another one is to take it in: what must not be lost by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who may know of it.
    pub confidentiality: Confidentiality,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// How often the enterprise was dissatisfied.
    pub objections: u32,
    /// How often it went from one unit to another.
    pub bounces: u16,
    /// When its resolution is due, where one is owed; while it stands still, when it would have been.
    pub resolve_due: Option<Timestamp>,
    /// How long resolving may take by its class, in working days.
    pub resolve_days: u16,
}

/// What a merge sets aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeforeMerge {
    /// How far it was.
    pub phase: Phase,
    /// The clocks that ran or stood still.
    pub clocks: BTreeMap<ClockId, Clock>,
    /// What other units did for the lead.
    pub tasks: BTreeMap<ClockId, Task>,
}

impl Case {
    /// What it stands at, for another one to take it in; for a merged one what it stood at before.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (phase, clocks) = match (&self.phase, &self.before_merge) {
            (Phase::Merged(_), Some(before)) => (&before.phase, &before.clocks),
            _ => (&self.phase, &self.clocks),
        };
        Standing {
            confidentiality: self.submission.confidentiality,
            submitted_at: self.submitted_at(),
            objections: self.objections,
            bounces: self.bounces,
            resolve_due: handled(phase, clocks, ClockKind::Resolve).map(|clock| clock.due),
            resolve_days: self.resolve_days(),
        }
    }
}
