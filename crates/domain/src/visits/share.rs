//! What is planned: one visit of one unit, or of several together (综合查一次).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    FewMap, FewSet,
    frequency::Ground,
    ids::{CampaignId, CertificateNumber, ItemId, Reference, UnitId, VisitId},
};

/// What is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The visit.
    pub visit: VisitId,
    /// The inspecting unit, which leads where several take part.
    pub unit: UnitId,
    /// The certificates of the unit's own officers, at least [`OFFICERS_MIN`](super::OFFICERS_MIN).
    pub officers: FewSet<CertificateNumber>,
    /// The items that the unit itself inspects, at least one.
    pub items: FewSet<ItemId>,
    /// What the other units that take part bring.
    #[serde(default)]
    pub shares: FewMap<UnitId, Share>,
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
    /// The special campaign that the visit belongs to; required for that ground.
    #[serde(default)]
    pub campaign: Option<CampaignId>,
    /// The visit whose findings are looked at again.
    #[serde(default)]
    pub recheck_of: Option<VisitId>,
    /// The planned day.
    pub on: Date,
}

/// What one unit brings to a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The certificates of its officers, at least [`OFFICERS_MIN`](super::OFFICERS_MIN).
    pub officers: FewSet<CertificateNumber>,
    /// The items that it inspects, at least one.
    pub items: FewSet<ItemId>,
}

impl Plan {
    /// What each unit brings, the lead's own included.
    #[must_use]
    pub fn all_shares(&self) -> FewMap<UnitId, Share> {
        let own = Share { officers: self.officers.clone(), items: self.items.clone() };
        let mut shares = self.shares.clone();
        shares.insert(self.unit.clone(), own);
        shares
    }
}
