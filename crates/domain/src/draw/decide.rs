//! One function for each command on a random draw.

use super::*;

impl Draw {
    pub(super) fn open(
        &self,
        context: &Context<'_>,
        opening: &Opening,
        table: RatioTable,
    ) -> Result<Vec<Event>, Rejection> {
        match self.opening() {
            Some(known) if known == opening => return Ok(vec![]),
            Some(_) => return Err(Rejection::OpenedDifferently),
            None => in_bounds(opening, table)?,
        }
        let Some(catalogue) = context.catalogue(&opening.unit) else {
            return Err(Rejection::CatalogueMissing { unit: opening.unit.clone() });
        };
        let today = context.today();
        let is_invalid = |officer: &&_| !catalogue.document.is_valid(officer, today);
        if let Some(officer) = opening.officers.iter().find(is_invalid) {
            return Err(Rejection::OfficerInvalid(officer.clone()));
        }
        let (opening, catalogue_version) = (opening.clone(), catalogue.version);
        Ok(vec![Event::DrawOpened { opening, table, catalogue_version }])
    }

    pub(super) fn add(
        &self,
        unit: &UnitId,
        candidates: &[Candidate],
    ) -> Result<Vec<Event>, Rejection> {
        self.opened_by(unit)?;
        match self {
            Self::Absent => Err(Rejection::DrawUnknown),
            Self::Open(open) => open.adding(candidates),
            Self::Made(_) => Err(Rejection::PoolClosed),
        }
    }

    /// Whoever asks again hears that it is made: there is no second draw from the same pool.
    pub(super) fn make(&self, unit: &UnitId, seed: Seed) -> Result<Vec<Event>, Rejection> {
        self.opened_by(unit)?;
        match self {
            Self::Absent => Err(Rejection::DrawUnknown),
            Self::Open(open) if open.candidates.is_empty() => Err(Rejection::PoolEmpty),
            Self::Open(open) => {
                let made = outcome(&open.opening, &open.candidates, seed).made;
                Ok(vec![Event::DrawMade { made }])
            }
            Self::Made(_) => Ok(vec![]),
        }
    }

    fn opened_by(&self, unit: &UnitId) -> Result<(), Rejection> {
        match self.opening() {
            Some(opening) if opening.unit != *unit => {
                Err(Rejection::OtherUnit { unit: opening.unit.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Open {
    fn adding(&self, candidates: &[Candidate]) -> Result<Vec<Event>, Rejection> {
        if !(1..=ADDED_MAX).contains(&candidates.len()) {
            return Err(Rejection::AddedCount { found: candidates.len() });
        }
        let avoiding = candidates.iter().map(|candidate| candidate.avoid.len()).sum();
        if avoiding > ADDED_MAX {
            return Err(Rejection::AvoidCount { found: avoiding });
        }
        let fresh = self.fresh(candidates)?;
        if fresh.is_empty() {
            return Ok(vec![]);
        }
        let mut counts = self.counts;
        for candidate in &fresh {
            self.has_officers_for(candidate)?;
            counts.add(candidate.grade, &self.opening.ratios);
        }
        let found = self.candidates.len() + fresh.len();
        if found > CANDIDATES_MAX {
            return Err(Rejection::PoolTooLarge { found });
        }
        let drawn = usize::try_from(counts.total().drawn).unwrap_or(usize::MAX);
        let officers = self.opening.officers.len();
        if drawn.saturating_mul(officers) > PAIRS_MAX {
            return Err(Rejection::DrawTooLarge { drawn, officers });
        }
        Ok(vec![Event::CandidatesAdded { candidates: fresh }])
    }

    /// Those that are not in the pool yet, each once, as they were given.
    fn fresh(&self, candidates: &[Candidate]) -> Result<Vec<Candidate>, Rejection> {
        let mut given: BTreeMap<&EnterpriseId, &Candidate> = BTreeMap::new();
        let mut fresh = Vec::new();
        for candidate in candidates {
            let enterprise = &candidate.enterprise;
            let known = self.candidates.get(enterprise).or(given.get(enterprise).copied());
            match known {
                Some(known) if known == candidate => {}
                Some(_) => return Err(Rejection::CandidateTwice(enterprise.clone())),
                None => {
                    given.insert(enterprise, candidate);
                    fresh.push(candidate.clone());
                }
            }
        }
        Ok(fresh)
    }

    fn has_officers_for(&self, candidate: &Candidate) -> Result<(), Rejection> {
        let (free, min) = (self.opening.free_for(candidate).count(), self.opening.per_visit);
        if free >= usize::from(min) {
            return Ok(());
        }
        let enterprise = candidate.enterprise.clone();
        Err(Rejection::TooFewFree { enterprise, free, min })
    }
}

fn in_bounds(opening: &Opening, table: RatioTable) -> Result<(), Rejection> {
    let Opening { ratios, officers, per_visit, .. } = opening;
    if let Some((grade, percent, bounds)) = table.outside(ratios) {
        return Err(Rejection::RatioOutside { grade, percent, bounds });
    }
    if !(PER_VISIT_MIN..=PER_VISIT_MAX).contains(per_visit) {
        return Err(Rejection::OfficersPerVisit { found: *per_visit });
    }
    let min = usize::from(*per_visit);
    if !(min..=OFFICERS_MAX).contains(&officers.len()) {
        return Err(Rejection::OfficerCount { found: officers.len(), min });
    }
    Ok(())
}
