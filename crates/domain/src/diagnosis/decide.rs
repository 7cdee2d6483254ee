//! One function for each command on a joint diagnosis.

use super::*;
use crate::{
    calendar::cut,
    clock::{ClockKind, Owner},
};

impl Diagnosis {
    /// The units' clocks count from 1 in their order; the convener's comes last.
    pub(super) fn convene(
        &self,
        context: &Context<'_>,
        convening: &Convening,
        case_type: &CaseType,
        version: u32,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Open(open) if open.convening == *convening => return Ok(vec![]),
            Self::Concluded(concluded) if concluded.convening == *convening => return Ok(vec![]),
            // Its end came first, and nothing begins after it.
            Self::Discontinued(None) => return Ok(vec![]),
            Self::Discontinued(Some(known)) if known.convening == *convening => return Ok(vec![]),
            Self::Open(_) | Self::Concluded(_) | Self::Discontinued(_) => {
                return Err(Rejection::ConvenedDifferently);
            }
            Self::Absent => convening.panel.check()?,
        }
        let at = cut(context.now);
        let allowances = &case_type.allowances;
        let opinion = |unit| (ClockKind::Opinion, unit, allowances.opinion);
        let conclusion = (ClockKind::Conclusion, &convening.convener, allowances.conclusion);
        let owed = convening.panel.units.iter().map(opinion).chain([conclusion]);
        let start = |(n, (kind, unit, working_days)): (u32, (_, &UnitId, _))| {
            let terms = case_type.terms(version, context.calendar);
            Clock::start(ClockId(n), kind, Owner::Unit(unit.clone()), working_days, at, terms)
        };
        let clocks = (1..).zip(owed).map(start).collect();
        let (convening, repeat_days) = (convening.clone(), case_type.repeat_days());
        Ok(vec![Event::DiagnosisConvened { convening, at, clocks, repeat_days }])
    }

    pub(super) fn give_opinion(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        opinion: &Opinion,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Absent => Err(Rejection::DiagnosisUnknown),
            Self::Open(open) => open.give_opinion(cut(context.now), unit, opinion),
            Self::Concluded(known) if known.opinions.get(unit) == Some(opinion) => Ok(vec![]),
            Self::Discontinued(Some(known)) if known.opinions.get(unit) == Some(opinion) => {
                Ok(vec![])
            }
            Self::Concluded(_) | Self::Discontinued(_) => Err(self.wrong_phase("open")),
        }
    }

    pub(super) fn conclude(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        conclusion: &Conclusion,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Absent => Err(Rejection::DiagnosisUnknown),
            Self::Open(open) => {
                led_by(context, &open.convening, unit)?;
                open.conclude(context, conclusion)
            }
            Self::Concluded(known) => {
                led_by(context, &known.convening, unit)?;
                if known.conclusion == *conclusion {
                    Ok(vec![])
                } else {
                    Err(self.wrong_phase("open"))
                }
            }
            Self::Discontinued(_) => Err(self.wrong_phase("open")),
        }
    }

    /// All its clocks stop. A conclusion stands, and one that has not begun yet never will.
    pub(super) fn discontinue(&self, context: &Context<'_>) -> Vec<Event> {
        let stopped = match self {
            Self::Absent => vec![],
            Self::Open(open) => open.clocks.iter().map(|clock| clock.id).collect(),
            Self::Concluded(_) | Self::Discontinued(_) => return vec![],
        };
        vec![Event::DiagnosisDiscontinued { at: cut(context.now), stopped }]
    }

    /// A clock that stopped, or none of this diagnosis, has nothing due.
    pub(super) fn take_steps(
        &self,
        context: &Context<'_>,
        clock: ClockId,
    ) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Absent => Err(Rejection::DiagnosisUnknown),
            Self::Open(open) => Ok(open.take_steps(context, clock)),
            Self::Concluded(_) | Self::Discontinued(_) => Ok(vec![]),
        }
    }

    pub(super) fn mark_delivered(&self) -> Result<Vec<Event>, Rejection> {
        let concluded = self.concluded()?;
        if concluded.delivered { Ok(vec![]) } else { Ok(vec![Event::ConclusionDelivered {}]) }
    }

    pub(super) fn mark_rule_published(&self, version: u32) -> Result<Vec<Event>, Rejection> {
        let concluded = self.concluded()?;
        if concluded.conclusion.standing_lead.is_none() {
            return Err(Rejection::NoStandingRule);
        }
        match concluded.rule_version {
            Some(_) => Ok(vec![]),
            None => Ok(vec![Event::StandingRulePublished { version }]),
        }
    }

    fn concluded(&self) -> Result<&Concluded, Rejection> {
        match self {
            Self::Absent => Err(Rejection::DiagnosisUnknown),
            Self::Open(_) | Self::Discontinued(_) => Err(self.wrong_phase("concluded")),
            Self::Concluded(concluded) => Ok(concluded),
        }
    }

    fn wrong_phase(&self, wanted: &'static str) -> Rejection {
        Rejection::WrongPhase { found: self.phase(), wanted }
    }
}

impl Open {
    /// Late is better than never: only the conclusion ends the hearing.
    fn give_opinion(
        &self,
        at: Timestamp,
        unit: &UnitId,
        opinion: &Opinion,
    ) -> Result<Vec<Event>, Rejection> {
        if !self.convening.panel.units.contains(unit) {
            return Err(Rejection::UnitNotConvened(unit.clone()));
        }
        let (unit, opinion) = (unit.clone(), opinion.clone());
        match self.opinions.get(&unit) {
            Some(known) if *known == opinion => Ok(vec![]),
            Some(_) => Ok(vec![Event::OpinionRevised { unit, opinion, at }]),
            None => {
                let owed: Vec<&Clock> =
                    self.owed().filter(|clock| clock.owner == Owner::Unit(unit.clone())).collect();
                let late = owed.iter().any(|clock| clock.is_overdue(at));
                let stopped = owed.iter().map(|clock| clock.id).collect();
                Ok(vec![Event::OpinionGiven { unit, opinion, at, late, stopped }])
            }
        }
    }

    fn conclude(
        &self,
        context: &Context<'_>,
        conclusion: &Conclusion,
    ) -> Result<Vec<Event>, Rejection> {
        let at = cut(context.now);
        in_bounds(conclusion)?;
        listed(context, conclusion)?;
        let without_quorum = self.quorum_or_time(at)?;
        let dissents = self.opinions.iter().filter(|(_, known)| known.stance == Stance::Dissent);
        Ok(vec![Event::DiagnosisConcluded {
            conclusion: conclusion.clone(),
            dissenting: dissents.map(|(unit, _)| unit.clone()).collect(),
            without_quorum,
            at,
            stopped: self.clocks.iter().map(|clock| clock.id).collect(),
        }])
    }

    /// True when the quorum is missing and everybody's time is over.
    fn quorum_or_time(&self, at: Timestamp) -> Result<bool, Rejection> {
        let (heard, quorum) = (self.opinions.len(), self.convening.panel.quorum);
        if heard >= usize::from(quorum) {
            return Ok(false);
        }
        let in_time = self.owed().filter(|clock| !clock.is_overdue(at));
        match in_time.map(|clock| clock.due).max() {
            Some(until) => Err(Rejection::QuorumMissing { heard, quorum, until }),
            None => Ok(true),
        }
    }

    /// Whoever owes something here is reminded of it until the diagnosis ends.
    fn take_steps(&self, context: &Context<'_>, id: ClockId) -> Vec<Event> {
        let clock = self.clocks.iter().find(|clock| clock.id == id);
        let (now, calendar) = (cut(context.now), context.calendar.document);
        let climbed = clock.and_then(|clock| clock.climbed(now, Some(self.repeat_days), calendar));
        let Some((steps, clock)) = climbed else {
            return vec![];
        };
        let next = clock.next().map(|planned| planned.at);
        vec![Event::ClockStepsTaken { clock: id, steps, next }]
    }

    /// The clocks of the units that were not heard yet.
    fn owed(&self) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(|clock| clock.kind == ClockKind::Opinion)
    }
}

/// The convener, or who answers for it when it is gone: as the appeal would be repaired, so that no
/// diagnosis is without a unit that can conclude it.
fn led_by(context: &Context<'_>, convening: &Convening, unit: &UnitId) -> Result<(), Rejection> {
    let heir = context.routing.map(|routing| {
        let table = routing.document;
        table.reachable(&convening.convener).unwrap_or_else(|| table.guarantee_unit())
    });
    if convening.convener == *unit || heir == Some(unit) {
        Ok(())
    } else {
        Err(Rejection::OtherUnit { convener: convening.convener.clone() })
    }
}

fn in_bounds(conclusion: &Conclusion) -> Result<(), Rejection> {
    let found = conclusion.orders.len();
    if !(1..=ORDERS_MAX).contains(&found) {
        return Err(Rejection::OrderCount { found });
    }
    let mut days = conclusion.orders.iter().map(|order| order.working_days);
    match days.find(|days| !(1..=ORDER_DAYS_MAX).contains(days)) {
        Some(found) => Err(Rejection::OrderTime { found }),
        None => Ok(()),
    }
}

/// Without a published routing table there is no list to look a unit up in.
fn listed(context: &Context<'_>, conclusion: &Conclusion) -> Result<(), Rejection> {
    let Some(routing) = context.routing else {
        return Ok(());
    };
    let ordered = conclusion.orders.iter().map(|order| &order.unit);
    let mut named = ordered.chain(conclusion.standing_lead.iter().map(|rule| &rule.unit));
    match named.find(|unit| routing.document.unit(unit).is_none()) {
        Some(unit) => Err(Rejection::UnitUnknown(unit.clone())),
        None => Ok(()),
    }
}
