//! Appeals that go on as part of another one, and parts that go their own way.

use std::sync::Arc;

use doudi_domain::{
    AppealId, EnterpriseId, Sealed,
    appeal::{Appeal, Case, Command, Event, Phase, Submission},
};
use doudi_engine::{Folded, Outcome, Sealer, VaultError, streams};
use uuid::Uuid;

use super::{As, On, Subject, seen};
use crate::{
    call::Call,
    convert::{Order, appeal as convert, derived},
    error::{Explain, Failure, Reason, Refusal},
    proto as pb,
    services::Api,
};

/// How many merges are followed: nobody merges that often, so it is a circle.
const MERGES_MAX: usize = 10;

impl Api {
    /// The other appeal must be one of the same enterprise that the caller may see, and one that can
    /// take this one in without loss; it decides that once more when it takes it up.
    pub(super) async fn merge(
        &self,
        call: &Call,
        request: &pb::MergeAppealRequest,
    ) -> Result<Outcome<Appeal>, Failure> {
        let order = convert::merge(request)?;
        let Order { enterprise, command_id, command: (appeal, into), .. } = &order;
        let folded = self.allowed(call, enterprise, *appeal, *command_id, As::Desk).await?;
        let merged = folded.state.known().is_some_and(|case| goes_on_in(case) == Some(*into));
        if !merged && !self.recorded(enterprise, *appeal, *command_id).await? {
            let other = self.case(enterprise, *into).await?;
            let own = folded.state.known();
            let fits = |case: &Case| {
                *into != *appeal
                    && seen(call, enterprise, case).is_ok()
                    && own.is_some_and(|own| case.takes_in(&own.standing()))
            };
            if !other.state.known().is_some_and(fits) {
                let impossible = doudi_domain::appeal::Rejection::MergeImpossible;
                return Err(impossible.explain().about("into_appeal_id").into());
            }
        }
        self.on_appeal(call, &order, &Command::Merge { into: *into }).await
    }

    /// The part is submitted on its own from what the split records: as the appeal was, but about
    /// something of its own, and sealed under a key of its own.
    pub(super) async fn split(
        &self,
        call: &Call,
        request: &pb::SplitAppealRequest,
    ) -> Result<(Outcome<Appeal>, AppealId), Failure> {
        let order = convert::split(request)?;
        let Order { enterprise, command_id, command: (appeal, said), .. } = &order;
        let part = derived::part(enterprise, *command_id);
        let folded = self.allowed(call, enterprise, *appeal, *command_id, As::Desk).await?;
        let case = folded.state.known().ok_or(Reason::AppealUnknown)?;
        let stream = streams::appeal(enterprise, *appeal)?;
        let recorded: fn(&Event) -> Option<&Sealed> = |event| {
            if let Event::AppealSplit { submission, .. } = event {
                Some(&submission.description)
            } else {
                None
            }
        };
        // The part is a subject of its own, of whom nothing goes on once the appeal that it is split from was erased. Where
        // the split is refused, a key of it may be left, under which nothing is.
        let subject = Subject::of(part, Some(case));
        let on = On { stream: &stream, folded: &folded, command_id: *command_id };
        let known = case.parts.get(&part).map(|part| &part.submission);
        let contact = match &case.submission.contact {
            // Where its key is lost, the part is still somebody's to handle.
            Some(sealed) if known.is_none() && !case.is_erased() => {
                self.0.vault.open_all(&[sealed]).await?.pop().flatten()
            }
            Some(_) | None => None,
        };
        let (topic, area, description) = said;
        let split = |sealer: &Sealer| {
            let seal = |label: &str, text: &str| sealer.seal(label, *command_id, text);
            let (as_it_was, contact) = match known {
                Some(known) => (known, known.contact.clone()),
                None => {
                    let contact = contact.as_deref().map(|contact| seal("contact", contact));
                    (&case.submission, contact.transpose()?)
                }
            };
            let submission = Submission {
                topic: topic.clone(),
                area: area.clone(),
                description: seal("description", description)?,
                contact,
                split_from: Some(*appeal),
                ..as_it_was.clone()
            };
            Ok::<_, VaultError>(Command::Split { part, submission })
        };
        let carry_out = |sealer| {
            let command = split(&sealer);
            async { self.on_appeal(call, &order, &command?).await }
        };
        Ok((self.sealed(on, subject, recorded, carry_out).await?, part))
    }

    /// Where a note or file goes that is meant for that appeal: where it goes on by now, unless the
    /// command was recorded on the way there before that was merged.
    pub(in crate::services) async fn destination(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        command_id: Option<Uuid>,
    ) -> Result<Found, Failure> {
        self.followed_to(enterprise, appeal, command_id, |_, _| true).await
    }

    /// Whether the caller sees inside where a merged appeal goes on, as far as the other one has taken
    /// it up: whoever must handle the matter there reads it here.
    pub(super) async fn sees_inside_further_on(
        &self,
        call: &Call,
        enterprise: &EnterpriseId,
        appeal: AppealId,
    ) -> Result<bool, Failure> {
        let mut inside = false;
        let follows = |other: &Case, own| {
            let took_up = other.absorbed.contains(&own);
            inside = took_up && call.caller.sees_inside(enterprise, other);
            took_up && !inside
        };
        match self.followed_to(enterprise, appeal, None, follows).await {
            // What went round in circles shows itself to nobody.
            Err(failure) if failure.is_refused_for(Reason::MergedTooOften) => Ok(false),
            followed => followed.map(|_| inside),
        }
    }

    /// Where the enterprise's word on that appeal is heard: where it goes on, as far as the other one
    /// has taken it up. Until then a merge may be undone.
    pub(in crate::services) async fn heard_in(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        command_id: Option<Uuid>,
    ) -> Result<Found, Failure> {
        let took_up = |other: &Case, own| other.absorbed.contains(&own);
        self.followed_to(enterprise, appeal, command_id, took_up).await
    }

    /// Follows merges from `appeal` on while `follows`, not past where the command was recorded.
    async fn followed_to(
        &self,
        enterprise: &EnterpriseId,
        appeal: AppealId,
        command_id: Option<Uuid>,
        mut follows: impl FnMut(&Case, AppealId) -> bool + Send,
    ) -> Result<Found, Failure> {
        let mut found = (appeal, self.case(enterprise, appeal).await?);
        for _ in 0..=MERGES_MAX {
            let (at, folded) = &found;
            let Some(into) = goes_on_in(folded.state.known().ok_or(Reason::AppealUnknown)?) else {
                return Ok(found);
            };
            if let Some(id) = command_id
                && self.recorded(enterprise, *at, id).await?
            {
                return Ok(found);
            }
            let next = self.case(enterprise, into).await?;
            if !follows(next.state.known().ok_or(Reason::AppealUnknown)?, *at) {
                return Ok(found);
            }
            found = (into, next);
        }
        Err(Refusal::new(Reason::MergedTooOften).with("max", MERGES_MAX).into())
    }
}

/// An appeal as the log has it.
type Found = (AppealId, Arc<Folded<Appeal>>);

pub(in crate::services) fn goes_on_in(case: &Case) -> Option<AppealId> {
    if let Phase::Merged(into) = case.phase { Some(into) } else { None }
}
