//! What starts and moves a clock. Everything else (a comment, an edit, a reading) calls nothing here.
//!
//! Movements are counted by the calendar in force when they happen; what was promised before stays.

use jiff::{Timestamp, ToSpan, civil::Date};

use super::{
    Clock, ClockId, ClockKind, Derivation, Extension, Owner, Pause, PauseGround, Stretch, Terms,
};
use crate::{
    calendar::{Calendar, DayKind, WorkingTime, civil_date, cut},
    ids::Reference,
};

impl Clock {
    /// Starts a clock of so many working days, counted from the day after `now` and due at the end
    /// of business of the last. With 0 working days it is due at the end of business of the same
    /// day, or of the next working day when no work is left that day.
    ///
    /// The warnings come when their share of the allowance's working time is used, red at the due
    /// instant, each rung of the ladder so many working days after it at the same time of day. The
    /// bound of a pause has only red.
    #[must_use]
    pub fn start(
        id: ClockId,
        kind: ClockKind,
        owner: Owner,
        working_days: u16,
        now: Timestamp,
        terms: Terms<'_>,
    ) -> Self {
        let start = cut(now);
        let clock = Self {
            id,
            kind,
            owner,
            start,
            working_days,
            due: terms.calendar.document.end_of_count(start, working_days),
            steps: vec![],
            taken: 0,
            derivation: Derivation {
                terms_version: terms.version,
                calendar_version: terms.calendar.version,
                provisional: false,
                exceptions: vec![],
                pauses: vec![],
                extensions: vec![],
            },
        };
        clock.derived(terms).planned(start, terms)
    }

    /// The clock standing still since `now`. One that stands still already stays as it is.
    #[must_use]
    pub fn pause(
        &self,
        now: Timestamp,
        ground: PauseGround,
        reference: Reference,
        terms: Terms<'_>,
    ) -> Self {
        let mut clock = self.clone();
        if self.is_paused() {
            return clock;
        }
        let since = cut(now);
        let left = self.left(since, terms.calendar.document);
        let length = WorkingTime::ZERO;
        clock.derivation.pauses.push(Pause { ground, reference, since, until: None, left, length });
        clock.steps.truncate(usize::from(clock.taken));
        clock
    }

    /// The clock running again since `now`, due once the working time that was left has passed. The
    /// steps not taken move with it, the others stay. One that was overdue before it was paused
    /// keeps its due instant, and only its ladder moves. One that runs stays as it is.
    #[must_use]
    pub fn resume(&self, now: Timestamp, terms: Terms<'_>) -> Self {
        let mut clock = self.clone();
        let calendar = terms.calendar.document;
        let begin = self.begin(calendar);
        let Some(pause) = clock.derivation.pauses.last_mut().filter(|pause| pause.until.is_none())
        else {
            return clock;
        };
        let until = cut(now).max(pause.since);
        pause.until = Some(until);
        pause.length = calendar.working_time(pause.since.max(begin), until);
        if pause.left > WorkingTime::ZERO {
            clock.due = calendar.after(until.max(begin), pause.left);
        }
        clock.derived(terms).planned(until, terms)
    }

    /// The clock with so many working days granted on top: due at the same time of day so much
    /// later. The warnings not taken are planned by the share of the longer allowance, those taken
    /// stay. If it was overdue and is not any more, red and the ladder come again.
    #[must_use]
    pub fn extend(&self, now: Timestamp, working_days: u16, terms: Terms<'_>) -> Self {
        let mut clock = self.clone();
        let calendar = terms.calendar.document;
        let now = cut(now);
        clock.due = calendar.later(self.due, working_days);
        clock.derivation.extensions.push(Extension { at: now, working_days });
        if let Some(pause) = clock.derivation.pauses.last_mut().filter(|p| p.until.is_none()) {
            pause.left += calendar.working_time(pause.since.max(self.due), clock.due);
        }
        if !clock.is_overdue(now) {
            clock.taken = clock.taken.min(self.warnings());
        }
        clock.derived(terms).planned(now, terms)
    }

    /// The clock as if it had been started with another allowance, with its pauses and extensions. What
    /// it promised when it had that allowance before stands, with its derivation, where that was
    /// earlier and nothing but the allowance moved it since.
    ///
    /// Warnings whose time is past by then count as taken: none comes as a surprise. Those still
    /// ahead come, also if their like was taken before. A clock that becomes overdue by it turns red
    /// with the next second of working time, and its ladder counts from there; one that was red and
    /// is overdue still goes on climbing as planned.
    #[must_use]
    pub fn reclassify(
        &self,
        now: Timestamp,
        working_days: u16,
        before: Option<&Self>,
        terms: Terms<'_>,
    ) -> Self {
        let now = cut(now);
        let was_red = self.taken > self.warnings();
        let mut clock = self.under(working_days, terms);
        let stands = |known: &&Self| known.promised_as(&clock) && known.due < clock.due;
        if let Some(known) = before.filter(stands) {
            clock = Self { due: known.due, derivation: known.derivation.clone(), ..clock };
        }
        let overdue = clock.is_overdue(now);
        if overdue && was_red {
            return clock;
        }
        let clock = Self { steps: vec![], taken: 0, ..clock };
        let running_until = clock.running_until(now);
        let mut steps = clock.plan(clock.red_at(running_until, terms.calendar.document), terms);
        let warnings = usize::from(clock.warnings());
        let past = steps[..warnings].iter().filter(|s| overdue || s.at <= running_until).count();
        if clock.is_paused() {
            steps.truncate(past);
        }
        Self { steps, ..clock }.taken(past)
    }

    /// The clock under another version of the calendar, where that is in the enterprise's favour:
    /// due earlier than promised, and not in the past. Otherwise none: the promise stays. None also
    /// while it stands still, for then no due instant is promised.
    #[must_use]
    pub fn recomputed(&self, now: Timestamp, terms: Terms<'_>) -> Option<Self> {
        let now = cut(now);
        if self.is_paused() {
            return None;
        }
        let clock = self.under(self.working_days, terms);
        (now < clock.due && clock.due < self.due).then(|| clock.planned(now, terms))
    }

    /// The clock with another allowance or under another calendar since its start: due as its pauses and
    /// extensions then have it. Its steps stay as they were planned.
    #[must_use]
    pub(crate) fn under(&self, working_days: u16, terms: Terms<'_>) -> Self {
        Self { working_days, ..self.clone() }.replayed(terms)
    }

    /// Whether it is the same clock with the same allowance, stood still at the same instants and was
    /// given the same time on top.
    fn promised_as(&self, other: &Self) -> bool {
        let stood = |clock: &Self| {
            let pauses = &clock.derivation.pauses;
            pauses.iter().map(|pause| (pause.since, pause.until)).collect::<Vec<_>>()
        };
        (self.id, self.working_days) == (other.id, other.working_days)
            && self.derivation.extensions == other.derivation.extensions
            && stood(self) == stood(other)
    }

    /// Derives the due instant anew from start, allowance, pauses and extensions, in their order in
    /// time; an extension granted at the instant of a resumption counts as granted before it.
    fn replayed(mut self, terms: Terms<'_>) -> Self {
        let calendar = terms.calendar.document;
        let begin = self.begin(calendar);
        let mut due = calendar.end_of_count(self.start, self.working_days);
        let mut extensions = self.derivation.extensions.iter().peekable();
        for pause in &mut self.derivation.pauses {
            let during = |extension: &&Extension| pause.until.is_none_or(|u| extension.at <= u);
            while let Some(extension) = extensions.next_if(during) {
                due = calendar.later(due, extension.working_days);
            }
            pause.left = calendar.working_time(pause.since.max(begin), due);
            let Some(until) = pause.until else { continue };
            pause.length = calendar.working_time(pause.since.max(begin), until);
            if pause.left > WorkingTime::ZERO {
                due = calendar.after(until.max(begin), pause.left);
            }
        }
        for extension in extensions {
            due = calendar.later(due, extension.working_days);
        }
        self.due = due;
        self.derivation.terms_version = terms.version;
        self.derived(terms)
    }

    /// Records by which calendar the due instant was derived and what it says of the days.
    fn derived(mut self, terms: Terms<'_>) -> Self {
        let calendar = terms.calendar.document;
        let after = civil_date(self.start).saturating_add(1.day());
        let first = after.min(civil_date(self.begin(calendar)));
        let last = civil_date(self.due);
        self.derivation.calendar_version = terms.calendar.version;
        self.derivation.provisional = calendar.is_provisional(first, last);
        self.derivation.exceptions = stretches(calendar, first, last);
        self
    }

    /// Plans the steps not taken; none while it stands still.
    fn planned(mut self, now: Timestamp, terms: Terms<'_>) -> Self {
        let taken = usize::from(self.taken);
        let red = self.red_at(self.running_until(now), terms.calendar.document);
        self.steps.truncate(taken);
        if self.is_paused() {
            return self;
        }
        let mut latest = self.steps.last().map_or(self.start, |planned| planned.at);
        for mut planned in self.plan(red, terms).into_iter().skip(taken) {
            latest = latest.max(planned.at);
            planned.at = latest;
            self.steps.push(planned);
        }
        self
    }
}

/// The exceptions from `first` to `last`; holidays that only a weekend parts are one stretch.
fn stretches(calendar: &Calendar, first: Date, last: Date) -> Vec<Stretch> {
    let begin = calendar.exceptions.partition_point(|exception| exception.date < first);
    let mut stretches: Vec<Stretch> = Vec::new();
    for exception in calendar.exceptions[begin..].iter().take_while(|e| e.date <= last) {
        let joins = |stretch: &&mut Stretch| {
            let mut between = stretch.to.saturating_add(1.day());
            while between < exception.date && !calendar.is_workday(between) {
                between = between.saturating_add(1.day());
            }
            exception.kind == DayKind::Holiday
                && stretch.kind == DayKind::Holiday
                && stretch.name == exception.name
                && between == exception.date
        };
        match stretches.last_mut().filter(joins) {
            Some(stretch) => stretch.to = exception.date,
            None => stretches.push(Stretch {
                from: exception.date,
                to: exception.date,
                kind: exception.kind,
                name: exception.name.clone(),
            }),
        }
    }
    stretches
}
