//! What can be asked of an enterprise's visits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CheckIn, ItemResult, Kept, OffSiteCheck, Place, Plan};
use crate::{
    clock::ClockId,
    decider::Need,
    ids::{AppealId, CodeId, ItemId, Reference, UnitId, VisitId},
};

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

/// Why an enterprise does not let officers in (拒绝理由). Words of its own belong in a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The officers did not identify themselves, or are not those of the plan.
    OfficersUnidentified,
    /// There is no approval.
    NotApproved,
    /// What they want to inspect is not what was planned.
    ItemsDiffer,
    /// They come more often than the limit allows.
    TooOften,
    /// The code that they show is not sound.
    CodeNotSound,
}

/// One intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Plan a visit and take its place under every rule.
    Plan(Plan),
    /// Approve a visit, as head of `unit`; also afterwards where it could not wait.
    Approve {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
    },
    /// Record that the enterprise was told of the visit beforehand.
    Notify {
        /// The visit.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
    },
    /// Give an own visit up and take part in another's.
    Merge {
        /// The visit that is given up.
        visit: VisitId,
        /// The visit that goes on.
        into: VisitId,
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
        /// The plan, where the visit is made on the spot: live only where it cannot wait (紧急).
        improvised: Option<Plan>,
    },
    /// Let the officers in, as the enterprise that scanned the visit's own code.
    Admit {
        /// The visit.
        visit: VisitId,
        /// The code that was scanned.
        code: CodeId,
        /// Where the enterprise's device was.
        place: Option<Place>,
        /// The units that take part as the caller found them, whose officers' certificates are looked at: no
        /// part of what was asked.
        #[serde(skip)]
        units: BTreeSet<UnitId>,
    },
    /// Not let the officers in, as the enterprise.
    Refuse {
        /// The visit.
        visit: VisitId,
        /// What is not in order.
        reason: RefusalReason,
        /// Whether the enterprise scanned the visit's own code, so that somebody stands at its door.
        shown: bool,
    },
    /// Take records in that a device kept, all of this enterprise.
    TakeIn {
        /// The records, in the order in which they are to be looked at.
        records: Vec<Kept>,
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
        /// One result for each item of the unit.
        results: Vec<ItemResult>,
    },
    /// Record that the enterprise was told what was found.
    Tell {
        /// The visit.
        visit: VisitId,
        /// The caller's unit, which leads.
        unit: UnitId,
        /// The document that it was given.
        document: Reference,
    },
    /// Say that something was rectified, as the enterprise.
    ReportRectification {
        /// The visit that found it.
        visit: VisitId,
        /// The item.
        item: ItemId,
        /// What was done.
        document: Reference,
    },
    /// Be satisfied with it, on papers.
    AcceptRectification {
        /// The visit that found it.
        visit: VisitId,
        /// The caller's unit.
        unit: UnitId,
        /// The item.
        item: ItemId,
    },
    /// Call a visit off and free its place; who only takes part withdraws.
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
    /// Take the steps of a clock that are due. Issued by the agenda.
    TakeSteps {
        /// The clock.
        clock: ClockId,
    },
    /// Record that the day to rectify by went by. Issued by the agenda.
    MarkOverdue {
        /// The visit that found it.
        visit: VisitId,
        /// The unit that asked for it.
        unit: UnitId,
        /// The item.
        item: ItemId,
    },
    /// Hold a unit's other visits because of a complaint. Issued by the agenda of the complaint.
    Hold {
        /// The visit complained about.
        visit: VisitId,
        /// The complaint.
        appeal: AppealId,
    },
    /// End a hold, because the complaint was answered. Issued by the agenda of the complaint.
    LiftHold {
        /// The complaint.
        appeal: AppealId,
    },
    /// Record a check from elsewhere.
    RecordOffSite(OffSiteCheck),
}

impl Command {
    /// The visit that the command is about; none for one that is about several, or only makes it.
    #[must_use]
    pub fn visit(&self) -> Option<VisitId> {
        match self {
            Self::Approve { visit, .. }
            | Self::Notify { visit, .. }
            | Self::Merge { visit, .. }
            | Self::CheckIn { visit, .. }
            | Self::Admit { visit, .. }
            | Self::Refuse { visit, .. }
            | Self::CheckOut { visit, .. }
            | Self::ReportResult { visit, .. }
            | Self::Tell { visit, .. }
            | Self::ReportRectification { visit, .. }
            | Self::AcceptRectification { visit, .. }
            | Self::Cancel { visit, .. }
            | Self::Expire { visit }
            | Self::MarkOverdue { visit, .. }
            | Self::Hold { visit, .. } => Some(*visit),
            Self::Plan(_)
            | Self::TakeIn { .. }
            | Self::TakeSteps { .. }
            | Self::LiftHold { .. }
            | Self::RecordOffSite(_) => None,
        }
    }

    /// What a decision on it reads besides its own stream.
    pub(super) fn needs(&self) -> Vec<Need> {
        let around = [Need::Profile, Need::Frequency, Need::Calendar];
        let limits = |units: Vec<UnitId>| -> Vec<Need> {
            around.into_iter().chain(units.into_iter().map(Need::Catalogue)).collect()
        };
        let of_plan = |plan: &Plan| plan.all_shares().keys().cloned().collect::<Vec<UnitId>>();
        match self {
            Self::Plan(plan) => {
                let campaign = plan.campaign.map(Need::Campaign);
                limits(of_plan(plan)).into_iter().chain(campaign).collect()
            }
            Self::CheckIn { unit, improvised, .. } => {
                limits(improvised.as_ref().map_or_else(|| vec![unit.clone()], of_plan))
            }
            Self::Merge { unit, .. } => limits(vec![unit.clone()]),
            Self::TakeIn { records } => {
                let units: BTreeSet<UnitId> =
                    records.iter().map(|kept| kept.unit.clone()).collect();
                limits(units.into_iter().collect())
            }
            Self::Admit { units, .. } => limits(units.iter().cloned().collect()),
            Self::ReportResult { .. } | Self::Cancel { .. } => {
                vec![Need::Frequency, Need::Calendar]
            }
            Self::TakeSteps { .. } => vec![Need::Calendar],
            Self::RecordOffSite(check) => {
                vec![Need::Profile, Need::Catalogue(check.unit.clone())]
            }
            Self::Approve { .. }
            | Self::Notify { .. }
            | Self::Refuse { .. }
            | Self::CheckOut { .. }
            | Self::Tell { .. }
            | Self::ReportRectification { .. }
            | Self::AcceptRectification { .. }
            | Self::Expire { .. }
            | Self::MarkOverdue { .. }
            | Self::Hold { .. }
            | Self::LiftHold { .. } => vec![],
        }
    }
}
