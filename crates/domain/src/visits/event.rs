//! What can happen to an enterprise's visits. The storage format: names and fields here are written to
//! the log and may only be added to.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    CancelReason, CheckIn, Irregularity, ItemResult, Kept, OffSiteCheck, Plan, RefusalReason,
    SetAside, Share,
};
use crate::{
    FewMap, FewSet,
    clock::{Clock, Step},
    frequency::{Party, Standing},
    ids::{AppealId, AreaCode, FieldId, ItemId, Reference, UnitId, VisitId},
};

/// One fact.
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
        /// The versions of the catalogues of the other units that take part.
        #[serde(default)]
        co_catalogues: FewMap<UnitId, u32>,
        /// The units that take part, the lead first, each with its level as far as it was known.
        parties: Vec<Party>,
        /// The field of each item, as the catalogue had it.
        fields: FewMap<ItemId, FieldId>,
        /// How many lines the checklist of each item has; none for an item without.
        #[serde(default)]
        lines: FewMap<ItemId, u16>,
        /// How the enterprise stood against each rule before this visit, also those that the visit passed
        /// with a justification or a mark.
        standings: Vec<Standing>,
    },
    /// The head of a unit that takes part approved the visit.
    VisitApproved {
        /// The visit.
        visit: VisitId,
        /// The unit; the lead where it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<UnitId>,
    },
    /// The enterprise was told of the visit beforehand (检查通知).
    VisitNotified {
        /// The visit.
        visit: VisitId,
    },
    /// A unit gave its own visit up to take part in another's (综合查一次). The first one's place is free.
    VisitsMerged {
        /// The visit that is given up.
        visit: VisitId,
        /// The visit that goes on.
        into: VisitId,
        /// The unit.
        party: Party,
        /// What it brings.
        share: Share,
        /// The fields of its items.
        fields: FewMap<ItemId, FieldId>,
        /// How many lines the checklists of its items have.
        lines: FewMap<ItemId, u16>,
        /// Whether its head had approved the visit that is given up.
        approved: bool,
        /// How the enterprise stood against each rule, without both visits.
        standings: Vec<Standing>,
    },
    /// A unit that takes part in another's visit will not come. The visit goes on without it.
    UnitWithdrew {
        /// The visit.
        visit: VisitId,
        /// The unit.
        unit: UnitId,
        /// Why.
        reason: CancelReason,
        /// By when the enterprise is to be told, where everybody else had reported already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<Clock>,
    },
    /// The officers scanned in (扫码入企).
    VisitCheckedIn {
        /// The visit.
        visit: VisitId,
        /// The scan.
        check_in: CheckIn,
        /// What was not in order.
        irregularities: FewSet<Irregularity>,
        /// By when the enterprise is to be told what was found; before it was started here, it was with the last
        /// unit's results.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<Clock>,
        /// The day on which it counts; before that stood here, the later one of the planned and the claimed day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts_on: Option<Date>,
    },
    /// The officers came without a unit's approval, which is to be made up (补办审批).
    ApprovalOwed {
        /// The visit.
        visit: VisitId,
        /// Until when.
        clock: Clock,
    },
    /// A record that a device kept changes nothing on the visit. What it says stays on record.
    ScanSetAside {
        /// The record.
        record: Kept,
        /// Why.
        reason: SetAside,
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
        /// What was not in order.
        #[serde(default, skip_serializing_if = "FewSet::is_empty")]
        irregularities: FewSet<Irregularity>,
    },
    /// The result of every item of a unit was reported.
    ResultReported {
        /// The visit.
        visit: VisitId,
        /// The unit; the lead where it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<UnitId>,
        /// One result for each of its items.
        results: Vec<ItemResult>,
        /// Until when the enterprise is to be told; from the last of the units on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<Clock>,
    },
    /// The enterprise was told what was found (告知检查结果).
    EnterpriseTold {
        /// The visit.
        visit: VisitId,
        /// The document that it was given.
        document: Reference,
    },
    /// The enterprise says that it rectified something (整改反馈).
    RectificationReported {
        /// The visit that found it.
        visit: VisitId,
        /// The unit that asked for it.
        unit: UnitId,
        /// The item.
        item: ItemId,
        /// What it did.
        document: Reference,
    },
    /// The unit is satisfied (整改复核).
    RectificationAccepted {
        /// The visit that found it.
        visit: VisitId,
        /// The unit.
        unit: UnitId,
        /// The item.
        item: ItemId,
        /// The visit that looked at it again; none where papers were enough.
        recheck: Option<VisitId>,
    },
    /// The day to rectify by went by.
    RectificationOverdue {
        /// The visit that found it.
        visit: VisitId,
        /// The unit.
        unit: UnitId,
        /// The item.
        item: ItemId,
        /// The day.
        by: Date,
    },
    /// Steps of a clock were taken.
    ClockStepsTaken {
        /// The visit.
        visit: VisitId,
        /// Which.
        steps: Vec<Step>,
        /// The clock with them taken.
        clock: Clock,
    },
    /// Reported, told, and nothing left to rectify or to approve.
    VisitClosed {
        /// The visit.
        visit: VisitId,
    },
    /// The visit will not take place; its place is free.
    VisitCancelled {
        /// The visit.
        visit: VisitId,
        /// Why.
        reason: CancelReason,
    },
    /// The enterprise did not let the officers in (企业拒绝); the place is free.
    VisitRefused {
        /// The visit.
        visit: VisitId,
        /// What was not in order.
        reason: RefusalReason,
    },
    /// The visit was not begun in time; its place is free.
    VisitExpired {
        /// The visit.
        visit: VisitId,
    },
    /// The enterprise complained about a visit: until that is answered the unit's other visits wait, urgent
    /// ones aside.
    VisitsHeld {
        /// The visit complained about.
        visit: VisitId,
        /// The unit.
        unit: UnitId,
        /// The complaint.
        appeal: AppealId,
    },
    /// The complaint was answered.
    HoldLifted {
        /// The visit complained about.
        visit: VisitId,
        /// The complaint.
        appeal: AppealId,
    },
    /// Something was checked from elsewhere (非现场检查). It counts nowhere.
    OffSiteCheckRecorded {
        /// The check.
        check: OffSiteCheck,
        /// The enterprise's area at that time, if registered.
        area: Option<AreaCode>,
    },
}

impl Event {
    /// The visit that the event is about; of a merge the one that is given up.
    #[must_use]
    pub fn visit(&self) -> VisitId {
        match self {
            Self::VisitPlanned { plan, .. } => plan.visit,
            Self::ScanSetAside { record, .. } => record.visit,
            Self::OffSiteCheckRecorded { check, .. } => check.check,
            Self::VisitApproved { visit, .. }
            | Self::VisitNotified { visit }
            | Self::VisitsMerged { visit, .. }
            | Self::UnitWithdrew { visit, .. }
            | Self::VisitCheckedIn { visit, .. }
            | Self::ApprovalOwed { visit, .. }
            | Self::CapExceeded { visit, .. }
            | Self::VisitsExcessive { visit, .. }
            | Self::RepeatVisits { visit, .. }
            | Self::VisitCheckedOut { visit, .. }
            | Self::ResultReported { visit, .. }
            | Self::EnterpriseTold { visit, .. }
            | Self::RectificationReported { visit, .. }
            | Self::RectificationAccepted { visit, .. }
            | Self::RectificationOverdue { visit, .. }
            | Self::ClockStepsTaken { visit, .. }
            | Self::VisitClosed { visit }
            | Self::VisitCancelled { visit, .. }
            | Self::VisitRefused { visit, .. }
            | Self::VisitExpired { visit }
            | Self::VisitsHeld { visit, .. }
            | Self::HoldLifted { visit, .. } => *visit,
        }
    }
}
