//! The time ledger (时间账): which unit had an appeal in which phase for how long. Its entries follow
//! each other without a gap, so their working time sums exactly to the age of the case.

use jiff::Timestamp;

use super::case::PhaseName;
use crate::{
    calendar::{Calendar, WorkingTime},
    clock::Owner,
};

/// A time during which one party had the case in one phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Since when; until the next segment, or until the case was closed.
    pub since: Timestamp,
    /// Who had it; none for the enterprise and for nobody.
    pub holder: Option<Owner>,
    /// In which phase.
    pub phase: PhaseName,
    /// To whom the time is booked, where it is not the holder: who caused it to be lost.
    pub booked_to: Option<Owner>,
}

/// The segments of a case, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    segments: Vec<Segment>,
    until: Option<Timestamp>,
}

impl Ledger {
    /// Notes who has the case from `at` on.
    pub(super) fn turn(&mut self, at: Timestamp, holder: Option<Owner>, phase: PhaseName) {
        // A clock that was set back must not make a segment of negative length.
        let at = self.segments.last().map_or(at, |last| at.max(last.since));
        self.until = None;
        if self.segments.last().is_some_and(|l| l.holder == holder && l.phase == phase) {
            return;
        }
        self.segments.push(Segment { since: at, holder, phase, booked_to: None });
    }

    /// Nobody has it any more.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.until = Some(self.segments.last().map_or(at, |last| at.max(last.since)));
    }

    /// Books the last segments that satisfy `lost`, without a gap from the end, to `owner`.
    pub(super) fn book(&mut self, owner: &Option<Owner>, lost: impl Fn(&Segment) -> bool) {
        for segment in self.segments.iter_mut().rev().take_while(|segment| lost(segment)) {
            segment.booked_to.clone_from(owner);
        }
    }

    /// The segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Each segment with its working time, as it stands at `now`.
    #[must_use]
    pub fn spent(&self, calendar: &Calendar, now: Timestamp) -> Vec<(&Segment, WorkingTime)> {
        let end = self.until.unwrap_or(now);
        let ends = self.segments.iter().skip(1).map(|next| next.since).chain([end]);
        let spent = |(segment, until): (_, Timestamp)| {
            let segment: &Segment = segment;
            (segment, calendar.working_time(segment.since, until))
        };
        self.segments.iter().zip(ends).map(spent).collect()
    }

    /// The working time from submission to the close, or to `now`.
    #[must_use]
    pub fn age(&self, calendar: &Calendar, now: Timestamp) -> WorkingTime {
        match self.segments.first() {
            Some(first) => calendar.working_time(first.since, self.until.unwrap_or(now)),
            None => WorkingTime::ZERO,
        }
    }
}
