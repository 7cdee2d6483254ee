//! What makes a routing table unsound.

use std::collections::BTreeSet;

use super::{RoutingTable, UnitStatus};
use crate::ids::UnitId;

/// What is wrong with a routing table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingProblem {
    /// An id, or a topic in an area that a standing rule is for, stands twice.
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
    /// A unit is named as its own successor.
    #[error("the unit {0} is its own successor")]
    OwnSuccessor(UnitId),
    /// The city desk takes what nothing else takes, so it must exist.
    #[error("the city desk {0} is abolished")]
    CityDeskAbolished(UnitId),
}

impl RoutingTable {
    /// Everything that is wrong with the table; empty when it may be published.
    #[must_use]
    pub fn problems(&self) -> Vec<RoutingProblem> {
        let mut problems = twice(self.units.iter().map(|unit| unit.id.to_string()));
        problems.extend(twice(self.areas.iter().map(|area| area.code.to_string())));
        problems.extend(twice(self.topics.iter().map(|topic| topic.id.to_string())));
        problems.extend(twice(self.standing.iter().map(|rule| match &rule.area {
            Some(area) => format!("{}@{area}", rule.topic),
            None => format!("{}@*", rule.topic),
        })));
        let listed: BTreeSet<&UnitId> = self.units.iter().map(|unit| &unit.id).collect();
        problems.extend(
            self.named()
                .filter(|(_, unit)| !listed.contains(unit))
                .map(|(place, unit)| RoutingProblem::UnitUnlisted { place, unit: unit.clone() }),
        );
        for unit in &self.units {
            if unit.successor.as_ref() == Some(&unit.id) {
                problems.push(RoutingProblem::OwnSuccessor(unit.id.clone()));
            }
        }
        if self.unit(&self.city_desk).is_some_and(|desk| desk.status == UnitStatus::Abolished) {
            problems.push(RoutingProblem::CityDeskAbolished(self.city_desk.clone()));
        }
        problems
    }

    /// Every unit that the table names, with the place where it does.
    fn named(&self) -> impl Iterator<Item = (String, &UnitId)> {
        let successors = self.units.iter().flat_map(|unit| {
            unit.successor.iter().map(|successor| (format!("unit {}", unit.id), successor))
        });
        let areas = self.areas.iter().map(|area| (format!("area {}", area.code), &area.desk));
        let topics = self.topics.iter().flat_map(|topic| {
            let named = topic.lead.iter().chain(&topic.co_units);
            named.map(|unit| (format!("topic {}", topic.id), unit))
        });
        let standing =
            self.standing.iter().map(|rule| (format!("rule {}", rule.topic), &rule.unit));
        let guarantee = self.guarantee.iter().map(|unit| ("the guarantee".to_owned(), unit));
        let desk = std::iter::once(("the city desk".to_owned(), &self.city_desk));
        successors.chain(areas).chain(topics).chain(standing).chain(guarantee).chain(desk)
    }
}

fn twice(ids: impl Iterator<Item = String>) -> Vec<RoutingProblem> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| !seen.insert(id.clone())).map(RoutingProblem::Twice).collect()
}
