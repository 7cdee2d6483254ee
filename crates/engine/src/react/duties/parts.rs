//! The duties of appeals that merge and split: word goes from one appeal to another of the same
//! enterprise.

use doudi_domain::{
    AppealId,
    appeal::{self, Appeal, Phase, Rejection},
};

use super::{
    Outcome, elsewhere, elsewhere_id, envelope, failure, named, on_own_stream, own_state, owner,
    unfounded, unread,
};
use crate::{
    execute::{Engine, ExecuteError},
    react::Due,
    streams,
};

/// This appeal goes on as part of another one, which takes it up. Where that one cannot do so without
/// loss, the merge is undone. Its answer is in its own stream, so two who carry the word hear the same,
/// whatever that one has become between them.
pub(super) async fn deliver_merge(engine: &Engine, due: &Due, into: AppealId) -> Outcome {
    let from = due.stream.id().and_then(|id| AppealId::parse(id).ok());
    let from = from.ok_or_else(|| unfounded("the stream is no appeal's"))?;
    let folded = own_state::<Appeal>(engine, due).await?;
    let case = folded.state.known().ok_or_else(|| unfounded("there is no such appeal"))?;
    if case.phase != Phase::Merged(into) || case.merge_delivered {
        return Ok(folded.position);
    }
    let stream = named(streams::appeal(&owner(due)?, into))?;
    let (merge, standing) = (case.merges, case.standing());
    let absorb = appeal::Command::Absorb { from, merge, standing };
    let envelope = envelope(due, elsewhere_id(due));
    let took_up = match engine.execute::<Appeal>(&stream, &absorb, &envelope).await {
        Ok(answer) => {
            let other = engine.read::<Appeal>(&stream, answer.position).await.map_err(unread)?;
            other.state.known().is_some_and(|other| other.absorbed.contains(&from))
        }
        Err(ExecuteError::Rejected(Rejection::AppealUnknown)) => false,
        Err(error) => return Err(failure(error)),
    };
    let mark =
        if took_up { appeal::Command::MarkMergeDelivered } else { appeal::Command::UndoMerge };
    on_own_stream::<Appeal>(engine, due, &mark).await
}

/// A part of this appeal goes its own way, as a new one.
pub(super) async fn submit_part(engine: &Engine, due: &Due, part: AppealId) -> Outcome {
    let folded = own_state::<Appeal>(engine, due).await?;
    let known = folded.state.known().and_then(|case| case.parts.get(&part));
    let known = known.ok_or_else(|| unfounded("the appeal has no such part"))?;
    let stream = named(streams::appeal(&owner(due)?, part))?;
    let command = appeal::Command::Submit(known.submission.clone());
    let mark = appeal::Command::MarkPartSubmitted { part };
    elsewhere::<Appeal, Appeal>(engine, due, (&stream, &command), |_| mark).await
}
