//! Questions about one appeal: why by then, who had it how long, what may be done, what the
//! enterprise sees of it.

use doudi_domain::{
    AppealId, Context, EnterpriseId,
    appeal::{Action, Allowed, Appeal, Case, Command, Party},
};
use doudi_engine::{Folded, Position, streams};
use doudi_views::ViewName;

use crate::{
    call::Call,
    convert::{
        case::{self as convert, Asked, allowed},
        clock::of_clock,
        token,
    },
    error::{Failure, Reason},
    identity::Caller,
    permission::{
        Role, RoleSet,
        sight::{Part, Sight},
    },
    proto as pb,
    services::{Api, may_ask},
};

/// An appeal that the caller may see, with what a decision on it would read.
struct Seen<'a> {
    case: &'a Case,
    sight: Sight,
    version: u64,
    /// A position that the answer reflects.
    position: Position,
    context: &'a Context<'a>,
}

impl Api {
    pub(super) async fn explained(
        &self,
        call: &Call,
        request: &pb::ExplainDeadlineRequest,
    ) -> Result<pb::ExplainDeadlineResponse, Failure> {
        let pb::ExplainDeadlineRequest { enterprise_id, appeal_id, min_position, .. } = request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position)?;
        let id = convert::clock_id(request);
        let answer = self.judged(call, &asked, |seen| {
            let clock = match id {
                None => seen.case.due(),
                Some(id) => seen.case.clocks.get(&id),
            };
            let clock = clock.filter(|clock| seen.sight.shows(Part::clock(seen.case, clock)))?;
            let words = clock.explain();
            Some(pb::ExplainDeadlineResponse {
                clock: Some(of_clock(clock)),
                text_en: words.en,
                text_zh: words.zh,
                position: token::of_position(seen.position),
            })
        });
        answer.await?.ok_or_else(|| Reason::ClockUnknown.into())
    }

    pub(super) async fn ledger(
        &self,
        call: &Call,
        request: &pb::GetTimeLedgerRequest,
    ) -> Result<pb::GetTimeLedgerResponse, Failure> {
        let pb::GetTimeLedgerRequest { enterprise_id, appeal_id, min_position } = request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position)?;
        let answer = self.judged(call, &asked, |seen| {
            let (ledger, now) = (&seen.case.ledger, seen.context.now);
            let calendar = seen.context.calendar.document;
            let spent = ledger.spent(calendar, now).into_iter();
            seen.sight.shows(Part::Ledger).then(|| pb::GetTimeLedgerResponse {
                entries: spent.map(|(segment, spent)| convert::of_spent(segment, spent)).collect(),
                age_working_seconds: convert::seconds(ledger.age(calendar, now)),
                position: token::of_position(seen.position),
            })
        });
        answer.await?.ok_or_else(|| Reason::OutsideScope.into())
    }

    pub(super) async fn allowed_actions(
        &self,
        call: &Call,
        request: &pb::GetAllowedActionsRequest,
    ) -> Result<pb::GetAllowedActionsResponse, Failure> {
        let pb::GetAllowedActionsRequest { enterprise_id, appeal_id, min_position } = request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position)?;
        let caller = &*call.caller;
        let (enterprise, appeal, _) = &asked;
        let tried = self.judged(call, &asked, |seen| {
            let judge = |party: &Party| seen.case.allowed(seen.context, party);
            let parties = parties(caller, seen.case);
            let mut tried: Vec<Allowed> = parties.iter().flat_map(judge).collect();
            if objects_for_it(caller, seen.case) {
                let own = judge(&Party::Enterprise).into_iter();
                tried.extend(own.filter(|one| one.action == Action::Object));
            }
            if let Sight::Task(_) = seen.sight {
                tried.retain(|one| one.action == Action::AnswerCoHandling);
            }
            (tried, seen.version, seen.position)
        });
        let (mut tried, mut version, mut position) = tried.await?;
        if caller.speaks_for(enterprise, *appeal) {
            let (own, at, known) = self.own_actions(enterprise, *appeal).await?;
            // What it may do itself comes before what another may do for it.
            tried.splice(0..0, own);
            (version, position) = (at, position.max(known));
        }
        Ok(pb::GetAllowedActionsResponse {
            actions: allowed::of_allowed(caller, &tried),
            version,
            position: token::of_position(position),
        })
    }

    /// What the enterprise may do, where its word on that appeal is heard, and that one's version.
    async fn own_actions(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
    ) -> Result<(Vec<Allowed>, u64, Position), Failure> {
        let (heard_in, _) = self.heard_in(enterprise, appeal, None).await?;
        let stream = streams::appeal(enterprise, heard_in)?;
        let judged = |folded: &Folded<Appeal>, context: &Context<'_>| {
            let case = folded.state.known()?;
            let own = case.allowed(context, &Party::Enterprise);
            Some((own, folded.version.0, folded.position))
        };
        let own = self.0.engine.consider(&stream, &Command::Repair, judged).await?;
        own.ok_or_else(|| Reason::AppealUnknown.into())
    }

    pub(super) async fn followed(
        &self,
        call: &Call,
        request: &pb::FollowCaseRequest,
    ) -> Result<pb::FollowCaseResponse, Failure> {
        let at_least = convert::follow(request)?;
        let Caller { enterprise: Some(enterprise), appeal: Some(id), .. } = &*call.caller else {
            return Err(Reason::OutsideScope.into());
        };
        call.require(|caller| caller.speaks_for(enterprise, *id))?;
        let shown = self.shown(call, enterprise, *id, at_least).await?;
        let (heard_in, folded) = self.heard_in(enterprise, *id, None).await?;
        let continued = if heard_in == *id {
            None
        } else {
            let found = (heard_in, &*folded);
            Some(self.shown_as(call, enterprise, found, &Sight::Progress).await?)
        };
        Ok(pb::FollowCaseResponse {
            appeal: Some(shown.appeal),
            version: shown.version.0,
            position: token::of_position(shown.position),
            continued_version: continued.as_ref().map_or(0, |continued| continued.version.0),
            continued_in: continued.map(|continued| continued.appeal),
        })
    }

    /// What `judge` says of an appeal that the caller may see. One that is unknown and one that is
    /// not for this caller are refused alike.
    async fn judged<T>(
        &self,
        call: &Call,
        (enterprise, id, at_least): &Asked,
        judge: impl FnOnce(Seen<'_>) -> T,
    ) -> Result<T, Failure> {
        may_ask(call, enterprise)?;
        self.reached(ViewName::Timeline, "min_position", *at_least).await?;
        let stream = streams::appeal(enterprise, *id)?;
        let judged = |folded: &Folded<Appeal>, context: &Context<'_>| {
            let case = folded.state.known()?;
            let sight = call.caller.sight(enterprise, *id, case)?;
            let position = folded.position.max(*at_least);
            Some(judge(Seen { case, sight, version: folded.version.0, position, context }))
        };
        let answer = self.0.engine.consider(&stream, &Command::Repair, judged).await?;
        answer.ok_or_else(|| Reason::AppealUnknown.into())
    }
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
    parties
}
