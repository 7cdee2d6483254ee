//! Policy documents: rules as data with a life of draft, published, retired.
//!
//! Invariants: a published document never changes; at most one version of a name is published;
//! what is published passed its own validation.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    calendar::{Calendar, CalendarProblem},
    cases::{CaseTypes, CaseTypesProblem},
    catalogue::{Catalogue, CatalogueProblem},
    decider::{Context, Decider, Published},
    frequency::{FrequencyPolicy, FrequencyProblem},
    ids::UnitId,
    routing::{RoutingProblem, RoutingTable, StandingRule},
};

/// The documents there are; each has a stream of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PolicyName {
    /// Inspection-frequency limits.
    Frequency,
    /// Routing of appeals.
    Routing,
    /// The work calendar.
    Calendar,
    /// The case types.
    CaseTypes,
    /// The inspection catalogue of that unit.
    Catalogue(UnitId),
}

/// What the name of a catalogue begins with.
const CATALOGUE: &str = "catalogue-";

impl PolicyName {
    /// The names of the documents that the whole city has one of.
    pub const CITY: [Self; 4] = [Self::Frequency, Self::Routing, Self::Calendar, Self::CaseTypes];
}

/// The `<id>` token in the stream's name.
impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frequency => f.write_str("frequency"),
            Self::Routing => f.write_str("routing"),
            Self::Calendar => f.write_str("calendar"),
            Self::CaseTypes => f.write_str("case-types"),
            Self::Catalogue(unit) => write!(f, "{CATALOGUE}{unit}"),
        }
    }
}

impl From<PolicyName> for String {
    fn from(name: PolicyName) -> Self {
        name.to_string()
    }
}

/// A text that names no policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy document of the name {0}")]
pub struct NameUnknown(String);

impl TryFrom<String> for PolicyName {
    type Error = NameUnknown;
    fn try_from(text: String) -> Result<Self, NameUnknown> {
        if let Some(known) = Self::CITY.into_iter().find(|name| name.to_string() == text) {
            return Ok(known);
        }
        let unit = text.strip_prefix(CATALOGUE).and_then(|unit| UnitId::parse(unit).ok());
        unit.map(Self::Catalogue).ok_or(NameUnknown(text))
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// Inspection-frequency limits.
    Frequency(FrequencyPolicy),
    /// Routing of appeals.
    Routing(RoutingTable),
    /// The work calendar.
    Calendar(Calendar),
    /// The case types.
    CaseTypes(CaseTypes),
    /// The inspection catalogue of one unit.
    Catalogue(Catalogue),
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Of a calendar.
    #[error(transparent)]
    Calendar(#[from] CalendarProblem),
    /// Of case types.
    #[error(transparent)]
    CaseTypes(#[from] CaseTypesProblem),
    /// Of a routing table.
    #[error(transparent)]
    Routing(#[from] RoutingProblem),
    /// Of a frequency policy.
    #[error(transparent)]
    Frequency(#[from] FrequencyProblem),
    /// Of an inspection catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueProblem),
}

impl Document {
    /// The name it goes by.
    #[must_use]
    pub fn name(&self) -> PolicyName {
        match self {
            Self::Frequency(_) => PolicyName::Frequency,
            Self::Routing(_) => PolicyName::Routing,
            Self::Calendar(_) => PolicyName::Calendar,
            Self::CaseTypes(_) => PolicyName::CaseTypes,
            Self::Catalogue(catalogue) => PolicyName::Catalogue(catalogue.unit.clone()),
        }
    }

    /// Everything that is wrong with it; empty when it may be published.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Frequency(policy) => policy.problems().into_iter().map(Problem::from).collect(),
            Self::Routing(table) => table.problems().into_iter().map(Problem::from).collect(),
            Self::Calendar(calendar) => {
                calendar.problems().into_iter().map(Problem::from).collect()
            }
            Self::CaseTypes(types) => types.problems().into_iter().map(Problem::from).collect(),
            Self::Catalogue(catalogue) => {
                catalogue.problems().into_iter().map(Problem::from).collect()
            }
        }
    }
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A version was drafted.
    PolicyDrafted {
        /// The version, counted from 1.
        version: u32,
        /// What it says.
        document: Document,
    },
    /// A version is in force from now on.
    PolicyPublished {
        /// The version.
        version: u32,
    },
    /// A version is no longer in force, or its draft was given up.
    PolicyRetired {
        /// The version.
        version: u32,
    },
}

/// How far a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Drafted; may be published or given up.
    Draft,
    /// In force.
    Published,
    /// No longer in force.
    Retired,
}

/// The versions of one policy document (政策文件).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Every version and how far it is.
    pub statuses: BTreeMap<u32, Status>,
    /// The drafts and the version in force.
    documents: BTreeMap<u32, Document>,
}

/// What can be asked of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Draft the next version.
    Draft(Document),
    /// Put a draft in force; the version in force until now retires.
    Publish {
        /// The version.
        version: u32,
    },
    /// Take a version out of force, or give up its draft.
    Retire {
        /// The version.
        version: u32,
    },
    /// Put a standing rule in force: the routing table in force with the rule added, or in place of
    /// the one for the same topic and area, is the next version.
    AdoptStandingRule {
        /// The rule.
        rule: StandingRule,
    },
}

/// Why a command on a policy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The document is not sound.
    #[error("the document has {} problem(s)", problems.len())]
    Unsound {
        /// Each problem.
        problems: Vec<Problem>,
    },
    /// There is no such version.
    #[error("there is no version {0}")]
    VersionUnknown(u32),
    /// The version was retired; draft its content again.
    #[error("version {0} is retired")]
    VersionRetired(u32),
    /// No routing table is in force that could adopt a rule.
    #[error("no routing table is published")]
    RoutingUnpublished,
}

impl Policy {
    /// The version in force.
    #[must_use]
    pub fn published(&self) -> Option<(u32, &Document)> {
        let version = self
            .statuses
            .iter()
            .find_map(|(version, status)| (*status == Status::Published).then_some(*version))?;
        self.documents.get(&version).map(|document| (version, document))
    }

    /// A draft or the version in force.
    #[must_use]
    pub fn document(&self, version: u32) -> Option<&Document> {
        self.documents.get(&version)
    }

    /// The frequency policy in force, if this is one.
    #[must_use]
    pub fn frequency(&self) -> Option<Published<'_, FrequencyPolicy>> {
        match self.published()? {
            (version, Document::Frequency(document)) => Some(Published { version, document }),
            _ => None,
        }
    }

    /// The routing table in force, if this is one.
    #[must_use]
    pub fn routing(&self) -> Option<Published<'_, RoutingTable>> {
        match self.published()? {
            (version, Document::Routing(document)) => Some(Published { version, document }),
            _ => None,
        }
    }

    /// The work calendar in force, if this is one.
    #[must_use]
    pub fn calendar(&self) -> Option<Published<'_, Calendar>> {
        match self.published()? {
            (version, Document::Calendar(document)) => Some(Published { version, document }),
            _ => None,
        }
    }

    /// The case types in force, if these are some.
    #[must_use]
    pub fn case_types(&self) -> Option<Published<'_, CaseTypes>> {
        match self.published()? {
            (version, Document::CaseTypes(document)) => Some(Published { version, document }),
            _ => None,
        }
    }

    /// The inspection catalogue in force, if this is one.
    #[must_use]
    pub fn catalogue(&self) -> Option<Published<'_, Catalogue>> {
        match self.published()? {
            (version, Document::Catalogue(document)) => Some(Published { version, document }),
            _ => None,
        }
    }
}

impl Decider for Policy {
    const KIND: &'static str = "policy";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, _: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Draft(document) => self.draft(document),
            Command::Publish { version } => self.publish(*version),
            Command::Retire { version } => self.retire(*version),
            Command::AdoptStandingRule { rule } => self.adopt(rule),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::PolicyDrafted { version, document } => {
                self.statuses.insert(*version, Status::Draft);
                self.documents.insert(*version, document.clone());
            }
            Event::PolicyPublished { version } => {
                self.statuses.insert(*version, Status::Published);
            }
            Event::PolicyRetired { version } => {
                self.statuses.insert(*version, Status::Retired);
                self.documents.remove(version);
            }
        }
        self
    }
}

impl Policy {
    fn status(&self, version: u32) -> Result<Status, Rejection> {
        self.statuses.get(&version).copied().ok_or(Rejection::VersionUnknown(version))
    }

    /// The same document twice is one draft.
    fn draft(&self, document: &Document) -> Result<Vec<Event>, Rejection> {
        sound(document)?;
        let next = self.next();
        if self.documents.get(&(next - 1)) == Some(document) {
            return Ok(vec![]);
        }
        Ok(vec![Event::PolicyDrafted { version: next, document: document.clone() }])
    }

    fn publish(&self, version: u32) -> Result<Vec<Event>, Rejection> {
        match self.status(version)? {
            Status::Published => Ok(vec![]),
            Status::Retired => Err(Rejection::VersionRetired(version)),
            Status::Draft => Ok(self.put_in_force(version)),
        }
    }

    fn put_in_force(&self, version: u32) -> Vec<Event> {
        let until_now = self.published().map(|(version, _)| version);
        let retired = until_now.map(|version| Event::PolicyRetired { version });
        retired.into_iter().chain([Event::PolicyPublished { version }]).collect()
    }

    fn retire(&self, version: u32) -> Result<Vec<Event>, Rejection> {
        match self.status(version)? {
            Status::Retired => Ok(vec![]),
            Status::Draft | Status::Published => Ok(vec![Event::PolicyRetired { version }]),
        }
    }

    /// One commit drafts and publishes, so that no version is ever in force without the rule once
    /// it was adopted, and none is left as a draft.
    fn adopt(&self, rule: &StandingRule) -> Result<Vec<Event>, Rejection> {
        let table = self.routing().ok_or(Rejection::RoutingUnpublished)?.document;
        if table.standing.contains(rule) {
            return Ok(vec![]);
        }
        let mut table = table.clone();
        table.standing.retain(|other| !other.is_about_the_same(rule));
        table.standing.push(rule.clone());
        let document = Document::Routing(table);
        sound(&document)?;
        let version = self.next();
        let drafted = Event::PolicyDrafted { version, document };
        Ok([drafted].into_iter().chain(self.put_in_force(version)).collect())
    }

    /// The version that the next draft gets.
    fn next(&self) -> u32 {
        self.statuses.keys().next_back().map_or(1, |last| last + 1)
    }
}

fn sound(document: &Document) -> Result<(), Rejection> {
    let problems = document.problems();
    if problems.is_empty() { Ok(()) } else { Err(Rejection::Unsound { problems }) }
}

#[cfg(test)]
mod tests;
