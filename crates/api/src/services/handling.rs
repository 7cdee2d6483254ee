//! `HandlingService`: what happens to an appeal while a unit handles it.

use doudi_domain::{
    appeal::{Appeal, Case, Command, Event},
    clock::ClockId,
};
use doudi_engine::Outcome;

use super::{
    Api,
    appeal::{As, Known, Text},
};
use crate::{
    call::Call,
    convert::{common::receipt, handling as convert},
    error::Failure,
    proto as pb,
};

mod entries;
mod files;
mod rpcs;

impl Api {
    async fn asked_extension(
        &self,
        call: &Call,
        request: &pb::AskExtensionRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::ask_extension(request)?;
        let unit = call.unit()?;
        let (working_days, reason) = &order.command.1;
        let text = Text {
            label: "reason",
            text: reason,
            recorded: |event| {
                if let Event::ExtensionAsked { reason, .. } = event { Some(reason) } else { None }
            },
        };
        let ask = |reason| {
            let (unit, working_days) = (unit.clone(), *working_days);
            Command::AskExtension { unit, working_days, reason }
        };
        self.order_with(call, &order, As::Unit, text, ask).await
    }

    async fn pause(
        &self,
        call: &Call,
        request: &pb::PauseHandlingRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::pause(request)?;
        let (ground, reference) = &order.command.1;
        let (unit, ground, reference) = (call.unit()?, *ground, reference.clone());
        let command = Command::Pause { unit, ground, reference };
        self.order(call, &order, As::Unit, &command).await
    }

    async fn asked_of(
        &self,
        call: &Call,
        request: &pb::RequestCoHandlingRequest,
    ) -> Result<pb::RequestCoHandlingResponse, Failure> {
        let order = convert::co_handling(request)?;
        let unit = call.unit()?;
        let (of, ask) = &order.command.1;
        let text = Text {
            label: "ask",
            text: ask,
            recorded: |event| {
                if let Event::CoHandlingRequested { ask, .. } = event { Some(ask) } else { None }
            },
        };
        let ask = |ask| Command::RequestCoHandling { unit: unit.clone(), of: of.clone(), ask };
        let outcome = self.order_with(call, &order, As::Unit, text, ask).await?;
        let receipt = Some(receipt(&outcome));
        let task_id = self.task(&order, &outcome).await?.0;
        Ok(pb::RequestCoHandlingResponse { receipt, task_id })
    }

    /// The task by the command's own event; where it was already so, the one that is open.
    async fn task(
        &self,
        order: &Known<(doudi_domain::UnitId, String)>,
        outcome: &Outcome<Appeal>,
    ) -> Result<ClockId, Failure> {
        let asked = outcome.events.iter().find_map(|event| {
            if let Event::CoHandlingRequested { task, .. } = event { Some(*task) } else { None }
        });
        if let Some(task) = asked {
            return Ok(task);
        }
        let of = &order.command.1.0;
        let open = |case: &Case| {
            let mut tasks = case.tasks.iter();
            tasks.find(|(_, task)| task.unit == *of && task.answer.is_none()).map(|(id, _)| *id)
        };
        let folded = self.case(&order.enterprise, order.command.0).await?;
        let task = folded.state.known().and_then(open);
        task.ok_or_else(|| Failure::fault("a task was asked for and is not there"))
    }

    async fn answered(
        &self,
        call: &Call,
        request: &pb::AnswerCoHandlingRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::answer(request)?;
        let unit = call.unit()?;
        let (task, answer) = &order.command.1;
        let text = Text {
            label: "answer",
            text: answer,
            recorded: |event| {
                if let Event::CoHandlingAnswered { answer, .. } = event {
                    Some(answer)
                } else {
                    None
                }
            },
        };
        let answer = |answer| Command::AnswerCoHandling { unit: unit.clone(), task: *task, answer };
        self.order_with(call, &order, As::Asked, text, answer).await
    }
}
