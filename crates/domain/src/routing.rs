//! Routing (分办): which unit handles an appeal, chosen by topic and area from a published table.
//!
//! The chain always resolves: a standing rule, else the case type's unit, else the topic's lead
//! unit, else the area's desk, else the city desk. A unit that was abolished or whose desk is
//! unstaffed is passed over for its successor; the city desk alone is never passed over.

use serde::{Deserialize, Serialize};

use crate::ids::{AreaCode, CaseTypeId, DiagnosisId, Name, TopicId, UnitId};

mod choose;
mod problems;
mod suggest;

pub use problems::RoutingProblem;

/// Whether a unit still exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// It exists.
    #[default]
    Active,
    /// It was abolished or merged into another (机构撤并).
    Abolished,
}

/// A unit that appeals can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name as published.
    pub name: Name,
    /// Whether it still exists.
    #[serde(default)]
    pub status: UnitStatus,
    /// The unit that took its duties over (职责承继单位), or that stands in for an unstaffed desk.
    #[serde(default)]
    pub successor: Option<UnitId>,
    /// Whether somebody is on its desk (有人值守).
    #[serde(default = "yes")]
    pub staffed: bool,
}

fn yes() -> bool {
    true
}

/// An area and its desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Its code.
    pub code: AreaCode,
    /// Its name as published.
    pub name: Name,
    /// The desk (诉求专席) that takes what no lead unit takes.
    pub desk: UnitId,
}

/// A topic and who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id; for items of the plan the item's id.
    pub id: TopicId,
    /// Its title as published.
    pub title: Name,
    /// The lead unit (牵头单位); none sends the appeal to the area's desk.
    pub lead: Option<UnitId>,
    /// Units that share the item (配合单位).
    pub co_units: Vec<UnitId>,
    /// Words that point to it in the text of an appeal.
    #[serde(default)]
    pub keywords: Vec<Name>,
}

/// A standing rule (常设规则): what a joint diagnosis concluded for all later appeals of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRule {
    /// The topic.
    pub topic: TopicId,
    /// The area; none for all that have no rule of their own.
    pub area: Option<AreaCode>,
    /// The unit that leads.
    pub unit: UnitId,
    /// The diagnosis that concluded it.
    pub diagnosis: DiagnosisId,
}

impl StandingRule {
    /// Whether both say who leads on the same topic in the same area.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        self.topic == other.topic && self.area == other.area
    }
}

/// Routing table (分办规则).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTable {
    /// Every unit named below, each once.
    pub units: Vec<Unit>,
    /// The areas, each once.
    pub areas: Vec<Area>,
    /// The topics, each once.
    pub topics: Vec<Topic>,
    /// The desk that takes what nothing else takes.
    pub city_desk: UnitId,
    /// The guarantee unit (兜底单位); none for the city desk.
    #[serde(default)]
    pub guarantee: Option<UnitId>,
    /// The standing rules, one for a topic in an area.
    #[serde(default)]
    pub standing: Vec<StandingRule>,
}

/// Which part of the table chose the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The unit that leads.
    pub unit: UnitId,
    /// The units that share the work.
    pub co_units: Vec<UnitId>,
    /// The rule that chose.
    pub rule: RouteRule,
    /// The unit that the first rule in question named, where that unit could not be reached.
    #[serde(default)]
    pub instead_of: Option<UnitId>,
}

/// The rule that chose a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteRule {
    /// A standing rule that this diagnosis concluded.
    Standing(DiagnosisId),
    /// The case type has a unit of its own.
    CaseType(CaseTypeId),
    /// The topic's lead unit.
    Topic(TopicId),
    /// The desk of the area, because no unit was named or none could be reached.
    Area(AreaCode),
    /// The city desk, because no area desk could be reached either.
    CityDesk,
    /// A dispatcher chose by hand.
    Dispatcher,
    /// A dispatcher ruled on a unit's objection (退单裁定).
    Ruling,
    /// The guarantee took over (兜底).
    Guarantee,
    /// A joint diagnosis concluded it (联合问诊).
    Diagnosis,
    /// The unit that had it is gone, and the floor of the chain took it.
    Repair,
}

#[cfg(test)]
mod tests;
