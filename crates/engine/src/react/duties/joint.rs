//! The duties of a joint diagnosis: word goes from the appeal to it, and back to the appeal and into
//! routing.

use std::collections::BTreeSet;

use doudi_domain::{
    AppealId, DiagnosisId,
    appeal::{self, Appeal, Ending},
    diagnosis::{self, Concluded, Convening, Diagnosis, Panel, Rejection},
    policy::{self, Policy, PolicyName},
};

use super::{
    Outcome, elsewhere, elsewhere_id, envelope, failure, issue, named, on_own_stream, own_state,
    owner, unfounded,
};
use crate::{
    execute::{Engine, ExecuteError},
    react::Due,
    streams,
};

/// The appeal called for it: the units are convened under the terms that the appeal has.
pub(super) async fn convene(engine: &Engine, due: &Due, id: DiagnosisId) -> Outcome {
    let folded = own_state::<Appeal>(engine, due).await?;
    let case = folded.state.known().ok_or_else(|| unfounded("there is no such appeal"))?;
    let called = case.diagnosis.as_ref().filter(|called| called.id == id);
    let called = called.ok_or_else(|| unfounded("the appeal called for no such diagnosis"))?;
    if called.ending != Ending::No {
        return Ok(folded.position);
    }
    let convener = case.phase.route().map(|route| route.unit.clone());
    let appeal = due.stream.id().and_then(|id| AppealId::parse(id).ok());
    let (Some(convener), Some(appeal)) = (convener, appeal) else {
        return Err(unfounded("the appeal that called for the diagnosis is with nobody"));
    };
    let units: BTreeSet<_> = called.units.iter().cloned().collect();
    let command = diagnosis::Command::Convene {
        convening: Convening {
            appeal,
            convener,
            area: case.submission.area.clone(),
            topic: case.submission.topic.clone(),
            panel: Panel { units, quorum: called.quorum },
            question: called.question.clone(),
        },
        case_type: Box::new(case.terms.case_type.clone()),
        terms_version: case.terms.version,
    };
    let stream = named(streams::diagnosis(&owner(due)?, id))?;
    match engine.execute::<Diagnosis>(&stream, &command, &envelope(due, elsewhere_id(due))).await {
        // The appeal may have moved on since an earlier try that was stored: they are convened as it stood then.
        Ok(_)
        | Err(ExecuteError::IdReused | ExecuteError::Rejected(Rejection::ConvenedDifferently)) => {}
        Err(error) => return Err(failure(error)),
    }
    let mark = appeal::Command::MarkDiagnosisOpened { diagnosis: id };
    on_own_stream::<Appeal>(engine, due, &mark).await
}

/// The appeal was erased or closed: nothing can be concluded any more, and nobody owes anything for it.
pub(super) async fn discontinue(engine: &Engine, due: &Due, id: DiagnosisId) -> Outcome {
    let stream = named(streams::diagnosis(&owner(due)?, id))?;
    let command = diagnosis::Command::Discontinue;
    let mark = appeal::Command::MarkDiagnosisDiscontinued { diagnosis: id };
    elsewhere::<Diagnosis, Appeal>(engine, due, (&stream, &command), |_| mark).await
}

/// It was concluded: the appeal is bound by it.
pub(super) async fn deliver_conclusion(engine: &Engine, due: &Due) -> Outcome {
    let folded = own_state::<Diagnosis>(engine, due).await?;
    let (id, concluded) = concluded(due, &folded.state)?;
    let command = appeal::Command::TakeConclusion {
        diagnosis: id,
        conclusion: concluded.conclusion.text.clone(),
        orders: concluded.conclusion.orders.clone(),
    };
    let stream = named(streams::appeal(&owner(due)?, concluded.convening.appeal))?;
    let mark = diagnosis::Command::MarkDelivered;
    elsewhere::<Appeal, Diagnosis>(engine, due, (&stream, &command), |_| mark).await
}

/// It settled who leads such appeals from now on: the routing table says so in its next version.
pub(super) async fn publish_standing_rule(engine: &Engine, due: &Due) -> Outcome {
    let folded = own_state::<Diagnosis>(engine, due).await?;
    let (id, concluded) = concluded(due, &folded.state)?;
    let rule = concluded.standing_rule(id);
    let rule = rule.ok_or_else(|| unfounded("the diagnosis makes no standing rule"))?;
    let command = policy::Command::AdoptStandingRule { rule };
    let stream = named(streams::policy(&PolicyName::Routing))?;
    let published = |event: &policy::Event| match event {
        policy::Event::PolicyPublished { version } => Some(*version),
        policy::Event::PolicyDrafted { .. } | policy::Event::PolicyRetired { .. } => None,
    };
    let id = elsewhere_id(due);
    let adopted = issue::<Policy>(engine, due, &stream, id, &command).await?;
    let version = match adopted.events.iter().find_map(published) {
        Some(version) => version,
        // The table said so already: the version in force is the one.
        None => {
            let policy = engine.read::<Policy>(&stream, adopted.position).await;
            let policy = policy.map_err(|error| super::Failure::Log(error.into()))?;
            policy.state.published().map_or(0, |(version, _)| version)
        }
    };
    let mark = diagnosis::Command::MarkRulePublished { version };
    on_own_stream::<Diagnosis>(engine, due, &mark).await
}

fn concluded<'a>(
    due: &Due,
    state: &'a Diagnosis,
) -> Result<(DiagnosisId, &'a Concluded), super::Failure> {
    let id = due.stream.id().and_then(|id| DiagnosisId::parse(id).ok());
    match (id, state) {
        (Some(id), Diagnosis::Concluded(concluded)) => Ok((id, concluded)),
        (_, Diagnosis::Absent | Diagnosis::Open(_) | Diagnosis::Discontinued(_)) | (None, _) => {
            Err(unfounded("the diagnosis is not concluded"))
        }
    }
}
