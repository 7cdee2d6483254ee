//! What an inspection found (检查结果), and what becomes of it.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    FewSet,
    ids::{ItemId, Reference, UnitId, VisitId},
};

/// What the inspection of one item found (检查结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    /// The item.
    pub item: ItemId,
    /// The finding.
    pub outcome: Outcome,
    /// The lines of the item's checklist that were not met, counted from 1; none for an item without a
    /// checklist.
    #[serde(default, skip_serializing_if = "FewSet::is_empty")]
    pub unmet: FewSet<u16>,
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
pub fn found_something<'a>(results: impl IntoIterator<Item = &'a ItemResult>) -> bool {
    results.into_iter().any(|result| result.outcome != Outcome::Pass)
}

/// Something to be rectified (限期整改).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectification {
    /// By the end of this day.
    pub by: Date,
    /// What the enterprise says it did, once it has.
    pub reported: Option<Reference>,
    /// Whether the day went by without the unit being satisfied.
    pub overdue: bool,
}

/// A check from elsewhere (非现场检查): by documents, data or video. It is recorded and counts nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffSiteCheck {
    /// Names it as a visit is named, so that one list holds both.
    pub check: VisitId,
    /// The unit that checked.
    pub unit: UnitId,
    /// When.
    pub occurred_at: Timestamp,
    /// By what: the material, data or recording that was looked at.
    pub basis: Reference,
    /// One result for each item that was checked, at least one.
    pub results: Vec<ItemResult>,
}
