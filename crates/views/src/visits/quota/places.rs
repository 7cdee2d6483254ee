//! What an enterprise's visits hold under the limits, for every unit that comes: the ledger of the
//! enterprise page, counted by the function that decides.

use std::collections::{BTreeMap, BTreeSet};

use doudi_domain::{
    UnitId,
    enterprise::Registered,
    frequency::{Entry, FloorStanding, Held, Party, Standing},
};
use jiff::civil::Date;

use super::{Known, Limits, is_elsewhere, known, too_many, usual_first_day};
use crate::{ViewError, page::Query, read::Snapshot};

/// The most units whose places are told apart; an enterprise that more of them come to has other worries.
const UNITS_MAX: usize = 100;

/// What an enterprise's visits hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The version of the frequency policy in force; none when none is published.
    pub policy_version: Option<u32>,
    /// Each rule that applies on that day to the enterprise, once for each unit or level that it adds up
    /// for, in the policy's order, before one more routine visit of that unit.
    pub standings: Vec<Standing>,
    /// One for each floor that applies on that day to the enterprise.
    pub floors: Vec<FloorStanding>,
    /// What each unit holds in the calendar year of that day, by unit.
    pub units: Vec<UnitPlaces>,
}

/// What the visits in which one unit takes part hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitPlaces {
    /// The unit.
    pub unit: UnitId,
    /// How many visits took place, on whatever ground.
    pub used: u64,
    /// How many of them are known to have found something.
    pub found: u64,
    /// How many are still to come.
    pub reserved: u64,
}

/// Who the enterprise is, and what its visits hold; none where it is not registered, or not for the caller.
pub(crate) async fn places(
    snapshot: &Snapshot<'_>,
    query: &Query,
) -> Result<Option<(Registered, Places)>, ViewError> {
    let year = Date::constant(query.on.year(), 1, 1);
    let whose = (&query.enterprise, query.unit.as_ref(), &query.enterprises);
    let read = async |from| known(snapshot, whose, from, query.known_only).await;
    let from = usual_first_day(query.on).min(year);
    let Some(Known { limits, level, profile: Some(profile), mut entries }) = read(from).await?
    else {
        return Ok(None);
    };
    let limits = limits
        .map(|(version, policy)| (version, Limits { policy, profile: Some(profile.clone()) }));
    let first = limits.as_ref().and_then(|(_, limits)| limits.first_day(query.on));
    let first = first.map_or(year, |day| day.min(year));
    if is_elsewhere(first, from, entries.is_none()) {
        entries = read(first).await?.and_then(|known| known.entries);
    }
    let mut entries = entries.ok_or_else(|| too_many(&query.enterprise))?;
    let Some((version, limits)) = limits else {
        let units = held(&entries, query.on);
        let places = Places { policy_version: None, standings: vec![], floors: vec![], units };
        return Ok(Some((profile, places)));
    };
    // What was read from before that lies in no window, and its units come no more.
    entries.retain(|entry| entry.on >= first);
    let mut parties = parties(&entries);
    parties.extend(query.unit.clone().map(|unit| Party { unit, level }));
    let (standings, floors) = stand(&limits, &entries, parties, query.on);
    let units = held(&entries, query.on);
    let places = Places { policy_version: Some(version), standings, floors, units };
    Ok(Some((profile, places)))
}

/// The parties that come, each once, however often.
fn parties(entries: &[Entry]) -> BTreeSet<Party> {
    let each: BTreeSet<&Party> = entries.iter().flat_map(|entry| &entry.parties).collect();
    each.into_iter().take(UNITS_MAX).cloned().collect()
}

/// How the enterprise stands before one more visit of each of the parties, and of nobody in particular.
fn stand(
    limits: &Limits,
    entries: &[Entry],
    parties: BTreeSet<Party>,
    on: Date,
) -> (Vec<Standing>, Vec<FloorStanding>) {
    let of_nobody = limits.answer(entries, None, on);
    let order =
        |standing: &Standing| limits.policy.rules.iter().position(|rule| rule.id == standing.rule);
    let each = parties.into_iter().map(|party| limits.answer(entries, Some(party), on));
    let mut standings = BTreeMap::new();
    for standing in each.flat_map(|found| found.standings).chain(of_nobody.standings) {
        standings.entry((order(&standing), standing.key.clone())).or_insert(standing);
    }
    (standings.into_values().collect(), of_nobody.floors)
}

fn held(entries: &[Entry], on: Date) -> Vec<UnitPlaces> {
    let mut units: BTreeMap<&UnitId, UnitPlaces> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.on.year() == on.year()) {
        for Party { unit, .. } in &entry.parties {
            let none = || UnitPlaces { unit: unit.clone(), used: 0, found: 0, reserved: 0 };
            let places = units.entry(unit).or_insert_with(none);
            match entry.held {
                Held::Reserved => places.reserved += 1,
                Held::Used => places.used += 1,
            }
            places.found += u64::from(entry.held == Held::Used && entry.finding == Some(true));
        }
    }
    units.into_values().collect()
}

#[cfg(test)]
mod tests {
    use doudi_domain::{VisitId, frequency::Ground};
    use uuid::Uuid;

    use super::*;
    use crate::kit::unit;

    #[test]
    fn a_unit_that_comes_often_hides_no_other() {
        let visit = |by: &str| Entry {
            visit: VisitId(Uuid::nil()),
            parties: vec![Party { unit: unit(by), level: None }],
            items: [].into(),
            officers: [].into(),
            ground: Ground::Routine,
            on: Date::constant(2025, 3, 3),
            held: Held::Used,
            finding: None,
        };
        let mut entries = vec![visit("tax"); UNITS_MAX + 1];
        entries.push(visit("fire"));
        let units: Vec<_> = parties(&entries).into_iter().map(|party| party.unit).collect();
        assert_eq!(units, [unit("fire"), unit("tax")]);
    }
}
