//! What the caller may do with an appeal now, and what stands in the way of the rest. It is judged
//! where the deed would be done: what goes on elsewhere once the appeal is merged, there.

use doudi_domain::{
    AppealId, Context, EnterpriseId,
    appeal::{Action, Allowed, Appeal, Case, Command, Party},
};
use doudi_engine::{Folded, Position, streams};

use crate::{
    call::Call,
    convert::{
        case::{
            self as convert,
            allowed::{self, Tried},
        },
        token,
    },
    error::{Failure, Reason, Refusal},
    identity::Caller,
    permission::{Role, RoleSet, sight::Sight},
    proto as pb,
    services::{
        Api,
        appeal::{As, goes_on_in, judge},
    },
};

/// What was tried on one appeal, its version, and a position that this reflects.
type Found<T> = (Vec<T>, u64, Position);

impl Api {
    pub(super) async fn allowed_actions(
        &self,
        call: &Call,
        request: &pb::GetAllowedActionsRequest,
    ) -> Result<pb::GetAllowedActionsResponse, Failure> {
        let pb::GetAllowedActionsRequest { enterprise_id, appeal_id, min_position } = request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position, None)?;
        let caller = &*call.caller;
        let (enterprise, appeal, _) = &asked;
        let tried = self.judged(call, &asked, |seen| {
            let judge = |party: &Party| seen.case.allowed(seen.context, party);
            let mut tried: Vec<Allowed> =
                parties(caller, seen.case).iter().flat_map(judge).collect();
            if objects_for_it(caller, seen.case) {
                let own = judge(&Party::Enterprise).into_iter();
                tried.extend(own.filter(|one| one.action == Action::Object));
            }
            let is_part = matches!(seen.sight, Sight::Task(_));
            if is_part {
                tried.retain(|one| one.action == Action::AnswerCoHandling);
            }
            let goes_on = !is_part && goes_on_in(seen.case).is_some();
            ((tried, seen.version, seen.position), goes_on)
        });
        let ((tried, mut version, mut position), goes_on) = tried.await?;
        let mut tried: Vec<Tried> = tried.iter().map(Tried::from).collect();
        if goes_on {
            let known;
            (tried, known) = self.entries_further_on(call, enterprise, *appeal, tried).await?;
            position = position.max(known);
        }
        if caller.speaks_for(enterprise, *appeal) {
            let (own, at, known) = self.own_actions(enterprise, *appeal).await?;
            // What it may do itself comes before what another may do for it.
            tried.splice(0..0, own.iter().map(Tried::from));
            (version, position) = (at, position.max(known));
        }
        Ok(pb::GetAllowedActionsResponse {
            actions: allowed::of_allowed(caller, tried),
            version,
            position: token::of_position(position),
        })
    }

    /// What was tried on a merged appeal, but of notes and files what may be done where they go. Who may
    /// add none there is told why, as the refusal would.
    async fn entries_further_on(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        tried: Vec<Tried>,
    ) -> Result<(Vec<Tried>, Position), Failure> {
        let (entries, mut tried): (Vec<_>, Vec<_>) =
            tried.into_iter().partition(|one| is_entry(one.action));
        let (goes_on_in, folded) = self.destination(enterprise, appeal, None).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        match judge(call, enterprise, appeal, case, As::Party) {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) => {
                let refused = |one| Tried { missing: Some(Refusal::clone(&refusal)), ..one };
                tried.extend(entries.into_iter().map(refused));
                return Ok((tried, folded.position));
            }
            Err(fault) => return Err(fault),
        }
        let judged = |folded: &Folded<Appeal>, context: &Context<'_>| {
            let case = folded.state.known()?;
            let parties = parties(&call.caller, case);
            let there = parties.iter().flat_map(|party| case.allowed(context, party));
            Some((there.filter(|one| is_entry(one.action)).collect::<Vec<_>>(), folded.position))
        };
        let (there, position) = self.considered(enterprise, goes_on_in, judged).await?;
        tried.extend(there.iter().map(Tried::from));
        Ok((tried, position))
    }

    /// What the enterprise may do, where its word on that appeal is heard, and that one's version.
    async fn own_actions(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
    ) -> Result<Found<Allowed>, Failure> {
        let (heard_in, _) = self.heard_in(enterprise, appeal, None).await?;
        let judged = |folded: &Folded<Appeal>, context: &Context<'_>| {
            let own = folded.state.known()?.allowed(context, &Party::Enterprise);
            Some((own, folded.version.0, folded.position))
        };
        self.considered(enterprise, heard_in, judged).await
    }

    /// What `judge` says of an appeal and of what a decision on it would read.
    async fn considered<T>(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        judge: impl FnOnce(&Folded<Appeal>, &Context<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let stream = streams::appeal(enterprise, appeal)?;
        let answer = self.0.engine.consider(&stream, &Command::Repair, judge).await?;
        answer.ok_or_else(|| Reason::AppealUnknown.into())
    }
}

/// Whether that adds something which follows a merged appeal to where it goes on.
fn is_entry(action: Action) -> bool {
    matches!(action, Action::AddNote | Action::Attach)
}

/// A desk may object for the enterprise once it reached it on the phone.
fn objects_for_it(caller: &Caller, case: &Case) -> bool {
    caller.dispatches(&case.submission.area)
        && case.callback.as_ref().is_some_and(|callback| callback.reached)
}

/// What the caller is in a case, besides the enterprise.
fn parties(caller: &Caller, case: &Case) -> Vec<Party> {
    let mut parties = Vec::new();
    if caller.dispatches(&case.submission.area) {
        parties.push(Party::Desk);
    }
    let handles = caller.roles.intersects(RoleSet::of(&[Role::AgencyHandler, Role::UnitHead]));
    let unit =
        caller.unit.clone().filter(|_| handles && (caller.leads(case) || caller.helps(case)));
    parties.extend(unit.map(Party::Unit));
    if caller.is_admin() {
        parties.push(Party::Registrar);
    }
    parties
}
