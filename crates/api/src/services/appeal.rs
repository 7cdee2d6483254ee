//! Commands on appeals: one path for all of them. Who may give a command is judged on the appeal as
//! the log has it; free text is sealed before it becomes part of a command; a repetition answers as
//! the first time did, also where the giver may no longer see the appeal, or its key is destroyed.

use std::sync::Arc;

use doudi_domain::{
    AppealId, Decider, EnterpriseId, Sealed,
    appeal::{Appeal, Case, Command, Event},
};
use doudi_engine::{ExecuteError, Folded, Outcome, Sealer, StreamName, VaultError, streams};
use uuid::Uuid;

use super::Api;
use crate::{
    call::Call,
    convert::{Order, derived},
    error::{Explain, Failure, Reason},
};

mod closing;
mod intake;
mod merging;
mod read;
mod routing;
mod rpcs;

pub(super) use merging::goes_on_in;

/// A command on a known appeal.
pub(super) type Known<C> = Order<(AppealId, C)>;

/// As what somebody gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// As dispatcher of the area.
    Desk,
    /// As a unit that the command names: the rules say which one it must be.
    Unit,
    /// As the unit that leads, where the command names none.
    Lead,
    /// As a unit with a task, which need not see the appeal for it.
    Asked,
    /// As dispatcher for the enterprise, once a callback reached it.
    Spokesman,
    /// As anybody who takes part in it.
    Party,
}

/// A text that a command carries, and how it is told by the event that came of it: a repetition is sealed as that is,
/// and known by it once nothing can be sealed any longer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) label: &'static str,
    pub(super) text: &'a str,
    pub(super) recorded: fn(&Event) -> Option<&Sealed>,
}

/// On what a command with texts is given.
#[derive(Debug)]
pub(super) struct On<'a, D> {
    pub(super) stream: &'a StreamName,
    /// As it was when the command was judged.
    pub(super) folded: &'a Folded<D>,
    pub(super) command_id: Uuid,
}

/// Whose personal data the texts of a command are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    appeal: AppealId,
    /// Whether its erasure was ordered.
    erased: bool,
}

impl Subject {
    /// The appeal, and the case whose erasure is its own: its case as it is by now, of a part that is split off the case that
    /// it is split from; none where nothing is on record yet.
    pub(super) fn of(appeal: AppealId, case: Option<&Case>) -> Self {
        Self { appeal, erased: case.is_some_and(Case::is_erased) }
    }
}

impl Api {
    /// Carries out a command without texts.
    pub(super) async fn order<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        by: As,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let appeal = order.command.0;
        match by {
            As::Unit => return self.as_unit(call, order, command).await,
            As::Desk if call.caller.dispatches_everywhere() => {}
            As::Desk | As::Lead | As::Asked | As::Spokesman | As::Party => {
                self.allowed(call, &order.enterprise, appeal, order.command_id, by).await?;
            }
        }
        self.on_appeal(call, order, command).await
    }

    /// Carries out a command that is made of a text, which is sealed only once the command is known
    /// to be the caller's to give: nobody else makes a key.
    pub(super) async fn order_with<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        by: As,
        text: Text<'_>,
        command: impl Fn(Sealed) -> Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let Order { enterprise, command_id, command: (appeal, _), .. } = order;
        let folded = self.allowed(call, enterprise, *appeal, *command_id, by).await?;
        self.sealed_order(call, order, &folded, text, command).await
    }

    /// As [`Api::order_with`], for a command on that appeal which is known to be the caller's to give.
    pub(super) async fn sealed_order<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        folded: &Folded<Appeal>,
        text: Text<'_>,
        command: impl Fn(Sealed) -> Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let Order { enterprise, command_id, command: (appeal, _), .. } = order;
        let stream = streams::appeal(enterprise, *appeal)?;
        let subject = Subject::of(*appeal, folded.state.known());
        let on = On { stream: &stream, folded, command_id: *command_id };
        let carry_out = |sealer: Sealer| {
            let command = sealer.seal(text.label, *command_id, text.text).map(&command);
            async { self.on_appeal(call, order, &command?).await }
        };
        self.sealed(on, subject, text.recorded, carry_out).await
    }

    /// A command that names its unit. A refusal must not tell a unit that may not see the appeal
    /// that there is one.
    pub(super) async fn as_unit<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let answer = self.on_appeal(call, order, command).await;
        if answer.is_ok() {
            return answer;
        }
        // Where the appeal cannot be read, the answer stands: it may be that the outcome is unknown.
        if let Ok(folded) = self.case(&order.enterprise, order.command.0).await {
            let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
            seen(call, &order.enterprise, case)?;
        }
        answer
    }

    /// Only who sees the appeal from inside is told what happened since a version that is not the
    /// present one: the names of events say what units do among themselves.
    async fn on_appeal<C>(
        &self,
        call: &Call,
        order: &Known<C>,
        command: &Command,
    ) -> Result<Outcome<Appeal>, Failure> {
        let Order { enterprise, command: (appeal, _), .. } = order;
        let stream = streams::appeal(enterprise, *appeal)?;
        let mut envelope = call.envelope(order.command_id, order.expected_version);
        let for_enterprise = matches!(command, Command::Object { .. });
        if for_enterprise && !call.caller.is_side_of(enterprise) {
            envelope.actor.on_behalf_of = Some(enterprise.to_string());
        }
        match self.0.engine.execute::<Appeal>(&stream, command, &envelope).await {
            Err(ExecuteError::VersionDiffers { actual }) => {
                let folded = self.case(enterprise, *appeal).await.ok();
                let case = folded.as_ref().and_then(|folded| folded.state.known());
                let inside = case.is_some_and(|case| call.caller.sees_inside(enterprise, case));
                let expected = envelope.expected_version.filter(|_| inside);
                Err(self.stale::<Appeal>(&stream, expected, actual).await)
            }
            answer => Ok(answer?),
        }
    }

    /// The appeal, unless the command is not the caller's to give. A repetition is let through
    /// whatever became of the appeal since: it only learns its outcome.
    pub(super) async fn allowed(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        command_id: Uuid,
        by: As,
    ) -> Result<Arc<Folded<Appeal>>, Failure> {
        let folded = self.case(enterprise, appeal).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        if let Err(refused) = judge(call, enterprise, appeal, case, by)
            && !self.recorded(enterprise, appeal, command_id).await?
        {
            return Err(refused);
        }
        Ok(folded)
    }

    /// Whether the command has left something in the appeal.
    pub(super) async fn recorded(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        command_id: Uuid,
    ) -> Result<bool, Failure> {
        let stream = streams::appeal(enterprise, appeal)?;
        Ok(self.0.engine.outcome::<Appeal>(&stream, command_id).await?.is_some())
    }

    pub(super) async fn case(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
    ) -> Result<Arc<Folded<Appeal>>, Failure> {
        self.read::<Appeal>(&streams::appeal(enterprise, appeal)?).await
    }

    /// Carries out a command with texts, which are sealed as the one that is `recorded` of it if there is one. When the
    /// subject was erased a repetition learns its first outcome.
    pub(super) async fn sealed<D: Decider, F>(
        &self,
        on: On<'_, D>,
        subject: Subject,
        recorded: fn(&D::Event) -> Option<&Sealed>,
        carry_out: impl Fn(Sealer) -> F,
    ) -> Result<Outcome<D>, Failure>
    where
        F: Future<Output = Result<Outcome<D>, Failure>>,
    {
        let On { stream, command_id, .. } = on;
        match self.sealed_unless_erased(on, subject, recorded, carry_out).await? {
            Some(outcome) => Ok(outcome),
            None => self.first_outcome::<D>(stream, command_id, recorded).await,
        }
    }

    /// The same; none when the subject was erased. Where the same command was given at the same moment, perhaps under
    /// another key, it is a repetition by now.
    pub(super) async fn sealed_unless_erased<D: Decider, F>(
        &self,
        On { stream, folded, command_id }: On<'_, D>,
        Subject { appeal, erased }: Subject,
        recorded: fn(&D::Event) -> Option<&Sealed>,
        carry_out: impl Fn(Sealer) -> F,
    ) -> Result<Option<Outcome<D>>, Failure>
    where
        F: Future<Output = Result<Outcome<D>, Failure>>,
    {
        if erased {
            return Ok(None);
        }
        let mut is_repetition = folded.knows(command_id);
        loop {
            let first = match is_repetition {
                true => self.0.engine.outcome::<D>(stream, command_id).await?,
                false => None,
            };
            let text = first.as_ref().and_then(|first| first.events.iter().find_map(recorded));
            let sealer = match self.0.vault.sealer(&derived::subject(appeal), text).await {
                Ok(sealer) => sealer,
                Err(VaultError::Erased) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            match carry_out(sealer).await {
                Err(failure)
                    if !is_repetition && failure.is_refused_for(Reason::CommandIdReused) =>
                {
                    is_repetition = true;
                }
                answer => return answer.map(Some),
            }
        }
    }

    /// The first outcome of a command whose text can no longer be sealed, so that a client that
    /// repeats it still learns it. What the text was is gone, hence not compared.
    pub(super) async fn first_outcome<D: Decider>(
        &self,
        stream: &StreamName,
        command_id: Uuid,
        recorded: fn(&D::Event) -> Option<&Sealed>,
    ) -> Result<Outcome<D>, Failure> {
        match self.0.engine.outcome::<D>(stream, command_id).await? {
            Some(first) if first.events.iter().any(|event| recorded(event).is_some()) => Ok(first),
            Some(_) => Err(Reason::CommandIdReused.into()),
            None => Err(Reason::PersonalDataErased.into()),
        }
    }
}

/// Whether the caller may give a command on that case, apart from what the rules of the case say.
pub(super) fn judge(
    call: &Call,
    enterprise: &EnterpriseId,
    appeal: AppealId,
    case: &Case,
    by: As,
) -> Result<(), Failure> {
    let caller = &call.caller;
    let dispatches = caller.dispatches(&case.submission.area);
    match by {
        As::Asked if caller.part_of(case).is_some() => Ok(()),
        As::Unit | As::Asked => seen(call, enterprise, case),
        As::Lead => {
            seen(call, enterprise, case)?;
            // Without a lead unit the phase is what stands in the way, as the rules will say.
            match case.phase.route() {
                Some(route) if !caller.leads(case) => {
                    let owner = route.unit.clone();
                    Err(doudi_domain::appeal::Rejection::OtherUnit { owner }.explain().into())
                }
                _ => Ok(()),
            }
        }
        As::Desk => {
            seen(call, enterprise, case)?;
            call.require(|_| dispatches)
        }
        As::Spokesman => {
            seen(call, enterprise, case)?;
            call.require(|_| dispatches)?;
            match case.callback.as_ref().is_some_and(|callback| callback.reached) {
                true => Ok(()),
                false => Err(Reason::CallbackMissing.into()),
            }
        }
        As::Party if caller.speaks_for(enterprise, appeal) => Ok(()),
        As::Party => {
            seen(call, enterprise, case)?;
            call.require(|caller| dispatches || caller.leads(case) || caller.helps(case))
        }
    }
}

/// Refuses who does not speak for the enterprise in that appeal, as the request alone tells.
pub(super) fn speaks(
    call: &Call,
    enterprise: &EnterpriseId,
    appeal: AppealId,
) -> Result<(), Failure> {
    call.require(|caller| caller.speaks_for(enterprise, appeal))
}

/// Refuses an appeal that the caller may not see, in the words for an unknown one. Who knows of it,
/// because it is asked for a part, is told that the rest lies outside its scope.
pub(super) fn seen(call: &Call, enterprise: &EnterpriseId, case: &Case) -> Result<(), Failure> {
    if call.caller.sees_appeal(enterprise, case) {
        Ok(())
    } else if call.caller.part_of(case).is_some() {
        Err(Reason::OutsideScope.into())
    } else {
        Err(Reason::AppealUnknown.into())
    }
}
