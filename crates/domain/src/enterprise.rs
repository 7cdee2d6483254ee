//! The enterprise's profile: who it is, where it is, how its credit is graded, what rules know it by.
//!
//! Invariants: nothing is recorded of an unregistered enterprise; registration happens once; the
//! area is stated, never derived from the code.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Context, Decider, Need},
    frequency::Traits,
    ids::{AreaCode, CodeId, Name, Reference, TagId, UnitId},
    uscc::CheckDigit,
    visits::Place,
};

mod codes;

pub use codes::IssuedCode;

/// The longest life of a code that hangs at an enterprise, in days.
pub const CODE_DAYS_MAX: i64 = 1100;
/// The most codes of an enterprise that are in force at once: one for each of its doors.
pub const CODES_MAX: usize = 50;

/// Combined credit grade (信用风险等级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CreditGrade {
    /// Low risk.
    A,
    /// Fairly low risk.
    B,
    /// Fairly high risk.
    C,
    /// High risk.
    D,
}

/// Risk class (风险等级), as the competent unit puts an enterprise into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RiskClass {
    /// The lowest risk.
    A,
    /// Fairly low risk.
    B,
    /// Fairly high risk.
    C,
    /// The highest risk.
    D,
}

/// The storage format: names and fields here are written to the log and may only be added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The enterprise is known from now on.
    EnterpriseRegistered {
        /// Its registered name.
        name: Name,
        /// The area that is responsible for it.
        area: AreaCode,
        /// What the check digit of its code says; a wrong one is marked, not refused.
        check_digit: CheckDigit,
    },
    /// An issuer graded its credit.
    CreditGradeAssessed {
        /// The grade.
        grade: CreditGrade,
        /// Who graded.
        issuer: UnitId,
        /// The day of the assessment.
        assessed_on: Date,
        /// Last day on which the grade holds; none is open-ended.
        valid_until: Option<Date>,
    },
    /// Another area became responsible.
    AreaChanged {
        /// The area until now.
        from: AreaCode,
        /// The area from now on.
        to: AreaCode,
        /// The document that says so.
        basis: Reference,
    },
    /// A unit said what else rules know it by; the whole, not the difference.
    EnterpriseClassified {
        /// Its risk class; none where it is in none.
        risk_class: Option<RiskClass>,
        /// Its tags.
        tags: BTreeSet<TagId>,
        /// The document that says so.
        basis: Reference,
        /// The unit that said so.
        issuer: UnitId,
    },
    /// A code was made to hang at the enterprise (企业码).
    CodeIssued {
        /// Names the code.
        code: CodeId,
        /// Until when it can be scanned.
        expires_at: Timestamp,
        /// Where it hangs, if that was said.
        place: Option<Place>,
    },
    /// A code is good no more.
    CodeRevoked {
        /// Names the code.
        code: CodeId,
        /// Since when.
        at: Timestamp,
    },
}

/// The enterprise's profile (企业档案).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nothing is known.
    #[default]
    Unregistered,
    /// Registered.
    Registered(Registered),
}

/// A registered enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Its registered name.
    pub name: Name,
    /// The area that is responsible for it.
    pub area: AreaCode,
    /// What the check digit of its code says.
    pub check_digit: CheckDigit,
    /// The latest assessment by day of assessment.
    pub credit: Option<Assessment>,
    /// The assessments of earlier days, so that none is recorded twice.
    superseded: Vec<Assessment>,
    /// Its risk class.
    pub risk_class: Option<RiskClass>,
    /// Its tags.
    pub tags: BTreeSet<TagId>,
    /// The codes that were made to hang there.
    codes: BTreeMap<CodeId, IssuedCode>,
}

/// One assessment of credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The grade.
    pub grade: CreditGrade,
    /// Who graded.
    pub issuer: UnitId,
    /// The day of the assessment.
    pub assessed_on: Date,
    /// Last day on which it holds; none is open-ended.
    pub valid_until: Option<Date>,
}

impl Profile {
    /// The registered enterprise, if it is one.
    #[must_use]
    pub fn registered(&self) -> Option<&Registered> {
        match self {
            Self::Unregistered => None,
            Self::Registered(registered) => Some(registered),
        }
    }
}

/// What can be asked of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Make the enterprise known.
    Register {
        /// Its registered name.
        name: Name,
        /// The area that is responsible for it.
        area: AreaCode,
        /// What the check digit of its code says.
        check_digit: CheckDigit,
    },
    /// Record a credit grade.
    AssessCreditGrade {
        /// The grade.
        grade: CreditGrade,
        /// Who graded.
        issuer: UnitId,
        /// The day of the assessment, not after today.
        assessed_on: Date,
        /// Last day on which it holds, not before the assessment.
        valid_until: Option<Date>,
    },
    /// Hand the enterprise to another area.
    ChangeArea {
        /// The new area.
        to: AreaCode,
        /// The document that says so.
        basis: Reference,
    },
    /// Say what else rules know it by, in place of what was said before.
    Classify {
        /// Its risk class; none where it is in none.
        risk_class: Option<RiskClass>,
        /// Its tags.
        tags: BTreeSet<TagId>,
        /// The document that says so.
        basis: Reference,
        /// The unit that says so.
        issuer: UnitId,
    },
    /// Make a code to hang at the enterprise.
    IssueCode {
        /// Names the code.
        code: CodeId,
        /// Until when it can be scanned.
        expires_at: Timestamp,
        /// Where it will hang, if that is known.
        place: Option<Place>,
    },
    /// Let a code be good no more.
    RevokeCode {
        /// Names the code.
        code: CodeId,
    },
}

/// Why a command on a profile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The enterprise is not registered.
    #[error("the enterprise is not registered")]
    NotRegistered,
    /// The enterprise is registered with another name or area; change it instead.
    #[error("the enterprise is already registered under another name or in another area")]
    AlreadyRegistered,
    /// The published routing table knows no such area.
    #[error("no area has the code {0}")]
    AreaUnknown(AreaCode),
    /// An assessment cannot lie in the future.
    #[error("the assessment is dated {assessed_on}, after today, {today}")]
    AssessedInFuture {
        /// The day given.
        assessed_on: Date,
        /// Today in Asia/Shanghai.
        today: Date,
    },
    /// The validity ends before the assessment.
    #[error("the grade would end on {until}, before its assessment on {assessed_on}")]
    ValidityReversed {
        /// The day of the assessment.
        assessed_on: Date,
        /// The last day given.
        until: Date,
    },
    /// A code ends before it begins, or lives longer than [`CODE_DAYS_MAX`].
    #[error("a code must live longer than now and at most {CODE_DAYS_MAX} days")]
    CodeLife,
    /// The enterprise has so many codes in force that one must be revoked first.
    #[error("the enterprise has {CODES_MAX} codes in force; revoke one first")]
    TooManyCodes,
    /// No such code was made for the enterprise.
    #[error("the enterprise has no code {0}")]
    CodeUnknown(CodeId),
}

impl Decider for Profile {
    const KIND: &'static str = "profile";
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn needs(_: &Command) -> Vec<Need> {
        vec![Need::Routing]
    }

    fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
        match (command, self) {
            (Command::Register { name, area, check_digit }, _) => {
                self.register(context, name, area, *check_digit)
            }
            (_, Self::Unregistered) => Err(Rejection::NotRegistered),
            (
                Command::AssessCreditGrade { grade, issuer, assessed_on, valid_until },
                Self::Registered(registered),
            ) => registered.assess(
                context,
                &Assessment {
                    grade: *grade,
                    issuer: issuer.clone(),
                    assessed_on: *assessed_on,
                    valid_until: *valid_until,
                },
            ),
            (Command::ChangeArea { to, basis }, Self::Registered(registered)) => {
                registered.change_area(context, to, basis)
            }
            (
                Command::Classify { risk_class, tags, basis, issuer },
                Self::Registered(registered),
            ) => Ok(registered.classify(*risk_class, tags, basis, issuer)),
            (Command::IssueCode { code, expires_at, place }, Self::Registered(registered)) => {
                registered.issue_code(context, *code, *expires_at, *place)
            }
            (Command::RevokeCode { code }, Self::Registered(registered)) => {
                registered.revoke_code(context, *code)
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (event, self) {
            (Event::EnterpriseRegistered { name, area, check_digit }, _) => {
                Self::Registered(Registered {
                    name: name.clone(),
                    area: area.clone(),
                    check_digit: *check_digit,
                    credit: None,
                    superseded: vec![],
                    risk_class: None,
                    tags: BTreeSet::new(),
                    codes: BTreeMap::new(),
                })
            }
            (_, Self::Unregistered) => Self::Unregistered,
            (
                Event::CreditGradeAssessed { grade, issuer, assessed_on, valid_until },
                Self::Registered(mut registered),
            ) => {
                let found = Assessment {
                    grade: *grade,
                    issuer: issuer.clone(),
                    assessed_on: *assessed_on,
                    valid_until: *valid_until,
                };
                registered.note(found);
                Self::Registered(registered)
            }
            (Event::AreaChanged { to, .. }, Self::Registered(mut registered)) => {
                registered.area = to.clone();
                Self::Registered(registered)
            }
            (
                Event::EnterpriseClassified { risk_class, tags, .. },
                Self::Registered(mut registered),
            ) => {
                registered.risk_class = *risk_class;
                registered.tags = tags.clone();
                Self::Registered(registered)
            }
            (Event::CodeIssued { code, expires_at, place }, Self::Registered(mut registered)) => {
                registered.note_code(*code, *expires_at, *place);
                Self::Registered(registered)
            }
            (Event::CodeRevoked { code, at }, Self::Registered(mut registered)) => {
                registered.note_revoked(*code, *at);
                Self::Registered(registered)
            }
        }
    }
}

impl Profile {
    fn register(
        &self,
        context: &Context<'_>,
        name: &Name,
        area: &AreaCode,
        check_digit: CheckDigit,
    ) -> Result<Vec<Event>, Rejection> {
        if let Self::Registered(known) = self {
            let same = known.name == *name && known.area == *area;
            return if same { Ok(vec![]) } else { Err(Rejection::AlreadyRegistered) };
        }
        known_area(context, area)?;
        Ok(vec![Event::EnterpriseRegistered {
            name: name.clone(),
            area: area.clone(),
            check_digit,
        }])
    }
}

impl Registered {
    /// What rules ask of it on that day: the latest assessment until then gives the grade, as long as it
    /// holds.
    #[must_use]
    pub fn traits(&self, on: Date) -> Traits {
        let made = self.superseded.iter().chain(&self.credit);
        let latest =
            made.filter(|found| found.assessed_on <= on).max_by_key(|found| found.assessed_on);
        let holds = latest.filter(|found| found.valid_until.is_none_or(|last| on <= last));
        Traits {
            grade: holds.map(|found| found.grade),
            risk_class: self.risk_class,
            tags: self.tags.clone(),
        }
    }

    fn classify(
        &self,
        risk_class: Option<RiskClass>,
        tags: &BTreeSet<TagId>,
        basis: &Reference,
        issuer: &UnitId,
    ) -> Vec<Event> {
        if self.risk_class == risk_class && self.tags == *tags {
            return vec![];
        }
        vec![Event::EnterpriseClassified {
            risk_class,
            tags: tags.clone(),
            basis: basis.clone(),
            issuer: issuer.clone(),
        }]
    }

    /// On the same day the later assessment corrects the earlier one, which is forgotten.
    fn note(&mut self, found: Assessment) {
        match self.credit.take() {
            Some(known) if found.assessed_on < known.assessed_on => {
                self.credit = Some(known);
                self.superseded.push(found);
            }
            Some(known) if known.assessed_on < found.assessed_on => {
                self.credit = Some(found);
                self.superseded.push(known);
            }
            Some(_) | None => self.credit = Some(found),
        }
    }

    fn assess(&self, context: &Context<'_>, found: &Assessment) -> Result<Vec<Event>, Rejection> {
        let Assessment { grade, issuer, assessed_on, valid_until } = &found;
        let today = context.today();
        if *assessed_on > today {
            return Err(Rejection::AssessedInFuture { assessed_on: *assessed_on, today });
        }
        if let Some(until) = valid_until.filter(|until| until < assessed_on) {
            return Err(Rejection::ValidityReversed { assessed_on: *assessed_on, until });
        }
        if self.credit.as_ref() == Some(found) || self.superseded.contains(found) {
            return Ok(vec![]);
        }
        Ok(vec![Event::CreditGradeAssessed {
            grade: *grade,
            issuer: issuer.clone(),
            assessed_on: *assessed_on,
            valid_until: *valid_until,
        }])
    }

    fn change_area(
        &self,
        context: &Context<'_>,
        to: &AreaCode,
        basis: &Reference,
    ) -> Result<Vec<Event>, Rejection> {
        if self.area == *to {
            return Ok(vec![]);
        }
        known_area(context, to)?;
        Ok(vec![Event::AreaChanged {
            from: self.area.clone(),
            to: to.clone(),
            basis: basis.clone(),
        }])
    }
}

/// Before any routing table is published every area is taken on trust.
fn known_area(context: &Context<'_>, area: &AreaCode) -> Result<(), Rejection> {
    match context.routing {
        Some(routing) if routing.document.area(area).is_none() => {
            Err(Rejection::AreaUnknown(area.clone()))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
