//! From a stored record to the facts in it, in their newest shape. What cannot be read is poison:
//! it says why, so that its stream can be parked and an operator can see the reason.

use doudi_domain::{AppealId, EnterpriseId, appeal, codec, enterprise, policy, visits};
use doudi_journal::{CITY, Commit, Record};
use jiff::Timestamp;

use crate::error::chain;

/// What one commit says.
#[derive(Debug)]
pub(crate) struct Fact {
    /// The enterprise, or none for a document of the city.
    pub(crate) content: Content,
    /// When it happened, as far as the commit knows.
    pub(crate) occurred_at: Timestamp,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
    /// Where it stands in the log.
    pub(crate) position: i64,
}

/// The events, by what they are about.
#[derive(Debug)]
pub(crate) enum Content {
    /// An enterprise's profile.
    Profile(EnterpriseId, Vec<enterprise::Event>),
    /// The visits to an enterprise.
    Visits(EnterpriseId, Vec<visits::Event>),
    /// One appeal of an enterprise.
    Appeal(EnterpriseId, AppealId, Vec<appeal::Event>),
    /// A policy document of the city.
    Policy(Vec<policy::Event>),
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
            "profile" => Content::Profile(owner(record)?, events(&commit)?),
            "visits" => Content::Visits(owner(record)?, events(&commit)?),
            "appeal" => {
                let id = stream.id().unwrap_or_default();
                let appeal = AppealId::parse(id).map_err(|error| format!("its id {error}"))?;
                Content::Appeal(owner(record)?, appeal, events(&commit)?)
            }
            "policy" if stream.owner() == CITY => Content::Policy(events(&commit)?),
            other => return Err(format!("no view reads the kind {other} under this owner")),
        };
        Ok(Self {
            content,
            occurred_at: commit.occurred_at,
            recorded_at: commit.recorded_at,
            position: crate::db::stored(record.position),
        })
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
