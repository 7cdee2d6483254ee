//! From facts to sums: a pure fold that holds a unit's ratings back until they come from enough enterprises.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use doudi_domain::{
    EnterpriseId, UnitId,
    calendar::civil_date,
    ratings::{Event, Satisfaction},
};
use jiff::{Timestamp, civil::Date};

use super::RATERS_MIN;
use crate::fact::{Content, Fact};

/// A rating that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) position: i64,
    pub(super) ordinal: u32,
    pub(super) enterprise: EnterpriseId,
    pub(super) satisfaction: Satisfaction,
    pub(super) recorded_at: Timestamp,
}

/// Ratings of one grade that were summed up together with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summed {
    /// Where in the log the last of all of them stands, and when that was recorded.
    pub(super) position: i64,
    pub(super) ordinal: u32,
    pub(super) recorded_at: Timestamp,
    pub(super) unit: UnitId,
    pub(super) satisfaction: Satisfaction,
    pub(super) count: u64,
}

impl Summed {
    /// The first day of the month in which they became enough.
    pub(super) fn month(&self) -> Date {
        civil_date(self.recorded_at).first_of_month()
    }
}

/// What is held back of the units concerned, and what the facts add to the sums.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) held: HashMap<UnitId, Vec<Held>>,
    pub(super) summed: Vec<Summed>,
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
            for (ordinal, event) in (0_u32..).zip(events) {
                let Event::VisitRated { unit, satisfaction, .. } = event;
                let held = Held {
                    position: fact.position,
                    ordinal,
                    enterprise: enterprise.clone(),
                    satisfaction: *satisfaction,
                    recorded_at: fact.recorded_at,
                };
                self.rate(unit, held);
            }
        }
    }

    fn rate(&mut self, unit: &UnitId, rating: Held) {
        let held = self.held.entry(unit.clone()).or_default();
        held.push(rating);
        let raters: BTreeSet<&EnterpriseId> = held.iter().map(|held| &held.enterprise).collect();
        if raters.len() >= RATERS_MIN {
            self.summed.extend(together(unit, &std::mem::take(held)));
        }
    }
}

/// Sums up all of `held`, as of the last of them in the log. Of a stream that was parked an older one may come
/// after it.
fn together(unit: &UnitId, held: &[Held]) -> Vec<Summed> {
    let Some(last) = held.iter().max_by_key(|held| (held.position, held.ordinal)) else {
        return vec![];
    };
    let mut counts: BTreeMap<Satisfaction, u64> = BTreeMap::new();
    for held in held {
        *counts.entry(held.satisfaction).or_default() += 1;
    }
    let summed = |(satisfaction, count)| Summed {
        position: last.position,
        ordinal: last.ordinal,
        recorded_at: last.recorded_at,
        unit: unit.clone(),
        satisfaction,
        count,
    };
    counts.into_iter().map(summed).collect()
}

#[cfg(test)]
mod tests {
    use doudi_domain::VisitId;
    use jiff::SignedDuration;
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
        let first: Timestamp = "2025-06-30T17:00:00Z".parse().unwrap();
        let at = first + SignedDuration::from_secs(position);
        Fact::of(Content::Ratings(enterprise, events), at, position)
    }

    fn sums(known: &Known) -> Vec<(&str, Satisfaction, u64)> {
        let each = known.summed.iter();
        each.map(|row| (row.unit.as_str(), row.satisfaction, row.count)).collect()
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
        assert!(known.summed.iter().all(|row| row.month() == jiff::civil::date(2025, 7, 1)));
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

    #[test]
    fn what_is_summed_up_together_has_rows_of_its_own_wherever_batches_are_cut() {
        let grade = |n: u8| if n.is_multiple_of(2) { Satisfied } else { Dissatisfied };
        let facts: Vec<Fact> =
            (1..=12_u8).map(|n| rated(i64::from(n), n, "tax", grade(n))).collect();
        let expected =
            [(5, Dissatisfied, 3), (5, Satisfied, 2), (10, Dissatisfied, 2), (10, Satisfied, 3)];
        for size in 1..=12 {
            let mut known = Known::default();
            facts.chunks(size).for_each(|batch| known.fold(batch));
            let rows = known.summed.iter();
            let rows: Vec<_> =
                rows.map(|row| (row.position, row.satisfaction, row.count)).collect();
            assert_eq!(rows, expected, "in batches of {size}");
            let instants: Vec<_> = known.summed.iter().map(|row| row.recorded_at).collect();
            assert_eq!(instants, [4, 4, 9, 9].map(|at: usize| facts[at].recorded_at));
        }
    }

    #[test]
    fn what_is_taken_in_late_is_in_no_sum_before_the_last_of_those_that_it_is_summed_up_with() {
        let mut known = Known::default();
        let facts: Vec<Fact> = (1_u8..)
            .zip([11, 12, 14, 13, 3])
            .map(|(n, position)| rated(position, n, "tax", Satisfied))
            .collect();
        known.fold(&facts);
        let rows: Vec<_> =
            known.summed.iter().map(|row| (row.position, row.recorded_at, row.count)).collect();
        assert_eq!(rows, [(14, facts[2].recorded_at, 5)]);
    }
}
