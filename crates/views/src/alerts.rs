//! Alerts (检查预警): what the supervision body is told about visits: too many of them, scans that are in
//! doubt, and what was not done in time.
//!
//! Pages and counts are built from one predicate, so they agree at one position. The enterprise
//! itself sees none.

use doudi_domain::{
    AreaCode, EnterpriseId, FewSet, ItemId, RuleId, UnitId, VisitId,
    clock::ClockKind,
    frequency::Standing,
    visits::{Irregularity, SetAside},
};
use doudi_journal::Position;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

mod fold;
mod list;
mod rows;

pub use list::{Count, Counts, Filter, Page, Query};
pub(crate) use rows::apply;

use crate::{Fresh, ViewError, ViewName, Views, timeline::Point};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 3;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A visit that had already happened overshot a limit.
    CapExceeded,
    /// The visits are plainly too many, on whatever grounds (明显超过合理频次).
    VisitsExcessive,
    /// A visit came more often than a rule that only marks would have it (重复检查).
    RepeatVisits,
    /// A scan that casts doubt on itself, or on whether the officers should have been there.
    ScanSuspect,
    /// A record that a device kept changed nothing on its visit.
    ScanSetAside,
    /// The day to rectify something by went by (整改逾期).
    RectificationOverdue,
    /// The unit did not approve in time what could not wait, or did not tell the enterprise in time what
    /// it found.
    PromiseOverdue,
}

/// Why there is an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The limit and where it stands with the visit counted.
    CapExceeded(Standing),
    /// How many visits there were, this one among them.
    VisitsExcessive {
        /// How many.
        count: u32,
        /// From this day
        from: Date,
        /// until this one.
        until: Date,
    },
    /// The rule and where it stands with the visit counted.
    RepeatVisits(Standing),
    /// All that was not in order with the scan.
    ScanSuspect {
        /// At least one of those that cast doubt on it.
        irregularities: FewSet<Irregularity>,
    },
    /// What a device kept could not be so.
    ScanSetAside {
        /// Why.
        reason: SetAside,
    },
    /// What was to be rectified.
    RectificationOverdue {
        /// The item.
        item: ItemId,
        /// The day.
        by: Date,
    },
    /// What was promised.
    PromiseOverdue {
        /// What is owed.
        kind: ClockKind,
    },
}

impl Reason {
    /// What the alert is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::CapExceeded(_) => Kind::CapExceeded,
            Self::VisitsExcessive { .. } => Kind::VisitsExcessive,
            Self::RepeatVisits(_) => Kind::RepeatVisits,
            Self::ScanSuspect { .. } => Kind::ScanSuspect,
            Self::ScanSetAside { .. } => Kind::ScanSetAside,
            Self::RectificationOverdue { .. } => Kind::RectificationOverdue,
            Self::PromiseOverdue { .. } => Kind::PromiseOverdue,
        }
    }

    /// The rule that was passed; none where it is about no rule in particular.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleId> {
        match self {
            Self::CapExceeded(standing) | Self::RepeatVisits(standing) => Some(&standing.rule),
            Self::VisitsExcessive { .. }
            | Self::ScanSuspect { .. }
            | Self::ScanSetAside { .. }
            | Self::RectificationOverdue { .. }
            | Self::PromiseOverdue { .. } => None,
        }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The log position of its commit.
    pub position: Position,
    /// Its place inside the commit, from 0.
    pub ordinal: u32,
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The visit that was one too many, or to which the scan or the duty belongs.
    pub visit: VisitId,
    /// The unit that planned the visit, that asked for something to be rectified, that owes what is overdue, or
    /// whose device kept the record.
    pub unit: Option<UnitId>,
    /// The enterprise's area when the visit was planned, where it and the visit were known.
    pub area: Option<AreaCode>,
    /// When it was recorded, in microseconds.
    pub occurred_at: Timestamp,
    /// Why.
    pub reason: Reason,
}

impl Alert {
    /// Its place in the log.
    #[must_use]
    pub fn point(&self) -> Point {
        Point { position: self.position, ordinal: self.ordinal }
    }
}

impl Views {
    /// One page of alerts, newest first.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn alerts(&self, query: &Query, fresh: Fresh) -> Result<Page, ViewError> {
        let mut reader = self.reader(&[ViewName::Alerts], fresh).await?;
        list::list(&reader.once(), query).await
    }

    /// How many alerts there are, by kind.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn count_alerts(&self, filter: &Filter, fresh: Fresh) -> Result<Counts, ViewError> {
        let mut reader = self.reader(&[ViewName::Alerts], fresh).await?;
        list::count(&reader.once(), filter).await
    }
}
