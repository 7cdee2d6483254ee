//! Inspection-frequency limits (检查频次上限) as data: what a rule can say, and what is wrong with a policy.
//!
//! How visits count against it is in `assess`: the decision, the planning screen and the quota query
//! all call [`assess()`], so they cannot differ.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    cases::Warnings,
    enterprise::{CreditGrade, RiskClass},
    ids::{FieldId, ItemId, Name, RuleId, TagId},
};

mod assess;
mod count;
mod problems;
mod span;

pub use assess::{
    Assessment, Entry, FloorStanding, Held, Key, Party, Standing, Traits, Verdict, assess,
    excessive, overshot,
};
pub use problems::FrequencyProblem;
pub use span::{DaysOfMonth, Window};

/// Why an inspection takes place (检查事由).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Routine inspection (日常检查).
    Routine,
    /// Random draw of enterprise and officers (双随机).
    Random,
    /// Special campaign (专项检查).
    Special,
    /// A complaint or report (投诉举报).
    Complaint,
    /// Assigned by a superior or handed over (转办交办).
    Assigned,
    /// A lead from monitoring data (数据监测).
    MonitoringLead,
    /// The enterprise asked for it (企业申请).
    EnterpriseRequest,
    /// Recheck after rectification (整改复核).
    RectificationRecheck,
    /// On-site verification for a licence (许可核查).
    LicenceVerification,
    /// A media report (媒体曝光).
    Media,
    /// Danger that does not wait (紧急).
    Urgent,
    /// A campaign deployed from above (上级部署).
    DeployedCampaign,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Self; 12] = [
        Self::Routine,
        Self::Random,
        Self::Special,
        Self::Complaint,
        Self::Assigned,
        Self::MonitoringLead,
        Self::EnterpriseRequest,
        Self::RectificationRecheck,
        Self::LicenceVerification,
        Self::Media,
        Self::Urgent,
        Self::DeployedCampaign,
    ];
}

/// Whose visits a rule adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Those of one and the same unit.
    SameUnit,
    /// Those of all units of one and the same level (同级).
    SameLevel,
    /// Those of all units together.
    AllUnits,
    /// Those in one and the same field (同一领域).
    SameField,
    /// Those on one and the same item (同一事项).
    SameItem,
    /// Those in which one and the same officer takes part.
    SameOfficer,
}

/// How a visit of several units counts (综合查一次).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Joint {
    /// As one visit.
    #[default]
    Once,
    /// As one visit of each unit.
    OncePerUnit,
}

/// What becomes of a plan that would pass the maximum, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExceeding {
    /// It is accepted and marked.
    Warn,
    /// It needs an explanation that can be looked up.
    NeedsExplanation,
    /// It needs an approval that can be looked up.
    NeedsApproval,
    /// It is refused.
    #[default]
    Refuse,
}

/// Which visits count, beside their ground.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// All.
    #[default]
    All,
    /// Those that found nothing, and those whose result is not reported yet.
    WithoutFinding,
}

/// Which enterprises a rule is about. Every part that is not empty must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Enterprises {
    /// Those of one of these credit grades; empty for any, also an unknown one.
    pub grades: BTreeSet<CreditGrade>,
    /// Those of one of these risk classes (风险等级); empty for any.
    pub risk_classes: BTreeSet<RiskClass>,
    /// Those with one of these tags; empty for any.
    pub tags: BTreeSet<TagId>,
}

impl Enterprises {
    /// Whether an enterprise is one of them.
    #[must_use]
    pub fn include(&self, enterprise: &Traits) -> bool {
        let holds = |set_is_empty: bool, found: bool| set_is_empty || found;
        holds(
            self.grades.is_empty(),
            enterprise.grade.is_some_and(|grade| self.grades.contains(&grade)),
        ) && holds(
            self.risk_classes.is_empty(),
            enterprise.risk_class.is_some_and(|class| self.risk_classes.contains(&class)),
        ) && holds(self.tags.is_empty(), !self.tags.is_disjoint(&enterprise.tags))
    }

    /// Whether some enterprise may be one of both.
    fn may_share(&self, other: &Self) -> bool {
        fn meet<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> bool {
            a.is_empty() || b.is_empty() || !a.is_disjoint(b)
        }
        meet(&self.grades, &other.grades) && meet(&self.risk_classes, &other.risk_classes)
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Names it inside its policy.
    pub id: RuleId,
    /// Whose visits add up.
    pub subject: Subject,
    /// Which enterprises it is about.
    #[serde(default)]
    pub enterprises: Enterprises,
    /// The span of time within which they add up.
    pub window: Window,
    /// Only on these days of each month; none for all.
    #[serde(default)]
    pub days_of_month: Option<DaysOfMonth>,
    /// The most visits that count in one window; 0 where there is to be none.
    pub maximum: u32,
    /// The items that it is about; empty for all.
    #[serde(default)]
    pub items: BTreeSet<ItemId>,
    /// The fields that it is about; empty for all, also an unknown one.
    #[serde(default)]
    pub fields: BTreeSet<FieldId>,
    /// The grounds that it is about; empty for all. A visit on another one is none of its business.
    #[serde(default)]
    pub grounds: BTreeSet<Ground>,
    /// Grounds whose visits do not count and pass the limit; they need evidence.
    pub exempt_grounds: BTreeSet<Ground>,
    /// Which visits count.
    #[serde(default)]
    pub counting: Counting,
    /// How a visit of several units counts.
    #[serde(default)]
    pub joint: Joint,
    /// What becomes of a plan that would pass the maximum.
    #[serde(default)]
    pub on_exceeding: OnExceeding,
    /// The document that sets it, as cited to the enterprise.
    pub source: Name,
    /// Whether the number is a default because no local figure is published.
    pub is_default: bool,
    /// First day on which the rule applies.
    pub valid_from: Date,
    /// Last day on which it applies; none is open-ended.
    pub valid_until: Option<Date>,
}

impl Rule {
    /// Whether the rule applies to visits on that day.
    #[must_use]
    pub fn applies(&self, on: Date) -> bool {
        within(on, self.valid_from, self.valid_until)
            && self.days_of_month.is_none_or(|days| days.contain(on))
    }

    /// Whether it is about an item of that field.
    #[must_use]
    pub fn covers(&self, item: &ItemId, field: Option<&FieldId>) -> bool {
        (self.items.is_empty() || self.items.contains(item))
            && (self.fields.is_empty() || field.is_some_and(|field| self.fields.contains(field)))
    }

    /// Whether it is about every item, in every field, on every day.
    #[must_use]
    pub fn is_about_all(&self) -> bool {
        self.items.is_empty() && self.fields.is_empty() && self.days_of_month.is_none()
    }

    /// Whether it is about that ground at all, counted or exempt.
    #[must_use]
    pub fn is_about(&self, ground: Ground) -> bool {
        self.grounds.is_empty()
            || self.grounds.contains(&ground)
            || self.exempt_grounds.contains(&ground)
    }

    /// Whether visits on that ground count.
    #[must_use]
    pub fn counts(&self, ground: Ground) -> bool {
        self.is_about(ground) && !self.exempt_grounds.contains(&ground)
    }
}

/// A floor (检查频次下限): how often an enterprise is to be visited at least. It stands in nobody's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Names it inside its policy.
    pub id: RuleId,
    /// Which enterprises it is about.
    #[serde(default)]
    pub enterprises: Enterprises,
    /// The grounds whose visits count; empty for all.
    #[serde(default)]
    pub grounds: BTreeSet<Ground>,
    /// The least visits, at least 1.
    pub minimum: u32,
    /// Within so many years up to a day, 1 to 10.
    pub years: u8,
    /// The document that sets it.
    pub source: Name,
    /// Whether the number is a default because no local figure is published.
    pub is_default: bool,
    /// First day on which it applies.
    pub valid_from: Date,
    /// Last day on which it applies; none is open-ended.
    pub valid_until: Option<Date>,
}

impl Floor {
    /// Whether it applies on that day.
    #[must_use]
    pub fn applies(&self, on: Date) -> bool {
        within(on, self.valid_from, self.valid_until)
    }

    /// The first and the last day that count on `on`.
    #[must_use]
    pub fn around(&self, on: Date) -> (Date, Date) {
        let from = on.saturating_sub(i32::from(self.years).years()).saturating_add(1.day());
        (from, on)
    }
}

/// When the visits to an enterprise are plainly too many, whatever their grounds (明显超过合理频次).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// So many times the maximum of a rule that counts by calendar year, at least 1.
    pub multiple: u32,
    /// So many visits, at least 2,
    pub visits: u32,
    /// within so many days, 1 to 366.
    pub days: u16,
}

/// The published default: twice the year's maximum, or three visits in thirty days.
impl Default for Excess {
    fn default() -> Self {
        Self { multiple: 2, visits: 3, days: 30 }
    }
}

/// What a visit is held to beside its frequency. Every number is a default until a city publishes its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitTerms {
    /// Working days to approve a visit that could not wait, 0 to 60.
    pub approval_days: u16,
    /// Working days to tell the enterprise what was found, 0 to 60.
    pub tell_days: u16,
    /// Calendar days within which a scan may be entered by hand, 0 to 366.
    pub backfill_days: u16,
    /// Calendar days within which visits of other units are near, 0 to 366.
    pub near_days: u16,
    /// Metres from where its code hangs that a device may be, 1 to 100,000.
    pub place_metres: u32,
    /// When the warnings of those clocks come.
    pub warnings: Warnings,
}

impl Default for VisitTerms {
    fn default() -> Self {
        Self {
            approval_days: 2,
            tell_days: 5,
            backfill_days: 10,
            near_days: 15,
            place_metres: 1000,
            warnings: Warnings { blue_percent: 67, yellow_percent: 90 },
        }
    }
}

/// Inspection-frequency policy (检查频次规则).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyPolicy {
    /// The limits. Every rule applies on its own; the strictest decides.
    pub rules: Vec<Rule>,
    /// The floors.
    #[serde(default)]
    pub floors: Vec<Floor>,
    /// When visits are plainly too many.
    #[serde(default)]
    pub excess: Excess,
    /// What a visit is held to beside its frequency.
    #[serde(default)]
    pub visits: VisitTerms,
}

impl FrequencyPolicy {
    /// Whether some rule that applies to the enterprise on that day exempts the ground, so that
    /// evidence is needed.
    #[must_use]
    pub fn exempts(&self, enterprise: &Traits, ground: Ground, on: Date) -> bool {
        let exempts = |rule: &&Rule| {
            rule.applies(on)
                && rule.enterprises.include(enterprise)
                && rule.exempt_grounds.contains(&ground)
        };
        self.rules.iter().any(|rule| exempts(&rule))
    }
}

fn within(on: Date, from: Date, until: Option<Date>) -> bool {
    from <= on && until.is_none_or(|last| on <= last)
}

#[cfg(test)]
mod tests;
