//! The visits of one enterprise: one stream, hence one consistency boundary for all frequency limits.
//!
//! Invariants: the visits that hold a place never exceed a limit that refuses by decision, nor without a
//! justification one that asks for one; a place is held from plan to cancellation or expiry; what
//! already happened is recorded whatever the rules say, with its irregularities and, where it
//! overshoots, a `CapExceeded`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    calendar::civil_date,
    decider::{Context, Decider, Need},
    frequency::{Ground, Party, Standing},
    ids::{AreaCode, CertificateNumber, FieldId, ItemId, Reference, UnitId, VisitId},
};

mod agenda;
mod catalogued;
mod decide;
mod plan;
mod rejection;
mod state;
pub(crate) mod upcast;

pub use plan::Explanation;
pub use rejection::{Justification, Rejection};
pub use state::{Phase, Visit, Visits};

/// The fewest officers of a visit (行政处罚法 第四十二条: 执法人员不得少于两人).
pub const OFFICERS_MIN: usize = 2;
/// How far ahead a visit may be planned, in days.
pub const PLANNED_AHEAD_MAX: i32 = 400;

/// How far a device's clock may be ahead of ours before what it claims lies in the future.
pub const CLOCK_AHEAD_MAX: SignedDuration = SignedDuration::from_secs(60);

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A visit was planned and holds a place under every rule that counts it.
    VisitPlanned {
        /// What is planned.
        plan: Plan,
        /// The enterprise's area at that time, if registered.
        area: Option<AreaCode>,
        /// The version of the frequency policy that was applied; 0 when none was published.
        policy_version: u32,
        /// The version of the unit's inspection catalogue that was applied; none before there were any.
        catalogue_version: Option<u32>,
        /// The units that take part, the lead first, each with its level as far as it was known.
        parties: Vec<Party>,
        /// The field of each item, as the catalogue had it.
        fields: BTreeMap<ItemId, FieldId>,
        /// How the enterprise stood against each rule before this visit, also those that the visit passed
        /// with a justification or a mark.
        standings: Vec<Standing>,
    },
    /// The head of the unit approved the visit.
    VisitApproved {
        /// The visit.
        visit: VisitId,
    },
    /// The officers scanned in (扫码入企).
    VisitCheckedIn {
        /// The visit.
        visit: VisitId,
        /// The scan.
        check_in: CheckIn,
        /// What was not in order, for a scan that had already happened.
        irregularities: BTreeSet<Irregularity>,
    },
    /// A visit that had already happened overshot a limit; raised once for each rule. What was planned
    /// with a justification or marked is no overshoot.
    CapExceeded {
        /// The visit.
        visit: VisitId,
        /// The rule and where it stands with this visit counted.
        standing: Standing,
    },
    /// The visits to the enterprise are plainly too many, on whatever grounds (明显超过合理频次).
    VisitsExcessive {
        /// The visit that made them so many.
        visit: VisitId,
        /// How many there were, this one among them,
        count: u32,
        /// from this day
        from: Date,
        /// until this one.
        until: Date,
    },
    /// A visit came more often than a rule that only marks would have it (重复检查); raised once for each rule.
    RepeatVisits {
        /// The visit.
        visit: VisitId,
        /// The rule and where it stands with this visit counted.
        standing: Standing,
    },
    /// The officers left.
    VisitCheckedOut {
        /// The visit.
        visit: VisitId,
        /// When they left.
        occurred_at: Timestamp,
    },
    /// The result of every item was reported.
    ResultReported {
        /// The visit.
        visit: VisitId,
        /// One result for each planned item.
        results: Vec<ItemResult>,
    },
    /// The visit will not take place; its place is free.
    VisitCancelled {
        /// The visit.
        visit: VisitId,
        /// Why.
        reason: CancelReason,
    },
    /// The visit was not begun in time; its place is free.
    VisitExpired {
        /// The visit.
        visit: VisitId,
    },
}

/// What is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The visit.
    pub visit: VisitId,
    /// The inspecting unit, which leads where several take part.
    pub unit: UnitId,
    /// The other units that take part (综合查一次).
    #[serde(default)]
    pub co_units: BTreeSet<UnitId>,
    /// The officers' certificates, at least [`OFFICERS_MIN`].
    pub officers: BTreeSet<CertificateNumber>,
    /// The items to inspect, at least one.
    pub items: BTreeSet<ItemId>,
    /// Why.
    pub ground: Ground,
    /// What proves an exempt ground (a complaint's number, an assignment).
    pub evidence: Option<Reference>,
    /// What can be looked up where a rule asks for an explanation or an approval.
    #[serde(default)]
    pub justification: Option<Reference>,
    /// Why on site, where an item could be inspected from elsewhere (非现场优先).
    #[serde(default)]
    pub on_site_reason: Option<Reference>,
    /// The planned day.
    pub on: Date,
}

/// One scan at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    /// The officers who came.
    pub officers: BTreeSet<CertificateNumber>,
    /// When they came.
    pub occurred_at: Timestamp,
    /// True when the scan was kept on the device without a network and handed in later.
    pub offline: bool,
}

/// What was not in order with a scan that had already happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Irregularity {
    /// The head of the unit had not approved.
    NotApproved,
    /// The visit had been cancelled.
    AfterCancellation,
    /// The visit had expired.
    AfterExpiry,
    /// It was before the planned day.
    BeforePlannedDay,
    /// Fewer officers than [`OFFICERS_MIN`].
    TooFewOfficers,
    /// No frequency policy was in force, so no limit was looked at.
    LimitsUnchecked,
    /// An officer without a certificate of the unit that was valid that day.
    OfficerInvalid,
}

/// The day that a visit counts on once the officers came: the day of check-in, but never one before
/// the planned day. The time that a device claims could otherwise move a visit out of its window.
#[must_use]
pub fn counts_on(planned_on: Date, checked_in_at: Timestamp) -> Date {
    civil_date(checked_in_at).max(planned_on)
}

/// What the inspection of one item found (检查结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    /// The item.
    pub item: ItemId,
    /// The finding.
    pub outcome: Outcome,
}

/// A finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing found.
    Pass,
    /// Corrected on the spot (当场改正).
    CorrectedOnTheSpot,
    /// To be rectified by that day (限期整改).
    RectifyBy(Date),
    /// A case was filed (立案).
    CaseFiled,
    /// Handed to the police (移送公安).
    TransferredToPolice,
}

/// Whether an inspection found anything at all.
#[must_use]
pub fn found_something(results: &[ItemResult]) -> bool {
    results.iter().any(|result| result.outcome != Outcome::Pass)
}

/// Why a visit is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The task was withdrawn.
    TaskWithdrawn,
    /// Another visit covers it.
    CoveredByOther,
    /// The enterprise is closed or has moved.
    EnterpriseGone,
    /// The officers are not available.
    OfficersUnavailable,
}

/// What can be asked of an enterprise's visits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Plan a visit and take its place under every rule.
    Plan(Plan),
    /// Approve a planned visit, as head of `unit`.
    Approve {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
    },
    /// Scan in.
    CheckIn {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
        /// The scan.
        check_in: CheckIn,
    },
    /// Scan out.
    CheckOut {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
        /// When the officers left.
        occurred_at: Timestamp,
    },
    /// Report what was found.
    ReportResult {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
        /// One result for each planned item.
        results: Vec<ItemResult>,
    },
    /// Call a visit off and free its place.
    Cancel {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
        /// Why.
        reason: CancelReason,
    },
    /// Free the place of a visit that was not begun in time. Issued by the agenda.
    Expire {
        /// The visit.
        visit: VisitId,
    },
}

impl Decider for Visits {
    const KIND: &'static str = "visits";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(command: &Command) -> Vec<Need> {
        let unit = match command {
            Command::Plan(plan) => &plan.unit,
            Command::CheckIn { unit, .. } => unit,
            Command::Approve { .. }
            | Command::CheckOut { .. }
            | Command::ReportResult { .. }
            | Command::Cancel { .. }
            | Command::Expire { .. } => return vec![],
        };
        vec![Need::Profile, Need::Frequency, Need::Catalogue(unit.clone())]
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Plan(plan) => self.plan(context, plan),
            Command::Approve { visit, unit } => self.owned(*visit, unit)?.approve(),
            Command::CheckIn { visit, unit, check_in } => {
                self.check_in(context, self.owned(*visit, unit)?, check_in)
            }
            Command::CheckOut { visit, unit, occurred_at } => {
                self.owned(*visit, unit)?.check_out(context, *occurred_at)
            }
            Command::ReportResult { visit, unit, results } => {
                self.owned(*visit, unit)?.report(results)
            }
            Command::Cancel { visit, unit, reason } => self.owned(*visit, unit)?.cancel(*reason),
            Command::Expire { visit } => self.known(*visit)?.expire(context),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::VisitPlanned { plan, parties, fields, .. } => {
                self.insert(plan.clone(), parties.clone(), fields.clone())
            }
            Event::VisitApproved { visit } => self.enter(*visit, Phase::Approved),
            Event::VisitCheckedIn { visit, check_in, .. } => {
                let came = self.came(*visit, check_in.officers.clone());
                came.enter(*visit, Phase::CheckedIn { at: check_in.occurred_at })
            }
            Event::CapExceeded { .. }
            | Event::VisitsExcessive { .. }
            | Event::RepeatVisits { .. } => self,
            Event::VisitCheckedOut { visit, .. } => {
                self.since_check_in(*visit, |at| Phase::CheckedOut { at })
            }
            Event::ResultReported { visit, results } => {
                self.since_check_in(*visit, |at| Phase::Reported { at, results: results.clone() })
            }
            Event::VisitCancelled { visit, .. } => self.enter(*visit, Phase::Cancelled),
            Event::VisitExpired { visit } => self.enter(*visit, Phase::Expired),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
