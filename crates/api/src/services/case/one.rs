//! Questions about one appeal: why by then, who had it how long, what the enterprise sees of it; and
//! the token with which it sees that.

use doudi_domain::{
    AppealId, Context, EnterpriseId,
    appeal::{Appeal, Case, Command},
    reads::What,
};
use doudi_engine::{Folded, Position, streams};
use doudi_views::ViewName;

use crate::{
    call::Call,
    convert::{
        Reflect,
        case::{self as convert, Asked},
        clock::of_clock,
        token,
    },
    error::{Failure, Reason},
    identity::Caller,
    permission::sight::{Part, Sight},
    proto as pb,
    services::{
        Api,
        appeal::{As, judge},
        may_ask,
    },
};

/// An appeal that the caller may see, with what a decision on it would read.
pub(super) struct Seen<'a> {
    pub(super) case: &'a Case,
    pub(super) sight: Sight,
    pub(super) version: u64,
    /// A position that the answer reflects.
    pub(super) position: Position,
    pub(super) context: &'a Context<'a>,
}

impl Api {
    pub(super) async fn explained(
        &self,
        call: &Call,
        request: &pb::ExplainDeadlineRequest,
    ) -> Result<pb::ExplainDeadlineResponse, Failure> {
        let pb::ExplainDeadlineRequest { enterprise_id, appeal_id, min_position, as_of, .. } =
            request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position, as_of.as_ref())?;
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
        let pb::GetTimeLedgerRequest { enterprise_id, appeal_id, min_position, as_of } = request;
        let asked = convert::asked(enterprise_id, appeal_id, min_position, as_of.as_ref())?;
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
            let (found, sight) = ((heard_in, &*folded), Sight::Progress);
            let now = folded.state.known().ok_or(Reason::AppealUnknown)?;
            Some(self.shown_as(call, enterprise, found, now, &sight).await?)
        };
        Ok(pb::FollowCaseResponse {
            appeal: Some(shown.appeal),
            version: shown.version.0,
            position: token::of_position(shown.position),
            continued_version: continued.as_ref().map_or(0, |continued| continued.version.0),
            continued_in: continued.map(|continued| continued.appeal),
            parts: self.parts_of(enterprise, *id).await?,
        })
    }

    /// The parts that were split from an appeal and submitted, each with its token: they are whose the
    /// appeal is.
    async fn parts_of(
        &self,
        enterprise: &EnterpriseId,
        id: AppealId,
    ) -> Result<Vec<pb::FollowedPart>, Failure> {
        let folded = self.case(enterprise, id).await?;
        let parts = folded.state.known().into_iter().flat_map(|case| &case.parts);
        let submitted =
            parts.filter(|(_, part)| part.submitted).map(|(part, _)| pb::FollowedPart {
                appeal_id: part.to_string(),
                case_token: self.0.cases.make(enterprise, *part),
            });
        Ok(submitted.collect())
    }

    /// The token of a case, for the desk to hand to the enterprise. Who has it reads the case, so it is
    /// recorded as a read.
    pub(super) async fn issued(
        &self,
        call: &Call,
        request: &pb::IssueCaseTokenRequest,
    ) -> Result<pb::IssueCaseTokenResponse, Failure> {
        let (enterprise, id) = convert::issue(request)?;
        let folded = self.case(&enterprise, id).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        judge(call, &enterprise, id, case, As::Desk)?;
        self.note_read(call, &enterprise, id, case, What::Case).await?;
        Ok(pb::IssueCaseTokenResponse { case_token: self.0.cases.make(&enterprise, id) })
    }

    /// What `judge` says of an appeal that the caller may see, as it is or was. One that is unknown and
    /// one that is not for this caller are refused alike.
    pub(super) async fn judged<T>(
        &self,
        call: &Call,
        (enterprise, id, Reflect { at_least, as_of }): &Asked,
        judge: impl FnOnce(Seen<'_>) -> T,
    ) -> Result<T, Failure> {
        may_ask(call, enterprise)?;
        self.reached(ViewName::Timeline, "min_position", *at_least).await?;
        let stream = streams::appeal(enterprise, *id)?;
        let folded = self.case(enterprise, *id).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        // Who may see it is as of now, whatever it was.
        let sight = self.sight(call, enterprise, *id, case).await?;
        let judged = |folded: &Folded<Appeal>, context: &Context<'_>| {
            let case = folded.state.known()?;
            let position = match as_of {
                None => folded.position.max(*at_least),
                Some(_) => folded.position,
            };
            Some(judge(Seen { case, sight, version: folded.version.0, position, context }))
        };
        let answer = self.considered_as_of(&stream, &Command::Repair, *as_of, judged).await?;
        answer.ok_or_else(|| Reason::AppealUnknown.into())
    }
}
