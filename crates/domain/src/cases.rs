//! Case types (诉求类型) as data: allowances, warnings, ladder and bounds of each kind of appeal.
//!
//! A case keeps the terms it was submitted under: a later version moves no promise. Adding a type is
//! publishing a document.

use serde::{Deserialize, Serialize};

use crate::{
    calendar::Calendar,
    clock::{ClockKind, Terms},
    decider::Published,
    ids::{CaseTypeId, ClassId, Name, UnitId},
};

mod problems;

pub use problems::CaseTypesProblem;

/// A rung of the ladder that an overdue clock climbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// The head of the unit is urged (催办).
    Urge,
    /// The district supervises (督办).
    Supervise,
    /// The city circulates it as a criticism (通报).
    Circulate,
    /// The head of the unit is summoned to a talk (约谈).
    Summon,
}

/// A rung with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// What happens.
    pub escalation: Escalation,
    /// How many working days after due; 0 at once.
    pub after_working_days: u16,
}

/// A class of cases within a type (分类分级): its own time to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its id.
    pub id: ClassId,
    /// Its title as published.
    pub title: Name,
    /// The time to resolve, in working days.
    pub resolve: u16,
}

/// Time allowed for each step besides resolving, in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowances {
    /// From submission to acceptance.
    pub accept: u16,
    /// From acceptance to dispatch.
    pub dispatch: u16,
    /// From dispatch, or from the enterprise's objection, to the first contact with it.
    pub contact: u16,
    /// From dispatch, how long a unit may object to it.
    pub contest: u16,
    /// From an objection or a request to the ruling on it.
    pub ruling: u16,
    /// What a co-unit has to answer the lead.
    pub co_handling: u16,
    /// From resolution to the callback.
    pub feedback: u16,
    /// From the enterprise's word to the close.
    pub close: u16,
    /// What a unit has to give its opinion in a joint diagnosis.
    pub opinion: u16,
    /// From convening to the conclusion of a joint diagnosis.
    pub conclusion: u16,
}

/// When the warnings come, in percent of the allowance used, in working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warnings {
    /// The first.
    pub blue_percent: u8,
    /// The second.
    pub yellow_percent: u8,
}

/// What a case may take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Hops from unit to unit before the guarantee takes over (退单次数上限).
    pub bounces_max: u16,
    /// How often the enterprise may be dissatisfied before the guarantee takes over.
    pub objections_max: u16,
    /// Working days that one extension may add; 0 for no extension.
    pub extension_max: u16,
    /// Working days that one pause may last.
    pub pause_max: u16,
    /// Calendar days after the close within which the enterprise may reopen.
    pub reopen_days: u16,
    /// Calendar days within which a new appeal on the same matter marks a suspected false closure.
    pub false_closure_days: u16,
}

/// At which level the body stands that is complained of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A district or county body.
    District,
    /// A body of the city.
    City,
    /// A body of the province or above.
    Province,
}

/// Who is competent for a complaint about a body of that level (级别管辖).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Competence {
    /// The level of the body complained of.
    pub about: Level,
    /// The unit of this city that is competent; none when it lies outside.
    pub unit: Option<UnitId>,
    /// What the enterprise is told.
    pub guidance: Name,
}

/// A kind of case (诉求类型) with its terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseType {
    /// Its id.
    pub id: CaseTypeId,
    /// Its title as published.
    pub title: Name,
    /// Its classes, at least one; the first is taken unless another is chosen.
    pub classes: Vec<Class>,
    /// Time allowed for each step.
    pub allowances: Allowances,
    /// When warnings come.
    pub warnings: Warnings,
    /// What happens after due, ascending.
    pub ladder: Vec<Rung>,
    /// What it may take at most.
    pub bounds: Bounds,
    /// The unit it goes to whatever its topic, if any.
    pub lead: Option<UnitId>,
    /// Who is competent by the level of the body complained of; empty where that plays no part.
    pub competences: Vec<Competence>,
    /// Working days for a mediation; none where there is none.
    pub mediation: Option<u16>,
    /// The document that sets the terms, as cited.
    pub source: Name,
    /// True where no local figure is published and the numbers are defaults.
    pub is_default: bool,
}

/// The case types in force; the first is taken unless another is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTypes {
    /// The types, each id once, at least one.
    pub types: Vec<CaseType>,
}

impl CaseTypes {
    /// The type with that id.
    #[must_use]
    pub fn get(&self, id: &CaseTypeId) -> Option<&CaseType> {
        self.types.iter().find(|case_type| case_type.id == *id)
    }

    /// The type that is taken unless another is chosen; none only in a document that is not sound.
    #[must_use]
    pub fn first(&self) -> Option<&CaseType> {
        self.types.first()
    }
}

impl CaseType {
    /// What clocks of such a case are started with.
    #[must_use]
    pub fn terms<'a>(&'a self, version: u32, calendar: Published<'a, Calendar>) -> Terms<'a> {
        Terms { warnings: self.warnings, ladder: &self.ladder, version, calendar }
    }

    /// The class with that id.
    #[must_use]
    pub fn class(&self, id: &ClassId) -> Option<&Class> {
        self.classes.iter().find(|class| class.id == *id)
    }

    /// How many working days there are for what is owed in a case of that class; none for what the terms
    /// say nothing of.
    #[must_use]
    pub fn allowance(&self, kind: ClockKind, class: &ClassId) -> Option<u16> {
        let allowances = &self.allowances;
        match kind {
            ClockKind::Accept => Some(allowances.accept),
            ClockKind::Dispatch => Some(allowances.dispatch),
            ClockKind::Contact => Some(allowances.contact),
            ClockKind::Resolve => self.class(class).map(|class| class.resolve),
            ClockKind::Ruling | ClockKind::Extension => Some(allowances.ruling),
            ClockKind::CoHandling => Some(allowances.co_handling),
            ClockKind::Feedback => Some(allowances.feedback),
            ClockKind::Close => Some(allowances.close),
            ClockKind::Opinion => Some(allowances.opinion),
            ClockKind::Conclusion => Some(allowances.conclusion),
            ClockKind::Mediation => self.mediation,
            ClockKind::Pause | ClockKind::Approval | ClockKind::Tell => None,
        }
    }

    /// After how many working days the last rung of the ladder comes again, while the thing is still
    /// owed: as many as the last two rungs are apart, at least 1.
    #[must_use]
    pub fn repeat_days(&self) -> u16 {
        let mut rungs = self.ladder.iter().rev().map(|rung| rung.after_working_days);
        let (last, before) = (rungs.next().unwrap_or(1), rungs.next().unwrap_or(0));
        last.saturating_sub(before).max(1)
    }

    /// Who is competent for a complaint about a body of that level, where the level plays a part.
    #[must_use]
    pub fn competence(&self, about: Level) -> Option<&Competence> {
        self.competences.iter().find(|competence| competence.about == about)
    }
}

#[cfg(test)]
mod tests;
