//! From unit to unit: dispatch, signature, objection, ruling, and the guarantee behind them.

use super::*;
use crate::clock::Clock;

/// What ends when the case goes to another unit.
const HANDOVER: [ClockKind; 7] = [
    ClockKind::Accept,
    ClockKind::Dispatch,
    ClockKind::Ruling,
    ClockKind::Contact,
    ClockKind::Resolve,
    ClockKind::Extension,
    ClockKind::Pause,
];

impl Case {
    pub(super) fn dispatch(&self, context: &Context<'_>, to: Option<&UnitId>) -> Decided {
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        match &self.phase {
            Phase::Accepted => {
                let competent = self.competent()?;
                let route = match to {
                    Some(unit) => by_hand(routing.document, unit)?,
                    None => self.by_rule(routing.document, competent),
                };
                self.send(context, routing, route)
            }
            Phase::Contested { assignment, proposed, .. } => {
                let to = to.or(proposed.as_ref()).ok_or(Rejection::ProposalMissing)?;
                let route = by_hand(routing.document, to)?;
                if route.unit == assignment.route.unit {
                    return Err(Rejection::ObjectorAgain(route.unit));
                }
                self.send(context, routing, route)
            }
            Phase::Dispatched(known) => {
                let wanted = match to {
                    Some(unit) => by_hand(routing.document, unit)?,
                    None => known.route.clone(),
                };
                if wanted.unit == known.route.unit {
                    Ok(vec![])
                } else {
                    Err(self.wrong_phase("accepted or contested"))
                }
            }
            Phase::InHandling(known) if self.guarantee.is_some() && to.is_none() => {
                // The rules found no owner, and the guarantee took it at once.
                if known.is_final { Ok(vec![]) } else { Err(self.wrong_phase("accepted")) }
            }
            _ => Err(self.wrong_phase("accepted or contested")),
        }
    }

    /// The unit that the case type names, by the level of the body complained of or for all; none where
    /// the routing table decides. Nobody here may handle what belongs outside.
    fn competent(&self) -> Result<Option<&UnitId>, Rejection> {
        let case_type = &self.terms.case_type;
        let competence = self.submission.about_level.and_then(|at| case_type.competence(at));
        let Some(competence) = competence else { return Ok(case_type.lead.as_ref()) };
        let outside =
            || Rejection::CompetentElsewhere { guidance: competence.guidance.to_string() };
        competence.unit.as_ref().map(Some).ok_or_else(outside)
    }

    /// Whom the rules of that table give the case to, whoever has it; that the city desk is chosen says
    /// that they found nobody, and the guarantee takes it.
    ///
    /// # Errors
    /// [`Rejection::CompetentElsewhere`] where nobody here may handle it.
    pub fn routed_by(&self, table: &RoutingTable) -> Result<Route, Rejection> {
        Ok(self.by_rule(table, self.competent()?))
    }

    /// The unit that the case type names, else the routing table.
    fn by_rule(&self, table: &RoutingTable, competent: Option<&UnitId>) -> Route {
        let lead = competent.map(|unit| (&self.terms.case_type.id, unit));
        let topic = &self.submission.topic;
        let route = table.route(lead, topic, Some(&self.submission.area));
        // Where only the area's desk is left, a matter that it may not know of passes it over.
        match (&route.rule, self.submission.desk_area()) {
            (RouteRule::Area(_), None) => table.route(lead, topic, None),
            _ => route,
        }
    }

    fn send(
        &self,
        context: &Context<'_>,
        routing: Published<'_, RoutingTable>,
        route: Route,
    ) -> Decided {
        if route.rule == RouteRule::CityDesk {
            return Ok(self.guarantee(context, Trigger::NoOwner).into_iter().collect());
        }
        let mut winder = Winder::of(context, self);
        winder.stop_kinds(self, &HANDOVER);
        self.owed_by(&mut winder, &route.unit);
        let (routing_version, clocks) = (routing.version, winder.done());
        Ok(vec![Event::AppealDispatched { route, routing_version, clocks }])
    }

    /// Contact and resolution, owed by whoever has the case now; a mediation goes on with it.
    fn owed_by(&self, winder: &mut Winder<'_>, unit: &UnitId) {
        let allowances = &self.terms.case_type.allowances;
        winder.start(ClockKind::Contact, Owner::Unit(unit.clone()), allowances.contact);
        winder.start(ClockKind::Resolve, Owner::Unit(unit.clone()), self.resolve_days());
        if let Some(mediation) = self.clock(ClockKind::Mediation) {
            winder.set(Clock { owner: Owner::Unit(unit.clone()), ..mediation.clone() });
        }
    }

    /// Signing moves no clock: the unit's time runs from dispatch.
    pub(super) fn sign_for(&self, context: &Context<'_>, unit: &UnitId) -> Decided {
        match &self.phase {
            Phase::Dispatched(assignment) => {
                led_by(assignment, unit)?;
                let clocks = Winder::of(context, self).done();
                Ok(vec![Event::AppealSignedFor { unit: unit.clone(), clocks }])
            }
            Phase::InHandling(assignment) => led_by(assignment, unit).map(|()| vec![]),
            _ => Err(self.wrong_phase("dispatched")),
        }
    }

    pub(super) fn record_contact(&self, context: &Context<'_>, unit: &UnitId) -> Decided {
        led_by(self.handler()?, unit)?;
        if self.contacted {
            return Ok(vec![]);
        }
        let mut winder = Winder::of(context, self);
        winder.stop_kinds(self, &[ClockKind::Contact]);
        Ok(vec![Event::EnterpriseContacted { unit: unit.clone(), clocks: winder.done() }])
    }

    /// Within the time for it, and never twice by whom a ruling named. Once the bounce budget is
    /// spent an objection brings the guarantee in, so it waits until somebody guarantees: else a ruling
    /// would send the case round once more.
    pub(super) fn contest(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        reason: &Sealed,
        proposed: Option<&UnitId>,
    ) -> Decided {
        if let Phase::Contested { assignment, proposed: known, .. } = &self.phase {
            let same = assignment.route.unit == *unit && known.as_ref() == proposed;
            return if same { Ok(vec![]) } else { Err(self.wrong_phase("dispatched")) };
        }
        let spent = self.guarantee == Some(Trigger::BouncesSpent);
        if spent && self.objector.as_ref() == Some(unit) {
            return Ok(vec![]);
        }
        let assignment = self.handler()?;
        led_by(assignment, unit)?;
        self.readable()?;
        self.not_paused()?;
        match (self.guarantee, assignment.is_final) {
            (Some(_), _) => return Err(Rejection::Guaranteed),
            (None, true) => return Err(Rejection::DispatchFinal),
            (None, false) => {}
        }
        let mut winder = Winder::of(context, self);
        let until =
            winder.working_days_after(assignment.since, self.terms.case_type.allowances.contest);
        if winder.at() > until {
            return Err(Rejection::ContestTooLate(until));
        }
        if let (Some(proposed), Some(routing)) = (proposed, context.routing) {
            by_hand(routing.document, proposed)?;
        }
        let allowed = self.terms.case_type.allowances.ruling;
        winder.start(ClockKind::Ruling, self.desk(context), allowed);
        let contested = Event::DispatchContested {
            unit: unit.clone(),
            reason: reason.clone(),
            proposed: proposed.cloned(),
            clocks: winder.done(),
        };
        if self.bounces < self.terms.case_type.bounds.bounces_max {
            return Ok(vec![contested]);
        }
        let after = self.clone().evolve(&contested);
        let guarantee = after.guarantee(context, Trigger::BouncesSpent);
        Ok(vec![contested, guarantee.ok_or(Rejection::RoutingUnpublished)?])
    }

    /// The dispatcher's ruling (裁定): another unit, or the one that objected. Either has it for good.
    pub(super) fn rule(&self, context: &Context<'_>, to: Option<&UnitId>) -> Decided {
        let routing = context.routing.ok_or(Rejection::RoutingUnpublished)?;
        let Phase::Contested { assignment, .. } = &self.phase else {
            let named = |known: &Assignment| {
                let named = |to: &UnitId| {
                    known.route.unit == *to || known.route.instead_of.as_ref() == Some(to)
                };
                to.is_none_or(named)
            };
            return match self.phase.assignment() {
                Some(known) if known.is_final && named(known) && self.guarantee.is_none() => {
                    Ok(vec![])
                }
                _ => Err(self.wrong_phase("contested")),
            };
        };
        let mut winder = Winder::of(context, self);
        let routing_version = routing.version;
        let named = to.map(|unit| by_hand(routing.document, unit)).transpose()?;
        let Some(named) = named.filter(|route| route.unit != assignment.route.unit) else {
            winder.stop_kinds(self, &[ClockKind::Ruling]);
            let (route, clocks) = (assignment.route.clone(), winder.done());
            return Ok(vec![Event::DispatchRuled {
                route,
                routing_version,
                upheld: false,
                clocks,
            }]);
        };
        let route = Route { rule: RouteRule::Ruling, ..named };
        winder.stop_kinds(self, &HANDOVER);
        self.owed_by(&mut winder, &route.unit);
        let clocks = winder.done();
        Ok(vec![Event::DispatchRuled { route, routing_version, upheld: true, clocks }])
    }

    /// The guarantee unit owns it from now on (兜底). What is overdue keeps climbing the ladder against
    /// whom it was owed by. None while nobody has published who guarantees, or when it does already.
    pub(super) fn guarantee(&self, context: &Context<'_>, trigger: Trigger) -> Option<Event> {
        let routing = context.routing?;
        if self.guarantee.is_some() {
            return None;
        }
        let unit = routing.document.guarantee_unit().clone();
        let mut winder = Winder::of(context, self);
        let now = winder.at();
        winder.stop_if(self, |clock| {
            HANDOVER.contains(&clock.kind) && !(clock.is_overdue(now) && clock.next().is_some())
        });
        self.owed_by(&mut winder, &unit);
        Some(Event::GuaranteeTaken {
            trigger,
            route: Route { unit, co_units: vec![], rule: RouteRule::Guarantee, instead_of: None },
            routing_version: routing.version,
            clocks: winder.done(),
        })
    }
}

/// A unit that a person names: it must be one that can be reached.
fn by_hand(table: &RoutingTable, unit: &UnitId) -> Result<Route, Rejection> {
    match table.reachable(unit) {
        Some(reached) => Ok(Route {
            unit: reached.clone(),
            co_units: vec![],
            rule: RouteRule::Dispatcher,
            instead_of: (reached != unit).then(|| unit.clone()),
        }),
        None => Err(Rejection::UnitUnknown(unit.clone())),
    }
}
