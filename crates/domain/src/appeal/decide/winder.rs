//! Collects what a command does to the clocks of its case.

use jiff::Timestamp;

use crate::{
    appeal::{
        case::Case,
        matter::{ClockChange, Pinned},
    },
    calendar::cut,
    clock::{Clock, ClockId, ClockKind, Owner, Terms},
    decider::Context,
};

/// Starts, changes and stops clocks at one instant.
#[derive(Debug)]
pub(super) struct Winder<'a> {
    terms: Terms<'a>,
    last: ClockId,
    change: ClockChange,
}

impl<'a> Winder<'a> {
    /// For a case that has started clocks up to `last`.
    pub(super) fn new(context: &Context<'a>, pinned: &'a Pinned, last: ClockId) -> Self {
        let at = cut(context.now);
        Self {
            terms: pinned.case_type.terms(pinned.version, context.calendar),
            last,
            change: ClockChange { at, set: vec![], stopped: vec![] },
        }
    }

    /// For a known case.
    pub(super) fn of(context: &Context<'a>, case: &'a Case) -> Self {
        Self::new(context, &case.terms, case.clock_last)
    }

    pub(super) fn terms(&self) -> Terms<'a> {
        self.terms
    }

    pub(super) fn at(&self) -> Timestamp {
        self.change.at
    }

    pub(super) fn start(&mut self, kind: ClockKind, owner: Owner, working_days: u16) -> ClockId {
        self.last = ClockId(self.last.0 + 1);
        let at = self.change.at;
        let clock = Clock::start(self.last, kind, owner, working_days, at, self.terms);
        self.change.set.push(clock);
        self.last
    }

    pub(super) fn set(&mut self, clock: Clock) {
        self.change.set.push(clock);
    }

    pub(super) fn stop(&mut self, id: ClockId) {
        self.change.stopped.push(id);
    }

    /// Stops every clock of the case that `which` names.
    pub(super) fn stop_if(&mut self, case: &Case, which: impl Fn(&Clock) -> bool) {
        let named = case.clocks.values().filter(|clock| which(clock)).map(|clock| clock.id);
        self.change.stopped.extend(named);
    }

    pub(super) fn stop_kinds(&mut self, case: &Case, kinds: &[ClockKind]) {
        self.stop_if(case, |clock| kinds.contains(&clock.kind));
    }

    pub(super) fn stop_all(&mut self, case: &Case) {
        self.stop_if(case, |_| true);
    }

    /// The end of business so many working days after `since`.
    pub(super) fn working_days_after(&self, since: Timestamp, working_days: u16) -> Timestamp {
        let nobody = (ClockId(0), ClockKind::Pause, Owner::CityDesk);
        Clock::start(nobody.0, nobody.1, nobody.2, working_days, since, self.terms).due
    }

    pub(super) fn done(self) -> ClockChange {
        self.change
    }
}
