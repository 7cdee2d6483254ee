//! What the unit says became of an appeal, and what the enterprise says of that.

use std::sync::Arc;

use doudi_domain::{
    AppealId, Sealed,
    appeal::{Appeal, Callback, Command, Event},
};
use doudi_engine::{Folded, Outcome};

use super::{As, Known, Text, speaks};
use crate::{
    call::Call,
    convert::{Order, appeal as convert},
    error::Failure,
    proto as pb,
    services::Api,
};

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
            recorded: |event| {
                if let Event::AppealResolved { reply, .. } = event { Some(reply) } else { None }
            },
        };
        let resolve = |reply| Command::Resolve { unit: unit.clone(), outcome: *outcome, reply };
        self.order_with(call, &order, As::Unit, text, resolve).await
    }

    /// The enterprise's own word, on where the appeal goes on if it was merged. Answers with the
    /// appeal that it acted on.
    async fn own_word<C>(
        &self,
        call: &Call,
        order: Known<C>,
    ) -> Result<(Known<C>, Arc<Folded<Appeal>>), Failure> {
        let Order { enterprise, command_id, command: (asked, _), .. } = &order;
        speaks(call, enterprise, *asked)?;
        let (heard_in, folded) = self.heard_in(enterprise, *asked, Some(*command_id)).await?;
        Ok((order.map(|(_, said)| (heard_in, said)), folded))
    }

    pub(super) async fn confirm(
        &self,
        call: &Call,
        request: &pb::ConfirmResolutionRequest,
    ) -> Result<(Outcome<Appeal>, AppealId), Failure> {
        let (order, _) = self.own_word(call, convert::confirm(request)?).await?;
        let outcome = self.on_appeal(call, &order, &Command::Confirm).await?;
        Ok((outcome, order.command.0))
    }

    pub(super) async fn rate(
        &self,
        call: &Call,
        request: &pb::RateAppealRequest,
    ) -> Result<(Outcome<Appeal>, AppealId), Failure> {
        let (order, _) = self.own_word(call, convert::rate(request)?).await?;
        let (appeal, rating) = order.command;
        let outcome = self.on_appeal(call, &order, &Command::Rate(rating)).await?;
        Ok((outcome, appeal))
    }

    /// As the enterprise, else as dispatcher for it.
    pub(super) async fn object(
        &self,
        call: &Call,
        request: &pb::ObjectToResolutionRequest,
    ) -> Result<(Outcome<Appeal>, AppealId), Failure> {
        let (mut order, mut own) = (convert::object(request)?, None);
        if call.caller.speaks_for(&order.enterprise, order.command.0) {
            let (heard, folded) = self.own_word(call, order).await?;
            (order, own) = (heard, Some(folded));
        }
        let text = Text {
            label: "reason",
            text: &order.command.1,
            recorded: |event| {
                if let Event::ResolutionObjected { reason, .. } = event {
                    Some(reason)
                } else {
                    None
                }
            },
        };
        let object = |reason| Command::Object { reason };
        let outcome = match own {
            Some(folded) => self.sealed_order(call, &order, &folded, text, object).await?,
            None => self.order_with(call, &order, As::Spokesman, text, object).await?,
        };
        Ok((outcome, order.command.0))
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
            recorded: |event| {
                if let Event::CallbackRecorded { callback, .. } = event {
                    callback.note.as_ref()
                } else {
                    None
                }
            },
        };
        self.order_with(call, &order, As::Desk, text, |note| record(Some(note))).await
    }

    pub(super) async fn reopen(
        &self,
        call: &Call,
        request: &pb::ReopenAppealRequest,
    ) -> Result<(Outcome<Appeal>, AppealId), Failure> {
        let (order, folded) = self.own_word(call, convert::reopen(request)?).await?;
        let text = Text {
            label: "reason",
            text: &order.command.1,
            recorded: |event| {
                if let Event::AppealReopened { reason, .. } = event { Some(reason) } else { None }
            },
        };
        let reopen = |reason| Command::Reopen { reason };
        let outcome = self.sealed_order(call, &order, &folded, text, reopen).await?;
        Ok((outcome, order.command.0))
    }
}
