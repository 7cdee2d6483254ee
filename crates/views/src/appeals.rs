//! The appeals as they are now: one row each, for lists, and one for each running clock, for inboxes.
//! No personal data.

use doudi_domain::{
    AppealId, AreaCode, CaseNumber, CaseTypeId, ClassId, EnterpriseId, TopicId, UnitId, VisitId,
    appeal::{Channel, Confidentiality, PhaseName, Trigger},
    clock::Clock,
    routing::RouteRule,
};
use doudi_journal::Position;
use jiff::Timestamp;

mod apply;
mod clocks;
mod closures;
mod fold;
mod in_memory;
mod list;
mod rows;
mod stays;

pub(crate) use apply::apply;
pub(crate) use clocks::{CLOCK, diagnosis, least_level, level, rung, stored_rung};
pub(crate) use in_memory::Tables;
pub(crate) use list::{NOW, SCOPED, list};
pub use list::{Page, Query};
pub(crate) use rows::{APPEAL, clock, columns, owed, read};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 8;

/// An appeal as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The enterprise that appealed.
    pub enterprise: EnterpriseId,
    /// The appeal.
    pub appeal: AppealId,
    /// Its number, of the day in Asia/Shanghai on which its submission says that it was made.
    pub number: CaseNumber,
    /// How far it is.
    pub state: PhaseName,
    /// Where it came in.
    pub channel: Channel,
    /// The kind of case.
    pub case_type: CaseTypeId,
    /// The class that it is of; none only for a kind of case without classes.
    pub class: Option<ClassId>,
    /// What it is about.
    pub topic: TopicId,
    /// Where it plays.
    pub area: AreaCode,
    /// Who may know of it.
    pub confidentiality: Confidentiality,
    /// The unit that leads; none before dispatch, and none once redirected or merged.
    pub unit: Option<UnitId>,
    /// The units that share the work.
    pub co_units: Vec<UnitId>,
    /// The units that take part beside the lead: those that share the work, and those that were asked
    /// for a part by name.
    pub beside: Vec<UnitId>,
    /// The routing rule that chose the unit; none without a unit.
    pub rule: Option<RouteRule>,
    /// The clock of the next step of the case itself; none once nothing is owed.
    pub due: Option<Clock>,
    /// How often the enterprise objected.
    pub objections: u32,
    /// How often it went from one unit to another.
    pub bounces: u32,
    /// Why the guarantee unit owns it, if it does.
    pub guarantee: Option<Trigger>,
    /// The appeal that it was merged into.
    pub merged_into: Option<AppealId>,
    /// The visit it complains about.
    pub about_visit: Option<VisitId>,
    /// When it was submitted, in whole seconds.
    pub submitted_at: Timestamp,
    /// When it was closed; none while it is not.
    pub closed_at: Option<Timestamp>,
    /// When its phase, its unit or a promise last changed. A note, a file, a rating, a step of a
    /// clock and a newer calendar change none of them.
    pub last_moved: Timestamp,
    /// Whether the enterprise appealed on the same topic again soon after a close, within the days
    /// that the case type sets (疑似虚假办结).
    pub suspected_false_closure: bool,
    /// The log position of its submission.
    pub submitted: Position,
    /// The log position of its last change.
    pub updated: Position,
}

/// The phase with that name.
pub(crate) fn phase(name: &str) -> Result<PhaseName, &'static str> {
    let known = PhaseName::ALL.into_iter().find(|phase| phase.as_str() == name);
    known.ok_or("is no phase of an appeal")
}
