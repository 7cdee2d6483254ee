//! Who handles an appeal: the chain of rules, and the successors of units that cannot be reached.

use super::{Area, Route, RouteRule, RoutingTable, StandingRule, Topic, Unit, UnitStatus};
use crate::ids::{AreaCode, CaseTypeId, TopicId, UnitId};

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

    /// The topic with that id.
    #[must_use]
    pub fn topic(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == *id)
    }

    /// The unit itself if it exists and its desk is staffed, else the first of its successors of
    /// which that is true; none where there is none.
    #[must_use]
    pub fn reachable(&self, unit: &UnitId) -> Option<&UnitId> {
        let mut next = self.unit(unit);
        // As many steps as there are units: successors that go round in a circle end too.
        for _ in &self.units {
            let unit = next?;
            if unit.status == UnitStatus::Active && unit.staffed {
                return Some(&unit.id);
            }
            next = unit.successor.as_ref().and_then(|successor| self.unit(successor));
        }
        None
    }

    /// The area's desk, if it can be reached.
    #[must_use]
    pub fn desk(&self, area: Option<&AreaCode>) -> Option<&UnitId> {
        area.and_then(|code| self.area(code)).and_then(|area| self.reachable(&area.desk))
    }

    /// The desk below which nothing falls: the area's if it can be reached, else the city's.
    #[must_use]
    pub fn floor(&self, area: Option<&AreaCode>) -> &UnitId {
        self.desk(area).unwrap_or_else(|| self.city())
    }

    /// The guarantee unit, or the city desk where there is none that can be reached.
    #[must_use]
    pub fn guarantee_unit(&self) -> &UnitId {
        let guarantee = self.guarantee.as_ref().and_then(|unit| self.reachable(unit));
        guarantee.unwrap_or_else(|| self.city())
    }

    /// The city desk or its stand-in; the city desk even when nobody is on it.
    #[must_use]
    pub fn city(&self) -> &UnitId {
        self.reachable(&self.city_desk).unwrap_or(&self.city_desk)
    }

    /// Chooses who handles an appeal; `case_type` is a type that has a unit of its own, with that
    /// unit. Never fails: what no rule can send anywhere goes to a desk.
    #[must_use]
    pub fn route(
        &self,
        case_type: Option<(&CaseTypeId, &UnitId)>,
        topic: &TopicId,
        area: Option<&AreaCode>,
    ) -> Route {
        let standing = self.standing_rule(topic, area);
        let known = self.topic(topic);
        let lead = known.and_then(|topic| topic.lead.as_ref().map(|lead| (topic, lead)));
        let place = area.and_then(|code| self.area(code));
        let named = [
            standing.map(|rule| (RouteRule::Standing(rule.diagnosis), &rule.unit)),
            case_type.map(|(id, unit)| (RouteRule::CaseType(id.clone()), unit)),
            lead.map(|(topic, lead)| (RouteRule::Topic(topic.id.clone()), lead)),
            place.map(|area| (RouteRule::Area(area.code.clone()), &area.desk)),
        ];
        let mut first = None;
        for (rule, unit) in named.into_iter().flatten() {
            let first = *first.get_or_insert(unit);
            if let Some(chosen) = self.reachable(unit) {
                let shared = matches!(rule, RouteRule::Topic(_)).then_some(known).flatten();
                let co_units = shared.map(|topic| self.co_units(topic, chosen)).unwrap_or_default();
                let instead_of = (first != chosen).then(|| first.clone());
                return Route { unit: chosen.clone(), co_units, rule, instead_of };
            }
        }
        let (first, chosen) = (first.unwrap_or(&self.city_desk), self.city());
        let instead_of = (first != chosen).then(|| first.clone());
        Route { unit: chosen.clone(), co_units: vec![], rule: RouteRule::CityDesk, instead_of }
    }

    /// The rule for the topic in that area, else the one for the topic in every area.
    fn standing_rule(&self, topic: &TopicId, area: Option<&AreaCode>) -> Option<&StandingRule> {
        let find = |area: Option<&AreaCode>| {
            self.standing.iter().find(|rule| rule.topic == *topic && rule.area.as_ref() == area)
        };
        find(area).or_else(|| find(None))
    }

    /// The units that share the topic, or who took over from them, each once and without the lead.
    fn co_units(&self, topic: &Topic, lead: &UnitId) -> Vec<UnitId> {
        let mut co_units: Vec<UnitId> = Vec::new();
        for unit in topic.co_units.iter().filter_map(|unit| self.reachable(unit)) {
            if unit != lead && !co_units.contains(unit) {
                co_units.push(unit.clone());
            }
        }
        co_units
    }
}
