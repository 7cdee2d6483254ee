//! The steps of a clock: which there are, which were taken, and when they come.

use jiff::Timestamp;

use super::{Clock, ClockKind, Pause, Planned, Step, Terms};
use crate::{
    calendar::{Calendar, WorkingTime},
    cases::Escalation,
};

impl Clock {
    /// The first step that was not taken.
    #[must_use]
    pub fn next(&self) -> Option<&Planned> {
        self.steps.get(usize::from(self.taken))
    }

    /// The steps that were not taken although their time has come, oldest first.
    #[must_use]
    pub fn due_steps(&self, now: Timestamp) -> &[Planned] {
        let open = self.steps.get(usize::from(self.taken)..).unwrap_or_default();
        &open[..open.partition_point(|planned| planned.at <= now)]
    }

    /// The clock after its next `count` steps were taken; `due_steps` says how many may be.
    #[must_use]
    pub fn taken(&self, count: usize) -> Self {
        let taken = usize::from(self.taken).saturating_add(count).min(self.steps.len());
        Self { taken: u16::try_from(taken).unwrap_or(u16::MAX), ..self.clone() }
    }

    /// The steps that are due, and the clock after they were taken; none when none is due. While the
    /// thing is owed whoever owes it is reminded for as long as it is: at the end of the ladder its
    /// last step is planned once more, so many working days after now (see
    /// [`CaseType::repeat_days`](crate::cases::CaseType::repeat_days)).
    #[must_use]
    pub fn climbed(
        &self,
        now: Timestamp,
        repeat_days: Option<u16>,
        calendar: &Calendar,
    ) -> Option<(Vec<Step>, Self)> {
        let steps: Vec<Step> = self.due_steps(now).iter().map(|planned| planned.step).collect();
        if steps.is_empty() {
            return None;
        }
        let again = repeat_days.map(|days| calendar.later(now, days.max(1)));
        let clock = self.taken_until(steps.len(), again);
        Some((steps, clock))
    }

    /// The clock after its next `count` steps were taken; where none was planned after them its last
    /// one comes once more at that instant, if there is one.
    #[must_use]
    pub fn taken_until(&self, count: usize, again: Option<Timestamp>) -> Self {
        let mut clock = self.taken(count);
        let last = clock.steps.last().map(|planned| planned.step);
        if let (None, Some(at), Some(step)) = (clock.next(), again, last) {
            clock.steps.push(Planned { at, step });
        }
        clock
    }

    fn steps_taken(&self) -> impl DoubleEndedIterator<Item = &Planned> {
        self.steps.iter().take(usize::from(self.taken))
    }

    /// The level it has reached: the last of blue, yellow and red that was taken.
    #[must_use]
    pub fn level(&self) -> Option<Step> {
        let is_level = |step: &Step| matches!(step, Step::Blue | Step::Yellow | Step::Red);
        self.steps_taken().map(|planned| planned.step).rfind(is_level)
    }

    /// The last rung of the ladder that was taken.
    #[must_use]
    pub fn rung(&self) -> Option<Escalation> {
        self.steps_taken().rev().find_map(|planned| match planned.step {
            Step::Escalate(escalation) => Some(escalation),
            Step::Blue | Step::Yellow | Step::Red => None,
        })
    }

    /// The pause that lasts, if it stands still.
    #[must_use]
    pub fn pause_in_force(&self) -> Option<&Pause> {
        self.derivation.pauses.last().filter(|pause| pause.until.is_none())
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pause_in_force().is_some()
    }

    /// Whether its due instant has come. One that stands still is overdue if it was before.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due <= self.running_until(now)
    }

    /// Now, or the instant since which it stands still.
    pub(super) fn running_until(&self, now: Timestamp) -> Timestamp {
        self.pause_in_force().map_or(now, |pause| pause.since.min(now))
    }

    /// Where counting begins: with the business of the first working day after its start, or at
    /// once for an allowance of 0.
    pub(super) fn begin(&self, calendar: &Calendar) -> Timestamp {
        match self.working_days {
            0 => calendar.opening(self.start),
            _ => calendar.opening_after_day(self.start),
        }
    }

    /// The working time used by `now`, pauses left out.
    #[must_use]
    pub fn used(&self, now: Timestamp, calendar: &Calendar) -> WorkingTime {
        let begin = self.begin(calendar);
        let pauses = self.derivation.pauses.iter().map(|pause| {
            let until = pause.until.unwrap_or(now).min(now);
            calendar.working_time(pause.since.max(begin), until)
        });
        calendar.working_time(begin, now) - pauses.sum()
    }

    /// The working time left at `now`; nothing once it is overdue.
    #[must_use]
    pub fn left(&self, now: Timestamp, calendar: &Calendar) -> WorkingTime {
        match self.pause_in_force() {
            Some(pause) => pause.left,
            None => calendar.working_time(now.max(self.begin(calendar)), self.due),
        }
    }

    /// The instant by which so much of its working time is used.
    fn instant_of(&self, used: WorkingTime, calendar: &Calendar) -> Timestamp {
        let mut left = used;
        let mut from = self.begin(calendar);
        for pause in &self.derivation.pauses {
            let run = calendar.working_time(from, pause.since);
            if left <= run {
                break;
            }
            left -= run;
            from = from.max(pause.until.unwrap_or(pause.since));
        }
        calendar.after(from, left)
    }

    /// How many warnings come before red.
    pub(super) fn warnings(&self) -> u16 {
        if self.kind == ClockKind::Pause { 0 } else { 2 }
    }

    /// All its steps, with red at the given instant.
    pub(super) fn plan(&self, red: Timestamp, terms: Terms<'_>) -> Vec<Planned> {
        let red_step = Planned { at: red, step: Step::Red };
        if self.kind == ClockKind::Pause {
            return vec![red_step];
        }
        let calendar = terms.calendar.document;
        let allowance = match self.pause_in_force() {
            Some(pause) => self.used(pause.since, calendar) + pause.left,
            None => self.used(self.due, calendar),
        };
        let warnings = terms.warnings;
        let warning = |percent, step| {
            let at = self.instant_of(allowance.percent(percent), calendar);
            Planned { at, step }
        };
        let blue = warnings.blue_percent.min(warnings.yellow_percent);
        let mut steps = vec![
            warning(blue, Step::Blue),
            warning(warnings.yellow_percent, Step::Yellow),
            red_step,
        ];
        // The ladder stands still with the clock.
        let stood = self.derivation.pauses.iter().filter(|pause| pause.since >= red);
        let stood = stood.map(|pause| pause.length).sum();
        steps.extend(terms.ladder.iter().map(|rung| Planned {
            at: calendar.after(calendar.later(red, rung.after_working_days), stood),
            step: Step::Escalate(rung.escalation),
        }));
        steps
    }

    /// When red comes if nothing moves the clock: at the due instant, but never before the next
    /// second of working time, unless it was taken already.
    pub(super) fn red_at(&self, now: Timestamp, calendar: &Calendar) -> Timestamp {
        let taken = self.steps_taken().find(|planned| planned.step == Step::Red);
        match taken {
            Some(planned) => planned.at,
            None if self.due > now => self.due,
            None => calendar.after(now, WorkingTime::SECOND),
        }
    }
}
