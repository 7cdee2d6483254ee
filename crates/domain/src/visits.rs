//! The visits of one enterprise: one stream, hence one consistency boundary for all frequency limits.
//!
//! Invariants: the visits that hold a place never exceed a limit by decision; a place is held from
//! plan to cancellation or expiry; what already happened is recorded whatever the rules say, with
//! its irregularities and, where it overshoots, a `CapExceeded`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    calendar::civil_date,
    decider::{Context, Decider, Need},
    frequency::{Ground, Standing},
    ids::{AreaCode, CertificateNumber, ItemId, Reference, UnitId, VisitId},
};

mod agenda;
mod decide;
mod state;

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
        /// How the enterprise stood against each rule before this visit.
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
    /// A visit that had already happened overshot a limit; raised once for each rule.
    CapExceeded {
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
    /// The inspecting unit.
    pub unit: UnitId,
    /// The officers' certificates, at least [`OFFICERS_MIN`].
    pub officers: BTreeSet<CertificateNumber>,
    /// The items to inspect, at least one.
    pub items: BTreeSet<ItemId>,
    /// Why.
    pub ground: Ground,
    /// What proves an exempt ground (a complaint's number, an assignment).
    pub evidence: Option<Reference>,
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

/// Why a command on visits is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The enterprise is not registered, so nobody can say which rules apply.
    #[error("the enterprise is not registered")]
    EnterpriseUnregistered,
    /// No frequency policy is published, so no limit could be guaranteed.
    #[error("no frequency policy is published")]
    PolicyUnpublished,
    /// A limit leaves no place.
    #[error("the limit on inspection visits is reached under {} rule(s)", exhausted.len())]
    CapReached {
        /// Each rule without a place left and the visits that hold its places.
        exhausted: Vec<Standing>,
    },
    /// The ground is exempt from a limit, so it must be proved.
    #[error("the ground is exempt from a limit and needs a reference to its evidence")]
    EvidenceMissing,
    /// Fewer officers than [`OFFICERS_MIN`].
    #[error("a visit needs at least {OFFICERS_MIN} officers, {found} given")]
    TooFewOfficers {
        /// How many were given.
        found: usize,
    },
    /// No item is named.
    #[error("a visit needs at least one inspection item")]
    NoItems,
    /// The planned day is past or too far ahead.
    #[error("the planned day {on} must lie between {from} and {until}")]
    DateOutOfRange {
        /// The day given.
        on: Date,
        /// The first day allowed.
        from: Date,
        /// The last day allowed.
        until: Date,
    },
    /// The id belongs to a visit with another plan.
    #[error("the visit {0} is already planned differently")]
    PlannedDifferently(VisitId),
    /// No such visit at this enterprise.
    #[error("the enterprise has no visit {0}")]
    VisitUnknown(VisitId),
    /// The visit belongs to another unit.
    #[error("the visit belongs to the unit {owner}")]
    OtherUnit {
        /// The unit that planned it.
        owner: UnitId,
    },
    /// The visit is not in the phase that the command needs.
    #[error("the visit is {found}, this needs it {wanted}")]
    WrongPhase {
        /// The phase it is in.
        found: &'static str,
        /// The phase or phases that would do.
        wanted: &'static str,
    },
    /// The moment given lies in the future, by more than [`CLOCK_AHEAD_MAX`].
    #[error("{occurred_at} lies in the future")]
    InFuture {
        /// The moment given.
        occurred_at: Timestamp,
    },
    /// A live scan before the planned day.
    #[error("the visit is planned for {on}")]
    BeforePlannedDay {
        /// The planned day.
        on: Date,
    },
    /// The officers cannot leave before they came.
    #[error("the check-out lies before the check-in at {checked_in_at}")]
    OutBeforeIn {
        /// When they came.
        checked_in_at: Timestamp,
    },
    /// The results do not name each planned item exactly once.
    #[error(
        "the results must name each planned item exactly once; {item} is missing, twice or not planned"
    )]
    ItemsDiffer {
        /// The first item in question.
        item: ItemId,
    },
    /// The planned day is not past.
    #[error("the visit expires only after {on}")]
    NotYetExpired {
        /// The planned day.
        on: Date,
    },
}

impl Decider for Visits {
    const KIND: &'static str = "visits";
    const NEEDS: &'static [Need] = &[Need::Profile, Need::Frequency];
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

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
            Event::VisitPlanned { plan, .. } => self.insert(plan.clone()),
            Event::VisitApproved { visit } => self.enter(*visit, Phase::Approved),
            Event::VisitCheckedIn { visit, check_in, .. } => {
                self.enter(*visit, Phase::CheckedIn { at: check_in.occurred_at })
            }
            Event::CapExceeded { .. } => self,
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
