//! Whether a visit may refer to a special campaign.

use super::{AreaCode, Campaign, Date, ItemId, Plan, UnitId};
use crate::{FewSet, frequency::Traits};

/// Why a visit cannot refer to a campaign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is not published, or it was withdrawn, or there is none.
    #[error("the campaign is {found}, not published")]
    NotPublished {
        /// The phase it is in.
        found: &'static str,
    },
    /// The unit does not take part in it.
    #[error("the unit {0} does not take part in the campaign")]
    OtherUnit(UnitId),
    /// It is about other items.
    #[error("the campaign is not about the item {0}")]
    ItemOutside(ItemId),
    /// It takes place in other areas; no area stands for an enterprise whose area nobody stated.
    #[error("the campaign does not take place in the enterprise's area")]
    AreaOutside,
    /// It is about other enterprises.
    #[error("the campaign is not about such an enterprise")]
    EnterpriseOutside,
    /// It lasts on other days.
    #[error("the campaign lasts from {from} to {until}, which {on} is outside of")]
    DayOutside {
        /// The day of the visit.
        on: Date,
        /// The first day of the campaign.
        from: Date,
        /// Its last day.
        until: Date,
    },
}

impl Campaign {
    /// The plan of a published campaign that the unit takes part in.
    ///
    /// # Errors
    /// [`Unfit`] when it is not published, or the unit takes no part.
    pub fn joined_by(&self, unit: &UnitId) -> Result<&Plan, Unfit> {
        let Self::Published(published) = self else {
            return Err(Unfit::NotPublished { found: self.phase() });
        };
        let plan = &published.filed.approved.plan;
        if plan.includes(unit) { Ok(plan) } else { Err(Unfit::OtherUnit(unit.clone())) }
    }

    /// Whether a visit of `unit` on `items` to an enterprise in `area` with those traits, `on` that day, may
    /// refer to it.
    ///
    /// # Errors
    /// [`Unfit`] with the first thing that does not fit.
    pub fn admits(
        &self,
        unit: &UnitId,
        items: &FewSet<ItemId>,
        area: Option<&AreaCode>,
        traits: &Traits,
        on: Date,
    ) -> Result<(), Unfit> {
        let plan = self.joined_by(unit)?;
        if !(plan.from..=plan.until).contains(&on) {
            return Err(Unfit::DayOutside { on, from: plan.from, until: plan.until });
        }
        let is_there = area.is_some_and(|area| plan.areas.contains(area));
        if !plan.areas.is_empty() && !is_there {
            return Err(Unfit::AreaOutside);
        }
        if !plan.enterprises.include(traits) {
            return Err(Unfit::EnterpriseOutside);
        }
        match items.iter().find(|item| !plan.items.contains(*item)) {
            Some(item) => Err(Unfit::ItemOutside(item.clone())),
            None => Ok(()),
        }
    }
}
