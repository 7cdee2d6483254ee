//! Clocks (时限): what somebody owes by when, with everything the instant was derived from.
//!
//! A clock runs in working time. Counting begins the day after its start and it is due at the end of
//! business of the last working day (民法典第二百零一条、第二百零三条). Only the functions here move it,
//! and each records what it did, so that the deadline can be explained in words. Whatever moves it,
//! the working time used and the working time left are together the allowance, its steps are in
//! order and within working time, and a step that was taken is not taken again for the same promise.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    calendar::{Calendar, DayKind, WorkingTime},
    cases::{Escalation, Rung, Warnings},
    decider::Published,
    ids::{Reference, UnitId},
};

mod explain;
mod moves;
mod steps;

pub use explain::Explanation;

/// Names a clock within its stream: the how-manieth that was started there, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClockId(pub u32);

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// To take an appeal on (受理).
    Accept,
    /// To send it to a unit (分办).
    Dispatch,
    /// To speak with the enterprise for the first time in a handling (首次联系).
    Contact,
    /// To resolve it (办结).
    Resolve,
    /// To rule on a unit's objection to a dispatch (退单裁定).
    Ruling,
    /// To decide on an extension that was asked for (延期审批).
    Extension,
    /// To answer the lead unit (协办).
    CoHandling,
    /// To call the enterprise back after the unit resolved (回访).
    Feedback,
    /// To close it (归档).
    Close,
    /// To end a pause (中止期限).
    Pause,
    /// To mediate (调解).
    Mediation,
    /// To give an opinion in a joint diagnosis (会诊意见).
    Opinion,
    /// To conclude a joint diagnosis (会诊结论).
    Conclusion,
    /// To approve a visit that could not wait (补办审批).
    Approval,
    /// To tell the enterprise what an inspection found (告知检查结果).
    Tell,
}

impl ClockKind {
    /// Whether units owe that to each other, so that it is not for the enterprise.
    #[must_use]
    pub fn is_among_units(self) -> bool {
        matches!(self, Self::CoHandling | Self::Opinion | Self::Conclusion)
    }
}

/// Who owes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A unit or a desk that the routing table names.
    Unit(UnitId),
    /// The city desk, where no routing table names one (市诉求专席).
    CityDesk,
}

/// What happens at an instant of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Near: the first warning (蓝色预警).
    Blue,
    /// The second warning (黄色预警).
    Yellow,
    /// Overdue (红色，超期).
    Red,
    /// A rung of the ladder after that.
    Escalate(Escalation),
}

/// A step with its instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When, within working time.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

/// Days that the calendar makes an exception of, between start and due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Left out as holidays, or counted as make-up days.
    pub kind: DayKind,
    /// The festival.
    pub name: String,
}

/// Why a clock may stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseGround {
    /// Material was asked from the enterprise (等待企业补充材料).
    MaterialAsked,
    /// A legal step must come first (等待法定程序).
    LegalStep,
}

/// A time during which the clock stood still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub ground: PauseGround,
    /// What proves it.
    pub reference: Reference,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none while it lasts.
    pub until: Option<Timestamp>,
    /// The working time that was still left when it began, with what was granted while it lasts.
    pub left: WorkingTime,
    /// The counted working time that passed while it lasted; nothing while it lasts.
    pub length: WorkingTime,
}

/// Working days that were granted on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// When it was granted.
    pub at: Timestamp,
    /// How many.
    pub working_days: u16,
}

/// What a due instant was derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivation {
    /// The version of the case types that gave the allowance; 0 for the ones shipped.
    pub terms_version: u32,
    /// The version of the work calendar by which the due instant was moved last; 0 when none was
    /// published and the weekday rule decided.
    pub calendar_version: u32,
    /// True when a day of a year that is not loaded was counted or skipped.
    pub provisional: bool,
    /// The exceptions of the calendar that lie between start and due.
    pub exceptions: Vec<Stretch>,
    /// When it stood still.
    pub pauses: Vec<Pause>,
    /// What was granted on top.
    pub extensions: Vec<Extension>,
}

/// A deadline (时限) that is running or standing still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Its name in the stream.
    pub id: ClockId,
    /// What is owed.
    pub kind: ClockKind,
    /// Who owes it.
    pub owner: Owner,
    /// When it was started.
    pub start: Timestamp,
    /// The allowance in working days, extensions not included.
    pub working_days: u16,
    /// When it is due; while it stands still, when it would have been.
    pub due: Timestamp,
    /// Every warning, the due instant and the ladder, in order. While it stands still, only those
    /// that were taken before.
    pub steps: Vec<Planned>,
    /// How many of the steps were taken.
    pub taken: u16,
    /// What the due instant was derived from.
    pub derivation: Derivation,
}

/// What a clock is started with, besides its time.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// When the warnings come.
    pub warnings: Warnings,
    /// What happens after due, ascending.
    pub ladder: &'a [Rung],
    /// The version of the document that says so.
    pub version: u32,
    /// The work calendar; version 0 for the weekday rule alone.
    pub calendar: Published<'a, Calendar>,
}

#[cfg(test)]
mod tests;
