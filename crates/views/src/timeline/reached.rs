//! How far somebody has got who follows a selection, so that nothing is lost and nothing comes twice where a
//! stream is parked.
//!
//! From a parked record on nothing of its enterprise is delivered, so that its order holds. Once the stream was
//! taken in, what was withheld comes late, before anything newer of that enterprise. Whoever follows carries all of
//! this along and nothing else remembers it, so it outlives a retry, a rebuild and the tables.

use std::{collections::BTreeMap, sync::Arc};

use doudi_domain::{
    Decider, EnterpriseId, appeal::Appeal, diagnosis::Diagnosis, enterprise::Profile,
    visits::Visits,
};
use doudi_journal::{Position, StreamName};

use super::{Entry, Kind, Point, Selection};
use crate::{ViewError, ViewName, parked, read::Snapshot};

/// How far somebody has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Everything up to here was delivered,
    pub point: Point,
    /// but of these enterprises only what lies up to there. Copies share it until one of them changes it.
    pub withheld: Arc<BTreeMap<EnterpriseId, Point>>,
}

/// A stream that the view passes over from a record on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    enterprise: EnterpriseId,
    kind: Kind,
    first: Position,
}

/// What was withheld and is not any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) enterprise: EnterpriseId,
    pub(super) after: Point,
    pub(super) until: Point,
}

impl From<Point> for Reached {
    fn from(point: Point) -> Self {
        Self { point, withheld: Arc::default() }
    }
}

impl Reached {
    /// After one of the entries that came last; those that are `late` lie before the point.
    #[must_use]
    pub fn after(&self, entry: &Entry, late: bool) -> Self {
        let mut after = self.clone();
        match late {
            true => after.withhold(entry.enterprise.clone(), entry.point()),
            false => after.point = entry.point(),
        }
        after
    }

    /// Of an enterprise only what lies up to there was delivered.
    pub(super) fn withhold(&mut self, enterprise: EnterpriseId, until: Point) {
        Arc::make_mut(&mut self.withheld).insert(enterprise, until);
    }

    /// Up to here nothing is missing.
    #[must_use]
    pub fn lowest(&self) -> Point {
        self.withheld.values().copied().fold(self.point, Point::min)
    }

    /// Forgets of the other enterprises that something is withheld.
    pub(super) fn keep(&mut self, kept: impl Fn(&EnterpriseId, Point) -> bool) {
        if !self.withheld.iter().all(|(enterprise, until)| kept(enterprise, *until)) {
            Arc::make_mut(&mut self.withheld).retain(|enterprise, until| kept(enterprise, *until));
        }
    }

    /// Whether an entry is not to be delivered yet.
    pub(super) fn withholds(&self, entry: &Entry) -> bool {
        self.withheld.get(&entry.enterprise).is_some_and(|until| entry.point() > *until)
    }

    /// Withholds what follows a gap that the selection may mean, and says what is withheld no more, as far as
    /// tables know of it that reflect `known` and have these gaps.
    pub(super) fn note(&mut self, ends: &Ends, known: Position) -> Option<Late> {
        let point = self.point;
        for (enterprise, end) in ends {
            let known = self.withheld.get(enterprise).copied();
            // Where nothing of it is missing up to the point, the gaps of now alone say how far it goes.
            let missing = known.filter(|until| *until < point);
            let until = missing.unwrap_or(point.max(*end));
            if known != Some(until) {
                self.withhold(enterprise.clone(), until);
            }
        }
        self.keep(|enterprise, until| ends.contains_key(enterprise) || until < point);
        // Tables that are built anew, or whose end PostgreSQL has lost, are behind the point.
        let there = point.min(Point::end_of(known));
        self.withheld.iter().find_map(|(enterprise, after)| {
            let until = ends.get(enterprise).map_or(there, |end| there.min(*end));
            let late = Late { enterprise: enterprise.clone(), after: *after, until };
            (late.after < late.until).then_some(late)
        })
    }
}

/// Up to where the events of enterprises go that have a gap.
pub(super) type Ends = BTreeMap<EnterpriseId, Point>;

/// Where the gaps end what a selection may mean.
pub(super) fn ends(gaps: &[Gap], selection: &Selection) -> Ends {
    let mut ends = Ends::new();
    for Gap { enterprise, kind, first } in gaps {
        if selection.may_mean(enterprise) && selection.means_kind(*kind) {
            let end = Point { position: *first, ordinal: 0 }.before();
            let known = ends.entry(enterprise.clone()).or_insert(end);
            *known = end.min(*known);
        }
    }
    ends
}

/// The gaps of the timeline as the snapshot sees them.
pub(super) async fn gaps(snapshot: &Snapshot<'_>) -> Result<Vec<Gap>, ViewError> {
    let firsts = parked::firsts(snapshot, ViewName::Timeline).await?;
    Ok(firsts.iter().filter_map(|(stream, first)| gap(stream, *first)).collect())
}

fn gap(stream: &StreamName, first: Position) -> Option<Gap> {
    let kind = match stream.kind() {
        Profile::KIND => Kind::Profile,
        Visits::KIND => Kind::Visit,
        Appeal::KIND | Diagnosis::KIND => Kind::Appeal,
        _ => return None,
    };
    Some(Gap { enterprise: EnterpriseId::parse(stream.owner()).ok()?, kind, first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    fn enterprise(n: u8) -> EnterpriseId {
        EnterpriseId::parse(&format!("L-{n}")).unwrap()
    }

    fn end(position: u64) -> Point {
        Point::end_of(Position(position))
    }

    fn gaps(found: &[(&str, u64)]) -> Vec<Gap> {
        let read =
            |(name, first): &(&str, u64)| gap(&StreamName::parse(name).unwrap(), Position(*first));
        found.iter().filter_map(read).collect()
    }

    fn withheld(reached: &Reached) -> Vec<(&str, Point)> {
        reached.withheld.iter().map(|(enterprise, until)| (enterprise.as_str(), *until)).collect()
    }

    #[test]
    fn what_follows_a_gap_is_withheld_and_comes_late_once_there_is_none() {
        let all = Selection::all(Scope::All);
        let mut reached = Reached::from(end(10));
        // The first of two gaps is what counts, wherever it lies.
        let both = gaps(&[("ev.L-1.visits", 30), ("ev.L-1.appeal.x", 20), ("ev.L-2.profile", 5)]);
        let note =
            |reached: &mut Reached, gaps: &[Gap]| reached.note(&ends(gaps, &all), Position(1000));
        assert_eq!(note(&mut reached, &both), None);
        assert_eq!(withheld(&reached), [("L-1", end(19)), ("L-2", end(10))]);
        reached.point = end(40);
        assert_eq!(note(&mut reached, &both), None);
        // Of two gaps one is left.
        let one = gaps(&[("ev.L-1.visits", 30), ("ev.L-2.profile", 5)]);
        let late = |n: u8, after: u64, until: u64| {
            Some(Late { enterprise: enterprise(n), after: end(after), until: end(until) })
        };
        assert_eq!(note(&mut reached, &one), late(1, 19, 29));
        reached.withhold(enterprise(1), end(29));
        assert_eq!(note(&mut reached, &one), None);
        // None is left of the other one.
        let own = gaps(&[("ev.L-1.visits", 30)]);
        assert_eq!(note(&mut reached, &own), late(2, 10, 40));
        reached.withhold(enterprise(2), end(40));
        assert_eq!(note(&mut reached, &own), None);
        assert_eq!(withheld(&reached), [("L-1", end(29))]);
        assert_eq!(reached.lowest(), end(29));
    }

    #[test]
    fn what_is_withheld_is_shared_until_it_changes() {
        let mut reached = Reached::from(end(10));
        let gap = ends(&gaps(&[("ev.L-1.visits", 5)]), &Selection::all(Scope::All));
        assert_eq!(reached.note(&gap, Position(1000)), None);
        let entry = Entry {
            position: Position(15),
            ordinal: 2,
            enterprise: enterprise(1),
            kind: Kind::Visit,
            event_type: "VisitPlanned".to_owned(),
            subject: None,
            unit: None,
            area: None,
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            details_json: "{}".to_owned(),
        };
        let sent = reached.after(&entry, false);
        assert!(Arc::ptr_eq(&sent.withheld, &reached.withheld));
        // Whatever comes then, as long as it changes nothing of it.
        reached.point = end(20);
        assert_eq!(reached.note(&gap, Position(1000)), None);
        reached.keep(|_, _| true);
        assert!(Arc::ptr_eq(&sent.withheld, &reached.withheld));
        // What changes it changes nothing that was sent before.
        let late = reached.after(&entry, true);
        assert_eq!(withheld(&late), [("L-1", entry.point())]);
        reached.keep(|_, _| false);
        assert_eq!(reached, Reached::from(end(20)));
        assert_eq!(withheld(&sent), [("L-1", end(10))]);
        assert_eq!((sent.point, late.point), (entry.point(), end(20)));
    }

    #[test]
    fn a_gap_before_which_somebody_is_ends_when_it_ends() {
        let all = Selection::all(Scope::All);
        let mut reached = Reached::from(end(10));
        let known = Position(1000);
        reached.note(&ends(&gaps(&[("ev.L-1.visits", 30)]), &all), known);
        assert_eq!(withheld(&reached), [("L-1", end(29))]);
        // One that begins before it counts as well, however it came there.
        let both = gaps(&[("ev.L-1.visits", 30), ("ev.L-1.appeal.x", 20)]);
        assert_eq!(reached.note(&ends(&both, &all), known), None);
        assert_eq!(withheld(&reached), [("L-1", end(19))]);
        assert_eq!(reached.note(&Ends::new(), known), None);
        assert_eq!(reached, Reached::from(end(10)));
    }

    #[test]
    fn what_is_taken_in_in_part_goes_on_to_the_next_gap() {
        let all = Selection::all(Scope::All);
        let mut reached = Reached::from(end(40));
        reached.withhold(enterprise(1), end(40));
        let later = ends(&gaps(&[("ev.L-1.visits", 50)]), &all);
        assert_eq!(reached.note(&later, Position(1000)), None);
        assert_eq!(withheld(&reached), [("L-1", end(49))]);
    }

    #[test]
    fn nothing_is_late_that_tables_do_not_know_of() {
        let mut reached = Reached::from(end(100));
        reached.withhold(enterprise(1), end(19));
        let late = |until| Late { enterprise: enterprise(1), after: end(19), until: end(until) };
        assert_eq!(reached.note(&Ends::new(), Position(10)), None);
        assert_eq!(reached.note(&Ends::new(), Position(50)), Some(late(50)));
        assert_eq!(withheld(&reached), [("L-1", end(19))]);
        assert_eq!(reached.note(&Ends::new(), Position(200)), Some(late(100)));
    }

    #[test]
    fn a_gap_in_what_a_selection_does_not_mean_withholds_nothing() {
        let found = gaps(&[("ev.L-1.visits", 30), ("ev._city.visits", 31), ("ev.L-1.later", 32)]);
        assert_eq!(found.len(), 1);
        let all = Selection::all(Scope::All);
        let none = Scope::Within {
            enterprise: Some(enterprise(2)),
            units: vec![],
            areas: crate::Areas::Some(vec![]),
            desk: false,
        };
        for selection in [
            Selection { kinds: vec![Kind::Appeal], ..all.clone() },
            Selection::of(enterprise(2), Scope::All),
            Selection::all(none),
        ] {
            let mut reached = Reached::from(end(40));
            assert_eq!(reached.note(&ends(&found, &selection), Position(1000)), None);
            assert_eq!(reached, Reached::from(end(40)), "{selection:?}");
        }
        let mut reached = Reached::from(end(40));
        let visits = Selection { kinds: vec![Kind::Visit], ..all };
        reached.note(&ends(&found, &visits), Position(1000));
        assert_eq!(withheld(&reached), [("L-1", end(40))]);
    }
}
