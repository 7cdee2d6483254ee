//! From a stored record to the facts in it, in their newest shape. What cannot be read is poison:
//! it says why, so that its stream can be parked and an operator can see the reason.

use std::sync::Arc;

use doudi_domain::{
    AppealId, Decider, DeviceId, DiagnosisId, EnterpriseId, WebhookId,
    appeal::{self, Appeal},
    codec,
    device::{self, Device},
    diagnosis::{self, Diagnosis},
    enterprise::{self, Profile},
    policy::{self, Policy, PolicyName},
    ratings::{self, Ratings},
    visits::{self, Visits},
    webhook::{self, Webhook},
};
use doudi_journal::{CITY, Commit, Record, StreamName};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::chain;

/// What one commit says. Clones share its events.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// Of what.
    pub(crate) stream: StreamName,
    /// Its events.
    pub(crate) content: Arc<Content>,
    /// The command that it carried out.
    pub(crate) command: Uuid,
    /// The matter that it belongs to.
    pub(crate) correlation: Uuid,
    /// When it happened, as far as the commit knows.
    pub(crate) occurred_at: Timestamp,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
    /// Where it stands in the log.
    pub(crate) position: i64,
    /// The trace that it belongs to (W3C Trace Context).
    pub(crate) traceparent: Option<String>,
}

/// The events, by what they are about.
#[derive(Debug)]
pub(crate) enum Content {
    /// An enterprise's profile.
    Profile(EnterpriseId, Vec<enterprise::Event>),
    /// The visits to an enterprise.
    Visits(EnterpriseId, Vec<visits::Event>),
    /// What an enterprise thinks of the visits that it had.
    Ratings(EnterpriseId, Vec<ratings::Event>),
    /// One appeal of an enterprise.
    Appeal(EnterpriseId, AppealId, Vec<appeal::Event>),
    /// One joint diagnosis of an enterprise's appeal.
    Diagnosis(EnterpriseId, DiagnosisId, Vec<diagnosis::Event>),
    /// One enrolled device.
    Device(Vec<device::Event>),
    /// A policy document of the city.
    Policy(PolicyName, Vec<policy::Event>),
    /// A webhook of a partner system.
    Webhook(WebhookId, Vec<webhook::Event>),
}

impl Fact {
    /// Reads a record that some view wants.
    ///
    /// # Errors
    /// Says in words what is wrong with it.
    pub(crate) fn read(record: &Record) -> Result<Self, String> {
        let commit = record.commit().map_err(|error| chain(&error))?;
        let stream = &record.stream;
        let content = match stream.kind() {
            Profile::KIND => Content::Profile(owner(record)?, events(&commit)?),
            Visits::KIND => Content::Visits(owner(record)?, events(&commit)?),
            Ratings::KIND => Content::Ratings(owner(record)?, events(&commit)?),
            Appeal::KIND => {
                let id = stream.id().unwrap_or_default();
                let appeal = AppealId::parse(id).map_err(|error| format!("its id {error}"))?;
                Content::Appeal(owner(record)?, appeal, events(&commit)?)
            }
            Diagnosis::KIND => {
                let id = stream.id().unwrap_or_default();
                let id = DiagnosisId::parse(id).map_err(|error| format!("its id {error}"))?;
                Content::Diagnosis(owner(record)?, id, events(&commit)?)
            }
            Device::KIND if stream.owner() == CITY => {
                let id = stream.id().unwrap_or_default();
                DeviceId::parse(id).map_err(|error| format!("its id {error}"))?;
                Content::Device(events(&commit)?)
            }
            Webhook::KIND if stream.owner() == CITY => {
                let id = stream.id().unwrap_or_default();
                let id = WebhookId::parse(id).map_err(|error| format!("its id {error}"))?;
                Content::Webhook(id, events(&commit)?)
            }
            Policy::KIND if stream.owner() == CITY => {
                let id = stream.id().unwrap_or_default();
                let name = PolicyName::try_from(id.to_owned()).map_err(|error| chain(&error))?;
                Content::Policy(name, events(&commit)?)
            }
            other => return Err(format!("no view reads the kind {other} under this owner")),
        };
        Ok(Self {
            stream: stream.clone(),
            content: Arc::new(content),
            command: commit.command_id,
            correlation: commit.correlation,
            occurred_at: commit.occurred_at,
            recorded_at: commit.recorded_at,
            position: crate::db::stored(record.position),
            traceparent: commit.traceparent,
        })
    }
}

#[cfg(test)]
impl Fact {
    /// A fact that happened and was recorded at one instant, on the stream that it belongs to.
    pub(crate) fn of(content: Content, at: Timestamp, position: i64) -> Self {
        let stream = match &content {
            Content::Profile(owner, _) => format!("ev.{owner}.profile"),
            Content::Visits(owner, _) => format!("ev.{owner}.visits"),
            Content::Ratings(owner, _) => format!("ev.{owner}.ratings"),
            Content::Appeal(owner, appeal, _) => format!("ev.{owner}.appeal.{appeal}"),
            Content::Diagnosis(owner, id, _) => format!("ev.{owner}.diagnosis.{id}"),
            Content::Device(_) => format!("ev.{CITY}.device.{}", Uuid::nil()),
            Content::Policy(name, _) => format!("ev.{CITY}.policy.{name}"),
            Content::Webhook(id, _) => format!("ev.{CITY}.webhook.{id}"),
        };
        Self {
            stream: StreamName::parse(&stream).unwrap(),
            content: Arc::new(content),
            command: Uuid::from_u64_pair(3, position.unsigned_abs()),
            correlation: Uuid::nil(),
            occurred_at: at,
            recorded_at: at,
            position,
            traceparent: None,
        }
    }
}

fn owner(record: &Record) -> Result<EnterpriseId, String> {
    EnterpriseId::parse(record.stream.owner()).map_err(|error| format!("its owner {error}"))
}

fn events<E: codec::Storable>(commit: &Commit) -> Result<Vec<E>, String> {
    let decode = |stored: &doudi_journal::StoredEvent| {
        codec::decode(&stored.name, stored.version, &stored.data).map_err(|error| chain(&error))
    };
    commit.events.iter().map(decode).collect()
}
