//! What the unit says became of an appeal, and what the enterprise says of that.

use doudi_domain::{
    Sealed,
    appeal::{Appeal, Callback, Command, Event},
};
use doudi_engine::Outcome;

use super::{As, Text};
use crate::{call::Call, convert::appeal as convert, error::Failure, proto as pb, services::Api};

impl Api {
    pub(super) async fn resolve(
        &self,
        call: &Call,
        request: &pb::ResolveAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::resolve(request)?;
        let unit = call.unit()?;
        let (outcome, reply) = &order.command.1;
        let text = Text {
            label: "reply",
            text: reply,
            recorded: |event| matches!(event, Event::AppealResolved { .. }),
        };
        let resolve = |reply| Command::Resolve { unit, outcome: *outcome, reply };
        self.order_with(call, &order, As::Unit, text, resolve).await
    }

    pub(super) async fn object(
        &self,
        call: &Call,
        request: &pb::ObjectToResolutionRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::object(request)?;
        let text = Text {
            label: "reason",
            text: &order.command.1,
            recorded: |event| matches!(event, Event::ResolutionObjected { .. }),
        };
        let object = |reason| Command::Object { reason };
        self.order_with(call, &order, As::Objector, text, object).await
    }

    pub(super) async fn called_back(
        &self,
        call: &Call,
        request: &pb::RecordCallbackRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::called_back(request)?;
        let convert::CalledBack { reached, resolved, satisfied, note } = &order.command.1;
        let record = |note: Option<Sealed>| {
            let (resolved, satisfied) = (*resolved, *satisfied);
            Command::RecordCallback(Callback { reached: *reached, resolved, satisfied, note })
        };
        let Some(note) = note else {
            return self.order(call, &order, As::Desk, &record(None)).await;
        };
        let text = Text {
            label: "note",
            text: note,
            recorded: |event| matches!(event, Event::CallbackRecorded { .. }),
        };
        self.order_with(call, &order, As::Desk, text, |note| record(Some(note))).await
    }

    pub(super) async fn reopen(
        &self,
        call: &Call,
        request: &pb::ReopenAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::reopen(request)?;
        let text = Text {
            label: "reason",
            text: &order.command.1,
            recorded: |event| matches!(event, Event::AppealReopened { .. }),
        };
        let reopen = |reason| Command::Reopen { reason };
        self.order_with(call, &order, As::Enterprise, text, reopen).await
    }
}
