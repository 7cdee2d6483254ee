//! The duties of a complaint about a visit: word goes to the visits of the same enterprise.

use doudi_domain::{
    AppealId, VisitId,
    appeal::{self, Appeal},
    visits::{self, Rejection, Visits},
};
use doudi_journal::StreamName;
use uuid::Uuid;

use super::{
    Failure, Outcome, elsewhere_id, envelope, failure, issue, named, on_own_stream, own_state,
    owner, unfounded,
};
use crate::{
    execute::{Engine, ExecuteError},
    react::Due,
    streams,
};

/// Until it is answered the unit's other visits wait. There is nothing to hold where nobody knows of
/// such a visit.
pub(super) async fn hold(engine: &Engine, due: &Due, visit: VisitId) -> Outcome {
    let (stream, appeal) = (visits_of(due)?, complaint(due)?);
    place(engine, due, &stream, visits::Command::Hold { visit, appeal }).await?;
    on_own_stream::<Appeal>(engine, due, &appeal::Command::MarkVisitsHeld).await
}

/// It is answered. A hold that is still on its way must find that it was lifted, so it is placed first.
pub(super) async fn lift(engine: &Engine, due: &Due) -> Outcome {
    let (stream, appeal) = (visits_of(due)?, complaint(due)?);
    let folded = own_state::<Appeal>(engine, due).await?;
    let case = folded.state.known().ok_or_else(|| unfounded("there is no such appeal"))?;
    if let Some(visit) = case.submission.about_visit {
        place(engine, due, &stream, visits::Command::Hold { visit, appeal }).await?;
    }
    let id = Uuid::new_v5(&due.command_id(), b"lift");
    issue::<Visits>(engine, due, &stream, id, &visits::Command::LiftHold { appeal }).await?;
    on_own_stream::<Appeal>(engine, due, &appeal::Command::MarkHoldLifted).await
}

async fn place(
    engine: &Engine,
    due: &Due,
    stream: &StreamName,
    command: visits::Command,
) -> Result<(), Failure> {
    let envelope = envelope(due, elsewhere_id(due));
    match engine.execute::<Visits>(stream, &command, &envelope).await {
        Ok(_) | Err(ExecuteError::Rejected(Rejection::VisitUnknown(_))) => Ok(()),
        Err(error) => Err(failure(error)),
    }
}

fn visits_of(due: &Due) -> Result<StreamName, Failure> {
    named(streams::visits(&owner(due)?))
}

fn complaint(due: &Due) -> Result<AppealId, Failure> {
    let appeal = due.stream.id().and_then(|id| AppealId::parse(id).ok());
    appeal.ok_or_else(|| unfounded("the stream is no appeal's"))
}
