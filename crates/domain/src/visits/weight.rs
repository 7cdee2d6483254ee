//! How much memory visits take, told by what happened to them: the standings that a plan was measured by, most of what is
//! stored of it, leave nothing in the state, and an item leaves something in several places.

use super::{Event, ItemResult};

/// A visit without its items.
const VISIT: usize = 1000;
/// An item of a visit, with its field and its place among those of a unit.
const ITEM: usize = 100;
/// A result, with what is to be rectified.
const RESULT: usize = 140;
/// A scan, with the officers who came.
const SCAN: usize = 250;
/// A record of a device that is set aside.
const KEPT: usize = 600;
/// A check from elsewhere without its results.
const CHECK: usize = 300;
/// A clock.
const CLOCK: usize = 200;
/// Whatever else: a name in a set, or nothing.
const LITTLE: usize = 30;

impl Event {
    /// About how many bytes of memory the event adds to what is known of the visits.
    pub(super) fn weight(&self) -> usize {
        let of = |results: &[ItemResult]| RESULT * results.len();
        match self {
            Self::VisitPlanned { plan, .. } => {
                let others = plan.shares.values().map(|share| share.items.len()).sum::<usize>();
                VISIT + ITEM * (plan.items.len() + others)
            }
            Self::VisitsMerged { share, .. } => ITEM * share.items.len(),
            Self::VisitCheckedIn { .. } => SCAN + CLOCK,
            Self::ResultReported { results, .. } => CLOCK + of(results),
            Self::ScanSetAside { .. } => KEPT,
            Self::OffSiteCheckRecorded { check, .. } => CHECK + of(&check.results),
            Self::ApprovalOwed { .. } | Self::UnitWithdrew { .. } => CLOCK,
            Self::VisitApproved { .. }
            | Self::VisitNotified { .. }
            | Self::CapExceeded { .. }
            | Self::VisitsExcessive { .. }
            | Self::RepeatVisits { .. }
            | Self::VisitCheckedOut { .. }
            | Self::EnterpriseTold { .. }
            | Self::RectificationReported { .. }
            | Self::RectificationAccepted { .. }
            | Self::RectificationOverdue { .. }
            | Self::ClockStepsTaken { .. }
            | Self::VisitClosed { .. }
            | Self::VisitCancelled { .. }
            | Self::VisitRefused { .. }
            | Self::VisitExpired { .. }
            | Self::VisitsHeld { .. }
            | Self::HoldLifted { .. } => LITTLE,
        }
    }
}
