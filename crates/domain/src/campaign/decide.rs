//! One function for each command on a special campaign.

use jiff::Unit;

use super::*;

impl Campaign {
    /// Its level comes from the organiser's catalogue; without one a unit inspects nothing.
    pub(super) fn propose(
        &self,
        context: &Context<'_>,
        plan: &Plan,
    ) -> Result<Vec<Event>, Rejection> {
        match self.plan() {
            Some(known) if known == plan => return Ok(vec![]),
            Some(_) => return Err(Rejection::ProposedDifferently),
            None => in_bounds(plan)?,
        }
        if let Some(routing) = context.routing {
            let unknown = plan.areas.iter().find(|area| routing.document.area(area).is_none());
            if let Some(area) = unknown {
                return Err(Rejection::AreaUnknown(area.clone()));
            }
        }
        let Some(catalogue) = context.catalogue(&plan.unit) else {
            return Err(Rejection::CatalogueMissing { unit: plan.unit.clone() });
        };
        Ok(vec![Event::CampaignProposed {
            plan: plan.clone(),
            level: catalogue.document.level,
            catalogue_version: catalogue.version,
        }])
    }

    pub(super) fn approve(
        &self,
        context: &Context<'_>,
        approval: &Approval,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Absent => Err(Rejection::CampaignUnknown),
            Self::Proposed(proposed) => {
                proposed.may_be_approved(approval)?;
                is_what_it_says(context, approval)?;
                Ok(vec![Event::CampaignApproved { approval: approval.clone() }])
            }
            Self::Approved(_) | Self::Filed(_) | Self::Published(_) | Self::Withdrawn(_) => {
                self.already(self.approval() == Some(approval), "proposed")
            }
        }
    }

    pub(super) fn file(&self, unit: &UnitId, filing: &Filing) -> Result<Vec<Event>, Rejection> {
        self.organised_by(unit)?;
        match self {
            Self::Approved(_) => Ok(vec![Event::CampaignFiled { filing: filing.clone() }]),
            Self::Absent
            | Self::Proposed(_)
            | Self::Filed(_)
            | Self::Published(_)
            | Self::Withdrawn(_) => self.already(self.filing() == Some(filing), "approved"),
        }
    }

    pub(super) fn publish(
        &self,
        unit: &UnitId,
        document: &Reference,
    ) -> Result<Vec<Event>, Rejection> {
        self.organised_by(unit)?;
        match self {
            Self::Filed(_) => Ok(vec![Event::CampaignPublished { document: document.clone() }]),
            Self::Absent
            | Self::Proposed(_)
            | Self::Approved(_)
            | Self::Published(_)
            | Self::Withdrawn(_) => self.already(self.document() == Some(document), "filed"),
        }
    }

    pub(super) fn withdraw(
        &self,
        unit: &UnitId,
        reason: &Reference,
    ) -> Result<Vec<Event>, Rejection> {
        self.organised_by(unit)?;
        match self {
            Self::Withdrawn(known) => self.already(known.reason == *reason, "not withdrawn"),
            Self::Absent
            | Self::Proposed(_)
            | Self::Approved(_)
            | Self::Filed(_)
            | Self::Published(_) => Ok(vec![Event::CampaignWithdrawn { reason: reason.clone() }]),
        }
    }

    fn organised_by(&self, unit: &UnitId) -> Result<(), Rejection> {
        match self.plan() {
            None => Err(Rejection::CampaignUnknown),
            Some(plan) if plan.unit == *unit => Ok(()),
            Some(plan) => Err(Rejection::OtherUnit { organiser: plan.unit.clone() }),
        }
    }

    /// What was done the same way before is no error; anything else needs another phase.
    fn already(&self, is_so: bool, wanted: &'static str) -> Result<Vec<Event>, Rejection> {
        if is_so { Ok(vec![]) } else { Err(Rejection::WrongPhase { found: self.phase(), wanted }) }
    }
}

impl Proposed {
    /// The government of a county or above that does not stand below the organiser, or the organ above
    /// the organiser. Standing as high or higher does not do by itself: no unit approves its own plan.
    fn may_be_approved(&self, approval: &Approval) -> Result<(), Rejection> {
        let Approval { approver, capacity, level, .. } = approval;
        if self.plan.includes(approver) {
            return Err(Rejection::ApprovedByParticipant(approver.clone()));
        }
        // Levels are ordered from the top.
        if *level > Level::County {
            return Err(Rejection::LevelTooLow);
        }
        let is_high_enough = match capacity {
            Capacity::Government => *level <= self.level,
            Capacity::SuperiorOrgan => *level < self.level,
        };
        if is_high_enough {
            Ok(())
        } else {
            Err(Rejection::NotSuperior { approver: *level, organiser: self.level })
        }
    }
}

/// A unit that inspects is no government, and stands at the level that its catalogue says.
fn is_what_it_says(context: &Context<'_>, approval: &Approval) -> Result<(), Rejection> {
    let Some(catalogue) = context.catalogue(&approval.approver) else {
        return Ok(());
    };
    let level = catalogue.document.level;
    if approval.capacity == Capacity::SuperiorOrgan && approval.level == level {
        return Ok(());
    }
    Err(Rejection::ApproverDiffers { unit: approval.approver.clone(), level })
}

fn in_bounds(plan: &Plan) -> Result<(), Rejection> {
    let Plan { unit, co_units, items, areas, from, until, .. } = plan;
    if co_units.contains(unit) {
        return Err(Rejection::OrganiserTwice(unit.clone()));
    }
    if co_units.len() > CO_UNITS_MAX {
        return Err(Rejection::CoUnitCount { found: co_units.len() });
    }
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        return Err(Rejection::ItemCount { found: items.len() });
    }
    if areas.len() > AREAS_MAX {
        return Err(Rejection::AreaCount { found: areas.len() });
    }
    let days = from.until((Unit::Day, *until)).map_or(i32::MAX, |span| span.get_days());
    if (1..=DAYS_MAX).contains(&days.saturating_add(1)) {
        Ok(())
    } else {
        Err(Rejection::PeriodOutOfBounds { from: *from, until: *until })
    }
}
