//! One function for each duty: what it means to carry it out.

use std::sync::Arc;

use doudi_domain::{
    Decider, EnterpriseId, VisitId,
    agenda::Duty,
    appeal::{self, Appeal},
    diagnosis::{self, Diagnosis},
    visits::{self, Visits},
};
use doudi_journal::{Actor, Position, StreamName, StreamNameError, trace::Place};
use serde::Serialize;
use tracing::Span;
use uuid::Uuid;

use super::Due;
use crate::{
    execute::{self, Engine, Envelope, ExecuteError},
    folded::{Folded, LoadError},
    streams,
    vault::{Vault, VaultError},
};

mod devices;
mod holds;
mod joint;
mod parts;

/// The position of the commit that carried a duty out, or of the one that made it superfluous.
pub(super) type Outcome = Result<Position, Failure>;

/// What went wrong.
pub(super) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a duty was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The log, or the vault, cannot be reached.
    Log(Source),
    /// It is about this one.
    Entry(Source),
}

/// Carries a duty out.
pub(super) async fn carry_out(engine: &Engine, vault: &Vault, due: &Due) -> Outcome {
    match &due.duty {
        Duty::ExpireVisit { visit } => expire_visit(engine, due, *visit).await,
        Duty::VisitClock { clock } => {
            let command = visits::Command::TakeSteps { clock: *clock };
            on_own_stream::<Visits>(engine, due, &command).await
        }
        Duty::RectificationDue { visit, unit, item } => {
            let (visit, unit, item) = (*visit, unit.clone(), item.clone());
            let command = visits::Command::MarkOverdue { visit, unit, item };
            on_own_stream::<Visits>(engine, due, &command).await
        }
        Duty::HoldVisits { visit } => holds::hold(engine, due, *visit).await,
        Duty::LiftHold {} => holds::lift(engine, due).await,
        Duty::DestroyKey { subject } => destroy_key(engine, vault, due, subject).await,
        Duty::AppealClock { clock } => {
            let command = appeal::Command::TakeSteps { clock: *clock };
            on_own_stream::<Appeal>(engine, due, &command).await
        }
        Duty::DiagnosisClock { clock } => {
            let command = diagnosis::Command::TakeSteps { clock: *clock };
            on_own_stream::<Diagnosis>(engine, due, &command).await
        }
        Duty::ConveneDiagnosis { diagnosis } => joint::convene(engine, due, *diagnosis).await,
        Duty::DiscontinueDiagnosis { diagnosis } => {
            joint::discontinue(engine, due, *diagnosis).await
        }
        Duty::DeliverConclusion {} => joint::deliver_conclusion(engine, due).await,
        Duty::PublishStandingRule {} => joint::publish_standing_rule(engine, due).await,
        Duty::DeliverMerge { into } => parts::deliver_merge(engine, due, *into).await,
        Duty::SubmitPart { part } => parts::submit_part(engine, due, *part).await,
        Duty::DeliverRecords { upload } => devices::deliver_records(engine, due, *upload).await,
        Duty::FlagMissing {} => devices::flag_missing(engine, due).await,
    }
}

async fn expire_visit(engine: &Engine, due: &Due, visit: VisitId) -> Outcome {
    on_own_stream::<Visits>(engine, due, &visits::Command::Expire { visit }).await
}

/// Destroying a key again changes nothing, so it is done before it is recorded.
async fn destroy_key(engine: &Engine, vault: &Vault, due: &Due, subject: &str) -> Outcome {
    vault.destroy(&[subject]).await.map_err(|error| match error {
        // As little can be said of any other key then.
        VaultError::Unavailable(_) => Failure::Log(error.into()),
        VaultError::Erased | VaultError::MasterKeyMissing(_) | VaultError::Tampered => {
            Failure::Entry(error.into())
        }
    })?;
    on_own_stream::<Appeal>(engine, due, &appeal::Command::MarkKeyDestroyed).await
}

/// Issues a command on the stream whose agenda the duty is on.
async fn on_own_stream<D>(engine: &Engine, due: &Due, command: &D::Command) -> Outcome
where
    D: Decider,
    D::Command: Serialize,
    D::Rejection: Send + Sync,
{
    let outcome = issue::<D>(engine, due, &due.stream, due.command_id(), command).await?;
    Ok(outcome.position)
}

/// Issues a command on another stream, then the one on its own that takes the duty off. The first may
/// have been stored when the second fails; both have derived ids, so a repetition does neither twice.
async fn elsewhere<T, D>(
    engine: &Engine,
    due: &Due,
    (stream, command): (&StreamName, &T::Command),
    mark: impl FnOnce(&execute::Outcome<T>) -> D::Command,
) -> Outcome
where
    T: Decider,
    T::Command: Serialize,
    T::Rejection: Send + Sync,
    D: Decider,
    D::Command: Serialize,
    D::Rejection: Send + Sync,
{
    let done = issue::<T>(engine, due, stream, elsewhere_id(due), command).await?;
    on_own_stream::<D>(engine, due, &mark(&done)).await
}

/// The id of the command that a duty issues on another stream, beside the one on its own.
pub(super) fn elsewhere_id(due: &Due) -> Uuid {
    Uuid::new_v5(&due.command_id(), b"elsewhere")
}

async fn issue<D>(
    engine: &Engine,
    due: &Due,
    stream: &StreamName,
    id: Uuid,
    command: &D::Command,
) -> Result<execute::Outcome<D>, Failure>
where
    D: Decider,
    D::Command: Serialize,
    D::Rejection: Send + Sync,
{
    engine.execute::<D>(stream, command, &envelope(due, id)).await.map_err(failure)
}

/// Nobody asked for it: its cause did.
fn envelope(due: &Due, id: Uuid) -> Envelope {
    let actor = Actor::of(format!("process:{}", due.duty.kind()));
    Envelope {
        causation: Some(due.cause),
        correlation: Some(due.correlation),
        traceparent: Place::below(&Span::current()).map(|place| place.text()),
        ..Envelope::new(id, actor)
    }
}

/// The state of the stream whose agenda the duty is on.
async fn own_state<D: Decider>(engine: &Engine, due: &Due) -> Result<Arc<Folded<D>>, Failure> {
    engine.read::<D>(&due.stream, due.position).await.map_err(unread)
}

fn unread(error: LoadError) -> Failure {
    match error {
        LoadError::Unavailable(_) => Failure::Log(error.into()),
        LoadError::Commit { .. } | LoadError::Event { .. } | LoadError::Chain { .. } => {
            Failure::Entry(error.into())
        }
    }
}

/// A duty that its own stream does not bear out: a fault of the program, or a foreign hand.
fn unfounded(what: &'static str) -> Failure {
    Failure::Entry(what.into())
}

fn owner(due: &Due) -> Result<EnterpriseId, Failure> {
    streams::owner(&due.stream).ok_or_else(|| unfounded("the stream belongs to no enterprise"))
}

fn named(name: Result<StreamName, StreamNameError>) -> Result<StreamName, Failure> {
    name.map_err(|error| Failure::Entry(error.into()))
}

fn failure<R: std::error::Error + Send + Sync + 'static>(error: ExecuteError<R>) -> Failure {
    match error {
        ExecuteError::Unavailable(_)
        | ExecuteError::Unknown(_)
        | ExecuteError::LogFull(_)
        | ExecuteError::Load(LoadError::Unavailable(_)) => Failure::Log(error.into()),
        ExecuteError::Rejected(_)
        | ExecuteError::IdReused
        | ExecuteError::VersionDiffers { .. }
        | ExecuteError::Contended { .. }
        | ExecuteError::Crowded
        | ExecuteError::TooLarge(_)
        | ExecuteError::Load(
            LoadError::Commit { .. } | LoadError::Event { .. } | LoadError::Chain { .. },
        )
        | ExecuteError::Encode(_) => Failure::Entry(error.into()),
    }
}
