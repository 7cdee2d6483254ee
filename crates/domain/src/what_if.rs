//! What if another document had been in force: the decisions that the log records, taken once more.
//!
//! Fed the log's commits in order, it takes each decision again under a candidate in place of the
//! document that was published then, with the function that decides, and reports where that
//! comes out otherwise. One decision at a time: whatever the candidate would have refused stays in
//! the ledger as it happened, for nobody knows what a unit would have done instead. So a limit that
//! is passed once more by each further visit is counted for each of them.
//!
//! The log holds no refusals. What the candidate would allow that was refused is therefore unknown; what it
//! would ease is known of visits that were marked, justified, or overshot a limit at the door.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use crate::{
    appeal::{self, Confidentiality},
    calendar::civil_date,
    clock::ClockKind,
    enterprise,
    frequency::Ground,
    ids::{
        AppealId, AreaCode, CaseTypeId, ClassId, EnterpriseId, RuleId, TopicId, UnitId, VisitId,
    },
    policy::{self, Document, PolicyName, Problem},
    visits,
};

mod deadlines;
mod limits;
mod routes;
mod versions;

use deadlines::Deadlines;
use limits::Limits;
use routes::Routes;

/// The most examples of one change that a report names: the first ones of the log.
pub const EXAMPLES_MAX: usize = 10;

/// How a decision comes out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A visit that was planned would have been refused by a limit.
    Refused,
    /// A visit that was planned would have been refused for want of an explanation or an approval.
    Unjustified,
    /// A visit that was planned would have been refused for want of evidence for its ground.
    Unevidenced,
    /// A visit that was planned would have passed with a mark or with the justification that it
    /// carried, and a milder word or none was said.
    Stricter,
    /// A visit that was planned with a mark or a justification would have passed with a milder word or none.
    Milder,
    /// A visit that took place would have overshot a limit at the door, and did not.
    Overshot,
    /// A visit that overshot a limit at the door would not have.
    Within,
    /// An appeal would have gone to another unit.
    Rerouted,
    /// An appeal for which the rules named a unit would have found none, and the guarantee taken it.
    Ownerless,
    /// An appeal for which the rules named nobody would have found a unit.
    Owned,
    /// A deadline that was kept would have been missed.
    Missed,
    /// A deadline that was missed would have been kept.
    Kept,
    /// A deadline would have been earlier, and be kept or missed all the same.
    Earlier,
    /// A deadline would have been later, and be kept or missed all the same.
    Later,
}

/// By what changes are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The rule of a frequency policy that makes the difference: of the candidate where it is stricter,
    /// else of the policy that was in force.
    Rule(RuleId),
    /// The unit that leads the visit, or owes what the deadline is about; none for the city desk where no routing
    /// table named one.
    Unit(Option<UnitId>),
    /// The area; none where it was not known.
    Area(Option<AreaCode>),
    /// The visit's ground.
    Ground(Ground),
    /// The topic of an appeal.
    Topic(TopicId),
    /// From which unit to which an appeal would move.
    Move {
        /// Where the rules in force sent it.
        from: UnitId,
        /// Where the candidate would send it.
        to: UnitId,
    },
    /// What was owed.
    Owed(ClockKind),
    /// The case type and class of the appeal whose resolution was owed.
    Class(CaseTypeId, ClassId),
}

/// What a change was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// A visit.
    Visit(VisitId),
    /// An appeal.
    Appeal(AppealId),
}

/// What the candidate changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many decisions were taken again: visits, appeals or deadlines.
    pub compared: u64,
    /// How many could not be, because what decided on them is not in the log or means nothing to the candidate.
    pub skipped: u64,
    /// How many come out otherwise, each under one change.
    pub changes: BTreeMap<Change, u64>,
    /// The same by rule, unit, area and the like. What has several rules counts for each.
    pub counts: BTreeMap<(Change, Key), u64>,
    /// Some of them, at most [`EXAMPLES_MAX`] for each change.
    pub examples: BTreeMap<Change, Vec<(EnterpriseId, Instance)>>,
    /// The candidate's limits that applied to no visit at all, mostly since they hold on other days.
    pub idle: BTreeSet<RuleId>,
    /// How many commits could not be read and were passed over.
    pub unreadable: u64,
}

impl Report {
    fn note(
        &mut self,
        change: Change,
        (enterprise, instance): (&EnterpriseId, Instance),
        keys: impl IntoIterator<Item = Key>,
    ) {
        *self.changes.entry(change).or_default() += 1;
        for key in keys {
            *self.counts.entry((change, key)).or_default() += 1;
        }
        let examples = self.examples.entry(change).or_default();
        if examples.len() < EXAMPLES_MAX {
            examples.push((enterprise.clone(), instance));
        }
    }
}

/// Which decisions are taken again: those of these days in Asia/Shanghai. A visit lies on the day on which it
/// was planned or its scan became known, an appeal on the day of its submission, a deadline on the day
/// its clock started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// The first day; none from the beginning.
    pub from: Option<Date>,
    /// The last day; none to the end.
    pub until: Option<Date>,
}

impl Days {
    fn hold(&self, at: Timestamp) -> bool {
        let day = civil_date(at);
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// Whose matter a decision is: what a reader's scope is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// The enterprise.
    pub enterprise: &'a EnterpriseId,
    /// The unit that leads.
    pub unit: Option<&'a UnitId>,
    /// The area.
    pub area: Option<&'a AreaCode>,
    /// Who may know of it.
    pub confidentiality: Confidentiality,
}

/// Says which matters a reader may count.
pub type Sees = Box<dyn Fn(&Matter<'_>) -> bool + Send>;

/// Why a document cannot be tried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untried {
    /// Inspection catalogues are no rules that decisions can be taken by again.
    #[error("an inspection catalogue cannot be tried out on the log")]
    Catalogue,
    /// The document is not sound.
    #[error("the document has {} problem(s)", .0.len())]
    Unsound(Vec<Problem>),
}

/// What one commit says, of the streams that are read at all.
#[derive(Debug)]
pub enum Told {
    /// Of an enterprise.
    Profile(EnterpriseId, Vec<enterprise::Event>),
    /// Of the visits to an enterprise.
    Visits(EnterpriseId, Vec<visits::Event>),
    /// Of an appeal.
    Appeal(EnterpriseId, AppealId, Vec<appeal::Event>),
    /// Of the document that the candidate stands in for, or of the work calendar.
    Policy(Vec<policy::Event>),
}

/// A candidate document on its way through the log.
pub struct WhatIf {
    days: Days,
    sees: Sees,
    fold: Fold,
    report: Report,
}

enum Fold {
    Limits(Box<Limits>),
    Routes(Box<Routes>),
    Deadlines(Box<Deadlines>),
}

/// What every decision is looked at with.
struct Look<'a> {
    recorded_at: Timestamp,
    days: Days,
    sees: &'a Sees,
    report: &'a mut Report,
}

impl WhatIf {
    /// Tries `candidate` on the decisions of those days that `sees` lets pass.
    ///
    /// # Errors
    /// [`Untried`] for a document that could not be published, and for a catalogue.
    pub fn new(candidate: Document, days: Days, sees: Sees) -> Result<Self, Untried> {
        let problems = candidate.problems();
        if !problems.is_empty() {
            return Err(Untried::Unsound(problems));
        }
        let fold = match candidate {
            Document::Frequency(policy) => Fold::Limits(Box::new(Limits::under(policy))),
            Document::Routing(table) => Fold::Routes(Box::new(Routes::under(table))),
            Document::CaseTypes(types) => Fold::Deadlines(Box::new(Deadlines::of_types(types))),
            Document::Calendar(calendar) => Fold::Deadlines(Box::new(Deadlines::by(calendar))),
            Document::Catalogue(_) => return Err(Untried::Catalogue),
        };
        Ok(Self { days, sees, fold, report: Report::default() })
    }

    /// Whether it reads the streams of that kind, and of documents the one of that name.
    #[must_use]
    pub fn reads(&self, kind: &str, id: Option<&str>) -> bool {
        use crate::Decider;
        let is = |name: PolicyName| kind == policy::Policy::KIND && id == Some(&name.to_string());
        match &self.fold {
            Fold::Limits(_) => {
                kind == enterprise::Profile::KIND
                    || kind == visits::Visits::KIND
                    || is(PolicyName::Frequency)
            }
            Fold::Routes(_) => kind == appeal::Appeal::KIND || is(PolicyName::Routing),
            Fold::Deadlines(_) => kind == appeal::Appeal::KIND || is(PolicyName::Calendar),
        }
    }

    /// Whether an event of that name can matter; what cannot, need not be decoded.
    #[must_use]
    pub fn wants(&self, kind: &str, name: &str) -> bool {
        use crate::Decider;
        match &self.fold {
            Fold::Limits(_) => kind != visits::Visits::KIND || Limits::wants(name),
            Fold::Routes(_) => kind != appeal::Appeal::KIND || name == routes::SUBMITTED,
            Fold::Deadlines(_) => kind != appeal::Appeal::KIND || Deadlines::wants(name),
        }
    }

    /// Takes in the next commit of a stream that it reads.
    pub fn take(&mut self, recorded_at: Timestamp, told: Told) {
        let Self { days, sees, fold, report } = self;
        let look = &mut Look { recorded_at, days: *days, sees, report };
        match (fold, told) {
            (Fold::Limits(limits), Told::Profile(of, events)) => limits.profile(&of, &events),
            (Fold::Limits(limits), Told::Visits(of, events)) => limits.visits(look, &of, &events),
            (Fold::Limits(limits), Told::Policy(events)) => limits.published(&events),
            (Fold::Routes(routes), Told::Appeal(of, id, events)) => {
                routes.appeal(look, &of, id, &events);
            }
            (Fold::Routes(routes), Told::Policy(events)) => routes.published(&events),
            (Fold::Deadlines(deadlines), Told::Appeal(of, id, events)) => {
                deadlines.appeal(look, &of, id, events);
            }
            (Fold::Deadlines(deadlines), Told::Policy(events)) => deadlines.published(&events),
            // It reads no such stream.
            (Fold::Limits(_), Told::Appeal(..))
            | (Fold::Routes(_) | Fold::Deadlines(_), Told::Profile(..) | Told::Visits(..)) => {}
        }
    }

    /// Notes a commit that cannot be read.
    pub fn pass_over(&mut self) {
        self.report.unreadable += 1;
    }

    /// What came of it. Deadlines that still run count as kept until `now`.
    #[must_use]
    pub fn report(self, now: Timestamp) -> Report {
        let Self { days, sees, fold, mut report } = self;
        match fold {
            Fold::Limits(limits) => report.idle = limits.idle(),
            Fold::Routes(_) => {}
            Fold::Deadlines(deadlines) => {
                let look = Look { recorded_at: now, days, sees: &sees, report: &mut report };
                deadlines.end(look);
            }
        }
        report
    }
}

#[cfg(test)]
mod tests;
