//! Routing (分办): which unit handles an appeal, chosen by topic and area from a published table.
//!
//! The fallback chain always resolves: the topic's lead unit, else the area's desk, else the city desk.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{AreaCode, Name, TopicId, UnitId};

/// A unit that appeals can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name as published.
    pub name: Name,
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
}

/// Time allowed for each step, in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowances {
    /// From submission to acceptance.
    pub accept: u16,
    /// From acceptance to dispatch.
    pub dispatch: u16,
    /// From dispatch, or from an objection, to resolution.
    pub resolve: u16,
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
    /// Time allowed for each step.
    pub allowances: Allowances,
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
}

/// The rule of the table that chose a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteRule {
    /// The topic's lead unit.
    Topic(TopicId),
    /// The desk of the area, because the topic has no lead unit or is unknown.
    Area(AreaCode),
    /// The city desk, because the area is unknown too.
    CityDesk,
    /// A dispatcher chose by hand.
    Dispatcher,
}

/// What is wrong with a routing table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingProblem {
    /// An id stands twice.
    #[error("the routing table lists {0} twice")]
    Twice(String),
    /// A unit is named that the table does not list.
    #[error("{place} names the unit {unit}, which the table does not list")]
    UnitUnlisted {
        /// Where it is named.
        place: String,
        /// The unit.
        unit: UnitId,
    },
}

impl RoutingTable {
    /// The area with that code.
    #[must_use]
    pub fn area(&self, code: &AreaCode) -> Option<&Area> {
        self.areas.iter().find(|area| area.code == *code)
    }

    /// The unit with that id.
    #[must_use]
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == *id)
    }

    /// Chooses who handles an appeal. Never fails: an unknown topic or area goes to a desk.
    #[must_use]
    pub fn route(&self, topic: &TopicId, area: Option<&AreaCode>) -> Route {
        let topic = self.topics.iter().find(|known| known.id == *topic);
        if let Some((topic, lead)) = topic.and_then(|t| t.lead.as_ref().map(|lead| (t, lead))) {
            return Route {
                unit: lead.clone(),
                co_units: topic.co_units.clone(),
                rule: RouteRule::Topic(topic.id.clone()),
            };
        }
        match area.and_then(|code| self.area(code)) {
            Some(area) => Route {
                unit: area.desk.clone(),
                co_units: vec![],
                rule: RouteRule::Area(area.code.clone()),
            },
            None => {
                Route { unit: self.city_desk.clone(), co_units: vec![], rule: RouteRule::CityDesk }
            }
        }
    }

    /// Everything that is wrong with the table; empty when it may be published.
    #[must_use]
    pub fn problems(&self) -> Vec<RoutingProblem> {
        let mut problems = twice(self.units.iter().map(|unit| unit.id.as_str()));
        problems.extend(twice(self.areas.iter().map(|area| area.code.as_str())));
        problems.extend(twice(self.topics.iter().map(|topic| topic.id.as_str())));
        let listed: BTreeSet<&UnitId> = self.units.iter().map(|unit| &unit.id).collect();
        let areas = self.areas.iter().map(|area| (format!("area {}", area.code), &area.desk));
        let topics = self.topics.iter().flat_map(|topic| {
            let named = topic.lead.iter().chain(&topic.co_units);
            named.map(|unit| (format!("topic {}", topic.id), unit))
        });
        let desk = std::iter::once(("the city desk".to_owned(), &self.city_desk));
        problems.extend(
            areas
                .chain(topics)
                .chain(desk)
                .filter(|(_, unit)| !listed.contains(unit))
                .map(|(place, unit)| RoutingProblem::UnitUnlisted { place, unit: unit.clone() }),
        );
        problems
    }
}

fn twice<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<RoutingProblem> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| !seen.insert(*id)).map(|id| RoutingProblem::Twice(id.to_owned())).collect()
}

#[cfg(test)]
mod tests;
