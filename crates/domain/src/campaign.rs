//! A special campaign (专项检查): planned, approved, filed, published; then its visits.
//!
//! Invariants: the plan never changes once it is proposed; whoever takes part does not approve it;
//! nothing refers to it before it is published nor after it is withdrawn. Source of all of it:
//! 国办发〔2024〕54号, on the strict control of special inspections.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Level,
    decider::{Context, Decider, Need},
    frequency::Enterprises,
    ids::{AreaCode, ItemId, Name, Reference, UnitId},
};

mod admits;
mod decide;
mod rejection;

pub use admits::Unfit;
pub use rejection::Rejection;

/// Units that take part beside the organiser at most.
pub const CO_UNITS_MAX: usize = 50;
/// Items that a campaign is about at most.
pub const ITEMS_MAX: usize = 200;
/// Areas that a campaign names at most.
pub const AREAS_MAX: usize = 50;
/// Days that a campaign lasts at most, the first and the last counted.
pub const DAYS_MAX: i32 = 366;

/// What is to be inspected, where, when and by whom (专项检查计划).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its title as published.
    pub title: Name,
    /// The unit that organises it.
    pub unit: UnitId,
    /// The units that take part beside it, at most [`CO_UNITS_MAX`].
    pub co_units: BTreeSet<UnitId>,
    /// The items, 1 to [`ITEMS_MAX`]. Whether a unit may use one is for its own catalogue to say.
    pub items: BTreeSet<ItemId>,
    /// The areas, at most [`AREAS_MAX`]; empty for the whole city.
    pub areas: BTreeSet<AreaCode>,
    /// Which enterprises it is about.
    pub enterprises: Enterprises,
    /// The first day.
    pub from: Date,
    /// The last day, at most [`DAYS_MAX`] days with the first.
    pub until: Date,
    /// Why it is needed: the document that says so.
    pub basis: Reference,
}

/// As what somebody approves a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// As the people's government (人民政府).
    Government,
    /// As the organ above the organiser in the same line (上级主管部门).
    SuperiorOrgan,
}

/// Who approved it, and by which document (批准).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approves.
    pub approver: UnitId,
    /// As what.
    pub capacity: Capacity,
    /// Its level: that of a county or above.
    pub level: Level,
    /// The document that approves.
    pub document: Reference,
}

/// Where it was filed (备案).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// With whom.
    pub with: UnitId,
    /// What was received for it.
    pub document: Reference,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The organiser proposed it.
    CampaignProposed {
        /// What it proposes.
        plan: Plan,
        /// The organiser's level, as its catalogue says.
        level: Level,
        /// The version of the organiser's catalogue.
        catalogue_version: u32,
    },
    /// A government, or the organ above, approved it.
    CampaignApproved {
        /// Who and by which document.
        approval: Approval,
    },
    /// It was filed.
    CampaignFiled {
        /// Where.
        filing: Filing,
    },
    /// It was made public; from now on visits refer to it.
    CampaignPublished {
        /// Where it can be read.
        document: Reference,
    },
    /// The organiser took it back. No visit refers to it any more.
    CampaignWithdrawn {
        /// The document that says why.
        reason: Reference,
    },
}

/// One special campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Campaign {
    /// Never proposed.
    #[default]
    Absent,
    /// Proposed.
    Proposed(Proposed),
    /// Approved.
    Approved(Approved),
    /// Approved and filed.
    Filed(Filed),
    /// Published.
    Published(Published),
    /// Withdrawn, whatever it was before.
    Withdrawn(Withdrawn),
}

/// A campaign that waits for its approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What is proposed.
    pub plan: Plan,
    /// The organiser's level.
    pub level: Level,
}

/// A campaign that waits to be filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What was proposed.
    pub plan: Plan,
    /// Who approved it.
    pub approval: Approval,
}

/// A campaign that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// What was approved.
    pub approved: Approved,
    /// Where it was filed.
    pub filing: Filing,
}

/// A campaign that visits refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What was filed.
    pub filed: Filed,
    /// Where it can be read.
    pub document: Reference,
}

/// A campaign that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// What was proposed.
    pub plan: Plan,
    /// Who had approved it, if somebody had.
    pub approval: Option<Approval>,
    /// Where it had been filed, if it had.
    pub filing: Option<Filing>,
    /// Where it can be read, if it had been published.
    pub document: Option<Reference>,
    /// The document that says why it was withdrawn.
    pub reason: Reference,
}

/// What can be asked of a special campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Propose it.
    Propose(Plan),
    /// Approve it as the unit that the approval names.
    Approve(Approval),
    /// Record as `unit` that it was filed.
    File {
        /// The caller's unit.
        unit: UnitId,
        /// Where.
        filing: Filing,
    },
    /// Publish it as `unit`.
    Publish {
        /// The caller's unit.
        unit: UnitId,
        /// Where it can be read.
        document: Reference,
    },
    /// Withdraw it as `unit`.
    Withdraw {
        /// The caller's unit.
        unit: UnitId,
        /// The document that says why.
        reason: Reference,
    },
}

impl Plan {
    /// Whether the unit takes part in it.
    #[must_use]
    pub fn includes(&self, unit: &UnitId) -> bool {
        self.unit == *unit || self.co_units.contains(unit)
    }
}

impl Campaign {
    /// What was proposed, once it was.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Absent => None,
            Self::Proposed(proposed) => Some(&proposed.plan),
            Self::Approved(approved) => Some(&approved.plan),
            Self::Filed(filed) => Some(&filed.approved.plan),
            Self::Published(published) => Some(&published.filed.approved.plan),
            Self::Withdrawn(withdrawn) => Some(&withdrawn.plan),
        }
    }

    /// Who approved it, once somebody did.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Absent | Self::Proposed(_) => None,
            Self::Approved(approved) => Some(&approved.approval),
            Self::Filed(filed) => Some(&filed.approved.approval),
            Self::Published(published) => Some(&published.filed.approved.approval),
            Self::Withdrawn(withdrawn) => withdrawn.approval.as_ref(),
        }
    }

    /// Where it was filed, once it was.
    #[must_use]
    pub fn filing(&self) -> Option<&Filing> {
        match self {
            Self::Absent | Self::Proposed(_) | Self::Approved(_) => None,
            Self::Filed(filed) => Some(&filed.filing),
            Self::Published(published) => Some(&published.filed.filing),
            Self::Withdrawn(withdrawn) => withdrawn.filing.as_ref(),
        }
    }

    /// Where it can be read, once it was published.
    #[must_use]
    pub fn document(&self) -> Option<&Reference> {
        match self {
            Self::Absent | Self::Proposed(_) | Self::Approved(_) | Self::Filed(_) => None,
            Self::Published(published) => Some(&published.document),
            Self::Withdrawn(withdrawn) => withdrawn.document.as_ref(),
        }
    }

    /// The phase's name, as in `WrongPhase`.
    #[must_use]
    pub fn phase(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Proposed(_) => "proposed",
            Self::Approved(_) => "approved",
            Self::Filed(_) => "filed",
            Self::Published(_) => "published",
            Self::Withdrawn(_) => "withdrawn",
        }
    }
}

impl Decider for Campaign {
    const KIND: &'static str = "campaign";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::Propose(plan) => vec![Need::Catalogue(plan.unit.clone()), Need::Routing],
            // Whoever inspects has a catalogue, which says what it is.
            Command::Approve(approval) => vec![Need::Catalogue(approval.approver.clone())],
            Command::File { .. } | Command::Publish { .. } | Command::Withdraw { .. } => vec![],
        }
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Propose(plan) => self.propose(context, plan),
            Command::Approve(approval) => self.approve(context, approval),
            Command::File { unit, filing } => self.file(unit, filing),
            Command::Publish { unit, document } => self.publish(unit, document),
            Command::Withdraw { unit, reason } => self.withdraw(unit, reason),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::CampaignProposed { plan, level, .. }) => {
                Self::Proposed(Proposed { plan: plan.clone(), level: *level })
            }
            (Self::Proposed(Proposed { plan, .. }), Event::CampaignApproved { approval }) => {
                Self::Approved(Approved { plan, approval: approval.clone() })
            }
            (Self::Approved(approved), Event::CampaignFiled { filing }) => {
                Self::Filed(Filed { approved, filing: filing.clone() })
            }
            (Self::Filed(filed), Event::CampaignPublished { document }) => {
                Self::Published(Published { filed, document: document.clone() })
            }
            (Self::Withdrawn(withdrawn), _) => Self::Withdrawn(withdrawn),
            (state, Event::CampaignWithdrawn { reason }) => match state.plan().cloned() {
                None => state,
                Some(plan) => Self::Withdrawn(Withdrawn {
                    plan,
                    approval: state.approval().cloned(),
                    filing: state.filing().cloned(),
                    document: state.document().cloned(),
                    reason: reason.clone(),
                }),
            },
            (state, _) => state,
        }
    }
}

#[cfg(test)]
mod tests;
