//! What makes case types unsound. Whether the units they name are listed is seen at dispatch, where
//! the chain of routing resolves in any case.

use std::collections::BTreeSet;

use super::{Allowances, CaseType, CaseTypes, Level, Rung, Warnings};
use crate::ids::{CaseTypeId, ClassId};

/// What is wrong with case types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseTypesProblem {
    /// Without a type no case could be taken.
    #[error("there is no case type")]
    NoTypes,
    /// An id stands twice.
    #[error("the case type {0} is listed twice")]
    TypeTwice(CaseTypeId),
    /// Without a class there is no time to resolve.
    #[error("the case type {0} has no class")]
    NoClasses(CaseTypeId),
    /// An id of a class stands twice within a type.
    #[error("the case type {case_type} lists the class {class} twice")]
    ClassTwice {
        /// The type.
        case_type: CaseTypeId,
        /// The class.
        class: ClassId,
    },
    /// A class leaves no time to resolve.
    #[error("the class {class} of the case type {case_type} must leave at least 1 working day")]
    ResolveZero {
        /// The type.
        case_type: CaseTypeId,
        /// The class.
        class: ClassId,
    },
    /// A step would have no time at all.
    #[error("the case type {case_type} must allow at least 1 working day for {step}")]
    AllowanceZero {
        /// The type.
        case_type: CaseTypeId,
        /// The step.
        step: &'static str,
    },
    /// The warnings are not in order.
    #[error(
        "the warnings of the case type {0} must be over 0, blue first, and at most 100 percent"
    )]
    Warnings(CaseTypeId),
    /// The ladder is not in order, or has a rung twice.
    #[error("the ladder of the case type {0} must ascend by days and have each rung once")]
    Ladder(CaseTypeId),
    /// The level of a body complained of stands twice.
    #[error("the case type {0} says twice who is competent for the same level")]
    LevelTwice(CaseTypeId),
}

impl CaseTypes {
    /// Everything that is wrong with the types; empty when they may be published.
    #[must_use]
    pub fn problems(&self) -> Vec<CaseTypesProblem> {
        let mut problems = Vec::new();
        if self.types.is_empty() {
            problems.push(CaseTypesProblem::NoTypes);
        }
        let mut seen = BTreeSet::new();
        for case_type in &self.types {
            if !seen.insert(&case_type.id) {
                problems.push(CaseTypesProblem::TypeTwice(case_type.id.clone()));
            }
            problems.extend(case_type.problems());
        }
        problems
    }
}

impl CaseType {
    fn problems(&self) -> Vec<CaseTypesProblem> {
        let id = || self.id.clone();
        let mut problems = self.class_problems();
        problems.extend(
            self.steps()
                .filter(|(_, working_days)| *working_days == 0)
                .map(|(step, _)| CaseTypesProblem::AllowanceZero { case_type: id(), step }),
        );
        let Warnings { blue_percent, yellow_percent } = self.warnings;
        if blue_percent == 0 || blue_percent > yellow_percent || yellow_percent > 100 {
            problems.push(CaseTypesProblem::Warnings(id()));
        }
        if !is_a_ladder(&self.ladder) {
            problems.push(CaseTypesProblem::Ladder(id()));
        }
        let levels: BTreeSet<Level> = self.competences.iter().map(|c| c.about).collect();
        if levels.len() < self.competences.len() {
            problems.push(CaseTypesProblem::LevelTwice(id()));
        }
        problems
    }

    fn class_problems(&self) -> Vec<CaseTypesProblem> {
        let id = || self.id.clone();
        let mut problems = Vec::new();
        if self.classes.is_empty() {
            problems.push(CaseTypesProblem::NoClasses(id()));
        }
        let mut seen = BTreeSet::new();
        for class in &self.classes {
            let name = || class.id.clone();
            if !seen.insert(&class.id) {
                problems.push(CaseTypesProblem::ClassTwice { case_type: id(), class: name() });
            }
            if class.resolve == 0 {
                problems.push(CaseTypesProblem::ResolveZero { case_type: id(), class: name() });
            }
        }
        problems
    }

    /// The steps that must have time. A unit that may never object has an allowance of 0 for that.
    fn steps(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let Allowances { accept, dispatch, contact, contest: _, .. } = self.allowances;
        let Allowances { ruling, co_handling, feedback, close, .. } = self.allowances;
        let Allowances { opinion, conclusion, .. } = self.allowances;
        let always = [
            ("accept", accept),
            ("dispatch", dispatch),
            ("contact", contact),
            ("ruling", ruling),
            ("co_handling", co_handling),
            ("feedback", feedback),
            ("close", close),
            ("opinion", opinion),
            ("conclusion", conclusion),
        ];
        always.into_iter().chain(self.mediation.map(|working_days| ("mediation", working_days)))
    }
}

fn is_a_ladder(rungs: &[Rung]) -> bool {
    let each: BTreeSet<_> = rungs.iter().map(|rung| rung.escalation).collect();
    each.len() == rungs.len()
        && rungs.is_sorted_by(|a, b| a.after_working_days < b.after_working_days)
}
