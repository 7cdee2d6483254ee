//! What is wrong with a frequency policy, told before it is published.

use jiff::civil::Date;

use super::{
    Counting, DaysOfMonth, Floor, FrequencyPolicy, Ground, OnExceeding, Rule, Subject, VisitTerms,
    Window,
};
use crate::{cases::Warnings, ids::RuleId};

/// The longest rolling window, in days.
const ROLLING_MAX: u16 = 3660;
/// The longest floor, in years.
const YEARS_MAX: u8 = 10;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrequencyProblem {
    /// There is no rule.
    #[error("the frequency policy has no rule")]
    NoRules,
    /// An id is used twice.
    #[error("the frequency policy lists the rule {0} twice")]
    RuleTwice(RuleId),
    /// A rule ends before it begins.
    #[error("the rule {0} ends before it begins")]
    ValidityReversed(RuleId),
    /// A rolling window or the years of a floor are out of range.
    #[error("the span of the rule {0} must be 1 to {ROLLING_MAX} days or 1 to {YEARS_MAX} years")]
    Span(RuleId),
    /// Days of a month that are none.
    #[error("the days of the month of the rule {0} must be 1 to 31, the first not after the last")]
    DaysOfMonth(RuleId),
    /// A floor of nothing.
    #[error("the minimum of the rule {0} must be at least 1")]
    MinimumZero(RuleId),
    /// Every ground that it is about is exempt.
    #[error("the rule {0} counts nothing: every ground that it is about is exempt")]
    CountsNothing(RuleId),
    /// Two rules say different things about the same visits.
    #[error("the rules {0} and {1} say different things about the same visits")]
    Contradiction(RuleId, RuleId),
    /// The floor cannot be reached within the limit.
    #[error("the rule {floor} asks for more visits than the rule {cap} allows")]
    FloorAboveCap {
        /// The floor.
        floor: RuleId,
        /// The limit.
        cap: RuleId,
    },
    /// What is plainly too many would be nothing out of the ordinary.
    #[error("an excess needs a multiple of at least 1, and at least 2 visits within 1 to 366 days")]
    Excess,
    /// What a visit is held to is out of range.
    #[error(
        "a visit's terms allow at most 60 working days, 366 calendar days and 1 to 100000 metres, and \
         warn at 1 to 100 percent, blue not after yellow"
    )]
    VisitTerms,
}

impl FrequencyPolicy {
    /// Everything that is wrong with the policy; empty when it is sound.
    #[must_use]
    pub fn problems(&self) -> Vec<FrequencyProblem> {
        let mut problems = Vec::new();
        if self.rules.is_empty() {
            problems.push(FrequencyProblem::NoRules);
        }
        let ids = self.rules.iter().map(|rule| &rule.id);
        let ids: Vec<&RuleId> = ids.chain(self.floors.iter().map(|floor| &floor.id)).collect();
        for (at, id) in ids.iter().enumerate() {
            if ids[..at].contains(id) {
                problems.push(FrequencyProblem::RuleTwice((*id).clone()));
            }
        }
        self.rules.iter().for_each(|rule| problems.extend(of_rule(rule)));
        self.floors.iter().for_each(|floor| problems.extend(of_floor(floor)));
        problems.extend(self.contradictions());
        let excess = self.excess;
        if excess.multiple == 0 || excess.visits < 2 || !(1..=366).contains(&excess.days) {
            problems.push(FrequencyProblem::Excess);
        }
        if !self.visits.is_sound() {
            problems.push(FrequencyProblem::VisitTerms);
        }
        problems
    }

    fn contradictions(&self) -> Vec<FrequencyProblem> {
        let mut found = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            for earlier in self.rules[..at].iter().filter(|earlier| contradicts(earlier, rule)) {
                let (one, two) = (earlier.id.clone(), rule.id.clone());
                found.push(FrequencyProblem::Contradiction(one, two));
            }
            for floor in self.floors.iter().filter(|floor| out_of_reach(floor, rule)) {
                let (floor, cap) = (floor.id.clone(), rule.id.clone());
                found.push(FrequencyProblem::FloorAboveCap { floor, cap });
            }
        }
        found
    }
}

impl VisitTerms {
    fn is_sound(&self) -> bool {
        let Warnings { blue_percent: blue, yellow_percent: yellow } = self.warnings;
        self.approval_days.max(self.tell_days) <= 60
            && self.backfill_days.max(self.near_days) <= 366
            && (1..=100_000).contains(&self.place_metres)
            && (1..=100).contains(&yellow)
            && (1..=yellow).contains(&blue)
    }
}

fn of_rule(rule: &Rule) -> Vec<FrequencyProblem> {
    let id = || rule.id.clone();
    let sound = |days: DaysOfMonth| 1 <= days.from && days.from <= days.until && days.until <= 31;
    let spans = match rule.window {
        Window::Rolling(days) => (1..=ROLLING_MAX).contains(&days),
        Window::CalendarYear | Window::CalendarMonth | Window::IsoWeek | Window::Day => true,
    };
    let checks = [
        (reversed(rule.valid_from, rule.valid_until), FrequencyProblem::ValidityReversed(id())),
        (!spans, FrequencyProblem::Span(id())),
        (rule.days_of_month.is_some_and(|days| !sound(days)), FrequencyProblem::DaysOfMonth(id())),
        (
            !Ground::ALL.into_iter().any(|ground| rule.counts(ground)),
            FrequencyProblem::CountsNothing(id()),
        ),
    ];
    checks.into_iter().filter_map(|(wrong, problem)| wrong.then_some(problem)).collect()
}

fn of_floor(floor: &Floor) -> Vec<FrequencyProblem> {
    let id = || floor.id.clone();
    let checks = [
        (reversed(floor.valid_from, floor.valid_until), FrequencyProblem::ValidityReversed(id())),
        (!(1..=YEARS_MAX).contains(&floor.years), FrequencyProblem::Span(id())),
        (floor.minimum == 0, FrequencyProblem::MinimumZero(id())),
    ];
    checks.into_iter().filter_map(|(wrong, problem)| wrong.then_some(problem)).collect()
}

fn reversed(from: Date, until: Option<Date>) -> bool {
    until.is_some_and(|until| until < from)
}

/// Whether two rules are about the very same visits at the same time and differ in what they allow.
fn contradicts(one: &Rule, two: &Rule) -> bool {
    let scope = |rule: &Rule| {
        let counted: Vec<Ground> =
            Ground::ALL.into_iter().filter(|ground| rule.counts(*ground)).collect();
        let about = (rule.enterprises.clone(), rule.items.clone(), rule.fields.clone());
        (rule.subject, rule.window, rule.days_of_month, rule.counting, rule.joint, counted, about)
    };
    let allow = |rule: &Rule| (rule.maximum, rule.on_exceeding);
    // A rule that warns below one that refuses is no contradiction: it is the earlier word.
    let graded = (one.maximum < two.maximum && one.on_exceeding < two.on_exceeding)
        || (two.maximum < one.maximum && two.on_exceeding < one.on_exceeding);
    scope(one) == scope(two)
        && meet((one.valid_from, one.valid_until), (two.valid_from, two.valid_until))
        && allow(one) != allow(two)
        && !graded
}

/// Whether a limit on all units leaves less room than a floor asks for.
fn out_of_reach(floor: &Floor, rule: &Rule) -> bool {
    let years = u32::from(floor.years.max(1));
    let windows = match rule.window {
        Window::CalendarYear => years,
        Window::Rolling(days) => (years * 366).div_ceil(u32::from(days.max(1))),
        Window::CalendarMonth => years * 12,
        Window::IsoWeek => years * 53,
        Window::Day => years * 366,
    };
    let about = |ground: &Ground| floor.grounds.is_empty() || floor.grounds.contains(ground);
    let counted = Ground::ALL.into_iter().filter(about).all(|ground| rule.counts(ground));
    counted
        && rule.subject == Subject::AllUnits
        && rule.on_exceeding == OnExceeding::Refuse
        && rule.days_of_month.is_none()
        && rule.items.is_empty()
        && rule.fields.is_empty()
        && rule.counting == Counting::All
        && rule.enterprises.may_share(&floor.enterprises)
        && meet((floor.valid_from, floor.valid_until), (rule.valid_from, rule.valid_until))
        && rule.maximum.saturating_mul(windows) < floor.minimum
}

fn meet(one: (Date, Option<Date>), two: (Date, Option<Date>)) -> bool {
    one.1.is_none_or(|until| two.0 <= until) && two.1.is_none_or(|until| one.0 <= until)
}
