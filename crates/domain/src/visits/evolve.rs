//! What each event makes of what is known of the visits.

use jiff::{Timestamp, civil::Date};

use super::{
    CheckIn, Event, Irregularity, ItemResult, Outcome, Phase, Proof, Rectification, Share, Visit,
    Visits, state::Hold,
};
use crate::{
    FewSet,
    clock::{Clock, ClockKind},
    frequency::Party,
    ids::{ItemId, Reference, UnitId, VisitId},
};

/// Puts one more in, and makes room for no others.
fn put<T: Clone>(list: &mut Vec<T>, one: &T) {
    list.reserve_exact(1);
    list.push(one.clone());
}

impl Visits {
    pub(super) fn after(mut self, event: &Event) -> Self {
        match event {
            Event::VisitPlanned { plan, parties, fields, lines, .. } => {
                let (parties, fields) = (parties.clone(), fields.clone());
                self.insert(Visit::planned(plan.clone(), parties, fields, lines.clone()));
            }
            Event::VisitApproved { visit, unit } => {
                self.change(*visit, |known| known.note_approval(unit.as_ref()));
            }
            Event::VisitNotified { visit } => self.change(*visit, |known| known.notified = true),
            Event::VisitsMerged { visit, into, party, share, fields, lines, approved, .. } => {
                self.enter(*visit, Phase::Merged { into: *into });
                self.change(*into, |known| {
                    known.fields.extend(fields.clone());
                    known.lines.extend(lines.clone());
                    known.join(party, share, *approved);
                });
            }
            Event::UnitWithdrew { visit, unit, tell, .. } => {
                self.change(*visit, |known| known.leave_out(unit));
                tell.iter().for_each(|clock| self.started(*visit, clock));
            }
            Event::VisitCheckedIn { visit, check_in, irregularities, tell, counts_on } => {
                self.came(*visit, check_in, irregularities, *counts_on);
                tell.iter().for_each(|clock| self.started(*visit, clock));
            }
            Event::ApprovalOwed { visit, clock } => self.started(*visit, clock),
            Event::ScanSetAside { record, .. } => put(&mut self.set_aside, record),
            Event::CapExceeded { .. }
            | Event::VisitsExcessive { .. }
            | Event::RepeatVisits { .. } => {}
            Event::VisitCheckedOut { visit, occurred_at, .. } => {
                self.left(*visit, *occurred_at);
            }
            Event::ResultReported { visit, unit, results, tell } => {
                self.change(*visit, |known| known.found(unit.as_ref(), results));
                tell.iter().for_each(|clock| self.started(*visit, clock));
            }
            Event::EnterpriseTold { visit, .. } => self.change(*visit, Visit::note_told),
            Event::RectificationReported { visit, unit, item, document } => {
                self.change(*visit, |known| known.note_rectified(unit, item, document));
            }
            Event::RectificationAccepted { visit, unit, item, .. } => {
                let key = (unit.clone(), item.clone());
                self.change(*visit, |known| drop(known.rectifications.remove(&key)));
            }
            Event::RectificationOverdue { visit, unit, item, .. } => {
                self.change(*visit, |known| known.rectify(unit, item, |open| open.overdue = true));
            }
            Event::ClockStepsTaken { visit, clock, .. } => {
                self.change(*visit, |known| known.note_steps(clock));
            }
            Event::VisitClosed { visit } => {
                self.change(*visit, |known| known.since_check_in(|at| Phase::Closed { at }));
            }
            Event::VisitCancelled { visit, .. } => self.enter(*visit, Phase::Cancelled),
            Event::VisitRefused { visit, .. } => self.enter(*visit, Phase::Refused),
            Event::VisitExpired { visit } => self.enter(*visit, Phase::Expired),
            Event::VisitsHeld { visit, unit, appeal } => {
                let new = || Hold { visit: *visit, units: [].into(), lifted: false };
                self.holds.entry(*appeal).or_insert_with(new).units.insert(unit.clone());
            }
            Event::HoldLifted { appeal, .. } => {
                self.holds.entry(*appeal).and_modify(|hold| hold.lifted = true);
            }
            Event::OffSiteCheckRecorded { check, .. } => {
                self.off_site.insert(check.check, Box::new(check.clone()));
            }
        }
        self
    }

    fn insert(&mut self, visit: Visit) {
        self.visits.insert(visit.plan.visit, Box::new(visit));
    }

    fn change(&mut self, visit: VisitId, change: impl FnOnce(&mut Visit)) {
        if let Some(known) = self.visits.get_mut(&visit) {
            change(known);
        }
    }

    fn enter(&mut self, visit: VisitId, phase: Phase) {
        self.change(visit, |known| known.phase = phase);
    }

    fn started(&mut self, visit: VisitId, clock: &Clock) {
        self.clock_last = self.clock_last.max(clock.id.0);
        self.change(visit, |known| put(&mut known.clocks, clock));
    }

    fn left(&mut self, visit: VisitId, occurred_at: Timestamp) {
        self.change(visit, |known| {
            known.left_at = Some(occurred_at);
            known.since_check_in(|at| Phase::CheckedOut { at });
        });
    }

    fn came(
        &mut self,
        visit: VisitId,
        scan: &CheckIn,
        irregularities: &FewSet<Irregularity>,
        counts_on: Option<Date>,
    ) {
        if let Proof::RotatingCode { code } | Proof::TaskCode { code } = scan.proof {
            self.codes_used.insert(code);
        }
        self.change(visit, |known| {
            known.arrival = Some((scan.clone(), irregularities.clone()));
            known.phase = Phase::CheckedIn { at: scan.occurred_at };
            known.counts_on = counts_on;
        });
    }
}

impl Visit {
    fn note_approval(&mut self, unit: Option<&UnitId>) {
        let unit = unit.unwrap_or(&self.plan.unit).clone();
        self.owes_no_approval(&unit);
        self.approvals.insert(unit);
        self.weigh_approvals();
    }

    fn note_told(&mut self) {
        self.told = true;
        self.stop(|clock| clock.kind == ClockKind::Tell);
    }

    fn note_steps(&mut self, clock: &Clock) {
        let same = self.clocks.iter_mut().filter(|open| open.id == clock.id);
        same.for_each(|open| *open = clock.clone());
    }

    fn join(&mut self, party: &Party, share: &Share, approved: bool) {
        self.parties.push(party.clone());
        self.withdrawn.remove(&party.unit);
        self.shares.insert(party.unit.clone(), share.clone());
        if approved {
            self.approvals.insert(party.unit.clone());
        }
        self.weigh_approvals();
    }

    fn since_check_in(&mut self, phase: impl FnOnce(Timestamp) -> Phase) {
        if let Some(at) = self.checked_in_at() {
            self.phase = phase(at);
        }
    }

    fn found(&mut self, unit: Option<&UnitId>, results: &[ItemResult]) {
        let unit = unit.unwrap_or(&self.plan.unit).clone();
        for result in results {
            if let Outcome::RectifyBy(by) = result.outcome {
                let open = Rectification { by, reported: None, overdue: false };
                self.rectifications.insert((unit.clone(), result.item.clone()), open);
            }
        }
        self.results.insert(unit, results.to_vec());
        self.weigh_results();
    }

    /// Reported once each unit that takes part has.
    pub(super) fn weigh_results(&mut self) {
        let all = self.shares.keys().all(|unit| self.results.contains_key(unit));
        if all && !self.results.is_empty() {
            self.since_check_in(|at| Phase::Reported { at });
        }
    }

    fn note_rectified(&mut self, unit: &UnitId, item: &ItemId, document: &Reference) {
        self.rectify(unit, item, |open| open.reported = Some(document.clone()));
    }

    fn rectify(&mut self, unit: &UnitId, item: &ItemId, change: impl FnOnce(&mut Rectification)) {
        if let Some(open) = self.rectifications.get_mut(&(unit.clone(), item.clone())) {
            change(open);
        }
    }
}
