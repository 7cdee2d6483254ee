//! From facts to sums: a pure fold that holds a unit's ratings back until they come from enough enterprises.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use doudi_domain::{
    EnterpriseId, UnitId,
    calendar::civil_date,
    ratings::{Event, Satisfaction},
};
use jiff::civil::Date;

use super::RATERS_MIN;
use crate::fact::{Content, Fact};

/// A rating that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) position: i64,
    pub(super) ordinal: u32,
    pub(super) enterprise: EnterpriseId,
    pub(super) satisfaction: Satisfaction,
}

/// What is held back of the units concerned, and what the facts add to the sums.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) held: HashMap<UnitId, Vec<Held>>,
    pub(super) sums: BTreeMap<(UnitId, Date, Satisfaction), u64>,
}

fn ratings(fact: &Fact) -> Option<(&EnterpriseId, &[Event])> {
    match &*fact.content {
        Content::Ratings(enterprise, events) => Some((enterprise, events)),
        Content::Profile(..)
        | Content::Visits(..)
        | Content::Appeal(..)
        | Content::Diagnosis(..)
        | Content::Device(..)
        | Content::Policy(..)
        | Content::Webhook(..) => None,
    }
}

/// The units that the facts rate.
pub(super) fn units_of(facts: &[Fact]) -> BTreeSet<UnitId> {
    let events = facts.iter().filter_map(ratings).flat_map(|(_, events)| events);
    events.map(|Event::VisitRated { unit, .. }| unit).cloned().collect()
}

impl Known {
    pub(super) fn fold(&mut self, facts: &[Fact]) {
        for fact in facts {
            let Some((enterprise, events)) = ratings(fact) else {
                continue;
            };
            let month = civil_date(fact.recorded_at).first_of_month();
            for (ordinal, event) in (0_u32..).zip(events) {
                let Event::VisitRated { unit, satisfaction, .. } = event;
                let held = Held {
                    position: fact.position,
                    ordinal,
                    enterprise: enterprise.clone(),
                    satisfaction: *satisfaction,
                };
                self.rate(unit, month, held);
            }
        }
    }

    fn rate(&mut self, unit: &UnitId, month: Date, rating: Held) {
        let held = self.held.entry(unit.clone()).or_default();
        held.push(rating);
        let raters: BTreeSet<&EnterpriseId> = held.iter().map(|held| &held.enterprise).collect();
        if raters.len() >= RATERS_MIN {
            for released in std::mem::take(held) {
                let key = (unit.clone(), month, released.satisfaction);
                *self.sums.entry(key).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::VisitId;
    use uuid::Uuid;

    use super::*;
    use Satisfaction::{Acceptable, Dissatisfied, Satisfied, VeryDissatisfied};

    fn unit(id: &str) -> UnitId {
        UnitId::parse(id).unwrap()
    }

    fn rated(position: i64, by: u8, of: &str, satisfaction: Satisfaction) -> Fact {
        let enterprise = EnterpriseId::parse(&format!("L-{by}")).unwrap();
        let visit = VisitId(Uuid::from_u128(u128::from(by)));
        let events = vec![Event::VisitRated { visit, unit: unit(of), satisfaction }];
        let at = "2025-06-30T17:00:00Z".parse().unwrap();
        Fact::of(Content::Ratings(enterprise, events), at, position)
    }

    fn sums(known: &Known) -> Vec<(&str, Satisfaction, u64)> {
        let each = known.sums.iter();
        each.map(|((unit, _, grade), count)| (unit.as_str(), *grade, *count)).collect()
    }

    #[test]
    fn four_enterprises_are_too_few_however_often_they_rate() {
        let mut known = Known::default();
        let facts: Vec<Fact> =
            (0..12).map(|n| rated(n, u8::try_from(n % 4).unwrap(), "tax", Satisfied)).collect();
        known.fold(&facts);
        assert_eq!((sums(&known), known.held[&unit("tax")].len()), (vec![], 12));
    }

    #[test]
    fn with_the_fifth_all_are_summed_up_in_its_month_and_the_next_wait_again() {
        let mut known = Known::default();
        let grades = [Satisfied, VeryDissatisfied, Satisfied, Acceptable, Satisfied, Dissatisfied];
        let facts: Vec<Fact> =
            (1_u8..).zip(grades).map(|(n, grade)| rated(i64::from(n), n, "tax", grade)).collect();
        assert_eq!(units_of(&facts), [unit("tax")].into());
        known.fold(&facts);
        let expected =
            [("tax", VeryDissatisfied, 1), ("tax", Acceptable, 1), ("tax", Satisfied, 3)];
        assert_eq!(sums(&known), expected);
        // In Shanghai it is July already.
        assert!(known.sums.keys().all(|(_, month, _)| *month == jiff::civil::date(2025, 7, 1)));
        let waiting: Vec<_> =
            known.held[&unit("tax")].iter().map(|held| held.satisfaction).collect();
        assert_eq!(waiting, [Dissatisfied]);
    }

    #[test]
    fn each_unit_waits_for_its_own_five() {
        let mut known = Known::default();
        let of = |unit, count: u8| -> Vec<Fact> {
            (1..=count).map(|n| rated(i64::from(n), n, unit, Satisfied)).collect()
        };
        known.fold(&of("fire", 4));
        known.fold(&of("tax", 5));
        assert_eq!(sums(&known), [("tax", Satisfied, 5)]);
        assert_eq!(known.held[&unit("fire")].len(), 4);
    }
}
