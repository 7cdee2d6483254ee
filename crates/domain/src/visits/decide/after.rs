//! After the officers left: results, word to the enterprise, rectification, and the end.

use std::collections::BTreeSet;

use crate::{
    calendar::civil_date,
    catalogue::Mode,
    clock::{Clock, ClockKind, Owner},
    decider::Context,
    ids::{ItemId, Reference, UnitId, VisitId},
    visits::{
        Event, ItemResult, OffSiteCheck, Outcome, PLANNED_AHEAD_MAX, Phase, Rejection, Visit,
        Visits, decide::in_future,
    },
};
use jiff::ToSpan;

/// How many rechecks of rechecks are followed back.
const RECHECKS_MAX: usize = 100;

impl Visits {
    /// Where no scan began the time to tell the enterprise, the last unit's results do. What a recheck finds in
    /// order is rectified.
    pub(in crate::visits) fn report(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        unit: &UnitId,
        results: &[ItemResult],
    ) -> Result<Vec<Event>, Rejection> {
        match (&visit.phase, visit.results.get(unit)) {
            (_, Some(known)) if known == results => return Ok(vec![]),
            (Phase::CheckedOut { .. }, None) => visit.check_results(context, unit, results)?,
            _ => return Err(visit.wrong_phase("checked out")),
        }
        let tell = self.told_after(context, visit, unit);
        let reported = Event::ResultReported {
            visit: visit.plan.visit,
            unit: Some(unit.clone()),
            results: results.to_vec(),
            tell,
        };
        let before = self.looked_at_again(visit);
        let rechecked = before.flat_map(|found| found.rechecked(visit, unit, results));
        Ok([reported].into_iter().chain(rechecked).collect())
    }

    /// The time to tell the enterprise, where it began with no scan and that unit was the last one waited for.
    pub(super) fn told_after(
        &self,
        context: &Context<'_>,
        visit: &Visit,
        unit: &UnitId,
    ) -> Option<Clock> {
        let mut others = visit.shares.keys().filter(|other| *other != unit);
        let last = others.all(|other| visit.results.contains_key(other));
        let starts = last && visit.clock(ClockKind::Tell).is_none();
        starts.then(|| self.clock(context, ClockKind::Tell, &visit.plan.unit, 0))
    }

    /// The visit that a recheck looks at again; where that was a recheck itself, the one before it, and so on.
    fn looked_at_again<'a>(&'a self, recheck: &Visit) -> impl Iterator<Item = &'a Visit> {
        let named = |visit: &Visit| visit.plan.recheck_of.and_then(|id| self.get(id));
        std::iter::successors(named(recheck), move |visit| named(visit)).take(RECHECKS_MAX)
    }

    /// A check from elsewhere counts nowhere; its unit must have the items in its catalogue, to be
    /// inspected so.
    pub(in crate::visits) fn record_off_site(
        &self,
        context: &Context<'_>,
        check: &OffSiteCheck,
    ) -> Result<Vec<Event>, Rejection> {
        match self.off_site.get(&check.check) {
            Some(known) if **known == *check => return Ok(vec![]),
            None if self.get(check.check).is_none() => {}
            Some(_) | None => return Err(Rejection::PlannedDifferently(check.check)),
        }
        if context.area().is_none() {
            return Err(Rejection::EnterpriseUnregistered);
        }
        if in_future(context, check.occurred_at) {
            return Err(Rejection::InFuture { occurred_at: check.occurred_at });
        }
        let unit = &check.unit;
        let catalogue = context
            .catalogue(unit)
            .ok_or_else(|| Rejection::CatalogueUnpublished { unit: unit.clone() })?;
        let on = civil_date(check.occurred_at);
        if !catalogue.document.is_qualified(on) {
            return Err(Rejection::UnitUnqualified { unit: unit.clone(), on });
        }
        if check.results.is_empty() {
            return Err(Rejection::NoItems);
        }
        let mut seen = BTreeSet::new();
        for result in &check.results {
            let item = || result.item.clone();
            let listed = catalogue.document.item(&result.item);
            let listed = listed.ok_or_else(|| Rejection::ItemUnpublished { item: item() })?;
            if !listed.modes.contains(&Mode::OffSite) {
                return Err(Rejection::OnSiteOnly { item: item() });
            }
            if !seen.insert(&result.item) {
                return Err(Rejection::ItemsDiffer { item: item() });
            }
            let lines = u16::try_from(listed.checklist.len()).unwrap_or(u16::MAX);
            check_finding(context, result, lines)?;
        }
        Ok(vec![Event::OffSiteCheckRecorded { check: check.clone(), area: context.area() }])
    }
}

impl Visit {
    fn check_results(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        results: &[ItemResult],
    ) -> Result<(), Rejection> {
        let mut open = self.shares.get(unit).map(|share| share.items.clone()).unwrap_or_default();
        for result in results {
            if !open.remove(&result.item) {
                return Err(Rejection::ItemsDiffer { item: result.item.clone() });
            }
            check_finding(context, result, self.lines.get(&result.item).copied().unwrap_or(0))?;
        }
        open.into_iter().next().map_or(Ok(()), |item| Err(Rejection::ItemsDiffer { item }))
    }

    pub(in crate::visits) fn tell(&self, document: &Reference) -> Result<Vec<Event>, Rejection> {
        let visit = self.plan.visit;
        match self.phase {
            _ if self.told => Ok(vec![]),
            Phase::Reported { .. } => {
                let told = Event::EnterpriseTold { visit, document: document.clone() };
                let done = self.is_settled_but(&[], None);
                Ok([told].into_iter().chain(done.then_some(Event::VisitClosed { visit })).collect())
            }
            Phase::Planned
            | Phase::Approved
            | Phase::CheckedIn { .. }
            | Phase::CheckedOut { .. }
            | Phase::Closed { .. }
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Refused
            | Phase::Merged { .. } => Err(self.wrong_phase("reported")),
        }
    }

    /// The enterprise speaks of an item; whoever asked for it is meant, several units as one.
    pub(in crate::visits) fn report_rectification(
        &self,
        item: &ItemId,
        document: &Reference,
    ) -> Result<Vec<Event>, Rejection> {
        if !self.is_announced() {
            return Err(Rejection::VisitUnknown(self.plan.visit));
        }
        let open = || self.rectifications.iter().filter(|((_, of), _)| of == item);
        if open().next().is_none() {
            return Err(Rejection::NothingToRectify { item: item.clone() });
        }
        let new = open().filter(|(_, known)| known.reported.as_ref() != Some(document));
        let reported = new.map(|((unit, _), _)| Event::RectificationReported {
            visit: self.plan.visit,
            unit: unit.clone(),
            item: item.clone(),
            document: document.clone(),
        });
        Ok(reported.collect())
    }

    pub(in crate::visits) fn accept_rectification(
        &self,
        unit: &UnitId,
        item: &ItemId,
    ) -> Result<Vec<Event>, Rejection> {
        let key = (unit.clone(), item.clone());
        if self.rectifications.contains_key(&key) {
            return Ok(self.rectified(&[key], None));
        }
        let results = self.results.get(unit).into_iter().flatten();
        let mut asked = results.filter(|result| result.item == *item);
        if asked.any(|result| matches!(result.outcome, Outcome::RectifyBy(_))) {
            return Ok(vec![]);
        }
        Err(Rejection::NothingToRectify { item: item.clone() })
    }

    pub(in crate::visits) fn mark_overdue(
        &self,
        context: &Context<'_>,
        unit: &UnitId,
        item: &ItemId,
    ) -> Vec<Event> {
        let key = (unit.clone(), item.clone());
        match self.rectifications.get(&key) {
            Some(open) if !open.overdue && open.by < context.today() => {
                vec![Event::RectificationOverdue {
                    visit: self.plan.visit,
                    unit: unit.clone(),
                    item: item.clone(),
                    by: open.by,
                }]
            }
            Some(_) | None => vec![],
        }
    }

    /// What a recheck found in order.
    fn rechecked(&self, recheck: &Visit, unit: &UnitId, results: &[ItemResult]) -> Vec<Event> {
        let fine = |result: &&ItemResult| {
            matches!(result.outcome, Outcome::Pass | Outcome::CorrectedOnTheSpot)
        };
        let keys = results.iter().filter(fine).map(|result| (unit.clone(), result.item.clone()));
        let keys: Vec<_> = keys.filter(|key| self.rectifications.contains_key(key)).collect();
        self.rectified(&keys, Some(recheck.plan.visit))
    }

    /// Whether nothing is left to be rectified but that, and no approval to be made up but that unit's.
    pub(in crate::visits) fn is_settled_but(
        &self,
        rectified: &[(UnitId, ItemId)],
        approved: Option<&UnitId>,
    ) -> bool {
        let owner = approved.map(|unit| Owner::Unit(unit.clone()));
        let mut owed = self.clocks.iter().filter(|clock| clock.kind == ClockKind::Approval);
        self.rectifications.keys().all(|key| rectified.contains(key))
            && owed.all(|clock| owner.as_ref() == Some(&clock.owner))
    }

    fn rectified(&self, keys: &[(UnitId, ItemId)], recheck: Option<VisitId>) -> Vec<Event> {
        let visit = self.plan.visit;
        let accepted = keys.iter().map(|(unit, item)| Event::RectificationAccepted {
            visit,
            unit: unit.clone(),
            item: item.clone(),
            recheck,
        });
        let done = !keys.is_empty() && self.told && self.is_settled_but(keys, None);
        accepted.chain(done.then_some(Event::VisitClosed { visit })).collect()
    }
}

/// A finding names lines that there are, none where all is well, and a day to rectify by that is to come.
fn check_finding(context: &Context<'_>, result: &ItemResult, lines: u16) -> Result<(), Rejection> {
    let known = result.unmet.iter().all(|line| (1..=lines).contains(line));
    if !known || (result.outcome == Outcome::Pass && !result.unmet.is_empty()) {
        return Err(Rejection::ChecklistDiffers { item: result.item.clone(), lines });
    }
    let (from, until) = (context.today(), context.today().saturating_add(PLANNED_AHEAD_MAX.days()));
    match result.outcome {
        Outcome::RectifyBy(on) if !(from..=until).contains(&on) => {
            Err(Rejection::RectifyByOutOfRange { on, from, until })
        }
        Outcome::RectifyBy(_)
        | Outcome::Pass
        | Outcome::CorrectedOnTheSpot
        | Outcome::CaseFiled
        | Outcome::TransferredToPolice => Ok(()),
    }
}
