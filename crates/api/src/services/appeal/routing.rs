//! From unit to unit: dispatch, signature, objection, ruling, first contact.

use doudi_domain::{
    appeal::{Appeal, Command, Event},
    routing::Route,
};
use doudi_engine::Outcome;

use super::{As, Known, Text};
use crate::{call::Call, convert::appeal as convert, error::Failure, proto as pb, services::Api};

impl Api {
    pub(super) async fn dispatch(
        &self,
        call: &Call,
        request: &pb::DispatchAppealRequest,
    ) -> Result<(Outcome<Appeal>, Route), Failure> {
        let order = convert::dispatch(request)?;
        let command = Command::Dispatch { to: order.command.1.clone() };
        let outcome = self.order(call, &order, As::Desk, &command).await?;
        let route = self.routed(&order, &outcome).await?;
        Ok((outcome, route))
    }

    pub(super) async fn rule(
        &self,
        call: &Call,
        request: &pb::RuleOnContestRequest,
    ) -> Result<(Outcome<Appeal>, Route), Failure> {
        let order = convert::rule(request)?;
        let command = Command::Rule { to: order.command.1.clone() };
        let outcome = self.order(call, &order, As::Desk, &command).await?;
        let route = self.routed(&order, &outcome).await?;
        Ok((outcome, route))
    }

    /// Who has the appeal by that outcome: by the command's own events, so that a repetition answers
    /// as the first time did; where it was already so, as it is now.
    async fn routed<C>(
        &self,
        order: &Known<C>,
        outcome: &Outcome<Appeal>,
    ) -> Result<Route, Failure> {
        if let Some(route) = outcome.events.iter().rev().find_map(route) {
            return Ok(route.clone());
        }
        let folded = self.case(&order.enterprise, order.command.0).await?;
        let route = folded.state.known().and_then(|case| case.phase.route()).cloned();
        route.ok_or_else(|| Failure::fault("an appeal was dispatched to nobody"))
    }

    pub(super) async fn sign_for(
        &self,
        call: &Call,
        request: &pb::SignForAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::sign_for(request)?;
        let command = Command::SignFor { unit: call.unit()? };
        self.order(call, &order, As::Unit, &command).await
    }

    pub(super) async fn contest(
        &self,
        call: &Call,
        request: &pb::ContestDispatchRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::contest(request)?;
        let unit = call.unit()?;
        let (reason, proposed) = &order.command.1;
        let text = Text {
            label: "reason",
            text: reason,
            recorded: |event| {
                if let Event::DispatchContested { reason, .. } = event {
                    Some(reason)
                } else {
                    None
                }
            },
        };
        let contest = |reason| {
            let (unit, proposed) = (unit.clone(), proposed.clone());
            Command::Contest { unit, reason, proposed }
        };
        self.order_with(call, &order, As::Unit, text, contest).await
    }

    pub(super) async fn contacted(
        &self,
        call: &Call,
        request: &pb::RecordContactRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::contacted(request)?;
        let command = Command::RecordContact { unit: call.unit()? };
        self.order(call, &order, As::Unit, &command).await
    }
}

/// Where an event takes the appeal, if it takes it anywhere.
fn route(event: &Event) -> Option<&Route> {
    if let Event::AppealDispatched { route, .. }
    | Event::DispatchRuled { route, .. }
    | Event::GuaranteeTaken { route, .. } = event
    {
        Some(route)
    } else {
        None
    }
}
