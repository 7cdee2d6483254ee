//! The appeals as they are now: one row each, for lists and inboxes. No personal data.

use std::fmt;

use doudi_domain::{
    AppealId, AreaCode, EnterpriseId, TopicId, UnitId, VisitId, appeal::Channel, calendar::DueDate,
    routing::RouteRule,
};
use doudi_journal::Position;
use jiff::Timestamp;

mod fold;
mod list;
mod rows;

pub(crate) use list::list;
pub use list::{Page, Query};
pub(crate) use rows::apply;

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 1;

/// How far an appeal is (办理状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for acceptance (待受理).
    Submitted,
    /// Waits for dispatch (待分办).
    Accepted,
    /// Waits for the unit's signature (待签收).
    Dispatched,
    /// The unit works on it (办理中).
    InHandling,
    /// The unit says it is resolved; the enterprise has the word (已办结待确认).
    Resolved,
    /// The enterprise agreed (企业已确认).
    Confirmed,
    /// Closed (已办结归档).
    Closed,
}

impl State {
    /// Every state, in the order of an appeal's life.
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Accepted,
        Self::Dispatched,
        Self::InHandling,
        Self::Resolved,
        Self::Confirmed,
        Self::Closed,
    ];

    /// The state's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Dispatched => "dispatched",
            Self::InHandling => "in_handling",
            Self::Resolved => "resolved",
            Self::Confirmed => "confirmed",
            Self::Closed => "closed",
        }
    }

    fn parse(name: &str) -> Result<Self, &'static str> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or("is no state of an appeal")
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An appeal as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The enterprise that appealed.
    pub enterprise: EnterpriseId,
    /// The appeal.
    pub appeal: AppealId,
    /// How far it is.
    pub state: State,
    /// Where it came in.
    pub channel: Channel,
    /// What it is about.
    pub topic: TopicId,
    /// Where it plays.
    pub area: AreaCode,
    /// The unit that leads; none before dispatch.
    pub unit: Option<UnitId>,
    /// The units that share the work.
    pub co_units: Vec<UnitId>,
    /// The routing rule that chose the unit; none before dispatch.
    pub rule: Option<RouteRule>,
    /// When the next step is due; none once resolved.
    pub due: Option<DueDate>,
    /// How often the enterprise objected.
    pub objections: u32,
    /// The visit it complains about.
    pub about_visit: Option<VisitId>,
    /// When it was recorded, in microseconds.
    pub submitted_at: Timestamp,
    /// The log position of its submission.
    pub submitted: Position,
    /// The log position of its last change.
    pub updated: Position,
}
