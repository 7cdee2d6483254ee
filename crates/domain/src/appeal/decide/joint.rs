//! The joint diagnosis as the appeal knows it: called for, begun, binding.

use std::collections::BTreeSet;

use super::*;
use crate::{
    appeal::{
        case::{Diagnosis, Ending},
        matter::Order,
    },
    ids::DiagnosisId,
};

/// The most units that one joint diagnosis calls together, and the most orders it gives.
const UNITS_MAX: usize = 20;

impl Case {
    /// Only the guarantee unit calls units together, one diagnosis at a time.
    pub(super) fn convene(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        (diagnosis, units, quorum): (DiagnosisId, &[UnitId], u16),
        question: &Sealed,
    ) -> Decided {
        if self.diagnosis.as_ref().is_some_and(|known| known.id == diagnosis) {
            return Ok(vec![]);
        }
        led_by(self.handler()?, unit)?;
        self.readable()?;
        if self.guarantee.is_none() {
            return Err(Rejection::NotGuaranteed);
        }
        let ends = |known: &Diagnosis| known.ending == Ending::Ordered;
        if self.diagnosis.as_ref().is_some_and(|known| known.is_under_way() || ends(known)) {
            return Err(Rejection::DiagnosisOpen);
        }
        let distinct: BTreeSet<&UnitId> = units.iter().collect();
        let sound = (1..=UNITS_MAX).contains(&units.len()) && distinct.len() == units.len();
        if !sound || !(1..=units.len()).contains(&usize::from(quorum)) {
            return Err(Rejection::DiagnosisUnsound);
        }
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        let lost = units.iter().find(|unit| routing.document.reachable(unit) != Some(unit));
        if let Some(unit) = lost {
            return Err(Rejection::UnitUnknown(unit.clone()));
        }
        Ok(vec![Event::DiagnosisConvened {
            diagnosis,
            units: units.to_vec(),
            quorum,
            question: question.clone(),
            clocks: Winder::of(context, self).done(),
        }])
    }

    pub(super) fn mark_opened(&self, diagnosis: DiagnosisId) -> Decided {
        match &self.diagnosis {
            Some(known) if known.id == diagnosis && known.opened => Ok(vec![]),
            Some(known) if known.id == diagnosis => Ok(vec![Event::DiagnosisOpened { diagnosis }]),
            _ => Err(Rejection::DiagnosisUnknown),
        }
    }

    /// The end of a joint diagnosis that is under way and cannot be concluded any more.
    pub(super) fn abandoned(&self) -> Option<Event> {
        let known = self.diagnosis.as_ref().filter(|known| known.is_under_way())?;
        Some(Event::DiagnosisAbandoned { diagnosis: known.id })
    }

    pub(super) fn mark_discontinued(&self, diagnosis: DiagnosisId) -> Decided {
        match &self.diagnosis {
            Some(known) if known.id == diagnosis => match known.ending {
                Ending::Ordered => Ok(vec![Event::DiagnosisDiscontinued { diagnosis }]),
                Ending::No | Ending::Done => Ok(vec![]),
            },
            _ => Err(Rejection::DiagnosisUnknown),
        }
    }

    /// Its orders become tasks with clocks of their own. An appeal that ended meanwhile is not opened
    /// again: the conclusion is recorded, and nothing is owed.
    pub(super) fn take_conclusion(
        &self,
        context: &Context<'_>,
        diagnosis: DiagnosisId,
        conclusion: &Sealed,
        orders: &[Order],
    ) -> Decided {
        let known = self.diagnosis.as_ref().filter(|known| known.id == diagnosis);
        let known = known.ok_or(Rejection::DiagnosisUnknown)?;
        if known.conclusion.is_some() {
            return Ok(vec![]);
        }
        let mut winder = Winder::of(context, self);
        if self.phase.is_open() {
            for order in orders {
                let unit = context
                    .routing
                    .map_or(&order.unit, |routing| self.heir(routing.document, &order.unit));
                let owner = Owner::Unit(unit.clone());
                winder.start(ClockKind::CoHandling, owner, order.working_days);
            }
        }
        Ok(vec![Event::ConclusionTaken {
            diagnosis,
            conclusion: conclusion.clone(),
            orders: orders.to_vec(),
            clocks: winder.done(),
        }])
    }
}
